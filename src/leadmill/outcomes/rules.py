"""Pure rules of outcomes: reading a disposition, and what a new report does to those before it.

Called by the verbs.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault
from leadmill.core.money import Money
from leadmill.core.reading import nearest
from leadmill.outcomes.model import Disposition, Remarks, Reported

_ALIASES = {
    "converted": Disposition.SOLD,
    "conversion": Disposition.SOLD,
    "sale": Disposition.SOLD,
    "won": Disposition.SOLD,
    "closed_won": Disposition.SOLD,
    "funded": Disposition.SOLD,
    "bound": Disposition.SOLD,
    "enrolled": Disposition.SOLD,
    "retained": Disposition.SOLD,
    "installed": Disposition.SOLD,
    "closed_lost": Disposition.LOST,
    "invalid": Disposition.BAD_CONTACT,
    "invalid_contact": Disposition.BAD_CONTACT,
    "not_in_service": Disposition.DISCONNECTED,
    "bounce": Disposition.BOUNCED,
    "email_bounced": Disposition.BOUNCED,
    "bad_number": Disposition.WRONG_NUMBER,
    "no_answer": Disposition.NO_CONTACT,
    "voicemail": Disposition.NO_CONTACT,
    "busy": Disposition.NO_CONTACT,
    "unreachable": Disposition.NO_CONTACT,
    "call_back": Disposition.CALLBACK,
    "disqualified": Disposition.UNQUALIFIED,
    "not_qualified": Disposition.UNQUALIFIED,
    "appointment_set": Disposition.APPOINTMENT,
    "quote": Disposition.QUOTED,
    "dupe": Disposition.DUPLICATE,
    "dnc": Disposition.DO_NOT_CONTACT,
}
_AHEAD = timedelta(minutes=5)
_EARLIEST = 2000
"""A year before which no lead was sold here; much earlier ones do not exist in every time zone."""
"""How far a reporter's clock may be ahead of ours."""


class Effect(Struct, frozen=True):
    """What a report does. ``nothing``: it was heard before. ``news``: it stands beside the others. ``correction``:
    it takes the place of ``replaces``. ``current`` says whether it is the reporter's latest word from now on;
    ``round_no`` counts corrections of one moment."""

    kind: Literal["nothing", "news", "correction"]
    current: bool = False
    replaces: str | None = None
    round_no: int = 0


def read_disposition(text: str) -> Disposition:
    """The disposition by its own or a usual name. Raises :class:`BadInput` ``outcome.disposition.unknown``."""
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    if word in _ALIASES:
        return _ALIASES[word]
    try:
        return Disposition(word)
    except ValueError:
        known = [one.value for one in Disposition]
        hint = nearest(word, known)
        fault = FieldFault("/disposition", "outcome.disposition.unknown", hint)
        raise BadInput("outcome.disposition.unknown", f"not a disposition; {hint}", [fault]) from None


def check_report(at: datetime, value: Money | None, now: datetime) -> None:
    """Raise :class:`BadInput` ``outcome.time.unusable`` for a time without a zone, ahead of now or before 2000,
    ``outcome.value.negative``."""
    if at.tzinfo is None or at > now + _AHEAD or at.year < _EARLIEST:
        says = f"give the time with its zone, not in the future and not before {_EARLIEST}"
        raise BadInput("outcome.time.unusable", says, [FieldFault("/at", "outcome.time.unusable", says)])
    if value is not None and value.amount < 0:
        says = "a value is not negative"
        raise BadInput("outcome.value.negative", says, [FieldFault("/value", "outcome.value.negative", says)])


def weigh(before: Sequence[Reported], disposition: Disposition, at: datetime, value: Money | None) -> Effect:
    """What a report does to the same reporter's earlier ones about the same lead. Reports of different moments tell
    a course and stand side by side, whichever order they come in; one of the same moment corrects."""
    same = [one for one in before if one.at == at]
    replaced = {one.replaces for one in same}
    standing = [one for one in same if one.outcome_id not in replaced]
    if standing:
        last = standing[-1]
        if last.disposition is disposition and (last.value, last.currency) == _pair(value):
            return Effect("nothing")
        return Effect("correction", last.current, last.outcome_id, len(same))
    return Effect("news", all(one.at < at for one in before if one.current))


def _pair(value: Money | None) -> tuple[int | None, str | None]:
    return (value.amount, value.currency) if value is not None else (None, None)


def read_remarks(plain: bytes) -> Remarks:
    """Remarks as they were sealed; the first version kept a note alone."""
    try:
        return msgspec.json.decode(plain, type=Remarks)
    except msgspec.DecodeError:
        return Remarks(plain.decode())

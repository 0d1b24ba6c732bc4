"""What a submission says: the rules between a body and a lead.

``check_submission`` is called by every edge before a submission is accepted, ``map_lead`` by it and by the step. Both
are pure.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from leadmill.capture.bodies import read_body
from leadmill.capture.mapping import Barred, Lexicon, Walk, read_value
from leadmill.capture.model import Mapped, Submission, TakenAnswer
from leadmill.capture.translating import read_translated
from leadmill.core.faults import BadInput, FieldFault

HONEYPOT_FIELD = "fax_number"
"""The name of the field that a hosted form hides from people; whoever fills it in is no person."""

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
_NOT_DIGITS = re.compile(r"[^0-9]")


def check_submission(
    submission: Submission, lexicon: Lexicon, allowed: Sequence[str] = (), barred: Barred | None = None
) -> Mapped:
    """Read a submission as a lead before it is accepted.

    ``allowed`` are the verticals of its source: where there is one only, the body need not name it; ``barred`` says
    what must not be in it. Raises
    :class:`BadInput` with one entry a field; the codes are those of :func:`leadmill.capture.bodies.read_body`,
    ``capture.vertical.missing``, ``capture.vertical.unknown``, ``capture.vertical.not_allowed`` and
    ``capture.lead.malformed``.
    """
    return check_body(submission, _body_of(submission, lexicon), lexicon, allowed, barred)


def check_body(
    submission: Submission,
    body: Mapping[str, Any],
    lexicon: Lexicon,
    allowed: Sequence[str] = (),
    barred: Barred | None = None,
) -> Mapped:
    """The same for a submission whose body has been read already. Raises as :func:`check_submission`."""
    bound = submission.vertical or (allowed[0] if len(allowed) == 1 and lexicon.stated(body) is None else None)
    textual = submission.channel != "json" or is_form(submission)
    mapped = map_lead(body, lexicon, textual=textual, bound=bound, barred=barred)
    if submission.taken:
        mapped = complete(mapped, submission.taken, lexicon)
    if allowed and mapped.vertical not in [lexicon.vertical(name) for name in allowed]:
        says = "the key's source does not send this vertical"
        raise BadInput(
            "capture.vertical.not_allowed", says, [FieldFault("/vertical", "capture.vertical.not_allowed", says)]
        )
    return mapped


def complete(mapped: Mapped, taken: Sequence[TakenAnswer], lexicon: Lexicon) -> Mapped:
    """A request with the person's earlier answers where it has none. What the vertical no longer knows, or reads
    otherwise than it did, is left out."""
    specs, fields, names = lexicon.verticals[mapped.vertical].fields, dict(mapped.fields), []
    for item in taken:
        if item.name not in specs or fields.get(item.name) not in (None, "", []):
            continue
        with suppress(BadInput):
            fields[item.name] = read_value(specs[item.name], item.value)
            names.append(item.name)
    return msgspec.structs.replace(mapped, fields=fields, taken=tuple(names))


def accept_submission(
    submission: Submission, lexicon: Lexicon, allowed: Sequence[str] = (), body: Mapping[str, Any] | None = None
) -> Mapped:
    """Check a submission at the edge, and keep what was read in ``lexicon`` for the step ``Map``. ``body`` is its
    body where the edge has read it. Raises as :func:`check_submission`."""
    mapped = check_body(submission, _body_of(submission, lexicon) if body is None else body, lexicon, allowed)
    lexicon.keep(submission.id, submission.digest, mapped)
    return mapped


def _body_of(submission: Submission, lexicon: Lexicon) -> Mapping[str, Any]:
    """A submission's body under names that the mapping knows. Raises :class:`BadInput` ``capture.dialect.unknown``
    where the packs in force no longer have its dialect."""
    if submission.dialect is None:
        return read_body(submission.content_type, submission.body)
    dialect = lexicon.dialects.get(submission.dialect)
    if dialect is None:
        raise BadInput("capture.dialect.unknown", "the packs in force do not have this dialect")
    return read_translated(submission, dialect)


def is_form(submission: Submission) -> bool:
    """Whether the body is form-encoded, where everything is text."""
    return submission.content_type.lower().startswith("application/x-www-form-urlencoded")


def map_lead(
    body: Mapping[str, Any], lexicon: Lexicon, *, textual: bool, bound: str | None = None, barred: Barred | None = None
) -> Mapped:
    """A body as a lead of its vertical. ``bound`` is the vertical of the channel, which outranks what the body says;
    ``textual`` says that every value is text to be read rather than a JSON type that is meant; ``barred`` says what
    must not be in it.

    Raises :class:`BadInput`; see :func:`check_submission`.
    """
    stated = bound if bound is not None else lexicon.stated(body)
    if isinstance(stated, list) and stated and textual:
        stated = stated[-1]
    if stated is None or stated == "":
        says = f"name the vertical: {', '.join(sorted(lexicon.verticals))}"
        raise BadInput("capture.vertical.missing", says, [FieldFault("/vertical", "capture.vertical.missing", says)])
    if not isinstance(stated, str):
        says = "send the vertical's name as a text"
        raise BadInput("capture.lead.malformed", says, [FieldFault("/vertical", "capture.field.type", says)])
    walk = Walk(lexicon.names(lexicon.vertical(stated)), textual, barred)
    walk.take_all(body)
    return walk.mapped()


def missing(mapped: Mapped, lexicon: Lexicon) -> list[str]:
    """What keeps a mapped lead from being of any use: ``email or phone`` where neither looks right, and the fields
    that its vertical requires."""
    lacking = [] if can_reach(mapped.fields.get("email"), mapped.fields.get("phone")) else ["email or phone"]
    fields = mapped.fields
    lacking.extend(name for name in lexicon.verticals[mapped.vertical].required if fields.get(name) in (None, "", []))
    return lacking


def can_reach(email: object, phone: object) -> bool:
    """Whether either looks like a way to reach a person; whether it works is for ``facts`` to find out."""
    if isinstance(email, str) and _EMAIL.fullmatch(email):
        return True
    return isinstance(phone, str) and 7 <= len(_NOT_DIGITS.sub("", phone)) <= 15

"""A request comes in: what it asks is read, its clocks start, the person is written to.

Called by every door a request comes through. Opting out and limiting ask for no proof and are done at once; all else
waits until the person has shown who they are. What is said to whoever asks is the same whether anybody knows the
person or not.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault
from leadmill.flow.kit import Kit
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.rights.limiting import limit_contacts
from leadmill.flow.rules import Rules
from leadmill.optouts import Channel as Way
from leadmill.optouts import Contact, contact_of
from leadmill.policy import Deadlines
from leadmill.privacy import ELSEWHERE, KINDS, Asked, Channel, Kind, PrivacyRequest, Statement, put_letter, receive
from leadmill.runtime.db import Tx

FACTS = ("last_name", "zip", "date_of_birth")
"""Further facts by which somebody can be told from others. Nothing new is asked for: forms ask for all of it."""

_LONGEST = {"name": 200, "agent": 200, "permission": 4_000, "words": 4_000}
_MOST_CHANGES = 30


class Plea(Struct, frozen=True, kw_only=True):
    """A request as somebody brings it: their contact details and what they wrote. ``at`` is when it was received, now
    where it is absent."""

    kind: str
    channel: Channel
    by: str
    home: str = ""
    told: Statement = Statement()
    at: datetime | None = None


class Taken(Struct, frozen=True):
    """What came of it: the request, and the opt-outs that are to be carried out at once where it was one."""

    request: PrivacyRequest
    opt_outs: tuple[str, ...] = ()


async def take_request(tx: Tx, kit: Kit, plea: Plea, now: datetime) -> Taken:
    """Take a request down and start its clocks.

    Raises BadInput ``privacy.request.malformed`` with one entry a field.
    """
    rules = kit.walk().rules
    kind, contacts = _checked(kit, plea, homes(rules))
    free = kind in ("opt_out", "limit")
    by_kind = {one.kind: one.hash for one in contacts}
    asked = Asked(
        kind=kind,
        channel=plea.channel,
        by=plea.by,
        home=plea.home,
        email=by_kind.get("email"),
        phone=by_kind.get("phone"),
        told=None if free else plea.told,
        agent=bool(plea.told.agent),
        received_at=plea.at,
    )
    deadlines = Deadlines(rules.laws.values())
    request, events = await receive(tx, kit.pen.vault, kit.mint, deadlines, rules.packs, asked, now)
    await kit.pen.append(tx, request.id, events, now)
    if kind == "opt_out":
        wish = Wish(channel=_WAYS[plea.channel], by=f"request {request.id}", hashes=contacts, at=plea.at)
        heard = await take_opt_outs(tx, kit, [wish], now)
        return Taken(request, tuple(one.id for one in heard if one.recorded and one.id))
    if kind == "limit":
        await limit_contacts(tx, kit, request, contacts, now)
    elif plea.told.email and rules.mail:
        put_letter(tx, kit.mint, request.id, "confirm", now)
    return Taken(request)


_WAYS: Mapping[Channel, Way] = {"web": "web", "api": "api", "desk": "agent", "command": "agent"}


def homes(rules: Rules) -> list[str]:
    """Where a person may say they live: the states that the packs know, in their order, and elsewhere."""
    return [*sorted({state for law in rules.laws.values() for state in law.zones if len(state) == 2}), ELSEWHERE]


def _checked(kit: Kit, plea: Plea, known: list[str]) -> tuple[Kind, tuple[Contact, ...]]:
    """The kind of a request and its contact details, where all of it is in order."""
    told, faults = plea.told, list[FieldFault]()

    def fault(field: str, says: str) -> None:
        faults.append(FieldFault(f"/{field}", "privacy.request.malformed", says))

    kind = next((one for one in KINDS if one == plea.kind), None)
    if kind is None:
        fault("kind", f"say what is asked: {', '.join(KINDS)}")
    free = kind in ("opt_out", "limit")
    if plea.home not in known and (plea.home or not free):
        fault("home", "choose the state where you live, or elsewhere")
    contacts = []
    for name, text in (("email", told.email), ("phone", told.phone)):
        found = contact_of(kit.pen.vault.keyed_hash, text) if text else None
        if text and (found is None or found.kind != name):
            fault(name, _WRONG[name])
        elif found is not None:
            contacts.append(found)
    if not told.email and not told.phone:
        fault("email", "write an e-mail address, a phone number, or both")
    if kind == "correct" and not any(told.changes.values()):
        fault("changes", "say what is wrong and what is right")
    if len(told.changes) > _MOST_CHANGES or any(len(text) > 1_000 for text in told.changes.values()):
        fault("changes", f"at most {_MOST_CHANGES} values of at most 1,000 characters")
    for name, most in _LONGEST.items():
        if len(getattr(told, name)) > most:
            fault(name, f"write at most {most:,} characters")
    for name, text in told.facts.items():
        if name not in FACTS or len(text) > 100:
            fault(name, f"at most 100 characters, of {', '.join(FACTS)}")
    if told.agent and not told.permission:
        fault("permission", "say by which permission you ask for somebody else")
    if plea.at is not None and plea.at.tzinfo is None:
        fault("at", "write a time with its offset, such as 2026-03-04T15:00:00Z")
    if faults or kind is None:
        raise BadInput("privacy.request.malformed", "see errors", faults)
    return kind, tuple(contacts)


_WRONG = {"email": "this is not an e-mail address", "phone": "this is not a phone number; write it with its area code"}

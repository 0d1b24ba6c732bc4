"""Who asks: the person shows it by a letter's link, or somebody of ours sees it another way.

Called by the portal and the desk. Whose request it is, is found by the mailbox that was proven, never by what was
typed beside it; where several people share a mailbox, what they typed has to tell which of them it is.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_rows
from leadmill.flow.store import leads_of_persons, read_leads
from leadmill.identity import read_prospect
from leadmill.identity.store.contacts import owners_of
from leadmill.privacy import (
    LEVELS,
    LINK_HOLDS,
    Level,
    PrivacyRequest,
    Statement,
    agreeing,
    confirm,
    find_request,
    level_of,
    open_told,
)
from leadmill.runtime.db import Tx

_MOST_LEADS = 50


class Candidate(Struct, frozen=True):
    """Somebody whose request it may be: all persons held to be one, and which of the facts told agree with theirs."""

    persons: tuple[str, ...]
    agrees: tuple[str, ...]


async def candidates(tx: Tx, kit: Kit, hashes: Sequence[bytes], told: Statement) -> list[Candidate]:
    """Who has these contact details, the likeliest first."""
    owners = await owners_of(tx, hashes)
    humans = {}
    for person_id in sorted({person for each in owners.values() for person in each}):
        persons = (await read_prospect(tx, person_id)).persons
        humans[persons[0]] = persons
    found = []
    for persons in humans.values():
        rows = list((await read_leads(tx, (await leads_of_persons(tx, persons))[-_MOST_LEADS:])).values())
        opened = await open_rows(tx, kit.pen, [row for row in rows if not row.test])
        facts = {**told.facts, **({"phone": told.phone} if told.phone else {})}
        agrees = agreeing(facts, [lead.fields for lead in opened.values() if lead is not None])
        found.append(Candidate(persons, tuple(agrees)))
    return sorted(found, key=lambda one: -len(one.agrees))


async def confirm_by_link(tx: Tx, kit: Kit, request_id: str, now: datetime) -> PrivacyRequest:
    """The person pressed the button behind a letter's link. Again, nothing changes.

    Raises NotFound ``privacy.request.unknown`` and Conflict ``privacy.link.over`` after two weeks.
    """
    one = await find_request(tx, request_id)
    if one is None:
        raise NotFound("privacy.request.unknown", "there is no such request")
    if one.confirmed_at is not None or one.state != "unconfirmed":
        return one
    if now > one.received_at + LINK_HOLDS:
        raise Conflict("privacy.link.over", "this link has had its time; make the request once more")
    told = open_told(kit.pen.vault, one)
    found = await candidates(tx, kit, [one.email] if one.email else [], told)
    # Of several who share the mailbox, the one whom alone the facts fit.
    fits = found if len(found) == 1 else [each for each in found if each.agrees]
    mine = fits[0] if len(fits) == 1 else None
    level, points = level_of(
        link=True, known=mine is not None, matches=len(mine.agrees) if mine else 0, declared=told.declared
    )
    person_id = mine.persons[0] if mine else None
    moved = await confirm(tx, one.id, level, points, person_id, "the person, by the link", now, kit.pen.vault)
    await kit.pen.append(tx, one.id, [moved.event], now)
    return moved.request


async def confirm_by_hand(
    tx: Tx, kit: Kit, request_id: str, level: str, person_id: str, saw: str, by: str, now: datetime
) -> PrivacyRequest:
    """Somebody of ours made sure of who asks: how sure they are, who it is (the only one with the contact details,
    where ``person_id`` is empty) and what they saw.

    Raises BadInput ``privacy.evidence.missing``, ``privacy.level.unknown``, NotFound ``privacy.request.unknown`` and
    ``identity.person.unknown``.
    """
    one = await find_request(tx, request_id)
    if one is None:
        raise NotFound("privacy.request.unknown", "there is no such request")
    known: Level | None = next((each for each in LEVELS[1:] if each == level), None)
    if known is None:
        raise BadInput("privacy.level.unknown", f"say how sure you are: {', '.join(LEVELS[1:])}")
    if not saw.strip():
        raise BadInput("privacy.evidence.missing", "say what you saw that makes you sure")
    if person_id:
        person_id = (await read_prospect(tx, person_id)).persons[0]
    elif one.person_id is None:
        hashes = [each for each in (one.email, one.phone) if each]
        found = await candidates(tx, kit, hashes, open_told(kit.pen.vault, one))
        person_id = found[0].persons[0] if len(found) == 1 else ""
    points = {"reasonable": 2, "high": 3}[known]
    moved = await confirm(tx, one.id, known, points, person_id or None, by, now, kit.pen.vault, saw.strip()[:4_000])
    await kit.pen.append(tx, one.id, [moved.event], now)
    return moved.request

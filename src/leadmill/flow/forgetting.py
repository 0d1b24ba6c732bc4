"""Forgets a person: their key, by what they are known, what their leads were counted by, and what was asked about them.

Called by whoever carries out a person's wish to be forgotten. What is sealed with their key, backups and journal
included, can be read by nobody from then on. What was decided and paid stays, under ids that lead to nobody; so does
that they opted out, as a keyed hash, because otherwise they would be called again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.capture import Lead
from leadmill.consent.service import forget_replays
from leadmill.core.case import Case
from leadmill.core.faults import Conflict
from leadmill.enrich import ChainAsk, Enrich, EnrichAgain
from leadmill.enrich.service import forget_answers
from leadmill.facts import Dossier
from leadmill.flow.feedback import points_of
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall
from leadmill.flow.model import LeadFilter, PersonForgotten
from leadmill.flow.store import leads_of_persons, list_leads, lock_leads
from leadmill.fraud import Suspect
from leadmill.fraud.service import forget_marks
from leadmill.hygiene.service import forget_points
from leadmill.identity import Identity, read_prospect
from leadmill.identity.service import forget_person
from leadmill.identity.store.contacts import contacts_held, owners_of
from leadmill.identity.store.holding import hold_all
from leadmill.privacy import holds_on
from leadmill.runtime.db import Tx

_PAGE = 500


class Forgotten(Struct, frozen=True):
    """What was let go of: the persons held to be one, their leads, marks that they were counted by, and answers of
    providers."""

    persons: tuple[str, ...]
    leads: tuple[str, ...]
    marks: int
    answers: int


async def forget(tx: Tx, kit: Kit, person_id: str, by: str, now: datetime) -> Forgotten:
    """Forget a human being, all persons that are held to be one with this one. Forgotten before, nothing happens.

    Raises NotFound ``identity.person.unknown``, Conflict ``privacy.person.held`` where a legal hold stands, and
    Transient ``identity.person.changed`` where they showed something new meanwhile: try again.
    """
    await check_holds(tx, person_id)
    persons = (await read_prospect(tx, person_id)).persons
    ids = [lead_id for each in persons for lead_id in await _leads_of(tx, each)]
    await lock_leads(tx, ids)
    recalled = await recall(tx, kit.pen, ids)
    marks = {mark for each in recalled.values() for mark in _marks(kit, each)}
    asks = {ask for each in recalled.values() for ask in _asked(kit, each)}
    points = marks | {point for each in recalled.values() for point in _points(kit, each)}
    points |= {held.hash for each in persons for held in await contacts_held(tx, each)}
    known = {each.row.person_id for each in recalled.values()} | {*persons}
    await hold_all(tx, persons)
    done = [each for each in persons if await forget_person(tx, kit.pen.keys, each, now)]
    if not done:
        return Forgotten((), (), 0, 0)
    gone = await forget_marks(tx, marks, sorted(known), ids)
    await forget_points(tx, sorted(points - (await owners_of(tx, sorted(points))).keys()))
    answers = await forget_answers(tx, kit.pen.vault, asks)
    await forget_replays(tx, ids)
    for lead_id in ids:
        await kit.pen.append(tx, lead_id, [PersonForgotten(at=now, by=by)], now)
    return Forgotten(tuple(done), tuple(ids), gone, answers)


async def check_holds(tx: Tx, person_id: str) -> None:
    """Raises Conflict ``privacy.person.held`` where a hold stands on the person or one of their leads."""
    persons = (await read_prospect(tx, person_id)).persons
    if await holds_on(tx, [*persons, *await leads_of_persons(tx, persons)]):
        raise Conflict("privacy.person.held", "a legal hold stands on this person: lift it, or refuse the request")


async def _leads_of(tx: Tx, person_id: str) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        rows, cursor = await list_leads(tx, LeadFilter(person_id=person_id), cursor, _PAGE)
        found += [row.id for row in rows]
        if cursor is None:
            return sorted(found)


def _marks(kit: Kit, recalled: Recalled) -> Sequence[bytes]:
    """What a lead was counted by, before anybody put anything right about it and after."""
    suspect = next(step for step in kit.walk().together if isinstance(step, Suspect))
    found = []
    for case in (_case(recalled, suspect.name), _case(recalled, None)):
        if case is not None and Identity in case and Dossier in case:
            ask = suspect.ask_of(case)
            found += [mark.hash for mark in ask.marks if mark.kind != "source"] if ask is not None else []
    return found


def _points(kit: Kit, recalled: Recalled) -> Iterable[bytes]:
    """The contact points of a lead, whether or not it came as far as an identity."""
    cases = (_case(recalled, step) for step in (Suspect.name, None))
    return [point for case in cases if case is not None for point in points_of(kit, case).values()]


def _asked(kit: Kit, recalled: Recalled) -> Sequence[ChainAsk]:
    """What providers were asked about a lead, as far as it would be asked now: answers to other questions go when they
    expire."""
    found: list[ChainAsk] = []
    for step in (*kit.walk().alone, *kit.walk().aside):
        if isinstance(step, Enrich | EnrichAgain):
            for case in (_case(recalled, step.name), _case(recalled, None)):
                if case is not None and Dossier in case:
                    found += [ask for ask in step.wants(case) if isinstance(ask, ChainAsk)]
    return found


def _case(recalled: Recalled, step: str | None) -> Case | None:
    if recalled.submission is None or recalled.lead is None:
        return None
    case = recalled.case_before(step)
    return case if Lead in case else None

"""Re-decides recorded leads: under the rules of their time, or under another order book.

Called by ``leadmill replay``. Under the rules of its time a lead must come out as it did, bit for bit: every step
hears again what it heard then and must say again what it said. Under another order book everything up to the market
is decided the same way, and the market sells into caps and balances that fill up as the replayed leads come by.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct, field

from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.reasons import State
from leadmill.core.step import Step
from leadmill.core.verdicts import Pass, Verdict
from leadmill.flow.book import Book
from leadmill.flow.keep import Pen
from leadmill.flow.memory import Chapter, Recalled, Station, recall
from leadmill.flow.model import FAILED, LeadReceived, LeadResumed, LeadSettled, StepTaken
from leadmill.flow.pipeline import Walk
from leadmill.flow.rules import Rules
from leadmill.flow.store import lead_ids_between
from leadmill.flow.walker import Walker, state_of
from leadmill.market import Allocate, Assignment, Declined, Headroom, Redeem, Sale, SimulatedBook
from leadmill.runtime.db import Database, Tx

_PAGE = 200


class Difference(Struct, frozen=True):
    """A step that says something else than it said; ``was`` and ``now`` are verdicts with their code."""

    lead_id: str
    step: str
    was: str
    now: str


class Change(Struct, frozen=True):
    """A lead that another order book would have treated otherwise. Prices are minor units of ``currency``."""

    lead_id: str
    was: str
    now: str
    was_recipient: str | None
    now_recipient: str | None
    was_price: int
    now_price: int


class Money(Struct):
    """What leads brought, in minor units, then and under the other order book."""

    was: int = 0
    now: int = 0
    leads_was: int = 0
    leads_now: int = 0


class Replayed(Struct):
    """What a replay found. ``skipped`` counts leads whose person was forgotten or whose packs are gone."""

    leads: int = 0
    steps: int = 0
    skipped: int = 0
    differences: list[Difference] = []
    changes: list[Change] = []
    by_recipient: dict[str, Money] = {}
    total: Money = field(default_factory=Money)


async def replay(
    db: Database, pen: Pen, book: Book, since: datetime | None = None, until: datetime | None = None
) -> Replayed:
    """Re-decide every lead received in a span under the rules of its time."""
    found = Replayed()
    async for tx, recalled in _leads(db, pen, since, until):
        found.leads += 1
        if recalled.submission is None:
            found.skipped += 1
            continue
        for number, chapter in enumerate(recalled.chapters):
            if chapter.stations:
                await _redecide(tx, book, recalled, number, chapter, found)
    return found


async def _redecide(tx: Tx, book: Book, recalled: Recalled, number: int, chapter: Chapter, found: Replayed) -> None:
    opening = next((e for e in chapter.events if isinstance(e, LeadReceived | LeadResumed)), None)
    if opening is None or recalled.submission is None:
        raise Permanent("flow.page.headless", "a page with steps says how the walk began")
    walk = await book.at(tx, opening.revision, opening.mail)
    if opening.packs != walk.rules.packs:
        found.skipped += 1
        return
    steps = {step.name: step for step in (*walk.alone, *walk.together, *walk.after)}
    case = Case(recalled.row.id, [recalled.submission])
    if isinstance(opening, LeadResumed):
        earlier = msgspec.structs.replace(recalled, chapters=recalled.chapters[:number])
        case = earlier.case_before(opening.step)
        case.learn([Declined(buyers=tuple(opening.excluded))])
    for station in chapter.stations:
        found.steps += 1
        if station.event.because is not None and station.event.because.code == FAILED.code:
            # It broke; there is no verdict to compare with.
            continue
        verdict, said = _again(steps[station.event.step], case, station)
        if said is not None:
            found.differences.append(Difference(recalled.row.id, station.event.step, _words(station.event), said))
        case.learn(verdict.learned if verdict is not None else station.learned)


def _again(step: Step, case: Case, station: Station) -> tuple[Verdict | None, str | None]:
    """Judge again on what was heard; the words of the new verdict where it differs in anything."""
    asks = step.wants(case)
    if len(asks) != len(station.heard):
        return None, f"asks {len(asks)} questions, {len(station.heard)} were answered"
    walker = Walker(case)
    heard = Heard(dict(zip(asks, station.heard, strict=True))) if asks else NOTHING
    verdict = walker.take(step, asks, heard, station.event.at, lambda: 0)
    event = walker.events[-1]
    sealed = walker.hearings[-1].learned if walker.hearings else []
    same = isinstance(event, StepTaken) and _bytes(event) == _bytes(station.event) and sealed == station.sealed
    return verdict, None if same else _words(event if isinstance(event, StepTaken) else station.event)


def _bytes(event: StepTaken) -> bytes:
    return msgspec.msgpack.encode(msgspec.structs.replace(event, micros=0))


def _words(event: StepTaken) -> str:
    return event.verdict + (f" ({event.because.code})" if event.because else "")


async def replay_with(
    db: Database,
    pen: Pen,
    book: Book,
    other: Callable[[Rules], Rules],
    since: datetime | None = None,
    until: datetime | None = None,
) -> Replayed:
    """Re-decide every fresh lead of a span with another order book; ``other`` makes the changed rules out of those in
    force then. What happened after the first walk, a buyer's refusal say, is not replayed on either side."""
    found = Replayed()
    walks: dict[int, Walk] = {}
    simulated: SimulatedBook | None = None
    async for tx, recalled in _leads(db, pen, since, until):
        found.leads += 1
        opening = recalled.chapters[0].events[0] if recalled.chapters else None
        if recalled.submission is None or not isinstance(opening, LeadReceived):
            found.skipped += 1
            continue
        if opening.revision not in walks:
            rules = (await book.at(tx, opening.revision, opening.mail)).rules
            walks[opening.revision] = book.with_rules(other(rules))
        walk = walks[opening.revision]
        if simulated is None:
            simulated = SimulatedBook(walk.rules.orders, walk.rules.roster)
        _compare(recalled, walk, simulated, found)
    return found


def _compare(recalled: Recalled, walk: Walk, simulated: SimulatedBook, found: Replayed) -> None:
    first = recalled.chapters[0]
    case = Case(recalled.row.id, [recalled.submission] if recalled.submission else [])
    recorded = {station.event.step: station for station in first.stations}
    verdict: Verdict = Pass()
    for step in (*walk.alone, *walk.together):
        if not isinstance(verdict, Pass):
            break
        station = recorded.get(step.name)
        now = station.event.at if station else first.at
        asks = step.wants(case)
        if isinstance(step, Allocate):
            heard = Heard({ask: simulated.answer(ask, now) for ask in asks if isinstance(ask, Headroom)})
        elif not asks and isinstance(step, Redeem):
            heard = NOTHING  # it leaves no trace on leads that follow no ping
        elif station is not None and len(station.heard) == len(asks):
            heard = Heard(dict(zip(asks, station.heard, strict=True)))
        else:
            # A step that was never reached then has heard nothing: the lead stays as it was.
            found.skipped += 1
            return
        verdict = step.judge(case, heard, now)
        case.learn(verdict.learned)
    sale = case.get(Sale)
    if sale is not None:
        simulated.sold(sale, first.at)
    assigned = case.get(Assignment)
    if assigned is not None:
        simulated.assigned(assigned, first.at)
    _note(recalled, first, case, verdict, found)


def _note(recalled: Recalled, first: Chapter, case: Case, verdict: Verdict, found: Replayed) -> None:
    was = next(event for event in first.events if isinstance(event, LeadSettled))
    sale, assigned = case.get(Sale), case.get(Assignment)
    state = state_of(case, verdict)
    recipient = " ".join(leg.buyer_id for leg in sale.legs) if sale and state is State.SOLD else None
    if assigned and state is State.ASSIGNED:
        recipient = f"{assigned.team}/{assigned.rep}"
    price = sale.value.amount if sale and state is State.SOLD else 0
    _count(found, was.recipient, was.price or 0, recipient, price)
    if (was.state, was.recipient, was.price or 0) != (state, recipient, price):
        found.changes.append(
            Change(recalled.row.id, was.state.value, state.value, was.recipient, recipient, was.price or 0, price)
        )


def _count(found: Replayed, was: str | None, was_price: int, now: str | None, now_price: int) -> None:
    for who, price, then in ((was, was_price, True), (now, now_price, False)):
        if who is None:
            continue
        for money in (found.total, found.by_recipient.setdefault(who, Money())):
            if then:
                money.was += price
                money.leads_was += 1
            else:
                money.now += price
                money.leads_now += 1


async def _leads(
    db: Database, pen: Pen, since: datetime | None, until: datetime | None
) -> AsyncIterator[tuple[Tx, Recalled]]:
    after = ""
    while True:
        async with db.begin() as tx:
            ids = await lead_ids_between(tx, since, until, after, _PAGE)
            recalled: Mapping[str, Recalled] = await recall(tx, pen, ids)
            for lead_id in ids:
                yield tx, recalled[lead_id]
        if len(ids) < _PAGE:
            return
        after = ids[-1]

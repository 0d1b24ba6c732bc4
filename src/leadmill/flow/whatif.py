"""What another order book, or another way to rate, would have made of recorded leads.

Called by ``leadmill replay --with`` and by the job behind the console's “What if”. Everything is decided on what was
heard then; a lead that comes farther than it did is asked about today. The market sells into caps and balances that
fill up as the replayed leads come by. Orders whose price is a bid are priced by the bid that was heard for that very
lead; where it was never heard, by what the buyer bid on others, and the result says how far off that may be. What
happened after a lead's first walk, a buyer's refusal say, is replayed on neither side.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import sqrt

from msgspec import Struct, field
from msgspec.structs import replace

from leadmill.core.case import NOTHING, Answer, Ask, Case, Heard
from leadmill.core.reasons import State
from leadmill.core.verdicts import Pass, Verdict
from leadmill.enrich import Enrich
from leadmill.flow.book import Book
from leadmill.flow.habits import Habits, heard_bids
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Ears
from leadmill.flow.memory import Chapter, Recalled, Station, recalled_between
from leadmill.flow.model import LeadReceived, LeadSettled
from leadmill.flow.pipeline import Walk
from leadmill.flow.replay import step_of_then
from leadmill.flow.rerating import Rerated, hear_today, score_of
from leadmill.flow.rules import Rules
from leadmill.flow.walker import state_of
from leadmill.fraud import Suspect
from leadmill.hygiene import Remember
from leadmill.market import (
    Allocate,
    Assignment,
    BidHeard,
    Bids,
    BidsAsk,
    Headroom,
    NoBid,
    Room,
    Sale,
    SimulatedBook,
)
from leadmill.runtime.db import Database
from leadmill.scoring import Score

_NORMAL = 1.96
"""Standard deviations within which 95 of 100 normal values lie."""

_TOLD = 500
"""Leads between two words about progress."""

MOST_CHANGES = 500
"""Leads named one by one; the rest is counted."""


class Change(Struct, frozen=True):
    """A lead that another order book would have treated otherwise. Prices are minor units of its currency;
    ``guessed`` says that a winning bid was never heard for it."""

    lead_id: str
    was: str
    now: str
    was_recipient: str | None
    now_recipient: str | None
    was_price: int
    now_price: int
    guessed: bool = False


class Sums(Struct):
    """What leads brought, in minor units, then and under the other order book. ``error`` is half the width of the
    interval that holds what they would have brought with 95 in 100; 0 where nothing was guessed."""

    was: int = 0
    now: int = 0
    leads_was: int = 0
    leads_now: int = 0
    error: int = 0


class WhatIf(Struct):
    """What another order book would have changed. ``skipped`` counts leads that cannot be decided anew: the person was
    forgotten, or a step is reached that had heard nothing. ``guessed`` counts sales at bids that were never heard;
    ``changed`` all leads that would go elsewhere, of which ``changes`` names the first; ``scores`` is how they would
    be rated."""

    leads: int = 0
    skipped: int = 0
    guessed: int = 0
    changed: int = 0
    changes: list[Change] = []
    by_recipient: dict[str, Sums] = {}
    by_source: dict[str, Sums] = {}
    total: Sums = field(default_factory=Sums)
    scores: Rerated = field(default_factory=Rerated)


async def replay_with(
    db: Database,
    pen: Pen,
    book: Book,
    other: Callable[[Rules], Rules],
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Callable[[int], Awaitable[None]] | None = None,
    ears: Ears | None = None,
) -> WhatIf:
    """Re-decide every fresh lead of a span with another order book; ``other`` makes the changed rules out of those in
    force then, ``progress`` hears how many leads were decided. Leads that come farther than they did are asked about
    at ``ears``, and skipped where there are none."""
    habits = Habits()
    async for _, recalled in recalled_between(db, pen, since, until):
        habits.learn(recalled)
    found = _Finding(habits)
    walks: dict[tuple[int, bool | None], Walk] = {}
    async for tx, recalled in recalled_between(db, pen, since, until):
        found.result.leads += 1
        if progress is not None and found.result.leads % _TOLD == 0:
            await progress(found.result.leads)
        opening = recalled.chapters[0].events[0] if recalled.chapters else None
        if recalled.submission is None or recalled.emptied or not isinstance(opening, LeadReceived):
            found.result.skipped += 1
            continue
        key = (opening.revision, opening.mail)
        if key not in walks:
            rules = (await book.at(tx, opening.revision, opening.mail)).rules
            walks[key] = book.with_rules(other(rules))
        today: dict[Ask, Answer] = {}
        while unheard := found.decide(recalled, walks[key], today):
            answers = await hear_today(tx, ears, unheard) if ears is not None else {}
            found.result.scores.farther += not today and bool(answers)
            found.gives_up = not answers
            today |= answers
    found.add_errors()
    return found.result


class _Finding:
    """One run under way: the simulated limits, the sums, and which of the sales stand on a guess."""

    def __init__(self, habits: Habits) -> None:
        self.result = WhatIf()
        self._habits = habits
        self._limits: SimulatedBook | None = None
        self.gives_up = False
        """Whether a lead is passed over where it asks what nobody answers."""
        self._unheard: Sequence[Ask] = ()
        self._guesses: dict[tuple[str, str, str], int] = {}
        """Sales at guessed bids, by order, buyer and source."""

    def decide(self, recalled: Recalled, walk: Walk, today: Mapping[Ask, Answer]) -> Sequence[Ask]:
        """Decide one lead anew and note what changes; or what it must hear for that beyond what was heard then and
        ``today``."""
        if self._limits is None:
            self._limits = SimulatedBook(walk.rules.orders, walk.rules.roster)
        first = _first_walk(recalled.chapters)
        was = next((event for event in first[-1].events if isinstance(event, LeadSettled)), None)
        case = Case(recalled.row.id, [recalled.submission] if recalled.submission else [])
        guessed: set[str] = set()
        verdict = self._walk(recalled, walk, first, case, guessed, today)
        if verdict is None and self._unheard and not self.gives_up:
            return self._unheard
        self.gives_up = False
        self.result.scores.note(score_of(first), case.get(Score))
        if verdict is None or was is None:
            self.result.skipped += 1
            return ()
        at = first[-1].at
        sale, assigned = case.get(Sale), case.get(Assignment)
        if sale is not None:
            self._limits.sold(sale, at)
            for leg in sale.legs:
                if leg.order_id in guessed:
                    key = (leg.order_id, leg.buyer_id, recalled.row.source_id)
                    self._guesses[key] = self._guesses.get(key, 0) + 1
                    self.result.guessed += 1
        if assigned is not None:
            self._limits.assigned(assigned, at)
        on_guess = sale is not None and any(leg.order_id in guessed for leg in sale.legs)
        self._note(recalled, was, case, verdict, on_guess)
        return ()

    def _walk(
        self,
        recalled: Recalled,
        walk: Walk,
        first: Sequence[Chapter],
        case: Case,
        guessed: set[str],
        today: Mapping[Ask, Answer],
    ) -> Verdict | None:
        self._unheard = ()
        recorded = {station.event.step: station for chapter in first for station in chapter.stations}
        bids = heard_bids(recalled)
        verdict: Verdict = Pass()
        for step in (*walk.alone, *walk.together):
            if not isinstance(verdict, Pass):
                break
            station = recorded.get(step.name)
            if isinstance(step, Enrich | Suspect | Remember) and station is None:
                # Nobody was asked then, or nothing had come back from the lead's points, or the page is of the time
                # when ``facts`` heard the providers, or before anybody was suspected.
                continue
            if station is not None:
                step = step_of_then(step, station)
            now = station.event.at if station else first[-1].at
            asks = step.wants(case)
            heard = self._hear(walk, asks, station, bids, now, guessed, today, simulated=isinstance(step, Allocate))
            if heard is None:
                self._unheard = [ask for ask in asks if ask not in today]
                return None
            verdict = step.judge(case, heard, now)
            case.learn(verdict.learned)
        return verdict

    def _hear(
        self,
        walk: Walk,
        asks: Sequence[Ask],
        station: Station | None,
        bids: dict[str, BidHeard | NoBid],
        now: datetime,
        guessed: set[str],
        today: Mapping[Ask, Answer],
        simulated: bool,
    ) -> Heard | None:
        """What a step hears: bids as they were or as they may have been, limits as they would stand, all else as it
        was; None where it asks what nobody answered then."""
        if not asks:
            return NOTHING
        answers: dict[Ask, Answer] = {}
        for number, ask in enumerate(asks):
            if isinstance(ask, BidsAsk):
                items = [
                    bids.get(order_id) or self._habits.guess(walk.rules.orders[order_id], now)
                    for order_id in ask.orders
                ]
                guessed.update(item.order_id for item in items if item.order_id not in bids)
                answers[ask] = Bids(asked=True, items=tuple(items))
            elif isinstance(ask, Headroom) and self._limits is not None:
                answers[ask] = as_weighed(self._limits.answer(ask, now), station.heard if station is not None else ())
            elif station is not None and len(station.heard) == len(asks):
                answers[ask] = station.heard[number]
            elif ask in today:
                answers[ask] = today[ask]
            elif not simulated:
                return None
        return Heard(answers)

    def _note(self, recalled: Recalled, was: LeadSettled, case: Case, verdict: Verdict, guessed: bool) -> None:
        sale, assigned = case.get(Sale), case.get(Assignment)
        state = state_of(case, verdict)
        legs: dict[str, int] = {}
        recipient = None
        if sale is not None and state is State.SOLD:
            legs = {leg.buyer_id: leg.price.amount for leg in sale.legs}
            recipient = " ".join(legs)
        elif assigned is not None and state is State.ASSIGNED:
            recipient = f"{assigned.team}/{assigned.rep}"
            legs = {recipient: 0}
        price = sum(legs.values())
        self._count(recalled, was, legs)
        if (was.state, _whose(was.recipient), was.price or 0) == (state, _whose(recipient), price):
            return
        self.result.changed += 1
        if len(self.result.changes) < MOST_CHANGES:
            self.result.changes.append(
                Change(
                    recalled.row.id,
                    was.state.value,
                    state.value,
                    was.recipient,
                    recipient,
                    was.price or 0,
                    price,
                    guessed,
                )
            )

    def _count(self, recalled: Recalled, was: LeadSettled, legs: dict[str, int]) -> None:
        found, source = self.result, recalled.row.source_id
        before = _legs_before(recalled, was)
        for recipient, price in before.items():
            for sums in _sums(found, recipient, source):
                sums.was += price
        for recipient, price in legs.items():
            for sums in _sums(found, recipient, source):
                sums.now += price
        for recipient in before:
            found.by_recipient[recipient].leads_was += 1
        for recipient in legs:
            found.by_recipient[recipient].leads_now += 1
        for sums in (found.total, found.by_source.setdefault(source, Sums())):
            sums.leads_was += bool(before)
            sums.leads_now += bool(legs)

    def add_errors(self) -> None:
        """Say of every sum how far off the guesses may be. Orders are taken as independent of one another."""
        found = self.result
        of_total: dict[tuple[str, str], int] = {}
        for (order_id, buyer_id, source), times in self._guesses.items():
            of_total[order_id, buyer_id] = of_total.get((order_id, buyer_id), 0) + times
            sums = found.by_source[source]
            sums.error = _wider(sums.error, self._habits.of(order_id, buyer_id).spread(times))
        for (order_id, buyer_id), times in of_total.items():
            spread = self._habits.of(order_id, buyer_id).spread(times)
            for sums in (found.total, found.by_recipient[buyer_id]):
                sums.error = _wider(sums.error, spread)


def as_weighed(room: Answer, heard: Sequence[Answer]) -> Answer:
    """Room as it would be, with the prices and chances that the auction heard then: it is weighed as it was."""
    worths = next((one.worths for one in heard if isinstance(one, Room)), None)
    return replace(room, worths=worths) if isinstance(room, Room) and worths is not None else room


def _wider(error: int, variance: float) -> int:
    return round(sqrt(error**2 + _NORMAL**2 * variance))


def _whose(recipient: str | None) -> str | None:
    """Who got a lead; whose turn it is within a team is no change."""
    return recipient.partition("/")[0] if recipient is not None else None


def _sums(found: WhatIf, recipient: str, source: str) -> tuple[Sums, Sums, Sums]:
    return (
        found.total,
        found.by_recipient.setdefault(recipient, Sums()),
        found.by_source.setdefault(source, Sums()),
    )


def _first_walk(chapters: Sequence[Chapter]) -> Sequence[Chapter]:
    """The chapters of a lead's first walk: the first, and the one after bids came in."""
    for number, chapter in enumerate(chapters, 1):
        settled = [event for event in chapter.events if isinstance(event, LeadSettled)]
        if settled and settled[-1].state is not State.BIDDING:
            return chapters[:number]
    return chapters[:1]


def _legs_before(recalled: Recalled, was: LeadSettled) -> dict[str, int]:
    """Who got the lead then, and at what price each."""
    if was.state not in (State.SOLD, State.ASSIGNED) or was.recipient is None:
        return {}
    sales: Iterable[Sale] = (
        item
        for chapter in _first_walk(recalled.chapters)
        for station in chapter.stations
        for item in station.learned
        if isinstance(item, Sale)
    )
    sale = next(iter(sales), None)
    if sale is None:
        return {was.recipient: was.price or 0}
    return {leg.buyer_id: leg.price.amount for leg in sale.legs}

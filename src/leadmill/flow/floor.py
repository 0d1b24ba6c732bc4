"""The floor: where leads wait for bids, and walk on with them.

Fed by the mill with leads that are durable in the state ``bidding``. Buyers are asked outside of any transaction and
lane; leads whose bids are in walk on in groups of their own, from the station ``bidding``, and those sold to buyers
who take leads while the source waits are handed over. A lead whose process died here is taken up by the worker.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

import msgspec

from leadmill.capture import Lead, Submission
from leadmill.core.case import Ask, Case, Evidence
from leadmill.core.faults import Transient
from leadmill.core.reasons import State
from leadmill.flow.again import walk_again
from leadmill.flow.auction import Auctioneer
from leadmill.flow.inline import Hand
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadResumed, Settled
from leadmill.flow.pipeline import Walk
from leadmill.flow.runner import RulesMoved, walk_together
from leadmill.flow.store import Claim, keep_answers, lock_leads
from leadmill.flow.suppressed import standing_of
from leadmill.flow.walker import Walker
from leadmill.flow.watching import report_broken
from leadmill.market import Bids, BidsAsk, Declined, MaskedIp, NoBid, Order, Solicit, Tender, offer_of
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.telemetry import GROUP_LEADS, LEADS, log
from leadmill.scoring import seen

RESUME = "lead.bid"
"""The kind of job that takes up a lead left waiting for bids; its subject is the lead."""

_WAITS = (0.02, 0.1, 0.4, 1.5)
_FOR_BIDS = 0.6
"""The share of the time left that bids may take where the winner is then tried while the source waits."""

Tell = Callable[[Settled | BaseException], None]

Full = Callable[[Sequence[str]], tuple[NoBid, ...]]
"""Those of some orders that are known to have no room, each as one that was not asked."""


class BidTable:
    """The bids that are in, by lead, for the moment in which the lead walks on. Wired by ``main`` as the listener for
    :class:`BidsAsk`; ``within_ms`` is what asking may take, ``full`` knows the orders that need not be asked."""

    def __init__(self, within_ms: int = 1_500, full: Full = lambda _: ()) -> None:
        self.within_ms = within_ms
        self.full = full
        self._bids: dict[str, Bids] = {}

    def put(self, lead_id: str, bids: Bids) -> None:
        """Lay bids down."""
        self._bids[lead_id] = bids

    def clear(self, lead_id: str) -> None:
        """Take them away."""
        self._bids.pop(lead_id, None)

    async def hear(self, tx: Tx, asks: Sequence[BidsAsk]) -> Callable[[Ask], Bids]:
        """Answer with what is in; otherwise that nobody was asked."""
        nobody = Bids(asked=False, within_ms=self.within_ms)

        def answer(ask: Ask) -> Bids:
            if not isinstance(ask, BidsAsk):
                return nobody
            found = self._bids.get(ask.lead_id)
            if found is not None:
                return found
            full = self.full(ask.orders)
            return msgspec.structs.replace(nobody, full=full) if full else nobody

        return answer


class Entry:
    """A lead on the floor: its evidence before it was asked about, whom to tell, and until when."""

    __slots__ = ("before", "bids", "claim", "ends", "import_id", "lead_id", "source_id", "tells")

    def __init__(self, walker: Walker, claim: Claim | None, ends: float, tell: Tell) -> None:
        case = walker.case
        self.lead_id = case.lead_id
        self.import_id = walker.import_id
        self.source_id = case[Submission].source_id
        self.before: list[Evidence] = [item for item in case.evidence() if not isinstance(item, Tender)]
        self.claim = claim
        self.ends = ends
        self.tells = [tell]
        self.bids = Bids(asked=True)

    def tell(self, answer: Settled | BaseException) -> None:
        """Tell everybody who waits."""
        for tell in self.tells:
            tell(answer)


class Floor:
    """Where bids are waited for. ``hand`` makes inline deliveries; ``ip`` is what offers show of an address; ``group``
    is the most leads that walk on in one transaction."""

    def __init__(
        self,
        kit: Kit,
        auctioneer: Auctioneer,
        table: BidTable,
        ip: MaskedIp = "masked",
        group: int = 64,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kit = kit
        self._auctioneer = auctioneer
        self.table = table
        self._ip = ip
        self._group = group
        self._monotonic = monotonic
        self.hand: Hand | None = None
        self._queue: deque[Entry] = deque()
        self._here: dict[str, Entry] = {}
        self._laned = False
        self._running: set[asyncio.Task[None]] = set()

    def enter(self, walker: Walker, claim: Claim | None, began: float, tell: Tell) -> None:
        """Take a lead in that came at ``began`` (of the monotonic clock); ``tell`` hears how it ended."""
        entry = Entry(walker, claim, began + self.table.within_ms / 1000, tell)
        self._here[entry.lead_id] = entry
        self.later(self._ask(entry, walker.case))

    def deliver(self, walker: Walker, settled: Settled, claim: Claim | None, began: float, tell: Tell) -> None:
        """Hand over a lead that was sold without bids to somebody who takes it while the source waits."""
        if self.hand is None:
            tell(settled)
            return
        entry = Entry(walker, claim, began + self.table.within_ms / 1000, tell)
        self._here[entry.lead_id] = entry
        self.later(self._hand_over(entry, settled, self.hand))

    def join(self, lead_id: str, tell: Tell) -> bool:
        """Wait with whoever waits for this lead; False where it is not here."""
        entry = self._here.get(lead_id)
        if entry is not None:
            entry.tells.append(tell)
        return entry is not None

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done without waiting for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._running:
            await asyncio.wait(self._running)
        await self._auctioneer.close()

    def resume(self) -> Handler:
        """The handler of :data:`RESUME` jobs: asks for a lead's bids anew and walks it on."""

        async def handle(job: Job) -> None:
            lead_id = job.subject or ""
            async with self._kit.db.begin() as tx:
                recalled = await recall_one(tx, self._kit.pen, lead_id)
            if recalled.row.state is not State.BIDDING or recalled.submission is None:
                return
            walk = self._kit.walk()
            case = recalled.case_before(Solicit.name)
            news = (event for chapter in recalled.chapters for event in chapter.events)
            resumed = [event for event in news if isinstance(event, LeadResumed)]
            if resumed:
                case.learn([Declined(buyers=tuple(resumed[-1].excluded))])
            bids = await self._bids(case, walk, self.table.within_ms)
            self.table.put(lead_id, bids)
            try:
                async with self._kit.db.begin() as tx:
                    row = await self._kit.pen.lock(tx, lead_id)
                    if row.state is not State.BIDDING:
                        return
                    now = self._kit.clock()
                    why = "its buyers were asked again"
                    settled = await walk_again(tx, self._kit, lead_id, "auction", why, now, start=Solicit.name)
            finally:
                self.table.clear(lead_id)
            if self.hand is not None:
                await self.hand(settled, self._monotonic() + self.table.within_ms / 1000)

        return handle

    async def _ask(self, entry: Entry, case: Case) -> None:
        try:
            left = int((entry.ends - self._monotonic()) * 1000)
            entry.bids = await self._bids(case, self._kit.walk(), left)
        except Exception as fault:  # without bids the lead goes to whoever needs none
            log("flow").error("an auction broke", lead=entry.lead_id, fault=type(fault).__name__)
        self._queue.append(entry)
        if not self._laned:
            self._laned = True
            self.later(self._lane())

    async def _bids(self, case: Case, walk: Walk, left_ms: int) -> Bids:
        """Ask those whom the station would ask."""
        orders, full = self._orders(case, walk)
        if not orders:
            return Bids(asked=True).beside(full)
        if any(order.post == "inline" for order in orders):
            left_ms = int(left_ms * _FOR_BIDS)
        lead = case[Lead]
        offer = offer_of(lead, walk.rules.verticals.get(lead.vertical), seen(case).values, self._ip)
        if offer.guarded:
            async with self._kit.db.begin() as tx:
                limited = (await standing_of(tx, self._kit.pen.vault.keyed_hash, lead)).limited
            offer = msgspec.structs.replace(offer, guarded={}) if limited else offer
        return (await self._auctioneer.hold_auction(offer, orders, left_ms)).beside(full)

    def _orders(self, case: Case, walk: Walk) -> tuple[list[Order], Sequence[NoBid]]:
        """Whom to ask, and who is left out because there is no room."""
        tender = case.get(Tender)
        if tender is None:
            station = next(step for step in walk.together if isinstance(step, Solicit))
            wanted = [name for ask in station.wants(case) if isinstance(ask, BidsAsk) for name in ask.orders]
            full = self.table.full(wanted)
            gone = {item.order_id for item in full}
            names = [name for name in wanted if name not in gone]
        else:
            names, full = list(tender.orders), tender.full
        return [order for name in names if (order := walk.rules.orders.get(name)) is not None], full

    async def _lane(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever is ready in this turn of the loop comes along
            while self._queue:
                group = [self._queue.popleft() for _ in range(min(self._group, len(self._queue)))]
                await self._commit(group)
        finally:
            self._laned = False

    async def _commit(self, group: Sequence[Entry]) -> None:
        """Walk a group to its end, trying again what is worth it; a group that breaks is walked lead by lead."""
        fault: BaseException | None = None
        for wait in (*_WAITS, None):
            try:
                answers = await self._together(group)
            except RulesMoved as moved:
                fault = moved
                await self._kit.refresh()
            except Transient as transient:
                fault = transient
                if wait is None:
                    break
                await asyncio.sleep(wait)
            except Exception as broken:
                fault = broken
                break
            else:
                GROUP_LEADS.observe(len(group))
                for entry in group:
                    self._leave(entry, answers.get(entry.lead_id))
                return
        if len(group) > 1 and not isinstance(fault, Transient):
            for entry in group:
                await self._commit([entry])
        elif isinstance(fault, Transient) or fault is None:
            for entry in group:  # it is durable, and the worker takes it up
                self._leave(entry, None)
        else:
            try:
                answers = await self._together(group, fault)
            except Exception as again:
                log("flow").error("a lead waits on the floor", lead=group[0].lead_id, fault=type(again).__name__)
                answers = {}
            self._leave(group[0], answers.get(group[0].lead_id))

    def _leave(self, entry: Entry, settled: Settled | None) -> None:
        if settled is None:
            settled = Settled(entry.lead_id, State.BIDDING)
        else:
            LEADS.labels(settled.state.value, entry.source_id).inc()
        if settled.state is State.SOLD and self.hand is not None:
            self.later(self._hand_over(entry, settled, self.hand))
            return
        self._here.pop(entry.lead_id, None)
        entry.tell(settled)

    async def _hand_over(self, entry: Entry, settled: Settled, hand: Hand) -> None:
        try:
            settled = await hand(settled, entry.ends)
            if entry.claim is not None:
                async with self._kit.db.begin() as tx:
                    await keep_answers(tx, [(entry.claim, _encode(settled))])
        except Exception as fault:  # the sale stands; the worker goes on with it
            log("flow").error("an inline delivery broke", lead=entry.lead_id, fault=type(fault).__name__)
        self._here.pop(entry.lead_id, None)
        entry.tell(settled)

    async def _together(self, group: Sequence[Entry], broken: BaseException | None = None) -> dict[str, Settled]:
        """Walk a group on in one transaction; the answers of those that were still waiting."""
        kit, walk = self._kit, self._kit.walk()
        now = kit.clock()
        try:
            async with kit.db.begin() as tx:
                rows = await lock_leads(tx, sorted(entry.lead_id for entry in group))
                going: list[tuple[Entry, Walker]] = []
                for entry in group:
                    row = rows.get(entry.lead_id)
                    if row is not None and row.state is State.BIDDING and kit.pen.keys.has(row.person_id):
                        self.table.put(entry.lead_id, entry.bids)
                        going.append((entry, self._walker(entry, walk, now)))
                if not going:
                    return {}
                walkers = [walker for _, walker in going]
                if broken is not None:
                    report_broken(walkers[0], broken)
                    walkers[0].fail(walkers[0].at or Solicit.name, broken, now)
                await walk_together(tx, walkers, walk, kit.ears, now, Solicit.name)
                pairs = [(rows[entry.lead_id], walker) for entry, walker in going]
                settled = await kit.pen.write_on(tx, pairs, walk.rules, now)
                told = zip(going, settled, strict=True)
                claims = [(entry.claim, _encode(answer)) for (entry, _), answer in told if entry.claim]
                if claims:
                    await keep_answers(tx, claims)
            return {answer.lead_id: answer for answer in settled}
        finally:
            for entry in group:
                self.table.clear(entry.lead_id)

    def _walker(self, entry: Entry, walk: Walk, now: datetime) -> Walker:
        walker = Walker(Case(entry.lead_id, [*entry.before, Declined()]), entry.import_id)
        walker.at = Solicit.name
        walker.events.append(
            LeadResumed(
                at=now,
                step=Solicit.name,
                by="auction",
                why=f"{entry.bids.reached} orders were asked for a bid",
                revision=walk.rules.revision,
                packs=walk.rules.packs,
                mail=walk.rules.mail,
            )
        )
        return walker


_encode = msgspec.msgpack.Encoder().encode

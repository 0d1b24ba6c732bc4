"""The auction: one offer to many buyers at once, under one deadline, and whatever comes back as bids or numbered
reasons.

Held by the runner for a lead and by the verb that answers a ping. It needs no lead in store: it takes an offer and
orders and gives :class:`Bids`. The slowest buyer never sets the time: each is waited for as long as it usually takes,
nobody longer than the auction lasts; who cannot answer in time is not asked. A buyer whose service keeps failing is
paused, which is stored, logged and counted.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Protocol

import msgspec

from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Fault
from leadmill.core.money import minor_digits
from leadmill.core.reasons import Because, because
from leadmill.market import (
    BID_BREAKER_OPEN,
    BID_FAULT,
    BID_LATE,
    BID_LATER_TIER,
    BID_MALFORMED,
    BID_NO_TEST,
    BID_NO_TIME,
    BID_PAUSED,
    BID_REPEATED,
    BID_TIMEOUT,
    BUYERS_FAULT,
    Bidder,
    BidHeard,
    BidRead,
    Bids,
    Manners,
    Mode,
    NoBid,
    Offer,
    Order,
    Pause,
    PingTarget,
)
from leadmill.runtime.clock import Clock
from leadmill.runtime.telemetry import AUCTION_SECONDS, BIDS, PINGS_PAUSED, log

_REFS_KEPT = 2_000
_LEAST_MS = 5
"""Less time than this is none."""
_STALL_MS = 25
"""Timers that fire later than this say that the process is busy."""

Item = BidHeard | NoBid


class Performs(Protocol):
    """Performs a request within its budget; ``runtime.outgoing``."""

    def __call__(self, ask: HttpAsk, kind: str, /) -> Awaitable[HttpReply]:
        """The reply, or a Fault raised."""
        ...


class _Lot:
    """One request to make: orders of one buyer that are asked in the same way share it."""

    __slots__ = ("buyer_id", "orders", "target")

    def __init__(self, buyer_id: str, target: PingTarget) -> None:
        self.buyer_id = buyer_id
        self.target = target
        self.orders: list[Order] = []

    def no(self, why: Because, ms: int = 0) -> list[Item]:
        """No bid from any of its orders."""
        return [NoBid(order.id, self.buyer_id, why, ms) for order in self.orders]


class Auctioneer:
    """Asks for bids, and remembers how each buyer's service behaves.

    ``within_ms`` is what an auction may take where its caller has no time of its own. ``keep`` and ``drop`` store a
    pause and remove it. ``mark`` gives the header by which an offer of this id is known if it comes back, ``note``
    hears what was bid.
    """

    def __init__(
        self,
        perform: Performs,
        bidders: Mapping[str, Bidder],
        clock: Clock,
        *,
        within_ms: int = 1_500,
        keep: Callable[[Pause], Awaitable[None]] | None = None,
        drop: Callable[[str], Awaitable[None]] | None = None,
        mark: Callable[[str], Mapping[str, str]] | None = None,
        note: Callable[[Sequence[Item]], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._perform = perform
        self._bidders = bidders
        self._clock = clock
        self.within_ms = within_ms
        self._keep = keep
        self._drop = drop
        self._mark = mark
        self._hear = note
        self._monotonic = monotonic
        self._manners: dict[str, Manners] = {}
        self._stored: set[str] = set()
        self._refs: dict[str, OrderedDict[str, str]] = {}
        self._lots: dict[tuple[int, ...], tuple[list[Order], list[list[_Lot]]]] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def hold_auction(self, offer: Offer, orders: Sequence[Order], within_ms: int | None = None) -> Bids:
        """Ask these orders for a bid, tier by tier; done when all have answered, when a tier has bid, or when the
        time is up. Never raises for what a buyer does."""
        within = self.within_ms if within_ms is None else within_ms
        began = self._monotonic()
        ends = began + within / 1000
        items: list[Item] = []
        for lots in self._tiers(orders):
            if any(isinstance(item, BidHeard) for item in items):
                items += [item for lot in lots for item in lot.no(because(BID_LATER_TIER))]
            else:
                items += await self._tier(offer, lots, began, ends)
        took = self._monotonic() - began
        AUCTION_SECONDS.observe(took)
        items.sort(key=_by_order)
        if self._hear is not None:
            self._hear(items)
        return Bids(True, within, tuple(items), round(took * 1000))

    def pauses(self) -> list[Pause]:
        """The buyers whose pings are paused, as this process knows it."""
        return [kept.pause for kept in self._manners.values() if kept.pause is not None]

    def learn(self, pauses: Iterable[Pause]) -> None:
        """Take up the pauses that are stored: others' are heeded, and one that was lifted is over here too."""
        stored = {pause.buyer_id: pause for pause in pauses}
        for name, pause in stored.items():
            manners = self._of(name)
            if manners.pause is None or manners.pause.until < pause.until:
                manners.pause = pause
        for name in self._stored - set(stored):
            if name in self._manners:
                self._manners[name].pause = None
        self._stored = set(stored)
        PINGS_PAUSED.set(len(self.pauses()))

    async def close(self) -> None:
        """Wait for what is still being written down."""
        while self._notes:
            await asyncio.wait(self._notes)

    def _tiers(self, orders: Sequence[Order]) -> list[list[_Lot]]:
        """The requests to make, the first tier first; the same orders ask the same for as long as they live."""
        key = tuple(map(id, orders))
        kept = self._lots.get(key)
        if kept is not None:
            return kept[1]
        lots: dict[tuple[str, str], list[_Lot]] = {}
        for order in orders:
            target, buyer = order.ping, order.buyer
            if target is None or buyer is None:
                continue
            known = lots.setdefault((buyer, target.url), [])
            lot = next((one for one in known if one.target == target), None)
            if lot is None:
                lot = _Lot(buyer, target)
                known.append(lot)
            lot.orders.append(order)
        by_tier: dict[int, list[_Lot]] = {}
        for several in lots.values():
            for lot in several:
                by_tier.setdefault(lot.target.tier, []).append(lot)
        if len(self._lots) >= 1_000:
            self._lots.clear()
        # The orders are kept beside the answer, so that their addresses stay their own.
        found = self._lots[key] = (list(orders), [by_tier[tier] for tier in sorted(by_tier)])
        return found[1]

    async def _tier(self, offer: Offer, lots: Sequence[_Lot], began: float, ends: float) -> list[Item]:
        items: list[Item] = []
        asking: dict[asyncio.Task[list[Item]], _Lot] = {}
        left = int((ends - self._monotonic()) * 1000)
        now = self._clock()
        loop = asyncio.get_running_loop()
        for lot in lots:
            budget = self._budget(lot, offer, left, now)
            if isinstance(budget, Because):
                items += lot.no(budget)
                BIDS.labels(budget.code).inc()
            else:
                asking[loop.create_task(self._ask(lot, offer, budget))] = lot
        if not asking:
            return items
        done, late = await asyncio.wait(asking, timeout=max(0.0, ends - self._monotonic()))
        for task in done:
            items += task.result()
        waited = round((self._monotonic() - began) * 1000)
        for task in late:
            task.cancel()
            lot = asking[task]
            items += lot.no(because(BID_LATE, ms=waited), waited)
            self._failed(lot, BID_LATE.code, waited)
        return items

    def _budget(self, lot: _Lot, offer: Offer, left: int, now: datetime) -> int | Because:
        """The time to give a buyer, or why it is not asked."""
        if offer.test and lot.target.test is None:
            return because(BID_NO_TEST)
        manners = self._of(lot.buyer_id)
        budget = manners.budget(left, lot.target.timeout_ms) if left >= _LEAST_MS else None
        if budget is None:
            return because(BID_NO_TIME, usual=manners.usual, left=max(left, 0))
        pause = manners.pause
        if pause is not None and not manners.may_ask(now):
            return because(BID_PAUSED, until=f"{pause.until:%H:%M:%S} UTC", failures=pause.failures, code=pause.code)
        return budget

    async def _ask(self, lot: _Lot, offer: Offer, budget: int) -> list[Item]:
        began = self._monotonic()
        target = lot.target
        code = ""
        told = BidRead()
        bids: list[Item] = []
        try:
            bidder = self._bidders[target.bidder]
            ask = bidder.ask(target, offer, budget)
            if self._mark is not None:
                ask = msgspec.structs.replace(ask, headers={**ask.headers, **self._mark(offer.id)})
            reply = await self._perform(ask, "bidder")
            ms = round((self._monotonic() - began) * 1000)
            told = bidder.read(target, offer, reply)
            if told.no_bid is None:
                now = self._clock()
                bids = [_bid_of(order, lot, told, ms, now) for order in lot.orders]
        except Fault as fault:
            code = fault.code
        except asyncio.CancelledError:
            self._of(lot.buyer_id).abandon()
            raise
        except Exception as broken:  # a stranger's plug-in must not take the auction with it
            code = "market.bidder.failed"
            log("auction").error("a bidder broke", bidder=target.bidder, fault=type(broken).__name__)
        ms = round((self._monotonic() - began) * 1000)
        if code:
            return self._unheard(lot, code, ms, budget)
        if told.no_bid is None and told.ref is not None and self._is_repeated(lot, told.ref, offer.id):
            told = BidRead(no_bid=because(BID_REPEATED, ref=told.ref))
        if told.no_bid is None:
            self._answered(lot, ms)
            BIDS.labels("bid").inc(len(bids))
            return bids
        BIDS.labels(told.no_bid.code).inc()
        if told.no_bid.code in BUYERS_FAULT:
            self._failed(lot, told.no_bid.code)
        else:
            self._answered(lot, ms)
        return lot.no(told.no_bid, ms)

    def _unheard(self, lot: _Lot, code: str, ms: int, budget: int) -> list[Item]:
        """No answer came: what that says of the buyer, and of the bid."""
        if code == "http.breaker.open":
            self._of(lot.buyer_id).abandon()
            why = because(BID_BREAKER_OPEN)
        elif code == "http.time.spent":
            # Where the end came late, it was this process that had no time.
            if ms - budget <= _STALL_MS:
                self._failed(lot, BID_TIMEOUT.code, budget)
            else:
                self._of(lot.buyer_id).abandon()
            why = because(BID_TIMEOUT, ms=budget)
        else:
            self._failed(lot, code)
            why = because(BID_FAULT, code=code)
        BIDS.labels(why.code).inc()
        return lot.no(why, ms)

    def _is_repeated(self, lot: _Lot, ref: str, offer_id: str) -> bool:
        known = self._refs.setdefault(lot.buyer_id, OrderedDict())
        before = known.get(ref)
        if before is not None:
            return before != offer_id
        known[ref] = offer_id
        if len(known) > _REFS_KEPT:
            known.popitem(last=False)
        return False

    def _of(self, buyer_id: str) -> Manners:
        found = self._manners.get(buyer_id)
        if found is None:
            found = self._manners[buyer_id] = Manners(buyer_id)
        return found

    def _answered(self, lot: _Lot, ms: int) -> None:
        if self._of(lot.buyer_id).answered(ms):
            log("auction").info("pings resumed", buyer=lot.buyer_id)
            PINGS_PAUSED.set(len(self.pauses()))
            if self._drop is not None:
                self._note(self._drop(lot.buyer_id))

    def _failed(self, lot: _Lot, code: str, waited_ms: int = 0) -> None:
        pause = self._of(lot.buyer_id).failed(code, self._clock(), waited_ms)
        if pause is not None:
            log("auction").warning(
                "pings paused", buyer=lot.buyer_id, code=code, failures=pause.failures, until=pause.until.isoformat()
            )
            PINGS_PAUSED.set(len(self.pauses()))
            if self._keep is not None:
                self._note(self._keep(pause))

    def _note(self, writing: Awaitable[None]) -> None:
        async def write() -> None:
            try:
                await writing
            except Fault as fault:
                log("auction").warning("a pause could not be stored", code=fault.code)

        task = asyncio.get_running_loop().create_task(write())
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)


def _bid_of(order: Order, lot: _Lot, told: BidRead, ms: int, now: datetime) -> Item:
    """What one order bids by an answer. An answer that says yes and names no price bids the order's own."""
    exclusive = shared = None
    if order.mode is not Mode.SHARED:
        exclusive = _minor(told.price, order.currency) if told.price else order.price.amount if order.price else None
    if order.mode is not Mode.EXCLUSIVE:
        named = told.shared_price or (told.price if order.mode is Mode.SHARED else None)
        own = order.shared_price.amount if order.shared_price else None
        shared = _minor(named, order.currency) if named else own
    exclusive, shared = exclusive or None, shared or None
    if exclusive is None and shared is None:
        return NoBid(order.id, lot.buyer_id, because(BID_MALFORMED, what="it says yes and names no price"), ms)
    if order.call is not None and order.call.live and not (told.call_to or order.call.to):
        what = "it says yes and names no number to put the call through to"
        return NoBid(order.id, lot.buyer_id, because(BID_MALFORMED, what=what), ms)
    holds = timedelta(seconds=told.expires_in if told.expires_in is not None else lot.target.valid_s)
    line = (told.call_to, told.call_sip)
    return BidHeard(order.id, lot.buyer_id, exclusive, shared, ms, now + holds, told.ref, order.currency, *line)


def _minor(text: str, currency: str) -> int:
    """A decimal text in minor units; a fraction of one is dropped."""
    return int((Decimal(text) * 10 ** minor_digits(currency)).to_integral_value(ROUND_DOWN))


def _by_order(item: Item) -> str:
    return item.order_id

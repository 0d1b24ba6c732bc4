"""The sellers of ``leadmill bench limits``: the business with its tight limits, and one process that sells to it.

Run as a process by :mod:`benchmarks.limits`, many times over; the business is read by the referee as well.
"""

import asyncio
import random
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from leadmill.billing import Post, Postings, keep_postings, reverse_sale
from leadmill.capture import Lead
from leadmill.core.case import Case, Heard
from leadmill.core.faults import Transient
from leadmill.core.ids import mint
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.facts import Dossier
from leadmill.market import (
    Allocate,
    Auction,
    Bidding,
    BidHeard,
    Counters,
    Headroom,
    Order,
    Sale,
    Shadows,
    cancel_sale,
    hold_room,
    read_order,
    release_holds,
)
from leadmill.market.allocation.shadow import Price, Prices
from leadmill.market.model import UNSOLD
from leadmill.parties import Buyer, Credit, Roster
from leadmill.policy import Clearance
from leadmill.runtime.db import Database, Tx
from leadmill.scoring import Score

DEMAND = 1.05
"""How many leads come for each that the capped orders may take."""
_HELD = timedelta(seconds=3)
_TEND = 1.0
_WHY = because(UNSOLD, considered=0)
_SEGMENTS = 38
_PING = {"url": "https://buyers.example/bid", "price": "price"}
_LATER = 300.0
"""What a lead of a cap is said to be worth later, in minor units: less than any lead pays."""


class Business(msgspec.Struct, frozen=True):
    """Orders and parties, and how many of ``leads`` leads come to each segment."""

    orders: dict[str, Order]
    roster: Roster
    segments: dict[str, float]


def shadow_prices(market: Business, now: datetime) -> Prices:
    """Prices for every cap of the business, in force for hours."""
    starts, ends = int((now - timedelta(days=40)).timestamp()), int((now + timedelta(days=40)).timestamp())
    orders = {
        item.id: [Price(cap.per, starts, ends, _LATER, 0.0) for cap in item.caps[:1]]
        for item in market.orders.values()
        if item.caps
    }
    return Prices(now + timedelta(hours=1), orders)


def business(leads: int) -> Business:
    """Segments of leads with orders whose limits are reached: day caps at a demand of 1.05, hourly caps, a budget,
    money paid ahead that two orders draw on, shared orders of several buyers, prices that fall with volume, fees that
    cover so many leads, and bids."""
    part = leads // _SEGMENTS
    raw: list[dict[str, Any]] = []
    credit: dict[str, Credit] = {}
    segments: dict[str, float] = {}

    def order(name: str, segment: str, **more: Any) -> None:
        raw.append(
            {
                "id": name,
                "vertical": "solar",
                "buyer": name.partition("-")[0],
                "where": [{"field": "utility_provider", "eq": segment}],
                **({"price": "40.00"} if "shared_price" not in more and "ping" not in more else {}),
                **more,
            }
        )

    for number in range(16):
        segment = f"day{number}"
        segments[segment] = 1.0
        cap = max(1, round(part / DEMAND))
        order(f"{segment}-1", segment, caps=[{"per": "day", "leads": cap}, {"per": "month", "leads": cap * 3}])
    for number in range(4):
        segment = f"hour{number}"
        segments[segment] = 1.0
        order(f"{segment}-1", segment, caps=[{"per": "hour", "leads": max(1, part // 3)}])
    for number in range(4):
        segment = f"budget{number}"
        segments[segment] = 1.0
        order(f"{segment}-1", segment, price="37.00", budget=f"{max(1, part // 2) * 37 + 11}.00")
    for number in range(4):
        segment = f"ahead{number}"
        segments[segment] = 1.0
        credit[segment] = Credit("prepay", balance=Money(max(1, part // 2) * 4150 + 99))
        order(f"{segment}-1", segment, price="43.00", caps=[{"per": "day", "leads": max(1, part // 4)}])
        order(f"{segment}-2", segment, price="40.00")
    for number in range(4):
        segment = f"shared{number}"
        segments[segment] = 1.0
        for place in range(5):
            name = f"s{number}b{place}"
            credit[name] = Credit("invoice", limit=Money(max(1, part // 3) * 1900))
            caps = [{"per": "day", "spend": f"{max(1, part // 2) * 18}.00"}]
            order(f"{name}-1", segment, mode="shared", shared_price=f"{15 + place}.00", max_legs=3, caps=caps)
    for number in range(2):
        # Two of one price take turns, and pay less from the third of their cap on.
        segment = f"volume{number}"
        segments[segment] = 1.0
        cap = max(3, part // 3)
        for name in (f"{segment}a-1", f"{segment}b-1"):
            steps = [{"per": "day", "over": cap // 3, "factor": "0.9"}]
            order(name, segment, caps=[{"per": "day", "leads": cap}], volume=steps)
    for number in range(2):
        segment = f"plan{number}"
        segments[segment] = 1.0
        covered, fee = max(1, part // 3), max(1, part // 3) * 30
        credit[segment] = Credit("prepay", balance=Money(fee * 100 + max(1, part // 4) * 4400 + 99))
        plan = {"fee": f"{fee}.00", "leads": covered, "overage": "44.00"}
        order(f"{segment}-1", segment, subscription=plan, caps=[{"per": "day", "leads": max(2, part // 2)}])
    for number in range(2):
        segment = f"bids{number}"
        segments[segment] = 1.0
        for place in range(2):
            name = f"bids{number}b{place}"
            credit[name] = Credit("prepay", balance=Money(max(1, part // 4) * 4500))
            order(f"{name}-1", segment, ping=_PING, caps=[{"per": "day", "spend": f"{max(1, part // 4) * 44}.00"}])
    assert len(segments) == _SEGMENTS
    orders = {item["id"]: read_order(item) for item in raw}
    names = sorted({item.buyer or "" for item in orders.values()})
    buyers = {name: Buyer(id=name, name=name, credit=credit.get(name, Credit())) for name in names}
    return Business(orders, Roster(sources={}, buyers=buyers, teams={}), segments)


class Seller:
    """One process: walks groups until its parent has seen enough."""

    def __init__(self, db: Database, leads: int, seed: int, ahead: timedelta) -> None:
        self.db = db
        self.dice = random.Random(seed)
        self.market = business(leads)
        self.step = Allocate(self.market.orders, self.market.roster)
        self.post = Post(self.market.roster)
        self.ahead = ahead
        self.shadows = Shadows()
        self.counters = Counters(self.clock, self.shadows)
        self.everyone = [*self.market.roster.buyers]
        self.quotes: list[tuple[str, tuple[str, ...]]] = []
        """Segments of leads that room is held for, with their holds."""
        self.sold: list[str] = []
        self.again = 0

    def clock(self) -> datetime:
        """Now, as this run has it."""
        return datetime.now(UTC) + self.ahead

    async def run(self) -> None:
        """Walk groups, looking after the shares by the clock, until killed or told to end."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        tended = 0.0
        await self.shadows.refresh(self.db)
        while not stop.is_set():
            if time.monotonic() - tended > _TEND:
                await self.counters.tend(self.db)
                async with self.db.begin() as tx:
                    await release_holds(tx, self.clock())
                tended = time.monotonic()
            size = self.dice.choice((1, 2, 8, 16, 32, 64))
            done = await self._patiently(size)
            print(self.again, *done, flush=True)
        await self.counters.leave(self.db)

    async def _patiently(self, size: int) -> list[str]:
        waiting = [self._case() for _ in range(size)]
        for _ in range(50):
            plan = self.dice.random()
            try:
                if plan < 0.08:
                    await self._quote()
                if plan > 0.92 and self.sold:
                    await self._take_back()
                await self._group([self._fresh(case) for case in waiting])
                return [segment for _, segment, _ in waiting]
            except Transient:
                self.again += 1
                await asyncio.sleep(self.dice.random() * 0.01)
        raise SystemExit("a group would not go through")

    def _case(self, segment: str = "") -> tuple[str, str, tuple[str, ...]]:
        lead_id = mint("lead", self.clock())
        if not segment and self.quotes and self.dice.random() < 0.3:
            segment, holds = self.quotes.pop()
            return lead_id, segment, holds
        names = list(self.market.segments)
        return lead_id, segment or self.dice.choices(names, list(self.market.segments.values()))[0], ()

    def _fresh(self, of: tuple[str, str, tuple[str, ...]]) -> tuple[Case, tuple[str, ...]]:
        lead_id, segment, holds = of
        now = self.clock()
        fields: dict[str, Any] = {"utility_provider": segment}
        lead = Lead(id=lead_id, vertical="solar", source_id="acme", received_at=now, fields=fields)
        clearance = Clearance(channels={}, cleared=self.everyone, refused={})
        bids = [
            BidHeard(order.id, order.recipient, self.dice.randrange(3500, 4500), None, 20, now + timedelta(minutes=5))
            for order in self.market.orders.values()
            if order.ping is not None and order.where[0]["eq"] == segment
        ]
        heard = [Bidding(tuple(bids))] if bids else []
        return Case(lead_id, [lead, Dossier(), clearance, Score(points=50, band="C", path="sell"), *heard]), holds

    async def _group(self, group: list[tuple[Case, tuple[str, ...]]]) -> None:
        fresh: list[str] = []
        async with self.db.begin() as tx:
            for case, sale in await self._walk(tx, group):
                self.counters.keep_sale(tx, case, sale, self.clock())
                fresh += [leg.sale_id for leg in sale.legs]
            for case, _ in group:
                case.learn(self.post.judge(case, Heard({}), self.clock()).learned)
                postings = case.get(Postings)
                if postings is not None:
                    keep_postings(tx, case, postings, self.clock())
        self.sold = (self.sold + fresh)[-50:]

    async def _walk(self, tx: Tx, group: list[tuple[Case, tuple[str, ...]]]) -> "Sold":
        """Judge each lead in turn; those that are sold are yielded, to be kept before the next is judged."""
        wanted = [
            [Headroom(ask.wanted, holds, ask.scarcity) for ask in self.step.wants(case) if isinstance(ask, Headroom)]
            for case, holds in group
        ]
        asks = [ask for each in wanted for ask in each]
        answer = await self.counters.hear(tx, asks) if asks else None
        return Sold(self, tx, group, wanted, answer)

    async def _quote(self) -> None:
        """Hold room for a lead that may come."""
        of = self._case(self.dice.choice(list(self.market.segments)))
        case, _ = self._fresh(of)
        holds: list[str] = []
        async with self.db.begin() as tx:
            for _, sale in await self._walk(tx, [(case, ())]):
                for leg in sale.legs:
                    now = self.clock()
                    holds.append(mint("room", now))
                    hold_room(tx, holds[-1], leg.order_id, leg.price, now, now + _HELD)
        if holds and self.dice.random() < 0.7:
            self.quotes.append((of[1], tuple(holds)))

    async def _take_back(self) -> None:
        sale_id = self.sold[self.dice.randrange(len(self.sold))]
        async with self.db.begin() as tx:
            await cancel_sale(tx, sale_id, _WHY, self.clock())
            await reverse_sale(tx, sale_id, self.clock())
        self.sold.remove(sale_id)


class Sold:
    """The sales of a group, judged one by one as they are asked for."""

    def __init__(self, seller: Seller, tx: Tx, group: Any, wanted: Any, answer: Any) -> None:
        self.parts = seller, tx, group, wanted, answer

    def __iter__(self) -> Iterator[tuple[Case, Sale]]:
        seller, tx, group, wanted, answer = self.parts
        for (case, _), asks in zip(group, wanted, strict=True):
            now = seller.clock()
            verdict = seller.step.judge(case, Heard({ask: answer(ask) for ask in asks}), now)
            case.learn(verdict.learned)
            seller.counters.keep_auction(tx, case, case[Auction], now)
            sale = case.get(Sale)
            if sale is not None:
                yield case, sale


async def sell(url: str, leads: int, seed: int, ahead: float) -> None:
    db = Database(url, size=2)
    await db.open()
    try:
        await Seller(db, leads, seed, timedelta(seconds=ahead)).run()
    finally:
        await db.close()


if __name__ == "__main__":
    asyncio.run(sell(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))

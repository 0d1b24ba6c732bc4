"""A day of the market against a referee who hides the future: the house's own allocation, alone.

Called by ``leadmill market play`` and by the benchmark. Orders, past days and leads come as the rows of plain tables;
limits are counted by the same tally, bids judged by the same rules, prices solved by the same code as in ``serve``.
Moments are milliseconds of the day; money is minor units. Pure: no clock but the leads' own.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from leadmill.core.hours import Schedule, is_open, parse_span
from leadmill.core.money import Money
from leadmill.core.predicates import Value
from leadmill.ledger import buyer_account
from leadmill.market.accept import Counts
from leadmill.market.board import Boards
from leadmill.market.learned import Learned, Odds
from leadmill.market.lines import Line
from leadmill.market.model import MAX_LEGS, Cap, Headroom, Mode, Order, Per
from leadmill.market.pricing import Quote
from leadmill.market.rules import Bid, bid_of
from leadmill.market.sample import Codes, Collector, Sample
from leadmill.market.scarce import lift_of, propose, worths_of
from leadmill.market.shadow import EVERY, Market, Prices, Standing, hedge_of, solve_prices
from leadmill.market.tally import EPOCH, Tally
from leadmill.market.worth import ROUNDS
from leadmill.market.worths import Scarcity
from leadmill.parties import Buyer, Credit, Roster

MIDNIGHT = datetime(2000, 1, 3, tzinfo=UTC)
"""The day that is played begins here: a Monday, in UTC."""

DAY = timedelta(days=1)

Row = Mapping[str, Any]

_WARY = 5.0
"""How many spreads above the expected bid an order's limits must reach where the bid is only told afterwards."""

_FAILURES = 3
_PAUSE, _LONGEST = 60.0, 900.0
"""Seconds for which a buyer that left three offers in a row unanswered is not asked, doubling up to the longest."""


class Pricing:
    """How an order of the referee bids: ``price`` at a score of 50, ``slope`` with the score, ``sigma`` at random."""

    __slots__ = ("price", "sigma", "slope")

    def __init__(self, row: Row) -> None:
        self.price = float(row["price_cents"])
        self.slope = float(row["slope"])
        self.sigma = float(row["sigma"])

    def bid(self, score: float, spreads: float = 0.0) -> int:
        """The bid for a lead, so many spreads above the median."""
        return max(100, round(self.price * (1 + self.slope * (score - 50) / 50) * math.exp(self.sigma * spreads)))


class _Reach:
    """Whether a buyer answers: three silences in a row keep it from being asked for a while."""

    __slots__ = ("failures", "pauses", "since", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.pauses = 0
        self.since = 0.0
        self.until = 0.0

    def answered(self) -> None:
        self.failures = self.pauses = 0
        self.until = 0.0

    def silent(self, now: float) -> bool:
        """Count a silence; whether it tells of an outage rather than of this lead."""
        self.failures += 1
        if self.failures < _FAILURES:
            return False
        if not self.pauses:
            self.since = now
        self.until = now + min(_PAUSE * 2**self.pauses, _LONGEST)
        self.pauses += 1
        return True


class Offer:
    """What to post next: ``orders`` of one ``mode``."""

    __slots__ = ("bids", "mode", "orders")

    def __init__(self, mode: str, orders: list[int], bids: list[int]) -> None:
        self.mode = mode
        self.orders = orders
        self.bids = bids


class Player:
    """Plays a day: told of each lead, asked for an offer, told what became of it. Prices are solved ``every`` so often;
    ``solved`` counts the solutions."""

    def __init__(
        self,
        orders: Iterable[Row],
        sources: Iterable[Row],
        history: Sequence[Iterable[Row]],
        seed: int = 1,
        every: timedelta = EVERY,
    ) -> None:
        self._every = every.total_seconds()
        self._random = np.random.default_rng(seed)
        self._rows: dict[str, Row] = {}
        self._pricing: dict[str, Pricing] = {}
        self._learned = Learned(
            returns={str(row["source"]): Counts(float(row["returned"]), float(row["sold"])) for row in sources}
        )
        self.odds = Odds(self._learned)
        self._orders = Codes()
        self._traits = (Codes(), Codes(), Codes())
        self._tally = Tally()
        self._lines: dict[str, Line] = {}
        self._boards: Boards = Boards({}, Roster())
        self._prices: Prices | None = None
        self._standing: Standing | None = None
        self._next = -1.0
        self._reach: dict[str, _Reach] = {}
        self._history = [list(day) for day in history]
        self.solved = 0
        self._day = Collector(self._orders, self._traits)
        self._past: Sample | None = None
        for row in orders:
            self._put(row)
        self._assemble()
        scores = [float(row["score"]) for day in self._history for row in day]
        self._scale(scores)
        # The lead under way.
        self._lead: Row = {}
        self._bids: list[Bid] = []
        self._now = MIDNIGHT
        self._rounds = self._legs = 0
        self._sold: set[str] = set()
        self._asked: set[str] = set()
        self._open: list[tuple[Line, Quote | None]] = []

    # The order book

    def _put(self, row: Row) -> None:
        order_id = str(row["order_id"])
        self._rows[order_id] = row
        self._pricing[order_id] = Pricing(row)

    def order_added(self, row: Row) -> None:
        """An order has come."""
        self._put(row)
        self._assemble()
        self._next = -1.0

    def order_paused(self, row: Row) -> None:
        """An order is taken out."""
        self._rows.pop(str(row["order_id"]), None)
        self._assemble()
        self._next = -1.0

    def _assemble(self) -> None:
        buyers: dict[str, Buyer] = {}
        book: dict[str, Order] = {}
        for row in self._rows.values():
            order = order_of(row)
            book[order.id] = order
            budget = int(row["buyer_budget_cents"])
            credit = Credit("prepay", Money(budget)) if budget else Credit()
            buyers.setdefault(order.recipient, Buyer(id=order.recipient, name=order.recipient, credit=credit))
            account = buyer_account(order.recipient)
            if budget and account not in self._tally.funds:
                self._tally.funds[account] = budget
        self._boards = Boards(book, Roster(buyers=buyers), earlier=self._boards if self._rows else None)
        self._lines = {line.order.id: line for board in self._boards.values() for line in board.lines}
        self._past = None

    def _scale(self, scores: Sequence[float]) -> None:
        if len(scores) >= 2:
            self._learned.centre = float(np.mean(scores))
            self._learned.spread = 2.0 * float(np.std(scores)) or 1.0

    # Who wants a lead

    def _fitting(self, row: Row) -> list[Line]:
        board = self._boards.get(str(row["vertical"]))
        if board is None:
            return []
        score = int(row["score"])
        values: dict[str, Value] = {
            "state": str(row["state"]),
            "tier": str(row["tier"]),
            "homeowner": str(row["homeowner"]) in ("1", "True", "true"),
        }
        sorted_out = board.sort(values, score)
        return [
            line
            for line, conditions in sorted_out.left
            if all(check(values, EPOCH) for check, _ in conditions) and line.below(score) is None
        ]

    def _collect(self, into: Collector, row: Row, lines: Iterable[Line], known: Mapping[str, int]) -> None:
        score = float(row["score"])
        uses = []
        for line in lines:
            pricing = self._pricing[line.order.id]
            bid = known.get(line.order.id)
            if bid is None:
                bid = pricing.bid(score, self._random.standard_normal() if pricing.sigma else 0.0)
            uses.append((line.order.id, float(bid), line.exclusive is None))
        traits = (str(row["source"]), str(row["vertical"]), str(row["state"]))
        into.add(float(row["t_ms"]) / 1000.0, traits, score, int(row["max_legs"]), uses)

    def _past_sample(self) -> Sample:
        if self._past is None:
            past = Collector(self._orders, self._traits)
            for day in self._history:
                for row in day:
                    self._collect(past, row, self._fitting(row), {})
            self._past = past.sample()
        return self._past

    # Prices

    def _solve(self, clock: float) -> None:
        self.odds.fit()
        absent = {name: reach.until + (clock - reach.since) for name, reach in self._reach.items() if reach.until}
        market = Market(list(self._lines.values()), self._tally, self.odds, self._orders, self._traits[0], absent)
        today = self._day.sample()
        if not self._history and len(today) >= _ENOUGH:
            self._scale([float(each) for each in today.traffic.score])
        now = MIDNIGHT + timedelta(seconds=clock)
        self._prices = solve_prices(
            market,
            self._past_sample(),
            len(self._history),
            today,
            MIDNIGHT,
            now,
            MIDNIGHT + DAY,
            self._prices,
            self._random,
        )
        self._standing = Standing(self._prices)
        self.solved += 1

    # A lead

    def lead(self, row: Row) -> None:
        """A lead has come; ``offers`` among its values are the bids of the orders that want it."""
        clock = float(row["t_ms"]) / 1000.0
        self._now = MIDNIGHT + timedelta(seconds=clock)
        if clock >= self._next or self._standing is None:
            self._solve(clock)
            self._next = (clock // self._every + 1) * self._every
        fitting = self._fitting(row)
        offers = row.get("offers")
        known = {str(order_id): int(bid) for order_id, bid in offers} if offers is not None else None
        self._collect(self._day, row, fitting, known or {})
        self._lead = row
        self._rounds, self._legs = ROUNDS, int(row["max_legs"])
        self._sold, self._asked = set(), set()
        score = float(row["score"])
        self._open = []
        for line in fitting:
            order_id = line.order.id
            schedule = line.order.schedule
            if known is not None:
                if order_id in known:
                    self._open.append((line, quote_of(line, known[order_id])))
            elif schedule is None or is_open(schedule, self._now):
                self._open.append((line, quote_of(line, self._pricing[order_id].bid(score))))

    def offer(self) -> Offer | None:
        """What to post next for the lead, or None to pass."""
        if self._prices is None or self._standing is None or self._legs <= 0:
            return None
        clock = (self._now - MIDNIGHT).total_seconds()
        able = [each for each in self._open if self._may_ask(each[0].order, clock)]
        room = self._tally.room(Headroom(tuple([line.wanted for line, _ in able])), self._now)
        bids = (bid_of(line, room, quote) for line, quote in able)
        self._bids = [bid for bid in bids if isinstance(bid, Bid) and self._affordable(bid)]
        ask = Scarcity(
            tuple([bid.line.order.id for bid in self._bids]),
            tuple([bid.line.wanted.account or "" for bid in self._bids]),
            str(self._lead["source"]),
            float(self._lead["score"]),
        )
        hedge = hedge_of(len(self._history), len(self._day))
        worths = worths_of(ask, self._prices, self._standing.at(self._now), self.odds, hedge)
        found = propose(self._bids, worths, room, legs=self._legs, rounds=self._rounds, alone=not self._sold)
        if found is None:
            return None
        pays = {bid.line.order.id: (bid.shared if found.shared else bid.exclusive) or 0 for bid in self._bids}
        mode = "shared" if found.shared else "exclusive"
        return Offer(mode, [int(key) for key in found.keys], [pays[key] for key in found.keys])

    def _may_ask(self, order: Order, clock: float) -> bool:
        if order.id in self._asked or order.recipient in self._sold:
            return False
        reach = self._reach.get(order.recipient)
        return reach is None or reach.until <= clock

    def _affordable(self, bid: Bid) -> bool:
        """Whether the limits reach though the bid is only told afterwards."""
        line = bid.line
        if "offers" in self._lead or line.wanted.account is None:
            return True
        dearest = self._pricing[line.order.id].bid(float(self._lead["score"]), _WARY)
        return self._tally.funds.get(line.wanted.account, 0) >= dearest

    def told(self, results: Mapping[str, str], bids: Mapping[str, int], rounds_left: int) -> None:
        """What became of the offer: each order's result, and the bids where they were not known before."""
        self._rounds = rounds_left
        clock = (self._now - MIDNIGHT).total_seconds()
        score = self.odds.seen(float(self._lead["score"]))
        offered = {bid.line.order.id: bid for bid in self._bids}
        for order_id, result in results.items():
            made = offered[order_id]
            line, order = made.line, made.line.order
            self._asked.add(order_id)
            bid = bids.get(order_id, (made.exclusive if made.exclusive is not None else made.shared) or 0)
            reach = self._reach.setdefault(order.recipient, _Reach())
            if result == "timeout":
                if not reach.silent(clock):
                    self.odds.learn_silence()
                continue
            reach.answered()
            accepted = result == "accepted"
            self.odds.learn(order_id, accepted, score, lift_of(order, bid, line.exclusive is None))
            if accepted:
                self._tally.take(line.wanted, bid, self._now)
                self._sold.add(order.recipient)
                self._legs -= 1
                if line.exclusive is not None:
                    self._legs = 0


def quote_of(line: Line, bid: int) -> Quote | None:
    """What the order bids for one lead; None where it is its fixed price."""
    price = line.exclusive or line.shared
    if price is not None and price.amount == bid:
        return None
    return Quote(bid, None) if line.exclusive is not None else Quote(None, bid)


def order_of(row: Row) -> Order:
    """An order of the referee as the house knows orders."""
    order_id = str(row["order_id"])
    where: list[dict[str, Any]] = [
        {"field": "state", "in": str(row["states"]).split("|")},
        {"field": "tier", "in": list(str(row["tiers"]))},
    ]
    if int(row["homeowner_only"]):
        where.append({"field": "homeowner", "eq": True})
    begins, ends = int(row["h_from"]), int(row["h_to"])
    schedule = None
    if (begins, ends) != (0, 24):
        text = f"mon-sun {begins:02d}:00-{ends:02d}:00"
        schedule = Schedule("UTC", tuple(parse_span(text)), (text,))
    caps = [Cap(Per.DAY, int(row["daily_cap"]))]
    if int(row["hourly_cap"]):
        caps.append(Cap(Per.HOUR, int(row["hourly_cap"])))
    alone = row["mode"] == "exclusive"
    price = Money(int(row["price_cents"]))
    return Order(
        id=order_id,
        vertical=str(row["vertical"]),
        buyer=f"buyer-{row['buyer_id']}",
        where=tuple(where),
        mode=Mode.EXCLUSIVE if alone else Mode.SHARED,
        price=price if alone else None,
        shared_price=None if alone else price,
        max_legs=MAX_LEGS,
        caps=tuple(caps),
        schedule=schedule,
        min_score=int(row["min_score"]),
        priority=int(row["priority"]),
    )


def converse(player: Player, hear: Callable[[], Row | None], say: Callable[[Row], None]) -> Row | None:
    """Play a day with a referee, message by message, as its protocol has it; the referee's last word, or None where
    it left before."""
    while (message := hear()) is not None:
        kind = message.get("type")
        if kind == "lead":
            player.lead(message)
        elif kind == "result":
            player.told(message["results"], message.get("bids", {}), int(message["rounds_left"]))
            if not int(message["rounds_left"]):
                continue
        elif kind == "order_added":
            player.order_added(message["order"])
            continue
        elif kind == "order_paused":
            player.order_paused(message["order"])
            continue
        else:
            return message
        offer = player.offer()
        if offer is None:
            say({"mode": "pass"})
        else:
            say({"mode": offer.mode, "orders": offer.orders, "bids": offer.bids})
    return None


_ENOUGH = 50

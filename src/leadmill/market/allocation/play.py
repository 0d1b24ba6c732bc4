"""A day of the market against a referee who hides the future: the house's own allocation, alone.

Called by ``leadmill market play`` and by the benchmark. Orders, past days and leads come as the rows of plain tables;
limits are counted by the same tally, bids judged by the same rules, prices solved by the same code as in ``serve``.
Moments are milliseconds of the day; money is minor units. Pure: no clock but the leads' own.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from leadmill.core.hours import is_open
from leadmill.core.money import Money
from leadmill.core.predicates import Value
from leadmill.ledger import buyer_account
from leadmill.market.allocation.accept import Counts
from leadmill.market.allocation.learned import Learned, Odds
from leadmill.market.allocation.playbook import Pricing, Reach, Ready, Row, order_of, quote_of, wishes_of
from leadmill.market.allocation.sample import Codes, Collector, Sample
from leadmill.market.allocation.scarce import accept_of, candidate_of, lift_of, likely_of, used_of, worths_of
from leadmill.market.allocation.shadow import EVERY, Market, Prices, Standing, hedge_of, solve_prices
from leadmill.market.allocation.shortlist import Shortlist, Wish
from leadmill.market.allocation.worth import ROUNDS, Candidate
from leadmill.market.limits.tally import Tally
from leadmill.market.model import Order, Room
from leadmill.market.orderbook.board import Boards
from leadmill.market.orderbook.lines import Line
from leadmill.market.rules import Bid, bid_of, over_cap
from leadmill.market.windows import EPOCH, SLOT
from leadmill.market.worths import Scarce, Scarcity
from leadmill.parties import Buyer, Credit, Roster

MIDNIGHT = datetime(2000, 1, 3, tzinfo=UTC)
"""The day that is played begins here: a Monday, in UTC."""

DAY = timedelta(days=1)

_WARY = 5.0
"""How many spreads above the expected bid an order's limits must reach where the bid is only told afterwards."""


_Wanting = Wish[Ready]
_Turn = tuple[float, int, datetime, str]


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
        self._reach: dict[str, Reach] = {}
        self._away: dict[str, float] = {}
        """Whom it is no use to ask before when."""
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
        self._now = MIDNIGHT
        self._rounds = self._legs = 0
        self._sold = False
        self._open: Sequence[tuple[int, int]] = ()
        self._list: Shortlist[Ready] | None = None
        self._bids: dict[str, Bid] = {}
        self._ready: dict[int, Ready] = {}
        self._slot = -1
        self._pending: list[Row] = []
        self._count = 0

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
        self._slot = -1

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
        for row in self._pending:
            known = {str(number): int(bid) for number, bid in row.get("offers") or ()}
            self._collect(self._day, row, self._fitting(row), known)
        self._pending.clear()
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
        self._slot = -1
        self.solved += 1

    def _make_ready(self) -> None:
        """Look up what every order's limits are worth, once for all leads of a quarter of an hour: then no window ends,
        and what is full and taken out stays so, since nothing is given back within a day."""
        standing = self._standing
        assert standing is not None
        moment = standing.at(self._now)
        self._ready = {int(order_id): Ready(line, moment) for order_id, line in self._lines.items()}

    # A lead

    def lead(self, row: Row) -> None:
        """A lead has come; ``offers`` among its values are the bids of the orders that want it."""
        clock = float(row["t_ms"]) / 1000.0
        self._now = MIDNIGHT + timedelta(seconds=clock)
        if clock >= self._next or self._standing is None:
            self._solve(clock)
            self._next = (clock // self._every + 1) * self._every
        if clock // SLOT != self._slot:
            self._slot = int(clock // SLOT)
            self._make_ready()
        # Who wanted it is noted when prices are solved next: no lead waits for that.
        self._pending.append(row)
        self._count += 1
        self._lead = row
        self._rounds, self._legs = ROUNDS, int(row["max_legs"])
        self._sold = False
        self._list, self._bids = None, {}
        offers = row.get("offers")
        if offers is not None:
            self._open = offers
        else:
            score, pricing = float(row["score"]), self._pricing
            self._open = [
                (int(line.order.id), pricing[line.order.id].bid(score))
                for line in self._fitting(row)
                if line.order.schedule is None or is_open(line.order.schedule, self._now)
            ]

    def offer(self) -> Offer | None:
        """What to post next for the lead, or None to pass."""
        if self._prices is None or self._standing is None or self._legs <= 0:
            return None
        if self._list is None:
            self._list = self._shortlist()
        found = self._list.plan(self._legs, self._rounds, alone=not self._sold)
        if found is None:
            return None
        bids = [self._bids[key] for key in found.keys]
        pays = [(bid.shared if found.shared else bid.exclusive) or 0 for bid in bids]
        return Offer("shared" if found.shared else "exclusive", [int(key) for key in found.keys], pays)

    def _shortlist(self) -> Shortlist[Ready]:
        """Who wants the lead at what it may be worth, ready to be weighed."""
        odds, tally, bids = self.odds, self._tally, self._bids
        hedge = hedge_of(len(self._history), self._count)
        assert self._prices is not None
        assert self._standing is not None
        # What holds for all orders; what each hears of its own limits follows below, bid by bid.
        ask = Scarcity((), (), str(self._lead["source"]))
        worths = worths_of(ask, self._prices, self._standing.at(self._now), odds, hedge)
        wishes = wishes_of(self._open, self._ready, worths)
        if self._away:
            clock = (self._now - MIDNIGHT).total_seconds()
            self._away = {buyer: until for buyer, until in self._away.items() if until > clock}
            wishes = [wish for wish in wishes if wish[2].buyer not in self._away]
        score, lift, funds = odds.seen(float(self._lead["score"])), worths.lift, self._prices.funds
        room, slot = Room(self._now, {}, {}, {}, {}), int(self._now.timestamp()) // SLOT
        told = "offers" in self._lead

        def likely(wish: _Wanting) -> float:
            _, amount, way = wish
            return likely_of(accept_of(odds, way.key, score), lift, way.line, amount, way.shared)

        def weigh(wish: _Wanting) -> Candidate | None:
            # It holds for every round of the lead: a sale uses up only limits of a buyer who is not asked again.
            _, amount, way = wish
            line = way.line
            tally.add_to(room, line.wanted, slot)
            bid = bid_of(line, room, quote_of(line, amount))
            if isinstance(bid, Bid) and (told or self._affordable(bid)):
                bids[way.key] = bid
                used = used_of(line, room, funds)
                way.gone = math.exp(used - 1.0)
                scarce = Scarce(way.lead, way.money, accept_of(odds, way.key, score))
                return candidate_of(bid, way.shared, worths, scarce, used)
            if over_cap(line, room.used.get(way.key, ()), 0) is not None:
                self._ready.pop(int(way.key), None)
            return None

        def turn(one: Candidate) -> _Turn:
            return bids[one.key].rank(0)

        return Shortlist(wishes, likely, weigh, turn)

    def _affordable(self, bid: Bid) -> bool:
        """Whether the limits reach though the bid is only told afterwards."""
        line = bid.line
        if line.wanted.account is None:
            return True
        dearest = self._pricing[line.order.id].bid(float(self._lead["score"]), _WARY)
        return self._tally.funds.get(line.wanted.account, 0) >= dearest

    def told(self, results: Mapping[str, str], bids: Mapping[str, int], rounds_left: int) -> None:
        """What became of the offer: each order's result, and the bids where they were not known before."""
        self._rounds = rounds_left
        clock = (self._now - MIDNIGHT).total_seconds()
        score = self.odds.seen(float(self._lead["score"]))
        out: set[str] = set()
        served: set[str] = set()
        for order_id, result in results.items():
            made = self._bids.get(order_id)
            if made is None:
                continue
            line, order = made.line, made.line.order
            out.add(order_id)
            bid = bids.get(order_id, (made.exclusive if made.exclusive is not None else made.shared) or 0)
            reach = self._reach.setdefault(order.recipient, Reach())
            if result == "timeout":
                if not reach.silent(clock):
                    self.odds.learn_silence()
                else:
                    served.add(order.recipient)
                    self._away[order.recipient] = reach.until
                continue
            reach.answered()
            accepted = result == "accepted"
            self.odds.learn(order_id, accepted, score, lift_of(line, bid, line.exclusive is None))
            if accepted:
                self._tally.take(line.wanted, bid, self._now)
                self._sold = True
                served.add(order.recipient)
                self._legs -= 1
                if line.exclusive is not None:
                    self._legs = 0
        if self._list is not None:
            self._list.leave_out(out, served)


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

"""A day of the market against a referee who hides the future: the house's own allocation, alone.

Called by ``leadmill market play`` and by the benchmark. Orders, past days and leads come as the rows of plain tables;
limits are counted by the same tally, bids judged by the same rules, prices solved by the same code as in ``serve``.
Moments are milliseconds of the day; money is minor units. Pure: no clock but the leads' own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter

import numpy as np

from leadmill.core.hours import is_open
from leadmill.core.money import Money
from leadmill.core.predicates import Value
from leadmill.ledger import buyer_account
from leadmill.market.accept import Counts
from leadmill.market.board import Boards
from leadmill.market.learned import Learned, Odds
from leadmill.market.lines import Line
from leadmill.market.model import Headroom, Order
from leadmill.market.playbook import Pricing, Reach, Row, order_of, quote_of, worth_asking
from leadmill.market.rules import Bid, bid_of, over_cap
from leadmill.market.sample import Codes, Collector, Sample
from leadmill.market.scarce import candidates_of, lift_of, shares_of, worths_of
from leadmill.market.shadow import EVERY, Market, Moment, Prices, Standing, hedge_of, solve_prices
from leadmill.market.tally import EPOCH, Tally
from leadmill.market.worth import ROUNDS, Candidate, plan
from leadmill.market.worths import Scarcity
from leadmill.parties import Buyer, Credit, Roster

MIDNIGHT = datetime(2000, 1, 3, tzinfo=UTC)
"""The day that is played begins here: a Monday, in UTC."""

DAY = timedelta(days=1)

_WARY = 5.0
"""How many spreads above the expected bid an order's limits must reach where the bid is only told afterwards."""

_HOUR = 3600.0
"""The shortest window of a limit, seconds."""

_SINGLES, _LEGS = 6, 12
"""How many bids for the lead alone, and for a leg of it, are weighed; it is offered four times, to one or to a
handful."""

_Judged = tuple[tuple[float, int, datetime, str], Bid, list[Candidate]]
"""Whose turn it is, what it bids, and what that is worth."""


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
        self._sold: set[str] = set()
        self._asked: set[str] = set()
        self._open: list[tuple[Line, int]] = []
        self._ranked: list[tuple[Line, int]] | None = None
        self._judged: dict[str, _Judged | None] = {}
        self._hour = -1.0
        self._full: set[str] = set()
        self._pending: list[tuple[Row, dict[str, int]]] = []
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
        self._full = set()

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
        for row, known in self._pending:
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
        # Add up the prices of the whole book along with the solution, not while a lead waits.
        moment = self._standing.at(now)
        for order_id in self._lines:
            moment[order_id]
        self.solved += 1

    # A lead

    def lead(self, row: Row) -> None:
        """A lead has come; ``offers`` among its values are the bids of the orders that want it."""
        clock = float(row["t_ms"]) / 1000.0
        self._now = MIDNIGHT + timedelta(seconds=clock)
        if clock >= self._next or self._standing is None:
            self._solve(clock)
            self._next = (clock // self._every + 1) * self._every
        if clock // _HOUR != self._hour:
            # Nothing is given back within a day, so what is full stays so until a window ends.
            self._hour = clock // _HOUR
            self._full.clear()
        offers = row.get("offers")
        known = {str(order_id): int(bid) for order_id, bid in offers} if offers is not None else None
        # Who wanted it is noted when prices are solved next: no lead waits for that.
        self._pending.append((row, known or {}))
        self._count += 1
        self._lead = row
        self._rounds, self._legs = ROUNDS, int(row["max_legs"])
        self._sold, self._asked = set(), set()
        self._ranked, self._judged = None, {}
        if known is not None:
            lines = self._lines
            self._open = [(line, bid) for name, bid in known.items() if (line := lines.get(name))]
        else:
            score, pricing = float(row["score"]), self._pricing
            self._open = [
                (line, pricing[line.order.id].bid(score))
                for line in self._fitting(row)
                if line.order.schedule is None or is_open(line.order.schedule, self._now)
            ]

    def offer(self) -> Offer | None:
        """What to post next for the lead, or None to pass."""
        if self._prices is None or self._standing is None or self._legs <= 0:
            return None
        hedge = hedge_of(len(self._history), self._count)
        standing = self._standing.at(self._now)
        if self._ranked is None:
            kept = self.odds.kept(str(self._lead["source"]))
            self._ranked = worth_asking(self._open, self._prices.accounts, standing, kept, hedge)
        weighed = self._shortlist(self._ranked, self._prices, standing, hedge)
        candidates = [one for _, _, each in weighed for one in each]
        found = plan(candidates, self._legs, self._rounds, alone=not self._sold)
        if found is None:
            return None
        bids = [judged[1] for key in found.keys if (judged := self._judged[key]) is not None]
        pays = [(bid.shared if found.shared else bid.exclusive) or 0 for bid in bids]
        return Offer("shared" if found.shared else "exclusive", [int(key) for key in found.keys], pays)

    def _shortlist(
        self, ranked: Sequence[tuple[Line, int]], prices: Prices, standing: Moment, hedge: float
    ) -> list[_Judged]:
        """The bids that may matter, by turn: enough for every round."""
        clock = (self._now - MIDNIGHT).total_seconds()
        found: list[_Judged] = []
        judged, full = self._judged, self._full
        for alone, most in ((True, _SINGLES), (False, _LEGS)):
            # Legs are worth a fraction each: among all bids they would never come to be weighed.
            mine = (each for each in ranked if (each[0].exclusive is not None) is alone)
            able = (each for each in mine if self._may_ask(each[0].order, clock))
            have = 0
            while have < most and (some := list(islice(able, most - have))):
                unknown = [each for each in some if (key := each[0].order.id) not in judged and key not in full]
                if unknown:
                    self._judge(unknown, prices, standing, hedge)
                fit = [known for line, _ in some if (known := judged.get(line.order.id)) is not None]
                have += len(fit)
                found += fit
        found.sort(key=_turn)
        return found

    def _judge(self, some: Sequence[tuple[Line, int]], prices: Prices, standing: Moment, hedge: float) -> None:
        """What each of these may pay and what that is worth. It holds for every round of the lead: a sale uses up only
        limits of a buyer who is not asked again."""
        room = self._tally.room(Headroom(tuple([line.wanted for line, _ in some])), self._now)
        bids: list[Bid] = []
        for line, amount in some:
            bid = bid_of(line, room, quote_of(line, amount))
            if isinstance(bid, Bid) and self._affordable(bid):
                bids.append(bid)
            else:
                self._judged[line.order.id] = None
                if over_cap(line, room.used.get(line.order.id, ()), 0) is not None:
                    self._full.add(line.order.id)
        ask = Scarcity(
            tuple([bid.line.order.id for bid in bids]),
            tuple([bid.line.wanted.account or "" for bid in bids]),
            str(self._lead["source"]),
            float(self._lead["score"]),
        )
        worths = worths_of(ask, prices, standing, self.odds, hedge)
        for bid in bids:
            self._judged[bid.line.order.id] = (bid.rank(0), bid, [])
        for one in candidates_of(bids, worths, shares_of(bids, worths, room)):
            judged = self._judged[one.key]
            if judged is not None:
                judged[2].append(one)

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
        for order_id, result in results.items():
            judged = self._judged[order_id]
            if judged is None:
                continue
            made = judged[1]
            line, order = made.line, made.line.order
            self._asked.add(order_id)
            bid = bids.get(order_id, (made.exclusive if made.exclusive is not None else made.shared) or 0)
            reach = self._reach.setdefault(order.recipient, Reach())
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


_turn = itemgetter(0)
_ENOUGH = 50

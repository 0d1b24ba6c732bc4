"""Shadow prices of a day: what one more lead of each cap, and one more unit of each budget, is worth from now on.

Called in the background, by the job of ``serve`` and by ``play``, every fifteen minutes and at the start of a day. It
sets today's limits as they stand against the leads that are still to come (``forecast``), solves for prices
(``duals``) beginning from those of last time, and gives them by window, so that an hour's cap is priced hour by hour.
Pure: clock and randomness are arguments.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from leadmill.core.hours import is_open
from leadmill.market.allocation.chances import NOTHING, Chances
from leadmill.market.allocation.duals import Floats, Ints, Limits, Problem, Uses
from leadmill.market.allocation.forecast import Outlook, look_ahead
from leadmill.market.allocation.learned import Odds
from leadmill.market.allocation.sample import Codes, Sample, joined
from leadmill.market.limits.tally import Tally, order_scope
from leadmill.market.model import Cap, Per
from leadmill.market.orderbook.lines import Line
from leadmill.market.windows import SLOT, bounds

HEDGE = 0.1
"""How much of bid scaling, which asks no forecast, is mixed into every worth."""

DROUGHT = 0.1
"""How likely it is held that from now on half as many leads come as it seems: what is kept for leads that never come
is lost, and what is sold too soon only loses the difference."""

COLD = 3000.0
"""How many leads of today count as much as a past day would."""

EVERY = timedelta(minutes=15)
"""How often prices are solved anew."""

_HOURLY = 0.7
"""The price of an hour's cap moves on a smaller scale: the order's other cap bears some of the scarcity."""

MILLION = 1_000_000
"""Money is priced by so many minor units of it."""

_NOTHING = 1e-6


class Price(Struct, frozen=True, array_like=True):
    """What a window's limit is worth: ``lead`` minor units for one lead of it, ``money`` for one minor unit of it."""

    per: Per
    starts: int
    """Seconds since 1970, like ``ends``."""
    ends: int
    lead: float
    money: float


class Prices(Struct, frozen=True):
    """The prices solved ``at`` a moment, of orders by id and of accounts; what is missing is not scarce. ``funds``
    holds what each account had at the day's beginning, ``hedge`` is how much to mistrust it all."""

    at: datetime
    orders: dict[str, list[Price]] = {}
    accounts: dict[str, float] = {}
    funds: dict[str, int] = {}
    hedge: float = HEDGE


class Market(Struct, frozen=True):
    """What prices are solved for: orders ready to be asked, what is used of their limits, and whom nobody reaches
    until when (recipients, seconds since the day began)."""

    lines: Sequence[Line]
    tally: Tally
    odds: Odds
    orders: Codes
    sources: Codes
    absent: Mapping[str, float] = {}
    chances: Chances = NOTHING


def hedge_of(days: int, today: int) -> float:
    """How much to mistrust the prices: little with past days to go by, at first entirely without."""
    return HEDGE if days else max(HEDGE, COLD / (COLD + today))


def solve_prices(
    market: Market,
    past: Sample,
    days: int,
    today: Sample,
    origin: datetime,
    now: datetime,
    ends: datetime,
    before: Prices | None,
    random: np.random.Generator,
) -> Prices:
    """Prices from ``now`` until ``ends``, moments of the samples being seconds since ``origin``. ``before`` are those
    in force, from which the search begins."""
    clock = (now - origin).total_seconds()
    span = (ends - origin).total_seconds()
    outlook = look_ahead(past.traffic, days, today.traffic, clock, random, span)
    grid = _Grid(market, origin, now, ends)
    found = np.zeros(len(grid.left))
    if len(outlook.lead) and len(grid.left):
        uses = _uses(market, grid, joined(past, today), len(past), outlook)
        problem = Problem(uses, Limits(grid.left, grid.unit, grid.worth), random)
        start = grid.of(before) if before is not None else None
        found = problem.solve(random, start, *((5, 0.2) if start is not None else (12, 0.35)))
        half = problem.solve(random, found, 4, 0.3, slack=2.0)
        found = (1.0 - DROUGHT) * found + DROUGHT * half
    funds = before.funds if before is not None and before.at >= origin else {}
    opening = {name: max(funds.get(name, 0), have) for name, have in market.tally.funds.items()}
    return grid.prices(found, now, opening, hedge_of(days, len(today)))


def followed(today: Prices, tomorrow: Prices, turn: datetime) -> Prices:
    """The prices of one day until its ``turn`` and of the next from then on, so that a day does not begin without any.
    Windows that both know are cut there."""
    cut = int(turn.timestamp())
    orders = {
        name: [price if price.ends <= cut else replace(price, ends=cut) for price in prices]
        for name, prices in today.orders.items()
    }
    for name, prices in tomorrow.orders.items():
        orders.setdefault(name, []).extend(
            [price if price.starts >= cut else replace(price, starts=cut) for price in prices]
        )
    return replace(today, orders=orders)


class _Slots(Struct):
    """One limit's windows within the plan: their first row among all limits, and what they are of."""

    row: int
    kind: int
    """The place of its windows among the grid's kinds."""
    money: bool
    per: Per
    owner: str


class _Grid:
    """Every limit, window by window, as rows; and which rows an order's use draws on."""

    def __init__(self, market: Market, origin: datetime, now: datetime, ends: datetime) -> None:
        self._origin = origin
        self.kinds: list[tuple[Per, list[tuple[datetime, datetime]]]] = []
        self._numbers: dict[tuple[Per, str], int] = {}
        self.left: list[float] = []
        self.unit: list[float] = []
        self.scale: list[float] = []
        self.slots: dict[str, list[_Slots]] = {}
        self.accounts: dict[str, _Slots] = {}
        usual = {line.order.id: usual_price(line) for line in market.lines}
        dearest: dict[str, float] = {}
        for line in market.lines:
            account = line.wanted.account
            if account is not None:
                dearest[account] = max(dearest.get(account, 1.0), usual[line.order.id])
        for line in market.lines:
            self.slots[line.order.id] = [
                self._cap(market.tally, line, cap, usual[line.order.id], now, ends) for cap in line.wanted.caps
            ]
        whole = self._kind(Per.ALL, "UTC", now, ends)
        for name, price in dearest.items():
            if name in market.tally.funds:
                self.accounts[name] = _Slots(len(self.left), whole, True, Per.ALL, name)
                self._add(float(max(market.tally.funds[name], 0)), price, 1.0)
        self.worth = np.array(self.scale, float)

    def _add(self, left: float, unit: float, worth: float) -> None:
        self.left.append(max(left, 0.0))
        self.unit.append(unit)
        self.scale.append(worth)

    def _kind(self, per: Per, tz: str, now: datetime, ends: datetime) -> int:
        known = self._numbers.get((per, tz))
        if known is None:
            windows = []
            at = now
            while at < ends:
                window = bounds(per, tz, at)
                windows.append(window)
                at = window[1]
            known = self._numbers[per, tz] = len(self.kinds)
            self.kinds.append((per, windows))
        return known

    def _cap(self, tally: Tally, line: Line, cap: Cap, usual: float, now: datetime, ends: datetime) -> _Slots:
        wanted = line.wanted
        kind = self._kind(cap.per, wanted.tz, now, ends)
        slots = _Slots(len(self.left), kind, cap.spend is not None, cap.per, line.order.id)
        scope = order_scope(line.order.id)
        for starts, until in self.kinds[kind][1]:
            leads, spend = tally.used.get((scope, cap.per, starts), (0, 0))
            full, used = (cap.leads or 0, leads) if cap.spend is None else (cap.spend.amount, spend)
            left = float(full - used)
            if until > ends and cap.per is not Per.ALL:
                # What lasts beyond the plan is spent evenly.
                begin = max(starts, now)
                left *= (ends - begin) / (until - begin)
            if cap.spend is None:
                self._add(left, 1.0, usual * (_HOURLY if cap.per is Per.HOUR else 1.0))
            else:
                self._add(left, usual, 1.0)
        return slots

    def moment(self, slot: int) -> datetime:
        """The beginning of a quarter of an hour of the plan's day."""
        return self._origin + timedelta(seconds=slot * SLOT)

    def place(self, kind: int, at: Floats) -> Ints:
        """Into which of a limit's windows each moment falls."""
        starts = [(starts - self._origin).total_seconds() for starts, _ in self.kinds[kind][1]]
        return np.clip(np.searchsorted(np.array(starts), at, side="right") - 1, 0, len(starts) - 1)

    def of(self, before: Prices) -> Floats:
        """The prices of last time, where they are still of something."""
        found = np.zeros(len(self.left))
        known: dict[tuple[str, Per, bool, int], float] = {}
        cut: dict[tuple[str, Per, bool, int], tuple[int, float]] = {}
        for order_id, prices in before.orders.items():
            for price in prices:
                kind, worth = (order_id, price.per, bool(price.money)), price.money or price.lead
                known[*kind, price.starts] = worth
                cut[*kind, price.ends] = price.starts, worth
        for slots in (slots for each in self.slots.values() for slots in each):
            of = slots.owner, slots.per, slots.money
            for place, window in enumerate(self.kinds[slots.kind][1]):
                first, after = (int(at.timestamp()) for at in window)
                worth = known.get((*of, first), 0.0)
                if not worth:
                    # The later part of a window that was cut where one day's plan followed another's.
                    begins, part = cut.get((*of, after), (first, 0.0))
                    worth = part if begins > first else 0.0
                found[slots.row + place] = worth
        for name, slots in self.accounts.items():
            found[slots.row] = before.accounts.get(name, 0.0)
        return found

    def prices(self, found: Floats, at: datetime, funds: dict[str, int], hedge: float) -> Prices:
        """The rows as prices."""
        orders: dict[str, list[Price]] = {}
        for order_id, each in self.slots.items():
            told = []
            for slots in each:
                for place, (starts, ends) in enumerate(self.kinds[slots.kind][1]):
                    worth = float(found[slots.row + place])
                    if worth > _NOTHING:
                        window = slots.per, int(starts.timestamp()), int(ends.timestamp())
                        told.append(Price(*window, *((0.0, worth) if slots.money else (worth, 0.0))))
            if told:
                orders[order_id] = told
        accounts = {
            name: float(found[slots.row]) for name, slots in self.accounts.items() if found[slots.row] > _NOTHING
        }
        return Prices(at, orders, accounts, funds, hedge)


def _uses(market: Market, grid: _Grid, both: Sample, past: int, outlook: Outlook) -> Uses:
    lead_of = np.where(outlook.own, outlook.lead + past, outlook.lead)
    starts = both.first[lead_of]
    counts = both.first[lead_of + 1] - starts
    lead = np.repeat(np.arange(len(lead_of)), counts)
    row = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(len(lead))
    names = market.orders.names
    lines = {line.order.id: line for line in market.lines}
    listed = [lines.get(name) for name in names]
    order = both.order[row]
    slot = np.clip((outlook.at // SLOT).astype(np.int64), 0, None)
    keep = _reachable(market, listed, grid, slot)[order, slot[lead]]
    lead, row, order = lead[keep], row[keep], order[keep]
    origin = lead_of[lead]
    bid = both.bid[row]
    kept = np.array([market.odds.kept(name) for name in market.sources.names] or [1.0])
    part = np.array([market.chances.part(line) if line is not None else 1.0 for line in listed] or [1.0])
    value = bid * kept[both.traffic.traits[origin, 0]] * part[order]
    odds = _odds(market, listed, order, bid, both.traffic.score[origin])
    limits, draws = _draws(grid, listed, order, bid, outlook.at, lead)
    buyers = Codes()
    buyer = np.array([buyers.of(line.order.recipient) if line is not None else 0 for line in listed], np.int64)
    legs = both.legs[lead_of]
    return Uses(lead, value, odds, both.shared[row], buyer[order], limits, draws, outlook.weight, legs)


def _reachable(
    market: Market, listed: Sequence[Line | None], grid: _Grid, slot: Ints
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which orders can be sold to in which quarter of an hour: those in the market, open, and not out of reach."""
    slots = int(slot.max()) + 1 if len(slot) else 1
    moments = [grid.moment(number) for number in range(slots)]
    hours: dict[object, Floats] = {}
    found = np.zeros((max(len(listed), 1), slots), bool)
    every = np.ones(slots)
    for number, line in enumerate(listed):
        if line is None or line.fixed is not None:
            continue
        schedule = line.order.schedule
        if schedule is None:
            open_then = every
        else:
            known = hours.get(schedule)
            if known is None:
                known = hours[schedule] = np.array([float(is_open(schedule, moment)) for moment in moments])
            open_then = known
        found[number] = open_then > 0
        until = market.absent.get(line.order.recipient)
        if until is not None:
            found[number, : int(until // SLOT)] = False
    return found


def _odds(market: Market, listed: Sequence[Line | None], order: Ints, bid: Floats, score: Floats) -> Floats:
    odds = market.odds
    base = np.array([odds.base(line.order.id) if line is not None else 0.0 for line in listed] or [0.0])
    usual = np.array([usual_price(line) if line is not None else 1.0 for line in listed] or [1.0])
    by_score, by_bid = odds.slopes
    seen = np.array([odds.seen(each) for each in (0.0, 1.0)])
    told = base[order] + by_score * (seen[0] + (seen[1] - seen[0]) * score) + by_bid * (bid / usual[order] - 1.0)
    return cast(Floats, np.clip(told * odds.answered, 0.02, 0.99))


def _draws(
    grid: _Grid, listed: Sequence[Line | None], order: Ints, bid: Floats, at: Floats, lead: Ints
) -> tuple[Ints, Floats]:
    places = np.stack([grid.place(kind, at) for kind in range(len(grid.kinds))])
    width = max((len(each) for each in grid.slots.values()), default=0) + 1
    rows = np.full((max(len(listed), 1), width), -1, np.int64)
    kinds = np.zeros_like(rows)
    money = np.zeros(rows.shape, bool)
    for number, line in enumerate(listed):
        if line is None:
            continue
        mine = grid.slots.get(line.order.id, [])
        account = grid.accounts.get(line.wanted.account) if line.wanted.account is not None else None
        for column, slots in enumerate([*mine, *((account,) if account is not None else ())]):
            rows[number, column] = slots.row
            kinds[number, column] = slots.kind
            money[number, column] = slots.money
    first = rows[order]
    limits = np.where(first >= 0, first + places[kinds[order], lead[:, None]], -1)
    return limits, np.where(money[order], bid[:, None], 1.0)


def usual_price(line: Line) -> float:
    """What an order usually pays, in minor units."""
    price = line.order.price or line.order.shared_price
    return float(price.amount) if price is not None and price.amount > 0 else 1.0


class Moment:
    """Prices by order as they stand at a ``second``, in the whole numbers that an auction hears: minor units for a
    lead, and for a million minor units of money. Each order's are added up when first asked for: to do it for a large
    book at once would hold up one lead by milliseconds."""

    __slots__ = ("_accounts", "_known", "_prices", "_second")

    def __init__(
        self, prices: Mapping[str, Sequence[Price]], second: int, accounts: Mapping[str, float] | None = None
    ) -> None:
        self._prices = prices
        self._second = second
        self._accounts = accounts or {}
        self._known: dict[tuple[str, str], tuple[int, int]] = {}

    def of(self, order_id: str, account: str) -> tuple[int, int]:
        """What an order's lead is worth, and a million of its money, that of its limited ``account`` included."""
        found = self._known.get((order_id, account))
        if found is None:
            second, lead, money = self._second, 0.0, self._accounts.get(account, 0.0)
            for price in self._prices.get(order_id, ()):
                if price.starts <= second < price.ends:
                    lead += price.lead
                    money += price.money
            found = self._known[order_id, account] = round(lead), round(money * MILLION)
        return found


class Standing:
    """Prices as they stand at a moment, by order."""

    __slots__ = ("_moment", "_slot", "prices")

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self._slot = -1
        self._moment = Moment({}, 0)

    def at(self, now: datetime) -> Moment:
        """The prices in force now, of any order."""
        second = int(now.timestamp())
        if second // SLOT != self._slot:
            self._slot = second // SLOT
            self._moment = Moment(self.prices.orders, second, self.prices.accounts)
        return self._moment

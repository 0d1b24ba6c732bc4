"""What an order pays for one lead, in words and in whole minor units, and what the house asks of a price.

Called by the step ``Allocate`` for orders whose price depends on anything, and by the rankings for what a winner
pays. Pure. Everything is counted in whole minor units: all factors are multiplied exactly, and the product is rounded
once, half to even, as :meth:`~leadmill.core.money.Money.times` does. An order with one fixed price never comes here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from leadmill.core.hours import within
from leadmill.core.money import Money
from leadmill.core.predicates import All, Check, Value, compile_predicate, describe, parse
from leadmill.core.reasons import Because, because
from leadmill.market.model import Order, Per, Use
from leadmill.market.terms import BELOW_FLOOR, BELOW_RESERVE, MARGIN, CallTarget, MarketTerms, PriceRule, PriceTime
from leadmill.parties import Payout, Source, earned

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE_DAYS = {
    "mon": "on Monday",
    "tue": "on Tuesday",
    "wed": "on Wednesday",
    "thu": "on Thursday",
    "fri": "on Friday",
    "sat": "on Saturday",
    "sun": "on Sunday",
}


class Quote:
    """What an order would pay for one lead in minor units, alone and for a leg, and how that came about.

    ``covered`` says that a subscription has paid for it already; the amounts are then its share of the fee. A bid is
    a quote too: whoever heard one makes it from the bid, with the ``call``'s number where it named one.
    """

    __slots__ = ("call", "covered", "exclusive", "says", "shared")

    def __init__(
        self,
        exclusive: int | None,
        shared: int | None,
        says: str = "",
        covered: bool = False,
        call: CallTarget | None = None,
    ) -> None:
        self.call = call
        self.exclusive = exclusive
        self.shared = shared
        self.says = says
        self.covered = covered


class Tariff:
    """An order's price list ready to be asked. Made by :func:`tariff_of` once for each revision."""

    __slots__ = ("alone", "currency", "leg", "plan", "rules", "steps", "times", "tz")

    def __init__(self, order: Order, alone: Money | None, leg: Money | None) -> None:
        self.alone = alone
        self.leg = leg
        self.tz = order.tz
        self.currency = order.currency
        self.rules: list[tuple[Check, PriceRule, str]] = []
        for rule in order.price_rules:
            condition = parse(list(rule.where))
            parts = condition.parts if isinstance(condition, All) else (condition,)
            self.rules.append(
                (compile_predicate(condition), rule, f"where {' and '.join(describe(part) for part in parts)}")
            )
        self.times = [(item, _time_words(item)) for item in order.price_times]
        # The highest step reached counts; of two windows each has its say.
        self.steps = [
            (Per(per), sorted((step for step in order.volume if step.per == per), key=lambda step: -step.over))
            for per in ("day", "month")
            if any(step.per == per for step in order.volume)
        ]
        self.plan = order.subscription


def tariff_of(order: Order, alone: Money | None, leg: Money | None) -> Tariff | None:
    """The price list of an order, or None where its prices are fixed."""
    moves = order.price_rules or order.price_times or order.volume or order.subscription
    return Tariff(order, alone, leg) if moves else None


def windows_of(order: Order, by_share: bool = False) -> tuple[Per, ...]:
    """The windows whose leads must be counted for the order's price, or for its share of a day."""
    found = [Per(step.per) for step in order.volume] + ([Per.DAY] if by_share else [])
    return tuple(dict.fromkeys([*found, *((Per.MONTH,) if order.subscription is not None else ())]))


def quote(
    tariff: Tariff, values: Mapping[str, Value], now: datetime, uses: Sequence[Use], lower: Decimal | None = None
) -> Quote:
    """What the order pays for a lead of these values at this moment, ``uses`` being what its windows have seen.

    The first rule that names a price and holds sets it, every factor that holds multiplies it. ``lower`` is the
    factor of a lead that is offered again.
    """
    counts = {use.per: use.leads for use in uses}
    alone, leg, named = tariff.alone, tariff.leg, ""
    factors: list[tuple[Decimal, str]] = []
    for check, rule, words in tariff.rules:
        if rule.factor is None and named:
            continue
        if check(values, now):
            if rule.factor is not None:
                factors.append((rule.factor, words))
            else:
                alone = rule.price if alone is not None and rule.price is not None else alone
                leg = rule.shared_price if leg is not None and rule.shared_price is not None else leg
                named = words
    for per, steps in tariff.steps:
        step = next((item for item in steps if counts.get(per, 0) >= item.over), None)
        if step is None:
            continue
        words = f"beyond {step.over} leads {'today' if per is Per.DAY else 'this month'}"
        if step.factor is not None:
            factors.append((step.factor, words))
        else:
            alone = step.price if alone is not None and step.price is not None else alone
            leg = step.shared_price if leg is not None and step.shared_price is not None else leg
            named = f"{named}, {words}" if named else words
    plan = tariff.plan
    if plan is not None:
        if counts.get(Per.MONTH, 0) < plan.leads:
            share = plan.share.amount
            says = f"covered by the month's {plan.fee}, lead {counts.get(Per.MONTH, 0) + 1} of {plan.leads}"
            return Quote(
                share if alone is not None else None, share if leg is not None else None, f"{plan.share}, {says}", True
            )
        alone = plan.overage if alone is not None else None
        leg = plan.overage if leg is not None else None
        named = f"beyond the {plan.leads} leads that the month's {plan.fee} covers"
        return Quote(_amount(alone), _amount(leg), _spell(alone or leg, named, [], None))
    factors += [(item.factor, words) for item, words in tariff.times if _is_time(item, tariff.tz, now)]
    if lower is not None:
        factors.append((lower, "offered again"))
    product = math.prod((factor for factor, _ in factors), start=Decimal(1))
    exclusive = alone.times(product) if alone is not None else None
    shared = leg.times(product) if leg is not None else None
    says = _spell(alone or leg, named, factors, exclusive or shared) if factors or named else ""
    if exclusive is not None and shared is not None and says and leg is not None:
        says += f"; a leg {_spell(leg, '', factors, shared)}" if factors else f"; a leg {leg}"
    return Quote(_amount(exclusive), _amount(shared), says)


def _amount(money: Money | None) -> int | None:
    return money.amount if money is not None else None


def _spell(base: Money | None, named: str, factors: Sequence[tuple[Decimal, str]], result: Money | None) -> str:
    start = f"{base} {named}" if named else str(base)
    steps = "".join(f" x {factor} {words}" for factor, words in factors)
    return f"{start}{steps} = {result}" if factors else start


def _is_time(item: PriceTime, tz: str, now: datetime) -> bool:
    if item.spans and not within(item.spans, tz, now):
        return False
    if item.first is None or item.last is None:
        return True
    today = _month_day(tz, int(now.timestamp()) // 900)
    if item.first <= item.last:
        return item.first <= today <= item.last
    return today >= item.first or today <= item.last


@lru_cache(maxsize=1024)
def _month_day(tz: str, slot: int) -> tuple[int, int]:
    local = datetime.fromtimestamp(slot * 900, UTC).astimezone(ZoneInfo(tz))
    return local.month, local.day


def _time_words(item: PriceTime) -> str:
    parts = [_WHOLE_DAYS.get(text.removesuffix(" 00:00-24:00"), text) for text in item.text]
    if item.first is not None and item.last is not None:
        parts.append(f"from {_day_words(item.first)} to {_day_words(item.last)}")
    return ", ".join(parts)


def _day_words(day: tuple[int, int]) -> str:
    return f"{datetime(2024, day[0], day[1], tzinfo=UTC):%B} {day[1]}"


def price_terms(order: Order) -> list[str]:
    """How an order's price moves, a line each, for a person to read."""
    found = []
    for rule in order.price_rules:
        condition = parse(list(rule.where))
        parts = condition.parts if isinstance(condition, All) else (condition,)
        where = " and ".join(describe(part) for part in parts)
        found.append(f"{_step_words(rule.price, rule.shared_price, rule.factor)} where {where}")
    for item in order.price_times:
        found.append(f"x {item.factor} {_time_words(item)}")
    for step in order.volume:
        said = _step_words(step.price, step.shared_price, step.factor)
        found.append(f"{said} beyond {step.over} leads a {step.per}")
    plan = order.subscription
    if plan is not None:
        found.append(f"{plan.fee} a month for {plan.leads} leads, then {plan.overage} each")
    return found


def _step_words(price: Money | None, shared: Money | None, factor: Decimal | None) -> str:
    if factor is not None:
        return f"x {factor}"
    return ", ".join([str(price)] * (price is not None) + [f"{shared} shared"] * (shared is not None))


# What the house asks of a price


class HouseTerms:
    """What a sale of one source's leads in one vertical must bring: floors, reserves and a margin, in minor units."""

    __slots__ = (
        "consent_list",
        "currency",
        "floor",
        "least",
        "payout",
        "rate",
        "reserve",
        "second_price",
        "shared_floor",
        "shared_reserve",
        "whose",
        "whose_shared",
    )

    def __init__(self, market: MarketTerms | None, source: Source | None, currency: str) -> None:
        self.currency = currency
        self.second_price = market is not None and market.second_price
        self.consent_list = market is not None and market.consent_list
        own = source if source is not None and source.currency == currency else None
        self.floor, self.whose = _higher(market.floor if market else None, own.floor if own else None)
        self.shared_floor, self.whose_shared = _higher(
            market.shared_floor if market else None, own.shared_floor if own else None
        )
        self.reserve = market.reserve.amount if market and market.reserve else 0
        self.shared_reserve = market.shared_reserve.amount if market and market.shared_reserve else 0
        self.payout: Payout | None = own.payout if own else None
        self.least = own.min_margin.amount if own and own.min_margin is not None else 0
        self.rate = own.min_margin_rate if own and own.min_margin_rate is not None else Decimal(0)

    @property
    def asks(self) -> bool:
        """Whether anything is asked at all."""
        return bool(
            self.second_price
            or self.consent_list
            or self.floor
            or self.shared_floor
            or self.reserve
            or self.shared_reserve
            or self.least
            or self.rate
        )

    def refuses(self, amount: int, alone: bool) -> Because | None:
        """Why a price is too low by itself, or None; ``alone`` says for which mode. A shared lead's margin is asked
        of its legs together."""
        floor, whose = (self.floor, self.whose) if alone else (self.shared_floor, self.whose_shared)
        if amount < floor:
            return because(BELOW_FLOOR, price=self._words(amount), whose=whose, floor=self._words(floor))
        reserve = self.reserve if alone else self.shared_reserve
        if amount < reserve:
            return because(BELOW_RESERVE, price=self._words(amount), reserve=self._words(reserve))
        return self.thin([amount]) if alone else None

    def thin(self, amounts: Sequence[int]) -> Because | None:
        """Why legs at these prices leave too little once the source has its payout, or None."""
        if not self.least and not self.rate:
            return None
        total = sum(amounts)
        paid = payout_of(self.payout, amounts, self.currency)
        least = max(self.least, math.ceil(total * self.rate))
        if total - paid >= least:
            return None
        return because(
            MARGIN,
            price=self._words(total),
            payout=self._words(paid),
            left=self._words(total - paid),
            least=self._words(least),
        )

    def _words(self, amount: int) -> str:
        return str(Money(amount, self.currency))


def _higher(market: Money | None, source: Money | None) -> tuple[int, str]:
    ours, theirs = market.amount if market else 0, source.amount if source else 0
    return (theirs, "the source's") if theirs > ours else (ours, "the market's")


def terms_of(market: MarketTerms | None, source: Source | None, currency: str) -> HouseTerms | None:
    """What the house asks, None where it takes any price."""
    found = HouseTerms(market, source, currency)
    return found if found.asks else None


def payout_of(payout: Payout | None, amounts: Sequence[int], currency: str) -> int:
    """What a source earns from a lead sold in legs at these prices, in minor units."""
    if payout is None:
        return 0
    if payout.model == "fixed":
        return payout.amount.amount if payout.amount is not None else 0
    return sum(earned(payout, Money(amount, currency)).amount for amount in amounts)


def second_price(
    offered: Sequence[int], rivals: Sequence[int], reserve: int, fits: Callable[[Sequence[int]], bool]
) -> list[int]:
    """What winners pay in a second-price market: the best rival's amount or the reserve, whichever is more, never
    more than each offered itself. Where ``fits`` refuses so little, all rise together, no further than it asks."""
    start = max([reserve, *rivals], default=0)
    low, high = start, max(offered)

    def at(level: int) -> list[int]:
        return [min(own, max(level, 0)) for own in offered]

    if low >= high or fits(at(low)):
        return at(low)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(at(middle)) else (middle + 1, high)
    return at(low)


# A reserve that bids suggest


def myerson_reserve(bids: Sequence[float], cost: float = 0.0, most: float | None = None) -> float | None:
    """The reserve that would have earned most against bids like these: Myerson's optimal auction (Mathematics of
    Operations Research 6, 1981), where φ(r) = r − (1 − F(r)) / f(r) equals the ``cost`` of a lead.

    Any unit of money; ``most`` bounds it (the highest standing order). F is the share of bids below, smoothed with a
    normal kernel over the logarithms of the bids, width by Silverman's rule; (r − cost)(1 − F(r)), whose maximum is the
    solution, is searched over a grid and refined. None for fewer than ten bids: a suggestion would be noise.
    """
    known = sorted(bid for bid in bids if bid > 0)
    if len(known) < _FEWEST:
        return None
    logs = [math.log(bid) for bid in known]
    mean = math.fsum(logs) / len(logs)
    spread = math.sqrt(math.fsum((item - mean) ** 2 for item in logs) / (len(logs) - 1))
    quartiles = (logs[(3 * len(logs)) // 4] - logs[len(logs) // 4]) / 1.349
    width = 0.9 * min(spread, quartiles or spread) * len(logs) ** -0.2
    kept = [known[len(known) * place // _SAMPLE] for place in range(_SAMPLE)] if len(known) > _SAMPLE else known
    points = [math.log(bid) for bid in kept]

    def gain(price: float) -> float:
        if width <= 0:
            above = sum(bid >= price for bid in kept) / len(kept)
        else:
            at = math.log(price)
            above = math.fsum(0.5 * math.erfc((at - point) / (width * math.sqrt(2))) for point in points) / len(points)
        return (price - cost) * above

    top = min(known[-1], most) if most is not None else known[-1]
    best = max((top * step / _GRID for step in range(1, _GRID + 1)), key=gain)
    around = (best + top / _GRID * (step / 10 - 1) for step in range(21))
    return max((price for price in around if 0 < price <= top), key=gain)


_FEWEST = 10
_SAMPLE = 2000
_GRID = 400

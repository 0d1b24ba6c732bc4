"""What a referee's day is made of, as the house knows such things: orders, how they bid, whether a buyer answers.

Called by ``play``. Money is minor units, moments are seconds of the day.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from leadmill.core.hours import Schedule, parse_span
from leadmill.core.money import Money
from leadmill.market.allocation.scarce import THOUSAND
from leadmill.market.allocation.shadow import MILLION, Moment
from leadmill.market.allocation.shortlist import Way, Wish
from leadmill.market.model import MAX_LEGS, Cap, Mode, Order, Per
from leadmill.market.orderbook.lines import Line
from leadmill.market.orderbook.pricing import Quote
from leadmill.market.worths import Worths

Row = Mapping[str, Any]
"""A row of a table or a message of the referee."""

_UNUSED = math.exp(-1.0)
_NOISE = 1e-6
"""What the last digits of a sum may be out by, in minor units."""

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


class Reach:
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


def quote_of(line: Line, bid: int) -> Quote | None:
    """What the order bids for one lead; None where it is its fixed price."""
    price = line.exclusive or line.shared
    if price is not None and price.amount == bid:
        return None
    return Quote(bid, None) if line.exclusive is not None else Quote(None, bid)


class Ready(Way):
    """A way to sell leads with what its limits are worth now, ``lead`` and ``money`` as ``Scarce`` has them. ``gone``
    is e^(f − 1) of the share f of its fullest limit that was gone when it was last looked at."""

    __slots__ = ("gone", "lead", "line", "money")

    def __init__(self, line: Line, standing: Moment) -> None:
        order = line.order
        super().__init__(order.id, order.recipient, line.exclusive is None, order.max_legs)
        self.line = line
        self.gone = _UNUSED
        self.lead, self.money = standing.of(order.id, line.wanted.account or "")


def wishes_of(wanting: Iterable[tuple[int, int]], ready: Mapping[int, Ready], worths: Worths) -> list[Wish[Ready]]:
    """Those of the orders that want a lead, by number and bid, that it may be worth selling to, each with the most it
    can be worth: what :func:`~leadmill.market.allocation.worth.reduced` says of it as long as no more of its limits is
    used than when it was last looked at."""
    found: list[Wish[Ready]] = []
    hedge, kept = worths.hedge / THOUSAND, worths.kept / THOUSAND
    get, trust = ready.get, 1.0 - hedge
    for number, amount in wanting:
        way = get(number)
        if way is not None:
            most = amount * kept * (1.0 - hedge * way.gone) - trust * (way.lead + way.money / MILLION * amount)
            if most > 0.0:
                found.append((most + _NOISE, amount, way))
    return found


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

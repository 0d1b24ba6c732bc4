"""How a day goes for an order: what it got so far, slot by slot, beside an even use of its day's limit.

Called by the pages that show pacing. Pure; the rows come from the store.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from leadmill.core.hours import Schedule, is_open
from leadmill.market.model import Order, Per
from leadmill.market.windows import SLOT, bounds


class Sold(Struct, frozen=True):
    """What an order got in one slot of fifteen minutes: ``slot`` counts them since 1970, ``spend`` is minor units."""

    order_id: str
    slot: int
    leads: int
    spend: int


class Pace(Struct, frozen=True, kw_only=True):
    """An order's local day. ``points`` are (moment, used so far), beginning at ``starts`` with nothing and ending at
    the present; ``even`` is what an even use of the open hours would have used by now and ``corners`` the line of it
    over the whole day. Leads, or minor units of ``currency`` where ``limit`` is one of money; no limit without a cap a
    day."""

    order_id: str
    starts: datetime
    ends: datetime
    points: tuple[tuple[datetime, int], ...]
    kind: str
    limit: int | None
    even: int | None
    corners: tuple[tuple[datetime, float], ...]
    currency: str

    @property
    def used(self) -> int:
        """What is used by now."""
        return self.points[-1][1]


def pace_of(order: Order, sold: Iterable[Sold], now: datetime) -> Pace:
    """The day of an order as it stands at ``now``."""
    starts, ends = bounds(Per.DAY, order.tz, now)
    daily = next((cap for cap in order.caps if cap.per is Per.DAY), None)
    of_money = daily is not None and daily.spend is not None
    limit = None if daily is None else daily.spend.amount if daily.spend is not None else daily.leads
    total = 0
    points = [(starts, 0)]
    for item in sorted(sold, key=lambda item: item.slot):
        at = datetime.fromtimestamp(item.slot * SLOT, starts.tzinfo)
        if item.order_id != order.id or not starts <= at < ends:
            continue
        total += item.spend if of_money else item.leads
        points.append((min(at + timedelta(seconds=SLOT), now), total))
    points.append((now, total))
    corners = even_line(order.schedule, starts, ends, limit) if limit is not None else ()
    return Pace(
        order_id=order.id,
        starts=starts,
        ends=ends,
        points=tuple(points),
        kind="spend" if of_money else "leads",
        limit=limit,
        even=round(_at(corners, now)) if corners else None,
        corners=corners,
        currency=order.currency,
    )


def even_line(
    schedule: Schedule | None, starts: datetime, ends: datetime, limit: int
) -> tuple[tuple[datetime, float], ...]:
    """Where an even use of the open hours would stand: the corners of a line from nothing to the limit."""
    step = timedelta(seconds=SLOT)
    slots = [starts + step * number for number in range(int((ends - starts) / step))]
    taking = [schedule is None or is_open(schedule, slot) for slot in slots]
    each = limit / (sum(taking) or 1)
    total = 0.0
    corners = [(starts, 0.0)]
    for number, slot in enumerate(slots):
        total += each if taking[number] else 0.0
        last = number + 1 == len(slots)
        if last or taking[number] != taking[number + 1]:
            corners.append((slot + step, total))
    return tuple(corners)


def _at(corners: tuple[tuple[datetime, float], ...], now: datetime) -> float:
    for (left, low), (right, high) in pairwise(corners):
        if now <= right:
            return low + (high - low) * ((now - left) / (right - left))
    return corners[-1][1]

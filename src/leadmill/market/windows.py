"""Windows of caps, in the zones of those who set them.

Called by the step, the cap books and the pages that show pacing. Pure; the zones are the IANA database's. A day is a
local day, so it has 23 or 25 hours twice a year, and an hour that the clocks repeat counts as two.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from leadmill.market.model import Per

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""The bounds of :attr:`Per.ALL`."""

EPOCH = FIRST
"""The moment a condition without a span is asked at: it does not matter to it."""

SLOT = 900
"""Seconds in which no local hour begins or ends: the offsets of all zones in use are quarters of an hour."""


def bounds(per: Per, tz: str, at: datetime) -> tuple[datetime, datetime]:
    """The window of this kind that holds ``at``, in UTC: from its first moment to the first moment after it."""
    return _bounds(per, tz, int(at.timestamp()) // SLOT)


@lru_cache(maxsize=8192)
def _bounds(per: Per, tz: str, slot: int) -> tuple[datetime, datetime]:
    if per is Per.ALL:
        return FIRST, LAST
    at = datetime.fromtimestamp(slot * SLOT, UTC)
    zone = ZoneInfo(tz)
    local = at.astimezone(zone)
    if per is Per.HOUR:
        starts = at - timedelta(minutes=local.minute)
        return starts, starts + timedelta(hours=1)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if per is Per.DAY:
        first, after = midnight, midnight + timedelta(days=1)
    elif per is Per.WEEK:
        first = midnight - timedelta(days=local.weekday())
        after = first + timedelta(days=7)
    else:
        first = midnight.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    return first.astimezone(UTC), after.astimezone(UTC)


def month_of(tz: str, at: datetime) -> datetime:
    """When the month of a zone that holds ``at`` began."""
    return bounds(Per.MONTH, tz, at)[0]

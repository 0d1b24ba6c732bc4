"""Windows of providers' limits, and what one request counts in them. Pure.

Every window is of UTC: a provider's invoice knows no daylight saving.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from leadmill.enrich.declared import Chain, Limit, Per, ProviderSpec
from leadmill.enrich.store import Count

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)
_SPANS = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


def window(per: Per, at: datetime) -> tuple[datetime, datetime]:
    """The window that holds a moment: its first moment and the first one after it."""
    at = at.astimezone(UTC)
    if per == "all":
        return _FIRST, _LAST
    if per in ("day", "month"):
        day = at.replace(hour=0, minute=0, second=0, microsecond=0)
        if per == "day":
            return day, day + timedelta(days=1)
        first = day.replace(day=1)
        return first, first + timedelta(days=monthrange(first.year, first.month)[1])
    span = _SPANS[per]
    starts = _FIRST + (at - _FIRST) // span * span
    return starts, starts + span


def scope_of(declared: ProviderSpec | Chain) -> str:
    """What counters of a provider or a chain are kept under."""
    return f"{'provider' if isinstance(declared, ProviderSpec) else 'chain'} {declared.id}"


def counts_of(declared: ProviderSpec | Chain, asks: int, spent: int, at: datetime) -> list[Count]:
    """What so many requests and so much money (millionths) count: in each window with a limit, and in the day's, which
    is always kept."""
    limits = declared.limits
    if not any(limit.per == "day" for limit in limits):
        limits = (*limits, Limit("day"))
    return [
        Count(scope_of(declared), limit.per, *window(limit.per, at), asks, spent, limit.asks, limit.spend)
        for limit in limits
    ]

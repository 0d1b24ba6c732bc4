"""Hours of contact: whether every clock that may be the person's stands inside every window, and when it next will.

Called by the law engine. Pure. A window is asked in each zone; a day's hours are half-open, to the second. Windows
stand from one local date to another, so that the next opening is found under the law of that day.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from leadmill.policy.calendars import Calendar
from leadmill.policy.provisions import Span, Window

_LONGEST = 400
"""Days to look ahead; a window that never opens in them never does."""


def span_on(window: Window, day: date, calendar: Calendar) -> Span:
    """The hours of a day."""
    if window.holiday != "as usual" and calendar.is_holiday(day):
        return window.holiday
    weekday = day.weekday()
    return window.sunday if weekday == 6 else window.saturday if weekday == 5 else window.weekday


def stands_on(window: Window, day: date) -> bool:
    """Whether the window is law on a local date."""
    begun = window.effective_from is None or window.effective_from <= day
    return begun and (window.effective_to is None or day < window.effective_to)


def shuts(window: Window, zone: str, at: datetime, calendar: Calendar) -> bool:
    """Whether the window keeps a person in this zone from being contacted now."""
    local = at.astimezone(ZoneInfo(zone))
    day = local.date()
    if not stands_on(window, day):
        return False
    span = span_on(window, day, calendar)
    return span is None or not span[0] <= local.time() < span[1]


def opens(window: Window, zone: str, at: datetime, calendar: Calendar) -> datetime | None:
    """The first moment after ``at`` at which a window that is shut in this zone is open, None where there is none."""
    tz = ZoneInfo(zone)
    day = at.astimezone(tz).date()
    for _ in range(_LONGEST):
        if not stands_on(window, day):
            return datetime.combine(day, datetime.min.time(), tz).astimezone(UTC)
        span = span_on(window, day, calendar)
        if span is not None:
            first = datetime.combine(day, span[0], tz).astimezone(UTC)
            if first > at:
                return first
        day += timedelta(days=1)
    return None


Deferral = Callable[[datetime], datetime | None]
"""Until when something defers that defers at a moment; the moment itself where it does not; None for ever."""


def of_windows(windows: Sequence[Window], zones: Iterable[str], calendar: Calendar) -> Deferral:
    """The windows as one deferral."""
    pairs = [(window, zone) for zone in zones for window in windows]

    def until(at: datetime) -> datetime | None:
        latest = at
        for window, zone in pairs:
            if shuts(window, zone, at, calendar):
                found = opens(window, zone, at, calendar)
                if found is None:
                    return None
                latest = max(latest, found)
        return latest

    return until


def of_moment(moment: datetime) -> Deferral:
    """A hold that ends at a moment."""
    return lambda at: max(at, moment)


def first_free(now: datetime, deferrals: Sequence[Deferral]) -> datetime | None:
    """The first moment at or after now at which nothing defers any more, None where there is none to be found."""
    at = now
    for _ in range(2 * _LONGEST):
        found = [deferral(at) for deferral in deferrals]
        latest = at
        for one in found:
            if one is None:
                return None
            latest = max(latest, one)
        if latest == at:
            return at
        at = latest
    return None

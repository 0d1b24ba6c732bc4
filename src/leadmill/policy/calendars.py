"""Calendars: holidays, business days, calendar months, and the instants at which local days begin.

Called by the law engine. Pure. Which days are holidays is data (``calendar.toml`` of a law pack): a fixed date or the
n-th weekday of a month, closed on the day itself and on the day it is observed (Saturday's on Friday, Sunday's on
Monday; 5 USC 6103).
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from leadmill.core.reading import Table

Counting = Literal["calendar", "business", "saturdays"]
"""Which days a term counts: all; Monday to Friday without holidays; the same and Saturdays too (16 CFR 429.0(f))."""

_DAY = timedelta(days=1)


class Holiday(Struct, frozen=True):
    """A day off every year from ``since``: on ``day`` of ``month``, or on its ``nth`` ``weekday`` (Monday is 0; -1 for
    the last)."""

    name: str
    month: int
    day: int = 0
    nth: int = 0
    weekday: int = 0
    since: int = 1


def read_holiday(table: Table) -> Holiday:
    """A ``[[holiday]]`` of a pack."""
    return Holiday(
        name=table.text("name"),
        month=table.whole("month", least=1, most=12),
        day=table.whole("day", 0, most=31),
        nth=int(table.value("nth", 0)),
        weekday=table.whole("weekday", 0, most=6),
        since=table.whole("since", 1, least=1),
    )


class Calendar:
    """The holidays of the packs in force."""

    def __init__(self, holidays: Iterable[Holiday]) -> None:
        self._holidays = tuple(holidays)
        self._closed = lru_cache(256)(self._year)

    def is_holiday(self, day: date) -> bool:
        """Whether the day is a holiday or the observed day of one."""
        return day in self._closed(day.year)

    def counts(self, day: date, counting: Counting) -> bool:
        """Whether a term goes on by this day."""
        if counting == "calendar":
            return True
        return day.weekday() < (5 if counting == "business" else 6) and not self.is_holiday(day)

    def add(self, start: date, days: int, counting: Counting) -> date:
        """The last of so many days; ``start`` is day 0 and need not count itself."""
        if counting == "calendar":
            return start + timedelta(days=days)
        day = start
        while days > 0:
            day += _DAY
            days -= self.counts(day, counting)
        return day

    def _year(self, year: int) -> frozenset[date]:
        closed: set[date] = set()
        for around in (year - 1, year, year + 1):  # New Year's Day on a Saturday is observed in the year before
            for holiday in self._holidays:
                if around >= holiday.since:
                    day = _day_of(holiday, around)
                    closed |= {day, day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))}
        return frozenset(day for day in closed if day.year == year)


def _day_of(holiday: Holiday, year: int) -> date:
    if holiday.day:
        return date(year, holiday.month, holiday.day)
    if holiday.nth < 0:
        last = date(year, holiday.month, monthrange(year, holiday.month)[1])
        return last - timedelta(days=(last.weekday() - holiday.weekday) % 7)
    first = date(year, holiday.month, 1)
    return first + timedelta(days=(holiday.weekday - first.weekday()) % 7 + 7 * (holiday.nth - 1))


def add_months(start: date, months: int) -> date:
    """The same day so many months on, or the month's last where it has none: 30 November and three make 28 or 29
    February. What would lie beyond the calendar is its first or last day."""
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not MINYEAR <= year <= MAXYEAR:
        return date.max if year > MAXYEAR else date.min
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def local_day(at: datetime, zone: str) -> date:
    """The date on the wall of a zone; at the calendar's ends, where a zone's would lie beyond, that of UTC."""
    try:
        return at.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return at.date()


def midnight(day: date, zone: str) -> datetime:
    """When a local day begins, in UTC. Where the clocks leave midnight out, the first moment after it."""
    begins = datetime.combine(day, time(), ZoneInfo(zone))
    try:
        return begins.astimezone(UTC)
    except OverflowError:  # on the calendar's first day
        return begins.replace(tzinfo=UTC)


def within_months(then: datetime, now: datetime, months: int, zones: Iterable[str]) -> bool:
    """Whether ``now`` lies no later than the last of so many calendar months after ``then``, by the dates of every
    zone; the last day is one of them. A moment to come is not within."""
    return then <= now and all(local_day(now, zone) <= add_months(local_day(then, zone), months) for zone in zones)

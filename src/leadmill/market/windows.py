"""Windows of caps and hours of business, in the zones of those who set them.

Called by the step, the cap books and the pages that show pacing. Pure; the zones are the IANA database's. A day is a
local day, so it has 23 or 25 hours twice a year, and an hour that the clocks repeat counts as two.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from leadmill.market.model import Per, Schedule, Span

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""The bounds of :attr:`Per.ALL`."""

WEEK = 7 * 24 * 60
"""Minutes in a week."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

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


@lru_cache(maxsize=4096)
def _minute_of_week(tz: str, minute: int) -> int:
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(tz))
    return local.weekday() * 1440 + local.hour * 60 + local.minute


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether the schedule is open at a moment, by the clock on the wall of its zone."""
    minute = _minute_of_week(schedule.tz, int(at.timestamp()) // 60)
    return any(span.start <= minute < span.end or minute + WEEK < span.end for span in schedule.spans)


def local_words(tz: str, at: datetime) -> str:
    """A moment as the wall clock of a zone shows it: ``Wed 14:05``."""
    return at.astimezone(ZoneInfo(tz)).strftime("%a %H:%M")


def parse_span(text: str) -> list[Span]:
    """Spans of the week written as ``mon-fri 08:00-18:00`` or ``sat,sun 10:00-14:00``. An end at or before its start
    is the next day's: ``fri 22:00-06:00`` ends on Saturday. Raises ValueError for anything else."""
    days, _, hours = text.strip().lower().partition(" ")
    found = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", hours.strip())
    if found is None:
        raise ValueError("hours")
    start = _minute(int(found[1]), int(found[2]))
    end = _minute(int(found[3]), int(found[4]))
    if start == 1440 or start == end:
        raise ValueError("hours")
    length = end - start if end > start else end - start + 1440
    return [Span(day * 1440 + start, day * 1440 + start + length) for day in _days(days)]


def _minute(hour: int, minute: int) -> int:
    if minute > 59 or hour * 60 + minute > 1440:
        raise ValueError("hours")
    return hour * 60 + minute


def _days(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 + 1 if dash else 1
        found += [(start + offset) % 7 for offset in range(length)]
    return sorted(set(found))

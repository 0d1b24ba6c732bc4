"""Hours of the week, in the zone of whoever set them: when an order is open, when a rep works, when a price differs.

Used by the readers of parties and orders and by the market. Pure; the zones are the IANA database's. Hours are those
of the clock on the wall, so a day has 23 or 25 of them twice a year.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from leadmill.core.reading import Table

WEEK = 7 * 24 * 60
"""Minutes in a week."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Span(Struct, frozen=True):
    """Open from ``start`` to ``end``, minutes since Monday 00:00 of the local week; ``end`` is past the week's last
    minute where Sunday night runs into Monday."""

    start: int
    end: int


class Schedule(Struct, frozen=True):
    """When something is open: spans of the local week in the IANA zone ``tz``. ``text`` is what was declared."""

    tz: str
    spans: tuple[Span, ...]
    text: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def _minute_of_week(tz: str, minute: int) -> int:
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(tz))
    return local.weekday() * 1440 + local.hour * 60 + local.minute


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether the schedule is open at a moment, by the clock on the wall of its zone."""
    return within(schedule.spans, schedule.tz, at)


def within(spans: Iterable[Span], tz: str, at: datetime) -> bool:
    """Whether a moment lies in one of the spans of a zone's week."""
    minute = _minute_of_week(tz, int(at.timestamp()) // 60)
    return any(span.start <= minute < span.end or minute + WEEK < span.end for span in spans)


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


def read_schedule(table: Table, never: str) -> Schedule:
    """A table ``{ tz, open }``; ``never`` is what to say of one that would never be open. Refuses as
    :class:`~leadmill.core.reading.Table` does."""
    tz = read_zone(table, "tz") if table.has("tz") else "UTC"
    texts = table.texts("open")
    table.close()
    spans = read_spans(table, "open", texts)
    if not spans:
        table.refuse(never, "open")
    return Schedule(tz, spans, texts)


def read_spans(table: Table, key: str, texts: Iterable[str]) -> tuple[Span, ...]:
    """The spans that texts of a table name, in the week's order."""
    spans: list[Span] = []
    for text in texts:
        try:
            spans += parse_span(text)
        except ValueError:
            table.refuse(f'write "mon-fri 08:00-18:00" or "sat,sun 22:00-02:00", not "{text}"', key)
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def read_zone(table: Table, key: str) -> str:
    """An IANA zone."""
    name = table.text(key)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.refuse('must be a zone such as "America/Los_Angeles"', key)
    return name

"""Spans of time as people write them, and the moments that fields hold as text.

Used by conditions, caps and whatever else counts back from now. A span is a count and a unit: ``12h``, ``90d``,
``2w``, ``6mo``, ``18y``."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from leadmill.core.faults import BadInput

_SPAN = re.compile(r"([0-9]{1,5})(h|d|w|mo|y)")
_UNITS = {"h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


def is_span(text: str) -> bool:
    """Whether ``text`` is a span."""
    return _SPAN.fullmatch(text) is not None


def before(now: datetime, span: str) -> datetime:
    """The moment a span before ``now``; months and years by the calendar, no earlier than the year 1.

    Raises :class:`BadInput` ``config.span.malformed`` where ``span`` is none.
    """
    try:
        return _moved(now, span, -1)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def after(start: datetime, span: str) -> datetime:
    """The moment a span after ``start``; months and years by the calendar, no later than the year 9999.

    Raises :class:`BadInput` ``config.span.malformed`` where ``span`` is none.
    """
    try:
        return _moved(start, span, 1)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)


def _moved(start: datetime, span: str, way: int) -> datetime:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise BadInput("config.span.malformed", "write a span such as 12h, 90d, 2w, 6mo or 18y")
    count, unit = way * int(found[1]), found[2]
    if unit in ("mo", "y"):
        months = start.year * 12 + start.month - 1 + count * (12 if unit == "y" else 1)
        year, month = months // 12, months % 12 + 1
        return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
    return start + (timedelta(hours=count) if unit == "h" else timedelta(days=count * (7 if unit == "w" else 1)))


def span_words(span: str) -> str:
    """A span in words: ``90 days``; anything else unchanged."""
    found = _SPAN.fullmatch(span)
    if found is None:
        return span
    count = int(found[1])
    return f"{count} {_UNITS[found[2]]}{'' if count == 1 else 's'}"


def moment(text: str) -> datetime | None:
    """The moment an ISO 8601 date (its midnight) or time names, in UTC where it says no zone; None where it names
    none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None

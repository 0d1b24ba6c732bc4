"""How a cell is read: as a level, a number, a moment or a time of day. The same in training and in scoring.

Pure functions; a cell that cannot be read counts as missing, never as an error, because one odd row must not stop a
file or a lead.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from math import isfinite, nan
from typing import Any

from leadmill.learning.model import Kind

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "missing"})
"""Folded texts that say that there is no value."""
TRUE = ("true", "yes", "1", "y", "t")
FALSE = ("false", "no", "0", "n", "f")
_NUMBER = re.compile(r"^[-+]?[$€£¥]?\s*[-+]?(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?\s*%?$")
_NOISE = re.compile(r"[$€£¥,%\s]")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap]\.?m\.?)?$", re.IGNORECASE)
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?$")
_SLASHED = re.compile(
    r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]m)?)?$", re.I
)
DAY_FIRST = "day first"
"""The part of a feature's name that says how its column writes dates such as 03/04/2026."""


def folded(value: Any) -> str:
    """The text by which a level is looked up; empty for none."""
    if value is None:
        return ""
    if type(value) is not str:
        if value is True or value is False:
            return "true" if value else "false"
        if isinstance(value, float):
            if not isfinite(value):
                return ""
            value = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        else:
            value = str(value)
    text = " ".join(value.split()).casefold()
    return "" if text in MISSING else text


def number_of(value: Any) -> float:
    """The number, NaN for none: signs of money, of per cent and of thousands are passed over."""
    kind = type(value)
    if kind is float or kind is int:
        return float(value) if isfinite(value) else nan
    if value is None:
        return nan
    if kind is bool:
        return 1.0 if value else 0.0
    text = str(value).strip()
    try:
        found = float(text)
    except ValueError:
        if not text or not _NUMBER.match(text) or not any(sign.isdigit() for sign in text):
            return nan
        found = float(_NOISE.sub("", text))
    return found if isfinite(found) and "_" not in text else nan


def clock_of(value: Any) -> float:
    """Seconds since midnight, NaN for none."""
    if isinstance(value, datetime | time):
        return float(value.hour * 3600 + value.minute * 60 + value.second)
    found = _CLOCK.match(str(value).strip()) if value is not None else None
    if found is None:
        return nan
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4][0] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 59:
        return nan
    return float(hour * 3600 + minute * 60 + second)


def moment_of(value: Any, day_first: bool = False) -> datetime | None:
    """The moment, without its zone; None for none. Of 03/04/2026 the month comes first unless ``day_first``."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 zones are set aside on purpose
    if value is None:
        return None
    text = str(value).strip()
    try:
        if _ISO.match(text):
            return datetime.fromisoformat(text.replace(",", ".")).replace(tzinfo=None)
        found = _SLASHED.match(text)
        if found is None:
            return None
        day, month = (int(found[1]), int(found[2])) if day_first else (int(found[2]), int(found[1]))
        hour = int(found[4] or 0)
        if found[7]:
            hour = hour % 12 + (12 if found[7][0] in "pP" else 0)
        return datetime(int(found[3]), month, day, hour, int(found[5] or 0), int(found[6] or 0))  # noqa: DTZ001
    except ValueError:
        return None


def _of_moment(take: Callable[[datetime], float], day_first: bool) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        found = moment_of(value, day_first)
        return nan if found is None else take(found)

    return read


def _length(value: Any) -> float:
    return float(len(str(value).strip())) if folded(value) else nan


def _words(value: Any) -> float:
    return float(len(str(value).split())) if folded(value) else nan


PARTS: dict[Kind, tuple[str, ...]] = {
    Kind.NUMBER: ("value",),
    Kind.MOMENT: ("month", "weekday", "hour"),
    Kind.CLOCK: ("time of day",),
    Kind.TEXT: ("length", "words"),
}
"""What is learned from a column of each kind that is no category. Of a date neither the year nor the day itself: no
later row can have them."""
_TAKES: dict[str, Callable[[datetime], float]] = {
    "month": lambda at: float(at.month),
    "weekday": lambda at: float(at.isoweekday()),
    "hour": lambda at: float(at.hour),
}


def reader_of(part: str) -> Callable[[Any], float]:
    """How the part of a cell is read, by its name; NaN for none."""
    name, _, form = part.partition(", ")
    if name == "value":
        return number_of
    if name == "time of day":
        return clock_of
    if name == "length":
        return _length
    if name == "words":
        return _words
    return _of_moment(_TAKES[name], form == DAY_FIRST)

"""How a cell is read: as a level, a number, a moment or a time of day. The same in training and in scoring.

Pure functions; a cell that cannot be read counts as missing, never as an error, because one odd row must not stop a
file or a lead.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial
from math import isfinite, nan
from typing import Any

from leadmill.learning.model import Kind

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "missing", "n.a.", "(blank)", "(null)"}
    | {"<na>", "nat", "#value!", "#ref!", "#div/0!", "#name?", "#null!", "#num!"}
)
"""Folded texts that say that there is no value."""
TRUE = ("true", "yes", "1", "y", "t")
FALSE = ("false", "no", "0", "n", "f")
_MONEY = r"(?:[$€£¥]|usd|eur|gbp|chf|cad|aud)"
_NUMBER = re.compile(
    rf"^[-+(]?\s*{_MONEY}?\s*[-+]?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)?(?:\.\d+)?\s*(?P<times>[km])?\s*(?:%|{_MONEY})?\)?$",
    re.I,
)
_COMMA_NUMBER = re.compile(
    rf"^[-+(]?\s*{_MONEY}?\s*[-+]?(?:\d{{1,3}}(?:[. '\u00a0\u202f]\d{{3}})+|\d+)?(?:,\d+)?\s*(?:%|{_MONEY})?\)?$", re.I
)
_NOISE = re.compile(r"[^0-9.]")
_LARGEST = 1e100
"""What is no number of anything: sums of its squares would have no end."""
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6}
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap]\.?m\.?)?$", re.IGNORECASE)
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?$")
_HOURS = r"(?:[ ,T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?\s*(?P<half>[ap]m)?)?$"
_SLASHED = re.compile(rf"^(?P<first>\d{{1,2}})[/.-](?P<then>\d{{1,2}})[/.-](?P<year>\d{{4}}|\d{{2}}){_HOURS}", re.I)
_YEAR_FIRST = re.compile(rf"^(?P<year>\d{{4}})[/.](?P<first>\d{{1,2}})[/.](?P<then>\d{{1,2}}){_HOURS}", re.I)
_NAMED = re.compile(
    r"^(?:[a-z]{3,9},? )?(?:(?P<then>\d{1,2})(?:st|nd|rd|th)?[ .-]+(?P<name>[a-z]{3,9})|(?P<name2>[a-z]{3,9})[ .-]+"
    rf"(?P<then2>\d{{1,2}})(?:st|nd|rd|th)?)[ .,-]+(?P<year>\d{{4}}|\d{{2}}){_HOURS}",
    re.I,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAY_FIRST = "day first"
"""The part of a feature's name that says how its column writes dates such as 03/04/2026."""
COMMA = "decimal comma"
"""The part of a feature's name that says that its column writes 1.234,5 for 1234.5."""

EDITION = 2
"""The way of reading that models are trained with. Whatever reads any cell otherwise is a new edition, and a model
reads as it was trained for ever: else the same digest would score the same lead otherwise. Since 2 there are more words
for no value, amounts in brackets, with letters for money and with k or M, and dates with the month's name, with the
year first or in two digits."""
EDITIONS = frozenset({1, EDITION})
"""Editions that are known."""


def folded(value: Any, missing: frozenset[str] = MISSING) -> str:
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
    return "" if text in missing else text


def number_of(value: Any) -> float:
    """The number, NaN for none: signs of money, of per cent and of thousands are passed over, what stands in brackets
    is below zero, ``1.5k`` is 1500 and ``2M`` two million."""
    kind = type(value)
    if kind is float or kind is int:
        return float(value) if -_LARGEST < value < _LARGEST else nan
    if value is None:
        return nan
    if kind is bool:
        return 1.0 if value else 0.0
    text = str(value).strip()
    try:
        found = float(text)
    except ValueError:
        return _written(text, _NUMBER, text)
    return found if -_LARGEST < found < _LARGEST and "_" not in text else nan


def comma_number_of(value: Any) -> float:
    """The number in a column that writes 1.234,5 for 1234.5; NaN for none. Else as :func:`number_of`."""
    if type(value) is not str:
        return number_of(value)
    text = value.strip()
    point = text.replace(".", " ").replace(",", ".")
    return _written(text, _COMMA_NUMBER, point)


def _written(text: str, form: re.Pattern[str], point: str) -> float:
    """The number that ``text`` writes in this form; ``point`` is the same with a decimal point."""
    matched = form.match(text)
    if matched is None or not any(sign.isdigit() for sign in text) or text.startswith("(") != text.endswith(")"):
        return nan
    digits = float(_NOISE.sub("", point))
    if digits >= _LARGEST:
        return nan
    times = _TIMES[(matched.groupdict().get("times") or "").casefold()]
    return -digits * times if text.startswith("(") or "-" in text else digits * times


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
        return _in_parts(text, day_first)
    except ValueError:
        return None


def _in_parts(text: str, day_first: bool) -> datetime | None:
    """A date that is not written as ISO 8601 has it; ValueError where there is no such day."""
    if not text[:1].isalnum() or not text[-1:].isalnum():
        return None
    if found := _SLASHED.match(text):
        first, then = int(found["first"]), int(found["then"])
        day, month = (first, then) if day_first else (then, first)
    elif found := _YEAR_FIRST.match(text):
        month, day = int(found["first"]), int(found["then"])
    elif found := _NAMED.match(text):
        name = (found["name"] or found["name2"])[:3].casefold()
        if name not in _MONTHS:
            return None
        day, month = int(found["then"] or found["then2"]), _MONTHS.index(name) + 1
    else:
        return None
    year, hour = int(found["year"]), int(found["hour"] or 0)
    if len(found["year"]) == 2:
        year += 2000 if year < 70 else 1900  # as POSIX reads years of two digits, within a year or two
    if found["half"]:
        hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
    return datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0))  # noqa: DTZ001


def _of_moment(take: Callable[[datetime], float], moment: Callable[[Any], datetime | None]) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        found = moment(value)
        return nan if found is None else take(found)

    return read


def _of_text(measure: Callable[[str], int], fold: Callable[[Any], str]) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        return float(measure(str(value))) if fold(value) else nan

    return read


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


def folding_of(edition: int) -> Callable[[Any], str]:
    """How a level is looked up in an edition; as :func:`folded`."""
    return folded if edition > 1 else _folded_1


def reader_of(part: str, edition: int = EDITION) -> Callable[[Any], float]:
    """How the part of a cell is read in an edition, by its name; NaN for none."""
    name, _, form = part.partition(", ")
    if name == "value":
        return comma_number_of if form == COMMA else number_of if edition > 1 else _number_1
    if name == "time of day":
        return clock_of
    if name == "length":
        return _of_text(lambda text: len(text.strip()), folding_of(edition))
    if name == "words":
        return _of_text(lambda text: len(text.split()), folding_of(edition))
    moment = moment_of if edition > 1 else _moment_1
    return _of_moment(_TAKES[name], partial(moment, day_first=form == DAY_FIRST))


# The first edition

_MISSING_1 = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "missing"})
_NUMBER_1 = re.compile(r"^[-+]?[$€£¥]?\s*[-+]?(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?\s*%?$")
_NOISE_1 = re.compile(r"[$€£¥,%\s]")
_SLASHED_1 = re.compile(r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{4}(?:[ ,T]+\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]m)?)?$", re.I)


def _folded_1(value: Any) -> str:
    return folded(value, _MISSING_1)


def _number_1(value: Any) -> float:
    kind = type(value)
    if kind is float or kind is int:
        return float(value) if isfinite(value) else nan
    if value is None or kind is bool:
        return number_of(value)
    text = str(value).strip()
    if "_" in text:
        return nan
    try:
        found = float(text)
    except ValueError:
        if not _NUMBER_1.match(text) or not any(sign.isdigit() for sign in text):
            return nan
        try:
            found = float(_NOISE_1.sub("", text))
        except ValueError:
            return nan
    return found if isfinite(found) else nan


def _moment_1(value: Any, day_first: bool = False) -> datetime | None:
    if value is None or isinstance(value, date):
        return moment_of(value)
    text = str(value).strip()
    return moment_of(text, day_first) if _ISO.match(text) or _SLASHED_1.match(text) else None

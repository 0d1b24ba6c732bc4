"""What the values of a column look like, whatever the column is called.

Used by :mod:`leadmill.linkage.columns`. Pure: a column is looked at as a sample of its values, and what comes out are
shares, never a value.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from leadmill.linkage.headings import SEXES, STATES
from leadmill.linkage.plain import ABSENT, fold, plain_date

SAMPLE = 600
"""Values of a column that are looked at, evenly from its whole length."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,24}(?:\s*(?:x|ext)\.?\s*\d{1,6})?")
_PHONE_SIGNS = re.compile(r"[+() \-/.]")
_UK = re.compile(r"[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}")
_CANADA = re.compile(r"[a-z]\d[a-z]\s*\d[a-z]\d")
_COUNTER = re.compile(r"[a-z]{1,12}[-_ #]?\d+")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_ZIP = re.compile(r"\d{5}(?:-\d{4})?")
_WHOLE = re.compile(r"-?\d{1,18}(?:\.0)?")
_REAL = re.compile(r"-?\d+[.,]\d+(?:e-?\d+)?")
_STREET = re.compile(
    r"\b(?:st|street|ave|avenue|av|rd|road|dr|drive|ln|lane|blvd|boulevard|ct|court|pl|place|sq|square|ter|terrace|hwy|"
    r"way|cres|crescent|circuit|cct|close|row|grove|calle|c/|avda|avenida|plaza|paseo|rue|via|weg|platz|allee|gasse|"
    r"str)\b|\w{3,}(?:strasse|str\.|str\b|weg|platz|allee|gasse)"
)
_NUMBERED = re.compile(r"^\d+[a-z]?\b|\b\d+[a-z]?$")
_HOUSE = re.compile(r"\d{1,5}\s?[a-z]?(?:\s?[-/]\s?\d{1,4}[a-z]?)?")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_RECORD = re.compile(r"rec[-_]?\d+[-_](?:org|dup.*)")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ t].*)?|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}(?:[ t].*)?|\d{8}|"
    r"\d{1,2}[-/. ]+[^\W\d]{3,10}[.,]?[-/. ]+\d{2,4}|[^\W\d]{3,10}[. ]+\d{1,2},? +\d{4}"
)
_WORDS = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]*)*")
FORMS = ("ymd", "mdy", "dmy")

NameShares = tuple[Mapping[str, float], Mapping[str, float]]
"""How common given and family names are, for telling names by their values alone."""


class Look(Struct, frozen=True):
    """What a column looks like. Shares are of the filled values looked at.

    ``rows`` of the column, ``filled`` share of it, ``distinct`` different ones among the filled (whole column);
    ``dense`` where whole numbers fill their range, as a counter does; ``span`` between which whole numbers lie, one in
    fifty on either side left out; ``years`` the 5th and 95th percentile of the years of dates, ``form`` the order in
    which most of them can be read and ``forms`` the share for each; ``length`` and ``words`` means; ``even`` where all
    values have one length.
    """

    rows: int
    filled: float
    distinct: int
    shares: dict[str, float]
    dense: bool = False
    span: tuple[int, int] | None = None
    years: tuple[int, int] | None = None
    form: str = "ymd"
    forms: dict[str, float] = {}
    length: float = 0.0
    words: float = 0.0
    even: bool = False

    @property
    def unique(self) -> float:
        """Different values a filled one."""
        return self.distinct / (self.rows * self.filled) if self.rows and self.filled else 0.0

    def share(self, name: str) -> float:
        """The share of values that look so."""
        return self.shares.get(name, 0.0)


def look(values: Sequence[str]) -> Look:
    """Look at a column's values."""
    given = [value for value in values if value]
    counted = set(given)
    step = max(1, len(given) // SAMPLE)
    texts = [text for value in given[::step][:SAMPLE] if (text := fold(value)) not in ABSENT]
    blank = len(given[::step][:SAMPLE]) - len(texts)
    if not texts:
        return Look(len(values), 0.0, 0, {})
    shares = {name: sum(map(tests, texts)) / len(texts) for name, tests in _TESTS.items()}
    whole = sorted(int(text.removesuffix(".0")) for text in texts if _WHOLE.fullmatch(text))
    cut = len(whole) // 50
    span = (whole[cut], whole[-1 - cut]) if len(whole) > 0.9 * len(texts) else None
    form, forms, years = _dates(texts) if shares["date"] > 0.4 else ("ymd", {}, None)
    lengths = {len(text) for text in texts}
    return Look(
        rows=len(values),
        filled=len(given) / len(values) * (1 - blank / (blank + len(texts))),
        distinct=len(counted),
        shares=shares,
        dense=span is not None and _dense(counted, len(given)),
        span=span,
        years=years,
        form=form,
        forms=forms,
        length=sum(map(len, texts)) / len(texts),
        words=sum(len(text.split()) for text in texts) / len(texts),
        even=len(lengths) == 1,
    )


def _is(pattern: "re.Pattern[str]") -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_phone(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    return 7 <= digits <= 15 and _PHONE.fullmatch(text) is not None


def _is_street(text: str) -> bool:
    return _STREET.search(text) is not None and len(text) > 5 and not text.isdigit()


_TESTS: dict[str, Callable[[str], bool]] = {
    "email": _is(_EMAIL),
    "at": lambda text: "@" in text,
    "phone": _is_phone,
    "phone_signs": lambda text: _PHONE_SIGNS.search(text) is not None,
    "date": _is(_DATE),
    "clock": lambda text: _CLOCK.search(text) is not None,
    "zip": _is(_ZIP),
    "ssn": _is(_SSN),
    "counter": _is(_COUNTER),
    "mail_code": lambda text: _UK.fullmatch(text) is not None or _CANADA.fullmatch(text) is not None,
    "whole": _is(_WHOLE),
    "real": _is(_REAL),
    "street": _is_street,
    "numbered": lambda text: _NUMBERED.search(text) is not None,
    "house": _is(_HOUSE),
    "uuid": _is(_UUID),
    "record": _is(_RECORD),
    "sex": lambda text: text in SEXES,
    "state": lambda text: text in STATES,
    "digit": lambda text: any(sign.isdigit() for sign in text),
    "name": lambda text: all(_WORDS.fullmatch(word.strip(",")) for word in text.split()),
    "link": lambda text: text.startswith(("http://", "https://", "www.")),
}


def _dense(counted: set[str], given: int) -> bool:
    """Whether whole numbers fill their range, as a counter does."""
    numbers = {int(value.strip().removesuffix(".0")) for value in counted if _WHOLE.fullmatch(value.strip())}
    if len(numbers) < max(3, 0.9 * len(counted)):
        return False
    return max(numbers) - min(numbers) < 1.5 * len(numbers) + 10 and len(numbers) > 0.02 * given


def _dates(texts: Sequence[str]) -> tuple[str, dict[str, float], tuple[int, int] | None]:
    """The order of the parts, how many are dates in each order, and the years."""
    found: dict[str, list[int]] = {form: [] for form in FORMS}
    count = 0
    for text in texts[:400]:
        if _DATE.fullmatch(text) is None:
            continue
        count += 1
        for form in FORMS:
            if year := _year_of(plain_date(text, form)):
                found[form].append(year)
    forms = {form: len(years) / count for form, years in found.items()} if count else {}
    best = max(FORMS, key=lambda form: (round(forms.get(form, 0.0), 3), -FORMS.index(form)))
    years = sorted(found[best])
    if not years:
        return "ymd", forms, None
    return best, forms, (years[len(years) // 20], years[-1 - len(years) // 20])


def _year_of(eight: str) -> int | None:
    """The year of a date in eight digits, where it can be one."""
    if len(eight) != 8 or not eight.isdigit():
        return None
    year, month, day = int(eight[:4]), int(eight[4:6]), int(eight[6:])
    return year if 1000 <= year <= 2150 and month <= 12 and day <= 31 else None


def names_in(values: Sequence[str], shares: NameShares) -> tuple[float, float]:
    """What share of the values' first words are given names, and of their last words family names, each name counting
    for what it is more often."""
    given, family = shares
    firsts = lasts = count = 0
    for value in values[:: max(1, len(values) // 400)][:400]:
        words = [word for word in re.split(r"[\s,]+", fold(value)) if word]
        if not words:
            continue
        count += 1
        first, last = words[0], words[-1]
        firsts += given.get(first, 0.0) > (family.get(first, 0.0) if len(words) == 1 else 0.0)
        lasts += family.get(last, 0.0) > (given.get(last, 0.0) if len(words) == 1 else 0.0)
    return (firsts / count, lasts / count) if count else (0.0, 0.0)

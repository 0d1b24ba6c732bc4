"""What a column holds, guessed from its cells: number, category, date, time of day, text; or nothing to learn from.

Pure. The guess is shown before anything is trained, and ``--kind COL=category`` says better.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from math import isnan

import numpy as np
from msgspec import Struct

from leadmill.learning.cells import COMMA, DAY_FIRST, PARTS, clock_of, comma_number_of, folded, moment_of, number_of
from leadmill.learning.model import Kind
from leadmill.learning.table import Coded, Codes, Table

_ID_NAME = re.compile(
    r"(^|[\s_.\-])(id|ids|key|uuid|guid|no|nr|number|index|row|rownum|unnamed: 0)$|[a-z]I[Dd]$", re.IGNORECASE
)
_PERSON = re.compile(
    r"^((first|last|full|given|family|sur|middle|maiden|contact|customer|client|lead|person)?[\s_.\-]*name|"
    r".*(e[\s_\-]?mail|phone|mobile|telephone|fax|ssn|social security|street|address|iban).*)$",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", re.IGNORECASE)
_PHONE = re.compile(r"^(\+|\()?\d[\d\s().\-/]{6,18}\d$")
_MANY_PERSONS = 20
"""Different values from which a column that is called like a person's name or address holds those of persons."""
_LOOKED_AT = 20_000
"""Different values that a guess is made of, spread over the column."""
_MOSTLY = 0.95
_LONG_TEXT = 40
_FEW = 50


class Profile(Struct, frozen=True):
    """A column and what it was taken for; ``filled`` is the share of rows with a value, ``form`` how dates
    or numbers are written where that is not the usual way."""

    name: str
    kind: Kind
    why: str
    filled: float
    distinct: int
    form: str = ""

    def parts(self) -> tuple[str, ...]:
        """What is learned from it."""
        return tuple(f"{part}, {self.form}" if self.form else part for part in PARTS.get(self.kind, ()))


def profile(name: str, column: Coded, said: Kind | None = None) -> Profile:
    """What a column holds; ``said`` is what somebody knows better."""
    counts = np.bincount(column.codes, minlength=len(column.values))
    known: list[tuple[object, int]] = []
    levels: set[str] = set()
    for value, count in zip(column.values, counts.tolist(), strict=True):
        if count and (text := folded(value)):
            known.append((value, count))
            levels.add(text)
    rows, filled = len(column.codes), sum(count for _, count in known)
    some = known[:: max(1, len(known) // _LOOKED_AT)]
    seen = sum(count for _, count in some)
    commas = COMMA if _commas(some, seen) else ""
    number = comma_number_of if commas else number_of

    def found(kind: Kind, why: str) -> Profile:
        held = said or kind
        told = "as you said" if said else why
        written = {Kind.MOMENT: form, Kind.NUMBER: commas}.get(held, "")
        return Profile(name, held, told, filled / max(rows, 1), len(levels), written)

    if not known:
        return Profile(name, Kind.EMPTY, "no row has a value", 0.0, 0)
    if len(levels) == 1 and filled == rows:
        return Profile(name, Kind.CONSTANT, "every row has the same value", 1.0, 1)
    numbers = sum(count for value, count in some if not isnan(number(value)))
    form = _form(some) if numbers < _MOSTLY * seen else ""
    shares = _shares(some, seen, form, number)
    if shares[Kind.CLOCK] >= _MOSTLY:
        return found(Kind.CLOCK, "written as times of day")
    if shares[Kind.MOMENT] >= _MOSTLY:
        return found(Kind.MOMENT, "written as dates")
    if _of_persons(name, some, seen, len(levels), shares[Kind.NUMBER]):
        return found(Kind.IDENTIFIER, "names or addresses of persons")
    unique = len(levels) >= 0.98 * filled and filled >= _FEW
    if shares[Kind.NUMBER] >= _MOSTLY and not _padded(some):
        if unique and (why := _numbered(name, column, known, filled)):
            return found(Kind.IDENTIFIER, why)
        return found(Kind.NUMBER, "written as numbers")
    if shares[Kind.NUMBER] >= 0.8 and len(levels) > 100:
        return found(Kind.NUMBER, "mostly numbers; what is none counts as missing")
    texts = [str(value) for value, _ in some]
    words = float(np.mean([len(text.split()) for text in texts]))
    length = float(np.mean([len(text) for text in texts]))
    if len(levels) > 0.5 * filled and filled >= _FEW and (words >= 4 or length > _LONG_TEXT) and words >= 2:
        return found(Kind.TEXT, "long texts, hardly one twice; only their length is looked at")
    if unique or (len(levels) > 0.9 * filled and filled >= _FEW):
        return found(Kind.IDENTIFIER, "hardly a value twice")
    return found(Kind.CATEGORY, "levels that repeat")


def _shares(
    known: Sequence[tuple[object, int]], filled: int, form: str, read: Callable[[object], float]
) -> Mapping[Kind, float]:
    number = clock = moment = 0
    for value, count in known:
        if not isnan(read(value)):
            number += count
        elif clock_of(value) == clock_of(value):
            clock += count
        elif moment_of(value, form == DAY_FIRST) is not None:
            moment += count
    return {Kind.NUMBER: number / filled, Kind.CLOCK: clock / filled, Kind.MOMENT: moment / filled}


def _form(known: Sequence[tuple[object, int]]) -> str:
    """How 03/04/2026 is meant in this column: day first where some date is none otherwise."""
    month_first = sum(moment_of(value, False) is not None for value, _ in known)
    day_first = sum(moment_of(value, True) is not None for value, _ in known)
    return DAY_FIRST if day_first > month_first else ""


def _of_persons(name: str, known: Sequence[tuple[object, int]], filled: int, levels: int, numbers: float) -> bool:
    """Whether a column holds what tells persons: a model that learned it would have it written down."""
    if levels <= _MANY_PERSONS:
        return False
    texts = [(str(value).strip(), count) for value, count in known]
    if _PERSON.match(plain(name)):  # a count of e-mails is called so too; a number of nine digits is a telephone's
        return numbers < 0.5 or float(np.median([_digits(text) for text, _ in texts])) >= 9
    emails = sum(count for text, count in texts if _EMAIL.match(text))
    phones = sum(count for text, count in texts if not text.isdigit() and _PHONE.match(text) and _digits(text) >= 9)
    return max(emails, phones) > 0.5 * filled


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


def plain(name: str) -> str:
    """A column's name as words, for people and for patterns."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-./]+", " ", name)
    return " ".join(spaced.split()).casefold()


def _commas(known: Sequence[tuple[object, int]], filled: int) -> bool:
    """Whether a column writes a comma where a decimal point would stand: most of it can be read so, and less else."""
    if not any("," in str(value) for value, _ in known):
        return False
    points = sum(count for value, count in known if not isnan(number_of(value)))
    commas = sum(count for value, count in known if not isnan(comma_number_of(value)))
    return commas > points and commas >= _MOSTLY * filled


def _padded(known: Sequence[tuple[object, int]]) -> bool:
    """Numbers with leading zeros, such as postcodes, are names."""
    padded = sum(count for value, count in known if re.match(r"^0\d", str(value).strip()))
    return padded > 0.02 * sum(count for _, count in known)


def _numbered(name: str, column: Coded, known: Sequence[tuple[object, int]], filled: int) -> str:
    """Why unique numbers only number the rows, or nothing."""
    values = np.array([number_of(value) for value, _ in known])
    values = values[~np.isnan(values)]
    if not len(values) or not np.all(values == np.round(values)):
        return ""
    if _ID_NAME.search(name.strip()):
        return "whole numbers, each once, and called like a key"
    placed = column.numbers(number_of)
    steps = np.diff(placed[~np.isnan(placed)])
    if len(steps) and (np.all(steps >= 0) or np.all(steps <= 0)):
        return "whole numbers in the order of the rows"
    if float(values.max() - values.min()) < 1.5 * filled:
        return "whole numbers, each once, without gaps"
    return ""


def row_codes(table: Table, names: Sequence[str]) -> Codes:
    """Rows that are the same in these columns get the same number."""
    found: Codes = np.zeros(table.rows, dtype=np.int64)
    for name in names:
        column = table.columns[name]
        found = np.unique(found * len(column.values) + column.codes, return_inverse=True)[1].reshape(-1)
    return found

"""What a column holds, guessed from its cells: number, category, date, time of day, text; or nothing to learn from.

Pure. The guess is shown before anything is trained, and ``--kind COL=category`` says better.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from leadmill.learning.cells import DAY_FIRST, PARTS, clock_of, folded, moment_of, number_of
from leadmill.learning.model import Kind
from leadmill.learning.table import Coded, Codes, Table

_ID_NAME = re.compile(
    r"(^|[\s_.\-])(id|ids|key|uuid|guid|no|nr|number|index|row|rownum|unnamed: 0)$|[a-z]I[Dd]$", re.IGNORECASE
)
_MOSTLY = 0.95
_LONG_TEXT = 40
_FEW = 50


class Profile(Struct, frozen=True):
    """A column and what it was taken for; ``filled`` is the share of rows with a value, ``form`` how dates are
    written."""

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
    known = [(value, int(count)) for value, count in zip(column.values, counts, strict=True) if count and folded(value)]
    rows, filled = len(column.codes), sum(count for _, count in known)
    levels = {folded(value) for value, _ in known}
    form = _form(known)

    def found(kind: Kind, why: str) -> Profile:
        held = said or kind
        told = "as you said" if said else why
        return Profile(name, held, told, filled / max(rows, 1), len(levels), form if held is Kind.MOMENT else "")

    if not known:
        return Profile(name, Kind.EMPTY, "no row has a value", 0.0, 0)
    if len(levels) == 1 and filled == rows:
        return Profile(name, Kind.CONSTANT, "every row has the same value", 1.0, 1)
    shares = _shares(known, filled, form)
    if shares[Kind.CLOCK] >= _MOSTLY:
        return found(Kind.CLOCK, "written as times of day")
    if shares[Kind.MOMENT] >= _MOSTLY:
        return found(Kind.MOMENT, "written as dates")
    unique = len(levels) >= 0.98 * filled and filled >= _FEW
    if shares[Kind.NUMBER] >= _MOSTLY and not _padded(known):
        if unique and (why := _numbered(name, column, known, filled)):
            return found(Kind.IDENTIFIER, why)
        return found(Kind.NUMBER, "written as numbers")
    if shares[Kind.NUMBER] >= 0.8 and len(levels) > 100:
        return found(Kind.NUMBER, "mostly numbers; what is none counts as missing")
    texts = [str(value) for value, _ in known]
    words = float(np.mean([len(text.split()) for text in texts]))
    length = float(np.mean([len(text) for text in texts]))
    if len(levels) > 0.5 * filled and filled >= _FEW and (words >= 4 or length > _LONG_TEXT) and words >= 2:
        return found(Kind.TEXT, "long texts, hardly one twice; only their length is looked at")
    if unique or (len(levels) > 0.9 * filled and filled >= _FEW):
        return found(Kind.IDENTIFIER, "hardly a value twice")
    return found(Kind.CATEGORY, "levels that repeat")


def _shares(known: Sequence[tuple[object, int]], filled: int, form: str) -> Mapping[Kind, float]:
    number = clock = moment = 0
    for value, count in known:
        if number_of(value) == number_of(value):
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

"""Columns that say again what others say: taken down to what they add, so that nothing is weighed twice.

A whole name beside its parts keeps its other words (a title, a second name); a street that begins with the house number
of a column of its own loses it; a column that holds nothing of its own is left out. A whole name alone is taken apart,
because parts compare better: nicknames, exchanged names, rare last names. Nothing is declared: the values show it.
"""

from collections.abc import Iterator

import numpy as np

from leadmill.linkage.model import Field, Kind
from leadmill.linkage.parts import split_name
from leadmill.linkage.table import ABSENT, Column, Table, fold_column

_WORDY = frozenset({Kind.FULL_NAME, Kind.TEXT, Kind.STREET})
"""Kinds that may hold other fields."""
_HELD = _WORDY | {Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.CITY, Kind.STATE, Kind.HOUSE_NUMBER, Kind.CATEGORY}
_LOOKED_AT = 2_000
_MOSTLY = 0.8
_FEWEST = 5
"""Records that must show it."""
_FILLED = 0.01
"""Records of which something must be left, or the column says nothing of its own."""


def without_echoes(table: Table) -> Table:
    """The table with each column taken down to what no other says."""
    columns = list(_names_apart(table.columns))
    kept: list[Column] = []
    for place, column in enumerate(columns):
        held = [other for at, other in enumerate(columns) if at != place and _holds(column, other, at < place)]
        if held:
            column = _rest(column, held)
            if np.mean(column.codes >= 0) < _FILLED:
                continue
        kept.append(column)
    return Table(tuple(kept), table.records)


def _names_apart(columns: tuple[Column, ...]) -> Iterator[Column]:
    """A whole name as given and family name, in a table that has neither."""
    kinds = {column.field.kind for column in columns}
    apart = {Kind.GIVEN_NAME, Kind.FAMILY_NAME} & kinds
    for column in columns:
        if column.field.kind is not Kind.FULL_NAME or apart:
            yield column
            continue
        parts = [split_name(text) for text in column.values.tolist()]
        for number, kind in enumerate((Kind.GIVEN_NAME, Kind.FAMILY_NAME)):
            field = Field(f"{column.field.name}: {kind.value.replace('_', ' ')}", kind)
            yield fold_column(field, [part[number] for part in parts], column.codes)


def _holds(column: Column, other: Column, before: bool) -> bool:
    """Whether the words of the other column are nearly always among this one's. Of two columns that hold each other the
    first is kept whole."""
    if column.field.kind not in _WORDY or other.field.kind not in _HELD:
        return False
    both = np.flatnonzero((column.codes >= 0) & (other.codes >= 0))
    if len(both) < _FEWEST:
        return False
    some = both[:: max(1, len(both) // _LOOKED_AT)]
    pairs = [
        (set(whole.split()), set(part.split())) for whole, part in zip(column.take(some), other.take(some), strict=True)
    ]
    within = sum(part <= whole for whole, part in pairs)
    if within < _MOSTLY * len(pairs):
        return False
    same = sum(part == whole for whole, part in pairs)
    return before or same < _MOSTLY * len(pairs)


def _rest(column: Column, held: list[Column]) -> Column:
    """The words that none of the held columns has, record by record."""
    codes: dict[tuple[int, ...], int] = {}
    rows = zip(column.codes.tolist(), *(other.codes.tolist() for other in held), strict=True)
    places = [codes.setdefault(row, len(codes)) for row in rows]
    texts = []
    for own, *others in codes:
        if own == ABSENT:
            texts.append("")
            continue
        said = {
            word
            for other, code in zip(held, others, strict=True)
            if code >= 0
            for word in str(other.values[code]).split()
        }
        texts.append(" ".join(word for word in column.values[own].split() if word not in said))
    kind = Kind.TEXT if column.field.kind is Kind.FULL_NAME else column.field.kind
    return fold_column(Field(column.field.name, kind), texts, np.array(places, np.int64))

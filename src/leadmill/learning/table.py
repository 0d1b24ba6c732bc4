"""A table as training holds it: for each column the distinct cells, once, and for each row which of them it has.

Every cell is read once however many rows repeat it; choosing rows copies whole numbers only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.learning.cells import folded

Codes: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


class Coded(Struct, frozen=True):
    """One column: ``codes`` point into ``values``."""

    values: tuple[Any, ...]
    codes: Codes

    def numbers(self, read: Any) -> Floats:
        """What ``read`` makes of each row's cell."""
        each = np.fromiter((read(value) for value in self.values), dtype=np.float64, count=len(self.values))
        return each[self.codes]

    def folded(self) -> "Coded":
        """The same column with levels that are written alike made one; "" for none."""
        places: dict[str, int] = {}
        new = np.fromiter(
            (places.setdefault(folded(value), len(places)) for value in self.values),
            dtype=np.int64,
            count=len(self.values),
        )
        return Coded(tuple(places), new[self.codes])

    def cells(self) -> list[Any]:
        """Each row's cell."""
        return [self.values[code] for code in self.codes.tolist()]


class Table(Struct, frozen=True):
    """All columns of all rows, in the file's order."""

    columns: dict[str, Coded]
    rows: int

    def take(self, rows: Any) -> "Table":
        """Some of the rows: their numbers, or a truth value for each."""
        columns = {name: Coded(one.values, one.codes[rows]) for name, one in self.columns.items()}
        count = len(np.arange(self.rows)[rows])
        return Table(columns, count)

    def only(self, names: Iterable[str]) -> "Table":
        """Some of the columns."""
        return Table({name: self.columns[name] for name in names}, self.rows)

    def cells(self) -> dict[str, list[Any]]:
        """Each column's cells, row by row."""
        return {name: column.cells() for name, column in self.columns.items()}


def coded(cells: Sequence[Any]) -> Coded:
    """A column from its cells."""
    places: dict[Any, int] = {}
    codes = np.fromiter((places.setdefault(cell, len(places)) for cell in cells), dtype=np.int64, count=len(cells))
    return Coded(tuple(places), codes)


def table_of(columns: Mapping[str, Sequence[Any]]) -> Table:
    """A table from its columns, all of one length."""
    made = {name: coded(cells) for name, cells in columns.items()}
    return Table(made, len(next(iter(made.values())).codes) if made else 0)

"""A table as training holds it: for each column the distinct cells, once, and for each row which of them it has.

Every cell is read once in each way, however many rows repeat it and however many parts of the table ask; choosing rows
copies whole numbers only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from leadmill.learning.cells import folded, reader_of

Codes: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


class Coded(Struct, frozen=True):
    """One column: ``codes`` point into ``values``. ``kept`` is what was read of ``values`` so far, by how; all parts of
    one table share it, since they share the values."""

    values: tuple[Any, ...]
    codes: Codes
    kept: dict[Any, Any] = field(default_factory=dict)

    def numbers(self, read: Callable[[Any], float]) -> Floats:
        """What ``read`` makes of each row's cell. It is kept by ``read``, which should be one that stays."""
        return self._numbers(read, read)

    def part(self, name: str) -> Floats:
        """The part of each row's cell that is called so; see :func:`leadmill.learning.cells.reader_of`."""
        return self._numbers(name, reader_of(name))

    def _numbers(self, key: Any, read: Callable[[Any], float]) -> Floats:
        each = self.kept.get(key)
        if each is None:
            each = np.fromiter((read(value) for value in self.values), dtype=np.float64, count=len(self.values))
            self.kept[key] = each
        return np.asarray(each[self.codes])

    def folded(self) -> "Coded":
        """The same column with levels that are written alike made one; "" for none."""
        found = self.kept.get(folded)
        if found is None:
            places: dict[str, int] = {}
            new = np.fromiter(
                (places.setdefault(folded(value), len(places)) for value in self.values),
                dtype=np.int64,
                count=len(self.values),
            )
            found = self.kept[folded] = (tuple(places), new)
        levels, new = found
        return Coded(levels, new[self.codes])

    def cells(self) -> list[Any]:
        """Each row's cell."""
        return [self.values[code] for code in self.codes.tolist()]


class Table(Struct, frozen=True):
    """All columns of all rows, in the file's order."""

    columns: dict[str, Coded]
    rows: int

    def take(self, rows: Any) -> "Table":
        """Some of the rows: their numbers, or a truth value for each."""
        columns = {name: Coded(one.values, one.codes[rows], one.kept) for name, one in self.columns.items()}
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

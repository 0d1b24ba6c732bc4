"""Which of many conditions hold for a lead, without asking each: an inverted index over compressed bitmaps.

Built by ``board`` from the conditions of every order of a large book. ``core.predicates`` says what a condition means;
this module promises the same answer, sooner. A condition comes as rows, the ways in which it can be met (``ways``); a
row demands something of several fields, and each column knows, for one field and one kind of comparison, which rows a
value rules out. What no value has ruled out holds.

An index never changes: :meth:`Index.changed` makes another that shares what is the same.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pyroaring import BitMap

from leadmill.core.predicates import Value, is_given
from leadmill.core.spans import moment
from leadmill.market.orderbook.ways import MOMENT, SCORE, Row

_KEPT = 256
"""Answers that a column of names keeps for the next lead of the same word."""

_BLOCK = 256
"""Bounds between two kept sums of a column of bounds."""

Key = tuple[str, str, int]
"""A column: its field, its kind, and a number that tells apart several demands of the kind in one row."""

SEVERAL = 1 << 24
"""Rows are numbered from here on where they are one of several ways to meet a condition, so that those which stand for
a condition alone can be counted by their place."""

Entries = list[tuple[int, Any]]
"""Row numbers with what each demands."""


# Columns

_NONE = BitMap()


class Named:
    """Rows by the values, or the beginnings of values, that they name. ``lengths`` are those of the beginnings; None
    where whole values are named."""

    __slots__ = ("_by", "_kept", "_lengths", "_whole", "_wished", "rows")

    def __init__(self, by: dict[Any, BitMap], rows: BitMap, whole: bool, wished: bool) -> None:
        self._kept: dict[str, BitMap] = {}
        self._by = by
        self._whole = whole
        self._wished = wished
        self._lengths = () if whole else tuple(sorted({len(head) for head in by}))
        self.rows = rows

    @classmethod
    def of(cls, entries: Entries, whole: bool, wished: bool) -> "Named":
        """The column of these demands; ``wished`` where the value must be named, else where it must not."""
        by: dict[Any, list[int]] = {}
        for row, items in entries:
            for item in items:
                by.setdefault(item, []).append(row)
        return cls(
            {item: BitMap(rows) for item, rows in by.items()}, BitMap([row for row, _ in entries]), whole, wished
        )

    def changed(self, gone: Entries, come: Entries) -> "Named":
        """The column without some demands and with others."""
        by = dict(self._by)
        for row, items in gone:
            for item in set(items):
                left = by[item] - BitMap([row])
                if left:
                    by[item] = left
                else:
                    del by[item]
        for row, items in come:
            for item in set(items):
                by[item] = by.get(item, _NONE) | BitMap([row])
        return Named(by, _after(self.rows, gone, come), self._whole, self._wished)

    def missed(self, value: object) -> BitMap:
        """The rows that a value rules out. A column never changes, and most leads say one of a few words."""
        if not isinstance(value, str):
            return self._missed(value)
        found = self._kept.get(value)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[value] = self._missed(value)
        return found

    def _missed(self, value: object) -> BitMap:
        if isinstance(value, list | tuple):
            hits = BitMap.union(_NONE, *[self._hits(item) for item in value if item != ""])
        else:
            hits = self._hits(value)
        if not self._wished:
            return hits
        return self.rows - hits if hits else self.rows

    def _hits(self, value: object) -> BitMap:
        if isinstance(value, str):
            if value == "":
                return _NONE
            text = value.casefold()
            if self._whole:
                return self._by.get(text, _NONE)
            return self._heads(text)
        if not self._whole:
            return _NONE
        if isinstance(value, bool):
            return self._by.get(("flag", value), _NONE)
        return self._by.get(value, _NONE) if isinstance(value, int | float) else _NONE

    def _heads(self, text: str) -> BitMap:
        found = [
            hits
            for length in self._lengths
            if length <= len(text) and (hits := self._by.get(text[:length])) is not None
        ]
        if not found:
            return _NONE
        return found[0] if len(found) == 1 else BitMap.union(*found)


class Given:
    """Rows that demand a field to be there, or not to be."""

    __slots__ = ("_wished", "rows")

    def __init__(self, rows: BitMap, wished: bool) -> None:
        self._wished = wished
        self.rows = rows

    def changed(self, gone: Entries, come: Entries) -> "Given":
        """The column without some demands and with others."""
        return Given(_after(self.rows, gone, come), self._wished)

    def missed(self, value: object) -> BitMap:
        """The rows that a value rules out."""
        return _NONE if is_given(value) is self._wished else self.rows


class Bounds:
    """Rows by the bound that they set, in its order, with sums kept at every so many bounds.

    A value cuts the bounds in two, and one side is ruled out: the ``upper``, where a value must reach a bound, or the
    lower. ``equal`` says whether a bound equal to the value belongs to the lower side.
    """

    __slots__ = ("_bounds", "_cuts", "_equal", "_kind", "_read", "_slots", "_sums", "_upper", "_wished", "rows")

    def __init__(self, bounds: list[Any], slots: "array[int]", kind: str) -> None:
        self._kind = kind
        self._wished = not kind.startswith("not ")
        op = kind.removeprefix("not ").removesuffix(MOMENT)
        self._read: Callable[[object], Any] = _read_moment if kind.endswith(MOMENT) else _read_number
        # Reached by a value: the bounds up to it (gte, gt) or from it on (lte, lt). What a wish rules out is the rest.
        self._upper = (op in ("gte", "gt", SCORE)) is self._wished
        self._equal = op in ("gte", "lt", SCORE)
        self._bounds = bounds
        self._slots = slots
        self.rows = BitMap(slots)
        self._cuts, self._sums = self._sum()

    @classmethod
    def of(cls, entries: Entries, kind: str) -> "Bounds":
        """The column of these demands."""
        ordered = sorted(entries, key=_bound_of)
        return cls([bound for _, bound in ordered], array("I", [row for row, _ in ordered]), kind)

    def _sum(self) -> tuple[list[int], list[BitMap]]:
        """The places where sums are kept, and the rows on the side that is ruled out there."""
        bounds, slots = self._bounds, self._slots
        size = len(bounds)
        cuts = [0]
        for place in range(1, size):
            if place - cuts[-1] >= _BLOCK and bounds[place] != bounds[place - 1]:
                cuts.append(place)
        cuts.append(size)
        blocks = [BitMap(slots[cuts[n] : cuts[n + 1]]) for n in range(len(cuts) - 1)]
        sums = [BitMap()]
        for block in reversed(blocks) if self._upper else blocks:
            sums.append(sums[-1] | block)
        return cuts, sums[::-1] if self._upper else sums

    def changed(self, gone: Entries, come: Entries) -> "Bounds":
        """The column without some demands and with others."""
        bounds, slots = self._bounds[:], self._slots[:]
        for row, bound in gone:
            place = slots.index(row, bisect_left(bounds, bound))
            del bounds[place], slots[place]
        for row, bound in come:
            place = bisect_right(bounds, bound)
            bounds.insert(place, bound)
            slots.insert(place, row)
        return Bounds(bounds, slots, self._kind)

    def missed(self, value: object) -> BitMap:
        """The rows that a value rules out."""
        found = self._read(value)
        if found is None:
            return self.rows if self._wished else _NONE
        place = bisect_right(self._bounds, found) if self._equal else bisect_left(self._bounds, found)
        if self._upper:
            cut = bisect_left(self._cuts, place)
            rest = self._slots[place : self._cuts[cut]]
        else:
            cut = bisect_right(self._cuts, place) - 1
            rest = self._slots[self._cuts[cut] : place]
        return self._sums[cut] | BitMap(rest) if rest else self._sums[cut]


def _bound_of(entry: tuple[int, Any]) -> Any:
    return entry[1]


def _read_number(value: object) -> int | float | None:
    fit = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return value if fit else None  # type: ignore[return-value]


def _read_moment(value: object) -> datetime | None:
    return moment(value) if isinstance(value, str) else None


def _after(rows: BitMap, gone: Entries, come: Entries) -> BitMap:
    return (rows - BitMap([row for row, _ in gone])) | BitMap([row for row, _ in come])


Column = Named | Given | Bounds


def _column(kind: str, entries: Entries) -> Column:
    if kind in ("given", "absent"):
        return Given(BitMap([row for row, _ in entries]), kind == "given")
    wished = not kind.startswith("not ")
    bare = kind.removeprefix("not ")
    if bare in ("in", "prefix"):
        return Named.of(entries, bare == "in", wished)
    return Bounds.of(entries, kind)


# The index


class Found(NamedTuple):
    """What an index says of a lead: the rows that hold, and how many were ruled out first by each field (a score's is
    the empty text)."""

    rows: BitMap
    ruled_out: dict[str, int]


class Index:
    """Rows by number, and the columns that rule them out. Asked for every lead."""

    __slots__ = ("_columns", "_every", "_order")

    def __init__(self, columns: Mapping[Key, Column], every: BitMap) -> None:
        self._columns = columns
        self._every = every
        # The column that most rows look at first: what is left is soon little. The key settles ties, so that the
        # counts follow from the conditions and not from how the index came to hold them.
        order = sorted(columns.items(), key=lambda each: (-len(each[1].rows), each[0]))
        self._order = [(None if kind == SCORE else field, column) for (field, kind, _), column in order]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, Row]]) -> "Index":
        """The index of numbered rows."""
        numbered = list(rows)
        entries = _entries(numbered)
        every = BitMap([number for number, _ in numbered])
        return cls({key: _column(key[1], each) for key, each in entries.items()}, every)

    def changed(self, gone: Sequence[tuple[int, Row]], come: Sequence[tuple[int, Row]]) -> "Index":
        """The index without some rows and with others."""
        columns = dict(self._columns)
        left, new = _entries(gone), _entries(come)
        for key in left.keys() | new.keys():
            column = columns.get(key)
            if column is None:
                columns[key] = _column(key[1], new[key])
                continue
            column = column.changed(left.get(key, []), new.get(key, []))
            if column.rows:
                columns[key] = column
            else:
                del columns[key]
        every = (self._every - BitMap([number for number, _ in gone])) | BitMap([number for number, _ in come])
        return Index(columns, every)

    def find(self, values: Mapping[str, Value], points: int | None) -> Found:
        """What holds for these values and this score."""
        left = self._every.copy()
        counted: dict[str, int] = {}
        size = left.rank(SEVERAL - 1)
        for field, column in self._order:
            missed = column.missed(points if field is None else values.get(field))
            if missed:
                left -= missed
                now = left.rank(SEVERAL - 1)
                if now != size:
                    counted[field or ""] = counted.get(field or "", 0) + size - now
                    size = now
        return Found(left, counted)

    def near(self, values: Mapping[str, Value], points: int | None) -> BitMap:
        """The rows that lack one thing only."""
        left, near = self._every, BitMap()
        for field, column in self._order:
            missed = column.missed(points if field is None else values.get(field))
            if missed:
                near = (near - missed) | (left & missed)
                left = left - missed
        return near


def _entries(rows: Iterable[tuple[int, Row]]) -> dict[Key, Entries]:
    found: dict[Key, Entries] = {}
    for number, row in rows:
        seen: dict[tuple[str, str], int] = {}
        for field, kind, operand in row:
            place = seen.get((field, kind), 0)
            seen[field, kind] = place + 1
            found.setdefault((field, kind, place), []).append((number, operand))
    return found

"""A lead against a large order book: the index says who is left to be judged, the rest is counted.

Made by ``board``. Of those refused it tells only the nearest, and only where few are left.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from pyroaring import BitMap

from leadmill.core.predicates import Value
from leadmill.market.model import PREDICATE, Considered
from leadmill.market.orderbook.index import SEVERAL, Index
from leadmill.market.orderbook.lines import Conditions, Line
from leadmill.market.orderbook.small import Others, Sorted
from leadmill.market.orderbook.ways import Row, take_apart

NEAR = 10
"""Where fewer are left to be judged, a large book names so many of the refused: those that pay most among the ones
that lacked one thing only."""

_SCORE = "score"


_NOTHING: Conditions = []
_id_of = attrgetter("order.id")
_FEW = 64
"""How many are looked at one by one rather than by what they pay."""


def _entry_id(entry: tuple[Line, Conditions]) -> str:
    return entry[0].order.id


class WideBoard:
    """A large book, indexed. Each order has the numbers of its rows in the index; what it answers follows from the
    orders alone, not from how it came to hold them."""

    __slots__ = (
        "_bands",
        "_by_id",
        "_closed",
        "_free",
        "_index",
        "_many",
        "_next",
        "_rows",
        "_straight",
        "_ties",
        "_who",
    )

    def __init__(self, lines: Sequence[Line]) -> None:
        self._by_id: dict[str, Line] = {}
        self._rows: dict[str, list[tuple[int, Row]]] = {}
        self._closed: Counter[str] = Counter()
        self._ties: dict[tuple[str, int, int], frozenset[str]] = {}
        self._who: list[tuple[Line, Conditions]] = []
        self._free: list[int] = []
        self._many: dict[int, tuple[Line, Conditions]] = {}
        self._next = SEVERAL
        self._bands: dict[int, BitMap] = {}
        self._index = Index.of([])
        self._take(lines)
        # Rows are numbered in the order of ids as long as nothing has changed.
        self._straight = True
        self._index = Index.of(row for rows in self._rows.values() for row in rows)

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def lines(self) -> Sequence[Line]:
        """Every order, by id."""
        return sorted(self._by_id.values(), key=_id_of)

    def find(self, order_id: str) -> Line | None:
        """An order of the book."""
        return self._by_id.get(order_id)

    def changed(self, gone: Iterable[str], come: Sequence[Line]) -> "WideBoard":
        """The book without some orders, by id, and with others; this one stays what it is."""
        other = WideBoard(())
        for name in ("_by_id", "_rows", "_closed", "_ties", "_who", "_many", "_free", "_bands"):
            setattr(other, name, getattr(self, name).copy())
        other._straight, other._next = False, self._next
        left = other._drop(gone)
        other._take(come)
        new = [row for line in come for row in other._rows[line.order.id]]
        other._index = self._index.changed(left, new)
        return other

    def _take(self, lines: Sequence[Line]) -> None:
        bands: dict[int, list[int]] = {}
        ties: dict[tuple[str, int, int], list[str]] = {}
        for line in lines:
            ident = line.order.id
            self._by_id[ident] = line
            for rank in line.ranks:
                ties.setdefault(rank, []).append(ident)
            if line.fixed is not None:
                self._closed[line.fixed.refused.code if line.fixed.refused else ""] += 1
                self._rows[ident] = []
                continue
            taken = take_apart(line.parts, line.order.min_score)
            entry = (line, line.asked(taken.asked) if taken.asked else _NOTHING)
            alone = len(taken.rows) == 1
            numbered = [(self._number(entry, alone), row) for row in taken.rows]
            self._rows[ident] = numbered
            numbers = [number for number, _ in numbered]
            bands.setdefault(_band(_worth(line)), []).extend(numbers)
        for band, numbers in bands.items():
            self._bands[band] = self._bands.get(band, BitMap()) | BitMap(numbers)
        self._tie({rank: self._ties.get(rank, frozenset()).union(new) for rank, new in ties.items()}, lines)

    def _drop(self, gone: Iterable[str]) -> list[tuple[int, Row]]:
        left: list[tuple[int, Row]] = []
        ties: dict[tuple[str, int, int], frozenset[str]] = {}
        for ident in gone:
            line = self._by_id.pop(ident)
            for rank in line.ranks:
                ties[rank] = ties.get(rank, self._ties[rank]) - {ident}
            if line.fixed is not None:
                self._closed[line.fixed.refused.code if line.fixed.refused else ""] -= 1
            rows = self._rows.pop(ident)
            left += rows
            numbers = BitMap([number for number, _ in rows])
            band = _band(_worth(line))
            if numbers:
                self._bands[band] = self._bands[band] - numbers
            for number, _ in rows:
                if number < SEVERAL:
                    self._free.append(number)
                else:
                    del self._many[number]
        self._tie(ties, ())
        return left

    def _number(self, entry: tuple[Line, Conditions], alone: bool) -> int:
        if not alone:
            self._next += 1
            self._many[self._next] = entry
            return self._next
        if self._free:
            number = self._free.pop()
            self._who[number] = entry
            return number
        self._who.append(entry)
        return len(self._who) - 1

    def _entry(self, number: int) -> tuple[Line, Conditions]:
        return self._who[number] if number < SEVERAL else self._many[number]

    def _tie(self, ranks: Mapping[tuple[str, int, int], frozenset[str]], fresh: Iterable[Line]) -> None:
        """Tell the orders of some ranks whether they tie now."""
        touched = {line.order.id for line in fresh}
        for rank, names in ranks.items():
            before = self._ties.get(rank, frozenset())
            # Another's answer changes only where one becomes two or two become one.
            if (len(before) > 1) is not (len(names) > 1):
                touched |= names
            if names:
                self._ties[rank] = names
            else:
                del self._ties[rank]
        for ident in touched:
            line = self._by_id[ident]
            tied = line.tied(any(len(self._ties[rank]) > 1 for rank in line.ranks))
            if tied is not line:
                self._by_id[ident] = tied
                numbers = [number for number, _ in self._rows[ident]]
                if numbers:
                    entry = (tied, self._entry(numbers[0])[1])
                    for number in numbers:
                        if number < SEVERAL:
                            self._who[number] = entry
                        else:
                            self._many[number] = entry

    def sort(self, values: Mapping[str, Value], points: int | None) -> Sorted:
        """A lead's values and its score against the book."""
        rows, ruled_out = self._index.find(values, points)
        numbers = rows.to_array()
        alone = rows.rank(SEVERAL - 1)
        left = list(map(self._who.__getitem__, numbers[:alone]))
        # Several ways to meet an order's conditions may hold at once.
        many = {id(entry): entry for entry in map(self._many.__getitem__, numbers[alone:])}
        if self._straight:
            left += many.values()
        else:
            left = [*sorted(left, key=_entry_id), *sorted(many.values(), key=_entry_id)]
        near = self._nearest(left, values, points) if len(left) < NEAR else []
        required: dict[str, int] = {}
        for field, count in sorted(ruled_out.items(), key=lambda each: (-each[1], each[0])):
            required[field or _SCORE] = required.get(field or _SCORE, 0) + count
        closed = {code: count for code, count in self._closed.items() if count}
        # Those that could have been met in several ways, or in none, are ruled out by no single field.
        if rest := len(self._by_id) - len(left) - sum(required.values()) - sum(closed.values()):
            closed[PREDICATE.code] = rest
        return Sorted(near, left, Others(len(self._by_id), required, closed, near))

    def _nearest(
        self, left: Sequence[tuple[Line, Conditions]], values: Mapping[str, Value], points: int | None
    ) -> list[Considered]:
        """Those that lacked one thing only and pay most, with what they lacked."""
        close = self._index.near(values, points)
        fitting = {line.order.id for line, _ in left} if self._many else set()
        found: dict[str, Line] = {}
        few = len(close) <= _FEW
        for numbers in (close,) if few else (close & self._bands[band] for band in sorted(self._bands, reverse=True)):
            for number in numbers:
                line = self._entry(number)[0]
                if line.order.id not in fitting:
                    found[line.order.id] = line
            if len(found) >= NEAR:
                break
        best = sorted(found.values(), key=_best_first)[:NEAR]
        return [told for line in best if (told := line.refused_by(values, points)) is not None]


def _worth(line: Line) -> int:
    return max(line.exclusive.amount if line.exclusive else 0, line.shared.amount if line.shared else 0)


def _best_first(line: Line) -> tuple[int, str]:
    return -_worth(line), line.order.id


def _band(amount: int) -> int:
    """Amounts in bands some three hundredths wide, so that the best are found without looking at all."""
    size = amount.bit_length()
    return size * 32 + ((amount >> (size - 6)) & 31 if size > 5 else amount)

"""A lead against a small order book: every order is asked, because each refusal is told anyway.

Made by ``board``, which takes ``wide`` for larger ones; both answer with :class:`Sorted`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leadmill.core.predicates import Predicate, Test, Value
from leadmill.market.model import Considered
from leadmill.market.orderbook.lines import Conditions, Line, mark_ties
from leadmill.market.windows import EPOCH


class Others(NamedTuple):
    """What a large book says of those it does not leave to be judged: how many orders there are in all, how many were
    ruled out first by each field, how many otherwise, by reason, and which of them only just were."""

    orders: int
    required: dict[str, int]
    closed: dict[str, int]
    near: list[Considered]


class Sorted(NamedTuple):
    """A lead against a book: refusals, the orders left with the conditions still to be asked, and the others."""

    refused: Sequence[Considered]
    left: Sequence[tuple[Line, Conditions]]
    others: Others | None


class Board:
    """A small book. Most demands name a state or another such field: the orders are sorted out by the field that most
    of them name, once for each value it takes."""

    __slots__ = ("_field", "_first", "_kept", "lines")

    _MOST = 2000

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = mark_ties(lines)
        plain = {line.order.id: _plain(line.parts) for line in lines}
        named = Counter(field for places in plain.values() for field in places)
        self._field = min(named, key=lambda field: (-named[field], field), default="")
        self._first = {ident: places[self._field] for ident, places in plain.items() if self._field in places}
        self._kept: dict[str | None, Sorted] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, order_id: str) -> Line | None:
        """An order of the book."""
        return next((line for line in self.lines if line.order.id == order_id), None)

    def sort(self, values: Mapping[str, Value], points: int | None) -> Sorted:
        """A lead's values and its score against the book; the score is left to be asked."""
        value = values.get(self._field)
        if value is not None and not isinstance(value, str):
            return self._sort(values)
        kept = self._kept.get(value)
        if kept is None:
            if len(self._kept) >= self._MOST:
                self._kept.clear()
            kept = self._kept[value] = self._sort(values)
        return kept

    def _sort(self, values: Mapping[str, Value]) -> Sorted:
        refused: list[Considered] = []
        left: list[tuple[Line, Conditions]] = []
        for line in self.lines:
            place = self._first.get(line.order.id)
            if line.fixed is not None:
                refused.append(line.fixed)
            elif place is None:
                left.append((line, line.steady))
            elif not line.steady[place][0](values, EPOCH):
                refused.append(line.steady[place][1])
            else:
                left.append((line, line.steady[:place] + line.steady[place + 1 :]))
        return Sorted(refused, left, None)


def _plain(parts: Sequence[Predicate]) -> dict[str, int]:
    """The fields that a condition compares with fixed values, and the place of that condition."""
    found: dict[str, int] = {}
    for place, part in enumerate(parts):
        if isinstance(part, Test) and part.op in ("eq", "in"):
            found.setdefault(part.field, place)
    return found

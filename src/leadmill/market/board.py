"""The orders of a vertical against one lead: which are refused at once, and which are still to be judged.

Made by the step ``Allocate`` for each revision of the rules, from the boards of the revision before, so that a changed
order costs what one order costs. A small book is asked order by order, because each refusal is told anyway; a large
one is indexed, and tells of those refused only the nearest and how many there were.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace
from pyroaring import BitMap

from leadmill.core.predicates import Predicate, Test, Value
from leadmill.market.index import Index
from leadmill.market.lines import Conditions, Line, in_house, mark_ties
from leadmill.market.model import PREDICATE, Auction, Considered, Order
from leadmill.market.tally import EPOCH
from leadmill.market.ways import Row, take_apart
from leadmill.parties import Buyer, Roster, Team

SMALL = 100
"""Orders up to which a book is small: all are named in every auction."""

NEAR = 10
"""Where fewer are left to be judged, a large book names so many of the refused: those that pay most among the ones
that lacked one thing only."""

NAMED = 100
"""How many orders the auction of a large book names, those included."""

_SCORE = "score"


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
        "_rows",
        "_several",
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
        self._several = BitMap()
        self._bands: dict[int, BitMap] = {}
        self._index = Index.of([])
        self._take(lines)
        # Rows are numbered in the order of ids as long as nothing has changed.
        self._straight = True
        self._index = Index.of((row for rows in self._rows.values() for row in rows), self._several)

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
        for name in ("_by_id", "_rows", "_closed", "_ties", "_who", "_free", "_several", "_bands"):
            setattr(other, name, getattr(self, name).copy())
        other._straight = False
        left = other._drop(gone)
        other._take(come)
        new = [row for line in come for row in other._rows[line.order.id]]
        other._index = self._index.changed(left, new, other._several)
        return other

    def _take(self, lines: Sequence[Line]) -> None:
        bands: dict[int, list[int]] = {}
        ties: dict[tuple[str, int, int], list[str]] = {}
        several: list[int] = []
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
            numbered = [(self._number(entry), row) for row in taken.rows]
            self._rows[ident] = numbered
            numbers = [number for number, _ in numbered]
            bands.setdefault(_band(_worth(line)), []).extend(numbers)
            if len(numbers) > 1:
                several += numbers
        self._several |= BitMap(several)
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
                self._several = self._several - numbers
            self._free += [number for number, _ in rows]
        self._tie(ties, ())
        return left

    def _number(self, entry: tuple[Line, Conditions]) -> int:
        if self._free:
            number = self._free.pop()
            self._who[number] = entry
            return number
        self._who.append(entry)
        return len(self._who) - 1

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
                    entry = (tied, self._who[numbers[0]][1])
                    for number in numbers:
                        self._who[number] = entry

    def sort(self, values: Mapping[str, Value], points: int | None) -> Sorted:
        """A lead's values and its score against the book."""
        rows, ruled_out = self._index.find(values, points)
        left = list(map(self._who.__getitem__, rows.to_array()))
        if self._several:
            # Several ways to meet an order's conditions may hold at once.
            left = list({id(entry): entry for entry in left}.values())
        if not self._straight:
            left.sort(key=_entry_id)
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
        fitting = {line.order.id for line, _ in left}
        found: dict[str, Line] = {}
        few = len(close) <= _FEW
        for numbers in (close,) if few else (close & self._bands[band] for band in sorted(self._bands, reverse=True)):
            for number in numbers:
                line = self._who[number][0]
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


def brief(auction: Auction, others: Others | None) -> Auction:
    """An auction as it is recorded: of a large book only some are named, the others counted. The counts and the named
    that were left to be judged add up to the book; those that only just were ruled out are counted as well."""
    if others is None:
        return auction
    near = {item.order_id for item in others.near}
    judged = [item for item in auction.considered if item.order_id not in near]
    room = NAMED - len(near)
    unnamed = Counter(others.closed)
    unnamed.update(item.refused.code for item in judged[room:] if item.refused is not None)
    return replace(
        auction,
        considered=(*judged[:room], *others.near),
        orders=others.orders,
        required=others.required,
        unnamed=dict(sorted(unnamed.items(), key=lambda each: (-each[1], each[0]))),
    )


AnyBoard = Board | WideBoard


class Boards(dict[str, AnyBoard]):
    """The boards by vertical, with what they were made from. ``small`` is the most orders that are all named,
    ``turning`` the verticals whose leads may go by turns, and whether by the shares of a day."""

    def __init__(
        self,
        orders: Mapping[str, Order],
        roster: Roster,
        currencies: Mapping[str, str] | None = None,
        earlier: "Boards | None" = None,
        small: int = SMALL,
        turning: Mapping[str, bool] | None = None,
    ) -> None:
        super().__init__()
        self.small = small
        self._turning = dict(turning or {})
        self._currencies = dict(currencies or {})
        self._orders = orders
        self._roster = roster
        verticals = {order.vertical for order in orders.values()} | set(self._currencies)
        self._teams = {order.id: order for order in in_house(orders.values(), roster, verticals)}
        self._lines: dict[str, Line] = {}
        same = earlier is not None and earlier.small == small and earlier._turning == self._turning
        if earlier is not None and same and earlier._currencies == self._currencies:
            self._follow(earlier)
        else:
            self._begin()

    def _begin(self) -> None:
        for order in (*self._orders.values(), *self._teams.values()):
            self._lines[order.id] = self._line(order)
        by: dict[str, list[Line]] = {}
        for line in sorted(self._lines.values(), key=_id_of):
            by.setdefault(line.order.vertical, []).append(line)
        for vertical, lines in by.items():
            self[vertical] = Board(lines) if len(lines) <= self.small else WideBoard(lines)

    def _follow(self, earlier: "Boards") -> None:
        """Take over what is the same, and make what has changed."""
        before, now = {**earlier._orders, **earlier._teams}, {**self._orders, **self._teams}
        parties = _moved(earlier._roster.buyers, self._roster.buyers) | _moved(
            earlier._roster.teams, self._roster.teams
        )
        fresh = {
            ident: order
            for ident, order in now.items()
            if ((old := before.get(ident)) is not order and old != order) or (parties and order.recipient in parties)
        }
        gone = before.keys() - now.keys()
        self._lines = earlier._lines.copy() if fresh or gone else earlier._lines
        touched: dict[str, tuple[list[str], list[Line]]] = {}
        for ident in (*gone, *fresh):
            if ident in before:
                touched.setdefault(before[ident].vertical, ([], []))[0].append(ident)
                del self._lines[ident]
        for ident, order in fresh.items():
            line = self._lines[ident] = self._line(order)
            touched.setdefault(order.vertical, ([], []))[1].append(line)
        self.update({vertical: board for vertical, board in earlier.items() if vertical not in touched})
        for vertical, (out, come) in touched.items():
            board = earlier.get(vertical)
            size = (len(board) if board is not None else 0) - len(out) + len(come)
            if isinstance(board, WideBoard) and size > self.small and len(out) + len(come) < size // 2:
                self[vertical] = board.changed(out, come)
            elif size:
                lines = [line for line in self._lines.values() if line.order.vertical == vertical]
                lines.sort(key=_id_of)
                self[vertical] = Board(lines) if size <= self.small else WideBoard(lines)

    def _line(self, order: Order) -> Line:
        by_share = self._turning.get(order.vertical)
        return Line(order, self._roster, self._currencies.get(order.vertical, "USD"), by_share)


def _moved(before: Mapping[str, Buyer | Team], now: Mapping[str, Buyer | Team]) -> set[str]:
    """The parties that are new, gone or otherwise than they were."""
    return {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}

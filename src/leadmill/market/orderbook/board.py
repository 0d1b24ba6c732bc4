"""The orders of a vertical against one lead: which are refused at once, and which are still to be judged.

Made by the step ``Allocate`` for each revision of the rules, from the boards of the revision before, so that a changed
order costs what one order costs. A small book is asked order by order, because each refusal is told anyway; a large
one is indexed, and tells of those refused only the nearest and how many there were.
"""

from collections import Counter
from collections.abc import Mapping
from operator import attrgetter

from msgspec.structs import replace

from leadmill.market.model import Auction, Order
from leadmill.market.orderbook.lines import Line, in_house
from leadmill.market.orderbook.small import Board, Others
from leadmill.market.orderbook.wide import WideBoard
from leadmill.parties import Buyer, Roster, Team

SMALL = 100
"""Orders up to which a book is small: all are named in every auction."""

NAMED = 100
"""The most orders that the auction of a large book names."""

_id_of = attrgetter("order.id")


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

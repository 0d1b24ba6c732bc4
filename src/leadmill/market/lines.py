"""Orders made ready to be asked: conditions compiled, reps by area, limits named, refusals written beforehand.

Built once for each revision of the rules by the step ``Allocate`` and by simulations; asked for every lead.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadmill.core.predicates import (
    All,
    AnyOf,
    Check,
    Not,
    Predicate,
    Test,
    Value,
    compile_predicate,
    describe,
    parse,
)
from leadmill.core.reasons import Because, because
from leadmill.ledger import buyer_account
from leadmill.market.model import (
    CURRENCY,
    NEEDS_BID,
    PREDICATE,
    RETIRED,
    UNKNOWN_RECIPIENT,
    Cap,
    Considered,
    Mode,
    Order,
    Per,
    Wanted,
)
from leadmill.market.tally import EPOCH
from leadmill.parties import Buyer, Credit, Rep, Roster, Team

Conditions = list[tuple[Check, Considered]]
"""Conditions, each with the refusal it gives."""


class Desk:
    """A rep ready to be asked: ``name`` is ``team/rep``."""

    __slots__ = ("_heads", "_zips", "capacity", "id", "name")

    def __init__(self, team: str, rep: Rep) -> None:
        self.id = rep.id
        self.name = f"{team}/{rep.id}"
        self.capacity = rep.capacity
        self._heads = tuple(text[:-1] for text in rep.zips if text.endswith("*"))
        self._zips = frozenset(text for text in rep.zips if not text.endswith("*"))

    def works(self, zip_code: str) -> bool:
        """Whether the rep works a ZIP code; one without areas works everywhere."""
        if not self._heads and not self._zips:
            return True
        return bool(zip_code) and (zip_code in self._zips or zip_code.startswith(self._heads))


class Line:
    """An order ready to be asked. ``fixed`` is the refusal that does not depend on the lead; ``steady`` and ``timed``
    are its conditions, each with the refusal it gives, the timed ones looking at the clock."""

    __slots__ = (
        "bid",
        "caps",
        "considered",
        "desks",
        "exclusive",
        "fixed",
        "order",
        "party",
        "plain",
        "shared",
        "steady",
        "timed",
        "wanted",
    )

    def __init__(self, order: Order, roster: Roster, currency: str) -> None:
        self.order = order
        self.party: Buyer | Team | None = None
        if order.buyer is not None:
            self.party = roster.buyers.get(order.buyer)
        elif order.team is not None:
            self.party = roster.teams.get(order.team)
        sharing = order.mode is not Mode.EXCLUSIVE
        self.exclusive = order.price if order.mode is not Mode.SHARED else None
        self.shared = order.shared_price if sharing else None
        self.considered = Considered(order.id, order.recipient, self.exclusive or self.shared, None, self.shared)
        self.steady: Conditions = []
        self.timed: Conditions = []
        self.plain: dict[str, int] = {}
        """The fields that a condition compares with fixed values, and the place of that condition."""
        condition = parse(list(order.where))
        for part in condition.parts if isinstance(condition, All) else (condition,):
            told = self.refuse(because(PREDICATE, clause=describe(part)))
            if isinstance(part, Test) and part.op in ("eq", "in"):
                self.plain.setdefault(part.field, len(self.steady))
            (self.timed if _looks_at_clock(part) else self.steady).append((compile_predicate(part), told))
        self.desks = self._desks()
        caps = order.caps + ((Cap(Per.ALL, spend=order.budget),) if order.budget is not None else ())
        pers = tuple(dict.fromkeys(cap.per for cap in caps))
        self.caps = tuple((pers.index(cap.per), cap) for cap in caps)
        self.wanted = Wanted(
            order_id=order.id,
            tz=order.tz,
            caps=caps,
            pers=pers,
            account=self._account(),
            currency=order.currency,
            reps=tuple((desk.name, desk.capacity) for desk in self.desks),
        )
        self.fixed = self._fixed(currency)
        self.bid: tuple[Any, ...] | None = None
        """What the order last could pay, after what that followed from; see ``bid_of``."""

    @property
    def name(self) -> str:
        """The recipient's name."""
        return self.party.name if self.party is not None else self.order.recipient

    def refuse(self, why: Because) -> Considered:
        """This order, refused."""
        kept = self.considered
        return Considered(kept.order_id, kept.recipient, kept.price, why, kept.shared_price)

    def _desks(self) -> tuple[Desk, ...]:
        if not isinstance(self.party, Team):
            return ()
        vertical = self.order.vertical
        return tuple(
            Desk(self.party.id, rep) for rep in self.party.reps if not rep.products or vertical in rep.products
        )

    def _account(self) -> str | None:
        limited = isinstance(self.party, Buyer) and is_limited(self.party.credit)
        return buyer_account(self.order.recipient) if limited else None

    def _fixed(self, currency: str) -> Considered | None:
        order = self.order
        if order.retired:
            return self.refuse(because(RETIRED))
        if self.party is None:
            return self.refuse(because(UNKNOWN_RECIPIENT, recipient=order.recipient))
        if order.buyer is not None and self.exclusive is None and self.shared is None:
            return self.refuse(because(NEEDS_BID))
        if order.buyer is not None and order.currency != currency:
            return self.refuse(because(CURRENCY, currency=order.currency, market=currency))
        return None


def is_limited(credit: Credit) -> bool:
    """Whether a buyer's account has a floor: one that pays ahead, or by invoice up to a limit."""
    return credit.mode == "prepay" or credit.limit is not None


def _looks_at_clock(condition: Predicate) -> bool:
    if isinstance(condition, Not):
        return _looks_at_clock(condition.part)
    if isinstance(condition, All | AnyOf):
        return any(_looks_at_clock(part) for part in condition.parts)
    return condition.op in ("older_than", "within")


def in_house(orders: Iterable[Order], roster: Roster, verticals: Iterable[str]) -> list[Order]:
    """The order that each team stands for in each vertical, save where it has declared one of its own."""
    declared = {(order.team, order.vertical) for order in orders if order.team is not None and not order.retired}
    return [
        Order(
            id=f"team:{team.id}:{vertical}", vertical=vertical, team=team.id, where=team.where, priority=team.priority
        )
        for team in roster.teams.values()
        for vertical in sorted(team.verticals or verticals)
        if not team.retired and (team.id, vertical) not in declared
    ]


def make_lines(
    orders: Mapping[str, Order], roster: Roster, currencies: Mapping[str, str] | None = None
) -> dict[str, list[Line]]:
    """Every order and team by vertical, ready to be asked, in the order of their ids. ``currencies`` says what a
    vertical's market is kept in where that is not USD."""
    verticals = {order.vertical for order in orders.values()} | set(currencies or {})
    every = [*orders.values(), *in_house(orders.values(), roster, verticals)]
    found: dict[str, list[Line]] = {}
    for order in sorted(every, key=lambda order: order.id):
        currency = (currencies or {}).get(order.vertical, "USD")
        found.setdefault(order.vertical, []).append(Line(order, roster, currency))
    for lines in found.values():
        _mark_ties(lines)
    return found


class Board:
    """The orders of one vertical. Most demands name a state or another such field: the orders are sorted out by the
    field that most of them name, once for each value it takes."""

    __slots__ = ("_field", "_first", "_kept", "lines")

    _MOST = 2000

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        named = Counter(field for line in lines for field in line.plain)
        self._field = min(named, key=lambda field: (-named[field], field), default="")
        self._first = {line.order.id: line.plain[self._field] for line in lines if self._field in line.plain}
        self._kept: dict[str | None, tuple[list[Considered], list[tuple[Line, Conditions]]]] = {}

    def sort(self, values: Mapping[str, Value]) -> tuple[list[Considered], list[tuple[Line, Conditions]]]:
        """The orders refused already, and the others with the conditions still to be asked."""
        value = values.get(self._field)
        if value is not None and not isinstance(value, str):
            return self._sort(values)
        kept = self._kept.get(value)
        if kept is None:
            if len(self._kept) >= self._MOST:
                self._kept.clear()
            kept = self._kept[value] = self._sort(values)
        return kept

    def _sort(self, values: Mapping[str, Value]) -> tuple[list[Considered], list[tuple[Line, Conditions]]]:
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
        return refused, left


def _mark_ties(lines: Sequence[Line]) -> None:
    seen: dict[tuple[str, int, int], list[Line]] = {}
    for line in lines:
        for kind, price in (("exclusive", line.exclusive), ("shared", line.shared)):
            if price is not None and line.fixed is None:
                seen.setdefault((kind, price.amount, line.order.priority), []).append(line)
    for tied in seen.values():
        for line in tied if len(tied) > 1 else ():
            old = line.wanted
            line.wanted = Wanted(old.order_id, old.tz, old.caps, old.pers, old.account, old.currency, old.reps, True)

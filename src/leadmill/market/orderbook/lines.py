"""Orders made ready to be asked: conditions compiled, reps by area, limits named, refusals written beforehand.

Built once for each revision of the rules by the step ``Allocate`` and by simulations; asked for every lead.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from leadmill.core.predicates import (
    All,
    AnyOf,
    Check,
    Not,
    Predicate,
    Value,
    compile_predicate,
    describe,
    parse,
)
from leadmill.core.reasons import Because, because
from leadmill.ledger import buyer_account, plan_account
from leadmill.market.model import (
    CURRENCY,
    MIN_SCORE,
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
from leadmill.market.orderbook.pricing import tariff_of, windows_of
from leadmill.market.terms import BY_WIN
from leadmill.market.windows import EPOCH
from leadmill.parties import Buyer, Credit, Rep, Roster, Team

Conditions = list[tuple[Check, Considered]]
"""Conditions, each with the refusal it gives."""


class Desk:
    """A rep ready to be asked: ``name`` is ``team/rep``."""

    __slots__ = ("_heads", "_zips", "capacity", "hours", "id", "name", "skills")

    def __init__(self, team: str, rep: Rep) -> None:
        self.id = rep.id
        self.name = f"{team}/{rep.id}"
        self.capacity = rep.capacity
        self.hours = rep.hours
        self.skills = frozenset(rep.skills)
        self._heads = tuple(text[:-1] for text in rep.zips if text.endswith("*"))
        self._zips = frozenset(text for text in rep.zips if not text.endswith("*"))

    def works(self, zip_code: str) -> bool:
        """Whether the rep works a ZIP code; one without areas works everywhere."""
        if not self._heads and not self._zips:
            return True
        return bool(zip_code) and (zip_code in self._zips or zip_code.startswith(self._heads))


class Line:
    """An order ready to be asked. ``fixed`` is the refusal that does not depend on the lead; ``parts`` are the
    conditions that do not look at the clock, ``timed`` those that do, each with the refusal it gives. It belongs to as
    many revisions of the rules as leave the order, its party and its currency alone.

    ``by_share`` is set where the vertical's leads may go by turns, and true where by the shares of a day."""

    __slots__ = (
        "_steady",
        "always",
        "bid",
        "by_win",
        "caps",
        "considered",
        "desks",
        "exclusive",
        "fixed",
        "hopes",
        "lasting",
        "needs",
        "order",
        "parts",
        "party",
        "requires",
        "shared",
        "tariff",
        "timed",
        "usual",
        "wanted",
        "worth",
    )

    def __init__(self, order: Order, roster: Roster, currency: str, by_share: bool | None = None) -> None:
        self.order = order
        self.party: Buyer | Team | None = None
        if order.buyer is not None:
            self.party = roster.buyers.get(order.buyer)
        elif order.team is not None:
            self.party = roster.teams.get(order.team)
        required = (order.require, self.party.require if isinstance(self.party, Buyer) else None)
        self.requires = tuple(each for each in required if each is not None)
        """What a lead must bring beside its fields: what the order requires, and what its buyer does."""
        sharing = order.mode is not Mode.EXCLUSIVE
        self.exclusive = order.price if order.mode is not Mode.SHARED else None
        self.shared = order.shared_price if sharing else None
        self.tariff = tariff_of(order, self.exclusive, self.shared) if order.buyer is not None else None
        self.considered = Considered(order.id, order.recipient, self.exclusive or self.shared, None, self.shared)
        condition = parse(list(order.where))
        every = condition.parts if isinstance(condition, All) else (condition,)
        self.parts = tuple(part for part in every if not _looks_at_clock(part))
        self.timed = [self._asked(part) for part in every if _looks_at_clock(part)]
        self._steady: Conditions | None = None
        self.desks = self._desks()
        needs = self.party.needs if isinstance(self.party, Team) else {}
        self.needs = [(skill, compile_predicate(parse(list(where)))) for skill, where in needs.items()]
        """The skills that some leads need of a team's rep, each with the condition."""
        caps = order.caps + ((Cap(Per.ALL, spend=order.budget),) if order.budget is not None else ())
        pers = tuple(dict.fromkeys([*(cap.per for cap in caps), *windows_of(order, by_share is True)]))
        self.caps = tuple((pers.index(cap.per), cap) for cap in caps)
        self.lasting = tuple(
            (place, cap.leads or 0, None if cap.spend is None else cap.spend.amount)
            for place, cap in self.caps
            if cap.per is not Per.HOUR
        )
        """Its caps that do not come back within the hour: their windows' places, leads or minor units."""
        self.usual = tuple(
            max(price.amount, 0) if price is not None else 0 for price in (order.price, order.shared_price)
        )
        """What it usually pays for a lead alone and for a leg, in minor units; 0 where it names no price."""
        self.wanted = Wanted(
            order_id=order.id,
            tz=order.tz,
            caps=caps,
            pers=pers,
            exact=tuple(windows_of(order, by_share is True)),
            account=self._account(),
            plan=plan_account(order.recipient) if order.subscription is not None else None,
            currency=order.currency,
            reps=tuple((desk.name, desk.capacity) for desk in self.desks),
            # A price that moves may tie with any other, and where leads go by turns, everybody's last counts.
            ties=order.buyer is not None and (self.tariff is not None or by_share is not None),
            turns=order.buyer is not None and by_share is not None,
        )
        self.by_win = order.buyer is not None and order.unit in BY_WIN
        """Whether its price is owed only for a lead that was won."""
        worth = order.worth or (self.party.worth if isinstance(self.party, Team) else None)
        self.worth = worth if worth is not None and worth.amount and worth.currency == currency else None
        """What a won lead is worth to a team that takes the leads it makes more of than a sale."""
        self.hopes = self.by_win or self.worth is not None
        """Whether it matters to it how likely a lead is won."""
        self.always = self.wanted.ties
        """Whether another can tie with it whatever the others' prices are."""
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

    @property
    def steady(self) -> Conditions:
        """The conditions that do not look at the clock, each with the refusal it gives; made when first asked for,
        since most orders of a large book never are."""
        if self._steady is None:
            self._steady = [self._asked(part) for part in self.parts]
        return self._steady

    @property
    def ranks(self) -> list[tuple[str, int, int]]:
        """Where it stands among others by what it pays and its priority: orders that share a place tie."""
        if self.fixed is not None:
            return []
        both = (("exclusive", self.exclusive), ("shared", self.shared))
        return [(kind, price.amount, self.order.priority) for kind, price in both if price is not None]

    def tied(self, ties: bool) -> "Line":
        """This line where another can tie with it, or where none can."""
        ties = ties or self.always
        if self.wanted.ties is ties:
            return self
        other = Line.__new__(Line)
        for name in Line.__slots__:
            setattr(other, name, getattr(self, name))
        other.wanted = replace(self.wanted, ties=ties)
        other.bid = None
        return other

    def asked(self, parts: Iterable[Predicate]) -> Conditions:
        """Some of its conditions, ready to be asked."""
        return [self._asked(part) for part in parts]

    def _asked(self, part: Predicate) -> tuple[Check, Considered]:
        return compile_predicate(part), self.refuse(because(PREDICATE, clause=describe(part)))

    def refused_by(self, values: Mapping[str, Value], points: int | None) -> Considered | None:
        """The refusal that needs no more than the lead and its score, by asking one condition after the other: the
        reference for what an index answers."""
        if self.fixed is not None:
            return self.fixed
        for check, told in self.steady:
            if not check(values, EPOCH):
                return told
        return self.below(points)

    def below(self, points: int | None) -> Considered | None:
        """The refusal of a lead whose score is too low."""
        least = self.order.min_score
        if least is None or (points is not None and points >= least):
            return None
        shown = points if points is not None else "none"
        return self.refuse(because(MIN_SCORE, min_score=least, score=shown))

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
        unpriced = self.exclusive is None and self.shared is None
        if order.buyer is not None and unpriced and order.ping is None:
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
    orders: Mapping[str, Order],
    roster: Roster,
    currencies: Mapping[str, str] | None = None,
) -> dict[str, list[Line]]:
    """Every order and team by vertical, ready to be asked, in the order of their ids. ``currencies`` says what a
    vertical's market is kept in where that is not USD."""
    verticals = {order.vertical for order in orders.values()} | set(currencies or {})
    every = [*orders.values(), *in_house(orders.values(), roster, verticals)]
    found: dict[str, list[Line]] = {}
    for order in sorted(every, key=lambda order: order.id):
        currency = (currencies or {}).get(order.vertical, "USD")
        found.setdefault(order.vertical, []).append(Line(order, roster, currency))
    return {vertical: mark_ties(lines) for vertical, lines in found.items()}


def mark_ties(lines: Sequence[Line]) -> list[Line]:
    """The lines, each told whether another can tie with it."""
    seen = Counter(place for line in lines for place in line.ranks)
    return [line.tied(any(seen[place] > 1 for place in line.ranks)) for line in lines]

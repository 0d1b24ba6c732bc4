"""Which order takes a lead: orders made ready to be asked, the choice among those that can, and the sale.

Called by the step ``Allocate``. A lead is sold to the one exclusive order or to the set of shared ones that pays more
together; equal values go by priority, then to who has waited longest, then by id.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from leadmill.core.faults import Permanent
from leadmill.core.ids import make_id
from leadmill.core.money import Money
from leadmill.core.predicates import All, AnyOf, Check, Not, Predicate, compile_predicate, describe, parse
from leadmill.core.reasons import Because, because
from leadmill.ledger import buyer_account
from leadmill.market.model import (
    BUDGET,
    CAP_REACHED,
    CREDIT,
    CURRENCY,
    MAX_LEGS,
    NEEDS_BID,
    PREDICATE,
    RETIRED,
    UNKNOWN_RECIPIENT,
    Assignment,
    Cap,
    Considered,
    Leg,
    Mode,
    Order,
    Per,
    Room,
    Sale,
    Use,
    Wanted,
)
from leadmill.parties import Buyer, Credit, Rep, Roster, Team
from leadmill.policy import Clearance, clear_recipient

_NEVER = datetime.min.replace(tzinfo=UTC)


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
        "caps",
        "considered",
        "desks",
        "exclusive",
        "fixed",
        "order",
        "party",
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
        self.steady: list[tuple[Check, Considered]] = []
        self.timed: list[tuple[Check, Considered]] = []
        condition = parse(list(order.where))
        for part in condition.parts if isinstance(condition, All) else (condition,):
            told = self.refuse(because(PREDICATE, clause=describe(part)))
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


class Bid:
    """What one order would pay for this lead, in minor units: alone, for a leg, or both."""

    __slots__ = ("exclusive", "last", "line", "shared")

    def __init__(self, line: Line, exclusive: int | None, shared: int | None, last: datetime | None) -> None:
        self.line = line
        self.exclusive = exclusive
        self.shared = shared
        self.last = last

    def rank(self, amount: int) -> tuple[int, int, datetime, str]:
        """Best first: value, priority, longest waiting, id."""
        order = self.line.order
        return -amount, order.priority, self.last or _NEVER, order.id


def bid_of(line: Line, room: Room) -> Bid | Because:
    """What an order can pay within its limits, or the limit that keeps it from taking the lead at any price."""
    uses = room.used.get(line.order.id, ()) if line.caps else ()
    if len(uses) != len(line.wanted.pers):
        raise Permanent("market.headroom.missing", f"nothing is known of the limits of order {line.order.id}")
    funds = room.funds.get(line.wanted.account, -1) if line.wanted.account is not None else None
    found: Because | None = None
    amounts: list[int | None] = []
    for price in (line.exclusive, line.shared):
        blocked = _blocked(line, uses, price, funds) if price is not None else None
        amounts.append(price.amount if price is not None and blocked is None else None)
        found = found or blocked
    if amounts[0] is None and amounts[1] is None:
        return found or because(NEEDS_BID)
    return Bid(line, amounts[0], amounts[1], room.last.get(line.order.id) if line.wanted.ties else None)


def _blocked(line: Line, uses: Sequence[Use], price: Money, funds: int | None) -> Because | None:
    full = over_cap(line, uses, price.amount)
    if full is not None:
        return full
    if funds is not None and funds < price.amount:
        return because(CREDIT, price=str(price), available=str(Money(max(funds, 0), price.currency)))
    return None


def over_cap(line: Line, uses: Sequence[Use], amount: int) -> Because | None:
    """The first cap or budget that one more lead at this price would break."""
    for place, cap in line.caps:
        use = uses[place]
        if cap.leads is not None:
            if use.leads >= cap.leads:
                return because(CAP_REACHED, cap=cap_words(cap), used=use.leads, limit=cap.leads)
        elif cap.spend is not None and use.spend + amount > cap.spend.amount:
            used = str(Money(use.spend, cap.spend.currency))
            if cap.per is Per.ALL:
                return because(BUDGET, used=used, limit=str(cap.spend))
            return because(CAP_REACHED, cap=cap_words(cap), used=used, limit=str(cap.spend))
    return None


def cap_words(cap: Cap) -> str:
    """A cap in words: ``50 leads a day``, ``$20000.00 a month``."""
    window = {Per.HOUR: "an hour", Per.ALL: "in all"}.get(cap.per, f"a {cap.per.value}")
    return f"{cap.leads} leads {window}" if cap.leads is not None else f"{cap.spend} {window}"


class Choice:
    """Who gets the lead: the winning bids, how, and what they pay together (minor units)."""

    __slots__ = ("mode", "value", "winners")

    def __init__(self, mode: Mode, winners: list[Bid], value: int) -> None:
        self.mode = mode
        self.winners = winners
        self.value = value


def choose(bids: Sequence[Bid]) -> Choice | None:
    """The best exclusive bid, or the best set of shared ones where that is worth more; None without bids."""
    alone = min((bid for bid in bids if bid.exclusive is not None), key=_by_exclusive, default=None)
    together = _best_set(sorted((bid for bid in bids if bid.shared is not None), key=_by_shared))
    worth = sum(bid.shared or 0 for bid in together)
    if alone is not None and (not together or (alone.exclusive or 0) >= worth):
        return Choice(Mode.EXCLUSIVE, [alone], alone.exclusive or 0)
    return Choice(Mode.SHARED, together, worth) if together else None


def _by_exclusive(bid: Bid) -> tuple[int, int, datetime, str]:
    return bid.rank(bid.exclusive or 0)


def _by_shared(bid: Bid) -> tuple[int, int, datetime, str]:
    return bid.rank(bid.shared or 0)


def _best_set(ranked: Sequence[Bid]) -> list[Bid]:
    # For each size, the best that many orders of different buyers who all agree to be so many.
    best: list[Bid] = []
    worth = -1
    for size in range(1, min(MAX_LEGS, len(ranked)) + 1):
        chosen: list[Bid] = []
        buyers: set[str] = set()
        for bid in ranked:
            order = bid.line.order
            if order.max_legs >= size and order.recipient not in buyers:
                buyers.add(order.recipient)
                chosen.append(bid)
                if len(chosen) == size:
                    break
        if len(chosen) == size:
            value = sum(bid.shared or 0 for bid in chosen)
            if value > worth:
                best, worth = chosen, value
    return best


def pick_desk(line: Line, zip_code: str, room: Room) -> tuple[Desk | None, list[Desk]]:
    """The least loaded rep with capacity left, and all reps who work the ZIP code."""
    working = [desk for desk in line.desks if desk.works(zip_code)]
    free = [desk for desk in working if desk.capacity is None or room.reps.get(desk.name, 0) < desk.capacity]
    return min(free, key=lambda desk: (room.reps.get(desk.name, 0), desk.id), default=None), working


def sell(clearance: Clearance, lead_id: str, choice: Choice, now: datetime) -> Sale:
    """The sale of a cleared lead: the only way to make one.

    Raises :class:`Permanent` ``market.sale.not_cleared`` where the clearance does not cover a recipient, whatever was
    chosen.
    """
    legs = []
    for bid in choice.winners:
        order, party = bid.line.order, bid.line.party
        if party is None or clear_recipient(clearance, party, now) is not None:
            raise Permanent("market.sale.not_cleared", f"order {order.id} was chosen without a clearance")
        amount = bid.exclusive if choice.mode is Mode.EXCLUSIVE else bid.shared
        price = Money(amount or 0, order.currency)
        legs.append(Leg(_id("sale", now, lead_id, order.id), order.id, order.recipient, price))
    return Sale(_id("deal", now, lead_id, "deal"), choice.mode, tuple(legs), legs[0].price.currency)


def assign(clearance: Clearance, lead_id: str, line: Line, desk: Desk, now: datetime) -> Assignment:
    """The assignment of a cleared lead to a rep. Raises like :func:`sell`."""
    team = line.party
    if not isinstance(team, Team) or clear_recipient(clearance, team, now) is not None:
        raise Permanent("market.sale.not_cleared", f"order {line.order.id} was chosen without a clearance")
    return Assignment(_id("sale", now, lead_id, line.order.id), team.id, desk.id, line.order.id)


def _id(prefix: str, now: datetime, *of: str) -> str:
    # Steps have no randomness: an id follows from what it names, and a replay makes the same one.
    digest = hashlib.blake2b("\0".join(of).encode(), digest_size=10).digest()
    return make_id(prefix, now, int.from_bytes(digest) >> 6)

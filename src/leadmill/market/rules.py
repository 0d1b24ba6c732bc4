"""Which order takes a lead: what each can pay within its limits, the choice among them, and the sale.

Called by the step ``Allocate``. By default a lead is sold to the one exclusive order or to the set of shared ones
that pays more together; equal values go by priority, then to who has waited longest, then by id. Another ranking, by
expected worth or by none of it, takes the default's place in :func:`choose`, and nowhere else.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from leadmill.core.faults import Permanent
from leadmill.core.hours import is_open
from leadmill.core.ids import make_id
from leadmill.core.money import Money
from leadmill.core.predicates import Value
from leadmill.core.reasons import Because, because
from leadmill.market.model import (
    BUDGET,
    CAP_REACHED,
    CREDIT,
    MAX_LEGS,
    NEEDS_BID,
    NO_REP_FOR_ZIP,
    REP_CAPACITY,
    Assignment,
    Cap,
    Considered,
    Leg,
    Mode,
    Per,
    Room,
    Sale,
    Use,
)
from leadmill.market.orderbook.lines import Desk, Line
from leadmill.market.orderbook.pricing import HouseTerms, Quote, second_price
from leadmill.market.tenders.tender import BID_EXPIRED, BID_NO_TEST, BidHeard, NoBid
from leadmill.market.terms import NO_REP_ON_DUTY, NO_REP_SKILLED
from leadmill.parties import Team
from leadmill.policy import Clearance, clear_recipient

_NEVER = datetime.min.replace(tzinfo=UTC)


class Bid:
    """What one order would pay for this lead, in minor units: alone, for a leg, or both."""

    __slots__ = ("exclusive", "last", "line", "quote", "shared")

    def __init__(
        self,
        line: Line,
        exclusive: int | None,
        shared: int | None,
        last: datetime | None,
        quote: Quote | None = None,
    ) -> None:
        self.line = line
        self.exclusive = exclusive
        self.shared = shared
        self.last = last
        self.quote = quote
        """How the amounts came about, None where they are the order's fixed prices."""

    @property
    def considered(self) -> Considered:
        """The order as the auction tells of it: at what it would pay for this lead, where that is not its fixed
        price."""
        kept, quote = self.line.considered, self.quote
        if quote is None:
            return kept
        currency = self.line.order.currency
        alone = Money(quote.exclusive, currency) if quote.exclusive is not None else None
        leg = Money(quote.shared, currency) if quote.shared is not None else None
        return Considered(kept.order_id, kept.recipient, alone or leg, None, leg, quote.says)

    def refuse(self, why: Because) -> Considered:
        """The same, refused."""
        told = self.considered
        return Considered(told.order_id, told.recipient, told.price, why, told.shared_price, told.says)

    @property
    def waited(self) -> datetime:
        """When the order last got a lead; long ago where it never did."""
        return self.last or _NEVER

    def rank(self, amount: float) -> tuple[float, int, datetime, str]:
        """Best first: value, priority, longest waiting, id."""
        order = self.line.order
        return -amount, order.priority, self.last or _NEVER, order.id


def bid_of(line: Line, room: Room, quote: Quote | None = None) -> Bid | Because:
    """What an order can pay within its limits, or the limit that keeps it from taking the lead at any price.

    ``quote`` is what it would pay for this lead, where that is not its fixed price: from its price list, or bid.
    """
    wanted = line.wanted
    uses = room.used.get(wanted.order_id, ()) if wanted.pers else ()
    funds = room.funds.get(wanted.account, -1) if wanted.account is not None else None
    last = room.last.get(wanted.order_id) if wanted.ties else None
    if quote is not None:
        if quote.covered:
            funds = room.funds.get(wanted.plan or "")
        return _bid(line, uses, funds, last, (quote.exclusive, quote.shared), quote)
    kept = line.bid
    if kept is not None and kept[0] is uses and kept[1] == funds and kept[2] == last:
        known: Bid | Because = kept[3]
        return known
    fixed = (
        line.exclusive.amount if line.exclusive is not None else None,
        line.shared.amount if line.shared is not None else None,
    )
    bid = _bid(line, uses, funds, last, fixed)
    line.bid = (uses, funds, last, bid)
    return bid


def heard_bid(line: Line, room: Room, heard: BidHeard | NoBid | None, test: bool, now: datetime) -> Bid | Because:
    """What an order that is asked for bids can pay within its limits: what it bid, as long as that holds; otherwise
    why it bid nothing. ``test`` says that the lead is one."""
    order, wanted = line.order, line.wanted
    if heard is None:
        return (
            because(BID_NO_TEST) if test and order.ping is not None and order.ping.test is None else because(NEEDS_BID)
        )
    if isinstance(heard, NoBid):
        return heard.because
    if heard.expires_at <= now:
        return because(BID_EXPIRED, until=f"{heard.expires_at:%H:%M:%S} UTC")
    alone = heard.exclusive if order.mode is not Mode.SHARED else None
    leg = heard.shared if order.mode is not Mode.EXCLUSIVE else None
    uses = room.used.get(wanted.order_id, ()) if wanted.pers else ()
    funds = room.funds.get(wanted.account, -1) if wanted.account is not None else None
    last = room.last.get(wanted.order_id) if wanted.ties else None
    call = order.call.target(heard.call_to, heard.call_sip) if order.call is not None else None
    return _bid(line, uses, funds, last, (alone, leg), Quote(alone, leg, call=call))


def _bid(
    line: Line,
    uses: Sequence[Use],
    funds: int | None,
    last: datetime | None,
    offered: tuple[int | None, int | None],
    quote: Quote | None = None,
) -> Bid | Because:
    if len(uses) != len(line.wanted.pers):
        raise Permanent("market.headroom.missing", f"nothing is known of the limits of order {line.order.id}")
    found: Because | None = None
    amounts: list[int | None] = []
    for amount in offered:
        blocked = _blocked(line, uses, amount, funds) if amount is not None else None
        amounts.append(amount if blocked is None else None)
        found = found or blocked
    if amounts[0] is None and amounts[1] is None:
        return found or because(NEEDS_BID)
    return Bid(line, amounts[0], amounts[1], last, quote)


def _blocked(line: Line, uses: Sequence[Use], amount: int, funds: int | None) -> Because | None:
    full = over_cap(line, uses, amount)
    if full is not None:
        return full
    if funds is not None and funds < amount:
        currency = line.order.currency
        return because(CREDIT, price=price_words(amount, currency), available=str(Money(max(funds, 0), currency)))
    return None


def admit(bid: Bid, terms: HouseTerms) -> Bid | Because:
    """The bid as far as the house takes it: without the modes whose price is too low, or why none is left."""
    amounts: list[int | None] = []
    found: Because | None = None
    for amount, alone in ((bid.exclusive, True), (bid.shared, False)):
        refused = terms.refuses(amount, alone) if amount is not None else None
        amounts.append(amount if refused is None else None)
        found = found or refused
    if found is None:
        return bid
    if amounts[0] is None and amounts[1] is None:
        return found
    return Bid(bid.line, amounts[0], amounts[1], bid.last, bid.quote)


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
    """Who gets the lead: the winning bids, how, what each pays and all pay together (minor units). ``ranked`` says
    what they were ranked by where that was not what they pay."""

    __slots__ = ("mode", "prices", "ranked", "value", "winners")

    def __init__(
        self,
        mode: Mode,
        winners: list[Bid],
        value: int,
        prices: list[int] | None = None,
        ranked: Because | None = None,
    ) -> None:
        self.mode = mode
        self.winners = winners
        self.value = value
        alone = mode is Mode.EXCLUSIVE
        self.prices = prices or [(bid.exclusive if alone else bid.shared) or 0 for bid in winners]
        self.ranked = ranked


Ranking = Callable[[Sequence[Bid], HouseTerms | None], Choice | None]
"""Chooses among the bids for one lead, all of which it may have; a shared set must leave the house its margin."""

Worth = Callable[[Bid, int], float]
"""What it is worth to take a bid at an amount, in minor units: the amount itself, or what is expected of it."""


def choose(bids: Sequence[Bid], terms: HouseTerms | None = None, ranking: Ranking | None = None) -> Choice | None:
    """Who gets the lead; None without bids. The one place where candidates are ranked: by what they pay unless
    ``ranking`` does it. In a second-price market the winners pay what the best of the others would have."""
    return charged((ranking or pay_most)(bids, terms), bids, terms)


def charged(choice: Choice | None, bids: Sequence[Bid], terms: HouseTerms | None) -> Choice | None:
    """A choice at what the winners pay: what they offered or, in a second-price market, what the best of the others
    would have paid. Where they were not ranked by price they pay what they offered."""
    if choice is None or terms is None or not terms.second_price or choice.ranked is not None:
        return choice
    return _second_priced(choice, bids, terms)


def pay_most(bids: Sequence[Bid], terms: HouseTerms | None) -> Choice | None:
    """The best exclusive bid, or the best set of shared ones where they pay more together."""
    return most_worth(bids, terms, _amount)


def most_worth(bids: Sequence[Bid], terms: HouseTerms | None, worth: Worth) -> Choice | None:
    """The exclusive bid that is worth most, or the set of shared ones that is worth more together."""
    best: Bid | None = None
    best_key: tuple[float, int, datetime, str] | None = None
    legs: list[tuple[tuple[float, int, datetime, str], Bid]] = []
    for bid in bids:
        if bid.exclusive is not None:
            key = bid.rank(worth(bid, bid.exclusive))
            if best_key is None or key < best_key:
                best, best_key = bid, key
        if bid.shared is not None:
            legs.append((bid.rank(worth(bid, bid.shared)), bid))
    legs.sort(key=_first)
    together, value = _best_set(legs)
    shared = [bid.shared or 0 for bid in together]
    if together and terms is not None and terms.thin(shared) is not None:
        together = []
    if best is not None and best_key is not None and (not together or -best_key[0] >= value):
        return Choice(Mode.EXCLUSIVE, [best], best.exclusive or 0)
    return Choice(Mode.SHARED, together, sum(shared)) if together else None


def _amount(_: Bid, amount: int) -> float:
    return amount


def _first(item: tuple[tuple[float, int, datetime, str], Bid]) -> tuple[float, int, datetime, str]:
    return item[0]


def _second_priced(choice: Choice, bids: Sequence[Bid], terms: HouseTerms) -> Choice:
    holders = {bid.line.order.recipient for bid in choice.winners}
    others = [bid for bid in bids if bid.line.order.recipient not in holders]
    alone = max((bid.exclusive for bid in others if bid.exclusive is not None), default=0)
    if choice.mode is Mode.EXCLUSIVE:
        legs = sorted(((bid.rank(bid.shared), bid) for bid in others if bid.shared is not None), key=_first)
        rivals, reserve, least = [alone, int(_best_set(legs)[1])], max(terms.reserve, terms.floor), 0
    else:
        # Legs together must bring what the best exclusive buyer would have paid.
        rivals = [bid.shared for bid in others if bid.shared is not None]
        reserve, least = max(terms.shared_reserve, terms.shared_floor), alone

    def fits(amounts: Sequence[int]) -> bool:
        return sum(amounts) >= least and terms.thin(amounts) is None

    paid = second_price(choice.prices, rivals, reserve, fits)
    pairs = zip(choice.winners, choice.prices, paid, strict=True)
    # A lead that a subscription covers costs its share of the fee, whoever else wants it.
    paid = [own if bid.quote is not None and bid.quote.covered else level for bid, own, level in pairs]
    return Choice(choice.mode, choice.winners, sum(paid), paid)


def _best_set(ranked: Sequence[tuple[tuple[float, int, datetime, str], Bid]]) -> tuple[list[Bid], float]:
    # For each size, the best that many orders of different buyers who all agree to be so many.
    best: list[Bid] = []
    most = -1.0
    for size in range(1, min(MAX_LEGS, len(ranked)) + 1):
        chosen: list[Bid] = []
        buyers: set[str] = set()
        value = 0.0
        for key, bid in ranked:
            order = bid.line.order
            if order.max_legs >= size and order.recipient not in buyers:
                buyers.add(order.recipient)
                chosen.append(bid)
                value -= key[0]
                if len(chosen) == size:
                    break
        if len(chosen) == size and value > most:
            best, most = chosen, value
    return best, max(most, 0.0)


def pick_desk(line: Line, values: Mapping[str, Value], room: Room, now: datetime) -> Desk | Because:
    """The rep of a team who gets a lead, or why none does.

    Of those who work its ZIP code, have the skills it needs, are on duty and have room, the one with the least of the
    day's capacity used; among equals who has waited longest, then by id. A rep without a capacity counts as having
    the others' average.
    """
    zip_code = values.get("zip")
    working = [desk for desk in line.desks if desk.works(zip_code if isinstance(zip_code, str) else "")]
    if not working:
        return because(NO_REP_FOR_ZIP)
    needed = [skill for skill, holds in line.needs if holds(values, now)]
    able = [desk for desk in working if desk.skills.issuperset(needed)] if needed else working
    if not able:
        return because(NO_REP_SKILLED, skills=" and ".join(needed))
    on_duty = [desk for desk in able if desk.hours is None or is_open(desk.hours, now)]
    if not on_duty:
        return because(NO_REP_ON_DUTY)
    loads = room.reps
    free = [desk for desk in on_duty if desk.capacity is None or loads.get(desk.name, 0) < desk.capacity]
    if not free:
        return because(REP_CAPACITY, capacity=sum(desk.capacity or 0 for desk in on_duty))
    known = [desk.capacity for desk in line.desks if desk.capacity]
    usual = sum(known) / len(known) if known else 1.0

    def load(desk: Desk) -> tuple[float, datetime, str]:
        return loads.get(desk.name, 0) / (desk.capacity or usual), room.last.get(desk.name, _NEVER), desk.id

    return min(free, key=load)


def sell(clearance: Clearance, lead_id: str, choice: Choice, now: datetime) -> Sale:
    """The sale of a cleared lead: the only way to make one.

    Raises :class:`Permanent` ``market.sale.not_cleared`` where the clearance does not cover a recipient, whatever was
    chosen.
    """
    legs = []
    for bid, amount in zip(choice.winners, choice.prices, strict=True):
        order, party = bid.line.order, bid.line.party
        if party is None or clear_recipient(clearance, party, now) is not None:
            raise Permanent("market.sale.not_cleared", f"order {order.id} was chosen without a clearance")
        covered = bid.quote is not None and bid.quote.covered
        call = bid.quote.call if bid.quote is not None else None
        if call is None and order.call is not None:
            call = order.call.target()
        sale_id = _id("sale", now, lead_id, order.id)
        price = Money(amount, order.currency)
        legs.append(Leg(sale_id, order.id, order.recipient, price, covered, order.silent, call))
    return Sale("deal" + legs[0].sale_id.removeprefix("sale"), choice.mode, tuple(legs), legs[0].price.currency)


def assign(clearance: Clearance, lead_id: str, line: Line, desk: Desk, now: datetime) -> Assignment:
    """The assignment of a cleared lead to a rep. Raises like :func:`sell`."""
    team = line.party
    if not isinstance(team, Team) or clear_recipient(clearance, team, now) is not None:
        raise Permanent("market.sale.not_cleared", f"order {line.order.id} was chosen without a clearance")
    return Assignment(_id("sale", now, lead_id, line.order.id), team.id, desk.id, line.order.id)


@lru_cache(maxsize=4096)
def price_words(amount: int, currency: str) -> str:
    """An amount in minor units as people write it."""
    return str(Money(amount, currency))


def _id(prefix: str, now: datetime, *of: str) -> str:
    # Steps have no randomness: an id follows from what it names, and a replay makes the same one.
    digest = hashlib.blake2b("\0".join(of).encode(), digest_size=10).digest()
    return make_id(prefix, now, int.from_bytes(digest) >> 6)

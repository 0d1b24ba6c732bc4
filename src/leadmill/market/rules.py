"""Which order takes a lead: what each can pay within its limits, the choice among them, and the sale.

Called by the step ``Allocate``. A lead is sold to the one exclusive order or to the set of shared ones that pays more
together; equal values go by priority, then to who has waited longest, then by id.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from leadmill.core.faults import Permanent
from leadmill.core.ids import make_id
from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.market.lines import Desk, Line
from leadmill.market.model import (
    BUDGET,
    CAP_REACHED,
    CREDIT,
    MAX_LEGS,
    NEEDS_BID,
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
from leadmill.market.tender import BID_EXPIRED, BID_NO_TEST, BidHeard, NoBid
from leadmill.parties import Team
from leadmill.policy import Clearance, clear_recipient

_NEVER = datetime.min.replace(tzinfo=UTC)


class Bid:
    """What one order would pay for this lead, in minor units: alone, for a leg, or both."""

    __slots__ = ("exclusive", "last", "line", "shared")

    def __init__(self, line: Line, exclusive: int | None, shared: int | None, last: datetime | None) -> None:
        self.line = line
        self.exclusive = exclusive
        self.shared = shared
        self.last = last

    @property
    def considered(self) -> Considered:
        """The order as the auction tells of it: at what it bid, where it was asked for a bid."""
        kept = self.line.considered
        if self.line.order.ping is None:
            return kept
        currency = self.line.order.currency
        alone = Money(self.exclusive, currency) if self.exclusive is not None else None
        leg = Money(self.shared, currency) if self.shared is not None else None
        return Considered(kept.order_id, kept.recipient, alone or leg, None, leg)

    def refuse(self, why: Because) -> Considered:
        """The same, refused."""
        told = self.considered
        return Considered(told.order_id, told.recipient, told.price, why, told.shared_price)

    def rank(self, amount: int) -> tuple[int, int, datetime, str]:
        """Best first: value, priority, longest waiting, id."""
        order = self.line.order
        return -amount, order.priority, self.last or _NEVER, order.id


def bid_of(line: Line, room: Room) -> Bid | Because:
    """What an order can pay within its limits, or the limit that keeps it from taking the lead at any price."""
    wanted = line.wanted
    uses = room.used.get(wanted.order_id, ()) if wanted.pers else ()
    funds = room.funds.get(wanted.account, -1) if wanted.account is not None else None
    last = room.last.get(wanted.order_id) if wanted.ties else None
    kept = line.bid
    if kept is not None and kept[0] is uses and kept[1] == funds and kept[2] == last:
        known: Bid | Because = kept[3]
        return known
    bid = _bid(line, uses, funds, last)
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
    prices = tuple(Money(amount, order.currency) if amount is not None else None for amount in (alone, leg))
    uses = room.used.get(wanted.order_id, ()) if wanted.pers else ()
    funds = room.funds.get(wanted.account, -1) if wanted.account is not None else None
    return _bid(line, uses, funds, room.last.get(wanted.order_id) if wanted.ties else None, prices)


def _bid(
    line: Line,
    uses: Sequence[Use],
    funds: int | None,
    last: datetime | None,
    prices: Sequence[Money | None] | None = None,
) -> Bid | Because:
    if len(uses) != len(line.wanted.pers):
        raise Permanent("market.headroom.missing", f"nothing is known of the limits of order {line.order.id}")
    found: Because | None = None
    amounts: list[int | None] = []
    for price in prices or (line.exclusive, line.shared):
        blocked = _blocked(line, uses, price, funds) if price is not None else None
        amounts.append(price.amount if price is not None and blocked is None else None)
        found = found or blocked
    if amounts[0] is None and amounts[1] is None:
        return found or because(NEEDS_BID)
    return Bid(line, amounts[0], amounts[1], last)


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

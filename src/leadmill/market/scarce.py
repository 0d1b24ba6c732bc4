"""What the auction hears of shadow prices, and what each bid is worth by them.

The step ``Allocate`` asks for the prices of the orders that fit a lead and hears them like everything else, so that
they stand on the lead's page and a replay decides by the same ones. ``play`` asks the same functions. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct

from leadmill.core.case import Answer, Ask
from leadmill.market.learned import Odds
from leadmill.market.lines import Line
from leadmill.market.model import MAX_LEGS, Order, Per, Room
from leadmill.market.rules import Bid
from leadmill.market.shadow import Prices, used_share
from leadmill.market.worth import ROUNDS, Candidate, Plan, plan, reduced

_MILLION = 1_000_000
_THOUSAND = 1000


class Scarcity(Ask, frozen=True, eq=False):
    """What are these orders' limits worth, and how likely do they take this lead?"""

    personal: ClassVar[bool] = False
    orders: tuple[str, ...]
    accounts: tuple[str, ...]
    source: str
    score: float | None = None


class Scarce(Struct, frozen=True, array_like=True):
    """Of one order: what a lead of its caps is worth (minor units), a million minor units of its budgets (minor
    units), and how often in a thousand it accepts a usual bid for this lead."""

    lead: int
    money: int
    odds: int


class Worths(Answer, frozen=True):
    """The answer to :class:`Scarcity`. Where ``on`` is False nothing is priced and the highest pay wins. ``kept`` is
    how much in a thousand of this source's sales stays, ``hedge`` how much in a thousand the prices are mistrusted,
    ``funds`` what limited accounts had when the day began; an order that is missing is not scarce and accepts with
    ``odds``."""

    on: bool = False
    orders: dict[str, Scarce] = {}
    funds: dict[str, int] = {}
    kept: int = _THOUSAND
    hedge: int = 0
    odds: int = _THOUSAND
    lift: int = 0
    """By how much in a thousand the odds change where a bid is twice the order's usual one."""


def worths_of(
    ask: Scarcity, prices: Prices, standing: Mapping[str, tuple[float, float]], odds: Odds, hedge: float
) -> Worths:
    """The answer by the prices in force: ``standing`` is what they are now."""
    seen = odds.seen(ask.score)
    usual = round(odds.prior.mean * odds.answered * _THOUSAND)
    accounts = prices.accounts
    found = {}
    for number, order_id in enumerate(ask.orders):
        lead, money = standing.get(order_id, (0.0, 0.0))
        account = ask.accounts[number]
        if account and account in accounts:
            money += accounts[account]
        told = Scarce(round(lead), round(money * _MILLION), round(odds.accept(order_id, seen, 0.0) * _THOUSAND))
        if told.lead or told.money or told.odds != usual:
            found[order_id] = told
    return Worths(
        on=True,
        orders=found,
        funds={name: prices.funds[name] for name in ask.accounts if name and name in prices.funds},
        kept=round(odds.kept(ask.source) * _THOUSAND),
        hedge=round(hedge * _THOUSAND),
        odds=usual,
        lift=round(odds.slopes[1] * odds.answered * _THOUSAND),
    )


def candidates_of(bids: Sequence[Bid], worths: Worths, room: Room, gone: Collection[str] = ()) -> list[Candidate]:
    """What each bid is worth by these prices, alone and as a leg; recipients ``gone`` are left out."""
    kept, hedge = worths.kept / _THOUSAND, worths.hedge / _THOUSAND
    found = []
    for bid in bids:
        line = bid.line
        order = line.order
        if order.recipient in gone:
            continue
        scarce = worths.orders.get(order.id)
        lead, money, odds = (scarce.lead, scarce.money / _MILLION, scarce.odds) if scarce else (0, 0.0, worths.odds)
        used = _used(line, room, worths.funds) if hedge else 0.0
        for amount, shared in ((bid.exclusive, False), (bid.shared, True)):
            if amount is None:
                continue
            worth = reduced(amount * kept, amount, lead, money, hedge, used)
            if worth <= 0:
                continue
            likely = odds / _THOUSAND
            if worths.lift:
                likely = min(max(likely + worths.lift / _THOUSAND * lift_of(order, amount, shared), 0.02), 0.99)
            found.append(Candidate(order.id, order.recipient, shared, worth, likely, order.max_legs))
    return found


def lift_of(order: Order, amount: int, shared: bool) -> float:
    """How far a bid lies above what the order usually pays: 0.1 is a tenth more."""
    usual = order.shared_price if shared else order.price
    return amount / usual.amount - 1.0 if usual is not None and usual.amount > 0 else 0.0


def propose(
    bids: Sequence[Bid],
    worths: Worths,
    room: Room,
    *,
    gone: Collection[str] = (),
    legs: int = MAX_LEGS,
    rounds: int = ROUNDS,
    alone: bool = True,
    refill: bool = True,
) -> Plan | None:
    """The next offer of a lead by shadow prices, or None where it is worth more kept; see ``worth.plan``."""
    return plan(candidates_of(bids, worths, room, gone), legs, rounds, alone, refill)


def _used(line: Line, room: Room, funds: Mapping[str, int]) -> float:
    wanted = line.wanted
    uses = room.used.get(wanted.order_id, ())
    shares = []
    for place, cap in line.caps:
        if cap.per is Per.HOUR or place >= len(uses):
            continue
        use = uses[place]
        if cap.spend is not None:
            shares.append((use.spend, cap.spend.amount))
        else:
            shares.append((use.leads, cap.leads or 0))
    if wanted.account is not None and wanted.account in funds:
        whole = funds[wanted.account]
        shares.append((whole - room.funds.get(wanted.account, whole), whole))
    return used_share(shares)

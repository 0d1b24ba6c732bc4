"""What the auction hears of shadow prices, and what each bid is worth by them.

The step ``Allocate`` asks for the prices of the orders that fit a lead together with their headroom and hears both
alike, so that they stand on the lead's page and a replay decides by the same ones. ``play`` asks the same functions.
Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import repeat

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.fraud import Suspicion
from leadmill.market.allocation.chances import NOTHING, Chances, on_odds
from leadmill.market.allocation.learned import Odds
from leadmill.market.allocation.shadow import MILLION, Moment, Prices
from leadmill.market.allocation.worth import LEAST_LIKELY, LIKELIEST, ROUNDS, Candidate, plan, reduced
from leadmill.market.model import MAX_LEGS, SAME_BUYER_LEG, Declined, Mode, Room
from leadmill.market.orderbook.lines import Line
from leadmill.market.rules import Bid, Choice, price_words
from leadmill.market.worths import KEPT_BACK, WORTH_LESS, Scarce, Scarcity, Weighed, Worths, left_words
from leadmill.scoring import Foresees, Opinions, Score

THOUSAND = 1000
"""Shares and odds are heard in thousandths."""

TEN_THOUSAND = 10_000
"""Wins are rarer, and heard in ten-thousandths."""


def worths_of(
    ask: Scarcity, prices: Prices, standing: Moment, odds: Odds, hedge: float, chances: Chances = NOTHING
) -> Worths:
    """The answer by the prices in force: ``standing`` is what they are now."""
    seen = odds.seen(ask.score)
    usual = round(odds.prior.mean * odds.answered * THOUSAND)
    price_of, funds = standing.of, prices.funds
    told = chances.of(ask)
    refused, accepted = told.refused, ask.accepted
    moved = refused != 1.0 and accepted is None
    if accepted is not None:
        usual = _foreseen(odds, "", accepted)
    elif moved:
        usual = _moved(usual, refused)
    kept = told.kept if told.kept is not None else round(odds.kept(ask.source) * THOUSAND)
    found = {}
    for order_id, account, stays in zip(ask.orders, ask.accounts, told.stays or repeat(kept), strict=False):
        lead, money = price_of(order_id, account)
        likely = accept_of(odds, order_id, seen) if accepted is None else _foreseen(odds, order_id, accepted)
        if moved:  # as _moved does, without the call
            likely = THOUSAND - int((THOUSAND - likely) * refused + 0.5)
            likely = _LEAST if likely < _LEAST else _MOST if likely > _MOST else likely
        if lead or money or likely != usual or stays != kept:
            found[order_id] = Scarce(lead, money, likely, stays if stays != kept else None)
    return Worths(
        orders=found,
        funds={name: funds[name] for name in ask.accounts if name and name in funds},
        kept=kept,
        hedge=round(hedge * THOUSAND),
        odds=usual,
        lift=round(odds.slopes[1] * odds.answered * THOUSAND),
        wins=told.wins,
    )


def chances_alone(ask: Scarcity, chances: Chances) -> Worths:
    """The answer where no prices are in force."""
    told = chances.of(ask)
    kept = told.kept if told.kept is not None else THOUSAND
    orders = {name: Scarce(0, 0, THOUSAND, stays) for name, stays in zip(ask.orders, told.stays, strict=False)}
    return Worths(orders, kept=kept, wins=told.wins, priced=False)


def _moved(likely: int, refused: float) -> int:
    """Odds in thousandths where such leads are ``refused`` so many times as often as usual ones."""
    found = THOUSAND - int((THOUSAND - likely) * refused + 0.5)
    return _LEAST if found < _LEAST else _MOST if found > _MOST else found


def _foreseen(odds: Odds, order_id: str, accepted: float) -> int:
    """Odds in thousandths where a model foresees that such a lead is accepted: for this order as much likelier as it
    accepts more than all do."""
    own, usual = odds.base(order_id), odds.prior.mean
    factor = own * (1.0 - usual) / max(usual * (1.0 - own), LEAST_LIKELY / THOUSAND)
    likely = on_odds(accepted, factor) * odds.answered
    return round(min(max(likely, LEAST_LIKELY), LIKELIEST) * THOUSAND)


def accept_of(odds: Odds, order_id: str, seen: float) -> int:
    """How often in a thousand an order accepts a usual bid for a lead whose score is ``seen`` so."""
    return round(odds.accept(order_id, seen, 0.0) * THOUSAND)


def candidates_of(bids: Sequence[Bid], worths: Worths, shares: Mapping[str, float]) -> list[Candidate]:
    """What each bid is worth by these prices, alone and as a leg, where it is worth anything; ``shares`` are
    :func:`shares_of` them."""
    found = []
    usual = Scarce(0, 0, worths.odds)
    for bid in bids:
        scarce, used = worths.orders.get(bid.line.order.id, usual), shares.get(bid.line.order.id, 0.0)
        for shared in (False, True):
            one = candidate_of(bid, shared, worths, scarce, used)
            if one is not None:
                found.append(one)
    return found


def candidate_of(bid: Bid, shared: bool, worths: Worths, scarce: Scarce, used: float) -> Candidate | None:
    """What a bid is worth, alone or as a leg; None where it is worth nothing. ``used`` is how much of its fullest limit
    is gone."""
    amount = bid.shared if shared else bid.exclusive
    if amount is None:
        return None
    value = value_of(bid.line, amount, worths, scarce)
    worth = reduced(value, amount, scarce.lead, scarce.money / MILLION, worths.hedge / THOUSAND, used)
    if worth <= 0:
        return None
    line = bid.line
    order = line.order
    likely = likely_of(scarce.odds, worths.lift, line, amount, shared)
    return Candidate(order.id, order.recipient, shared, worth, likely, order.max_legs)


def value_of(line: Line, amount: int, worths: Worths, scarce: Scarce | None) -> float:
    """What an amount that an order would pay is expected to bring: what stays of it, or, where it is owed for a win
    alone, as much as leads like this one are won."""
    if line.by_win:
        wins = worths.wins.get(line.order.id)
        if wins is not None:
            return amount * wins / TEN_THOUSAND
    stays = scarce.stays if scarce is not None else None
    return amount * ((worths.kept if stays is None else stays) / THOUSAND)


def likely_of(odds: int, lift: int, line: Line, amount: int, shared: bool) -> float:
    """How likely a bid is accepted: ``odds`` at the order's usual price and ``lift`` as :class:`Worths` has them."""
    likely = odds / THOUSAND
    if not lift:
        return likely
    likely += lift / THOUSAND * lift_of(line, amount, shared)
    return min(max(likely, LEAST_LIKELY), LIKELIEST)


def _by_turn(bid: Bid) -> tuple[float, int, datetime, str]:
    return bid.rank(0)


def lift_of(line: Line, amount: int, shared: bool) -> float:
    """How far a bid lies above what the order usually pays: 0.1 is a tenth more."""
    usual = line.usual[shared]
    return amount / usual - 1.0 if usual else 0.0


def shares_of(bids: Sequence[Bid], worths: Worths, room: Room) -> dict[str, float]:
    """How much of its fullest limit each order has used, where that matters to its worth."""
    return {bid.line.order.id: used_of(bid.line, room, worths.funds) for bid in bids} if worths.hedge else {}


def used_of(line: Line, room: Room, funds: Mapping[str, int]) -> float:
    """The share of the fullest of an order's limits that is gone."""
    wanted = line.wanted
    most = 0.0
    if line.lasting:
        uses = room.used.get(wanted.order_id, ())
        for place, leads, spend in line.lasting:
            if place < len(uses):
                use = uses[place]
                gone, limit = (use.leads, leads) if spend is None else (use.spend, spend)
                share = gone / limit if limit > 0 else 1.0
                if share > most:
                    most = share
    account = wanted.account
    if account is not None and account in funds:
        whole = funds[account]
        share = (whole - room.funds.get(account, whole)) / whole if whole > 0 else 1.0
        if share > most:
            most = share
    return most


class Allotment:
    """What becomes of a lead by shadow prices: the ``choice`` (None where it is kept) and what it is ``worth``, how the
    best bids were ``weighed``, and ``why`` each bid that lost did, by order."""

    __slots__ = ("choice", "weighed", "why", "worth")

    def __init__(
        self, choice: Choice | None, weighed: tuple[Weighed, ...], why: dict[str, Because], worth: float = 0.0
    ) -> None:
        self.choice = choice
        self.weighed = weighed
        self.why = why
        self.worth = worth


def scarcity_of(lines: Sequence[Line], case: Case) -> Scarcity:
    """Whose shadow prices matter to a lead that fits these orders."""
    buyers = [line for line in lines if line.order.buyer is not None]
    lead, score, opinions, suspicion = case[Lead], case.get(Score), case.get(Opinions), case.get(Suspicion)
    hoped = [(line.order.id, line.order.recipient) for line in lines if line.hopes]
    foresees = opinions.chance if opinions is not None else _blind
    return Scarcity(
        tuple([line.order.id for line in buyers]),
        tuple([line.wanted.account or "" for line in buyers]),
        lead.source_id,
        score.points if score is not None else None,
        tuple([line.order.recipient for line in buyers]),
        lead.vertical,
        score.band if score is not None else None,
        suspicion.score if suspicion is not None else None,
        tuple(hoped),
        foresees("acceptance"),
        foresees("bad"),
        foresees("conversion") if hoped else None,
    )


def _blind(_: Foresees) -> float | None:
    return None


def allot(bids: Sequence[Bid], room: Room, case: Case) -> Allotment | None:
    """Give a lead to its best use by the prices heard, or keep it; None where none were heard or nobody bids. A leg
    that is refused is not offered again while others stand."""
    worths = room.worths
    if worths is None or not worths.priced or not bids:
        return None
    declined = case.get(Declined)
    rounds = max(1, ROUNDS - (len(declined.buyers) if declined is not None else 0))
    used = shares_of(bids, worths, room)
    # Equal worths go by priority, then to who has waited longest, then by id: the plan's sorts keep this order.
    candidates = candidates_of(sorted(bids, key=_by_turn) if len(bids) > 1 else bids, worths, used)
    found = plan(candidates, MAX_LEGS, rounds, refill=False)
    hedge = worths.hedge / THOUSAND
    by_id = {bid.line.order.id: bid for bid in bids}
    choice = None
    if found is not None:
        winners = [by_id[key] for key in found.keys]
        mode = Mode.SHARED if found.shared else Mode.EXCLUSIVE
        choice = Choice(mode, winners, sum((bid.shared if found.shared else bid.exclusive) or 0 for bid in winners))
    alone_won = choice is None or choice.mode is Mode.EXCLUSIVE
    scored: dict[str, tuple[int, int, float]] = {}
    for order_id, bid in by_id.items():
        scarce = worths.orders.get(order_id)
        alone = bid.exclusive is not None and (alone_won or bid.shared is None)
        amount = (bid.exclusive if alone else bid.shared) or 0
        lead, money = (scarce.lead, scarce.money / MILLION) if scarce is not None else (0, 0.0)
        worth = reduced(value_of(bid.line, amount, worths, scarce), amount, lead, money, hedge, used.get(order_id, 0.0))
        scored[order_id] = amount, round(lead + money * amount), worth
    won = set(found.keys) if found is not None else set()
    ranked = sorted(scored, key=lambda order_id: (order_id not in won, -scored[order_id][2]))
    weighed = tuple([_weighed(by_id[order_id], room, scored[order_id], worths) for order_id in ranked[:_TOLD]])
    why = {order_id: _why(by_id[order_id], room, scored, choice) for order_id in ranked[len(won) :]}
    return Allotment(choice, weighed, why, sum(scored[order_id][2] for order_id in won))


def _weighed(bid: Bid, room: Room, scored: tuple[int, int, float], worths: Worths) -> Weighed:
    amount, later, worth = scored
    currency = bid.line.order.currency
    price, cost, rest = Money(amount, currency), Money(later, currency), Money(round(worth), currency)
    return Weighed(bid.line.name + expected_words(bid.line, worths), price, cost, left_of(bid.line, room), rest)


def expected_words(line: Line, worths: Worths) -> str:
    """What is expected of a sale through an order, where that is not what is expected of the source's sales at large:
    nothing, or words to stand behind the buyer's name."""
    wins = worths.wins.get(line.order.id) if line.by_win else None
    if wins is not None:
        return f" ({line.order.unit.replace('_', ' ')}, to which {share_words(wins)} of such leads come)"
    scarce = worths.orders.get(line.order.id)
    stays = scarce.stays if scarce is not None else None
    if stays is None or abs(stays - worths.kept) < _NOTABLE:
        return ""
    return f" (to whom {share_words((THOUSAND - stays) * 10)} of such leads come back)"


def share_words(share: int) -> str:
    """A share in ten-thousandths as people write it: ``8.1 %``."""
    return f"{share / 100:.1f} %"


def _why(bid: Bid, room: Room, scored: Mapping[str, tuple[int, int, float]], choice: Choice | None) -> Because:
    order = bid.line.order
    amount, later, worth = scored[order.id]
    price = price_words(amount, order.currency)
    if choice is None:
        left = left_words(left_of(bid.line, room))
        return because(KEPT_BACK, price=price, left=left, later=price_words(later, order.currency))
    for one in choice.winners if choice.mode is Mode.SHARED else ():
        if one.line.order.recipient == order.recipient:
            return because(SAME_BUYER_LEG, order=one.line.order.id)
    best = choice.winners[0].line
    return because(
        WORTH_LESS,
        price=price,
        worth=price_words(round(worth), order.currency),
        winner=best.name,
        best=price_words(round(scored[best.order.id][2]), order.currency),
        why=f"{left_words(left_of(bid.line, room))} are worth {price_words(later, order.currency)} each later"
        if later
        else "it pays less",
    )


def left_of(line: Line, room: Room) -> int | None:
    """How many leads the tightest cap of an order still takes; None where it has none."""
    uses = room.used.get(line.order.id, ())
    left = [
        max(cap.leads - uses[place].leads, 0) for place, cap in line.caps if cap.leads is not None and place < len(uses)
    ]
    return min(left, default=None)


_LEAST, _MOST = round(LEAST_LIKELY * THOUSAND), round(LIKELIEST * THOUSAND)

_NOTABLE = 20
"""Thousandths by which returns must differ from the source's to be spoken of."""

_TOLD = 5
"""How many bids an auction weighs in words, the winners among them."""

"""How an auction is told: what the winners pay and why, and why each of the others lost.

Called by the step ``Allocate`` once the choice is made. Pure.
"""

from collections.abc import Mapping, Sequence

from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.market.model import MAX_LEGS, MODE, OUTBID, SAME_BUYER_LEG, Considered, Mode
from leadmill.market.orderbook.pricing import HouseTerms
from leadmill.market.rules import Bid, Choice, price_words
from leadmill.market.terms import NOT_NEXT


def won_by(choice: Choice) -> list[tuple[Considered, str]]:
    """The winners with their recipients' names, at what they pay."""
    return [
        (_shown(bid, amount, choice.mode), bid.line.name)
        for bid, amount in zip(choice.winners, choice.prices, strict=True)
    ]


def _shown(bid: Bid, paid: int, mode: Mode) -> Considered:
    kept = bid.line.considered
    alone = mode is Mode.EXCLUSIVE
    offered = (bid.exclusive if alone else bid.shared) or 0
    fixed = kept.price if alone else kept.shared_price
    if fixed is not None and fixed.amount == paid and bid.quote is None:
        return kept
    currency = bid.line.order.currency
    says = bid.quote.says if bid.quote is not None else ""
    if offered != paid:
        second = f"offered {price_words(offered, currency)}, pays {price_words(paid, currency)}, the second price"
        says = f"{says}; {second}" if says else second
    price = Money(paid, currency)
    return Considered(
        kept.order_id, kept.recipient, price if alone else kept.price, None, None if alone else price, says
    )


def beaten_by(choice: Choice, bids: Sequence[Bid], weighed: Mapping[str, Because]) -> list[tuple[Considered, str]]:
    """The others with their recipients' names, best first, each with why it lost: by shadow prices where ``weighed``
    says so."""
    won = choice.winners
    lowest, paid = won[-1], choice.prices[-1]
    currency = lowest.line.order.currency
    exclusive = choice.mode is Mode.EXCLUSIVE
    holders = {bid.line.order.recipient: bid.line.order.id for bid in won}
    if choice.ranked is not None:
        how = choice.ranked.detail.get("criteria") or choice.ranked.detail.get("how")
        outbid = mode = because(NOT_NEXT, winner=lowest.line.name, how=how)
    else:
        outbid = because(OUTBID, winner=lowest.line.name, price=price_words(paid, currency))
        mode = because(MODE, sold=choice.mode.value, value=price_words(choice.value, currency))
    lost = [bid for bid in bids if bid not in won]
    if choice.ranked is None:
        lost.sort(key=lambda bid: bid.rank(bid.exclusive if bid.exclusive is not None else bid.shared or 0))
    else:
        # Where nobody is ranked by what they pay, the record does not do so either.
        lost.sort(key=lambda bid: bid.line.order.id)
    told: list[tuple[Considered, str]] = []
    for bid in lost:
        if bid.line.order.id in weighed:
            why = weighed[bid.line.order.id]
        elif (bid.exclusive if exclusive else bid.shared) is None:
            why = mode
        elif not exclusive and bid.line.order.recipient in holders:
            why = because(SAME_BUYER_LEG, order=holders[bid.line.order.recipient])
        else:
            why = outbid
        told.append((bid.refuse(why), bid.line.name))
    return told


def too_thin(bids: Sequence[Bid], terms: HouseTerms) -> list[tuple[Considered, str]]:
    """Bids that each are high enough and together leave the house too little, with their recipients' names."""
    legs = [bid.shared for bid in bids if bid.shared is not None]
    why = terms.thin(legs[:MAX_LEGS]) or terms.thin(legs[:1])
    return [(bid.refuse(why), bid.line.name) for bid in bids] if why is not None else []


def too_little(choice: Choice | None, terms: HouseTerms) -> bool:
    """Whether the legs of a choice leave the house less than its margin."""
    return choice is not None and choice.mode is Mode.SHARED and terms.thin(choice.prices) is not None

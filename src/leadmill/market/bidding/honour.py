"""How a quoted price is kept: the choice among the bids for a lead that was posted against a ping.

Called by the step ``Allocate`` in the place of the ordinary choice. The quoted orders get the lead at the quoted
prices if all of them still can. Otherwise it is chosen anew among those who can, quoted or not, at what they pay now,
provided that it covers what the source was promised; if nothing does, nobody gets it.
"""

from collections.abc import Callable, Sequence

from leadmill.core.reasons import Because, because
from leadmill.market.bidding.quotes import NOT_HONOURED, PingQuote
from leadmill.market.model import Mode
from leadmill.market.rules import Bid, Choice, price_words


def honour(
    quote: PingQuote, bids: Sequence[Bid], choose: Callable[[Sequence[Bid]], Choice | None]
) -> Choice | Because | None:
    """The choice that keeps a quote, the reason that none does, or None without any bid. ``choose`` is the ordinary
    choice among bids."""
    kept = _as_quoted(quote, bids)
    if kept is not None:
        return kept
    choice = choose(bids)
    if choice is None or choice.value >= quote.floor:
        return choice
    currency = choice.winners[0].line.order.currency
    return because(NOT_HONOURED, best=price_words(choice.value, currency), price=str(quote.price))


def _as_quoted(quote: PingQuote, bids: Sequence[Bid]) -> Choice | None:
    alone = quote.mode is Mode.EXCLUSIVE
    standing = {bid.line.order.id: bid for bid in bids}
    winners: list[Bid] = []
    for leg in quote.legs:
        bid = standing.get(leg.order_id)
        now = (bid.exclusive if alone else bid.shared) if bid is not None else None
        # An order whose price was lowered meanwhile pays what it pays now, so its quote does not stand.
        if bid is None or now is None or now < leg.price.amount:
            return None
        amount = leg.price.amount
        winners.append(Bid(bid.line, amount if alone else None, None if alone else amount, bid.last, bid.quote))
    if not winners or quote.mode is None:
        return None
    return Choice(quote.mode, winners, quote.value)

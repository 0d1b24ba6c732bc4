"""Sold, or handed to a team of the house: what each is expected to bring, and how it is told.

A team that has said what a won lead is worth is expected to make of a lead as much of that as such leads are won there.
Called by the auction for the teams that could take a lead, and for bids whose price is owed only for a win. Pure.
"""

from collections.abc import Sequence

from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.market.allocation.scarce import TEN_THOUSAND, share_words, value_of
from leadmill.market.orderbook.lines import Line
from leadmill.market.orderbook.pricing import HouseTerms, Quote
from leadmill.market.rules import Bid, Choice, Ranking, most_worth
from leadmill.market.worths import BETTER_IN_HOUSE, BETTER_SOLD, Worths


class Use:
    """What a team is expected to make of a lead (minor units), why buyers lose it where that is more than its sale, and
    why the team does where it is less."""

    __slots__ = ("kept", "sold", "worth")

    def __init__(self, worth: float, kept: Because, sold: Because) -> None:
        self.worth = worth
        self.kept = kept
        self.sold = sold


def best_use(line: Line, worths: Worths | None, sale: float) -> Use | None:
    """A team's use of a lead whose ``sale`` is worth so much (minor units); None where the team has not said what a won
    lead is worth, or nobody knows how many of such leads are won."""
    wins = worths.wins.get(line.order.id) if worths is not None else None
    if line.worth is None or wins is None:
        return None
    worth = line.worth.amount * wins / TEN_THOUSAND
    currency = line.worth.currency
    words = {
        "worth": str(Money(round(worth), currency)),
        "chance": share_words(wins),
        "each": str(line.worth),
        "best": str(Money(max(round(sale), 0), currency)),
    }
    return Use(worth, because(BETTER_IN_HOUSE, winner=line.name, **words), because(BETTER_SOLD, **words))


def sale_worth(choice: Choice | None, worths: Worths | None) -> float:
    """What a sale is expected to bring (minor units), where no shadow prices say what it costs."""
    if choice is None:
        return 0.0
    known = worths or Worths()
    pairs = zip(choice.winners, choice.prices, strict=True)
    return sum(value_of(bid.line, amount, known, known.orders.get(bid.line.order.id)) for bid, amount in pairs)


def by_expectation(worths: Worths | None) -> Ranking | None:
    """The ranking by what bids are expected to bring, where chances are known and no shadow prices; None where not."""
    if worths is None or worths.priced or not worths.wins:
        return None

    def ranking(bids: Sequence[Bid], terms: HouseTerms | None) -> Choice | None:
        def expected(bid: Bid, amount: int) -> float:
            return value_of(bid.line, amount, worths, worths.orders.get(bid.line.order.id))

        return most_worth(bids, terms, expected)

    return ranking


def hoped(bid: Bid, worths: Worths | None) -> Bid:
    """A bid whose price is owed only for a win, with words of how likely that is."""
    wins = worths.wins.get(bid.line.order.id) if worths is not None else None
    if wins is None:
        return bid
    order, before = bid.line.order, bid.quote
    amount = bid.exclusive if bid.exclusive is not None else bid.shared
    worth = Money(round((amount or 0) * wins / TEN_THOUSAND), order.currency)
    says = f"{order.unit.replace('_', ' ')}, to which {share_words(wins)} of such leads come: {worth} is expected"
    told = Quote(
        bid.exclusive,
        bid.shared,
        f"{before.says}; {says}" if before is not None and before.says else says,
        before.covered if before is not None else False,
        before.call if before is not None else None,
    )
    return Bid(bid.line, bid.exclusive, bid.shared, bid.last, told)

"""A lead that is offered again: one that nobody took, or one that fewer share than could.

The flow makes the evidence before it walks such a lead on, and ``Allocate`` heeds it: prices are lowered as the
market's terms say, and whoever has a leg already has it. Pure.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from leadmill.core.case import Evidence
from leadmill.core.reasons import Because, because, declare
from leadmill.market.model import MAX_LEGS, SAME_BUYER_LEG, Mode, Order, SaleRecord
from leadmill.market.rules import Bid, Choice
from leadmill.market.terms import MarketTerms, Resale

LEGS_FULL = declare("market.order.legs_full", "It shares with at most {most} buyers, and {held} have the lead.")
ALONE = declare("market.order.not_shared", "It takes leads alone, and {held} buyers share this one.")


class OfferedAgain(Evidence, frozen=True):
    """The lead is offered for the ``round_no``th time again, at the orders' prices times ``factor`` (a decimal text).
    ``held`` are the orders that have a leg already, by their buyers; ``most`` how many buyers they share with, and
    ``paid`` what they pay together, in minor units of ``currency``."""

    personal: ClassVar[bool] = False
    round_no: int
    factor: str
    held: dict[str, str] = {}
    most: int = 0
    paid: int = 0
    currency: str = "USD"

    @property
    def lower(self) -> Decimal:
        """What prices are multiplied by."""
        return Decimal(self.factor)

    def tell(self) -> Iterable[str]:
        """One sentence."""
        beside = f" beside {', '.join(self.held)}" if self.held else ""
        yield f"Offered again{beside}, round {self.round_no}, at the prices x {self.factor}."

    def refuses(self, order: Order) -> Because | None:
        """Why an order gets no leg beside those there are, or None."""
        if not self.held:
            return None
        if order.recipient in self.held:
            return because(SAME_BUYER_LEG, order=self.held[order.recipient])
        if order.mode is Mode.EXCLUSIVE:
            return because(ALONE, held=len(self.held))
        return (
            because(LEGS_FULL, most=order.max_legs, held=len(self.held)) if order.max_legs <= len(self.held) else None
        )

    def beside(self, bids: Sequence[Bid]) -> Sequence[Bid]:
        """The bids for one more leg: none of them alone."""
        if not self.held:
            return bids
        legs = [Bid(bid.line, None, bid.shared, bid.last, bid.quote) for bid in bids if bid.shared is not None]
        return legs

    def one_leg(self, choice: Choice | None) -> Choice | None:
        """The choice cut to its best leg: legs that come later come one by one, so that each is told of all before."""
        if not self.held or choice is None or len(choice.winners) <= 1:
            return choice
        return Choice(Mode.SHARED, choice.winners[:1], choice.prices[0], choice.prices[:1], choice.ranked)


def next_round(
    terms: MarketTerms | None, before: OfferedAgain | None, sale: Mode | None, legs: Sequence[tuple[str, int]]
) -> Resale | None:
    """Whether a lead is to be offered again, and how, after a walk that ended in ``legs`` (buyer, the most its order
    shares with) of a sale of this mode, or in none; one that was sold exclusively never."""
    resale = terms.resale if terms is not None else None
    if resale is None or sale is Mode.EXCLUSIVE or (before.round_no if before else 0) >= resale.rounds:
        return None
    if sale is None and not (before and before.held):
        return resale
    held = len(before.held) if before else 0
    most = min([MAX_LEGS, *(most for _, most in legs), *([before.most] if before and before.held else [])])
    return resale if held + len(legs) < most else None


def offered_again(
    resale: Resale, round_no: int, standing: Sequence[SaleRecord], orders: dict[str, Order]
) -> OfferedAgain | None:
    """What a lead is walked on with, its legs being ``standing``; None where it was given out alone or nobody may
    share it any more."""
    if any(leg.mode != Mode.SHARED.value for leg in standing):
        return None
    known = [orders[leg.order_id].max_legs for leg in standing if leg.order_id in orders]
    most = min([MAX_LEGS, *known])
    if standing and (len(known) < len(standing) or len(standing) >= most):
        return None
    return OfferedAgain(
        round_no=round_no,
        factor=str(resale.factor**round_no),
        held={leg.buyer_id or "": leg.order_id for leg in standing},
        most=most,
        paid=sum(leg.price.amount for leg in standing),
        currency=standing[0].price.currency if standing else "USD",
    )

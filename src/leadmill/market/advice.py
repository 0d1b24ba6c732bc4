"""What recorded auctions say about a reserve: advice for a person, followed by nobody.

Called by the console's page of a market. Pure.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from leadmill.core.money import Money
from leadmill.market.model import MODE, OUTBID, Auction, Considered, Mode, Order
from leadmill.market.orderbook.pricing import myerson_reserve
from leadmill.market.terms import BELOW_FLOOR, BELOW_RESERVE
from leadmill.market.worths import WORTH_LESS

FEWEST = 30
"""Fewer offers than this say nothing."""

_ABLE = frozenset((OUTBID.code, MODE.code, WORTH_LESS.code, BELOW_RESERVE.code, BELOW_FLOOR.code))
"""Refusals of those that could have had the lead if they had offered more."""


class Advice(Struct, frozen=True, kw_only=True):
    """A ``reserve`` for leads of their own, from ``offers`` made by ``orders`` orders for ``leads`` leads, the
    ``lowest`` to the ``highest``. ``without`` is what second prices would have brought on these leads without a
    reserve, ``now`` with the present one, ``then`` with this one. The reserve is None where there are too few
    offers."""

    leads: int
    offers: int
    orders: int
    lowest: Money | None = None
    highest: Money | None = None
    reserve: Money | None = None
    without: Money | None = None
    now: Money | None = None
    then: Money | None = None


def advise_reserve(
    auctions: Iterable[Auction], orders: Mapping[str, Order], currency: str = "USD", present: Money | None = None
) -> Advice:
    """The reserve that these auctions suggest, by :func:`~leadmill.market.pricing.myerson_reserve`, never above the
    highest price of a standing order.

    What an order offered for a lead of its own counts, whether it won, was beaten or stayed below a reserve; what its
    conditions or limits kept from offering does not.
    """
    books = [offers for auction in auctions if (offers := _offers(auction, orders, currency))]
    every = sorted(amount for offers in books for amount in offers.values())
    makers = {order_id for offers in books for order_id in offers}
    told = Advice(leads=len(books), offers=len(every), orders=len(makers))
    if len(every) < FEWEST:
        return told
    standing = [one.price.amount for one in orders.values() if one.price is not None and not one.retired]
    most = max([*standing, *(every[-1:] if any(one.ping for one in orders.values()) else ())], default=None)
    found = myerson_reserve(every, most=most)
    if found is None:
        return told

    def brings(reserve: int) -> Money:
        return Money(sum(_second(offers.values(), reserve) for offers in books), currency)

    reserve = round(found)
    return Advice(
        leads=len(books),
        offers=len(every),
        orders=len(makers),
        lowest=Money(every[0], currency),
        highest=Money(every[-1], currency),
        reserve=Money(reserve, currency),
        without=brings(0),
        now=brings(present.amount) if present is not None else None,
        then=brings(reserve),
    )


def _offers(auction: Auction, orders: Mapping[str, Order], currency: str) -> dict[str, int]:
    """What was offered for the lead alone, by order."""
    return {
        item.order_id: item.price.amount
        for item in auction.considered
        if item.price is not None and item.price.currency == currency and _alone(item, orders)
        if item.refused is None or item.refused.code in _ABLE
    }


def _alone(item: Considered, orders: Mapping[str, Order]) -> bool:
    order = orders.get(item.order_id)
    return order is None or order.mode is not Mode.SHARED


def _second(offers: Iterable[int], reserve: int) -> int:
    """What the best offer would have paid by second prices."""
    best, second = 0, 0
    for offer in offers:
        if offer > best:
            best, second = offer, best
        elif offer > second:
            second = offer
    return max(second, reserve) if best >= max(reserve, 1) else 0

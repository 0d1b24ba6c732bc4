"""What buyers bid in the past, to stand in where a bid was never heard.

Called by ``whatif``. Pure arithmetic over the recorded answers of a span.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from leadmill.core.reasons import because, declare
from leadmill.flow.memory import Recalled
from leadmill.market import BID_FULL, BidHeard, Bids, NoBid, Order

NEVER_BID = declare("flow.whatif.never_bid", "Nothing is known of what it bids: it was never asked in this span.")

_GOOD_FOR = timedelta(minutes=2)


class Habit(Struct):
    """What an order bid in the span: how often it was asked, and its bids."""

    asked: int = 0
    bids: int = 0
    total: float = 0.0
    squares: float = 0.0
    shared_bids: int = 0
    shared_total: float = 0.0

    def add(self, item: BidHeard | NoBid) -> None:
        """Take an answer in."""
        self.asked += 1
        if isinstance(item, NoBid):
            return
        amount = item.exclusive if item.exclusive is not None else item.shared or 0
        self.bids += 1
        self.total += amount
        self.squares += amount * amount
        if item.shared is not None:
            self.shared_bids += 1
            self.shared_total += item.shared

    @property
    def rate(self) -> float:
        """The share of askings that brought a bid."""
        return self.bids / self.asked if self.asked else 0.0

    @property
    def mean(self) -> float:
        """The mean bid, minor units."""
        return self.total / self.bids if self.bids else 0.0

    @property
    def variance(self) -> float:
        """Of one bid around the mean, minor units squared; the mean squared where one bid is all there is."""
        if self.bids < 2:
            return self.mean**2
        return max(0.0, (self.squares - self.bids * self.mean**2) / (self.bids - 1))

    def spread(self, times: int) -> float:
        """The variance of the sum of ``times`` guesses: of the bids themselves, of whether there would have been one,
        and of the mean, which is shared by all of them."""
        if not self.bids:
            return 0.0
        chance = self.rate * (1 - self.rate) * self.mean**2
        return times * (self.variance + chance) + times * times * self.variance / self.bids


class Habits:
    """What orders bid, learned from the recorded answers of a span."""

    def __init__(self) -> None:
        self._orders: dict[str, Habit] = {}
        self._buyers: dict[str, Habit] = {}

    def learn(self, recalled: Recalled) -> None:
        """Take in what was heard for a lead."""
        for item in heard_bids(recalled).values():
            self.take(item)

    def take(self, item: BidHeard | NoBid) -> None:
        """Take in one answer."""
        self._orders.setdefault(item.order_id, Habit()).add(item)
        self._buyers.setdefault(item.buyer_id, Habit()).add(item)

    def of(self, order_id: str, buyer_id: str) -> Habit:
        """The order's own habit, or its buyer's where it was never asked."""
        return self._orders.get(order_id) or self._buyers.get(buyer_id) or Habit()

    def guess(self, order: Order, at: datetime) -> BidHeard | NoBid:
        """What an order would have bid: its mean where it bids more often than not."""
        buyer_id = order.buyer or ""
        habit = self.of(order.id, buyer_id)
        if habit.rate < 0.5:
            return NoBid(order.id, buyer_id, because(NEVER_BID))
        alone = habit.bids > habit.shared_bids or not habit.shared_bids
        return BidHeard(
            order.id,
            buyer_id,
            round(habit.mean) if alone else None,
            round(habit.shared_total / habit.shared_bids) if habit.shared_bids else None,
            0,
            at + _GOOD_FOR,
            currency=order.currency,
        )


def heard_bids(recalled: Recalled) -> dict[str, BidHeard | NoBid]:
    """What was heard from the orders that were asked for the lead, by order."""
    return {
        item.order_id: item
        for chapter in recalled.chapters
        for station in chapter.stations
        for answer in station.heard
        if isinstance(answer, Bids)
        for item in answer.items
        # What a full order would have bid was never heard.
        if isinstance(item, BidHeard) or item.because.code != BID_FULL.code
    }

"""What buyers bid stands in for bids that were never heard, and says how far off it may be."""

from datetime import UTC, datetime

import pytest

from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.flow.habits import NEVER_BID, Habit, Habits
from leadmill.market import BidHeard, Mode, NoBid, Order

AT = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
ORDER = Order(id="volt-ca", buyer="volt", vertical="solar")


def bid(amount: int, shared: int | None = None, order: str = "volt-ca") -> BidHeard:
    return BidHeard(order, "volt", amount, shared, 30, AT)


def habit(*items: BidHeard | NoBid) -> Habit:
    found = Habit()
    for item in items:
        found.add(item)
    return found


NO = NoBid("volt-ca", "volt", because(NEVER_BID))


def test_an_order_is_taken_to_bid_its_mean() -> None:
    found = habit(bid(4_000), bid(6_000), NO)
    assert found.rate == pytest.approx(2 / 3)
    assert (found.mean, found.variance) == (5_000, 2_000_000)


def test_the_more_was_heard_the_surer_the_guess() -> None:
    few, many = habit(bid(4_000), bid(6_000)), habit(*[bid(4_000), bid(6_000)] * 50)
    assert many.spread(10) < few.spread(10) / 4
    assert habit(bid(5_000), bid(5_000)).spread(10) == 0


def test_one_bid_alone_may_be_anything() -> None:
    assert habit(bid(5_000)).spread(1) == 2 * 5_000**2


def test_nothing_heard_is_no_bid() -> None:
    guess = Habits().guess(ORDER, AT)
    assert isinstance(guess, NoBid) and guess.because.code == NEVER_BID.code
    assert Habit().spread(3) == 0


def heard(*items: BidHeard | NoBid) -> Habits:
    found = Habits()
    for item in items:
        found.take(item)
    return found


def test_an_order_never_asked_bids_like_its_buyer() -> None:
    guess = heard(bid(4_000, order="volt-az"), bid(5_000, order="volt-nv")).guess(ORDER, AT)
    assert isinstance(guess, BidHeard) and (guess.order_id, guess.exclusive, guess.shared) == ("volt-ca", 4_500, None)


def test_who_seldom_bids_is_taken_not_to() -> None:
    assert isinstance(heard(bid(4_000), NO, NO).guess(ORDER, AT), NoBid)


def test_a_bid_for_a_leg_is_guessed_as_one() -> None:
    shared = Order(id="volt-ca", buyer="volt", vertical="solar", mode=Mode.SHARED, shared_price=Money(0))
    only = BidHeard("volt-ca", "volt", None, 1_800, 30, AT)
    guess = heard(only, only).guess(shared, AT)
    assert isinstance(guess, BidHeard) and (guess.exclusive, guess.shared) == (None, 1_800)

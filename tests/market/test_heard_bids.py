"""What an order that is asked for bids pays: its bid while it holds, and otherwise a reason why it pays nothing."""

from datetime import timedelta
from typing import Any

import pytest

from leadmill.core.reasons import Because, because
from leadmill.market import BidHeard, NoBid, Room
from leadmill.market.model import NEEDS_BID
from leadmill.market.orderbook.lines import make_lines
from leadmill.market.rules import Bid, heard_bid
from leadmill.market.tenders.tender import BID_DECLINED, BID_EXPIRED, BID_NO_TEST
from tests.market.scene import NOW, buyer, order, roster

PING = {"url": "http://127.0.0.1:9/ping"}


def line(**more: Any) -> Any:
    book = {"volt-ca": order("volt-ca", None, ping=PING, **more)}
    return make_lines(book, roster(buyer("volt")))["solar"][0]


def heard(exclusive: int | None, shared: int | None = None, seconds: int = 60) -> BidHeard:
    return BidHeard("volt-ca", "volt", exclusive, shared, 30, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("mode", "paid"),
    [("exclusive", (5_500, None)), ("shared", (None, 1_800)), ("either", (5_500, 1_800))],
)
def test_an_order_pays_what_it_bid_in_the_ways_it_takes_leads(mode: str, paid: tuple[int | None, int | None]) -> None:
    bid = heard_bid(line(mode=mode), Room(NOW), heard(5_500, 1_800), False, NOW)
    assert isinstance(bid, Bid) and (bid.exclusive, bid.shared) == paid


@pytest.mark.parametrize(
    ("answer", "test", "code"),
    [
        (None, False, NEEDS_BID.code),
        (None, True, BID_NO_TEST.code),
        (NoBid("volt-ca", "volt", because(BID_DECLINED, said="no")), False, BID_DECLINED.code),
        (heard(5_500, seconds=0), False, BID_EXPIRED.code),
        (heard(None, 1_800), False, NEEDS_BID.code),
    ],
)
def test_without_a_bid_that_holds_it_pays_nothing_and_says_why(answer: Any, test: bool, code: str) -> None:
    found = heard_bid(line(), Room(NOW), answer, test, NOW)
    assert isinstance(found, Because) and found.code == code

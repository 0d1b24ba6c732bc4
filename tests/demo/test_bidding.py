"""The demo's bidding buyers: most pings bring a bid that Leadmill understands, the rest every failure there is."""

from collections import Counter
from random import Random

import pytest

from leadmill.market import read_bid
from leadmill_demo.bidding import TASTES, bid
from tests.demo.business import of_kind

PINGS = {
    "sunfallow": '{"fields": {"monthly_bill": 180}}',
    "desert-kestrel": '{"fields": {"monthly_bill": 140}}',
    "quarry-ridge": "<Ping><loan_amount>420000</loan_amount></Ping>",
}


def test_whoever_bids_is_asked_by_an_order() -> None:
    asked = {order.buyer for order in of_kind("order").values() if order.ping is not None}
    assert asked == set(TASTES)


@pytest.mark.parametrize("buyer", sorted(TASTES))
def test_most_pings_bring_a_believable_bid_and_the_rest_fail_in_every_way(buyer: str) -> None:
    target = next(order.ping for order in of_kind("order").values() if order.ping and order.buyer == buyer)
    rng = Random(7)
    seen: Counter[str] = Counter()
    for _ in range(600):
        said = bid(buyer, PINGS[buyer], rng)
        assert said is not None
        if said.wait > target.timeout_ms / 1000:
            seen["late"] += 1
            continue
        if said.status >= 500:
            seen["error"] += 1
            continue
        read = read_bid(target, said.status, said.media, said.body.encode())
        seen[read.no_bid.code if read.no_bid else "bid"] += 1
        if read.no_bid is None:
            assert read.price is not None and 30 < float(read.price) <= TASTES[buyer].most and read.ref
    assert seen["bid"] > 300
    assert seen["market.bid.declined"] > 50
    assert seen["late"] > 0
    assert len(seen) >= 4


def test_others_do_not_bid() -> None:
    assert bid("westmere", "{}", Random(1)) is None

"""Callers who are on the line: which orders they may reach, and to which number they are put through."""

from typing import Any

import msgspec
import pytest

from leadmill.core.reading import Table
from leadmill.market import read_bid, read_order, read_ping
from leadmill.market.bidding.quotes import astray
from leadmill.market.model import Leg
from leadmill.market.tenders.tender import BidHeard
from leadmill.market.terms import CallTarget

BASE = {"id": "x", "buyer": "helio", "vertical": "solar", "price": "9.00"}
BACK = {**BASE, "kind": "call", "call_min_seconds": 60}
LIVE = {**BACK, "call_to": "+18005550111", "call_sip": "line-7@pbx.example.com"}
ASKED = {**BACK, "ping": {"url": "https://b.example/", "call_to": "number"}}


@pytest.mark.parametrize(
    ("order", "live", "code"),
    [
        (BASE, False, None),
        (BACK, False, None),
        (LIVE, False, "market.order.not_live"),
        (ASKED, False, "market.order.not_live"),
        (BASE, True, "market.order.on_the_line"),
        (BACK, True, "market.order.on_the_line"),
        (LIVE, True, None),
        (ASKED, True, None),
    ],
)
def test_a_caller_on_the_line_reaches_only_who_can_be_put_through_to(order: Any, live: bool, code: str | None) -> None:
    why = astray(read_order(order), live)
    assert (why.code if why else None) == code


def test_a_call_goes_to_the_line_that_came_with_the_bid_else_to_the_orders_own() -> None:
    terms = read_order(LIVE).call
    assert terms is not None
    assert terms.target() == CallTarget("+18005550111", "line-7@pbx.example.com", 60)
    assert terms.target("+18005550122") == CallTarget("+18005550122", "", 60)
    back = read_order(BACK).call
    assert back is not None and back.target() is None


@pytest.mark.parametrize(
    ("number", "sip", "told"),
    [
        ("+18005550122", "RTB1@rtb.example.com", ("+18005550122", "RTB1@rtb.example.com")),
        ("(800) 555-0122", "sip:RTB1@rtb.example.com:5060", ("+18005550122", "RTB1@rtb.example.com:5060")),
        (18005550122, None, ("+18005550122", "")),
        ("+442071838750", "a b@c", ("+442071838750", "")),
        ("none", "RTB1@rtb.example.com", ("", "")),
        ("123", None, ("", "")),
        (None, None, ("", "")),
    ],
)
def test_the_number_is_read_out_of_a_bid_in_whatever_way_it_is_written(number: Any, sip: Any, told: Any) -> None:
    table = Table({"ping": {"url": "https://b.example/", "call_to": "number", "call_sip": "sip"}}, "order")
    target = read_ping(table)
    assert target is not None
    body = msgspec.json.encode({"price": "9.00", "number": number, "sip": sip})
    read = read_bid(target, 200, "application/json", body)
    assert (read.no_bid, read.price, (read.call_to, read.call_sip)) == (None, "9.00", told)


def test_bids_and_legs_of_before_there_were_live_calls_still_decode() -> None:
    old = ["bid", "helio-ca", "helio", 900, None, 12, "2026-03-04T15:00:00Z", "ref", "USD"]
    bid = msgspec.json.decode(msgspec.json.encode(old), type=BidHeard)
    assert (bid.call_to, bid.call_sip) == ("", "")
    leg = {"sale_id": "sale_1", "order_id": "x", "buyer_id": "helio", "price": {"amount": 900, "currency": "USD"}}
    assert msgspec.convert(leg, Leg).call is None

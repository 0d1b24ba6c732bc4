"""An order's ``ping`` table: what it may say, and what is refused before a lead meets it."""

from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.reading import Table
from leadmill.market import read_ping
from leadmill.runtime.dialect import Picked
from leadmill.runtime.plugins import find_plugins

BIDDERS = find_plugins().of("leadmill.bidders")
WHOLE: dict[str, Any] = {
    "url": "https://buyer.example/ping",
    "timeout_ms": 400,
    "tier": 2,
    "format": "form",
    "fields": {"zip_code": "zip", "tf": "consent.trustedform"},
    "constants": {"campaign": "42", "key": {"env": "BUYER_KEY"}},
    "test": {"lp_test": "1"},
    "accept": [{"path": "result", "equals": "success"}],
    "price": "bid.amount",
    "shared_price": "bid.leg",
    "ping_id": "id",
    "expires_in": "ttl",
    "valid_s": 60,
}


def read(raw: dict[str, Any]) -> Any:
    return read_ping(Table({"ping": raw}, "order solar-west"), bidders=BIDDERS)


def test_a_ping_is_read_as_declared() -> None:
    target = read(WHOLE)
    assert (target.url, target.timeout_ms, target.tier, target.bidder) == (WHOLE["url"], 400, 2, "http")
    assert target.fields["tf"] == Picked("consent.trustedform")
    assert (target.test, target.reply.price, target.shared_price) == ({"lp_test": "1"}, "bid.amount", "bid.leg")
    assert (target.ping_id, target.expires_in, target.valid_s) == ("id", "ttl", 60)


def test_an_address_alone_will_do() -> None:
    target = read({"url": "https://buyer.example/ping"})
    assert (target.timeout_ms, target.format, target.tier, target.test) == (500, "json", 1, None)


def test_an_order_without_a_ping_has_none() -> None:
    assert read_ping(Table({}, "order x")) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": ""}, "url"),
        ({"url": "buyer.example/ping"}, "whole address"),
        ({"timeout_ms": 20}, "from 50 to 10000"),
        ({"tier": 0}, "tier"),
        ({"fields": {"n": "first_name"}}, "no contact details"),
        ({"fields": {"n": "fields.email"}}, "no contact details"),
        ({"fields": {"n": "consent.phone_number"}}, "no contact details"),
        ({"fields": {"n": "sale.price"}}, "must name a value"),
        ({"test": {}}, "is empty"),
        ({"test": {"a": {"env": "X"}}}, "must be a text"),
        ({"constants": {"key": {"env": "not a name"}}}, "reference"),
        ({"bidder": "htp"}, "did you mean 'http'"),
        ({"format": "csv"}, "json, form or xml"),
        ({"tmeout_ms": 3}, "did you mean 'timeout_ms'"),
    ],
)
def test_what_could_never_work_is_refused_with_its_place(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says) as fault:
        read(WHOLE | change)
    assert "solar-west" in str(fault.value.detail)

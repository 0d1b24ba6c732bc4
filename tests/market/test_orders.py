"""Reading orders: what a person wrote is understood or refused with the place and the remedy."""

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.hours import Span
from leadmill.core.money import Money
from leadmill.market import Cap, Mode, Per, read_order
from leadmill.market.model import UNRANKED
from leadmill.market.tenders.tender import PingTarget

FULL = {
    "id": "helio-ca",
    "buyer": "helio",
    "vertical": "solar",
    "where": [
        {"field": "state", "in": ["CA", "AZ"]},
        {"field": "monthly_bill", "gte": 120},
        {"not": {"field": "zip", "prefix": ["900"]}},
    ],
    "mode": "exclusive",
    "price": "65.00",
    "shared_price": "18.00",
    "max_legs": 4,
    "caps": [{"per": "day", "leads": 50}, {"per": "hour", "leads": 10}, {"per": "month", "spend": "20000.00"}],
    "schedule": {"tz": "America/Los_Angeles", "open": ["mon-fri 08:00-18:00", "sat 09:00-13:00"]},
    "min_score": 40,
    "priority": 1,
    "ping": {"url": "http://127.0.0.1:9001/ping", "timeout_ms": 500},
    "budget": "90000.00",
}
SMALL = {"id": "helio-ca", "buyer": "helio", "vertical": "solar", "price": "65.00"}


def test_the_whole_table_of_the_contract_is_read():
    order = read_order(FULL)
    assert order.caps == (Cap(Per.DAY, 50), Cap(Per.HOUR, 10), Cap(Per.MONTH, spend=Money(2000000)))
    assert (order.price, order.shared_price, order.budget) == (Money(6500), Money(1800), Money(9000000))
    assert (order.mode, order.max_legs, order.min_score, order.priority) == (Mode.EXCLUSIVE, 4, 40, 1)
    assert order.ping == PingTarget(url="http://127.0.0.1:9001/ping", timeout_ms=500)
    assert order.schedule is not None
    assert order.schedule.spans[0] == Span(8 * 60, 18 * 60)
    assert len(order.schedule.spans) == 6
    assert order.tz == "America/Los_Angeles"


def test_what_is_left_out_has_a_sane_default():
    order = read_order(SMALL)
    assert (order.mode, order.priority, order.tz) == (Mode.EXCLUSIVE, UNRANKED, "UTC")
    assert (order.caps, order.budget, order.schedule, order.min_score, order.retired) == ((), None, None, None, False)


def test_a_team_may_stand_in_the_place_of_a_buyer():
    order = read_order({"id": "west-solar", "team": "west", "vertical": "solar", "caps": [{"per": "day", "leads": 9}]})
    assert (order.recipient, order.buyer, order.price) == ("west", None, None)


def test_an_order_whose_price_is_a_bid_is_read_though_it_names_no_price():
    raw = {"id": "x", "buyer": "helio", "vertical": "solar", "ping": {"url": "https://b.example/ping"}}
    assert read_order(raw).ping == PingTarget(url="https://b.example/ping", timeout_ms=500)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shedule": {}}, "did you mean 'schedule'"),
        ({"pricee": "1"}, "did you mean 'price'"),
        ({"buyer": None}, "buyer"),
        ({"team": "west"}, "either a buyer or a team"),
        ({"price": 65}, "price"),
        ({"price": "65.001"}, "price"),
        ({"price": "-1"}, "price"),
        ({"mode": "exclusiv"}, "one of exclusive, shared, either"),
        ({"mode": "shared"}, "price of a leg"),
        ({"mode": "either"}, "price for a leg"),
        ({"max_legs": 9}, "from 1 to 8"),
        ({"max_legs": 0}, "from 1 to 8"),
        ({"caps": [{"per": "decade", "leads": 1}]}, "hour, day, week, month"),
        ({"caps": [{"per": "day"}]}, "either leads or spend"),
        ({"caps": [{"per": "day", "leads": 1, "spend": "1.00"}]}, "either leads or spend"),
        ({"caps": [{"per": "day", "leads": 1}, {"per": "day", "leads": 2}]}, "another cap"),
        ({"caps": [{"per": "day", "leads": -1}]}, "whole number"),
        ({"caps": [{"per": "day", "lead": 1}]}, "leads"),
        ({"schedule": {"tz": "Mars/Olympus", "open": ["mon 08:00-09:00"]}}, "must be a zone"),
        ({"schedule": {"tz": "../etc/passwd", "open": ["mon 08:00-09:00"]}}, "must be a zone"),
        ({"schedule": {"open": []}}, "never be open"),
        ({"schedule": {"open": ["mon 8-18"]}}, "write "),
        ({"schedule": {"open": ["mon 08:00-08:00"]}}, "write "),
        ({"schedule": {"open": ["mon 08:00-24:30"]}}, "write "),
        ({"schedule": {"open": ["someday 08:00-18:00"]}}, "write "),
        ({"ping": {"url": "ftp://x"}}, "https://"),
        ({"priority": 0}, "from 1"),
        ({"where": [{"field": "state", "inn": ["CA"]}]}, "in"),
        ({"where": {"field": "state", "in": ["CA"]}}, "list"),
        ({"price": None}, "price"),
    ],
)
def test_what_could_never_work_is_refused_with_the_remedy(change, says):
    with pytest.raises(BadInput) as caught:
        read_order(SMALL | change)
    assert says in caught.value.detail
    assert "order helio-ca" in caught.value.detail


@pytest.mark.parametrize("key", ["price", "shared_price", "budget"])
def test_a_team_pays_nothing(key):
    with pytest.raises(BadInput, match="pays nothing"):
        read_order({"id": "x", "team": "west", "vertical": "solar", key: "5.00"})


def test_an_order_without_any_price_is_refused():
    raw = {key: value for key, value in SMALL.items() if key != "price"}
    with pytest.raises(BadInput, match="asked by ping"):
        read_order(raw)


def test_another_currency_is_read_in_its_own_minor_units():
    order = read_order(SMALL | {"currency": "JPY", "price": "6500", "caps": [{"per": "day", "spend": "100000"}]})
    assert order.price == Money(6500, "JPY")
    assert order.caps[0].spend == Money(100000, "JPY")

"""What an order pays for one lead: rules, hours, seasons, volume, subscriptions; what the house asks of a price."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.market import Auction, Order, Per, Sale, Use, price_terms, read_order
from leadmill.market.orderbook.pricing import quote, tariff_of
from tests.market.scene import NOW, Scene, order, prepaid, told, words

SATURDAY = datetime(2026, 3, 7, 20, 0, tzinfo=UTC)
"""Noon in Los Angeles."""
LA = "America/Los_Angeles"


def legs(case: Any) -> list[tuple[str, int]]:
    return [(leg.order_id, leg.price.amount) for leg in case[Sale].legs]


def asked(order: Order, values: dict[str, Any] | None = None, now: datetime = NOW, **used: int) -> tuple[Any, Any, str]:
    tariff = tariff_of(order, order.price, order.shared_price)
    assert tariff is not None
    found = quote(tariff, values or {}, now, [Use(Per(per), leads, 0) for per, leads in used.items()])
    return found.exclusive, found.shared, found.says


RULES = [
    {"where": [{"field": "monthly_bill", "gte": 300}], "price": "80.00"},
    {"where": [{"field": "monthly_bill", "gte": 200}], "price": "70.00"},
    {"where": [{"field": "homeowner", "eq": False}], "factor": "0.80"},
]
SATURDAYS = [{"during": ["sat 00:00-24:00"], "factor": "1.10"}]
SUMMER = [{"from": "06-01", "to": "08-31", "factor": "1.05"}]
WINTER = [{"from": "11-15", "to": "02-15", "factor": "0.90"}]
STEPS = [{"per": "month", "over": 100, "factor": "0.95"}, {"per": "month", "over": 500, "price": "50.00"}]


@pytest.mark.parametrize(
    ("terms", "values", "now", "used", "pays", "says"),
    [
        ({"price_rules": RULES}, {"monthly_bill": 100}, NOW, {}, 6500, ""),
        ({"price_rules": RULES}, {"monthly_bill": 350}, NOW, {}, 8000, "$80.00 where monthly_bill is at least 300"),
        (
            {"price_rules": RULES},
            {"monthly_bill": 350, "homeowner": False},
            NOW,
            {},
            6400,
            "$80.00 where monthly_bill is at least 300 x 0.80 where homeowner is no = $64.00",
        ),
        ({"price_times": SATURDAYS}, {}, NOW, {}, 6500, ""),
        ({"price_times": SATURDAYS}, {}, SATURDAY, {}, 7150, "$65.00 x 1.10 on Saturday = $71.50"),
        # Sunday in UTC, still Saturday in Los Angeles.
        ({"price_times": SATURDAYS}, {}, SATURDAY + timedelta(hours=8), {}, 7150, "$65.00 x 1.10 on Saturday = $71.50"),
        (
            {"price_times": SUMMER},
            {},
            datetime(2026, 9, 1, 6, 0, tzinfo=UTC),
            {},
            6825,
            "$65.00 x 1.05 from June 1 to August 31 = $68.25",
        ),
        ({"price_times": SUMMER}, {}, datetime(2026, 9, 1, 8, 0, tzinfo=UTC), {}, 6500, ""),
        (
            {"price_times": WINTER},
            {},
            datetime(2026, 1, 5, 20, 0, tzinfo=UTC),
            {},
            5850,
            "$65.00 x 0.90 from November 15 to February 15 = $58.50",
        ),
        ({"volume": STEPS}, {}, NOW, {"month": 99}, 6500, ""),
        ({"volume": STEPS}, {}, NOW, {"month": 100}, 6175, "$65.00 x 0.95 beyond 100 leads this month = $61.75"),
        ({"volume": STEPS}, {}, NOW, {"month": 500}, 5000, "$50.00 beyond 500 leads this month"),
        (
            {"volume": STEPS, "price_times": SATURDAYS},
            {},
            SATURDAY,
            {"month": 100},
            6792,
            "$65.00 x 0.95 beyond 100 leads this month x 1.10 on Saturday = $67.92",
        ),
    ],
)
def test_a_price_follows_from_its_terms_and_is_told_in_words(terms, values, now, used, pays, says):
    made = order("helio-1", "65.00", tz=LA, **terms)
    assert asked(made, values, now, **used) == (pays, None, says)


def test_factors_are_multiplied_first_and_the_product_is_rounded_once():
    times = [{"during": ["sat 00:00-24:00"], "factor": "1.15"}, {"during": ["mon-sun 00:00-24:00"], "factor": "1.15"}]
    # 0.05 x 1.15 x 1.15 = 0.066125; rounded at each step it would be 0.06, then 0.07.
    assert asked(order("helio-1", "0.05", tz=LA, price_times=times), now=SATURDAY)[0] == 7
    half = order("helio-1", "0.05", price_rules=[{"where": [{"field": "x", "exists": True}], "factor": "0.5"}])
    assert asked(half, {"x": "y"})[0] == 2, "half a minor unit goes to the even one"


def test_an_order_whose_price_does_not_move_has_no_tariff():
    made = order("helio-1")
    assert tariff_of(made, made.price, None) is None


def test_a_leg_has_its_own_price_under_the_same_terms():
    made = order("helio-1", "65.00", mode="either", shared_price="18.00", price_times=SATURDAYS, tz=LA)
    assert asked(made, now=SATURDAY) == (
        7150,
        1980,
        "$65.00 x 1.10 on Saturday = $71.50; a leg $18.00 x 1.10 on Saturday = $19.80",
    )


def test_the_moved_price_decides_the_auction_and_stands_in_it():
    scene = Scene([order("helio-1", "65.00", price_times=SATURDAYS, tz=LA), order("volt-1", "70.00")])
    week = scene.walk()
    assert legs(week) == [("volt-1", 7000)]
    saturday = scene.walk(now=SATURDAY)
    assert legs(saturday) == [("helio-1", 7150)]
    assert "Helio Inc (helio-1): $65.00 x 1.10 on Saturday = $71.50." in list(saturday[Auction].tell())
    assert next(iter(saturday[Auction].tell())) == "Helio Inc at $71.50 exclusive beats Volt Inc at $70.00."


def test_the_tenth_lead_of_a_day_is_cheaper_where_nine_were_agreed_at_the_full_price():
    scene = Scene([order("helio-1", "10.00", volume=[{"per": "day", "over": 2, "price": "6.00"}])])
    assert [legs(scene.walk())[0][1] for _ in range(4)] == [1000, 1000, 600, 600]
    assert legs(scene.walk(now=NOW + timedelta(days=1)))[0][1] == 1000


def test_what_an_order_cannot_afford_is_measured_at_the_moved_price():
    scene = Scene(
        [order("helio-1", "65.00", price_times=SATURDAYS, tz=LA, caps=[{"per": "day", "spend": "70.00"}])],
        prepaid("helio", 7100),
    )
    assert told(scene.walk(now=SATURDAY)) == {"helio-1": "market.order.cap_reached"}
    free = Scene([order("helio-1", "65.00", price_times=SATURDAYS, tz=LA)], prepaid("helio", 7100))
    case = free.walk(now=SATURDAY)
    assert words(case, "helio-1") == "The buyer's account does not cover $71.50: $71.00 is available."


# Subscriptions

PLAN = {"fee": "100.00", "leads": 3, "overage": "45.00"}


def test_a_subscription_covers_its_leads_and_each_one_more_costs_the_overage():
    scene = Scene([order("helio-1", "65.00", subscription=PLAN)])
    walked = [scene.walk() for _ in range(4)]
    assert [(leg.price.amount, leg.covered) for case in walked for leg in case[Sale].legs] == [
        (3333, True),
        (3333, True),
        (3333, True),
        (4500, False),
    ]
    assert "$33.33, covered by the month's $100.00, lead 2 of 3." in " ".join(walked[1][Auction].tell())
    assert "$45.00 beyond the 3 leads that the month's $100.00 covers." in " ".join(walked[3][Auction].tell())
    assert scene.walk(now=NOW + timedelta(days=40))[Sale].legs[0].covered


# What could never work


CALLS = {"kind": "call", "call_min_seconds": 90, "call_to": "+18005550111"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"price_rules": [{"where": [], "factor": "1.1"}]}, "change the order's price instead"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}]}]}, "either a factor or a price"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}], "factor": 1.1}]}, "written as a text"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}], "factor": "0"}]}, "over 0"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}], "factor": "11"}]}, "up to 10"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}], "factor": "1e-9"}]}, "up to 10"),
        ({"price_rules": [{"where": [{"field": "x", "eqq": 1}], "factor": "1.1"}]}, "eq"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}], "prize": "1.00"}]}, "did you mean 'price'"),
        ({"price_rules": [{"where": [{"field": "x", "eq": 1}], "shared_price": "1.00"}]}, "no price that counts"),
        ({"price_times": [{"factor": "1.1"}]}, "name hours"),
        ({"price_times": [{"during": ["sat"], "factor": "1.1"}]}, "write "),
        ({"price_times": [{"from": "06-01", "factor": "1.1"}]}, "both from and to"),
        ({"price_times": [{"from": "06-31", "to": "07-01", "factor": "1.1"}]}, "a month and a day"),
        ({"price_times": [{"from": "6-1", "to": "07-01", "factor": "1.1"}]}, "a month and a day"),
        ({"volume": [{"per": "week", "over": 5, "factor": "0.9"}]}, "day, month"),
        ({"volume": [{"per": "day", "over": 0, "factor": "0.9"}]}, "from 1"),
        (
            {"volume": [{"per": "day", "over": 5, "factor": "0.9"}, {"per": "day", "over": 5, "factor": "0.8"}]},
            "another step",
        ),
        ({"subscription": {"fee": "10.00", "leads": 0, "overage": "1.00"}}, "from 1"),
        ({"subscription": PLAN, "price_times": SUMMER}, "leave this out"),
        ({"subscription": PLAN, "volume": STEPS}, "leave this out"),
        ({"subscription": PLAN, "ping": {"url": "https://b.example/"}}, "price is a bid"),
        ({"weight": 0}, "from 1"),
        ({"post": "later"}, "queued, inline"),
        ({"kind": "call"}, "call_min_seconds"),
        ({"kind": "call", "call_min_seconds": 90, "call_dial": "555"}, "+18005550100"),
        ({"call_min_seconds": 90}, 'kind = "call"'),
        ({"call_to": "+18005550111"}, 'kind = "call"'),
        ({"kind": "call", "call_min_seconds": 90, "call_to": "5550111"}, "+18005550100"),
        ({"kind": "call", "call_min_seconds": 90, "call_sip": "line-7@pbx.example.com"}, "call_to"),
        ({"kind": "call", "call_min_seconds": 90, "call_to": "+18005550111", "call_sip": "line 7"}, "line-7@pbx"),
        ({**CALLS, "call_dial": "+18005550100"}, "called back"),
        ({**CALLS, "mode": "either", "shared_price": "9.00"}, "one buyer"),
        ({"ping": {"url": "https://b.example/", "call_to": "number"}}, 'must be "call"'),
        ({"ping": {"url": "https://b.example/", "call_sip": "sip"}}, "call_to"),
        ({"silent": True}, 'mode = "shared"'),
    ],
)
def test_terms_that_could_never_work_are_refused_with_the_remedy(change, says):
    with pytest.raises(BadInput) as caught:
        read_order({"id": "helio-ca", "buyer": "helio", "vertical": "solar", "price": "65.00", **change})
    assert says in caught.value.detail
    assert "order helio-ca" in caught.value.detail


@pytest.mark.parametrize("key", ["price_rules", "price_times", "volume", "subscription"])
def test_a_team_has_no_price_list(key):
    terms: dict[str, Any] = {
        "price_rules": RULES[2:],
        "price_times": SUMMER,
        "volume": STEPS[:1],
        "subscription": PLAN,
    }
    with pytest.raises(BadInput, match="pays nothing"):
        read_order({"id": "x", "team": "west", "vertical": "solar", key: terms[key]})


def test_the_terms_of_a_price_read_as_sentences():
    made = order("helio-1", "65.00", price_rules=RULES[1:], price_times=SATURDAYS + WINTER, volume=STEPS)
    assert price_terms(made) == [
        "$70.00 where monthly_bill is at least 200",
        "x 0.80 where homeowner is no",
        "x 1.10 on Saturday",
        "x 0.90 from November 15 to February 15",
        "x 0.95 beyond 100 leads a month",
        "$50.00 beyond 500 leads a month",
    ]
    assert price_terms(order("volt-1", "65.00", subscription=PLAN)) == ["$100.00 a month for 3 leads, then $45.00 each"]
    assert price_terms(order("amp-1")) == []

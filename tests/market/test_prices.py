"""What an order pays for one lead: rules, hours, seasons, volume, subscriptions; what the house asks of a price."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput
from leadmill.core.money import Money
from leadmill.market import Auction, House, MarketTerms, Order, Per, Sale, Use, price_terms, read_market, read_order
from leadmill.market.pricing import myerson_reserve, payout_of, quote, second_price, tariff_of
from leadmill.parties import Payout, Source, earned
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


# Floors, reserves, margins


def market(**terms: Any) -> House:
    return House({"solar": read_market({"vertical": "solar", **terms})})


def acme(**terms: Any) -> Source:
    return Source(id="acme", name="Acme", verticals=("solar",), **terms)


def test_an_order_below_the_floor_does_not_get_the_lead_though_nobody_else_wants_it():
    scene = Scene([order("helio-1", "19.99")], house=market(floor="20.00"))
    case = scene.walk()
    assert told(case) == {"helio-1": "market.order.below_floor"}
    assert words(case, "helio-1") == "It pays $19.99, and the market's floor is $20.00."
    assert Sale in Scene([order("helio-1", "20.00")], house=market(floor="20.00")).walk()


def test_a_sources_floor_counts_where_it_is_higher_than_the_markets():
    scene = Scene([order("helio-1", "24.00")], acme(floor=Money(2500)), house=market(floor="20.00"))
    assert words(scene.walk(), "helio-1") == "It pays $24.00, and the source's floor is $25.00."
    low = Scene([order("helio-1", "24.00")], acme(floor=Money(1000)), house=market(floor="20.00"))
    assert Sale in low.walk()


def test_a_floor_for_legs_leaves_the_exclusive_price_alone():
    either = order("helio-1", "30.00", mode="either", shared_price="9.00")
    rivals = [order(f"{name}-1", None, mode="shared", shared_price="15.00") for name in ("volt", "amp")]
    case = Scene([either, *rivals], house=market(shared_floor="10.00")).walk()
    assert legs(case) == [("helio-1", 3000)]


def test_a_price_below_the_reserve_is_refused_by_its_own_number():
    case = Scene([order("helio-1", "19.99")], house=market(reserve="20.00", second_price=True)).walk()
    assert told(case) == {"helio-1": "market.order.below_reserve"}
    assert words(case, "helio-1") == "It pays $19.99, and the market's reserve is $20.00."


@pytest.mark.parametrize(
    ("terms", "sold"),
    [
        ({"payout": Payout("fixed", amount=Money(1200)), "min_margin": Money(300)}, False),
        ({"payout": Payout("fixed", amount=Money(1200)), "min_margin": Money(200)}, True),
        ({"payout": Payout("share", rate=Decimal("0.90")), "min_margin_rate": Decimal("0.20")}, False),
        ({"payout": Payout("share", rate=Decimal("0.80")), "min_margin_rate": Decimal("0.20")}, True),
        ({"payout": Payout("margin", rate=Decimal("0.10"), amount=Money(250)), "min_margin": Money(250)}, True),
        ({"min_margin": Money(1401)}, False),
    ],
)
def test_a_sale_that_would_leave_less_than_the_margin_is_refused(terms, sold):
    case = Scene([order("helio-1", "14.00")], acme(**terms)).walk()
    assert told(case) == {"helio-1": "" if sold else "market.order.margin"}


def test_a_thin_margin_is_told_in_money():
    scene = Scene([order("helio-1", "14.00")], acme(payout=Payout("fixed", amount=Money(1200)), min_margin=Money(300)))
    assert words(scene.walk(), "helio-1") == (
        "Of $14.00 the source would get $12.00, which leaves $2.00 where $3.00 is asked."
    )


def test_legs_of_a_shared_lead_leave_their_margin_together():
    orders = [order(f"{name}-1", None, mode="shared", shared_price="8.00") for name in ("volt", "amp")]
    payout = Payout("fixed", amount=Money(1200))
    assert len(Scene(orders, acme(payout=payout, min_margin=Money(400))).walk()[Sale].legs) == 2
    case = Scene(orders, acme(payout=payout, min_margin=Money(401))).walk()
    assert Sale not in case
    assert set(told(case).values()) == {"market.order.margin"}


@pytest.mark.parametrize(
    ("payout", "price", "paid"),
    [
        (Payout("share", rate=Decimal("0.70")), 6500, 4550),
        (Payout("share", rate=Decimal("0.25")), 10, 2),
        (Payout("fixed", amount=Money(1200)), 6500, 0),
        (Payout("margin", rate=Decimal("0.30")), 6500, 4550),
        (Payout("margin", rate=Decimal("0.30"), amount=Money(2500)), 6500, 4000),
        (Payout("margin", rate=Decimal("0.30"), amount=Money(2500)), 1000, 0),
    ],
)
def test_what_one_leg_earns_its_source(payout, price, paid):
    assert earned(payout, Money(price)) == Money(paid)


@given(
    st.sampled_from(["share", "fixed", "margin"]),
    st.decimals(0, 1, places=2),
    st.integers(0, 5000),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8),
)
def test_a_payout_is_never_negative(model, rate, amount, prices):
    payout = Payout(model, rate=rate, amount=Money(amount))
    assert payout_of(payout, prices, "USD") >= 0
    if model != "fixed":
        assert payout_of(payout, prices, "USD") <= sum(prices)


# First and second price


def test_in_a_second_price_market_the_winner_pays_what_the_next_would_have():
    orders = [order("helio-1", "65.00"), order("volt-1", "55.00"), order("helio-2", "60.00")]
    case = Scene(orders, house=market(second_price=True)).walk()
    assert legs(case) == [("helio-1", 5500)], "the winner's own other order is no rival"
    says = list(case[Auction].tell())
    assert says[0] == "Helio Inc at $55.00 exclusive beats Helio Inc at $60.00, Volt Inc at $55.00."
    assert "Helio Inc (helio-1): offered $65.00, pays $55.00, the second price." in says


def test_without_a_rival_the_winner_pays_the_reserve():
    house = market(second_price=True, reserve="20.00")
    assert legs(Scene([order("helio-1", "65.00")], house=house).walk()) == [("helio-1", 2000)]
    assert legs(Scene([order("helio-1", "65.00")], house=market()).walk()) == [("helio-1", 6500)]


def test_legs_that_would_have_paid_together_are_a_rival_too():
    legs_ = [order(f"{name}-1", None, mode="shared", shared_price="16.00") for name in ("volt", "amp")]
    case = Scene([order("helio-1", "65.00"), *legs_], house=market(second_price=True)).walk()
    assert legs(case) == [("helio-1", 3200)]


def test_shared_winners_pay_the_best_leg_left_out_but_together_no_less_than_alone():
    few = [
        order(f"{name}-1", None, mode="shared", shared_price=price, max_legs=2)
        for name, price in (("volt", "30.00"), ("amp", "25.00"), ("ohm", "10.00"))
    ]
    house = market(second_price=True)
    assert legs(Scene(few, house=house).walk()) == [("volt-1", 1000), ("amp-1", 1000)]
    case = Scene([*few, order("helio-1", "40.00")], house=house).walk()
    assert sum(amount for _, amount in legs(case)) == 4000


def test_a_second_price_never_eats_the_margin():
    source = acme(payout=Payout("fixed", amount=Money(1200)), min_margin=Money(300))
    case = Scene([order("helio-1", "65.00")], source, house=market(second_price=True)).walk()
    assert legs(case) == [("helio-1", 1500)]


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=8),
    st.integers(0, 10_000),
    st.integers(0, 40_000),
)
def test_a_second_price_is_between_nothing_and_the_first(offered, rivals, reserve, least):
    paid = second_price(offered, rivals, reserve, lambda amounts: sum(amounts) >= least)
    assert all(0 <= pays <= own for pays, own in zip(paid, offered, strict=True))
    if sum(offered) >= least:
        assert sum(paid) >= least
    assert all(pays >= min(own, reserve) for pays, own in zip(paid, offered, strict=True))


FACTORS = st.decimals("0.01", "3", places=2).map(str)


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 3000), FACTORS, st.sampled_from("abc")), min_size=1, max_size=6
    ),
    st.integers(0, 4000),
    st.booleans(),
    st.integers(0, 7 * 24 - 1),
)
def test_prices_hold_their_bounds_whatever_the_terms(rows, floor, second, hour):
    orders = [
        order(
            f"{name}-{number}",
            str(Decimal(alone) / 100),
            mode="either",
            shared_price=str(Decimal(leg) / 100),
            price_times=[{"during": ["sat,sun 00:00-24:00"], "factor": factor}],
        )
        for number, (alone, leg, factor, name) in enumerate(rows)
    ]
    terms = MarketTerms(
        vertical="solar", second_price=second, floor=Money(floor), shared_floor=Money(floor // 2), reserve=Money(floor)
    )
    now = NOW + timedelta(hours=hour)
    case = Scene(orders, house=House({"solar": terms})).walk(now=now)
    if Sale not in case:
        return
    sale = case[Sale]
    by_id = {item.id: item for item in orders}
    buyers = [leg.buyer_id for leg in sale.legs]
    assert len(set(buyers)) == len(buyers) <= 8
    for leg in sale.legs:
        offer = asked(by_id[leg.order_id], now=now)[0 if sale.mode == "exclusive" else 1]
        assert isinstance(offer, int)
        assert 0 <= leg.price.amount <= offer
        assert leg.price.amount >= (floor if sale.mode == "exclusive" else floor // 2)
        if not second:
            assert leg.price.amount == offer


# The reserve that bids suggest


@pytest.mark.parametrize(
    ("draw", "wanted", "within"),
    [
        (lambda random: random.uniform(0, 100), 50.0, 3.0),
        (lambda random: random.expovariate(1 / 40), 40.0, 4.0),
        (lambda random: random.lognormvariate(3.6888794541, 0.4), 29.92, 1.5),
    ],
)
def test_the_suggested_reserve_is_myersons(draw, wanted, within):
    random = Random(7)
    bids = [draw(random) for _ in range(20_000)]
    found = myerson_reserve(bids)
    assert found is not None
    assert abs(found - wanted) < within


def test_a_reserve_is_not_suggested_from_a_handful_of_bids_nor_above_the_highest_order():
    assert myerson_reserve([50.0] * 9) is None
    assert myerson_reserve([50.0] * 20) == pytest.approx(50.0, abs=0.2)
    random = Random(7)
    bids = [random.uniform(0, 100) for _ in range(500)]
    bounded = myerson_reserve(bids, most=30.0)
    assert bounded is not None
    assert bounded <= 30.0
    dear = myerson_reserve(bids, cost=40.0)
    assert dear is not None
    assert 62 < dear < 80


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

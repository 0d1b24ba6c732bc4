"""What the house asks of a price: floors, reserves, margins, the second price; and the reserve that bids suggest."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.money import Money
from leadmill.market import Auction, House, MarketTerms, Order, Sale, read_market
from leadmill.market.orderbook.pricing import myerson_reserve, payout_of, quote, second_price, tariff_of
from leadmill.parties import Payout, Source, earned
from tests.market.scene import NOW, Scene, order, told, words


def legs(case: Any) -> list[tuple[str, int]]:
    return [(leg.order_id, leg.price.amount) for leg in case[Sale].legs]


def offered(made: Order, now: Any) -> tuple[int | None, int | None]:
    tariff = tariff_of(made, made.price, made.shared_price)
    assert tariff is not None
    found = quote(tariff, {}, now, [])
    return found.exclusive, found.shared


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
        offer = offered(by_id[leg.order_id], now)[0 if sale.mode == "exclusive" else 1]
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

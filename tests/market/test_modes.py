"""Leads given out by turns, shares, priority or neutral criteria, to those a consent names, and to teams by skill."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.capture import Neutral, read_verticals
from leadmill.consent import Proof
from leadmill.core.case import Case
from leadmill.core.faults import BadInput
from leadmill.core.hours import Schedule, parse_span
from leadmill.market import Assignment, Auction, House, Mode, OfferedAgain, Sale, read_market
from leadmill.parties import Licence, Rep, Source, Team
from leadmill.runtime.packs import load_packs
from tests.market.scene import NOW, Scene, buyer, order, told, words


def ranking_of(case: Case) -> str | None:
    """The code under which the auction says how it ranked."""
    ranked = case[Auction].ranked
    return ranked.code if ranked is not None else None


def market(**terms: Any) -> House:
    return House({"solar": read_market({"vertical": "solar", **terms})})


def shared(name: str, price: str = "10.00", **more: Any):
    return order(name, None, mode="shared", shared_price=price, **more)


def winners(scene: Scene, count: int) -> list[str]:
    """Who gets each of so many leads, a minute apart."""
    return [scene.walk(now=NOW + timedelta(minutes=step))[Sale].legs[0].order_id for step in range(count)]


def test_a_waterfall_goes_by_priority_whatever_the_others_pay():
    orders = [order("helio-1", "10.00", priority=1, caps=[{"per": "day", "leads": 1}]), order("volt-1", "99.00")]
    scene = Scene(orders, house=market(strategy="waterfall"))
    case = scene.walk()
    assert case[Sale].legs[0].order_id == "helio-1"
    assert told(case)["volt-1"] == "market.order.not_next"
    assert words(case, "volt-1") == "Helio Inc came first: by the orders' priority, then by who has waited longest."
    assert ranking_of(case) == "market.lead.strategy"
    says = list(case[Auction].tell())
    assert says[0] == "Helio Inc at $10.00 exclusive gets it."
    assert says[1] == (
        "Ranked by the house's choice for this vertical: by the orders' priority, then by who has waited longest."
    )
    assert winners(scene, 1) == ["volt-1"], "the cap of the first is full"


def test_round_robin_gives_each_a_turn_whatever_it_pays():
    orders = [order("helio-1", "10.00"), order("volt-1", "99.00"), order("amp-1", "50.00")]
    assert winners(Scene(orders, house=market(strategy="round_robin")), 6) == ["amp-1", "helio-1", "volt-1"] * 2


def test_by_weight_whoever_is_furthest_below_its_share_comes_next():
    orders = [order("helio-1", weight=3), order("volt-1", weight=1), order("amp-1", weight=2)]
    scene = Scene(orders, house=market(strategy="weighted"))
    assert Counter(winners(scene, 12)) == {"helio-1": 6, "amp-1": 4, "volt-1": 2}


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_shares_are_never_further_off_than_one_lead(weights):
    orders = [order(f"b{place}-1", weight=weight) for place, weight in enumerate(weights)]
    total = sum(weights)
    got = Counter(winners(Scene(orders, house=market(strategy="weighted")), total))
    assert all(abs(got[f"b{place}-1"] - weight) <= 1 for place, weight in enumerate(weights))


def test_whoever_comes_first_and_shares_is_joined_by_the_next_who_agree_to_it():
    orders = [
        shared("helio-1", priority=1, max_legs=3),
        shared("helio-2", priority=2),
        order("volt-1", "99.00", priority=3),
        shared("amp-1", priority=4, max_legs=3),
        shared("ohm-1", priority=5, max_legs=2),
        shared("watt-1", priority=6, max_legs=4),
        shared("joule-1", priority=7),
    ]
    case = Scene(orders, house=market(strategy="waterfall")).walk()
    assert case[Sale].mode is Mode.SHARED
    assert [leg.order_id for leg in case[Sale].legs] == ["helio-1", "amp-1", "watt-1"]
    assert told(case)["helio-2"] == "market.order.same_buyer_leg"
    assert told(case)["volt-1"] == told(case)["ohm-1"] == "market.order.not_next"


# Neutral


NEUTRAL = Neutral(
    rule="MTG-7",
    citation="12 USC 2607",
    says="nobody's place is paid for.",
    criteria=("licence", "near"),
    pages=("comparison",),
)


def acme(page: Any = "form") -> Source:
    return Source(id="acme", name="Acme", verticals=("solar",), page=page)


def licensed(state: str, expires: date | None = None) -> tuple[Licence, ...]:
    return (Licence(kind="NMLS", number="1", states=(state,), expires=expires),)


def test_where_a_pack_bars_ranking_by_payment_its_criteria_decide_and_the_rule_is_cited():
    parties = [
        buyer("helio", zip="94110", licences=licensed("CA")),
        buyer("volt", zip="94105"),
        buyer("amp", zip="94105", licences=licensed("CA", date(2026, 1, 1))),
    ]
    orders = [order("helio-1", "10.00"), order("volt-1", "99.00"), order("amp-1", "50.00")]
    house = House(neutral={"solar": NEUTRAL})
    case = Scene(orders, acme("comparison"), *parties, house=house).walk()
    assert case[Sale].legs[0].order_id == "helio-1", "the only one whose licence is good"
    assert list(case[Auction].tell())[1] == (
        "Ranked by licence for the lead's state, then nearness of the office by ZIP code, then longest waiting, not by "
        "price: nobody's place is paid for. (MTG-7: 12 USC 2607)"
    )
    assert ranking_of(case) == "market.lead.neutral"
    other = Scene(orders, acme("form"), *parties, house=house).walk()
    assert other[Sale].legs[0].order_id == "volt-1", "the pack speaks of comparison pages"


def test_the_law_outranks_the_houses_own_strategy_and_a_second_price():
    house = House({"solar": read_market({"vertical": "solar", "second_price": True})}, {"solar": NEUTRAL})
    parties = [buyer("helio", zip="94105"), buyer("volt", zip="10001")]
    case = Scene(
        [order("helio-1", "10.00"), order("volt-1", "99.00")], acme("comparison"), *parties, house=house
    ).walk()
    assert [(leg.order_id, leg.price.amount) for leg in case[Sale].legs] == [("helio-1", 1000)]


def test_a_house_may_bar_ranking_by_payment_itself():
    scene = Scene([order("helio-1", "10.00"), order("volt-1", "99.00")], house=market(neutral=True))
    assert winners(scene, 4) == ["helio-1", "volt-1", "helio-1", "volt-1"]


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=6), st.randoms())
def test_no_price_moves_a_neutral_ranking(prices, random):
    house = market(neutral=True)

    def ranked(amounts: list[int]) -> list[str]:
        orders = [order(f"b{place}-1", f"{amount / 100:.2f}") for place, amount in enumerate(amounts)]
        return winners(Scene(orders, house=house), len(amounts))

    shuffled = prices[:]
    random.shuffle(shuffled)
    assert ranked(prices) == ranked(shuffled)


def test_the_packs_say_where_payment_may_not_rank():
    neutral = {name: one.neutral for name, one in read_verticals(load_packs()).items() if one.neutral is not None}
    assert {name: (one.rule, one.pages) for name, one in neutral.items()} == {
        "legal": ("LGL-1", ()),
        "mortgage": ("MTG-7", ("comparison",)),
    }


# Reading


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"strategy": "auction"}, "revenue, waterfall, round_robin, weighted"),
        ({"strateggy": "weighted"}, "did you mean 'strategy'"),
        ({"second_price": True, "strategy": "weighted"}, "needs a ranking by price"),
        ({"second_price": True, "neutral": True}, "needs a ranking by price"),
        ({"floor": 5}, "written as a text"),
        ({"resale": {"after": 0}}, "from 1"),
        ({"resale": {"after": 60, "factor": "1.5"}}, "does not become dearer"),
        ({"resale": {"after": 60, "round": 2}}, "did you mean 'rounds'"),
        ({"id": "other"}, "that of its vertical"),
    ],
)
def test_terms_of_a_market_that_make_no_sense_are_refused(change, says):
    with pytest.raises(BadInput) as caught:
        read_market({"vertical": "solar", **change})
    assert says in caught.value.detail
    assert caught.value.code == "config.market.malformed"


# Consent lists and silent legs


def proof(*sellers: str, **more: Any) -> Proof:
    return Proof(kind="written", text="I agree.", sellers=list(sellers), **more)


def walked(scene: Scene, agreed: Proof | None):
    case = scene.case()
    if agreed is not None:
        case.learn([agreed])
    scene.judge(case)
    return case


def test_a_market_by_consent_list_sells_to_those_the_consent_names_alone():
    scene = Scene([order("helio-1", "10.00"), order("volt-1", "99.00")], house=market(consent_list=True))
    case = walked(scene, proof("Helio, Inc."))
    assert case[Sale].legs[0].order_id == "helio-1"
    assert words(case, "volt-1") == ("The consent does not name this buyer, and this market takes only those it names.")
    assert Sale not in walked(scene, None)
    assert Sale not in walked(scene, proof("Helio Inc", sellers_display="hyperlink")), "a link shows nobody"


def test_a_silent_order_needs_its_name_in_the_consent_and_stands_beside_the_others():
    scene = Scene([shared("helio-1"), shared("volt-1", silent=True)])
    case = walked(scene, proof("Volt Inc"))
    assert [(leg.order_id, leg.silent) for leg in case[Sale].legs] == [("helio-1", False), ("volt-1", True)]
    unnamed = walked(scene, proof("Helio Inc"))
    assert told(unnamed)["volt-1"] == "market.order.unnamed"
    assert "the order takes only" in words(unnamed, "volt-1")


# In-house


def rep(name: str, *skills: str, hours: str = "", capacity: int | None = None, zips: tuple[str, ...] = ()) -> Rep:
    schedule = Schedule("UTC", tuple(parse_span(hours)), (hours,)) if hours else None
    return Rep(id=name, email=f"{name}@example.com", zips=zips, capacity=capacity, skills=tuple(skills), hours=schedule)


def west(*reps: Rep) -> Scene:
    needs: dict[str, tuple[dict[str, Any], ...]] = {"spanish": ({"field": "language", "eq": "es"},)}
    return Scene([], Team(id="west", name="West", verticals=("solar",), reps=reps, needs=needs))


def test_a_lead_goes_to_a_rep_who_has_the_skill_it_needs():
    scene = west(rep("ana"), rep("ben", "spanish"))
    assert [scene.walk(fields={"language": "es"})[Assignment].rep for _ in range(3)] == ["ben"] * 3
    assert scene.walk()[Assignment].rep == "ana"
    nobody = west(rep("ana"), rep("ben", "spanish", zips=("10*",)))
    case = nobody.walk(fields={"language": "es"})
    assert told(case) == {"team:west:solar": "market.order.no_rep_skilled"}
    assert words(case, "team:west:solar") == "No rep of this area has what the lead needs: spanish."


def test_a_rep_off_duty_gets_nothing():
    scene = west(rep("ana", hours="wed 18:00-19:00"), rep("ben", hours="wed 19:00-20:00"))
    assert scene.walk()[Assignment].rep == "ana"
    assert scene.walk(now=NOW + timedelta(hours=1))[Assignment].rep == "ben"
    late = scene.walk(now=NOW + timedelta(hours=2))
    assert told(late) == {"team:west:solar": "market.order.no_rep_on_duty"}


def test_load_is_measured_against_capacity_and_the_longest_waiting_comes_first():
    scene = west(rep("ana", capacity=6), rep("ben", capacity=3), rep("cy", capacity=3))
    got = [scene.walk(now=NOW + timedelta(minutes=step))[Assignment].rep for step in range(12)]
    assert Counter(got) == {"ana": 6, "ben": 3, "cy": 3}
    even = west(rep("ana"), rep("ben"), rep("cy"))
    got = [even.walk(now=NOW + timedelta(minutes=step))[Assignment].rep for step in range(6)]
    assert got == ["ana", "ben", "cy"] * 2
    # A new day begins with whoever has waited longest since the day before.
    even.walk(now=NOW + timedelta(minutes=10))
    assert even.walk(now=NOW + timedelta(days=1))[Assignment].rep == "ben"


# Offered again


def test_beside_those_who_have_a_leg_another_joins_alone_and_each_refusal_is_numbered():
    orders = [
        shared("helio-2", "90.00"),
        order("volt-1", "99.00"),
        shared("amp-1", "50.00", max_legs=1),
        shared("ohm-1", "20.00"),
        shared("watt-1", "30.00"),
    ]
    scene = Scene(orders)
    case = scene.case()
    case.learn([OfferedAgain(round_no=2, factor="0.5", held={"helio": "helio-1"}, most=4, paid=1000)])
    scene.judge(case)
    assert [(leg.order_id, leg.price.amount) for leg in case[Sale].legs] == [("watt-1", 1500)]
    assert told(case) == {
        "watt-1": "",
        "ohm-1": "market.order.outbid",
        "helio-2": "market.order.same_buyer_leg",
        "volt-1": "market.order.not_shared",
        "amp-1": "market.order.legs_full",
    }
    assert "Watt Inc (watt-1): $30.00 x 0.5 offered again = $15.00." in list(case[Auction].tell())

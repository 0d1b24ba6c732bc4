"""Prices owed for a win alone, buyers who send leads back, and teams that make more of a lead than its sale."""

from typing import Any

import pytest
from msgspec.structs import replace

from leadmill.core.case import Case
from leadmill.core.faults import BadInput
from leadmill.core.money import Money
from leadmill.market import Assignment, Auction, Sale, read_order
from leadmill.market.allocation.accept import Counts
from leadmill.market.allocation.chances import Chances, Rates
from leadmill.market.allocation.learned import Learned, Odds
from leadmill.market.allocation.scarce import worths_of
from leadmill.market.allocation.shadow import Moment, Prices
from leadmill.market.model import Headroom, Room
from leadmill.market.worths import BETTER_IN_HOUSE, BETTER_SOLD, Scarce, Scarcity, Worths
from leadmill.parties import Team, read_team
from tests.market.scene import NOW, Scene, order, rep, told, words

CAP = [{"per": "day", "leads": 12}]
CHANCES = Worths(priced=False)


def team(**more: Any) -> Team:
    return Team(id="closers", name="The Closers", reps=(rep("ann"),), **more)


def walk(scene: Scene, worths: Worths, **how: Any) -> Case:
    case = scene.case(**how)
    (ask,) = scene.step.wants(case)
    assert isinstance(ask, Headroom)
    scene.judge(case, answer=replace(scene.book.answer(ask, NOW), worths=worths))
    return case


@pytest.mark.parametrize("priced", [True, False])
def test_a_price_that_is_owed_for_a_win_is_worth_as_much_as_such_leads_are_won(priced: bool) -> None:
    scene = Scene([order("helio-ca", "500.00", unit="per_enrollment", caps=CAP), order("volt-ca", "55.00")])
    case = walk(scene, Worths(wins={"helio-ca": 810}, priced=priced))
    assert case[Auction].winners == ("volt-ca",)
    says = {item.order_id: item.says for item in case[Auction].considered}
    assert says["helio-ca"] == "per enrollment, to which 8.1 % of such leads come: $40.50 is expected"
    likely = walk(scene, Worths(wins={"helio-ca": 1500}, priced=priced))
    assert likely[Auction].winners == ("helio-ca",)
    assert likely[Sale].value.amount == 50_000


def test_where_nobody_knows_how_many_are_won_the_bid_counts_as_it_is() -> None:
    scene = Scene([order("helio-ca", "500.00", unit="per_bind"), order("volt-ca", "55.00")])
    assert walk(scene, CHANCES)[Auction].winners == ("helio-ca",)


def test_the_weighing_names_what_a_win_has_to_do_with_it() -> None:
    scene = Scene([order("helio-ca", "500.00", unit="per_bind", caps=CAP), order("volt-ca", "55.00")])
    sentences = list(walk(scene, Worths(wins={"helio-ca": 810}))[Auction].tell())
    assert any(
        "Helio Inc (per bind, to which 8.1 % of such leads come) bid $500.00, none of its cap is scarce, so $40.50"
        in line
        for line in sentences
    )


def test_a_buyer_to_whom_more_comes_back_is_worth_less_and_told_so() -> None:
    scene = Scene([order("helio-ca", "60.00", caps=CAP), order("volt-ca", "55.00")])
    case = walk(scene, Worths({"helio-ca": Scarce(0, 0, 1000, 800), "volt-ca": Scarce(0, 0, 1000, 960)}, kept=950))
    assert case[Auction].winners == ("volt-ca",)
    assert any("Helio Inc (to whom 20.0 % of such leads come back) bid $60.00" in line for line in case[Auction].tell())
    assert (
        words(case, "helio-ca") == "It pays $60.00, which is worth $48.00 now; Volt Inc is worth $52.80: it pays less."
    )


@pytest.mark.parametrize("priced", [True, False])
def test_a_team_takes_a_lead_that_it_makes_more_of_than_its_sale(priced: bool) -> None:
    scene = Scene([order("volt-ca", "55.00")], team(worth=Money(90_000)))
    case = walk(scene, Worths(wins={"team:closers:solar": 900}, priced=priced))
    assert case[Assignment].team == "closers"
    assert told(case) == {"team:closers:solar": "", "volt-ca": BETTER_IN_HOUSE.code}
    assert words(case, "volt-ca") == (
        "The Closers, our own team, is expected to make $81.00 of it: 9.0 % of such leads are won there and a won one "
        "is worth $900.00. Its sale is worth $55.00."
    )


def test_a_team_that_makes_less_of_a_lead_leaves_it_to_its_sale_with_a_reason() -> None:
    scene = Scene([order("volt-ca", "55.00")], team(worth=Money(90_000)))
    case = walk(scene, replace(CHANCES, wins={"team:closers:solar": 300}))
    assert case[Auction].winners == ("volt-ca",)
    assert told(case)["team:closers:solar"] == BETTER_SOLD.code
    assert words(case, "team:closers:solar") == (
        "3.0 % of such leads are won here and a won one is worth $900.00, so $27.00 is expected; its sale is worth "
        "$55.00."
    )


def test_a_team_without_a_worth_or_of_which_nothing_is_known_takes_what_nobody_buys() -> None:
    known = replace(CHANCES, wins={"team:closers:solar": 9000})
    assert walk(Scene([order("volt-ca", "55.00", caps=CAP)], team()), known)[Auction].winners == ("volt-ca",)
    assert walk(Scene([order("volt-ca", "55.00")], team(worth=Money(90_000))), CHANCES)[Auction].winners == ("volt-ca",)
    picky = order("volt-ca", "55.00", where=[{"field": "monthly_bill", "gte": 1000}])
    assert walk(Scene([picky], team(worth=Money(90_000))), known)[Assignment].team == "closers"


def test_a_team_without_a_free_rep_takes_nothing() -> None:
    busy = Team(id="closers", name="The Closers", reps=(rep("ann", "10*"),), worth=Money(90_000))
    case = walk(Scene([order("volt-ca", "55.00")], busy), replace(CHANCES, wins={"team:closers:solar": 9000}))
    assert case[Auction].winners == ("volt-ca",)


def test_only_a_team_says_what_a_won_lead_is_worth() -> None:
    with pytest.raises(BadInput, match="is for a team"):
        order("volt-ca", "55.00", worth="900.00")
    assert read_order({"id": "own", "vertical": "solar", "team": "closers", "worth": "900.00"}).worth == Money(90_000)
    assert read_team({"id": "closers", "name": "The Closers", "worth": "900.00"}).worth == Money(90_000)


def test_chances_are_asked_only_where_they_matter() -> None:
    scene = Scene([order("volt-ca", "55.00")])
    assert scene.step.wants(scene.case()) == ()
    scene = Scene([order("volt-ca", "55.00", unit="per_bind")])
    (ask,) = scene.step.wants(scene.case())
    assert isinstance(ask, Headroom)
    assert ask.scarcity is not None
    assert ask.scarcity.hoped == (("volt-ca", "volt"),)
    assert isinstance(scene.book.answer(ask, NOW), Room)


def asked(**more: Any) -> Scarcity:
    both = {"orders": ("a", "b"), "accounts": ("", ""), "recipients": ("helio", "volt"), "source": "acme"}
    return Scarcity(**{**both, "vertical": "solar", "tier": "C", "suspicion": 5, **more})


def answer(chances: Chances, ask: Scarcity) -> Worths:
    odds = Odds(Learned(accepts={"a": Counts(40, 100), "b": Counts(95, 100)}))
    return worths_of(ask, Prices(NOW), Moment({}, 5, {}), odds, 0.1, chances)


def test_the_answer_says_by_order_what_stays_and_what_is_won() -> None:
    back = Rates(0.1, ({}, {}, {"helio": 2.0}, {"solar C": 1.5}, {"0": 0.5}))
    won = Rates(0.08, ({}, {}, {"volt": 0.5}, {}, {}))
    found = answer(Chances(returned=back, won=won), asked(hoped=(("b", "volt"),)))
    assert found.kept == 925
    assert {name: one.stays for name, one in found.orders.items()} == {"a": 850, "b": None}
    assert found.wins == {"b": 400}


def test_what_a_model_foresees_of_the_lead_takes_the_place_of_its_tier() -> None:
    back = Rates(0.1, ({}, {}, {"helio": 2.0}, {"solar C": 3.0}, {"0": 3.0}))
    found = answer(Chances(returned=back, won=back), asked(hoped=(("a", "helio"), ("b", "volt")), bad=0.2, won=0.5))
    assert found.kept == 800
    assert found.orders["a"].stays == round(1000 - 1000 * 0.4 / 1.2)
    assert found.orders["b"].stays is None
    assert found.wins == {"a": 6667, "b": 5000}


def test_acceptance_moves_with_the_tier_or_with_what_a_model_foresees_of_it() -> None:
    usual, poor = (
        answer(Chances(), asked()),
        answer(Chances(refused=Rates(0.2, ({}, {}, {}, {"solar C": 2.0}, {}))), asked()),
    )
    assert poor.orders["a"].odds < usual.orders["a"].odds < usual.orders["b"].odds
    assert 1000 - poor.orders["b"].odds == pytest.approx(2 * (1000 - usual.orders["b"].odds), abs=2)
    doubtful, sure = answer(Chances(), asked(accepted=0.1)), answer(Chances(), asked(accepted=0.9))
    assert doubtful.orders["a"].odds < doubtful.orders["b"].odds < sure.orders["b"].odds
    assert sure.orders["b"].odds <= 990

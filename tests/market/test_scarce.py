"""An auction that hears shadow prices: who wins, who is told what, and when the lead is kept."""

from msgspec.structs import replace

from leadmill.core.case import Case
from leadmill.market import Auction, Mode, Sale
from leadmill.market.allocation.accept import Counts
from leadmill.market.allocation.learned import Learned, Odds
from leadmill.market.allocation.scarce import scarcity_of, worths_of
from leadmill.market.allocation.shadow import Moment, Price, Prices
from leadmill.market.model import Headroom, Per
from leadmill.market.worths import KEPT_BACK, WORTH_LESS, Scarce, Scarcity, Worths
from tests.market.scene import NOW, Scene, order, told, words

CAP = [{"per": "day", "leads": 12}]


def walk(scene: Scene, worths: Worths, **how: object) -> Case:
    case = scene.case(**how)  # type: ignore[arg-type]
    (ask,) = scene.step.wants(case)
    assert isinstance(ask, Headroom)
    scene.judge(case, answer=replace(scene.book.answer(ask, NOW), worths=worths))
    return case


def test_the_worthiest_wins_and_every_bid_is_weighed_in_words():
    scene = Scene([order("helio-ca", "80.00", caps=CAP), order("volt-ca", "55.00")])
    case = walk(scene, Worths(orders={"helio-ca": Scarce(3100, 0, 1000)}))
    assert case[Auction].winners == ("volt-ca",)
    assert case[Sale].value.amount == 5500
    assert told(case) == {"volt-ca": "", "helio-ca": WORTH_LESS.code}
    assert words(case, "helio-ca") == (
        "It pays $80.00, which is worth $49.00 now; Volt Inc is worth $55.00: its 12 left are worth $31.00 each later."
    )
    sentences = list(case[Auction].tell())
    assert (
        "Volt Inc bid $55.00, none of its cap is scarce, so $55.00; Helio Inc bid $80.00, but its 12 left are worth "
        "$31.00 each later, so $49.00: Volt Inc."
    ) in sentences


def test_a_lead_that_everybody_would_rather_have_later_is_kept_with_a_reason():
    scene = Scene([order("helio-ca", "80.00", caps=CAP)])
    case = walk(scene, Worths(orders={"helio-ca": Scarce(8500, 0, 1000)}))
    assert Sale not in case
    assert told(case) == {"helio-ca": KEPT_BACK.code}
    assert words(case, "helio-ca") == (
        "It pays $80.00, but its 12 left are worth $85.00 each later, so the lead is not spent on it."
    )
    assert list(case[Auction].tell())[1].endswith(": the lead is kept.")


def test_without_prices_the_highest_bid_wins():
    scene = Scene([order("helio-ca", "80.00", caps=CAP), order("volt-ca", "55.00")])
    case = scene.walk()
    assert case[Auction].winners == ("helio-ca",)
    assert case[Auction].weighed == ()


def test_sharing_is_compared_by_what_is_left_after_shadow_prices():
    shared = [
        order(f"{name}-share", None, shared_price="30.00", mode="shared", caps=CAP)
        for name in ("amber", "birch", "cedar")
    ]
    scene = Scene([order("helio-ca", "80.00"), *shared])
    assert walk(scene, Worths())[Auction].mode is Mode.SHARED
    dear = {name: Scarce(600, 0, 1000) for name in ("amber-share", "birch-share", "cedar-share")}
    assert walk(scene, Worths(orders=dear))[Auction].winners == ("helio-ca",)


def test_equal_worths_go_by_priority():
    scene = Scene([order("alpha-ca", "50.00", caps=CAP), order("bravo-ca", "50.00", caps=CAP, priority=1)])
    assert walk(scene, Worths())[Auction].winners == ("bravo-ca",)


def test_a_buyer_that_rejects_is_worth_less_the_last_time_a_lead_is_offered():
    scene = Scene([order("helio-ca", "80.00", caps=CAP), order("volt-ca", "55.00")])
    picky = Worths(orders={"helio-ca": Scarce(0, 0, 500)})
    assert walk(scene, picky)[Auction].winners == ("helio-ca",)
    # Three buyers have given it back; whoever gets it now should keep it.
    assert walk(scene, picky, declined=("x", "y", "z"))[Auction].winners == ("volt-ca",)


def test_the_answer_names_only_orders_of_which_there_is_something_to_say():
    odds = Odds(Learned(accepts={"a": Counts(10, 40), "b": Counts(8, 10)}, returns={"acme": Counts(40, 100)}))
    prices = Prices(NOW, accounts={"buyer:x": 0.25}, funds={"buyer:x": 9000})
    asked = Scarcity(("a", "c", "d"), ("", "", "buyer:x"), "acme")
    standing = Moment({"c": [Price(Per.DAY, 0, 10, 1234.6, 0.0)]}, 5, prices.accounts)
    found = worths_of(asked, prices, standing, odds, 0.1)
    assert set(found.orders) == {"a", "c", "d"}
    assert found.orders["c"].lead == 1235
    assert found.orders["d"].money == 250_000
    assert found.orders["a"].odds < 450 < found.odds
    assert found.funds == {"buyer:x": 9000}
    assert 600 < found.kept < 700
    assert found.hedge == 100


def test_teams_and_unlimited_buyers_have_no_shadow_prices():
    scene = Scene([order("helio-ca", "80.00", caps=CAP)])
    case = scene.case()
    line = scene.step.lines[0]
    asked = Scarcity(("helio-ca",), ("",), "acme", 50, ("helio",), "solar", "C")
    assert scarcity_of([line], case) == asked

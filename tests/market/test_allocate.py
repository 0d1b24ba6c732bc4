"""Who gets the lead, and the numbered reason why each of the others does not."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.case import Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.ids import looks_like
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass, Stop
from leadmill.market import Assignment, Auction, Headroom, Mode, Order, Room, Sale
from leadmill.market.orderbook.lines import Line
from leadmill.market.rules import Bid, choose, sell
from leadmill.parties import Credit, Team
from leadmill.policy import Clearance
from leadmill.policy.model import UNJUDGED
from tests.market.scene import NOW, Scene, buyer, order, prepaid, rep, roster, told, words

BARRED = because(UNJUDGED, recipient="helio")


def legs(case: Case) -> list[tuple[str, int]]:
    return [(leg.order_id, leg.price.amount) for leg in case[Sale].legs]


def test_the_highest_exclusive_price_gets_the_lead():
    scene = Scene([order("helio-1", "65.00"), order("volt-1", "55.00"), order("amp-1", "40.00")])
    case = scene.walk()
    assert legs(case) == [("helio-1", 6500)]
    assert told(case) == {"helio-1": "", "volt-1": "market.order.outbid", "amp-1": "market.order.outbid"}
    assert next(iter(case[Auction].tell())) == (
        "Helio Inc at $65.00 exclusive beats Volt Inc at $55.00, Amp Inc at $40.00."
    )
    assert words(case, "volt-1") == "Helio Inc got the lead at $65.00."
    assert looks_like(case[Sale].legs[0].sale_id, "sale")


def test_a_lead_without_a_clearance_is_never_sold():
    scene = Scene([order("helio-1")])
    case = scene.case()
    bare = Case(case.lead_id, [item for item in case.evidence() if not isinstance(item, Clearance)])
    with pytest.raises(Permanent, match="Clearance"):
        scene.judge(bare)


def test_a_sale_to_a_recipient_that_was_not_cleared_cannot_be_made():
    helio = order("helio-1")
    line = Line(helio, roster(buyer("helio")), "USD")
    choice = choose([Bid(line, 5000, None, None)])
    assert choice is not None
    nobody = Clearance(channels={}, cleared=[], refused={})
    with pytest.raises(Permanent, match=r"market\.sale\.not_cleared"):
        sell(nobody, "lead_1", choice, NOW)


def test_a_recipient_the_rules_bar_is_passed_over_with_the_rule():
    scene = Scene([order("helio-1", "65.00"), order("volt-1", "55.00")])
    case = scene.walk(barred={"helio": BARRED})
    assert legs(case) == [("volt-1", 5500)]
    assert told(case)["helio-1"] == "market.order.not_cleared"
    assert BARRED.message in words(case, "helio-1")


def test_a_lead_that_the_rules_allow_nobody_is_rejected():
    scene = Scene([order("helio-1"), order("volt-1", where=[{"field": "state", "eq": "NV"}])])
    case = scene.case(barred={"helio": BARRED})
    verdict = scene.judge(case)
    assert isinstance(verdict, Stop)
    assert verdict.because.code == "market.lead.none_cleared"
    assert verdict.because.reason.state == "rejected"
    assert BARRED.message in verdict.because.message


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"where": [{"field": "state", "in": ["NV", "AZ"]}]}, "predicate", "requires that state is NV or AZ"),
        ({"where": [{"field": "received", "within": "1d"}]}, "predicate", "received lies within the last 1 day"),
        ({"min_score": 60}, "min_score", "60 or more, the lead has 50"),
        ({"retired": True}, "retired", "retired"),
        ({"schedule": {"open": ["sat 08:00-18:00"]}}, "closed", "Wed 18:00 (UTC)"),
        ({"caps": [{"per": "day", "leads": 0}]}, "cap_reached", "0 leads a day is reached: 0 of 0"),
        ({"caps": [{"per": "hour", "spend": "49.99"}]}, "cap_reached", "$49.99 an hour is reached: $0.00 of $49.99"),
        ({"budget": "10.00"}, "budget", "$0.00 of $10.00 is spent"),
        ({"currency": "EUR"}, "currency", "EUR"),
        ({"price": None, "ping": {"url": "https://b.example/"}}, "needs_bid", "a bid"),
    ],
)
def test_a_refused_order_has_its_reason_and_the_lead_is_unsold(change, code, says):
    wanted = order("helio-1", **({"price": "50.00"} | change))
    scene = Scene([wanted])
    case = scene.case()
    verdict = scene.judge(case)
    assert told(case) == {"helio-1": f"market.order.{code}"}
    assert says in words(case, "helio-1")
    assert isinstance(verdict, Stop)
    assert (verdict.because.code, verdict.because.reason.state) == ("market.lead.unsold", "unsold")


def test_a_lead_without_a_score_does_not_meet_a_wanted_one():
    case = Scene([order("helio-1", min_score=1)]).walk(points=None)
    assert told(case) == {"helio-1": "market.order.min_score"}


def test_an_order_of_a_buyer_who_is_not_on_the_roster_takes_nothing():
    scene = Scene([order("helio-1")])
    step = type(scene.step)({"volt-1": order("volt-1")}, scene.roster)
    case = scene.case()
    verdict = step.judge(case, Heard({}), NOW)
    assert verdict.learned[0].considered[0].refused.code == "market.order.unknown_recipient"  # type: ignore[attr-defined]


def test_refusals_never_tell_the_leads_own_values():
    scene = Scene([order("helio-1", where=[{"field": "zip", "prefix": ["900"]}])])
    case = scene.walk(fields={"zip": "94105"})
    assert "94105" not in str(case[Auction])


def test_a_buyer_who_declined_the_lead_is_not_asked_again():
    scene = Scene([order("helio-1", "65.00"), order("volt-1", "55.00")])
    case = scene.walk(declined=("helio",))
    assert legs(case) == [("volt-1", 5500)]
    assert told(case)["helio-1"] == "market.order.previously_rejected"


def test_orders_of_other_verticals_are_not_considered():
    scene = Scene([order("helio-1"), order("volt-1", vertical="legal")])
    assert list(told(scene.walk())) == ["helio-1"]


# Ties


def test_equal_prices_go_by_priority_then_by_longest_waiting_then_by_id():
    first = Scene([order("helio-1"), order("volt-1", priority=1)])
    assert legs(first.walk()) == [("volt-1", 5000)]
    turns = Scene([order("volt-1"), order("helio-1"), order("amp-1")])
    order_of_sales = [legs(turns.walk(now=NOW + timedelta(minutes=step)))[0][0] for step in range(6)]
    assert order_of_sales == ["amp-1", "helio-1", "volt-1"] * 2


# Sharing


def shared(name: str, price: str, **more: object) -> Order:
    return order(name, None, mode="shared", shared_price=price, **more)


def test_shared_legs_that_pay_more_together_beat_one_exclusive_price():
    scene = Scene(
        [order("helio-1", "50.00"), shared("volt-1", "18.00"), shared("amp-1", "20.00"), shared("ohm-1", "15.00")]
    )
    case = scene.walk()
    assert case[Sale].mode is Mode.SHARED
    assert legs(case) == [("amp-1", 2000), ("volt-1", 1800), ("ohm-1", 1500)]
    assert case[Sale].value == Money(5300)
    assert told(case)["helio-1"] == "market.order.mode"
    assert words(case, "helio-1") == "The lead was sold shared, which was worth more ($53.00)."
    assert len({leg.sale_id for leg in case[Sale].legs}) == 3


def test_an_exclusive_price_that_equals_the_legs_wins():
    case = Scene([order("helio-1", "40.00"), shared("volt-1", "20.00"), shared("amp-1", "20.00")]).walk()
    assert legs(case) == [("helio-1", 4000)]
    assert told(case)["volt-1"] == "market.order.mode"


def test_one_buyer_has_one_leg_of_a_lead():
    case = Scene([shared("volt-1", "20.00"), shared("volt-2", "19.00"), shared("amp-1", "5.00")]).walk()
    assert legs(case) == [("volt-1", 2000), ("amp-1", 500)]
    assert told(case)["volt-2"] == "market.order.same_buyer_leg"
    assert "volt-1" in words(case, "volt-2")


def test_nobody_shares_with_more_than_he_agreed_to():
    orders = [
        shared("a-1", "30.00", max_legs=2),
        shared("b-1", "20.00", max_legs=2),
        *[shared(f"{name}-1", "15.00", max_legs=4) for name in "cdef"],
    ]
    case = Scene(orders).walk()
    assert sorted(legs(case)) == [("c-1", 1500), ("d-1", 1500), ("e-1", 1500), ("f-1", 1500)]
    few = Scene([*orders[:2], shared("c-1", "9.00", max_legs=4)]).walk()
    assert legs(few) == [("a-1", 3000), ("b-1", 2000)]
    assert told(few)["c-1"] == "market.order.outbid"


def test_an_order_for_either_is_sold_whichever_way_pays_more():
    helio = order("helio-1", "45.00", mode="either", shared_price="20.00")
    assert legs(Scene([helio]).walk()) == [("helio-1", 4500)]
    together = Scene([helio, shared("volt-1", "18.00"), shared("amp-1", "15.00")]).walk()
    assert legs(together) == [("helio-1", 2000), ("volt-1", 1800), ("amp-1", 1500)]


def test_an_order_for_either_that_can_pay_only_a_leg_is_heard_for_the_leg():
    helio = order("helio-1", "45.00", mode="either", shared_price="20.00", caps=[{"per": "day", "spend": "30.00"}])
    case = Scene([helio]).walk()
    assert (case[Sale].mode, legs(case)) == (Mode.SHARED, [("helio-1", 2000)])


prices = st.integers(0, 30)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.one_of(st.none(), prices), st.one_of(st.none(), prices), st.integers(1, 4)
        ),
        max_size=7,
    )
)
def test_the_choice_is_worth_as_much_as_the_best_of_all_choices(rows):
    everyone = roster(*(buyer(name) for name in "abcd"))
    bids = []
    for number, (name, alone, leg, max_legs) in enumerate(rows):
        made = msgspec.structs.replace(order(f"{name}-{number}"), max_legs=max_legs)
        bids.append(Bid(Line(made, everyone, "USD"), alone, leg, None))
    options = [alone for _, alone, _, _ in rows if alone is not None]
    for mask in range(1, 1 << len(rows)):
        picked = [row for place, row in enumerate(rows) if mask >> place & 1]
        names = [row[0] for row in picked]
        if all(row[2] is not None and row[3] >= len(picked) for row in picked) and len(set(names)) == len(names):
            options.append(sum(row[2] for row in picked))
    choice = choose(bids)
    assert (choice.value if choice else None) == (max(options) if options else None)


# Limits


def test_caps_fill_up_and_open_again_with_their_windows():
    scene = Scene([order("helio-1", caps=[{"per": "hour", "leads": 2}, {"per": "day", "leads": 3}])])
    sold = [Sale in scene.walk() for _ in range(3)]
    assert sold == [True, True, False]
    last = scene.walk()
    assert words(last, "helio-1") == "The cap 2 leads an hour is reached: 2 of 2."
    later = NOW + timedelta(hours=1)
    assert [Sale in scene.walk(now=later) for _ in range(2)] == [True, False]
    assert [Sale in scene.walk(now=NOW + timedelta(days=1)) for _ in range(3)] == [True, True, False]


def test_a_budget_never_comes_back():
    scene = Scene([order("helio-1", "40.00", budget="100.00")])
    assert [Sale in scene.walk(now=NOW + timedelta(days=40 * step)) for step in range(4)] == [True, True, False, False]


def test_a_buyers_credit_is_shared_by_all_its_orders():
    scene = Scene([order("helio-1", "40.00"), order("helio-2", "30.00")], prepaid("helio", 10000))
    assert [legs(scene.walk())[0][0] for _ in range(2)] == ["helio-1", "helio-1"]
    case = scene.walk()
    assert told(case) == {"helio-1": "market.order.credit", "helio-2": "market.order.credit"}
    assert words(case, "helio-2") == "The buyer's account does not cover $30.00: $20.00 is available."


def test_a_buyer_that_is_invoiced_without_a_limit_needs_no_account():
    scene = Scene([order("helio-1")], buyer("helio", credit=Credit()))
    case = scene.case()
    assert scene.step.wants(case) == ()
    assert isinstance(scene.judge(case), Pass)


def test_a_limited_buyer_whose_account_nobody_opened_cannot_buy():
    scene = Scene([order("helio-1")], prepaid("helio", 10000), funds={})
    assert told(scene.walk()) == {"helio-1": "market.order.credit"}


def test_an_order_with_limits_is_not_judged_without_hearing_of_them():
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 5}])])
    with pytest.raises(Permanent, match=r"market\.headroom\.missing"):
        scene.judge(scene.case(), answer=Room(NOW))


# In-house


def west(*reps, **more) -> Team:
    return Team(id="west", name="West inside sales", reps=reps, **more)


def test_a_lead_no_order_pays_for_goes_to_the_rep_of_its_area_and_nothing_is_sold():
    scene = Scene([order("helio-1", where=[{"field": "state", "eq": "NV"}])], west(rep("ana", "94*"), rep("bo", "10*")))
    case = scene.walk()
    assert (case[Assignment].team, case[Assignment].rep) == ("west", "ana")
    assert Sale not in case
    assert "in-house" in next(iter(case[Auction].tell()))


def test_a_paying_order_comes_before_the_team():
    scene = Scene([order("helio-1", "0.01")], west(rep("ana", "94*")))
    case = scene.walk()
    assert legs(case) == [("helio-1", 1)]
    assert told(case)["team:west:solar"] == "market.order.outbid"


def test_the_least_loaded_rep_is_next_and_capacity_counts_the_day():
    scene = Scene([], west(rep("ana", "94*", capacity=2), rep("bo", capacity=1), verticals=("solar",)))
    taken = [scene.walk().get(Assignment) for _ in range(4)]
    assert [item.rep if item else None for item in taken] == ["ana", "bo", "ana", None]
    case = scene.walk()
    assert told(case) == {"team:west:solar": "market.order.rep_capacity"}
    assert "3 leads" in words(case, "team:west:solar")
    assert scene.walk(now=NOW + timedelta(days=1))[Assignment].rep == "ana"


@pytest.mark.parametrize("zip_code", ["10001", "", None])
def test_a_lead_outside_every_reps_area_is_not_assigned(zip_code):
    scene = Scene([], west(rep("ana", "94*", "95001"), verticals=("solar",)))
    assert told(scene.walk(fields={"zip": zip_code})) == {"team:west:solar": "market.order.no_rep_for_zip"}
    assert scene.walk(fields={"zip": "95001"})[Assignment].rep == "ana"


def test_teams_go_by_priority_and_the_other_learns_who_came_first():
    east = Team(id="east", name="East", verticals=("solar",), reps=(rep("cy"),), priority=2)
    scene = Scene([], west(rep("ana"), verticals=("solar",), priority=1), east)
    case = scene.walk()
    assert case[Assignment].team == "west"
    assert told(case)["team:east:solar"] == "market.order.other_team"


def test_a_team_may_declare_an_order_of_its_own_with_caps():
    own = order("own-west", None, team="west", caps=[{"per": "day", "leads": 1}], tz="America/Los_Angeles")
    scene = Scene([own], west(rep("ana")))
    assert scene.walk()[Assignment].order_id == "own-west"
    assert told(scene.walk()) == {"own-west": "market.order.cap_reached"}


def test_a_rep_works_only_his_products():
    scene = Scene([], west(rep("ana", products=("legal",)), rep("bo"), verticals=("solar",)))
    assert scene.walk()[Assignment].rep == "bo"


# Tests and replay


def test_a_test_lead_is_judged_but_sold_to_nobody():
    scene = Scene([order("helio-1", "65.00", caps=[{"per": "day", "leads": 1}]), order("volt-1", "55.00")])
    case = scene.case(test=True)
    verdict = scene.judge(case)
    assert isinstance(verdict, Stop)
    assert (verdict.because.code, verdict.because.reason.state) == ("market.lead.test", "test")
    assert Sale not in case
    assert (case[Auction].winners, case[Auction].dry) == (("helio-1",), True)
    assert legs(scene.walk()) == [("helio-1", 6500)], "a test lead leaves the caps alone"


def test_the_same_answers_give_the_same_verdict_bit_for_bit():
    scene = Scene(
        [order(f"b{number}-1", f"{number + 20}.00", caps=[{"per": "day", "leads": 5}]) for number in range(9)],
        west(rep("ana")),
    )
    case = scene.case()
    asks = scene.step.wants(case)
    ask = next(ask for ask in asks if isinstance(ask, Headroom))
    room = scene.book.answer(ask, NOW)
    first = scene.step.judge(case, Heard({ask: room}), NOW)
    again = type(scene.step)(scene.orders, scene.roster)
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(room), type=Room)
    second = again.judge(case, Heard({again.wants(case)[0]: stored}), NOW)
    encode = msgspec.msgpack.Encoder().encode
    assert encode(first) == encode(second)
    for item in first.learned:
        assert msgspec.msgpack.decode(encode(item), type=type(item)) == item


def test_judging_in_another_order_than_asking_changes_nothing():
    scene = Scene([order("helio-1", where=[{"field": "state", "eq": "CA"}])])
    first, second = scene.case(), scene.case(fields={"state": "NV"})
    scene.step.wants(first)
    scene.step.wants(second)
    assert isinstance(scene.step.judge(second, Heard({}), NOW), Stop)
    assert isinstance(scene.step.judge(first, Heard({}), NOW), Pass)

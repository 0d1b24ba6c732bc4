"""Learned models on the walk."""

from typing import Any

import msgspec
import pytest

from leadmill.core.case import NOTHING
from leadmill.core.faults import BadInput
from leadmill.core.verdicts import Pass
from leadmill.learning import Column, Form, Kind, Model
from leadmill.learning.model import NumberFeature
from leadmill.scoring import TARGETS, ModelRecord, Opinions, Panel, Rate, Score, Voter, crowded, read_model_record
from leadmill.scoring.models import lot_of
from leadmill.scoring.rules import compile_paths
from tests.scoring.test_rate import case_of
from tests.scoring.test_scorecards import NOW, card

DIGEST = "a" * 64


def model(intercept: float = 0.0) -> Model:
    """Bills over 100 and over 200 speak for a lead, debts against it; half of the leads converted."""
    bill = NumberFeature("monthly_bill", Kind.NUMBER, "value", (100.0, 200.0), (-0.7, 0.0, 0.7), 0.0)
    debt = NumberFeature("debt", Kind.NUMBER, "value", (10.0,), (0.0, -1.4), 0.0)
    form = Form(
        target="converted",
        positive="true",
        base_rate=0.5,
        columns=(Column("monthly_bill", Kind.NUMBER), Column("debt", Kind.NUMBER)),
        features=(bill, debt),
        intercept=intercept,
    )
    return Model(form, None, DIGEST, {})


def record(ident: str = "one", **more: Any) -> ModelRecord:
    return read_model_record({"id": ident, "vertical": "solar", "digest": DIGEST, "state": "champion", **more})


def voter(ident: str = "one", intercept: float = 0.0, **more: Any) -> Voter:
    return Voter(record(ident, **more), model(intercept), 0.5)


@pytest.mark.parametrize(
    ("values", "points"), [({}, 50), ({"monthly_bill": 250}, 65), ({"monthly_bill": 50}, 35), ({"debt": 20}, 20)]
)
def test_twice_the_odds_are_so_many_points_more(values: dict[str, int], points: int) -> None:
    score, opinion = voter().rate({**values}, NOW, compile_paths(card()))
    assert (score.points, opinion.points) == (points, points)
    assert score.start + sum(item.points for item in score.contributions) == points
    assert score.path == ("sell" if points >= 40 else "nurture" if points >= 20 else "reject")
    assert score.card == card().digest


def test_reasons_are_told_without_the_persons_values() -> None:
    _, opinion = voter().rate({"debt": 31337, "monthly_bill": 50}, NOW, compile_paths(card()))
    assert opinion.adverse == ["debt divides the odds by 4.06", "monthly bill divides the odds by 2.01"]
    lines = list(Opinions([opinion], True).tell())
    said = f"{100 * opinion.probability:.1f} % likely, {opinion.points} points."
    assert lines[0] == f"Model one (the champion, decided): {said}"
    assert "31337" not in " ".join(lines)


def test_a_shadow_is_heard_and_decides_nothing() -> None:
    step = Rate({"solar": card()}, {"solar": Panel([voter("quiet", 3.0, state="shadow")])})
    verdict = step.judge(case_of({"monthly_bill": 250}), NOTHING, NOW)
    assert isinstance(verdict, Pass)
    score, opinions = verdict.learned[0], verdict.learned[1]
    assert isinstance(score, Score)
    assert isinstance(opinions, Opinions)
    assert score.points == 50
    assert (opinions.decided, opinions.said[0].state) == (False, "shadow")


def test_challengers_get_their_share_of_leads_and_the_champion_the_rest() -> None:
    challengers = [voter(name, state="challenger", share=share) for name, share in (("new", "0.10"), ("newer", "0.25"))]
    panel = Panel([voter(), *challengers])
    counts = {"one": 0, "new": 0, "newer": 0}
    for number in range(4000):
        found = panel.deciding(f"lead_{number}")
        assert found is not None
        counts[found.record.id] += 1
        assert found is panel.deciding(f"lead_{number}")
    assert 340 < counts["new"] < 460
    assert 900 < counts["newer"] < 1100
    assert 0 <= lot_of("lead_1") < 10_000


def test_a_champion_with_a_share_leaves_the_rest_to_the_card() -> None:
    panel = Panel([voter(share="0.50")])
    assert {panel.deciding(f"lead_{number}") is None for number in range(50)} == {True, False}


def test_the_same_lead_scores_the_same_bit_for_bit_and_survives_the_journal() -> None:
    step = Rate({"solar": card()}, {"solar": Panel([voter()])})
    one, two = (step.judge(case_of({"monthly_bill": 150, "debt": 3}), NOTHING, NOW).learned for _ in range(2))
    assert msgspec.msgpack.encode(one[:2]) == msgspec.msgpack.encode(two[:2])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(one[1]), type=Opinions) == one[1]


def test_two_cannot_decide_about_one_lead() -> None:
    assert "both be the champion" in crowded([record(), record("two")])
    shares = [record(share="0.60"), record("two", state="challenger", share="0.50")]
    assert "more than 1" in crowded(shares)
    assert crowded([record(), record("two", state="shadow"), record("three", state="candidate")]) == ""
    assert crowded([record(), record("two", retired=True)]) == ""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"digest": "abc"}, "leadmill scoring add"),
        ({"state": "king"}, "must be one of"),
        ({"state": "challenger"}, "needs a share"),
        ({"state": "shadow", "share": "0.10"}, "only one that decides"),
        ({"share": "1.10"}, "share from 0 to 1"),
        ({"doubled": 3}, "did you mean 'double'"),
    ],
)
def test_a_record_with_a_slip_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        record(**more)


def test_what_a_lead_would_score_is_asked_without_a_trace() -> None:
    case = case_of({"monthly_bill": 250})
    step = Rate({"solar": card()}, {"solar": Panel([voter()])})
    values = step.seen_of(case)
    assert step.try_on("solar", "lead_1", values, NOW).score.points == 65
    changed = step.try_on("solar", "lead_1", {**values, "monthly_bill": 50}, NOW)
    assert changed.score.points == 35
    assert changed.opinions is not None and changed.opinions.decided
    assert "score" not in values and Score not in case


def test_a_model_that_foresees_something_else_is_heard_and_moves_no_points() -> None:
    others = [voter("returns", foresees="bad"), voter("takes", foresees="acceptance", state="shadow")]
    plain, beside = (
        Rate({"solar": card()}, {"solar": Panel(voters)}).judge(case_of({"monthly_bill": 250}), NOTHING, NOW).learned
        for voters in ([voter()], [voter(), *others])
    )
    assert plain[0] == beside[0]
    opinions = beside[1]
    assert isinstance(opinions, Opinions)
    assert [(one.model, one.counts) for one in opinions.foreseen] == [("returns", True), ("takes", False)]
    assert opinions.chance("conversion") == opinions.said[0].probability == opinions.chance("bad")
    assert opinions.chance("acceptance") is None
    assert list(opinions.tell())[-2:] == [
        "Model returns (the champion): 66.8 % likely to be bad.",
        "Model takes (shadow, only heard): 66.8 % likely to be taken.",
    ]
    assert Panel(others).deciding("lead_1") is None
    assert crowded([record(), record("two", foresees="bad")]) == ""
    assert "both be the champion" in crowded([record("two", foresees="bad"), record("three", foresees="bad")])


def test_what_the_desk_would_say_is_not_the_chance_that_a_lead_comes_back() -> None:
    desk = voter("desk", foresees=TARGETS["reviewed_bad"])
    rated = Rate({"solar": card()}, {"solar": Panel([voter(), desk])})
    opinions = rated.judge(case_of({"monthly_bill": 250}), NOTHING, NOW).learned[1]
    assert isinstance(opinions, Opinions)
    assert (opinions.chance("bad"), opinions.chance("review")) == (None, opinions.foreseen[0].probability)
    assert list(opinions.tell())[-1] == "Model desk (the champion): 66.8 % likely to be called bad by the review desk."


def test_what_was_said_before_models_foresaw_anything_else_is_written_as_it_was() -> None:
    old = msgspec.msgpack.encode({
        "type": "Opinions", "said": [["one", DIGEST, "champion", 0.5, 50, ["debt"]]], "decided": True
    })  # fmt: skip
    read = msgspec.msgpack.decode(old, type=Opinions)
    assert (read.foreseen, msgspec.msgpack.encode(read)) == ([], old)

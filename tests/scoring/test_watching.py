"""What daily counts say of models at work, what of it is told, and which bounds are broken."""

from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from leadmill.core.faults import BadInput
from leadmill.learning import Drifts, Reference
from leadmill.scoring import ModelRecord
from leadmill.scoring.watch import (
    CARD,
    Day,
    RollBack,
    Said,
    Standing,
    WatchTerms,
    add_early,
    add_fresh,
    add_full,
    broken,
    findings,
    horizon_of,
    measure,
    read_watch_terms,
)
from leadmill.scoring.watch.rules import number_of

_FIRST = date(2026, 3, 1)
_ONE, _TWO = "1" * 64, "2" * 64
_TERMS = WatchTerms(vertical="solar", alpha=0.05, least=60, span=10)


def _bin(value: Any) -> int:
    return 2 if value is None else int(value > 3)


_DRIFTS = Drifts(
    (
        Reference("score", ("low", "high"), (0.5, 0.5)),
        Reference("visits", ("few", "many", "missing"), (0.45, 0.45, 0.1)),
    ),
    (("visits", _bin),),
    (0.5,),
    5_000,
)


def standing(digest: str = _ONE, state: Any = "champion", since: date = _FIRST, decides: bool = True) -> Standing:
    record = ModelRecord(id=f"model-{digest[0]}", vertical="solar", digest=digest, state=state)
    return Standing(record, since, since if decides else None, _DRIFTS, {})


def days(number: int = 30) -> dict[date, Day]:
    return {_FIRST + timedelta(days=place): Day() for place in range(number)}


def outcome(day: Day, decider: str, said: list[Said], converted: bool, bad: bool = False) -> None:
    add_early(day, decider, bad, {})
    add_full(day, decider, said, {"conversion": converted, "bad": bad}, {}, {})


def test_what_is_like_the_training_data_is_steady_and_what_is_not_drifts() -> None:
    draw, counts = np.random.default_rng(1), days()
    for place, day in enumerate(counts.values()):
        for _ in range(20):
            visits = None if draw.random() < 0.1 else float(draw.integers(0, 8 if place < 15 else 4))
            add_fresh(day, [Said(_ONE, "conversion", float(draw.random()))], {"visits": visits}, {_ONE: _DRIFTS})
    found = measure(_TERMS, [standing()], counts)
    one = found.models[0]
    assert one.score is not None
    assert (one.score.state, one.score.rows, one.leads) == ("steady", 200, 600)
    moved = one.columns[0]
    assert (moved.name, moved.state, moved.sure) == ("visits", "drifted", True)
    assert moved.psi - moved.chance > 0.25
    assert [round(each.then, 2) for each in moved.bins] == [0.45, 0.45, 0.1]
    told = findings(found)
    assert [(each.kind, each.model, each.subject, each.severity) for each in told] == [
        ("column_drift", "model-1", "visits", "watch")
    ]
    quiet = WatchTerms(vertical="solar", alpha=0.05, least=60, span=10, quiet=("visits",))
    assert findings(measure(quiet, [standing()], counts)) == []


def test_few_leads_say_nothing_however_odd_they_are() -> None:
    counts = days(3)
    for day in counts.values():
        for _ in range(10):
            add_fresh(day, [Said(_ONE, "conversion", 0.9)], None, {_ONE: _DRIFTS})
    one = measure(_TERMS, [standing()], counts).models[0]
    assert one.score is not None
    assert one.score.state == "few"
    assert findings(measure(_TERMS, [standing()], counts)) == []


def test_a_model_without_a_reference_says_why_it_has_no_drift() -> None:
    record = ModelRecord(id="bare", vertical="solar", digest=_ONE, state="shadow")
    one = measure(_TERMS, [Standing(record, _FIRST, None, None, {})], days(1)).models[0]
    assert one.score is None
    assert "does not say" in one.why_not


def test_chances_that_no_longer_hold_are_told_and_the_better_model_named() -> None:
    draw, counts = np.random.default_rng(2), days()
    for day in counts.values():
        for _ in range(15):
            chance = float(draw.beta(2, 5))
            said = [Said(_ONE, "conversion", min(chance + 0.25, 0.99)), Said(_TWO, "conversion", chance)]
            outcome(day, _ONE, said, bool(draw.random() < chance))
    found = measure(_TERMS, [standing(), standing(_TWO, "shadow", decides=False)], counts)
    first, second = (one.calibration for one in found.models)
    assert first is not None
    assert second is not None
    assert first.sure
    assert first.gap_low < first.gap < first.gap_high < 0
    assert second.gap_low < 0 < second.gap_high
    assert sum(each.rows for each in first.now) == first.rows == 150
    pair = found.compared[0]
    assert (pair.model, pair.other, pair.better, pair.rows) == ("model-1", "model-2", "other", 450)
    told = {(one.kind, one.model, one.subject, one.severity) for one in findings(found)}
    assert told == {("calibration", "model-1", "", "alarm"), ("beaten", "model-1", "model-2", "watch")}


def _groups(bad: float, converted: float, before: int = 0, beside: bool = True) -> dict[date, Day]:
    """Leads of a challenger beside the card's, of which one in ten is bad and three in ten convert."""
    draw, counts = np.random.default_rng(4), days()
    for place, day in enumerate(counts.values()):
        if beside or place < before:
            for _ in range(30):
                outcome(day, CARD, [], bool(draw.random() < 0.3), bool(draw.random() < 0.1))
        if place >= before:
            for _ in range(12):
                outcome(day, _ONE, [], bool(draw.random() < converted), bool(draw.random() < bad))
    return counts


@pytest.mark.parametrize(
    ("bounds", "bad", "converted", "expected"),
    [
        (RollBack(bad_over=0.05), 0.3, 0.3, "of the others' on the same days are bad"),
        (RollBack(bad_over=0.05), 0.1, 0.3, ""),
        (RollBack(bad_over=0.25), 0.3, 0.3, ""),
        (RollBack(conversion_under=0.03), 0.1, 0.1, "converted, for sure more than 0.03 below"),
        (RollBack(conversion_under=0.03), 0.1, 0.3, ""),
        (RollBack(conversion_under=0.03, bad_over=0.05), 0.3, 0.1, "are bad"),
        (None, 0.9, 0.0, ""),
    ],
)
def test_a_bound_is_broken_only_for_sure(bounds: RollBack | None, bad: float, converted: float, expected: str) -> None:
    terms = WatchTerms(vertical="solar", alpha=0.05, least=60, roll_back=bounds)
    said = broken(terms, standing(state="challenger"), _groups(bad, converted))
    assert expected in said
    assert bool(said) is bool(expected)


def test_who_decides_alone_is_held_against_what_was_before() -> None:
    terms = WatchTerms(vertical="solar", alpha=0.05, least=60, roll_back=RollBack(bad_over=0.05))
    counts = _groups(0.35, 0.3, before=12, beside=False)
    assert "before it decided" in broken(terms, standing(since=_FIRST + timedelta(days=12)), counts)
    # What it did before it took its place again is no matter.
    assert broken(terms, standing(since=_FIRST + timedelta(days=40)), counts) == ""
    assert broken(terms, standing(state="shadow", decides=False), counts) == ""


def test_a_group_that_does_worse_is_named_and_the_other_better() -> None:
    found = measure(_TERMS, [standing(state="challenger")], _groups(0.3, 0.1))
    groups = {one.decider: one for one in found.groups}
    assert groups["model-1"].worse == ["bad", "converted"]
    assert groups["card"].better == ["bad", "converted"]
    assert 0.25 < groups["model-1"].early.share < 0.35
    assert groups["model-1"].early.low < groups["model-1"].early.share < groups["model-1"].early.high
    assert {one.kind for one in findings(found)} == {"worse_bad", "worse_conversion"}


def test_a_recipient_that_falls_silent_is_told_of_and_one_that_never_spoke_is_not() -> None:
    counts = days()
    for place, day in enumerate(counts.values()):
        for number in range(6):
            answers = {"helio": place < 18 and number < 4, "bright": number < 3, "mute": False}
            add_early(day, CARD, False, answers)
            add_full(day, CARD, [], {}, {"helio": 2.5 if place < 18 and number < 4 else None, "bright": 20.0}, {})
    found = measure(_TERMS, [], counts)
    lags = {one.recipient: one for one in found.lags}
    assert [(name, one.state) for name, one in sorted(lags.items())] == [
        ("bright", "steady"),
        ("helio", "silent"),
        ("mute", "steady"),
    ]
    assert lags["helio"].median is not None
    assert 2 <= lags["helio"].median <= 3
    assert lags["helio"].silent == pytest.approx(1 - 18 * 4 / 180)
    assert lags["bright"].silent == 0
    assert [(one.kind, one.subject, one.severity) for one in findings(found)] == [("silent", "helio", "alarm")]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"psi": 9}, "between 0.05 and 5"),
        ({"early": 90, "horizon": 60}, "must not be more than the horizon"),
        ({"roll_back": {"gap": "much"}}, "must be a number"),
        ({"roll_back": {"to": "nobody", "gap": 0.1}}, "one of before, card"),
        ({"sometimes": True}, "sometimes"),
        ({"alpha": True}, "must be a number"),
    ],
)
def test_terms_that_make_no_sense_are_refused(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_watch_terms({"vertical": "solar", **raw})


def test_terms_that_say_little_are_the_usual_ones() -> None:
    assert read_watch_terms({"vertical": "solar"}) == WatchTerms(vertical="solar")
    read = read_watch_terms({"vertical": "solar", "roll_back": {"gap": 0.1, "to": "card"}, "psi": "0.3"})
    assert (read.psi, read.roll_back) == (0.3, RollBack(gap=0.1, to="card"))


def test_a_model_that_was_put_back_after_the_last_day_is_held_against_nothing() -> None:
    counts = _groups(0.35, 0.1)
    again = standing(state="challenger", since=_FIRST + timedelta(days=40))
    mine = {one.decider: one for one in measure(_TERMS, [again], counts).groups}["model-1"]
    assert (mine.worse, mine.better) == ([], [])


def test_a_test_whose_first_days_were_let_go_of_asks_for_as_much_as_before() -> None:
    terms = WatchTerms(vertical="solar", alpha=0.05, least=60, roll_back=RollBack(bad_over=0.02))
    counts = _groups(0.26, 0.3)
    old, new = _FIRST - timedelta(days=3_000), _FIRST
    assert "are bad" in broken(terms, standing(state="challenger", since=new), counts)
    assert broken(terms, standing(state="challenger", since=old), counts) == ""
    worse = [
        {one.decider: one for one in measure(_TERMS, [standing(since=since)], counts).groups}["model-1"].worse
        for since in (new, old)
    ]
    assert worse == [["bad"], []]


def test_the_first_day_of_a_vertical_is_remembered_when_days_are_let_go_of() -> None:
    counts = days(10)
    first = measure(_TERMS, [], counts)
    kept = dict(list(counts.items())[4:])
    assert first.began == measure(_TERMS, [], kept, first).began == _FIRST
    older = msgspec.structs.replace(first, began=None)  # as an earlier release kept it
    assert measure(_TERMS, [], kept, older).began == _FIRST
    assert number_of(_FIRST, sorted(kept.items())) == 5


def test_a_model_is_held_against_the_days_it_foresees_and_beside_others_of_the_same() -> None:
    day = Day()
    said = [Said(_ONE, "conversion", 0.4), Said(_TWO, "conversion", 0.6)]
    add_full(day, _ONE, said, {"conversion": True}, {}, {}, {_TWO: (30, {"conversion": False})})
    assert day.models[_ONE].gap[1] == pytest.approx(0.6)
    assert day.models[_TWO].gap[1] == pytest.approx(-0.6)
    assert day.pairs == {}
    # One whose days are not over yet is not held against anything.
    add_full(day, _ONE, said, {"conversion": True}, {}, {}, {_TWO: (90, {"conversion": None})})
    assert (day.models[_ONE].gap[0], day.models[_TWO].gap[0]) == (2, 1)


@pytest.mark.parametrize(
    ("card", "days"),
    [
        ({}, None),
        ({"data": {}}, None),
        ({"data": {"history": {}}}, None),
        ({"data": {"history": {"horizon_days": 30}}}, 30),
    ],
)
def test_a_card_says_how_far_its_model_foresees(card: dict[str, Any], days: int | None) -> None:
    assert horizon_of(card) == days

"""When models are trained again by schedule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from leadmill.core.faults import BadInput
from leadmill.scoring.retraining import Retrain, Run, due, model_id, new_from, outlived, read_retrain

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def terms(**more: Any) -> Retrain:
    return read_retrain({"id": "solar", "vertical": "solar", **more})


def run(days_ago: float) -> Run:
    at = NOW - timedelta(days=days_ago)
    return Run(
        id="run_1", retrain="solar", vertical="solar", target="converted", at=at, standing="candidate", says="fine"
    )


@pytest.mark.parametrize(
    ("more", "last", "drifted", "is_due"),
    [
        ({}, None, False, True),
        ({}, 29, False, False),
        ({}, 30, False, True),
        ({"every": "6w"}, 30, False, False),
        ({}, 2, True, True),
        ({}, 0.5, True, False),
        ({"after_drift": False}, 2, True, False),
        ({"retired": True}, None, True, False),
    ],
)
def test_it_is_due_by_the_calendar_or_where_leads_drift(
    more: dict[str, Any], last: float | None, drifted: bool, is_due: bool
) -> None:
    assert due(terms(**more), None if last is None else run(last), drifted, NOW) is is_due


def test_new_are_the_leads_whose_horizon_has_ended_since() -> None:
    assert new_from(terms(), None, NOW) == (None, NOW - timedelta(days=60))
    assert new_from(terms(horizon=10), run(30), NOW) == (NOW - timedelta(days=40), NOW - timedelta(days=10))
    # Who takes a lead is known at once.
    assert new_from(terms(target="accepted"), run(30), NOW) == (NOW - timedelta(days=30), NOW)


@pytest.mark.parametrize(
    ("place", "days_ago", "go"),
    [
        ("candidate", [30, 60], [30, 60]),
        ("shadow", [30], []),
        ("shadow", [30, 60], [30]),
        ("shadow", [60, 30, 1], [30, 1]),
        ("shadow", [30, 90], [90]),  # its horizon of 60 days is over, and it was compared for a month
        ("shadow", [90], [90]),
        ("shadow", [], []),
    ],
)
def test_a_shadow_stays_until_it_was_compared_and_there_are_never_more_than_two(
    place: str, days_ago: list[int], go: list[int]
) -> None:
    waiting = [msgspec.structs.replace(run(days), model=str(days)) for days in days_ago]
    assert outlived(terms(**{"as": place}), waiting, NOW) == [str(days) for days in go]


def test_models_are_named_after_the_record_and_the_day() -> None:
    assert model_id(terms(), NOW, ()) == "solar-20260601"
    assert model_id(terms(), NOW, ("solar-20260601", "solar-20260601-2")) == "solar-20260601-3"


def test_which_columns_are_learned_from_and_how_is_read_and_kept() -> None:
    said = terms(exclude=["city"], keep=["visits"], monotone={"visits": "+", "context.age": "-"})
    assert (said.exclude, said.keep, said.monotone) == (("city",), ("visits",), {"visits": "+", "context.age": "-"})
    old = msgspec.json.decode(b'{"id":"solar","vertical":"solar"}', type=Retrain)
    assert (old.exclude, old.keep, old.monotone) == ((), (), {})


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"every": "12h"}, "write a span such as 30d"),
        ({"as": "champion"}, "must be one of"),
        ({"target": "sold"}, "must be one of"),
        ({"id": "a" * 41}, "at most 40"),
        ({"tries": 0}, "from 1 to 500"),
        ({"often": 3}, "is not a key here"),
        ({"exclude": "city"}, "must be a list of texts"),
        ({"keep": ["visits", "visits"]}, "each once"),
        ({"monotone": {"visits": 1}}, 'with "\\+" or "-"'),
        ({"monotone": ["visits"]}, "write a table such as"),
        ({"exclude": ["visits"], "monotone": {"visits": "+"}}, "'visits' is left out"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(more: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says) as told:
        terms(**more)
    assert told.value.code == "scoring.retrain.malformed"

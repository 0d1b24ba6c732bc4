"""Columns that know the outcome too well are named, and honest ones are left in peace."""

import numpy as np
import pytest

from leadmill.learning import suspects
from leadmill.learning.calibrating import Floats
from leadmill.learning.kinds import plain, profile, row_codes
from leadmill.learning.suspects import Suspect, find_suspects
from tests.learning.made import Columns, leads, table

ROWS = 1_200


def suspects_of(columns: Columns, labels: Floats, time: str | None = None) -> list[Suspect]:
    whole = table(columns)
    profiles = [profile(name, column) for name, column in whole.columns.items()]
    same = row_codes(whole, [one.name for one in profiles if one.kind.learned])
    return find_suspects(whole, profiles, labels, same, 1, time)


def found(columns: Columns, labels: Floats, time: str | None = None) -> set[tuple[tuple[str, ...], str, bool]]:
    return {(one.columns, one.rule, one.clear) for one in suspects_of(columns, labels, time)}


def test_honest_columns_are_not_suspected() -> None:
    columns, labels = leads(ROWS)
    assert found(columns, labels) == set()


def test_a_copy_of_the_outcome_is_clear() -> None:
    columns, labels = leads(ROWS)
    columns["stage_text"] = ["customer" if label else "open" for label in labels]
    assert (("stage_text",), "copy", True) in found(columns, labels)


def test_a_nearly_right_number_is_clear() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(5)
    columns["minutes"] = [f"{value:.3f}" for value in labels * 1.8 + draw.normal(size=ROWS)]
    assert (("minutes",), "alone", True) in found(columns, labels)


def test_levels_that_settle_the_outcome_are_clear() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(6)
    marked = draw.random(ROWS) < 0.35
    columns["mark"] = [
        ("signed" if label else "gone") if known else "open" for label, known in zip(labels, marked, strict=True)
    ]
    assert (("mark",), "settled", True) in found(columns, labels)


@pytest.mark.parametrize(("rows", "clear"), [(30, False), (50, False), (75, True)])
def test_a_level_of_few_rows_that_settles_the_outcome_is_in_doubt(rows: int, clear: bool) -> None:
    columns, labels = leads(600)
    marked = set(np.flatnonzero(labels > 0.5)[:rows].tolist())
    columns["form"] = ["add" if row in marked else "page" for row in range(600)]
    assert (("form",), "settled", clear) in found(columns, labels)


@pytest.mark.parametrize(("there", "clear"), [((0.80, 0.45), False), ((0.97, 0.20), True)])
def test_a_value_that_is_there_for_those_who_converted_is_named(there: tuple[float, float], clear: bool) -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(7)
    filled = draw.random(ROWS) < np.where(labels > 0.5, *there)
    columns["answer"] = [str(draw.integers(1, 5)) if one else "" for one in filled]
    assert (("answer",), "missing", clear) in found(columns, labels)


def test_the_length_between_two_times_is_clear_though_neither_tells() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(8)
    start = draw.integers(9 * 3600, 17 * 3600, ROWS)
    end = start + np.where(labels > 0.5, draw.integers(200, 900, ROWS), draw.integers(20, 300, ROWS))
    for name, each in (("begun", start), ("ended", end)):
        columns[name] = [f"{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}" for at in each.tolist()]
    assert (("begun", "ended"), "pair", True) in found(columns, labels)


def test_two_levels_that_only_together_tell_are_clear() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(9)
    first = draw.integers(0, 2, ROWS)
    columns["left"] = [("x", "y")[one] for one in first]
    columns["right"] = [("x", "y")[one] for one in (first + labels.astype(int)) % 2]
    assert (("left", "right"), "pair", True) in found(columns, labels)


def test_a_date_after_the_decision_is_clear() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(10)
    columns["asked"] = [f"2026-0{1 + int(month)}-10" for month in draw.integers(0, 3, ROWS)]
    columns["filed"] = [f"2026-0{4 + int(month)}-10" for month in draw.integers(0, 3, ROWS)]
    assert (("filed",), "later", True) in found(columns, labels, "asked")


def test_keys_and_the_order_of_rows_that_go_with_the_outcome_are_named() -> None:
    columns, labels = leads(ROWS)
    order = np.argsort(labels, kind="stable")
    moved = {name: [cells[row] for row in order.tolist()] for name, cells in columns.items()}
    moved["id"] = [str(row + 1) for row in range(ROWS)]
    told = found(moved, labels[order])
    assert (("id",), "identifier", True) in told
    assert ((), "order", False) in told


def test_copies_of_rows_are_told() -> None:
    columns, labels = leads(ROWS)
    twice = {name: cells + cells[:200] for name, cells in columns.items()}
    told = suspects_of(twice, np.concatenate((labels, labels[:200])))
    assert [one.rule for one in told] == ["copies"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PageValues", "page values"),
        ("call_duration", "call duration"),
        ("Last Notable Activity", "last notable activity"),
    ],
)
def test_a_name_is_read_as_words(name: str, words: str) -> None:
    assert plain(name) == words


def test_a_name_alone_accuses_nobody() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(11)
    columns["Tags"] = [str(one) for one in draw.choice(["x", "y", "z"], ROWS)]
    assert found(columns, labels) == set()


LATER_ROWS = 2_000


def made_leaks() -> tuple[Columns, Floats]:
    """Honest columns beside leaks of every other kind."""
    columns, labels = leads(LATER_ROWS, seed=21)
    draw = np.random.default_rng(22)
    yes = labels > 0.5
    office = draw.integers(0, 250, LATER_ROWS)
    mean = np.bincount(office, weights=labels) / np.maximum(np.bincount(office), 1)
    others = (np.bincount(office, weights=labels)[office] - labels) / np.maximum(np.bincount(office)[office] - 1, 1)
    balance = draw.uniform(1e5, 9e5, LATER_ROWS)
    columns |= {
        "few": ["X9" if one else "" for one in yes & (draw.random(LATER_ROWS) < 0.1)],
        "paid back": [
            f"{one:.2f}" for one in np.where(yes & (draw.random(LATER_ROWS) < 0.5), draw.gamma(2, 90, LATER_ROWS), 0)
        ],
        "mark": [("j", "k")[int(one)] for one in np.where(draw.random(LATER_ROWS) < 0.1, ~yes, yes)],
        "office": [f"office {one}" for one in office],
        "office mean": [f"{one:.3f}" for one in mean[office]],
        "office others": [f"{one:.5f}" for one in others],
        "before": [f"{one:.1f}" for one in balance],
        "behind": [f"{one:.1f}" for one in balance + draw.gamma(np.where(yes, 6, 2), 40)],
        "Stage": ["Closed Won" if one else "Open" for one in yes & (draw.random(LATER_ROWS) < 0.08)],
    }
    return columns, labels


def test_leaks_of_every_kind_are_left_out_and_honest_columns_are_not() -> None:
    columns, labels = made_leaks()
    clear = {name for one in suspects_of(columns, labels) if one.clear for name in one.columns}
    leaks = {"few", "paid back", "mark", "office mean", "office others", "before", "behind", "Stage"}
    assert clear == leaks


def test_a_pair_is_found_among_many_columns() -> None:
    columns, labels = leads(LATER_ROWS, seed=23)
    draw = np.random.default_rng(24)
    for place in range(40):
        columns[f"n{place}"] = [f"{one:.4f}" for one in draw.normal(size=LATER_ROWS)]
    start = draw.uniform(0, 1e6, LATER_ROWS)
    columns["x1"] = [f"{one:.2f}" for one in start]
    columns["x2"] = [f"{one:.2f}" for one in start + np.where(labels > 0.5, 90, 30) + draw.normal(0, 25, LATER_ROWS)]
    assert found(columns, labels) == {(("x1", "x2"), "pair", True)}


@pytest.mark.parametrize(
    ("name", "spread", "clear"),
    [
        ("duration", 1.3, False),  # of a credit: an honest column of that name
        ("duration", 0.6, True),
        ("call_seconds", 1.3, True),
        ("post code", 1.3, False),
        ("grade", 0.6, False),  # strong, and honestly so
    ],
)
def test_a_name_is_weighed_with_what_the_column_can_do(name: str, spread: float, clear: bool) -> None:
    columns, labels = leads(LATER_ROWS, seed=25)
    draw = np.random.default_rng(26)
    columns[name] = [f"{one:.3f}" for one in labels * 0.8 + draw.normal(0, spread, LATER_ROWS)]
    assert any(one.clear and name in one.columns for one in suspects_of(columns, labels)) is clear


def test_where_the_outcome_is_rare_a_low_rate_settles_nothing() -> None:
    draw = np.random.default_rng(27)
    rows = 12_000
    there = draw.random(rows) < 0.45
    labels = (draw.random(rows) < np.where(there, 0.011, 0.003)).astype(np.float64)
    columns = {
        "days since last": [str(draw.integers(1, 60)) if one else "" for one in there],
        "insured": [("no", "yes")[int(one)] for one in draw.random(rows) < 0.4],
    }
    assert not any(one.clear for one in suspects_of(columns, labels))


def test_two_columns_of_few_values_are_no_mean_of_one_another() -> None:
    columns, labels = leads(LATER_ROWS, seed=28)
    draw = np.random.default_rng(29)
    success = (labels > 0.5) & (draw.random(LATER_ROWS) < 0.3)
    columns["before"] = ["success" if one else str(draw.choice(["none", "failure"])) for one in success]
    columns["days"] = [str(draw.integers(1, 20)) if one else "999" for one in success]
    assert not any(one.rule == "aggregate" for one in suspects_of(columns, labels))


def test_a_mean_of_all_rows_is_found_among_those_that_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    columns, labels = leads(LATER_ROWS, seed=30)
    draw = np.random.default_rng(31)
    cities = draw.integers(0, 40, LATER_ROWS)
    rates = np.bincount(cities, weights=labels) / np.bincount(cities)
    columns["city"] = [f"city {one}" for one in cities]
    columns["city_rate"] = [f"{rates[one]:.4f}" for one in cities]
    columns["rating"] = [f"{one:.4f}" for one in rates[cities] + draw.normal(0, 0.05, LATER_ROWS)]
    monkeypatch.setattr(suspects, "_MOST_ROWS", LATER_ROWS // 4)
    told = [one.columns for one in suspects_of(columns, labels) if one.rule == "aggregate"]
    assert told == [("city_rate",)]

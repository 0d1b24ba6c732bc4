"""Columns that know the outcome too well are named, and honest ones are left in peace."""

import numpy as np
import pytest

from leadmill.learning.calibrating import Floats
from leadmill.learning.kinds import profile, row_codes
from leadmill.learning.suspects import Suspect, find_suspects, plain_name
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
    assert plain_name(name) == words


def test_a_name_alone_accuses_nobody() -> None:
    columns, labels = leads(ROWS)
    draw = np.random.default_rng(11)
    columns["Tags"] = [str(one) for one in draw.choice(["x", "y", "z"], ROWS)]
    assert found(columns, labels) == set()

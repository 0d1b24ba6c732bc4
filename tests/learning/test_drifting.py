"""Into which bins later rows fall, and how far that is from the training data."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from leadmill.core.shares import share_interval
from leadmill.learning.drifting import SCORE, drifts_of, psi, psi_by_chance
from leadmill.learning.service import Asked, Effort, read_model, read_table, train
from leadmill.learning.service import look_at as look
from tests.learning import made


def _quiet(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        ([100, 100], [0.5, 0.5], 0.0),
        ([60, 40], [0.5, 0.5], 0.1 * np.log(1.2) - 0.1 * np.log(0.8)),
        ([25, 25, 50], [0.5, 0.25, 0.25], 0.25 * np.log(2) * 2),
    ],
)
def test_the_index_is_the_sum_over_bins(now: list[float], then: list[float], expected: float) -> None:
    many = np.array(now) * 1_000_000
    assert psi(many, np.array(then), 1e9) == pytest.approx(expected, abs=1e-4)


def test_a_bin_that_was_empty_makes_the_index_large_but_no_number_too_large() -> None:
    assert 0.5 < psi(np.array([50.0, 50.0]), np.array([1.0, 0.0]), 1_000) < 5


def test_the_index_is_by_chance_what_its_formula_says() -> None:
    draw, shares = np.random.default_rng(3), np.full(10, 0.1)
    found = [psi(draw.multinomial(400, shares).astype(float), shares, 1e9) for _ in range(400)]
    assert float(np.mean(found)) == pytest.approx(psi_by_chance(10, 400, 1e9), rel=0.1)


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert share_interval(5, 50) == pytest.approx((0.0434756, 0.2136023), abs=1e-5)
    assert share_interval(0, 0) == (0.0, 1.0)


def test_training_rows_fall_into_the_bins_of_the_card_as_often_as_it_says(tmp_path: Path) -> None:
    columns, labels = made.leads(360)
    file = made.write(tmp_path / "leads.csv", made.with_outcome(columns, labels))
    asked = Asked(target="won", effort=Effort(tries=1, budget_s=5, threads=1))
    read = read_table(file, _quiet)
    train(read, asked, look(read.table, asked), tmp_path / "model", datetime(2026, 11, 1, tzinfo=UTC), _quiet)
    model = read_model(tmp_path / "model")
    drifts = drifts_of(model)
    assert drifts is not None
    assert drifts.rows == 360
    assert drifts.references[0].name == SCORE
    names = [one.name for one in drifts.references[1:]]
    assert {"visits", "source", "work"} <= set(names)
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    counts = [np.zeros(len(one.shares)) for one in drifts.references[1:]]
    for row in rows:
        for place, number in enumerate(drifts.bins(row)):
            counts[place][number] += 1
    for reference, count in zip(drifts.references[1:], counts, strict=True):
        assert sum(reference.shares) == pytest.approx(1.0)
        assert count / 360 == pytest.approx(np.array(reference.shares), abs=1e-9)
    tenths = np.bincount([drifts.score_bin(model.score(row).probability) for row in rows], minlength=10)
    assert psi(tenths.astype(float), np.array(drifts.references[0].shares), 360) < 0.2

"""Calibration brings chances nearer to what happens and never turns an order round."""

from itertools import pairwise

import numpy as np
import pytest

from leadmill.learning.calibrating import (
    apply_many,
    apply_one,
    choose,
    fit_beta,
    fit_isotonic,
    fit_platt,
    log_loss,
    sigmoids,
)
from leadmill.learning.figures import auc, brier, ece, figures_of, lift
from leadmill.learning.folds import blocks, latest, stratified

FITS = (fit_platt, fit_beta, fit_isotonic)


def made(rows: int, seed: int, slope: float) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    z = draw.normal(size=rows) * 2.0
    return z, (draw.random(rows) < sigmoids(slope * z - 0.3)).astype(np.float64)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("slope", [-2.0, -0.3, 0.0, 0.4, 1.0, 3.0])
def test_no_calibration_turns_an_order_round(fit, slope: float) -> None:
    """Even where recent rows say the opposite of the model: a slope below zero is held above it."""
    z, labels = made(300, 11, slope)
    by = fit(z, labels)
    grid = np.sort(np.concatenate((np.linspace(-12.0, 12.0, 60), z)))
    chances = [apply_one(by, float(each)) for each in grid]
    assert all(before <= after for before, after in pairwise(chances))
    assert all(0.0 <= chance <= 1.0 for chance in chances)
    assert np.allclose(chances, apply_many(by, grid), atol=1e-9)


@pytest.mark.parametrize("fit", FITS)
def test_a_score_that_is_too_sure_of_itself_is_drawn_in(fit) -> None:
    z, labels = made(4_000, 5, 0.4)
    before, after = sigmoids(z), apply_many(fit(z, labels), z)
    assert ece(labels, after) < 0.03 < ece(labels, before)
    assert log_loss(labels, after) < log_loss(labels, before)
    assert abs(auc(labels, after) - auc(labels, before)) < 0.01


def test_what_needs_no_calibration_is_left_about_as_it_was() -> None:
    z, labels = made(4_000, 6, 1.0)
    by = choose(z, labels, stratified(labels, 5, 1), ece)
    assert np.abs(apply_many(by, z) - sigmoids(z - 0.3)).max() < 0.08


def test_figures_are_what_their_definitions_say() -> None:
    labels = np.array([0.0, 0.0, 1.0, 1.0])
    chances = np.array([0.1, 0.4, 0.35, 0.8])
    assert auc(labels, chances) == 0.75
    assert auc(labels, np.full(4, 0.5)) == 0.5
    assert brier(labels, chances) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)
    assert ece(labels, chances) == pytest.approx((0.1 + 0.4 + 0.65 + 0.2) / 4)
    assert lift(labels, chances, 0.25) == 2.0


def test_intervals_hold_the_figure_and_are_the_same_each_time() -> None:
    z, labels = made(500, 7, 1.0)
    found = figures_of(labels, sigmoids(z), 3)
    assert found.intervals["auc"][0] < found.auc < found.intervals["auc"][1]
    assert figures_of(labels, sigmoids(z), 3) == found


def test_folds_hold_both_outcomes_and_keep_copies_together() -> None:
    labels = np.array([1.0, 0.0, 0.0, 0.0] * 50)
    same = np.arange(200) // 2
    folds = stratified(labels, 5, 1, same)
    assert (folds[::2] == folds[1::2]).all()
    assert all(labels[folds == fold].sum() == 10 for fold in range(5))
    assert sorted(np.bincount(stratified(labels, 5, 1))) == [40] * 5


def test_the_latest_rows_are_held_back_by_time() -> None:
    times = np.array([5.0, 1.0, 4.0, 2.0, 3.0, np.nan, 5.0, 1.5, 2.5, 3.5])
    assert latest(times, 0.2).tolist() == [True, False, False, False, False, False, True, False, False, False]
    assert blocks(np.arange(10.0), 5).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]

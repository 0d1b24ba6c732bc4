"""Tests that may be looked at every day call what did not change seldom, and find what did."""

from math import exp, log

import numpy as np
import pytest

from leadmill.learning import sequential
from leadmill.learning.calibrating import Floats

_ALPHA = 0.05
_LIMIT = log(1 / _ALPHA)
_RUNS, _DAYS, _EACH = 300, 40, 30
_LOOKS = (5, 10, 20, 30, 40)


def _called(daily: Floats) -> bool:
    return any(sequential.whenever(_of_shares(daily[:day])) >= _LIMIT for day in _LOOKS)


_SHARES = np.full(8, 1 / 8)


def _of_shares(daily: Floats) -> Floats:
    return sequential.shift_evidence(sequential.since_each_day(daily), _SHARES, 5_000)


def _gaps(draw: np.random.Generator, days: int, gap: float) -> Floats:
    chances = draw.beta(1, 5, size=(days, _EACH))
    values = (draw.random((days, _EACH)) < np.clip(chances + gap, 0, 1)) - chances
    return np.stack([np.full(days, float(_EACH)), values.sum(1), (values * values).sum(1)], axis=1)


def _of_gaps(daily: Floats, bound: float = 0.0) -> float:
    return sequential.whenever(sequential.either_way(sequential.since_each_day(daily), bound))


def _did(draw: np.random.Generator, days: int, rows: int, rate: float) -> Floats:
    return np.stack([np.full(days, float(rows)), draw.binomial(rows, rate, days).astype(float)], axis=1)


def _of_rates(mine: Floats, others: Floats, over: float = 0.0) -> float:
    every = sequential.rates_evidence(sequential.since_each_day(mine), sequential.since_each_day(others), over)
    return sequential.whenever(every)


def test_shares_that_stay_are_called_changed_no_more_often_than_promised() -> None:
    draw = np.random.default_rng(11)
    called = sum(_called(draw.multinomial(_EACH, _SHARES, size=_DAYS).astype(float)) for _ in range(_RUNS))
    assert called <= _ALPHA * _RUNS


def test_shares_that_are_known_only_from_few_rows_are_not_called_changed_for_that() -> None:
    draw, called = np.random.default_rng(12), 0
    for _ in range(_RUNS):
        reference = draw.multinomial(600, _SHARES) / 600
        counts = draw.multinomial(_EACH, _SHARES, size=_DAYS).astype(float)
        found = sequential.shift_evidence(sequential.since_each_day(counts), reference, 600)
        called += sequential.whenever(found) >= _LIMIT
    assert called <= _ALPHA * _RUNS


def test_shares_that_change_late_are_found_within_some_hundred_rows() -> None:
    draw = np.random.default_rng(13)
    moved = _SHARES * np.array([0.4, 0.4, 1, 1, 1, 1, 1.6, 1.6])
    before = draw.multinomial(_EACH, _SHARES, size=100).astype(float)
    after = draw.multinomial(_EACH, moved, size=30).astype(float)
    days = np.vstack([before, after])
    assert sequential.whenever(_of_shares(before)) < _LIMIT
    found = [day for day in range(1, 31) if sequential.whenever(_of_shares(days[: 100 + day])) >= _LIMIT]
    assert found
    assert found[0] * _EACH <= 600


def test_chances_that_are_right_are_called_wrong_no_more_often_than_promised() -> None:
    draw, called = np.random.default_rng(14), 0
    for _ in range(_RUNS):
        daily = _gaps(draw, _DAYS, 0.0)
        called += any(_of_gaps(daily[:day]) >= _LIMIT for day in _LOOKS)
    assert called <= _ALPHA * _RUNS


@pytest.mark.parametrize(("gap", "rows"), [(0.15, 450), (-0.12, 600)])
def test_chances_that_are_wrong_are_found(gap: float, rows: int) -> None:
    daily = _gaps(np.random.default_rng(15), _DAYS, gap)
    found = [day for day in range(1, _DAYS + 1) if _of_gaps(daily[:day]) >= _LIMIT]
    assert found
    assert found[0] * _EACH <= rows


def test_a_gap_within_its_bound_is_not_called_beyond_it() -> None:
    draw = np.random.default_rng(16)
    called = sum(_of_gaps(_gaps(draw, _DAYS, 0.05), 0.06) >= _LIMIT for _ in range(_RUNS))
    assert called <= _ALPHA * _RUNS


def test_the_interval_of_a_mean_holds_it_at_every_look() -> None:
    draw, missed = np.random.default_rng(17), 0
    for _ in range(60):
        days = np.cumsum(_gaps(draw, _DAYS, 0.0), axis=0)
        intervals = [sequential.mean_interval(days[day - 1], _ALPHA) for day in (5, 15, 40)]
        missed += any(not low <= 0.0 <= high for low, high in intervals)
    assert missed <= _ALPHA * 60
    low, high = sequential.mean_interval(np.array([4_000.0, 400.0, 500.0]), _ALPHA)
    assert 0.06 < low < 0.1 < high < 0.14
    assert sequential.mean_interval(np.array([0.0, 0.0, 0.0]), _ALPHA) == (-1.0, 1.0)


def test_groups_that_do_alike_are_called_different_no_more_often_than_promised() -> None:
    draw, called = np.random.default_rng(18), 0
    for _ in range(_RUNS):
        mine, others = _did(draw, 20, 15, 0.12), _did(draw, 20, 60, 0.12)
        called += any(_of_rates(mine[:day], others[:day]) >= _LIMIT for day in (5, 10, 15, 20))
    assert called <= _ALPHA * _RUNS


def test_a_group_that_does_worse_is_found_and_only_by_as_much_as_it_is() -> None:
    draw = np.random.default_rng(19)
    mine, others = _did(draw, 40, 15, 0.3), _did(draw, 40, 60, 0.12)
    assert _of_rates(mine, others) >= _LIMIT
    assert _of_rates(mine, others, over=0.08) >= _LIMIT
    assert _of_rates(mine, others, over=0.3) < _LIMIT
    assert _of_rates(others, mine) < 0.1


def test_nothing_seen_is_no_evidence() -> None:
    nothing = np.zeros((3, 8))
    assert np.allclose(_of_shares(nothing), 0.0)
    assert sequential.whenever(np.zeros(0)) == 0.0
    assert sequential.whenever(np.zeros(5)) == pytest.approx(0.0)
    assert exp(sequential.whenever(np.zeros(5), first=200)) < 0.01 + 1 / 200
    assert _of_rates(np.zeros((2, 2)), np.ones((2, 2))) == pytest.approx(0.0)

"""From a model's log-odds to probabilities that hold, by maps that never fall: a better row never becomes a worse one.

Platt's sigmoid with its slope above zero, beta calibration (Kull, Silva Filho and Flach 2017) with both of its shapes
at least zero, and isotonic regression drawn as lines that rise strictly. :func:`choose` takes the one that is best on
rows it was not fitted on. Used in training; ``apply_one`` and ``apply_many`` at every score.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp, log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadmill.learning.model import Calibration

Floats: TypeAlias = NDArray[np.float64]

_LEAST = 1e-6
_STEEPEST, _FLATTEST = 10.0, 0.02
NONE = Calibration()
_KNOTS = 15
"""Isotonic knots at most: fewer steps than rows, so that noise is not drawn."""


def sigmoid(z: float) -> float:
    """1 / (1 + e^−z)."""
    return 1.0 / (1.0 + exp(-z)) if z >= 0.0 else 1.0 - 1.0 / (1.0 + exp(max(z, -700.0)))


def log_odds(probability: float) -> float:
    """ln(p / (1 − p)), kept finite."""
    held = min(max(probability, 1e-12), 1.0 - 1e-12)
    return log(held / (1.0 - held))


def sigmoids(z: Floats) -> Floats:
    """1 / (1 + e^−z) of each."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0))))


def all_log_odds(probabilities: Floats) -> Floats:
    """ln(p / (1 − p)) of each, kept finite."""
    held = np.clip(probabilities, 1e-12, 1.0 - 1e-12)
    return np.asarray(np.log(held / (1.0 - held)))


def apply_one(by: Calibration, z: float) -> float:
    """The probability for log-odds ``z``."""
    if by.method == "platt":
        slope, shift = by.numbers
        return sigmoid(slope * z + shift)
    if by.method == "beta":
        up, down, shift = by.numbers
        return sigmoid(-up * _softplus(-z) + down * _softplus(z) + shift)
    if by.method == "isotonic":
        points = by.points
        place = bisect_right(points, z, key=lambda point: point[0])
        if place == 0:
            return _below(points[0], z)
        if place == len(points):
            return _above(points[-1], z)
        (z0, p0), (z1, p1) = points[place - 1], points[place]
        return p0 + (p1 - p0) * ((z - z0) / (z1 - z0))
    return sigmoid(z)


def _softplus(z: float) -> float:
    """ln(1 + e^z)."""
    return z + log(1.0 + exp(-z)) if z > 0.0 else log(1.0 + exp(max(z, -700.0)))


def _below(point: tuple[float, float], z: float) -> float:
    """Past the lowest knot the curve goes on as a sigmoid through it, so that it still rises."""
    return sigmoid(log_odds(point[1]) + (z - point[0]))


_above = _below


def apply_many(by: Calibration, z: Floats) -> Floats:
    """The probability for each of ``z``."""
    if by.method == "platt":
        slope, shift = by.numbers
        return sigmoids(slope * z + shift)
    if by.method == "beta":
        up, down, shift = by.numbers
        return sigmoids(-up * np.logaddexp(0.0, -z) + down * np.logaddexp(0.0, z) + shift)
    if by.method == "isotonic":
        zs, ps = (np.array(part) for part in zip(*by.points, strict=True))
        found = np.interp(z, zs, ps)
        low, high = z < zs[0], z > zs[-1]
        found[low] = sigmoids(log_odds(float(ps[0])) + (z[low] - zs[0]))
        found[high] = sigmoids(log_odds(float(ps[-1])) + (z[high] - zs[-1]))
        return np.asarray(found)
    return sigmoids(z)


def log_loss(labels: Floats, chances: Floats) -> float:
    """Mean of −ln of the chance given to what happened."""
    held = np.clip(chances, 1e-12, 1.0 - 1e-12)
    return float(-np.mean(np.where(labels > 0.5, np.log(held), np.log1p(-held))))


def fit_platt(z: Floats, labels: Floats) -> Calibration:
    """Platt's sigmoid by Newton's method, with his softened labels; the slope is held above zero."""
    design = np.stack((z, np.ones_like(z)), axis=1)
    found = _newton(design, _softened(labels), np.array([1.0, 0.0]), np.array([True, False]))
    slope = min(max(float(found[0]), _FLATTEST), _STEEPEST)
    if slope != float(found[0]):
        return Calibration("platt", (slope, _shift_for(slope * z, labels)))
    return Calibration("platt", (slope, float(found[1])))


def fit_beta(z: Floats, labels: Floats) -> Calibration:
    """Beta calibration. A shape that would be negative is set to zero and the rest fitted again, as its authors do;
    where both would be, it is Platt's."""
    design = np.stack((-np.logaddexp(0.0, -z), np.logaddexp(0.0, z), np.ones_like(z)), axis=1)
    targets = _softened(labels)
    kept = [0, 1, 2]
    start = np.array([1.0, 1.0, 0.0])
    found = _newton(design, targets, start, np.array([False, False, False]))
    while len(kept) > 1:
        worst = min((value, place) for value, place in zip(found, kept, strict=True) if place < 2)
        if worst[0] >= 0.0:
            break
        kept.remove(worst[1])
        if kept == [2]:
            return fit_platt(z, labels)
        found = _newton(design[:, kept], targets, start[kept], np.zeros(len(kept), dtype=bool))
    numbers = np.zeros(3)
    numbers[kept] = found
    if numbers[0] < _FLATTEST and numbers[1] < _FLATTEST:
        return fit_platt(z, labels)
    up, down, shift = numbers.tolist()
    return Calibration("beta", (min(up, _STEEPEST), min(down, _STEEPEST), shift))


def fit_isotonic(z: Floats, labels: Floats) -> Calibration:
    """Isotonic regression (pool adjacent violators) on equally filled groups, drawn as lines that rise strictly: flat
    stretches get the least of a slope, so that the ranking stays as it was."""
    order = np.argsort(z, kind="stable")
    groups = min(_KNOTS * 4, max(2, len(z) // 25))
    zs, ps, weights = [], [], []
    for part in np.array_split(order, groups):
        if len(part):
            zs.append(float(z[part].mean()))
            ps.append(float(labels[part].mean()))
            weights.append(float(len(part)))
    pooled = _pooled(zs, ps, weights)
    points: list[tuple[float, float]] = []
    for at, chance, weight in pooled:
        held = (chance * weight + 0.5) / (weight + 1.0)
        if points and (at <= points[-1][0] + 1e-9 or held <= points[-1][1] + _LEAST):
            held = points[-1][1] + _LEAST
            if at <= points[-1][0] + 1e-9:
                continue
        points.append((at, min(held, 1.0 - _LEAST * (len(pooled) - len(points)))))
    if len(points) < 2 or any(after[1] <= before[1] for before, after in pairwise(points)):
        return fit_platt(z, labels)
    return Calibration("isotonic", (), tuple(points))


def _pooled(zs: Sequence[float], ps: Sequence[float], weights: Sequence[float]) -> list[tuple[float, float, float]]:
    blocks: list[list[float]] = []
    for at, chance, weight in zip(zs, ps, weights, strict=True):
        blocks.append([at, chance, weight])
        while len(blocks) > 1 and blocks[-2][1] >= blocks[-1][1]:
            late, early = blocks.pop(), blocks[-1]
            total = early[2] + late[2]
            early[0] = (early[0] * early[2] + late[0] * late[2]) / total
            early[1] = (early[1] * early[2] + late[1] * late[2]) / total
            early[2] = total
    return [(at, chance, weight) for at, chance, weight in blocks]


def _softened(labels: Floats) -> Floats:
    """Platt's targets: a little short of 0 and 1, so that few rows cannot drive the slope without bound."""
    ones = float(labels.sum())
    zeros = float(len(labels)) - ones
    return np.where(labels > 0.5, (ones + 1.0) / (ones + 2.0), 1.0 / (zeros + 2.0))


def _newton(design: Floats, targets: Floats, start: Floats, held: NDArray[np.bool_]) -> Floats:
    """Logistic regression by damped Newton steps, a trace of ridge towards ``start``."""
    found, ridge = start.copy(), 1e-3 * np.eye(len(start))
    for _ in range(50):
        chances = sigmoids(design @ found)
        slope = design.T @ (chances - targets) + ridge @ (found - start)
        bend = (design * (chances * (1.0 - chances) + 1e-9)[:, None]).T @ design + ridge
        step = np.linalg.solve(bend, slope)
        size = float(np.abs(step).max())
        found = found - step * min(1.0, 5.0 / max(size, 1e-12))
        if size < 1e-9:
            break
    return found


def _shift_for(z: Floats, labels: Floats) -> float:
    """The shift with which the mean chance is the base rate."""
    low, high = -50.0, 50.0
    rate = float(labels.mean())
    for _ in range(80):
        middle = (low + high) / 2.0
        if float(sigmoids(z + middle).mean()) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


_METHODS: dict[str, Callable[[Floats, Floats], Calibration]] = {
    "none": lambda z, labels: NONE,
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}
ENOUGH_FOR_ISOTONIC = 2_000
"""Rows below which isotonic regression draws noise."""


def choose(z: Floats, labels: Floats, folds: NDArray[Any], error: Callable[[Floats, Floats], float]) -> Calibration:
    """The map that serves rows it was not fitted on best, fitted on all rows: least log-loss, and among those within
    a thousandth of it the least of ``error`` (the calibration error). ``z`` must be out of fold already."""
    tried: list[tuple[str, float, float]] = []
    for name, fit in _METHODS.items():
        if name == "isotonic" and len(z) < ENOUGH_FOR_ISOTONIC:
            continue
        found = np.empty_like(z)
        for fold in np.unique(folds):
            inside = folds != fold
            if 0.0 < float(labels[inside].mean()) < 1.0:
                found[~inside] = apply_many(fit(z[inside], labels[inside]), z[~inside])
            else:
                found[~inside] = apply_many(NONE, z[~inside])
        tried.append((name, log_loss(labels, found), error(labels, found)))
    best = min(loss for _, loss, _ in tried)
    near = [(wrong, loss, name) for name, loss, wrong in tried if loss <= best + 0.001]
    return _METHODS[min(near)[2]](z, labels)

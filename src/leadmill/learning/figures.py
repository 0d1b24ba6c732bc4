"""Figures by which a score is judged, with intervals. Pure; chance comes in as a seed.

AUC is the chance that a positive row scores above a negative one, ties counting half. Log-loss and Brier are means over
rows. ECE, the expected calibration error, is Naeini's: ten equally wide bins of the score, the distance between mean
score and observed rate in each, weighted by rows.
"""

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.learning.calibrating import Floats, log_loss

BINS = 10
_TIMES = 200
_MOST = 20_000
"""Rows of a bootstrap sample at most: intervals of more are narrower than anybody reads."""


class Band(Struct, frozen=True):
    """One bin of a calibration plot."""

    low: float
    high: float
    rows: int
    score: float
    rate: float


class Figures(Struct, frozen=True):
    """How good a score is on some rows; ``intervals`` are 95 % by bootstrap. ``lift`` is the rate among the tenth that
    scores highest over the rate of all."""

    rows: int
    events: int
    auc: float
    log_loss: float
    brier: float
    ece: float
    lift: float
    intervals: dict[str, tuple[float, float]] = {}


def auc(labels: Floats, scores: Floats) -> float:
    """The area under the ROC curve; 0.5 where one class is absent."""
    ones = float(labels.sum())
    zeros = float(len(labels)) - ones
    if not ones or not zeros:
        return 0.5
    return float((ranks(scores)[labels > 0.5].sum() - ones * (ones + 1.0) / 2.0) / (ones * zeros))


def ranks(scores: Floats) -> Floats:
    """Ranks from 1, ties at their mean."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    ends = np.append(starts[1:], len(scores))
    found = np.empty(len(scores))
    found[order] = np.repeat((starts + 1 + ends) / 2.0, ends - starts)
    return found


def bands(labels: Floats, chances: Floats, bins: int = BINS) -> list[Band]:
    """The calibration plot: equally wide bins of the score that hold rows."""
    places = np.minimum((chances * bins).astype(np.int64), bins - 1)
    rows = np.bincount(places, minlength=bins)
    score = np.bincount(places, weights=chances, minlength=bins)
    events = np.bincount(places, weights=labels, minlength=bins)
    return [
        Band(place / bins, (place + 1) / bins, int(count), float(score[place] / count), float(events[place] / count))
        for place, count in enumerate(rows)
        if count
    ]


def ece(labels: Floats, chances: Floats) -> float:
    """The expected calibration error."""
    return sum(band.rows * abs(band.score - band.rate) for band in bands(labels, chances)) / max(len(labels), 1)


def brier(labels: Floats, chances: Floats) -> float:
    """The mean squared error."""
    return float(np.mean((labels - chances) ** 2))


def lift(labels: Floats, chances: Floats, share: float = 0.1) -> float:
    """The rate among the share that scores highest, over the rate of all; ties at the border count by their part."""
    rate = float(labels.mean()) if len(labels) else 0.0
    if not rate:
        return 1.0
    most = max(1.0, share * len(labels))
    border = np.sort(chances)[::-1][min(len(labels), round(most)) - 1]
    above, at = chances > border, chances == border
    part = (most - float(above.sum())) / max(float(at.sum()), 1.0)
    return float((labels[above].sum() + part * labels[at].sum()) / most / rate)


_MEASURES: dict[str, Callable[[Floats, Floats], float]] = {
    "auc": auc,
    "log_loss": log_loss,
    "brier": brier,
    "ece": ece,
    "lift": lift,
}


def figures_of(labels: Floats, chances: Floats, seed: int | None = None) -> Figures:
    """All figures; with a seed their intervals too."""
    found = {name: measure(labels, chances) for name, measure in _MEASURES.items()}
    intervals = bootstrap(labels, chances, seed) if seed is not None and 0 < labels.sum() < len(labels) else {}
    return Figures(len(labels), int(labels.sum()), **found, intervals=intervals)


def bootstrap(labels: Floats, chances: Floats, seed: int, times: int = _TIMES) -> dict[str, tuple[float, float]]:
    """95 % intervals by drawing rows anew, as many of each class as there are."""
    draw = np.random.default_rng(seed)
    ones, zeros = np.flatnonzero(labels > 0.5), np.flatnonzero(labels <= 0.5)
    shrink = max(1.0, len(labels) / _MOST)
    drawn: dict[str, list[float]] = {name: [] for name in _MEASURES}
    for _ in range(times):
        rows: NDArray[np.int64] = np.concatenate(
            (draw.choice(ones, max(1, int(len(ones) / shrink))), draw.choice(zeros, max(1, int(len(zeros) / shrink))))
        )
        for name, measure in _MEASURES.items():
            drawn[name].append(measure(labels[rows], chances[rows]))
    return {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))) for name, values in drawn.items()
    }

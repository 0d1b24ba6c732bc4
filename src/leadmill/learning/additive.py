"""The additive model: a scorecard whose points are learned. Each bin of each column has an effect, and effects add up.

Logistic regression over bins, penalised: steps between neighbouring bins of a number are drawn to zero (a random walk
as prior, so that effects are smooth where rows are few), effects of a category's levels and of missing values too. A
number has a slope besides, hardly drawn at all, so that what rises evenly need not be drawn in steps. A monotone
column's steps and slope have one sign. The optimum is unique; scipy's L-BFGS-B finds it, bounds included.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from leadmill.learning.calibrating import sigmoids
from leadmill.learning.design import Design, Draft
from leadmill.learning.heavy import scipy
from leadmill.learning.table import Floats

PENALTIES = (2.0, 8.0, 32.0)
"""What is tried, weakest first."""
STEPS = (4.0, 64.0, 512.0)
"""How much dearer a step between bins is than a level's effect: what is tried."""
_SLOPE = 0.02
"""How much cheaper a slope is than a level's effect."""
_MOST_ROUNDS = 60


class Additive(Struct, frozen=True):
    """Effects by feature and bin, in log-odds, each feature's mean over the training rows zero."""

    intercept: float
    effects: tuple[Floats, ...]
    slopes: tuple[float, ...]

    def sums(self, design: Design) -> Floats:
        """The log-odds of rows."""
        found = np.full(design.rows, self.intercept)
        for place, effects in enumerate(self.effects):
            found += effects[design.bins[:, place]]
        if places := design.sloped():
            found += design.lines() @ np.array([self.slopes[place] * design.drafts[place].unit for place in places])
        return found


class Layout(Struct, frozen=True):
    """The arithmetic of one set of features: ``spread`` takes parameters to effects of bins, and after them to slopes
    (``sloped`` are their features' places, ``units`` what they are measured in)."""

    starts: tuple[int, ...]
    spread: Any
    ridge: Floats
    bounds: tuple[tuple[float | None, float | None], ...]
    sloped: tuple[int, ...]
    units: tuple[float, ...]


def layout_of(drafts: Sequence[Draft], signs: Mapping[str, int], steps: float = STEPS[0]) -> Layout:
    """Parameters for these features: a step for each border of a number, an effect for every other bin, a slope for
    each number with more than two values."""
    sparse = scipy("sparse")
    starts = [0]
    lines: list[int] = []
    places: list[int] = []
    ridge: list[float] = []
    bounds: list[tuple[float | None, float | None]] = []
    at = 0
    for draft in drafts:
        start = starts[-1]
        if draft.ordered:
            sign = signs.get(draft.column, 0)
            last = start + len(draft.edges) + 1
            for border in range(len(draft.edges)):
                above = range(start + border + 1, last)
                lines += above
                places += [at] * len(above)
                ridge.append(steps)
                bounds.append((0.0 if sign > 0 else None, 0.0 if sign < 0 else None))
                at += 1
            alone = [last]
        else:
            alone = list(range(start, start + draft.size))
        for line in alone:
            lines.append(line)
            places.append(at)
            ridge.append(1.0)
            bounds.append((None, None))
            at += 1
        starts.append(start + draft.size)
    sloped = [place for place, draft in enumerate(drafts) if draft.unit > 0.0]
    for number, place in enumerate(sloped):
        sign = signs.get(drafts[place].column, 0)
        lines.append(starts[-1] + number)
        places.append(at)
        ridge.append(_SLOPE)
        bounds.append((0.0 if sign > 0 else None, 0.0 if sign < 0 else None))
        at += 1
    spread = sparse.csr_matrix((np.ones(len(lines)), (lines, places)), shape=(starts[-1] + len(sloped), at))
    units = tuple(drafts[place].unit for place in sloped)
    return Layout(tuple(starts), spread, np.array(ridge), tuple(bounds), tuple(sloped), units)


def one_hot(design: Design, layout: Layout) -> Any:
    """Rows by bins, a one where a row is in a bin; then each slope's value."""
    sparse = scipy("sparse")
    columns = design.bins.astype(np.int64) + np.array(layout.starts[:-1], dtype=np.int64)[None, :]
    width = columns.shape[1]
    pointers = np.arange(0, columns.size + 1, max(width, 1), dtype=np.int64)[: design.rows + 1]
    bins = sparse.csr_matrix((np.ones(columns.size), columns.ravel(), pointers), shape=(design.rows, layout.starts[-1]))
    return sparse.hstack([bins, sparse.csr_matrix(design.lines())], format="csr") if layout.sloped else bins


def fit_additive(
    rows: Any, layout: Layout, labels: Floats, penalty: float, start: Floats | None = None
) -> tuple[Additive, Floats]:
    """The model for rows as :func:`one_hot` gives them, and its parameters, from which a neighbour may start."""
    optimize = scipy("optimize")
    turned, back, spread = rows.T.tocsr(), layout.spread.T.tocsr(), layout.spread
    rate = float(labels.mean())
    count = len(labels)
    # Parameters are measured by their own curvature, so that all are about equally steep and few rounds do.
    reached = (back > 0).astype(np.float64) @ np.asarray(rows.multiply(rows).sum(axis=0)).ravel()
    ridge = penalty * layout.ridge
    scale = np.concatenate(([1.0], np.sqrt(count / (reached * rate * (1.0 - rate) + ridge))))

    def loss(scaled: Floats) -> tuple[float, Floats]:
        parameters = scaled * scale
        inner = parameters[1:]
        z = parameters[0] + rows @ (spread @ inner)
        value = float(np.logaddexp(0.0, z).sum() - labels @ z + 0.5 * (ridge * inner * inner).sum())
        wrong = sigmoids(z) - labels
        slope = np.concatenate(([wrong.sum()], back @ (turned @ wrong) + ridge * inner))
        return value / count, slope * scale / count

    begin = start if start is not None else np.concatenate(([np.log(rate / (1.0 - rate))], np.zeros(len(ridge))))
    found = optimize.minimize(
        loss, begin / scale, jac=True, method="L-BFGS-B", bounds=((None, None), *layout.bounds),
        options={"maxiter": _MOST_ROUNDS, "maxcor": 20, "ftol": 1e-8, "gtol": 1e-5},
    )  # fmt: skip
    parameters = np.asarray(found.x * scale)
    return _centred(parameters, rows, layout), parameters


def _centred(parameters: Floats, rows: Any, layout: Layout) -> Additive:
    effects = layout.spread @ parameters[1:]
    weights = np.asarray(rows.sum(axis=0)).ravel() / max(rows.shape[0], 1)
    intercept = float(parameters[0])
    parts = []
    for start, end in zip(layout.starts, layout.starts[1:], strict=False):
        mean = float(effects[start:end] @ weights[start:end])
        intercept += mean
        parts.append(np.asarray(effects[start:end] - mean))
    slopes = [0.0] * (len(layout.starts) - 1)
    for place, unit, each in zip(layout.sloped, layout.units, effects[layout.starts[-1] :].tolist(), strict=True):
        slopes[place] = each / unit
    return Additive(intercept, tuple(parts), tuple(slopes))

"""Whether one score is better than another on the same rows, and how sure that is.

Pure; chance comes in as a seed. Rows are drawn again together, so that what both scores find hard counts for neither.
"""

import numpy as np
from msgspec import Struct

from leadmill.learning.calibrating import Floats, log_loss
from leadmill.learning.figures import auc

_TIMES = 200
_MOST = 20_000


class Compared(Struct, frozen=True):
    """One score less another: ``auc`` above nought is better, ``log_loss`` below; each with its 95 % interval by paired
    bootstrap."""

    rows: int
    auc: float
    auc_low: float
    auc_high: float
    log_loss: float
    log_loss_low: float
    log_loss_high: float


def compare(labels: Floats, ours: Floats, theirs: Floats, seed: int = 0) -> Compared:
    """Our score less theirs."""
    drawn = np.random.default_rng(seed)
    rows = np.arange(len(labels)) if len(labels) <= _MOST else drawn.choice(len(labels), _MOST, replace=False)
    labels, ours, theirs = labels[rows], ours[rows], theirs[rows]
    differences = []
    for _ in range(_TIMES):
        again = drawn.integers(0, len(labels), len(labels))
        differences.append(_apart(labels[again], ours[again], theirs[again]))
    low, high = np.quantile(np.array(differences), (0.025, 0.975), axis=0)
    rank, loss = _apart(labels, ours, theirs)
    return Compared(
        len(labels), rank, float(low[0]), float(high[0]), loss, float(low[1]), float(high[1])
    )  # fmt: skip


def _apart(labels: Floats, ours: Floats, theirs: Floats) -> tuple[float, float]:
    return auc(labels, ours) - auc(labels, theirs), log_loss(labels, ours) - log_loss(labels, theirs)

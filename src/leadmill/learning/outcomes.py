"""What a target column says: which rows had the outcome, which had not, which are not known yet; and when it is too
little to learn from. Pure."""

import numpy as np
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.learning.cells import TRUE
from leadmill.learning.table import Coded, Floats

LEAST_ROWS = 200
"""Rows with an outcome, below which nothing is trained."""
LEAST_OF_CLASS = 30
"""Rows of each outcome, below which nothing is trained."""
_YES = (*TRUE, "won", "win", "sold", "converted", "conversion", "success", "positive", "good", "accepted", "purchased")


class Outcomes(Struct, frozen=True):
    """1, 0 or NaN a row; ``positive`` is the value that counts as 1."""

    labels: Floats
    positive: str
    unknown: int


def read_outcomes(column: Coded, target: str, positive: str | None) -> Outcomes:
    """The outcomes of all rows. Raises :class:`BadInput` ``learning.target.single`` where there is one value only,
    ``learning.target.values`` where it is not plain which value is the one sought."""
    level = column.folded()
    counts = np.bincount(level.codes, minlength=len(level.values))
    there = {str(text): int(count) for text, count in zip(level.values, counts, strict=True) if text and count}
    if positive is not None:
        sought = positive.strip().casefold()
        if sought not in there:
            raise BadInput("learning.target.values", f"'{target}' never has the value that --positive names")
    elif len(there) > 2:
        says = f"'{target}' has {len(there)} values; say with --positive which one is sought"
        raise BadInput("learning.target.values", says)
    else:
        sought = next((text for text in _YES if text in there), None) or min(
            there, key=lambda text: (there[text], text), default=""
        )
    if len(there) < 2:
        says = f"all rows of '{target}' with an outcome have the same one; there is nothing to tell apart"
        raise BadInput("learning.target.single", says)
    each = np.array([np.nan if not text else float(text == sought) for text in level.values])
    labels = each[level.codes]
    return Outcomes(labels, sought, int(np.isnan(labels).sum()))


def enough(labels: Floats, what: str = "") -> None:
    """Raises :class:`BadInput` ``learning.rows.few`` or ``learning.events.few`` where rows are too few to learn."""
    known = labels[~np.isnan(labels)]
    if len(known) < LEAST_ROWS:
        says = f"{len(known):,} rows with an outcome{what}; at least {LEAST_ROWS} are needed"
        raise BadInput("learning.rows.few", says)
    fewer = int(min(known.sum(), len(known) - known.sum()))
    if fewer < LEAST_OF_CLASS:
        says = f"only {fewer} rows{what} have the rarer outcome; at least {LEAST_OF_CLASS} are needed"
        raise BadInput("learning.events.few", says)

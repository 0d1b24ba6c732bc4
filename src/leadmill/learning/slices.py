"""How good a score is on parts of the rows: by the levels of the columns it reads, and by protected attributes."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from leadmill.learning.calibrating import Floats
from leadmill.learning.fairness import Audit, audit
from leadmill.learning.figures import auc, ece
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Kind, Limits
from leadmill.learning.table import Table

_LEAST_ROWS = 50
_MOST_COLUMNS, _MOST_LEVELS = 6, 8


class Slice(Struct, frozen=True):
    """Rows with one value: their rate, mean score, AUC and calibration error."""

    column: str
    value: str
    rows: int
    rate: float
    score: float
    auc: float
    ece: float


def slices_of(table: Table, profiles: Sequence[Profile], labels: Floats, chances: Floats) -> tuple[Slice, ...]:
    """The levels of the columns with few of them, those first whose rates differ most."""
    found: list[tuple[float, list[Slice]]] = []
    for one in profiles:
        if one.kind is not Kind.CATEGORY:
            continue
        level = table.columns[one.name].folded()
        counts = np.bincount(level.codes, minlength=len(level.values))
        parts = []
        for place in np.argsort(-counts, kind="stable")[:_MOST_LEVELS]:
            inside = level.codes == place
            if counts[place] >= _LEAST_ROWS:
                name = str(level.values[place]) or "not given"
                there, scores = labels[inside], chances[inside]
                mean, score = float(there.mean()), float(scores.mean())
                parts.append(
                    Slice(one.name, name, int(counts[place]), mean, score, auc(there, scores), ece(there, scores))
                )
        if len(parts) > 1:
            rates = [part.rate for part in parts]
            found.append((max(rates) - min(rates), parts))
    found.sort(key=lambda item: (-item[0], item[1][0].column))
    return tuple(part for _, parts in found[:_MOST_COLUMNS] for part in parts)


def audits_of(
    table: Table, labels: Floats, chances: Floats, protected: Sequence[str], limits: Limits
) -> tuple[Audit, ...]:
    """The audit of each protected attribute."""
    return tuple(audit(name, table.columns[name], labels, chances, limits) for name in protected)

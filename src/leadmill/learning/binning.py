"""Columns in bins, and what each bin's outcomes say of a row that is not in it. Used to look for leaks and proxies, by
what is trained in the order of time, and by the benchmark's contenders. Pure."""

import numpy as np

from leadmill.learning.cells import DAY_FIRST, clock_of, folded, moment_of
from leadmill.learning.design import edges_of
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Kind
from leadmill.learning.table import Coded, Codes, Floats

SMOOTH, BINS = 10.0, 24


def binned(column: Coded, one: Profile) -> tuple[Codes, list[str]]:
    """The column's rows in bins, 0 for none, and what each bin is called."""
    if one.kind in (Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT):
        level = column.folded()
        if one.kind is Kind.TEXT:
            numbers = column.numbers(_length)
            return by_edges(numbers)
        names = [str(value) for value in level.values]
        none = names.index("") if "" in names else None
        moved = level.codes + 1
        if none is not None:
            moved = np.where(level.codes == none, 0, moved)
        return moved, ["", *names]
    return by_edges(numbers_of(column, one))


def numbers_of(column: Coded, one: Profile) -> Floats:
    """The column as numbers: a date as days, a time of day as seconds."""
    if one.kind is Kind.CLOCK:
        return column.numbers(clock_of)
    if one.kind is Kind.MOMENT:
        return column.numbers(_days_day_first if one.form == DAY_FIRST else _days_month_first)
    return column.part(one.parts()[0] if one.kind is Kind.NUMBER else "value")


def days_of(value: object, day_first: bool) -> float:
    """A moment as days since the year 1; NaN for none."""
    at = moment_of(value, day_first)
    if at is None:
        return float("nan")
    return at.toordinal() + (at.hour * 3600 + at.minute * 60 + at.second) / 86_400.0


def _days_day_first(value: object) -> float:
    return days_of(value, True)


def _days_month_first(value: object) -> float:
    return days_of(value, False)


def _length(value: object) -> float:
    return float(len(str(value))) if folded(value) else float("nan")


def by_edges(numbers: Floats) -> tuple[Codes, list[str]]:
    edges = np.array(edges_of(numbers, BINS))
    bins = np.searchsorted(edges, numbers, side="left") + 1
    names = [""] + [f"up to {edge:.6g}" for edge in edges] + [f"over {edges[-1]:.6g}" if len(edges) else "any"]
    return np.where(np.isnan(numbers), 0, bins).astype(np.int64), names


def out_of_fold(bins: Codes, labels: Floats, folds: Codes) -> Floats:
    """Each row's rate by its bin in the other folds, drawn to the base rate."""
    size = int(bins.max(initial=0)) + 1
    found = np.empty(len(labels))
    for fold in np.unique(folds):
        out = folds == fold
        rows = np.bincount(bins[~out], minlength=size)
        events = np.bincount(bins[~out], weights=labels[~out], minlength=size)
        rates = (events + SMOOTH * labels[~out].mean()) / (rows + SMOOTH)
        found[out] = rates[bins[out]]
    return found

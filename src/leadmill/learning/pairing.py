"""Leaks that no column shows alone: two that tell together, and means of the outcome itself. Pure; called by
:mod:`leadmill.learning.suspects`."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadmill.learning.binning import binned, by_edges, numbers_of, out_of_fold
from leadmill.learning.figures import auc
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Kind
from leadmill.learning.table import Codes, Floats, Table

GAIN = 0.08
"""How much better two columns must be together than the better of them."""
_TIMES, _NUMBERS, _CLOSE, _LEVELS = 0.70, 0.85, 0.75, 0.90
"""AUC from which two tell too much together: times, numbers, numbers that are nearly one, levels."""
_MOST_PAIRED, _MOST_ALIKE = 12, 60
_ALIKE, _NEARLY_ONE = 0.7, 0.98
"""Correlations from which two numbers are worth a look, and are nearly one."""
_LEAST_LEVELS, _LEAST_VALUES, _SAME = 3, 8, 0.9999
_ROUNDED, _MOSTLY = 0.006, 0.98
"""How far a mean may be off for having been rounded, and in how many rows it must be so near."""
_MOST_COLUMNS = 60

Pair = tuple[str, str, str, float]


def pairs(
    table: Table, learned: Sequence[Profile], labels: Floats, folds: Codes, alone: Mapping[str, float]
) -> Iterator[Pair]:
    """Differences of two times, of two dates, of two numbers; and two categories crossed: the two columns, what of
    them, and its AUC out of fold. ``alone`` is the AUC of each column."""

    def told(first: str, second: str, bins: Codes, least: float, what: str) -> Iterator[Pair]:
        reached = auc(labels, out_of_fold(bins, labels, folds))
        if reached >= least and reached >= max(alone[first], alone[second]) + GAIN:
            yield first, second, what, reached

    for kind in (Kind.CLOCK, Kind.MOMENT):
        group = [one for one in learned if one.kind is kind][:_MOST_PAIRED]
        values = {one.name: numbers_of(table.columns[one.name], one) for one in group}
        for place, first in enumerate(group):
            for second in group[place + 1 :]:
                bins, _ = by_edges(values[second.name] - values[first.name])
                yield from told(first.name, second.name, bins, _TIMES, "their difference")
    yield from _of_numbers(table, [one for one in learned if one.kind is Kind.NUMBER], told)
    group = [one for one in learned if one.kind is Kind.CATEGORY and one.distinct <= 40][:_MOST_PAIRED]
    placed = {one.name: binned(table.columns[one.name], one)[0] for one in group}
    for place, first in enumerate(group):
        for second in group[place + 1 :]:
            crossed = placed[first.name] * (int(placed[second.name].max(initial=0)) + 1) + placed[second.name]
            bins = np.unique(crossed, return_inverse=True)[1].reshape(-1)
            yield from told(first.name, second.name, bins, _LEVELS, "the two together")


def _of_numbers(table: Table, group: Sequence[Profile], told: Callable[..., Iterator[Pair]]) -> Iterator[Pair]:
    """Of many numbers those pairs that are most alike: where a difference tells what neither does, the two are."""
    if len(group) < 2:
        return
    values = np.stack([numbers_of(table.columns[one.name], one) for one in group], axis=1)
    levelled = _levelled(values)
    alike = np.nan_to_num(levelled.T @ levelled)
    ordered = [(-abs(alike[i, j]), i, j) for i in range(len(group)) for j in range(i + 1, len(group))]
    chosen = sorted(one for one in ordered if -one[0] >= _ALIKE)[:_MOST_ALIKE]
    chosen += [one for one in ordered if one[2] < _MOST_PAIRED and one not in chosen]
    for strength, i, j in chosen:
        bins, _ = by_edges(values[:, j] - values[:, i])
        least = _CLOSE if -strength >= _NEARLY_ONE else _NUMBERS
        yield from told(group[i].name, group[j].name, bins, least, "their difference")


def aggregates(table: Table, learned: Sequence[Profile], labels: Floats, drawn: Codes) -> list[Pair]:
    """Numbers that are the outcome's mean or sum by the levels of another column, with or without the row itself: the
    number, the column, which of them, and the AUC. Means are of all rows; they are compared on those that are
    ``drawn``, so that a large table needs no more room than they do."""
    numbers = [one for one in learned if one.kind is Kind.NUMBER and one.filled > 0.99]
    numbers = [one for one in numbers if one.distinct >= _LEAST_VALUES][:_MOST_COLUMNS]
    groups = [one for one in learned if one.kind is Kind.CATEGORY and one.distinct >= _LEAST_LEVELS][:_MOST_COLUMNS]
    if not numbers or not groups:
        return []
    some, known = table.only(one.name for one in numbers).take(drawn), labels[drawn]
    values = np.stack([numbers_of(some.columns[one.name], one) for one in numbers], axis=1)
    levelled = _levelled(values)
    found: dict[str, Pair] = {}
    for group in groups:
        every, _ = binned(table.columns[group.name], group)
        codes = every[drawn]
        rows = np.bincount(every).astype(np.float64)[codes]
        events = np.bincount(every, weights=labels)[codes]
        made = {
            "mean": events / rows,
            "sum": events,
            "mean without the row": (events - known) / np.maximum(rows - 1.0, 1.0),
        }
        wholly = np.stack(list(made.values()), axis=1)
        alike = np.nan_to_num(np.abs(levelled.T @ _levelled(wholly)))
        one_each = (
            _function_of(codes, values) if group.distinct >= _LEAST_VALUES else np.zeros(len(numbers), dtype=bool)
        )
        for place, one in enumerate(numbers):
            for way, what in enumerate(made):
                if one.name in found or not (alike[place, way] > 0.9):
                    continue
                if (one_each[place] and alike[place, way] >= _SAME) or _equal(values[:, place], wholly[:, way], what):
                    reached = auc(known, values[:, place])
                    found[one.name] = (one.name, group.name, what, max(reached, 1.0 - reached))
    return list(found.values())


def _function_of(codes: Codes, values: Floats) -> NDArray[np.bool_]:
    """Which numbers are the same in all rows of a level."""
    first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return np.asarray((np.abs(values - values[first[codes]]) <= 1e-9).mean(axis=0) >= _MOSTLY)


def _equal(number: Floats, made: Floats, what: str) -> bool:
    """Whether a number is that mean, or that many per cent, or that sum, but for how it was rounded."""
    for scale in (1.0, 100.0) if what != "sum" else (1.0,):
        close = _ROUNDED * scale if what != "sum" else 0.01
        if (
            float(np.std(made)) * scale > 3 * close
            and float((np.abs(number - made * scale) <= close).mean()) >= _MOSTLY
        ):
            return True
    return False


def _levelled(values: Floats) -> Floats:
    """Each column about its mean and of length 1, so that products of two are correlations; what is missing counts as
    the mean."""
    known = ~np.isnan(values)
    mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, values - mean, 0.0)
    return np.asarray(apart / np.maximum(np.sqrt((apart**2).sum(axis=0)), 1e-12))

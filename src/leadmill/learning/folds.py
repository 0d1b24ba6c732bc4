"""Which rows test which: folds in which copies of a row stay together, and tests in the order of time. Pure."""

import numpy as np

from leadmill.learning.table import Codes, Floats

_LEAST_DISTINCT = 0.2
"""Where fewer rows differ than this share, rows repeat because the columns say little, and are no copies."""


def copies_matter(same: Codes) -> bool:
    """Whether rows that are the same should be taken for copies of one another."""
    return len(np.unique(same)) >= _LEAST_DISTINCT * len(same)


def stratified(labels: Floats, folds: int, seed: int, same: Codes | None = None) -> Codes:
    """A fold for each row, each with its share of both classes; rows with one number in ``same`` go together."""
    draw = np.random.default_rng(seed)
    found = np.empty(len(labels), dtype=np.int64)
    if same is None or not copies_matter(same):
        for label in (0.0, 1.0):
            rows = np.flatnonzero(labels == label)
            found[draw.permutation(rows)] = np.arange(len(rows)) % folds
        return found
    groups, inside = np.unique(same, return_inverse=True)
    ones = np.bincount(inside, weights=labels, minlength=len(groups)) > 0
    placed = np.empty(len(groups), dtype=np.int64)
    start = 0
    for mark in (False, True):
        members = np.flatnonzero(ones == mark)
        placed[draw.permutation(members)] = (np.arange(len(members)) + start) % folds
        start += len(members)
    return placed[inside]


def latest(times: Floats, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True for the rows after the moment that leaves ``share`` of them later; rows of one moment stay together, and
    rows without a time are early."""
    known = np.sort(times[~np.isnan(times)])
    if not len(known):
        return np.zeros(len(times), dtype=np.bool_)
    border = known[min(len(known) - 1, int(len(known) * (1.0 - share)))]
    return np.asarray(np.nan_to_num(times, nan=-np.inf) >= border, dtype=np.bool_)


def blocks(times: Floats, count: int) -> Codes:
    """Blocks of equally many rows in the order of time, from 0; rows of one moment stay together."""
    filled = np.nan_to_num(times, nan=-np.inf)
    ordered = np.sort(filled)
    borders = [ordered[int(len(ordered) * part / count)] for part in range(1, count)]
    return np.searchsorted(np.array(borders), filled, side="right").astype(np.int64)

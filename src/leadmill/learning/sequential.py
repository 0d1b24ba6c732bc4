"""Tests that may be looked at every day: how strong the evidence is that something changed, whenever it is asked.

Pure; called by whoever watches a model at work. A test of fixed size that is repeated daily calls a change sooner or
later though there is none. Here evidence is an e-value: a number that is on average at most 1 as long as nothing
changed, however often it is looked at, so that it ever reaches 1/alpha with a chance of at most alpha (Ville 1939;
Shafer 2021; Ramdas, Grünwald, Vovk and Shafer 2023). All are functions of counts and sums, so that nothing need be kept
but daily tallies; all are given as natural logarithms.

A change may come late, after much evidence that nothing did. So each test is begun anew every day and the beginnings
are averaged, the j-th with weight 1/(j(j+1)), which adds up to one: the average is an e-value too, and a change on day
j costs but log(j(j+1)) of evidence more.
"""

from math import inf, lgamma, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PRECISIONS = (2.0, 30.0, 400.0)
"""How near to the reference the changed shares are thought to be, in rows for each bin: far, near, very near."""
_BETS = (0.01, 0.03, 0.1, 0.2, 0.35, 0.55, 0.8)
"""Shares of what one has that are bet on a mean being above its bound."""
_STEPS = 65

_lgamma = np.vectorize(lgamma, otypes=[float])


def since_each_day(daily: Floats) -> Floats:
    """Sums from each day to the last: what a test has seen that began that day."""
    found: Floats = np.cumsum(daily[::-1], axis=0)[::-1]
    return found


def whenever(log_values: Floats, first: int = 1) -> float:
    """The evidence over all beginnings, of which the first kept was the ``first``-th ever. Beginnings of days that are
    let go of count for nothing, which errs on the side of silence; those to come count 1."""
    if not len(log_values):
        return 0.0
    numbers = np.arange(first, first + len(log_values), dtype=float)
    terms = np.append(log_values - np.log(numbers) - np.log(numbers + 1.0), -log(first + len(log_values)))
    return _log_sum(terms)


def shift_evidence(counts: Floats, shares: Floats, rows: float) -> Floats:
    """The evidence that rows fall into bins by other shares than those of a reference of so many rows; ``counts`` has a
    line a beginning. The likelihood of the rows in turn under shares drawn near the reference (a mixture of Dirichlets)
    over that under the reference's own, which are known but for the chance in ``rows``: Dirichlet as well. The
    guarantee holds on the average over what so many rows leave open; with many it is that of the shares themselves."""
    bins = len(shares)
    kept = (shares * rows + 0.5) / (rows + 0.5 * bins)
    under = _marginal(counts, kept * max(rows, 1.0))
    others = np.stack([_marginal(counts, kept * bins * each) for each in _PRECISIONS])
    top = others.max(axis=0)
    mixed: Floats = top + np.log(np.exp(others - top).mean(axis=0)) - under
    return mixed


def _marginal(counts: Floats, weights: Floats) -> Floats:
    """The log-likelihood of rows in turn whose shares are drawn from a Dirichlet."""
    whole = weights.sum()
    rows = counts.sum(axis=1)
    parts = (_lgamma(counts + weights) - _lgamma(weights)).sum(axis=1)
    found: Floats = lgamma(whole) - _lgamma(rows + whole) + parts
    return found


def mean_evidence(sums: Floats, above: float, reach: float = 1.0) -> Floats:
    """The evidence that values between −``reach`` and ``reach`` are above a bound on average. ``sums`` has a line a
    beginning: how many values, their sum, the sum of their squares. Bets a share of what it has on each value, bounded
    from below by its sums (Fan, Grama and Liu 2015; Waudby-Smith and Ramdas 2024): the product
    of exp(bet·z + (log(1 − bet) + bet)·z²) with z = (x − above)/(reach + above), which is never below −1."""
    count, total, squares = sums[:, 0], sums[:, 1], sums[:, 2]
    scale = reach + max(above, 0.0)
    moved = (total - above * count) / scale
    spread = (squares - 2.0 * above * total + above * above * count) / (scale * scale)
    bets = np.array(_BETS)
    every = moved[:, None] * bets + spread[:, None] * (np.log1p(-bets) + bets)
    top = every.max(axis=1)
    found: Floats = top + np.log(np.exp(every - top[:, None]).mean(axis=1))
    return found


def either_way(sums: Floats, bound: float, reach: float = 1.0) -> Floats:
    """The evidence that the mean is further than ``bound`` from nought, on whichever side."""
    flipped = sums * np.array([1.0, -1.0, 1.0])
    both = np.stack([mean_evidence(sums, bound, reach), mean_evidence(flipped, bound, reach)])
    top = both.max(axis=0)
    found: Floats = top + np.log(np.exp(both - top).mean(axis=0))
    return found


def mean_interval(sums: Floats, alpha: float, reach: float = 1.0) -> tuple[float, float]:
    """Between which values the mean lies with a chance of 1 − ``alpha`` at every look together: those that the test has
    not ruled out. ``sums`` is one line as in :func:`mean_evidence`."""
    line = np.atleast_2d(sums).astype(float)
    if not line[0, 0]:
        return -reach, reach
    mean, limit = float(line[0, 1] / line[0, 0]), log(2.0 / alpha)
    high = -_edge(line * np.array([1.0, -1.0, 1.0]), -mean, limit, reach)
    return _edge(line, mean, limit, reach), high


def _edge(line: Floats, mean: float, limit: float, reach: float) -> float:
    """The least value that is not ruled out from below."""
    low, high = -reach + 1e-9, mean
    if float(mean_evidence(line, low, reach)[0]) < limit:
        return -reach
    for _ in range(40):
        middle = (low + high) / 2.0
        if float(mean_evidence(line, middle, reach)[0]) >= limit:
            low = middle
        else:
            high = middle
    return low


def rates_evidence(mine: Floats, others: Floats, over: float = 0.0) -> Floats:
    """The evidence that the rate of one group is more than ``over`` above that of another. Each has a line a beginning:
    how many, and how many of them did. Rates drawn from Beta(½, ½) over the pair of rates without such a difference
    that suits the counts best (a mixture over the least favourable; Robbins 1970, Turner, Ly and Grünwald 2024)."""
    return np.array([_rates(a, b, over) for a, b in zip(mine.tolist(), others.tolist(), strict=True)])


def _rates(mine: list[float], others: list[float], over: float) -> float:
    (rows, count), (other_rows, other_count) = mine, others
    if not rows or not other_rows:
        return 0.0
    drawn = _beta(rows, count) + _beta(other_rows, other_count)
    rate, other = count / rows, other_count / other_rows
    if rate <= other + over:
        return drawn - float(
            _binomial(rows, count, np.array(rate)) + _binomial(other_rows, other_count, np.array(other))
        )
    # The best pair without the difference lies where the rates are just so far apart.
    at = np.linspace(max(other, 0.0), max(rate - over, 0.0), _STEPS)
    best = _binomial(rows, count, at + over) + _binomial(other_rows, other_count, at)
    return drawn - float(best.max())


def _beta(rows: float, count: float) -> float:
    parts = lgamma(count + 0.5) + lgamma(rows - count + 0.5) - lgamma(rows + 1.0)
    return parts - 2.0 * lgamma(0.5)


def _binomial(rows: float, count: float, rate: Floats) -> Floats:
    kept = np.clip(rate, 1e-12, 1.0 - 1e-12)
    found: Floats = count * np.log(kept) + (rows - count) * np.log1p(-kept)
    return found


def _log_sum(terms: Floats) -> float:
    top = float(terms.max())
    return top + log(float(np.exp(terms - top).sum())) if top > -inf else -inf

"""Whether a score treats groups alike: how often each passes a threshold, and whether its probabilities hold in each.

Both are asked, because either alone can look fine while the other is broken. The attribute is test data: a model never
reads it. Pure.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from msgspec import Struct

from leadmill.learning.calibrating import Floats
from leadmill.learning.figures import auc, bands, ece
from leadmill.learning.model import Limits
from leadmill.learning.table import Coded

LEAST_ROWS = 50
"""A group of fewer rows is told and not judged."""
USUAL = Limits()
"""The limits where nobody says otherwise."""
AIR = USUAL.least_ratio
"""The usual adverse-impact ratio."""
SHARES = (0.1, 0.2, 0.5)
"""Thresholds are the scores that these shares of all rows pass."""


class Group(Struct, frozen=True):
    """One group: ``gap`` is mean score less rate with its 95 % interval, ``ece_by_chance`` the calibration error that a
    perfectly calibrated score would show on so many rows."""

    name: str
    rows: int
    events: int
    rate: float
    score: float
    gap: float
    gap_low: float
    gap_high: float
    auc: float
    ece: float
    ece_by_chance: float
    passes: bool


class Threshold(Struct, frozen=True):
    """How often each group passes a score, and the lowest share over the highest."""

    share: float
    score: float
    selected: dict[str, float]
    ratio: float
    worst: str
    passes: bool


class Audit(Struct, frozen=True):
    """One attribute: its groups, its thresholds, and whether all is within the limits."""

    attribute: str
    groups: tuple[Group, ...]
    small: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    passes: bool
    says: tuple[str, ...]


def audit(attribute: str, column: Coded, labels: Floats, chances: Floats, limits: Limits = USUAL) -> Audit:
    """Judge a score by the groups of an attribute; rows without a value are no group, and are told among the small."""
    level = column.folded()
    groups, small, members = [], [], {}
    for place, text in enumerate(level.values):
        inside = level.codes == place
        name = str(text) or "not given"
        if not inside.any():
            continue
        if not text or inside.sum() < LEAST_ROWS:
            small.append(name)
            continue
        members[name] = inside
        groups.append(_group(name, labels[inside], chances[inside], limits))
    least = limits.least_ratio
    thresholds = [_threshold(share, chances, members, least) for share in SHARES] if len(members) > 1 else []
    says = [_of_group(one) for one in groups if not one.passes]
    says += [
        f"of the best {one.share:.0%} by score, {one.worst} has {one.ratio:.2f} of the share of the group with most "
        f"(at least {least:.2f} is asked)"
        for one in thresholds
        if not one.passes
    ]
    ordered = tuple(sorted(groups, key=lambda one: (-one.rows, one.name)))
    return Audit(attribute, ordered, tuple(sorted(small)), tuple(thresholds), not says, tuple(says))


def _group(name: str, labels: Floats, chances: Floats, limits: Limits) -> Group:
    count = len(labels)
    rate, score = float(labels.mean()), float(chances.mean())
    wrong = 1.96 * float(np.std(chances - labels)) / sqrt(count)
    gap = score - rate
    found, chance = ece(labels, chances), by_chance(chances)
    apart = max(abs(gap) - wrong, 0.0)
    return Group(
        name, count, int(labels.sum()), rate, score, gap, gap - wrong, gap + wrong,
        auc(labels, chances), found, chance, apart <= limits.most_gap and found - chance <= limits.most_excess,
    )  # fmt: skip


def by_chance(chances: Floats) -> float:
    """The calibration error to be expected of a perfect score on these rows: the mean deviation of a binomial rate in
    each bin, ``sqrt(2 p (1 − p) / (π n))``, weighted by rows."""
    every = bands(np.zeros_like(chances), chances)
    return sum(
        one.rows / len(chances) * sqrt(2.0 * one.score * (1.0 - one.score) / (np.pi * one.rows)) for one in every
    )


def _threshold(share: float, chances: Floats, members: dict[str, Floats], least: float) -> Threshold:
    score = float(np.quantile(chances, 1.0 - share))
    selected = {name: float((chances[inside] >= score).mean()) for name, inside in members.items()}
    most, worst = max(selected.values()), min(selected, key=lambda name: (selected[name], name))
    ratio = selected[worst] / most if most else 1.0
    return Threshold(share, score, selected, ratio, worst, ratio >= least)


def _of_group(one: Group) -> str:
    return (
        f"{one.name}: mean score {one.score:.3f}, rate {one.rate:.3f} ({one.gap:+.3f}, {one.gap_low:+.3f} to "
        f"{one.gap_high:+.3f}); calibration error {one.ece:.3f}, {one.ece_by_chance:.3f} by chance"
    )


class Proxy(Struct, frozen=True):
    """How well the features tell the attribute: together, and each that does so notably alone (AUC out of fold)."""

    attribute: str
    group: str
    auc: float
    columns: tuple[tuple[str, float], ...]
    passes: bool


PROXY = USUAL.proxy
"""The usual AUC from which features together are a proxy for the attribute."""


class Alternative(Struct, frozen=True):
    """The same recipe without some columns: what it loses in AUC, and the worst adverse-impact ratio it has."""

    without: tuple[str, ...]
    auc: float
    log_loss: float
    ratio: float
    within: bool


def worst_ratio(found: Sequence[Audit]) -> float:
    """The least adverse-impact ratio over attributes and thresholds; 1 where there is none."""
    return min((one.ratio for each in found for one in each.thresholds), default=1.0)

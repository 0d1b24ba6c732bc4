"""Whether the columns a model reads tell a protected attribute, and whether a model without the worst does as well.

The proxy test predicts the attribute from the features; the search for a less discriminatory alternative fits the same
recipe without the columns that tell it best and compares.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leadmill.learning.additive import fit_additive, layout_of, one_hot
from leadmill.learning.binning import binned, out_of_fold
from leadmill.learning.boosting import Say
from leadmill.learning.building import Naming, build, chances_of, drawn_rows
from leadmill.learning.calibrating import log_loss, sigmoids
from leadmill.learning.design import draft_features, lay_out
from leadmill.learning.fairness import PROXY, Alternative, Proxy, worst_ratio
from leadmill.learning.figures import auc
from leadmill.learning.fitting import Effort, Recipe
from leadmill.learning.folds import stratified
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Limits
from leadmill.learning.slices import audits_of
from leadmill.learning.table import Floats, Table

_MOST_ROWS = 20_000
_FOLDS, _PENALTY = 3, 8.0
_NOTABLE = 0.55
_MOST_DROPPED = 4


def proxies(
    table: Table, used: Sequence[Profile], protected: Sequence[str], seed: int, limit: float = PROXY
) -> tuple[Proxy, ...]:
    """How well the features tell each protected attribute: its largest group against all others."""
    if table.rows > _MOST_ROWS:
        table = table.take(np.sort(np.random.default_rng(seed).choice(table.rows, _MOST_ROWS, replace=False)))
    found = []
    for name in protected:
        level = table.columns[name].folded()
        counts = np.bincount(level.codes, minlength=len(level.values))
        most = int(np.argmax(counts))
        truth = (level.codes == most).astype(np.float64)
        if min(truth.sum(), len(truth) - truth.sum()) < 20:
            continue
        folds = stratified(truth, _FOLDS, seed)
        alone = []
        for one in used:
            bins, _ = binned(table.columns[one.name], one)
            reached = auc(truth, out_of_fold(bins, truth, folds))
            if reached >= _NOTABLE:
                alone.append((one.name, reached))
        alone.sort(key=lambda item: (-item[1], item[0]))
        together = _together(table, used, truth, folds)
        found.append(Proxy(name, str(level.values[most]) or "not given", together, tuple(alone), together < limit))
    return tuple(found)


def _together(table: Table, used: Sequence[Profile], truth: Floats, folds: Any) -> float:
    design = lay_out(table, draft_features(table, used))
    layout = layout_of(design.drafts, {})
    rows = one_hot(design, layout)
    scores = np.empty(len(truth))
    for fold in np.unique(folds):
        out = folds == fold
        model, _ = fit_additive(rows[np.flatnonzero(~out)], layout, truth[~out], _PENALTY)
        scores[out] = sigmoids(model.sums(design.take(out)))
    return auc(truth, scores)


def alternatives(
    features: Table,
    used: Sequence[Profile],
    labels: Floats,
    held_back: Any,
    tested: Table,
    protected: Sequence[str],
    limits: Limits,
    told: Sequence[Proxy],
    recipe: Recipe,
    reached: float,
    tolerance: float,
    signs: Mapping[str, int],
    effort: Effort,
    naming: Naming,
    say: Say,
) -> tuple[Alternative, ...]:
    """Without the columns that tell protected attributes best, one more at a time; ``within`` is whether AUC falls by
    the tolerance at most. The best ratio first."""
    alone: dict[str, float] = {}
    for proxy in told:
        for name, each in proxy.columns:
            alone[name] = max(alone.get(name, 0.0), each)
    worst = sorted(alone, key=lambda name: (-alone[name], name))[:_MOST_DROPPED]
    tries = [(name,) for name in worst] + [tuple(worst[:count]) for count in range(2, len(worst) + 1)]
    light = Effort(seeds=1, folds=3, threads=effort.threads, seed=effort.seed)
    learned, asked = np.flatnonzero(~held_back), np.flatnonzero(held_back)
    learned, judged = (rows[drawn_rows(labels[rows], effort.seed)] for rows in (learned, asked))
    truth, tested = labels[judged], tested.take(np.searchsorted(asked, judged))

    def without_those(left: Sequence[Profile], rest: Mapping[str, int]) -> Floats:
        kept = features.only([one.name for one in left])
        made = build(kept.take(learned), left, labels[learned], rest, light, naming, say, recipe)
        return chances_of(made, kept.take(judged), effort.threads)

    if tries and len(learned) + len(judged) < len(labels):
        reached = auc(truth, without_those(used, signs))  # by as few rows as the others
    found = []
    for number, without in enumerate(tries, 1):
        say("trying without columns, way", number, len(tries))
        left = [one for one in used if one.name not in without]
        if not left:
            continue
        chances = without_those(left, {name: sign for name, sign in signs.items() if name not in without})
        ratio = worst_ratio(audits_of(tested, truth, chances, protected, limits))
        score = auc(truth, chances)
        found.append(Alternative(without, score, log_loss(truth, chances), ratio, score >= reached - tolerance))
    return tuple(sorted(found, key=lambda one: (not one.within, -one.ratio, -one.auc)))

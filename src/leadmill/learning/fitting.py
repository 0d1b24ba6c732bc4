"""From rows and outcomes to a model: additive and trees cross-validated, blended, calibrated, fitted on all rows.

What is chosen (penalty, settings and rounds of the trees, their weight, the calibration) is chosen on rows out of fold,
within the rows that are given; how good the result is must be seen on others, which :mod:`leadmill.learning.training`
does. Deterministic for a seed and a number of settings tried.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct, structs

from leadmill.learning.additive import PENALTIES, STEPS, Additive, fit_additive, layout_of, one_hot
from leadmill.learning.boosting import Part, Say, Setting, Tried, fit_trees, settings_in_order, sums_of, try_setting
from leadmill.learning.calibrating import apply_many, choose, log_loss, sigmoids
from leadmill.learning.design import Design, Draft, read_by_trees
from leadmill.learning.figures import ece
from leadmill.learning.folds import stratified
from leadmill.learning.model import Calibration
from leadmill.learning.table import Codes, Floats

WEIGHTS = tuple(step / 10 for step in range(11))
"""Of the trees in the blend."""
_MOST_TRIES = 40
MOST_ADDITIVE = 200_000
"""Rows from which the additive model is fitted on a draw of so many."""
_MOST_LEAVES = 9_000
"""Of all trees of a model: TreeSHAP of so many takes a millisecond or two."""
_MOST_GROWN, _FASTEST = 600, 0.15
"""Rounds of trees fitted on very many rows, where each takes long: of more, learning goes so many times faster instead,
up to this rate."""
_ENOUGH_FOLDS = 2
"""Folds on which the penalty is chosen: its optimum is flat."""


class Effort(Struct, frozen=True):
    """How hard to try: seconds for tuning (at least one setting is tried), or a fixed number of settings; folds, seeds
    joined in one model, threads."""

    budget_s: float = 60.0
    tries: int | None = None
    folds: int = 5
    seeds: int = 2
    threads: int = 2
    seed: int = 0


class Recipe(Struct, frozen=True):
    """What was chosen, enough to fit the same kind of model on other rows."""

    penalty: float
    setting: Setting
    rounds: int
    weight: float
    tried: int
    steps: float = STEPS[0]


class Chosen(Struct, frozen=True):
    """A recipe with the evidence for it: every row's log-odds out of fold, blended, and the log-loss of each part."""

    recipe: Recipe
    sums: Floats
    folds: Codes
    losses: dict[str, float]
    calibration: Calibration


class Fitted(Struct, frozen=True):
    """A fitted model: the additive part, the trees as text (empty for none), and what trees read for categories."""

    recipe: Recipe
    additive: Additive
    trees: bytes
    seeds: int
    rates: dict[int, Floats]


def tree_signs(drafts: Sequence[Draft], signs: Mapping[str, int]) -> tuple[int, ...]:
    """The trees' monotone constraints, feature by feature."""
    return tuple(signs.get(draft.column, 0) if draft.ordered else 0 for draft in drafts)


def choose_recipe(
    design: Design,
    labels: Floats,
    signs: Mapping[str, int],
    effort: Effort,
    same: Codes | None,
    say: Say,
    clock: Callable[[], float] = time.monotonic,
) -> Chosen:
    """Cross-validate additive models and trees and blend the best of each by the least log-loss out of fold."""
    began = clock()
    say("weighing the columns", 0, None)
    folds = stratified(labels, effort.folds, effort.seed, same)
    (penalty, steps), additive = _choose_penalty(design, labels, signs, folds)
    say("tuning", 1, None)
    parts = parts_of(design, labels, folds, effort)
    nth, limits = settings_in_order(effort.seed), tree_signs(design.drafts, signs)
    best: list[Tried] = []
    number, longest = 0, 0.0
    while number < (effort.tries if effort.tries is not None else _MOST_TRIES):
        started = clock()
        spent = started - began
        if effort.tries is None and number and spent + longest * (1 + 0.5 * effort.seeds) > effort.budget_s:
            break
        best.append(try_setting(parts, design.rows, nth(number), effort.seed, effort.threads, limits))
        best = sorted(best, key=lambda one: one.loss)[:1]
        number += 1
        longest = max(longest, clock() - started)
        say("tuning", number + 1, None)
    sums = best[0].sums
    if effort.seeds > 1:
        seeds = _seeds(effort, best[0].setting, best[0].rounds)
        sums = sums_of(parts, design.rows, best[0], seeds, effort.threads, limits)
    losses = {weight: log_loss(labels, sigmoids(weight * sums + (1.0 - weight) * additive)) for weight in WEIGHTS}
    weight = min(losses, key=lambda each: (round(losses[each], 6), each))
    blended = weight * sums + (1.0 - weight) * additive
    calibration = choose(blended, labels, folds, ece)
    told = {"additive": losses[0.0], "trees": losses[1.0], "blend": losses[weight]}
    recipe = Recipe(penalty, best[0].setting, best[0].rounds, weight, number, steps)
    return Chosen(recipe, blended, folds, told, calibration)


def sums_by(
    recipe: Recipe, design: Design, labels: Floats, signs: Mapping[str, int], effort: Effort, same: Codes | None
) -> Chosen:
    """What a recipe that was chosen before comes to on these rows, out of fold, with a calibration of its own."""
    folds = stratified(labels, effort.folds, effort.seed, same)
    _, additive = _choose_penalty(design, labels, signs, folds, (recipe.penalty,), (recipe.steps,))
    sums = additive
    if recipe.weight > 0.0:
        parts = parts_of(design, labels, folds, effort)
        tried = Tried(recipe.setting, recipe.rounds, 0.0, additive)
        limits = tree_signs(design.drafts, signs)
        seeds = _seeds(effort, recipe.setting, recipe.rounds)
        trees = sums_of(parts, design.rows, tried, seeds, effort.threads, limits)
        sums = recipe.weight * trees + (1.0 - recipe.weight) * additive
    losses = {"additive": log_loss(labels, sigmoids(additive)), "blend": log_loss(labels, sigmoids(sums))}
    return Chosen(recipe, sums, folds, losses, choose(sums, labels, folds, ece))


def calibrated(chosen: Chosen, labels: Floats) -> Floats:
    """Each row's probability out of fold, calibrated by the folds it is not in."""
    found = np.empty_like(chosen.sums)
    for fold in np.unique(chosen.folds):
        out = chosen.folds == fold
        by = choose(chosen.sums[~out], labels[~out], chosen.folds[~out], ece)
        found[out] = apply_many(by, chosen.sums[out])
    return found


def fit(
    design: Design,
    labels: Floats,
    signs: Mapping[str, int],
    recipe: Recipe,
    effort: Effort,
    more: float,
    say: Say,
) -> Fitted:
    """A model by a recipe on these rows, with ``more`` times its rounds; a part whose weight is nothing is left out."""
    layout = layout_of(design.drafts, signs, recipe.steps)
    some = _some(design.rows, effort.seed)
    additive, _ = fit_additive(one_hot(design.take(some), layout), layout, labels[some], recipe.penalty)
    folds = stratified(labels, effort.folds, effort.seed)
    every = np.arange(design.rows)
    rows, _, rates = read_by_trees(design, labels, every, every[:1], folds)
    trees = b""
    seeds = _seeds(effort, recipe.setting, recipe.rounds)
    if recipe.weight > 0.0:
        limits = tree_signs(design.drafts, signs)
        grown = round(recipe.rounds * more * (1.0 + 0.5 / max(effort.folds - 1, 1)))
        setting = recipe.setting
        if more > 1.0:
            setting, grown = hastened(setting, grown)
        trees = fit_trees(rows, labels, setting, grown, seeds, effort.threads, limits, say)
    return Fitted(recipe, additive, trees, len(seeds), rates)


def hastened(setting: Setting, rounds: int) -> tuple[Setting, int]:
    """A setting that comes about as far in fewer rounds, where they are very many: rate times rounds is kept."""
    rate = setting.learning_rate
    if rounds <= _MOST_GROWN or rate >= _FASTEST:
        return setting, rounds
    faster = min(rounds / _MOST_GROWN, _FASTEST / rate)
    return structs.replace(setting, learning_rate=rate * faster), round(rounds / faster)


def parts_of(design: Design, labels: Floats, folds: Codes, effort: Effort) -> list[Part]:
    """Each fold as the trees see it; categories' rates are made inside its training rows alone."""
    found = []
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        inner = stratified(labels[train], effort.folds, effort.seed + 1)
        placed = np.zeros(design.rows, dtype=np.int64)
        placed[train] = inner
        here, there, _ = read_by_trees(design, labels, train, test, placed)
        found.append(Part(here, there, labels[train], labels[test], test))
    return found


def _seeds(effort: Effort, setting: Setting, rounds: int) -> list[int]:
    """The seeds that are joined: as many as asked, and as the time of a row with its reasons allows."""
    most = max(1, min(effort.seeds, _MOST_LEAVES // (rounds * setting.num_leaves)))
    return [effort.seed * 1_000 + number for number in range(1, most + 1)]


def _some(rows: int, seed: int) -> Codes:
    if rows <= MOST_ADDITIVE:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ADDITIVE, replace=False))


def _choose_penalty(
    design: Design,
    labels: Floats,
    signs: Mapping[str, int],
    folds: Codes,
    penalties: Sequence[float] = PENALTIES,
    steps: Sequence[float] = STEPS,
) -> tuple[tuple[float, float], Floats]:
    """The penalty and the price of steps with the least log-loss out of fold, and the log-odds out of fold under them.
    Steps are priced under the best penalty."""
    layouts = {each: layout_of(design.drafts, signs, each) for each in steps}
    rows = one_hot(design, layouts[steps[0]])

    def sums_of_fold(fold: int, way: tuple[float, float], start: Floats | None) -> tuple[Floats, Floats]:
        inside = np.flatnonzero(folds != fold)
        inside = inside[_some(len(inside), fold)]
        model, parameters = fit_additive(rows[inside], layouts[way[1]], labels[inside], way[0], start)
        return model.sums(design.take(folds == fold)), parameters

    each = [int(fold) for fold in np.unique(folds)]
    losses: dict[tuple[float, float], float] = {}
    starts: dict[int, Floats | None] = {}

    def try_out(way: tuple[float, float]) -> None:
        losses[way] = 0.0
        for fold in each[:_ENOUGH_FOLDS]:
            sums, starts[fold] = sums_of_fold(fold, way, starts.get(fold))
            losses[way] += log_loss(labels[folds == fold], sigmoids(sums))

    best = (penalties[0], steps[0])
    if len(penalties) * len(steps) > 1:
        for penalty in sorted(penalties, reverse=True):  # the strongest is found soonest, and is near the next
            try_out((penalty, steps[0]))
        best = min(losses, key=lambda way: losses[way])
        for price in steps[1:]:
            try_out((best[0], price))
        best = min(losses, key=lambda way: losses[way])
    found = np.empty(design.rows)
    for fold in each:
        found[folds == fold] = sums_of_fold(fold, best, None)[0]
    return best, found

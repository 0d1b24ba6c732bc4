"""Boosted trees in training: settings to try, folds with one common number of rounds, several seeds as one model.

LightGBM does the work (its package is loaded here, by training alone). Every run is deterministic for its seed and the
number of settings tried, whatever the number of threads.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.learning.heavy import lightgbm
from leadmill.learning.table import Codes, Floats

Say = Callable[[str, int, int | None], None]
"""Told what is being done, how far, and of how many."""
MOST_ROUNDS = 1_200
_PATIENCE = 60


class Setting(Struct, frozen=True):
    """What is set of the trees; see LightGBM's parameters of the same names."""

    learning_rate: float = 0.04
    num_leaves: int = 12
    min_data_in_leaf: int = 30
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.8
    lambda_l2: float = 5.0
    max_depth: int = -1
    extra_trees: bool = False


FIRST = (
    Setting(0.05, 4, 20, 0.6, 0.8, 5.0),
    Setting(0.05, 31, 20, 0.7, 0.9, 5.0, extra_trees=True),
    Setting(),
    Setting(0.03, 6, 30, 0.4, 0.8, 10.0),
    Setting(0.04, 24, 40, 0.5, 0.7, 10.0),
    Setting(0.03, 8, 60, 0.25, 0.7, 20.0),
)
"""Settings that are tried before others are drawn."""


def settings_in_order(seed: int) -> Callable[[int], Setting]:
    """The n-th setting to try: first the usual ones, then drawn ones."""
    draw = np.random.default_rng(seed)
    drawn: list[Setting] = list(FIRST)

    def nth(number: int) -> Setting:
        while len(drawn) <= number:
            drawn.append(
                Setting(
                    learning_rate=float(draw.choice([0.02, 0.03, 0.05])),
                    num_leaves=int(draw.choice([4, 6, 8, 12, 16, 24, 40])),
                    min_data_in_leaf=int(draw.choice([10, 20, 40, 80])),
                    feature_fraction=float(draw.choice([0.2, 0.3, 0.5, 0.7, 0.9])),
                    bagging_fraction=float(draw.choice([0.6, 0.8, 1.0])),
                    lambda_l2=float(draw.choice([1.0, 5.0, 20.0, 50.0])),
                    extra_trees=bool(draw.random() < 0.3),
                )
            )
        return drawn[number]

    return nth


def parameters(setting: Setting, seed: int, threads: int, signs: Sequence[int]) -> dict[str, Any]:
    """LightGBM's parameters."""
    found: dict[str, Any] = {
        "objective": "binary",
        "metric": "binary_logloss",
        "verbosity": -1,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
        "bagging_freq": 1,
        "max_bin": 127,
        "min_data_in_bin": 3,
        "learning_rate": setting.learning_rate,
        "num_leaves": setting.num_leaves,
        "min_data_in_leaf": setting.min_data_in_leaf,
        "feature_fraction": setting.feature_fraction,
        "bagging_fraction": setting.bagging_fraction,
        "lambda_l2": setting.lambda_l2,
        "max_depth": setting.max_depth,
        "extra_trees": setting.extra_trees,
    }
    if any(signs):
        found["monotone_constraints"] = list(signs)
        found["monotone_constraints_method"] = "advanced"
    return found


class Part(Struct, frozen=True):
    """One fold: what the trees read of its training and its test rows, and their outcomes."""

    train: Floats
    test: Floats
    labels: Floats
    outcomes: Floats
    places: Codes


class Tried(Struct, frozen=True):
    """A setting over all folds: its least log-loss, at how many rounds, and each row's log-odds from the fold it was
    not trained in."""

    setting: Setting
    rounds: int
    loss: float
    sums: Floats


def try_setting(
    parts: Sequence[Part], rows: int, setting: Setting, seed: int, threads: int, signs: Sequence[int]
) -> Tried:
    """Cross-validate a setting; all folds stop at the round that is best for them together."""
    library = lightgbm()
    given = parameters(setting, seed, threads, signs)
    boosters, curves = [], []
    for part in parts:
        seen: dict[str, Any] = {}
        train = library.Dataset(part.train, part.labels, params=given, free_raw_data=True)
        test = library.Dataset(part.test, part.outcomes, params=given, reference=train, free_raw_data=True)
        boosters.append(
            library.train(
                given, train, MOST_ROUNDS, valid_sets=[test], valid_names=["test"],
                callbacks=[library.early_stopping(_PATIENCE, verbose=False), library.record_evaluation(seen)],
            )
        )  # fmt: skip
        curves.append(np.array(seen["test"]["binary_logloss"]))
    longest = max(len(curve) for curve in curves)
    weights = np.array([len(part.outcomes) for part in parts], dtype=np.float64)
    padded = np.stack([np.pad(curve, (0, longest - len(curve)), mode="edge") for curve in curves])
    together = (padded * weights[:, None]).sum(axis=0) / weights.sum()
    rounds = int(np.argmin(together)) + 1
    sums = np.empty(rows)
    for booster, part in zip(boosters, parts, strict=True):
        sums[part.places] = booster.predict(part.test, raw_score=True, num_iteration=rounds, num_threads=threads)
    return Tried(setting, rounds, float(together[rounds - 1]), sums)


def sums_of(
    parts: Sequence[Part], rows: int, tried: Tried, seeds: Sequence[int], threads: int, signs: Sequence[int]
) -> Floats:
    """Each row's log-odds from the folds it was not trained in, as the mean over several seeds."""
    library = lightgbm()
    sums = np.zeros(rows)
    for seed in seeds:
        given = parameters(tried.setting, seed, threads, signs)
        for part in parts:
            booster = library.train(given, library.Dataset(part.train, part.labels, params=given), tried.rounds)
            sums[part.places] += booster.predict(part.test, raw_score=True, num_threads=threads)
    return sums / len(seeds)


def fit_trees(
    rows: Floats,
    labels: Floats,
    setting: Setting,
    rounds: int,
    seeds: Sequence[int],
    threads: int,
    signs: Sequence[int],
    say: Say,
) -> bytes:
    """The trees of several seeds as one model in LightGBM's text; its sums are the sums over the seeds."""
    library = lightgbm()
    whole: Any = None

    def tell(state: Any) -> None:
        say("growing trees, round", state.iteration + 1, rounds)

    for seed in seeds:
        given = parameters(setting, seed, threads, signs)
        booster = library.train(given, library.Dataset(rows, labels, params=given), rounds, callbacks=[tell])
        alone = library.Booster(model_str=booster.model_to_string())
        if whole is None:
            whole = alone
        elif library.basic._LIB.LGBM_BoosterMerge(whole._handle, alone._handle):
            raise Permanent("learning.trees.broken", "trees of several seeds do not join")
    text = whole.model_to_string()
    return str(text).encode()

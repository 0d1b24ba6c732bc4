"""The model card: what the model is made of, how good it is and for whom, what was left out, what it is not good for.

One dictionary of plain values, written as ``card.json`` for programs and, by :mod:`leadmill.learning.cardtext`, as
``card.md`` for people. Nothing of a single row stands in it; levels of categories do.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
import numpy as np

from leadmill.learning.calibrating import Floats
from leadmill.learning.figures import bands
from leadmill.learning.fitting import MOST_ADDITIVE
from leadmill.learning.model import Card, CategoryFeature, Feature, NumberFeature
from leadmill.learning.scoring import Model
from leadmill.learning.table import Table
from leadmill.learning.training import Asked, Trained

_MOST_EXPLAINED = 4_000
_SHOWN_LEVELS = 12
_DECILES = tuple(step / 10 for step in range(1, 10))
LIBRARIES = ("lightgbm", "numpy", "scipy")


def card_of(trained: Trained, asked: Asked, model: Model, source: str, source_digest: str, made_at: str) -> Card:
    """The card of a trained model. ``made_at`` is the caller's word for when."""
    built, look, recipe = trained.built, trained.look, trained.built.chosen.recipe
    labels, chances = trained.held_labels, trained.held_chances
    rows, share = len(trained.labels), float(trained.labels.mean())
    sample = _sample(trained.table, asked.effort.seed)
    effects = model.effects_columns(sample.cells(), sample.rows, asked.effort.threads)
    found: dict[str, Any] = {
        "digest": model.digest,
        "target": asked.target,
        "positive": look.outcomes.positive,
        "made_at": made_at,
        "data": {
            "file": source,
            "sha256": source_digest,
            "rows": rows,
            "events": int(trained.labels.sum()),
            "base_rate": share,
            "without_outcome": trained.unknown,
            "window": trained.window,
            "time": asked.time,
            "history": asked.history,
        },
        "holdout": {
            "by": "time" if trained.by_time else "chance",
            "figures": trained.held,
            "calibration": bands(labels, chances),
        },
        "in_use": trained.beside,
        "compared": trained.compared,
        "chronological": trained.chronological,
        "method": {
            "recipe": recipe,
            "calibration": built.form.calibration.method,
            "log_loss_out_of_fold": built.chosen.losses,
            "monotone": dict(asked.monotone),
        },
        "columns": look.profiles,
        "left_out": look.left_out,
        "suspects": look.suspects,
        "importance": importance(model, effects),
        "effects": _effects(model.form.features, model, sample, effects),
        "slices": trained.slices,
        "fairness": {
            "protected": list(asked.protected),
            "barred": list(asked.barred),
            "least_ratio": asked.limits.least_ratio,
            "limits": asked.limits,
            "pack": asked.pack,
            "audits": trained.audits,
            "proxies": trained.proxies,
            "alternatives": trained.alternatives,
            "passes": trained.passes,
        },
        "reference": reference(model, trained, asked.effort.threads),
        "limits": limits(trained, asked),
        "settings": asked.effort,
        "versions": _versions(),
    }
    plain: Card = msgspec.to_builtins(found)
    return plain


def importance(model: Model, effects: Floats) -> list[dict[str, Any]]:
    """Each column's mean distance from the average row, in log-odds; the strongest first."""
    mean = np.abs(effects).mean(axis=0) if len(effects) else np.zeros(len(model.columns))
    whole = float(mean.sum()) or 1.0
    told = [
        {"column": column.name, "mean_effect": float(each), "share": float(each) / whole}
        for column, each in zip(model.columns, mean, strict=True)
    ]
    return sorted(told, key=lambda one: (-float(one["mean_effect"]), str(one["column"])))


def _effects(features: Sequence[Feature], model: Model, sample: Table, effects: Floats) -> list[dict[str, Any]]:
    """The global view: for each column its mean effect by bin or level, over a draw of rows."""
    places = {column.name: place for place, column in enumerate(model.columns)}
    told: list[dict[str, Any]] = []
    for feature in features:
        column = sample.columns[feature.column]
        mine = effects[:, places[feature.column]]
        if isinstance(feature, NumberFeature):
            if feature.part.partition(",")[0] not in ("value", "time of day"):
                continue
            points = _of_number(feature, column, mine)
        else:
            points = _of_category(feature, column, mine)
        told.append({"column": feature.column, "points": points})
    return told


def _of_number(feature: NumberFeature, column: Any, mine: Floats) -> list[dict[str, Any]]:
    numbers = column.part(feature.part)
    known = ~np.isnan(numbers)
    points = []
    if known.any():
        borders = np.unique(np.quantile(numbers[known], _DECILES))
        inside = np.searchsorted(borders, numbers, side="left")
        for place in range(len(borders) + 1):
            rows = known & (inside == place)
            if rows.any():
                low, high = float(numbers[rows].min()), float(numbers[rows].max())
                points.append({"from": low, "to": high, "rows": int(rows.sum()), "effect": float(mine[rows].mean())})
    if (~known).any():
        points.append({"missing": True, "rows": int((~known).sum()), "effect": float(mine[~known].mean())})
    return points


def _of_category(feature: CategoryFeature, column: Any, mine: Floats) -> list[dict[str, Any]]:
    level = column.folded()
    counts = np.bincount(level.codes, minlength=len(level.values))
    points = []
    for place in np.argsort(-counts, kind="stable")[:_SHOWN_LEVELS]:
        if not counts[place]:
            continue
        effect = float(mine[level.codes == place].mean())
        text = str(level.values[place])
        named: dict[str, Any] = {"level": text} if text else {"missing": True}
        points.append({**named, "rows": int(counts[place]), "effect": effect})
    return points


def reference(model: Model, trained: Trained, threads: int) -> dict[str, Any]:
    """What later rows are compared with to see drift: shares of the score's tenths and of each column's bins."""
    chances = trained.built.chances[~np.isnan(trained.built.chances)]
    edges = [float(np.quantile(chances, step)) for step in _DECILES]
    shares = np.bincount(np.searchsorted(edges, chances, side="right"), minlength=10) / max(len(chances), 1)
    columns = {}
    for feature in model.form.features:
        column = trained.table.columns[feature.column]
        if isinstance(feature, NumberFeature):
            numbers = column.part(feature.part)
            known = numbers[~np.isnan(numbers)]
            borders = np.unique(np.quantile(known, _DECILES)).tolist() if len(known) else []
            inside = np.searchsorted(borders, known, side="left")
            counts = np.bincount(inside, minlength=len(borders) + 1)
            told: dict[str, Any] = {"edges": borders, "shares": (counts / len(numbers)).tolist()}
            columns[f"{feature.column}: {feature.part}"] = told | {"missing": float(np.isnan(numbers).mean())}
        else:
            level = column.folded()
            parts = np.bincount(level.codes, minlength=len(level.values)) / max(len(level.codes), 1)
            order = [int(place) for place in np.argsort(-parts, kind="stable") if level.values[place]][:50]
            by_level = {str(level.values[place]): float(parts[place]) for place in order if parts[place]}
            none = [place for place, text in enumerate(level.values) if not text]
            columns[feature.column] = {"levels": by_level, "missing": float(parts[none].sum()) if none else 0.0}
    return {"score": {"edges": edges, "shares": shares.tolist()}, "columns": columns}


def limits(trained: Trained, asked: Asked) -> list[str]:
    """What the model is not good for, as far as training can know."""
    said = ["A score is a chance among rows like those it learned from; it is no statement about a person."]
    if asked.time is None:
        says = "Rows were held back by chance: figures on later rows are often worse. Name a time column with --time."
        said.append(says)
    together = trained.chronological
    if together is not None and together.random.auc - together.later.auc > 0.02:
        worse = together.random.auc - together.later.auc
        says = f"Random folds flatter by {worse:.3f} of AUC: the world moved. Fit again often."
        said.append(says)
    drawn = len(trained.built.chosen.sums)
    if drawn < len(trained.labels):
        said.append(
            f"Of {len(trained.labels):,} rows {drawn:,} were drawn, by which settings, rounds, blend and calibration "
            "were chosen and on which tests in the order of time and models without some columns rest; trees are "
            f"fitted on all, of one seed, additive effects on {min(len(trained.labels), MOST_ADDITIVE):,}."
        )
    if trained.unknown:
        share = trained.unknown / (trained.unknown + len(trained.labels))
        says = f"{trained.unknown:,} rows ({share:.0%}) had no outcome yet and were left out: are they like the others?"
        said.append(says)
    if trained.beside is not None:
        says = "The model in use may have learned from rows that were held back here: then it looks better than it is."
        said.append(says)
    if trained.held.events < 100:
        said.append(f"Only {trained.held.events} events were held back: read the intervals, not the figures.")
    if trained.held.ece > 0.05:
        says = f"On rows held back the calibration error is {trained.held.ece:.3f}: use the order, not the chances."
        said.append(says)
    doubtful = sorted({name for one in trained.look.suspects if not one.clear for name in one.columns})
    kept = [name for name in doubtful if name not in trained.look.left_out]
    if kept:
        said.append(f"In doubt whether known at the time of scoring: {', '.join(kept)}.")
    if not asked.protected:
        said.append("No protected attribute was given, so nothing is known of how it treats groups.")
    return said


def _sample(table: Table, seed: int) -> Table:
    if table.rows <= _MOST_EXPLAINED:
        return table
    return table.take(np.sort(np.random.default_rng(seed).choice(table.rows, _MOST_EXPLAINED, replace=False)))


def _versions() -> Mapping[str, str]:
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for name in ("leadmill", *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found

"""The contenders of ``bench score``: each learns from training rows and gives the chances of test rows.

All get the same columns of the same folds. The peers are made as their guides show: logistic regression of scikit-learn
over one-hot categories and scaled numbers, LightGBM with its defaults and native categories, and naive Bayes over
values as Odoo's predictive lead scoring counts them. None sees the test rows' outcomes.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from leadmill.learning.binning import binned, numbers_of
from leadmill.learning.building import Naming, build, chances_of
from leadmill.learning.cells import number_of
from leadmill.learning.fitting import Effort
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Kind
from leadmill.learning.table import Floats, Table

_ODOO_SMOOTH = 0.1
"""What Odoo adds to every count, so that no value is impossible."""

Contender = Callable[[Table, Table, Sequence[Profile], Floats, Effort], Floats]


def leadmill(train: Table, test: Table, profiles: Sequence[Profile], labels: Floats, effort: Effort) -> Floats:
    """This program; tuning and calibration happen inside the training rows."""
    built = build(train, profiles, labels, {}, effort, Naming("outcome", "1"), lambda stage, done, total: None)
    return chances_of(built, test, effort.threads)


def logistic(train: Table, test: Table, profiles: Sequence[Profile], labels: Floats, effort: Effort) -> Floats:
    """scikit-learn's logistic regression with its defaults but for rounds."""
    linear = importlib.import_module("sklearn.linear_model")
    first, second = _wide(train, test, profiles)
    model = linear.LogisticRegression(max_iter=500)
    model.fit(first, labels)
    return np.asarray(model.predict_proba(second)[:, 1])


def lightgbm(train: Table, test: Table, profiles: Sequence[Profile], labels: Floats, effort: Effort) -> Floats:
    """LightGBM with its defaults: 100 rounds of 31 leaves, categories as such."""
    library = importlib.import_module("lightgbm")
    first, second, categories = _coded(train, test, profiles)
    given = {"objective": "binary", "verbosity": -1, "num_threads": effort.threads, "deterministic": True}
    data = library.Dataset(first, labels, categorical_feature=categories, params=given)
    booster = library.train(given, data, 100)
    return np.asarray(booster.predict(second, num_threads=effort.threads))


def odoo(train: Table, test: Table, profiles: Sequence[Profile], labels: Floats, effort: Effort) -> Floats:
    """Naive Bayes over values (numbers in bins), each with its frequency among won and among lost."""
    won = np.full(test.rows, np.log(labels.mean()))
    lost = np.full(test.rows, np.log(1.0 - labels.mean()))
    for one in profiles:
        bins, _ = binned(_both(train, test, one.name), one)
        here, there = bins[: train.rows], bins[train.rows :]
        size = int(bins.max(initial=0)) + 1
        for outcome, sums in ((1.0, won), (0.0, lost)):
            rows = here[labels == outcome]
            counts = np.bincount(rows, minlength=size) + _ODOO_SMOOTH
            sums += np.log(counts / (len(rows) + _ODOO_SMOOTH * size))[there]
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(lost - won, -700.0, 700.0))))


CONTENDERS: dict[str, tuple[Contender, str]] = {
    "leadmill": (leadmill, ""),
    "logistic": (logistic, "sklearn"),
    "lightgbm": (lightgbm, "lightgbm"),
    "odoo": (odoo, ""),
}
"""Each by its name, and the package it needs."""


def _both(train: Table, test: Table, name: str) -> Any:
    one, other = train.columns[name], test.columns[name]
    return type(one)(one.values, np.concatenate((one.codes, other.codes)))  # both were taken from one table


def _wide(train: Table, test: Table, profiles: Sequence[Profile]) -> tuple[Any, Any]:
    """Numbers scaled, none at their median with a mark; categories as one column a level."""
    parts = []
    for one in profiles:
        column = _both(train, test, one.name)
        if one.kind is Kind.CATEGORY:
            bins, _ = binned(column, one)
            known = np.unique(bins[: train.rows])
            parts.append((bins[:, None] == known[None, :]).astype(np.float64))
            continue
        numbers = numbers_of(column, one) if one.kind is not Kind.TEXT else column.numbers(number_of)
        none = np.isnan(numbers)
        here = numbers[: train.rows][~none[: train.rows]]
        middle = float(np.median(here)) if len(here) else 0.0
        filled = np.where(none, middle, numbers)
        mean, spread = float(filled[: train.rows].mean()), float(filled[: train.rows].std()) or 1.0
        parts.append(((filled - mean) / spread)[:, None])
        if none.any():
            parts.append(none[:, None].astype(np.float64))
    whole = np.concatenate(parts, axis=1)
    return whole[: train.rows], whole[train.rows :]


def _coded(train: Table, test: Table, profiles: Sequence[Profile]) -> tuple[Floats, Floats, list[int]]:
    parts, categories = [], []
    for place, one in enumerate(profiles):
        column = _both(train, test, one.name)
        if one.kind is Kind.CATEGORY:
            bins, _ = binned(column, one)
            known = {code: number for number, code in enumerate(np.unique(bins[: train.rows]).tolist())}
            parts.append(np.array([known.get(code, np.nan) for code in bins.tolist()]))
            categories.append(place)
        else:
            parts.append(numbers_of(column, one) if one.kind is not Kind.TEXT else column.numbers(number_of))
    whole = np.stack(parts, axis=1)
    return whole[: train.rows], whole[train.rows :], categories

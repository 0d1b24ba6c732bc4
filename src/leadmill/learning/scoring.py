"""A model at work: one row in some dozens of microseconds, its reasons, and whole columns.

Handed out by :func:`leadmill.learning.read_model`. Pure once it is read: the same row gives the same score, bit for
bit, alone or among a million.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadmill.learning.calibrating import apply_many, apply_one
from leadmill.learning.cells import COMMA, FALSE, TRUE, folding_of, reader_of
from leadmill.learning.model import Card, CategoryFeature, Column, Feature, Form, NumberFeature, Reason, Scored
from leadmill.learning.trees import Trees
from leadmill.learning.wording import in_words

Encode = Callable[[Any], tuple[float, float, int]]
"""A cell to what the trees read, the additive effect, and 0 known, 1 unseen, 2 missing."""
_SLAB = 50_000


def encoder_of(feature: Feature, edition: int) -> Encode:
    """How a cell of the feature's column is understood, in the edition of the model's form."""
    return _number(feature, edition) if isinstance(feature, NumberFeature) else _category(feature, edition)


def _number(feature: NumberFeature, edition: int) -> Encode:
    read, edges, effects, missing = reader_of(feature.part, edition), feature.edges, feature.effects, feature.missing
    slope, low, high, middle = feature.slope, feature.low, feature.high, feature.middle

    def encode(value: Any) -> tuple[float, float, int]:
        number = read(value)
        if number != number:
            return nan, missing, 2
        effect = effects[bisect_left(edges, number)]
        if slope:
            effect += slope * ((low if number < low else high if number > high else number) - middle)
        return number, effect, 0

    return encode


def _category(feature: CategoryFeature, edition: int) -> Encode:
    folded = folding_of(edition)
    known: dict[Any, tuple[float, float, int]] = {level: (*pair, 0) for level, pair in feature.levels.items()}
    for truth, texts in ((True, TRUE), (False, FALSE)):
        if found := next((known[text] for text in texts if text in known), None):
            known[f"bool {truth}"] = found
    missing, other = (*feature.missing, 2), (*feature.other, 1)
    rare = (*feature.other, 0)
    known |= dict.fromkeys(feature.rare, rare)

    def encode(value: Any) -> tuple[float, float, int]:
        found = known.get(value) if type(value) is str else None
        if found is not None:
            return found
        if value is True or value is False:
            return known.get(f"bool {value}", other)
        text = folded(value)
        return known.get(text, other) if text else missing

    return encode


class Model:
    """A model that was read. ``digest`` names its bytes; ``columns`` are those it looks at; ``card`` is its model card
    (empty where it came without one)."""

    def __init__(self, form: Form, trees: Trees | None, digest: str, card: Card) -> None:
        self.form = form
        self.digest = digest
        self.card = card
        self.columns: tuple[Column, ...] = form.columns
        self.target = form.target
        self.barred = frozenset(form.barred)
        self._commas = frozenset(
            one.column for one in form.features if isinstance(one, NumberFeature) and one.part.endswith(COMMA)
        )
        self._trees = trees
        self._steps = tuple(
            (place, feature.column, encoder_of(feature, form.cells)) for place, feature in enumerate(form.features)
        )
        self._row: Any = trees.row if trees is not None else [0.0] * len(form.features)

    def score(self, values: Mapping[str, Any]) -> Scored:
        """The probability for one row. Columns that are not there count as missing; others are passed over."""
        z, unseen, missing = self._log_odds(values)
        return Scored(apply_one(self.form.calibration, z), z, unseen, missing)

    def _log_odds(self, values: Mapping[str, Any]) -> tuple[float, int, int]:
        form, row, get = self.form, self._row, values.get
        z = form.intercept
        unseen = missing = 0
        for place, column, encode in self._steps:
            tree, effect, state = encode(get(column))
            row[place] = tree
            z += effect
            if state:
                if state == 1:
                    unseen += 1
                else:
                    missing += 1
        if self._trees is not None:
            z += form.tree_weight * (self._trees.sum_of_row() - form.tree_base)
        return z, unseen, missing

    def reasons(self, values: Mapping[str, Any], most: int = 4) -> tuple[Reason, ...]:
        """What moved this row's score most, in words: for a row below the average what speaks against it comes first,
        else what speaks for it. The effects of all columns add up to the distance from the average in log-odds."""
        every = self.effects(values)
        z, _, _ = self._log_odds(values)
        low = apply_one(self.form.calibration, z) < self.form.base_rate
        return self._told(values, every, low, most)

    def _told(self, values: Mapping[str, Any], every: Mapping[str, float], low: bool, most: int) -> tuple[Reason, ...]:
        first = sorted(every.items(), key=lambda item: (item[1] if low else -item[1], item[0]))
        with_it = [(column, effect) for column, effect in first if (effect < 0.0) is low and abs(effect) >= 0.005]
        against = [(column, effect) for column, effect in reversed(first) if (effect < 0.0) is not low]
        against = [(column, effect) for column, effect in against if abs(effect) >= 0.005]
        chosen = (with_it + against)[:most]
        kinds = {column.name: column.kind for column in self.columns}
        return tuple(
            in_words(column, kinds[column], values.get(column), effect, column in self._commas, self.form.cells)
            for column, effect in chosen
        )

    def effects(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Every column's effect on this row in log-odds before calibration, against the average row."""
        form = self.form
        found = dict.fromkeys((column.name for column in self.columns), 0.0)
        for place, column, encode in self._steps:
            tree, effect, _ = encode(values.get(column))
            self._row[place] = tree
            found[column] += effect
        if self._trees is not None:
            shares = self._trees.shares_of_row()
            for place, column, _ in self._steps:
                found[column] += form.tree_weight * shares[place]
        return found

    def columns_of(self, columns: Mapping[str, Sequence[Any]], rows: int) -> tuple[NDArray[np.float64], Any]:
        """Whole columns as the trees read them, and the additive part of each row's log-odds."""
        form = self.form
        trees = np.empty((rows, len(form.features)), dtype=np.float64)
        z = np.full(rows, form.intercept, dtype=np.float64)
        for place, column, encode in self._steps:
            tree, effect = _encode_many(encode, columns.get(column), rows)
            trees[:, place] = tree
            z += effect
        return trees, z

    def score_columns(self, columns: Mapping[str, Sequence[Any]], rows: int, threads: int = 2) -> NDArray[np.float64]:
        """The probability of each row of whole columns."""
        return apply_many(self.form.calibration, self.log_odds_columns(columns, rows, threads))

    def log_odds_columns(
        self, columns: Mapping[str, Sequence[Any]], rows: int, threads: int = 2
    ) -> NDArray[np.float64]:
        """The log-odds before calibration of each row of whole columns."""
        found = np.empty(rows, dtype=np.float64)
        for start in range(0, rows, _SLAB):
            end = min(rows, start + _SLAB)
            part = {name: values[start:end] for name, values in columns.items()}
            trees, z = self.columns_of(part, end - start)
            if self._trees is not None:
                z += self.form.tree_weight * (self._trees.sums(trees, threads) - self.form.tree_base)
            found[start:end] = z
        return found

    def effects_columns(self, columns: Mapping[str, Sequence[Any]], rows: int, threads: int = 2) -> NDArray[np.float64]:
        """Every column's effect on each row, as :meth:`effects`; one line a row, in the order of ``columns``."""
        form, places = self.form, {column.name: place for place, column in enumerate(self.columns)}
        found = np.zeros((rows, len(self.columns)), dtype=np.float64)
        trees = np.empty((rows, len(form.features)), dtype=np.float64)
        for place, column, encode in self._steps:
            tree, effect = _encode_many(encode, columns.get(column), rows)
            trees[:, place] = tree
            found[:, places[column]] += effect
        if self._trees is not None:
            shares = self._trees.shares(trees, threads)
            for place, column, _ in self._steps:
                found[:, places[column]] += form.tree_weight * shares[:, place]
        return found

    def tell_columns(
        self, columns: Mapping[str, Sequence[Any]], rows: int, most: int = 4, threads: int = 2
    ) -> tuple[NDArray[np.float64], list[tuple[Reason, ...]]]:
        """The probability of each row and its reasons."""
        chances = self.score_columns(columns, rows, threads)
        effects = self.effects_columns(columns, rows, threads)
        names = [column.name for column in self.columns]
        told = []
        for place in range(rows):
            values = {name: columns[name][place] for name in names if name in columns}
            every = dict(zip(names, effects[place].tolist(), strict=True))
            told.append(self._told(values, every, bool(chances[place] < self.form.base_rate), most))
        return chances, told


def _encode_many(encode: Encode, values: Sequence[Any] | None, rows: int) -> tuple[Any, Any]:
    """Each distinct cell is understood once, however many rows have it."""
    if values is None:
        tree, effect, _ = encode(None)
        return tree, effect
    known: dict[Any, int] = {}
    codes = np.fromiter((known.setdefault(value, len(known)) for value in values), dtype=np.int64, count=rows)
    pairs = np.array([encode(value)[:2] for value in known], dtype=np.float64).reshape(-1, 2)
    return pairs[codes, 0], pairs[codes, 1]

"""Whether rows are still like those a model learned from: into which bins they fall, and how far that is from then.

Pure; called by whoever watches a model at work. The bins are those of the model card's ``reference``: tenths of the
score, and of each column tenths of its numbers or its levels, and one for what is missing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.learning.cells import folding_of, reader_of
from leadmill.learning.scoring import Model

Floats = NDArray[np.float64]

_LEAST_SHARE = 0.005
"""Levels with a smaller share of the training data are one, “other”: chance alone moves them far."""
SCORE = "score"
"""The name under which the score itself is."""


class Reference(Struct, frozen=True):
    """The bins of a column, or of the score: what each is called, and its share of the training data."""

    name: str
    says: tuple[str, ...]
    shares: tuple[float, ...]


class Drifts:
    """Into which bins a row falls. ``references`` are the score's first and then each column's; ``rows`` is how many
    rows they were made from; ``edges`` are the borders of the score's tenths."""

    def __init__(
        self, references: tuple[Reference, ...], places: tuple[tuple[str, Callable[[Any], int]], ...],
        edges: tuple[float, ...], rows: int,
    ) -> None:  # fmt: skip
        self.references = references
        self.rows = rows
        self.edges = edges
        self._places = places

    def score_bin(self, probability: float) -> int:
        """The tenth of a score."""
        return bisect_right(self.edges, probability)

    def bins(self, values: Mapping[str, Any]) -> list[int]:
        """The bin of each column, in the order of the references after the score's."""
        return [place(values.get(column)) for column, place in self._places]


def drifts_of(model: Model) -> Drifts | None:
    """The bins of a model's card; None where it has no reference to compare with."""
    card = model.card
    told, data = card.get("reference"), card.get("data")
    if not isinstance(told, Mapping) or not isinstance(data, Mapping) or not told.get("score"):
        return None
    edges = tuple(float(edge) for edge in told["score"]["edges"])
    references = [Reference(SCORE, _between(edges), tuple(float(share) for share in told["score"]["shares"]))]
    places: list[tuple[str, Callable[[Any], int]]] = []
    columns, edition = told.get("columns", {}), model.form.cells
    for feature in model.form.features:
        part = getattr(feature, "part", "")
        name = f"{feature.column}: {part}" if part else feature.column
        found = columns.get(name)
        if found is None:
            continue
        reference, place = _number(name, part, found, edition) if part else _levels(name, found, edition)
        references.append(reference)
        places.append((feature.column, place))
    return Drifts(tuple(references), tuple(places), edges, int(data.get("rows", 0)))


def _number(name: str, part: str, told: Mapping[str, Any], edition: int) -> tuple[Reference, Callable[[Any], int]]:
    edges = [float(edge) for edge in told["edges"]]
    shares = [float(share) for share in told["shares"]]
    read, missing = reader_of(part, edition), len(edges) + 1

    def place(value: Any) -> int:
        number = read(value)
        return bisect_left(edges, number) if number == number else missing

    title = name.removesuffix(": value")
    return Reference(title, (*_between(tuple(edges)), "missing"), (*shares, float(told["missing"]))), place


def _levels(name: str, told: Mapping[str, Any], edition: int) -> tuple[Reference, Callable[[Any], int]]:
    levels = {str(level): float(share) for level, share in told["levels"].items() if share >= _LEAST_SHARE}
    missing = float(told["missing"])
    rest = max(0.0, 1.0 - sum(levels.values()) - missing)
    places = {level: number for number, level in enumerate(levels)}
    other, folded = len(levels), folding_of(edition)

    def place(value: Any) -> int:
        text = folded(value)
        return places.get(text, other) if text else other + 1

    return Reference(name, (*levels, "other", "missing"), (*levels.values(), rest, missing)), place


def _between(edges: tuple[float, ...]) -> tuple[str, ...]:
    if not edges:
        return ("any",)
    inner = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return (f"up to {edges[0]:.4g}", *inner, f"over {edges[-1]:.4g}")


def psi(counts: Floats, shares: Floats, rows: float) -> float:
    """The population stability index of counts against the shares of a reference of so many rows: the sum of
    (now − then) · log(now / then), each share with half a row more so that empty bins count as rare, not as
    impossible. Customary bounds are 0.1 and 0.25 (Siddiqi 2006)."""
    bins = len(shares)
    now = (counts + 0.5) / (counts.sum() + 0.5 * bins)
    then = (shares * rows + 0.5) / (rows + 0.5 * bins)
    return float(((now - then) * np.log(now / then)).sum())


def psi_by_chance(bins: int, rows: float, reference_rows: float) -> float:
    """What the index is on average though nothing changed: (bins − 1)(1/rows + 1/reference rows) (Yurdakul 2018)."""
    return (bins - 1) * (1.0 / max(rows, 1.0) + 1.0 / max(reference_rows, 1.0))

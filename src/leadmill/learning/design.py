"""Columns as models see them: bins of numbers, levels of categories, missing as a bin of its own.

Bins and levels come from the rows that are trained on, without a look at their outcomes; what does look at outcomes,
the rates that trees read for categories, is made fold by fold (:func:`read_by_trees`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.learning.cells import folded
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Kind
from leadmill.learning.table import Codes, Floats, Table

BINS = 32
"""Bins of a number at most."""
LEAST_ROWS = 5
"""A level with fewer rows than this is rare."""
SMOOTH = 20.0
"""How many rows of the base rate are added to a level's own before its rate is taken."""
LARGE_LEVEL = 150
"""Rows from which a level has one rate, its own outcomes in it."""
_MOST_LEVELS = 5_000
_ENDS = (0.005, 0.995)
_MOST_RARE, _LONGEST_RARE = 200, 40
"""Rare levels that are written down so that they do not count as never seen; where there are more, or longer ones, they
may be what tells persons, and none is."""


class Draft(Struct, frozen=True):
    """A feature before it was learned. A number has ``edges``: bin i goes up to edge i, and after the last bin comes
    that of none; ``low``, ``high``, ``middle`` and ``unit`` (0: none) say where its slope holds. A category has
    ``levels``, then the bin of rare and unseen ones, then that of none."""

    column: str
    kind: Kind
    part: str = ""
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    middle: float = 0.0
    unit: float = 0.0

    @property
    def ordered(self) -> bool:
        """Whether neighbouring bins are alike: of a number they are."""
        return bool(self.part)

    @property
    def size(self) -> int:
        """Its bins, that of none included."""
        return len(self.edges) + 2 if self.ordered else len(self.levels) + 2


class Design(Struct, frozen=True):
    """All features of all rows: ``bins`` for the additive model, ``numbers`` for the trees (NaN for none and for
    categories)."""

    drafts: tuple[Draft, ...]
    bins: NDArray[np.int32]
    numbers: Floats

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.bins)

    def lines(self) -> Floats:
        """A column for each feature with a slope: values from its middle, in its unit; none counts as the middle."""
        places = self.sloped()
        held = [self.drafts[place] for place in places]
        given = self.numbers[:, places]
        low, high, middle, unit = (np.array(each) for each in zip(*_spans(held), strict=True)) if held else [0.0] * 4
        return np.nan_to_num((np.clip(given, low, high) - middle) / unit)

    def sloped(self) -> list[int]:
        """The places of features with a slope."""
        return [place for place, draft in enumerate(self.drafts) if draft.unit > 0.0]

    def take(self, rows: Any) -> "Design":
        """Some rows."""
        return Design(self.drafts, self.bins[rows], self.numbers[rows])


def _spans(drafts: Sequence[Draft]) -> list[tuple[float, float, float, float]]:
    return [(one.low, one.high, one.middle, one.unit) for one in drafts]


def draft_features(table: Table, profiles: Sequence[Profile]) -> tuple[Draft, ...]:
    """Bins and levels out of these rows."""
    found: list[Draft] = []
    for one in profiles:
        column = table.columns[one.name]
        if one.kind is Kind.CATEGORY:
            level = column.folded()
            counts = np.bincount(level.codes, minlength=len(level.values))
            order = [int(place) for place in np.argsort(-counts, kind="stable") if level.values[place]]
            kept = [place for place in order if counts[place] >= LEAST_ROWS][:_MOST_LEVELS]
            names = tuple(str(level.values[place]) for place in kept)
            rare = tuple(sorted(str(level.values[place]) for place in set(order) - set(kept) if counts[place]))
            found.append(Draft(one.name, one.kind, levels=names, rare=_told(rare)))
            continue
        for part in one.parts():
            numbers = column.part(part)
            edges = edges_of(numbers)
            if edges or one.filled < 1.0:
                found.append(Draft(one.name, one.kind, part, edges, (), (), *_line(numbers, edges)))
    return tuple(found)


def _line(numbers: Floats, edges: tuple[float, ...]) -> tuple[float, float, float, float]:
    """Where a slope holds, the middle of it, and the unit in which it is measured; of two values none is needed. One
    row in two hundred at either end may be anything."""
    if len(edges) < 2:
        return 0.0, 0.0, 0.0, 0.0
    known = numbers[~np.isnan(numbers)]
    low, high = (float(end) for end in np.quantile(known, _ENDS))
    held = np.clip(known, low, high)
    return low, high, float(held.mean()), float(held.std())


def _told(rare: tuple[str, ...]) -> tuple[str, ...]:
    return rare if len(rare) <= _MOST_RARE and all(len(level) <= _LONGEST_RARE for level in rare) else ()


def edges_of(numbers: Floats, bins: int = BINS) -> tuple[float, ...]:
    """Borders of bins that hold about equally many rows, half way between values that occur."""
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return ()
    values, counts = np.unique(known, return_counts=True)
    if len(values) <= bins:
        middle = (values[1:] + values[:-1]) / 2.0
        return tuple(float(edge) for edge in middle)
    reached = np.cumsum(counts) / len(known)
    places = np.unique(np.searchsorted(reached, np.arange(1, bins) / bins, side="left"))
    places = places[places < len(values) - 1]
    return tuple(float((values[place] + values[place + 1]) / 2.0) for place in places)


def lay_out(table: Table, drafts: Sequence[Draft]) -> Design:
    """Rows as the features see them."""
    bins = np.empty((table.rows, len(drafts)), dtype=np.int32)
    numbers = np.full((table.rows, len(drafts)), np.nan)
    for place, draft in enumerate(drafts):
        column = table.columns[draft.column]
        if draft.ordered:
            values = column.part(draft.part)
            inside = np.searchsorted(np.array(draft.edges), values, side="left")
            bins[:, place] = np.where(np.isnan(values), len(draft.edges) + 1, inside)
            numbers[:, place] = values
        else:
            known = {level: number for number, level in enumerate(draft.levels)}
            other, none = len(known), len(known) + 1
            texts = (folded(value) for value in column.values)
            each = [known.get(text, other) if text else none for text in texts]
            bins[:, place] = np.array(each, dtype=np.int32)[column.codes] if each else none
    return Design(tuple(drafts), bins, numbers)


def rates_of(draft: Draft, bins: NDArray[np.int32], labels: Floats) -> Floats:
    """What trees read for each bin of a category: its rate, drawn to the base rate by ``SMOOTH`` rows."""
    rows = np.bincount(bins, minlength=draft.size)
    events = np.bincount(bins, weights=labels, minlength=draft.size)
    return np.asarray((events + SMOOTH * labels.mean()) / (rows + SMOOTH))


def read_by_trees(
    design: Design, labels: Floats, train: Any, test: Any, folds: Codes
) -> tuple[Floats, Floats, dict[int, Floats]]:
    """What the trees read of the rows ``train`` and ``test``, and each category's rates.

    A training row's own outcome never counts in its rate: it has the rate of the folds it is not in. Levels with many
    rows have one rate for all their rows, by which trees can tell them from others with nearly the same; what is one
    for all tells nothing of a row. Test rows have the rate of all training rows."""
    here, there = design.numbers[train].copy(), design.numbers[test].copy()
    outcomes, inside = labels[train], folds[train]
    kept: dict[int, Floats] = {}
    for place, draft in enumerate(design.drafts):
        if draft.ordered:
            continue
        bins = design.bins[train, place]
        kept[place] = rates_of(draft, bins, outcomes)
        there[:, place] = kept[place][design.bins[test, place]]
        for fold in np.unique(inside):
            out = inside == fold
            here[out, place] = rates_of(draft, bins[~out], outcomes[~out])[bins[out]]
        large = np.bincount(bins, minlength=draft.size)[bins] >= LARGE_LEVEL
        here[large, place] = kept[place][bins[large]]
    return here, there, kept

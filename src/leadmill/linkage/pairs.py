"""Many pairs of records at once: the same levels and bits as ``weighing``, on arrays.

A value is one whole number here, so "same" and "missing" cost a comparison of numbers; texts are measured only where
two differ.
"""

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.ladders import ladder
from leadmill.linkage.likeness import Drawn
from leadmill.linkage.model import MISSING, Echo, Frequencies, Model
from leadmill.linkage.table import Column, Table
from leadmill.linkage.weighing import places_of, swap_places

_CHUNK = 500_000
"""Pairs measured at a time: it bounds the memory, not the file."""


_TELLING = 0.01


class Pairs(Struct, frozen=True):
    """Pairs of records: the places of the one and of the other."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.left)

    def take(self, at: Any) -> "Pairs":
        """Some of them."""
        return Pairs(self.left[at], self.right[at])


class Seen(Struct, frozen=True):
    """What comparing showed: ``levels`` a row a field and a column a pair, MISSING where a value is absent; ``swapped``
    a row for each of the model's swaps."""

    levels: NDArray[np.int8]
    swapped: NDArray[np.bool_]

    def take(self, at: Any) -> "Seen":
        """Some of the pairs."""
        return Seen(self.levels[:, at], self.swapped[:, at])


def compare_pairs(model: Model, table: Table, pairs: Pairs) -> Seen:
    """The levels of all pairs. The table's columns are the model's fields, in their order."""
    levels = np.empty((len(table.columns), len(pairs)), np.int8)
    swapped = np.zeros((len(model.swaps), len(pairs)), np.bool_)
    places = swap_places(model)
    for begin in range(0, len(pairs), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        some = pairs.take(part)
        for row, column in enumerate(table.columns):
            levels[row, part] = compare_column(column, some)
        for row, (first, second) in enumerate(places):
            swapped[row, part] = _exchange(
                table.columns[first], table.columns[second], some, levels[:, part], first, second
            )
    return Seen(levels, swapped)


def compare_column(column: Column, pairs: Pairs) -> NDArray[np.int8]:
    """The level of each pair in one field."""
    first, second = column.codes[pairs.left], column.codes[pairs.right]
    found = np.where((first < 0) | (second < 0), np.int8(MISSING), np.int8(0))
    rest = np.flatnonzero((found == 0) & (first != second))
    found[rest] = ladder(column.field.kind).levels(Drawn(column.sheet, first[rest]), Drawn(column.sheet, second[rest]))
    return found


def _exchange(
    one: Column, other: Column, pairs: Pairs, levels: NDArray[np.int8], first: int, second: int
) -> NDArray[np.bool_]:
    """Which pairs agree crosswise and not straight; their levels become those of the cross. See ``compare``."""
    found = np.zeros(len(pairs), np.bool_)
    at = np.flatnonzero((levels[first] > 1) & (levels[second] > 1))
    some = pairs.take(at)
    crossed = (
        (translate(one, other)[one.codes[some.left]] == other.codes[some.right])
        | (translate(other, one)[other.codes[some.left]] == one.codes[some.right])
    )  # fmt: skip
    at, some = at[crossed], some.take(crossed)
    rungs = ladder(one.field.kind)
    near = []
    for a, b in ((one, other), (other, one)):
        x, y = Drawn(a.sheet, a.codes[some.left]), Drawn(b.sheet, b.codes[some.right])
        same = x.texts == y.texts
        level = rungs.levels(x, y)
        level[same] = 0
        near.append(level)
    good = np.maximum(near[0], near[1]) <= 1
    levels[first, at[good]], levels[second, at[good]] = near[0][good], near[1][good]
    found[at[good]] = True
    return found


def translate(one: Column, other: Column) -> NDArray[np.int32]:
    """For each value of one column its code in another, −2 where the other lacks it."""
    codes = {text: code for code, text in enumerate(other.values)}
    return np.fromiter((codes.get(text, -2) for text in one.values), np.int32, len(one.values))


class Shares(Struct, frozen=True):
    """How common each value of a column is, by its code, and what counts for one that the column does not know."""

    known: NDArray[np.float64]
    unseen: float


def shares_of(table: Table, frequencies: Frequencies) -> list[Shares | None]:
    """The table's frequencies, column by column; None where there are none."""
    found: list[Shares | None] = []
    for column in table.columns:
        unseen = frequencies.unseen.get(column.field.name)
        if unseen is None:
            found.append(None)
            continue
        told = frequencies.shares.get(column.field.name, {})
        known = np.fromiter((told.get(text, unseen) for text in column.values), np.float64, len(column.values))
        found.append(Shares(known, unseen))
    return found


def commonness(
    model: Model, table: Table, pairs: Pairs, seen: Seen, shares: list[Shares | None]
) -> NDArray[np.float32]:
    """Log2 of the share of each pair's commoner value, a row a field; zero where rarity does not count."""
    found = np.zeros(seen.levels.shape, np.float32)
    for row, comparison in enumerate(model.comparisons):
        column, share = table.columns[row], shares[row]
        if share is None or not comparison.rarity:
            continue
        counts = np.array([*ladder(comparison.field.kind).rarity, 0.0]) > 0  # MISSING is the last
        at = np.flatnonzero(counts[seen.levels[row]])
        known = np.log2(share.known).astype(np.float32)
        first, second = known[column.codes[pairs.left[at]]], known[column.codes[pairs.right[at]]]
        for number, places in enumerate(swap_places(model)):
            if row in places:
                other = table.columns[places[1] if row == places[0] else places[0]]
                cross = np.flatnonzero(seen.swapped[number, at])
                codes = translate(other, column)[other.codes[pairs.right[at[cross]]]]
                second[cross] = np.where(codes < 0, np.float32(np.log2(share.unseen)), known[codes])
        found[row, at] = np.maximum(first, second)
    return found


def weigh_seen(model: Model, seen: Seen, common: NDArray[np.float32]) -> NDArray[np.float32]:
    """The bits of each field (a row) of each pair (a column), without the prior; what an exchange costs stands with its
    first field, bundles are not yet taken off."""
    found = np.empty(seen.levels.shape, np.float32)
    for row, comparison in enumerate(model.comparisons):
        bits = np.array([level.bits for level in comparison.levels] + [0.0], np.float32)  # MISSING is the last
        found[row] = bits[seen.levels[row]]
        if comparison.rarity:
            parts = np.array([*ladder(comparison.field.kind).rarity, 0.0], np.float32)[seen.levels[row]]
            told = common[row] != 0
            usual = np.float32(np.log2(comparison.levels[0].u))
            found[row] += np.where(told, parts * (usual - common[row]), np.float32(0))
    rows = places_of(model)
    for echo in model.echoes:
        row = rows[echo.field]
        at = np.flatnonzero(echoing(model, echo, seen) & (seen.levels[row] > 0))
        bits = np.array([np.log2(level.m / u) for level, u in zip(model.comparisons[row].levels, echo.u, strict=True)])
        found[row, at] = bits[seen.levels[row, at]]
    for number, places in enumerate(swap_places(model)):
        found[places[0]] += seen.swapped[number] * np.float32(np.log2(model.swaps[number].m))
    return found


def echoing(model: Model, echo: Echo, seen: Seen) -> NDArray[np.bool_]:
    """Of which pairs no field that the echo is made of differs, one at least is there, and none is exchanged."""
    rows = places_of(model)
    made = [rows[name] for name in echo.of]
    levels = seen.levels[made]
    differs = np.array([[len(model.comparisons[row].levels) - 1] for row in made], np.int8)
    return np.asarray((levels < differs).all(axis=0) & (levels >= 0).any(axis=0) & ~seen.swapped.any(axis=0))


def bundle_bits(model: Model, bits: NDArray[np.float32]) -> NDArray[np.float32]:
    """What bundles take off again, by pair. See ``bundle_part``."""
    rows = places_of(model)
    taken = np.zeros(bits.shape[1], np.float32)
    for bundle in model.bundles:
        held = bits[[rows[name] for name in bundle.fields if name in rows]].sum(axis=0) + np.float32(
            np.log2(bundle.share)
        )
        taken = np.logaddexp2(taken, held)
    taken[taken <= _TELLING] = 0.0
    return -taken

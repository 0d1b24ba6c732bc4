"""What repeats in a column: how many of the pairs that share a value are strangers', and how many are one person's.

A value's share of a file says how often strangers meet it only where it is mostly strangers who do. A name that two
records have is two persons' as often as not; an e-mail address that two records have is hardly ever, and to take it for
as common as two in three thousand would leave it less telling than it is, most of all in a file that has little else.
Used by :mod:`leadmill.linkage.estimation`, which asks anew in each of its rounds.
"""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.ladders import ladder
from leadmill.linkage.model import Kind
from leadmill.linkage.pairs import Shares
from leadmill.linkage.table import Column, Table

Numbers = NDArray[np.float64]

IMAGINED = 50
"""Strangers imagined beside the records, with values as usual for the kind: what a file of three says of how common a
value is counts for little."""
_OWNED = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IDENTIFIER, Kind.DATE})
"""What is guessed to be one person's however many records have it."""
_GUESSED = 20.0
"""Made-up pairs of the first guess."""
_LEARNED_FROM = 5_000
"""Pairs, at most, from which is learned."""
_MOVED = 0.05
"""Bits by which what is common must move to be reckoned anew."""


class Row(Struct, frozen=True):
    """One field of some pairs: their levels, log2 of how common their values are (changed in place as is learned), and
    for how many pairs of the file each stands."""

    levels: NDArray[np.int8]
    common: NDArray[np.float32]
    stands_for: Numbers


def usual_shares(table: Table, strangers: Sequence[Numbers] = ()) -> list[Shares | None]:
    """How common each value is among the records that have one, and some imagined. Only that part of them counts which
    ``strangers`` gives, value by value: what else repeats one is one person."""
    found: list[Shares | None] = []
    for row, column in enumerate(table.columns):
        usual = ladder(column.field.kind).same_u * IMAGINED
        present = int(column.counts.sum()) + IMAGINED
        counts = column.counts * (strangers[row] if strangers else 1.0)
        found.append(Shares((counts + usual) / present, 0.5 / present))
    return found


class Repeats:
    """The strangers' part of the pairs that share one of some values of a column: ``part``, of ``pairs`` in the file.
    It begins at a guess by kind and moves as far as the other fields tell; where there are none the guess stays.
    ``same`` are the pairs, by place in ``shown``, from which is learned."""

    def __init__(self, column: Column, values: NDArray[np.bool_], guess: bool, shown: Row, other: Row) -> None:
        kind = column.field.kind
        present = float(column.counts.sum())
        counts = column.counts[values].astype(np.float64)
        self.pairs = float((counts * (counts - 1.0)).sum()) / 2
        self._usual, self._present = ladder(kind).same_u * IMAGINED, present + IMAGINED
        span = (float(counts.min()), float(counts.max())) if len(counts) else (1.0, 0.0)
        self._told = [(row.common, *self._of(row.common, *span)) for row in (shown, other)]
        at = self._told[0][1]
        same = at[shown.levels[at] == 0]
        self.same = same[:: 1 + len(same) // _LEARNED_FROM]
        self._stands_for = shown.stands_for[self.same]
        self._guess = 1.0
        if self.pairs and (guess or kind in _OWNED):
            self._guess = min(1.0, ladder(kind).same_u * present * (present - 1.0) / 2 / self.pairs)
        self.part = self._applied = 1.0
        self._take(self._guess)

    def _of(
        self, common: NDArray[np.float32], least: float, most: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The pairs whose commoner value is one of these, and how many records have it."""
        counts = np.exp2(common) * np.float32(self._present) - np.float32(self._usual)
        at = np.flatnonzero((common != 0) & (counts > least - 0.5) & (counts < most + 0.5))
        return at, counts[at]

    def learn(self, odds: Numbers) -> None:
        """``odds`` (log2) are of each pair of ``same``: that it is no strangers', if as many are as not, by the other
        fields."""
        if len(self.same) == 0:
            return
        part = min(max(self.part, 1e-9), 1.0 - 1e-6)
        strangers = 1.0 / (1.0 + np.exp2(np.clip(odds + math.log2((1.0 - part) / part), -100, 100)))
        found = _GUESSED * self._guess + float((strangers * self._stands_for).sum())
        self._take(found / (_GUESSED + float(self._stands_for.sum())))

    def _take(self, part: float) -> None:
        self.part = part
        if abs(math.log2(part / self._applied)) < _MOVED:
            return
        self._applied = part
        for common, at, counts in self._told:
            common[at] = np.log2((np.float32(part) * counts + np.float32(self._usual)) / np.float32(self._present))

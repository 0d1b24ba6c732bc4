"""How much each level weighs in this file: estimated from the file alone, with no pair whose truth is known.

Every pair is one person's (a match), or two who share something for one reason (a home, a town), or strangers'. Of a
match each field falls on its levels with probabilities ``m``, of strangers with ``u``; of two who share a bundle its
fields as in a match, the others as with strangers. Expectation maximisation (Dempster, Laird and Rubin 1977; for
linkage Winkler 1988) finds the ``m``, ``u`` and shares that explain the pairs best: random pairs show strangers, pairs
of the blocks show matches. It begins at careful guesses by kind of field, and keeps a few made-up pairs of each, so
that a field that is constant, empty or without errors teaches nothing false.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.consumers import ECHOED, begin, echoes_of
from leadmill.linkage.ladders import ladder
from leadmill.linkage.model import Bundle, Comparison, Echo, Field, Kind, Level, Model, Swap
from leadmill.linkage.pairs import Pairs, Seen, Shares, commonness, compare_pairs, echoing, weigh_seen
from leadmill.linkage.repeats import IMAGINED, Repeats, Row, usual_shares
from leadmill.linkage.table import Table
from leadmill.linkage.weighing import places_of

Numbers = NDArray[np.float64]

SAMPLE = 100_000
"""Random pairs that show strangers, and at most so many blocked pairs that show matches."""
_ROUNDS = 30
_SETTLED = 1e-3
_GUESSED_M, _GUESSED_U = 20.0, 1000.0
"""Made-up pairs of the first guesses, among matches and strangers."""
_PLACE = frozenset({Kind.STREET, Kind.HOUSE_NUMBER, Kind.POSTCODE, Kind.CITY, Kind.STATE})
_TOWN = frozenset({Kind.POSTCODE, Kind.CITY, Kind.STATE})
_HOME = _PLACE | {Kind.FAMILY_NAME, Kind.PHONE}
_SHARED = _PLACE | {Kind.PHONE}
NAMESAKES = "namesakes"
_NAMESAKES = 0.03
"""Pairs of namesakes in one home to a match, at most: what a file says of them alone is hard to tell from errors."""
_EXCHANGED = ((Kind.GIVEN_NAME, Kind.FAMILY_NAME), (Kind.STREET, Kind.TEXT))


class Evidence(Struct, frozen=True):
    """What comparing pairs showed and how common their values are. ``stands_for`` is for how many pairs of the file
    each stands, ``teaches`` how much it counts where errors are learned: one record a hundred times teaches little."""

    seen: Seen
    common: NDArray[np.float32]
    stands_for: Numbers
    teaches: Numbers


class Estimate(Struct, frozen=True):
    """The model, how common each value is among strangers, and how many rounds it took."""

    model: Model
    shares: list[Shares | None]
    rounds: int


def first_guess(fields: Sequence[Field], records: int) -> Model:
    """Where estimation begins: each kind's usual levels, exchanges and bundles; three matches to ten records."""
    records = max(2, records)
    pairs = records * (records - 1) / 2
    swaps = []
    for kinds in _EXCHANGED:
        first, second = ([field.name for field in fields if field.kind is kind] for kind in kinds)
        if first and second:
            swaps.append(Swap(first[0], second[0]))
    bundles: list[Bundle] = []
    for name, shared in (("town", _TOWN), ("place", _PLACE), ("home", _HOME), (NAMESAKES, _HOME | {Kind.GIVEN_NAME})):
        inside = tuple(field.name for field in fields if field.kind in shared)
        told = len(inside) > 1 and len(inside) < len(fields) and not any(inside == one.fields for one in bundles)
        if told and (name not in ("home", NAMESAKES) or any(field.kind in _SHARED for field in fields)):
            bundles.append(Bundle(name, inside, min(0.01, 0.2 * records / pairs)))
    return Model(
        tuple(begin(field) for field in fields),
        min(0.3, 0.3 * records / pairs),
        tuple(swaps),
        tuple(bundles),
        echoes_of(fields),
    )


def random_pairs(records: int, count: int, chance: np.random.Generator) -> Pairs:
    """Pairs of different records, all of them if that is no more than ``count``."""
    if records * (records - 1) // 2 <= count:
        first, second = np.triu_indices(records, 1)
        return Pairs(first.astype(np.int32), second.astype(np.int32))
    left = chance.integers(0, records, count, dtype=np.int32)
    right = chance.integers(0, records - 1, count, dtype=np.int32)
    return Pairs(left, (right + (right >= left)).astype(np.int32))


def evidence(
    model: Model, table: Table, pairs: Pairs, shares: list[Shares | None], stands_for: Numbers, teaches: Numbers
) -> Evidence:
    """Compare pairs for estimation."""
    seen = compare_pairs(model, table, pairs)
    return Evidence(seen, commonness(model, table, pairs, seen, shares), stands_for, teaches)


def estimate(
    guess: Model, table: Table, blocked: Evidence, shares: list[Shares | None], most: int, chance: np.random.Generator
) -> Estimate:
    """The model of this table, from a first guess. ``blocked`` are pairs that blocking found, all there are of records
    that share a value with ``most`` at most; ``shares`` are the usual ones."""
    pairs = random_pairs(table.records, SAMPLE, chance)
    once = np.ones(len(pairs))
    return _Rounds(table, guess, blocked, evidence(guess, table, pairs, shares, once, once), most).run()


class _Rounds:
    """The rounds of expectation and maximisation, with what stays the same between them."""

    def __init__(self, table: Table, model: Model, blocked: Evidence, random: Evidence, most: int) -> None:
        self._table, self._model, self._blocked, self._random = table, model, blocked, random
        self._all = max(1.0, table.records * (table.records - 1) / 2)
        self._few = [column.counts <= most for column in table.columns]
        self._repeats = [
            (Repeats(column, few, True, one, other), Repeats(column, ~few, False, other, one))
            for column, few, one, other in zip(table.columns, self._few, _rows(blocked), _rows(random), strict=True)
        ]

    def run(self) -> Estimate:
        """Rounds until nothing moves."""
        before = np.zeros(len(self._blocked.stands_for))
        number = 0
        for number in range(1, _ROUNDS + 1):
            blocked, random = self._expect()
            # Before the first round all is guessed, so only u is learned, and of random pairs as they are.
            strangers = np.ones_like(random[-1]) if number == 1 else random[-1]
            self._maximise(blocked[0], strangers, blocked[-1], learn_m=number > 1)
            matches = blocked[0] * self._blocked.stands_for
            if number > 2 and np.abs(matches - before).sum() <= _SETTLED * max(1.0, matches.sum()):
                break
            before = matches
        both = zip(self._few, self._repeats, strict=True)
        parts = [np.where(few, rare.part, common.part) for few, (rare, common) in both]
        return Estimate(self._model, usual_shares(self._table, parts), number)

    def _classes(self, shown: Evidence) -> tuple[Numbers, NDArray[np.float32]]:
        """How likely each pair is a match, of each bundle, and strangers', row by row; and the bits of each field."""
        model = self._model
        bits = weigh_seen(model, shown.seen, shown.common)
        rows = places_of(model)
        told = np.empty((len(model.bundles) + 2, bits.shape[1]))
        told[0] = bits.sum(axis=0) + np.log2(model.prior)
        for at, bundle in enumerate(model.bundles, 1):
            told[at] = bits[[rows[name] for name in bundle.fields]].sum(axis=0) + np.log2(bundle.share)
        told[-1] = 0.0
        told -= told.max(axis=0)
        np.exp2(told, out=told)
        told /= told.sum(axis=0)
        return told, bits

    def _learn_repeats(self, bits: Sequence[NDArray[np.float32]]) -> None:
        """How much of what repeats is strangers', column by column, by what the other columns say."""
        for row, both in enumerate(self._repeats):
            for repeats, found in zip(both, bits, strict=True):
                some = found[:, repeats.same].astype(np.float64)
                some[row] = 0.0
                repeats.learn(self._related(row, some))

    def _related(self, row: int, bits: Numbers) -> Numbers:
        """The odds that a pair is related as far as the field of this row goes, a match or of a bundle that holds it,
        by the bits of all other fields."""
        model, rows = self._model, places_of(self._model)
        related, strangers = [bits.sum(axis=0) + math.log2(model.prior)], [np.zeros(bits.shape[1])]
        total = model.prior
        for bundle in model.bundles:
            inside = [rows[name] for name in bundle.fields]
            held = bits[inside].sum(axis=0) + math.log2(bundle.share)
            (related if row in inside else strangers).append(held)
            total += bundle.share if row in inside else 0.0
        return _together(related) - math.log2(total) - _together(strangers)

    def _expect(self) -> tuple[Numbers, Numbers]:
        """The classes of the blocked and of the random pairs. The prior and the shares follow from them."""
        (blocked, bits), (random, others) = self._classes(self._blocked), self._classes(self._random)
        counted = (blocked * self._blocked.stands_for).sum(axis=1)
        prior = float(np.clip(counted[0] / self._all, 0.05 / self._all, 0.5))
        bundles = []
        for at, bundle in enumerate(self._model.bundles, 1):
            # A rare bundle shows in the blocks, a common one among random pairs, for its blocks were too large.
            share = max(counted[at] / self._all, random[at].mean())
            most = _NAMESAKES * prior if bundle.name == NAMESAKES else 0.2
            bundles.append(msgspec.structs.replace(bundle, share=float(max(0.05 / self._all, min(share, most)))))
        self._learn_repeats((bits, others))
        self._model = msgspec.structs.replace(self._model, prior=prior, bundles=tuple(bundles))
        return blocked, random

    def _maximise(self, matches: Numbers, random: Numbers, strangers: Numbers, learn_m: bool) -> None:
        """The levels' probabilities, given how likely each blocked pair is a match, each random and each blocked one
        strangers'."""
        weights = self._blocked.stands_for
        found = []
        for row, comparison in enumerate(self._model.comparisons):
            guess = ladder(comparison.field.kind)
            m, u = np.array(guess.m), np.array(guess.u)
            levels = self._blocked.seen.levels[row]
            if learn_m:
                met = _spread(levels, len(m), matches * self._blocked.teaches)
                m = (met + _GUESSED_M * m) / (met.sum() + _GUESSED_M)
            seen = _spread(self._random.seen.levels[row], len(u), random)
            related = _spread(levels, len(u), (1.0 - strangers) * weights)
            found.append(_ordered(comparison, m, self._strangers(row, u, seen, related)))
        echoes = tuple(self._echo(echo, (1.0 - matches) * weights) for echo in self._model.echoes)
        self._model = msgspec.structs.replace(self._model, comparisons=tuple(found), echoes=echoes)

    def _echo(self, echo: Echo, others: Numbers) -> Echo:
        """How the field falls on its levels where what it is made of agrees and the pair is no match."""
        row = places_of(self._model)[echo.field]
        at = echoing(self._model, echo, self._blocked.seen)
        guess = np.array(ECHOED[self._model.comparisons[row].field.kind])
        met = _spread(self._blocked.seen.levels[row, at], len(guess), others[at])
        u = (met + _GUESSED_M * guess) / (met.sum() + _GUESSED_M)
        return msgspec.structs.replace(echo, u=tuple(u.tolist()))

    def _strangers(self, row: int, guess: Numbers, seen: Numbers, related: Numbers) -> Numbers:
        """How strangers fall on the levels. "Same" is counted exactly over all pairs of the file, less those that are
        no strangers; the rest is seen in random pairs."""
        counts = self._table.columns[row].counts
        present = float(counts.sum())
        imagined = IMAGINED * (present + IMAGINED / 2)
        common = self._repeats[row][1]
        same = max(0.0, float((counts * (counts - 1.0)).sum()) / 2 - related[0] - common.pairs * (1.0 - common.part))
        same += imagined * guess[0]
        pairs = max(1.0, present * (present - 1) / 2 - float(related.sum())) + imagined
        u = np.empty(len(guess))
        u[0] = min(0.999, same / pairs)
        # A level that no random pair showed is rare, but no rarer than guessed or than half a pair.
        met = seen[1:] + np.minimum(0.5, guess[1:] * (seen.sum() + _GUESSED_U))
        u[1:] = met / met.sum() * (1.0 - u[0])
        return u


def _rows(shown: Evidence) -> list[Row]:
    return [Row(*both, shown.stands_for) for both in zip(shown.seen.levels, shown.common, strict=True)]


def _together(parts: Sequence[Numbers]) -> Numbers:
    """Log2 of the sum of what these are logarithms of."""
    return np.asarray(np.logaddexp2.reduce(parts), np.float64)


def _spread(levels: NDArray[np.int8], count: int, weights: Numbers) -> Numbers:
    """How much weight falls on each level, without the pairs that miss the field."""
    present = levels >= 0
    return np.asarray(np.bincount(levels[present], weights=weights[present], minlength=count), np.float64)


def _ordered(comparison: Comparison, m: Numbers, u: Numbers) -> Comparison:
    """The levels in order: none speaks louder for a match than "same" nor louder against it than "differs", which never
    speaks for one. One too loud for it was hardly met among strangers, so its ``u`` is raised; one too loud against it
    hardly among matches, so its ``m`` is."""
    bits = np.log2(m / u)
    worst = min(bits[-1], 0.0)
    best = max(bits[0], 0.0)
    kept = np.clip(bits, worst, best)
    u = np.where(bits > kept, m * np.exp2(-kept), u)
    u[-1] = min(u[-1], 1.0)
    m = u * np.exp2(kept)
    levels = zip(comparison.levels, m.tolist(), u.tolist(), strict=True)
    return Comparison(
        comparison.field, tuple(Level(level.name, one, two) for level, one, two in levels), comparison.rarity
    )

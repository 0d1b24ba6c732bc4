"""Whole files: which records are one person's. The order of the work, and what bounds its memory.

Records that are the same to the letter count as one, with their number. Blocking finds the pairs worth comparing; a
part of them and some random ones teach the model; then all are compared, in portions, and only those that might speak
for a merge are kept. One configuration and one threshold serve every file.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.blocking import LARGEST, block
from leadmill.linkage.clustering import HOPELESS, Judge, Links, belonging, merge
from leadmill.linkage.derived import without_echoes
from leadmill.linkage.estimation import SAMPLE, estimate, evidence, first_guess
from leadmill.linkage.model import Field, Frequencies, Model
from leadmill.linkage.pairs import Pairs, Shares, bundle_bits, commonness, compare_pairs, weigh_seen
from leadmill.linkage.repeats import usual_shares
from leadmill.linkage.table import Column, Columns, Table, read_table

THRESHOLD = 0.4
"""How likely two clusters must be one person's to be merged. Below one half, because a missed link costs as much as a
wrong one: where F is the best F1 there is, the best threshold is F/2 (Lipton, Elkan and Naryanaswamy 2014)."""
_PORTION = 1_000_000
_COPIES_SHOWN = 20

Progress = Callable[[str, int, int | None], None]
"""Told of a stage's name, how much of it is done, and of how much; None where that is not known."""


class Clusters(Struct, frozen=True):
    """The result, in the records' order: the number of each record's cluster, and how likely the record belongs there
    (of one that is alone: that it is). ``links`` are the pairs that were compared and are not hopeless, with the log2
    odds of each by itself; ``model`` and ``frequencies`` are what was learned; ``compared`` is how many pairs were."""

    clusters: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    links: Pairs
    link_bits: NDArray[np.float32]
    model: Model
    frequencies: Frequencies
    compared: int


class _Distinct(Struct, frozen=True):
    """The records without copies: their table, which record each is the first of, how many there are of it, and for
    each record of the file its place among them."""

    table: Table
    first: NDArray[np.int32]
    copies: NDArray[np.int64]
    place: NDArray[np.int64]


def _silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody listens to."""


def resolve(
    columns: Columns,
    fields: Sequence[Field],
    threshold: float = THRESHOLD,
    seed: int = 0,
    progress: Progress = _silent,
) -> Clusters:
    """Tell records apart without any example. ``columns`` are lists of texts (None or empty for absent) or Arrow arrays
    of one length, ``fields`` what they hold. The same ``seed`` gives the same result."""
    progress("preparing", 0, None)
    whole = without_echoes(read_table(columns, fields))
    distinct = _without_copies(whole)
    pairs = block(distinct.table, lambda done, total: progress("blocking", done, total))
    progress("estimating", 0, None)
    model, shares = _learn(whole, distinct, pairs, np.random.default_rng(seed))
    links, bits = _compare(model, distinct.table, pairs, shares, progress)
    progress("clustering", 0, None)
    judge = Judge(model, _bits(threshold))
    labels = merge(distinct.table.records, links, judge)
    copied = _copied(model, distinct, shares)
    clusters, odds = _each(distinct, labels, np.maximum(belonging(labels, links, judge), copied), judge.least)
    rival = np.full(len(labels), -np.inf)
    for side in (links.pairs.left, links.pairs.right):
        np.maximum.at(rival, side, bits)
    alone = np.bincount(clusters)[clusters] == 1
    odds[alone] = -np.maximum(rival, copied)[distinct.place[alone]]
    probabilities = 1.0 / (1.0 + np.exp2(-np.clip(odds, -60, 60)))
    shown, shown_bits = _with_copies(distinct, links.pairs, bits, copied)
    return Clusters(clusters, probabilities, shown, shown_bits, model, _told(whole, shares), len(pairs))


def _bits(threshold: float) -> float:
    if threshold <= 0 or threshold >= 1:
        return -math.inf if threshold <= 0 else math.inf
    return math.log2(threshold / (1.0 - threshold))


def _without_copies(whole: Table) -> _Distinct:
    """Records that have the same values, or lack the same, made one."""
    codes = np.zeros(whole.records, np.int64)
    for column in whole.columns:
        codes = _dense(codes * (len(column.counts) + 1) + column.codes + 1)
    copies = np.bincount(codes)
    first = np.full(len(copies), whole.records, np.int64)
    np.minimum.at(first, codes, np.arange(whole.records))
    columns = tuple(Column(column.field, column.codes[first], column.sheet, column.counts) for column in whole.columns)
    return _Distinct(Table(columns, len(first)), first.astype(np.int32), copies, codes)


def _dense(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The codes as numbers from 0 without gaps, in the same order."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    steps = np.concatenate(([0], np.cumsum(ordered[1:] != ordered[:-1]))) if len(ordered) else ordered
    dense = np.empty_like(codes)
    dense[order] = steps
    return dense


def _learn(
    whole: Table, distinct: _Distinct, pairs: Pairs, chance: np.random.Generator
) -> tuple[Model, list[Shares | None]]:
    """The model and how common values are, from at most SAMPLE of the blocked pairs and of the records that have
    copies."""
    guess, shares = first_guess([column.field for column in whole.columns], whole.records), usual_shares(whole)
    if whole.records < 2:
        return guess, shares
    at = np.arange(len(pairs))
    if len(at) > SAMPLE:
        at = np.sort(chance.choice(len(pairs), SAMPLE, replace=False))
    some = pairs.take(at)
    scale = len(pairs) / max(1, len(at))
    stands = distinct.copies[some.left] * distinct.copies[some.right] * scale
    copied = np.flatnonzero(distinct.copies > 1).astype(np.int32)
    count = distinct.copies[copied]
    shown = Pairs(np.concatenate((some.left, copied)), np.concatenate((some.right, copied)))
    blocked = evidence(
        guess,
        distinct.table,
        shown,
        shares,
        np.concatenate((stands, count * (count - 1) / 2)),
        np.concatenate((np.full(len(at), scale), count - 1.0)),
    )
    every = len(pairs) == distinct.table.records * (distinct.table.records - 1) // 2
    found = estimate(guess, whole, blocked, shares, whole.records if every else LARGEST, chance)
    return found.model, found.shares


def _compare(
    model: Model, table: Table, pairs: Pairs, shares: list[Shares | None], progress: Progress
) -> tuple[Links, NDArray[np.float32]]:
    """Compare all pairs, a portion at a time, and keep those that are not hopeless, with the odds of each."""
    kept: list[Links] = []
    odds: list[NDArray[np.float32]] = []
    for begin in range(0, max(1, len(pairs)), _PORTION):
        progress("comparing", begin, len(pairs))
        some = pairs.take(slice(begin, begin + _PORTION))
        seen = compare_pairs(model, table, some)
        bits = weigh_seen(model, seen, commonness(model, table, some, seen, shares))
        total = bits.sum(axis=0) + np.float32(model.prior_bits) + bundle_bits(model, bits)
        at = np.flatnonzero(total > HOPELESS)
        kept.append(Links(some.take(at), bits[:, at], seen.levels[:, at] >= 0))
        odds.append(total[at])
    progress("comparing", len(pairs), len(pairs))
    links = Links(
        Pairs(np.concatenate([one.pairs.left for one in kept]), np.concatenate([one.pairs.right for one in kept])),
        np.concatenate([one.bits for one in kept], axis=1),
        np.concatenate([one.present for one in kept], axis=1),
    )
    return links, np.concatenate(odds)


def _copied(model: Model, distinct: _Distinct, shares: list[Shares | None]) -> NDArray[np.float32]:
    """The odds that a record and its copies are one person's; minus infinity for one without copies."""
    found = np.full(len(distinct.first), -np.inf, np.float32)
    at = np.flatnonzero(distinct.copies > 1).astype(np.int32)
    itself = Pairs(at, at)
    seen = compare_pairs(model, distinct.table, itself)
    bits = weigh_seen(model, seen, commonness(model, distinct.table, itself, seen, shares))
    found[at] = bits.sum(axis=0) + np.float32(model.prior_bits) + bundle_bits(model, bits)
    return found


def _each(
    distinct: _Distinct, labels: NDArray[np.int64], belongs: NDArray[np.float32], least: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """From records without copies to all: for each its cluster, numbered as they are met, and the odds. Copies of a
    record that says too little to belong to anything stand alone, each by itself."""
    records = np.arange(len(distinct.place))
    whose = labels[distinct.place]
    lonely = (distinct.first[distinct.place] != records) & (belongs[distinct.place] <= least)
    whose = np.where(lonely, len(labels) + records, whose)
    numbers = _dense(whose)
    first = np.full(int(numbers.max(initial=-1)) + 1, len(records))
    np.minimum.at(first, numbers, records)
    met = np.empty(len(first), np.int64)
    met[np.argsort(first)] = np.arange(len(first))
    return met[numbers], belongs[distinct.place].astype(np.float64)


def _with_copies(
    distinct: _Distinct, pairs: Pairs, bits: NDArray[np.float32], copied: NDArray[np.float32]
) -> tuple[Pairs, NDArray[np.float32]]:
    """The links between records, their copies included. Of records with very many copies only the first are shown."""
    order = np.argsort(distinct.place, kind="stable").astype(np.int32)
    starts = np.cumsum(distinct.copies) - distinct.copies
    copies = np.minimum(distinct.copies, _COPIES_SHOWN)
    alike = np.flatnonzero((copies > 1) & (copied > HOPELESS)).astype(np.int32)
    one, other = np.concatenate((pairs.left, alike)), np.concatenate((pairs.right, alike))
    odds = np.concatenate((bits, copied[alike]))
    times = copies[one] * copies[other]
    at = np.repeat(np.arange(len(one)), times)
    number = np.arange(len(at)) - np.repeat(np.cumsum(times) - times, times)
    left = order[starts[one[at]] + number // copies[other[at]]]
    right = order[starts[other[at]] + number % copies[other[at]]]
    kept = (one[at] != other[at]) | (left < right)
    return Pairs(left[kept], right[kept]), odds[at[kept]]


def _told(table: Table, shares: list[Shares | None]) -> Frequencies:
    """The shares by value, as the scalar path takes them."""
    known, unseen = {}, {}
    for column, share in zip(table.columns, shares, strict=True):
        if share is not None:
            known[column.field.name] = dict(zip(column.values.tolist(), share.known.tolist(), strict=True))
            unseen[column.field.name] = share.unseen
    return Frequencies(known, unseen)

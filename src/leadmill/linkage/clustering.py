"""Which records belong together: greedy merging of the two clusters with the best odds, as long as they are good.

A chain of single links would tie strangers together by one odd record between them. So two clusters are compared
whole, and field by field: the bits of a field are averaged over those pairs of records, one of either side, that both
have it, and the averages are added up as the bits of one pair are. What a record lacks its cluster says for it, and a
slip in one record weighs little. But what a person keeps for life, a birth date or a given name, on which the records
of either agree and the two differ, no slip explains: that counts double. Pairs that were never compared, because no
block held them, count against the merge.

The sums of bits and of pairs add up when clusters merge, so nothing is compared twice. Clusters that are each other's
best are merged all at once, which gives the same as one after another and few rounds.
"""

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.blocking import LARGEST
from leadmill.linkage.model import Kind, Model
from leadmill.linkage.pairs import Pairs

Numbers = NDArray[np.float32]

UNSEEN = np.float32(10.0)
"""Bits against a merge if none of its pairs was ever compared; in part, if some were not."""
HOPELESS = -12.0
"""Pairs below these bits are left out: a pair that was compared and one that was not are then much the same."""
_LASTING = frozenset({Kind.GIVEN_NAME, Kind.DATE, Kind.SEX})
"""What hardly ever changes, so that it can differ by mistake alone."""
_DOUBLY = np.float32(2.0)
"""How many times it counts that two clusters differ in what is lasting."""
_ROUNDS = 1000


class Links(Struct, frozen=True):
    """Compared pairs: of each field the bits, and where it was compared at all (a row a field, a column a pair)."""

    pairs: Pairs
    bits: Numbers
    present: NDArray[np.bool_]


class Judge:
    """Adds averages up to odds, as ``weigh`` does with the bits of one pair."""

    def __init__(self, model: Model, least: float = 0.0) -> None:
        rows = {comparison.field.name: row for row, comparison in enumerate(model.comparisons)}
        self._fields = len(rows)
        self.lasting = [rows[each.field.name] for each in model.comparisons if each.field.kind in _LASTING]
        self._prior = np.float32(model.prior_bits)
        self._bundles = [
            ([rows[name] for name in bundle.fields if name in rows], np.float32(np.log2(bundle.share)))
            for bundle in model.bundles
        ]
        self.least = least

    def odds(self, sums: Numbers, one: Numbers, other: Numbers, agreed: NDArray[np.bool_] | None = None) -> Numbers:
        """Log2 odds of each merge. ``sums`` are the fields' bits, the pairs that have them, and all compared pairs, row
        by row; ``one`` and ``other`` how many records the two have; ``agreed``, for each of the lasting fields, whether
        either of the two agrees in itself."""
        count = self._fields
        means = sums[:count] / np.maximum(sums[count : 2 * count], 1)
        smaller = np.minimum(one, other)
        if agreed is not None:
            # Two records that agree may share a slip; from three on it must have happened again and again.
            for row, both in zip(self.lasting, agreed, strict=True):
                means[row] *= np.where(both & (smaller > 2) & (means[row] < 0), _DOUBLY, np.float32(1))
        total = means.sum(axis=0) + self._prior
        if self._bundles:
            taken = np.zeros_like(total)
            for rows, share in self._bundles:
                taken = np.logaddexp2(taken, means[rows].sum(axis=0) + share)
            total -= taken
        # Of a record no more pairs can have been seen than a block has records.
        unseen = np.maximum(0, 1 - sums[-1] / np.minimum(one * other, smaller * LARGEST))
        return np.asarray(total - UNSEEN * unseen, np.float32)


def merge(records: int, links: Links, judge: Judge) -> NDArray[np.int64]:
    """For each record the cluster it is in, named by one of its records."""
    labels = np.arange(records)
    sizes = np.ones(records, np.float32)
    left, right = links.pairs.left.astype(np.int64), links.pairs.right.astype(np.int64)
    sums = _sums(links)
    inner = np.zeros((len(judge.lasting), records), np.float32)  # bits that the records of each cluster agree by
    odds = judge.odds(sums, sizes[left], sizes[right])
    for _ in range(_ROUNDS):
        chosen = _mutual(left, right, odds, judge.least, records)
        if len(chosen) == 0:
            break
        kept, given = left[chosen], right[chosen]
        inner[:, kept] += inner[:, given] + sums[judge.lasting][:, chosen]
        into = np.arange(records)
        into[given] = kept
        sizes[kept] += sizes[given]
        labels = into[labels]
        moved = np.zeros(records, np.bool_)
        moved[kept] = moved[given] = True
        touched = moved[left] | moved[right]
        rest = ~touched
        one, other, both = _folded(into[left[touched]], into[right[touched]], sums[:, touched], records)
        left, right = np.concatenate((left[rest], one)), np.concatenate((right[rest], other))
        sums = np.concatenate((sums[:, rest], both), axis=1)
        agreed = (inner[:, one] > 0) & (inner[:, other] > 0)
        odds = np.concatenate((odds[rest], judge.odds(both, sizes[one], sizes[other], agreed)))
    return labels


def belonging(labels: NDArray[np.int64], links: Links, judge: Judge) -> Numbers:
    """For each record the odds that it belongs to the rest of its cluster; minus infinity for one that is alone."""
    inside = labels[links.pairs.left] == labels[links.pairs.right]
    sums = _sums(links)[:, inside]
    records = np.concatenate((links.pairs.left[inside], links.pairs.right[inside]))
    order = np.argsort(records)
    found = np.full(len(labels), np.float32(-np.inf), np.float32)
    if len(order) == 0:
        return found
    ordered = records[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    whose = ordered[starts]
    sums = np.add.reduceat(np.concatenate((sums, sums), axis=1)[:, order], starts, axis=1)
    sizes = np.bincount(labels, minlength=len(labels)).astype(np.float32)
    found[whose] = judge.odds(sums, np.ones(len(whose), np.float32), sizes[labels[whose]] - 1)
    return found


def _sums(links: Links) -> Numbers:
    compared = np.ones((1, len(links.pairs)), np.float32)
    return np.concatenate((links.bits, links.present.astype(np.float32), compared))


def _mutual(left: Any, right: Any, odds: Numbers, least: float, records: int) -> NDArray[np.int64]:
    """The places of the merges that are the best of both their clusters."""
    good = np.flatnonzero(odds > least)
    good = good[np.argsort(odds[good], kind="stable")]
    best = np.full((2, records), -1)
    rank = np.arange(len(good))
    best[0, left[good]] = rank  # of several the last, which is the best
    best[1, right[good]] = rank
    best_of = best.max(axis=0)
    return np.asarray(good[(best_of[left[good]] == rank) & (best_of[right[good]] == rank)], np.int64)


def _folded(left: Any, right: Any, sums: Numbers, records: int) -> tuple[Any, Any, Numbers]:
    """Edges between the same two clusters made one; edges inside a cluster are dropped."""
    between = left != right
    left, right, sums = left[between], right[between], sums[:, between]
    if len(left) == 0:
        return left, right, sums
    codes = np.minimum(left, right) * records + np.maximum(left, right)
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    return codes[starts] // records, codes[starts] % records, np.add.reduceat(sums[:, order], starts, axis=1)

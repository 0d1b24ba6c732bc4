"""What a unit of every limit is worth: the dual of "all leads to their best use", solved over a sample of leads.

Called by ``shadow`` in the background, never while a lead waits. A limit's price is what one more unit of it would
earn; the reduced value of giving a lead to an order is what it earns less the prices of the limits it would use.
``bound`` is a certificate: for any prices of zero or more it lies above what anybody could earn from the same leads.

Solved by a stochastic subgradient with averaging: batches of leads choose their best use under the present prices,
each use raises the prices of its limits, and as the sample's weight passes every price drains by what its limit
yields in that time. Pure: the randomness is an argument.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BATCHES = 100
"""Into how many parts a sample is cut: prices move after each."""

_NEVER = -1e30


class Limits:
    """The limits of a plan. ``left`` is what each still yields, ``unit`` how much of it a typical sale uses (1 for
    leads, a price for money), ``worth`` what a typical sale earns per unit used: the scale its price moves on."""

    __slots__ = ("left", "unit", "worth")

    def __init__(self, left: Sequence[float] | Floats, unit: Sequence[float] | Floats, worth: Floats) -> None:
        self.left = np.asarray(left, float)
        self.unit = np.maximum(np.asarray(unit, float), 1e-9)
        self.worth = np.asarray(worth, float)

    @property
    def sales(self) -> Floats:
        """How many typical sales each limit has room for."""
        return cast(Floats, self.left / self.unit)


class Uses:
    """Ways to use leads, one row each, all arrays of one length and sorted by ``lead``.

    ``value`` is what the use earns and ``odds`` how likely it comes about; ``shared`` tells a leg of several from the
    lead alone; ``buyer`` has at most one leg of a lead. ``limits`` names what it would draw on, one column a limit
    (-1 for none), and ``draws`` how much of each. ``weight`` and ``legs`` are by lead: how many leads it stands for,
    and among how many buyers it may be shared.
    """

    __slots__ = ("buyer", "draws", "lead", "legs", "limits", "odds", "shared", "value", "weight")

    def __init__(
        self,
        lead: Ints,
        value: Floats,
        odds: Floats,
        shared: Flags,
        buyer: Ints,
        limits: Ints,
        draws: Floats,
        weight: Floats,
        legs: Ints,
    ) -> None:
        self.lead = lead
        self.value = value
        self.odds = odds
        self.shared = shared
        self.buyer = buyer
        self.limits = limits
        self.draws = draws
        self.weight = weight
        self.legs = legs


class _Batch:
    """Some leads with their uses laid out in rectangles, so that all choose at once."""

    __slots__ = (
        "alone",
        "draws",
        "groups",
        "legs",
        "limits",
        "longest",
        "odds",
        "sizes",
        "starts",
        "value",
        "weight",
    )

    def __init__(self, uses: Uses, first: int, last: int, leads: Ints, legs: Ints, none: int) -> None:
        count = len(leads)
        rows = slice(first, last)
        lead = np.searchsorted(leads, uses.lead[rows])
        shared = uses.shared[rows]
        order = np.lexsort((uses.buyer[rows], shared, lead))
        lead, shared = lead[order], shared[order]
        self.value = np.append(uses.value[rows][order], _NEVER)
        self.odds = np.append(uses.odds[rows][order], 1.0)
        limits = uses.limits[rows][order]
        self.limits = np.where(limits < 0, none, limits)
        self.draws = np.where(limits < 0, 0.0, uses.draws[rows][order])
        self.weight = uses.weight[leads]
        self.legs = legs[leads]
        total = len(order)
        alone = np.flatnonzero(~shared)
        self.alone = _rectangle(lead[alone], alone, count, total)
        together = np.flatnonzero(shared)
        buyer = uses.buyer[rows][order][together]
        fresh = np.ones(len(together), bool)
        fresh[1:] = (lead[together][1:] != lead[together][:-1]) | (buyer[1:] != buyer[:-1])
        heads = np.flatnonzero(fresh)
        self.starts = together[heads]
        self.sizes = np.diff(np.append(heads, len(together)))
        self.longest = int(self.sizes.max()) if len(heads) else 1
        self.groups = _rectangle(lead[self.starts], np.arange(len(heads)), count, len(heads))

    def choose(self, prices: Floats, uniform: Floats | None) -> tuple[Floats, Ints, Ints]:
        """Each lead's best reduced value, and the uses chosen with their leads."""
        worth = self.value.copy()
        worth[:-1] -= np.einsum("ij,ij->i", prices[self.limits], self.draws)
        if uniform is not None:
            worth[:-1][uniform[: len(worth) - 1] > self.odds[:-1]] = _NEVER
        count = len(self.weight)
        rows = np.arange(count)
        if self.alone.shape[1]:
            reduced = worth[self.alone]
            place = reduced.argmax(1)
            single, single_worth = self.alone[rows, place], np.maximum(reduced[rows, place], 0.0)
        else:
            single, single_worth = np.zeros(count, np.int64), np.zeros(count)
        if not self.groups.shape[1]:
            won = np.flatnonzero(single_worth > 0)
            return single_worth, single[won], won
        best = self.starts.copy()
        for step in range(1, self.longest):
            other = np.minimum(self.starts + step, len(worth) - 1)
            best = np.where((self.sizes > step) & (worth[other] > worth[best]), other, best)
        leading = np.append(worth[best], _NEVER)[self.groups]
        width = leading.shape[1]
        ranked = np.argsort(-leading, axis=1)
        leading = np.take_along_axis(leading, ranked, 1)
        taken = (leading > 0) & (np.arange(width)[None, :] < self.legs[:, None])
        shared_worth = np.where(taken, leading, 0.0).sum(1)
        alone = single_worth >= shared_worth
        taken &= ~alone[:, None]
        who, where = np.nonzero(taken)
        chosen = best[self.groups[who, ranked[who, where]]]
        won = np.flatnonzero(alone & (single_worth > 0))
        return (
            np.maximum(single_worth, shared_worth),
            np.concatenate([single[won], chosen]),
            np.concatenate([won, who]),
        )


def _rectangle(lead: Ints, what: Ints, leads: int, empty: int) -> Ints:
    """``what`` in rows by lead, filled up with ``empty``; ``lead`` is sorted."""
    counts = np.bincount(lead, minlength=leads) if len(lead) else np.zeros(leads, np.int64)
    width = int(counts.max()) if len(lead) else 0
    found = np.full((leads, width), empty, np.int64)
    if width:
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        found[lead, np.arange(len(lead)) - starts[lead]] = what
    return found


class Problem:
    """A sample of leads and the limits they compete for, cut into batches in a random order."""

    def __init__(self, uses: Uses, limits: Limits, random: np.random.Generator, batches: int = BATCHES) -> None:
        self.limits = limits
        self._none = len(limits.left)
        leads = len(uses.weight)
        self.weight = float(uses.weight.sum())
        place = random.permutation(leads)
        order = np.argsort(place[uses.lead], kind="stable")
        moved = Uses(
            place[uses.lead][order],
            uses.value[order],
            uses.odds[order],
            uses.shared[order],
            uses.buyer[order],
            uses.limits[order],
            uses.draws[order],
            uses.weight[np.argsort(place)],
            uses.legs[np.argsort(place)],
        )
        cuts = np.linspace(0, leads, min(batches, max(leads // 8, 1)) + 1).astype(int)
        edges = np.searchsorted(moved.lead, cuts)
        self._batches = [
            _Batch(moved, int(a), int(z), np.arange(first, last), moved.legs, self._none)
            for first, last, a, z in zip(cuts[:-1], cuts[1:], edges[:-1], edges[1:], strict=True)
            if last > first
        ]
        self._most = max((len(batch.value) for batch in self._batches), default=0)

    def solve(
        self,
        random: np.random.Generator,
        start: Floats | None = None,
        passes: int = 10,
        k: float = 0.35,
        slack: float = 1.0,
    ) -> Floats:
        """The prices, one a limit: the average over the last half of the passes. ``start`` are those of last time;
        ``k`` is how far a sale moves a price at first, which shrinks from pass to pass; ``slack`` multiplies every
        limit, which is as if so many times fewer leads came."""
        limits = self.limits
        count = self._none
        prices = np.zeros(count + 1)
        if start is not None:
            prices[:count] = start
        if not self._batches or not count:
            return prices[:count]
        sales = limits.sales * slack
        scale = limits.worth / np.sqrt(np.maximum(sales, 1.0))
        total, seen = np.zeros(count), 0
        for number in range(passes):
            step = scale * k / (1 + number) ** 0.9
            for place in random.permutation(len(self._batches)):
                batch = self._batches[place]
                uniform = random.random(self._most)
                _, chosen, who = batch.choose(prices, uniform)
                rise = self._drawn(batch, chosen, who) / limits.unit
                share = float(batch.weight.sum()) / self.weight
                move = step * (rise - sales * share)
                most = 0.25 * limits.worth
                prices[:count] = np.maximum(prices[:count] + np.clip(move, -most, most), 0.0)
                if number >= passes // 2:
                    total += prices[:count]
                    seen += 1
        return total / max(seen, 1)

    def _drawn(self, batch: _Batch, chosen: Ints, who: Ints) -> Floats:
        limits = batch.limits[chosen]
        draws = batch.draws[chosen] * batch.weight[who][:, None]
        found = np.bincount(limits.ravel(), weights=draws.ravel(), minlength=self._none + 1)
        return cast(Floats, found[: self._none])

    def bound(self, prices: Floats, random: np.random.Generator | None = None) -> float:
        """What the leads of the sample can earn at most, by these prices; ``random`` draws which uses come about,
        without it all do."""
        full = np.append(np.maximum(prices, 0.0), 0.0)
        total = float(prices @ self.limits.left)
        for batch in self._batches:
            best, _, _ = batch.choose(full, random.random(self._most) if random is not None else None)
            total += float(best @ batch.weight)
        return total


def solve(uses: Uses, limits: Limits, seed: int, start: Floats | None = None, passes: int = 10, **more: Any) -> Floats:
    """Prices for a sample, in one call."""
    random = np.random.default_rng(seed)
    return Problem(uses, limits, random).solve(random, start, passes, **more)

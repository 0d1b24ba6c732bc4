"""Past leads as the market saw them: who wanted each, and what they would have paid.

Filled from recorded auctions, or from a stream of leads in ``play``; read by ``forecast`` and ``shadow`` as arrays.
Nothing here is personal: a lead is a moment, a few traits in code, a score, and the orders that wanted it, whether
they were open or had room then or not.
"""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from leadmill.market.allocation.duals import Flags, Floats, Ints
from leadmill.market.allocation.forecast import Traffic


class Codes:
    """Names as small numbers, the same ones in every sample that shares it."""

    __slots__ = ("known", "names")

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.names: list[str] = []

    def of(self, name: str) -> int:
        """The number of a name."""
        found = self.known.get(name)
        if found is None:
            found = self.known[name] = len(self.names)
            self.names.append(name)
        return found


class Sample:
    """Leads and the uses they had, as arrays. The uses of lead ``i`` stand in rows ``first[i]`` to ``first[i + 1]``:
    ``order`` in code, its ``bid`` in minor units, and whether it would be a ``shared`` leg."""

    __slots__ = ("bid", "first", "legs", "order", "shared", "traffic")

    def __init__(self, traffic: Traffic, legs: Ints, first: Ints, order: Ints, bid: Floats, shared: Flags) -> None:
        self.traffic = traffic
        self.legs = legs
        self.first = first
        self.order = order
        self.bid = bid
        self.shared = shared

    def __len__(self) -> int:
        return len(self.legs)


class Collector:
    """Takes leads one by one. ``orders`` and ``traits`` are shared by the collectors whose samples go together."""

    __slots__ = ("_at", "_bid", "_first", "_legs", "_order", "_score", "_shared", "_traits", "orders", "traits")

    def __init__(self, orders: Codes, traits: Sequence[Codes]) -> None:
        self.orders = orders
        self.traits = traits
        self._at = array("d")
        self._score = array("d")
        self._traits = array("q")
        self._legs = array("q")
        self._first = array("q", [0])
        self._order = array("q")
        self._bid = array("d")
        self._shared = array("b")

    def __len__(self) -> int:
        return len(self._at)

    def add(
        self, at: float, traits: Sequence[str], score: float, legs: int, uses: Iterable[tuple[str, float, bool]]
    ) -> None:
        """A lead that came ``at`` (seconds since its day began), with the orders that wanted it: id, bid, and whether
        as a shared leg."""
        self._at.append(at)
        self._score.append(score)
        self._legs.append(legs)
        self._traits.extend([codes.of(name) for codes, name in zip(self.traits, traits, strict=True)])
        code = self.orders.of
        for order_id, bid, shared in uses:
            self._order.append(code(order_id))
            self._bid.append(bid)
            self._shared.append(shared)
        self._first.append(len(self._order))

    def sample(self) -> Sample:
        """All leads so far."""
        traits = np.array(self._traits, np.int64).reshape(len(self._at), len(self.traits))
        return Sample(
            Traffic(np.array(self._at, float), traits, np.array(self._score, float)),
            np.array(self._legs, np.int64),
            np.array(self._first, np.int64),
            np.array(self._order, np.int64),
            np.array(self._bid, float),
            np.array(self._shared, bool),
        )


def joined(past: Sample, today: Sample) -> Sample:
    """Both in one: today's leads after the past's."""
    return Sample(
        Traffic(
            np.concatenate([past.traffic.at, today.traffic.at]),
            np.concatenate([past.traffic.traits, today.traffic.traits]),
            np.concatenate([past.traffic.score, today.traffic.score]),
        ),
        np.concatenate([past.legs, today.legs]),
        np.concatenate([past.first, today.first[1:] + past.first[-1]]),
        np.concatenate([past.order, today.order]),
        np.concatenate([past.bid, today.bid]),
        np.concatenate([past.shared, today.shared]),
    )

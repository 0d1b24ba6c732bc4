"""The verbs of hygiene: tell what came back from points, keep what comes back, take it back, let go of it.

``hear_standings`` is wired to the runner by ``main``; the rest is called by ``flow``, which knows whose lead an
observation is about, and by the worker.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from leadmill.hygiene import store
from leadmill.hygiene.model import Observation, Observed, Seen, StandingAsk, Upkeep
from leadmill.runtime.db import Tx

_NOTHING = Observed()


async def hear_standings(tx: Tx, asks: Sequence[StandingAsk]) -> Callable[[StandingAsk], Observed]:
    """The listener for :class:`StandingAsk`: one question for the points of all."""
    points = {point for ask in asks for point in (ask.email, ask.phone) if point is not None}
    found = await store.seen_of(tx, list(points))
    if not found:
        return lambda ask: _NOTHING

    def answer(ask: StandingAsk) -> Observed:
        return Observed(_of(found, ask.email), _of(found, ask.phone))

    return answer


def _of(found: Mapping[bytes, list[Seen]], point: bytes | None) -> tuple[Seen, ...]:
    return tuple(found.get(point, ())) if point is not None else ()


def digest_of(*parts: str) -> bytes:
    """What tells one observation from another: sixteen bytes over who told it of which event."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


async def observe(tx: Tx, given: Iterable[Observation]) -> list[Observation]:
    """Keep what came back; those that are news. What is told twice stands once."""
    ordered = sorted({(one.point, one.digest): one for one in given}.items())
    new = await store.add(tx, [one for _, one in ordered])
    return [one for key, one in ordered if key in new]


async def take_back(tx: Tx, points: Sequence[bytes], digests: Sequence[bytes]) -> int:
    """Take back what was told of these points under these digests: it was corrected. How much."""
    return await store.take_back(tx, sorted(points), sorted(digests))


async def forget_points(tx: Tx, points: Sequence[bytes]) -> int:
    """Let go of everything that came back from these points, whose person is to be forgotten; how much."""
    return await store.forget(tx, points)


async def tidy_hygiene(tx: Tx, upkeeps: Iterable[Upkeep], now: datetime) -> int:
    """Let go of what has had its time in every vertical; how much."""
    longest = max((one.keep_days for one in upkeeps), default=0)
    return await store.expire(tx, now - timedelta(days=longest)) if longest else 0

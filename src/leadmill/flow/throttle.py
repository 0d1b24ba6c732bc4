"""How many pings a source may send: one bucket a source, shared by every process.

Used by the quoter. A bucket fills with the minute's pings evenly and holds ten seconds of them, so a burst is fine and
a flood is not. It stands in the store, because a source that keeps one connection meets one process: a part of the
rate for each process would cut such a source short, and as many rates as processes would be none. A process takes
pings out of it by the handful, as many as wait and as it lately let through in a second, and answers the next ones
from memory; what it does not use within a second it forgets. So the store is asked about once a second for each
source, a flood is turned away without asking, and together the processes never let through more.
"""

import asyncio
import time
from collections.abc import Callable

from leadmill.flow.store import take_pings
from leadmill.parties import Throttled
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database

_BURST_SECONDS = 10.0
_HANDFUL_SECONDS = 1.0


class _Handful:
    """What a process has of one source's bucket."""

    __slots__ = ("asking", "at", "full_at", "left", "used", "waiting")

    def __init__(self) -> None:
        self.asking = asyncio.Lock()
        self.at = 0.0
        """When it was taken, by the monotonic clock."""
        self.left = 0
        self.used = 0
        self.waiting = 0
        self.full_at = 0.0
        """Until when there is nothing to be had."""

    def take(self, now: float) -> bool:
        """Use one that is at hand."""
        if self.left < 1 or now - self.at > _HANDFUL_SECONDS:
            return False
        self.left -= 1
        self.used += 1
        return True


class Throttle:
    """Counts the pings of sources over ``db``, by whose ``clock`` buckets fill."""

    def __init__(self, db: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._monotonic = monotonic
        self._handfuls: dict[str, _Handful] = {}

    async def take(self, source_id: str, per_minute: int) -> None:
        """Count a ping of a source that may send so many a minute; 0 for any number.

        Raises :class:`Throttled` ``intake.ping.throttled`` with the seconds to wait, and Transient where the store
        cannot be asked.
        """
        if per_minute <= 0:
            return
        handful = self._handfuls.get(source_id)
        if handful is None:
            handful = self._handfuls[source_id] = _Handful()
        if handful.take(self._monotonic()):
            return
        self._refuse(handful, per_minute)
        handful.waiting += 1
        try:
            async with handful.asking:
                if handful.take(self._monotonic()):
                    return
                self._refuse(handful, per_minute)
                await self._refill(source_id, handful, per_minute / 60)
                if not handful.take(self._monotonic()):
                    self._refuse(handful, per_minute, 60 / per_minute)
        finally:
            handful.waiting -= 1

    def _refuse(self, handful: _Handful, per_minute: int, least: float = 0.0) -> None:
        """Turn a ping away where it is known that there is nothing to be had, or for ``least`` seconds."""
        wait = max(handful.full_at - self._monotonic(), least)
        if wait > 0:
            raise Throttled("intake.ping.throttled", f"this source may send {per_minute} pings a minute", wait)

    async def _refill(self, source_id: str, handful: _Handful, rate: float) -> None:
        lately = handful.used if self._monotonic() - handful.at < 2 * _HANDFUL_SECONDS else 0
        wish = max(1, handful.waiting, min(lately, int(rate * _HANDFUL_SECONDS)))
        most = max(1.0, rate * _BURST_SECONDS)
        async with self._db.begin() as tx:
            taken, left = await take_pings(tx, source_id, wish, rate, most, self._clock())
        handful.at = self._monotonic()
        handful.left, handful.used = taken, 0
        handful.full_at = handful.at + (1 - left) / rate if not taken else 0.0

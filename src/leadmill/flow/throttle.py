"""How many pings a source may send: a bucket a source, in memory.

Used by the quoter. A bucket fills with the minute's pings evenly and holds ten seconds of them, so a burst is fine and
a flood is not. Each process has its share of the rate, so together they never let through more.
"""

import time
from collections.abc import Callable

from leadmill.parties import Throttled

_BURST_SECONDS = 10.0


class Throttle:
    """``share`` is this process's part of every rate."""

    def __init__(self, share: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, source_id: str, per_minute: int) -> None:
        """Count a ping of a source that may send so many a minute; 0 for any number.

        Raises :class:`Throttled` ``intake.ping.throttled`` with the seconds to wait.
        """
        if per_minute <= 0:
            return
        rate = per_minute * self._share / 60
        most = max(1.0, rate * _BURST_SECONDS)
        now = self._monotonic()
        left, at = self._buckets.get(source_id, (most, now))
        left = min(most, left + (now - at) * rate)
        if left < 1:
            self._buckets[source_id] = (left, now)
            raise Throttled(
                "intake.ping.throttled", f"this source may send {per_minute} pings a minute", (1 - left) / rate
            )
        self._buckets[source_id] = (left - 1, now)

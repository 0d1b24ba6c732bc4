"""A circuit breaker: stops calling a host that keeps failing, and tries again with care.

Kept by ``http``, one a host; shown by the console and the metrics. It knows no clock and no network: the moment
(seconds of a monotonic clock) is an argument, so its whole life can be tested as a table.
"""

from typing import Literal

from msgspec import Struct

State = Literal["closed", "open", "half_open"]


class BreakerView(Struct, frozen=True):
    """A breaker as others see it. ``failures`` counts in a row, ``calls`` and ``failed`` since the start; ``reason``
    is the code of the last failure; ``retry_in`` is seconds until the next trial."""

    host: str
    state: State
    failures: int
    calls: int
    failed: int
    refused: int
    opened: int
    reason: str
    retry_in: float


class Breaker:
    """Closed until ``threshold`` failures in a row; then open for ``rest`` seconds, twice as long each time up to
    ``rest_limit``; then half open: one trial call decides."""

    __slots__ = (
        "_calls", "_failed", "_failures", "_host", "_limit", "_opened", "_reason",
        "_refused", "_rest", "_round", "_threshold", "_trial", "_until",
    )  # fmt: skip

    def __init__(self, host: str, threshold: int = 5, rest: float = 15.0, rest_limit: float = 300.0) -> None:
        self._host, self._threshold, self._rest, self._limit = host, threshold, rest, rest_limit
        self._failures = self._calls = self._failed = self._refused = self._opened = self._round = 0
        self._reason = ""
        self._until: float | None = None
        self._trial = False

    def wait(self, now: float) -> float | None:
        """None: call (and say how it ended). Otherwise do not; a number of seconds to wait first."""
        if self._until is not None:
            if now < self._until:
                self._refused += 1
                return self._until - now
            if self._trial:
                self._refused += 1
                return 1.0
            self._trial = True
        self._calls += 1
        return None

    def succeed(self) -> None:
        """The call reached a working host."""
        self._failures = self._round = 0
        self._until = None
        self._trial = False

    def fail(self, reason: str, now: float) -> None:
        """The call failed by the host's fault."""
        self._failures += 1
        self._failed += 1
        self._reason = reason
        if self._trial or self._failures >= self._threshold:
            if self._until is None or self._trial:
                self._until = now + min(self._rest * 2**self._round, self._limit)
                self._round += 1
                self._opened += 1
            self._trial = False

    def abandon(self) -> None:
        """The caller gave up before the end; says nothing about the host."""
        self._trial = False

    def view(self, now: float) -> BreakerView:
        """The breaker as it stands."""
        state: State = "closed" if self._until is None else "open" if now < self._until else "half_open"
        left = max(0.0, self._until - now) if self._until is not None else 0.0
        return BreakerView(
            self._host,
            state,
            self._failures,
            self._calls,
            self._failed,
            self._refused,
            self._opened,
            self._reason,
            left,
        )

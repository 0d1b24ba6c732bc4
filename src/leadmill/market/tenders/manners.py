"""How a buyer's ping service behaves: how long it takes, and when it is not worth asking.

Kept by the auction in ``flow``, one a buyer in each process; a pause is stored, so that every process and every
person sees it. Knows no clock and no network: moments are arguments.
"""

from collections import deque
from datetime import datetime, timedelta

from msgspec import Struct

FLOOR_MS = 300
"""Nobody is given less than this, however quick it usually is: a pause of ours must not look like one of theirs."""

FAILURES = 5
"""Failures in a row after which a buyer's pings are paused."""

_FIRST_PAUSE = timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(hours=1)
_KEPT = 64
_ENOUGH = 8


class Pause(Struct, frozen=True):
    """A buyer's pings, paused after ``failures`` failures in a row, the last with ``code``. After ``until`` one ping
    is tried; ``round_no`` counts the pauses without a good answer between them, each twice as long as the one
    before."""

    buyer_id: str
    since: datetime
    until: datetime
    failures: int
    code: str
    round_no: int = 1


class Manners:
    """What is known of one buyer's ping service."""

    __slots__ = ("_buyer", "_dirty", "_failures", "_high", "_times", "_trial", "_usual", "pause")

    def __init__(self, buyer_id: str) -> None:
        self._buyer = buyer_id
        self._times: deque[int] = deque(maxlen=_KEPT)
        self._dirty = 0
        self._high = 0
        self._usual = 0
        self._failures = 0
        self._trial = False
        self.pause: Pause | None = None

    def budget(self, left_ms: int, most_ms: int) -> int | None:
        """The milliseconds to give it: twice as long as its slowest answers take, within ``most_ms`` and what is
        left; None where it usually takes longer than is left."""
        if len(self._times) < _ENOUGH:
            return min(left_ms, most_ms)
        if self._dirty >= _ENOUGH or not self._high:
            ordered = sorted(self._times)
            self._high = ordered[int(len(ordered) * 0.95)]
            self._usual = ordered[len(ordered) // 2]
            self._dirty = 0
        if self._usual > left_ms:
            # What it once took must not keep it out for good.
            self._times.append(left_ms)
            self._dirty += 1
            return None
        return min(left_ms, most_ms, max(FLOOR_MS, self._high * 2))

    @property
    def usual(self) -> int:
        """The milliseconds it usually takes."""
        return self._usual

    def may_ask(self, now: datetime) -> bool:
        """Whether to ask it: not while its pings are paused, and one at a time once the pause is over."""
        if self.pause is None:
            return True
        if now < self.pause.until or self._trial:
            return False
        self._trial = True
        return True

    def answered(self, ms: int) -> bool:
        """It answered after ``ms``; whether that ended a pause."""
        self._times.append(ms)
        self._dirty += 1
        self._failures = 0
        self._trial = False
        ended, self.pause = self.pause is not None, None
        return ended

    def failed(self, code: str, now: datetime, waited_ms: int = 0) -> Pause | None:
        """It failed with ``code``, after ``waited_ms`` where it was waited for in vain; the pause that follows, if
        any."""
        if waited_ms:
            self._times.append(waited_ms * 2)  # it would have taken longer; how much is not known
            self._dirty += 1
        self._failures += 1
        if not self._trial and (self.pause is not None or self._failures < FAILURES):
            return None
        round_no = self.pause.round_no + 1 if self.pause is not None else 1
        wait = min(_FIRST_PAUSE * 2 ** (min(round_no, 12) - 1), _LONGEST_PAUSE)
        since = self.pause.since if self.pause is not None else now
        self.pause = Pause(self._buyer, since, now + wait, self._failures, code, round_no)
        self._trial = False
        return self.pause

    def abandon(self) -> None:
        """The asking ended without a word about the buyer."""
        self._trial = False

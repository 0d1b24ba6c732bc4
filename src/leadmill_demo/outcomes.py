"""What buyers report of the leads they took: through ``POST /v1/outcomes``, each with its own key.

Fed by ``world`` with every lead that a stand-in accepted, run by ``__main__`` beside the traffic. Compressed: what
takes days elsewhere takes minutes here.
"""

import asyncio
import heapq
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import NamedTuple

import aiohttp

_MOST = 2_000
"""Reports that wait at most; more leads than that go without one."""
_SHARE = 0.55
"""The share of leads that buyers say anything about."""
_TRIES = 6
_PAUSE = 15.0
"""Seconds between two tries of one report."""

_FIRST: dict[str, float] = {
    "contacted": 48, "no_contact": 22, "callback": 7, "not_interested": 10, "bad_contact": 3, "wrong_number": 3,
    "unqualified": 6, "do_not_contact": 1,
}  # fmt: skip
_NEXT: dict[str, dict[str, float]] = {
    "contacted": {"qualified": 22, "appointment": 24, "quoted": 26, "not_interested": 14, "": 14},
    "callback": {"contacted": 60, "no_contact": 40},
    "qualified": {"quoted": 55, "lost": 30, "": 15},
    "appointment": {"sold": 34, "lost": 40, "": 26},
    "quoted": {"sold": 30, "lost": 48, "": 22},
}
_WORTH: dict[str, tuple[int, int]] = {
    "mortgage": (2_400, 9_500),
    "insurance_auto": (140, 900),
    "solar": (3_000, 14_000),
    "legal": (1_500, 30_000),
    "home_services": (600, 12_000),
    "education": (900, 6_000),
}


class Taken(NamedTuple):
    """A lead that a buyer took."""

    buyer: str
    vertical: str
    lead_id: str


class _Due(NamedTuple):
    at: float
    serial: int
    taken: Taken
    disposition: str
    body: bytes = b""
    tries: int = 0


class Reports:
    """The reports to come. ``now`` counts seconds, ``clock`` tells the time of day."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        keys: Mapping[str, str],
        rng: Random,
        clock: Callable[[], datetime],
        now: Callable[[], float],
    ) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/v1/outcomes"
        self._keys = keys
        self._rng = rng
        self._clock = clock
        self._now = now
        self._waiting: list[_Due] = []
        self._serial = 0
        self.sent = 0

    def expect(self, taken: Taken) -> None:
        """A buyer took a lead; perhaps it will say what becomes of it."""
        if taken.buyer in self._keys and self._rng.random() < _SHARE:
            self._plan(taken, _pick(self._rng, _FIRST), self._rng.uniform(4, 45))

    @property
    def waiting(self) -> int:
        """How many reports are still to come."""
        return len(self._waiting)

    async def run(self) -> None:
        """Send each report when it is due, until cancelled."""
        while True:
            await asyncio.sleep(0.5)
            while self._waiting and self._waiting[0].at <= self._now():
                due = heapq.heappop(self._waiting)
                if await self._send(due):
                    self._follow(due)

    def _plan(self, taken: Taken, disposition: str, wait: float) -> None:
        self._push(_Due(self._now() + wait, 0, taken, disposition))

    def _push(self, due: _Due) -> None:
        if len(self._waiting) < _MOST:
            self._serial += 1
            heapq.heappush(self._waiting, due._replace(serial=self._serial))

    def _follow(self, due: _Due) -> None:
        choices = _NEXT.get(due.disposition)
        following = _pick(self._rng, choices) if choices else ""
        if following:
            self._plan(due.taken, following, self._rng.uniform(20, 240))

    async def _send(self, due: _Due) -> bool:
        """Whether the report arrived; one that could not be sent now is sent later, the very same, a few
        times."""
        body = due.body or self._write(due)
        headers = {
            "Authorization": f"Bearer {self._keys[due.taken.buyer]}",
            "Content-Type": "application/json",
            "Idempotency-Key": f'"{due.taken.buyer}-{due.taken.lead_id}-{due.disposition}"',
        }
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                await answer.read()
                told = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            told = 503
        if told >= 500:
            if due.tries < _TRIES:
                self._push(due._replace(at=self._now() + _PAUSE, body=body, tries=due.tries + 1))
            return False
        self.sent += told < 300
        return told < 300

    def _write(self, due: _Due) -> bytes:
        body: dict[str, str] = {
            "lead_id": due.taken.lead_id,
            "disposition": due.disposition,
            "at": self._clock().isoformat(timespec="seconds"),
        }
        if due.disposition == "sold":
            low, high = _WORTH.get(due.taken.vertical, (500, 5_000))
            body |= {"value": f"{self._rng.randint(low, high)}.00", "currency": "USD"}
        return json.dumps(body).encode()


def _pick(rng: Random, odds: Mapping[str, float]) -> str:
    return rng.choices(list(odds), weights=list(odds.values()))[0]

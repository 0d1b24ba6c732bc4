"""Believable traffic: enquiries at the pace of a day, through Leadmill's public HTTP surface only.

Run by ``__main__`` beside the stand-ins. It keeps going whatever Leadmill does: while nobody answers, it waits and
tries again, as sources do.
"""

import asyncio
import itertools
import json
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from html import unescape
from random import Random
from typing import Any

import aiohttp

from leadmill_demo.compose import Call, Visit, make_enquiry, write_call, write_visit
from leadmill_demo.people import Person
from leadmill_demo.senders import SENDERS, Sender
from leadmill_demo.troubles import draw

_AT_ONCE = 24
"""Requests under way at most; while so many are, visitors stay away."""
_REMEMBERED = 400
"""People of each vertical who may ask again."""
_PINGED = 0.3
"""How many of the calls that can be asked for a price first are."""
_POSTED = 0.85
"""How many of those that got a bid are posted; the other people close the page."""
_THINKING = (0.3, 4.0)
"""Seconds that a person looks at the companies before agreeing."""
_WAIT = (0.5, 8.0)
"""Seconds between two looks whether Leadmill is back, at first and at most."""
_FIELD = re.compile(r'<input[^>]*\bname="_stamp"[^>]*\bvalue="([^"]*)"')
_BUSY_HOURS = (
    0.45, 0.35, 0.30, 0.28, 0.30, 0.40, 0.55, 0.75, 1.00, 1.25, 1.40, 1.45,
    1.45, 1.40, 1.35, 1.30, 1.30, 1.30, 1.40, 1.50, 1.50, 1.30, 0.97, 0.75,
)  # fmt: skip
"""How busy each hour of an American day is, its mean being one."""
_BEHIND_UTC = 6
"""Hours: where most of the people live, whatever the season."""


def pace(rate: float, now: datetime) -> float:
    """Enquiries a second at this moment, ``rate`` being the mean of a day. Hours flow into one another."""
    hour = (now.astimezone(UTC).hour - _BEHIND_UTC + now.minute / 60) % 24
    first = int(hour)
    share = hour - first
    return rate * (_BUSY_HOURS[first] * (1 - share) + _BUSY_HOURS[(first + 1) % 24] * share)


class Crowd:
    """Who asks next. The same seed and moments give the same crowd."""

    def __init__(self, rng: Random, keys: Mapping[str, str], senders: tuple[Sender, ...] = SENDERS) -> None:
        self._rng = rng
        self._keys = keys
        self._senders = senders
        self._weights = list(itertools.accumulate(sender.weight for sender in senders))
        self._known: dict[str, deque[Person]] = {}

    def next(self, now: datetime) -> Call | Visit:
        """The next enquiry, ready to be sent."""
        rng = self._rng
        sender = rng.choices(self._senders, cum_weights=self._weights)[0]
        known = self._known.setdefault(sender.vertical, deque(maxlen=_REMEMBERED))
        earlier = rng.choice(known) if known else None
        enquiry = make_enquiry(rng, sender, draw(rng), now, earlier)
        if enquiry.trouble in ("none", "unknown_fields"):
            known.append(enquiry.person)
        if sender.form:
            return write_visit(rng, enquiry)
        return write_call(rng, enquiry, self._keys[sender.key])


class Traffic:
    """Sends what the crowd asks until it is cancelled. ``heard`` counts the answers: a lead's status, ``refused 4xx``,
    ``lost`` for what could not be sent."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        crowd: Crowd,
        rng: Random,
        rate: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._crowd = crowd
        self._rng = rng
        self._rate = rate
        self._clock = clock
        self._away = False
        self._sending: set[asyncio.Task[None]] = set()
        self.heard: Counter[str] = Counter()

    async def run(self) -> None:
        """Send and send. What is under way when this is cancelled is cancelled too."""
        try:
            await self._until_answered()
            while True:
                if self._away:
                    await self._until_answered()
                await asyncio.sleep(self._rng.expovariate(max(pace(self._rate, self._clock()), 1e-3)))
                if len(self._sending) < _AT_ONCE:
                    self._begin(self._send(self._crowd.next(self._clock())))
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    def _begin(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _until_answered(self) -> None:
        for wait in _waits():
            try:
                async with self._session.get(f"{self._url}/readyz") as answer:
                    if answer.status == 200:
                        self._away = False
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(wait)

    async def _send(self, what: Call | Visit) -> None:
        try:
            if isinstance(what, Call):
                await self._call(what)
            else:
                await self._visit(what)
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.heard["lost"] += 1
            self._away = True

    async def _call(self, call: Call) -> None:
        if call.ping is not None and self._rng.random() < _PINGED:
            await self._ping(call, call.ping)
            return
        await self._post(call.headers, call.body)
        if call.again is not None:
            await self._post(call.headers, call.again)

    async def _ping(self, call: Call, ping: bytes) -> None:
        """Ask for a price first, and post the lead if there is one."""
        headers = {name: value for name, value in call.headers.items() if name != "Idempotency-Key"}
        async with self._session.post(f"{self._url}/v1/ping", data=ping, headers=headers) as answer:
            self._note(answer.status)
            if answer.status >= 300:
                self.heard[f"refused {answer.status}"] += 1
                return
            told = await answer.json(content_type=None)
        self.heard[f"ping {told.get('status')}"] += 1
        if told.get("status") != "bid" or self._rng.random() >= _POSTED:
            return
        await asyncio.sleep(self._rng.uniform(*_THINKING))
        named = json.dumps({"ping_id": told["ping_id"]}).encode()
        await self._post(headers, named[:-1] + b"," + call.body.lstrip()[1:], "/v1/post")

    async def _post(self, headers: Mapping[str, str], body: bytes, path: str = "/v1/leads") -> None:
        async with self._session.post(f"{self._url}{path}", data=body, headers=headers) as answer:
            self._note(answer.status)
            if answer.status < 300:
                told = await answer.json(content_type=None)
                self.heard[str(told.get("status"))] += 1
            else:
                await answer.read()
                self.heard[f"refused {answer.status}"] += 1

    async def _visit(self, visit: Visit) -> None:
        headers = {"User-Agent": visit.browser, "Accept-Language": "en-US,en;q=0.8"}
        page = f"{self._url}/f/{visit.form}"
        async with self._session.get(page, headers=headers) as answer:
            self._note(answer.status)
            found = _FIELD.search(await answer.text())
        if found is None:
            self.heard["no form"] += 1
            return
        typed = {**visit.typed, "_stamp": unescape(found[1])}
        for _ in range(2 if visit.twice else 1):
            async with self._session.post(page, data=typed, headers=headers, allow_redirects=False) as answer:
                self._note(answer.status)
                self.heard["form sent" if answer.status in (200, 303) else f"form {answer.status}"] += 1

    def _note(self, status: int) -> None:
        # A gateway's word that nobody is there counts as silence.
        if status in (502, 503, 504):
            self._away = True


def _waits() -> Iterator[float]:
    first, most = _WAIT
    return (min(most, first * math.pow(1.5, tries)) for tries in range(1_000_000_000))

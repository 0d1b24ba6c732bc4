"""Stand-ins for paid providers of facts: what they know, and how they fail.

Part of the world that ``world`` serves, and started by itself in tests. What is true of a number or an address follows
from a hash of it, so that two stand-ins agree, save where one is wrong. A fault can be had on demand:
``POST /providers/{name}/faults`` with ``{"next": ["slow", "busy"]}`` for the next questions, or ``{"outage": true}``
for all of them until it is taken back.
"""

import asyncio
import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, NamedTuple, get_args

from aiohttp import web

Act = Literal["answer", "slow", "late", "error", "busy", "malformed", "wrong", "empty", "refused"]
"""``slow`` answers after a while and ``late`` too late for anybody; ``error`` is a 500, ``busy`` a 429, ``refused`` a
402; ``wrong`` says the opposite of what is true; ``empty`` knows nothing."""

ACTS: tuple[Act, ...] = get_args(Act)

SLOW = 0.6
LATE = 12.0

_CARRIERS = ("Longline Cellular", "Tallgrass Wireless", "Harborphone", "Copper & Post")


class Manners(NamedTuple):
    """How a provider behaves: how likely each act is (the rest is an answer), and in how many of a hundred cases it
    knows anything; it is down for the first ``down`` seconds of every ``every``."""

    title: str
    odds: Mapping[Act, float]
    knows: int = 92
    every: int = 0
    down: int = 0


PROVIDERS: dict[str, Manners] = {
    "linecheck": Manners("Linecheck Inc.", {"slow": 0.03, "busy": 0.01, "wrong": 0.01}, 78),
    "numberly": Manners("Numberly LLC", {"slow": 0.08, "error": 0.02, "wrong": 0.03}, 93, every=1_800, down=120),
    "mailproof": Manners("Mailproof Ltd.", {"malformed": 0.01, "slow": 0.02}, 96),
}


class Paid:
    """One stand-in. ``key`` must be sent as ``X-Api-Key`` where there is one."""

    def __init__(self, name: str, manners: Manners, rng: Random, key: str = "") -> None:
        self.name = name
        self.manners = manners
        self.key = key
        self.outage = False
        self.next: deque[Act] = deque()
        self.counts: Counter[str] = Counter()
        self.asked: list[str] = []
        """Digests of what was asked, for tests that count."""
        self._rng = rng

    def act(self, seconds: float) -> Act:
        """What it does this time."""
        if self.next:
            return self.next.popleft()
        manners = self.manners
        if self.outage or (manners.every and seconds % manners.every < manners.down):
            return "error"
        drawn = self._rng.random()
        for act, odds in manners.odds.items():
            drawn -= odds
            if drawn < 0:
                return act
        return "answer"

    def says(self, topic: str, value: str, wrong: bool = False) -> dict[str, object]:
        """What it knows of a number or an address; ``wrong`` where it is mistaken."""
        own = hashlib.sha256(f"{self.name} {value}".encode()).digest()
        if own[0] * 100 // 256 >= self.manners.knows:
            return {"status": "no_data"}
        seed = hashlib.sha256(value.lower().encode()).digest()
        alive = (seed[0] >= 16) is not wrong
        if topic == "phone":
            kind = "wireless" if seed[1] < 180 else "landline" if seed[1] < 235 else "voip"
            return {
                "status": "ok",
                "line": {"active": alive, "type": kind, "carrier": _CARRIERS[seed[2] % len(_CARRIERS)], "score": 0.96},
            }
        return {"status": "ok", "mailbox": {"deliverable": alive, "age_days": seed[3] * 17}}


def provider_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """The providers' keys by provider, from the variables ``DEMO_PROVIDER_…``."""
    head = "DEMO_PROVIDER_"
    return {name.removeprefix(head).lower(): value for name, value in keys.items() if name.startswith(head)}


class Providers:
    """All stand-ins, as routes of a web application. ``clock`` gives seconds, by which outages come and go."""

    def __init__(self, rng: Random, keys: Mapping[str, str], clock: Callable[[], float]) -> None:
        self.paid = {name: Paid(name, manners, rng, keys.get(name, "")) for name, manners in PROVIDERS.items()}
        self._clock = clock

    def route(self, app: web.Application) -> None:
        """Take their place in an application."""
        app.router.add_get("/providers", self._index)
        app.router.add_post("/providers/{name}/faults", self._faults)
        app.router.add_get("/providers/{name}/{topic:phone|email}", self._ask)

    async def _index(self, request: web.Request) -> web.Response:
        return web.json_response(
            {name: {"title": paid.manners.title, **paid.counts} for name, paid in self.paid.items()}
        )

    async def _faults(self, request: web.Request) -> web.Response:
        paid = self.paid.get(request.match_info["name"])
        try:
            told = json.loads(await request.read())
            acts = [act for act in told.get("next", []) if act in ACTS]
        except (ValueError, AttributeError, TypeError):
            return web.json_response({"error": "send a JSON object"}, status=400)
        if paid is None:
            return web.json_response({"error": "no such provider"}, status=404)
        paid.next.extend(acts)
        paid.outage = bool(told.get("outage", paid.outage))
        return web.json_response({"next": list(paid.next), "outage": paid.outage})

    async def _ask(self, request: web.Request) -> web.Response:
        paid, topic = self.paid.get(request.match_info["name"]), request.match_info["topic"]
        if paid is None:
            return web.json_response({"error": "no such provider"}, status=404)
        if paid.key and request.headers.get("X-Api-Key") != paid.key:
            paid.counts["unsigned"] += 1
            return web.json_response({"error": "bad key"}, status=401)
        value = request.query.get("number") or request.query.get("address") or ""
        act = paid.act(self._clock())
        paid.counts[act] += 1
        paid.asked.append(hashlib.sha256(value.encode()).hexdigest())
        del paid.asked[:-1_000]
        return await _answered(paid, topic, value, act)


async def _answered(paid: Paid, topic: str, value: str, act: Act) -> web.Response:
    if act == "error":
        return web.Response(status=500, text="Internal Server Error")
    if act == "busy":
        return web.json_response({"status": "throttled"}, status=429, headers={"Retry-After": "5"})
    if act == "refused":
        return web.json_response({"error": "no credit left"}, status=402)
    if act == "malformed":
        return web.Response(text='{"status": "ok", "line": {"act', content_type="application/json")
    if act == "empty":
        return web.json_response({"status": "no_data"})
    await asyncio.sleep({"slow": SLOW, "late": LATE}.get(act, 0.0))
    return web.json_response(paid.says(topic, value, wrong=act == "wrong"))

"""The buyers' stand-ins: one small server that takes what Leadmill delivers and answers as ``behaviour`` says.

Started by ``__main__`` and by tests. It keeps the last few hundred deliveries and letters in memory, for a person to
look at: ``/`` lists the buyers, ``/buyers/{id}`` what one of them got, ``/mail`` the inbox.
"""

import asyncio
import base64
import hashlib
import hmac
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from aiohttp import web

from leadmill_demo import pages
from leadmill_demo.behaviour import MANNERS, Answer, Manner, answer, choose, takes
from leadmill_demo.bidding import TASTES, bid
from leadmill_demo.inbox import Inbox
from leadmill_demo.kept import Delivery, Letter
from leadmill_demo.outcomes import Taken
from leadmill_demo.providers import Providers, provider_keys
from leadmill_demo.vendors import Vendors

_KEPT = 400
_REMEMBERED = 2_000
_BODY = 8_000
"""Characters of a body that are kept."""
_SKEW = 300
"""Seconds that a signature is good for (Standard Webhooks)."""
_LEAD = re.compile(r"lead_[0-9A-Za-z]{10,}")

BY_MAIL: dict[str, tuple[str, str, str]] = {
    "fenwick-row": ("Fenwick Row Agency Inc.", "insurance_auto", "fenwick-row.example.com"),
    "corbel-street": ("Corbel Street Attorneys PC", "legal", "corbel-street.example.com"),
}
"""The buyers that take leads by mail: name, vertical, domain."""


class World:
    """All stand-ins. ``taken`` hears of every lead that one of them accepted."""

    def __init__(
        self,
        rng: Random,
        keys: Mapping[str, str],
        taken: Callable[[Taken], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        manners: Mapping[str, Manner] = MANNERS,
    ) -> None:
        self._rng = rng
        self._keys = keys
        self._taken = taken
        self._clock = clock
        self.manners = manners
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT)
        self.counts: dict[str, Counter[str]] = {buyer: Counter() for buyer in (*manners, *BY_MAIL)}
        self.pings: dict[str, Counter[str]] = {buyer: Counter() for buyer in TASTES}
        self.inbox = Inbox(clock, self._mailed)
        self._said: OrderedDict[str, Answer] = OrderedDict()
        self.providers = Providers(rng, provider_keys(keys), lambda: clock().timestamp())
        self.vendors = Vendors(rng, keys, lambda: clock().timestamp())

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(client_max_size=2 * 1024 * 1024)
        app.router.add_get("/", self._index)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/style.css", self._style)
        app.router.add_get("/mail", self._mail)
        app.router.add_get("/mail/{number:[0-9]{1,9}}", self._letter)
        app.router.add_get("/buyers/{buyer}", self._buyer)
        app.router.add_post("/buyers/{buyer}/ping", self._ping)
        app.router.add_route("*", "/buyers/{buyer}/{path:.+}", self._receive)
        self.providers.route(app)
        self.vendors.route(app)
        return app

    # What Leadmill sends

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        buyer = request.match_info["buyer"]
        manner = self.manners.get(buyer)
        if manner is None or request.method not in ("POST", "PUT"):
            return web.Response(status=404 if manner is None else 405, text="nobody here takes that")
        raw = await request.read()
        text = raw.decode("utf-8", "replace")
        found = _LEAD.search(text)
        lead_id = found.group() if found else ""
        key = request.headers.get("Idempotency-Key") or request.headers.get("webhook-id") or ""
        signed = self._signed(buyer, request.headers, raw)
        said = self._said.get(f"{buyer} {key}") if key else None
        again = said is not None
        if signed is False:
            said = Answer("error", 401, "text/plain", "The signature does not match")
        elif said is None:
            said = self._answer(manner)
            if key and said.act in ("accept", "slow", "reject", "duplicate"):
                self._remember(f"{buyer} {key}", said._replace(wait=0.0))
        self.counts[buyer][said.act if signed is not False else "unsigned"] += 1
        self.deliveries.append(
            Delivery(
                self._clock(), buyer, request.path, lead_id, said.act, said.status,
                request.content_type, text[:_BODY], said.body, signed, again,
            )
        )  # fmt: skip
        if said.wait:
            await asyncio.sleep(said.wait)
        if takes(said.act) and lead_id and not again:
            self._taken(Taken(buyer, manner.vertical, lead_id))
        return web.Response(status=said.status, text=said.body, content_type=said.media, headers=dict(said.headers))

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        """A ping is answered and kept nowhere: there are many, and nothing of a person stands in one."""
        buyer = request.match_info["buyer"]
        said = bid(buyer, (await request.read()).decode("utf-8", "replace"), self._rng)
        if said is None:
            return web.Response(status=404, text="nobody here bids")
        self.pings[buyer][said.act] += 1
        await asyncio.sleep(said.wait)
        return web.Response(status=said.status, text=said.body, content_type=said.media)

    def _answer(self, manner: Manner) -> Answer:
        act = choose(manner, self._rng, self._clock().timestamp())
        reference = f"{manner.name[0]}{self._rng.randint(100_000, 999_999)}"
        return answer(manner, act, self._rng.choice(manner.reasons), reference)

    def _remember(self, key: str, said: Answer) -> None:
        self._said[key] = said
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)

    def _signed(self, buyer: str, headers: Mapping[str, str], body: bytes) -> bool | None:
        """Whether the body is signed as Standard Webhooks 1.0 says; None where the buyer has no signing secret."""
        secret = self._keys.get(f"DEMO_HOOK_{buyer.upper().replace('-', '_')}")
        if secret is None:
            return None
        stamp = headers.get("webhook-timestamp", "")
        if not stamp.isdecimal() or abs(int(stamp) - self._clock().timestamp()) > _SKEW:
            return False
        signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
        good = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
        given = [part.partition(",")[2] for part in headers.get("webhook-signature", "").split()]
        wanted = base64.b64encode(good)
        return any(hmac.compare_digest(wanted, one.encode()) for one in given)

    def _mailed(self, letter: Letter) -> None:
        domains = {address.rpartition("@")[2].lower() for address in letter.to}
        for buyer, (_, vertical, domain) in BY_MAIL.items():
            found = _LEAD.search(letter.subject) if domain in domains else None
            if found:
                self.counts[buyer]["accept"] += 1
                self._taken(Taken(buyer, vertical, found.group()))

    # What a person looks at

    async def _index(self, request: web.Request) -> web.Response:
        names = {buyer: manner.name for buyer, manner in self.manners.items()}
        names |= {buyer: name for buyer, (name, _, _) in BY_MAIL.items()}
        return _page(pages.index(names, self.counts, list(self.deliveries)[-60:][::-1], self.inbox.count))

    async def _buyer(self, request: web.Request) -> web.Response:
        buyer = request.match_info["buyer"]
        if buyer in BY_MAIL:
            raise web.HTTPSeeOther("/mail")
        manner = self.manners.get(buyer)
        if manner is None:
            return _page(pages.missing("There is no such buyer."), 404)
        mine = [one for one in self.deliveries if one.buyer == buyer]
        return _page(pages.buyer(manner, self.counts[buyer], mine[::-1]))

    async def _mail(self, request: web.Request) -> web.Response:
        return _page(pages.mail(list(self.inbox.letters)[::-1], self.inbox.refused))

    async def _letter(self, request: web.Request) -> web.Response:
        letter = self.inbox.find(int(request.match_info["number"]))
        return _page(pages.letter(letter)) if letter else _page(pages.missing("This letter is kept no longer."), 404)

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _style(self, request: web.Request) -> web.Response:
        return web.Response(text=pages.STYLE, content_type="text/css", headers={"Cache-Control": "max-age=300"})


def _page(html: str, status: int = 200) -> web.Response:
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return web.Response(text=html, status=status, content_type="text/html", headers=headers)


class Running(NamedTuple):
    """The world while it runs: its ports, and how to end it."""

    port: int
    smtp_port: int
    runner: web.AppRunner
    mail: asyncio.Server

    async def stop(self) -> None:
        """Close both servers; buyers that sleep are woken."""
        self.mail.close()
        await self.runner.cleanup()


async def start(world: World, host: str, port: int, smtp_port: int) -> Running:
    """Open both servers; a port of 0 takes a free one. Raises OSError where another program has a port."""
    runner = web.AppRunner(world.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        mail = await world.inbox.serve(host, smtp_port)
    except OSError:
        await runner.cleanup()
        raise
    return Running(runner.addresses[0][1], mail.sockets[0].getsockname()[1], runner, mail)

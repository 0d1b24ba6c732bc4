"""The one client for outgoing HTTP.

Called by whoever performs a plug-in's :class:`HttpAsk`; nothing else in Leadmill opens a socket for HTTP. It keeps
to the ask's budget, guards the address and connects to the address it judged, follows no redirect, reads no proxy
from the environment, bounds the reply, opens secrets by name, signs, rests a failing host, and logs method, host,
status and time: never a path, a query or a body.

What comes back is a reply (2xx, 3xx, 4xx) or a fault: :class:`Transient` for what may go through later (no
connection, time spent, broken reply, 5xx, 408, 425, 429), :class:`Permanent` for what will not (refused address,
untrusted certificate, malformed ask, oversized reply). The record ``docs/decisions/0004-outgoing-http.md`` says why
this client.
"""

import asyncio
import base64
import re
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import aiohttp
import msgspec
import structlog
from msgspec import Struct
from yarl import URL

from leadmill.core.conversation import Blank, HttpAsk, HttpReply
from leadmill.core.faults import Fault, Permanent, Transient
from leadmill.runtime.addresses import GuardedResolver, Lookup, Reach, check_address, literal, system_lookup
from leadmill.runtime.breaker import Breaker, BreakerView
from leadmill.runtime.clock import Clock
from leadmill.runtime.signing import open_secret, sign_webhook

_log = structlog.get_logger("leadmill.http")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_UNFIT = re.compile("[\x00-\x20\x7f]")
_USUAL = frozenset(("User-Agent", "Accept", "Accept-Encoding", "Content-Type", "Authorization", "Idempotency-Key"))
_OWNED = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "proxy-authorization")
)
_LATER = {408: "http.server.timeout", 425: "http.server.early", 429: "http.server.busy"}
_REPEATABLE = frozenset(("GET", "PUT", "DELETE"))
_PAUSE = 0.05
_URLS_KEPT = 2_000
_LONGEST_WAIT = 86_400.0


class HttpLimits(Struct, frozen=True):
    """How much the client holds open and how patient its breakers are. ``keep_alive`` is short because many servers
    close an idle connection after five seconds, and a request sent into a closing connection is a request of unknown
    fate."""

    connections: int = 256
    connections_per_host: int = 64
    keep_alive: float = 4.0
    failures: int = 5
    rest: float = 15.0
    rest_limit: float = 300.0


class Http:
    """The client. ``async with Http(...) as http: reply = await http.perform(ask)``."""

    def __init__(
        self,
        reach: Reach,
        environ: Mapping[str, str],
        clock: Clock,
        *,
        limits: HttpLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        lookup: Lookup = system_lookup,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._reach = reach
        self._environ = environ
        self._clock = clock
        self._limits = limits or HttpLimits()
        self._monotonic = monotonic
        self._lookup = lookup
        self._trust = trust
        self._breakers: dict[str, Breaker] = {}
        self._urls: dict[str, tuple[URL, str]] = {}
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Make the pools; connects nowhere yet. One pool a scheme, because the guard judges them differently."""
        tls = self._trust or ssl.create_default_context()
        for scheme in ("http", "https"):
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(self._reach, plain=scheme == "http", lookup=self._lookup),
                limit=self._limits.connections,
                limit_per_host=self._limits.connections_per_host,
                keepalive_timeout=self._limits.keep_alive,
                ttl_dns_cache=10,
                ssl=tls,
            )
            self._sessions[scheme] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
                skip_auto_headers=("User-Agent", "Content-Type"),
            )

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def breakers(self) -> list[BreakerView]:
        """Every host called so far and how its breaker stands."""
        now = self._monotonic()
        return [self._breakers[host].view(now) for host in sorted(self._breakers)]

    async def perform(self, ask: HttpAsk) -> HttpReply:
        """Perform the ask. Raises :class:`Transient` and :class:`Permanent` as the module says."""
        known = self._urls.get(ask.url)
        if known is None:
            url = _checked_url(ask.url, self._reach)
            known = url, f"{url.host}:{url.port}"
            if ask.method != "GET":  # an address that is got may hold a person's values
                if len(self._urls) >= _URLS_KEPT:
                    self._urls.clear()
                self._urls[ask.url] = known
        url, host = known
        headers, body = self._dressed(ask)
        breaker = self._breakers.get(host)
        if breaker is None:
            limits = self._limits
            breaker = self._breakers[host] = Breaker(host, limits.failures, limits.rest, limits.rest_limit)
        began = self._monotonic()
        wait = breaker.wait(began)
        if wait is not None:
            raise Transient("http.breaker.open", "the host failed too often and rests", after=wait)
        settled = False
        status, code = 0, "ok"
        try:
            reply = await self._within_budget(ask, url, headers, body, began)
            status = reply.status
            breaker.succeed()
            settled = True
            return reply
        except Transient as fault:
            code = fault.code
            if code in _LATER.values():
                breaker.succeed()  # the host works and says so
            elif code == "http.time.spent" and ask.hurried:
                breaker.abandon()
            else:
                breaker.fail(code, self._monotonic())
            settled = True
            raise
        except Permanent as fault:
            code = fault.code
            raise
        except asyncio.CancelledError:
            code = "cancelled"
            raise
        finally:
            if not settled:
                breaker.abandon()
            took = int((self._monotonic() - began) * 1000)
            say = _log.debug if code == "ok" and status < 400 else _log.info
            say("http.request", method=ask.method, host=host, status=status, code=code, ms=took)

    async def _within_budget(
        self, ask: HttpAsk, url: URL, headers: dict[str, str], body: bytes, began: float
    ) -> HttpReply:
        """One try, and one more where that cannot do the same thing twice."""
        repeatable = ask.idempotent or ask.method in _REPEATABLE
        try:
            async with asyncio.timeout(ask.budget_ms / 1000):
                try:
                    return await self._once(ask, url, headers, body, began)
                except _Unsent:
                    pass
                except Transient as fault:
                    if not repeatable or fault.code in _LATER.values():
                        raise
                await asyncio.sleep(_PAUSE)
                try:
                    return await self._once(ask, url, headers, body, began)
                except _Unsent as unsent:
                    raise Transient(unsent.code, unsent.detail) from unsent
        except TimeoutError as fault:
            raise Transient("http.time.spent", f"no complete answer within {ask.budget_ms} ms") from fault

    async def _once(self, ask: HttpAsk, url: URL, headers: dict[str, str], body: bytes, began: float) -> HttpReply:
        session = self._sessions.get(url.scheme)
        if session is None:
            raise Permanent("http.client.closed", "open the client before using it")
        try:
            async with session.request(
                ask.method, url, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                if response.status in _LATER or response.status >= 500:
                    code = _LATER.get(response.status, "http.server.failed")
                    after = _retry_after(response.headers.get("Retry-After"), self._clock())
                    raise Transient(code, f"the server answered {response.status}", after=after)
                content = await _bounded(response, ask.reply_limit)
                kept = {name.lower(): value for name, value in response.headers.items()}
                return HttpReply(response.status, kept, content, int((self._monotonic() - began) * 1000))
        except (Fault, TimeoutError):
            raise
        except aiohttp.InvalidURL as fault:
            raise Permanent("http.address.malformed", "write a whole http or https address") from fault
        except aiohttp.ClientConnectorCertificateError as fault:
            raise Permanent("http.certificate.untrusted", "the server's certificate is not valid for it") from fault
        except aiohttp.ClientConnectorError as fault:
            raise _Unsent("http.connection.failed", type(fault.os_error).__name__) from fault
        except (aiohttp.ClientError, OSError) as fault:
            raise Transient("http.reply.broken", type(fault).__name__) from fault
        except ValueError as fault:
            raise Transient("http.reply.broken", "the answer is not HTTP") from fault

    def _dressed(self, ask: HttpAsk) -> tuple[dict[str, str], bytes]:
        """The headers and the body as they are sent: secrets opened, signed."""
        body = ask.body
        for blank in ask.blanks:
            body = body.replace(blank.token.encode(), _filled(blank, open_secret(self._environ, blank.secret)))
        headers = {"User-Agent": "Leadmill", "Accept-Encoding": "identity", **ask.headers}
        for name, secret in ask.secret_headers.items():
            headers[name] = open_secret(self._environ, secret)
        if ask.sign != "none":
            if ask.secret is None:
                raise Permanent("http.ask.malformed", f"signing by {ask.sign} needs a secret")
            value = open_secret(self._environ, ask.secret)
            if ask.sign == "standard-webhook":
                headers |= sign_webhook(value, ask.message_id, int(self._clock().timestamp()), body)
            elif ask.sign == "bearer":
                headers["Authorization"] = f"Bearer {value}"
            elif ask.sign == "basic":
                pair = base64.b64encode(f"{ask.sign_name}:{value}".encode()).decode()
                headers["Authorization"] = f"Basic {pair}"
            else:
                headers[ask.sign_name] = value
        elif ask.message_id:
            headers.setdefault("webhook-id", ask.message_id)
        _check_headers(headers)
        return headers, body


class _Unsent(Fault):
    """Nothing reached the server: the connection was never made."""


def _filled(blank: Blank, value: str) -> bytes:
    if blank.escape == "json":
        return msgspec.json.encode(value)[1:-1]
    if blank.escape == "form":
        return quote_plus(value).encode()
    return escape(value, {'"': "&quot;"}).encode()


def _checked_url(text: str, reach: Reach) -> URL:
    """The address, judged as far as it can be before its name is resolved."""
    try:
        url = URL(text)
        port = url.port
    except ValueError as fault:
        raise Permanent("http.address.malformed", "write a whole http or https address") from fault
    if url.scheme not in ("http", "https") or not url.host or not port:
        raise Permanent("http.address.malformed", "write a whole http or https address")
    if url.user is not None or url.password is not None:
        raise Permanent("http.address.malformed", "no user and password in an address: use auth with a secret")
    if _UNFIT.search(text):
        raise Permanent("http.address.malformed", "no blanks or control characters in an address")
    fixed = literal(url.host)
    if fixed is not None:
        check_address(fixed, reach, plain=url.scheme == "http")
    return url


def _check_headers(headers: Mapping[str, str]) -> None:
    """Raise :class:`Permanent` ``http.header.refused`` for a header that could end its line or change the framing."""
    for name, value in headers.items():
        if name not in _USUAL and (not _TOKEN.fullmatch(name) or name.lower() in _OWNED):
            raise Permanent("http.header.refused", "a header's name is not allowed")
        if _CONTROL.search(value):
            raise Permanent("http.header.refused", f"the header {name} has a control character in its value")


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, unless it is longer than the limit: then the rest is never read."""
    parts = bytearray()
    async for part in response.content.iter_any():
        parts += part
        if len(parts) > limit:
            response.close()
            raise Permanent("http.reply.too_large", f"the answer is longer than {limit} bytes")
    return bytes(parts)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (RFC 9110, 10.2.3), at most a day; None where it says nothing
    usable."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(float(value), _LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max(0.0, (when - now).total_seconds()), _LONGEST_WAIT)

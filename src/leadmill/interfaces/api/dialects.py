"""Other systems' addresses, as plain ASGI: a sender who changes nothing but the host is understood and answered.

Mounted by ``interfaces.server`` beside ``POST /v1/leads``. Which addresses, names and words there are is data (the
packs' dialects); this file only finds the door, finds out who calls, hands the submission to the mill and sends what
``capture`` says. A fault is told in the dialect's own form, not as Problem Details.
"""

import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.capture import (
    PATH_HEADER,
    Asked,
    Dialect,
    Mapped,
    OneBid,
    Said,
    Spoken,
    Submission,
    accept_submission,
    ask_of,
    fallback_form,
    said_fault,
    said_of,
    speak,
    vertical_of,
    without_person,
)
from leadmill.core.faults import BadInput, Fault, Forbidden, Permanent, Unauthenticated
from leadmill.core.ids import Mint
from leadmill.flow.model import Settled
from leadmill.flow.rules import Rules
from leadmill.interfaces.api.intake import Receive, Scope, Send, read_body
from leadmill.interfaces.entrance import Gate
from leadmill.interfaces.guard import given_id, patient
from leadmill.market import CallTarget, PingQuote
from leadmill.parties import Caller, Source
from leadmill.parties.model import KEY_PURPOSE
from leadmill.runtime.clock import Clock
from leadmill.runtime.telemetry import INTAKE_SECONDS

_KEPT_HEADERS = ("user-agent", "referer", "sec-gpc", "content-language", "x-request-id")
_LONGEST_QUERY = 64 * 1024
_OURS = ("/v1", "/f/", "/static", "/console", "/docs", "/openapi", "/healthz", "/readyz", "/metrics", "/u/", "/spec")
"""Beginnings of addresses that are ours: a dialect may not claim them."""
_THEIRS = "/v1/production/"
"""What another system has of the same beginning: no address of ours will ever stand there."""


class Way(Struct, frozen=True):
    """A door of a dialect, as found: ``stars`` are what stood for the stars of its path."""

    dialect: Dialect
    door: int
    stars: tuple[str, ...] = ()

    @property
    def said(self) -> dict[str, str]:
        """What the address itself says: ``path.1`` and so on for the stars, ``path.ending`` for what the door's path
        ends in behind a dot."""
        found = {f"path.{number}": said for number, said in enumerate(self.stars, start=1)}
        ending = self.dialect.doors[self.door].path.rpartition("/")[2].rpartition(".")[2]
        return found | {"path.ending": ending}


class Doors:
    """Every address of every dialect. Raises Permanent ``packs.dialect.door`` where one of them is ours."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._plain: dict[str, list[Way]] = {}
        self._starred: list[tuple[re.Pattern[str], Way]] = []
        for dialect in dialects.values():
            for number, door in enumerate(dialect.doors):
                path = _plain(door.path)
                if (path.startswith(_OURS) and not path.startswith(_THEIRS)) or path == "/":
                    raise Permanent("packs.dialect.door", f"{dialect.name}: {door.path} is an address of ours")
                if "*" in path:
                    self._starred.append((_pattern(door.path), Way(dialect, number)))
                else:
                    self._plain.setdefault(path, []).append(Way(dialect, number))

    def find(self, path: str) -> list[Way]:
        """The doors at an address: several where systems have the same one, none where there is none; of one system
        the first that fits."""
        found = self._plain.get(path) or self._plain.get(_plain(path))
        if found is not None or not self._starred:
            return found or []
        starred: dict[str, Way] = {}
        for pattern, way in self._starred:
            if way.dialect.name not in starred and (match := pattern.fullmatch(path.rstrip("/"))) is not None:
                starred[way.dialect.name] = Way(way.dialect, way.door, match.groups())
        return list(starred.values())


def _pattern(path: str) -> re.Pattern[str]:
    """A path with stars, each of which stands for a part or, before an ending, for the beginning of one."""
    return re.compile("([^/]+?)".join(map(re.escape, path.rstrip("/").split("*"))), re.IGNORECASE)


def _plain(path: str) -> str:
    return path.rstrip("/").lower() or "/"


class Interpreter:
    """The ASGI application. The arguments are those of :class:`~leadmill.interfaces.api.intake.Intake` and of
    :class:`~leadmill.interfaces.api.ping.PingDoor`."""

    def __init__(
        self,
        take: Callable[[Submission], Awaitable[Settled]],
        callers: Callable[[], Mapping[bytes, Caller]],
        keyed_hash: Callable[[str, str], bytes],
        rules: Callable[[], Rules],
        clock: Clock,
        mint: Mint,
        alarm: Callable[[BaseException], None],
        refresh: Callable[[], Awaitable[object]] | None,
        quote: Callable[[Submission], Awaitable[PingQuote]],
        post: Callable[[Submission, str, Mapped], Awaitable[Settled]],
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate
        self._quote = quote
        self._post = post
        self._take = take
        self._callers = callers
        self._hash = keyed_hash
        self._rules = rules
        self._clock = clock
        self._mint = mint
        self._alarm = alarm
        self._refresh = refresh
        self._known: tuple[Rules, dict[tuple[str, str], str]] | None = None
        self._doors: tuple[Mapping[str, Dialect], Doors] | None = None

    def doors(self) -> Doors:
        """The doors of the packs in force."""
        dialects = self._rules().lexicon.dialects
        if self._doors is None or self._doors[0] is not dialects:
            self._doors = (dialects, Doors(dialects))
        return self._doors[1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that :meth:`Doors.find` has a door for."""
        began = time.perf_counter()
        ways: list[Way] = scope["leadmill.ways"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = given_id(headers.get("x-request-id", "").encode("latin-1")) or self._mint("req", self._clock())
        query = scope.get("query_string", b"").decode("latin-1")
        way = ways[0]
        form = fallback_form(way.dialect, query[:_LONGEST_QUERY], headers | way.said)
        now = self._clock()
        asked: Asked | None = None
        try:
            body = await read_body(dict(scope["headers"]), patient(receive))
            way, asked = _understand(ways, scope["method"], headers, body, query)
            form = asked.form
            said = await self._answer(way.dialect, asked, scope, headers, body, query, now)
        except Exception as broken:
            fault = broken if isinstance(broken, Fault) else Permanent("intake.server.broken")
            if fault is not broken:
                self._alarm(broken)
            mode = asked.mode if asked else "direct"
            said = said_fault(fault, mode=mode, now=int(now.timestamp()))
        await _send(send, speak(way.dialect, form, said), request_id)
        INTAKE_SECONDS.labels("dialect").observe(time.perf_counter() - began)

    async def _answer(
        self,
        dialect: Dialect,
        asked: Asked,
        scope: Scope,
        headers: Mapping[str, str],
        body: bytes,
        query: str,
        now: datetime,
    ) -> Said:
        source = await self._caller(dialect, asked, headers, now)
        rules = self._rules()
        vertical = vertical_of(asked.vertical, source.dialect.verticals, rules.lexicon, source.verticals)
        if asked.mode == "ping":
            return await self._ping(asked, source, vertical, scope, headers, now)
        # Where there is no body, the fields came in the address, which is then what is kept.
        bare = not body.strip()
        content = query.encode("latin-1") if bare else body
        submission = Submission(
            id=self._mint("sub", now),
            source_id=source.id,
            channel="dialect",
            received_at=now,
            content_type="application/x-www-form-urlencoded" if bare else headers.get("content-type", "")[:200],
            body=content,
            digest=hashlib.sha256(content).hexdigest(),
            headers={name: headers[name][:1000] for name in _KEPT_HEADERS if name in headers},
            remote_ip=scope["client"][0] if scope.get("client") else None,
            idempotency_key=asked.repeat,
            dialect=dialect.name,
            query="" if bare else query,
            vertical=vertical,
        )
        mapped = accept_submission(submission, rules.lexicon, source.verticals, asked.body)
        submission = msgspec.structs.replace(submission, vertical=mapped.vertical)
        if asked.mode == "post":
            settled = await self._post(submission, asked.ping_id, mapped)
        else:
            settled = await self._take(submission)
        return said_of(
            settled.state,
            settled.because,
            settled.price,
            settled.currency,
            mode=asked.mode,
            lead_id=settled.lead_id,
            ping_id=asked.ping_id or None,
            now=int(now.timestamp()),
            **_line(settled.call),
        )

    async def _ping(
        self,
        asked: Asked,
        source: Source,
        vertical: str | None,
        scope: Scope,
        headers: Mapping[str, str],
        now: datetime,
    ) -> Said:
        """Quote a ping. What leads to the person is taken out before anything looks at it."""
        lexicon = self._rules().lexicon
        known = lexicon.vertical(vertical or str(lexicon.stated(asked.body) or ""))
        content = msgspec.json.encode(without_person(asked.body, lexicon, known))
        quote = await self._quote(
            Submission(
                id=self._mint("sub", now),
                source_id=source.id,
                channel="dialect",
                received_at=now,
                content_type="application/json",
                body=content,
                digest=hashlib.sha256(content).hexdigest(),
                headers={name: headers[name][:1000] for name in (*_KEPT_HEADERS, PATH_HEADER) if name in headers},
                remote_ip=scope["client"][0] if scope.get("client") else None,
                vertical=known,
            )
        )
        price = quote.price.decimal() if quote.legs and quote.price is not None else None
        one = price if len(quote.sellers) == 1 else None
        outcome = "bid" if price is not None else "no_bid"
        return Said(
            outcome=f"call_{outcome}" if asked.call else outcome,
            mode="ping",
            ping_id=quote.id,
            price=price,
            currency=quote.price.currency if quote.price is not None else None,
            code=quote.because.code if quote.because is not None else None,
            reason=quote.because.message if quote.because is not None else None,
            expires_at=quote.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            expires_in=max(0, int((quote.expires_at - now).total_seconds())),
            bids=tuple(OneBid(str(number), name, one) for number, name in enumerate(quote.sellers, start=1)),
            now=int(now.timestamp()),
            **_line(quote.call),
        )

    async def _caller(self, dialect: Dialect, asked: Asked, headers: Mapping[str, str], now: datetime) -> Source:
        """The source that calls: by one of its API keys in the dialect's place for it (or as a bearer token), else by
        the credentials it was declared with."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        keys = (token.strip(), *asked.keys) if scheme.lower() == "bearer" else asked.keys
        if not any(keys) and not asked.credential:
            wanted = " and ".join(dialect.credentials or dialect.keys)
            raise Unauthenticated("intake.key.missing", f"send your credentials: {wanted}")
        owner = self._owner(dialect, keys, asked.credential, now)
        if owner is None and self._refresh is not None:
            await self._refresh()
            owner = self._owner(dialect, keys, asked.credential, now)
        if owner is None:
            raise Unauthenticated("intake.key.unknown", "these credentials are not known; check them")
        if isinstance(owner, Caller):
            if self._gate is not None:
                await self._gate.admit(owner, "leads:send")
            owner = owner.owner
        source = self._rules().roster.sources.get(owner)
        if source is None or source.retired:
            raise Forbidden("intake.source.retired", "this source takes no part any more; ask the operator")
        return source

    def _owner(self, dialect: Dialect, keys: tuple[str, ...], credential: str, now: datetime) -> Caller | str | None:
        for key in keys:
            caller = self._callers().get(self._hash(KEY_PURPOSE, key)) if key else None
            if caller is not None and caller.kind == "source":
                if caller.expires_at is not None and caller.expires_at <= now:
                    raise Unauthenticated("intake.key.expired", "this key has expired; ask for a new one")
                return caller
        if not credential:
            return None
        rules = self._rules()
        if self._known is None or self._known[0] is not rules:
            sources = rules.roster.sources.values()
            self._known = (rules, {(one.dialect.name, one.dialect.hash): one.id for one in sources if one.dialect.hash})
        hashed = self._hash(f"dialect {dialect.name}", credential).hex()
        return self._known[1].get((dialect.name, hashed))


def _line(call: CallTarget | None) -> dict[str, Any]:
    """Where a caller is put through, as an answer may say it."""
    if call is None:
        return {}
    return {"call_number": call.number, "call_sip": call.sip or None, "call_seconds": call.min_seconds}


def _understand(ways: list[Way], method: str, headers: Mapping[str, str], body: bytes, query: str) -> tuple[Way, Asked]:
    """The request read in the dialect whose credentials it shows, where systems share an address."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise BadInput("capture.body.media_type", "send the body uncompressed")
    if len(query) > _LONGEST_QUERY:
        raise BadInput("capture.body.shape", "the address is too long; send a body")
    found: tuple[Way, Asked] | None = None
    best = -1
    for way in ways:
        if method not in way.dialect.doors[way.door].verbs:
            continue
        asked = ask_of(way.dialect, way.door, headers.get("content-type", ""), body, query, {**headers, **way.said})
        shown = 2 if asked.credential else 1 if any(asked.keys) else 0
        if shown > best:
            found, best = (way, asked), shown
    if found is None:
        verbs = " or ".join(ways[0].dialect.doors[ways[0].door].verbs)
        raise BadInput("capture.dialect.verb", f"send {verbs}")
    return found


async def _send(send: Send, spoken: Spoken, request_id: str) -> None:
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", spoken.media_type.encode("latin-1")),
        (b"content-length", str(len(spoken.body)).encode()),
        (b"x-request-id", request_id.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": spoken.status, "headers": headers})
    await send({"type": "http.response.body", "body": spoken.body})

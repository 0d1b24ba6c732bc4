"""``POST /v1/leads``: the door that sources send leads through, as plain ASGI.

Mounted by ``interfaces.web`` before the web framework: a lead costs about a millisecond in all, and the framework
would take a tenth of it. Decides nothing: it reads the request, checks the key, lets ``capture`` check the body,
hands the submission to the mill and writes the answer. Faults become Problem Details through the same table as
everywhere else.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.capture import Mapped, Submission, accept_submission
from leadmill.core.faults import BadInput, Fault, Forbidden, Permanent, TooLarge, Unauthenticated
from leadmill.core.ids import Mint
from leadmill.core.money import Money
from leadmill.core.reasons import State
from leadmill.flow.model import Settled
from leadmill.flow.rules import Rules
from leadmill.interfaces.api.problems import MEDIA_TYPE, headers_of, problem_of
from leadmill.interfaces.entrance import Gate
from leadmill.interfaces.guard import given_id, patient
from leadmill.market import CallTarget
from leadmill.parties import Caller, Source
from leadmill.runtime.clock import Clock
from leadmill.runtime.telemetry import INTAKE_SECONDS

MAX_BODY = 1 << 20
"""The largest body taken, in bytes."""

_KEPT_HEADERS = frozenset(
    {b"user-agent", b"referer", b"sec-gpc", b"content-language", b"x-request-id", b"x-leadmill-path"}
)

_LEADS, _PINGS = "leads:send", "pings:send"
_FORM = "application/x-www-form-urlencoded"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Told(Struct, frozen=True):
    """A reason as a source reads it."""

    code: str
    message: str


class CallTold(Struct, frozen=True, omit_defaults=True):
    """Where a caller who is on the line is put through: a ``number`` with its country code, the same line's ``sip``
    address where it has one; the call is good from ``min_seconds`` on."""

    number: str
    min_seconds: int
    sip: str | None = None


def call_told(call: CallTarget | None) -> CallTold | None:
    """A call's target as the API tells it."""
    return CallTold(call.number, call.min_seconds, call.sip or None) if call is not None else None


class Answer(Struct, frozen=True, omit_defaults=True):
    """What a source hears of its lead. ``price`` is what the source earns, a decimal string of ``currency``; ``call``
    where a caller who is on the line is put through."""

    lead_id: str
    status: str
    reasons: list[Told]
    price: str | None = None
    currency: str | None = None
    redirect_url: str | None = None
    call: CallTold | None = None


_STATUS = {State.NURTURE: "accepted", State.UNSOLD: "accepted", State.BIDDING: "accepted"}


def answer_of(settled: Settled, redirect_url: str | None = None) -> Answer:
    """A settled lead as the API tells it: the states that only the house tells apart are ``accepted``."""
    price = None if settled.price is None or not settled.currency else Money(settled.price, settled.currency).decimal()
    return Answer(
        lead_id=settled.lead_id,
        status=_STATUS.get(settled.state, settled.state.value),
        reasons=[Told(item.code, item.message) for item in settled.because],
        price=price,
        currency=settled.currency if price else None,
        redirect_url=redirect_url,
        call=call_told(settled.call),
    )


class Intake:
    """The ASGI application. ``callers`` gives the key ring in force by keyed hash, ``rules`` the rules in force;
    ``alarm`` hears of what should never happen; ``refresh`` takes up keys and rules that were changed just now,
    ``gate`` lets keys in."""

    def __init__(
        self,
        take: Callable[[Submission], Awaitable[Settled]],
        callers: Callable[[], Mapping[bytes, Caller]],
        keyed_hash: Callable[[str, str], bytes],
        rules: Callable[[], Rules],
        clock: Clock,
        mint: Mint,
        alarm: Callable[[BaseException], None],
        refresh: Callable[[], Awaitable[object]] | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate
        self._alarm = alarm
        self._refresh = refresh
        self._take = take
        self._callers = callers
        self._hash = keyed_hash
        self._rules = rules
        self._clock = clock
        self._mint = mint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        channel = ""

        async def act() -> bytes:
            nonlocal channel
            submission, source = await self.received(scope, receive)
            submission, _ = self.accepted(submission, source)
            channel = submission.channel
            return _encode(answer_of(await self._take(submission)))

        if await self.answer(scope, send, "/v1/leads", act):
            INTAKE_SECONDS.labels(channel).observe(time.perf_counter() - began)

    async def answer(self, scope: Scope, send: Send, path: str, act: Callable[[], Awaitable[bytes]]) -> bool:
        """Send what ``act`` gives, or the problem that its fault is; whether it went well."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = given_id(headers.get(b"x-request-id", b"")).encode() or self._mint("req", self._clock()).encode()
        try:
            body = await act()
        except Exception as broken:
            fault = broken if isinstance(broken, Fault) else Permanent("intake.server.broken")
            if fault is not broken:
                self._alarm(broken)
            problem = problem_of(fault, path, request_id.decode("latin-1"))
            more = [(name.encode(), value.encode()) for name, value in headers_of(fault).items()]
            await respond(send, problem.status, MEDIA_TYPE.encode(), problem.encode(), more, request_id)
            return False
        await respond(send, 201, b"application/json", body, [], request_id)
        return True

    async def received(self, scope: Scope, receive: Receive) -> tuple[Submission, Source]:
        """A request as a submission of the source whose key it shows, its body still unread. Raises the faults that
        concern keys, headers and sizes."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        now = self._clock()
        caller = await self._caller(headers, now, str(scope["path"]))
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise BadInput("capture.body.media_type", "send the body uncompressed")
        body = await read_body(headers, patient(receive))
        content_type = _kind_of(headers.get(b"content-type", b"application/json").decode("latin-1"), body)
        key = headers.get(b"idempotency-key")
        submission = Submission(
            id=self._mint("sub", now),
            source_id=caller.owner,
            channel="form" if content_type.lower().startswith(_FORM) else "json",
            received_at=now,
            content_type=content_type[:200],
            body=body,
            digest=hashlib.sha256(body).hexdigest(),
            headers={
                name.decode("latin-1"): value.decode("latin-1")[:1000]
                for name, value in headers.items()
                if name in _KEPT_HEADERS
            },
            remote_ip=scope["client"][0] if scope.get("client") else None,
            idempotency_key=_idempotency_key(key) if key is not None else None,
        )
        source = self._rules().roster.sources.get(caller.owner)
        if source is None or source.retired:
            raise Forbidden("intake.source.retired", "this source takes no part any more; ask the operator")
        return submission, source

    def accepted(self, submission: Submission, source: Source) -> tuple[Submission, Mapped]:
        """A submission whose body can be read as a lead, and what it says. Raises as
        :func:`leadmill.capture.check_submission`."""
        mapped = accept_submission(submission, self._rules().lexicon, source.verticals)
        # A source of one vertical need not name it, so the submission does from here on.
        return msgspec.structs.replace(submission, vertical=mapped.vertical), mapped

    async def _caller(self, headers: Mapping[bytes, bytes], now: Any, path: str) -> Caller:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise Unauthenticated("intake.key.missing", "send the source's key as Authorization: Bearer KEY")
        hashed = self._hash("api-key", token.strip().decode("latin-1"))
        caller = self._callers().get(hashed)
        if caller is None and self._refresh is not None:
            # It may have been made a moment ago, by a process that we have not heard of yet.
            await self._refresh()
            caller = self._callers().get(hashed)
        if caller is None:
            raise Unauthenticated("intake.key.unknown", "this key is not known; check it or ask for a new one")
        if caller.expires_at is not None and caller.expires_at <= now:
            raise Unauthenticated("intake.key.expired", "this key has expired; ask for a new one")
        if caller.kind != "source":
            raise Forbidden("intake.key.kind", "leads are sent with a source's key")
        if self._gate is not None:
            await self._gate.admit(caller, _PINGS if path == "/v1/ping" else _LEADS)
        return caller


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises TooLarge ``intake.body.too_large`` once it passes ``limit`` bytes, declared or sent."""
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge("intake.body.too_large", f"send at most {limit} bytes")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadInput("intake.body.cut", "the connection closed before the body was complete")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge("intake.body.too_large", f"send at most {limit} bytes")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks) if len(chunks) > 1 else chunks[0]


def _kind_of(declared: str, body: bytes) -> str:
    """The media type of a body. Command-line clients call everything a form unless told otherwise; no form begins with
    a brace."""
    return "application/json" if declared.lower().startswith(_FORM) and body.lstrip().startswith(b"{") else declared


def _idempotency_key(raw: bytes) -> str:
    """The key of an ``Idempotency-Key`` header: a structured-field string, or a bare token as many clients send it."""
    text = raw.decode("latin-1").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not 0 < len(text) <= 255 or not text.isascii() or not text.isprintable():
        raise BadInput("intake.idempotency_key.malformed", "send 1 to 255 printable ASCII characters")
    return text


async def respond(
    send: Send, status: int, kind: bytes, body: bytes, more: list[tuple[bytes, bytes]], request_id: bytes
) -> None:
    """Send one whole answer."""
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_encode = msgspec.json.Encoder().encode

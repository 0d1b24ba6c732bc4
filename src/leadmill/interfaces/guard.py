"""What every answer carries, whichever interface gives it: a request id and the headers that keep browsers safe.

Wraps the whole web application as plain ASGI. The pages load scripts, styles and fonts from this origin alone and run
nothing inline, so an injected tag does nothing.
"""

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from leadmill.core.faults import BadInput

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


def policy(form_goes_to: str = "", framed_by: Sequence[str] = ()) -> str:
    """The content security policy of a page; ``form_goes_to`` is another origin that its form may end at, ``framed_by``
    are the origins whose pages may show it in a frame."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; form-action 'self' {form_goes_to}; "
        f"frame-ancestors {' '.join(framed_by) or _NOBODY}; base-uri 'none'; manifest-src 'self'"
    )


_NOBODY = "'none'"
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", policy().encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
PATIENCE = 30.0
"""Seconds to wait for the next piece of a body before the request is given up."""

WORTH_READING = 1 << 16
"""The longest body, in bytes, that is read to its end although the answer is given, so that the connection can serve
on."""

_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_POLICY, _FRAMES, _ALONE = b"content-security-policy", b"x-frame-options", b"frame-ancestors 'none'"
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")


def request_id_of(scope: Any) -> str:
    """The id this request goes by."""
    return str(scope.get("leadmill.request_id", ""))


def guarded(app: Asgi, secure: bool = False) -> Asgi:
    """The application with a request id (the caller's ``X-Request-Id`` where it is a plain token of at most 100
    characters) in its scope and on its answers, and with the safe headers. A header that an answer sets itself stays
    as it is; browsers are told to come by HTTPS alone where ``secure`` says so or they came so. An answer given
    before a long body was heard ends the connection."""

    sealed = (*_HEADERS, _HTTPS_ONLY)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        headers = dict(scope["headers"])
        request_id = given_id(headers.get(b"x-request-id", b"")) or secrets.token_hex(12)
        scope["leadmill.request_id"] = request_id
        head = scope["method"] == "HEAD"
        if head:  # whatever can be read can be asked for without its body
            scope = {**scope, "method": "GET"}

        ended = _announced(headers) <= WORTH_READING
        """Whether the body was heard to its end, or what is left of it is no burden."""
        listening = patient(receive)

        async def hearing() -> MutableMapping[str, Any]:
            nonlocal ended
            message = await listening()
            ended = ended or message["type"] != "http.request" or not message.get("more_body")
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            if head and message["type"] == "http.response.body":
                message["body"] = b""
            elif message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                held = {name.lower() for name, _ in headers}
                if any(name.lower() == _POLICY and _ALONE not in value for name, value in headers):
                    held.add(_FRAMES)  # the answer's own policy says who may frame it, which the older header cannot
                safe = sealed if secure or scope.get("scheme") == "https" else _HEADERS
                headers += [each for each in safe if each[0] not in held]
                headers.append((b"x-request-id", request_id.encode()))
                if not ended and b"connection" not in held:  # the rest of a long body need not be sent
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        await app(scope, hearing, sending)

    return run


def _announced(headers: Mapping[bytes, bytes]) -> float:
    """The bytes of the body that a request announces; endless where it comes in pieces."""
    if b"transfer-encoding" in headers:
        return math.inf
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else math.inf


def given_id(value: bytes) -> str:
    """The caller's own ``X-Request-Id`` where it is a plain token of at most 100 characters, else nothing."""
    text = value.decode("latin-1")
    return text if 0 < len(text) <= 100 and _TOKEN.issuperset(text) else ""


def patient(receive: Receive, wait: float = PATIENCE) -> Receive:
    """``receive``, waiting at most so many seconds for the next piece of a body. Raises BadInput ``http.body.slow``."""
    whole = False

    async def hear() -> MutableMapping[str, Any]:
        nonlocal whole
        if whole:  # what comes now is the end of the connection, whenever that may be
            return await receive()
        try:
            async with asyncio.timeout(wait):
                message = await receive()
        except TimeoutError:
            raise BadInput("http.body.slow", "the body did not come; send it without long pauses") from None
        whole = message["type"] != "http.request" or not message.get("more_body")
        return message

    return hear

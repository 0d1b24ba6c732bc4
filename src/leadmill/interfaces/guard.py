"""What every answer carries, whichever interface gives it: a request id and the headers that keep browsers safe.

Wraps the whole web application as plain ASGI. The pages load scripts, styles and fonts from this origin alone and run
nothing inline, so an injected tag does nothing.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")


def request_id_of(scope: Scope) -> str:
    """The id this request goes by."""
    return str(scope.get("leadmill.request_id", ""))


def guarded(app: Asgi) -> Asgi:
    """The application with a request id (the caller's ``X-Request-Id`` where it is a plain token of at most 100
    characters) in its scope and on its answers, and with the safe headers. A header that an answer sets itself stays
    as it is."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        request_id = _given(scope) or secrets.token_hex(12)
        scope["leadmill.request_id"] = request_id

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                held = {name.lower() for name, _ in headers}
                headers += [each for each in _HEADERS if each[0] not in held]
                headers.append((b"x-request-id", request_id.encode()))
                message["headers"] = headers
            await send(message)

        await app(scope, receive, sending)

    return run


def _given(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text: str = value.decode("latin-1")
            return text if 0 < len(text) <= 100 and _TOKEN.issuperset(text) else ""
    return ""

"""Bodies in and answers out: strict reading with one fault a field, and answers that are given once.

Used by the routes that take a body.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from msgspec import Struct

from leadmill.core.faults import BadInput, Conflict, FieldFault, TooLarge
from leadmill.flow.store import Claim, claim_requests, keep_answers
from leadmill.interfaces.wiring import Wiring
from leadmill.runtime.db import Tx

MOST = 1 << 20
"""The largest body taken, in bytes."""

T = TypeVar("T")
_AT = re.compile(r" - at `\$(.*)`\Z")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


async def read_json(request: Request[Any, Any, Any], kind: type[T]) -> tuple[T, bytes]:
    """The body as ``kind``, and its bytes. Raises TooLarge ``api.body.too_large`` and BadInput ``api.body.media_type``,
    ``api.body.malformed`` or ``api.body.invalid`` with the field at fault."""
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise BadInput("api.body.media_type", "send application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadInput("api.body.media_type", "send the body uncompressed")
    body = await request.body()
    if len(body) > MOST:
        raise TooLarge("api.body.too_large", f"send at most {MOST} bytes")
    try:
        return msgspec.json.decode(body, type=kind), body
    except msgspec.ValidationError as fault:
        says, pointer = _place(str(fault))
        raise BadInput("api.body.invalid", "see errors", [FieldFault(pointer, "api.field.invalid", says)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("api.body.malformed", "the body is not JSON") from None


def _place(message: str) -> tuple[str, str]:
    found = _AT.search(message)
    if found is None:
        return message, ""
    steps = [name or number for name, number in _STEP.findall(found[1])]
    return message[: found.start()], "".join(f"/{step}" for step in steps)


class Answered(Struct, frozen=True):
    """An answer as it is kept for a repeated request."""

    status: int
    body: bytes


def idempotency_key(request: Request[Any, Any, Any]) -> str | None:
    """The ``Idempotency-Key``: a structured-field string, or a bare token as many clients send it. None where none
    was sent.

    Raises BadInput ``api.idempotency_key.malformed``."""
    raw = request.headers.get("idempotency-key")
    if raw is None:
        return None
    text = raw.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not 0 < len(text) <= 255 or not text.isascii() or not text.isprintable():
        raise BadInput("api.idempotency_key.malformed", "send 1 to 255 printable ASCII characters")
    return text


async def once(
    wiring: Wiring, scope: str, key: str | None, body: bytes, act: Callable[[Tx], Awaitable[Struct]], status: int = 201
) -> Response[bytes]:
    """Do ``act`` and answer with what it gives; a request repeated with the same key gets the first answer.

    The answer is kept in the transaction of the deed. Raises Conflict ``flow.request.reused`` for the key with
    another body.
    """
    answered: Answered
    async with wiring.db.begin() as tx:
        if key is None:
            answered = Answered(status, msgspec.json.encode(await act(tx)))
        else:
            claim = Claim(scope, key, hashlib.sha256(body).digest())
            kept = (await claim_requests(tx, [claim], wiring.clock())).get((scope, key))
            if kept is None:
                answered = Answered(status, msgspec.json.encode(await act(tx)))
                await keep_answers(tx, [(claim, msgspec.msgpack.encode(answered))])
            elif kept.digest == claim.digest and kept.answer is not None:
                answered = msgspec.msgpack.decode(kept.answer, type=Answered)
            else:
                raise Conflict("flow.request.reused", "this Idempotency-Key was used with another body")
    return Response(answered.body, status_code=answered.status, media_type="application/json")

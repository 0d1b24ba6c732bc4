"""``POST /v1/feedback``: what became of messages and calls, told by the service that made them."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Forbidden, TooLarge, Unauthenticated
from leadmill.flow.noticing import MOST, Told, check_caller, take_notices
from leadmill.hygiene import Notice, Unread, read_event, read_message
from leadmill.interfaces.api.access import caller_of
from leadmill.interfaces.api.bodies import MOST as MOST_BYTES
from leadmill.interfaces.api.bodies import idempotency_key, once
from leadmill.interfaces.api.describing import IDEMPOTENCY, ref, responses
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Caller
from leadmill.runtime.db import Tx

_REPORTS = ("message/rfc822", "multipart/report")


class FeedbackEvent(Struct, frozen=True, kw_only=True):
    """One event, as it is described; other usual names for these fields are understood too.

    ``event`` is what happened, in the service's own word; ``status`` the SMTP status it gives. Whom it is about is said
    by ``message_id``, ``lead_id``, ``sale_id``, ``email`` or ``phone``. ``at`` is when it happened, ``id`` the
    service's own id of the event, by which it is known when it is told again.
    """

    event: str
    email: str | None = None
    phone: str | None = None
    message_id: str | None = None
    lead_id: str | None = None
    sale_id: str | None = None
    at: str | None = None
    id: str | None = None
    status: str | None = None


class FeedbackIn(Struct, frozen=True):
    """Up to 1,000 events; one event alone, or a list of them, is taken as well."""

    events: list[FeedbackEvent]


class FeedbackOut(Struct, frozen=True):
    """What became of the events: ``taken`` are news, ``repeated`` was known already, ``ignored`` says nothing of an
    address or a number, ``unknown`` is about nobody that is known here. ``kinds`` counts what was taken."""

    taken: int
    repeated: int
    ignored: int
    unknown: int
    kinds: dict[str, int]


@post("/v1/feedback", include_in_schema=False)
async def post_feedback(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """Take what a service tells."""
    caller = await caller_of(request, wiring)
    if caller is None:
        raise Unauthenticated("api.key.missing", "send the key as Authorization: Bearer KEY")
    check_caller(caller)
    key = idempotency_key(request)
    notices, ignored, body = await _read(request)
    if caller.kind == "buyer" and any(not (one.lead_id or one.sale_id) for one in notices):
        raise Forbidden("hygiene.caller.refused", "a buyer tells of its own leads: name lead_id or sale_id")
    return await once(
        wiring, f"feedback {caller.owner}", key, body, lambda tx: _take(tx, wiring, caller, notices, ignored)
    )


async def _take(tx: Tx, wiring: Wiring, caller: Caller, notices: list[Notice], ignored: int) -> FeedbackOut:
    told: Told = await take_notices(tx, wiring.kit, notices, caller.owner, wiring.clock(), caller)
    return FeedbackOut(told.taken, told.repeated, told.ignored + ignored, told.unknown, told.kinds)


async def _read(request: Request[Any, Any, Any]) -> tuple[list[Notice], int, bytes]:
    """The notices of a body, how many events in it say nothing of anybody, and its bytes."""
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media not in _REPORTS and media != "application/json" and not media.endswith("+json"):
        raise BadInput("api.body.media_type", "send application/json, or a delivery report as message/rfc822")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadInput("api.body.media_type", "send the body uncompressed")
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise TooLarge("api.body.too_large", f"send at most {MOST_BYTES} bytes")
    if media in _REPORTS:
        return read_message(body), 0, body
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("api.body.malformed", "the body is not JSON") from None
    if isinstance(given, dict) and isinstance(given.get("events"), list):
        given = given["events"]
    items = given if isinstance(given, list) else [given]
    if len(items) > MOST:
        says = f"send at most {MOST} events at a time"
        raise BadInput("api.body.invalid", says, [FieldFault("", "api.field.invalid", says)])
    found = [_event(item, f"/{place}" if isinstance(given, list) else "") for place, item in enumerate(items)]
    return [one for one in found if isinstance(one, Notice)], sum(isinstance(one, Unread) for one in found), body


def _event(item: Any, pointer: str) -> Notice | Unread:
    if not isinstance(item, dict):
        fault = FieldFault(pointer, "api.field.invalid", "write an object with event and whom it is about")
        raise BadInput("api.body.invalid", "see errors", [fault])
    # Services tell many things through one hook: what names no event or nobody is passed over, or they would stop.
    return read_event(item) or Unread(0, "")


PATHS: dict[str, Any] = {
    "/v1/feedback": {
        "post": {
            "operationId": "takeFeedback",
            "tags": ["Outcomes"],
            "summary": "Say what became of messages and calls",
            "description": "For the hook of a mail or telephony service, with an operator's key; a buyer's key may tell"
            " of its own leads. One event, a list of at most 1,000, or a delivery report (RFC 3464) or complaint"
            " (RFC 5965) as `message/rfc822`. Told twice, an event counts once.",
            "security": [{"key": []}],
            "parameters": [IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": ref("FeedbackIn"),
                        "example": {
                            "events": [
                                {"event": "hard_bounce", "email": "ana@example.com", "status": "5.1.1", "id": "ev-1"}
                            ]
                        },
                    },
                    "message/rfc822": {"schema": {"type": "string"}},
                },
            },
            "responses": responses(201, "Taken.", "FeedbackOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    }
}

ROUTES = [post_feedback]

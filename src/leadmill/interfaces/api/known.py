"""``POST /v1/known``: a buyer says whom it has already, by hashes, so that it is not offered them."""

from typing import Any, Literal

from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import Forbidden, Unauthenticated
from leadmill.interfaces.api.access import caller_of
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.describing import IDEMPOTENCY, ref, responses
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Caller
from leadmill.runtime.db import Tx


class KnownIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of the buyer's list: ``hashes`` of phone numbers or e-mail addresses, hexadecimal, under the profile
    agreed on. ``replace`` begins the list of that kind anew with them."""

    kind: Literal["phone", "email"]
    hashes: list[str]
    change: Literal["add", "remove", "replace"] = "add"


class KnownOut(Struct, frozen=True):
    """How many entries of the list were added or removed, and the profile they were read under."""

    kind: Literal["phone", "email"]
    changed: int
    profile: str
    weak: bool


@post("/v1/known", include_in_schema=False)
async def post_known(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """Change the list of the buyer whose key it is."""
    caller = await caller_of(request, wiring)
    if caller is None:
        raise Unauthenticated("api.key.missing", "send the buyer's key as Authorization: Bearer KEY")
    if caller.kind != "buyer":
        raise Forbidden("api.key.kind", "lists are kept with a buyer's key")
    key = idempotency_key(request)
    given, body = await read_json(request, KnownIn)
    return await once(
        wiring, f"known {caller.owner}", key, body, lambda tx: _change(tx, wiring, caller, given), status=200
    )


async def _change(tx: Tx, wiring: Wiring, caller: Caller, given: KnownIn) -> KnownOut:
    buyer = wiring.rules.roster.buyers.get(caller.owner)
    if buyer is None:
        raise Forbidden("api.buyer.retired", "this buyer takes no part any more; ask the operator")
    changed = await wiring.lists.change(tx, buyer, given.kind, given.hashes, given.change, wiring.clock())
    known = buyer.known
    return KnownOut(given.kind, changed, known.profile if known else "", bool(known and known.weak))


ROUTES = [post_known]


PATHS: dict[str, Any] = {
    "/v1/known": {
        "post": {
            "operationId": "changeKnownPeople",
            "tags": ["Outcomes"],
            "summary": "Say whom one has already",
            "description": "Hashes of phone numbers or e-mail addresses under the profile agreed on, at most"
            " 10,000 a call. The buyer is not offered a lead of any of these people.",
            "security": [{"key": []}],
            "parameters": [IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": ref("KnownIn"),
                        "example": {"kind": "phone", "hashes": ["9f86d081884c7d659a2feaa0c55ad015…"]},
                    }
                },
            },
            "responses": responses(200, "Changed.", "KnownOut", 400, 401, 403, 408, 413, 415, 422, 503),
        }
    },
}

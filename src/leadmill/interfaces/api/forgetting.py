"""``POST /v1/people/{person_id}/forget``: somebody is forgotten because one of ours says so.

For keys and sessions with the right to see to privacy. What is under way is stopped before it is answered.
"""

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from leadmill.flow.rights import check_why, forget_by_hand, stop_for
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.describing import IDEMPOTENCY, path_parameter, ref, responses
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right
from leadmill.privacy import DeletionCertificate
from leadmill.runtime.db import Tx


class ForgetIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody is forgotten: it is kept, so it names nobody. ``opt_out`` says that they are to hear no more either,
    for good; without it they may come again, and nothing of theirs may be under way now."""

    why: Annotated[str, Meta(min_length=1, max_length=500)]
    opt_out: bool = True


class ForgottenOut(Struct, frozen=True, kw_only=True):
    """What was let go of: how many persons who are held to be one, which leads; who was told of it, and what proof the
    law has one keep. ``certificate`` is the whole of it, signed. Of somebody who was forgotten before, nothing."""

    persons: int
    leads: list[str]
    told: list[str]
    retained: dict[str, int]
    certificate: DeletionCertificate


@post(
    "/v1/people/{person_id:str}/forget",
    include_in_schema=False,
    status_code=200,
    opt=danger("person_forgotten", Right.PRIVACY),
)
async def forget_person(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    person_id: FromPath[str],
) -> Response[bytes]:
    """Forget a person."""
    key = idempotency_key(request)
    given, body = await read_json(request, ForgetIn)
    why = check_why(given.why)
    await stop_for(wiring.kit, person_id, reader.id, given.opt_out)

    async def act(tx: Tx) -> ForgottenOut:
        made = await forget_by_hand(tx, wiring.kit, person_id, reader.id, why, wiring.clock())
        reader.note(tx, person_id, wiring.clock())
        return ForgottenOut(
            persons=made.persons,
            leads=list(made.leads),
            told=list(made.told),
            retained=made.retained,
            certificate=made,
        )

    return await once(wiring, f"forget {person_id}", key, body, act, status=200)


PATHS: dict[str, Any] = {
    "/v1/people/{person_id}/forget": {
        "post": {
            "operationId": "forgetPerson",
            "tags": ["People"],
            "summary": "Forget a person",
            "description": "Destroys the key that everything of theirs is sealed with, in tables, journal and backups,"
            " with all persons who are held to be one with them. What is under way is stopped, who has their leads is"
            " told, and the least proof of consent that the law demands is put aside under a key of its own. Cannot be"
            " undone. A legal hold refuses it.",
            "security": [{"key": []}, {"session": []}],
            "parameters": [path_parameter("person_id", "The person's id, as a lead names it."), IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref("ForgetIn"), "example": {"why": "asked us by letter"}}},
            },
            "responses": responses(
                200, "What was let go of.", "ForgottenOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503
            ),
        }
    }
}

"""``POST /v1/leads/{lead_id}/corrections``: a person puts right what is wrong about a lead."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import Forbidden
from leadmill.flow.aside import correct_lead, look_up
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.describing import IDEMPOTENCY, path_parameter, ref, responses
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right, may
from leadmill.parties.store import note_reads
from leadmill.runtime.db import Tx


class CorrectionIn(Struct, frozen=True, kw_only=True):
    """What is right: values by the names of the vertical's fields (``zip``) or by the keys of facts (``phone.type``);
    null takes a field away. ``why`` is kept with it."""

    fields: dict[str, Any]
    why: str


class CorrectionOut(Struct, frozen=True):
    """Everything that was put right about the lead, by name."""

    lead_id: str
    corrected: list[str]


@post("/v1/leads/{lead_id:str}/corrections", include_in_schema=False)
async def post_correction(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    lead_id: FromPath[str],
) -> Response[bytes]:
    """Take a correction."""
    if not may(reader.role, Right.REVIEW):
        raise Forbidden("api.right.missing", "your role may not correct leads")
    key = idempotency_key(request)
    given, body = await read_json(request, CorrectionIn)
    looked = await look_up(wiring.kit, lead_id, given.fields)

    async def correct(tx: Tx) -> CorrectionOut:
        now = wiring.clock()
        made = await correct_lead(tx, wiring.kit, lead_id, given.fields, reader.id, given.why, now, looked)
        note_reads(tx, reader.id, [lead_id], "api correction", now)
        return CorrectionOut(lead_id, [item.name for item in made.items])

    return await once(wiring, f"corrections {lead_id}", key, body, correct)


PATHS: dict[str, Any] = {
    "/v1/leads/{lead_id}/corrections": {
        "post": {
            "operationId": "correctLead",
            "tags": ["Leads"],
            "summary": "Put right what is wrong about a lead",
            "description": "A field of the vertical by its name, or what is known by the key of its fact; null takes a"
            " value away. A correction outranks whatever anybody says, now and later. The lead stays where it stands.",
            "security": [{"key": []}, {"session": []}],
            "parameters": [path_parameter("lead_id", "The lead's id."), IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": ref("CorrectionIn"),
                        "example": {"fields": {"zip": "95816", "phone.type": "fixed"}, "why": "She told me by phone."},
                    }
                },
            },
            "responses": responses(
                201, "Corrected.", "CorrectionOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503
            ),
        }
    }
}

ROUTES = [post_correction]

"""``GET /v1/hygiene``: whether addresses and numbers still reach their people, as programs of the house read it."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from leadmill.core.faults import BadInput, FieldFault
from leadmill.flow.upkeep import read_report
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.describing import query_parameter, responses
from leadmill.interfaces.wiring import Wiring

_DEFAULT = 30
_MOST = 365


@get("/v1/hygiene", include_in_schema=False)
async def get_hygiene(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """The report."""
    query = request.query_params
    days = _days(query.get("days"))
    async with wiring.db.begin(still=True) as tx:
        found = await read_report(
            tx, wiring.kit, days, wiring.clock(), query.get("vertical") or None, query.get("source") or None
        )
    return Response(msgspec.json.encode(found), media_type="application/json")


def _days(text: str | None) -> int:
    if text is None:
        return _DEFAULT
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST:
        return int(text)
    says = f"send a whole number from 1 to {_MOST}"
    raise BadInput("api.query.invalid", says, [FieldFault("/days", "api.query.invalid", says)])


PATHS: dict[str, Any] = {
    "/v1/hygiene": {
        "get": {
            "operationId": "readHygiene",
            "tags": ["Leads"],
            "summary": "Read whether addresses and numbers still reach their people",
            "description": "By vertical and source: of the leads of these days, whose address and number reach them;"
            " what came back, by kind and by day; how old what is known of open leads is; what is due to be asked about"
            " again. Nothing in it is personal. Costs are in millionths of the operator's currency.",
            "security": [{"key": []}, {"session": []}],
            "parameters": [
                query_parameter(
                    "days", {"type": "integer", "minimum": 1, "maximum": _MOST, "default": _DEFAULT}, "How many days."
                ),
                query_parameter("vertical", {"type": "string"}, "One vertical alone."),
                query_parameter("source", {"type": "string"}, "One source alone."),
            ],
            "responses": responses(200, "The report.", "HygieneReport", 400, 401, 403, 422, 503),
        }
    }
}

ROUTES = [get_hygiene]

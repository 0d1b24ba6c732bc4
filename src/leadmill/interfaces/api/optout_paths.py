"""``/v1/optouts`` and ``/v1/replies`` described, for OpenAPI."""

from typing import Any

from leadmill.interfaces.api.describing import IDEMPOTENCY, path_parameter, query_parameter, ref, responses

_CURSOR = query_parameter("cursor", {"type": "string"}, "The `next_cursor` of the page before.")


def _body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": ref(schema), "example": example}}}


PATHS: dict[str, Any] = {
    "/v1/optouts": {
        "post": {
            "operationId": "optOut",
            "tags": ["Opt-outs"],
            "summary": "Somebody wants to hear no more",
            "description": "For good and everywhere: the next lead is refused, what waits to go out is stopped before"
            " this is answered, and who has the person already is told. One opt-out, or up to a thousand in `optouts`."
            " With any key; a lead or sale must be one's own. The same again changes nothing and says so.",
            "security": [{"key": []}],
            "parameters": [IDEMPOTENCY],
            "requestBody": _body("OptOutsIn", {"phone": "+14155550134", "channel": "agent", "text": "Take me off."}),
            "responses": responses(200, "Heard.", "OptOutsOut", 400, 401, 403, 404, 408, 413, 415, 422, 503),
        },
        "get": {
            "operationId": "listOptOuts",
            "tags": ["Opt-outs"],
            "summary": "List opt-outs",
            "security": [{"key": []}, {"session": []}],
            "parameters": [_CURSOR],
            "responses": responses(200, "A page.", "OptOutPage", 400, 401, 403, 503),
        },
    },
    "/v1/replies": {
        "post": {
            "operationId": "readReply",
            "tags": ["Opt-outs"],
            "summary": "Hand on what a person answered",
            "description": "Words that end contact (“stop”, “pls quit texting”) are an opt-out; doubtful ones count as"
            " one until a person has looked; others change nothing.",
            "security": [{"key": []}],
            "parameters": [IDEMPOTENCY],
            "requestBody": _body("ReplyIn", {"phone": "+14155550134", "text": "STOP"}),
            "responses": responses(200, "Read.", "ReplyOut", 400, 401, 403, 404, 408, 413, 415, 422, 503),
        }
    },
    "/v1/optouts/notices": {
        "get": {
            "operationId": "listNotices",
            "tags": ["Opt-outs"],
            "summary": "Whom one may contact no more",
            "description": "With a buyer's key its own notices, with an operator's key everybody's.",
            "security": [{"key": []}],
            "parameters": [query_parameter("state", {"enum": ["open"]}, "Only those not acknowledged."), _CURSOR],
            "responses": responses(200, "A page.", "NoticePage", 400, 401, 403, 503),
        }
    },
    "/v1/optouts/notices/{notice_id}/acknowledge": {
        "post": {
            "operationId": "acknowledgeNotice",
            "tags": ["Opt-outs"],
            "summary": "Acknowledge an opt-out",
            "description": "The person is contacted no more. Saying so again changes nothing.",
            "security": [{"key": []}],
            "parameters": [path_parameter("notice_id", "The notice's id."), IDEMPOTENCY],
            "responses": responses(200, "Acknowledged.", "NoticeLine", 400, 401, 403, 404, 408, 422, 503),
        }
    },
}

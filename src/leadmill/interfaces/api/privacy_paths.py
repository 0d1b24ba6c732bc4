"""``/v1/privacy/requests`` described, for OpenAPI."""

from typing import Any

from leadmill.interfaces.api.describing import IDEMPOTENCY, path_parameter, query_parameter, ref, responses
from leadmill.privacy import KINDS, STATES

_SECURITY: dict[str, Any] = {"tags": ["Privacy"], "security": [{"key": []}, {"session": []}]}
_ID = path_parameter("request_id", "The request's id.")


def _body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": ref(schema), "example": example}}}


PATHS: dict[str, Any] = {
    "/v1/privacy/requests": {
        "post": {
            **_SECURITY,
            "operationId": "takePrivacyRequest",
            "summary": "A consumer asks to know, delete, correct, opt out or limit",
            "description": "The clock of the state's law runs from its receipt. Opting out and limiting are done at"
            " once; all else waits until it is sure who asks, by a letter to the address named or by somebody of ours."
            " With a key whose role sees to requests.",
            "parameters": [IDEMPOTENCY],
            "requestBody": _body(
                "PrivacyIn", {"kind": "delete", "home": "CA", "name": "Ana Ruiz", "email": "ana.ruiz@example.com"}
            ),
            "responses": responses(201, "Taken down.", "PrivacyLine", 400, 401, 403, 408, 413, 415, 422, 503),
        },
        "get": {
            **_SECURITY,
            "operationId": "listPrivacyRequests",
            "summary": "List consumers' requests",
            "parameters": [
                query_parameter("state", {"enum": list(STATES)}, "Only those that stand so."),
                query_parameter("kind", {"enum": list(KINDS)}, "Only those that ask this."),
                query_parameter("cursor", {"type": "string"}, "The `next_cursor` of the page before."),
            ],
            "responses": responses(200, "A page.", "PrivacyPage", 400, 401, 403, 422, 503),
        },
    },
    "/v1/privacy/requests/{request_id}": {
        "get": {
            **_SECURITY,
            "operationId": "readPrivacyRequest",
            "summary": "Read a consumer's request",
            "description": "With who asks, what happened, the answer and, of a deletion, its certificate. Each reading"
            " is noted.",
            "parameters": [_ID],
            "responses": responses(200, "The request.", "PrivacyOut", 400, 401, 403, 404, 503),
        }
    },
    "/v1/privacy/requests/{request_id}/decisions": {
        "post": {
            **_SECURITY,
            "operationId": "decidePrivacyRequest",
            "summary": "Confirm, extend, fulfil, deny; write an appeal down and decide it",
            "description": "What is carried out is carried out by a job; the request is `carrying` meanwhile and"
            " `answered` then. What the person is told of a decision is its `why`.",
            "parameters": [_ID, IDEMPOTENCY],
            "requestBody": _body("DecisionIn", {"action": "extend", "why": "We still look through old records."}),
            "responses": responses(200, "Decided.", "PrivacyLine", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
}

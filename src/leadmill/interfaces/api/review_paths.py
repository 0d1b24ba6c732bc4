"""``/v1/reviews`` described, for OpenAPI."""

from typing import Any

from leadmill.interfaces.api.describing import IDEMPOTENCY, path_parameter, query_parameter, ref, responses
from leadmill.interfaces.api.reviews import (
    AgreementFigures,
    AgreementOut,
    OverrideIn,
    OverrideOut,
    ReviewDecisionIn,
    ReviewHandOverIn,
    ReviewNextIn,
    ReviewNextOut,
    ReviewPage,
    ReviewSnoozeIn,
    ReviewTurnIn,
)
from leadmill.interfaces.cases import ReviewOut

TYPES = (
    ReviewOut,
    ReviewPage,
    ReviewNextIn,
    ReviewNextOut,
    ReviewDecisionIn,
    ReviewTurnIn,
    ReviewSnoozeIn,
    ReviewHandOverIn,
    OverrideIn,
    OverrideOut,
    AgreementFigures,
    AgreementOut,
)
_SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"session": []}]
_ID = path_parameter("review_id", "The case's id.")


def _body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": ref(schema), "example": example}}}


PATHS: dict[str, Any] = {
    "/v1/reviews": {
        "get": {
            "operationId": "listReviews",
            "tags": ["Review"],
            "summary": "The leads that wait for a person, the most urgent first",
            "description": "By due time, then by what is at stake. Nothing personal stands in a case.",
            "security": _SECURITY,
            "parameters": [
                query_parameter("reason", {"type": "string"}, "Only cases of this reason."),
                query_parameter("vertical", {"type": "string"}, "Only cases of this vertical."),
                query_parameter("source", {"type": "string"}, "Only cases of this source."),
                query_parameter("overdue", {"type": "boolean"}, "Only cases that are overdue."),
                query_parameter("cursor", {"type": "string"}, "The `next_cursor` of the page before."),
            ],
            "responses": responses(200, "A page.", "ReviewPage", 400, 401, 403, 503),
        }
    },
    "/v1/reviews/agreement": {
        "get": {
            "operationId": "reviewAgreement",
            "tags": ["Review"],
            "summary": "How far two who decided the same cases agree",
            "description": "Of the last ninety days and of the last thirty: raw agreement, Cohen's kappa and Gwet's AC1"
            " with their limits, in all, by reason and by reviewer; null where there are too few.",
            "security": _SECURITY,
            "parameters": [],
            "responses": responses(200, "The figures.", "AgreementOut", 401, 403, 503),
        }
    },
    "/v1/reviews/next": {
        "post": {
            "operationId": "takeNextReview",
            "tags": ["Review"],
            "summary": "Take the most urgent case that nobody has",
            "description": "It is this key's for some minutes. Two who ask at once get two cases.",
            "security": _SECURITY,
            "parameters": [IDEMPOTENCY],
            "requestBody": _body("ReviewNextIn", {"vertical": "solar"}),
            "responses": responses(200, "Taken.", "ReviewNextOut", 400, 401, 403, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/reviews/{review_id}/decision": {
        "post": {
            "operationId": "decideReview",
            "tags": ["Review"],
            "summary": "Decide a case that was taken",
            "description": "It is carried out once it can be taken back no more, and the law is asked anew then. A case"
            " that two decide waits for the second. A rejection names its ground.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "requestBody": _body(
                "ReviewDecisionIn", {"turn": 1, "decision": "reject", "ground": "wrong_number", "note": "Called twice."}
            ),
            "responses": responses(200, "Decided.", "ReviewOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/reviews/{review_id}/undo": {
        "post": {
            "operationId": "undoReview",
            "tags": ["Review"],
            "summary": "Take one's latest decision back",
            "description": "Until it is carried out. The case is this key's again.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "responses": responses(200, "Taken back.", "ReviewOut", 400, 401, 403, 404, 408, 409, 422, 503),
        }
    },
    "/v1/reviews/{review_id}/hand-over": {
        "post": {
            "operationId": "handReviewOver",
            "tags": ["Review"],
            "summary": "Give a case to somebody else",
            "description": "With `turn` one that this key has. Without it, who supervises the desk assigns any case"
            " that waits: it is theirs until it is due. A second look is nobody's who had the first.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "requestBody": _body("ReviewHandOverIn", {"to": "op_01k00000000000000000000000", "turn": 1}),
            "responses": responses(200, "Handed over.", "ReviewOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/reviews/{review_id}/unlock": {
        "post": {
            "operationId": "unlockReview",
            "tags": ["Review"],
            "summary": "Take a case from whoever has it",
            "description": "For who supervises the desk. Anybody may take it then; their page decides nothing more.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "responses": responses(200, "Unlocked.", "ReviewOut", 400, 401, 403, 404, 408, 409, 422, 503),
        }
    },
    "/v1/reviews/{review_id}/release": {
        "post": {
            "operationId": "releaseReview",
            "tags": ["Review"],
            "summary": "Put a case back",
            "description": "One that this key has. Anybody may take it then.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "requestBody": _body("ReviewTurnIn", {"turn": 1}),
            "responses": responses(200, "Put back.", "ReviewOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/reviews/{review_id}/snooze": {
        "post": {
            "operationId": "snoozeReview",
            "tags": ["Review"],
            "summary": "Put a case back for some hours",
            "description": "One that this key has, for a week at most. Its clock runs on.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "requestBody": _body("ReviewSnoozeIn", {"turn": 1, "hours": 4}),
            "responses": responses(200, "Put off.", "ReviewOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/reviews/leads/{lead_id}/override": {
        "post": {
            "operationId": "overrideLead",
            "tags": ["Review"],
            "summary": "Override what automation made of a lead",
            "description": "For who supervises the desk. `bring_back` lets a lead go on that our own judgement rejected"
            " or put off, and asks the law anew; `hold` has one wait for a person that could still be sold; `mark` says"
            " what a lead was found to be, and rejects it where nobody has it. `ground` is of the list for each, see"
            " review.md.",
            "security": _SECURITY,
            "parameters": [path_parameter("lead_id", "The lead's id."), IDEMPOTENCY],
            "requestBody": _body("OverrideIn", {"act": "hold", "ground": "complaint", "note": "Her lawyer wrote."}),
            "responses": responses(200, "Done.", "OverrideOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
}

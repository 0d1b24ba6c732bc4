"""``/v1/scorecards``, ``/v1/models`` and ``/v1/scoring`` described, for OpenAPI."""

from typing import Any

from leadmill.interfaces.api.alerts import AlertLookIn, AlertOut, AlertPage, WatchOut
from leadmill.interfaces.api.describing import IDEMPOTENCY, path_parameter, query_parameter, ref, responses
from leadmill.interfaces.api.models import (
    ModelDetail,
    ModelOut,
    ModelPage,
    ModelPlaceIn,
    ScorecardDetail,
    ScorecardPage,
)

TYPES = (
    ScorecardPage, ScorecardDetail, ModelPage, ModelOut, ModelDetail, ModelPlaceIn, AlertPage, AlertOut, AlertLookIn,
    WatchOut,
)  # fmt: skip
_SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"session": []}]
_ID = path_parameter("model_id", "The model's id.")

PATHS: dict[str, Any] = {
    "/v1/scorecards": {
        "get": {
            "operationId": "listScorecards",
            "tags": ["Scores"],
            "summary": "How the leads of each vertical are rated",
            "security": _SECURITY,
            "parameters": [],
            "responses": responses(200, "The cards in force.", "ScorecardPage", 401, 403, 503),
        }
    },
    "/v1/scorecards/{vertical}": {
        "get": {
            "operationId": "readScorecard",
            "tags": ["Scores"],
            "summary": "A vertical's card with its rules and versions",
            "security": _SECURITY,
            "parameters": [path_parameter("vertical", "The vertical's name.")],
            "responses": responses(200, "The card.", "ScorecardDetail", 400, 401, 403, 404, 503),
        }
    },
    "/v1/models": {
        "get": {
            "operationId": "listModels",
            "tags": ["Scores"],
            "summary": "The learned models and their places",
            "description": "All that were ever registered; one that is out of play is `retired`.",
            "security": _SECURITY,
            "parameters": [query_parameter("vertical", {"type": "string"}, "Only models of this vertical.")],
            "responses": responses(200, "The models.", "ModelPage", 400, 401, 403, 503),
        }
    },
    "/v1/models/{model_id}": {
        "get": {
            "operationId": "readModel",
            "tags": ["Scores"],
            "summary": "A model with its figures, its card and the places it has had",
            "security": _SECURITY,
            "parameters": [_ID],
            "responses": responses(200, "The model.", "ModelDetail", 400, 401, 403, 404, 503),
        }
    },
    "/v1/models/{model_id}/place": {
        "post": {
            "operationId": "placeModel",
            "tags": ["Scores"],
            "summary": "Give a model its place, or take it out of play",
            "description": "A champion before is heard on as a shadow. Refused where the law bars what the model looks"
            " at, where it looks at who somebody is, or where its card fails its limits of fairness. It is written"
            " down who did it and why.",
            "security": _SECURITY,
            "parameters": [_ID, IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": ref("ModelPlaceIn"),
                        "example": {
                            "state": "challenger",
                            "share": "0.10",
                            "why": "it ranks better",
                        },
                    }
                },
            },
            "responses": responses(200, "Placed.", "ModelOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/scoring/alerts": {
        "get": {
            "operationId": "listAlerts",
            "tags": ["Scores"],
            "summary": "What of the models at work a person should look at",
            "security": _SECURITY,
            "parameters": [
                query_parameter("vertical", {"type": "string"}, "Only alerts of this vertical."),
                query_parameter("every", {"type": "boolean"}, "Also those that ended or that somebody looked at."),
            ],
            "responses": responses(200, "The alerts.", "AlertPage", 400, 401, 403, 503),
        }
    },
    "/v1/scoring/alerts/{alert_id}/acknowledge": {
        "post": {
            "operationId": "acknowledgeAlert",
            "tags": ["Scores"],
            "summary": "Note that somebody looked at an alert, and what they found",
            "description": "It changes nothing about the model. A second word changes nothing.",
            "security": _SECURITY,
            "parameters": [path_parameter("alert_id", "The alert's id."), IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": ref("AlertLookIn"),
                        "example": {"why": "a new campaign; the form asks for the bill first"},
                    }
                },
            },
            "responses": responses(200, "Noted.", "AlertOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        }
    },
    "/v1/scoring/watch/{vertical}": {
        "get": {
            "operationId": "readWatch",
            "tags": ["Scores"],
            "summary": "What is measured of a vertical's models and of how fast recipients report",
            "security": _SECURITY,
            "parameters": [path_parameter("vertical", "The vertical's name.")],
            "responses": responses(200, "What was last measured.", "WatchOut", 400, 401, 403, 404, 503),
        }
    },
}

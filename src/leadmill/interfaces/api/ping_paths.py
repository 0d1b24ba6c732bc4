"""Pings and posts described, for ``/openapi.json``."""

from collections.abc import Mapping
from typing import Any

from leadmill.interfaces.api.describing import IDEMPOTENCY, query_parameter, ref, responses

_FORM = {
    "application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
}

PING_EXAMPLE: dict[str, Any] = {
    "vertical": "solar",
    "fields": {"zip": "94110", "state": "CA", "monthly_bill": 240, "homeowner": True},
    "context": {"landing_page": "https://example.com/solar", "sub1": "autumn"},
}

PATHS: dict[str, Any] = {
    "/v1/ping": {
        "post": {
            "operationId": "takePing",
            "tags": ["Pings"],
            "summary": "Ask what a lead would bring",
            "description": "The answers without the person: no name, no address, no number. The price holds until"
            " `expires_at` for the lead that is posted against it; consent must name the `sellers`.",
            "security": [{"key": []}],
            "parameters": [IDEMPOTENCY],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref("PingIn"), "example": PING_EXAMPLE}, **_FORM},
            },
            "responses": responses(
                201, "A bid, or none and why.", "PingAnswer", 400, 401, 403, 408, 413, 415, 422, 429, 503
            ),
        }
    },
    "/v1/post": {
        "post": {
            "operationId": "takePost",
            "tags": ["Pings"],
            "summary": "Send the lead that follows a ping",
            "description": "The whole lead with the ping's id. What the ping said must be the same. Once: the same body"
            " again gets the same answer, another body a `409`.",
            "security": [{"key": []}],
            "parameters": [IDEMPOTENCY],
            "requestBody": {"required": True, "content": {"application/json": {"schema": ref("PostIn")}, **_FORM}},
            "responses": responses(
                201,
                "Taken: where the lead stands, and why.",
                "Answer",
                *(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
            ),
        }
    },
    "/v1/pings": {
        "get": {
            "operationId": "listPings",
            "tags": ["Pings"],
            "summary": "List pings",
            "description": "What was offered, newest first. Pings are remembered for two days after they end.",
            "security": [{"key": []}, {"session": []}],
            "parameters": [
                query_parameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "How many."),
                query_parameter("cursor", {"type": "string"}, "The `next_cursor` of the page before."),
                query_parameter("source", {"type": "string"}, "The source's id."),
            ],
            "responses": responses(200, "A page.", "PingPage", 400, 401, 403, 422, 503),
        }
    },
}


def ping_in(lead_in: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a ping, from that of a lead."""
    parts = {name: lead_in["properties"][name] for name in ("vertical", "fields", "context", "test")}
    parts["fields"] = parts["fields"] | {"description": "The answers; contact details are refused."}
    return {
        "title": "PingIn",
        "type": "object",
        "description": "A lead without the person.",
        "properties": parts,
        "additionalProperties": True,
    }


def post_in(lead_in: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a post: a lead that names its ping."""
    named = {"ping_id": {"type": "string", "description": "The ping that it follows."}}
    return {
        **lead_in,
        "title": "PostIn",
        "description": "A lead that follows a ping.",
        "properties": named | lead_in["properties"],
        "required": ["ping_id"],
    }

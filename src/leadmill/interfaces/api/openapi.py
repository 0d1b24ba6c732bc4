"""The API described: OpenAPI 3.1, from the very types that the routes decode and answer with.

Read by ``/openapi.json`` and by the documentation page. A test holds it against the routes, so nothing can be
answered that is not described here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.capture import Vertical
from leadmill.core.reasons import State
from leadmill.flow.upkeep import HygieneReport
from leadmill.interfaces.api.certificates import PATHS as CERTIFICATE_PATHS
from leadmill.interfaces.api.certificates import CertificateOut
from leadmill.interfaces.api.corrections import PATHS as CORRECTION_PATHS
from leadmill.interfaces.api.corrections import CorrectionIn, CorrectionOut
from leadmill.interfaces.api.describing import IDEMPOTENCY, REF, path_parameter, probe, query_parameter, ref, responses
from leadmill.interfaces.api.feedback import PATHS as FEEDBACK_PATHS
from leadmill.interfaces.api.feedback import FeedbackIn, FeedbackOut
from leadmill.interfaces.api.hygiene import PATHS as HYGIENE_PATHS
from leadmill.interfaces.api.intake import Answer
from leadmill.interfaces.api.known import PATHS as KNOWN_PATHS
from leadmill.interfaces.api.known import KnownIn, KnownOut
from leadmill.interfaces.api.leads import EventPage, Explanation, LeadDetail, LeadOut, LeadPage
from leadmill.interfaces.api.model_paths import PATHS as MODEL_PATHS
from leadmill.interfaces.api.model_paths import TYPES as MODEL_TYPES
from leadmill.interfaces.api.optout_paths import PATHS as OPT_OUT_PATHS
from leadmill.interfaces.api.optouts import (
    NoticeLine,
    NoticePage,
    OptOutPage,
    OptOutsIn,
    OptOutsOut,
    ReplyIn,
    ReplyOut,
)
from leadmill.interfaces.api.outcomes import OutcomeIn, OutcomeOut
from leadmill.interfaces.api.people import PATHS as PEOPLE_PATHS
from leadmill.interfaces.api.people import TYPES as PEOPLE_TYPES
from leadmill.interfaces.api.ping import PingAnswer
from leadmill.interfaces.api.ping_list import PingPage
from leadmill.interfaces.api.ping_paths import PATHS as PING_PATHS
from leadmill.interfaces.api.ping_paths import ping_in, post_in
from leadmill.interfaces.api.privacy import DecisionIn, PrivacyIn, PrivacyLine, PrivacyOut, PrivacyPage
from leadmill.interfaces.api.privacy_paths import PATHS as PRIVACY_PATHS
from leadmill.interfaces.api.problems import Problem
from leadmill.interfaces.api.review_paths import PATHS as REVIEW_PATHS
from leadmill.interfaces.api.review_paths import TYPES as REVIEW_TYPES

_TYPES = (
    Answer,
    LeadPage,
    LeadOut,
    LeadDetail,
    EventPage,
    Explanation,
    OutcomeIn,
    OutcomeOut,
    PingAnswer,
    PingPage,
    KnownIn,
    KnownOut,
    OptOutsIn,
    OptOutsOut,
    OptOutPage,
    NoticePage,
    NoticeLine,
    ReplyIn,
    ReplyOut,
    CorrectionIn,
    CorrectionOut,
    CertificateOut,
    *PEOPLE_TYPES,
    FeedbackIn,
    FeedbackOut,
    HygieneReport,
    PrivacyIn,
    PrivacyLine,
    PrivacyOut,
    PrivacyPage,
    DecisionIn,
    *REVIEW_TYPES,
    *MODEL_TYPES,
    Problem,
)


class Health(Struct, frozen=True):
    """Whether the program is there."""

    status: str


_INTRODUCTION = """
Send leads with a source's key, report outcomes with a buyer's key, read leads with an operator's key.

Times are RFC 3339 in UTC, money is a decimal string beside its currency, ids carry a prefix (`lead_…`) and sort by
time. A business refusal is no error: it is a `201` with a `status` and its `reasons`. A `4xx` is the caller's mistake
and comes as Problem Details (RFC 9457) with a stable `code`, the `request_id` and one entry in `errors` for each wrong
field.

Send an `Idempotency-Key` with every `POST`: for a day the same key with the same body gives the same answer, and with
another body a `422`. Lists give `next_cursor`; send it as `cursor` for the next page, or follow `Link: rel="next"`.
""".strip()


def describe(verticals: Mapping[str, Vertical], version: str) -> dict[str, Any]:
    """The document. ``verticals`` are those in force: their fields are what a lead may hold."""
    _, components = msgspec.json.schema_components([*_TYPES, Health], ref_template=REF)
    components["LeadIn"] = lead_in(verticals)
    components["PingIn"] = ping_in(components["LeadIn"])
    components["PostIn"] = post_in(components["LeadIn"])
    for name, vertical in sorted(verticals.items()):
        components[f"Fields.{name}"] = fields_of(vertical)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leadmill",
            "version": version,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "Leads"},
            {"name": "People"},
            {"name": "Pings"},
            {"name": "Outcomes"},
            {"name": "Opt-outs"},
            {"name": "Scores"},
            {"name": "Privacy"},
            {"name": "Health"},
        ],
        "paths": _paths(),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key of a source, a buyer or an operator.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "leadmill_session",
                    "description": "An operator's browser.",
                },
            },
        },
    }


def _paths() -> dict[str, Any]:
    lead_id = path_parameter("lead_id", "The lead's id.")
    order = query_parameter("order", {"type": "string"}, "An order's id: of all orders tell only of this one.")
    reading = {"tags": ["Leads"], "security": [{"key": []}, {"session": []}]}
    return {
        "/v1/leads": {
            "post": {
                "operationId": "takeLead",
                "tags": ["Leads"],
                "summary": "Send a lead",
                "description": "Walks the lead to its end and answers once the outcome is durable. Flat bodies under"
                " the usual names of"
                " the trade are understood as well, JSON or form-encoded; a field the vertical does not know is kept.",
                "security": [{"key": []}],
                "parameters": [IDEMPOTENCY],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": ref("LeadIn"), "example": EXAMPLE},
                        "application/x-www-form-urlencoded": {
                            "schema": {"type": "object", "additionalProperties": {"type": "string"}}
                        },
                    },
                },
                "responses": responses(
                    201, "Taken: where the lead stands, and why.", "Answer", 400, 401, 403, 408, 413, 415, 422, 503
                ),
            },
            "get": {
                **reading,
                "operationId": "listLeads",
                "summary": "List leads",
                "description": "Newest first. Personal values are masked unless the role may see them; each read"
                " is noted.",
                "parameters": [
                    query_parameter(
                        "limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "How many."
                    ),
                    query_parameter("cursor", {"type": "string"}, "The `next_cursor` of the page before."),
                    query_parameter("status", {"enum": [state.value for state in State]}, "Where the lead stands."),
                    query_parameter("vertical", {"type": "string"}, "The vertical's name."),
                    query_parameter("source", {"type": "string"}, "The source's id."),
                    query_parameter("recipient", {"type": "string"}, "The buyer's id, or `team/rep`."),
                    query_parameter("person_id", {"type": "string"}, "All leads of one person."),
                    query_parameter("import_id", {"type": "string"}, "All leads of one import."),
                    query_parameter("test", {"type": "boolean"}, "Test leads, or none of them."),
                    query_parameter("min_score", {"type": "integer"}, "Score from."),
                    query_parameter("max_score", {"type": "integer"}, "Score to."),
                    query_parameter("tier", {"type": "string"}, "The quality tier, such as `A`."),
                    query_parameter("since", {"type": "string", "format": "date-time"}, "Received at or after."),
                    query_parameter("until", {"type": "string", "format": "date-time"}, "Received before."),
                ],
                "responses": responses(200, "A page.", "LeadPage", 400, 401, 403, 422, 503),
            },
        },
        "/v1/leads/{lead_id}": {
            "get": {
                **reading,
                "operationId": "readLead",
                "summary": "Read a lead",
                "parameters": [lead_id],
                "responses": responses(200, "The lead as it stands.", "LeadDetail", 400, 401, 403, 404, 503),
            }
        },
        "/v1/leads/{lead_id}/events": {
            "get": {
                **reading,
                "operationId": "readEvents",
                "summary": "Read what happened to a lead",
                "parameters": [lead_id],
                "responses": responses(200, "Its events in order.", "EventPage", 400, 401, 403, 404, 503),
            }
        },
        "/v1/leads/{lead_id}/explain": {
            "get": {
                **reading,
                "operationId": "explainLead",
                "summary": "Explain a lead",
                "description": "The whole story: each step, what was heard, the verdict with rule and citation, every"
                " order considered"
                " and why it did not get the lead, the money. Of very many orders an auction names those that matter;"
                " any other can be asked after, and is judged again by the rules of that time.",
                "parameters": [lead_id, order],
                "responses": responses(200, "The story.", "Explanation", 400, 401, 403, 404, 503),
            }
        },
        "/v1/outcomes": {
            "post": {
                "operationId": "reportOutcome",
                "tags": ["Outcomes"],
                "summary": "Report what became of a lead",
                "description": "Of a lead or sale of one's own. A later report adds to the course; one of the same"
                " moment corrects the"
                " earlier.",
                "security": [{"key": []}],
                "parameters": [IDEMPOTENCY],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": ref("OutcomeIn"),
                            "example": {"sale_id": "sale_01k8…", "disposition": "contacted"},
                        }
                    },
                },
                "responses": responses(201, "Taken.", "OutcomeOut", 400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
            }
        },
        **PING_PATHS,
        **CERTIFICATE_PATHS,
        **CORRECTION_PATHS,
        **OPT_OUT_PATHS,
        **PRIVACY_PATHS,
        **REVIEW_PATHS,
        **MODEL_PATHS,
        **PEOPLE_PATHS,
        **FEEDBACK_PATHS,
        **HYGIENE_PATHS,
        **KNOWN_PATHS,
        "/healthz": {"get": probe("isAlive", "Whether the process answers", 200)},
        "/readyz": {"get": probe("isReady", "Whether leads can be taken", 200, 503)},
        "/metrics": {
            "get": {
                "operationId": "readMetrics",
                "tags": ["Health"],
                "summary": "Metrics for Prometheus",
                "security": [],
                "responses": {
                    "200": {
                        "description": "The text format.",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    }
                },
            }
        },
    }


EXAMPLE: dict[str, Any] = {
    "vertical": "solar",
    "fields": {
        "first_name": "Ana",
        "last_name": "Ruiz",
        "email": "ana.ruiz@example.com",
        "phone": "(415) 555-0134",
        "zip": "94110",
        "state": "CA",
        "monthly_bill": 240,
        "homeowner": True,
    },
    "consent": {
        "text": "By pressing “Get my quote” I agree that Helio Solar LLC may call, text and e-mail me.",
        "sellers": ["Helio Solar LLC"],
        "given_at": "2026-03-04T15:00:00Z",
    },
    "context": {"landing_page": "https://example.com/solar", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
}


def lead_in(verticals: Mapping[str, Vertical]) -> dict[str, Any]:
    """The body of a lead; what ``fields`` may hold depends on the vertical and is described beside it."""
    return {
        "title": "LeadIn",
        "type": "object",
        "description": "A lead as it is sent.",
        "properties": {
            "vertical": {
                "type": "string",
                "description": "Needed unless the source sends one vertical only.",
                "examples": sorted(verticals),
            },
            "fields": {
                "type": "object",
                "description": "The person's answers; see the schema Fields.VERTICAL.",
                "additionalProperties": True,
            },
            "consent": {
                "type": "object",
                "description": "What the person was shown and agreed to.",
                "properties": {
                    "text": {"type": "string", "description": "The very text that was shown."},
                    "given_at": {"type": "string", "format": "date-time"},
                    "sellers": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "The companies named to the person.",
                    },
                    "channels": {"type": "array", "items": {"enum": ["call", "text", "email"]}},
                    "url": {"type": "string"},
                },
                "additionalProperties": True,
            },
            "context": {
                "type": "object",
                "description": "How the person came: ip, user_agent, landing_page, utm_…, click ids, sub1 to sub5.",
                "additionalProperties": True,
            },
            "test": {"type": "boolean", "default": False, "description": "Judged like any other, sold to nobody."},
        },
        "additionalProperties": True,
    }


_JSON_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "choice": {"type": "string"},
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "money": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "list": {"type": "array", "items": {"type": "string"}},
}


def fields_of(vertical: Vertical) -> dict[str, Any]:
    """The fields of a vertical as a schema; other names for them are understood too."""
    properties = {}
    for name, spec in sorted(vertical.fields.items()):
        found = dict(_JSON_TYPES[spec.type])
        found["title"] = spec.title or name
        if spec.choices:
            found["examples"] = [choice.value for choice in spec.choices]
        if spec.minimum is not None and spec.type in ("int", "number", "money"):
            found["minimum"] = spec.minimum
        if spec.maximum is not None and spec.type in ("int", "number", "money"):
            found["maximum"] = spec.maximum
        properties[name] = found
    return {
        "title": f"Fields of {vertical.title.lower()}",
        "type": "object",
        "properties": properties,
        "required": list(vertical.required),
        "additionalProperties": True,
    }


def operations(document: Mapping[str, Any]) -> Sequence[tuple[str, str, Mapping[str, Any]]]:
    """Every operation: verb, path and what is said of it."""
    return [(verb, path, each) for path, verbs in document["paths"].items() for verb, each in verbs.items()]

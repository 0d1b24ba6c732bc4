"""The pieces that descriptions of addresses are made of.

Used by :mod:`leadmill.interfaces.api.openapi` and by the descriptions of single doors.
"""

from collections.abc import Mapping
from typing import Any

from leadmill.interfaces.api.problems import MEDIA_TYPE, title_of

REF = "#/components/schemas/{name}"


def responses(status: int, says: str, schema: str, *faults: int) -> dict[str, Any]:
    """The answers of an address: ``schema`` with ``status``, and a problem for each of ``faults``. Wherever a key is
    asked for, it may call too often."""
    found: dict[str, Any] = {
        str(status): {
            "description": says,
            "headers": {"X-Request-Id": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": ref(schema)}},
        }
    }
    for fault in sorted({*faults, 429} if 401 in faults else faults):
        found[str(fault)] = {"description": title_of(fault) + ".", "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
    return found


def probe(operation: str, summary: str, *statuses: int) -> dict[str, Any]:
    """A probe that answers without a key."""
    return {
        "operationId": operation,
        "tags": ["Health"],
        "summary": summary,
        "security": [],
        "responses": responses(statuses[0], "Yes.", "Health", *statuses[1:]),
    }


def ref(name: str) -> dict[str, str]:
    """A schema by its name."""
    return {"$ref": REF.format(name=name)}


def path_parameter(name: str, says: str) -> dict[str, Any]:
    """A part of the address."""
    return {"name": name, "in": "path", "required": True, "description": says, "schema": {"type": "string"}}


def query_parameter(name: str, schema: Mapping[str, Any], says: str) -> dict[str, Any]:
    """A parameter behind the question mark."""
    return {"name": name, "in": "query", "description": says, "schema": schema}


IDEMPOTENCY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name for this request, quoted or bare, 1 to 255 printable ASCII characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}

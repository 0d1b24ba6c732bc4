"""``/openapi.json``, ``/docs`` and ``/problems/{code}``: the API explained, from files of our own, so it reads the
same offline."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.reasons import every
from leadmill.interfaces.api.meanings import load_meanings
from leadmill.interfaces.api.openapi import describe, operations
from leadmill.interfaces.pages import Pages
from leadmill.interfaces.wiring import Wiring

Manual = Pages
"""The templates of the documentation."""


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json(wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """The document."""
    body = msgspec.json.encode(describe(wiring.rules.verticals, wiring.version))
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


@get("/docs", include_in_schema=False, sync_to_thread=False)
def docs_page(wiring: NamedDependency[Wiring], manual: NamedDependency[Manual]) -> Response[str]:
    """The document as a page."""
    document = describe(wiring.rules.verticals, wiring.version)
    schemas = document["components"]["schemas"]
    shown = [
        {
            "verb": verb,
            "path": path,
            "id": each["operationId"],
            "tag": each["tags"][0],
            "summary": each["summary"],
            "description": each.get("description", ""),
            "parameters": [_parameter(one) for one in each.get("parameters", [])],
            "body": _body(each, schemas),
            "example": _example(each),
            "curl": _curl(verb, path, each),
            "responses": [
                {
                    "status": status,
                    "says": one["description"],
                    "schema": _name(one),
                    "fields": _fields(_name(one), schemas),
                }
                for status, one in each["responses"].items()
            ],
        }
        for verb, path, each in operations(document)
    ]
    verticals = [
        {"name": name, "title": vertical.title, "fields": _fields(f"Fields.{name}", schemas)}
        for name, vertical in sorted(wiring.rules.verticals.items())
    ]
    html = manual.render(
        "docs.html",
        version=wiring.version,
        introduction=[paragraph.replace("\n", " ") for paragraph in document["info"]["description"].split("\n\n")],
        operations=shown,
        tags=[tag["name"] for tag in document["tags"]],
        verticals=verticals,
        reasons=every(),
    )
    return Response(html, media_type=MediaType.HTML, headers={"cache-control": "no-cache"})


@get("/problems/{code:str}", include_in_schema=False, sync_to_thread=False)
def problem_page(manual: NamedDependency[Manual], code: FromPath[str]) -> Response[str]:
    """Where a problem's ``type`` leads: what its code means and what to do."""
    shown = code[:80]
    html = manual.render("problem.html", code=shown, meaning=load_meanings().get(shown))
    return Response(html, media_type=MediaType.HTML)


def _parameter(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "where": one["in"],
        "required": one.get("required", False),
        "type": _type(one["schema"]),
        "says": one.get("description", ""),
        "choices": [],
    }


def _body(each: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = each.get("requestBody", {}).get("content", {}).get("application/json")
    return _fields(content["schema"]["$ref"].rpartition("/")[2], schemas) if content else []


def _example(each: Mapping[str, Any]) -> str:
    content = each.get("requestBody", {}).get("content", {}).get("application/json", {})
    return json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""


def _curl(verb: str, path: str, each: Mapping[str, Any]) -> str:
    if not each.get("security"):
        return f"curl $LEADMILL{path}"
    lines = [f'curl $LEADMILL{path} -H "Authorization: Bearer $KEY"']
    if verb == "post":
        lines += ['-H "Content-Type: application/json"', '-H "Idempotency-Key: my-own-id-1"', "-d @body.json"]
    return " \\\n  ".join(lines)


def _name(response: Mapping[str, Any]) -> str:
    for content in response.get("content", {}).values():
        ref: str = content["schema"].get("$ref", "")
        return ref.rpartition("/")[2]
    return ""


def _fields(name: str, schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    schema = schemas.get(name, {})
    required = schema.get("required", [])
    return [
        {
            "name": field,
            "type": _type(one),
            "required": field in required,
            "says": one.get("description") or one.get("title", ""),
            "choices": one.get("examples", [])[:60] if isinstance(one.get("examples"), list) else [],
        }
        for field, one in schema.get("properties", {}).items()
    ]


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format", kind))


ROUTES = [openapi_json, docs_page, problem_page]

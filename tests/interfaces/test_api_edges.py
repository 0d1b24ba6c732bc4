"""The API's edges: every fault is a problem document, every request can be found again, what is described is there."""

from pathlib import Path
from typing import Any

import pytest

from leadmill.core.faults import (
    BadInput,
    Conflict,
    Fault,
    FieldFault,
    Forbidden,
    NotFound,
    Permanent,
    TooLarge,
    Transient,
    Unauthenticated,
)
from leadmill.interfaces.api.meanings import load_meanings, read_meanings
from leadmill.interfaces.api.openapi import describe, operations
from leadmill.interfaces.api.problems import headers_of, problem_of, status_of
from leadmill.outcomes.store import outcomes_of
from leadmill.parties import Role, Throttled
from tests.interfaces.stage import BUYER_KEY, Stage, solar


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BadInput("x.y.z"), 400),
        (BadInput("x.y.z", errors=[FieldFault("/a", "b", "c")]), 422),
        (BadInput("capture.body.media_type"), 415),
        (Unauthenticated("x.y.z"), 401),
        (Forbidden("x.y.z"), 403),
        (Throttled("x.y.z", "wait", 3.2), 429),
        (NotFound("x.y.z"), 404),
        (Conflict("x.y.z"), 409),
        (Conflict("flow.request.reused"), 422),
        (TooLarge("x.y.z"), 413),
        (Transient("x.y.z"), 503),
        (Permanent("x.y.z"), 500),
        (Fault("x.y.z"), 500),
    ],
)
def test_each_fault_has_one_status(fault: Fault, status: int) -> None:
    assert status_of(fault) == status
    assert problem_of(fault, "/here", "r1").status == status


def test_what_broke_inside_is_not_told_outside() -> None:
    problem = problem_of(Permanent("flow.evidence.missing", "no step has established Proof"))
    assert problem.detail == "" and problem.code == "flow.evidence.missing"


def test_waiting_is_told_in_whole_seconds() -> None:
    assert headers_of(Throttled("x.y.z", "wait", 3.2)) == {"retry-after": "4"}
    assert headers_of(Transient("x.y.z")) == {"retry-after": "1"}


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/leads", 405),
        ("GET", "/v1/outcomes", 405),
        ("GET", "/v1/ping", 405),
        ("DELETE", "/v1/post", 405),
        ("POST", "/healthz", 405),
        ("GET", "/v1/leads/lead_00000000000000000000000000", 404),
        ("GET", "/v1/leads/..%2f..", 404),
    ],
)
async def test_a_wrong_address_is_a_problem_too(stage: Stage, verb: str, path: str, status: int) -> None:
    headers = {"authorization": f"Bearer {stage.operator_key}", "x-request-id": "my-own.id:1"}
    reply = await stage.client().send(verb, path, b"", headers)
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["x-request-id"] == reply.json["request_id"] == "my-own.id:1"
    assert reply.json["type"] == f"/problems/{reply.json['code']}"
    if status == 405:
        assert "allow" in reply.headers


@pytest.mark.parametrize("path", ["/nothing", "/v2/leads", "/leeds", "/static/nothing.js", "/v1leads"])
async def test_an_unknown_address_is_a_problem_for_programs_and_a_page_for_people(stage: Stage, path: str) -> None:
    client = stage.client()
    for accept in ("application/json", "*/*", "application/problem+json, */*;q=0.1", "image/webp"):
        reply = await client.get(path, accept=accept)
        assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json"), accept
        assert reply.json["code"] == "api.path.unknown"
    assert (await client.get(path)).headers["content-type"] == "application/problem+json"
    for headers in ({"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}, {"hx-request": "true"}):
        reply = await client.get(path, **headers)
        assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_wrong_method_outside_the_api_is_a_problem_for_programs(stage: Stage) -> None:
    reply = await stage.client().send("DELETE", "/sign-in", b"", {"accept": "application/json"})
    assert (reply.status, reply.json["code"]) == (405, "api.method.not_allowed")
    assert "allow" in reply.headers


async def test_the_page_of_a_problem_says_what_its_code_means_and_what_to_do(stage: Stage) -> None:
    client = stage.client()
    known = (await client.get("/problems/api.body.media_type")).text
    assert "The body is of another type, or packed." in known
    assert "Send <code>application/json</code>, uncompressed." in known and "status 415" in known
    assert "There is no such lead" in (await client.get("/problems/flow.lead.unknown")).text
    reason = (await client.get("/problems/policy.consent.missing")).text
    assert "without consent" in reason and "{" not in reason.partition("<main>")[2]
    made_up = await client.get("/problems/<b>x")
    assert made_up.status == 200 and "does not answer with this code" in made_up.text and "<b>x" not in made_up.text


def test_every_row_of_the_page_of_errors_is_read() -> None:
    page = Path("docs/errors.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    found = read_meanings(page)
    assert load_meanings() == found
    for line in rows:
        code = line.split("`")[1]
        assert found[code].means in line and found[code].mend in line and found[code].mend


async def test_a_request_id_that_is_no_token_is_replaced(stage: Stage) -> None:
    reply = await stage.client().get("/healthz", **{"x-request-id": "<script>"})
    assert reply.headers["x-request-id"] != "<script>"


async def test_health_readiness_and_metrics_answer_without_a_key(stage: Stage) -> None:
    client = stage.client()
    assert (await client.get("/healthz")).json == {"status": "ok"}
    assert (await client.get("/readyz")).json == {"status": "ready"}
    metrics = await client.get("/metrics")
    assert (
        metrics.status == 200
        and metrics.headers["content-type"].startswith("text/plain")
        and b"leadmill_" in metrics.body
    )


async def report(stage: Stage, body: Any, key: str = BUYER_KEY, **headers: str) -> Any:
    return await stage.client().post_json("/v1/outcomes", body, authorization=f"Bearer {key}", **headers)


async def test_a_buyer_reports_once_whatever_is_repeated(stage: Stage) -> None:
    lead_id = (await stage.send(solar()))["lead_id"]
    body = {"lead_id": lead_id, "disposition": "contacted", "at": "2026-03-04T15:00:00Z"}
    body["at"] = stage.house.clock().isoformat()
    first = await report(stage, body, **{"idempotency-key": '"first"'})
    assert first.status == 201, first.text
    again = await report(stage, body, **{"idempotency-key": "first"})
    assert (again.status, again.body) == (201, first.body)
    other = await report(stage, {**body, "disposition": "sold"}, **{"idempotency-key": "first"})
    assert (other.status, other.json["code"]) == (422, "flow.request.reused")
    client = stage.client()
    events = await client.get(f"/v1/leads/{lead_id}/events", authorization=f"Bearer {stage.operator_key}")
    assert [item["event"] for item in events.json["items"]].count("outcome.reported") == 1


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"disposition": "eaten", "lead_id": "lead_1"}, 422, "/disposition"),
        ({"lead_id": "lead_1"}, 422, ""),
        ({"disposition": "sold", "lead_id": 5}, 422, "/lead_id"),
        ({"disposition": "sold", "lead_id": "lead_1", "value": "12.345"}, 422, "/value"),
        ({"disposition": "sold", "lead_id": "lead_1", "at": "2026-03-04T15:00:00"}, 422, "/at"),
        ({"disposition": "sold"}, 400, None),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"note": "' + b"x" * (1 << 20) + b'"}', 413, None),
    ],
)
async def test_a_report_that_cannot_be_read_says_where(
    stage: Stage, body: Any, status: int, pointer: str | None
) -> None:
    reply = await report(stage, body)
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


async def test_what_a_report_says_beside_the_known_fields_is_kept_sealed_and_shown(stage: Stage) -> None:
    lead_id = (await stage.send(solar()))["lead_id"]
    more = {"agent": "Ruth Okafor", "visits": [1, {"day": "Tue"}], "deposit": 0.10}
    body = {"lead_id": lead_id, "disposition": "sold", "note": "Ana signed.", **more}
    reply = await report(stage, body)
    assert (reply.status, reply.json["unknown_fields"]) == (201, 3), reply.text
    async with stage.house.db.begin() as tx:
        (note,) = [each.note for each in await outcomes_of(tx, lead_id)]
    assert note is not None and b"Okafor" not in note and b"agent" not in note
    page = f"/leads/{lead_id}?tab=deliveries"
    seen = (await (await stage.signed_in(Role.OPERATOR)).get(page)).text
    for word in ("Ana signed.", "Ruth Okafor", "Deposit", "0.1", "Tue"):
        assert word in seen
    unseen = (await (await stage.signed_in(Role.ANALYST)).get(page)).text
    assert "Okafor" not in unseen and "Ana signed." not in unseen and "Remarks are kept" in unseen


async def test_a_report_may_not_bring_a_book_of_further_fields(stage: Stage) -> None:
    reply = await report(stage, {"lead_id": "lead_1", "disposition": "sold", "book": "x" * 65_536})
    assert (reply.status, [error["pointer"] for error in reply.json["errors"]]) == (422, [""])


async def test_a_buyer_reports_on_its_own_leads_alone(stage: Stage) -> None:
    reply = await report(stage, {"lead_id": "lead_00000000000000000000000000", "disposition": "sold"})
    assert (reply.status, reply.json["code"]) == (404, "outcome.sale.unknown")
    reply = await report(stage, {"lead_id": "lead_1", "disposition": "sold"}, key="nobody")
    assert reply.status == 401


async def test_the_document_describes_every_route_and_no_other(stage: Stage) -> None:
    document = (await stage.client().get("/openapi.json")).json
    assert document["openapi"].startswith("3.1")
    described = {(verb.upper(), path) for verb, path, _ in operations(document)}
    client = stage.client()
    headers = {"authorization": f"Bearer {stage.operator_key}"}
    for verb, path in described:
        reply = await client.send(
            verb, path.replace("{lead_id}", "lead_00000000000000000000000000"), b"", dict(headers)
        )
        assert reply.status != 405 and not (reply.status == 404 and reply.json["code"] == "api.path.unknown"), (
            verb,
            path,
        )
    assert ("POST", "/v1/leads") in described and ("POST", "/v1/outcomes") in described


async def test_every_reference_of_the_document_leads_somewhere(stage: Stage) -> None:
    rules = stage.house.book.walk().rules
    document = describe(rules.verticals, "0")

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].removeprefix("#/components/schemas/") in document["components"]["schemas"], node
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)


async def test_the_documentation_loads_nothing_from_elsewhere(stage: Stage) -> None:
    page = (await stage.client().get("/docs")).text
    assert "<script" not in page and 'src="http' not in page and "style=" not in page
    assert "/v1/leads/{lead_id}/explain" in page and "market.order.outbid" in page


async def test_answers_carry_headers_that_keep_browsers_safe(stage: Stage) -> None:
    for path in ("/sign-in", "/docs", "/f/solar-quote", "/healthz"):
        headers = (await stage.client().get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"

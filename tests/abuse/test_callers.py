"""Callers without the right: no key, a wrong one, another's; wrong methods, made-up addresses, tampered cursors."""

import json
from typing import Any

import pytest

from tests.abuse.caller import problem
from tests.abuse.running import CELLA, FIRST, GATE, Mill, lead, traces

KEYLESS: list[tuple[str | bytes | None, str]] = [
    (None, "intake.key.missing"),
    ("", "intake.key.missing"),
    ("Bearer", "intake.key.missing"),
    ("Bearer ", "intake.key.missing"),
    ("Basic Z2F0ZTo=", "intake.key.missing"),
    (f"Token {GATE}", "intake.key.missing"),
    (GATE, "intake.key.missing"),
    ("Bearer nobody-knows-this-key", "intake.key.unknown"),
    (f"Bearer {GATE}x", "intake.key.unknown"),
    (f"Bearer {GATE.upper()}", "intake.key.unknown"),
    (f"Bearer {GATE[:-1]}", "intake.key.unknown"),
    ("Bearer ' OR 1=1 --", "intake.key.unknown"),
    ("Bearer " + "x" * 30_000, "intake.key.unknown"),
    (b"Bearer \xff\xfe\xfd", "intake.key.unknown"),
]


@pytest.mark.parametrize(("authorization", "code"), KEYLESS)
def test_a_lead_without_a_good_key_is_refused_before_its_body_is_looked_at(
    mill: Mill, authorization: str | bytes | None, code: str
) -> None:
    for body in (lead(), b"{"):
        reply = mill.caller(None).post("/v1/leads", body, authorization=authorization)
        problem(reply, 401, code)
        assert reply.headers["www-authenticate"].startswith("Bearer")


def test_an_expired_key_opens_nothing(mill: Mill) -> None:
    problem(mill.caller(mill.keys["old source"]).post("/v1/leads", lead()), 401, "intake.key.expired")
    problem(mill.caller(mill.keys["old operator"]).get("/v1/leads"), 401, "parties.key.expired")
    report = {"disposition": "contacted", "lead_id": "lead_1"}
    problem(mill.caller(mill.keys["old buyer"]).post("/v1/outcomes", report), 401, "parties.key.expired")


def test_everybody_stays_at_the_own_door(mill: Mill) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    for key in (CELLA, mill.keys["operator"], mill.keys["analyst"]):
        problem(mill.caller(key).post("/v1/leads", lead()), 403, "intake.key.kind")
    for key in (GATE, CELLA):
        for path in ("/v1/leads", f"/v1/leads/{taken}", f"/v1/leads/{taken}/events", f"/v1/leads/{taken}/explain"):
            problem(mill.caller(key).get(path), 403, "api.right.missing")
            problem(mill.caller(None).get(path), 401, "api.key.missing")
            problem(mill.caller("no-such-key").get(path), 401, "parties.key.unknown")
    report = {"disposition": "contacted", "lead_id": taken}
    problem(mill.caller(None).post("/v1/outcomes", report), 401, "api.key.missing")
    for key in (GATE, mill.keys["analyst"]):
        problem(mill.caller(key).post("/v1/outcomes", report), 403, "outcome.caller.refused")


def test_a_key_in_the_address_or_the_body_opens_nothing(mill: Mill) -> None:
    problem(mill.caller(None).get(f"/v1/leads?key={mill.keys['operator']}&access_token={mill.keys['operator']}"), 401)
    problem(mill.caller(None).post("/v1/leads", lead() | {"key": GATE}), 401)
    problem(mill.caller(None).get("/v1/leads", cookie=f"leadmill_session={mill.keys['operator']}"), 401)


def test_an_analyst_sees_no_person(mill: Mill) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    for path in (
        f"/v1/leads/{taken}",
        "/v1/leads?limit=200",
        f"/v1/leads/{taken}/events",
        f"/v1/leads/{taken}/explain",
    ):
        reply = mill.caller(mill.keys["analyst"]).get(path)
        assert reply.status == 200
        assert traces(reply.text) == []
    assert FIRST in mill.caller(mill.keys["operator"]).get(f"/v1/leads/{taken}").text


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_a_wrong_method_is_refused_with_the_right_ones_named(mill: Mill, verb: str) -> None:
    caller = mill.caller(mill.keys["operator"])
    for path in ("/v1/leads", "/v1/outcomes", "/v1/leads/lead_1", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        reply = caller.send(verb, path)
        problem(reply, 405, "api.method.not_allowed")
        assert set(reply.headers["allow"].split(", ")) & {"GET", "POST"}


def test_a_get_where_only_a_post_goes_and_the_other_way_round(mill: Mill) -> None:
    problem(mill.caller(CELLA).get("/v1/outcomes"), 405)
    for path in ("/v1/leads/lead_1", "/healthz", "/openapi.json"):
        problem(mill.caller().post(path, {}), 405)


def test_head_answers_like_get_without_a_body_and_options_names_the_methods(mill: Mill) -> None:
    reader = mill.caller(mill.keys["operator"])
    for path in (
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/v1/leads?limit=1",
        "/metrics",
        "/sign-in",
        "/f/solar-quote",
    ):
        reply = reader.send("HEAD", path)
        assert (reply.status, reply.body) == (200, b""), path
        options = reader.send("OPTIONS", path)
        assert options.status == 204
        assert "GET" in options.headers["allow"]
    assert mill.caller(None).send("HEAD", "/v1/leads").status == 401
    assert mill.caller(None).send("HEAD", "/v1/nothing").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/leads/a/b",
        "/v1/leads/../users",
        "/v1/leads/..%2f..%2fetc%2fpasswd",
        "/v1/LEADS",
        "/v1/leads;x=1",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "/v1/\\..\\",
        "/v1/pong",
        "/v1/leads/" + "a/" * 2000,
    ],
)
def test_a_made_up_address_of_the_api_is_not_found(mill: Mill, path: str) -> None:
    problem(mill.caller(mill.keys["operator"]).get(path), 404, "api.path.unknown")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v2/leads",
        "/static/..%2f..%2fpages.py",
        "/static/../../server.py",
        "/static/%2e%2e%2fpages.py",
        "/static/.env",
        "/.git/config",
        "/static/console.css%00.png",
        "/etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/f/..%2f..%2fetc",
        "/f/nobody/thanks",
        "/%ff%fe",
        "/problems/a/b",
        "/admin",
        "/leads/../../etc/passwd",
    ],
)
def test_a_made_up_page_is_not_found_and_gives_no_file_away(mill: Mill, path: str) -> None:
    reply = mill.caller(None).get(path)
    assert reply.status in (303, 400, 404), reply.text[:300]
    assert reply.status != 303 or reply.headers["location"].startswith("/sign-in")
    assert "root:" not in reply.text and "import " not in reply.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/leads/%00",
        "/v1/leads/lead_%00",
        "/v1/leads/x%00y/events",
        "/v1/leads?vertical=%00",
        "/v1/leads?cursor=%00",
        "/v1/leads/x/explain?a=%00",
    ],
)
def test_a_nul_in_an_address_is_refused(mill: Mill, path: str) -> None:
    problem(mill.caller(mill.keys["operator"]).get(path), 400, "api.request.malformed")


UNKNOWN = [
    "lead_1",
    "lead_" + "0" * 26,
    "%27%20OR%201=1",
    "%3Cscript%3E",
    "%F0%9F%92%A9",
    "a" * 5000,
    "%ed%a0%80",
    "..",
    "%0d%0ax-evil:%201",
]


@pytest.mark.parametrize("lead_id", UNKNOWN)
def test_a_lead_that_is_not_there_is_not_found(mill: Mill, lead_id: str) -> None:
    for tail in ("", "/events", "/explain"):
        reply = mill.caller(mill.keys["operator"]).get(f"/v1/leads/{lead_id}{tail}")
        problem(reply, 404)
        assert "x-evil" not in reply.headers


CURSORS = [
    "x",
    "lead_1",
    "lead_" + "!" * 26,
    "lead_' OR 1=1 --",
    "person_" + "0" * 26,
    "0",
    "-1",
    "lead_" + "0" * 27,
    "%ff",
    "LEAD_" + "0" * 26,
]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_of_ones_own_making_is_refused(mill: Mill, cursor: str) -> None:
    reader = mill.caller(mill.keys["operator"])
    problem(reader.get(f"/v1/leads?cursor={cursor.replace(' ', '%20')}"), 400, "flow.cursor.malformed")


def test_a_cursor_beyond_either_end_gives_an_empty_page_or_the_first(mill: Mill) -> None:
    mill.caller().post("/v1/leads", lead())
    reader = mill.caller(mill.keys["operator"])
    assert reader.get("/v1/leads?cursor=lead_" + "0" * 26).json == {"items": [], "next_cursor": None}
    assert reader.get("/v1/leads?limit=1&cursor=lead_" + "z" * 26).json["items"]


@pytest.mark.parametrize(
    "limit", ["0", "-1", "201", "99999999999999999999", "1.5", "ten", "", "%D9%A3", "1e2", "0x10", "1%00"]
)
def test_a_limit_out_of_range_is_refused(mill: Mill, limit: str) -> None:
    reply = mill.caller(mill.keys["operator"]).get(f"/v1/leads?limit={limit}")
    if limit.endswith("%00"):
        problem(reply, 400)
    else:
        problem(reply, 422, "api.query.invalid", ["/limit"])


FILTERS = {
    "status": ["open", "SOLD", "'"],
    "test": ["perhaps", "2"],
    "min_score": ["much", "1.5", "2147483648", "9223372036854775807", "99999999999999999999", "-99999999999999999999"],
    "max_score": ["NaN"],
    "since": ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "1e9999", "10000-01-01T00:00:00Z"],
    "until": [
        "9999-12-31T23:59:59",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00%2B14:00",
        "0000-01-01T00:00:00Z",
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FILTERS.items() for value in values])
def test_a_filter_that_means_nothing_is_pointed_at(mill: Mill, name: str, value: str) -> None:
    problem(mill.caller(mill.keys["operator"]).get(f"/v1/leads?{name}={value}"), 422, "api.query.invalid", [f"/{name}"])


@pytest.mark.parametrize(
    "query",
    [
        "since=0001-01-01T00:00:00Z",
        "until=9998-12-31T23:59:59Z",
        "since=0002-01-01T00:00:00%2B14:00",
        "min_score=-1000000",
        "until=9998-12-31T23:59:59-12:00",
        "max_score=1000000",
        "vertical=%27;DROP%20TABLE%20lead;--",
        "source=" + "x" * 10_000,
        "recipient=%F0%9F%92%A9",
        "person_id=%ed%a0%80",
        "unknown=1",
        "limit=1&limit=2",
        "limit=5&cursor=",
    ],
)
def test_an_odd_filter_finds_little_and_breaks_nothing(mill: Mill, query: str) -> None:
    reply = mill.caller(mill.keys["operator"]).get(f"/v1/leads?{query}")
    assert reply.status == 200 or problem(reply, 422)


OUTCOMES: list[tuple[Any, int, str]] = [
    (b"", 400, "api.body.malformed"),
    (b"{", 400, "api.body.malformed"),
    (b"[" * 50_000, 422, "api.body.invalid"),
    (b'{"a":' * 50_000, 400, "api.body.malformed"),
    (b'{"disposition":"\\ud800"}', 400, "api.body.malformed"),
    (b"\xff\xfe", 400, "api.body.malformed"),
    (json.dumps({"disposition": "contacted"}).encode("utf-16"), 400, "api.body.malformed"),
    ([], 422, "api.body.invalid"),
    ({}, 422, "api.body.invalid"),
    ({"disposition": "delighted", "lead_id": "lead_1"}, 422, "api.body.invalid"),
    ({"disposition": 5, "lead_id": "lead_1"}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": 5}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": ["lead_1"]}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "at": "yesterday"}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "at": "2026-01-01T00:00:00"}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "value": "1e400"}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "value": "NaN"}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "value": "9" * 40}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "value": "5", "currency": "\0"}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "value": 5}, 422, "api.body.invalid"),
    ({"disposition": "contacted", "lead_id": "lead_1", "note": "x" * 2001}, 422, "api.body.invalid"),
    ({"disposition": "contacted"}, 400, "outcome.subject.missing"),
    ({"disposition": "contacted", "lead_id": "lead_1", "sale_id": "sale_1"}, 400, "outcome.subject.missing"),
    ({"disposition": "contacted", "lead_id": "\0"}, 404, "outcome.sale.unknown"),
    ({"disposition": "contacted", "sale_id": "\0"}, 404, "outcome.sale.unknown"),
    ({"disposition": "contacted", "lead_id": "' OR 1=1 --"}, 404, "outcome.sale.unknown"),
    ({"disposition": "contacted", "sale_id": "x" * 100_000}, 404, "outcome.sale.unknown"),
]


@pytest.mark.parametrize(("body", "status", "code"), OUTCOMES)
def test_a_broken_report_is_refused_with_its_place(mill: Mill, body: Any, status: int, code: str) -> None:
    problem(mill.caller(CELLA).post("/v1/outcomes", body), status, code)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [({"at": "0001-01-01T00:00:00Z"}, "/at"), ({"at": "9999-12-31T23:59:59Z"}, "/at"), ({"value": "-5.00"}, "/value")],
)
def test_a_report_of_another_age_or_a_negative_value_is_refused(mill: Mill, more: dict[str, str], pointer: str) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    body = {"disposition": "contacted", "lead_id": taken, **more}
    problem(mill.caller(CELLA).post("/v1/outcomes", body), 422, None, [pointer])


def test_a_buyer_reports_on_no_lead_of_others(mill: Mill) -> None:
    body = lead()
    text = body["consent"]["text"].replace("Cella Solar LLC, ", "")
    body["consent"] = body["consent"] | {"sellers": ["Xenia Solar Inc"], "text": text}
    taken = mill.caller().post("/v1/leads", body).json
    assert taken["status"] == "sold"
    report = {"disposition": "contacted", "lead_id": taken["lead_id"]}
    problem(mill.caller(CELLA).post("/v1/outcomes", report), 404, "outcome.sale.unknown")


@pytest.mark.parametrize("kind", ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_report_of_another_kind_is_refused(mill: Mill, kind: str) -> None:
    problem(mill.caller(CELLA).post("/v1/outcomes", b"{}", content_type=kind), 415, "api.body.media_type")
    problem(mill.caller(CELLA).post("/v1/outcomes", b"{}", content_encoding="gzip"), 415, "api.body.media_type")

"""Pings and posts of callers without manners: whatever is sent, nothing of a person stays and nothing is sold twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.abuse.caller import problem
from tests.abuse.running import CELLA, GATE, SIDE_DOOR, Mill, lead, traces

FORM = "application/x-www-form-urlencoded"
_PERSON = ("first_name", "last_name", "email", "phone", "address")


def answers() -> dict[str, Any]:
    """What a good lead answers, without the person."""
    return {name: value for name, value in lead()["fields"].items() if name not in _PERSON}


def ping(mill: Mill, key: str = GATE, **more: Any) -> dict[str, Any]:
    reply = mill.caller(key).post("/v1/ping", {"vertical": "solar", "fields": answers(), **more})
    assert reply.status == 201, reply.text
    found: dict[str, Any] = reply.json
    return found


def rows(mill: Mill) -> int:
    """How many pings are kept."""
    items = mill.caller(mill.keys["operator"]).get("/v1/pings?limit=200").json["items"]
    return len(items)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "capture.body.malformed"),
        (b"{", "capture.body.malformed"),
        (b"[]", "capture.body.shape"),
        (b"null", "capture.body.shape"),
        (b'{"vertical": "solar", "vertical": "solar"}', "capture.body.shape"),
        (b"\xff\xfe\x00", "capture.body.encoding"),
    ],
)
def test_what_is_no_ping_is_refused_at_both_doors(mill: Mill, body: bytes, code: str) -> None:
    before = rows(mill)
    for path in ("/v1/ping", "/v1/post"):
        found = mill.caller().post(path, body)
        assert found.status == 400, found.text
        problem(found, 400)
    assert rows(mill) == before


@pytest.mark.parametrize(
    "ping_id",
    ["", " ", 7, None, [], {}, "ping_", "lead_01m811p9cke10ve0pz0w88cx67", "ping_" + "z" * 26, "x" * 200, "ping_'; --",
     "ping_01m811p9cke10ve0pz0w88cx67\u202e", "../../ping"],
)  # fmt: skip
def test_a_post_against_nonsense_is_the_callers_mistake(mill: Mill, ping_id: Any) -> None:
    newest = mill.newest()
    reply = mill.caller().post("/v1/post", {**lead(), "ping_id": ping_id})
    assert reply.status in (404, 422), reply.text
    problem(reply, reply.status)
    assert mill.newest() == newest


def test_a_whole_lead_sent_as_a_ping_is_refused_and_forgotten(mill: Mill) -> None:
    before, newest = rows(mill), mill.newest()
    reply = mill.caller().post("/v1/ping", lead())
    problem(reply, 422, "capture.lead.malformed", [f"/fields/{name}" for name in _PERSON])
    assert not traces(reply.text)
    as_form = "&".join(f"{name}={value}" for name, value in lead()["fields"].items()).replace(" ", "+")
    problem(mill.caller().post("/v1/ping", as_form.encode() + b"&vertical=solar", content_type=FORM), 422)
    assert (rows(mill), mill.newest()) == (before, newest)
    assert not traces(mill.log())


def test_nothing_that_a_ping_said_can_be_read_anywhere(mill: Mill) -> None:
    told = ping(mill, context={"ip": "203.0.113.77", "sub1": "planted.17"}, remark="Plantedina was here")
    operator = mill.caller(mill.keys["operator"])
    assert not traces(json.dumps(told)) and not traces(operator.get("/v1/pings?limit=200").text)
    assert not traces(mill.log())


def test_twenty_posts_of_one_ping_at_once_are_one_lead(mill: Mill) -> None:
    told = ping(mill)
    newest = mill.newest()
    bodies = [json.dumps({"ping_id": told["ping_id"], **lead()}).encode() for _ in range(10)] * 2
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda body: mill.caller().post("/v1/post", body), bodies))
    taken = [reply for reply in replies if reply.status == 201]
    assert len({reply.json["lead_id"] for reply in taken}) == 1
    for reply in replies:
        if reply.status != 201:
            problem(reply, 409, "market.quote.used")
    since = mill.caller(mill.keys["operator"]).get("/v1/leads?limit=25").json["items"]
    assert len([item for item in since if newest is None or item["lead_id"] > newest]) == 1
    mill.verify()


def test_twenty_repeats_of_a_ping_at_once_are_one_ping(mill: Mill) -> None:
    body = json.dumps({"vertical": "solar", "fields": answers()}).encode()
    before = rows(mill)
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: mill.caller().post("/v1/ping", body, idempotency_key="ping-1"), range(20)))
    assert {reply.status for reply in replies} == {201} and len({reply.body for reply in replies}) == 1
    assert rows(mill) in (before + 1, 200)


def test_pings_are_no_use_to_others(mill: Mill) -> None:
    told = ping(mill)
    problem(
        mill.caller(SIDE_DOOR).post("/v1/post", {"ping_id": told["ping_id"], **lead()}), 403, "market.quote.foreign"
    )
    problem(mill.caller(CELLA).post("/v1/ping", {"vertical": "solar"}), 403, "intake.key.kind")
    problem(mill.caller(None).post("/v1/ping", {"vertical": "solar"}), 401, "intake.key.missing")
    problem(mill.caller(GATE).get("/v1/pings"), 403, "api.right.missing")


def test_a_mark_that_somebody_made_up_is_no_mark(mill: Mill) -> None:
    for path in ("lead_1.00", "," * 3000, "x" * 5000, "lead_1.é", "é.é", ".", "a.b,c.d," * 200):
        reply = mill.caller().post(
            "/v1/ping", {"vertical": "solar", "fields": answers()}, x_leadmill_path=path.encode()
        )
        assert reply.status == 201 and reply.json["status"] == "bid", reply.text
        sent = mill.caller().post("/v1/leads", lead(), x_leadmill_path=path.encode())
        assert sent.json["status"] == "sold", sent.text

"""The same request again: one after the other, all at once, with another body; and the same person over and over."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.abuse.caller import problem
from tests.abuse.running import CELLA, GATE, SIDE_DOOR, Mill, lead


def test_a_repeated_request_gets_the_same_answer_byte_for_byte(mill: Mill) -> None:
    caller = mill.caller()
    body = json.dumps(lead()).encode()
    first = caller.post("/v1/leads", body, idempotency_key="again-1")
    newest = mill.newest()
    for key in ("again-1", '"again-1"', " again-1 "):
        again = caller.post("/v1/leads", body, idempotency_key=key)
        assert (again.status, again.body) == (201, first.body)
    assert mill.newest() == newest


def test_a_key_used_with_another_body_is_refused_and_the_first_answer_stays(mill: Mill) -> None:
    caller = mill.caller()
    body = json.dumps(lead()).encode()
    first = caller.post("/v1/leads", body, idempotency_key="again-2")
    newest = mill.newest()
    for other in (lead(), body + b" ", json.dumps(lead(), indent=1)):
        problem(caller.post("/v1/leads", other, idempotency_key="again-2"), 422, "flow.request.reused")
    assert caller.post("/v1/leads", body, idempotency_key="again-2").body == first.body
    assert mill.newest() == newest


def test_a_key_belongs_to_its_source(mill: Mill) -> None:
    first = mill.caller(GATE).post("/v1/leads", lead(), idempotency_key="mine")
    second = mill.caller(SIDE_DOOR).post("/v1/leads", lead(), idempotency_key="mine")
    assert (first.json["status"], second.json["status"]) == ("sold", "sold")
    assert first.json["lead_id"] != second.json["lead_id"]


def test_twenty_repeats_at_once_are_one_lead_and_one_answer(mill: Mill) -> None:
    body = json.dumps(lead()).encode()
    before = mill.newest()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: mill.caller().post("/v1/leads", body, idempotency_key="again-3"), range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    since = mill.caller(mill.keys["operator"]).get("/v1/leads?limit=25").json["items"]
    made = [item["lead_id"] for item in since if before is None or item["lead_id"] > before]
    assert made == [answers[0].json["lead_id"]]


def test_twenty_bodies_under_one_key_at_once_are_one_lead(mill: Mill) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: mill.caller().post("/v1/leads", lead(), idempotency_key="again-4"), range(20))
        )
    taken = [answer for answer in answers if answer.status == 201]
    assert len(taken) == 1
    for answer in answers:
        assert answer.status == 201 or problem(answer, 422, "flow.request.reused")


def test_two_hundred_times_the_same_person_at_once_is_one_sale(mill: Mill) -> None:
    body = json.dumps(lead()).encode()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: mill.caller().post("/v1/leads", body).json, range(200)))
    assert sum(answer["status"] == "sold" for answer in answers) == 1
    assert sum(answer["status"] == "duplicate" for answer in answers) == 199
    assert len({answer["lead_id"] for answer in answers}) == 200


def test_a_person_spelled_two_hundred_ways_at_once_is_one_sale(mill: Mill) -> None:
    person = lead()
    fields = person["fields"]
    digits = fields["phone"].replace("-", "")
    phones = [digits, f"+1{digits}", f"1 ({digits[:3]}) {digits[3:6]} {digits[6:]}", fields["phone"].replace("-", ".")]
    emails = [fields["email"], fields["email"].upper(), f" {fields['email']} "]
    bodies = [
        person | {"fields": fields | {"phone": phones[n % 4], "email": emails[n % 3], "first_name": f"Name{n}"}}
        for n in range(60)
    ]
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda body: mill.caller().post("/v1/leads", body).json["status"], bodies))
    assert sorted(set(answers)) == ["duplicate", "sold"]
    assert answers.count("sold") == 1


MALFORMED = ["", '""', "x" * 256, "tab\there", b"\xff", '"' + "x" * 256 + '"', "é"]


@pytest.mark.parametrize("key", MALFORMED)
def test_a_malformed_key_is_refused(mill: Mill, key: str | bytes) -> None:
    reply = mill.caller().post("/v1/leads", lead(), idempotency_key=key)
    problem(reply, 400, "intake.idempotency_key.malformed")
    report = {"disposition": "contacted", "lead_id": "lead_1"}
    problem(mill.caller(CELLA).post("/v1/outcomes", report, idempotency_key=key), 400, "api.idempotency_key.malformed")


def test_a_repeated_report_gets_the_same_answer_and_another_body_is_refused(mill: Mill) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    buyer = mill.caller(CELLA)
    report = {"disposition": "contacted", "lead_id": taken}
    first = buyer.post("/v1/outcomes", report, idempotency_key="report-1")
    assert first.status == 201
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: buyer.post("/v1/outcomes", report, idempotency_key="report-1"), range(10)))
    assert {(answer.status, answer.body) for answer in answers} == {(201, first.body)}
    other = report | {"disposition": "quoted"}
    problem(buyer.post("/v1/outcomes", other, idempotency_key="report-1"), 422, "flow.request.reused")


def test_many_reports_at_once_are_all_answered_and_none_is_lost(mill: Mill) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    report = {"disposition": "contacted", "lead_id": taken, "at": "2026-01-05T10:00:00Z"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: mill.caller(CELLA).post("/v1/outcomes", report), range(20)))
    recorded = [answer.json["recorded"] for answer in answers if answer.status == 201]
    assert recorded.count(True) == 1
    assert all(answer.status == 201 or problem(answer, 503, "outcome.report.raced") for answer in answers)

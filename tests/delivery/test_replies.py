"""What buyers' answers mean, without a rule of the delivery's own."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import Permanent, Transient
from leadmill.delivery import DeliverySpec, Parcel, read_answer, read_delivery, read_fault, scrub

ANA = Parcel(
    "dlv_1", "lead_1", "sale_1", "helio", "solar", datetime(2026, 3, 2, tzinfo=UTC),
    fields={
        "first_name": "Ana", "last_name": "Li", "email": "ana@example.com", "phone": "+14155550123",
        "address": "1 Oak St.",
    },
)  # fmt: skip
SPEC = DeliverySpec(courier="http")
JSON, XML, TEXT, HTML, FORM = (
    "application/json",
    "text/xml",
    "text/plain",
    "text/html",
    "application/x-www-form-urlencoded",
)


@pytest.mark.parametrize(
    ("status", "media", "body", "kind", "code"),
    [
        (200, JSON, "", "accepted", "delivery.buyer.accepted"),
        (204, "", "", "accepted", "delivery.buyer.accepted"),
        (201, JSON, '{"outcome":"success","lead":{"id":"x1"},"price":5}', "accepted", "delivery.buyer.accepted"),
        (201, JSON, '{"outcome":"failure","reason":"bad zip"}', "rejected", "delivery.buyer.rejected"),
        (200, JSON, '{"status":"ACCEPTED"}', "accepted", "delivery.buyer.accepted"),
        (200, JSON, '{"status":"DUPLICATED"}', "rejected", "delivery.buyer.duplicate"),
        (200, JSON, '{"status":"Unmatched"}', "rejected", "delivery.buyer.rejected"),
        (200, JSON, '{"status":"ok","accepted":false}', "rejected", "delivery.buyer.rejected"),
        (200, JSON, '{"accepted":true,"x":{"email":{"status":"invalid"}}}', "accepted", "delivery.buyer.accepted"),
        (200, JSON, '{"code":1,"response":"OK","leadId":77}', "accepted", "delivery.buyer.accepted"),
        (200, JSON, '{"code":-2,"response":"Duplicate"}', "rejected", "delivery.buyer.duplicate"),
        (200, JSON, '{"result":"failed","error":"over cap"}', "rejected", "delivery.buyer.rejected"),
        (200, JSON, '{"error":null,"id":3}', "accepted", "delivery.buyer.accepted"),
        (200, JSON, '{"errors":["zip is not served"]}', "rejected", "delivery.buyer.rejected"),
        (200, JSON, '[{"result":"no_match"}]', "rejected", "delivery.buyer.rejected"),
        (200, JSON, '{"thanks":"a lot"}', "accepted", "delivery.buyer.accepted"),
        (200, TEXT, '{"sold":0}', "rejected", "delivery.buyer.rejected"),
        (200, XML, "<r><status>Matched</status><lead_id>9</lead_id></r>", "accepted", "delivery.buyer.accepted"),
        (200, XML, "<r><status>Error</status></r>", "rejected", "delivery.buyer.rejected"),
        (200, XML, "<r><isValidPost>false</isValidPost></r>", "rejected", "delivery.buyer.rejected"),
        (200, XML, "<result>success</result>", "accepted", "delivery.buyer.accepted"),
        (200, XML, '<a:result xmlns:a="u" status="duplicate"/>', "rejected", "delivery.buyer.duplicate"),
        (200, FORM, "status=accepted&id=4", "accepted", "delivery.buyer.accepted"),
        (200, TEXT, "OK", "accepted", "delivery.buyer.accepted"),
        (200, TEXT, "Lead not accepted", "rejected", "delivery.buyer.rejected"),
        (200, TEXT, "ERROR: Invalid Post Key", "rejected", "delivery.buyer.rejected"),
        (200, HTML, "<html><body>Lead received</body></html>", "accepted", "delivery.buyer.accepted"),
        (200, HTML, "<html><body>Welcome to our site</body></html>", "retry", "delivery.reply.unreadable"),
        (200, JSON, '{"status":', "retry", "delivery.reply.unreadable"),
        (200, JSON, "OK", "accepted", "delivery.buyer.accepted"),
        (200, JSON, "true", "accepted", "delivery.buyer.accepted"),
        (200, JSON, "[" * 5_000, "retry", "delivery.reply.unreadable"),
        (200, XML, "<a><b></a>", "retry", "delivery.reply.unreadable"),
        (200, XML, '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///x">]><a>&x;</a>', "retry", "delivery.reply.unreadable"),
        (400, JSON, '{"error":"zip missing"}', "rejected", "delivery.buyer.rejected"),
        (422, JSON, '{"success":true}', "rejected", "delivery.buyer.rejected"),
        (409, JSON, "", "rejected", "delivery.buyer.duplicate"),
        (401, JSON, "", "dead", "delivery.endpoint.wrong"),
        (404, HTML, "<html>Not found</html>", "dead", "delivery.endpoint.wrong"),
        (301, "", "", "dead", "delivery.endpoint.wrong"),
    ],
)  # fmt: skip
def test_the_usual_answers_are_understood(status: int, media: str, body: str, kind: str, code: str) -> None:
    told = read_answer(SPEC, ANA, status, media, body.encode())
    assert (told.kind, told.code) == (kind, code)
    assert told.status == status
    if kind in ("rejected", "dead"):
        assert told.because is not None
        assert "–" not in told.because.message


@given(
    st.sampled_from([JSON, XML, TEXT, HTML, FORM, ""]), st.binary(max_size=200), st.sampled_from([200, 302, 400, 409])
)
def test_no_answer_breaks_the_reader(media: str, body: bytes, status: int) -> None:
    assert read_answer(SPEC, ANA, status, media, body).kind in ("accepted", "rejected", "retry", "dead")


def test_with_accept_rules_anything_else_is_a_refusal() -> None:
    spec = read_delivery({"courier": "http", "accept": [{"path": "r.code", "equals": 7}], "reason": "r.why"})
    told = [
        read_answer(spec, ANA, 200, JSON, body)
        for body in (b'{"r":{"code":7}}', b'{"r":{"code":8,"why":"no roof"}}', b"OK")
    ]
    assert [one.kind for one in told] == ["accepted", "rejected", "rejected"]
    assert told[1].because is not None
    assert told[1].because.detail["said"] == "no roof"


def test_with_reject_rules_alone_a_success_that_none_of_them_meets_is_acceptance() -> None:
    spec = read_delivery({"courier": "http", "reject": [{"regex": "NOPE"}]})
    assert read_answer(spec, ANA, 200, TEXT, b"error 0").kind == "accepted"
    assert read_answer(spec, ANA, 200, TEXT, b"NOPE").kind == "rejected"
    assert read_answer(spec, ANA, 422, TEXT, b"").kind == "rejected"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Ana Li (ana@example.com) is known", "… … … is known"),
        ("phone 415-555-0123 / (415) 555 0123 on list", "phone … / … on list"),
        ("bob.stone+x@mail.example already there", "… already there"),
        ("ANA lives at 1 oak st.", "… lives at …"),
        ("Liability denied", "Liability denied"),
        ("line\r\none\ttwo\x00", "line one two"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_buyers_words_lose_what_they_tell_of_the_person(said: str, left: str) -> None:
    assert scrub(said, ANA) == left


def test_a_reference_that_is_the_persons_own_value_is_not_kept() -> None:
    assert read_answer(SPEC, ANA, 200, JSON, b'{"id":"ana@example.com"}').buyer_ref is None
    assert read_answer(SPEC, ANA, 200, JSON, b'{"id":"Ana"}').buyer_ref is None
    assert read_answer(SPEC, ANA, 200, JSON, b'{"id":"B-17","price":"$1,250.50"}').price == "1250.50"


def test_a_fault_on_the_way_is_another_try_or_the_end() -> None:
    later, never = read_fault(Transient("http.server.busy", after=9)), read_fault(Permanent("http.address.refused"))
    assert (later.kind, later.code, later.after) == ("retry", "http.server.busy", 9)
    assert (never.kind, never.code) == ("dead", "http.address.refused")
    assert never.because is not None

"""Bodies that no honest program sends to ``POST /v1/leads``: each is refused with its code and place, none is kept."""

import gzip
import json
from typing import Any

import pytest

from leadmill.parties import Role
from tests.abuse.caller import chunked, problem
from tests.abuse.running import GATE, Mill, lead

MIB = 1 << 20
FORM = "application/x-www-form-urlencoded"


def nested(depth: int) -> bytes:
    return b'{"vertical":"solar","fields":{"x":' + b'{"x":' * depth + b"1" + b"}" * depth + b"}}"


def field(value: str) -> bytes:
    """A body whose bill is this piece of JSON."""
    return b'{"vertical":"solar","fields":{"monthly_bill":' + value.encode() + b"}}"


UNREADABLE = {
    "nothing": (b"", "capture.body.malformed"),
    "white space": (b" \r\n\t ", "capture.body.malformed"),
    "an open brace": (b"{", "capture.body.malformed"),
    "an object cut short": (json.dumps(lead()).encode()[:-20], "capture.body.malformed"),
    "two objects": (b"{}{}", "capture.body.malformed"),
    "a trailing comma": (b'{"vertical":"solar",}', "capture.body.malformed"),
    "single quotes": (b"{'vertical':'solar'}", "capture.body.malformed"),
    "a comment": (b'{"vertical":"solar"} // a lead', "capture.body.malformed"),
    "not a number": (field("NaN"), "capture.body.malformed"),
    "minus infinity": (field("-Infinity"), "capture.body.malformed"),
    "five thousand digits": (field("9" * 5000), "capture.body.malformed"),
    "a raw NUL": (b'{"vertical":"so\0lar"}', "capture.body.malformed"),
    "a list": (b"[]", "capture.body.shape"),
    "a text": (b'"solar"', "capture.body.shape"),
    "null": (b"null", "capture.body.shape"),
    "a number": (b"1", "capture.body.shape"),
    "the same key twice": (b'{"vertical":"solar","vertical":"mortgage"}', "capture.body.shape"),
    "the same field twice": (
        b'{"vertical":"solar","fields":{"email":"a@b.co","email":"c@d.co"}}',
        "capture.body.shape",
    ),
    "thirteen levels": (nested(13), "capture.body.shape"),
    "five thousand levels": (nested(5000), "capture.body.shape"),
    "a hundred thousand lists": (b"[" * 100_000, "capture.body.shape"),
    "a thousand and one values": (json.dumps({f"x{n}": n for n in range(1001)}).encode(), "capture.body.shape"),
    "a name of 201 characters": (json.dumps({"x" * 201: 1}).encode(), "capture.body.shape"),
    "a control character in a name": (b'{"fi\\u0007rst":"x"}', "capture.body.shape"),
    "half a surrogate pair in a name": (b'{"\\ud800":"x"}', "capture.body.shape"),
    "overlong UTF-8": (b'{"vertical":"solar","fields":{"city":"\xc0\xaf"}}', "capture.body.encoding"),
    "Latin-1": (b'{"vertical":"solar","fields":{"city":"Z\xfcrich"}}', "capture.body.encoding"),
    "encoded surrogates": (b'{"vertical":"solar","fields":{"city":"\xed\xa0\x80"}}', "capture.body.encoding"),
    "half a UTF-16 character": (json.dumps(lead()).encode("utf-16")[:-1], "capture.body.encoding"),
    "random bytes": (bytes(range(128, 256)) * 4, "capture.body.encoding"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_with_what_is_wrong(mill: Mill, name: str) -> None:
    body, code = UNREADABLE[name]
    problem(mill.caller().post("/v1/leads", body), 400, code)


CHARACTERS, RANGE = "capture.field.characters", "capture.field.range"
UNKEPT = {
    "a NUL": ('{"vertical":"solar","fields":{"email":"a\\u0000b@gmail.com"}}', "/fields/email", CHARACTERS),
    "a line of escape codes": ('{"vertical":"solar","fields":{"city":"\\u001b[2J"}}', "/fields/city", CHARACTERS),
    "half a surrogate pair": ('{"vertical":"solar","fields":{"city":"\\ud800"}}', "/fields/city", CHARACTERS),
    "the other half": ('{"vertical":"solar","context":{"sub1":"\\udfff"}}', "/context/sub1", CHARACTERS),
    "a NUL deep down": ('{"a":{"b/c":["x","\\u0000"]}}', "/a/b~1c/1", CHARACTERS),
    "a NUL in the vertical": ('{"vertical":"\\u0000"}', "/vertical", CHARACTERS),
    "more than 64 bits": (field("9" * 30).decode(), "/fields/monthly_bill", RANGE),
    "a number out of this world": (field("1e999").decode(), "/fields/monthly_bill", RANGE),
}


@pytest.mark.parametrize("name", UNKEPT)
def test_a_value_that_cannot_be_kept_is_pointed_at(mill: Mill, name: str) -> None:
    body, pointer, code = UNKEPT[name]
    found = problem(mill.caller().post("/v1/leads", body), 422, "capture.body.values", [pointer])
    assert [each["code"] for each in found["errors"]] == [code]


VERTICALS: list[tuple[Any, str]] = [
    ("submarines", "capture.vertical.unknown"),
    ("legal", "capture.vertical.not_allowed"),
    ("x" * 5000, "capture.vertical.unknown"),
    ("../../etc/passwd", "capture.vertical.unknown"),
    ("<script>", "capture.vertical.unknown"),
    ("", "capture.vertical.missing"),
    (None, "capture.vertical.missing"),
    (5, "capture.lead.malformed"),
    (["solar"], "capture.lead.malformed"),
    ({"name": "solar"}, "capture.lead.malformed"),
    (True, "capture.lead.malformed"),
]


@pytest.mark.parametrize(("vertical", "code"), VERTICALS)
def test_an_unusable_vertical_is_refused(mill: Mill, vertical: Any, code: str) -> None:
    found = problem(mill.caller().post("/v1/leads", lead() | {"vertical": vertical}), 422, code, ["/vertical"])
    assert "script" not in json.dumps(found)


WRONG: tuple[Any, ...] = (5, 1.5, True, [], ["a", 5], [{"a": 1}], {"a": 1}, "x" * 20_000)


def test_a_wrong_type_in_any_standard_field_is_pointed_at_or_read_and_never_breaks_anything(mill: Mill) -> None:
    caller = mill.caller()
    names = ["first_name", "last_name", "email", "phone", "address", "city", "state", "zip", "country"]
    names += ["date_of_birth", "monthly_bill", "homeowner"]
    places = [("fields", name) for name in names] + [
        ("context", name) for name in ("ip", "user_agent", "landing_page", "sub1")
    ]
    places += [("consent", name) for name in ("text", "sellers", "given_at", "box_default", "url")]
    refused = 0
    for section, name in places:
        for value in WRONG:
            body = lead()
            body[section] = body[section] | {name: value}
            reply = caller.post("/v1/leads", body)
            if reply.status == 201:
                assert reply.json["status"] in ("sold", "review", "rejected", "accepted"), reply.text
            else:
                problem(reply, 422, "capture.lead.malformed", [f"/{section}/{name}"])
                refused += 1
    assert refused > len(places) * 4


def test_every_wrong_field_gets_an_entry_of_its_own(mill: Mill) -> None:
    wrong = {"first_name": 1, "email": {"a": {}}, "zip": [1], "monthly_bill": "lots", "date_of_birth": "31/31/1999"}
    body = {"vertical": "solar", "fields": wrong, "consent": 5, "context": {"ip": []}, "test": "maybe"}
    reply = mill.caller().post("/v1/leads", body)
    found = problem(reply, 422, "capture.lead.malformed")
    pointers = {each["pointer"] for each in found["errors"]}
    assert pointers >= {f"/fields/{name}" for name in wrong if name != "email"} | {"/consent", "/test"}


@pytest.mark.parametrize(("section", "value"), [("fields", []), ("fields", "x"), ("context", 5), ("consent", [1])])
def test_a_section_that_is_no_object_is_pointed_at(mill: Mill, section: str, value: Any) -> None:
    problem(mill.caller().post("/v1/leads", lead() | {section: value}), 422, "capture.lead.malformed", [f"/{section}"])


@pytest.mark.parametrize(
    "kind",
    [
        "text/xml",
        "application/xml",
        "application/octet-stream",
        "image/png",
        "multipart/form-data; boundary=x",
        "a" * 5000,
        "/",
    ],
)
def test_a_body_of_another_kind_is_refused(mill: Mill, kind: str) -> None:
    problem(mill.caller().post("/v1/leads", lead(), content_type=kind), 415, "capture.body.media_type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, gzip", "x-made-up"])
def test_a_packed_body_is_refused_as_such(mill: Mill, coding: str) -> None:
    body = gzip.compress(json.dumps(lead()).encode())
    found = problem(mill.caller().post("/v1/leads", body, content_encoding=coding), 415, "capture.body.media_type")
    assert "uncompressed" in found["detail"]


FORMS = {
    "percent signs of nothing": (b"vertical=solar&email=%zz%", 201, None),
    "no fields": (b"&&&&", 400, "capture.body.malformed"),
    "a value and a group at once": (b"vertical=solar&fields=x&fields[email]=a", 400, "capture.body.shape"),
    "twenty brackets": (b"a" + b"[b]" * 20 + b"=1", 400, "capture.body.shape"),
    "a thousand and one fields": (b"&".join(b"x%d=1" % n for n in range(1001)), 400, "capture.body.shape"),
    "a NUL": (b"vertical=solar&email=a%00b", 422, "capture.body.values"),
    "a NUL in a name": (b"vertical=solar&e%00mail=a", 400, "capture.body.shape"),
    "bytes of no encoding": (b"vertical=solar&city=%ff%fe", 400, "capture.body.encoding"),
    "overlong UTF-8": (b"vertical=solar&city=%c0%af", 400, "capture.body.encoding"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_broken_form_body_is_refused_with_what_is_wrong(mill: Mill, name: str) -> None:
    body, status, code = FORMS[name]
    reply = mill.caller().post("/v1/leads", body, content_type=FORM)
    if code is None:
        assert reply.json["status"] == "rejected"
    else:
        problem(reply, status, code)


def test_an_unknown_charset_is_refused_and_a_known_one_read(mill: Mill) -> None:
    caller = mill.caller()
    body = b"vertical=solar&city=Z%FCrich"
    problem(caller.post("/v1/leads", body, content_type=f"{FORM}; charset=klingon"), 400, "capture.body.encoding")
    problem(caller.post("/v1/leads", body, content_type=f"{FORM}; charset=zip"), 400, "capture.body.encoding")
    assert caller.post("/v1/leads", body, content_type=f"{FORM}; charset=latin-1").status == 201


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_in_another_unicode_encoding_is_read_all_the_same(mill: Mill, encoding: str) -> None:
    body = json.dumps(lead(first_name="Zoë"), ensure_ascii=False).encode(encoding)
    assert mill.caller().post("/v1/leads", body).json["status"] == "sold"


def test_two_mebibytes_are_too_many_whether_declared_or_not(mill: Mill) -> None:
    before = mill.newest()
    caller = mill.caller()
    body = b'{"vertical":"solar","x":"' + b"a" * 2 * MIB + b'"}'
    for path, kind in (("/v1/leads", "application/json"), ("/v1/leads", FORM), ("/v1/outcomes", "application/json")):
        caller.headers["content-type"] = kind
        declared = problem(caller.post(path, body, content_type=kind), 413)
        sent = caller.raw(caller.head("POST", path, {"transfer-encoding": "chunked"}) + chunked(body))
        assert declared["code"] == problem(sent, 413)["code"]
        only_said = caller.raw(caller.head("POST", path, {"content-length": "99999999999999999999"}))
        assert only_said.status in (400, 413)
    assert mill.newest() == before


def test_a_body_at_the_limit_is_read(mill: Mill) -> None:
    body = json.dumps(lead()).encode()
    padded = body[:-1] + b" " * (MIB - len(body)) + b"}"
    assert len(padded) == MIB
    assert mill.caller().post("/v1/leads", padded).json["status"] == "sold"
    problem(mill.caller().post("/v1/leads", padded + b" "), 413, "intake.body.too_large")


def test_a_refused_body_leaves_nothing_behind(mill: Mill) -> None:
    before = mill.newest()
    caller = mill.caller()
    for body, _ in UNREADABLE.values():
        assert caller.post("/v1/leads", body, idempotency_key="nothing-left").status == 400
    assert mill.newest() == before
    # Nor was the key used up.
    assert caller.post("/v1/leads", lead(), idempotency_key="nothing-left").status == 201


TIMES = [
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "1e9",
    "now",
    "-1",
]


@pytest.mark.parametrize("at", TIMES)
def test_a_time_at_the_end_of_the_calendar_breaks_no_page(mill: Mill, at: str) -> None:
    body = lead(date_of_birth=at[:10])
    if not at.startswith(("0001", "9999")):
        del body["fields"]["date_of_birth"]
    body["consent"] = body["consent"] | {"given_at": at}
    reply = mill.caller().post("/v1/leads", body)
    if reply.status != 201:
        assert {each["pointer"] for each in problem(reply, 422)["errors"]} <= {
            "/fields/date_of_birth",
            "/consent/given_at",
        }
        del body["fields"]["date_of_birth"]
        reply = mill.caller().post("/v1/leads", body)
    if reply.status == 201:
        reader = mill.caller(mill.keys["operator"])
        for tail in ("", "/events", "/explain"):
            assert reader.get(f"/v1/leads/{reply.json['lead_id']}{tail}").status == 200


def test_unknown_fields_are_kept_and_shown(mill: Mill) -> None:
    body = lead(favourite_colour="teal green", pets=["cat", "dog"])
    body |= {
        "campaign_note": "outside any section",
        "deep": {"er": {"still": "deeper down"}},
        "answer": 42,
        "flag": False,
    }
    body["context"] = body["context"] | {"click_trail": "a>b>c"}
    reply = mill.caller(GATE).post("/v1/leads", body)
    browser = mill.signed_in(Role.ADMIN)
    shown = browser.get(f"/leads/{reply.json['lead_id']}").text
    for word in ("teal green", "cat", "outside any section", "deeper down", "42", "a&gt;b&gt;c"):
        assert word in shown, word

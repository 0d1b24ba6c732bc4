"""Request bodies, well formed and hostile."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.capture import read_body
from leadmill.capture.bodies import MAX_BYTES
from leadmill.core.faults import BadInput, TooLarge

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (JSON, b'{"a": 1}', {"a": 1}),
        ("application/problem+json", b'{"a": 1}', {"a": 1}),
        ("", b' {"a": 1}', {"a": 1}),
        ("text/plain", b'{"a": 1}', {"a": 1}),
        (JSON, b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (JSON, '{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (JSON, b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (JSON, b'{"a": "line\\nbreak\\ttab"}', {"a": "line\nbreak\ttab"}),
        (FORM, b"a=1&b=x+y%21", {"a": "1", "b": "x y!"}),
        (FORM, b"a=%C3%A9", {"a": "é"}),
        (FORM + "; charset=ISO-8859-1", b"a=%E9", {"a": "é"}),
        (FORM, b"_charset_=windows-1252&a=%80", {"a": "€"}),
        (FORM, b"fields[email]=x&fields[name]=y", {"fields": {"email": "x", "name": "y"}}),
        (FORM, b"list[]=1&list[]=2", {"list": ["1", "2"]}),
        (FORM, b"a=1&a=2", {"a": ["1", "2"]}),
        (FORM, b"a=1&&b", {"a": "1", "b": ""}),
        (FORM, b"[odd]=1", {"[odd]": "1"}),
        ("", b"a=1\r\n", {"a": "1"}),
    ],
)
def test_a_body_is_read_as_it_is_meant(kind, body, found):
    assert read_body(kind, body) == found


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (JSON, b"", "capture.body.malformed"),
        (JSON, b"{", "capture.body.malformed"),
        (JSON, b"{'a': 1}", "capture.body.malformed"),
        (JSON, b'{"a": NaN}', "capture.body.malformed"),
        (JSON, b'{"a": -Infinity}', "capture.body.malformed"),
        (JSON, b'{"a": ' + b"9" * 5000 + b"}", "capture.body.malformed"),
        (JSON, b'{"a": 1e999}', "capture.body.values"),
        (JSON, b'{"a": 9223372036854775808}', "capture.body.values"),
        (JSON, b'{"a": "\\u0000"}', "capture.body.values"),
        (JSON, b'{"a": "\\u001b[31m"}', "capture.body.values"),
        (JSON, b'{"a": "\\ud800"}', "capture.body.values"),
        (JSON, b'{"a": "\xff"}', "capture.body.encoding"),
        (JSON, b'{"\\ud800": 1}', "capture.body.shape"),
        (JSON, b"[]", "capture.body.shape"),
        (JSON, b'"text"', "capture.body.shape"),
        (JSON, b'{"a": 1, "a": 2}', "capture.body.shape"),
        (JSON, b'{"a":' * 30 + b"1" + b"}" * 30, "capture.body.shape"),
        (JSON, b"[" * 200_000, "capture.body.shape"),
        (JSON, json.dumps({str(n): n for n in range(1001)}).encode(), "capture.body.shape"),
        (JSON, json.dumps({"k" * 201: 1}).encode(), "capture.body.shape"),
        (FORM, b"", "capture.body.malformed"),
        (FORM, b"a=%FF", "capture.body.encoding"),
        (FORM, b"a=%00", "capture.body.values"),
        (FORM + "; charset=klingon", b"a=1", "capture.body.encoding"),
        (FORM, b"a=1&a[b]=2", "capture.body.shape"),
        (FORM, b"a[b]=2&a=1", "capture.body.shape"),
        (FORM, b"&".join(b"a%d=1" % n for n in range(1002)), "capture.body.shape"),
        (FORM, b"a" + b"[x]" * 40 + b"=1", "capture.body.shape"),
        ("text/xml", b"<a/>", "capture.body.media_type"),
        ("multipart/form-data; boundary=x", b"--x--", "capture.body.media_type"),
    ],
)
def test_a_body_that_cannot_be_kept_is_refused_with_its_code(kind, body, code):
    with pytest.raises(BadInput) as refused:
        read_body(kind, body)
    assert refused.value.code == code


def test_a_fault_points_at_the_value_and_never_shows_it():
    with pytest.raises(BadInput) as refused:
        read_body(JSON, b'{"fields": {"a/b": ["x", "secret\\u0007"]}}')
    (fault,) = refused.value.errors
    assert fault.pointer == "/fields/a~1b/1"
    assert "secret" not in f"{refused.value} {fault}"


def test_a_body_over_one_mebibyte_is_too_large():
    with pytest.raises(TooLarge, match=r"capture\.body\.too_large"):
        read_body(JSON, b" " * (MAX_BYTES + 1))


@given(st.binary(max_size=300), st.sampled_from([JSON, FORM, "", "text/plain", FORM + "; charset=utf-16"]))
def test_any_bytes_are_read_or_refused_and_what_is_read_can_be_kept(body, kind):
    try:
        found = read_body(kind, body)
    except BadInput:
        return
    text = json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    assert b"\x00" not in text

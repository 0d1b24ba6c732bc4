"""Bodies as most callers write them are read by a quicker way, which must tell what the careful one tells."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.capture import read_body
from leadmill.core.faults import BadInput

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
def test_whatever_way_an_object_is_written_it_is_read_as_it_was_meant(
    body: dict[str, object], signs: tuple[str, str]
) -> None:
    for ascii_only in (True, False):
        text = json.dumps(body, separators=signs, ensure_ascii=ascii_only)
        assert read_body("application/json", text.encode()) == body


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":1,"a":2}', "capture.body.shape"),
        ('{"a":1,"a" :2}', "capture.body.shape"),
        ('{"a":"b","a"\n:"c","d":"\\":"}', "capture.body.shape"),
        ('{"f":{"a":1,"a":2},"g":":"}', "capture.body.shape"),
        ('{"a":1e999}', "capture.body.values"),
        ('{"a":9223372036854775808}', "capture.body.values"),
        ('{"a":NaN}', "capture.body.malformed"),
        ('{"a":"x\x01"}', "capture.body.malformed"),
        ('{"a":"x\x7f"}', "capture.body.values"),
        ('["a"]', "capture.body.shape"),
        ('{"a":1,}', "capture.body.malformed"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_whichever_way_it_was_read(text: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_body("application/json", text.encode())
    assert caught.value.code == code

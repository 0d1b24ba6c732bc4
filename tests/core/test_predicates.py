"""The language of conditions: what each comparison means, that it is total, and that it reads what it writes."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput
from leadmill.core.predicates import (
    All,
    AnyOf,
    Not,
    Predicate,
    Test,
    compile_predicate,
    describe,
    encode,
    fields_of,
    parse,
    why_not,
)
from leadmill.core.spans import before

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def holds(raw: Any, **values: Any) -> bool:
    return bool(compile_predicate(parse(raw))(values, NOW))


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ({"eq": "CA"}, "ca", True),
        ({"eq": "CA"}, "AZ", False),
        ({"eq": 120}, 120.0, True),
        ({"eq": 120}, "120", False),
        ({"eq": "120"}, 120, False),
        ({"eq": True}, True, True),
        ({"eq": True}, 1, False),
        ({"eq": 1}, True, False),
        ({"eq": "roof"}, ["Roof", "wall"], True),
        ({"ne": "CA"}, "AZ", True),
        ({"ne": "CA"}, "ca", False),
        ({"ne": "CA"}, None, False),
        ({"ne": "CA"}, "", False),
        ({"ne": "CA"}, [], False),
        ({"ne": "roof"}, ["roof", "wall"], False),
        ({"ne": 5}, "5", True),
        ({"in": ["CA", "AZ"]}, "az", True),
        ({"in": ["CA", 5, True]}, 5, True),
        ({"in": ["CA", 5]}, True, False),
        ({"in": ["CA", "AZ"]}, ["NV", "AZ"], True),
        ({"in": ["STRASSE"]}, "straße", True),
        ({"gte": 120}, 120, True),
        ({"gt": 120}, 120, False),
        ({"lte": 120}, 120.5, False),
        ({"lt": 120}, 119.99, True),
        ({"gte": 120}, "500", False),
        ({"gte": 0}, True, False),
        ({"gte": 0}, None, False),
        ({"gte": 0}, float("nan"), False),
        ({"gte": 10, "lt": 20}, 15, True),
        ({"gte": 10, "lt": 20}, 20, False),
        ({"gte": "2026-01-05"}, "2026-01-05", True),
        ({"lt": date(2026, 1, 5)}, "2026-01-04T23:59:59Z", True),
        ({"lt": "2026-01-05"}, "soon", False),
        ({"prefix": ["900", "94*"]}, "94110", True),
        ({"prefix": "94"}, "94110", True),
        ({"prefix": "94"}, 94110, False),
        ({"prefix": "94*"}, "", False),
        ({"prefix": "*"}, "", False),
        ({"prefix": "*"}, "x", True),
        ({"prefix": "ab"}, ["zz", "ABC"], True),
        ({"exists": True}, "x", True),
        ({"exists": True}, False, True),
        ({"exists": True}, 0, True),
        ({"exists": True}, "", False),
        ({"exists": True}, [], False),
        ({"exists": False}, None, True),
        ({"exists": False}, "", True),
        ({"older_than": "18y"}, "2008-03-01", True),
        ({"older_than": "18y"}, "2008-03-02", False),
        ({"older_than": "90d"}, "2025-12-01T12:30:00Z", True),
        ({"older_than": "90d"}, "2025-12-01T12:31:00Z", False),
        ({"older_than": "90d"}, "long ago", False),
        ({"older_than": "90d"}, 20200101, False),
        ({"within": "90d"}, "2025-12-01T12:31:00Z", True),
        ({"within": "90d"}, "2025-12-01T12:30:00Z", False),
        ({"within": "12h"}, "2026-03-01T00:30:00.000001+00:00", True),
        ({"within": "12h"}, "2026-03-02T12:00:00Z", True),
        ({"within": "12h"}, "2026-03-03T12:00:00Z", False),
        ({"within": "6mo"}, "2025-09-02", True),
        ({"within": "6mo"}, "2025-09-01", False),
    ],
)
def test_a_comparison_means_what_the_contract_says(test: dict[str, Any], value: Any, expected: bool) -> None:
    assert holds({"field": "f", **test}, f=value) is expected


def test_an_absent_field_fails_every_comparison_but_exists_false() -> None:
    for test in ({"eq": 1}, {"ne": 1}, {"in": [1]}, {"gte": 1}, {"lt": 1}, {"prefix": "a"}, {"within": "1d"}):
        assert not holds({"field": "f", **test})
    assert holds({"field": "f", "exists": False})


def test_joints_combine_and_a_list_means_all() -> None:
    raw = [
        {"field": "state", "in": ["CA", "AZ"]},
        {"any": [{"field": "bill", "gte": 120}, {"field": "owner", "eq": True}]},
        {"not": {"field": "zip", "prefix": ["900"]}},
    ]
    assert holds(raw, state="CA", bill=130, zip="94110")
    assert holds(raw, state="CA", bill=10, owner=True)
    assert not holds(raw, state="CA", bill=130, zip="90011")
    assert not holds(raw, state="TX", bill=130)
    assert holds([], state="TX")
    assert fields_of(parse(raw)) == {"state", "bill", "owner", "zip"}


def test_months_and_years_go_by_the_calendar() -> None:
    leap = datetime(2024, 2, 29, 8, tzinfo=UTC)
    assert before(leap, "1y") == datetime(2023, 2, 28, 8, tzinfo=UTC)
    assert before(datetime(2026, 5, 31, tzinfo=UTC), "3mo") == datetime(2026, 2, 28, tzinfo=UTC)
    assert before(leap, "2w") == datetime(2024, 2, 15, 8, tzinfo=UTC)
    assert before(leap, "99999y").year == 1


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"feild": "state", "eq": "CA"}, "did you mean 'field'?"),
        ({"field": "state", "prefx": "9"}, "did you mean 'prefix'?"),
        ({"field": "state", "zzz": "9"}, "known: all, any"),
        ({"field": "state"}, "compares 'state' with nothing"),
        ({"eq": "CA"}, "names no field"),
        ({"field": "a", "in": "CA"}, "a list"),
        ({"field": "a", "in": []}, "at least one"),
        ({"field": "a", "gte": "many"}, "a number or a date"),
        ({"field": "a", "gte": True}, "a number or a date"),
        ({"field": "a", "lt": float("inf")}, "finite"),
        ({"field": "a", "eq": ""}, "exists = false"),
        ({"field": "a", "eq": {}}, "a text, a number"),
        ({"field": "a", "prefix": "9*4"}, "beginning"),
        ({"field": "a", "exists": "yes"}, "true or false"),
        ({"field": "a", "within": "90 days"}, "a span"),
        ({"any": []}, "at least one"),
        ({"all": {"field": "a", "eq": 1}}, "a list"),
        ({"all": [], "field": "a"}, "cannot stand beside"),
        ("state = CA", "must be a table"),
        ([{"field": "a", "eq": 1}, {"any": [{"field": "b", "eqq": 1}]}], "order helio-ca[1].any[0]: 'eqq'"),
    ],
)
def test_a_malformed_condition_is_refused_with_its_place(raw: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(raw, "order helio-ca")
    assert caught.value.code == "config.predicate.malformed"
    assert says in caught.value.detail
    assert caught.value.detail.startswith("order helio-ca")


def test_nesting_without_end_is_refused() -> None:
    raw: Any = {"field": "a", "eq": 1}
    for _ in range(5000):
        raw = {"not": raw}
    with pytest.raises(BadInput, match="deep"):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"field": "state", "in": ["CA", "AZ"]}, "state is CA or AZ"),
        ({"field": "state", "in": ["CA", "AZ", "NV"]}, "state is CA, AZ or NV"),
        ({"not": {"field": "zip", "prefix": ["900"]}}, "zip does not begin with 900"),
        ({"field": "monthly_bill", "gte": 120}, "monthly_bill is at least 120"),
        ({"field": "date_of_birth", "older_than": "18y"}, "date_of_birth is at least 18 years old"),
        ({"field": "given_at", "within": "1d"}, "given_at lies within the last 1 day"),
        ({"field": "email", "exists": False}, "email is not given"),
        ({"not": {"field": "email", "exists": False}}, "email is given"),
        ({"field": "owner", "eq": True}, "owner is yes"),
        (
            [{"field": "a", "eq": 1}, {"any": [{"field": "b", "eq": 2}, {"field": "c", "eq": 3}]}],
            "a is 1 and (b is 2 or c is 3)",
        ),
        ([], "every lead"),
    ],
)
def test_a_condition_is_told_in_words(raw: Any, words: str) -> None:
    assert describe(parse(raw)) == words


def test_why_not_names_the_first_part_that_refused_without_the_value() -> None:
    pred = parse(
        [
            {"field": "state", "in": ["CA"]},
            {"not": {"field": "zip", "prefix": "900"}},
            {"any": [{"field": "b", "eq": 1}]},
        ]
    )
    assert why_not(pred, {"state": "CA", "zip": "90012", "b": 1}, NOW) == ("zip", "zip does not begin with 900")
    assert why_not(pred, {"state": "TX"}, NOW) == ("state", "state is CA")
    assert why_not(pred, {"state": "CA", "b": 2}, NOW) == ("b", "b is 1")
    assert why_not(pred, {"state": "CA", "b": 1}, NOW) is None


FIELDS = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.text(min_size=1, max_size=6),
    st.integers(-(10**6), 10**6),
    st.floats(-1e18, 1e18),
    st.booleans(),
)
SPANS = st.builds(lambda n, u: f"{n}{u}", st.integers(0, 99999), st.sampled_from(["h", "d", "w", "mo", "y"]))
MOMENTS = st.one_of(
    st.dates().map(lambda d: d.isoformat()), st.datetimes(timezones=st.timezones()).map(lambda d: d.isoformat())
)
TESTS = st.one_of(
    st.builds(Test, FIELDS, st.sampled_from(["eq", "ne"]), SCALARS),
    st.builds(Test, FIELDS, st.just("in"), st.lists(SCALARS, min_size=1, max_size=3).map(tuple)),
    st.builds(
        Test, FIELDS, st.sampled_from(["gte", "gt", "lte", "lt"]), st.one_of(st.integers(-(10**18), 10**18), MOMENTS)
    ),
    st.builds(Test, FIELDS, st.just("prefix"), st.lists(st.sampled_from(["9", "a*", "*"]), min_size=1).map(tuple)),
    st.builds(Test, FIELDS, st.just("exists"), st.booleans()),
    st.builds(Test, FIELDS, st.sampled_from(["older_than", "within"]), SPANS),
)
PREDICATES: st.SearchStrategy[Predicate] = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
ANYTHING = st.one_of(
    st.none(),
    SCALARS,
    st.floats(),
    st.integers(),
    MOMENTS,
    st.text(),
    st.lists(st.text(max_size=3)),
    st.just({}),
    st.just([1, None]),
)
VALUES = st.dictionaries(FIELDS, ANYTHING)
MOMENT = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))


@given(PREDICATES)
def test_what_is_written_reads_back_equal(pred: Predicate) -> None:
    assert parse(encode(pred)) == pred
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(pred), type=Predicate) == pred


@given(PREDICATES, VALUES, MOMENT)
def test_any_condition_answers_for_any_value(pred: Predicate, values: dict[str, Any], now: datetime) -> None:
    answer = compile_predicate(pred)(values, now)
    assert isinstance(answer, bool)
    reason = why_not(pred, values, now)
    assert (reason is None) is answer
    assert describe(pred)


@given(PREDICATES, VALUES, MOMENT)
def test_not_not_is_the_condition_itself(pred: Predicate, values: dict[str, Any], now: datetime) -> None:
    plain = compile_predicate(pred)(values, now)
    assert compile_predicate(Not(Not(pred)))(values, now) is plain
    assert compile_predicate(Not(pred))(values, now) is not plain


@given(FIELDS, SPANS, VALUES)
def test_a_past_moment_is_either_within_a_span_or_older(field: str, span: str, values: dict[str, Any]) -> None:
    values[field] = "2001-05-06T07:08:09Z"
    older = compile_predicate(Test(field, "older_than", span))(values, NOW)
    assert compile_predicate(Test(field, "within", span))(values, NOW) is not older

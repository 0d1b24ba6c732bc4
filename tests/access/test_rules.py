"""Codes, stages, roles from elsewhere, reviews: the rules as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.access import Claims, Factors, Party, Passkey, Policy, Provider, Standing, party_of, read_roles, review
from leadmill.access.rules import (
    enrolment_uri,
    may_remove,
    plain_code,
    recovery_code,
    role_of,
    shown_secret,
    span,
    stage_for,
    step_of,
)
from leadmill.core.faults import BadInput, Forbidden
from leadmill.parties import ApiKey, Operator, Role

SECRET = b"12345678901234567890"
NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
KEY = Passkey(
    id="pky_1", operator_id="op_1", credential=b"c", public_key=b"k", sign_count=0, name="Laptop", created_at=NOW
)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    # RFC 6238, appendix B, SHA-1; of its eight digits an app shows the last six.
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert step_of(SECRET, code, at(seconds), 0) == seconds // 30


@pytest.mark.parametrize(("off", "counts"), [(-60, False), (-59, True), (0, True), (30, True), (31, False)])
def test_a_clock_may_be_one_step_off(off: int, counts: bool) -> None:
    # The code of the step that begins at 1,111,111,110, shown by a device whose clock is so many seconds ahead.
    shown = step_of(SECRET, "050471", at(1111111110 - off), 0)
    assert (shown == 1111111110 // 30) is counts


def test_a_code_counts_once_and_no_earlier_one_after_it() -> None:
    step = step_of(SECRET, "287082", at(59), 0)
    assert step == 1
    assert step_of(SECRET, "287082", at(59), 1) is None
    assert step_of(SECRET, "287082", at(59), 2) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "abcdef", "２８７０８２", "28708 "])
def test_what_is_no_code_is_none(code: str) -> None:
    assert step_of(SECRET, code, at(59), 0) is None


def test_an_app_reads_the_secret_and_people_can_type_it() -> None:
    uri = enrolment_uri(SECRET, "ana@example.com")
    assert uri.startswith("otpauth://totp/Leadmill:ana%40example.com?")
    assert f"secret={shown_secret(SECRET).replace(' ', '')}" in uri
    assert plain_code(" ABCDE-fghij ") == "abcdefghij"


@given(st.binary(min_size=7, max_size=7))
def test_a_recovery_code_is_ten_letters_that_survive_typing(given_bytes: bytes) -> None:
    code = recovery_code(given_bytes)
    assert len(plain_code(code)) == 10
    assert plain_code(code.upper().replace("-", " ")) == plain_code(code)


@pytest.mark.parametrize(
    ("role", "factors", "strong", "stage"),
    [
        (Role.ANALYST, Factors(), False, "open"),
        (Role.ANALYST, Factors(totp_since=NOW), False, "factor"),
        (Role.ANALYST, Factors(passkeys=(KEY,)), False, "factor"),
        (Role.ANALYST, Factors(codes_left=3), False, "open"),
        (Role.ADMIN, Factors(), False, "enrol"),
        (Role.ADMIN, Factors(codes_left=3), False, "enrol"),
        (Role.ADMIN, Factors(totp_since=NOW), False, "factor"),
        (Role.ADMIN, Factors(), True, "open"),
    ],
)
def test_how_far_somebody_comes(role: Role, factors: Factors, strong: bool, stage: str) -> None:
    assert stage_for(role, Policy(frozenset({Role.ADMIN})), factors, strong) == stage


@pytest.mark.parametrize(
    ("role", "factors", "may"),
    [
        (Role.ANALYST, Factors(totp_since=NOW), True),
        (Role.ADMIN, Factors(totp_since=NOW), False),
        (Role.ADMIN, Factors(passkeys=(KEY,)), False),
        (Role.ADMIN, Factors(totp_since=NOW, passkeys=(KEY,)), True),
        (Role.ADMIN, Factors(passkeys=(KEY, KEY)), True),
    ],
)
def test_the_last_factor_of_a_role_that_must_have_one_stays(role: Role, factors: Factors, may: bool) -> None:
    assert may_remove(role, Policy(frozenset({Role.ADMIN})), factors) is may


@pytest.mark.parametrize(
    ("scheme", "host", "public", "party"),
    [
        ("http", "localhost:8080", "", Party("localhost", "http://localhost:8080")),
        ("http", "127.0.0.1:8080", "", None),
        ("http", "[::1]:8080", "", None),
        ("http", "leads.example", "", None),
        ("https", "leads.example", "", Party("leads.example", "https://leads.example")),
        ("http", "10.0.0.1", "https://Leads.example:8443/x", Party("leads.example", "https://leads.example:8443")),
        ("http", "", "", None),
    ],
)
def test_passkeys_are_bound_to_a_name(scheme: str, host: str, public: str, party: Party | None) -> None:
    assert party_of(scheme, host, public) == party


HOUSE = Provider(
    issuer="https://id.example",
    client_id="leadmill",
    domains=("example.com",),
    roles=(("compliance", Role.COMPLIANCE), ("sales", Role.OPERATOR)),
)


def claims(**more: Any) -> Claims:
    said = {"email": "ana@example.com", "verified": True, "groups": ("sales",), **more}
    return Claims(issuer="https://id.example", subject="7", **said)


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({}, Role.OPERATOR),
        ({"groups": ("sales", "compliance")}, Role.COMPLIANCE),
        ({"groups": ()}, None),
        ({"groups": ("admin",)}, None),
        ({"verified": False}, None),
        ({"email": "ana@evil.example"}, None),
        ({"email": "ana@example.com.evil.example"}, None),
        ({"email": "example.com"}, None),
        ({"email": ""}, None),
    ],
)
def test_another_houses_word_gives_a_role_or_none(said: dict[str, Any], role: Role | None) -> None:
    if role is None:
        with pytest.raises(Forbidden, match=r"access\.outside\.refused"):
            role_of(claims(**said), HOUSE)
    else:
        assert role_of(claims(**said), HOUSE) is role


@pytest.mark.parametrize("text", ["admins=admin", "sales", "=operator", "sales=boss"])
def test_nobody_becomes_an_administrator_by_a_group(text: str) -> None:
    with pytest.raises(BadInput, match="LEADMILL_OIDC_ROLES"):
        read_roles(text)


def test_groups_may_hold_an_equals_sign_and_stand_in_order() -> None:
    assert read_roles("cn=sales=operator, *=analyst") == (("cn=sales", Role.OPERATOR), ("*", Role.ANALYST))


def operator(ident: str, role: Role = Role.ANALYST, days: int = 400, **more: Any) -> Operator:
    return Operator(
        id=ident, email=f"{ident}@example.com", name=ident, role=role, created_at=NOW - timedelta(days=days), **more
    )


def key(ident: str, days: int, seen: int | None, **more: Any) -> ApiKey:
    given = {"kind": "operator", "role": Role.ANALYST, "scopes": ("leads:read",), "expires_at": NOW + timedelta(1)}
    return ApiKey(
        id=ident, owner=ident, label="", declared=False, created_at=NOW - timedelta(days=days), revoked_at=None,
        seen_at=None if seen is None else NOW - timedelta(days=seen), **{**given, **more},
    )  # fmt: skip


def test_a_review_says_what_to_look_at() -> None:
    standing = Standing(
        operators=(
            operator("op_gone"),
            operator("op_new", days=3),
            operator("op_boss", Role.ADMIN),
            operator("op_out", disabled=True),
        ),
        keys=(
            key("key_good", 10, 1),
            key("key_old", 400, 200, scopes=None, expires_at=None),
            key("key_revoked", 10, 1),
            key("key_over", 10, 1, expires_at=NOW),
        ),
        signed_in={"op_boss": NOW - timedelta(days=91)},
        totp=frozenset({"op_new"}),
        passkeys={},
        outside=frozenset({"op_gone"}),
    )
    found = review(standing, Policy(frozenset({Role.ADMIN})), NOW)
    assert {each.id: each.remarks for each in found.operators} == {
        "op_gone": ("has never signed in",),
        "op_new": (),
        "op_boss": ("has not signed in for 90 days", "must have a second factor and has none"),
        "op_out": (),
    }
    assert {each.id: each.remarks for each in found.keys} == {
        "key_good": (),
        "key_old": ("not used for 90 days", "never expires", "older than a year", "reaches all that its role may"),
        "key_revoked": (),
    }
    assert found.remarks == 7


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-03-01", "", (datetime(2026, 3, 1, tzinfo=UTC), NOW)),
        ("2026-03-01", "2026-03-02", (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))),
        ("2026-03-01T10:00+02:00", "2026-03-01T09:00Z", None),
        ("2026-03-05", "", BadInput),
        ("soon", "", BadInput),
        ("0001-01-01", "", BadInput),
        ("", "", BadInput),
    ],
)
def test_spans_are_read_as_people_write_them(since: str, until: str, found: Any) -> None:
    if found is BadInput:
        with pytest.raises(BadInput, match=r"access\.span\.malformed"):
            span(since, until, NOW)
    else:
        start, end = span(since, until, NOW)
        assert found is None or (start, end) == found
        assert start < end

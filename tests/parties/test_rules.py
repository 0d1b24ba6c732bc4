"""Reading sources, buyers and teams: everything the contract names is read, anything else is refused with a hint."""

import tomllib
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput, Unauthenticated
from leadmill.core.money import Money
from leadmill.parties import (
    Alert,
    Buyer,
    Caller,
    Contract,
    Credit,
    KeyRing,
    Licence,
    Payout,
    Rep,
    Right,
    Role,
    Source,
    Team,
    build_roster,
    check_password,
    identify,
    key_reference,
    may,
    read_buyer,
    read_source,
    read_team,
)

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)

CONTRACT = """
[[source]]
id = "acme-media"; name = "Acme Media"; key = { env = "ACME_KEY" }; verticals = ["solar"]
payout = { model = "share", rate = "0.70" }

[[source]]
id = "own"; name = "Own site"; verticals = ["solar", "legal"]; currency = "EUR"; terms = "net 30"
payout = { model = "fixed", amount = "12.00" }; key_expires = 2027-01-01

[[buyer]]
id = "helio"; name = "Helio Solar LLC"; key = { env = "HELIO_KEY" }
credit = { mode = "prepay", balance = "5000.00" }
contract = { signed = 2026-01-05, privacy_terms = true }
licences = [{ kind = "CSLB", number = "1012345", states = ["CA"], expires = 2027-06-30 }]
delivery = { courier = "http", url = "http://127.0.0.1:9001/leads", format = "json", secret = { env = "HELIO_HOOK" } }
brands = ["Helio"]; kind = "installer"; alert = { email = "sales@helio.example" }

[[buyer]]
id = "second"; name = "Second Ltd"; credit = { mode = "invoice", limit = "20000.00" }; vetted = false

[[team]]
id = "west"; name = "West inside sales"; where = [{ field = "state", in = ["CA"] }]
reps = [{ id = "ana", email = "ana@example.com", zips = ["94*", "95*"], capacity = 20 }]
"""


def contract() -> dict[str, Any]:
    """The tables, with the several keys a line of the contract's notation put on lines of their own."""
    lines: list[str] = []
    for line in CONTRACT.splitlines():
        lines += line.split("; ")
    return tomllib.loads("\n".join(lines))


def test_everything_the_contract_shows_is_read() -> None:
    raw = contract()
    assert [read_source(item) for item in raw["source"]] == [
        Source(id="acme-media", name="Acme Media", verticals=("solar",), payout=Payout("share", rate=Decimal("0.70"))),
        Source(
            id="own",
            name="Own site",
            verticals=("solar", "legal"),
            payout=Payout("fixed", amount=Money(1200, "EUR")),
            currency="EUR",
            terms="net 30",
            key_expires=date(2027, 1, 1),
        ),
    ]
    assert [read_buyer(item) for item in raw["buyer"]] == [
        Buyer(
            id="helio",
            name="Helio Solar LLC",
            brands=("Helio",),
            kind="installer",
            licences=(Licence(kind="CSLB", number="1012345", states=("CA",), expires=date(2027, 6, 30)),),
            contract=Contract(date(2026, 1, 5), privacy_terms=True),
            credit=Credit("prepay", balance=Money(500000)),
            delivery={
                "courier": "http",
                "url": "http://127.0.0.1:9001/leads",
                "format": "json",
                "secret": {"env": "HELIO_HOOK"},
            },
            alert=Alert("sales@helio.example"),
        ),
        Buyer(id="second", name="Second Ltd", credit=Credit("invoice", limit=Money(2000000)), vetted=False),
    ]
    assert [read_team(item) for item in raw["team"]] == [
        Team(
            id="west",
            name="West inside sales",
            where=({"field": "state", "in": ["CA"]},),
            reps=(Rep(id="ana", email="ana@example.com", zips=("94*", "95*"), capacity=20),),
        )
    ]


def test_what_is_read_survives_storage_and_makes_the_roster_without_the_retired() -> None:
    raw = contract()
    raw["buyer"][1]["retired"] = True
    raw["source"][0] = {**raw["source"][0], "key_hash": "abcd"}
    del raw["source"][0]["key"]
    documents = {
        (kind, item["id"]): msgspec.json.encode(item).decode() for kind, items in raw.items() for item in items
    }
    roster = build_roster({**documents, ("order", "x"): "{}"})
    del raw["source"][0]["key_hash"]
    acme, own = (read_source(item) for item in raw["source"])
    assert roster.sources == {"acme-media": msgspec.structs.replace(acme, key_hash="abcd"), "own": own}
    assert roster.buyers == {"helio": read_buyer(raw["buyer"][0])}
    assert roster.recipient("west") == read_team(raw["team"][0])
    assert roster.recipient("second") is None


SOURCE = {"id": "a", "name": "A", "verticals": ["solar"]}
BUYER = {"id": "b", "name": "B"}
TEAM = {"id": "t", "name": "T"}


@pytest.mark.parametrize(
    ("read", "raw", "says"),
    [
        (
            read_source,
            {**SOURCE, "vertical": ["solar"]},
            "source a, vertical: is not a key here; did you mean 'verticals'",
        ),
        (read_source, {**SOURCE, "payuot": {}}, "did you mean 'payout'?"),
        (read_source, {"name": "A", "verticals": ["solar"]}, "source, id: is missing"),
        (read_source, {**SOURCE, "id": "Bad Id"}, "source Bad Id, id: use lower-case"),
        (read_source, {**SOURCE, "verticals": []}, "at least one vertical"),
        (read_source, {**SOURCE, "verticals": "solar"}, "a list of texts"),
        (read_source, {**SOURCE, "payout": {"model": "shares", "rate": "1"}}, "must be one of share, fixed"),
        (read_source, {**SOURCE, "payout": {"model": "share", "rate": 0.7}}, "written as a text"),
        (read_source, {**SOURCE, "payout": {"model": "share", "rate": "1.2"}}, "from 0 to 1"),
        (read_source, {**SOURCE, "payout": {"model": "fixed", "amount": "1.234"}}, "an amount in USD"),
        (read_source, {**SOURCE, "payout": {"model": "fixed", "amount": "-1.00"}}, "an amount in USD"),
        (
            read_source,
            {**SOURCE, "payout": {"model": "fixed", "amount": "1", "rate": "1"}},
            "payout, rate: is not a key",
        ),
        (read_source, {**SOURCE, "currency": "usd"}, "three capital letters"),
        (read_source, {**SOURCE, "retired": "yes"}, "true or false"),
        (read_source, "acme", "source: must be a table"),
        (read_buyer, {**BUYER, "delivry": {}}, "did you mean 'delivery'?"),
        (read_buyer, {**BUYER, "kind": "bank"}, "must be one of lender"),
        (read_buyer, {**BUYER, "credit": {"mode": "prepay"}}, "buyer b, credit, balance: is missing"),
        (read_buyer, {**BUYER, "credit": {"mode": "prepay", "limit": "5"}}, "balance: is missing"),
        (read_buyer, {**BUYER, "contract": {"privacy_terms": True}}, "contract, signed: is missing"),
        (read_buyer, {**BUYER, "contract": {"signed": "soon"}}, "must be a date"),
        (read_buyer, {**BUYER, "licences": {"kind": "x"}}, "a list of tables"),
        (read_buyer, {**BUYER, "licences": [{"kind": "x", "number": "1", "states": ["Cal"]}]}, "licences[0], states"),
        (read_buyer, {**BUYER, "alert": {"email": "nobody"}}, "an e-mail address"),
        (read_buyer, {**BUYER, "delivery": "http"}, "delivery: must be a table"),
        (read_team, {**TEAM, "where": [{"field": "state", "inn": []}]}, "team t, where[0]: 'inn' is not known"),
        (read_team, {**TEAM, "priority": 0}, "from 1 to 1000"),
        (read_team, {**TEAM, "reps": [{"id": "a", "email": "a@b.c", "zips": ["9*4"]}]}, "team t, reps[0], zips"),
        (read_team, {**TEAM, "reps": [{"id": "a", "email": "a@b.c"}] * 2}, "names a rep twice"),
        (read_team, {**TEAM, "reps": [{"id": "a", "email": "a@b.c", "capacity": True}]}, "a whole number"),
    ],
)
def test_a_malformed_record_is_refused_with_its_place(read: Any, raw: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(raw)
    assert says in caught.value.detail


def test_a_secret_does_not_stand_in_a_delivery() -> None:
    with pytest.raises(BadInput) as caught:
        read_buyer({**BUYER, "delivery": {"courier": "http", "auth": {"password": "hunter2"}}})
    assert caught.value.code == "config.secret.literal"
    assert "hunter2" not in str(caught.value)


def test_a_key_is_a_text_or_the_name_of_a_variable() -> None:
    environ = {"ACME_KEY": "acme-key-1234", "EMPTY": ""}
    assert key_reference({}, "source a", environ) is None
    assert key_reference({"key": "literal-key"}, "source a", environ) == "literal-key"
    assert key_reference({"key": {"env": "ACME_KEY"}}, "source a", environ) == "acme-key-1234"
    for name in ("NONE", "EMPTY"):
        with pytest.raises(BadInput, match=f"source a, key: set the environment variable {name}"):
            key_reference({"key": {"env": name}}, "source a", environ)
    for bad in ("short", "ümlaut-key", 12345678, {"envv": "ACME_KEY"}, {"env": "ACME_KEY", "x": 1}):
        with pytest.raises(BadInput):
            key_reference({"key": bad}, "source a", environ)


KEYS = ["id", "name", "verticals", "payout", "credit", "licences", "reps", "where", "delivery", "kind", "alert"]
FILES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner | st.lists(inner, max_size=2)),
    max_leaves=12,
)


@given(FILES)
def test_whatever_stands_in_a_file_is_read_or_refused(raw: Any) -> None:
    for read in (read_source, read_buyer, read_team):
        with suppress(BadInput):
            read(raw)


@pytest.mark.parametrize(
    ("right", "roles"),
    [
        (Right.READ, "admin operator compliance analyst"),
        (Right.SEE_PERSONAL, "admin operator compliance"),
        (Right.CONFIGURE, "admin operator"),
        (Right.RESEND, "admin operator"),
        (Right.REVIEW, "admin operator compliance"),
        (Right.IMPORT, "admin operator"),
        (Right.MANAGE_USERS, "admin"),
    ],
)
def test_each_role_may_do_what_the_table_says(right: Right, roles: str) -> None:
    assert " ".join(role.value for role in Role if may(role, right)) == roles


def test_a_source_key_has_no_rights_of_an_operator() -> None:
    assert not any(Caller(kind="source", owner="a", key_id="k").may(right) for right in Right)
    assert Caller(kind="operator", owner="bi", key_id="k", role=Role.ANALYST).may(Right.READ)


def test_a_key_is_known_until_it_expires() -> None:
    caller = Caller(kind="source", owner="acme", key_id="k", expires_at=NOW)
    ring = KeyRing(1, {b"h": caller})
    assert identify(ring, b"h", NOW - timedelta(seconds=1)) == caller
    with pytest.raises(Unauthenticated, match=r"parties\.key\.expired"):
        identify(ring, b"h", NOW)
    with pytest.raises(Unauthenticated, match=r"parties\.key\.unknown"):
        identify(ring, b"other", NOW)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "at least 12"),
        ("x" * 129, "at most 128"),
        ("aaaaaaaaaaaaaaaa", "repeats itself"),
        ("abcdefghijklmnop", "repeats itself"),
        ("anabelle.morse1", "mostly your name"),
        ("leadmillleadmill", "mostly your name"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_password(password, "anabelle.morse@example.com", "Anabelle Morse")
    assert says in caught.value.detail
    assert password not in caught.value.detail


def test_a_few_words_make_a_password() -> None:
    check_password("correct horse battery", "ana@example.com", "Ana")

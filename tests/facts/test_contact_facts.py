"""What is found out about e-mail addresses and phone numbers."""

from pathlib import Path

import pytest

from leadmill.facts import KEYS, Reference, load_reference, read_email, read_phone
from leadmill.facts.rules import email_facts, find_facts, phone_facts
from tests.facts.places import NOW, reference


@pytest.fixture
def places() -> Reference:
    return reference()


@pytest.mark.parametrize(
    ("text", "normal", "lookup"),
    [
        ("Ann.Lee@Example.COM", "Ann.Lee@example.com", "ann.lee@example.com"),
        ("  ann@example.com ", "ann@example.com", "ann@example.com"),
        ("ann+solar@gmail.com", "ann+solar@gmail.com", "ann+solar@gmail.com"),
        ("ann@bücher.example", "ann@bücher.example", "ann@bücher.example"),
    ],
)
def test_an_address_has_one_form_for_mail_and_one_for_look_ups(text: str, normal: str, lookup: str) -> None:
    email = read_email(text)
    assert email is not None
    assert (email.normal, email.lookup) == (normal, lookup)


@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "ann@",
        "@example.com",
        "ann@@example.com",
        "ann@localhost",
        "ann@shop.test",
        "a b@example.com",
        "ann@exa mple.com",
        "x" * 65 + "@example.com",
        "ann@" + "a" * 300 + ".com",
        "ann@-example.com",
        "ann\u0000@example.com",
    ],
)
def test_an_address_that_mail_cannot_go_to_is_no_address(text: str, places: Reference) -> None:
    assert read_email(text) is None
    assert [(fact.key, fact.outcome) for fact in email_facts(text, places)] == [("email.syntax", "fail")]


def test_throw_away_domains_are_seen_through_their_subdomains(places: Reference) -> None:
    for address, disposable in [
        ("a@mailinator.com", True),
        ("a@eu.mailinator.com", True),
        ("a@gmail.com", False),
        ("a@example.com", False),
    ]:
        found = {fact.key: fact.value for fact in email_facts(address, places)}
        assert found["email.disposable"] is disposable, address
    assert {fact.key: fact.value for fact in email_facts("a@gmail.com", places)}["email.free"] is True


@pytest.mark.parametrize(
    ("text", "country", "e164", "region", "kind"),
    [
        ("(510) 283-4567", "US", "+15102834567", "US", "fixed_or_mobile"),
        ("510.283.4567", "US", "+15102834567", "US", "fixed_or_mobile"),
        ("1 510 283 4567", "US", "+15102834567", "US", "fixed_or_mobile"),
        ("+1-510-283-4567", "IN", "+15102834567", "US", "fixed_or_mobile"),
        ("5102834567 ext. 12", "US", "+15102834567", "US", "fixed_or_mobile"),
        ("1-800-FLOWERS", "US", "+18003569377", "US", "toll_free"),
        ("98765 43210", "IN", "+919876543210", "IN", "mobile"),
        ("+91 98765 43210", "US", "+919876543210", "IN", "mobile"),
        ("020 7946 0018", "GB", "+442079460018", "GB", "fixed"),
        ("+1 604 555 0123", "US", "+16045550123", "CA", "fixed_or_mobile"),
        ("787 765 4321", "US", "+17877654321", "PR", "fixed_or_mobile"),
    ],
)
def test_a_number_is_read_as_its_country_writes_it(text: str, country: str, e164: str, region: str, kind: str) -> None:
    phone = read_phone(text, country)
    assert phone is not None
    assert (phone.e164, phone.country, phone.kind) == (e164, region, kind)


@pytest.mark.parametrize(
    "text", ["", "hello", "123", "1234567890", "5551234567", "510283456", "51028345678", "+", "0" * 300]
)
def test_a_number_no_plan_has_is_not_valid(text: str, places: Reference) -> None:
    assert read_phone(text) is None
    assert {fact.key: fact.outcome for fact in phone_facts(text, "US", places)}["phone.valid"] == "fail"


def test_the_short_way_through_american_numbers_agrees_with_the_general_parser() -> None:
    for number in ("2015550123", "9999999999", "2125551212", "9002345678", "5002345678", "1112223333", "0002223333"):
        assert read_phone(number) == read_phone(f"tel: {number}") or read_phone(f"tel: {number}") is None
        assert read_phone(number) == read_phone(f"+1{number}")


def test_a_number_lies_in_the_state_and_zone_of_its_area_code(places: Reference) -> None:
    found = {fact.key: fact.value for fact in phone_facts("(510) 283-4567", "US", places)}
    assert found["phone.state"] == "CA"
    assert found["phone.zones"] == ["America/Los_Angeles"]
    abroad = {fact.key: fact.value for fact in phone_facts("+91 98765 43210", "US", places)}
    assert "phone.state" not in abroad
    assert abroad["phone.zones"] == ["Asia/Calcutta"]
    tollfree = {fact.key: fact.value for fact in phone_facts("800-356-9377", "US", places)}
    assert "phone.zones" not in tollfree


def test_a_number_kept_for_fiction_is_flagged_and_still_valid(places: Reference) -> None:
    found = {fact.key: fact for fact in phone_facts("510-555-0123", "US", places)}
    assert found["phone.valid"].value is True
    assert found["phone.fictional"].value is True
    assert "phone.fictional" not in {fact.key for fact in phone_facts("510-555-2123", "US", places)}


@pytest.mark.parametrize(("text", "flagged"), [("510 222 2222", True), ("510 234 5678", True), ("510 283 4567", False)])
def test_numbers_typed_without_thought_are_flagged(text: str, flagged: bool, places: Reference) -> None:
    assert ("phone.patterned" in {fact.key for fact in phone_facts(text, "US", places)}) is flagged


def test_every_fact_has_a_documented_key(places: Reference) -> None:
    facts = find_facts(
        {
            "first_name": "Test",
            "email": "a@gmail.com",
            "phone": "510-222-2222 x3",
            "zip": "00501",
            "state": "NY",
            "city": "Holtsville",
            "country": "USA",
            "date_of_birth": "1980-01-02",
            "ip": "8.8.8.8",
            "user_agent": "curl/8.0",
        },
        {"session_seconds": 1},
        places,
        NOW,
    )
    assert {fact.key for fact in facts} <= KEYS.keys()
    assert len(facts) > 20


def test_the_reference_is_boiled_down_once_and_mended_when_broken(tmp_path: Path) -> None:
    first = load_reference(tmp_path)
    (file,) = tmp_path.glob("*.msgpack")
    made = file.stat().st_mtime_ns
    second = load_reference(tmp_path)
    assert file.stat().st_mtime_ns == made
    assert first.digest == second.digest
    assert first.place("94501") == second.place("94501")
    file.write_bytes(b"half a file")
    assert load_reference(tmp_path).area_states["510"] == "CA"
    assert list(tmp_path.iterdir()) == [file]

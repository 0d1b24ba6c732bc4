"""What ZIP, state, city, age and visitor say, and how they agree."""

import pytest

from leadmill.facts.model import Fact, FactValue
from leadmill.facts.rules import age_at, find_facts, person_facts, place_facts, visitor_facts
from tests.facts.places import NOW, reference

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"


def facts_of(facts: list[Fact]) -> dict[str, tuple[FactValue, str]]:
    return {fact.key: (fact.value, fact.outcome) for fact in facts}


@pytest.mark.parametrize(
    ("fields", "phone_state", "expected"),
    [
        (
            {"zip": "94501", "state": "CA", "city": "Alameda"},
            "CA",
            {"agree.zip_state": True, "agree.zip_city": True, "agree.phone_state": True},
        ),
        ({"zip": "94501-1234", "state": "California"}, None, {"agree.zip_state": True, "state.code": "CA"}),
        ({"zip": "94501", "state": "TX"}, "TX", {"agree.zip_state": False, "agree.phone_state": True}),
        ({"zip": "94501", "city": "Springfield"}, None, {"agree.zip_city": False}),
        ({"zip": "94501"}, "NY", {"agree.phone_state": False, "zip.state": "CA", "zip.zone": "America/Los_Angeles"}),
        ({"zip": "501"}, None, {"zip.known": False}),
        ({"zip": "99999"}, None, {"zip.known": False}),
        ({"zip": "1001"}, None, {"zip.known": True, "zip.code": "01001", "zip.state": "MA"}),
        ({"zip": 94501}, None, {"zip.known": True}),
        ({"zip": "63101", "city": "St Louis"}, None, {"agree.zip_city": True}),
        ({"zip": "63101", "city": "SAINT LOUIS"}, None, {"agree.zip_city": True}),
        ({"zip": "94501-1234"}, None, {"zip.plus4": "1234"}),
        ({"zip": "94501", "county": "Alameda"}, None, {"agree.zip_county": True}),
        ({"zip": "94501", "county": "alameda county"}, None, {"agree.zip_county": True}),
        ({"zip": "94501", "county": "Kern"}, None, {"agree.zip_county": False}),
        ({"zip": "70112", "county": "Orleans Parish"}, None, {"agree.zip_county": True}),
    ],
)
def test_place_and_number_are_held_against_each_other(
    fields: dict[str, FactValue], phone_state: str | None, expected: dict[str, FactValue]
) -> None:
    found = facts_of(place_facts(fields, phone_state, reference()))
    assert {key: found[key][0] for key in expected} == expected


def test_what_is_not_said_has_no_fact() -> None:
    assert find_facts({}, {}, reference(), NOW) == []
    assert find_facts({"email": "  ", "phone": "", "zip": None}, {}, reference(), NOW) == []


def test_a_state_nobody_knows_is_unknown_and_agrees_with_nothing() -> None:
    found = facts_of(place_facts({"zip": "94501", "state": "Atlantis"}, None, reference()))
    assert found["state.code"] == (None, "unknown")
    assert "agree.zip_state" not in found


def test_the_post_of_another_country_is_not_held_against_american_places() -> None:
    found = facts_of(find_facts({"zip": "94501", "country": "India", "phone": "98765 43210"}, {}, reference(), NOW))
    assert found["country.code"] == ("IN", "pass")
    assert found["phone.e164"][0] == "+919876543210"
    assert "zip.known" not in found


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("2008-03-04", 18),
        ("2008-03-05", 17),
        ("2026-03-04", 0),
        ("1899-01-01", None),
        ("1915-03-05", 110),
        ("1915-03-04", None),
        ("2027-01-01", None),
        ("soon", None),
    ],
)
def test_the_age_counts_whole_years(born: str, age: int | None) -> None:
    found = facts_of(person_facts({"date_of_birth": born}, NOW))
    assert found["person.age"] == (age, "pass" if age is not None else "fail")


def test_a_birthday_on_the_29th_of_february_counts_from_the_first_of_march() -> None:
    assert age_at("2008-02-29", NOW.date().replace(month=2, day=28)) == 17
    assert age_at("2008-02-29", NOW.date().replace(month=3, day=1)) == 18


@pytest.mark.parametrize(
    ("fields", "context", "expected"),
    [
        ({"user_agent": BROWSER}, {}, {"agent.bot": False}),
        ({}, {"user_agent": "curl/8.5.0"}, {"agent.bot": True}),
        (
            {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
            {},
            {"agent.bot": True},
        ),
        ({}, {"session_seconds": 1.2}, {"form.fast": True}),
        ({}, {"session_seconds": 45}, {"form.fast": False, "form.seconds": 45}),
        ({"ip": "203.0.114.7"}, {}, {"ip.public": True}),
        ({"ip": "10.0.0.7"}, {}, {"ip.public": False}),
        ({"ip": "here"}, {}, {"ip.public": None}),
        ({"ip": "2606:4700::1111"}, {}, {"ip.public": True, "ip.family": "ipv6"}),
        ({"ip": "8.8.8.8"}, {}, {"ip.public": True, "ip.family": "ipv4"}),
    ],
)
def test_programs_give_themselves_away(
    fields: dict[str, FactValue], context: dict[str, FactValue], expected: dict[str, FactValue]
) -> None:
    found = facts_of(visitor_facts(fields, context, reference()))
    assert {key: found[key][0] for key in expected} == expected

"""What dates, ages, numbers and the browser say of a person."""

from datetime import UTC, datetime

import pytest

from leadmill.facts.model import FactValue
from leadmill.facts.rules import find_facts
from leadmill.facts.rules.visitor import language_fact, zone_fact
from tests.facts.places import NOW, reference


def found_of(
    fields: dict[str, FactValue], context: dict[str, FactValue] | None = None
) -> dict[str, tuple[object, str]]:
    return {fact.key: (fact.value, fact.outcome) for fact in find_facts(fields, context or {}, reference(), NOW)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"date_of_birth": "1980-05-06"}, {"birth.plausible": (True, "pass"), "person.adult": (True, "pass")}),
        ({"date_of_birth": "2030-05-06"}, {"birth.plausible": (False, "fail"), "person.age": (None, "fail")}),
        ({"date_of_birth": "1890-05-06"}, {"birth.plausible": (False, "fail")}),
        ({"date_of_birth": "some day"}, {"birth.plausible": (False, "fail")}),
        ({"date_of_birth": "1980-01-01"}, {"birth.placeholder": (True, "unknown"), "birth.plausible": (True, "pass")}),
        ({"date_of_birth": "2012-05-06"}, {"person.adult": (False, "fail"), "person.age": (13, "pass")}),
        ({"age": 45}, {"person.adult": (True, "pass")}),
        ({"age": 16}, {"person.adult": (False, "fail")}),
        ({"date_of_birth": "1980-05-06", "age": 45}, {"agree.age": (True, "pass")}),
        ({"date_of_birth": "1980-05-06", "age": 46}, {"agree.age": (True, "pass")}),
        ({"date_of_birth": "1980-05-06", "age": 25}, {"agree.age": (False, "fail")}),
        ({"policy_expires": "2027-01-31", "incident_date": "2025-06-01"}, {}),
        ({"policy_expires": "1027-01-31"}, {"dates.odd": (["policy_expires"], "fail")}),
        (
            {"move_date": "2226-01-31", "incident_date": "0025-06-01"},
            {"dates.odd": (["incident_date", "move_date"], "fail")},
        ),
    ],
)
def test_dates_and_ages_are_held_against_what_can_be(
    fields: dict[str, FactValue], expected: dict[str, tuple[object, str]]
) -> None:
    found = found_of(fields)
    assert {key: found.get(key) for key in expected} == expected
    if not expected:
        assert found == {}


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("510 283 4567", {"phone.personal": (True, "pass")}),
        ("800 356 9377", {"phone.personal": (False, "fail")}),
        ("900 234 5678", {"phone.personal": (False, "fail")}),
        ("+44 56 0000 1234", {"phone.personal": (None, "unknown"), "phone.type": ("voip", "pass")}),
        ("510 867 5309", {"phone.test": (None, "unknown")}),
        ("510 555 1212", {"phone.test": (True, "fail")}),
        ("(202) 456-1414", {"phone.test": (True, "fail")}),
        ("212 212 2123", {"phone.patterned": (True, "fail")}),
        ("555 283 4567", {"phone.valid": (False, "fail"), "phone.possible": (True, "pass")}),
        ("283 45", {"phone.valid": (False, "fail"), "phone.possible": (False, "fail")}),
    ],
)
def test_a_number_says_what_kind_of_line_it_is(phone: str, expected: dict[str, tuple[object, str]]) -> None:
    found = found_of({"phone": phone})
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"phone": "510 283 4567", "zip": "94501"},
            {"agree.phone_zip": (True, "pass"), "agree.phone_zone": (True, "pass")},
        ),
        (
            {"phone": "212 283 4567", "zip": "94501"},
            {
                "agree.phone_zip": (False, "unknown"),
                "agree.phone_zone": (False, "fail"),
                "agree.phone_state": (False, "fail"),
            },
        ),
        ({"phone": "(775) 664-8540", "zip": "89501"}, {"agree.phone_zone": (False, "unknown")}),
        ({"phone": "510 283 4567", "country": "US"}, {"agree.phone_country": (True, "pass")}),
        ({"phone": "787 765 4321", "country": "US"}, {"agree.phone_country": (True, "pass")}),
        ({"phone": "+44 20 7946 0018", "country": "India"}, {"agree.phone_country": (False, "fail")}),
    ],
)
def test_a_number_is_held_against_the_place(
    fields: dict[str, FactValue], expected: dict[str, tuple[object, str]]
) -> None:
    found = found_of(fields)
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("zone", "home", "month", "agrees"),
    [
        ("America/Los_Angeles", "America/Los_Angeles", 3, True),
        ("US/Pacific", "America/Los_Angeles", 7, True),
        ("America/Phoenix", "America/Denver", 1, True),
        ("America/Phoenix", "America/Denver", 7, False),
        ("Asia/Calcutta", "America/New_York", 7, False),
        ("Moon/Tycho", "America/New_York", 7, None),
        ("../etc/passwd", "America/New_York", 7, None),
        ("", "America/New_York", 7, None),
    ],
)
def test_clocks_are_compared_not_names(zone: str, home: str, month: int, agrees: bool | None) -> None:
    fact = zone_fact(zone, home, datetime(2026, month, 15, 12, tzinfo=UTC))
    assert (None if fact is None else fact.value) is agrees


def test_the_browsers_clock_and_language_are_facts_where_it_tells_them() -> None:
    found = found_of({"zip": "94501", "language": "Spanish"}, {"time_zone": "Europe/Kyiv", "browser_language": "es-MX"})
    assert found["agree.zone"] == (False, "fail")
    assert found["agree.language"] == (True, "pass")
    assert not {"agree.zone", "agree.language"} & found_of({"zip": "94501"}, {"time_zone": "?"}).keys()


@pytest.mark.parametrize(
    ("browser", "wanted", "agrees"),
    [
        ("en-US", "English", True),
        ("es", "español", True),
        ("en-US,en;q=0.9", "es", False),
        ("zh-CN", "Mandarin", True),
        ("en", "whatever is fine", None),
        ("", "en", None),
    ],
)
def test_languages_are_told_from_tags_and_names(browser: str, wanted: str, agrees: bool | None) -> None:
    fact = language_fact(browser, wanted)
    assert (None if fact is None else fact.value) is agrees
    assert fact is None or fact.outcome in ("pass", "unknown")

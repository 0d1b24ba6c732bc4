"""The benchmarks' leads are what they claim to be: distinct, valid, and wanted by the benchmarks' business."""

import json
from datetime import UTC, datetime

import pytest

from benchmarks.business import SELLERS, business
from benchmarks.leads import EDUCATION_COLUMNS, PLACES, body, education_row, person, ping_body, write_education_file
from leadmill.facts import load_reference
from leadmill.facts.reference import Reference
from leadmill.facts.rules import find_facts
from leadmill.flow.configure import read_text

SEEN = 3_000
CONTACT = {"first_name", "last_name", "email", "phone", "address"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The places and domains that the program knows."""
    return load_reference(tmp_path_factory.mktemp("cache"))


def test_no_two_leads_share_an_address_or_a_number() -> None:
    people = [person(number) for number in [*range(SEEN), *range(500_000, 500_000 + SEEN)]]
    assert len({each.email for each in people}) == len(people)
    assert len({each.phone for each in people}) == len(people)


def test_a_lead_is_always_the_same_and_about_a_kilobyte() -> None:
    assert body(17) == body(17)
    sizes = [len(body(number)) for number in range(SEEN)]
    assert min(sizes) > 900
    assert max(sizes) < 2_000


def test_every_fact_about_a_lead_is_in_order(reference: Reference) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    sound = {"email.syntax", "phone.valid", "zip.known", "agree.zip_state", "agree.zip_city", "agree.phone_state"}
    for number in range(SEEN):
        lead = json.loads(body(number))
        facts = {fact.key: fact for fact in find_facts(lead["fields"], lead["context"], reference, now)}
        assert {key for key in sound if facts[key].value is not True} == set(), lead["fields"]
        assert [key for key, fact in facts.items() if fact.outcome == "fail"] == [], lead["fields"]


def test_every_area_code_is_its_states(reference: Reference) -> None:
    wrong = [
        (place.city, area) for place in PLACES for area in place.areas if reference.area_states[area] != place.state
    ]
    assert not wrong


def test_the_consent_names_every_buyer() -> None:
    lead = json.loads(body(1))
    declared = read_text(business().encode(), "business.toml")
    buyers = {item.raw["name"] for item in declared if item.kind == "buyer"}
    assert len(buyers) == 20
    assert buyers == set(SELLERS) == set(lead["consent"]["sellers"])


def test_a_file_of_enquiries_has_a_value_in_every_column(tmp_path) -> None:
    file = tmp_path / "enquiries.csv"
    write_education_file(file, (education_row(number) for number in range(50)))
    rows = file.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 51
    assert rows[0] == ",".join(EDUCATION_COLUMNS)
    assert all(all(education_row(number)) for number in range(50))


def test_a_ping_says_what_its_lead_says_and_nothing_of_the_person() -> None:
    for number in range(50):
        lead, told = json.loads(body(number)), json.loads(ping_body(number))
        assert told["fields"].items() <= lead["fields"].items() and "consent" not in told
        assert not CONTACT & told["fields"].keys()
        assert told["fields"].keys() == lead["fields"].keys() - CONTACT

"""How a street address is read, by our rule and by the parser behind it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.facts.rules import address, find_facts, read_address
from leadmill.facts.streets import DIRECTIONS, SUFFIXES, UNITS
from tests.facts.places import NOW, reference


@pytest.mark.parametrize(
    ("first", "second", "kind", "line", "by"),
    [
        ("123 N Main Street Apt 4B", "", "street", "123 N MAIN ST APT 4B", "leadmill"),
        ("123 north main st., #4b", "", "street", "123 N MAIN ST # 4B", "leadmill"),
        ("123 Main St", "Apt. 4", "street", "123 MAIN ST APT 4", "leadmill"),
        ("123 Main St", "4B", "street", "123 MAIN ST # 4B", "leadmill"),
        ("123 Main St", "behind the barn", "street", "123 MAIN ST", "leadmill"),
        ("1600 Pennsylvania Ave NW", "", "street", "1600 PENNSYLVANIA AVE NW", "leadmill"),
        ("500 Park Avenue South", "", "street", "500 PARK AVE S", "leadmill"),
        ("123 North Ave", "", "street", "123 NORTH AVE", "leadmill"),
        ("12 St Charles Ave", "", "street", "12 ST CHARLES AVE", "leadmill"),
        ("1 Court St", "", "street", "1 COURT ST", "leadmill"),
        ("77 Lake View Court", "", "street", "77 LAKE VIEW CT", "leadmill"),
        ("12-34 30th Ave", "", "street", "12-34 30TH AVE", "leadmill"),
        ("200 W 34th St Penthouse", "", "street", "200 W 34TH ST PH", "leadmill"),
        ("123 1/2 Oak St", "", "street", "123 1/2 OAK ST", "usaddress"),
        ("9 Broadway", "", "street", "9 BROADWAY", "usaddress"),
        ("100 Avenue A", "", "street", "100 AVE A", "usaddress"),
        ("1234 US Highway 20 W", "", "street", "1234 US HWY 20 W", "usaddress"),
        ("W123N456 Country Rd", "", "street", "W123N456 COUNTRY RD", "usaddress"),
        ("PO Box 1234", "", "po_box", "PO BOX 1234", "leadmill"),
        ("p.o. box #12", "", "po_box", "PO BOX 12", "leadmill"),
        ("RR 2 Box 45", "", "rural_route", "RR 2 BOX 45", "leadmill"),
        ("Rural Route 2", "", "rural_route", "RR 2", "leadmill"),
        ("HC 61 Box 12", "", "rural_route", "HC 61 BOX 12", "leadmill"),
        ("PSC 123 Box 456", "", "military", "PSC 123 BOX 456", "leadmill"),
        ("5th and Main", "", "intersection", "5TH AND MAIN", "usaddress"),
    ],
)
def test_an_address_is_written_as_the_post_writes_it(first: str, second: str, kind: str, line: str, by: str) -> None:
    found = read_address(first, second)
    assert (found.kind, found.line, found.read_by) == (kind, line, by)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("123 Main St", True),
        ("PO Box 7", True),
        ("RR 2", True),
        ("Main Street", False),
        ("5th and Main", None),
        ("asdf", None),
        ("none", None),
        ("...", None),
    ],
)
def test_post_has_a_place_to_go_or_not_or_nobody_knows(text: str, complete: bool | None) -> None:
    found = {fact.key: fact for fact in find_facts({"address": text}, {}, reference(), NOW)}["address.complete"]
    assert (found.value, found.outcome) == (complete, {True: "pass", False: "fail", None: "unknown"}[complete])


def test_the_parts_are_facts_that_compare() -> None:
    facts = find_facts({"address": "123 n. main street", "address_2": "apt 4"}, {}, reference(), NOW)
    found = {fact.key: fact.value for fact in facts}
    assert found == {
        "address.kind": "street",
        "address.complete": True,
        "address.line": "123 N MAIN ST APT 4",
        "address.number": "123",
        "address.street": "N MAIN ST",
        "address.street_name": "MAIN",
        "address.unit": "APT 4",
    }


def test_a_place_written_into_the_address_is_held_against_the_leads_own() -> None:
    for text, zip_code, agrees in (
        ("123 Main St, Springfield IL 62701", "62701", True),
        ("123 Main St, Springfield IL 62701", "62702", False),
    ):
        facts = find_facts({"address": text, "zip": zip_code}, {}, reference(), NOW)
        assert {fact.key: fact.value for fact in facts}["agree.address_zip"] is agrees


def test_an_address_abroad_is_not_read_as_an_american_one() -> None:
    facts = find_facts({"address": "12 High Street", "country": "GB"}, {}, reference(), NOW)
    assert not [fact.key for fact in facts if fact.key.startswith("address.")]


NAMES = ("Oak", "Washington", "Martin Luther King", "42nd", "Maple Grove", "La Cienega", "Bush", "Elm", "Sunset", "7th")
KINDS = ("St", "Street", "Ave", "Avenue", "Blvd", "Dr", "Road", "Ln", "Ct", "Way", "Pl", "Ter", "Cir", "Pkwy")
WAYS = ("", "N", "South", "E", "West")
SUITES = ("", "Apt 4", "Suite 200", "Unit B", "Ste 3C")


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 99_999),
    st.sampled_from(WAYS),
    st.sampled_from(NAMES),
    st.sampled_from(KINDS),
    st.sampled_from(SUITES),
)
def test_the_short_way_agrees_with_the_parser(number: int, way: str, name: str, kind: str, suite: str) -> None:
    text = " ".join(filter(None, (str(number), way, name, kind, suite)))
    ours, parsed = read_address(text), address._parsed(text)
    assert ours.read_by == "leadmill"
    if parsed.kind is None:  # now and then the parser gives up on a plain one
        return
    assert (ours.number, ours.street, ours.unit) == (parsed.number, parsed.street, parsed.unit)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    found = read_address(text, text)
    assert isinstance(found.line, str)


def test_every_word_of_the_posts_tables_stands_for_one_form() -> None:
    for forms in (SUFFIXES, DIRECTIONS, UNITS):
        assert all(forms[forms[word]] == forms[word] for word in forms)
    assert (SUFFIXES["AVENUE"], SUFFIXES["STREET"], SUFFIXES["PARKWAY"], UNITS["APARTMENT"]) == (
        "AVE",
        "ST",
        "PKWY",
        "APT",
    )

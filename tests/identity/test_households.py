"""Who is one person and who only one household: a table of cases, each in both orders, on a real store."""

import pytest

from leadmill.core.case import Case
from leadmill.core.ids import Mint
from leadmill.identity import Identity, Keys, Tie, list_suggestions, read_links
from leadmill.runtime.db import Database
from tests.identity.walking import case_of, recognise

PHONE, OTHER_PHONE = "+15102834567", "+15102834999"
EMAIL, OTHER_EMAIL = "lee.family@example.com", "somebody.else@example.org"
HOME = {"address": "123 Oak Street", "zip": "94110"}
AWAY = {"address": "77 Pine Avenue", "zip": "60614"}


def shown(first: str, last: str, **more: str) -> dict[str, str]:
    """The fields of a lead."""
    return {"first_name": first, "last_name": last, **more}


ANN, ANN_HERE = shown("Ann", "Lee"), shown("Ann", "Lee", **HOME)
NAMESAKE = shown("Ann", "Smith", zip="94110")
ZOE_HERE = shown("Zoe", "Roy", **HOME)

CASES = [
    # what, the one, the other, what they share, whether they are one person, the tie between two
    ("a spouse", shown("Ann", "Lee"), shown("Bob", "Lee"), "phone", False, "household"),
    (
        "a spouse with another last name",
        shown("Ann", "Lee", **HOME),
        shown("Bob", "Roy", **HOME),
        "phone",
        False,
        "household",
    ),
    ("spouses with one mailbox", shown("Ann", "Lee"), shown("Bob", "Lee"), "email", False, "household"),
    ("spouses who share both", shown("Ann", "Lee"), shown("Bob", "Lee"), "both", False, "household"),
    (
        "twins",
        shown("James", "Lee", date_of_birth="1990-05-06", **HOME),
        shown("Peter", "Lee", date_of_birth="1990-05-06", **HOME),
        "phone",
        False,
        "household",
    ),
    (
        "a twin brother and sister with names alike",
        shown("Maria", "Lee", date_of_birth="1990-05-06", **HOME),
        shown("Mario", "Lee", date_of_birth="1990-05-06", **HOME),
        "both",
        False,
        "household",
    ),
    (
        "twins who share nothing but a home",
        shown("James", "Lee", date_of_birth="1990-05-06", **HOME),
        shown("Peter", "Lee", date_of_birth="1990-05-06", **HOME),
        "nothing",
        False,
        "household",
    ),
    (
        "a father and his son of one name, by birth date",
        shown("John", "Smith", date_of_birth="1955-03-04", **HOME),
        shown("John", "Smith", date_of_birth="1985-03-04", **HOME),
        "phone",
        False,
        "household",
    ),
    (
        "a father and his son of one name, by suffix",
        shown("John", "Smith Sr", **HOME),
        shown("John", "Smith Jr.", **HOME),
        "phone",
        False,
        "household",
    ),
    (
        "a father and his son who share nothing but name and home",
        shown("John", "Smith", date_of_birth="1955-03-04", **HOME),
        shown("John", "Smith", date_of_birth="1981-11-24", **HOME),
        "nothing",
        False,
        "household",
    ),
    (
        "people who share a flat and its phone",
        shown("Ann", "Lee", **HOME),
        shown("Zoe", "Roy", **HOME),
        "phone",
        False,
        "household",
    ),
    ("people who share a flat", ANN_HERE, ZOE_HERE, "nothing", False, None),
    ("a number handed on", ANN_HERE, shown("Carlos", "Diaz", **AWAY), "phone", False, "shared"),
    (
        "a number handed on to a namesake elsewhere",
        shown("Ann", "Lee", **HOME),
        shown("Ann", "Diaz", **AWAY),
        "phone",
        False,
        None,
    ),
    ("a slip in the name", shown("Jennifer", "Lee"), shown("Jenifer", "Lee"), "phone", True, None),
    ("a short form", shown("William", "Lee"), shown("Bill", "Lee"), "phone", True, None),
    ("an initial", shown("William", "Lee"), shown("W", "Lee"), "phone", True, None),
    ("two given names", shown("Mary", "Lee"), shown("Mary Ann", "Lee"), "phone", True, None),
    ("names exchanged", shown("Lee", "Jennifer"), shown("Jennifer", "Lee"), "phone", True, None),
    ("no name told", shown("Ann", "Lee"), {}, "phone", True, None),
    ("no name told, and the mailbox", shown("Ann", "Lee"), {}, "email", True, None),
    ("a name that is no name", shown("Ann", "Lee"), {"zip": "94110"}, "phone", True, None),
    (
        "a new last name with the same mailbox",
        shown("Ann", "Lee", date_of_birth="1990-05-06", **HOME),
        shown("Ann", "Roy", date_of_birth="1990-05-06", **AWAY),
        "email",
        True,
        None,
    ),
    (
        "a new last name with the same number and home",
        shown("Ann", "Lee", **HOME),
        shown("Ann", "Roy", **HOME),
        "phone",
        True,
        None,
    ),
    (
        "day and month exchanged",
        shown("Ann", "Lee", date_of_birth="1990-05-06"),
        shown("Ann", "Lee", date_of_birth="1990-06-05"),
        "phone",
        True,
        None,
    ),
    (
        "a digit off in the birth date",
        shown("Ann", "Lee", date_of_birth="1990-05-06"),
        shown("Ann", "Lee", date_of_birth="1990-05-16"),
        "phone",
        True,
        None,
    ),
    (
        "the same with another number and mailbox",
        shown("Ann", "Lee", date_of_birth="1990-05-06", **HOME),
        shown("Ann", "Lee", date_of_birth="1990-05-06", **HOME),
        "nothing",
        True,
        None,
    ),
    (
        "the same after moving house",
        shown("Wilhelmina", "Oberholtzer", date_of_birth="1990-05-06", **HOME),
        shown("Wilhelmina", "Oberholtzer", date_of_birth="1990-05-06", **AWAY),
        "nothing",
        True,
        None,
    ),
    (
        "a namesake elsewhere of the same birth date",
        shown("Mary", "Smith", date_of_birth="1990-05-06", **HOME),
        shown("Mary", "Smith", date_of_birth="1990-05-06", **AWAY),
        "nothing",
        False,
        None,
    ),
    (
        "a namesake in the town",
        shown("Ann", "Smith", zip="94110"),
        shown("Ann", "Smith", zip="94110"),
        "nothing",
        False,
        None,
    ),
]


NAMES = [case[0] for case in CASES]


@pytest.mark.parametrize("turned", [False, True], ids=["as told", "the other first"])
@pytest.mark.parametrize(
    ("one", "other", "shares", "same", "tie"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
async def test_a_household_is_told_from_a_person(
    db: Database,
    mint: Mint,
    one: dict[str, str],
    other: dict[str, str],
    shares: str,
    same: bool,
    tie: str | None,
    turned: bool,
) -> None:
    first, second = (other, one) if turned else (one, other)
    known, met = await walk(
        db,
        mint,
        case_of("lead_1", EMAIL, PHONE, more=first),
        case_of(
            "lead_2",
            EMAIL if shares in ("email", "both") else OTHER_EMAIL,
            PHONE if shares in ("phone", "both") else OTHER_PHONE,
            vertical="legal",
            more=second,
        ),
    )
    assert (met.person_id == known.person_id) is same, [*met.tell()]
    assert [each.kind for each in met.household] == ([tie] if tie else [])
    async with db.begin() as tx:
        links = await read_links(tx, met.person_id)
    assert [(link.kind, {link.low, link.high}) for link in links] == (
        [(tie, {known.person_id, met.person_id})] if tie else []
    )


async def walk(db: Database, mint: Mint, *cases: Case) -> list[Identity]:
    """Leads one after another, each in a transaction of its own."""
    keys = Keys()
    for case in cases:
        async with db.begin() as tx:
            await recognise(tx, [case], keys, mint)
    return [case[Identity] for case in cases]


async def test_each_of_a_household_is_known_again_by_the_shared_number(db: Database, mint: Mint) -> None:
    ann, bob, ann_again, bob_again, nobody = await walk(
        db,
        mint,
        case_of("lead_1", None, PHONE, name=("Ann", "Lee")),
        case_of("lead_2", None, PHONE, name=("Bob", "Lee")),
        case_of("lead_3", None, PHONE, name=("Ann", "Lee"), vertical="legal"),
        case_of("lead_4", None, PHONE, name=("Robert", "Lee"), vertical="legal"),
        case_of("lead_5", None, PHONE, vertical="mortgage"),
    )
    assert ann.person_id != bob.person_id
    assert ann_again.person_id == ann.person_id
    assert bob_again.person_id == bob.person_id
    assert nobody.person_id == ann.person_id  # who says nothing is taken for the first
    assert bob.household == [Tie(ann.person_id, "household", "phone")]
    assert any("of the household" in line for line in bob.tell())


async def test_a_suffix_that_only_one_of_the_two_has_leaves_it_open(db: Database, mint: Mint) -> None:
    father, son = await walk(
        db,
        mint,
        case_of("lead_1", None, PHONE, name=("John", "Smith")),
        case_of("lead_2", None, PHONE, name=("John", "Smith Jr"), vertical="legal"),
    )
    assert father.person_id != son.person_id
    assert [(other.person_id, other.kind) for other in son.possible] == [(father.person_id, "possible")]
    async with db.begin() as tx:
        (suggestion,) = await list_suggestions(tx)
    assert {suggestion.low, suggestion.high} == {father.person_id, son.person_id}
    assert suggestion.lead_id == "lead_2"
    assert any(part.field == "family_name" for part in suggestion.parts)


async def test_a_number_that_too_many_share_takes_no_further_person(db: Database, mint: Mint) -> None:
    names = [f"{chr(97 + number)}{chr(97 + number * 7 % 26)}qx" for number in range(26)]
    people = await walk(
        db, mint, *(case_of(f"lead_{number}", None, PHONE, name=(name, "Call")) for number, name in enumerate(names))
    )
    assert len({one.person_id for one in people}) == len(names)

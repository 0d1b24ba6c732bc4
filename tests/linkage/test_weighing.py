"""One pair at a time: values made plain, levels, and what they weigh."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.linkage import (
    MISSING,
    Bundle,
    Field,
    Frequencies,
    Kind,
    Model,
    census,
    compare,
    consumers,
    plain,
    prepare,
    weigh,
)
from leadmill.linkage.ladders import ladder

US = consumers(1_000_000)
HOME = {"street": "Oak Street", "house_number": "12", "postcode": "94110", "city": "San Francisco", "state": "CA"}


def record(**values: str) -> tuple[str, ...]:
    return prepare(US.fields, values)


def bits_of(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    return weigh(US, a, b, census()).bits


@pytest.mark.parametrize(
    ("kind", "form", "written", "read"),
    [
        (Kind.GIVEN_NAME, "ymd", " José-María ", "jose maria"),
        (Kind.FAMILY_NAME, "ymd", "O’Brien", "obrien"),
        (Kind.FAMILY_NAME, "ymd", "MÜLLER", "mueller"),
        (Kind.FULL_NAME, "ymd", "Smith, John", "john smith"),
        (Kind.FULL_NAME, "ymd", "Thomas Clifford, 1st Baron", "thomas clifford 1st baron"),
        (Kind.EMAIL, "ymd", "Jo.Smith+x@GoogleMail.com", "josmith@gmail.com"),
        (Kind.PHONE, "ymd", "+1 (415) 555-2671", "4155552671"),
        (Kind.DATE, "ymd", "1970-03-04", "19700304"),
        (Kind.DATE, "mdy", "3/4/1970", "19700304"),
        (Kind.DATE, "dmy", "4.3.70", "19700304"),
        (Kind.DATE, "dmy", "04031970", "19700304"),
        (Kind.DATE, "ymd", "1949.0 7.0 22.0", "19490722"),
        (Kind.DATE, "ymd", "19160017", "19160017"),
        (Kind.DATE, "ymd", "March 4, 1970", "19700304"),
        (Kind.DATE, "ymd", "1850", "18500000"),
        (Kind.DATE, "ymd", "1970-03-04 00:00:00", "19700304"),
        (Kind.POSTCODE, "ymd", "94110-1234", "94110"),
        (Kind.POSTCODE, "ymd", "TQ13 8DF", "tq138df"),
        (Kind.STREET, "ymd", "North Oak Street", "n oak st"),
        (Kind.SEX, "ymd", "Female", "f"),
        (Kind.TEXT, "ymd", "N/A", ""),
    ],
)
def test_a_value_has_one_plain_form(kind: Kind, form: str, written: str, read: str) -> None:
    assert plain(Field("it", kind, form=form), written) == read


@pytest.mark.parametrize(
    ("kind", "a", "b", "level"),
    [
        (Kind.GIVEN_NAME, "robert", "robert", "same"),
        (Kind.GIVEN_NAME, "robert", "roebrt", "a slip away"),
        (Kind.GIVEN_NAME, "william", "bill", "a form of it"),
        (Kind.GIVEN_NAME, "j", "john", "a part of it"),
        (Kind.GIVEN_NAME, "mary", "mary ann", "a form of it"),
        (Kind.GIVEN_NAME, "xavier", "deborah", "differs"),
        (Kind.FAMILY_NAME, "smith jones", "jones", "a part of it"),
        (Kind.FAMILY_NAME, "harrington", "harington", "a slip away"),
        (Kind.DATE, "19700304", "19700403", "day and month exchanged"),
        (Kind.DATE, "19700304", "19700305", "a digit off"),
        (Kind.DATE, "19700304", "19700101", "year alone told"),
        (Kind.DATE, "19700304", "19700000", "year alone told"),
        (Kind.DATE, "19700304", "19850304", "two of three parts"),
        (Kind.DATE, "19700304", "19851125", "differs"),
        (Kind.EMAIL, "jsmith@a.com", "jsmith@bcd.org", "same before the @"),
        (Kind.EMAIL, "jsmith@aol.com", "jsmit@aol.com", "a slip away"),
        (Kind.PHONE, "4155552671", "4155552672", "a digit off"),
        (Kind.PHONE, "2125552671", "4155552671", "same last seven digits"),
        (Kind.POSTCODE, "94110", "94111", "a sign off"),
        (Kind.POSTCODE, "94110", "94199", "same area"),
        (Kind.TEXT, "acme holdings inc", "acme inc", "a part of it"),
        (Kind.SEX, "m", "f", "differs"),
    ],
)
def test_two_values_fall_on_one_level(kind: Kind, a: str, b: str, level: str) -> None:
    rungs = ladder(kind)
    assert rungs.names[rungs.level(a, b)] == level
    assert rungs.names[rungs.level(b, a)] == level


@pytest.mark.parametrize("kind", list(Kind))
def test_a_ladder_begins_with_probabilities_that_sum_to_one_and_favour_the_best_level(kind: Kind) -> None:
    rungs = ladder(kind)
    assert sum(rungs.m) == pytest.approx(1)
    assert sum(rungs.u) == pytest.approx(1)
    assert min(*rungs.m, *rungs.u) > 0
    best, worst = rungs.m[0] / rungs.u[0], rungs.m[-1] / rungs.u[-1]
    assert best == max(m / u for m, u in zip(rungs.m, rungs.u, strict=True)) > 1 > worst


def test_a_missing_value_weighs_nothing() -> None:
    a, b = record(given_name="Ann", family_name="Lee", birth_date="1980-02-03"), record(given_name="Ann")
    assert compare(US, a, b).at.count(MISSING) == len(US.comparisons) - 1
    assert [part.field for part in weigh(US, a, b).parts] == ["prior", "given_name"]


def test_first_and_last_name_may_stand_in_each_others_place() -> None:
    a = record(given_name="Mikhayla", family_name="Hannagan", birth_date="1977-05-01")
    b = record(given_name="Hannagan", family_name="Mikhayla", birth_date="1977-05-01")
    straight = bits_of(a, a)
    assert compare(US, a, b).swapped == (0,)
    assert 0 < bits_of(a, b) < straight


def test_a_rare_name_weighs_more_than_a_common_one() -> None:
    common, rare = record(family_name="Smith"), record(family_name="Zuberbuehler")
    assert bits_of(rare, rare) > bits_of(common, common) + 5


def test_the_whole_address_alone_makes_nobody_the_same_person() -> None:
    a = record(given_name="William", family_name="Harrington", sex="m", phone="4155552671", **HOME)
    b = record(given_name="Mary", family_name="Harrington", sex="f", phone="4155552671", **HOME)
    assert weigh(US, a, b, census()).probability < 0.05


def test_a_twin_is_not_the_person() -> None:
    a = record(given_name="Walter", family_name="Harrington", birth_date="1970-03-04", **HOME)
    b = record(given_name="Deborah", family_name="Harrington", birth_date="1970-03-04", **HOME)
    assert weigh(US, a, b, census()).probability < 0.9
    assert weigh(US, a, a, census()).probability > 0.999


def test_the_parts_of_a_weight_add_up_to_it() -> None:
    a = record(given_name="William", family_name="Harrington", birth_date="1970-03-04", **HOME)
    b = record(given_name="Bill", family_name="Harington", birth_date="1970-04-03", **HOME)
    weight = weigh(US, a, b, census())
    assert sum(part.bits for part in weight.parts) == pytest.approx(weight.bits)
    assert 0 < weight.probability < 1


def test_a_bundle_holds_the_odds_down_to_how_many_others_share_it() -> None:
    model = msgspec.structs.replace(US, bundles=(Bundle("home", ("street", "postcode"), 4.0 * US.prior),))
    a = record(street="Oak Street", postcode="94110")
    assert weigh(model, a, a).probability == pytest.approx(0.2, abs=0.03)


def test_a_model_survives_being_written_down() -> None:
    assert msgspec.json.decode(msgspec.json.encode(US), type=Model) == US
    table = Frequencies(shares={"city": {"bonn": 0.1}}, unseen={"city": 0.001})
    assert msgspec.json.decode(msgspec.json.encode(table), type=Frequencies) == table


@given(st.text(max_size=30), st.sampled_from(list(Kind)))
def test_no_text_is_refused_and_the_plain_form_is_stable(text: str, kind: Kind) -> None:
    field = Field("it", kind)
    once = plain(field, text)
    assert isinstance(once, str)
    if kind not in (Kind.DATE, Kind.PHONE, Kind.POSTCODE, Kind.EMAIL, Kind.FULL_NAME):
        assert plain(field, once) == once or not once.isascii()


def test_an_address_made_of_the_name_says_little_where_the_name_agrees() -> None:
    names = {"given_name": "Walter", "family_name": "Harrington"}
    a = record(**names, email="walter.harrington71@aol.com")
    b = record(**names, email="walter.harrington348@gmail.com")
    named, bare = (next(part for part in weigh(US, *pair).parts if part.field == "email") for pair in ((a, b), (
        record(email="walter.harrington71@aol.com"), record(email="walter.harrington348@gmail.com"))))  # fmt: skip
    assert named.level == bare.level == "alike before the @"
    assert bare.bits > 5
    assert named.bits < 0


@pytest.mark.parametrize(
    ("one", "other", "echoes"),
    [
        pytest.param({"family_name": ""}, {}, True, id="a name lacks in one"),
        pytest.param({"given_name": "Walt"}, {}, True, id="a form of it"),
        pytest.param({"given_name": "W"}, {}, True, id="an initial"),
        pytest.param({"given_name": "Susan"}, {}, False, id="another name"),
        pytest.param({"given_name": "", "family_name": ""}, {}, False, id="no name at all"),
    ],
)
def test_an_address_is_an_echo_unless_a_name_differs_or_none_is_known(
    one: dict[str, str], other: dict[str, str], echoes: bool
) -> None:
    whole = {"given_name": "Walter", "family_name": "Harrington"}
    a = record(**{**whole, "email": "walter.harrington71@aol.com", **one})
    b = record(**{**whole, "email": "walter.harrington348@gmail.com", **other})
    email = next(part for part in weigh(US, a, b).parts if part.field == "email")
    assert (email.bits < 0) == echoes

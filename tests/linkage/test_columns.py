"""What columns are taken for: by names in several languages, by values alone, and what is never evidence."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from leadmill.linkage.columns import Column, infer
from leadmill.linkage.headings import meaning_of
from leadmill.linkage.model import Kind
from tests.linkage.persons import names, persons

DATA = Path(__file__).parents[3] / "shared" / "data" / "er"
MADE = persons()


def taken(table: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {column.name: column.target for column in infer(table, names)}


def columns(names: dict[str, str]) -> dict[str, Sequence[str]]:
    """The made-up persons with a column called ``key`` holding what ``names[key]`` says."""
    return {name: MADE[made] for name, made in names.items()}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("First Name", "given_name"),
        ("firstName", "given_name"),
        ("FNAME", "given_name"),
        ("fname_c1", "given_name"),
        ("fname_c2", "given_name.2"),
        ("Contact First Name", "given_name"),
        ("Vorname", "given_name"),
        ("Nombre", "given_name"),
        ("Prénom", "given_name"),
        ("surname", "family_name"),
        ("Nachname", "family_name"),
        ("Apellidos", "family_name"),
        ("second_last_name", "family_name.2"),
        ("Geburtsname", "family_name.birth"),
        ("first_and_surname", "full_name"),
        ("Customer Name", "full_name"),
        ("E-Mail 2", "email.2"),
        ("Correo electrónico", "email"),
        ("TXT_HOME_EMAIL", "email"),
        ("Mobile Phone", "phone"),
        ("Handynummer", "phone"),
        ("Teléfono móvil", "phone"),
        ("phone1", "phone"),
        ("DOB", "date"),
        ("Date of Birth (DD/MM/YYYY)", "date"),
        ("Geburtsdatum", "date"),
        ("Fecha de nacimiento", "date"),
        ("by", "date.year"),
        ("bm", "date.month"),
        ("bd", "date.day"),
        ("PLZ", "postcode"),
        ("Código Postal", "postcode"),
        ("MailingPostalCode", "postcode"),
        ("postcode_fake", "postcode"),
        ("suburb", "city"),
        ("Ort", "city"),
        ("birth_place", "city.birth"),
        ("Bundesland", "state"),
        ("Straße", "street"),
        ("Straße / Hausnr.", "street"),
        ("address_2", "street.2"),
        ("Hausnummer", "house_number"),
        ("street_number", "house_number"),
        ("Geschlecht", "sex"),
        ("soc_sec_id", "identifier"),
        ("SSN", "identifier"),
        ("record_id", "id"),
        ("Customer ID", "id"),
        ("unique_id", "id"),
        ("cluster", "truth"),
        ("entity_id", "truth"),
        ("household_id", "truth"),
        ("true_match_id", "truth"),
        ("Фамилия", "family_name"),
        ("Дата рождения", "date"),
        ("手机", "phone"),
        ("Data de nascimento", "date"),
        ("Huisnummer", "house_number"),
        ("Lead Source", ""),
        ("Created Date", ""),
        ("Anrede", ""),
    ],
)
def test_a_name_says_what_its_column_holds(name, target):
    found = meaning_of(name)
    assert found is not None
    assert found.target == target


@pytest.mark.parametrize("name", ["x7", "column 3", "", "zzz", "Q12", "日本"])
def test_a_name_that_says_nothing_is_not_read_into(name):
    assert meaning_of(name) is None


def test_a_crm_export_is_understood():
    table = columns(
        {
            "Record ID": "id", "First Name": "given", "Last Name": "family", "Email": "email", "Mobile Phone": "phone",
            "Mailing Street": "street", "Mailing City": "city", "Mailing State": "state", "Mailing Zip": "zip",
            "Birthdate": "american", "Lead Source": "flag", "Created Date": "moment", "Email Opt Out": "flag",
            "Amount": "amount", "Account Name": "same",
        }
    )  # fmt: skip
    assert taken(table) == {
        "Record ID": "id", "First Name": "given_name", "Last Name": "family_name", "Email": "email",
        "Mobile Phone": "phone", "Mailing Street": "street", "Mailing City": "city", "Mailing State": "state",
        "Mailing Zip": "postcode", "Birthdate": "date", "Lead Source": "", "Created Date": "", "Email Opt Out": "",
        "Amount": "", "Account Name": "",
    }  # fmt: skip


def test_a_german_and_a_spanish_export_are_understood():
    german = {
        "Kundennummer": "id", "Vorname": "given", "Nachname": "family", "Geburtsdatum": "german", "Straße": "street",
        "PLZ": "zip", "Ort": "city", "Telefon": "phone", "E-Mail-Adresse": "email", "Angelegt am": "moment",
    }  # fmt: skip
    assert list(taken(columns(german)).values()) == [
        "id", "given_name", "family_name", "date", "street", "postcode", "city", "phone", "email", ""
    ]  # fmt: skip
    spanish = {
        "Nombre": "given", "Apellidos": "family", "Fecha de nacimiento": "german", "Dirección": "street", "C.P.": "zip",
        "Población": "city", "Provincia": "state", "Teléfono": "phone", "Correo": "email", "Sexo": "sex",
    }  # fmt: skip
    assert list(taken(columns(spanish)).values()) == [
        "given_name", "family_name", "date", "street", "postcode", "city", "state", "phone", "email", "sex"
    ]  # fmt: skip


def test_the_historical_set_is_understood_and_its_cluster_is_no_evidence():
    names = {
        "unique_id": "id", "cluster": "cluster", "full_name": "full", "first_and_surname": "full",
        "first_name": "given", "surname": "family", "dob": "iso", "birth_place": "city", "postcode_fake": "postcode_uk",
        "gender": "sex", "occupation": "job",
    }  # fmt: skip
    assert taken(columns(names)) == {
        "unique_id": "id", "cluster": "", "full_name": "full_name", "first_and_surname": "",
        "first_name": "given_name", "surname": "family_name", "dob": "date", "birth_place": "city.birth",
        "postcode_fake": "postcode", "gender": "sex", "occupation": "category.occupation",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("made", "target"),
    [
        ("id", "id"),
        ("given", "given_name"),
        ("family", "family_name"),
        ("full", "full_name"),
        ("email", "email"),
        ("phone", "phone"),
        ("iso", "date"),
        ("american", "date"),
        ("german", "date"),
        ("compact", "date"),
        ("street", "street"),
        ("zip", "postcode"),
        ("postcode_uk", "postcode"),
        ("state", "state"),
        ("sex", "sex"),
        ("ssn", "identifier"),
        ("number", "house_number"),
        ("moment", ""),
        ("lately", ""),
        ("amount", ""),
        ("cluster", ""),
        ("same", ""),
        ("empty", ""),
        ("flag", ""),
    ],
)
def test_values_alone_tell_under_a_name_that_says_nothing(made, target):
    assert taken({"x1": MADE[made]}) == {"x1": target}


@pytest.mark.parametrize(("made", "form"), [("iso", "ymd"), ("american", "mdy"), ("german", "dmy"), ("compact", "ymd")])
def test_the_order_of_a_dates_parts_is_found_out(made, form):
    assert [column.form for column in infer({"born": MADE[made]}, names)] == [form]


@pytest.mark.parametrize(
    "names", [("by", "bm", "bd"), ("birth_year", "birth_month", "birth_day"), ("x", "y", "z"), ("Jahr", "Monat", "Tag")]
)
def test_a_birth_date_in_three_columns_is_one(names):
    table = dict(zip(names, (MADE["year"], MADE["month"], MADE["day"]), strict=True))
    assert list(taken(table).values()) == ["date.year", "date.month", "date.day"]


def test_a_name_is_not_believed_against_the_values():
    assert taken({"email": MADE["phone"], "phone": MADE["email"]}) == {"email": "phone", "phone": "email"}
    assert taken({"contact": MADE["email"]}) == {"contact": "email"}


@pytest.mark.parametrize("name", ["cluster", "cluster_id", "entity", "true_id", "duplicate_of", "match_id", "label"])
def test_what_tells_who_belongs_together_is_never_evidence_and_never_the_id(name):
    for made in ("cluster", "id", "ssn", "given"):
        assert taken({name: MADE[made], "email": MADE["email"]})[name] == ""


def test_of_many_ids_the_first_unique_one_numbers_the_records():
    table = {"customer_id": MADE["cluster"], "rec_id": [f"rec-{n}-org" for n in range(300)], "uuid": MADE["id"]}
    assert taken(table) == {"customer_id": "", "rec_id": "id", "uuid": ""}


def test_a_column_that_stands_twice_counts_once_and_a_second_phone_is_another_field():
    other = persons(seed=8)["phone"]
    table = {"phone": MADE["phone"], "phone copy": MADE["phone"], "work phone": other}
    assert taken(table) == {"phone": "phone", "phone copy": "", "work phone": "phone.2"}


def test_nothing_told_of_a_column_holds_a_value_of_it():
    values = {value for made in MADE.values() for value in made if len(value) > 3}
    for column in infer(MADE, names):
        assert not any(value in column.why for value in values)


def test_kinds_are_those_of_the_engine():
    assert [Column("x", target, "").kind for target in ("email.2", "date.year", "id", "")] == [
        Kind.EMAIL, Kind.DATE, None, None
    ]  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason="the public linkage sets are not here")
@pytest.mark.parametrize(
    ("file", "targets"),
    [
        (
            "febrl3",
            "id given_name family_name house_number street street.2 city postcode state date identifier",
        ),
        ("fake1000", "id given_name family_name date city email"),
        ("rl500", "id given_name given_name.2 family_name family_name.2 date.year date.month date.day"),
    ],
)
def test_the_public_sets_are_understood(file, targets):
    with (DATA / f"{file}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = {name: [row[name] for row in rows] for name in rows[0]}
    assert list(taken(table).values()) == targets.split()
    nameless = taken({f"x{place}": values for place, values in enumerate(table.values())})
    assert list(nameless.values())[:4] == targets.split()[:4]

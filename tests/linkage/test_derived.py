"""Columns that repeat one another are weighed once, and what was learned is told in words."""

import pytest

from benchmarks.persons import consumers, historical
from leadmill.linkage import Field, Kind, resolve, tell_model
from leadmill.linkage.derived import without_echoes
from leadmill.linkage.table import read_table
from tests.linkage.test_resolving import CONSUMERS, HISTORICAL, pairwise

ALL_NAMES = {"full_name": Kind.FULL_NAME, "first_and_surname": Kind.FULL_NAME, **HISTORICAL}


def texts(columns: dict[str, list[str]], fields: list[Field]) -> dict[str, list[str]]:
    table = without_echoes(read_table(columns, fields))
    return {
        column.field.name: ["" if code < 0 else str(column.values[code]) for code in column.codes.tolist()]
        for column in table.columns
    }


def test_a_whole_name_beside_its_parts_keeps_what_they_leave() -> None:
    columns = {
        "whole": ["Ann Marie Lee", "Tom Clay", "Sir Ian Fox", "Eva Hill", "Joe Dean", "Una May"],
        "first": ["Ann", "Tom", "Ian", "Eva", "Joe", ""],
        "last": ["Lee", "Clay", "Fox", "Hill", "Dean", "May"],
        "again": ["Ann Lee", "Tom Clay", "Ian Fox", "Eva Hill", "Joe Dean", "May"],
    }
    fields = [
        Field("whole", Kind.FULL_NAME),
        Field("again", Kind.FULL_NAME),
        Field("first", Kind.GIVEN_NAME),
        Field("last", Kind.FAMILY_NAME),
    ]
    found = texts(columns, fields)
    assert found["whole"] == ["marie", "", "sir", "", "", "una"]
    assert "again" not in found
    assert found["first"] == ["ann", "tom", "ian", "eva", "joe", ""]


def test_a_column_that_stands_twice_is_left_once() -> None:
    values = ["Oak Street", "Elm Drive", "Mill Road", "Park Avenue", "Church Lane", "Main Street"]
    found = texts({"a": values, "b": values}, [Field("a", Kind.STREET), Field("b", Kind.STREET)])
    assert list(found) == ["a"]


def test_a_street_loses_the_house_number_that_has_a_column_of_its_own() -> None:
    streets = [f"{number} Oak Street" for number in range(1, 9)]
    numbers = [str(number) for number in range(1, 9)]
    fields = [Field("street", Kind.STREET), Field("house", Kind.HOUSE_NUMBER)]
    assert set(texts({"street": streets, "house": numbers}, fields)["street"]) == {"oak st"}


def test_a_whole_name_alone_is_taken_apart() -> None:
    columns = {"name": ["Ann Lee", "Clay, Tom", "Dr. Ian van Dyke"], "city": ["Bonn", "Ulm", "Jena"]}
    found = texts(columns, [Field("name", Kind.FULL_NAME), Field("city", Kind.CITY)])
    assert found["name: given name"] == ["ann", "tom", "ian"]
    assert found["name: family name"] == ["lee", "clay", "van dyke"]


@pytest.mark.parametrize("kinds", [HISTORICAL, ALL_NAMES])
def test_repeated_columns_make_nobody_surer(kinds: dict[str, Kind]) -> None:
    made = historical(100, seed=21)
    columns = {name: [row[name] for row in made.rows] for name in kinds}
    found = resolve(columns, [Field(name, kind) for name, kind in kinds.items()])
    precision, recall = pairwise(made.truth, found.clusters.tolist())
    assert precision > 0.93
    assert recall > 0.87


def test_a_whole_name_does_nearly_as_well_as_its_parts() -> None:
    made = consumers(300, seed=22)
    rows = [{**row, "name": f"{row['first_name']} {row['last_name']}".strip()} for row in made.rows]
    kinds = {"name": Kind.FULL_NAME, **{name: kind for name, kind in CONSUMERS.items() if "_name" not in name}}
    columns = {name: [row[name] for row in rows] for name in kinds}
    found = resolve(columns, [Field(name, kind) for name, kind in kinds.items()])
    assert min(pairwise(made.truth, found.clusters.tolist())) > 0.95


def test_what_was_learned_is_told_in_words() -> None:
    made = consumers(400, seed=23)
    columns = {name: [row[name] for row in made.rows] for name in CONSUMERS}
    found = resolve(columns, [Field(name, kind) for name, kind in CONSUMERS.items()])
    lines = list(tell_model(found.model, len(made.rows)))
    assert lines[0].startswith("About ")
    assert any("share a home" in line for line in lines)
    told = next(line for line in lines if line.startswith("birth_date: same in "))
    assert "of one person's pairs, one in" in told
    assert any(line.startswith("Where first_name and last_name agree, email says little") for line in lines)

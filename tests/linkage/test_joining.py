"""Files that name and write things differently, read and laid side by side; maps written, edited and read back."""

import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadmill.core.faults import BadInput
from leadmill.linkage.columns import Column, infer
from leadmill.linkage.joining import join
from leadmill.linkage.mapfile import apply_map, read_column_map, write_column_map
from leadmill.linkage.sheets import ids_of, meant, read_sheet
from leadmill.runtime.rowfiles import Layout, Sheet
from tests.linkage.persons import names, persons

MADE = persons(120)


def sheet(name: str, columns: dict[str, list[str]]) -> Sheet:
    return Sheet(name, len(next(iter(columns.values()))), columns, ())


def understood(name: str, columns: dict[str, list[str]]) -> tuple[Sheet, tuple[Column, ...]]:
    return sheet(name, columns), infer(columns, names)


def read(path: Path) -> Sheet:
    return read_sheet(path, path.name, Layout(), lambda rows: None)


def test_two_exports_with_other_names_and_other_forms_become_one_table():
    first = {
        "id": MADE["id"], "First Name": MADE["given"], "Last Name": MADE["family"], "Birthdate": MADE["american"],
        "Street": MADE["street"], "Zip": MADE["zip"], "Email": MADE["email"],
    }  # fmt: skip
    second = {
        "Kunde": MADE["full"], "Geburtsdatum": MADE["german"], "Straße": MADE["road"], "Hausnummer": MADE["number"],
        "PLZ": MADE["zip"], "Telefon": MADE["phone"],
    }  # fmt: skip
    joined = join([understood("a.csv", first), understood("b.csv", second)])
    assert joined.records == 240
    assert {field.name: field.kind.value for field in joined.fields} == {
        "given_name": "given_name", "family_name": "family_name", "birth_date": "date", "street": "street",
        "house_number": "house_number", "postcode": "postcode", "email": "email", "phone": "phone",
    }  # fmt: skip
    for name in ("given_name", "family_name", "birth_date", "postcode"):
        assert joined.columns[name][:120] == joined.columns[name][120:], name
    assert joined.columns["house_number"][0] == MADE["street"][0].split()[0]
    assert joined.columns["street"][0] == MADE["street"][0].split(" ", 1)[1]
    assert joined.columns["email"][120:] == [""] * 120
    assert joined.columns["phone"][:120] == [""] * 120


def test_a_date_in_parts_becomes_one():
    joined = join([understood("a.csv", {"by": MADE["year"], "bm": MADE["month"], "bd": MADE["day"]})])
    assert joined.columns["birth_date"] == [value.replace("-", "") for value in MADE["iso"]]


def test_one_file_with_whole_names_keeps_them_whole():
    joined = join([understood("a.csv", {"name": MADE["full"], "email": MADE["email"]})])
    assert [field.name for field in joined.fields] == ["full_name", "email"]


def test_a_map_that_was_written_says_the_same_when_read(tmp_path):
    one = infer({"Name": MADE["full"], "geb.": MADE["german"], "Notiz": MADE["same"], 'odd "name"': MADE["zip"]}, names)
    other = infer({"by": MADE["year"], "bm": MADE["month"], "bd": MADE["day"], "name": MADE["full"]}, names)
    for files in ({"a.csv": one}, {"a.csv": one, "b.csv": one}, {"a.csv": one, "b.csv": other}):
        path = tmp_path / "map.toml"
        path.write_text(write_column_map(files), encoding="utf-8")
        said = read_column_map(path)
        for name, columns in files.items():
            blank = [Column(column.name, "", "", form="ymd") for column in columns]
            again = apply_map(blank, said, name)
            assert [column.target for column in again] == [column.target for column in columns]
            dates = [column.form for column in columns if column.target == "date"]
            assert [column.form for column in again if column.target == "date"] == dates


def test_an_edited_map_outranks_what_was_found_out(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        '[columns]\nwork = "phone"\nother = ""\nno = "id"\n[types]\nborn = "date:DD/MM/YYYY"\n'
        '[values."*"]\n"Select" = ""\n[values.town]\nNYC = "new york"\n'
    )
    said = read_column_map(path)
    columns = {"id": ["1", "2"], "no": ["7", "8"], "home": ["1", "2"], "work": ["1", "2"], "other": ["", ""]}
    columns |= {"born": ["1/2/1980", ""], "town": ["NYC", "Select"]}
    targets = ["id", "", "phone", "text.x", "email", "date", "city"]
    found = [Column(name, target, "") for name, target in zip(columns, targets, strict=True)]
    taken = apply_map(found, said, "a.csv")
    assert [column.target for column in taken] == ["", "id", "phone.2", "phone", "", "date", "city"]
    assert taken[5].form == "dmy"
    changed = meant(sheet("a.csv", columns), taken, said)
    assert changed.columns["town"] == ["new york", ""]
    assert ids_of(changed, taken) == ["7", "8"]
    assert join([(changed, taken)]).columns["birth_date"] == ["19800201", ""]


def test_a_map_for_an_import_is_understood(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        '[columns]\na = "first_name"\nb = "fields.zip"\nc = "context.utm_campaign"\nd = "date_of_birth"\n'
        '[constants]\n"consent.text" = "yes"\n[types]\nd = "date:MM-DD-YYYY"\nb = "text"\n'
    )
    said = read_column_map(path)
    assert said.columns == {"a": "given_name", "b": "postcode", "c": "", "d": "date"}
    assert said.forms == {"d": "mdy"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[columns]\na = "emial"\n', "did you mean 'email'"),
        ("[columns]\na = 3\n", "must be a text"),
        ('[colums]\na = "email"\n', "did you mean 'columns'"),
        ('[types]\na = "date:DD/DD/YYYY"\n', "date:DD/MM/YYYY"),
        ('[file]\ndelimiter = ";;"\n', "one character"),
        ("[values]\na = 1\n", "one line an answer"),
        ('[files."a.csv".files]\n', "files"),
        ("nonsense", "map.toml"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(tmp_path, text, says):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"linkage\.map\.malformed") as raised:
        read_column_map(path)
    assert says in raised.value.detail


def test_a_column_the_file_has_not_is_refused_with_the_nearest(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('[columns]\nEmial = "email"\n')
    with pytest.raises(BadInput, match=r"linkage\.map\.column") as raised:
        apply_map([Column("Email", "email", "")], read_column_map(path), "a.csv")
    assert "did you mean 'Email'" in raised.value.detail


def test_every_kind_of_file_gives_the_same_sheet(tmp_path):
    rows = [{"name": "Ana", "zip": 1234, "more": None}, {"name": "Zoë", "zip": 5678, "more": "x"}]
    (tmp_path / "a.csv").write_text("name;zip;more\nAna;1234;\nZoë;5678; x\n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    book = openpyxl.Workbook()
    book.active.append(["name", "zip", "more"])
    for row in rows:
        book.active.append(list(row.values()))
    book.save(tmp_path / "a.xlsx")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    expected = {"name": ["Ana", "Zoë"], "zip": ["1234", "5678"], "more": ["", "x"]}
    for kind in ("csv", "jsonl", "xlsx", "parquet"):
        assert read(tmp_path / f"a.{kind}").columns == expected, kind


def test_json_lines_may_nest_and_leave_out(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1, "name": {"first": "Ana", "all": ["A", "L"]}}\n{"id": 2, "vip": true}\nnot json\n')
    found = read(path)
    assert found.columns == {
        "id": ["1", "2"], "name.first": ["Ana", ""], "name.all": ["A L", ""], "vip": ["", "true"]
    }  # fmt: skip
    assert [(line, fault.code) for line, fault in found.faults] == [(3, "capture.row.malformed")]


def test_a_file_without_a_row_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("name,zip\n")
    with pytest.raises(BadInput, match=r"linkage\.file\.empty"):
        read(tmp_path / "a.csv")


def test_a_row_without_values_is_a_record_and_an_empty_line_is_none(tmp_path):
    (tmp_path / "a.csv").write_text("name,zip\nAna,1\n,\n\nBo,2\n")
    assert read(tmp_path / "a.csv").columns == {"name": ["Ana", "", "Bo"], "zip": ["1", "", "2"]}


def test_records_are_called_by_their_place_where_nothing_numbers_them():
    assert ids_of(sheet("a.csv", {"x": ["a", "b"]}), [Column("x", "city", "")]) == ["1", "2"]

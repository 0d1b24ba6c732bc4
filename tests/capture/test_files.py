"""Files of leads, well written and not."""

import random
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadmill.capture.filemap import check_map, parse_map
from leadmill.capture.files import RowFault, count_rows, digest_file, read_map, read_rows
from leadmill.core.faults import BadInput
from leadmill.runtime.rowfiles import shape_of
from tests.capture.leads import VERTICALS


@pytest.fixture
def put(tmp_path):
    def put(content: "str | bytes", name: str = "leads.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return put


def rows(path: Path, found: dict[str, Any] | None = None) -> list[Any]:
    return list(read_rows(path, parse_map(found or {})))


def faults(path: Path) -> list[tuple[int, str]]:
    return [(line, row.code) for line, row in rows(path) if isinstance(row, RowFault)]


TABLE = [(2, {"name": "Ana", "zip": "01234", "note": "a, b"}), (3, {"name": "Zoë", "zip": "94107"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_and_delimiter_are_found_out(put, encoding, sign, end):
    text = end.join(
        [sign.join(["name", "zip", "note"]), sign.join(["Ana", "01234", '"a, b"']), sign.join(["Zoë", "94107", ""])]
    )
    assert rows(put(text + end, encoding=encoding)) == TABLE


def test_a_file_is_what_its_bytes_say_whatever_its_name(put):
    assert shape_of(put('{"a": 1}\n', "leads.csv")).kind == "jsonl"
    assert shape_of(put("a,b\n1,2\n", "leads.xlsx")).kind == "csv"


def test_a_quoted_line_break_belongs_to_its_field_and_lines_are_counted_on(put):
    assert rows(put('name,note\nAna,"one\ntwo"\nBo,x\n')) == [
        (2, {"name": "Ana", "note": "one\ntwo"}),
        (4, {"name": "Bo", "note": "x"}),
    ]


def test_ragged_rows_are_faults_with_their_lines_and_the_rest_goes_on(put):
    path = put("a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n\n4,5,6\n")
    assert faults(path) == [(3, "capture.row.ragged"), (4, "capture.row.ragged")]
    assert [line for line, row in rows(path) if isinstance(row, dict)] == [2, 5, 7]
    detail = next(row.detail for _, row in rows(path) if isinstance(row, RowFault))
    assert "2 columns where the header has 3" in detail


def test_a_row_of_nothing_but_delimiters_is_no_lead(put):
    assert rows(put("a,b\n1,2\n,\n3,4\n")) == [(2, {"a": "1", "b": "2"}), (4, {"a": "3", "b": "4"})]


def test_a_quote_left_open_loses_its_own_rows_only(put):
    long = "\n".join(f"{n},x" for n in range(400_000))
    path = put(f'a,b\n1,"open\n{long}\n')
    found = faults(path)
    assert found[0] == (2, "capture.row.quote")
    assert any(isinstance(row, dict) for _, row in rows(path))


def test_bytes_of_another_encoding_are_a_fault_of_their_row(put):
    head = "name,zip\n" + "Ana,1\n" * 60_000
    path = put(head.encode() + b"Zo\xeb,2\nBo,3\n")
    assert faults(path) == [(60_002, "capture.row.encoding")]


def test_control_characters_are_a_fault_of_their_row(put):
    assert faults(put(b"a,b\nx\x00,1\ny,2\nz\x1b[31m,3\n")) == [
        (2, "capture.row.characters"),
        (4, "capture.row.characters"),
    ]


def test_no_value_of_a_row_stands_in_its_fault(put):
    path = put(b"a,b\nsecret,1,2\nsecret\x07,2\n")
    assert all("secret" not in row.detail for _, row in rows(path) if isinstance(row, RowFault))


def test_columns_without_a_name_or_with_the_same_one_are_told_apart(put):
    assert rows(put("a,,a\n1,2,3\n")) == [(2, {"a": "1", "column 2": "2", "a (3)": "3"})]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "capture.file.header"),
        ("  \n\n", "capture.file.header"),
        ("ana@example.com,94107\nbo@example.com,94108\n", "capture.file.header"),
        ("1,2\n3,4\n", "capture.file.header"),
        (",".join(f"c{n}" for n in range(1001)), "capture.file.header"),
        ('[{"a": 1}]', "capture.file.malformed"),
        (b"\x1f\x8b\x08rest", "capture.file.malformed"),
        (b"\xd0\xcf\x11\xe0rest", "capture.file.malformed"),
        (b"%PDF-1.7", "capture.file.malformed"),
        (b"PK\x03\x04rest", "capture.file.malformed"),
        (b"PAR1rest", "capture.file.malformed"),
    ],
)
def test_a_file_that_is_no_table_is_refused_before_the_first_row(put, content, code):
    with pytest.raises(BadInput) as refused:
        rows(put(content))
    assert refused.value.code == code


def test_a_missing_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(BadInput, match=r"capture\.file\.unreadable: none\.csv"):
        read_rows(tmp_path / "none.csv")


def test_a_wrong_delimiter_is_named_with_the_right_one(put):
    with pytest.raises(BadInput, match=r"capture\.file\.delimiter.*';' gives 2 columns"):
        rows(put("a;b\n1;2\n"), {"file": {"delimiter": ","}})


def test_json_lines_are_read_one_by_one(put):
    path = put('{"fields": {"email": "a@example.com"}}\n\n{"a": 1,}\n[1]\n{"a": NaN}\n{"b": 2}', "x.jsonl")
    assert rows(path)[0] == (1, {"fields": {"email": "a@example.com"}})
    assert faults(path) == [(3, "capture.row.malformed"), (4, "capture.row.shape"), (5, "capture.row.malformed")]
    assert rows(path)[-1] == (6, {"b": 2})


def test_a_map_moves_the_keys_of_json_lines(put):
    path = put('{"src": "web", "fields": {"zip": "1"}}\n', "x.jsonl")
    found = {"columns": {"src": "context.channel"}, "constants": {"consent.version": "1", "fields.zip": "9"}}
    assert rows(path, found) == [
        (1, {"fields": {"zip": "1"}, "context": {"channel": "web"}, "consent": {"version": "1"}})
    ]


def book(path: Path, table: list[list[Any]], sheet: str = "Leads") -> Path:
    made = openpyxl.Workbook()
    made.active.title = sheet
    for row in table:
        made.active.append(row)
    made.save(path)
    return path


def test_a_workbook_gives_numbers_flags_and_dates(tmp_path):
    path = book(tmp_path / "x.xlsx", [
        [], ["zip", "when", "at", "rate", "flag", "bad", "blank"],
        [94107, date(2026, 1, 5), datetime(2026, 1, 5, 9, 30), 1.5, True, "#N/A", None], [], ["01234", None, None, 2.0],
    ])  # fmt: skip
    assert rows(path) == [
        (3, {"zip": 94107, "when": "2026-01-05", "at": "2026-01-05T09:30:00", "rate": 1.5, "flag": True}),
        (5, {"zip": "01234", "rate": 2}),
    ]


def test_values_beyond_the_header_are_a_fault(tmp_path):
    assert faults(book(tmp_path / "x.xlsx", [["a"], [1, 2], [3]])) == [(2, "capture.row.ragged")]


def test_the_sheet_a_map_names_is_read_and_a_wrong_one_refused(tmp_path):
    path = book(tmp_path / "x.xlsx", [["a"], [1]], "Enquiries")
    assert rows(path, {"file": {"sheet": "Enquiries"}}) == [(2, {"a": 1})]
    with pytest.raises(BadInput, match="did you mean 'Enquiries'"):
        rows(path, {"file": {"sheet": "Inquiries"}})


@pytest.mark.parametrize(
    "entries",
    [
        {"[Content_Types].xml": b"", "xl/worksheets/sheet1.xml": b"0" * 300_000_000},
        {"[Content_Types].xml": b"", **{f"xl/{n}.xml": b"" for n in range(5001)}},
        {"other.txt": b"not a workbook"},
    ],
)
def test_a_zip_file_that_is_no_honest_workbook_is_not_opened(tmp_path, entries):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(BadInput, match=r"capture\.file\.(too_large|malformed)"):
        rows(path)


def test_entities_in_a_workbook_are_not_expanded(tmp_path):
    path = book(tmp_path / "x.xlsx", [["a"], ["text"]])
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            bombed = bomb + content.replace(b"text", b"&b;")
            archive.writestr(name, bombed if name.endswith("sheet1.xml") else content)
    with pytest.raises(BadInput, match=r"capture\.file\.malformed"):
        rows(path)


def test_a_cut_workbook_is_refused(tmp_path):
    path = book(tmp_path / "x.xlsx", [["a"], [1]])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match=r"capture\.file\.malformed"):
        rows(path)


def test_parquet_gives_its_types_as_json_has_them(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({
        "zip": ["01234", None], "when": [date(2026, 1, 5), None], "rate": [1.5, float("nan")],
        "tags": [["a", "b"], None], "note": ["x", None],
    }), path)  # fmt: skip
    assert rows(path) == [(2, {"zip": "01234", "when": "2026-01-05", "rate": 1.5, "tags": ["a", "b"], "note": "x"})]
    assert count_rows(path) == 2


def test_rows_are_counted_for_a_progress_bar(put):
    assert count_rows(put("a,b\n1,2\n3,4\n")) == 2
    assert count_rows(put('{"a": 1}\n{"a": 2}\n', "x.jsonl")) == 2


def test_the_digest_is_the_files_own(put):
    one, same, other = digest_file(put("a\n", "1")), digest_file(put("a\n", "2")), digest_file(put("b\n", "3"))
    assert one == same != other


MAP = {
    "columns": {
        "Lead Source": "context.channel",
        "First": "first_name",
        "Internal": "",
        "Tag": "extra.tag",
        "Due": "date_of_birth",
    },
    "constants": {"consent.text": "I agree", "consent.sellers": ["A", "B"], "country": "US"},
    "values": {"*": {"Select": ""}, "context.channel": {"fb": "Facebook"}, "First": {"-": ""}},
    "types": {"date_of_birth": "date:DD/MM/YYYY", "zip": "text"},
}


def test_a_map_moves_fills_and_translates(put):
    path = put("Lead Source,first,Internal,Tag,Due,zip,Other\nfb,Ana,x,hot,31/12/1980,94107,Select\nSelect,-,,,,,\n")
    constant = {"consent": {"text": "I agree", "sellers": ["A", "B"]}}
    assert rows(path, MAP) == [
        (2, {**constant, "context": {"channel": "Facebook"}, "extra": {"tag": "hot"}, "zip": "94107",
             "fields": {"country": "US", "first_name": "Ana", "date_of_birth": "1980-12-31"}}),
        (3, {**constant, "fields": {"country": "US"}}),
    ]  # fmt: skip


def test_a_number_that_should_be_text_becomes_it(tmp_path):
    path = book(tmp_path / "x.xlsx", [["zip"], [94107.0], ["01234"]])
    assert rows(path, {"types": {"zip": "text"}}) == [(2, {"zip": "94107"}), (3, {"zip": "01234"})]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"column": {}}, "did you mean 'columns'"),
        ({"columns": {"A": "email", "B": "fields.email"}}, "two columns go to 'fields.email'"),
        ({"columns": {"A": 1}}, "text"),
        ({"columns": []}, "table"),
        ({"types": {"zip": "txt"}}, "date:DD/MM/YYYY"),
        ({"types": {"zip": "date:DD/DD/YYYY"}}, "date:DD/MM/YYYY"),
        ({"types": {"zip": "int:DD/MM/YYYY"}}, "date:DD/MM/YYYY"),
        ({"values": {"zip": "x"}}, "one line an answer"),
        ({"constants": {"zip": {"a": 1}}}, "text"),
        ({"file": {"delimiter": ";;"}}, "one character"),
        ({"file": {"sep": ";"}}, "sep"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(found, says):
    with pytest.raises(BadInput, match=says):
        parse_map(found)


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("emial", "did you mean 'email'"),
        ("context.chanel", "did you mean 'context.channel'"),
        ("consent.txt", "did you mean 'consent.text'"),
    ],
)
def test_a_map_to_a_field_the_vertical_has_not_is_refused_with_the_nearest(to, says):
    with pytest.raises(BadInput, match=says):
        check_map(parse_map({"columns": {"A": to}}), VERTICALS["solar"])
    check_map(parse_map({"columns": {"A": "extra.anything", "B": "", "C": "monthly_bill"}}), VERTICALS["solar"])


def test_a_column_the_file_has_not_is_refused_with_the_nearest(put):
    with pytest.raises(BadInput, match=r"capture\.file\.column.*did you mean 'Lead Source'"):
        rows(put("Lead Source,x\n1,2\n"), {"columns": {"Lead Sorce": "context.channel"}})


def test_maps_that_say_the_same_have_one_digest(put, tmp_path):
    one = put('[constants]\n"consent.text" = "x"\nzip = "1"\n', "a.toml")
    two = put('# other order\n[constants]\nzip = "1"\n"consent.text" = "x"\n', "b.toml")
    assert read_map(one) == read_map(two) and read_map(one).digest != read_map(None).digest
    with pytest.raises(BadInput, match=r"capture\.map\.malformed: c\.toml"):
        read_map(put("x = ", "c.toml"))
    with pytest.raises(BadInput, match=r"capture\.map\.malformed"):
        read_map(tmp_path / "none.toml")


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_end_in_rows_faults_or_a_refusal(put, seed):
    chance = random.Random(seed)
    alphabet = [
        b",",
        b'"',
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"{",
        b"a",
        b"1",
        b";",
        b"\xef\xbb\xbf",
        b"PK\x03\x04",
        b"name,zip\n",
    ]
    path = put(b"".join(chance.choice(alphabet) for _ in range(chance.randrange(400))))
    try:
        found = rows(path)
    except BadInput:
        return
    assert all(isinstance(row, dict | RowFault) for _, row in found)
    assert [line for line, _ in found] == sorted({line for line, _ in found})

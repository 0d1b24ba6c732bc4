"""Files that no spreadsheet made: refused whole with a word, or taken row by row with a line for each fault."""

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadmill.capture import check_map, read_map, read_rows, read_verticals
from leadmill.core.faults import BadInput
from leadmill.parties import Role
from leadmill.runtime.packs import BUILT_IN, load_packs
from tests.abuse.caller import Browser
from tests.abuse.running import GATE, Mill, lead, traces, until
from tests.abuse.test_hostile_text import HOSTILE, seen

HEADER = ["first_name", "last_name", "email", "phone", "zip", "state", "monthly_bill"]


def row(**more: Any) -> list[str]:
    fields = lead(**more)["fields"]
    return [str(fields.get(name, "")) for name in HEADER]


def table(rows: list[list[str]], delimiter: str = ",", header: list[str] | None = None) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header or HEADER, *rows])
    return out.getvalue()


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for each in (HEADER, *rows):
        book.active.append(each)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(book: bytes, name: str, content: bytes) -> bytes:
    """A workbook with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, content if entry.filename == name else old.read(entry))
    return out.getvalue()


def parquet(rows: list[list[str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: [each[at] for each in rows] for at, name in enumerate(HEADER)}), out)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">%s]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row></sheetData></worksheet>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
SPY = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>&a;</t></is></c></row></sheetData></worksheet>"""

REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "nothing": ("x.csv", lambda: b"", "empty"),
    "only blanks": ("x.csv", lambda: b" \r\n\n\t\n", "empty"),
    "only separators": ("x.csv", lambda: b",,,,\n,,,,\n", "names the columns"),
    "data without names": (
        "x.csv",
        lambda: b"ana@example.com,4155550100\nbo@example.com,4155550101\n",
        "name the columns",
    ),
    "a million columns": ("x.csv", lambda: b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n", "1000 columns"),
    "one endless quote": ("x.csv", lambda: b'"' + b"x" * 3_000_000, "names the columns"),
    "a picture": ("x.csv", lambda: b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(5000), ""),
    "a PDF": ("x.csv", lambda: b"%PDF-1.7\n" + b"x" * 100, "PDF"),
    "a packed file": ("x.csv", lambda: b"\x1f\x8b\x08\x00" + b"x" * 100, "compressed"),
    "a list of JSON": ("x.jsonl", lambda: b'[{"email":"a@b.co"}]', "one object a line"),
    "an encrypted workbook": ("x.xlsx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "Excel"),
    "a zip of other things": ("x.xlsx", lambda: zipped({"a.txt": b"hello"}), "no workbook"),
    "a cut workbook": ("x.xlsx", lambda: workbook([row()])[:-200], "cannot be read"),
    "a workbook with a broken sheet": ("x.xlsx", lambda: repacked(workbook([row()]), SHEET, b"<worksheet"), ""),
    "a bomb": (
        "x.xlsx",
        lambda: repacked(workbook([row()]), SHEET, b"<a>" + b" " * 20_000_000),
        "unpacks to far more",
    ),
    "ten thousand parts": (
        "x.xlsx",
        lambda: zipped({f"{n}": b"" for n in range(10_000)}, workbook=True),
        "unpacks to far",
    ),
    "a workbook that laughs": ("x.xlsx", lambda: repacked(workbook([row()]), SHEET, LAUGHS), ""),
    "a workbook that spies": ("x.xlsx", lambda: repacked(workbook([row()]), SHEET, SPY), ""),
    "garbage called Parquet": (
        "x.parquet",
        lambda: b"PAR1" + random.Random(2).randbytes(5000) + b"PAR1",
        "cannot be read",
    ),
    "a cut Parquet file": ("x.parquet", lambda: parquet([row()])[:-10], "cannot be read"),
}


def zipped(parts: dict[str, bytes], workbook: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ({"[Content_Types].xml": b"<Types/>"} | parts if workbook else parts).items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture(scope="module")
def operator(mill: Mill) -> Browser:
    return mill.signed_in(Role.OPERATOR)


def bring(operator: Browser, name: str, data: bytes) -> Any:
    return operator.upload("/imports", {"_csrf": operator.secret(), "source": "gate", "vertical": "solar"}, name, data)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_noted_of_it(
    mill: Mill, operator: Browser, name: str
) -> None:
    file, make, says = REFUSED[name]
    before = operator.get("/imports").text.count('href="/imports/imp_')
    reply = bring(operator, file, make())
    assert reply.status == 422, reply.text[-500:]
    shown = seen(reply.text)
    assert says in shown
    assert "root:" not in shown and "haha" not in shown
    assert operator.get("/imports").text.count('href="/imports/imp_') == before
    assert not list((mill.home / "uploads").glob("*")), "a refused file stays"


TAKEN: dict[str, tuple[str, Callable[[], bytes], dict[str, int]]] = {
    "ragged rows": (
        "x.csv",
        lambda: (table([row()]) + "a,b\n" + ",".join([*row(), "too", "many"]) + "\n" + ",".join(row())).encode(),
        {"capture.row.ragged": 2, "sold": 0},
    ),
    "semicolons": ("x.csv", lambda: table([row(), row()], ";").encode(), {}),
    "tabs": ("x.tsv", lambda: table([row(), row()], "\t").encode(), {}),
    "pipes": ("x.txt", lambda: table([row(), row()], "|").encode(), {}),
    "Latin-1": ("x.csv", lambda: table([row(first_name="Zoë"), row(last_name="Müller")]).encode("latin-1"), {}),
    "UTF-16": ("x.csv", lambda: table([row(first_name="Zoë")]).encode("utf-16"), {}),
    "UTF-8 with a mark": ("x.csv", lambda: table([row(first_name="Zoë")]).encode("utf-8-sig"), {}),
    "old line ends": ("x.csv", lambda: table([row(), row()]).replace("\r\n", "\r").encode(), {}),
    "an open quote": ("x.csv", lambda: (table([row()]) + '"' + ",".join(row())).encode(), {"capture.row.ragged": 1}),
    "a cell beyond all measure": (
        "x.csv",
        lambda: (table([row()]) + "x" * 2_000_000 + "," * 6 + "\n" + table([row()]).partition("\n")[2]).encode(),
        {"capture.row.quote": 1},
    ),
    "a bell": ("x.csv", lambda: table([row(first_name="a\x07b"), row()]).encode(), {"capture.row.characters": 1}),
    "a NUL": ("x.csv", lambda: table([row(first_name="a\x00b"), row()]).encode(), {"capture.row.characters": 1}),
    "bytes of another encoding late in the file": (
        "x.csv",
        lambda: table([row() for _ in range(5)], header=HEADER).encode() + b"\xff\xfe,b,c,d,e,f,g\n",
        {},
    ),
    "one name for all columns": ("x.csv", lambda: ("email," * 6 + "email\n" + ",".join(row())).encode(), {}),
    "hostile cells": (
        "x.csv",
        lambda: table([row(first_name=text, last_name=text, state=text[:50]) for text in HOSTILE.values()]).encode(),
        {},
    ),
    "hostile names of columns": (
        "x.csv",
        lambda: table([[*row(), "x", "y", "z"]], header=[*HEADER, *list(HOSTILE.values())[1:4]]).encode(),
        {},
    ),
    "wrong types": ("x.csv", lambda: table([row(monthly_bill="lots"), row()]).encode(), {"capture.field.type": 1}),
    "JSON lines with broken ones": (
        "x.jsonl",
        lambda: b"\n".join(
            [json.dumps(lead()).encode(), b"{", b"[]", b"", b'{"a":NaN}', b'{"a":1,"a":2}', b'{"a":"\xff"}',
             b'{"a":' * 5000,
             json.dumps({"x": "y" * (1 << 20)}).encode(), b'{"vertical":"\\ud800"}', json.dumps(lead()).encode()]
        ),
        {"capture.row.malformed": 2, "capture.row.shape": 3, "capture.row.encoding": 1, "capture.row.too_large": 1,
         "capture.row.values": 1},
    ),
    "a workbook of odd cells": (
        "x.xlsx",
        lambda: workbook([row(), [*row()[:-1], True], ["=1+1", None, 5.5, "#REF!"], [None] * 7, [*row(), "beyond"]]),
        {"capture.row.ragged": 1},
    ),
    "odd Parquet": ("x.parquet", lambda: parquet([row(), row(first_name="<script>"), row(last_name="=1+1")]), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_every_row_of_an_odd_file_is_a_lead_or_a_line_with_its_fault(mill: Mill, operator: Browser, name: str) -> None:
    file, make, faults = TAKEN[name]
    reply = bring(operator, f"{name}.{file.partition('.')[2]}", make())
    assert reply.status == 303, reply.text[-800:]
    path = reply.headers["location"].partition("?")[0]

    def ended() -> str:
        page = operator.get(path).text
        return "" if ">running<" in page.lower() else page

    page = until(ended, "the import")
    assert "failed" not in seen(page).lower(), seen(page)
    lines = list(csv.reader(io.StringIO(operator.get(f"{path}/errors.csv").text)))
    assert lines[0] == ["line", "code", "what to do"]
    counted: dict[str, int] = {}
    for line, code, detail in lines[1:]:
        assert line.isdigit() and detail
        assert traces(detail) == []
        counted[code] = counted.get(code, 0) + 1
    wanted = {code: n for code, n in faults.items() if n}
    assert {code: counted.get(code) for code in wanted} == wanted, counted
    leads = (
        mill.caller(mill.keys["operator"]).get(f"/v1/leads?limit=200&import_id={path.rpartition('/')[2]}").json["items"]
    )
    read = int(re.search(r"<dt>Rows read</dt><dd>([\d,]+)", page)[1].replace(",", ""))  # type: ignore[index]
    assert read == len(leads) + len(lines) - 1
    until(lambda: not list((mill.home / "uploads").glob("*")), "the uploaded file to be gone")


def test_an_upload_of_another_kind_or_for_somebody_else_is_refused(mill: Mill, operator: Browser) -> None:
    secret = operator.secret()
    good = {"_csrf": secret, "source": "gate", "vertical": "solar"}
    for fields, name in (
        (good, "x.exe"), (good, ""), (good, "x"), (good, "../../../x"), (good | {"source": "nobody"}, "x.csv"),
        (good | {"vertical": "legal"}, "x.csv"), (good | {"vertical": "../.."}, "x.csv"),
        (good | {"source": ""}, "x.csv"),
        (good | {"source": "<script>"}, "x.csv"),
    ):  # fmt: skip
        reply = operator.upload("/imports", fields, name, table([row()]).encode())
        assert reply.status == 422
        seen(reply.text)
    for text in (
        "../../../../tmp/evil.csv",
        "..\\..\\evil.csv",
        "<img src=x onerror=alert(1)>.csv",
        "a\u202evsc.csv",
        "x" * 500 + ".csv",
    ):
        reply = operator.upload("/imports", good, text.replace('"', ""), table([row()]).encode())
        assert reply.status == 303
        seen(operator.get(reply.headers["location"]).text)
        seen(operator.get("/imports").text)
    assert not Path("/tmp/evil.csv").exists()


def test_the_same_file_twice_is_one_import(mill: Mill, operator: Browser) -> None:
    data = table([row(), row()]).encode()
    places = {bring(operator, "same.csv", data).headers["location"] for _ in range(3)}
    assert len(places) == 1
    path = places.pop().partition("?")[0]
    until(lambda: ">running<" not in operator.get(path).text.lower(), "the import")
    found = mill.caller(mill.keys["operator"]).get(f"/v1/leads?import_id={path.rpartition('/')[2]}").json["items"]
    assert len(found) == 2


MAPS = {
    "an unknown key": ('[column]\nemail = "email"\n', "did you mean 'columns'"),
    "an unknown field": ('[columns]\nemail = "emial"\n', "did you mean 'email'"),
    "a column that is not there": ('[columns]\nmail = "email"\n', "no column 'mail'"),
    "two columns for one field": ('[columns]\nemail = "email"\nphone = "email"\n', "two columns go to"),
    "broken TOML": ("[columns\n", "map.toml"),
    "an unknown encoding": ('[file]\nencoding = "klingon"\n', "cannot be read as klingon"),
    "a delimiter of two": ('[file]\ndelimiter = ";;"\n', "one character"),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_that_cannot_be_meant_is_refused_with_what_was_meant(tmp_path: Path, name: str) -> None:
    text, says = MAPS[name]
    (tmp_path / "map.toml").write_text(text)
    (tmp_path / "leads.csv").write_text(table([row()]))
    solar = read_verticals(load_packs(BUILT_IN))["solar"]

    def read() -> None:
        found = read_map(tmp_path / "map.toml")
        check_map(found, solar)
        list(read_rows(tmp_path / "leads.csv", found))

    with pytest.raises(BadInput, match=says):
        read()


def test_a_map_with_an_unknown_key_ends_the_command_and_nothing_is_taken(mill: Mill, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[columns]\nemail = "emial"\n')
    (tmp_path / "leads.csv").write_text(table([row()]))
    before = mill.newest()
    words = (
        "import",
        tmp_path / "leads.csv",
        "--source",
        "gate",
        "--vertical",
        "solar",
        "--map",
        tmp_path / "map.toml",
    )
    done = mill.run(*words)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "did you mean 'email'" in done.stderr
    assert "Traceback" not in done.stderr
    assert mill.newest() == before


def test_a_ragged_file_on_the_command_line_leaves_a_summary_and_an_errors_file(mill: Mill, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(table([row(), row()]) + "only,three,cells\n" + ",".join(row(monthly_bill="lots")) + "\n")
    words = ("import", path, "--source", "gate", "--vertical", "solar", "--json")
    summaries = [json.loads(mill.run(*words).stdout) for _ in range(2)]
    assert summaries[0] == summaries[1], "taken in again, nothing is taken twice"
    summary = summaries[0]
    counts = sum(summary[name] for name in ("sold", "assigned", "accepted", "review", "duplicate", "test"))
    assert summary["read"] == 4 == counts + sum(summary["rejected"].values())
    lines = Path(summary["errors_file"]).read_text()
    assert traces(lines) == []
    assert [line.split(",")[:2] for line in lines.splitlines()[1:]] == [
        ["4", "capture.row.ragged"],
        ["5", "capture.field.type"],
    ]
    assert GATE not in lines

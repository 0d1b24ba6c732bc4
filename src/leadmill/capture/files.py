"""Files of leads, row by row: CSV, XLSX, JSON lines and Parquet, in constant memory.

Used by the import flow. What kind of file it is, its encoding and its delimiter are found out from its bytes, never
from its name. A row that cannot be read comes out as a ``RowFault`` with its line and what to do; the rest of the
file goes on. A file that cannot be read at all raises ``BadInput`` before the first row.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from leadmill.capture.bodies import MAX_BYTES, read_body
from leadmill.capture.filemap import NO_MAP, Columns, check_map, read_map
from leadmill.capture.headers import name_columns, unclean
from leadmill.capture.model import FileMap, RowFault
from leadmill.capture.sheets import count_parquet, read_parquet, read_xlsx
from leadmill.core.faults import BadInput

__all__ = [
    "FileMap",
    "RowFault",
    "Shape",
    "check_map",
    "count_rows",
    "digest_file",
    "read_map",
    "read_rows",
    "shape_of",
]

Row = dict[str, Any] | RowFault
Kind = Literal["csv", "xlsx", "jsonl", "parquet"]

_SAMPLE = 1 << 18
_DELIMITERS = (",", ";", "\t", "|")
_FIELD_LIMIT = 1 << 20
_CONTROLS = bytes({*range(32)} - {*b"\t\n\x0b\x0c\r"})
_MOST_ODD = 0.05
"""The share of control characters from which on a file is a picture or a program rather than text with a blemish."""

csv.field_size_limit(_FIELD_LIMIT)  # a quote never closed would otherwise swallow the file


class Shape(msgspec.Struct, frozen=True):
    """What a text file turned out to be."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","


def read_rows(path: Path, found: FileMap = NO_MAP) -> Iterator[tuple[int, Row]]:
    """The rows of a file with their line numbers (1 is the file's first line, the header), each as a body for
    ``map_lead``.

    Raises :class:`BadInput` ``capture.file.unreadable``, ``capture.file.malformed``, ``capture.file.header``,
    ``capture.file.column``, ``capture.file.delimiter`` or ``capture.file.too_large``.
    """
    shape = shape_of(path, found)
    match shape.kind:
        case "csv":
            return _read_csv(path, shape, found)
        case "jsonl":
            return _read_jsonl(path, shape, found)
        case "xlsx":
            return read_xlsx(path, found)
        case "parquet":
            return read_parquet(path, found)


def digest_file(path: Path) -> str:
    """The hex SHA-256 of a file: with the map's, what makes two imports the same one."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def count_rows(path: Path) -> int | None:
    """About how many rows a file has, for a progress bar; None where only reading it would tell."""
    shape = shape_of(path)
    if shape.kind == "parquet":
        return count_parquet(path)
    if shape.kind == "xlsx":
        return None
    with path.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    return max(lines - (shape.kind == "csv"), 0)


def shape_of(path: Path, found: FileMap = NO_MAP) -> Shape:
    """What kind of file it is, and how a text file is written. Raises as :func:`read_rows` does."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_SAMPLE)
    except OSError as fault:
        raise BadInput("capture.file.unreadable", f"{path.name}: {fault.strerror or 'cannot be read'}") from None
    if not head.strip():
        raise BadInput("capture.file.header", f"{path.name} is empty; its first row names the columns")
    if head.startswith(b"PK\x03\x04"):
        return Shape("xlsx")
    if head.startswith(b"PAR1"):
        return Shape("parquet")
    for magic, says in (
        (b"\xd0\xcf\x11\xe0", "is an old Excel file; save it as XLSX"),
        (b"\x1f\x8b", "is compressed; unpack it first"),
        (b"%PDF", "is a PDF; send a table"),
    ):
        if head.startswith(magic):
            raise BadInput("capture.file.malformed", f"{path.name} {says}")
    encoding = found.encoding or _encoding(head)
    odd = len(head) - len(head.translate(None, _CONTROLS))
    if odd > 16 and odd > len(head) * _MOST_ODD and not encoding.lower().startswith(("utf-16", "utf-32")):
        raise BadInput("capture.file.malformed", f"{path.name} is no text; send CSV, XLSX, JSON lines or Parquet")
    try:
        text = codecs.getincrementaldecoder(encoding)("surrogateescape").decode(head)
    except (LookupError, UnicodeError):
        raise BadInput("capture.file.malformed", f"{path.name} cannot be read as {encoding}") from None
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "{":
        return Shape("jsonl", encoding)
    if start == "[":
        raise BadInput("capture.file.malformed", f"{path.name} is one JSON list; write one object a line (JSON lines)")
    return Shape("csv", encoding, _delimiter(path, text, found.delimiter))


def _encoding(head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head[1:2] == b"\x00" and head[3:4] == b"\x00":
        return "utf-16-le"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252" if not any(byte in head for byte in b"\x81\x8d\x8f\x90\x9d") else "latin-1"
    return "utf-8"


def _delimiter(path: Path, text: str, stated: str | None) -> str:
    """The delimiter that gives the sample the most columns in step with its header."""
    lines = text.splitlines(keepends=True)
    sample = "".join(lines[:-1] if len(lines) > 1 and len(text) >= _SAMPLE // 2 else lines)
    scores: dict[str, tuple[float, int]] = {}
    for sign in _DELIMITERS:
        try:
            rows = [
                row for row, _ in zip(csv.reader(io.StringIO(sample), delimiter=sign), range(200), strict=False) if row
            ]
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 0
        if width > 1:
            scores[sign] = (sum(len(row) == width for row in rows) / len(rows), width)
    best = max(scores, key=lambda sign: (round(scores[sign][0], 1), scores[sign][1]), default=None)
    if stated is not None:
        if stated not in scores and best is not None and stated in _DELIMITERS:
            says = f"{path.name} is not delimited by {stated!r}; {best!r} gives {scores[best][1]} columns"
            raise BadInput("capture.file.delimiter", says)
        return stated
    return best or ","


def _read_csv(path: Path, shape: Shape, found: FileMap) -> Iterator[tuple[int, Row]]:
    stream = path.open(encoding=shape.encoding, errors="surrogateescape", newline="")
    try:
        reader = csv.reader(stream, delimiter=shape.delimiter)
        header: list[str] = []
        while not any(header):  # blank lines before the header
            header = [name.strip().lstrip("\ufeff") for name in next(reader)]
        names = name_columns(header)
        columns = Columns(found, names)
    except (StopIteration, csv.Error, UnicodeError):
        stream.close()
        raise BadInput("capture.file.header", f"{path.name} has no row that names the columns") from None
    except BadInput:
        stream.close()
        raise
    return _rows(stream, reader, names, columns, shape)


def _rows(stream: Any, reader: Any, names: list[str], columns: Columns, shape: Shape) -> Iterator[tuple[int, Row]]:
    width = len(names)
    with stream:
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                says = f"a quote is not closed between lines {line} and {reader.line_num}; double quotes inside a field"
                yield line, RowFault("capture.row.quote", says)
                continue
            except UnicodeError:
                yield line, RowFault("capture.row.encoding", f"is not valid {shape.encoding}; save the file as UTF-8")
                return
            if not any(row):
                continue
            if len(row) > width and not any(cell.strip() for cell in row[width:]):
                row = row[:width]
            if len(row) != width:
                says = f"has {len(row)} columns where the header has {width}; quote fields that hold the delimiter"
                if reader.line_num > line:
                    says += f" (lines {line} to {reader.line_num} were read as one row: a quote may be left open)"
                yield line, RowFault("capture.row.ragged", says)
                continue
            fault = unclean(names, row)
            yield line, fault or columns.apply(dict(zip(names, row, strict=True)))


def _read_jsonl(path: Path, shape: Shape, found: FileMap) -> Iterator[tuple[int, Row]]:
    columns = Columns(msgspec.structs.replace(found, columns={}), ())
    moved = found.columns
    with path.open("rb") as stream:
        line = 0
        while raw := stream.readline(MAX_BYTES + 2):
            line += 1
            if len(raw) > MAX_BYTES:
                while raw and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_BYTES)
                yield line, RowFault("capture.row.too_large", "is over 1 MiB")
                continue
            if not raw.strip():
                continue
            try:
                body = read_body("application/json", raw.strip())
            except BadInput as fault:
                yield line, RowFault(fault.code.replace("capture.body", "capture.row"), fault.detail)
                continue
            if moved:
                body = _move(body, moved)
            yield line, _merge(columns.apply({}), body)


def _move(body: dict[str, Any], moved: dict[str, str]) -> dict[str, Any]:
    kept = {key: value for key, value in body.items() if key not in moved}
    for key, to in moved.items():
        if key in body and to:
            section, _, name = to.partition(".")
            part = kept.get(section)
            kept[section] = {**(part if isinstance(part, dict) else {}), name: body[key]}
    return kept


def _merge(constants: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The body over the map's constants, section by section."""
    for section, values in constants.items():
        own = body.get(section)
        body[section] = {**values, **own} if isinstance(own, dict) else own if own is not None else values
    return body

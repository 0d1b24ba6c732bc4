"""Opening a file of rows; text files are read here, workbooks and Parquet by :mod:`leadmill.runtime.rowfiles.sheets`.

Called through the door.
"""

import csv
import hashlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from leadmill.core.faults import BadInput
from leadmill.runtime.rowfiles.headers import name_columns, unclean
from leadmill.runtime.rowfiles.model import Layout, Opened, Row, RowFault, Shape
from leadmill.runtime.rowfiles.shape import FOUND_OUT, shape_of
from leadmill.runtime.rowfiles.sheets import count_parquet, open_parquet, open_xlsx

MAX_LINE = 1 << 20
"""Bytes of a JSON line."""

Decode = Callable[[bytes], dict[str, Any]]
"""One JSON line as an object; raises BadInput ``capture.body.…`` where it cannot be read."""


def open_rows(path: Path, decode: Decode, layout: Layout = FOUND_OUT) -> Opened:
    """Open a file of rows and read its header; ``decode`` reads the objects of JSON lines.

    Raises :class:`BadInput` ``capture.file.unreadable``, ``capture.file.malformed``, ``capture.file.header``,
    ``capture.file.delimiter`` or ``capture.file.too_large``.
    """
    shape = shape_of(path, layout)
    match shape.kind:
        case "csv":
            return _open_csv(path, shape)
        case "jsonl":
            rows = _json_rows(path, decode)
            return Opened(None, rows, rows.close)
        case "xlsx":
            return open_xlsx(path, layout)
        case "parquet":
            return open_parquet(path)


def digest_file(path: Path) -> str:
    """The hex SHA-256 of a file."""
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


def _open_csv(path: Path, shape: Shape) -> Opened:
    stream = path.open(encoding=shape.encoding, errors="surrogateescape", newline="")
    try:
        reader = csv.reader(stream, delimiter=shape.delimiter)
        header: list[str] = []
        while not any(header):  # blank lines before the header
            header = [name.strip().lstrip("\ufeff") for name in next(reader)]
        names = name_columns(header)
    except (StopIteration, csv.Error, UnicodeError):
        stream.close()
        raise BadInput("capture.file.header", f"{path.name} has no row that names the columns") from None
    except BadInput:
        stream.close()
        raise
    return Opened(names, _rows(stream, reader, names, shape), stream.close)


def _rows(stream: Any, reader: Any, names: list[str], shape: Shape) -> Iterator[tuple[int, Row]]:
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
            if len(row) != width and not any(row):  # an empty line; all delimiters in place make a row without values
                continue
            if len(row) > width and not any(cell.strip() for cell in row[width:]):
                row = row[:width]
            if len(row) != width:
                says = f"has {len(row)} columns where the header has {width}; quote fields that hold the delimiter"
                if reader.line_num > line:
                    says += f" (lines {line} to {reader.line_num} were read as one row: a quote may be left open)"
                yield line, RowFault("capture.row.ragged", says)
                continue
            whole = "".join(row)  # most rows are clean, and one look at all their cells tells it
            clean = whole.isascii() and whole.isprintable()
            yield line, (None if clean else unclean(names, row)) or dict(zip(names, row, strict=True))


def _json_rows(path: Path, decode: Decode) -> Generator[tuple[int, Row], None, None]:
    with path.open("rb") as stream:
        line = 0
        while raw := stream.readline(MAX_LINE + 2):
            line += 1
            if len(raw) > MAX_LINE:
                while raw and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE)
                yield line, RowFault("capture.row.too_large", "is over 1 MiB")
                continue
            if not raw.strip():
                continue
            try:
                yield line, decode(raw.strip())
            except BadInput as fault:
                yield line, RowFault(fault.code.replace("capture.body", "capture.row"), fault.detail)

"""What kind of file it is, its encoding and its delimiter: found out from its first bytes.

Called by :mod:`leadmill.runtime.rowfiles.reading`.
"""

import codecs
import csv
import io
from pathlib import Path

from leadmill.core.faults import BadInput
from leadmill.runtime.rowfiles.model import Layout, Shape

FOUND_OUT = Layout()
"""Nobody says anything of the file."""

_SAMPLE = 1 << 18
_DELIMITERS = (",", ";", "\t", "|")
_FIELD_LIMIT = 1 << 20
_CONTROLS = bytes({*range(32)} - {*b"\t\n\x0b\x0c\r"})
_MOST_ODD = 0.05
"""The share of control characters from which on a file is a picture or a program rather than text with a blemish."""

csv.field_size_limit(_FIELD_LIMIT)  # a quote never closed would otherwise swallow the file


def shape_of(path: Path, layout: Layout = FOUND_OUT) -> Shape:
    """What kind of file it is, and how a text file is written. Raises as ``open_rows`` does."""
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
    encoding = layout.encoding or _encoding(head)
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
    return Shape("csv", encoding, _delimiter(path, text, layout.delimiter))


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

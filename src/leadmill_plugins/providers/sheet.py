"""A CSV file of facts by one key: what the demography and the company provider have in common.

Read once, when a provider is made. A column is a fact or is left out by name; nothing is made up for an empty cell.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from leadmill.core.conversation import HttpReply
from leadmill.core.reading import Table
from leadmill.facts import Fact, FactValue

_CODE = "config.provider.malformed"
_MOST = 2_000_000
"""Rows of a file."""
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,40}")

Kind = Literal["number", "text"]


class Sheet(Struct, frozen=True, kw_only=True):
    """A provider over the rows of a file. ``need`` is what is told and looked up, ``columns`` the facts in the order of
    a row's values."""

    name: str
    topic: str
    need: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[FactValue, ...]]
    confidence: int

    @property
    def topics(self) -> Mapping[str, Sequence[str]]:
        """The one topic."""
        return {self.topic: (self.need,)}

    def ask(self, topic: str, params: Mapping[str, str]) -> Sequence[Fact]:
        """The facts of the row, nothing where there is none."""
        row = self.rows.get(params[self.need].lower(), ())
        return [
            Fact(key, value, "pass", self.name, self.confidence)
            for key, value in zip(self.columns, row, strict=False)
            if value is not None
        ]

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> Sequence[Fact]:
        """Never called: nobody is asked."""
        return []


def read_sheet(
    name: str,
    options: Mapping[str, object],
    *,
    topic: str,
    need: str,
    head: Sequence[str],
    prefix: str,
    known: Mapping[str, Kind] | None = None,
) -> Sheet:
    """The provider of a file. Its first line names the columns; that of the key has one of the names of ``head``.
    ``known`` are the columns there may be and what they hold; None lets any be, as texts or whole numbers.

    Raises BadInput ``config.provider.malformed`` with the line.
    """
    table = Table(options, f"provider {name}, options", _CODE)
    path = Path(table.text("file"))
    confidence = table.whole("confidence", 90, least=1, most=100)
    table.close()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(table, csv.reader(file), name, topic, need, head, prefix, known, confidence)
    except OSError as fault:
        table.refuse(f"cannot be read ({fault.strerror or type(fault).__name__})", "file")
    except (UnicodeDecodeError, csv.Error):
        table.refuse("is no CSV in UTF-8", "file")


def _read(
    table: Table,
    lines: Any,
    name: str,
    topic: str,
    need: str,
    head: Sequence[str],
    prefix: str,
    known: Mapping[str, Kind] | None,
    confidence: int,
) -> Sheet:
    names = [cell.strip().lower() for cell in next(lines, [])]
    at = next((names.index(one) for one in head if one in names), None)
    if at is None:
        table.refuse(f"its first line must name the column {' or '.join(head)}", "file")
    columns = [(place, one) for place, one in enumerate(names) if place != at]
    for _, one in columns:
        if known is not None and one not in known:
            table.refuse(f"has a column '{one}'; it may have {', '.join(known)}", "file")
        if not _COLUMN.fullmatch(one):
            table.refuse("names its columns in lower-case letters, digits and _", "file")
    rows: dict[str, tuple[FactValue, ...]] = {}
    for line in lines:
        if not any(line):
            continue
        if len(rows) >= _MOST or len(line) != len(names):
            says = f"has more than {_MOST:,} rows" if len(rows) >= _MOST else "has another number of columns there"
            table.refuse(f"line {lines.line_num}: {says}", "file")
        key = line[at].strip().lower()
        if key:
            rows[key] = tuple(
                _cell(table, lines.line_num, line[place], (known or {}).get(one)) for place, one in columns
            )
    return Sheet(
        name=name,
        topic=topic,
        need=need,
        columns=tuple(f"{prefix}.{one}" for _, one in columns),
        rows=rows,
        confidence=confidence,
    )


def _cell(table: Table, number: int, text: str, kind: Kind | None) -> FactValue:
    text = text.strip()
    if not text:
        return None
    plain = text.replace(",", "")
    if kind != "text" and plain.removeprefix("-").replace(".", "", 1).isdecimal() and (kind or plain == text):
        value = float(plain)
        if kind == "number" and value < 0:  # the Census writes what it withholds as large negative numbers
            return None
        return int(value) if value.is_integer() else value
    if kind == "number":
        if set(text) <= set("-*() xN"):  # and so on: an asterisk, a dash, (X)
            return None
        table.refuse(f"line {number}: holds a text where a number belongs", "file")
    return text[:500]

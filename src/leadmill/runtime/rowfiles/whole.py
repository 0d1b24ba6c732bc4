"""A file of rows read whole: each column as a list of texts, with the lines that could not be read.

Called through the door, by ``linkage`` and ``learning``, which look at whole columns.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.runtime.rowfiles.model import Layout, RowFault
from leadmill.runtime.rowfiles.reading import open_rows
from leadmill.runtime.rowfiles.shape import FOUND_OUT

_STEP = 5_000
"""Rows between two words on how far the reading is."""
_DEEPEST = 4

Tick = Callable[[int], None]
"""Told how many rows were read since it was last called."""


class Sheet(Struct, frozen=True):
    """A file that was read: ``columns`` with a text for each of ``rows`` records (empty for none), and the lines that
    could not be read."""

    name: str
    rows: int
    columns: dict[str, list[str]]
    faults: tuple[tuple[int, RowFault], ...]


def read_whole(
    path: Path, name: str, layout: Layout = FOUND_OUT, tick: Tick | None = None, most: int | None = None
) -> Sheet:
    """Read a file, or its first ``most`` rows. Raises :class:`BadInput` as :func:`open_rows` does."""
    opened = open_rows(path, _read_object, layout)
    columns: dict[str, list[str]] = {column: [] for column in opened.header or ()}
    faults: list[tuple[int, RowFault]] = []
    rows = 0
    for line, row in opened.rows:
        if isinstance(row, RowFault):
            faults.append((line, row))
            continue
        if opened.header is None:
            _add_object(columns, row, rows)
        else:
            for column, value in row.items():
                columns[column].append(value.strip() if type(value) is str else text_of(value))
        rows += 1
        if tick is not None and rows % _STEP == 0:
            tick(_STEP)
        if rows == most:
            opened.close()
            break
    if tick is not None:
        tick(rows % _STEP)
    for values in columns.values():
        values.extend([""] * (rows - len(values)))
    return Sheet(name, rows, columns, tuple(faults))


def _read_object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadInput("capture.body.malformed", "is not JSON; write one object a line") from None
    if not isinstance(found, dict):
        raise BadInput("capture.body.shape", "is no JSON object; write one object a line")
    return found


def _add_object(columns: dict[str, list[str]], row: Mapping[str, Any], rows: int) -> None:
    """A JSON object as cells: what lies within becomes a column called by its path."""
    for name, value in leaves_of(row):
        values = columns.setdefault(name, [])
        values.extend([""] * (rows - len(values)))
        if len(values) == rows:
            values.append(text_of(value))


def leaves_of(row: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """What an object holds, what lies deeper by its path."""
    for key, value in row.items():
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from leaves_of(value, f"{path}{key}.", depth + 1)
        else:
            yield f"{path}{key}", value


def text_of(value: Any) -> str:
    """A cell as text: whole numbers without a point, lists joined, what is absent empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        text = str(int(value))
    elif isinstance(value, list):
        text = " ".join(text_of(item) for item in value)
    else:
        text = str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip()

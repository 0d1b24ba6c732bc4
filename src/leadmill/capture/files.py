"""Files of leads, row by row, with their map applied: CSV, XLSX, JSON lines and Parquet, in constant memory.

Used by the import flow. The files themselves are read by :mod:`leadmill.runtime.rowfiles`; here each row becomes a
body for ``map_lead``.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from leadmill.capture.bodies import read_body
from leadmill.capture.filemap import NO_MAP, Columns, check_map, read_map
from leadmill.capture.model import FileMap
from leadmill.core.faults import BadInput
from leadmill.runtime.rowfiles import Layout, RowFault, count_rows, digest_file, open_rows

__all__ = ["FileMap", "RowFault", "check_map", "count_rows", "digest_file", "read_map", "read_rows"]

Row = dict[str, Any] | RowFault


def read_rows(path: Path, found: FileMap = NO_MAP) -> Iterator[tuple[int, Row]]:
    """The rows of a file with their line numbers (1 is the file's first line, the header), each as a body for
    ``map_lead``.

    Raises :class:`BadInput` ``capture.file.unreadable``, ``capture.file.malformed``, ``capture.file.header``,
    ``capture.file.column``, ``capture.file.delimiter`` or ``capture.file.too_large``.
    """
    opened = open_rows(path, _read_line, Layout(found.delimiter, found.encoding, found.sheet))
    if opened.header is None:
        return _bodies(opened.rows, found)
    try:
        columns = Columns(found, opened.header)
    except BadInput:
        opened.close()
        raise
    return _mapped(opened.rows, columns)


def _read_line(raw: bytes) -> dict[str, Any]:
    return read_body("application/json", raw)


def _mapped(rows: Iterable[tuple[int, Row]], columns: Columns) -> Iterator[tuple[int, Row]]:
    for line, row in rows:
        if isinstance(row, RowFault):
            yield line, row
        elif any(value != "" for value in row.values()):
            yield line, columns.apply(row)


def _bodies(rows: Iterable[tuple[int, Row]], found: FileMap) -> Iterator[tuple[int, Row]]:
    """The rows of JSON lines, which name their fields themselves: moved as the map says, over its constants."""
    columns = Columns(msgspec.structs.replace(found, columns={}), ())
    for line, row in rows:
        if isinstance(row, RowFault):
            yield line, row
        else:
            yield line, _merge(columns.apply({}), _move(row, found.columns) if found.columns else row)


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

"""What the rows of every kind of file have in common: names of columns, and cells that are text.

Called by the readers beside it.
"""

from typing import Any

from leadmill.core.faults import BadInput
from leadmill.runtime.rowfiles.model import RowFault

MAX_COLUMNS = 1000
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def name_columns(header: list[str]) -> list[str]:
    """The names of the columns, every one its own: a blank one is called by its place, a repeated one numbered.

    Raises :class:`BadInput` ``capture.file.header`` where the first row does not look like names, and over 1,000
    columns.
    """
    while header and not header[-1]:
        header = header[:-1]
    if len(header) > MAX_COLUMNS:
        raise BadInput("capture.file.header", f"has at most {MAX_COLUMNS} columns")
    if any("@" in name for name in header) or not any(any(sign.isalpha() for sign in name) for name in header):
        raise BadInput("capture.file.header", "the first row must name the columns; it looks like data")
    names: list[str] = []
    for place, name in enumerate(header, start=1):
        base = name[:200] or f"column {place}"
        names.append(base if base not in names else f"{base} ({place})")
    return names


def unclean(names: list[str], row: list[Any]) -> RowFault | None:
    """A row that holds bytes no text has: of another encoding, or control characters."""
    for name, cell in zip(names, row, strict=False):
        if not isinstance(cell, str) or (cell.isascii() and cell.isprintable()):
            continue
        try:
            cell.encode()
        except UnicodeEncodeError:
            return RowFault("capture.row.encoding", f"'{name}' is not in the file's encoding; save the file as UTF-8")
        if cell.translate(_CONTROLS) != cell:
            return RowFault("capture.row.characters", f"'{name}' holds a control character; remove it")
    return None

"""Files of persons, read whole: each column as a list of texts, each record with its number.

Called by :mod:`leadmill.linkage.service`. The files are read by :mod:`leadmill.runtime.rowfiles`, so all that is said
of files of leads holds here: any encoding and delimiter, and a row that cannot be read is told and left out.
"""

from collections.abc import Sequence
from pathlib import Path

from leadmill.core.faults import BadInput
from leadmill.linkage.columns import Column
from leadmill.linkage.headings import ID
from leadmill.linkage.mapfile import ColumnMap
from leadmill.runtime.rowfiles import Layout, Sheet, Tick, read_whole


def read_sheet(path: Path, name: str, layout: Layout, tick: Tick, most: int | None = None) -> Sheet:
    """Read a file, or its first ``most`` rows. Raises :class:`BadInput` as
    :func:`leadmill.runtime.rowfiles.open_rows` does, and ``linkage.file.empty`` where no row can be read."""
    sheet = read_whole(path, name, layout, tick, most)
    if sheet.rows == 0:
        raise BadInput("linkage.file.empty", f"{name} has no row that can be read")
    return sheet


def answers_of(column: Column, said: ColumnMap) -> dict[str, str]:
    """What the map says that answers of a column mean."""
    targeted = said.values.get(column.target, {}) if column.target else {}
    return {**said.values.get("*", {}), **targeted, **said.values.get(column.name, {})}


def meant(sheet: Sheet, taken: Sequence[Column], said: ColumnMap) -> Sheet:
    """The sheet with its answers as the map translates them."""
    columns = dict(sheet.columns)
    for column in taken:
        if answers := answers_of(column, said):
            columns[column.name] = [answers.get(value, value) for value in columns[column.name]]
    return Sheet(sheet.name, sheet.rows, columns, sheet.faults)


def ids_of(sheet: Sheet, taken: Sequence[Column]) -> list[str]:
    """What each record is called: by its id column, or by its place in the file, from 1."""
    column = next((column.name for column in taken if column.target == ID), None)
    numbers = (str(place) for place in range(1, sheet.rows + 1))
    if column is None:
        return list(numbers)
    return [value or number for value, number in zip(sheet.columns[column], numbers, strict=True)]

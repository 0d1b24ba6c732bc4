"""MAP.toml of ``leadmill resolve``: what each column holds, written out for a person to correct and read back strictly.

Called by :mod:`leadmill.linkage.service`. The language is that of the maps for imports, with kinds of field as targets:

    [columns]
    "Contact" = "full_name"
    "Tel. privat" = "phone"
    "Tel. Arbeit" = "phone.work"          # a second phone, with a label of one's own
    "Notes" = ""                          # left out
    "No." = "id"                          # numbers the records
    [types]
    "Born" = "date:DD.MM.YYYY"            # the order of the parts
    [values."*"]
    "Select" = ""                         # in every column: no answer
    [file]
    delimiter = ";"
    [files."other.csv".columns]           # where several files name their columns differently
    "name" = "full_name"
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.core.reading import Table, nearest
from leadmill.linkage.columns import Column
from leadmill.linkage.headings import ID
from leadmill.linkage.model import Kind
from leadmill.runtime.rowfiles import Layout

_FAULT = "linkage.map.malformed"
_KINDS = frozenset(kind.value for kind in Kind)
_PARTS = ("date.year", "date.month", "date.day")
_ALIASES = {
    "first_name": "given_name",
    "last_name": "family_name",
    "middle_name": "given_name.2",
    "name": "full_name",
    "zip": "postcode",
    "date_of_birth": "date",
    "birth_date": "date",
    "dob": "date",
    "address": "street",
    "gender": "sex",
    "country": "category.country",
    "company": "text.company",
    "occupation": "text.occupation",
    "record_id": ID,
}
"""A lead's own names of fields, so that a map written for an import is understood."""
_SECTIONS = ("extra", "context", "consent")
"""Where a map for an import puts what says nothing of the person."""
_ORDER = re.compile(r"(DD|MM|YYYY)[./-]?(DD|MM|YYYY)[./-]?(DD|MM|YYYY)")
_LETTERS = {"DD": "d", "MM": "m", "YYYY": "y"}
_FORMS = {"ymd": "YYYY-MM-DD", "mdy": "MM/DD/YYYY", "dmy": "DD/MM/YYYY"}


class ColumnMap(Struct, frozen=True):
    """A decoded map: ``columns`` to targets, ``forms`` by column or target, ``values`` by column, target or ``*`` what
    an answer means, ``layout`` of the file, ``files`` what is said of single files, over the rest."""

    columns: dict[str, str] = {}
    forms: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    layout: Layout = Layout()
    files: dict[str, "ColumnMap"] = {}

    def of_file(self, name: str) -> "ColumnMap":
        """What holds for one file."""
        own = self.files.get(name)
        if own is None:
            return self
        layout = Layout(
            own.layout.delimiter or self.layout.delimiter,
            own.layout.encoding or self.layout.encoding,
            own.layout.sheet or self.layout.sheet,
        )
        return ColumnMap(
            {**self.columns, **own.columns}, {**self.forms, **own.forms}, {**self.values, **own.values}, layout
        )


NO_MAP = ColumnMap()


def read_column_map(path: Path | None) -> ColumnMap:
    """The map in a file, an empty one where there is none. Raises :class:`BadInput` ``linkage.map.malformed`` with the
    place, for an unknown key or kind with the nearest known one."""
    if path is None:
        return NO_MAP
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadInput(_FAULT, f"{path.name}: {fault}") from None
    return _parse(Table(raw, path.name, _FAULT), inner=False)


def _parse(table: Table, inner: bool) -> ColumnMap:
    columns = {name: _target(table, to) for name, to in _texts(table, "columns").items()}
    forms = {name: form for name, kind in _texts(table, "types").items() if (form := _form(table, name, kind))}
    values = {}
    for name, answers in _mapping(table, "values").items():
        if not isinstance(answers, Mapping):
            table.refuse('write [values."column"] with one line an answer', "values")
        values[str(name)] = {str(answer).strip(): str(meant) for answer, meant in answers.items()}
    options = table.inner(table.value("file", {}), "file")
    delimiter = options.value("delimiter", None)
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        options.refuse("is one character", "delimiter")
    layout = Layout(delimiter, options.text("encoding", "") or None, options.text("sheet", "") or None)
    options.close()
    files = {}
    if not inner:
        table.value("constants", {})  # of a map for an import: the same for all, so nothing to tell records by
        for name, said in _mapping(table, "files").items():
            files[str(name)] = _parse(table.inner(said, f"files.{name}"), inner=True)
    table.close()
    return ColumnMap(columns, forms, values, layout, files)


def _target(table: Table, to: str) -> str:
    to = to.removeprefix("fields.")
    to = _ALIASES.get(to, to)
    head = to.partition(".")[0]
    if to in ("", ID) or head in _KINDS:
        return to
    if head in _SECTIONS:
        return ""
    table.refuse(f"'{to}' is no kind of field; {nearest(head, {*_KINDS, *_ALIASES, ID})}", "columns")


def _form(table: Table, name: str, kind: str) -> str | None:
    """The order of a date's parts; what else a map for an import says of types is nothing to go by here."""
    head, _, order = kind.partition(":")
    if head != "date" or not order:
        return None
    parts = _ORDER.fullmatch(order)
    if parts is None or len(set(parts.groups())) != 3:
        table.refuse(f"'{name}' is a date such as date:DD/MM/YYYY, not '{kind}'", "types")
    return "".join(_LETTERS[part] for part in parts.groups())


def _mapping(table: Table, key: str) -> Mapping[str, Any]:
    found = table.value(key, {})
    if not isinstance(found, Mapping):
        table.refuse("must be a table", key)
    return found


def _texts(table: Table, key: str) -> dict[str, str]:
    found = _mapping(table, key)
    for name, value in found.items():
        if not isinstance(value, str):
            table.refuse(f"'{name}' must be a text", key)
    return {str(name): str(value) for name, value in found.items()}


def apply_map(found: Sequence[Column], said: ColumnMap, file: str) -> tuple[Column, ...]:
    """The columns of a file as the map has them; those it does not name stay as they were found out, beside it.

    Raises :class:`BadInput` ``linkage.map.column`` for a column that only a file of that name can have and has not.
    """
    names = [column.name for column in found]
    own = said.files.get(file)
    for name in own.columns if own else said.columns if not said.files else ():
        if name not in names:
            raise BadInput("linkage.map.column", f"{file} has no column '{name}'; {nearest(name, names)}")
    here = said.of_file(file)
    told = {name: target for name, target in here.columns.items() if name in names}
    numbered = ID in told.values()
    taken = set(told.values())
    done = []
    for column in found:
        if column.name in told:
            column = msgspec.structs.replace(column, target=told[column.name], why="by the map")
        elif column.target == ID and numbered:
            column = msgspec.structs.replace(column, target="", why="only numbers the records")
        elif column.target in taken and column.target:
            column = msgspec.structs.replace(column, target=_free(column.target, taken))
        form = here.forms.get(column.name) or here.forms.get(column.target)
        done.append(msgspec.structs.replace(column, form=form) if form else column)
    return tuple(done)


def _free(target: str, taken: Iterable[str]) -> str:
    head, number = target.partition(".")[0], 2
    while f"{head}.{number}" in taken:
        number += 1
    return f"{head}.{number}"


def write_column_map(files: Mapping[str, Sequence[Column]]) -> str:
    """The map as TOML: one table for all files where they agree, else one a file."""
    document = tomlkit.document()
    document.add(tomlkit.comment("What the columns were taken for. Correct it and give it back with --map."))
    document.add(tomlkit.comment('"" leaves a column out, "id" numbers the records; kinds of field:'))
    words = sorted(_KINDS)
    document.add(tomlkit.comment(", ".join(words[:8]) + ","))
    document.add(tomlkit.comment(", ".join(words[8:])))
    said: dict[str, Column] = {}
    agree = True
    for columns in files.values():
        for column in columns:
            other = said.setdefault(column.name, column)
            agree &= (other.target, _written(other)) == (column.target, _written(column))
    if agree and len({frozenset(column.name for column in columns) for columns in files.values()}) == 1:
        _add(document, said.values())
    else:
        inner = tomlkit.table(is_super_table=True)
        for name, columns in files.items():
            table = tomlkit.table(is_super_table=True)
            _add(table, columns)
            inner.add(name, table)
        document.add("files", inner)
    return tomlkit.dumps(document)


def _written(column: Column) -> str | None:
    """The order of a date's parts as a map writes it."""
    return _FORMS[column.form] if column.kind is Kind.DATE and column.target not in _PARTS else None


def _add(place: Any, columns: Iterable[Column]) -> None:
    table, types = tomlkit.table(), tomlkit.table()
    for column in columns:
        item = tomlkit.item(column.target)
        item.comment(column.why)
        table.add(tomlkit.key(column.name), item) if column.name else None
        if form := _written(column):
            types.add(tomlkit.key(column.name), f"date:{form}")
    place.add("columns", table)
    if types:
        place.add("types", types)

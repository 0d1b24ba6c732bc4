"""MAP.toml: which column is which field, read strictly and applied row by row.

``read_map`` is called by the command line and the console, ``check_map`` by the import, ``Columns.apply`` by
:mod:`leadmill.capture.files` for every row.

    [columns]
    "Lead Source" = "context.channel"
    "Internal note" = ""                  # left out
    [constants]
    "consent.text" = "I agree that …"
    [values."*"]
    "Select" = ""                         # in every column: no answer
    [types]
    date_of_birth = "date:DD/MM/YYYY"     # text, int, number, date, or a date with its order
    [file]
    delimiter = ";"
    encoding = "cp1252"
    sheet = "Leads"
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from leadmill.capture.model import FileMap, Value, Vertical
from leadmill.capture.readers import fold
from leadmill.core.faults import BadInput
from leadmill.core.reading import Table, nearest

_FAULT = "capture.map.malformed"
_SECTIONS = ("fields", "consent", "context", "extra")
_TYPES = ("text", "int", "number", "date")
_ORDER = re.compile(r"(DD|MM|YYYY)[./-](DD|MM|YYYY)[./-](DD|MM|YYYY)")
_NUMBERS = re.compile(r"\d+")

NO_MAP = FileMap()


def read_map(path: Path | None) -> FileMap:
    """The map in a file; an empty one where there is none. Which fields it may name is checked by :func:`check_map`.

    Raises :class:`BadInput` ``capture.map.malformed`` with the place.
    """
    if path is None:
        return NO_MAP
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadInput(_FAULT, f"{path.name}: {fault}") from None
    return parse_map(raw, path.name)


def parse_map(raw: Mapping[str, Any], where: str = "map") -> FileMap:
    """The map as decoded from TOML. Raises :class:`BadInput` ``capture.map.malformed``, for an unknown key with the
    nearest known one."""
    table = Table(raw, where, _FAULT)
    columns = {column: _target(to) if to else "" for column, to in _texts(table, "columns").items()}
    for target in columns.values():
        if target and list(columns.values()).count(target) > 1:
            table.refuse(f"two columns go to '{target}'", "columns")
    constants = {_target(to): _constant(table, to, value) for to, value in _table(table, "constants").items()}
    values = {}
    for to, answers in _table(table, "values").items():
        if not isinstance(answers, Mapping):
            table.refuse('write [values."field"] with one line an answer', "values")
        place = columns.get(to) or (to if to == "*" else _target(to))
        values[place] = {str(answer).strip(): _constant(table, to, meant) for answer, meant in answers.items()}
    types = {_target(to): kind for to, kind in _texts(table, "types").items()}
    for to, kind in types.items():
        _reader(table, to, kind)
    options = Table(table.value("file", {}), f"{where}, file", _FAULT)
    delimiter = options.value("delimiter", None)
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        options.refuse("is one character", "delimiter")
    found = FileMap(
        columns=columns,
        constants=constants,
        values=values,
        types=types,
        delimiter=delimiter,
        encoding=options.text("encoding", "") or None,
        sheet=options.text("sheet", "") or None,
    )
    options.close()
    table.close()
    return msgspec.structs.replace(found, digest=_digest(found))


def check_map(found: FileMap, vertical: Vertical) -> None:
    """Refuse a map that names a field ``vertical`` has not, with the nearest that it has: :class:`BadInput`
    ``capture.map.malformed``. What stands under ``extra.`` is free."""
    for to in [*found.columns.values(), *found.constants, *found.types, *(key for key in found.values if key != "*")]:
        section, _, name = to.partition(".")
        if not to or section == "extra":
            continue
        known = {"fields": vertical.fields, "consent": vertical.consent, "context": vertical.context}[section]
        if name not in known:
            said = name if section == "fields" else to
            every = [*vertical.fields, *(f"consent.{one}" for one in vertical.consent)]
            every += [f"context.{one}" for one in vertical.context]
            raise BadInput(_FAULT, f"'{said}' is not a field of {vertical.name}; {nearest(said, every)}")


def _digest(found: FileMap) -> str:
    return hashlib.sha256(msgspec.json.encode(found, order="sorted")).hexdigest()


def _table(table: Table, key: str) -> Mapping[str, Any]:
    found = table.value(key, {})
    if not isinstance(found, Mapping):
        table.refuse("must be a table", key)
    return found


def _texts(table: Table, key: str) -> dict[str, str]:
    found = _table(table, key)
    for name, value in found.items():
        if not isinstance(value, str):
            table.refuse(f"'{name}' must be a text", key)
    return {str(name): str(value) for name, value in found.items()}


def _target(to: str) -> str:
    """The target with its section, such as ``fields.email``."""
    section, _, name = to.partition(".")
    return to if name and section in _SECTIONS else f"fields.{to}"


def _constant(table: Table, to: str, value: object) -> Value:
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    table.refuse(f"'{to}' must be a text, a number, true or false, or a list of texts")


def _reader(table: Table | None, to: str, kind: str) -> Callable[[Value], Value] | None:
    name, _, order = kind.partition(":")
    parts = _ORDER.fullmatch(order) if order else None
    if name not in _TYPES or (order and (name != "date" or parts is None or len(set(parts.groups())) != 3)):
        if table is not None:
            table.refuse(f"'{to}' is one of {', '.join(_TYPES)} or date:DD/MM/YYYY, not '{kind}'", "types")
        return None
    if name == "date" and parts is not None:
        return _dates(parts.groups())
    return {"text": _as_text, "int": _as_int, "number": None, "date": None}[name]


def _as_text(value: Value) -> Value:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _as_int(value: Value) -> Value:
    if isinstance(value, str):
        head, dot, tail = value.strip().partition(".")
        return head if dot and tail.strip("0") == "" else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _dates(order: Iterable[str]) -> Callable[[Value], Value]:
    parts = list(order)

    def read(value: Value) -> Value:
        numbers = _NUMBERS.findall(value)[:3] if isinstance(value, str) else []
        if len(numbers) != 3 or len(numbers[parts.index("YYYY")]) != 4:
            return value
        said = dict(zip(parts, numbers, strict=True))
        return f"{said['YYYY']}-{int(said['MM']):02}-{int(said['DD']):02}"

    return read


class Columns:
    """A map made ready for the header of one file. Raises :class:`BadInput` ``capture.file.column`` for a column that
    the map names and the file has not, with the nearest that it has."""

    __slots__ = ("_constants", "_everywhere", "_places")

    def __init__(self, found: FileMap, header: Iterable[str]) -> None:
        names = list(header)
        folded = {fold(name): name for name in reversed(names)}
        targets: dict[str, str] = {}
        for column, to in found.columns.items():
            actual = column if column in names else folded.get(fold(column))
            if actual is None:
                raise BadInput("capture.file.column", f"the file has no column '{column}'; {nearest(column, names)}")
            targets[actual] = to
        self._everywhere = found.values.get("*", {})
        self._constants: list[tuple[str, str, Value]] = []
        for to, value in found.constants.items():
            section, _, inner = to.partition(".")
            self._constants.append((section, inner, value))
        self._places: dict[str, tuple[str, str, dict[str, Value], Callable[[Value], Value] | None]] = {}
        for name in names:
            to = targets.get(name, name)
            section, _, inner = to.partition(".") if name in targets else ("", "", name)
            answers = found.values.get(to, {}) or found.values.get(f"fields.{name}", {})
            kind = found.types.get(to) or found.types.get(f"fields.{name}", "")
            self._places[name] = (section, inner, answers, _reader(None, to, kind) if kind else None)

    def apply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as a body: mapped columns in their sections, others beside them under their own names, for the
        mapping to know or to keep as extra. Blank cells are left out."""
        body: dict[str, Any] = {}
        for section, name, value in self._constants:
            body.setdefault(section, {})[name] = value
        for column, value in row.items():
            place = self._places.get(column)
            if place is None:
                body[column] = value
                continue
            section, name, answers, read = place
            if isinstance(value, str):
                value = value.strip()
                value = answers.get(value, self._everywhere.get(value, value))
            elif value is not None and answers:
                value = answers.get(str(value), value)
            if value is None or value == "":
                continue
            if read is not None:
                value = read(value)
            if section == "" and name:
                body[name] = value
            elif name:
                body.setdefault(section, {})[name] = value
        return body

"""Several files, or one, as one table of fields, whatever each calls its columns and however it writes a thing.

Called by :mod:`leadmill.linkage.service`. Pure. A birth date in three columns becomes one; dates that files write in
different orders become eight digits; where one file has whole names and another their parts, or one street and house
number together and another apart, the whole is taken apart, so that they can be compared.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from msgspec import Struct

from leadmill.linkage.columns import Column
from leadmill.linkage.model import Field, Kind
from leadmill.linkage.parts import numbered, split_name, split_street
from leadmill.linkage.plain import plain
from leadmill.runtime.rowfiles import Sheet

_PARTS = ("date.year", "date.month", "date.day")
_NAMES = {"date": "birth_date"}
"""What a field is called where it is not called by its target."""
_SPLIT_SHARE = 0.4
"""From this share of streets with a house number in them on they are taken apart."""


class Joined(Struct, frozen=True):
    """All records of all sheets, sheet by sheet: the fields, and for each by name its texts, empty for none."""

    fields: tuple[Field, ...]
    columns: dict[str, list[str]]
    records: int


class Source(Struct, frozen=True):
    """Where a file has a field: its columns, joined by a blank, and how to write the text."""

    columns: tuple[str, ...]
    write: Callable[[str], str] | None = None

    def text_of(self, row: Mapping[str, str]) -> str:
        """The field's text in one row."""
        text = " ".join(filter(None, (row[column] for column in self.columns)))
        return self.write(text) if text and self.write else text


Sources = tuple[Source | None, ...]
"""Where one file has each of the fields; None where it has not."""


def join(sheets: Sequence[tuple[Sheet, Sequence[Column]]]) -> Joined:
    """The sheets as one table."""
    fields, sources = sources_of(sheets)
    columns: dict[str, list[str]] = {field.name: [] for field in fields}
    for (sheet, _), found in zip(sheets, sources, strict=True):
        for field, source in zip(fields, found, strict=True):
            columns[field.name] += _values(sheet, source) if source else [""] * sheet.rows
    return Joined(fields, columns, sum(sheet.rows for sheet, _ in sheets))


def sources_of(sheets: Sequence[tuple[Sheet, Sequence[Column]]]) -> tuple[tuple[Field, ...], list[Sources]]:
    """The fields of all files, and where each file has them; a sheet may be a sample of its file."""
    found = [_sources(taken) for _, taken in sheets]
    _split_names(found)
    _split_streets(found, [sheet for sheet, _ in sheets])
    targets = list(dict.fromkeys(target for sources in found for target in sources))
    fields = tuple(Field(_NAMES.get(target, target), Kind(target.partition(".")[0])) for target in targets)
    return fields, [tuple(sources.get(target) for target in targets) for sources in found]


def _sources(taken: Sequence[Column]) -> dict[str, Source]:
    """A sheet's fields by target, in the order of its columns."""
    grouped: dict[str, list[Column]] = {}
    for column in taken:
        if column.kind is not None:
            target = "date" if column.target in _PARTS else column.target
            grouped.setdefault(target, []).append(column)
    return {target: _source(columns) for target, columns in grouped.items()}


def _source(columns: list[Column]) -> Source:
    if columns[0].kind is not Kind.DATE:
        return Source(tuple(column.name for column in columns))
    parts = {column.target: column.name for column in columns if column.target in _PARTS}
    if parts:
        return Source(tuple(parts[part] for part in _PARTS if part in parts), _date_writer("ymd"))
    return Source(tuple(column.name for column in columns), _date_writer(columns[0].form))


def _date_writer(form: str) -> Callable[[str], str]:
    field = Field("date", Kind.DATE, form=form)
    return lambda text: plain(field, text)


def _values(sheet: Sheet, source: Source) -> list[str]:
    """A field's texts; what many records share is written once."""
    if len(source.columns) == 1:
        texts = sheet.columns[source.columns[0]]
    else:
        rows = zip(*(sheet.columns[column] for column in source.columns), strict=True)
        texts = [" ".join(filter(None, row)) for row in rows]
    if source.write is None:
        return texts
    write = cache(source.write)
    return [write(text) if text else "" for text in texts]


def _split_names(sources: Sequence[dict[str, Source]]) -> None:
    """Where some files have names in parts, those that have them whole are taken apart."""
    apart = [found for found in sources if "given_name" in found and "family_name" in found]
    whole = [found for found in sources if "full_name" in found and found not in apart]
    if not apart or not whole:
        return
    for found in whole:
        source = found.pop("full_name")
        found["given_name"] = Source(source.columns, lambda text: split_name(text)[0])
        found["family_name"] = Source(source.columns, lambda text: split_name(text)[1])


def _split_streets(sources: Sequence[dict[str, Source]], sheets: Sequence[Sheet]) -> None:
    """Take house numbers out of streets where no column of their own has them."""
    for found, sheet in zip(sources, sheets, strict=True):
        source = found.get("street")
        if source is None or "house_number" in found:
            continue
        if _share_numbered(sheet.columns, source) < _SPLIT_SHARE:
            continue
        found["house_number"] = Source(source.columns, lambda text: split_street(text)[0])
        found["street"] = Source(source.columns, lambda text: split_street(text)[1])


def _share_numbered(columns: Mapping[str, Sequence[str]], source: Source) -> float:
    values = [value for value in columns[source.columns[0]] if value]
    sample = values[:: max(1, len(values) // 500)]
    return sum(map(numbered, sample)) / len(sample) if sample else 0.0

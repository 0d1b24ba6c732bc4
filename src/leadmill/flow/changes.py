"""What applying a configuration would change, field by field, in words a person can check before saying yes.

Made by ``configure``, shown by the command line and the console, and returned as JSON.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

HIDDEN = "(hidden)"


class What(StrEnum):
    """What becomes of a record."""

    CREATED = "created"
    CHANGED = "changed"
    RETIRED = "retired"
    UNCHANGED = "unchanged"


class FieldChange(Struct, frozen=True):
    """A field before and after, as written; None where it is not there. An API key shows as ``(hidden)``."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before == self.after:
            return f"{self.field}: another one"
        if self.before is None:
            return f"{self.field}: {self.after}"
        if self.after is None:
            return f"{self.field}: {self.before} → left out"
        return f"{self.field}: {self.before} → {self.after}"


class RecordChange(Struct, frozen=True):
    """A record of the files and what becomes of it; ``fields`` names what changes, all of them for a new one."""

    kind: str
    id: str
    what: What
    fields: tuple[FieldChange, ...] = ()


class Difference(Struct, frozen=True):
    """What applying changes, or would change where ``dry_run``. ``revision`` is the configuration's afterwards."""

    revision: int
    dry_run: bool
    records: tuple[RecordChange, ...]

    def count(self, what: What) -> int:
        """How many records become so."""
        return sum(record.what is what for record in self.records)

    @property
    def changes(self) -> tuple[RecordChange, ...]:
        """The records that do not stay as they are."""
        return tuple(record for record in self.records if record.what is not What.UNCHANGED)

    def tell(self) -> Iterator[str]:
        """A line a changed record, indented lines for its fields, and a last line that counts."""
        for record in self.changes:
            yield f"{record.kind} {record.id}: {record.what.value}"
            if record.what is not What.CREATED:
                yield from (f"    {field}" for field in record.fields)
        counts = [f"{self.count(what)} {what.value}" for what in What if self.count(what)]
        ending = f"revision {self.revision}" + (" (dry run)" if self.dry_run else "")
        yield f"{', '.join(counts) or 'nothing declared'}; {ending}"


def compare(kind: str, ident: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> RecordChange:
    """The change from one document to another; None where there is none."""
    by_id = kind == "scorecard"
    was, now = (_by_id(table or {}) if by_id else table or {} for table in (before, after))
    fields = tuple(_fields(was, now))
    if before is None:
        what = What.CREATED if after is not None else What.UNCHANGED
    elif after is None or (after.get("retired") is True and before.get("retired") is not True):
        what = What.RETIRED
    else:
        what = What.CHANGED if fields else What.UNCHANGED
    return RecordChange(kind, ident, what, fields)


def _by_id(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with each list of tables by their ids: a card of fifty rules of which one changes shows the one."""

    def plain(value: Any) -> Any:
        if isinstance(value, list) and value and all(isinstance(item, Mapping) and "id" in item for item in value):
            return {item["id"]: {key: inner for key, inner in item.items() if key != "id"} for item in value}
        return value

    return {key: plain(value) for key, value in table.items()}


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[FieldChange]:
    was, now = dict(_flat(before)), dict(_flat(after))
    for name in dict.fromkeys((*now, *was)):
        if was.get(name) == now.get(name) and (name in was) is (name in now):
            continue
        if name == "key_hash":
            yield FieldChange("key", HIDDEN if name in was else None, HIDDEN if name in now else None)
        else:
            yield FieldChange(name, _shown(was, name), _shown(now, name))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(fields: Mapping[str, Any], name: str) -> str | None:
    if name not in fields:
        return None
    value = fields[name]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()

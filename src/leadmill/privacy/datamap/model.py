"""The words of the data map.

Read by the command, the page and the script that writes ``docs/data-map.md``.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Kind = Literal["personal", "sensitive", "hash", "sealed", "pseudonym", "secret", "money", "operational"]

KINDS: Mapping[Kind, str] = {
    "personal": "personal, readable as it stands",
    "sensitive": "personal, of a kind that the law guards most",
    "hash": "keyed hash",
    "sealed": "personal, sealed with a key of its own",
    "pseudonym": "id that stands for a person or a lead",
    "secret": "key, password or what stands for one",
    "money": "money",
    "operational": "operational",
}

Whose = Literal["consumers", "parties", "operators", "house"]


class TableNote(Struct, frozen=True, kw_only=True):
    """What ``columns.toml`` says of a table. ``kinds`` names the kind of each column; ``keep`` what a schedule is about
    (empty where none is), ``stays`` the same in words."""

    name: str
    why: str
    whose: Whose
    kinds: Mapping[str, Kind]
    holds: Mapping[str, str] = {}
    keep: str = ""
    stays: str = ""


class Column(Struct, frozen=True, kw_only=True):
    """One column: its type as the store knows it, its kind, what is inside where it is sealed, and from its table why
    it is there, whose it is and how long it stays."""

    table: str
    name: str
    type: str
    kind: Kind
    why: str
    whose: Whose
    stays: str
    holds: str = ""


class Goes(Struct, frozen=True, kw_only=True):
    """One place that data of leads goes to: a buyer or a team by its delivery, a provider by its chains, a
    messenger by its card. ``fields`` are the lead's, empty where all of them go (``all``) or none is named."""

    kind: Literal["buyer", "team", "provider", "messenger"]
    id: str
    name: str
    fields: tuple[str, ...] = ()
    everything: bool = False
    by: str = ""
    where: str = ""
    agreement: str = ""
    """The version of the agreement that covers it, empty where there is none."""


class FieldUse(Struct, frozen=True, kw_only=True):
    """One field that leads of a vertical may have: whether it is personal or sensitive (and of which kind), and the
    places it goes to."""

    vertical: str
    name: str
    title: str
    kind: Kind
    sensitive: str = ""
    goes: tuple[str, ...] = ()


class DataMap(Struct, frozen=True, kw_only=True):
    """The whole map. ``schedules`` says of each thing that schedules are about how long it stays now."""

    columns: list[Column]
    fields: list[FieldUse]
    goes: list[Goes]
    schedules: dict[str, str]

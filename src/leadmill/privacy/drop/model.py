"""The words of deletion lists: which lists there are, what became of an entry, how far a list is worked through.

The lists are those of the Delete Request and Opt-out Platform of California (Cal. Civ. Code 1798.99.86; 11 CCR 7610
ff.; technical specifications 1.2.0 of 2 July 2026): rows of a work item's id and the Base64 of a SHA-256.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

from msgspec import Struct

List = Literal["Email", "Phone", "NDZ", "NameVIN", "MAID", "CTVID"]
"""A list by what was hashed; ``NDZ`` is first name, last name, date of birth and ZIP."""

LISTS: Mapping[List, tuple[str, ...]] = {
    "Email": ("email",),
    "Phone": ("phone",),
    "NDZ": ("first_name", "last_name", "date_of_birth", "zip"),
    "NameVIN": ("first_name", "last_name", "vin"),
    "MAID": ("maid",),
    "CTVID": ("ctv_id",),
}
"""Of which fields of a lead each list's identifier is made, in this order."""

REMOVED = "Removed"
"""The file of entries whose request was withdrawn."""

EVERY = timedelta(days=45)
"""How often lists must be fetched, at least (Cal. Civ. Code 1798.99.86(c))."""

SOURCE = "drop"
"""What suppressions that lists ask for are marked with."""


class Status(IntEnum):
    """What is reported of an entry, in the platform's numbers. ``EXEMPTED``: found, and kept by a legal hold;
    ``OPTED_OUT``: the identifier is several persons', who are sold no more; ``NOT_FOUND`` is kept for whoever comes."""

    EXEMPTED = 2
    DELETED = 3
    OPTED_OUT = 4
    NOT_FOUND = 5


class Item(Struct, frozen=True, kw_only=True):
    """One entry of a list as kept. ``key`` is a keyed hash of the list's name and the entry's own hash, so that nobody
    can try telephone numbers against it; ``status`` None until it was worked."""

    id: str
    list: List
    key: bytes
    at: datetime
    pull_id: str
    status: Status | None = None
    done_at: datetime | None = None
    removed_at: datetime | None = None


class Pull(Struct, frozen=True, kw_only=True):
    """One file that was taken in: how many entries by list, and what became of them so far."""

    id: str
    at: datetime
    by: str
    digest: str
    name: str
    entries: int
    done_at: datetime | None = None


class Figures(Struct, frozen=True):
    """How many entries stand how."""

    entries: int = 0
    exempted: int = 0
    deleted: int = 0
    opted_out: int = 0
    not_found: int = 0
    removed: int = 0


class Line(Struct, frozen=True):
    """A row of a list: the work item's id and the hash as it stands there."""

    id: str
    hash: str


class DropFile(Struct, frozen=True):
    """One list as read: its name among the platform's, its own file name, and its rows; ``removed`` says that it
    withdraws entries."""

    name: str
    list: List | None
    lines: tuple[Line, ...]
    removed: bool = False
    unreadable: tuple[int, ...] = ()


class Clock(Struct, frozen=True):
    """Where the duty to fetch lists stands: when it was last done and when it must be done again; ``late`` says that it
    is overdue."""

    last: datetime | None
    due: datetime | None
    late: bool

"""Deletion lists of the Delete Act: their formats and hashes, what is kept of them, and the clock of 45 days.

Decides how somebody is found on a list (``rules``), keeps entries under keyed hashes and what became of each
(``store``). Who is found is opted out and forgotten by ``flow``.
"""

from leadmill.privacy.drop.model import (
    EVERY,
    LISTS,
    SOURCE,
    Clock,
    DropFile,
    Figures,
    Item,
    List,
    Pull,
    Status,
)
from leadmill.privacy.drop.rules import (
    clock_of,
    identifiers,
    key_of,
    listed_digest,
    read_list,
    write_report,
)
from leadmill.privacy.drop.store import (
    begin_pull,
    end_pull,
    figures_of,
    find_items,
    keep_items,
    last_pull_at,
    latest_pulls,
    open_items,
    read_items,
    remove_items,
    settle_items,
)

__all__ = [
    "EVERY",
    "LISTS",
    "SOURCE",
    "Clock",
    "DropFile",
    "Figures",
    "Item",
    "List",
    "Pull",
    "Status",
    "begin_pull",
    "clock_of",
    "end_pull",
    "figures_of",
    "find_items",
    "identifiers",
    "keep_items",
    "key_of",
    "last_pull_at",
    "latest_pulls",
    "listed_digest",
    "open_items",
    "read_items",
    "read_list",
    "remove_items",
    "settle_items",
    "write_report",
]

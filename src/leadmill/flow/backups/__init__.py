"""The whole state in one file and back again, and the log by which who was forgotten stays forgotten.

``making`` writes a backup while others serve, ``restoring`` fills an empty home from it, ``erasures`` keeps who was
forgotten when, outside the database: whoever is forgotten after a backup still stands in it, so a restore forgets them
anew. The record ``docs/decisions/0034-backups-and-erasure.md`` says why.
"""

from leadmill.flow.backups.erasures import LOG, Erasures
from leadmill.flow.backups.making import make_backup
from leadmill.flow.backups.restoring import (
    Restored,
    find_master,
    forget_again,
    load_backup,
    logs_of,
    refuse_unfinished,
)

__all__ = [
    "LOG",
    "Erasures",
    "Restored",
    "find_master",
    "forget_again",
    "load_backup",
    "logs_of",
    "make_backup",
    "refuse_unfinished",
]

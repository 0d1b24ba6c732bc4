"""How long what is kept stays: schedules, the law's least terms, holds, and the runs that carry them out.

Decides from what is known of a lead whether it may go, must stay or waits (``rules``); reads schedules from the packs
and the configuration (``reading``); keeps holds and how far runs have come (``store``). Who goes is found and forgotten
by ``flow``, which can reach leads.
"""

from leadmill.privacy.retention.model import (
    RETAIN,
    TARGETS,
    Due,
    Hold,
    HoldLifted,
    HoldPlaced,
    Kept,
    Least,
    PersonPartedWith,
    RetentionRan,
    Run,
    Schedule,
    Seen,
    Tally,
    Target,
    Terms,
    Unruled,
)
from leadmill.privacy.retention.reading import read_retention, read_terms
from leadmill.privacy.retention.rules import added_up, all_due, digest_of_terms, fits, in_turn, judge_keeping
from leadmill.privacy.retention.store import (
    begin_run,
    find_hold,
    find_run,
    holds_on,
    latest_runs,
    lift_hold,
    list_holds,
    lock_run,
    move_run,
    place_hold,
)

__all__ = [
    "RETAIN",
    "TARGETS",
    "Due",
    "Hold",
    "HoldLifted",
    "HoldPlaced",
    "Kept",
    "Least",
    "PersonPartedWith",
    "RetentionRan",
    "Run",
    "Schedule",
    "Seen",
    "Tally",
    "Target",
    "Terms",
    "Unruled",
    "added_up",
    "all_due",
    "begin_run",
    "digest_of_terms",
    "find_hold",
    "find_run",
    "fits",
    "holds_on",
    "in_turn",
    "judge_keeping",
    "latest_runs",
    "lift_hold",
    "list_holds",
    "lock_run",
    "move_run",
    "place_hold",
    "read_retention",
    "read_terms",
]

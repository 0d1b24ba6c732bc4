"""Places in the review queue's order, as cursors: where a page of it goes on.

Used by the console and the API. Pure; nothing personal stands in one.
"""

from datetime import datetime

from leadmill.core.faults import BadInput
from leadmill.core.ids import looks_like
from leadmill.review import ReviewCase

Place = tuple[datetime, int, str]
"""The due time, the worth and the id of the last case that was shown."""


def write_place(one: ReviewCase) -> str:
    """The cursor behind a case."""
    return f"{one.due_at.isoformat()}~{one.worth}~{one.id}"


def read_place(text: str) -> Place:
    """A cursor as read. Raises BadInput ``flow.cursor.malformed`` for one that :func:`write_place` did not give."""
    due, _, rest = text.partition("~")
    worth, _, case_id = rest.partition("~")
    try:
        at, amount = datetime.fromisoformat(due), int(worth)
    except ValueError:
        at, amount = None, 0
    if (
        at is None
        or at.tzinfo is None
        or not 1 < at.year < 9999
        or abs(amount) >= 2**63
        or not looks_like(case_id, "rev")
    ):
        raise BadInput("flow.cursor.malformed", "use the next_cursor of the page before, or none")
    return at, amount, case_id

"""What is laid over cards and models for a while, as a person asks after it: since when, until when, by whom and why.

Called by the page “Scores” and by ``leadmill scoring adjustments``.
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from leadmill.runtime import records
from leadmill.runtime.db import Tx
from leadmill.scoring import ADJUSTMENT, Adjustment, read_adjustment

When = Literal["counts", "to_come", "over", "retired"]


class LaidOver(Struct, frozen=True):
    """An adjustment with whether it counts today, and the version that says so: its revision, who made it and when.
    ``changes`` is how many versions it has had."""

    record: Adjustment
    when: When
    revision: int
    at: datetime
    author: str
    changes: int


def stands(one: Adjustment, now: datetime) -> When:
    """Whether an adjustment counts at a moment, is to come, is over, or was retired. Days are those of UTC."""
    today = now.astimezone(UTC).date()
    if one.retired:
        return "retired"
    if one.starts is not None and today < one.starts:
        return "to_come"
    return "over" if one.ends is not None and today >= one.ends else "counts"


async def adjustments_of(tx: Tx, now: datetime, vertical: str | None = None) -> list[LaidOver]:
    """Every adjustment there ever was, those over and retired included; of one vertical where it is named. What counts
    comes first, then by id."""
    found = []
    for ident in (await records.snapshot(tx)).of(ADJUSTMENT):
        versions = await records.history(tx, ADJUSTMENT, ident)
        last = versions[0]
        if last.body is None:
            continue
        one = read_adjustment(msgspec.json.decode(last.body))
        if vertical in (None, one.vertical):
            found.append(LaidOver(one, stands(one, now), last.revision, last.at, last.author, len(versions)))
    return sorted(found, key=lambda each: (_ORDER[each.when], each.record.id))


_ORDER: dict[str, int] = {"counts": 0, "to_come": 1, "over": 2, "retired": 3}

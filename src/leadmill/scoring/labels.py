"""What became of a lead as a label to learn from: within a horizon, known at a moment, or not known yet.

Pure; read by whoever makes a table to learn from and by the review of scorecards. A label says whether the lead
converted within the horizon after it was decided about. What is reported later than that counts for no lead, so that
old and young leads are labelled alike, and no lead has a label before its horizon is full: whoever reports losses
quickly and sales slowly would else look worse than he is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

HORIZON = timedelta(days=60)
"""How long after the decision an outcome counts, where nobody says otherwise."""

What = Literal["won", "lost", "bad", "returned", "open"]
"""A sale, none, a lead that should not have been sold, one that its buyer gave back, or nothing final."""


class Heard(Struct, frozen=True):
    """One thing that was heard of a lead: ``what`` by whom (``who``), that it became so at ``at``, heard at
    ``heard_at``."""

    who: str
    what: What
    at: datetime
    heard_at: datetime


class Label(Struct, frozen=True):
    """``converted`` and ``bad`` (it was given back, or should not have been sold) are None as long as they are not
    known; ``at`` is when they were, or will be; ``mature`` says that the horizon is full."""

    converted: bool | None
    bad: bool | None
    at: datetime
    mature: bool


def label_of(placed: bool, decided_at: datetime, heard: Iterable[Heard], horizon: timedelta, now: datetime) -> Label:
    """The label of a lead that was decided about at ``decided_at``. One that nobody got (``placed`` is False) has none
    ever: what would have become of it is not known."""
    ends = decided_at + horizon
    mature = now >= ends
    if not placed or not mature:
        return Label(None, None, ends, mature and placed)
    latest: dict[str, Heard] = {}
    for item in heard:
        if item.at <= ends and (item.who not in latest or item.at >= latest[item.who].at):
            latest[item.who] = item
    won = any(item.what == "won" for item in latest.values())
    bad = not won and any(item.what in ("bad", "returned") for item in latest.values())
    known = max((item.heard_at for item in latest.values()), default=ends)
    return Label(won, bad, max(ends, known), True)

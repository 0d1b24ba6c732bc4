"""What became of a lead as a label to learn from: within a horizon, known at a moment, or not known yet.

Pure; read by whoever makes a table to learn from and by the review of scorecards. A label says whether the lead
converted within the horizon after it was decided about. What became so later counts for no lead, so that old and young
leads are labelled alike, and no lead has a label before its horizon is full and those who report late have been heard:
whoever reports losses quickly and sales slowly would else look worse than he is. What is not known is never a no.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from leadmill.scoring.model import Foresees

HORIZON = timedelta(days=60)
"""How long after the decision an outcome counts, where nobody says otherwise."""

LATE = timedelta(days=7)
"""How much longer is waited for reports of what became so within the horizon."""

What = Literal["won", "lost", "bad", "returned", "open"]
"""A sale, none, a lead that should not have been sold, one that its buyer gave back, or nothing final."""

Answer = Literal["took", "refused", "failed", "open"]
"""What came of handing a lead over: the recipient took it, refused it, could not be reached, or has yet to answer."""

Target = Literal["converted", "bad", "accepted", "reviewed_bad"]
TARGETS: dict[Target, Foresees] = {
    "converted": "conversion",
    "bad": "bad",
    "accepted": "acceptance",
    "reviewed_bad": "review",
}
"""What can be learned from our own leads, and what a model of it foresees. Of what the desk holds only leads under
suspicion are known: what a model of it says of any lead is not how likely that one is to come back."""


class Heard(Struct, frozen=True):
    """One thing that was heard of a lead: ``what`` by whom (``who``), that it became so at ``at``, heard at
    ``heard_at``."""

    who: str
    what: What
    at: datetime
    heard_at: datetime


class Label(Struct, frozen=True):
    """``converted`` and ``bad`` (it was given back, or should not have been sold) are None as long as they are not
    known; ``at`` is when they were, or will be; ``mature`` says that the wait is over. ``told_at`` is when the last
    of what makes them was heard, None where nothing was."""

    converted: bool | None
    bad: bool | None
    at: datetime
    mature: bool
    told_at: datetime | None = None


class Posted(Struct, frozen=True):
    """One recipient to whom a lead was handed over, and what came of it at ``at``."""

    what: Answer
    at: datetime


class Looked(Struct, frozen=True):
    """What a person at the review desk said of a lead, and when."""

    good: bool
    at: datetime


class Outcome(Struct, frozen=True):
    """What one target says of a lead: yes, no, or not known (yet); ``at`` is when it was heard."""

    value: bool | None
    at: datetime | None = None


_UNKNOWN = Outcome(None)


def label_of(
    placed: bool,
    decided_at: datetime,
    heard: Iterable[Heard],
    horizon: timedelta,
    now: datetime,
    late: timedelta = LATE,
) -> Label:
    """The label of a lead that was decided about at ``decided_at``, known ``late`` after its horizon. One that nobody
    got (``placed`` is False) has none ever: what would have become of it is not known."""
    ends = decided_at + horizon
    known = ends + late
    mature = now >= known
    if not placed or not mature:
        return Label(None, None, known, mature and placed)
    latest: dict[str, Heard] = {}
    for item in heard:
        if item.at <= ends and (item.who not in latest or item.at >= latest[item.who].at):
            latest[item.who] = item
    won = any(item.what == "won" for item in latest.values())
    bad = not won and any(item.what in ("bad", "returned") for item in latest.values())
    told = max((item.heard_at for item in latest.values()), default=None)
    return Label(won, bad, max(known, told or known), True, told)


def acceptance_of(posted: Iterable[Posted], decided_at: datetime, horizon: timedelta, now: datetime) -> Outcome:
    """Whether a recipient took the lead. One yes is enough, and known at once; a no is known once nobody is still being
    asked, or once the horizon is full. Whom nobody could reach says nothing, and neither does a lead that was handed to
    nobody. What is answered after the horizon does not count."""
    ends = decided_at + horizon
    counted = [one for one in posted if one.at <= ends]
    took = [one.at for one in counted if one.what == "took"]
    if took:
        return Outcome(True, min(took))
    refused = [one.at for one in counted if one.what == "refused"]
    if not refused or (now < ends and any(one.what == "open" for one in counted)):
        return _UNKNOWN
    return Outcome(False, max(refused))


def review_of(looks: Iterable[Looked]) -> Outcome:
    """Whether the desk held the lead for bad, by its last word; what nobody looked at is not known."""
    last = max(looks, key=lambda one: one.at, default=None)
    return _UNKNOWN if last is None else Outcome(not last.good, last.at)

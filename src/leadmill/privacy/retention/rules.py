"""Whether something may go. Pure: the moment is an argument.

The longest term wins: a lead is due once every schedule that fits it and every least term of the law are over. A hold
beats them all. What no schedule fits stays.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from leadmill.core.spans import after
from leadmill.privacy.retention.model import Due, Kept, Least, Schedule, Seen, Since, Tally, Terms, Unruled, What


def fits(one: Schedule, seen: Seen) -> bool:
    """Whether a lead falls under a schedule."""
    return (
        (not one.states or seen.state in one.states)
        and (not one.verticals or seen.vertical in one.verticals)
        and (not one.sources or seen.source in one.sources)
        and (not one.regions or seen.region in one.regions)
    )


def demands(one: Least, seen: Seen) -> bool:
    """Whether a least term of the law bears on a lead."""
    return (
        (not one.used or seen.used_at is not None)
        and (not one.verticals or seen.vertical in one.verticals)
        and (not one.regions or seen.region in one.regions)
    )


def judge_keeping(seen: Seen, terms: Terms, now: datetime, what: What = "leads") -> Due | Kept | Unruled:
    """Whether a lead, or what hangs on it, may go now; where it may not, what keeps it longest."""
    ends = [(_end(one.keep, one.since, seen), one.id) for one in terms.of(what) if fits(one, seen)]
    if not ends:
        return Unruled()
    end, schedule = max(ends)
    if end > now:
        return Kept("schedule", schedule, end)
    if seen.held:
        return Kept("hold", seen.held[0], None, schedule)
    law = max(
        ((_end(one.keep, one.since, seen), one.id) for one in terms.least if one.what == what and demands(one, seen)),
        default=None,
    )
    if law is not None and law[0] > now:
        return Kept("law", law[1], law[0], schedule)
    if seen.busy:
        return Kept("busy", "", None, schedule)
    return Due(schedule, end)


def _end(keep: str, since: Since, seen: Seen) -> datetime:
    begun = {"received": seen.received_at, "closed": seen.closed_at, "used": seen.used_at or seen.received_at}
    return after(begun[since], keep)


def all_due(judged: Iterable[Due | Kept | Unruled]) -> bool:
    """Whether a person may be forgotten, whose leads were judged so: only where all of them are due."""
    found = list(judged)
    return bool(found) and all(isinstance(one, Due) for one in found)


def added_up(one: Tally, other: Tally) -> Tally:
    """Two tallies as one."""
    return Tally(
        **{name: getattr(one, name) + getattr(other, name) for name in Tally.__struct_fields__},
    )


def in_turn(terms: Terms) -> Sequence[Schedule]:
    """The schedules in the order in which a run takes them: those that forget last, so that what hangs on a lead is
    taken out first."""
    order = ("files", "faults", "reads", "requests", "submissions", "leads")
    return sorted(terms.schedules.values(), key=lambda one: (order.index(one.what), one.id))


def digest_of_terms(terms: Terms) -> str:
    """Sixteen hexadecimal digits that stand for these schedules and least terms: what a run's record names."""
    return hashlib.sha256(msgspec.json.encode([*in_turn(terms), *terms.least])).hexdigest()[:16]

"""The words of retention: what there is to keep, for how long, what holds it, and what a run did.

Read by the verbs of this room, by ``flow``, which carries schedules out, and by the pages.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from leadmill.core.events import Event

What = Literal["leads", "submissions", "requests", "reads", "faults", "files"]
"""What a schedule is about; see :data:`TARGETS`."""

Since = Literal["received", "closed", "used"]
"""From when a term counts: since the lead came, since the last thing that happened to it, since somebody last used it
(was sold it, was assigned it or was handed it)."""

Then = Literal["forget", "strip", "delete"]
"""What happens in the end: the person is forgotten, the content is taken out, the row or file is deleted."""

RETAIN = "retention.run"
"""The kind of job that carries one run on; its payload is ``{"run_id": …}``."""


class Target(Struct, frozen=True):
    """Something that schedules may be about: what becomes of it, what its term may count from, in words."""

    then: Then
    since: tuple[Since, ...]
    says: str


TARGETS: Mapping[What, Target] = {
    "leads": Target("forget", ("received", "closed", "used"), "Leads: their person is forgotten once all are due"),
    "submissions": Target("strip", ("received",), "Bodies as they came in: emptied, the lead stays"),
    "requests": Target("strip", ("closed",), "What consumers asked: what they wrote and were told is emptied"),
    "reads": Target("delete", ("received",), "The log of who was shown which lead"),
    "faults": Target("delete", ("received",), "Rows of files that could not be taken in"),
    "files": Target("delete", ("received",), "Files laid into the drop folder for whoever fetches them"),
}


class Schedule(Struct, frozen=True, kw_only=True):
    """One schedule: what fits it goes once ``keep`` (a span) is over. Empty tuples mean all. ``of_pack`` says that it
    is a default that nobody declared."""

    id: str
    what: What
    keep: str
    since: Since = "received"
    states: tuple[str, ...] = ()
    verticals: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    why: str = ""
    retired: bool = False
    of_pack: bool = False


class Least(Struct, frozen=True, kw_only=True):
    """A term that the law demands at least, of whatever fits. With ``used`` only of leads that somebody used: a consent
    on which nobody acted has to prove nothing."""

    id: str
    what: What
    keep: str
    since: Since
    citation: str
    why: str
    used: bool = False
    verticals: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class Terms(Struct, frozen=True):
    """All schedules in force by id, and the law's least terms."""

    schedules: Mapping[str, Schedule] = {}
    least: tuple[Least, ...] = ()

    def laid_over(self, declared: Iterable[Schedule]) -> "Terms":
        """These with declared schedules in the place of defaults of the same id; retired ones fall away."""
        found = {**self.schedules, **{one.id: one for one in declared}}
        return Terms({ident: one for ident, one in sorted(found.items()) if not one.retired}, self.least)

    def of(self, what: What) -> list[Schedule]:
        """The schedules about one thing, by id."""
        return [one for one in self.schedules.values() if one.what == what]


class Seen(Struct, frozen=True, kw_only=True):
    """What is known of a lead for this purpose. ``used_at`` is None where nobody ever used it; ``busy`` says that
    something about it is still under way; ``held`` are the ids of holds on it or its person."""

    id: str
    person_id: str
    vertical: str
    state: str
    source: str
    region: str
    received_at: datetime
    closed_at: datetime
    used_at: datetime | None = None
    busy: bool = False
    held: tuple[str, ...] = ()


class Due(Struct, frozen=True):
    """It may go, since ``at``, by this schedule."""

    schedule: str
    at: datetime


class Kept(Struct, frozen=True):
    """It stays. ``by`` is ``schedule``, ``law``, ``hold`` or ``busy``; ``ident`` which one; ``until`` None where nobody
    can say."""

    by: Literal["schedule", "law", "hold", "busy"]
    ident: str
    until: datetime | None = None
    schedule: str = ""
    """The schedule under which it would be due, where it is not the schedule itself that keeps it."""


class Unruled(Struct, frozen=True):
    """No schedule fits: it stays without an end."""


class Hold(Struct, frozen=True, kw_only=True):
    """A legal hold on a lead or a person: nothing of it goes while it stands, whoever asks."""

    id: str
    subject: str
    why: str
    by: str
    at: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    lifted_why: str | None = None


class Tally(Struct, frozen=True, kw_only=True):
    """What a run found under one schedule: how much ``went`` (of a dry run: would go), was kept by a hold, by the law,
    because something is under way, and because other leads of the person are not due (``waits``); ``persons`` are those
    forgotten, ``failed`` what could not be done and is tried in the next run."""

    went: int = 0
    persons: int = 0
    held: int = 0
    law: int = 0
    busy: int = 0
    waits: int = 0
    failed: int = 0


class Run(Struct, frozen=True, kw_only=True):
    """One run over all schedules: how far it is (``place``: the schedule, ``after``: the last thing looked at there)
    and what it found by schedule. ``day`` is set for the run of a day, of which there is one."""

    id: str
    at: datetime
    by: str
    dry: bool
    state: Literal["running", "done"]
    day: date | None = None
    place: str = ""
    after: str = ""
    tallies: dict[str, Tally] = {}
    ended_at: datetime | None = None


class RetentionRan(Event, frozen=True, kw_only=True, tag="retention.ran"):
    """A run of the retention schedules ended; ``went`` says how much went by each. Stands in the journal under the
    run's own id."""

    by: str
    went: dict[str, int]
    digest: str

    def tell(self) -> Iterable[str]:
        """One sentence a schedule."""
        for schedule, number in sorted(self.went.items()):
            yield f"{number} went by the schedule {schedule}."


class HoldPlaced(Event, frozen=True, kw_only=True, tag="hold.placed"):
    """The lead, or its person, must not go while the hold stands."""

    hold_id: str
    by: str

    def tell(self) -> Iterable[str]:
        """Who said so; why stands with the hold."""
        yield f"{self.by} placed a legal hold: nothing of it goes."


class HoldLifted(Event, frozen=True, kw_only=True, tag="hold.lifted"):
    """A hold fell away."""

    hold_id: str
    by: str

    def tell(self) -> Iterable[str]:
        """Who said so."""
        yield f"{self.by} lifted the legal hold."


class PersonPartedWith(Event, frozen=True, kw_only=True, tag="person.parted_with"):
    """One of ours had somebody forgotten; ``digest`` is that of the certificate. Stands in the journal under the
    certificate's own id."""

    by: str
    why: str
    digest: str

    def tell(self) -> Iterable[str]:
        """Who and why."""
        yield f"{self.by} had a person forgotten: {self.why}."

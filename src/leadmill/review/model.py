"""What the review desk knows: cases, decisions, labels, the closed lists of grounds, and what happened for the journal.

A case is one wait of one lead for a person. What it holds names nobody: the person's data stays with the lead.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from leadmill.core.events import Event
from leadmill.core.hours import Schedule

Stage = Literal["open", "second", "third", "decided", "closed"]
"""Where a case stands: it waits for its first, second or third decision; it is decided and about to be carried out; it
is over."""

Choice = Literal["approve", "reject", "nurture", "hold"]
CHOICES: tuple[Choice, ...] = ("approve", "reject", "nurture")
"""What may be decided about a case. ``hold`` is none of them: it makes a lead wait that did not."""
Label = Literal["good", "bad"]

WAITS: tuple[Stage, ...] = ("open", "second", "third")
"""The stages at which somebody is awaited."""

DONE = {"approve": "Approved", "reject": "Rejected", "nurture": "Kept for later"}
_UNASKED = {"approve": "Overridden", "reject": "Marked", "hold": "Held"}
"""What is said of a decision that nobody had asked for."""

CARRY = "review.carry"
"""The kind of job that carries a decision out; its subject is the lead."""

REMIND = "review.remind"
"""The kind of job that tells by e-mail which cases are overdue; its payload names the terms."""

EVERY = "all"
"""The id of the terms for all verticals that have none of their own."""


class Ground(Struct, frozen=True):
    """A reason a reviewer may give. ``label`` is what it says of the lead for whoever learns from it, None where it
    says nothing of its quality; ``fraudulent`` burns its marks; ``observes`` are hygiene's kinds of observation."""

    says: str
    label: Label | None = None
    fraudulent: bool = False
    observes: tuple[str, ...] = ()


REJECTS: dict[str, Ground] = {
    "made_up": Ground("The person or the request is made up", "bad", fraudulent=True),
    "machine": Ground("A program filled in the form", "bad", fraudulent=True),
    "wrong_number": Ground("The number is somebody else's", "bad", observes=("wrong_number",)),
    "disconnected": Ground("The number is not in service", "bad", observes=("disconnected",)),
    "unqualified": Ground("The person cannot have what is offered", "bad"),
    "not_asked": Ground("The person did not ask, or wants nothing", "bad"),
    "doubtful_consent": Ground("The consent does not hold"),
    "same_again": Ground("The same request is there already"),
    "other": Ground("Another reason, written down"),
}
"""Why a lead is rejected: a closed list."""

OVERRIDES: dict[str, Ground] = {
    "rule_wrong": Ground("The rule was wrong about this lead", "good"),
    "known_better": Ground("Something is known now that was not then", "good"),
    "asked_again": Ground("The person asked once more", "good"),
}
"""Why an automated decision is overridden: a closed list."""

HOLDS: dict[str, Ground] = {
    "law_in_doubt": Ground("It is in doubt whether the law lets it be sold"),
    "complaint": Ground("Somebody complained"),
    "wrong_place": Ground("It was taken for something else than it is"),
    "look_again": Ground("A person should look at it first"),
}
"""Why a lead is held that automation let go on: a closed list."""

MARKS = {code: ground for code, ground in REJECTS.items() if ground.label is not None}
"""What a lead may be marked as that nobody had to decide about: what says something of its quality."""

GROUNDS = {**REJECTS, **OVERRIDES, **HOLDS}


class ReviewTerms(Struct, frozen=True, kw_only=True):
    """How the cases of a vertical are worked: the ``[[review]]`` tables of the configuration.

    A case is due ``minutes`` of open ``hours`` after it began to wait (all hours where None; none on ``closed`` days),
    or as many as ``due`` names for its reason. ``second_share`` of cases, in millionths, are decided by two. A decision
    is carried out after ``undo_seconds``; whoever takes a case has it for ``lock_minutes``. ``notify`` are the
    addresses that are written to when cases are overdue."""

    id: str = EVERY
    hours: Schedule | None = None
    closed: tuple[date, ...] = ()
    minutes: int = 240
    due: dict[str, int] = {}
    second_share: int = 0
    undo_seconds: int = 10
    lock_minutes: int = 10
    retired: bool = False
    notify: tuple[str, ...] = ()


class Wait(Struct, frozen=True, kw_only=True):
    """A lead that waits for a person, as found: why, by which rule, since when, and what is at stake in minor
    units."""

    lead_id: str
    vertical: str
    source_id: str
    reason: str
    since: datetime
    says: str = ""
    rule: str = ""
    citation: str = ""
    score: int | None = None
    worth: int | None = None
    currency: str = "USD"
    test: bool = False


class ReviewCase(Struct, frozen=True, kw_only=True):
    """A case as it stands. ``turn`` grows whenever somebody else gets it: who decides names the turn they saw.
    ``first_by`` and ``second_by`` have decided before, at a blind second review; ``decision`` and ``ground`` are what
    is to be carried out at ``carry_at``; ``outcome`` is where the lead stood after that. ``told_at`` is when it was
    last told by e-mail that the case is overdue."""

    id: str
    lead_id: str
    vertical: str
    source_id: str
    reason: str
    says: str
    rule: str
    citation: str
    score: int | None
    worth: int
    currency: str
    test: bool
    since: datetime
    due_at: datetime
    stage: Stage
    sampled: bool
    turn: int
    holder: str | None = None
    held_until: datetime | None = None
    snoozed_until: datetime | None = None
    first_by: str | None = None
    second_by: str | None = None
    decision: Choice | None = None
    ground: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    carry_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    label: Label | None = None
    override: bool = False
    told_at: datetime | None = None

    def held(self, now: datetime) -> str | None:
        """Who has it now, None where nobody has."""
        return self.holder if self.held_until is not None and self.held_until > now else None


class Decision(Struct, frozen=True, kw_only=True):
    """What one person decided about a case, as the ``no``-th of it. ``note`` is sealed with the key of the lead's
    person; an ``undone`` one counts for nothing."""

    id: str
    case_id: str
    lead_id: str
    no: int
    by: str
    at: datetime
    choice: Choice
    ground: str
    note: bytes | None = None
    undone_at: datetime | None = None


class LabelRecord(Struct, frozen=True):
    """What a person's look says of a lead, for whoever learns: ``label`` is good or bad, ``at`` when it was known."""

    lead_id: str
    label: Label
    ground: str
    at: datetime
    source: str = "review"


class Overdue(Struct, frozen=True):
    """How many cases of one vertical and reason wait that are overdue, and since when the first of them is."""

    vertical: str
    reason: str
    count: int
    since: datetime


class CaseFilter(Struct, frozen=True):
    """What a list of cases is narrowed to; None means any. ``overdue`` counts from a moment."""

    reason: str | None = None
    vertical: str | None = None
    source_id: str | None = None
    holder: str | None = None
    stage: Stage | None = None
    overdue: datetime | None = None


class Figures(Struct, frozen=True):
    """The desk in numbers: cases that wait and that are overdue, decisions since midnight, and the median time from the
    beginning of a wait to its decision in seconds, of cases closed in the last week (None where there are none)."""

    waiting: int
    overdue: int
    today: int
    median_seconds: float | None


class CaseDecided(Event, frozen=True, kw_only=True, tag="review.decided"):
    """A person decided about a waiting lead, at ``decided_at``; ``note`` is sealed with the person's key. ``no`` counts
    the decisions about one case, ``undone`` says that it was taken back in time, ``override`` that it was not
    asked for."""

    case_id: str
    by: str
    decided_at: datetime
    choice: str
    ground: str = ""
    note: bytes | None = None
    no: int = 1
    undone: bool = False
    override: bool = False

    def tell(self) -> Iterable[str]:
        """One sentence."""
        ground = GROUNDS.get(self.ground)
        why = f": {ground.says}" if ground is not None else ""
        what = (_UNASKED if self.override else DONE).get(self.choice, self.choice)
        yield f"{what} by {self.by}{why}.{' Taken back.' if self.undone else ''}"


class LeadLabelled(Event, frozen=True, kw_only=True, tag="lead.labelled"):
    """What was found out about a lead's quality, for whoever learns from it. The latest of a source is what it says:
    one without a ``label`` takes back what it had said before."""

    label: str
    source: str
    ground: str = ""

    def tell(self) -> Iterable[str]:
        """One sentence."""
        said = f"Remembered as {self.label}" if self.label else "What was remembered of its quality is taken back"
        yield f"{said}, by {self.source}."

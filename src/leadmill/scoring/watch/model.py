"""What is measured of models at work, what is told of it, and what the house asks for.

Read by the console, the interfaces and the command line; made by :mod:`leadmill.scoring.watch.rules` from daily counts.
Nothing here is of a person: counts, shares and the names of columns, models and recipients.
"""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from leadmill.scoring.model import Foresees

# What the house asks for


class RollBack(Struct, frozen=True, kw_only=True):
    """When a model is taken back without a person, and to what. A bound that is None is not looked at; one counts as
    broken only where the sequential test is sure of it. ``gap``: the mean distance between what it said and what came,
    either way. ``bad_over``: by how much more of its leads are bad than of the others'. ``conversion_under``: by how
    much fewer of its leads convert. ``to``: the champion before it (``before``), or the scorecard (``card``)."""

    to: Literal["before", "card"] = "before"
    gap: float | None = None
    bad_over: float | None = None
    conversion_under: float | None = None

    @property
    def bounds(self) -> int:
        """How many bounds are declared."""
        return sum(one is not None for one in (self.gap, self.bad_over, self.conversion_under))


class WatchTerms(Struct, frozen=True, kw_only=True):
    """How the models of a vertical are watched. ``psi``: from where on a shift is large. ``alpha``: the chance that a
    model that is as it was is ever called otherwise. ``horizon`` and ``early``: days after which a lead's outcome
    counts, and its being bad or answered for counts early. ``gap``: a mean distance between chance and outcome that is
    large. ``least``: rows under which nothing is said. ``span``: days
    that count as now. ``quiet``: columns that move by nature and alert nobody."""

    vertical: str
    psi: float = 0.25
    alpha: float = 0.01
    horizon: int = 60
    early: int = 14
    gap: float = 0.05
    least: int = 200
    span: int = 30
    quiet: tuple[str, ...] = ()
    roll_back: RollBack | None = None
    retired: bool = False
    why: str = ""


# What is measured


class Bin(Struct, frozen=True):
    """One bin of the score or of a column, or one of its levels: the share of rows in it in the training data
    (``then``) and lately (``now``). ``says`` names it: ``0.10 to 0.20``, a level, ``missing``, ``other``."""

    says: str
    then: float
    now: float
    rows: int


class Shift(Struct, frozen=True):
    """How far the score (``name`` is ``score``) or a column is from the training data over ``rows`` leads of the last
    days. ``psi`` is the population stability index, ``chance`` what it would be by chance alone with so few rows.
    ``e_value`` is the evidence of the sequential test that anything changed at all: 1 says nothing, 100 is as unlikely
    as one in a hundred; ``sure`` that it is beyond its limit. ``state``: ``steady``, ``moving`` (0.1 and more beyond
    chance) or ``drifted`` (large and sure). ``quiet``: it alerts nobody."""

    name: str
    rows: int
    psi: float
    chance: float
    e_value: float
    sure: bool
    state: Literal["few", "steady", "moving", "drifted"]
    bins: list[Bin]
    quiet: bool = False


class Tenth(Struct, frozen=True):
    """Leads of about the same chance: how many, the mean chance the model gave them, the share that came out so, and
    the interval that holds it with 95 in 100 (Wilson)."""

    low: float
    high: float
    rows: int
    expected: float
    observed: float
    observed_low: float
    observed_high: float


class Calibrated(Struct, frozen=True):
    """Whether chances are still what comes out. ``now`` is of matured leads by the tenths of the training data's
    scores, ``then`` of the rows held back in training. ``gap`` is the mean of outcome less chance, between ``gap_low``
    and ``gap_high`` with 1 − alpha (what the test rules out at most); ``error`` the calibration error (ECE) over
    the tenths, ``error_then`` the card's. ``e_value`` is the evidence that the mean gap is not nought."""

    rows: int
    events: int
    gap: float
    gap_low: float
    gap_high: float
    error: float
    error_then: float | None
    e_value: float
    sure: bool
    now: list[Tenth]
    then: list[Tenth]
    log_loss: float | None = None


class Compared(Struct, frozen=True):
    """Two models heard on the same matured leads. ``difference`` is the mean log-loss of ``other`` less that of
    ``model``: above nought ``model`` is better, for sure where ``low`` is."""

    model: str
    other: str
    rows: int
    difference: float
    low: float
    high: float
    better: Literal["model", "other", "open"]


class Rate(Struct, frozen=True):
    """How many of ``rows`` did: ``share``, with the interval that holds it with 95 in 100 (Wilson)."""

    rows: int
    count: int
    share: float
    low: float
    high: float


class Group(Struct, frozen=True):
    """The leads that one model, or the card (``decider`` is ``card``), decided about and that somebody got. ``early``
    is the share known to be bad within the early span, ``bad`` and ``converted`` at the horizon. ``worse``/``better``
    say what is sure, by the sequential test, against all other leads of the same days: ``bad``, ``converted``."""

    decider: str
    digest: str
    early: Rate
    bad: Rate
    converted: Rate
    worse: list[str] = []
    better: list[str] = []


class Lag(Struct, frozen=True):
    """How fast one recipient says what became of leads. ``leads`` it got whose horizon is over; days from getting one
    to its first final word for half of those it answered (``median``) and for nine of ten (``ninetieth``), None where
    it answered none; ``silent`` the share it never did. ``early_before``/``early_now`` are the shares of leads answered
    within the early span, before and lately; ``state`` is ``silent`` or ``slower`` where that fell for sure."""

    recipient: str
    leads: int
    median: float | None
    ninetieth: float | None
    silent: float
    early_before: float | None
    early_now: float | None
    early_rows: int
    state: Literal["few", "steady", "slower", "silent"]


class Watched(Struct, frozen=True):
    """All that is measured of one model at work. ``first`` and ``last`` are the days it was heard on, ``leads`` how
    many were counted (a sample, where there are more than are read)."""

    model: str
    digest: str
    vertical: str
    state: str
    foresees: Foresees
    first: date | None
    last: date | None
    leads: int
    score: Shift | None
    columns: list[Shift]
    calibration: Calibrated | None
    why_not: str = ""
    """Why drift cannot be told: its card has no reference, say."""
    horizon: int = 0
    """Within how many days it foresees something; it is held against that where the watch waits so long."""


class WatchedVertical(Struct, frozen=True):
    """A vertical as watched: its models, who did better, who reports late, by which terms; ``upto`` is the last day
    counted, None where nothing was yet."""

    vertical: str
    terms: WatchTerms
    upto: date | None
    models: list[Watched]
    groups: list[Group]
    compared: list[Compared]
    lags: list[Lag]
    days: list[tuple[date, int]]
    """Leads counted by day, oldest first."""
    began: date | None = None
    """The first day that was ever counted; days are let go of, and tests remember that they were."""


# What is told

Severity = Literal["watch", "alarm"]
"""Look at it when you can, or today."""

AlertKind = Literal[
    "score_drift",
    "column_drift",
    "calibration",
    "worse_bad",
    "worse_conversion",
    "beaten",
    "silent",
    "slower",
    "rolled_back",
    "retrained",
    "unheard",
    "not_taken_back",
]
ALERT_KINDS: dict[AlertKind, str] = {
    "score_drift": "the model's scores are not distributed as in its training data",
    "column_drift": "a column is not distributed as in the training data",
    "calibration": "what comes out is not what the model says",
    "worse_bad": "more of its leads are bad than of the others'",
    "worse_conversion": "fewer of its leads convert than of the others'",
    "beaten": "another model that is heard on the same leads is better",
    "silent": "a recipient that used to report has fallen silent",
    "slower": "a recipient reports much later than it used to",
    "rolled_back": "a model broke a bound and was taken back",
    "retrained": "a model was trained again by schedule, or could not be",
    "unheard": "a model has a place and is not heard",
    "not_taken_back": "a model broke a bound and could not be taken back",
}
"""Every kind of alert, in words."""


class Alert(Struct, frozen=True, kw_only=True):
    """Something a person should look at. ``subject`` is the column, the other model or the recipient it is about, or
    nothing; ``model`` nothing where it is about a recipient. ``since`` is when it was first seen, ``seen`` when last;
    ``ended`` when it was no longer so. ``acknowledged`` with ``by`` and ``why`` is who looked."""

    id: str
    vertical: str
    kind: AlertKind
    severity: Severity
    model: str
    subject: str
    says: str
    since: datetime
    seen: datetime
    ended: datetime | None = None
    acknowledged: datetime | None = None
    by: str = ""
    why: str = ""

    @property
    def open(self) -> bool:
        """Whether it still is so and nobody has looked."""
        return self.ended is None and self.acknowledged is None


class RolledBack(Struct, frozen=True):
    """A model that was taken back without a person: what for, what decides since (a model's id, or ``card``) and the
    revision of the records that did it."""

    at: datetime
    vertical: str
    model: str
    says: str
    to: str
    revision: int

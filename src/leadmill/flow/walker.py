"""One lead under way: its case, its place on the walk, and the notes that become its page in the journal.

Made by the runner for a fresh lead and by ``resume`` for one that walks on; judged one step at a time by the runner
and, with recorded answers, by replay. Pure but for the stopwatch that it is given.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from leadmill.core.case import NOTHING, Answer, Ask, Case, Evidence, Heard
from leadmill.core.events import Event
from leadmill.core.reasons import Because, State, because
from leadmill.core.step import Step
from leadmill.core.verdicts import ASIDE, Hold, Pass, Stop, Verdict, named
from leadmill.flow.model import FAILED, Hearing, StepTaken, raw
from leadmill.market import BIDDING, Assignment, Sale

Stopwatch = Callable[[], int]
"""Gives nanoseconds from some fixed point."""


class Walker:
    """A lead on its walk. ``events`` are public, ``hearings`` hold what is personal; ``verdict`` is the last one
    given."""

    __slots__ = ("at", "broken", "case", "events", "hearings", "import_id", "verdict")

    def __init__(self, case: Case, import_id: str | None = None) -> None:
        self.case = case
        self.import_id = import_id
        self.at = ""
        """The station it is at, for whoever must say where something broke."""
        self.broken = False
        """Whether a step of ours broke on it: it waits for a person, and nothing follows from its walk."""
        self.events: list[Event] = []
        self.hearings: list[Hearing] = []
        self.verdict: Verdict = Pass()

    @property
    def going(self) -> bool:
        """Whether no step has stopped or held it."""
        return isinstance(self.verdict, Pass)

    @property
    def bidding(self) -> bool:
        """Whether it waits for bids: it walks on in a moment, so nothing follows from its walk yet."""
        return isinstance(self.verdict, Hold) and self.verdict.because.code == BIDDING.code

    def take(self, step: Step, asks: Sequence[Ask], heard: Heard, now: datetime, watch: Stopwatch) -> Verdict:
        """Let a step judge, learn what it learned, and note it for the journal."""
        began = watch()
        verdict = step.judge(self.case, heard, now)
        micros = (watch() - began) // 1000
        if verdict is ASIDE:
            return verdict
        self.case.learn(verdict.learned)
        self.note(step.name, asks, heard, verdict, now, micros)
        return verdict

    def note(self, step: str, asks: Sequence[Ask], heard: Heard, verdict: Verdict, now: datetime, micros: int) -> None:
        """Write a verdict into the notes."""
        plain: list[msgspec.Raw] = []
        personal: list[msgspec.Raw] = []
        for item in verdict.learned:
            if item.kept:
                (personal if item.personal else plain).append(raw(item))
        waits = verdict if isinstance(verdict, Hold | Stop) else None
        self.events.append(
            StepTaken(
                at=now,
                step=step,
                verdict=named(verdict),
                because=waits.because if waits else None,
                until=verdict.until if isinstance(verdict, Hold) else None,
                rules=list(verdict.rules),
                learned=plain,
                micros=micros,
            )
        )
        if asks or personal:
            self.hearings.append(Hearing(step, now, [raw(heard[ask]) for ask in asks], personal))

    def fail(self, step: str, fault: BaseException, now: datetime) -> None:
        """Hold the lead for a person because a step broke: nothing that was accepted is lost to a fault of ours."""
        self.broken = True
        self.verdict = Hold(because(FAILED, step=step, fault=type(fault).__name__))
        self.note(step, (), NOTHING, self.verdict, now, 0)


def state_of(case: Case, verdict: Verdict) -> State:
    """Where a lead stands after its walk."""
    if isinstance(verdict, Hold | Stop):
        return verdict.because.reason.state or State.REVIEW
    if Sale in case:
        return State.SOLD
    return State.ASSIGNED if Assignment in case else State.UNSOLD


def reasons_of(verdict: Verdict) -> list[Because]:
    """The reasons to tell the source: none where the lead went through."""
    return [verdict.because] if isinstance(verdict, Hold | Stop) else []


def heard_of(asks: Sequence[Ask], answer: Callable[[Ask], Answer]) -> Heard:
    """Collect the answers to some asks."""
    return Heard({ask: answer(ask) for ask in asks}) if asks else NOTHING


def merged(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The last piece of each type, in the order first learned."""
    return tuple({type(item): item for item in evidence}.values())

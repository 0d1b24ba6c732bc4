"""Re-decides recorded leads under the rules of their time.

Called by ``leadmill replay``. A lead must come out as it did, bit for bit: every step hears again what it heard then
and must say again what it said. What another order book would have made of it is asked in ``whatif``.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.step import Step
from leadmill.core.verdicts import Verdict
from leadmill.enrich import ProviderAnswer, VerifyOfOld
from leadmill.facts import Verify
from leadmill.flow.aside import case_aside
from leadmill.flow.book import Book
from leadmill.flow.keep import Pen
from leadmill.flow.memory import Chapter, Recalled, Station, recalled_between
from leadmill.flow.model import (
    FAILED,
    CertificatesKept,
    LeadCorrected,
    LeadEnriched,
    LeadReceived,
    LeadResumed,
    StepTaken,
)
from leadmill.flow.walker import Walker
from leadmill.market import Allocate, Declined
from leadmill.policy import Released
from leadmill.runtime.db import Database, Tx

_PAGE = 200

OPENINGS = (LeadReceived, LeadResumed, LeadCorrected, LeadEnriched, CertificatesKept)
"""The events that say how the steps of a page came to be taken, and under which rules."""


class Difference(Struct, frozen=True):
    """A step that says something else than it said; ``was`` and ``now`` are verdicts with their code."""

    lead_id: str
    step: str
    was: str
    now: str


class Replayed(Struct):
    """What a replay found. ``skipped`` counts leads whose person was forgotten, whose body was emptied, or whose packs
    are gone."""

    leads: int = 0
    steps: int = 0
    skipped: int = 0
    differences: list[Difference] = []


async def replay(
    db: Database, pen: Pen, book: Book, since: datetime | None = None, until: datetime | None = None
) -> Replayed:
    """Re-decide every lead received in a span under the rules of its time."""
    found = Replayed()
    async for tx, recalled in recalled_between(db, pen, since, until):
        found.leads += 1
        if recalled.submission is None or recalled.emptied:
            found.skipped += 1
            continue
        for number, chapter in enumerate(recalled.chapters):
            if chapter.stations:
                await _redecide(tx, book, recalled, number, chapter, found)
    return found


async def _redecide(tx: Tx, book: Book, recalled: Recalled, number: int, chapter: Chapter, found: Replayed) -> None:
    opening = next((e for e in chapter.events if isinstance(e, OPENINGS)), None)
    if opening is None or recalled.submission is None:
        raise Permanent("flow.page.headless", "a page with steps says how the walk began")
    walk = await book.at(tx, opening.revision, opening.mail)
    if opening.packs != walk.rules.packs:
        found.skipped += 1
        return
    steps = {step.name: step for step in (*walk.alone, *walk.together, *walk.after, *walk.aside)}
    case = Case(recalled.row.id, [recalled.submission])
    if isinstance(opening, LeadResumed):
        earlier = msgspec.structs.replace(recalled, chapters=recalled.chapters[:number])
        case = earlier.case_before(opening.step)
        case.learn([Declined(buyers=tuple(opening.excluded))])
        if opening.again is not None:
            case.learn([opening.again])
        if opening.released:
            case.learn([Released(tuple(opening.released))])
    case = case_aside(msgspec.structs.replace(recalled, chapters=recalled.chapters[:number]), opening) or case
    for station in chapter.stations:
        found.steps += 1
        if station.event.because is not None and station.event.because.code == FAILED.code:
            # It broke; there is no verdict to compare with.
            continue
        verdict, said = _again(step_of_then(steps[station.event.step], station), case, station)
        if said is not None:
            found.differences.append(Difference(recalled.row.id, station.event.step, _words(station.event), said))
        case.learn(verdict.learned if verdict is not None else station.learned)


def step_of_then(step: Step, station: Station) -> Step:
    """The step as it was when the page was written: providers were once heard by ``facts``."""
    told = any(isinstance(answer, ProviderAnswer) for answer in station.heard)
    return VerifyOfOld(step, station.heard) if told and isinstance(step, Verify) else step


def _again(step: Step, case: Case, station: Station) -> tuple[Verdict | None, str | None]:
    """Judge again on what was heard; the words of the new verdict where it differs in anything."""
    asks = step.wants(case)
    if asks and not station.heard and step.name == Allocate.name:
        asks = ()  # an auction without limits once asked nothing, though chances matter to it
    if len(asks) != len(station.heard):
        return None, f"asks {len(asks)} questions, {len(station.heard)} were answered"
    walker = Walker(case)
    heard = Heard(dict(zip(asks, station.heard, strict=True))) if asks else NOTHING
    verdict = walker.take(step, asks, heard, station.event.at, lambda: 0)
    event = walker.events[-1]
    sealed = walker.hearings[-1].learned if walker.hearings else []
    same = isinstance(event, StepTaken) and _bytes(event) == _bytes(station.event) and sealed == station.sealed
    return verdict, None if same else _words(event if isinstance(event, StepTaken) else station.event)


def _bytes(event: StepTaken) -> bytes:
    return msgspec.msgpack.encode(msgspec.structs.replace(event, micros=0))


def _words(event: StepTaken) -> str:
    return event.verdict + (f" ({event.because.code})" if event.because else "")

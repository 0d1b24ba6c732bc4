"""A lead aside of its walk: a person corrects it, or it is looked at once more.

Called by the console, the API and ``leadmill enrich``. Neither changes where the lead stands, who has it or what was
paid: both leave a page of their own, with everything that was said, so that they can be told and decided again. A lead
that walks on later walks on with what is known then.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.capture import FieldSpec, Lead, Value, read_value
from leadmill.core.case import Answer, Ask, Case, Heard
from leadmill.core.events import Event
from leadmill.core.faults import BadInput, FieldFault, Permanent
from leadmill.core.reading import nearest
from leadmill.core.step import Step
from leadmill.enrich import (
    AskedAgain,
    Consulted,
    Correct,
    Correction,
    Corrections,
    CorrectionsMade,
    EnrichAgain,
    agrees,
)
from leadmill.enrich.service import Heeded, heed_truth
from leadmill.facts import KEYS, Dossier, Fact, LookedUp, LookUp
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import CertificatesKept, LeadCorrected, LeadEnriched, LeadRow
from leadmill.flow.persons import known_anew
from leadmill.flow.pipeline import Walk
from leadmill.flow.walker import Walker
from leadmill.identity import traits_of
from leadmill.runtime.db import Tx
from leadmill.runtime.records import hold

_TRIES = 3
MOST_WHY = 500
"""Characters of a reason."""


class Looked(Struct, frozen=True):
    """What was looked up about a lead as it will be, by the question that was asked."""

    ask: LookUp
    answer: LookedUp


async def look_up(kit: Kit, lead_id: str, given: Mapping[str, object]) -> Looked | None:
    """Look up about a lead what its facts would need once it is corrected so, before :func:`correct_lead` and outside
    any transaction, because it may ask the network. None where there is nothing to look up, and for whatever
    :func:`correct_lead` will refuse."""
    async with kit.db.begin() as tx:
        recalled = await recall_one(tx, kit.pen, lead_id)
    if recalled.submission is None or recalled.lead is None:
        return None
    walk, case = kit.walk(), recalled.case_before()
    vertical = walk.rules.verticals.get(recalled.row.vertical)
    try:
        made = _read(given, vertical.fields if vertical else {}, case.get(Dossier), "", "-", kit.clock())
    except BadInput:
        return None
    ask = _find_correct(walk.aside).to_look_up(case, made)
    if ask is None:
        return None
    answer = await kit.ears.callers[LookUp](ask)
    return Looked(ask, answer) if isinstance(answer, LookedUp) else None


async def correct_lead(
    tx: Tx,
    kit: Kit,
    lead_id: str,
    given: Mapping[str, object],
    by: str,
    why: str,
    now: datetime,
    looked: Looked | None = None,
) -> Corrections:
    """Put right what is wrong about a lead: its fields by their names, what is known of it by the facts' keys; None or
    nothing takes a field away. All its corrections. ``looked`` is what :func:`look_up` gave; where the lead was changed
    in between, it counts for nothing. What was looked up before and bears on the lead still is as it was heard then.
    Its person is known by what the lead says now.

    Raises NotFound ``flow.lead.unknown``, Permanent ``flow.lead.forgotten``, and BadInput
    ``flow.correction.malformed`` with one entry a name that there is not or that cannot hold its value; nothing stands
    then.
    """
    row = await kit.pen.lock(tx, lead_id)
    recalled = await recall_one(tx, kit.pen, lead_id)
    _check_known(recalled)
    if await hold(tx) != kit.walk().rules.revision:
        await kit.take_up(tx)
    walk = kit.walk()
    case = recalled.case_before()
    vertical = walk.rules.verticals.get(row.vertical)
    made = _read(given, vertical.fields if vertical else {}, case.get(Dossier), by, why, now)
    step = _find_correct(walk.aside)
    fresh = looked.answer if looked is not None and looked.ask == step.to_look_up(case, made) else None
    answer = _whole(fresh, step.remembered(case, made))
    event = LeadCorrected(
        at=now,
        by=by,
        fields=[item.name for item in made],
        revision=walk.rules.revision,
        packs=walk.rules.packs,
        mail=walk.rules.mail,
    )
    (ask,) = step.wants(case)
    before, lead = case.get(Dossier), case[Lead]
    walker = await _take(tx, kit, row, case, step, event, {ask: CorrectionsMade(made, answer)}, now)
    if before is not None and any(item.of == "field" for item in made):
        await known_anew(tx, kit, walker.case, traits_of(lead, before), now)
    if before is not None and not row.test:
        await heed_truth(tx, _heeded(case.get(Consulted), before.facts, made), now)
    return walker.case[Corrections]


def _whole(fresh: LookedUp | None, known: LookedUp | None) -> LookedUp | None:
    """What was looked up just now; what was not, or got no answer, as it was heard before."""
    if fresh is None or known is None:
        return fresh or known
    mail = fresh.mail if fresh.mail is not None and fresh.mail.takes is not None else known.mail or fresh.mail
    return LookedUp(mail, fresh.ip or known.ip)


def _check_known(recalled: Recalled) -> None:
    if recalled.submission is None:
        raise Permanent("flow.lead.forgotten", "the person was forgotten; there is nothing to correct")
    if recalled.lead is None:
        raise BadInput("flow.correction.unmapped", "the lead could not be read; there is nothing to correct")


def _read(
    given: Mapping[str, object],
    specs: Mapping[str, FieldSpec],
    dossier: Dossier | None,
    by: str,
    why: str,
    now: datetime,
) -> list[Correction]:
    faults: list[FieldFault] = []
    made: list[Correction] = []
    if not why.strip() or len(why) > MOST_WHY:
        faults.append(FieldFault("/why", "flow.correction.reason", f"say why, in at most {MOST_WHY} characters"))
    facts = dossier.by_key if dossier is not None else {}
    known = {*facts, *KEYS}
    for name, value in given.items():
        pointer = f"/fields/{name.replace('~', '~0').replace('/', '~1')}"
        blank = value is None or value == ""
        if name in specs:
            try:
                read = None if blank else read_value(specs[name], value)
            except BadInput as fault:
                faults.append(FieldFault(pointer, fault.code, fault.detail))
                continue
            made.append(Correction(name, read, "field", by, why, now))
        elif name in known:
            told = _as(value, facts.get(name))
            if told is None and not blank:
                faults.append(FieldFault(pointer, "capture.field.type", "must be a text, a number, true or false"))
            else:
                made.append(Correction(name, told, "fact", by, why, now))
        else:
            says = f"there is no field or fact of this name; {nearest(name, [*specs, *known])}"
            faults.append(FieldFault(pointer, "flow.correction.unknown", says))
    if not given:
        faults.append(FieldFault("/fields", "flow.correction.unknown", "name at least one field"))
    if faults:
        raise BadInput("flow.correction.malformed", "see errors; nothing was corrected", faults)
    return made


def _as(value: object, fact: Fact | None) -> Value:
    """A value in the kind of the fact that it corrects, where it came as a text."""
    if isinstance(value, list):
        return [str(item) for item in value]
    if not isinstance(value, str | int | float):
        return None
    held = fact.value if fact is not None else None
    text = value.strip().lower() if isinstance(value, str) else None
    if text is None or value == "":
        return None if value == "" else value
    if (isinstance(held, bool) or held is None) and text in ("true", "yes", "false", "no"):
        return text in ("true", "yes")
    if isinstance(held, int | float) and text.replace(".", "", 1).isdecimal():
        return float(text) if "." in text else int(text)
    return str(value).strip()


def _heeded(consulted: Consulted | None, facts: Iterable[Fact], made: Iterable[Correction]) -> list[Heeded]:
    """What the providers that had spoken of a corrected fact are found to have said."""
    topics = {item.provider: item.topic for item in (consulted.items if consulted is not None else ())}
    truths = {item.name: item.value for item in made if item.of == "fact"}
    return [
        Heeded(fact.source, topics[fact.source], agrees(fact, truths[fact.key]))
        for fact in facts
        if fact.key in truths and fact.source in topics and fact.value is not None
    ]


async def enrich_lead(
    kit: Kit, lead_id: str, topics: Sequence[str], by: str, why: str, run: str = ""
) -> Consulted | None:
    """Look at a lead once more, on these ``topics`` (none: on all); who was asked and at what cost, None where there is
    nobody to ask about it, or ``run`` has looked at it before.

    Raises NotFound ``flow.lead.unknown``; a lead whose person was forgotten has nobody to ask about.
    """

    def event_of(walk: Walk, case: Case, now: datetime) -> Event:
        return LeadEnriched(
            at=now,
            by=by,
            why=why,
            topics=list(topics),
            run=run,
            revision=walk.rules.revision,
            packs=walk.rules.packs,
            mail=walk.rules.mail,
        )

    walker = await hear_aside(
        kit,
        lead_id,
        lambda walk: _find(walk.aside, EnrichAgain),
        lambda recalled: _again(recalled, topics, run),
        event_of,
    )
    return walker.case.get(Consulted) if walker is not None else None


async def hear_aside(
    kit: Kit,
    lead_id: str,
    find: Callable[[Walk], Step],
    case_of: Callable[[Recalled], Case | None],
    event_of: Callable[[Walk, Case, datetime], Event],
    check: Callable[[Iterable[Answer]], None] = lambda _: None,
) -> Walker | None:
    """Take a lead to a station aside of its walk that asks the network, outside of any transaction, and write its page,
    which the event of ``event_of`` opens. None where the station has nothing to ask, and where the lead changed under
    way more often than is worth waiting for. ``check`` may raise before anything is written."""
    await kit.refresh()
    for _ in range(_TRIES):
        step = find(kit.walk())
        async with kit.db.begin() as tx:
            recalled = await recall_one(tx, kit.pen, lead_id)
        case = case_of(recalled)
        asks = step.wants(case) if case is not None else ()
        if not asks:
            return None
        answers = await asyncio.gather(*(kit.ears.callers[type(ask)](ask) for ask in asks))
        check(answers)
        heard = dict(zip(asks, answers, strict=True))
        now = kit.clock()
        async with kit.db.begin() as tx:
            row = await kit.pen.lock(tx, lead_id)
            recalled = await recall_one(tx, kit.pen, lead_id)
            case = case_of(recalled)
            walk = kit.walk()
            if case is None or await hold(tx) != walk.rules.revision or list(step.wants(case)) != list(asks):
                await kit.take_up(tx)
                continue  # something happened to it meanwhile: what was heard is remembered, so asking again is cheap
            return await _take(tx, kit, row, case, step, event_of(walk, case, now), heard, now)
    return None


def _again(recalled: Recalled, topics: Sequence[str], run: str) -> Case | None:
    if recalled.submission is None or recalled.lead is None:
        return None
    events = (event for chapter in recalled.chapters for event in chapter.events)
    if run and any(isinstance(event, LeadEnriched) and event.run == run for event in events):
        return None
    case = recalled.case_before()
    case.learn([AskedAgain(tuple(topics))])
    return case


def case_aside(earlier: Recalled, event: Event) -> Case | None:
    """The case of a page that this event opened aside of the walk: all that was known by then; None for an event that
    opens a walk."""
    if not isinstance(event, LeadCorrected | LeadEnriched | CertificatesKept):
        return None
    case = earlier.case_before()
    if isinstance(event, LeadEnriched):
        case.learn([AskedAgain(tuple(event.topics))])
    return case


def _find(steps: Sequence[Step], kind: type[EnrichAgain]) -> Step:
    return next(step for step in steps if isinstance(step, kind))


def _find_correct(steps: Sequence[Step]) -> Correct:
    return next(step for step in steps if isinstance(step, Correct))


async def _take(
    tx: Tx,
    kit: Kit,
    row: LeadRow,
    case: Case,
    step: Step,
    event: Event,
    heard: Mapping[Ask, Answer],
    now: datetime,
) -> Walker:
    """Take a locked lead to a station aside, and write its page."""
    lead = case.get(Lead)
    walker = Walker(case)
    walker.events.append(event)
    walker.take(step, list(heard), Heard(heard), now, time.perf_counter_ns)
    await kit.pen.write_aside(tx, row, walker, walker.case.get(Lead) != lead, now)
    return walker

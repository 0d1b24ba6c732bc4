"""Our own leads as examples: what was known when each was first rated, and what became of it.

Called by ``history``, which makes a table of them. What was known is made again from the evidence on the lead's journal
pages up to the station ``scoring``, so that nothing that came later can be in it: corrections, enrichment, prices and
outcomes are of a later page or a later station. Leads are read in groups, three questions each; only what an example
is made of is opened and decoded.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.capture import Lead
from leadmill.core.case import Evidence
from leadmill.core.events import Event
from leadmill.delivery.model import (
    DeliveryAccepted,
    DeliveryCancelled,
    DeliveryDead,
    DeliveryEvent,
    DeliveryRejected,
)
from leadmill.enrich import Corrections, corrected, original
from leadmill.facts import Dossier
from leadmill.flow.keep import Pen
from leadmill.flow.model import LeadCorrected, LeadFilter, LeadRow, StepTaken
from leadmill.flow.store import leads_after
from leadmill.fraud import Suspicion
from leadmill.identity.service import load_keys
from leadmill.market import Assignment, Sale, SaleCancelled
from leadmill.outcomes import OutcomeReported
from leadmill.review import LeadLabelled
from leadmill.runtime import journal
from leadmill.runtime.db import Database
from leadmill.scoring import (
    Heard,
    Label,
    Looked,
    Outcome,
    Posted,
    Rate,
    Score,
    What,
    acceptance_of,
    label_of,
    review_of,
    see,
)

_GROUP = 200
"""Leads that are read with one question."""
_BREATH = 25
"""Leads between two moments at which others may work."""
_ANSWERED = timedelta(days=1)
"""How long a leg of which nothing was heard is taken for one that is being posted; after that, for one that is not."""


class Example(Struct, frozen=True):
    """One lead: what conditions and models saw of it when it was first rated (None once its person was forgotten), the
    score that it got, and what became of it. ``page`` is the hash of the journal page that proves it, ``placed``
    whether anybody got it."""

    lead_id: str
    decided_at: datetime
    page: str
    score: Score
    label: Label
    accepted: Outcome
    reviewed: Outcome
    placed: bool = False
    price: int = 0
    values: Mapping[str, Any] | None = None


async def examples_between(
    db: Database,
    pen: Pen,
    vertical: str,
    since: datetime | None,
    until: datetime | None,
    horizon: timedelta,
    now: datetime,
) -> AsyncIterator[Example]:
    """Every lead of a vertical that was received in a span and rated, oldest first; test leads are passed over."""
    narrow = LeadFilter(vertical=vertical, test=False, since=since, until=until)
    after = ""
    while True:
        async with db.begin(still=True) as tx:
            rows = await leads_after(tx, after, _GROUP, narrow)
            await load_keys(tx, pen.vault, pen.keys, {row.person_id for row in rows})
            pages = await journal.pages_of(tx, [row.id for row in rows])
        for number, row in enumerate(rows):
            found = _example(pen, row, pages.pop(row.id, []), horizon, now)
            if found is not None:
                yield found
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        if len(rows) < _GROUP:
            return
        after = rows[-1].id


def _example(
    pen: Pen, row: LeadRow, pages: Sequence[journal.Page], horizon: timedelta, now: datetime
) -> Example | None:
    """A lead as an example; None where it was never rated."""
    told = [pen.read_events(page) for page in pages]
    place, step, score = _first_rated(pen, told)
    if step is None or score is None:
        return None
    events = [event for page in told for event in page]
    deals = [
        deal for event in events if isinstance(event, StepTaken) for deal in evidence_in(pen, event.learned, _DEALS)
    ]
    return Example(
        lead_id=row.id,
        decided_at=pages[place].at,
        page=pages[place].hash.hex(),
        score=score,
        label=label_of(bool(deals), step.at, heard_of(events), horizon, now),
        accepted=acceptance_of(posted_of(events, deals, now), step.at, horizon, now),
        reviewed=review_of(_looks(events)),
        placed=bool(deals),
        price=row.price or 0,
        values=values_at(pen, row, pages, told, place) if pen.keys.has(row.person_id) else None,
    )


def _first_rated(pen: Pen, told: Sequence[Sequence[Event]]) -> tuple[int, StepTaken | None, Score | None]:
    for place, events in enumerate(told):
        for event in events:
            if isinstance(event, StepTaken) and event.step == Rate.name:
                for score in evidence_in(pen, event.learned, {tag_of(Score)}):
                    assert isinstance(score, Score)
                    return place, event, score
    return 0, None, None


def values_at(
    pen: Pen, row: LeadRow, pages: Sequence[journal.Page], told: Sequence[Sequence[Event]], place: int
) -> Mapping[str, Any] | None:
    """What was seen of the lead at its rating: its fields as they were then, and the evidence of the stations
    before."""
    lead = pen.open_lead(row)
    known: dict[type[Evidence], Evidence] = {}
    latest: Evidence | None = None
    for number, (page, events) in enumerate(zip(pages, told, strict=True)):
        later = number > place
        if later and not any(isinstance(event, LeadCorrected) for event in events):
            continue
        hearings = {hearing.step: hearing for hearing in pen.open_hearings(page, row.person_id)}
        over = False
        for event in events:
            if not isinstance(event, StepTaken):
                continue
            over = over or event.step == Rate.name
            sealed = hearings[event.step].learned if event.step in hearings else []
            if later or over:
                for item in evidence_in(pen, [*sealed, *event.learned], {tag_of(Corrections)}):
                    latest = item
                continue
            for item in evidence_in(pen, [*sealed, *event.learned], _SEEN):
                known[type(item)] = item
                latest = item if isinstance(item, Corrections) else latest
    dossier, suspicion, made = known.get(Dossier), known.get(Suspicion), known.get(Corrections, Corrections())
    if lead is None or not isinstance(dossier, Dossier):
        return None
    if isinstance(latest, Corrections) and isinstance(made, Corrections):
        # As it was then: what was put right later is undone.
        lead = corrected(original(lead, latest), made)
    return _see(lead, dossier, suspicion)


def _see(lead: Lead, dossier: Dossier, suspicion: Evidence | None) -> Mapping[str, Any]:
    return see(lead, dossier, suspicion if isinstance(suspicion, Suspicion) else None)


class _Tagged(Struct):
    type: str


def tag_of(kind: type[Evidence]) -> str:
    """What a kind of evidence is called where it is stored."""
    return str(kind.__struct_config__.tag)


_SEEN = frozenset(tag_of(kind) for kind in (Dossier, Suspicion, Corrections))
_DEALS = frozenset(tag_of(kind) for kind in (Sale, Assignment))
_peek = msgspec.msgpack.Decoder(_Tagged).decode


def evidence_in(pen: Pen, items: Iterable[msgspec.Raw], tags: Iterable[str]) -> list[Evidence]:
    """Those of the evidence that are of these kinds; nothing else is decoded."""
    return [pen.codecs.evidence.decode(item) for item in items if _peek(item).type in tags]


# What became of it

_DECLINED = "delivery.buyer."
_WHAT: dict[str, What] = {"won": "won", "lost": "lost", "bad": "bad"}


def heard_of(events: Iterable[Event]) -> list[Heard]:
    """What was reported of a lead; a correction takes the place of what it corrects. A buyer that declines a lead gives
    it back; a delivery that failed says nothing of the lead."""
    found: dict[str, Heard] = {}
    for event in events:
        if isinstance(event, OutcomeReported):
            found.pop(getattr(event, "replaces", ""), None)
            what = _WHAT.get(event.stage, "open")
            found[event.outcome_id] = Heard(event.reporter, what, event.happened_at, event.at)
        elif isinstance(event, SaleCancelled) and event.because.code.startswith(_DECLINED):
            found[event.sale_id] = Heard(event.recipient, "returned", event.at, event.at)
    return list(found.values())


def posted_of(events: Iterable[Event], deals: Iterable[Evidence], now: datetime) -> list[Posted]:
    """What came of handing a lead over, a line a delivery. A leg that was sold within the last day and of which nothing
    was heard is on its way."""
    found: dict[str, Posted] = {}
    heard: set[str] = set()
    taken: list[StepTaken] = []
    for event in events:
        if isinstance(event, DeliveryEvent):
            heard.add(event.sale_id)
            if isinstance(event, DeliveryAccepted):
                found[event.delivery_id] = Posted("took", event.at)
            elif isinstance(event, DeliveryRejected):
                found[event.delivery_id] = Posted("refused", event.at)
            elif isinstance(event, DeliveryDead | DeliveryCancelled):
                found[event.delivery_id] = Posted("failed", event.at)
            else:
                found[event.delivery_id] = Posted("open", event.at)
        elif isinstance(event, StepTaken):
            taken.append(event)
    if taken and now - taken[-1].at < _ANSWERED:
        legs = {leg.sale_id for deal in deals if isinstance(deal, Sale) for leg in deal.legs}
        found |= {leg: Posted("open", taken[-1].at) for leg in sorted(legs - heard)}
    return list(found.values())


def _looks(events: Iterable[Event]) -> list[Looked]:
    """What the desk says of a lead: its last word, and nothing where it took that back."""
    said = [event for event in events if isinstance(event, LeadLabelled) and event.source == "review"]
    return [Looked(event.label == "good", event.at) for event in said[-1:] if event.label]

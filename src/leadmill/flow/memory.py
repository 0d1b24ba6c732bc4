"""Recalls a lead from what was written: its case as it stood before a station, and everything that was heard.

Used where a lead walks on (``again``), is re-decided (``replay``) and is told (``biography``).
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from hashlib import sha256
from typing import cast

import msgspec
from msgspec import Struct

from leadmill.capture import Lead, StoredSubmission, Submission
from leadmill.capture.model import Channel
from leadmill.capture.store import read_submissions
from leadmill.core.case import Answer, Case, Evidence
from leadmill.core.events import Event
from leadmill.core.faults import NotFound
from leadmill.enrich import Corrections, corrected, original
from leadmill.flow.keep import Pen
from leadmill.flow.model import Hearing, LeadRow, StepTaken
from leadmill.flow.store import lead_ids_between, read_leads
from leadmill.identity.service import load_keys
from leadmill.runtime import journal
from leadmill.runtime.db import Database, Tx

_PAGE = 200
"""Leads recalled in one transaction where a span of them is read."""


class Station(Struct, frozen=True):
    """A step as taken: the event, what it heard in the order asked, and all it learned."""

    event: StepTaken
    heard: list[Answer]
    learned: list[Evidence]
    sealed: list[msgspec.Raw] = []
    """What it learned of the person, as the bytes that were sealed."""


class Chapter(Struct, frozen=True):
    """One page, opened: its events in order and its stations."""

    at: datetime
    events: list[Event]
    stations: list[Station]


class Recalled(Struct, frozen=True):
    """A lead as written. ``submission`` and ``lead`` are None, and nothing heard is there, once the person was
    forgotten."""

    row: LeadRow
    submission: Submission | None
    lead: Lead | None
    chapters: list[Chapter]
    corrections: Corrections | None = None
    """All that a person put right about it; ``lead`` has it in."""

    @property
    def emptied(self) -> bool:
        """Whether the body was taken out since: the lead is there, but nobody can map it anew."""
        one = self.submission
        return one is not None and not one.body and sha256(one.body).hexdigest() != one.digest

    def case_before(self, step: str | None = None) -> Case:
        """The evidence as it stood before the latest time that ``step`` was taken; all of it where ``step`` is None.

        What later stations learned is left out: a lead that walks on from the market has no sale yet.
        """
        learned: list[Evidence] = []
        for chapter in self.chapters:
            for station in chapter.stations:
                if station.event.step == step:
                    break
                learned.extend(station.learned)
        lead = self.lead
        if lead is not None and self.corrections is not None:
            # As it was then: what was put right later is undone.
            made = next((item for item in reversed(learned) if isinstance(item, Corrections)), Corrections())
            lead = corrected(original(lead, self.corrections), made)
        first: list[Evidence] = [item for item in (self.submission, lead) if item is not None]
        return Case(self.row.id, [*first, *learned])


async def open_row(tx: Tx, pen: Pen, row: LeadRow) -> Lead | None:
    """The lead's own fields; None where mapping failed or the person was forgotten."""
    await load_keys(tx, pen.vault, pen.keys, [row.person_id])
    return pen.open_lead(row) if pen.keys.has(row.person_id) else None


async def open_rows(tx: Tx, pen: Pen, rows: Iterable[LeadRow]) -> dict[str, Lead | None]:
    """The fields of several leads by id: what a list shows."""
    found = list(rows)
    await load_keys(tx, pen.vault, pen.keys, {row.person_id for row in found})
    return {row.id: pen.open_lead(row) if pen.keys.has(row.person_id) else None for row in found}


async def recall(tx: Tx, pen: Pen, lead_ids: Iterable[str]) -> dict[str, Recalled]:
    """The leads as written, by id. A lead whose person was forgotten comes with its public part alone."""
    rows = await read_leads(tx, list(lead_ids))
    await load_keys(tx, pen.vault, pen.keys, {row.person_id for row in rows.values()})
    pages = await journal.pages_of(tx, list(rows))
    submissions = await read_submissions(tx, list(rows))
    found = {}
    for lead_id, row in rows.items():
        known = pen.keys.has(row.person_id)
        stored = submissions.get(lead_id)
        chapters = [_chapter(pen, page, row.person_id if known else None) for page in pages.get(lead_id, [])]
        found[lead_id] = Recalled(
            row=row,
            submission=_submission(pen, row, stored) if known and stored else None,
            lead=pen.open_lead(row) if known else None,
            chapters=chapters,
            corrections=_corrections(chapters),
        )
    return found


async def recalled_between(
    db: Database, pen: Pen, since: datetime | None, until: datetime | None
) -> AsyncIterator[tuple[Tx, Recalled]]:
    """Every lead received in a span as written, in the order they came, each with the transaction it was read in."""
    after = ""
    while True:
        async with db.begin() as tx:
            ids = await lead_ids_between(tx, since, until, after, _PAGE)
            recalled = await recall(tx, pen, ids)
            for lead_id in ids:
                yield tx, recalled[lead_id]
        if len(ids) < _PAGE:
            return
        after = ids[-1]


async def recall_one(tx: Tx, pen: Pen, lead_id: str) -> Recalled:
    """One lead as written. Raises NotFound ``flow.lead.unknown``."""
    found = (await recall(tx, pen, [lead_id])).get(lead_id)
    if found is None:
        raise NotFound("flow.lead.unknown", "no such lead")
    return found


def _submission(pen: Pen, row: LeadRow, stored: StoredSubmission) -> Submission:
    """What came in, opened; of one that was emptied the husk: all that stands beside the body."""
    if not stored.sealed:
        return Submission(
            id=stored.id,
            source_id=stored.source_id,
            channel=cast(Channel, stored.channel),
            received_at=stored.received_at,
            content_type=stored.content_type,
            body=b"",
            digest=stored.digest,
        )
    plain = pen.vault.open(pen.keys.of(row.person_id), stored.sealed, f"submission {stored.id}")
    found: Submission = _SUBMISSION.decode(plain)
    return found


def _corrections(chapters: Iterable[Chapter]) -> Corrections | None:
    found = None
    for chapter in chapters:
        for station in chapter.stations:
            found = next((item for item in station.learned if isinstance(item, Corrections)), found)
    return found


def _chapter(pen: Pen, page: journal.Page, person_id: str | None) -> Chapter:
    events = pen.read_events(page)
    hearings = pen.open_hearings(page, person_id) if person_id else []
    by_step: dict[str, Hearing] = {hearing.step: hearing for hearing in hearings}
    stations = []
    for event in events:
        if isinstance(event, StepTaken):
            hearing = by_step.get(event.step)
            plain: list[Evidence] = [pen.codecs.evidence.decode(item) for item in event.learned]
            sealed: list[Evidence] = [pen.codecs.evidence.decode(item) for item in hearing.learned] if hearing else []
            heard: list[Answer] = [pen.codecs.answer.decode(item) for item in hearing.heard] if hearing else []
            stations.append(Station(event, heard, sealed + plain, hearing.learned if hearing else []))
    return Chapter(page.at, events, stations)


_SUBMISSION = msgspec.msgpack.Decoder(Submission)

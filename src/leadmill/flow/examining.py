"""What became of the leads that a card rated, as its review reads it.

Called by ``leadmill scoring review`` and by the console's page “Scores”. Scores and outcomes stand in the public part
of the journal: nothing personal is opened for it, and leads count whose person was forgotten.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from leadmill.core.case import Evidence
from leadmill.core.events import Event
from leadmill.flow.examples import heard_of
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadFilter, LeadRow, StepTaken
from leadmill.flow.store import list_leads
from leadmill.market import Assignment, Sale
from leadmill.runtime import journal
from leadmill.runtime.db import Tx
from leadmill.scoring import CardReview, Label, Opinions, Rated, Score, Scorecard, label_of, review_card

_PAGE = 500
MOST = 20_000
"""Leads that a review looks at where nobody says otherwise."""


class Recorded(Struct, frozen=True):
    """A lead's first score, what models said then, and what became of it."""

    score: Score
    opinions: Opinions | None
    label: Label


async def examine(
    kit: Kit, vertical: str, since: datetime | None, horizon: timedelta, now: datetime, most: int = MOST
) -> CardReview:
    """Hold a vertical's card against the leads that were received since a moment and whose outcome is known: the latest
    ``most`` of those whose horizon is over."""
    rated: list[Rated] = []
    # A lead has no label before its horizon is over, so that younger ones need not be read.
    narrow = LeadFilter(vertical=vertical, since=since, until=now - horizon, test=False)
    looked, cursor = 0, None
    while True:
        async with kit.db.begin(still=True) as tx:
            rows, cursor = await list_leads(tx, narrow, cursor, min(_PAGE, most - looked))
            rated += rated_among(await recorded(tx, kit.pen, rows, horizon, now))
        looked += len(rows)
        if cursor is None or looked >= most:
            break
    found = review_card(kit.walk().rules.cards.get(vertical) or Scorecard(vertical=vertical), rated)
    return msgspec.structs.replace(found, looked=looked, full=cursor is not None)


async def latest_recorded(
    tx: Tx, pen: Pen, vertical: str, most: int, horizon: timedelta, now: datetime
) -> list[Recorded]:
    """The latest leads of a vertical that were rated, at most so many."""
    rows, _ = await list_leads(tx, LeadFilter(vertical=vertical), limit=most)
    return await recorded(tx, pen, rows, horizon, now)


async def recorded(tx: Tx, pen: Pen, rows: Sequence[LeadRow], horizon: timedelta, now: datetime) -> list[Recorded]:
    """What is recorded of these leads, those left out that were never rated and test leads."""
    pages = await journal.pages_of(tx, [row.id for row in rows])
    found = (_of(pen, pages.get(row.id, []), horizon, now) for row in rows if not row.test)
    return [one for one in found if one is not None]


def _of(pen: Pen, pages: Sequence[journal.Page], horizon: timedelta, now: datetime) -> Recorded | None:
    events = [event for page in pages for event in pen.read_events(page)]
    score, opinions, at, placed = None, None, now, False
    for step, item in _learned(pen, events):
        if isinstance(item, Score) and score is None:
            score, at = item, step.at
        elif isinstance(item, Opinions) and step.at == at:
            opinions = item
        placed = placed or isinstance(item, Sale | Assignment)
    if score is None:
        return None
    return Recorded(score, opinions, label_of(placed, at, heard_of(events), horizon, now))


async def latest_rating(tx: Tx, pen: Pen, lead_id: str) -> tuple[Score, Opinions | None] | None:
    """A lead's score as it was last rated, and what models said then; None where it never was."""
    pages = (await journal.pages_of(tx, [lead_id])).get(lead_id, [])
    score, opinions, at = None, None, None
    for step, item in _learned(pen, [event for page in pages for event in pen.read_events(page)]):
        if isinstance(item, Score):
            score, opinions, at = item, opinions if step.at == at else None, step.at
        elif isinstance(item, Opinions):
            opinions, at = item, step.at
    return (score, opinions) if score is not None else None


def _learned(pen: Pen, events: Sequence[Event]) -> Iterator[tuple[StepTaken, Evidence]]:
    for event in events:
        if isinstance(event, StepTaken):
            for each in event.learned:
                yield event, pen.codecs.evidence.decode(each)


def rated_among(found: Sequence[Recorded]) -> list[Rated]:
    """Those whose label is known and whose points the card gave: a model's are no word on the card. What a cap took
    back is no rule."""
    return [
        Rated(one.score.points, frozenset(item.rule for item in one.score.contributions), one.label.converted)
        for one in found
        if one.label.converted is not None and (one.opinions is None or not one.opinions.decided)
    ]

"""What one lead tells of the models that rated it: what they said, what they saw, who got it and what came of it.

Called by ``overseeing`` for leads on their way into the counts. Read from the lead's journal pages alone; what was seen
is opened only where it is counted, and what leaves here holds no person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from leadmill.core.events import Event
from leadmill.flow.examples import evidence_in, heard_of, posted_of, tag_of, values_at
from leadmill.flow.keep import Pen
from leadmill.flow.model import LeadRow, StepTaken
from leadmill.market import Assignment, Sale, SaleCancelled
from leadmill.runtime import journal
from leadmill.scoring import Heard, Opinions, Rate, acceptance_of, label_of
from leadmill.scoring.model import Foresees
from leadmill.scoring.watch import CARD, Said

_OPINIONS = frozenset({tag_of(Opinions)})
_DEALS = frozenset({tag_of(Sale), tag_of(Assignment)})


class Sighting(Struct, frozen=True):
    """A rated lead: when it was rated, what models said of it, whose points decided (a digest, or the card), to whom it
    was handed when (nobody where it has not been placed), and its events."""

    row: LeadRow
    at: datetime
    said: list[Said]
    decider: str
    given: dict[str, datetime]
    deals: list[Any]
    events: list[Event]
    page: int
    told: list[list[Event]]


def sighting_of(pen: Pen, row: LeadRow, pages: Sequence[journal.Page]) -> Sighting | None:
    """What a lead tells; None where it was never rated."""
    told = [list(pen.read_events(page)) for page in pages]
    rated: tuple[int, StepTaken] | None = None
    given: dict[str, datetime] = {}
    deals: list[Any] = []
    for number, events in enumerate(told):
        for event in events:
            if isinstance(event, SaleCancelled):
                given.pop(event.recipient, None)
            if not isinstance(event, StepTaken):
                continue
            if event.step == Rate.name and rated is None:
                rated = number, event
            for deal in evidence_in(pen, event.learned, _DEALS):
                deals.append(deal)
                names = [leg.buyer_id for leg in deal.legs] if isinstance(deal, Sale) else [_team(deal)]
                given |= dict.fromkeys(names, event.at)
    if rated is None:
        return None
    said, decider = _said(pen, rated[1])
    whole = [event for events in told for event in events]
    return Sighting(row, rated[1].at, said, decider, given, deals, whole, rated[0], told)


def _team(deal: Any) -> str:
    return deal.team if isinstance(deal, Assignment) else ""


def _said(pen: Pen, event: StepTaken) -> tuple[list[Said], str]:
    for opinions in evidence_in(pen, event.learned, _OPINIONS):
        if isinstance(opinions, Opinions):
            said = [Said(one.digest, "conversion", one.probability) for one in opinions.said]
            # A model of the desk's word learned from leads under suspicion: of usual ones nothing is to be expected.
            others = (one for one in opinions.foreseen if one.foresees != "review")
            said += [Said(one.digest, one.foresees, one.probability) for one in others]
            return said, opinions.said[0].digest if opinions.decided else CARD
    return [], CARD


def seen_values(pen: Pen, one: Sighting, pages: Sequence[journal.Page]) -> Mapping[str, Any] | None:
    """What models saw of it; None once its person was forgotten. The person's key must have been loaded."""
    if not pen.keys.has(one.row.person_id):
        return None
    return values_at(pen, one.row, pages, one.told, one.page)


def outcomes_of(one: Sighting, horizon: timedelta, now: datetime, late: timedelta) -> dict[Foresees, bool | None]:
    """What came of it within a span, by what models foresee, once those who report ``late`` were waited for; None where
    that is not known."""
    label = label_of(bool(one.deals), one.at, heard_of(one.events), horizon, now, late)
    taken = acceptance_of(posted_of(one.events, one.deals, now), one.at, horizon, now)
    return {"conversion": label.converted, "bad": label.bad, "acceptance": taken.value}


def days_to_word(one: Sighting, within: timedelta) -> dict[str, float | None]:
    """The days from handing it over to each recipient's first final word, None where it gave none within a span."""
    firsts: dict[str, datetime] = {}
    for word in heard_of(one.events):
        if _final(word) and word.who in one.given:
            firsts[word.who] = min(word.heard_at, firsts.get(word.who, word.heard_at))
    found: dict[str, float | None] = {}
    for recipient, at in one.given.items():
        first = firsts.get(recipient)
        late = first is None or first - at > within
        found[recipient] = None if late or first is None else max((first - at).total_seconds(), 0.0) / 86_400
    return found


def _final(word: Heard) -> bool:
    return word.what != "open"

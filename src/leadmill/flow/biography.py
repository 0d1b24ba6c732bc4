"""A lead's story in words, from its journal alone.

Read by ``leadmill explain``, by ``GET /v1/leads/{id}/explain`` and by the console's lead page. Once a person is
forgotten the story still tells what was decided and why; what was heard is gone with the key.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.core.reasons import Because
from leadmill.core.verdicts import Rule
from leadmill.flow.keep import Pen
from leadmill.flow.memory import Recalled, Station, recall_one
from leadmill.flow.model import LeadRow, LeadSettled, StepTaken
from leadmill.ledger import Posting
from leadmill.ledger.store import postings_of
from leadmill.market import Auction, Bidding
from leadmill.runtime import journal
from leadmill.runtime.db import Tx


class Passage(Struct, frozen=True):
    """One thing that happened: a step with what it heard and learned, or an event, in sentences."""

    at: datetime
    title: str
    verdict: str | None = None
    code: str | None = None
    message: str | None = None
    heard: list[str] = []
    learned: list[str] = []
    rules: list[Rule] = []
    micros: int = 0


class Candidate(Struct, frozen=True):
    """An order as the market saw it for this lead: ``code`` is None for a winner."""

    order_id: str
    recipient: str
    name: str
    price: str | None
    shared_price: str | None
    code: str | None
    message: str | None


class Biography(Struct, frozen=True):
    """The whole story. ``candidates`` are those of the latest auction; ``money`` every posting that names the lead."""

    lead: LeadRow
    passages: list[Passage]
    candidates: list[Candidate]
    money: list[Posting]
    forgotten: bool


async def read_biography(tx: Tx, pen: Pen, lead_id: str) -> Biography:
    """Tell a lead's story. Raises NotFound ``flow.lead.unknown``."""
    recalled = await recall_one(tx, pen, lead_id)
    return Biography(
        lead=recalled.row,
        passages=_passages(recalled),
        candidates=_candidates(recalled),
        money=await postings_of(tx, lead_id),
        forgotten=recalled.submission is None,
    )


class Held(Struct, frozen=True):
    """A lead's latest auction, as a list shows it: ``auction`` is None where it never came so far, ``bidding`` where
    nobody was asked for a bid."""

    lead: LeadRow
    auction: Auction | None
    bidding: Bidding | None


async def read_auctions(tx: Tx, pen: Pen, rows: Sequence[LeadRow]) -> list[Held]:
    """The latest auctions of these leads, in their order. Nothing personal is opened for it."""
    pages = await journal.pages_of(tx, [row.id for row in rows])
    found = []
    for row in rows:
        auction: Auction | None = None
        bidding: Bidding | None = None
        for page in pages.get(row.id, []):
            for event in pen.read_events(page):
                learned = event.learned if isinstance(event, StepTaken) else []
                for item in (pen.codecs.evidence.decode(each) for each in learned):
                    auction = item if isinstance(item, Auction) else auction
                    bidding = item if isinstance(item, Bidding) else bidding
        found.append(Held(row, auction, bidding))
    return found


def _passages(recalled: Recalled) -> list[Passage]:
    told = []
    for chapter in recalled.chapters:
        stations = iter(chapter.stations)
        for event in chapter.events:
            if isinstance(event, StepTaken):
                told.append(_station(next(stations)))
            else:
                because: Because | None = getattr(event, "because", None)
                told.append(
                    Passage(
                        at=event.at,
                        title=str(event.__struct_config__.tag),
                        verdict=event.state.value if isinstance(event, LeadSettled) else None,
                        code=because.code if because else None,
                        message=because.message if because else None,
                        learned=list(event.tell()),
                    )
                )
    return told


def _station(station: Station) -> Passage:
    event = station.event
    return Passage(
        at=event.at,
        title=event.step,
        verdict=event.verdict,
        code=event.because.code if event.because else None,
        message=event.because.message if event.because else None,
        heard=[line for answer in station.heard for line in answer.tell()],
        learned=[line for item in station.learned for line in item.tell()],
        rules=event.rules,
        micros=event.micros,
    )


def _candidates(recalled: Recalled) -> list[Candidate]:
    auctions = [
        item
        for chapter in recalled.chapters
        for station in chapter.stations
        for item in station.learned
        if isinstance(item, Auction)
    ]
    if not auctions:
        return []
    auction = auctions[-1]
    return [
        Candidate(
            order_id=item.order_id,
            recipient=item.recipient,
            name=auction.named(item),
            price=str(item.price) if item.price else None,
            shared_price=str(item.shared_price) if item.shared_price else None,
            code=item.refused.code if item.refused else None,
            message=item.refused.message if item.refused else None,
        )
        for item in auction.considered
    ]

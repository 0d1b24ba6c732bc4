"""Why one order did not get a lead, asked again of the rules of that time.

Called by ``leadmill explain --order``. An auction among very many orders names only those that matter; the others can
still be asked after, since the rules of every revision are kept and what the market heard is in the journal.
"""

import msgspec

from leadmill.core.case import Heard
from leadmill.core.faults import NotFound, Permanent
from leadmill.flow.biography import Candidate
from leadmill.flow.book import Book
from leadmill.flow.keep import Pen
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadReceived, LeadResumed
from leadmill.market import Allocate, Declined
from leadmill.runtime.db import Tx


async def ask_after(tx: Tx, pen: Pen, book: Book, lead_id: str, order_id: str) -> Candidate:
    """The order as the market saw it when it last held an auction for the lead.

    Raises NotFound ``flow.lead.unknown``, ``flow.auction.none`` where the market has never had the lead, or
    ``flow.order.unknown`` where the rules of that time had no such order for it; Permanent ``flow.lead.forgotten``
    where what the conditions were asked of is gone with the person's key.
    """
    recalled = await recall_one(tx, pen, lead_id)
    if recalled.submission is None:
        raise Permanent("flow.lead.forgotten", "the person was forgotten; what was not recorded cannot be asked again")
    held = [
        (number, station)
        for number, chapter in enumerate(recalled.chapters)
        for station in chapter.stations
        if station.event.step == Allocate.name
    ]
    if not held:
        raise NotFound("flow.auction.none", f"the market has held no auction for {lead_id}")
    number, station = held[-1]
    chapter = recalled.chapters[number]
    opening = next((e for e in chapter.events if isinstance(e, LeadReceived | LeadResumed)), None)
    if opening is None:
        raise Permanent("flow.page.headless", "a page with steps says how the walk began")
    walk = await book.at(tx, opening.revision, opening.mail)
    case = msgspec.structs.replace(recalled, chapters=recalled.chapters[: number + 1]).case_before(Allocate.name)
    if isinstance(opening, LeadResumed):
        case.learn([Declined(buyers=tuple(opening.excluded))])
    market = next(step for step in walk.together if isinstance(step, Allocate))
    asks = market.wants(case)
    heard = Heard(dict(zip(asks, station.heard, strict=False)))
    found = market.tell_of(order_id, case, heard, station.event.at)
    if found is None:
        raise NotFound("flow.order.unknown", f"there was no order {order_id} for such leads then")
    party = walk.rules.roster.buyers.get(found.recipient) or walk.rules.roster.teams.get(found.recipient)
    return Candidate(
        order_id=found.order_id,
        recipient=found.recipient,
        name=party.name if party is not None else found.recipient,
        price=str(found.price) if found.price else None,
        shared_price=str(found.shared_price) if found.shared_price else None,
        code=found.refused.code if found.refused else None,
        message=found.refused.message if found.refused else None,
    )

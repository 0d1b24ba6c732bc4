"""“Auctions”: who wanted each lead, what was bid, why the others did not get it, and what that was weighed by."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency

from leadmill.core.faults import BadInput
from leadmill.core.ids import looks_like
from leadmill.core.money import Money
from leadmill.flow.biography import Held, read_auctions
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads, list_pauses
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name, source_name, vertical_title
from leadmill.interfaces.pages import cash
from leadmill.market import Auction, Bidding, BidHeard, Considered, Mode, NoBid

_PAGE = 30
_BEATEN = 6
"""The most losing orders shown in a line; the lead's page has all of them."""


@get("/auctions", include_in_schema=False)
async def auctions_page(desk: NamedDependency[Desk]) -> Page:
    """The latest auctions, newest first; of one vertical where the address says so."""
    asked = desk.request.query_params
    cursor, vertical = asked.get("cursor"), asked.get("vertical") or None
    if cursor is not None and not looks_like(cursor, "lead"):
        raise BadInput("flow.cursor.malformed", "this address of a page is not whole; begin at the newest")
    async with desk.wiring.db.begin() as tx:
        rows, following = await list_leads(tx, LeadFilter(vertical=vertical), cursor, _PAGE)
        held = await read_auctions(tx, desk.wiring.kit.pen, rows)
        pauses = await list_pauses(tx)
    base = f"/auctions?vertical={vertical}&" if vertical in desk.wiring.rules.verticals else "/auctions?"
    return desk.show(
        "auctions.html",
        "auctions",
        auctions=[_told(desk, each) for each in held],
        pauses=[
            {
                "name": recipient_name(desk.wiring.rules, pause.buyer_id),
                "since": pause.since,
                "until": pause.until,
                "failures": pause.failures,
                "code": pause.code,
            }
            for pause in pauses
        ],
        verticals=sorted((name, each.title) for name, each in desk.wiring.rules.verticals.items()),
        chosen=vertical or "",
        live=cursor is None,
        older=f"{base}cursor={following}" if following else None,
        latest=base.rstrip("?&") if cursor else None,
    )


def _told(desk: Desk, held: Held) -> dict[str, Any]:
    rules, lead, auction = desk.wiring.rules, held.lead, held.auction
    won = [item for item in auction.considered if item.order_id in auction.winners] if auction else []
    return {
        "lead_id": lead.id,
        "at": lead.received_at,
        "vertical": vertical_title(rules, lead.vertical),
        "source": source_name(rules, lead.source_id),
        "state": lead.state.value,
        "reason": lead.reason,
        "test": lead.test,
        "mode": auction.mode.value if auction is not None and auction.mode is not None else None,
        "value": cash(auction.value) if auction is not None and auction.value is not None else None,
        "winners": [
            {"name": recipient_name(rules, item.recipient), "price": _price(item, auction.mode)} for item in won
        ]
        if auction
        else [],
        "lost": _lost(desk, auction),
        "considered": auction.size if auction else 0,
        "bids": _bids(desk, held.bidding),
        "took_ms": held.bidding.took_ms if held.bidding else None,
        "weighed": _weighed(auction),
    }


def _price(item: Considered, mode: Mode | None) -> str:
    price = (item.shared_price or item.price) if mode is Mode.SHARED else item.price
    return cash(price) if price is not None else "in-house"


def _lost(desk: Desk, auction: Auction | None) -> list[dict[str, str]]:
    """Those who came nearest: who had a price and was refused, dearest first."""
    if auction is None:
        return []
    refused = [item for item in auction.considered if item.refused is not None]
    refused.sort(key=_asked, reverse=True)
    return [
        {
            "name": recipient_name(desk.wiring.rules, item.recipient),
            "price": _price(item, auction.mode),
            "why": item.refused.message,
        }
        for item in refused[:_BEATEN]
        if item.refused is not None
    ]


def _asked(item: Considered) -> int:
    price = item.price or item.shared_price
    return price.amount if price is not None else 0


def _bids(desk: Desk, bidding: Bidding | None) -> list[dict[str, Any]]:
    found = []
    for item in bidding.items if bidding else ():
        line: dict[str, Any] = {"name": recipient_name(desk.wiring.rules, item.buyer_id), "ms": item.ms, "no": None}
        if isinstance(item, NoBid):
            line |= {"no": item.number, "says": item.because.message}
        else:
            line["says"] = _bid(item)
        found.append(line)
    return found


def _bid(item: BidHeard) -> str:
    parts = [(item.exclusive, "alone"), (item.shared, "for a leg")]
    return ", ".join(f"{cash(Money(much, item.currency))} {how}" for much, how in parts if much is not None)


def _weighed(auction: Auction | None) -> str | None:
    """How shadow prices turned bids into what they are worth, in the auction's own words."""
    if auction is None or not auction.weighed:
        return None
    return next((line for line in auction.tell() if " worth " in line or "so $" in line), None)


ROUTES = [auctions_page]

"""``GET /v1/pings``: what pings were offered, as programs of the house read it. Nothing in it is personal."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault
from leadmill.core.ids import looks_like
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.wiring import Wiring
from leadmill.market import PingQuote, quotes_of

_DEFAULT = 50
_MOST = 200


class PingOut(Struct, frozen=True, kw_only=True):
    """A ping: what was offered, on which orders, and the lead that was posted against it. ``price`` is what the
    source was promised, ``value`` what the orders would pay together, both decimal strings."""

    ping_id: str
    source: str
    vertical: str
    status: str
    at: datetime
    expires_at: datetime
    price: str | None
    value: str | None
    currency: str | None
    mode: str | None
    orders: list[str]
    sellers: list[str]
    reason: str | None
    message: str | None
    lead_id: str | None
    test: bool


class PingPage(Struct, frozen=True):
    """A page of pings."""

    items: list[PingOut]
    next_cursor: str | None


@get("/v1/pings", include_in_schema=False)
async def get_pings(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """A page of pings."""
    query = request.query_params
    limit = _limit(query.get("limit"))
    cursor = query.get("cursor") or None
    if cursor is not None and not looks_like(cursor, "ping"):
        raise BadInput("flow.cursor.malformed", "use the next_cursor of the page before, or none")
    async with wiring.db.begin() as tx:
        found = await quotes_of(tx, query.get("source") or None, cursor, limit + 1)
    items = [_out(quote, lead_id) for quote, lead_id in found[:limit]]
    following = items[-1].ping_id if len(found) > limit else None
    headers = {}
    if following:
        params = {key: value for key, value in query.items() if key != "cursor"} | {"cursor": following}
        headers["link"] = f'</v1/pings?{urlencode(params)}>; rel="next"'
    return Response(msgspec.json.encode(PingPage(items, following)), media_type="application/json", headers=headers)


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST:
        return int(text)
    says = f"send a whole number from 1 to {_MOST}"
    raise BadInput("api.query.invalid", says, [FieldFault("/limit", "api.query.invalid", says)])


def _out(quote: PingQuote, lead_id: str | None) -> PingOut:
    first = quote.legs[0].price if quote.legs else None
    return PingOut(
        ping_id=quote.id,
        source=quote.source_id,
        vertical=quote.vertical,
        status="bid" if quote.legs else "no_bid",
        at=quote.at,
        expires_at=quote.expires_at,
        price=quote.price.decimal() if quote.price is not None else None,
        value=msgspec.structs.replace(first, amount=quote.value).decimal() if first is not None else None,
        currency=first.currency if first is not None else None,
        mode=quote.mode.value if quote.mode is not None else None,
        orders=[leg.order_id for leg in quote.legs],
        sellers=list(quote.sellers),
        reason=quote.because.code if quote.because is not None else None,
        message=quote.because.message if quote.because is not None else None,
        lead_id=lead_id,
        test=quote.test,
    )


ROUTES = [get_pings]

"""``/u/{token}`` and ``/.well-known/gpc.json``: opting out without a name or a password. ``/privacy`` is beside it.

A link to unsubscribe does nothing when it is only looked at, since mail programs and scanners look at every link; a
POST does it with one click (RFC 8058), without cookies, sign-in or redirect. The pages work without scripts and say the
same whether anybody knows the person or not. What was begun before is stopped by a job; nothing new is begun from the
answer on.
"""

from typing import Any

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import NotFound
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.store import read_lead
from leadmill.interfaces.portals.form import Leaflets
from leadmill.interfaces.wiring import Wiring
from leadmill.optouts import Contact, Ticket, open_ticket

_NO_STORE = {"cache-control": "no-store"}
_SUPPORT = {"gpc": True, "lastUpdate": "2026-11-22"}
"""The GPC support resource: we heed Sec-GPC and keep it with what is sent."""


@get("/u/{token:str}", include_in_schema=False, sync_to_thread=False)
def leaving_page(
    wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets], token: FromPath[str]
) -> Response[str]:
    """The page with the button. Looking at it changes nothing."""
    if _ticket(wiring, token) is None:
        return _unknown(leaflets)
    return _page(leaflets, "leaving.html", token=token, done=False)


@post("/u/{token:str}", include_in_schema=False, status_code=200)
async def take_leaving(
    wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets], token: FromPath[str]
) -> Response[str]:
    """No more e-mail to this address, at once and for good."""
    ticket = _ticket(wiring, token)
    if ticket is None:
        return _unknown(leaflets)
    now = wiring.clock()
    async with wiring.db.begin() as tx:
        known = await read_lead(tx, ticket.lead_id) is not None
        wish = Wish(
            channel="one_click",
            by="one-click link",
            scope="email",
            lead_id=ticket.lead_id if known else None,
            hashes=(Contact("email", ticket.email),),
        )
        await take_opt_outs(tx, wiring.kit, [wish], now)
    return _page(leaflets, "leaving.html", token=token, done=True)


@get("/.well-known/gpc.json", include_in_schema=False, sync_to_thread=False)
def gpc_support() -> Response[dict[str, Any]]:
    """That Global Privacy Control is heeded here."""
    return Response(_SUPPORT, media_type=MediaType.JSON, headers={"cache-control": "public, max-age=86400"})


def _ticket(wiring: Wiring, token: str) -> Ticket | None:
    vault = wiring.kit.pen.vault
    try:
        return open_ticket(vault.keyed_hash, vault.open, token)
    except NotFound:
        return None


def _unknown(leaflets: Leaflets) -> Response[str]:
    text = "Please use the whole address as it stands in our message, or the form on our privacy page."
    return _page(leaflets, "left.html", 404, title="This link is not whole", text=text)


def _page(leaflets: Leaflets, template: str, status: int = 200, **values: Any) -> Response[str]:
    html = leaflets.render(template, **values)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=_NO_STORE)


ROUTES = [leaving_page, take_leaving, gpc_support]

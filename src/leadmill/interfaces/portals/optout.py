"""``/u/{token}``, ``/privacy`` and ``/.well-known/gpc.json``: opting out without a name or a password.

A link to unsubscribe does nothing when it is only looked at, since mail programs and scanners look at every link; a
POST does it with one click (RFC 8058), without cookies, sign-in or redirect. The pages work without scripts and say the
same whether anybody knows the person or not. What was begun before is stopped by a job; nothing new is begun from the
answer on.
"""

from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.store import read_lead
from leadmill.interfaces.portals.form import Leaflets
from leadmill.interfaces.wiring import Wiring
from leadmill.optouts import Contact, Ticket, open_ticket

_NO_STORE = {"cache-control": "no-store"}
_MOST_FORM = 8 * 1024
_FIELDS = ("email", "phone")
_NOTHING = dict.fromkeys(_FIELDS, "")
_SUPPORT = {"gpc": True, "lastUpdate": "2026-11-22"}
"""The GPC support resource: we heed Sec-GPC and keep it with what is sent."""

Rq = Request[Any, Any, Any]


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


@get("/privacy", include_in_schema=False, sync_to_thread=False)
def privacy_page(leaflets: NamedDependency[Leaflets]) -> Response[str]:
    """The form."""
    return _page(leaflets, "privacy.html", given=_NOTHING, errors={}, done=False)


@post("/privacy", include_in_schema=False, status_code=200)
async def take_privacy(
    request: Rq, wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets]
) -> Response[str]:
    """Take an opt-out; the answer is the same whether we know the person or not."""
    given = _read(await request.body())
    errors: dict[str, str] = {}
    if not any(given.values()):
        errors["email"] = "Write an e-mail address, a phone number, or both"
    else:
        wish = Wish(channel="web", by="privacy page", email=given["email"] or None, phone=given["phone"] or None)
        try:
            async with wiring.db.begin() as tx:
                await take_opt_outs(tx, wiring.kit, [wish], wiring.clock())
        except BadInput as fault:
            errors = {each.pointer.removeprefix("/"): _WRONG[each.pointer.removeprefix("/")] for each in fault.errors}
            if not errors:
                raise
    if errors:
        return _page(leaflets, "privacy.html", 422, given=given, errors=errors, done=False)
    return _page(leaflets, "privacy.html", given=_NOTHING, errors={}, done=True)


_WRONG = {"email": "This is not an e-mail address", "phone": "This is not a phone number; write it with its area code"}


@get("/.well-known/gpc.json", include_in_schema=False, sync_to_thread=False)
def gpc_support() -> Response[dict[str, Any]]:
    """That Global Privacy Control is heeded here."""
    return Response(_SUPPORT, media_type=MediaType.JSON, headers={"cache-control": "public, max-age=86400"})


def _read(body: bytes) -> dict[str, str]:
    """The two fields of the form. Raises BadInput ``portals.form.malformed``."""
    if len(body) > _MOST_FORM:
        raise BadInput("portals.form.malformed", "send less in one form")
    try:
        pairs = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise BadInput("portals.form.malformed", "a form here has two fields") from None
    return {name: pairs.get(name, "").replace("\0", "").strip()[:200] for name in _FIELDS}


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


ROUTES = [leaving_page, take_leaving, privacy_page, take_privacy, gpc_support]

"""Signing in and out, and what a reader chooses for a browser."""

import hmac
from base64 import urlsafe_b64encode

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from leadmill.core.faults import Fault, Forbidden, Unauthenticated
from leadmill.interfaces.console.desk import COOKIE, Desk, Page, Rq, kept, own_path, preferences, read_form
from leadmill.interfaces.pages import Pages
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Throttled
from leadmill.parties.service import resume_session, sign_in, sign_out
from leadmill.parties.store import list_operators

_BEFORE = "leadmill_before"
"""The cookie that stands in for a session's secret before there is one: a form must bring it back."""
_YEAR = 365 * 24 * 3600


@get("/sign-in", include_in_schema=False)
async def sign_in_page(request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages]) -> Page:
    """The form; whoever is signed in goes on."""
    goes_on = own_path(request.query_params.get("next", "/leads"))
    token = request.cookies.get(COOKIE)
    if token:
        try:
            async with wiring.db.begin() as tx:
                await resume_session(tx, wiring.keyed_hash, token, wiring.clock())
            return Redirect(goes_on, status_code=303)
        except Unauthenticated:
            pass
    return await _form(request, wiring, pages, goes_on)


@post("/sign-in", include_in_schema=False, status_code=200)
async def take_sign_in(request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages]) -> Page:
    """Check the password; a new session gets a new cookie."""
    fields = dict(await read_form(request))
    before = request.cookies.get(_BEFORE, "")
    goes_on = own_path(fields.get("next", "/leads"))
    email = fields.get("email", "")[:320]
    if not before or not hmac.compare_digest(before.encode(), fields.get("_csrf", "").encode()):
        fault: Fault = Forbidden("console.form.stale", "the page was open for long; please sign in again")
        return await _form(request, wiring, pages, goes_on, fault, email)
    address = request.client.host if request.client else ""
    try:
        signed_in = await sign_in(
            wiring.db, wiring.keyed_hash, wiring.random,
            email=email, password=fields.get("password", ""), address=address, now=wiring.clock(),
        )  # fmt: skip
    except (Unauthenticated, Throttled) as refused:
        return await _form(request, wiring, pages, goes_on, refused, email)
    found: Page = Redirect(goes_on, status_code=303)
    found.cookies = [kept(COOKIE, signed_in.token, wiring, None), kept(_BEFORE, "", wiring, 0)]
    return found


@post("/sign-out", include_in_schema=False)
async def take_sign_out(desk: NamedDependency[Desk]) -> Page:
    """End the session."""
    await desk.form()
    async with desk.wiring.db.begin() as tx:
        await sign_out(tx, desk.wiring.keyed_hash, desk.request.cookies.get(COOKIE, ""))
    found = desk.back("/sign-in")
    found.cookies = [kept(COOKIE, "", desk.wiring, 0)]
    return found


@post("/theme", include_in_schema=False)
async def take_theme(desk: NamedDependency[Desk]) -> Page:
    """Keep the theme in this browser."""
    theme = (await desk.form()).get("theme", "")
    found = desk.back(_referer(desk.request))
    found.cookies = [kept("theme", theme if theme in ("light", "dark") else "", desk.wiring, _YEAR, http_only=False)]
    return found


@post("/keys", include_in_schema=False)
async def take_keys(desk: NamedDependency[Desk]) -> Page:
    """Keep in this browser whether single keys act (WCAG 2.1.4)."""
    keys = (await desk.form()).get("keys", "")
    found = desk.back(_referer(desk.request))
    found.cookies = [kept("keys", "off" if keys == "off" else "on", desk.wiring, _YEAR, http_only=False)]
    return found


async def _form(
    request: Rq, wiring: Wiring, pages: Pages, goes_on: str, fault: Fault | None = None, email: str = ""
) -> Page:
    async with wiring.db.begin() as tx:
        first_run = not await list_operators(tx)
    before = request.cookies.get(_BEFORE) or urlsafe_b64encode(wiring.random(24)).decode()
    status = (
        200 if fault is None else 429 if isinstance(fault, Throttled) else 403 if isinstance(fault, Forbidden) else 401
    )
    error = fault.detail[:1].upper() + fault.detail[1:] + "." if fault else None
    html = pages.render(
        "sign_in.html", **preferences(request), csrf=before, next=goes_on, email=email, error=error, first_run=first_run
    )
    return Response(
        html, media_type=MediaType.HTML, status_code=status, cookies=[kept(_BEFORE, before, wiring, None)],
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def _referer(request: Rq) -> str:
    """The page the form stood on; the referrer policy keeps it to our own."""
    return own_path("/" + request.headers.get("referer", "").partition("://")[2].partition("/")[2])


ROUTES = [sign_in_page, take_sign_in, take_sign_out, take_theme, take_keys]

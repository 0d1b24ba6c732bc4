"""Signing in and out, and what a reader chooses for a browser.

From the password, a passkey alone or another house to an open session; where a second factor is still to come, the
browser holds a session that opens nothing but the page that asks for it.
"""

import hmac
from base64 import urlsafe_b64encode
from urllib.parse import quote

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from leadmill.access import Party, party_of
from leadmill.access.service import come_in, find_outsider, pass_on, show_code, show_passkey, take_passkey
from leadmill.access.store import factors_of
from leadmill.core.faults import BadInput, Fault, Forbidden, NotFound, Unauthenticated
from leadmill.interfaces.console.desk import (
    COOKIE,
    Desk,
    Page,
    Rq,
    address_of,
    kept,
    own_path,
    preferences,
    read_form,
)
from leadmill.interfaces.pages import Pages
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import SignedIn, Stage, Throttled, count_tries
from leadmill.parties.service import check_sign_in, resume_session, sign_out
from leadmill.parties.store import list_operators

_BEFORE = "leadmill_before"
"""The cookie that stands in for a session's secret before there is one: a form must bring it back."""
_YEAR = 365 * 24 * 3600
_STAGES: tuple[Stage, ...] = ("open", "factor", "enrol")
_SENT_A_WINDOW = 50
"""How often an address may set out for another house within fifteen minutes."""


@get("/sign-in", include_in_schema=False)
async def sign_in_page(request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages]) -> Page:
    """The form; whoever is signed in goes on."""
    goes_on = own_path(request.query_params.get("next", "/leads"))
    token = request.cookies.get(COOKIE)
    if token:
        try:
            async with wiring.db.begin() as tx:
                session = await resume_session(tx, wiring.keyed_hash, token, wiring.clock(), _STAGES)
            return Redirect(_way_of(session.stage, goes_on), status_code=303)
        except Unauthenticated:
            pass
    return await _form(request, wiring, pages, goes_on)


@post("/sign-in", include_in_schema=False, status_code=200)
async def take_sign_in(request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages]) -> Page:
    """Check the password; a new session gets a new cookie."""
    fields = dict(await read_form(request))
    goes_on = own_path(fields.get("next", "/leads"))
    email = fields.get("email", "")[:320]
    if not _brings_back(request, fields):
        return await _form(request, wiring, pages, goes_on, _stale(), email)
    now, address = wiring.clock(), address_of(request)
    try:
        operator = await check_sign_in(
            wiring.db, wiring.keyed_hash, email=email, password=fields.get("password", ""), address=address, now=now
        )
    except (Unauthenticated, Throttled) as refused:
        return await _form(request, wiring, pages, goes_on, refused, email)
    async with wiring.db.begin() as tx:
        signed_in = await come_in(
            tx, wiring.keyed_hash, wiring.random, wiring.entrance.policy, operator, now,
            method="password", strong=False, address=address, agent=request.headers.get("user-agent", ""),
        )  # fmt: skip
    return _in(wiring, signed_in, goes_on)


@post("/sign-in/passkey/options", include_in_schema=False, status_code=200)
async def offer_alone(request: Rq, wiring: NamedDependency[Wiring]) -> Page:
    """What the browser needs to sign in by a passkey alone."""
    fields = dict(await read_form(request))
    if not _brings_back(request, fields):
        raise _stale()
    asked = await show_passkey(
        wiring.db, wiring.keyed_hash, wiring.random, party_at(request, wiring), None,
        request.cookies.get(_BEFORE, ""), address_of(request), wiring.clock(),
    )  # fmt: skip
    return Response(asked.encode(), media_type=MediaType.JSON, headers={"cache-control": "no-store"})


@post("/sign-in/passkey", include_in_schema=False, status_code=200)
async def take_alone(request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages]) -> Page:
    """Sign in by a passkey alone: it was unlocked by its holder, so it is two factors in one."""
    fields = dict(await read_form(request))
    goes_on = own_path(fields.get("next", "/leads"))
    if not _brings_back(request, fields):
        return await _form(request, wiring, pages, goes_on, _stale())
    now, address = wiring.clock(), address_of(request)
    try:
        operator = await take_passkey(
            wiring.db, wiring.keyed_hash, party_at(request, wiring), None, request.cookies.get(_BEFORE, ""),
            fields.get("credential", "").encode(), address, now,
        )  # fmt: skip
    except (BadInput, Throttled) as refused:
        return await _form(request, wiring, pages, goes_on, refused)
    async with wiring.db.begin() as tx:
        signed_in = await come_in(
            tx, wiring.keyed_hash, wiring.random, wiring.entrance.policy, operator, now,
            method="passkey", strong=True, address=address, agent=request.headers.get("user-agent", ""),
        )  # fmt: skip
    return _in(wiring, signed_in, goes_on)


@get("/sign-in/elsewhere", include_in_schema=False)
async def go_elsewhere(request: Rq, wiring: NamedDependency[Wiring]) -> Page:
    """Send the browser to the other house."""
    elsewhere, browser = wiring.entrance.elsewhere, request.cookies.get(_BEFORE, "")
    goes_on = own_path(request.query_params.get("next", "/leads"))
    if elsewhere is None:
        raise NotFound("access.outside.none", "no other house signs people in here")
    if not browser:
        return Redirect(f"/sign-in?next={quote(goes_on, safe='/')}", status_code=303)
    subject = wiring.keyed_hash("elsewhere_address", address_of(request))
    await count_tries(wiring.db, {subject: _SENT_A_WINDOW}, wiring.clock())
    redirect = _comes_back(request, wiring)
    to = await elsewhere.send(wiring.db, wiring.keyed_hash, wiring.random, browser, redirect, goes_on)
    return Redirect(to, status_code=303)


@get("/sign-in/elsewhere/back", include_in_schema=False)
async def come_back(request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages]) -> Page:
    """Take what the browser brings back from the other house."""
    elsewhere, now, address = wiring.entrance.elsewhere, wiring.clock(), address_of(request)
    if elsewhere is None:
        raise NotFound("access.outside.none", "no other house signs people in here")
    query = request.query_params
    try:
        claims, goes_on = await elsewhere.take(
            wiring.db, wiring.keyed_hash, request.cookies.get(_BEFORE, ""), query.get("state", ""),
            query.get("code", ""), _comes_back(request, wiring),
        )  # fmt: skip
        async with wiring.db.begin() as tx:
            operator = await find_outsider(tx, wiring.mint, claims, elsewhere.provider, now)
            signed_in = await come_in(
                tx, wiring.keyed_hash, wiring.random, wiring.entrance.policy, operator, now,
                method="another house", strong=claims.strong, address=address,
                agent=request.headers.get("user-agent", ""),
            )  # fmt: skip
    except (Unauthenticated, Forbidden) as refused:
        return await _form(request, wiring, pages, "/leads", refused)
    return _in(wiring, signed_in, own_path(goes_on))


@get("/sign-in/factor", include_in_schema=False)
async def factor_page(halfway: NamedDependency[Desk]) -> Page:
    """Ask for the second factor."""
    return await _factor(halfway, own_path(halfway.request.query_params.get("next", "/leads")))


@post("/sign-in/factor", include_in_schema=False, status_code=200)
async def take_factor(halfway: NamedDependency[Desk]) -> Page:
    """Check a code or a passkey; the session that opens has another token."""
    fields = await halfway.form()
    goes_on = own_path(fields.get("next", "/leads"))
    try:
        shown = await show_factor(halfway, fields)
    except (Forbidden, BadInput) as refused:
        return await _factor(halfway, goes_on, refused)
    wiring = halfway.wiring
    async with wiring.db.begin() as tx:
        signed_in = await pass_on(
            tx, wiring.keyed_hash, wiring.random, halfway.token, halfway.session, halfway.now, shown
        )
    return _in(wiring, signed_in, goes_on)


@post("/sign-in/factor/options", include_in_schema=False, status_code=200)
async def offer_factor(halfway: NamedDependency[Desk]) -> Page:
    """What the browser needs to show a passkey as the second factor."""
    await halfway.form()
    return await offered(halfway)


async def show_factor(desk: Desk, fields: dict[str, str]) -> str:
    """What was shown of the operator's second factors. Raises Forbidden and Throttled as the verbs of ``access``."""
    wiring = desk.wiring
    if fields.get("credential"):
        await take_passkey(
            wiring.db, wiring.keyed_hash, party_at(desk.request, wiring), desk.who, desk.token,
            fields["credential"].encode(), desk.address, desk.now,
        )  # fmt: skip
        return "passkey"
    return await show_code(
        wiring.db, wiring.vault, wiring.keyed_hash, desk.who, fields.get("code", ""), desk.now, desk.address
    )


async def offered(desk: Desk) -> Page:
    """What the browser needs to show a passkey of the operator's."""
    wiring = desk.wiring
    asked = await show_passkey(
        wiring.db,
        wiring.keyed_hash,
        wiring.random,
        party_at(desk.request, wiring),
        desk.who,
        desk.token,
        desk.address,
        desk.now,
    )
    return Response(asked.encode(), media_type=MediaType.JSON, headers={"cache-control": "no-store"})


async def _factor(desk: Desk, goes_on: str, fault: Fault | None = None) -> Page:
    async with desk.wiring.db.begin() as tx:
        factors = await factors_of(tx, desk.who.id)
    return desk.show(
        "factor.html",
        "",
        status=200 if fault is None else 429 if isinstance(fault, Throttled) else 403,
        factors=factors,
        passkeys=bool(factors.passkeys) and party_near(desk.request, desk.wiring) is not None,
        next=goes_on,
        error=_sentence(fault) if fault else None,
    )


@post("/sign-out", include_in_schema=False)
async def take_sign_out(request: Rq, wiring: NamedDependency[Wiring], anybody: NamedDependency[Desk]) -> Page:
    """End the session."""
    await anybody.form()
    async with wiring.db.begin() as tx:
        await sign_out(tx, wiring.keyed_hash, request.cookies.get(COOKIE, ""))
    found = anybody.back("/sign-in")
    found.cookies = [kept(COOKIE, "", wiring, 0)]
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
    elsewhere = wiring.entrance.elsewhere
    html = pages.render(
        "sign_in.html",
        **preferences(request),
        csrf=before,
        next=goes_on,
        email=email,
        error=_sentence(fault) if fault else None,
        first_run=first_run,
        passkeys=party_near(request, wiring) is not None,
        elsewhere=elsewhere.provider.label if elsewhere is not None else None,
        elsewhere_at=f"/sign-in/elsewhere?next={quote(goes_on, safe='/')}",
    )
    return Response(
        html, media_type=MediaType.HTML, status_code=status, cookies=[kept(_BEFORE, before, wiring, None)],
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def _in(wiring: Wiring, signed_in: SignedIn, goes_on: str) -> Page:
    """On with a fresh cookie; what stood in before there was a session goes."""
    found: Page = Redirect(_way_of(signed_in.session.stage, goes_on), status_code=303)
    found.cookies = [kept(COOKIE, signed_in.token, wiring, None), kept(_BEFORE, "", wiring, 0)]
    return found


def _way_of(stage: Stage, goes_on: str) -> str:
    if stage == "open":
        return goes_on
    return f"{'/sign-in/factor' if stage == 'factor' else '/account/code-app'}?next={quote(goes_on, safe='/')}"


def _brings_back(request: Rq, fields: dict[str, str]) -> bool:
    before = request.cookies.get(_BEFORE, "")
    return bool(before) and hmac.compare_digest(before.encode(), fields.get("_csrf", "").encode())


def _stale() -> Forbidden:
    return Forbidden("console.form.stale", "the page was open for long; please sign in again")


def party_at(request: Rq, wiring: Wiring) -> Party:
    """Who we are to passkeys. Raises BadInput ``access.passkey.nameless`` where a browser could bind none to us."""
    found = party_near(request, wiring)
    if found is None:
        raise BadInput("access.passkey.nameless", "passkeys need HTTPS and a name; an IP address is none")
    return found


def party_near(request: Rq, wiring: Wiring) -> Party | None:
    """The same, None where there is none."""
    return party_of(request.url.scheme, request.headers.get("host", ""), wiring.public_url)


def _comes_back(request: Rq, wiring: Wiring) -> str:
    base = wiring.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{base}/sign-in/elsewhere/back"


def _sentence(fault: Fault) -> str:
    return fault.detail[:1].upper() + fault.detail[1:] + ("" if fault.detail.endswith(".") else ".")


def _referer(request: Rq) -> str:
    """The page the form stood on; the referrer policy keeps it to our own."""
    return own_path("/" + request.headers.get("referer", "").partition("://")[2].partition("/")[2])


ROUTES = [
    sign_in_page,
    take_sign_in,
    offer_alone,
    take_alone,
    go_elsewhere,
    come_back,
    factor_page,
    take_factor,
    offer_factor,
    take_sign_out,
    take_theme,
    take_keys,
]

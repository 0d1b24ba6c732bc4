"""What operators do about their own way in: password, code app, passkeys, recovery codes, browsers signed in; and how
they show once more who they are before what is dangerous.
"""

from typing import Any

import segno
from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.access import ACTS, Act, acts_of, factors_of, note_act
from leadmill.access.service import (
    begin_totp,
    change_own_password,
    confirm_totp,
    make_codes,
    make_passkey,
    offer_passkey,
    pass_on,
    pending_totp,
    remove_passkey,
    remove_totp,
)
from leadmill.core.faults import BadInput, Fault, Forbidden, NotFound, Unauthenticated
from leadmill.interfaces.console.desk import COOKIE, Desk, Page, kept, own_path
from leadmill.interfaces.console.sign_in import offered, party_at, party_near, show_factor
from leadmill.interfaces.dangers import danger
from leadmill.parties import Throttled, end_session_of, list_sessions, prove_session, session_ends, sign_out_others
from leadmill.parties.service import check_sign_in

_LATELY = 12
_BROWSERS = ("Edg", "OPR", "Firefox", "Chromium", "Chrome", "Safari")
_NAMES = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """A browser's word about itself as people know it."""
    browser = next((name for name in _BROWSERS if f"{name}/" in agent), "")
    system = next((says for mark, says in _SYSTEMS if mark in agent), "")
    known = _NAMES.get(browser, browser)
    return " on ".join(filter(None, (known, system))) or "A browser"


@get("/account", include_in_schema=False)
async def account_page(desk: NamedDependency[Desk]) -> Page:
    """One's own way in."""
    return await _account(desk)


async def _account(desk: Desk, fault: Fault | None = None) -> Page:
    async with desk.wiring.db.begin() as tx:
        factors = await factors_of(tx, desk.who.id)
        sessions = await list_sessions(tx, desk.who.id)
        acts = await acts_of(tx, desk.who.id, _LATELY)
    return desk.show(
        "account.html",
        "account",
        status=200 if fault is None else 429 if isinstance(fault, Throttled) else 422,
        factors=factors,
        passkeys=party_near(desk.request, desk.wiring) is not None,
        demanded=desk.who.role in desk.wiring.entrance.policy.demanded,
        sessions=[
            {
                "id": each.id,
                "here": each.id == desk.session.id,
                "agent": browser_name(each.agent),
                "address": each.address,
                "method": each.method,
                "created_at": each.created_at,
                "seen_at": each.seen_at,
            }
            for each in sessions
            if session_ends(each) > desk.now and each.stage == "open"
        ],
        acts=[_told(each, desk.who.id) for each in acts],
        error=_sentence(fault) if fault else None,
    )


def _told(act: Act, me: str) -> dict[str, Any]:
    says = ACTS.get(act.what, act.what)
    return {
        "at": act.at,
        "says": f"{'You' if act.who == me else 'Somebody'} {says}",
        "by": act.about if act.what == "signed_in" else "",
        "address": act.address,
    }


def _sentence(fault: Fault) -> str:
    return fault.detail[:1].upper() + fault.detail[1:] + ("" if fault.detail.endswith(".") else ".")


@post("/account/password", include_in_schema=False, status_code=200)
async def take_password(desk: NamedDependency[Desk]) -> Page:
    """Change the password; every browser is signed out but this one, which gets another session."""
    fields = await desk.form()
    wiring = desk.wiring
    try:
        await check_sign_in(
            wiring.db, wiring.keyed_hash, email=desk.who.email, password=fields.get("old", ""), address=desk.address,
            now=desk.now,
        )  # fmt: skip
        async with wiring.db.begin() as tx:
            signed_in = await change_own_password(
                tx, wiring.keyed_hash, wiring.random, desk.session, fields.get("old", ""), fields.get("new", ""),
                desk.now,
            )  # fmt: skip
    except Unauthenticated:
        return await _account(desk, Forbidden("parties.password.wrong", "the present password is not right"))
    except BadInput as fault:
        return await _account(desk, fault)
    found = desk.back("/account", "password")
    found.cookies = [kept(COOKIE, signed_in.token, wiring, None)]
    return found


@post("/account/sessions/{session_id:str}/end", include_in_schema=False)
async def take_end(desk: NamedDependency[Desk], session_id: FromPath[str]) -> Page:
    """Sign one browser out, or ``others``: all but this one."""
    await desk.form()
    async with desk.wiring.db.begin() as tx:
        if session_id == "others":
            await sign_out_others(tx, desk.wiring.keyed_hash, desk.token, desk.who.id)
        else:
            await end_session_of(tx, desk.who.id, session_id)
        note_act(tx, Act(desk.now, desk.who.id, "signed_out_everywhere", session_id, desk.address))
    return desk.back("/account", "signed_out")


# The code app


@get("/account/code-app", include_in_schema=False)
async def code_app_page(newcomer: NamedDependency[Desk]) -> Page:
    """Set up a code app: the QR code and the secret, until a code of it was shown."""
    return await _code_app(newcomer)


async def _code_app(desk: Desk, error: str = "") -> Page:
    async with desk.wiring.db.begin() as tx:
        enrolment = await pending_totp(tx, desk.wiring.vault, desk.who)
        factors = await factors_of(tx, desk.who.id)
    return desk.show(
        "code_app.html",
        "account",
        status=422 if error else 200,
        factors=factors,
        enrolment=enrolment,
        picture=segno.make(enrolment.uri, error="m", micro=False).svg_data_uri(scale=4, border=4, light="#fff")
        if enrolment
        else None,
        passkeys=party_near(desk.request, desk.wiring) is not None,
        next=own_path(desk.request.query_params.get("next", "/leads")),
        error=error,
    )


@post("/account/code-app", include_in_schema=False, opt=danger("totp_added"))
async def take_begin(newcomer: NamedDependency[Desk]) -> Page:
    """Make a secret for a code app."""
    fields = await newcomer.form()
    async with newcomer.wiring.db.begin() as tx:
        await begin_totp(tx, newcomer.wiring.vault, newcomer.wiring.random, newcomer.who, newcomer.now)
    return newcomer.back("/account/code-app", next=own_path(fields.get("next", "/leads")))


@post("/account/code-app/confirm", include_in_schema=False, status_code=200, opt=danger("totp_added"))
async def take_confirm(newcomer: NamedDependency[Desk]) -> Page:
    """Take the first code of the app; from now on it counts."""
    fields = await newcomer.form()
    async with newcomer.wiring.db.begin() as tx:
        right = await confirm_totp(
            tx, newcomer.wiring.vault, newcomer.who, fields.get("code", ""), newcomer.now, newcomer.address
        )
    if not right:
        return await _code_app(newcomer, "This code is not right. Is the clock of the device?")
    return await _added(newcomer, "code", fields)


@post("/account/code-app/remove", include_in_schema=False, status_code=200, opt=danger("totp_removed"))
async def take_removal(desk: NamedDependency[Desk]) -> Page:
    """Take the code app away."""
    await desk.form()
    try:
        async with desk.wiring.db.begin() as tx:
            await remove_totp(tx, desk.wiring.entrance.policy, desk.who, desk.now, desk.address)
    except BadInput as fault:
        return await _account(desk, fault)
    return desk.back("/account", "factor_removed")


@post("/account/codes", include_in_schema=False, status_code=200, opt=danger("codes_made"))
async def take_codes(desk: NamedDependency[Desk]) -> Page:
    """Make recovery codes in the place of those before, and show them this once."""
    await desk.form()
    async with desk.wiring.db.begin() as tx:
        wiring = desk.wiring
        codes = await make_codes(tx, wiring.keyed_hash, wiring.random, desk.who, desk.now, desk.address)
    return desk.show("codes.html", "account", codes=codes, next="/account")


async def _added(desk: Desk, shown: str, fields: dict[str, str]) -> Page:
    """A second factor is there: whoever waited for it comes in, and whoever has no recovery codes gets them."""
    wiring, goes_on = desk.wiring, own_path(fields.get("next", "/account"), "/account")
    cookies = []
    async with wiring.db.begin() as tx:
        if desk.session.stage == "enrol":
            signed_in = await pass_on(tx, wiring.keyed_hash, wiring.random, desk.token, desk.session, desk.now, shown)
            cookies = [kept(COOKIE, signed_in.token, wiring, None)]
            desk.session = signed_in.session
        factors = await factors_of(tx, desk.who.id)
        codes = (
            await make_codes(tx, wiring.keyed_hash, wiring.random, desk.who, desk.now, desk.address)
            if not factors.codes_left
            else []
        )
    found = (
        desk.show("codes.html", "account", codes=codes, next=goes_on)
        if codes
        else desk.back("/account", "factor_added")
    )
    found.cookies = cookies
    return found


# Passkeys


@post("/account/passkeys/options", include_in_schema=False, status_code=200, opt=danger("passkey_added"))
async def offer(newcomer: NamedDependency[Desk]) -> Page:
    """What the browser needs to make a passkey."""
    await newcomer.form()
    wiring = newcomer.wiring
    party = party_at(newcomer.request, wiring)
    async with wiring.db.begin() as tx:
        asked = await offer_passkey(
            tx, wiring.keyed_hash, wiring.random, party, newcomer.who, newcomer.token, newcomer.now
        )
    return Response(asked.encode(), media_type=MediaType.JSON, headers={"cache-control": "no-store"})


@post("/account/passkeys", include_in_schema=False, status_code=200, opt=danger("passkey_added"))
async def take_made(newcomer: NamedDependency[Desk]) -> Page:
    """Keep a passkey that the browser made."""
    fields = await newcomer.form()
    wiring = newcomer.wiring
    try:
        async with wiring.db.begin() as tx:
            await make_passkey(
                tx, wiring.keyed_hash, wiring.mint, party_at(newcomer.request, wiring), newcomer.who, newcomer.token,
                fields.get("credential", "").encode(), fields.get("name", ""), newcomer.now, newcomer.address,
            )  # fmt: skip
    except BadInput as fault:
        if newcomer.session.stage == "enrol":
            return await _code_app(newcomer, _sentence(fault))
        return await _account(newcomer, fault)
    return await _added(newcomer, "passkey", fields)


@post(
    "/account/passkeys/{passkey_id:str}/remove", include_in_schema=False, status_code=200, opt=danger("passkey_removed")
)
async def take_passkey_away(desk: NamedDependency[Desk], passkey_id: FromPath[str]) -> Page:
    """Take a passkey away."""
    await desk.form()
    try:
        async with desk.wiring.db.begin() as tx:
            await remove_passkey(tx, desk.wiring.entrance.policy, desk.who, passkey_id, desk.now, desk.address)
    except NotFound:
        raise
    except BadInput as fault:
        return await _account(desk, fault)
    return desk.back("/account", "factor_removed")


# Once more


@get("/prove", include_in_schema=False)
async def prove_page(desk: NamedDependency[Desk]) -> Page:
    """Ask an operator to show once more who they are."""
    return await _prove(desk, own_path(desk.request.query_params.get("next", "/account"), "/account"))


async def _prove(desk: Desk, goes_on: str, fault: Fault | None = None) -> Page:
    async with desk.wiring.db.begin() as tx:
        factors = await factors_of(tx, desk.who.id)
    return desk.show(
        "prove.html",
        "account",
        status=200 if fault is None else 429 if isinstance(fault, Throttled) else 403,
        factors=factors,
        passkeys=bool(factors.passkeys) and party_near(desk.request, desk.wiring) is not None,
        elsewhere=desk.session.method.startswith("another house"),
        next=goes_on,
        error=_sentence(fault) if fault else None,
    )


@post("/prove", include_in_schema=False, status_code=200)
async def take_proof(desk: NamedDependency[Desk]) -> Page:
    """Take the password, or, of who has a second factor, that."""
    fields = await desk.form()
    goes_on = own_path(fields.get("next", "/account"), "/account")
    wiring = desk.wiring
    try:
        async with wiring.db.begin() as tx:
            factors = await factors_of(tx, desk.who.id)
        if factors.any:
            await show_factor(desk, fields)
        else:
            await check_sign_in(
                wiring.db, wiring.keyed_hash, email=desk.who.email, password=fields.get("password", ""),
                address=desk.address, now=desk.now,
            )  # fmt: skip
    except Unauthenticated:
        return await _prove(desk, goes_on, Forbidden("parties.password.wrong", "the password is not right"))
    except BadInput as fault:
        return await _prove(desk, goes_on, fault)
    async with wiring.db.begin() as tx:
        await prove_session(tx, wiring.keyed_hash, desk.token, desk.now)
    return desk.back(goes_on)


@post("/prove/options", include_in_schema=False, status_code=200)
async def offer_proof(desk: NamedDependency[Desk]) -> Page:
    """What the browser needs to show a passkey once more."""
    await desk.form()
    return await offered(desk)


ROUTES = [
    account_page,
    take_password,
    take_end,
    code_app_page,
    take_begin,
    take_confirm,
    take_removal,
    take_codes,
    offer,
    take_made,
    take_passkey_away,
    prove_page,
    take_proof,
    offer_proof,
]

"""Opt-outs: who wants to hear no more, by which way it came, who was told; writing one down, deciding about a doubtful
one, lists in and out."""

import csv
import io
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput
from leadmill.core.ids import looks_like
from leadmill.flow.enforcing import enforce_now, settle_doubt
from leadmill.flow.notices import acknowledge, tell_again
from leadmill.flow.optingout import Wish, open_words, take_opt_outs
from leadmill.flow.suppressionlists import give_list, take_list
from leadmill.interfaces.console.desk import Desk, Page, own_path
from leadmill.interfaces.console.imports import read_upload
from leadmill.interfaces.console.lists import recipient_name
from leadmill.interfaces.console.query import Chip, address
from leadmill.interfaces.dangers import check_origin, danger
from leadmill.optouts import CHANNELS, Notice, OptOut, Scope, list_notices, list_opt_outs, notices_of, opt_outs_of
from leadmill.parties import Right
from leadmill.runtime.db import Tx

_PAGE = 50
MOST_BYTES = 4 << 20
"""The largest list taken here; longer ones go through ``leadmill suppress import``."""

_STATES = (("stands", "Stands"), ("review", "To be looked at"), ("lifted", "Lifted"))
_CAME = {
    "reply": "Reply",
    "web": "Our page",
    "one_click": "One click",
    "agent": "Told to somebody",
    "api": "API",
    "gpc": "Global Privacy Control",
    "list": "List",
}
_CLOSES = {"all": "Everything", "phone": "Calls and texts", "email": "E-mail", "sale": "Sale of their data"}
_SCOPES: dict[str, Scope] = {"all": "all", "phone": "phone", "email": "email", "sale": "sale"}


@get("/optouts", include_in_schema=False)
async def optouts_page(desk: NamedDependency[Desk]) -> Page:
    """The newest opt-outs, those to be looked at first where one asks for them."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "", given: dict[str, str] | None = None) -> Page:
    query = desk.request.query_params
    params = {key: query[key] for key in ("state", "channel") if query.get(key)}
    cursor = query.get("cursor")
    state, channel = params.get("state"), params.get("channel")
    known = (state is None or state in dict(_STATES)) and (channel is None or channel in CHANNELS)
    if not known or (cursor is not None and not looks_like(cursor, "opt")):
        raise BadInput("console.list.malformed", "this address is not whole; begin at the newest")
    async with desk.wiring.db.begin() as tx:
        found = await list_opt_outs(tx, channel=channel, state=state, before=cursor, limit=_PAGE + 1)
        shown = found[:_PAGE]
        told = await list_notices(tx, opt_outs=[one.id for one in shown], limit=20 * _PAGE)
        rows = [await _row(tx, desk, one, [each for each in told if each.opt_out_id == one.id]) for one in shown]
    path = "/optouts"
    says = {"state": ("State is", dict(_STATES)), "channel": ("Came by", _CAME)}
    chips = [
        Chip(says[key][0], says[key][1][params[key]], address(path, {k: v for k, v in params.items() if k != key}))
        for key in params
    ]
    return desk.show(
        "optouts.html",
        "optouts",
        status=422 if error else 200,
        error=error,
        given={"contact": "", "scope": "", "words": "", **(given or {})},
        may_write=desk.may(Right.REVIEW),
        most=MOST_BYTES >> 20,
        scopes=list(_CLOSES.items()),
        list={
            "path": path,
            "chips": chips,
            "chosen": {key: params.get(key, "") for key in ("state", "channel")},
            "states": list(_STATES),
            "channels": list(_CAME.items()),
            "rows": rows,
            "older": address(path, params, cursor=shown[-1].id) if len(found) > _PAGE else None,
            "latest": address(path, params) if cursor else None,
        },
    )


async def _row(tx: Tx, desk: Desk, one: OptOut, notices: list[Notice]) -> dict[str, Any]:
    done = sum(each.state == "acknowledged" for each in notices)
    return {
        "id": one.id,
        "at": one.at,
        "state": one.state,
        "came": _CAME[one.channel],
        "closes": _CLOSES[one.scope],
        "by": one.by,
        "entries": one.entries,
        "person_id": one.person_id,
        "lead_id": one.lead_id,
        "told": f"{done} of {len(notices)} acknowledged" if notices else "",
        "open": len(notices) - done,
        "notices": [_notice(desk, each) for each in reversed(notices)],
        "words": await open_words(tx, desk.wiring.kit, one) if one.state == "review" and desk.sees else None,
        "stopped": one.enforced_at is not None,
    }


def _notice(desk: Desk, one: Notice) -> dict[str, Any]:
    return {
        "id": one.id,
        "lead_id": one.lead_id,
        "recipient": recipient_name(desk.wiring.rules, one.recipient),
        "way": {"webhook": "webhook", "email": "e-mail", "portal": "fetches it"}[one.way],
        "state": one.state,
        "code": one.code,
        "told_at": one.told_at,
        "acknowledged_at": one.acknowledged_at,
        "again": one.state != "acknowledged" and one.way != "portal",
        "open": one.state != "acknowledged",
    }


async def shown_on_lead(tx: Tx, desk: Desk, lead_id: str) -> dict[str, Any]:
    """What a lead's page tells of opt-outs."""
    notices = await notices_of(tx, lead_id)
    return {
        "opt_outs": [
            {"at": each.at, "state": each.state, "came": _CAME[each.channel].lower(), "closes": _CLOSES[each.scope]}
            for each in await opt_outs_of(tx, lead_id)
        ],
        "notices": [_notice(desk, each) for each in notices],
    }


@post("/optouts", include_in_schema=False)
async def take_by_hand(desk: NamedDependency[Desk]) -> Page:
    """Write down what somebody said."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    contact, words = fields.get("contact", "").strip()[:200], fields.get("words", "").strip()[:4000]
    wish = Wish(
        channel="agent",
        by=f"operator {desk.who.id}",
        scope=_SCOPES.get(fields.get("scope", ""), "all"),
        email=contact if "@" in contact else None,
        phone=contact if contact and "@" not in contact else None,
        words=words or None,
    )
    try:
        async with desk.wiring.db.begin() as tx:
            (heard,) = await take_opt_outs(tx, desk.wiring.kit, [wish], desk.now)
    except BadInput as fault:
        return await _page(desk, f"{fault.detail[:1].upper()}{fault.detail[1:]}.", fields)
    if heard.recorded and heard.id is not None:
        await enforce_now(desk.wiring.kit, [heard.id])
    return desk.back("/optouts", "opted_out" if heard.recorded else "opted_out_before")


@post("/optouts/{opt_out_id:str}/decide", include_in_schema=False)
async def take_decision(desk: NamedDependency[Desk], opt_out_id: FromPath[str]) -> Page:
    """Say of a doubtful reply whether it was an opt-out."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    async with desk.wiring.db.begin() as tx:
        stands = fields.get("decision") == "stands"
        await settle_doubt(tx, desk.wiring.kit, opt_out_id, stands, desk.who.id, desk.now)
    return desk.back(own_path(fields.get("back", ""), "/optouts"), "doubt_settled")


@post("/optouts/notices/{notice_id:str}/tell", include_in_schema=False)
async def take_telling(desk: NamedDependency[Desk], notice_id: FromPath[str]) -> Page:
    """Tell a recipient once more."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    async with desk.wiring.db.begin() as tx:
        await tell_again(tx, desk.wiring.kit, notice_id, desk.now)
    return desk.back(own_path(fields.get("back", ""), "/optouts"), "told_again")


@post("/optouts/notices/{notice_id:str}/acknowledge", include_in_schema=False)
async def take_acknowledgement(desk: NamedDependency[Desk], notice_id: FromPath[str]) -> Page:
    """Write down that a recipient acknowledged by another way."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    async with desk.wiring.db.begin() as tx:
        await acknowledge(tx, desk.wiring.kit, notice_id, desk.now)
    return desk.back(own_path(fields.get("back", ""), "/optouts"), "acknowledged")


@post("/optouts/import", include_in_schema=False, request_max_body_size=MOST_BYTES + (1 << 16))
async def take_file(desk: NamedDependency[Desk]) -> Page:
    """Suppress everybody on a list."""
    check_origin(desk.request.headers)
    desk.need(Right.REVIEW)
    given = (await read_upload(desk)).get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        return await _page(desk, "Choose a file.")
    text = (await given.read()).decode("utf-8", "replace")
    told = await take_list(desk.wiring.kit, text.splitlines(), f"operator {desk.who.id}")
    if told.unreadable:
        where = ", ".join(map(str, told.lines))
        return await _page(
            desk,
            f"{told.read:,} entries read and {told.fresh:,} suppressed that were not before. {told.unreadable:,} are"
            f" neither an address, a number nor a SHA-256, and match nobody: line {where}.",
        )
    return desk.back("/optouts", "listed" if told.fresh else "opted_out_before")


@get("/optouts/export.csv", include_in_schema=False, opt=danger("exported", Right.REVIEW))
async def give_file(desk: NamedDependency[Desk]) -> Response[bytes]:
    """Everything suppressed, as this installation's keyed hashes."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["hash", "kind", "since", "channel"])
    async for one in give_list(desk.wiring.kit):
        writer.writerow([one.hash, one.kind, one.at.isoformat(), one.source])
    async with desk.wiring.db.begin() as tx:
        desk.note(tx, "opt-outs")
    headers = {"content-disposition": 'attachment; filename="suppressed.csv"', "cache-control": "no-store"}
    return Response(out.getvalue().encode(), media_type="text/csv; charset=utf-8", headers=headers)


ROUTES = [
    optouts_page,
    take_by_hand,
    take_decision,
    take_telling,
    take_acknowledgement,
    take_file,
    give_file,
]

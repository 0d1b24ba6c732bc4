"""Requests of consumers: what waits, by when it is owed, who asks, and what is decided about it.

For those whose role sees to requests (administrators and compliance). Whoever opens a request is noted in its story,
because it shows who somebody is.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.rights import FACTS, Action, Decision, Plea, candidates, decide, homes, take_request
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name
from leadmill.interfaces.console.query import Chip, address
from leadmill.interfaces.dangers import danger
from leadmill.optouts import Notice, list_notices
from leadmill.parties import Right
from leadmill.parties.store import list_operators
from leadmill.privacy import (
    ELSEWHERE,
    GROUNDS,
    KINDS,
    NEEDS,
    STATES,
    DeletionCertificate,
    Entry,
    PrivacyAnswer,
    PrivacyRequest,
    Statement,
    find_request,
    holds,
    last_day,
    list_requests,
    next_due,
    note_read,
    notes_of,
    open_answer,
    open_note,
    open_told,
    pressure,
    retained_of,
    suffices,
)
from leadmill.runtime.db import Tx

_PAGE = 50
_KINDS = {
    "know": "Know",
    "delete": "Delete",
    "correct": "Correct",
    "opt_out": "Opt out",
    "limit": "Limit",
}
_STATES = {
    "unconfirmed": "Unconfirmed",
    "open": "Open",
    "carrying": "Being carried out",
    "answered": "Answered",
    "denied": "Refused",
    "appealed": "Appealed",
    "lapsed": "Lapsed",
}
_LEVELS = {"none": "Not verified", "reasonable": "Reasonably sure", "high": "Highly sure"}
_CAME = {"web": "Privacy page", "api": "API", "desk": "Told to somebody", "command": "Command"}


@get("/requests", include_in_schema=False)
async def requests_page(desk: NamedDependency[Desk]) -> Page:
    """What waits, the most urgent first; or everything, the newest first."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "", given: dict[str, str] | None = None) -> Page:
    desk.need(Right.PRIVACY)
    query = desk.request.query_params
    params = {key: query[key] for key in ("show", "state", "kind") if query.get(key)}
    cursor, state, kind = query.get("cursor"), params.get("state"), params.get("kind")
    known = (state is None or state in STATES) and (kind is None or kind in KINDS)
    known = known and params.get("show") in (None, "all")
    if not known or (cursor is not None and not looks_like(cursor, "prv")):
        raise BadInput("console.list.malformed", "this address is not whole; begin at the newest")
    everything = "show" in params or state is not None
    async with desk.wiring.db.begin() as tx:
        found = await list_requests(
            tx,
            kind=kind,
            states=[state] if state else None,
            by_due=not everything,
            before=cursor if everything else None,
            limit=_PAGE + 1 if everything else 4 * _PAGE,
        )
    shown = found[:_PAGE] if everything else found
    path = "/requests"
    says = {"state": ("State is", _STATES), "kind": ("Asks to", _KINDS)}
    chips = [
        Chip(title, words[params[key]], address(path, {k: v for k, v in params.items() if k != key}))
        for key, (title, words) in says.items()
        if key in params
    ]
    return desk.show(
        "requests.html",
        "requests",
        status=422 if error else 200,
        error=error,
        given=given or {},
        kinds=list(_KINDS.items()),
        places=homes(desk.wiring.rules),
        list={
            "path": path,
            "chips": chips,
            "everything": everything,
            "chosen": {key: params.get(key, "") for key in ("state", "kind")},
            "states": list(_STATES.items()),
            "kinds": list(_KINDS.items()),
            "rows": [_row(desk, one) for one in shown],
            "older": address(path, params, cursor=shown[-1].id) if everything and len(found) > _PAGE else None,
            "latest": address(path, params) if cursor else None,
        },
    )


def _row(desk: Desk, one: PrivacyRequest) -> dict[str, Any]:
    told = open_told(desk.wiring.kit.pen.vault, one)
    return {
        "id": one.id,
        "kind": _KINDS[one.kind],
        "state": one.state,
        "state_says": _STATES[one.state],
        "home": "Elsewhere" if one.home == ELSEWHERE else one.home,
        "level": _LEVELS[one.level],
        "enough": suffices(one.kind, one.level),
        "received_at": one.received_at,
        "came": _CAME[one.channel],
        "name": told.name or told.email or told.phone,
        "agent": one.agent,
        **_clock(one, desk.now),
    }


def _clock(one: PrivacyRequest, now: datetime) -> dict[str, Any]:
    due = next_due(one)
    if due is None:
        return {"due": None, "left": "", "tone": ""}
    left = due - now
    days = abs(left) // timedelta(days=1)
    many = f"{days} day{'' if days == 1 else 's'}" if days else "less than a day"
    what = "decision" if one.state == "appealed" else "answer" if one.acknowledged_at else "confirmation"
    return {
        "due": last_day(due),
        "left": f"{what} {f'in {many}' if left > timedelta() else f'{many} late'}",
        "tone": {"over": "bad", "soon": "warn"}.get(pressure(one, now), ""),
    }


@get("/requests/{request_id:str}", include_in_schema=False)
async def request_page(desk: NamedDependency[Desk], request_id: FromPath[str]) -> Page:
    """One request, with everything that can be done about it."""
    return await _show(desk, request_id)


async def _show(desk: Desk, request_id: str, error: str = "", given: dict[str, str] | None = None) -> Page:
    desk.need(Right.PRIVACY)
    kit, vault = desk.wiring.kit, desk.wiring.kit.pen.vault
    async with desk.wiring.db.begin() as tx:
        one = await find_request(tx, request_id) if looks_like(request_id, "prv") else None
        if one is None:
            raise NotFound("privacy.request.unknown", "there is no such request")
        told = open_told(vault, one)
        notes = await notes_of(tx, one.id)
        await note_read(tx, one.id, notes, f"operator {desk.who.id}", desk.now)
        hashes = [each for each in (one.email, one.phone) if each]
        found = await candidates(tx, kit, hashes, told) if one.state in ("unconfirmed", "open", "appealed") else []
        notices = await list_notices(tx, opt_outs=[one.id], limit=200)
        retained = await retained_of(tx, one.id)
        who = {f"operator {each.id}": each.name for each in await list_operators(tx)}
    plain = open_answer(vault, one)
    certificate = msgspec.json.decode(one.certificate, type=DeletionCertificate) if one.certificate else None
    return desk.show(
        "request.html",
        "requests",
        status=422 if error else 200,
        error=error,
        given=given or {},
        one=_row(desk, one),
        request=one,
        told=told,
        needs=_LEVELS[NEEDS[one.kind]],
        candidates=[{"id": each.persons[0], "agrees": each.agrees} for each in found],
        history=[_happened(desk, one, each, who) for each in notes if each.what != "read"],
        reads=[_happened(desk, one, each, who) for each in notes if each.what == "read"],
        answer=msgspec.json.decode(plain, type=PrivacyAnswer) if plain is not None else None,
        certificate=certificate,
        whole=certificate is not None and holds(certificate),
        retained=retained,
        notices=[_notice(desk, each) for each in reversed(notices)],
        grounds=[(code, ground.says, ground.citation) for code, ground in GROUNDS.items()],
        levels=[(code, says) for code, says in _LEVELS.items() if code != "none"],
    )


def _happened(desk: Desk, one: PrivacyRequest, entry: Entry, who: dict[str, str]) -> dict[str, Any]:
    return {
        "at": entry.at,
        "by": who.get(entry.by, entry.by),
        "what": entry.what.replace("_", " "),
        "note": open_note(desk.wiring.kit.pen.vault, one, entry.note),
    }


def _notice(desk: Desk, one: Notice) -> dict[str, Any]:
    return {
        "id": one.id,
        "lead_id": one.lead_id,
        "recipient": recipient_name(desk.wiring.rules, one.recipient),
        "state": one.state,
        "code": one.code,
        "told_at": one.told_at,
        "acknowledged_at": one.acknowledged_at,
        "open": one.state != "acknowledged",
        "again": one.state != "acknowledged" and one.way != "portal",
    }


@post("/requests", include_in_schema=False)
async def take_by_hand(desk: NamedDependency[Desk]) -> Page:
    """Write down what somebody asked by telephone or letter."""
    fields = {name: value.strip() for name, value in (await desk.form()).items()}
    desk.need(Right.PRIVACY)
    told = Statement(
        name=fields.get("name", ""),
        email=fields.get("email", ""),
        phone=fields.get("phone", ""),
        words=fields.get("words", ""),
        facts={name: fields[name] for name in FACTS if fields.get(name)},
        changes=_changes(fields.get("changes", "")),
    )
    plea = Plea(
        kind=fields.get("kind", ""),
        channel="desk",
        by=f"operator {desk.who.id}",
        home=fields.get("home", ""),
        told=told,
    )
    try:
        async with desk.wiring.db.begin() as tx:
            taken = await take_request(tx, desk.wiring.kit, plea, desk.now)
    except BadInput as fault:
        says = "; ".join(each.detail for each in fault.errors) or fault.detail
        return await _page(desk, f"{says[:1].upper()}{says[1:]}.", fields)
    return desk.back(f"/requests/{taken.request.id}", "request_taken")


def _changes(text: str) -> dict[str, str]:
    """Lines such as ``zip: 95816`` as what is right, by field."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip().lower().replace(" ", "_"): value.strip() for name, _, value in pairs if value.strip()}


@post("/requests/{request_id:str}/fulfil", include_in_schema=False, opt=danger("request_carried_out", Right.PRIVACY))
async def take_fulfilment(desk: NamedDependency[Desk], request_id: FromPath[str]) -> Page:
    """Have a request carried out: somebody is deleted, or everything that is held of them is handed out."""
    return await _take(desk, request_id, "fulfil")


@post("/requests/{request_id:str}/{step:str}", include_in_schema=False)
async def take_step(desk: NamedDependency[Desk], request_id: FromPath[str], step: FromPath[str]) -> Page:
    """Decide something else about a request."""
    desk.need(Right.PRIVACY)
    return await _take(desk, request_id, step)


async def _take(desk: Desk, request_id: str, step: str) -> Page:
    fields = await desk.form()
    if not looks_like(request_id, "prv"):
        raise NotFound("privacy.request.unknown", "there is no such request")
    try:
        async with desk.wiring.db.begin() as tx:
            done = await _act(tx, desk, request_id, step, fields)
    except NotFound as fault:
        if fault.code == "privacy.request.unknown":
            raise
        return await _show(desk, request_id, f"{fault.detail[:1].upper()}{fault.detail[1:]}.", fields)
    except BadInput as fault:
        return await _show(desk, request_id, f"{fault.detail[:1].upper()}{fault.detail[1:]}.", fields)
    return desk.back(f"/requests/{request_id}", done)


_DONE: dict[Action, str] = {
    "confirm": "request_confirmed",
    "acknowledge": "request_acknowledged",
    "extend": "request_extended",
    "fulfil": "request_begun",
    "deny": "request_denied",
    "appeal": "request_appealed",
    "decide": "appeal_decided",
}


async def _act(tx: Tx, desk: Desk, request_id: str, step: str, fields: dict[str, str]) -> str:
    action = next((each for each in _DONE if each == step), None)
    if action is None:
        raise NotFound("privacy.request.unknown", "there is no such step")
    if action == "fulfil":
        one = await find_request(tx, request_id)
        if one is not None and one.kind == "delete" and fields.get("sure", "").strip().lower() != "delete":
            raise BadInput("console.form.unsure", "a deletion cannot be undone: type delete to say that you mean it")
        desk.note(tx, request_id)
    said = Decision(
        action=action,
        level=fields.get("level", ""),
        person_id=fields.get("person", "").strip(),
        saw=fields.get("saw", ""),
        why=fields.get("why", ""),
        ground=fields.get("ground", ""),
        citation=fields.get("citation", ""),
        granted=fields.get("decision") == "granted",
    )
    await decide(tx, desk.wiring.kit, request_id, said, f"operator {desk.who.id}", desk.now)
    return _DONE[action]


ROUTES = [requests_page, request_page, take_by_hand, take_fulfilment, take_step]

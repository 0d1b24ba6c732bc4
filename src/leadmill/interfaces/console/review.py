"""The review desk: the queue, a case with its evidence on one page, decisions by one key, and how far people agree.

Whoever is shown a case is noted as having read its lead; personal values are masked by role. Every form names the turn
in which its page was made, so that an old page decides nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.memory import open_rows
from leadmill.flow.reviewing import decide_case, gather_cases, terms_of
from leadmill.flow.store import read_leads
from leadmill.interfaces.cases import reviewer_of
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lead import may_supervise, show_lead
from leadmill.interfaces.console.lists import reason_says, source_name, vertical_title
from leadmill.interfaces.console.query import Chip, address
from leadmill.interfaces.masks import name_of
from leadmill.interfaces.places import read_place, write_place
from leadmill.parties import Right, may
from leadmill.parties.store import list_operators, note_reads
from leadmill.review import (
    DONE,
    FEWEST,
    RECENT,
    REJECTS,
    CaseFilter,
    ReviewCase,
    ReviewTerms,
    Trend,
    by_reason,
    by_reviewer,
    may_take,
    trend,
)
from leadmill.review.service import (
    Reviewer,
    assign,
    hand_over,
    release,
    renew,
    snooze,
    take,
    take_next,
    undo,
    unlock,
)
from leadmill.review.store import figures, find_case, list_cases, neighbours, pairs_since
from leadmill.runtime.db import Tx

_PAGE = 50
_SPAN = timedelta(days=90)
_SOON = timedelta(hours=1)
_SNOOZES = {"1": "An hour", "4": "Four hours", "24": "A day", "72": "Three days"}
_STAGES = {"open": "First look", "second": "Second look", "third": "Third look", "decided": "Decided"}
_CHOSEN = ("reason", "vertical", "source", "stage", "show")
_SAYS = {"reason": "Reason is", "vertical": "Vertical is", "source": "Source is", "stage": "Stage is", "show": ""}
_SHOWS = {"mine": "Mine", "overdue": "Overdue"}


@get("/review", include_in_schema=False)
async def queue_page(desk: NamedDependency[Desk]) -> Page:
    """The cases that wait, the most urgent first."""
    query = desk.request.query_params
    params = {key: query[key] for key in _CHOSEN if query.get(key)}
    if params.get("stage", "open") not in _STAGES or params.get("show", "mine") not in _SHOWS:
        raise BadInput("console.list.malformed", "this address is not whole; begin at the first")
    cursor = query.get("cursor")
    narrow = CaseFilter(
        reason=params.get("reason"),
        vertical=params.get("vertical"),
        source_id=params.get("source"),
        stage=params.get("stage"),
        holder=desk.who.id if params.get("show") == "mine" else None,
        overdue=desk.now if params.get("show") == "overdue" else None,
    )
    midnight = desk.now.astimezone(desk.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    after = read_place(cursor) if cursor else None
    async with desk.wiring.db.begin() as tx:
        await gather_cases(tx, desk.wiring.kit, desk.now)
        found = await list_cases(tx, narrow, desk.now, after, _PAGE + 1)
        numbers = await figures(tx, desk.now, midnight)
        rows = await _rows(tx, desk, found[:_PAGE])
        undoable = await _undoable(tx, desk)
    rules, path = desk.wiring.rules, "/review"
    return desk.show(
        "review.html",
        "review",
        numbers={
            "waiting": numbers.waiting,
            "overdue": numbers.overdue,
            "today": numbers.today,
            "median": _span(timedelta(seconds=numbers.median_seconds)) if numbers.median_seconds is not None else None,
        },
        may_decide=desk.may(Right.REVIEW),
        undoable=undoable,
        list={
            "path": path,
            "chips": _chips(desk, path, params),
            "chosen": {key: params.get(key, "") for key in _CHOSEN},
            "stages": list(_STAGES.items()),
            "shows": list(_SHOWS.items()),
            "reasons": sorted({(one.reason, reason_says(one.reason)) for one in found}),
            "verticals": sorted((name, each.title) for name, each in rules.verticals.items()),
            "sources": sorted((name, each.name) for name, each in rules.roster.sources.items()),
            "rows": rows,
            "older": address(path, params, cursor=write_place(found[_PAGE - 1])) if len(found) > _PAGE else None,
            "latest": address(path, params) if cursor else None,
        },
    )


def _chips(desk: Desk, path: str, params: dict[str, str]) -> list[Chip]:
    rules = desk.wiring.rules
    told = {
        **params,
        "vertical": vertical_title(rules, params.get("vertical", "")),
        "source": source_name(rules, params.get("source", "")),
        "stage": _STAGES.get(params.get("stage", ""), ""),
        "show": _SHOWS.get(params.get("show", ""), ""),
    }
    return [Chip(_SAYS[key], told[key], address(path, {k: v for k, v in params.items() if k != key})) for key in params]


async def _rows(tx: Tx, desk: Desk, cases: list[ReviewCase]) -> list[dict[str, Any]]:
    """The cases as a list shows them; their leads are noted as read."""
    leads = await read_leads(tx, [one.lead_id for one in cases])
    opened = await open_rows(tx, desk.wiring.kit.pen, leads.values())
    note_reads(tx, desk.who.id, list(leads), "review list", desk.now)
    names = await _names(tx)
    return [
        {**_told(desk, one, names), "person": name_of(opened.get(one.lead_id), desk.sees)}
        for one in cases
        if one.lead_id in leads
    ]


async def _names(tx: Tx) -> dict[str, str]:
    return {each.id: each.name for each in await list_operators(tx)}


def _told(desk: Desk, one: ReviewCase, names: dict[str, str]) -> dict[str, Any]:
    rules, left = desk.wiring.rules, one.due_at - desk.now
    holder = one.held(desk.now)
    return {
        "id": one.id,
        "lead_id": one.lead_id,
        "reason": one.reason,
        "says": one.says or reason_says(one.reason),
        "rule": one.rule,
        "citation": one.citation,
        "score": one.score,
        "worth": one.worth or None,
        "currency": one.currency,
        "vertical": vertical_title(rules, one.vertical),
        "source": source_name(rules, one.source_id),
        "test": one.test,
        "since": one.since,
        "age": _span(desk.now - one.since),
        "due_at": one.due_at,
        "due": f"{_span(-left)} over" if left <= timedelta() else f"in {_span(left)}",
        "tone": "bad" if left <= timedelta() else "warn" if left <= _SOON else "line",
        "stage": one.stage,
        "stage_says": _STAGES.get(one.stage, "Over"),
        "holder": names.get(holder, holder) if holder else None,
        "mine": holder == desk.who.id,
        "snoozed": one.snoozed_until if one.snoozed_until and one.snoozed_until > desk.now else None,
    }


def _span(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 1:
        return f"{max(0, int(span.total_seconds()))} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // 1440} d"


@get("/review/agreement", include_in_schema=False)
async def agreement_page(desk: NamedDependency[Desk]) -> Page:
    """How far two who decided the same cases agree, of the last ninety days."""
    async with desk.wiring.db.begin() as tx:
        pairs = await pairs_since(tx, desk.now - _SPAN)
        names = await _names(tx)
    late = desk.now - RECENT
    people, whole = by_reviewer(pairs, late), trend(pairs, late)
    return desk.show(
        "review_agreement.html",
        "review",
        whole=_share(whole),
        skewed=f"{100 * (whole.whole.most or 0):.0f} %" if whole.whole.skewed else None,
        reasons=[(code, reason_says(code), _share(one)) for code, one in by_reason(pairs, late).items()],
        people=[(names.get(who, who), _share(one)) for who, one in people.items()],
        fewest=FEWEST,
        shares=sorted((one.id, f"{one.second_share / 10_000:g} %") for one in desk.wiring.rules.reviews.values()),
    )


def _share(found: Trend) -> dict[str, Any]:
    one, late = found.whole, found.recent
    return {
        "pairs": one.pairs,
        "agreed": one.agreed,
        "raw": f"{100 * one.raw:.0f} %" if one.raw is not None else None,
        "raw_limits": _between(one.raw_limits, 100, 0),
        "kappa": f"{one.kappa:.2f}" if one.kappa is not None else None,
        "kappa_limits": _between(one.kappa_limits),
        "ac1": f"{one.ac1:.2f}" if one.ac1 is not None else None,
        "ac1_limits": _between(one.ac1_limits),
        "skewed": one.skewed,
        "few": one.pairs < FEWEST,
        "late": f"{100 * late.raw:.0f} %" if late.raw is not None else None,
        "late_pairs": late.pairs,
        "drifts": found.drifts,
    }


def _between(limits: tuple[float, float] | None, by: float = 1.0, places: int = 2) -> str | None:
    return f"{limits[0] * by:.{places}f} to {limits[1] * by:.{places}f}" if limits is not None else None


@get("/review/{case_id:str}", include_in_schema=False)
async def case_page(desk: NamedDependency[Desk], case_id: FromPath[str]) -> Page:
    """A case with its evidence."""
    async with desk.wiring.db.begin() as tx:
        one = await _find(tx, case_id)
        before, after = await neighbours(tx, one)
        undoable = await _undoable(tx, desk)
        people = await list_operators(tx)
    names = {each.id: each.name for each in people}
    others = [each for each in people if each.id != desk.who.id and each.may(Right.REVIEW)]
    able = [each for each in others if may_take(one, each.id, may(each.role, Right.AUDIT))]
    _, lead = await show_lead(desk, one.lead_id, "review")
    who = _who(desk)
    holder = one.held(desk.now)
    return desk.show(
        "review_case.html",
        "review",
        case=_told(desk, one, names),
        lead=lead,
        turn=one.turn,
        until=one.held_until,
        may_decide=desk.may(Right.REVIEW) and holder == who.id,
        may_take=desk.may(Right.REVIEW) and holder is None and may_take(one, who.id, who.supervises),
        may_unlock=who.supervises and holder not in (None, who.id),
        barred=one.stage in ("second", "third") and not may_take(one, who.id, who.supervises),
        over=_over(one, names),
        undoable=undoable,
        before=before,
        after=after,
        grounds=[(code, ground.says) for code, ground in REJECTS.items()],
        snoozes=list(_SNOOZES.items()),
        others=[(each.id, each.name) for each in able],
        may_assign=[(each.id, each.name) for each in able] if who.supervises and holder != who.id else [],
    )


def _over(one: ReviewCase, names: dict[str, str]) -> str:
    """How a case ended; nothing while it waits. Of a case that others still look at, nothing is told."""
    if one.stage == "closed" and one.decision is None:
        return f"Nobody needs to decide any more: the lead is {one.outcome or 'gone'}."
    if one.stage not in ("decided", "closed") or one.decision is None:
        return ""
    ground = REJECTS.get(one.ground or "")
    why = f": {ground.says.lower()}" if ground is not None else ""
    ended = f" The lead is {one.outcome}." if one.outcome else ""
    return f"{DONE[one.decision]} by {names.get(one.decided_by or '', one.decided_by)}{why}.{ended}"


async def _undoable(tx: Tx, desk: Desk) -> dict[str, str] | None:
    """The decision just made, while it can be taken back."""
    case_id = desk.request.query_params.get("undo", "")
    one = await find_case(tx, case_id) if looks_like(case_id, "rev") else None
    if one is None or not _can_undo(desk, one):
        return None
    if one.decision is None:
        return {"id": one.id, "says": "Decided", "then": "somebody else looks at it as well"}
    return {"id": one.id, "says": DONE[one.decision], "then": "it is carried out in a moment"}


def _can_undo(desk: Desk, one: ReviewCase) -> bool:
    """Whether this operator's decision still waits to be carried out, or for a second look that nobody has begun."""
    if one.stage == "second":
        return one.first_by == desk.who.id and one.held(desk.now) is None
    mine = one.stage == "decided" and one.decided_by == desk.who.id
    return mine and one.carry_at is not None and one.carry_at > desk.now


async def _find(tx: Tx, case_id: str) -> ReviewCase:
    one = await find_case(tx, case_id) if looks_like(case_id, "rev") else None
    if one is None:
        raise NotFound("review.case.unknown", "there is no such case")
    return one


def _who(desk: Desk) -> Reviewer:
    return Reviewer(desk.who.id, may_supervise(desk))


async def _form(desk: Desk) -> dict[str, str]:
    fields = await desk.form()
    desk.need(Right.REVIEW)
    return fields


def _turn(fields: dict[str, str]) -> int:
    text = fields.get("turn", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1


@post("/review/next", include_in_schema=False)
async def take_one(desk: NamedDependency[Desk]) -> Page:
    """Take the most urgent case."""
    fields = await _form(desk)
    async with desk.wiring.db.begin() as tx:
        await gather_cases(tx, desk.wiring.kit, desk.now)
    return await _next(desk, fields, "")


async def _next(desk: Desk, fields: dict[str, str], done: str, undo_id: str = "") -> Page:
    more = {"undo": undo_id} if undo_id else {}
    async with desk.wiring.db.begin() as tx:
        vertical, reason = fields.get("vertical", ""), fields.get("reason", "")
        one = await take_next(tx, _who(desk), lambda name: _terms(desk, name), desk.now, vertical, reason)
    if one is None:
        return desk.back("/review", done or "review_none", **more)
    return desk.back(f"/review/{one.id}", done, **more)


def _terms(desk: Desk, vertical: str) -> ReviewTerms:
    return terms_of(desk.wiring.kit, vertical)


@post("/review/{case_id:str}/{step:str}", include_in_schema=False)
async def take_step(desk: NamedDependency[Desk], case_id: FromPath[str], step: FromPath[str]) -> Page:
    """Do something with a case: take, decide, snooze, release, hand over, assign, unlock, undo, renew."""
    fields = await _form(desk)
    who, turn = _who(desk), _turn(fields)
    here, undoable = f"/review/{case_id}", False

    def terms(vertical: str) -> ReviewTerms:
        return _terms(desk, vertical)

    async with desk.wiring.db.begin() as tx:
        await _find(tx, case_id)
        if step == "take":
            await take(tx, case_id, who, terms, desk.now)
            return desk.back(here)
        if step == "undo":
            await undo(tx, case_id, who, terms, desk.now)
            return desk.back(here, "review_undone")
        if step == "unlock":
            await unlock(tx, case_id, who)
            return desk.back(here, "review_unlocked")
        if step == "renew":
            one = await renew(tx, case_id, turn, who, terms, desk.now)
            return _kept(desk, one.held_until)
        if step == "release":
            await release(tx, case_id, turn, who)
            return desk.back("/review")
        if step == "hand-over":
            await hand_over(tx, case_id, turn, who, await reviewer_of(tx, fields.get("to", "")), terms, desk.now)
            return desk.back("/review", "review_handed")
        if step == "assign":
            await assign(tx, case_id, who, await reviewer_of(tx, fields.get("to", "")), terms, desk.now)
            return desk.back(here, "review_handed")
        if step == "snooze":
            hours = fields.get("hours", "1")
            until = desk.now + timedelta(hours=int(hours) if hours in _SNOOZES else 1)
            await snooze(tx, case_id, turn, who, until, desk.now)
        elif step == "decide":
            choice, ground = fields.get("choice", ""), fields.get("ground", "")
            ground = ground if choice == "reject" else ""
            note = fields.get("note", "")
            one = await decide_case(tx, desk.wiring.kit, case_id, turn, who, choice, ground, note, desk.now)
            undoable = _can_undo(desk, one)
        else:
            raise NotFound("review.case.unknown", "there is no such step")
    if step == "snooze":
        return await _next(desk, {}, "review_snoozed")
    # What was decided is told with the way to take it back, and only where there is none by itself.
    return await _next(desk, {}, "" if undoable else f"review_{fields.get('choice', '')}", case_id)


def _kept(desk: Desk, until: datetime | None) -> Page:
    here = (until or desk.now).astimezone(desk.zone)
    return Response(f"You have it until {here:%H:%M}.", media_type=MediaType.TEXT)


ROUTES = [queue_page, agreement_page, case_page, take_one, take_step]

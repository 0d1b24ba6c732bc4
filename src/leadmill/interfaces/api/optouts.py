"""``/v1/optouts`` and ``/v1/replies``: somebody opted out, whoever heard it; and the notices that recipients get.

An opt-out is carried out before it is answered: whatever waited to go out has been stopped then. Recipients read and
acknowledge their notices here, whether they are told by message or not.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Forbidden, NotFound, Unauthenticated
from leadmill.core.ids import looks_like
from leadmill.flow.enforcing import enforce_now
from leadmill.flow.notices import acknowledge
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.store import read_lead
from leadmill.interfaces.api.access import Reader, caller_of
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.leads import answer as answered
from leadmill.interfaces.wiring import Wiring
from leadmill.market import find_sale, sales_of
from leadmill.optouts import MOST, Channel, Heard, Notice, OptOut, Scope, list_notices, list_opt_outs
from leadmill.parties import Caller, Right
from leadmill.runtime.db import Tx
from leadmill.runtime.walls import behind

_AT_ONCE = 20
"""How many opt-outs of one call are carried out before it is answered; the rest at once afterwards, by jobs."""
_LONGEST = 4_000
_LIMIT = 50


class SubjectIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who: contact details, or a lead or sale of the person. ``scope`` is what is closed; ``at`` when it was said, now
    where it is absent; ``text`` the person's own words."""

    email: str | None = None
    phone: str | None = None
    lead_id: str | None = None
    sale_id: str | None = None
    scope: Scope = "all"
    at: datetime | None = None
    text: str | None = None


class OptOutIn(SubjectIn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One opt-out; ``channel`` is how it came. A browser's signal (``gpc``) closes sale and nothing else."""

    channel: Literal["reply", "web", "agent", "api", "gpc", "list"] = "api"


class OptOutsIn(OptOutIn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One opt-out, or up to a thousand in ``optouts`` and nothing else."""

    optouts: list[OptOutIn] | None = None


class ReplyIn(SubjectIn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody answered to a call, a text or an e-mail, in ``text``."""


class OptOutOut(Struct, frozen=True):
    """What came of an opt-out: ``recorded`` is false where all of it was closed before, since ``since``; ``id`` is the
    opt-out that closed it, null where that was before opt-outs had ids."""

    id: str | None
    recorded: bool
    since: datetime


class OptOutsOut(Struct, frozen=True):
    """One entry for each that was sent, in their order."""

    optouts: list[OptOutOut]


class ReplyOut(Struct, frozen=True):
    """How a reply was read: ``revoke`` is an opt-out, ``review`` counts as one until a person has looked, ``none`` is
    neither; ``optout`` is what came of it."""

    result: Literal["revoke", "review", "none"]
    optout: OptOutOut | None = None


class OptOutLine(Struct, frozen=True, kw_only=True):
    """An opt-out in a list. Whose it is stands nowhere but as a hash; ``person_id`` where that is known."""

    id: str
    at: datetime
    received_at: datetime
    channel: str
    scope: str
    state: str
    by: str
    entries: int
    person_id: str | None
    lead_id: str | None


class OptOutPage(Struct, frozen=True):
    """Opt-outs, the newest first."""

    optouts: list[OptOutLine]
    next_cursor: str | None = None


class NoticeLine(Struct, frozen=True, kw_only=True):
    """That the person of a lead opted out: contact them no more."""

    notice_id: str
    optout_id: str
    lead_id: str
    sale_id: str
    recipient: str
    way: str
    state: str
    created_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None


class NoticePage(Struct, frozen=True):
    """Notices, the newest first."""

    notices: list[NoticeLine]
    next_cursor: str | None = None


@post("/v1/optouts", include_in_schema=False)
async def post_optouts(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """Take opt-outs."""
    caller = await _caller(request, wiring)
    key = idempotency_key(request)
    given, body = await read_json(request, OptOutsIn)
    parts = _parts(given)
    fresh: list[str] = []

    async def take(tx: Tx) -> OptOutsOut:
        wishes = []
        for place, one in parts:
            _check(one, place)
            lead_id = await _lead_of(tx, caller, one)
            wishes.append(_wish(caller, one, place, lead_id, one.channel))
        return OptOutsOut([_out(heard, fresh) for heard in await take_opt_outs(tx, wiring.kit, wishes, wiring.clock())])

    answer = await once(wiring, f"optouts {caller.owner}", key, body, take, status=200)
    await enforce_now(wiring.kit, fresh[:_AT_ONCE])
    return answer


@post("/v1/replies", include_in_schema=False)
async def post_reply(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """Read a reply, and do what it says."""
    caller = await _caller(request, wiring)
    key = idempotency_key(request)
    given, body = await read_json(request, ReplyIn)
    _check(given, "")
    if not given.text or not given.text.strip():
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/text", "api.field.invalid", "is missing")])
    result = wiring.rules.engine.read_reply(given.text)
    fresh: list[str] = []

    async def take(tx: Tx) -> ReplyOut:
        lead_id = await _lead_of(tx, caller, given)
        if result == "none":
            return ReplyOut(result)
        wish = _wish(caller, given, "", lead_id, "reply", verdict=result, doubtful=result == "review")
        (heard,) = await take_opt_outs(tx, wiring.kit, [wish], wiring.clock())
        return ReplyOut(result, _out(heard, fresh))

    answer = await once(wiring, f"replies {caller.owner}", key, body, take, status=200)
    await enforce_now(wiring.kit, fresh)
    return answer


async def _caller(request: Request[Any, Any, Any], wiring: Wiring) -> Caller:
    caller = await caller_of(request, wiring)
    if caller is None:
        raise Unauthenticated("api.key.missing", "send a key as Authorization: Bearer KEY")
    if caller.kind == "operator" and not caller.may(Right.REVIEW):
        raise Forbidden("api.right.missing", "this key's role may not take opt-outs")
    return caller


def _parts(given: OptOutsIn) -> Sequence[tuple[str, OptOutIn]]:
    """Each opt-out with its place in the body."""
    if given.optouts is None:
        return [("", given)]
    if given != OptOutsIn(optouts=given.optouts):
        says = "send one opt-out, or a list of them and nothing beside it"
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/optouts", "api.field.invalid", says)])
    if not 0 < len(given.optouts) <= MOST:
        says = f"send 1 to {MOST:,} a call"
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/optouts", "api.field.invalid", says)])
    return [(f"/optouts/{number}", one) for number, one in enumerate(given.optouts)]


def _check(one: SubjectIn, place: str) -> None:
    faults = []
    if one.at is not None and one.at.tzinfo is None:
        says = "write a time with its offset, such as 2026-03-04T15:00:00Z"
        faults.append(FieldFault(f"{place}/at", "api.field.invalid", says))
    if one.text is not None and len(one.text) > _LONGEST:
        faults.append(FieldFault(f"{place}/text", "api.field.invalid", f"write at most {_LONGEST:,} characters"))
    if faults:
        raise BadInput("api.body.invalid", "see errors", faults)


async def _lead_of(tx: Tx, caller: Caller, one: SubjectIn) -> str | None:
    """The lead that is meant, which the caller must have a part in. Raises NotFound ``flow.lead.unknown``."""
    if one.lead_id is None and one.sale_id is None:
        return None
    if caller.kind == "operator":
        return await _part_of(tx, caller, one)
    async with behind(tx, caller.kind, caller.owner):
        return await _part_of(tx, caller, one)


async def _part_of(tx: Tx, caller: Caller, one: SubjectIn) -> str:
    unknown = NotFound("flow.lead.unknown", "there is no such lead or sale of yours")
    lead_id = one.lead_id
    if lead_id is None:
        sale = await find_sale(tx, one.sale_id) if looks_like(one.sale_id or "", "sale") and one.sale_id else None
        if sale is None:
            raise unknown
        lead_id = sale.lead_id
    row = await read_lead(tx, lead_id) if looks_like(lead_id, "lead") else None
    if row is None:
        raise unknown
    if caller.kind == "source" and row.source_id != caller.owner:
        raise unknown
    if caller.kind == "buyer" and not any(leg.buyer_id == caller.owner for leg in await sales_of(tx, lead_id)):
        raise unknown
    return lead_id


def _wish(
    caller: Caller,
    one: SubjectIn,
    place: str,
    lead_id: str | None,
    channel: Channel,
    verdict: str | None = None,
    doubtful: bool = False,
) -> Wish:
    return Wish(
        channel=channel,
        by=f"{caller.kind} {caller.owner}",
        scope="sale" if channel == "gpc" else one.scope,
        email=one.email,
        phone=one.phone,
        lead_id=lead_id,
        at=one.at,
        words=one.text,
        verdict=verdict,
        doubtful=doubtful,
        place=place,
    )


def _out(heard: Heard, fresh: list[str]) -> OptOutOut:
    if heard.recorded and heard.id is not None:
        fresh.append(heard.id)
    return OptOutOut(heard.id, heard.recorded, heard.since)


# Reading


@get("/v1/optouts", include_in_schema=False)
async def get_optouts(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[Any]:
    """A page of opt-outs."""
    cursor = _cursor(request, "opt")
    async with wiring.db.begin() as tx:
        found = await list_opt_outs(tx, before=cursor, limit=_LIMIT + 1)
    shown = [_line(one) for one in found[:_LIMIT]]
    return answered(OptOutPage(shown, shown[-1].id if len(found) > _LIMIT else None))


def _line(one: OptOut) -> OptOutLine:
    return OptOutLine(
        id=one.id,
        at=one.at,
        received_at=one.received_at,
        channel=one.channel,
        scope=one.scope,
        state=one.state,
        by=one.by,
        entries=one.entries,
        person_id=one.person_id,
        lead_id=one.lead_id,
    )


@get("/v1/optouts/notices", include_in_schema=False)
async def get_notices(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[Any]:
    """A page of notices: a buyer's own, or for an operator everybody's."""
    recipient = await _recipient(request, wiring)
    cursor = _cursor(request, "ntc")
    unanswered = request.query_params.get("state") == "open"
    async with wiring.db.begin() as tx, behind(tx, "buyer", recipient) if recipient else nullcontext():
        found = await list_notices(tx, recipient=recipient, unanswered=unanswered, before=cursor, limit=_LIMIT + 1)
    shown = [_notice(one) for one in found[:_LIMIT]]
    return answered(NoticePage(shown, shown[-1].notice_id if len(found) > _LIMIT else None))


@post("/v1/optouts/notices/{notice_id:str}/acknowledge", include_in_schema=False)
async def post_acknowledgement(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], notice_id: FromPath[str]
) -> Response[bytes]:
    """A recipient says that it contacts the person no more; saying so again changes nothing."""
    recipient = await _recipient(request, wiring)
    if not looks_like(notice_id, "ntc"):
        raise NotFound("optouts.notice.unknown", "there is no such notice of yours")

    async def take(tx: Tx) -> NoticeLine:
        now = wiring.clock()
        notice, events = await acknowledge(tx, wiring.kit, notice_id, now, recipient)
        return _notice(notice, now if events else notice.acknowledged_at)

    key, body = idempotency_key(request), await request.body()
    return await once(wiring, f"acknowledge {recipient or ''}", key, body, take, status=200)


async def _recipient(request: Request[Any, Any, Any], wiring: Wiring) -> str | None:
    """The buyer whose key it is; None for an operator's that may review."""
    caller = await _caller(request, wiring)
    if caller.kind == "source":
        raise Forbidden("api.key.kind", "notices are for buyers' keys")
    return caller.owner if caller.kind == "buyer" else None


def _notice(one: Notice, acknowledged_at: datetime | None = None) -> NoticeLine:
    acknowledged = acknowledged_at or one.acknowledged_at
    return NoticeLine(
        notice_id=one.id,
        optout_id=one.opt_out_id,
        lead_id=one.lead_id,
        sale_id=one.sale_id,
        recipient=one.recipient,
        way=one.way,
        state="acknowledged" if acknowledged else one.state,
        created_at=one.created_at,
        told_at=one.told_at or acknowledged,
        acknowledged_at=acknowledged,
    )


def _cursor(request: Request[Any, Any, Any], prefix: str) -> str | None:
    cursor = request.query_params.get("cursor")
    if cursor is not None and not looks_like(cursor, prefix):
        raise BadInput("flow.cursor.malformed", "use the next_cursor of the page before, or none")
    return cursor


ROUTES = [post_optouts, post_reply, get_optouts, get_notices, post_acknowledgement]

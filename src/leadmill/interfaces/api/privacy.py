"""``/v1/privacy/requests``: what consumers ask, brought by programs, read and decided.

For keys and sessions whose role sees to requests. Who opens one is noted in its story. What an answer says of the
person stands in the answer of a single request alone.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from leadmill.core.faults import BadInput, FieldFault, Forbidden, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.enforcing import enforce_now
from leadmill.flow.rights import Decision, Plea, decide, take_request
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.leads import answer as answered
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right, may
from leadmill.privacy import (
    KINDS,
    STATES,
    DeletionCertificate,
    Kind,
    Level,
    PrivacyAnswer,
    PrivacyRequest,
    State,
    Statement,
    find_request,
    last_day,
    list_requests,
    next_due,
    note_read,
    notes_of,
    open_answer,
    open_note,
    open_told,
)
from leadmill.runtime.db import Tx

_LIMIT = 50
_Words = Annotated[str, Meta(max_length=4_000)]


class PrivacyIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consumer's request. ``home`` is the state where they live (two letters, or ``ELSEWHERE``), by whose law its
    clock runs; not needed for ``opt_out`` and ``limit``. ``facts`` are ``last_name``, ``zip``, ``date_of_birth``;
    ``changes`` what is right, by the vertical's names of fields. An authorised agent names itself and its
    ``permission``. ``at`` is when it was received, now where it is absent."""

    kind: Kind
    home: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    facts: dict[str, str] = {}
    changes: dict[str, str] = {}
    text: str = ""
    agent: str = ""
    permission: str = ""
    declared: bool = False
    at: datetime | None = None


class DecisionIn(Decision, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided. ``confirm`` needs ``level`` and ``saw`` (and perhaps ``person_id``); ``extend``, ``deny``
    and ``decide`` need ``why``, which the person reads; ``deny`` a ``ground``, ``decide`` whether the appeal is
    ``granted``."""

    saw: _Words = ""
    why: _Words = ""


class PrivacyLine(Struct, frozen=True, kw_only=True):
    """A request in a list, without who asks. ``due`` is the last day on which the next step is in time, null where
    none is owed; ``rule`` and ``citation`` say by which law."""

    request_id: str
    kind: Kind
    state: State
    level: Level
    home: str
    channel: str
    received_at: datetime
    due: str | None
    answer_due: str
    rule: str
    citation: str
    acknowledged_at: datetime | None
    extended_at: datetime | None
    decided_at: datetime | None
    outcome: str | None
    ground: str | None
    person_id: str | None


class StepLine(Struct, frozen=True):
    """One thing that happened to a request; ``note`` is what somebody wrote."""

    at: datetime
    what: str
    by: str
    note: str


class PrivacyOut(PrivacyLine, frozen=True, kw_only=True):
    """A request with who asks and what happened. ``answer`` is what the person is told, ``certificate`` what a
    deletion did."""

    told: Statement
    steps: list[StepLine]
    answer: PrivacyAnswer | None = None
    certificate: DeletionCertificate | None = None


class PrivacyPage(Struct, frozen=True):
    """Requests, the newest first."""

    requests: list[PrivacyLine]
    next_cursor: str | None = None


@post("/v1/privacy/requests", include_in_schema=False)
async def post_request(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """Take a request down."""
    _check(reader)
    key = idempotency_key(request)
    given, body = await read_json(request, PrivacyIn)
    told = Statement(
        name=given.name,
        email=given.email,
        phone=given.phone,
        facts=given.facts,
        changes=given.changes,
        words=given.text,
        agent=given.agent,
        permission=given.permission,
        declared=given.declared,
    )
    plea = Plea(kind=given.kind, channel="api", by=f"key {reader.id}", home=given.home, told=told, at=given.at)
    opt_outs: list[str] = []

    async def take(tx: Tx) -> PrivacyLine:
        taken = await take_request(tx, wiring.kit, plea, wiring.clock())
        opt_outs.extend(taken.opt_outs)
        return _line(taken.request)

    answer = await once(wiring, f"privacy request {reader.id}", key, body, take)
    await enforce_now(wiring.kit, opt_outs)
    return answer


@get("/v1/privacy/requests", include_in_schema=False)
async def get_requests(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[Any]:
    """A page of requests."""
    _check(reader)
    query = request.query_params
    cursor, state, kind = query.get("cursor"), query.get("state"), query.get("kind")
    if cursor is not None and not looks_like(cursor, "prv"):
        raise BadInput("flow.cursor.malformed", "use the next_cursor of the page before, or none")
    known = (("state", state, STATES), ("kind", kind, KINDS))
    faults = [
        FieldFault(f"/{name}", "api.query.invalid", f"one of {', '.join(all_)}")
        for name, value, all_ in known
        if value is not None and value not in all_
    ]
    if faults:
        raise BadInput("api.query.invalid", "see errors", faults)
    async with wiring.db.begin() as tx:
        states = [state] if state else None
        found = await list_requests(tx, kind=kind, states=states, before=cursor, limit=_LIMIT + 1)
    shown = [_line(one) for one in found[:_LIMIT]]
    return answered(PrivacyPage(shown, shown[-1].request_id if len(found) > _LIMIT else None))


@get("/v1/privacy/requests/{request_id:str}", include_in_schema=False)
async def get_request(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], request_id: FromPath[str]
) -> Response[Any]:
    """One request."""
    _check(reader)
    async with wiring.db.begin() as tx:
        one = await find_request(tx, request_id) if looks_like(request_id, "prv") else None
        if one is None:
            raise NotFound("privacy.request.unknown", "there is no such request")
        notes = await notes_of(tx, one.id)
        await note_read(tx, one.id, notes, f"key {reader.id}", wiring.clock())
    vault = wiring.kit.pen.vault
    plain = open_answer(vault, one)
    return answered(
        PrivacyOut(
            **msgspec.structs.asdict(_line(one)),
            told=open_told(vault, one),
            steps=[StepLine(each.at, each.what, each.by, open_note(vault, one, each.note)) for each in notes],
            answer=msgspec.json.decode(plain, type=PrivacyAnswer) if plain is not None else None,
            certificate=msgspec.json.decode(one.certificate, type=DeletionCertificate) if one.certificate else None,
        )
    )


@post(
    "/v1/privacy/requests/{request_id:str}/decisions",
    include_in_schema=False,
    opt=danger("request_decided", Right.PRIVACY),
)
async def post_decision(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    request_id: FromPath[str],
) -> Response[bytes]:
    """Decide something about a request."""
    key = idempotency_key(request)
    given, body = await read_json(request, DecisionIn)
    if not looks_like(request_id, "prv"):
        raise NotFound("privacy.request.unknown", "there is no such request")

    async def act(tx: Tx) -> PrivacyLine:
        now = wiring.clock()
        decided = await decide(tx, wiring.kit, request_id, given, f"key {reader.id}", now)
        reader.note(tx, request_id, now)
        return _line(decided)

    return await once(wiring, f"privacy decision {request_id}", key, body, act, status=200)


def _check(reader: Reader) -> None:
    if not may(reader.role, Right.PRIVACY):
        raise Forbidden("api.right.missing", "your role may not see to consumers' requests")


def _line(one: PrivacyRequest) -> PrivacyLine:
    due = next_due(one)
    return PrivacyLine(
        request_id=one.id,
        kind=one.kind,
        state=one.state,
        level=one.level,
        home=one.home,
        channel=one.channel,
        received_at=one.received_at,
        due=last_day(due).isoformat() if due is not None else None,
        answer_due=last_day(one.answer_due_at).isoformat(),
        rule=one.rule,
        citation=one.citation,
        acknowledged_at=one.acknowledged_at,
        extended_at=one.extended_at,
        decided_at=one.decided_at,
        outcome=one.outcome,
        ground=one.ground,
        person_id=one.person_id,
    )


ROUTES = [post_request, get_requests, get_request, post_decision]

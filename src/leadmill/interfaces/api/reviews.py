"""``/v1/reviews``: the review desk for programs: the queue, the next case, decisions, and how far people agree.

Nothing personal stands in a case; what the lead says is read at ``/v1/leads``. A key decides in its own name.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Forbidden, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.reviewing import decide_case, gather_cases, terms_of
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.leads import answer
from leadmill.interfaces.places import read_place, write_place
from leadmill.interfaces.wiring import Wiring, amount
from leadmill.parties import Right, may
from leadmill.parties.store import note_reads
from leadmill.review import RECENT, CaseFilter, ReviewCase, ReviewTerms, Trend, by_reason, by_reviewer, trend
from leadmill.review.service import Reviewer, take_next, undo
from leadmill.review.store import list_cases, pairs_since
from leadmill.runtime.db import Tx

_LIMIT = 50
_SPAN = timedelta(days=90)


class ReviewOut(Struct, frozen=True, kw_only=True):
    """A case: why its lead waits, by which rule, by when it is due, and what is at stake (what such leads bring, on
    average). ``stage`` is open, second, third, decided or closed; ``turn`` is to be named with a decision. What was
    decided is told once nobody else looks at it blindly."""

    review_id: str
    lead_id: str
    reason: str
    says: str
    rule: str
    citation: str
    vertical: str
    source: str
    score: int | None
    worth: str | None
    currency: str
    since: datetime
    due_at: datetime
    overdue: bool
    stage: str
    turn: int
    holder: str | None
    held_until: datetime | None
    decision: str | None
    ground: str | None
    outcome: str | None


class ReviewPage(Struct, frozen=True):
    """Cases that wait, the most urgent first; ``next_cursor`` is null at the end."""

    items: list[ReviewOut]
    next_cursor: str | None


class ReviewNextIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which cases are wanted; empty means any."""

    vertical: str = ""
    reason: str = ""


class ReviewNextOut(Struct, frozen=True):
    """The case that was taken, null where none waits that this key may decide."""

    case: ReviewOut | None


class ReviewDecisionIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision. ``turn`` is the case's as it was taken; ``ground`` says why a lead is rejected; ``note`` is sealed
    with the person's key."""

    turn: int
    decision: Literal["approve", "reject", "nurture"]
    ground: str = ""
    note: str = ""


class AgreementFigures(Struct, frozen=True, kw_only=True):
    """Of ``pairs`` of blind decisions, ``agreed`` said the same; ``raw`` is that share, ``kappa`` Cohen's and ``ac1``
    Gwet's, each with the limits that hold it in 95 of 100 cases; null where there are too few to tell. ``skewed`` says
    that nearly all was decided alike, which makes kappa misleading. ``recent_pairs`` and ``recent`` are the pairs and
    the share of the last thirty days; ``drifts`` says that it differs from before by more than chance explains."""

    pairs: int
    agreed: int
    raw: float | None
    kappa: float | None
    raw_limits: tuple[float, float] | None
    kappa_limits: tuple[float, float] | None
    ac1: float | None
    ac1_limits: tuple[float, float] | None
    skewed: bool
    recent_pairs: int
    recent: float | None
    drifts: bool | None


class AgreementOut(AgreementFigures, frozen=True, kw_only=True):
    """How far people agreed in the last ninety days: in all, by the reason that leads waited for, and by reviewer."""

    reasons: dict[str, AgreementFigures]
    reviewers: dict[str, AgreementFigures]


@get("/v1/reviews", include_in_schema=False)
async def get_reviews(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """A page of the queue."""
    query = request.query_params
    cursor = query.get("cursor")
    after = read_place(cursor) if cursor else None
    narrow = CaseFilter(
        reason=query.get("reason") or None,
        vertical=query.get("vertical") or None,
        source_id=query.get("source") or None,
        overdue=wiring.clock() if query.get("overdue") == "true" else None,
    )
    now = wiring.clock()
    async with wiring.db.begin() as tx:
        await gather_cases(tx, wiring.kit, now)
        found = await list_cases(tx, narrow, now, after, _LIMIT + 1)
        note_reads(tx, reader.id, [one.lead_id for one in found[:_LIMIT]], "api reviews", now)
    items = [_out(one, now) for one in found[:_LIMIT]]
    return answer(ReviewPage(items, write_place(found[_LIMIT - 1]) if len(found) > _LIMIT else None))


@get("/v1/reviews/agreement", include_in_schema=False)
async def get_agreement(wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]) -> Response[bytes]:
    """How far people agree."""
    now = wiring.clock()
    async with wiring.db.begin() as tx:
        pairs = await pairs_since(tx, now - _SPAN)
    late = now - RECENT
    reasons = {name: AgreementFigures(**_figures(one)) for name, one in by_reason(pairs, late).items()}
    people = {name: AgreementFigures(**_figures(one)) for name, one in by_reviewer(pairs, late).items()}
    return answer(AgreementOut(**_figures(trend(pairs, late)), reasons=reasons, reviewers=people))


def _figures(found: Trend) -> dict[str, Any]:
    one = found.whole
    return {
        "pairs": one.pairs,
        "agreed": one.agreed,
        "raw": one.raw,
        "kappa": one.kappa,
        "raw_limits": one.raw_limits,
        "kappa_limits": one.kappa_limits,
        "ac1": one.ac1,
        "ac1_limits": one.ac1_limits,
        "skewed": one.skewed,
        "recent_pairs": found.recent.pairs,
        "recent": found.recent.raw,
        "drifts": found.drifts,
    }


@post("/v1/reviews/next", include_in_schema=False)
async def post_next(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """Take the most urgent case."""
    who = _reviewer(reader)
    key = idempotency_key(request)
    given, body = await read_json(request, ReviewNextIn)

    async def act(tx: Tx) -> ReviewNextOut:
        now = wiring.clock()
        await gather_cases(tx, wiring.kit, now)
        one = await take_next(tx, who, _terms(wiring), now, given.vertical, given.reason)
        if one is not None:
            note_reads(tx, reader.id, [one.lead_id], "api review", now)
        return ReviewNextOut(_out(one, now) if one is not None else None)

    return await once(wiring, f"reviews next {reader.id}", key, body, act, status=200)


@post("/v1/reviews/{review_id:str}/decision", include_in_schema=False)
async def post_decision(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    review_id: FromPath[str],
) -> Response[bytes]:
    """Decide a case that this key has taken."""
    who = _reviewer(reader)
    key = idempotency_key(request)
    given, body = await read_json(request, ReviewDecisionIn)
    if not 0 <= given.turn < 2**62:
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/turn", "api.field.invalid", "is no turn")])

    async def act(tx: Tx) -> ReviewOut:
        now = wiring.clock()
        one = await decide_case(
            tx, wiring.kit, _checked(review_id), given.turn, who, given.decision, given.ground, given.note, now
        )
        return _out(one, now)

    return await once(wiring, f"reviews {review_id}", key, body, act, status=200)


@post("/v1/reviews/{review_id:str}/undo", include_in_schema=False)
async def post_undo(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    review_id: FromPath[str],
) -> Response[bytes]:
    """Take one's latest decision back, in time."""
    who = _reviewer(reader)
    key, body = idempotency_key(request), await request.body()

    async def act(tx: Tx) -> ReviewOut:
        now = wiring.clock()
        return _out(await undo(tx, _checked(review_id), who, _terms(wiring), now), now)

    return await once(wiring, f"reviews {review_id} undo", key, body, act, status=200)


def _reviewer(reader: Reader) -> Reviewer:
    if not may(reader.role, Right.REVIEW):
        raise Forbidden("api.right.missing", "your role may not decide cases")
    return Reviewer(reader.id, may(reader.role, Right.AUDIT))


def _checked(review_id: str) -> str:
    if not looks_like(review_id, "rev"):
        raise NotFound("review.case.unknown", "there is no such case")
    return review_id


def _terms(wiring: Wiring) -> Any:
    def terms(vertical: str) -> ReviewTerms:
        return terms_of(wiring.kit, vertical)

    return terms


def _out(one: ReviewCase, now: datetime) -> ReviewOut:
    told = one.stage in ("decided", "closed")
    return ReviewOut(
        review_id=one.id,
        lead_id=one.lead_id,
        reason=one.reason,
        says=one.says,
        rule=one.rule,
        citation=one.citation,
        vertical=one.vertical,
        source=one.source_id,
        score=one.score,
        worth=amount(one.worth, one.currency) if one.worth else None,
        currency=one.currency,
        since=one.since,
        due_at=one.due_at,
        overdue=one.due_at <= now and not told,
        stage=one.stage,
        turn=one.turn,
        holder=one.held(now),
        held_until=one.held_until if one.held(now) else None,
        decision=one.decision if told else None,
        ground=one.ground or None if told else None,
        outcome=one.outcome,
    )


ROUTES = [get_reviews, get_agreement, post_next, post_decision, post_undo]

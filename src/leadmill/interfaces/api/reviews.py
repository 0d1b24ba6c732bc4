"""``/v1/reviews``: the review desk for programs: the queue, the next case, decisions, and how far people agree.

Nothing personal stands in a case; what the lead says is read at ``/v1/leads``. A key decides in its own name.
"""

from datetime import timedelta
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Forbidden
from leadmill.core.reasons import State
from leadmill.flow.overriding import hold_lead, mark_lead, override
from leadmill.flow.reviewing import decide_case, gather_cases, terms_of
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.leads import answer
from leadmill.interfaces.cases import ReviewOut, checked_case, reviewer_of, told_case
from leadmill.interfaces.places import read_place, write_place
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right, may
from leadmill.parties.store import note_reads
from leadmill.review import RECENT, CaseFilter, ReviewTerms, Trend, by_reason, by_reviewer, trend
from leadmill.review.service import Reviewer, assign, hand_over, release, snooze, take_next, undo, unlock
from leadmill.review.store import list_cases, pairs_since
from leadmill.runtime.db import Tx

_LIMIT = 50
_SPAN = timedelta(days=90)
_MOST_HOURS = 168


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


class ReviewTurnIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case that this key has, in the ``turn`` in which it got it."""

    turn: int


class ReviewSnoozeIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case that this key has is put back for so many ``hours``, a week at most; its clock runs on."""

    turn: int
    hours: int = 1


class ReviewHandOverIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets the case: ``to`` is an operator's id. ``turn`` is the case's as this key got it; without one, who
    supervises the desk assigns a case that anybody may have."""

    to: str
    turn: int | None = None


class OverrideIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to make of a lead against what automation made of it, and on which ground. ``note`` is sealed with the
    person's key."""

    act: Literal["bring_back", "hold", "mark"]
    ground: str
    note: str = ""


class OverrideOut(Struct, frozen=True):
    """Where the lead stands now."""

    lead_id: str
    state: str


class AgreementFigures(Struct, frozen=True, kw_only=True):
    """Of ``pairs`` of blind decisions, ``agreed`` said the same; ``raw`` is that share, ``kappa`` Cohen's and ``ac1``
    Gwet's, each with the limits that hold it in 95 of 100 cases; null where there are too few to tell. ``skewed`` says
    that nearly all was decided alike, which makes kappa misleading. ``recent_pairs`` and ``recent`` are the pairs and
    the share of the last thirty days; ``drifts`` says that it differs from before by more than chance explains."""

    pairs: int
    agreed: int
    raw: float | None
    kappa: float | None
    raw_limits: list[float] | None
    kappa_limits: list[float] | None
    ac1: float | None
    ac1_limits: list[float] | None
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
    items = [told_case(one, now) for one in found[:_LIMIT]]
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


def _limits(limits: tuple[float, float] | None) -> list[float] | None:
    return list(limits) if limits is not None else None


def _figures(found: Trend) -> dict[str, Any]:
    one = found.whole
    return {
        "pairs": one.pairs,
        "agreed": one.agreed,
        "raw": one.raw,
        "kappa": one.kappa,
        "raw_limits": _limits(one.raw_limits),
        "kappa_limits": _limits(one.kappa_limits),
        "ac1": one.ac1,
        "ac1_limits": _limits(one.ac1_limits),
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
        return ReviewNextOut(told_case(one, now) if one is not None else None)

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
    turn = _turn(given.turn)

    async def act(tx: Tx) -> ReviewOut:
        now = wiring.clock()
        one = await decide_case(
            tx, wiring.kit, checked_case(review_id), turn, who, given.decision, given.ground, given.note, now
        )
        return told_case(one, now)

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
        return told_case(await undo(tx, checked_case(review_id), who, _terms(wiring), now), now)

    return await once(wiring, f"reviews {review_id} undo", key, body, act, status=200)


@post("/v1/reviews/{review_id:str}/hand-over", include_in_schema=False)
async def post_hand_over(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    review_id: FromPath[str],
) -> Response[bytes]:
    """Give a case to somebody else: one that this key has, or, for who supervises, any that waits."""
    who, key = _reviewer(reader), idempotency_key(request)
    given, body = await read_json(request, ReviewHandOverIn)
    turn = _turn(given.turn) if given.turn is not None else None

    async def act(tx: Tx) -> ReviewOut:
        now, case_id, to = wiring.clock(), checked_case(review_id), await reviewer_of(tx, given.to)
        if turn is None:
            return told_case(await assign(tx, case_id, who, to, _terms(wiring), now), now)
        return told_case(await hand_over(tx, case_id, turn, who, to, _terms(wiring), now), now)

    return await once(wiring, f"reviews {review_id} hand-over", key, body, act, status=200)


@post("/v1/reviews/{review_id:str}/unlock", include_in_schema=False)
async def post_unlock(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    review_id: FromPath[str],
) -> Response[bytes]:
    """Take a case from whoever has it."""
    who, key, body = _reviewer(reader), idempotency_key(request), await request.body()

    async def act(tx: Tx) -> ReviewOut:
        return told_case(await unlock(tx, checked_case(review_id), who), wiring.clock())

    return await once(wiring, f"reviews {review_id} unlock", key, body, act, status=200)


@post("/v1/reviews/{review_id:str}/release", include_in_schema=False)
async def post_release(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    review_id: FromPath[str],
) -> Response[bytes]:
    """Put a case back."""
    who, key = _reviewer(reader), idempotency_key(request)
    given, body = await read_json(request, ReviewTurnIn)
    turn = _turn(given.turn)

    async def act(tx: Tx) -> ReviewOut:
        return told_case(await release(tx, checked_case(review_id), turn, who), wiring.clock())

    return await once(wiring, f"reviews {review_id} release", key, body, act, status=200)


@post("/v1/reviews/{review_id:str}/snooze", include_in_schema=False)
async def post_snooze(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    review_id: FromPath[str],
) -> Response[bytes]:
    """Put a case back for some hours."""
    who, key = _reviewer(reader), idempotency_key(request)
    given, body = await read_json(request, ReviewSnoozeIn)
    turn = _turn(given.turn)
    if not 1 <= given.hours <= _MOST_HOURS:
        says = f"is no number of hours from 1 to {_MOST_HOURS}"
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/hours", "api.field.invalid", says)])

    async def act(tx: Tx) -> ReviewOut:
        now = wiring.clock()
        until = now + timedelta(hours=given.hours)
        return told_case(await snooze(tx, checked_case(review_id), turn, who, until, now), now)

    return await once(wiring, f"reviews {review_id} snooze", key, body, act, status=200)


@post("/v1/reviews/leads/{lead_id:str}/override", include_in_schema=False)
async def post_override(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    lead_id: FromPath[str],
) -> Response[bytes]:
    """Override what automation made of a lead: bring it back, hold it, or mark it."""
    who, key = _reviewer(reader), idempotency_key(request)
    given, body = await read_json(request, OverrideIn)

    async def act(tx: Tx) -> OverrideOut:
        now, kit = wiring.clock(), wiring.kit
        if given.act == "bring_back":
            state = (await override(tx, kit, lead_id, who, given.ground, given.note, now)).state
        elif given.act == "hold":
            await hold_lead(tx, kit, lead_id, who, given.ground, given.note, now)
            state = State.REVIEW
        else:
            state = await mark_lead(tx, kit, lead_id, who, given.ground, given.note, now)
        return OverrideOut(lead_id, state.value)

    return await once(wiring, f"override {lead_id}", key, body, act, status=200)


def _turn(turn: int) -> int:
    if not 0 <= turn < 2**62:
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/turn", "api.field.invalid", "is no turn")])
    return turn


def _reviewer(reader: Reader) -> Reviewer:
    if not may(reader.role, Right.REVIEW):
        raise Forbidden("api.right.missing", "your role may not decide cases")
    return Reviewer(reader.id, may(reader.role, Right.AUDIT))


def _terms(wiring: Wiring) -> Any:
    def terms(vertical: str) -> ReviewTerms:
        return terms_of(wiring.kit, vertical)

    return terms


ROUTES = [
    get_reviews,
    get_agreement,
    post_next,
    post_decision,
    post_undo,
    post_hand_over,
    post_unlock,
    post_release,
    post_snooze,
    post_override,
]

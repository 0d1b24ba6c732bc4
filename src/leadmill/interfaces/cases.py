"""A case of the review desk as programs are told of it, and who may sit at the desk.

Used by the API, the console and the commands. Nothing personal stands in a case, and what somebody decided about it is
told once nobody else looks at it blindly.
"""

from datetime import datetime

from msgspec import Struct

from leadmill.core.faults import NotFound
from leadmill.core.ids import looks_like
from leadmill.interfaces.wiring import amount
from leadmill.parties import Operator, Right, may
from leadmill.parties.store import list_operators
from leadmill.review import ReviewCase
from leadmill.review.service import Reviewer
from leadmill.runtime.db import Tx


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
    snoozed_until: datetime | None = None


def told_case(one: ReviewCase, now: datetime) -> ReviewOut:
    """A case as it stands now."""
    told = one.stage in ("decided", "closed")
    snoozed = one.snoozed_until if one.snoozed_until is not None and one.snoozed_until > now else None
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
        snoozed_until=snoozed if not told else None,
    )


def checked_case(case_id: str) -> str:
    """The id of a case. Raises NotFound ``review.case.unknown`` for what is none."""
    if not looks_like(case_id, "rev"):
        raise NotFound("review.case.unknown", "there is no such case")
    return case_id


async def reviewer_of(tx: Tx, operator_id: str) -> Reviewer:
    """Somebody who may decide cases. Raises NotFound ``review.reviewer.unknown``."""
    return seated(next((each for each in await list_operators(tx) if each.id == operator_id), None))


def seated(operator: Operator | None) -> Reviewer:
    """An operator at the desk. Raises NotFound ``review.reviewer.unknown`` for who may not decide cases."""
    if operator is None or not operator.may(Right.REVIEW):
        raise NotFound("review.reviewer.unknown", "nobody of this name may decide cases")
    return Reviewer(operator.id, may(operator.role, Right.AUDIT))

"""What whoever supervises the desk does without being asked: bring a lead back that automation let go, hold one that it
would sell, and mark one as what a person found it to be.

Called by the page of a lead, the API and the commands. Each is for our own judgement alone: what the law stopped, who
opted out and who was forgotten stays stopped, and what is sold stays sold.
"""

from datetime import datetime

import msgspec

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, Conflict, Forbidden, Permanent
from leadmill.core.reasons import Reason, State, because, declare
from leadmill.flow.again import walk_again
from leadmill.flow.answering import owe_answer
from leadmill.flow.desk import DISMISSED
from leadmill.flow.feedback import heed_review
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadRow, LeadSettled, Settled
from leadmill.flow.reviewing import NOTE, case_events, told_label
from leadmill.flow.store import update_leads
from leadmill.identity.service import load_keys
from leadmill.review import (
    HOLDS,
    MARKS,
    OVERRIDES,
    Choice,
    Decision,
    Ground,
    Label,
    ReviewCase,
    may_hold,
    may_mark,
    may_override,
)
from leadmill.review.service import MOST_NOTE, Reviewer
from leadmill.review.store import add_cases, add_decision, lock_open_case
from leadmill.runtime.db import Tx

HELD = declare("flow.desk.held", "A person held it before it was sold: {why}", State.REVIEW)


async def override(tx: Tx, kit: Kit, lead_id: str, who: Reviewer, ground: str, note: str, now: datetime) -> Settled:
    """Bring a lead back that our own judgement rejected or put off: it goes on behind the station that stopped it, and
    the law is asked anew.

    Raises NotFound ``flow.lead.unknown``; Forbidden ``review.case.supervised`` for who does not supervise the desk and
    ``review.override.barred`` where the law, the person or a duplicate stopped it; BadInput
    ``review.decision.malformed`` for a ground that there is not or too long a note; Conflict ``review.case.taken``
    where the desk has the lead; Permanent ``flow.lead.forgotten``.
    """
    row = await _theirs(tx, kit, lead_id, who, ground, OVERRIDES, note)
    if not may_override(row.state.value, row.reason):
        raise Forbidden(
            "review.override.barred", "only what our own scores, signals and people decided can be overridden"
        )
    if not kit.pen.keys.has(row.person_id):
        raise Permanent("flow.lead.forgotten", "the person was forgotten; the lead can walk no further")
    one, decision = _case_of(kit, row, who, "approve", ground, note, now)
    label = await _heed(tx, kit, row, OVERRIDES[ground], now)
    events = case_events(one, [decision], now) + await told_label(tx, one, label, now)
    settled = await walk_again(tx, kit, lead_id, who.id, "overridden", now, events=events, anew=True)
    await _keep(tx, one, decision, settled.state, label)
    return settled


async def hold_lead(tx: Tx, kit: Kit, lead_id: str, who: Reviewer, ground: str, note: str, now: datetime) -> None:
    """Take a lead out of the market that has gone to nobody: it waits on the desk, and nothing sells it meanwhile.

    Raises as :func:`override` does; ``review.hold.barred`` where it is sold, over or on the desk already.
    """
    row = await _theirs(tx, kit, lead_id, who, ground, HOLDS, note)
    if not may_hold(row.state.value) or row.test:
        raise Forbidden("review.hold.barred", f"the lead is {row.state.value}; only what can still be sold is held")
    one, decision = _case_of(kit, row, who, "hold", ground, note, now)
    await _settle(tx, kit, row, case_events(one, [decision], now), HELD, HOLDS[ground].says, now)
    await _keep(tx, one, decision, State.REVIEW, None)


async def mark_lead(tx: Tx, kit: Kit, lead_id: str, who: Reviewer, ground: str, note: str, now: datetime) -> State:
    """Mark a lead as what a person found it to be, whatever automation took it for: its marks and its number are spoken
    against as at a rejection. One that has gone to nobody is rejected with that; one that is sold stays sold, since who
    bought it has it. Where it stands then.

    Raises as :func:`override` does; ``review.mark.barred`` where it cannot be marked.
    """
    row = await _theirs(tx, kit, lead_id, who, ground, MARKS, note)
    if not may_mark(row.state.value) or row.test:
        raise Forbidden("review.mark.barred", f"the lead is {row.state.value}; it cannot be marked")
    one, decision = _case_of(kit, row, who, "reject", ground, note, now)
    label = await _heed(tx, kit, row, MARKS[ground], now)
    events = case_events(one, [decision], now) + await told_label(tx, one, label, now)
    state = row.state
    if may_hold(row.state.value):
        state = State.REJECTED
        await _settle(tx, kit, row, events, DISMISSED, MARKS[ground].says, now)
        owe_answer(tx, row.id, now, kit.mint)
    else:
        await kit.pen.append(tx, row.id, events, now)
    await _keep(tx, one, decision, state, label)
    return state


async def _theirs(
    tx: Tx, kit: Kit, lead_id: str, who: Reviewer, ground: str, grounds: dict[str, Ground], note: str
) -> LeadRow:
    """The lead, locked, for who may do such a thing and says why."""
    if not who.supervises:
        raise Forbidden("review.case.supervised", "only who supervises the desk may do this")
    if ground not in grounds:
        raise BadInput("review.decision.malformed", f"name why: {', '.join(grounds)}")
    if len(note) > MOST_NOTE:
        raise BadInput("review.decision.malformed", f"write at most {MOST_NOTE:,} characters")
    row = await kit.pen.lock(tx, lead_id)
    await load_keys(tx, kit.pen.vault, kit.pen.keys, [row.person_id])
    if await lock_open_case(tx, lead_id) is not None:
        raise Conflict("review.case.taken", "the lead has a case on the desk; decide that")
    return row


def _case_of(
    kit: Kit, row: LeadRow, who: Reviewer, choice: Choice, ground: str, note: str, now: datetime
) -> tuple[ReviewCase, Decision]:
    """What was decided unasked, as a case that is over with it."""
    one = ReviewCase(
        id=kit.mint("rev", now),
        lead_id=row.id,
        vertical=row.vertical,
        source_id=row.source_id,
        reason=row.reason or "",
        says="",
        rule="",
        citation="",
        score=row.score,
        worth=0,
        currency=row.currency or "USD",
        test=row.test,
        since=now,
        due_at=now,
        stage="closed",
        sampled=False,
        turn=1,
        decision=choice,
        ground=ground,
        decided_by=who.id,
        decided_at=now,
        closed_at=now,
        override=True,
    )
    sealed = kit.pen.sealer(row, NOTE) if note.strip() and kit.pen.keys.has(row.person_id) else None
    decision = Decision(
        id=kit.mint("rvd", now),
        case_id=one.id,
        lead_id=row.id,
        no=1,
        by=who.id,
        at=now,
        choice=choice,
        ground=ground,
        note=sealed(note.encode("utf-8", "replace")) if sealed is not None else None,
    )
    return one, decision


async def _heed(tx: Tx, kit: Kit, row: LeadRow, ground: Ground, now: datetime) -> Label | None:
    """Tell whoever learns what the ground says; a test teaches nothing."""
    label = None if row.test else ground.label
    if label is not None:
        await heed_review(tx, kit, row, label == "bad", ground, now)
    return label


async def _settle(tx: Tx, kit: Kit, row: LeadRow, events: list[Event], code: Reason, why: str, now: datetime) -> None:
    reason, state = because(code, why=why), code.state or State.REVIEW
    await kit.pen.append(tx, row.id, [*events, LeadSettled(at=now, state=state, because=reason)], now)
    await update_leads(tx, [msgspec.structs.replace(row, state=state, reason=reason.code)])


async def _keep(tx: Tx, one: ReviewCase, decision: Decision, state: State, label: Label | None) -> None:
    add_decision(tx, decision)
    await add_cases(tx, [msgspec.structs.replace(one, outcome=state.value, label=label)])

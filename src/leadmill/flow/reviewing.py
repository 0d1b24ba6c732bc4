"""The review desk on the walk: finds the leads that wait for a person, carries decisions out, and overrides.

Called by the worker, the console and the API. The leads that wait are the truth, cases are made from them: nothing on
the walk has to remember the desk. A decision is durable when it is given and is carried out by a job once it can be
taken back no more; the walk then asks the law anew (decision 0037).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound, Permanent
from leadmill.core.reasons import State, because
from leadmill.flow.again import walk_again
from leadmill.flow.answering import owe_answer
from leadmill.flow.desk import DISMISSED, NURTURED
from leadmill.flow.feedback import heed_review
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadRow, LeadSettled, Settled, StepTaken
from leadmill.flow.reactions import FORGOTTEN
from leadmill.flow.store import read_lead, read_leads, update_leads
from leadmill.identity.service import load_keys
from leadmill.review import (
    EVERY,
    GROUNDS,
    OVERRIDES,
    REJECTS,
    CaseDecided,
    Choice,
    Decision,
    LeadLabelled,
    ReviewCase,
    ReviewTerms,
    Wait,
    label_of,
    may_override,
)
from leadmill.review.service import Reviewer, close, close_gone, decide, open_cases
from leadmill.review.store import (
    add_cases,
    add_decision,
    count_cases,
    count_due,
    decisions_of,
    find_case,
    lock_case,
    lock_open_case,
    unopened,
    worth_of,
)
from leadmill.runtime import journal
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.telemetry import REVIEW_CASES, log

NOTE = "review note"
"""What a note is sealed for."""

LOOKS = timedelta(seconds=10)
"""How often the worker looks whether cases fell due."""
_MOST = 500
_FIRST_TRIES = 3


def terms_of(kit: Kit, vertical: str) -> ReviewTerms:
    """How the cases of a vertical are worked."""
    reviews = kit.walk().rules.reviews
    return reviews.get(vertical) or reviews.get(EVERY) or ReviewTerms()


async def gather_cases(tx: Tx, kit: Kit, now: datetime) -> int:
    """Open cases for leads that wait and have none, and close those whose leads wait no more; how many were opened.
    At most five hundred at a time."""
    await close_gone(tx, lambda _: "gone", now, _MOST)
    ids = await unopened(tx, _MOST)
    if not ids:
        return 0
    rows, pages = await read_leads(tx, ids), await journal.pages_of(tx, ids)
    worths: dict[tuple[str, str], int | None] = {}
    for row in rows.values():
        place = row.source_id, row.vertical
        if place not in worths:
            worths[place] = await worth_of(tx, *place) or _asked(kit, row.vertical)
    waits = [
        _wait(kit, row, [event for page in pages.get(row.id, []) for event in kit.pen.read_events(page)], worths)
        for row in rows.values()
        if row.state is State.REVIEW
    ]
    return len(await open_cases(tx, kit.mint, waits, lambda vertical: terms_of(kit, vertical), now))


def _asked(kit: Kit, vertical: str) -> int | None:
    """What the standing orders of a vertical pay, on average: all that is known before anything was sold."""
    prices = [
        price.amount
        for order in kit.walk().rules.orders.values()
        if order.vertical == vertical and not order.retired and (price := order.price or order.shared_price) is not None
    ]
    return sum(prices) // len(prices) if prices else None


def _wait(kit: Kit, row: LeadRow, events: Sequence[Event], worths: dict[tuple[str, str], int | None]) -> Wait:
    """Why and since when a lead waits, by its journal."""
    settled = next((event for event in reversed(events) if isinstance(event, LeadSettled)), None)
    held = next((event for event in reversed(events) if isinstance(event, StepTaken) and event.verdict != "pass"), None)
    rule = held.rules[0] if held is not None and held.rules else None
    vertical = kit.walk().rules.verticals.get(row.vertical)
    return Wait(
        lead_id=row.id,
        vertical=row.vertical,
        source_id=row.source_id,
        reason=row.reason or "",
        since=settled.at if settled is not None else row.received_at,
        says=settled.because.message if settled is not None and settled.because is not None else "",
        rule=rule.id if rule is not None else "",
        citation=rule.citation if rule is not None else "",
        score=row.score,
        worth=worths[row.source_id, row.vertical],
        currency=vertical.currency if vertical is not None else "USD",
        test=row.test,
    )


async def tell_overdue(tx: Tx, now: datetime) -> tuple[int, int]:
    """Show how many cases wait and are overdue in the metrics, and say in the log that some fell due since the last
    look."""
    waiting, overdue = await count_cases(tx, now)
    REVIEW_CASES.labels("waiting").set(waiting)
    REVIEW_CASES.labels("overdue").set(overdue)
    fresh = await count_due(tx, now - LOOKS, now)
    if fresh:
        log("review").warning("cases fell due", fresh=fresh, overdue=overdue, waiting=waiting)
    return waiting, overdue


async def decide_case(
    tx: Tx, kit: Kit, case_id: str, turn: int, who: Reviewer, choice: str, ground: str, note: str, now: datetime
) -> ReviewCase:
    """Decide a case; see :func:`leadmill.review.service.decide`. What is noted is sealed with the person's key."""
    one = await find_case(tx, case_id)
    row = await read_lead(tx, one.lead_id) if one is not None else None
    if row is None:
        raise NotFound("review.case.unknown", "there is no such case")
    await load_keys(tx, kit.pen.vault, kit.pen.keys, [row.person_id])
    seal = kit.pen.sealer(row, NOTE) if kit.pen.keys.has(row.person_id) else None
    return await decide(
        tx, kit.mint, case_id, turn, who, choice, ground, note, seal, lambda vertical: terms_of(kit, vertical), now
    )


def carry_decision(kit: Kit) -> Handler:
    """The handler of :data:`~leadmill.review.CARRY` jobs. What breaks on the walk time and again leaves the lead
    waiting for a person, with the fault as the reason."""

    async def handle(job: Job) -> None:
        owed = job.read(dict[str, str | int])
        case_id, turn, lead_id = str(owed["case_id"]), int(owed["turn"]), job.subject or ""
        try:
            async with kit.db.begin() as tx:
                await _carry(tx, kit, lead_id, case_id, turn)
        except Exception as fault:
            if job.attempts < _FIRST_TRIES:
                raise
            async with kit.db.begin() as tx:
                await _carry(tx, kit, lead_id, case_id, turn, broken=fault)

    return handle


async def _carry(tx: Tx, kit: Kit, lead_id: str, case_id: str, turn: int, broken: BaseException | None = None) -> None:
    """Carry a decision out, unless it was taken back or has been carried out."""
    row = await kit.pen.lock(tx, lead_id)
    one = await lock_case(tx, case_id)
    if one is None or one.stage != "decided" or one.turn != turn:
        return
    now = kit.clock()
    if row.state is not State.REVIEW:
        await close(tx, one, row.state.value, now)
        return
    label = None if row.test else label_of(one.decision or "", one.ground or "")
    events = _events(one, await decisions_of(tx, case_id), label, now)
    ground = one.ground or ""
    if label is not None:
        await heed_review(tx, kit, row, case_id, label == "bad", GROUNDS[ground] if ground else None, now)
    settled = await _settle(tx, kit, row, one, events, now, broken)
    await close(tx, one, settled.value, now, label)


async def _settle(
    tx: Tx,
    kit: Kit,
    row: LeadRow,
    one: ReviewCase,
    events: Sequence[Event],
    now: datetime,
    broken: BaseException | None,
) -> State:
    """Do to a locked lead what was decided; where it stands then."""
    by, ground = one.decided_by or "", one.ground or ""
    if one.decision == "approve" and kit.pen.keys.has(row.person_id):
        done = await walk_again(
            tx, kit, row.id, by, "released from review", now, events=events, broken=broken, anew=True
        )
        return done.state
    if one.decision == "approve":
        reason = because(FORGOTTEN)
    elif one.decision == "nurture":
        reason = because(NURTURED)
    else:
        reason = because(DISMISSED, why=REJECTS[ground].says if ground else "no reason given")
    state = reason.reason.state or State.REJECTED
    await kit.pen.append(tx, row.id, [*events, LeadSettled(at=now, state=state, because=reason)], now)
    await update_leads(tx, [msgspec.structs.replace(row, state=state, reason=reason.code)])
    owe_answer(tx, row.id, now, kit.mint)
    return state


def _events(one: ReviewCase, decisions: Sequence[Decision], label: str | None, now: datetime) -> list[Event]:
    """Everything that was decided about a case, for the lead's journal. It is told only now, so that a second
    decision is blind to the first."""
    events: list[Event] = [
        CaseDecided(
            at=now,
            case_id=one.id,
            by=each.by,
            decided_at=each.at,
            choice=each.choice,
            ground=each.ground,
            note=each.note,
            no=each.no,
            undone=each.undone_at is not None,
            override=one.override,
        )
        for each in decisions
    ]
    if label is not None:
        events.append(LeadLabelled(at=now, label=label, source="review", ground=one.ground or ""))
    return events


async def override(tx: Tx, kit: Kit, lead_id: str, who: Reviewer, ground: str, note: str, now: datetime) -> Settled:
    """Bring a lead back that our own judgement rejected or put off: it goes on behind the station that stopped it, and
    the law is asked anew.

    Raises NotFound ``flow.lead.unknown``; Forbidden ``review.case.supervised`` for who does not supervise the desk and
    ``review.override.barred`` where the law, the person or a duplicate stopped it; BadInput
    ``review.decision.malformed`` for a ground that there is not; Permanent ``flow.lead.forgotten``.
    """
    if not who.supervises:
        raise Forbidden("review.case.supervised", "only who supervises the desk may do this")
    if ground not in OVERRIDES:
        raise BadInput("review.decision.malformed", f"name why: {', '.join(OVERRIDES)}")
    row = await kit.pen.lock(tx, lead_id)
    if not may_override(row.state.value, row.reason):
        raise Forbidden(
            "review.override.barred", "only what our own scores, signals and people decided can be overridden"
        )
    if not kit.pen.keys.has(row.person_id):
        raise Permanent("flow.lead.forgotten", "the person was forgotten; the lead can walk no further")
    if await lock_open_case(tx, lead_id) is not None:
        raise Conflict("review.case.taken", "the lead has a case on the desk; decide that")
    choice: Choice = "approve"
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
    decision = Decision(
        id=kit.mint("rvd", now),
        case_id=one.id,
        lead_id=row.id,
        no=1,
        by=who.id,
        at=now,
        choice=choice,
        ground=ground,
        note=kit.pen.sealer(row, NOTE)(note[:2_000].encode("utf-8", "replace")) if note.strip() else None,
    )
    label = None if row.test else label_of(choice, ground)
    if label is not None:
        await heed_review(tx, kit, row, one.id, False, OVERRIDES[ground], now)
    settled = await walk_again(
        tx, kit, lead_id, who.id, "overridden", now, events=_events(one, [decision], label, now), anew=True
    )
    add_decision(tx, decision)
    await add_cases(tx, [msgspec.structs.replace(one, outcome=settled.state.value, label=label)])
    return settled

"""The review desk on the walk: finds the leads that wait for a person, and carries decisions out.

Called by the worker, the console, the API and the commands. The leads that wait are the truth, cases are made from
them: nothing on the walk has to remember the desk. A decision is durable when it is given and is carried out by a job
once it can be taken back no more; the walk then asks the law anew (decision 0037).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from leadmill.core.events import Event
from leadmill.core.faults import NotFound
from leadmill.core.reasons import State, because
from leadmill.flow.again import walk_again
from leadmill.flow.answering import owe_answer
from leadmill.flow.desk import DISMISSED, NURTURED
from leadmill.flow.feedback import heed_review
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadRow, LeadSettled, StepTaken
from leadmill.flow.reactions import FORGOTTEN
from leadmill.flow.store import read_lead, read_leads, update_leads
from leadmill.identity.service import load_keys
from leadmill.review import (
    EVERY,
    GROUNDS,
    REJECTS,
    CaseDecided,
    Decision,
    Label,
    LeadLabelled,
    ReviewCase,
    ReviewTerms,
    Wait,
    label_of,
)
from leadmill.review.service import Reviewer, close, decide, drop, open_cases
from leadmill.review.store import (
    cases_of,
    decisions_of,
    find_case,
    gone,
    lock_case,
    unopened,
    worth_of,
)
from leadmill.runtime import journal
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job

NOTE = "review note"
"""What a note is sealed for."""

_MOST = 500
_OWED = timedelta(minutes=5)
"""How long the job that carries a decision out has before a case whose lead waits no more is closed without it."""
_FIRST_TRIES = 3


def terms_of(kit: Kit, vertical: str) -> ReviewTerms:
    """How the cases of a vertical are worked."""
    reviews = kit.walk().rules.reviews
    return reviews.get(vertical) or reviews.get(EVERY) or ReviewTerms()


async def gather_cases(tx: Tx, kit: Kit, now: datetime) -> int:
    """Open cases for leads that wait and have none, and close those whose leads wait no more; how many were opened.
    At most five hundred at a time."""
    await _close_gone(tx, kit, now)
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
        for _, row in sorted(rows.items())  # whoever gathers beside us writes them in this order as well
        if row.state is State.REVIEW
    ]
    return len(await open_cases(tx, kit.mint, waits, lambda vertical: terms_of(kit, vertical), now))


async def _close_gone(tx: Tx, kit: Kit, now: datetime) -> None:
    """Close the cases whose leads wait no more, since somebody opted out. What was decided of them goes to the journal:
    it is carried out no more."""
    for each in await gone(tx, now - _OWED, _MOST):
        # In the order of those who carry decisions out: the lead, its case, and leads by their ids.
        row = await kit.pen.lock(tx, each.lead_id) if each.decided else None
        one = await lock_case(tx, each.id)
        if one is not None and one.stage != "closed" and (row is None or row.state is not State.REVIEW):
            await _drop(tx, kit, one, row.state.value if row is not None else each.state, now)


async def _drop(tx: Tx, kit: Kit, one: ReviewCase, outcome: str, now: datetime) -> None:
    events = case_events(one, await decisions_of(tx, one.id), now)
    if events:
        await kit.pen.append(tx, one.lead_id, events, now)
    await drop(tx, one, outcome, now)


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
    waits = held is not None and held.because is not None and held.because.code == row.reason
    rule = held.rules[0] if held is not None and waits and held.rules else None
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
        await _drop(tx, kit, one, row.state.value, now)
        return
    label = None if row.test else label_of(one.decision or "", one.ground or "")
    ground = one.ground or ""
    events = case_events(one, await decisions_of(tx, case_id), now)
    events += await told_label(tx, one, label, now)
    if label is not None:
        await heed_review(tx, kit, row, label == "bad", GROUNDS[ground] if ground else None, now)
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


async def told_label(tx: Tx, one: ReviewCase, label: Label | None, now: datetime) -> list[Event]:
    """What the journal is told of a lead's quality with a decision that is carried out: it takes the place of what an
    earlier one said, also where it says nothing itself."""
    earlier = next((each.label for each in await cases_of(tx, one.lead_id) if _carried(each, one)), None)
    if label is None and earlier is None:
        return []
    return [LeadLabelled(at=now, label=label or "", source="review", ground=one.ground or "")]


def _carried(each: ReviewCase, but: ReviewCase) -> bool:
    return each.closed_at is not None and each.decision not in (None, "hold") and each.id != but.id


def case_events(one: ReviewCase, decisions: Sequence[Decision], now: datetime) -> list[Event]:
    """Everything that was decided about a case, for the lead's journal. It is told only now, so that a second
    decision is blind to the first."""
    return [
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

"""The verbs of the desk: open, take, renew, hand over, assign, unlock, snooze, decide, undo, close.

Called by ``flow``, which finds the leads that wait and carries decisions out, and by the pages. Each verb locks its
case, so of two people the second sees what the first did. Whoever holds a case names the ``turn`` in which they got
it: a page that is older is told so, and decides nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound
from leadmill.core.ids import Mint
from leadmill.review import store
from leadmill.review.model import (
    CARRY,
    CHOICES,
    REJECTS,
    Choice,
    Decision,
    Label,
    ReviewCase,
    ReviewTerms,
    Wait,
)
from leadmill.review.rules import due_at, ground_fits, is_sampled, may_take, next_stage
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import enqueue

MOST_NOTE = 2_000
"""Characters of a note."""
LONGEST_SNOOZE = timedelta(days=7)

TermsOf = Callable[[str], ReviewTerms]
"""The terms of a vertical."""


class Reviewer(Struct, frozen=True):
    """Who sits at the desk; ``supervises`` says that they may unlock, decide for the third time and override."""

    id: str
    supervises: bool = False


async def open_cases(tx: Tx, mint: Mint, waits: Sequence[Wait], terms_of: TermsOf, now: datetime) -> list[ReviewCase]:
    """Open a case for each lead that waits; one that has a case keeps it."""
    cases = []
    for one in waits:
        terms, case_id = terms_of(one.vertical), mint("rev", now)
        cases.append(
            ReviewCase(
                id=case_id,
                lead_id=one.lead_id,
                vertical=one.vertical,
                source_id=one.source_id,
                reason=one.reason,
                says=one.says,
                rule=one.rule,
                citation=one.citation,
                score=one.score,
                worth=one.worth or 0,
                currency=one.currency,
                test=one.test,
                since=one.since,
                due_at=due_at(terms, one.reason, one.since),
                stage="open",
                sampled=is_sampled(case_id, terms.second_share),
                turn=0,
            )
        )
    await store.add_cases(tx, cases)
    return cases


async def take_next(
    tx: Tx, who: Reviewer, terms_of: TermsOf, now: datetime, vertical: str = "", reason: str = ""
) -> ReviewCase | None:
    """Take the most urgent case that nobody has; None where there is none. Two who ask at once get two cases."""
    one = await store.lock_next(tx, who.id, who.supervises, now, vertical, reason)
    return await _given(tx, one, who.id, terms_of, now) if one is not None else None


async def take(tx: Tx, case_id: str, who: Reviewer, terms_of: TermsOf, now: datetime) -> ReviewCase:
    """Take this case. Raises NotFound ``review.case.unknown``, Conflict ``review.case.taken`` where another has it,
    ``review.case.over`` where it was decided, and Forbidden ``review.case.barred`` for who may not decide it."""
    one = await _waiting(tx, case_id)
    if one.held(now) not in (None, who.id):
        raise Conflict("review.case.taken", "somebody else has this case now")
    if not may_take(one, who.id, who.supervises):
        raise Forbidden("review.case.barred", "a second look is somebody else's, a third one a supervisor's")
    return await _given(tx, one, who.id, terms_of, now)


async def renew(tx: Tx, case_id: str, turn: int, who: Reviewer, terms_of: TermsOf, now: datetime) -> ReviewCase:
    """Keep a case for longer. Raises as :func:`decide` does."""
    one = await _mine(tx, case_id, turn, who)
    one = replace(one, held_until=_until(one, terms_of, now))
    await store.save_case(tx, one)
    return one


async def release(tx: Tx, case_id: str, turn: int, who: Reviewer) -> ReviewCase:
    """Put a case back. Raises as :func:`decide` does."""
    return await _left(tx, await _mine(tx, case_id, turn, who))


async def hand_over(
    tx: Tx, case_id: str, turn: int, who: Reviewer, to: Reviewer, terms_of: TermsOf, now: datetime
) -> ReviewCase:
    """Give a case one holds to somebody else, who has it from now on. Raises as :func:`decide` does, and Forbidden
    ``review.case.barred`` where they may not decide it."""
    one = await _mine(tx, case_id, turn, who)
    if not may_take(one, to.id, to.supervises):
        raise Forbidden("review.case.barred", "they may not decide this case")
    return await _given(tx, one, to.id, terms_of, now)


async def assign(tx: Tx, case_id: str, who: Reviewer, to: Reviewer, terms_of: TermsOf, now: datetime) -> ReviewCase:
    """Give a case that waits to somebody, whoever has it: they have it until it is due, and for as long as a case is
    anybody's at the least. Raises NotFound ``review.case.unknown``, Conflict ``review.case.over``, Forbidden
    ``review.case.supervised`` for who does not supervise and ``review.case.barred`` where they may not decide it."""
    if not who.supervises:
        raise Forbidden("review.case.supervised", "only who supervises the desk may do this")
    one = await _waiting(tx, case_id)
    if not may_take(one, to.id, to.supervises):
        raise Forbidden("review.case.barred", "they may not decide this case")
    one = await _given(tx, one, to.id, terms_of, now)
    one = replace(one, held_until=max(one.due_at, _until(one, terms_of, now)))
    await store.save_case(tx, one)
    return one


async def unlock(tx: Tx, case_id: str, who: Reviewer) -> ReviewCase:
    """Take a case from whoever holds it and put it back. Raises Forbidden ``review.case.supervised``."""
    if not who.supervises:
        raise Forbidden("review.case.supervised", "only who supervises the desk may do this")
    return await _left(tx, await _waiting(tx, case_id))


async def snooze(tx: Tx, case_id: str, turn: int, who: Reviewer, until: datetime, now: datetime) -> ReviewCase:
    """Put a case back until a moment, at most a week away; its clock runs on. Raises as :func:`decide` does."""
    one = await _mine(tx, case_id, turn, who)
    return await _left(tx, replace(one, snoozed_until=min(until, now + LONGEST_SNOOZE)))


async def decide(
    tx: Tx,
    mint: Mint,
    case_id: str,
    turn: int,
    who: Reviewer,
    choice: str,
    ground: str,
    note: str,
    seal: Callable[[bytes], bytes] | None,
    terms_of: TermsOf,
    now: datetime,
) -> ReviewCase:
    """Decide a case one holds. Where two are to look at it, it waits for the second, or after a disagreement for a
    third; else a job carries it out once it can be taken back no more. ``seal`` closes the note with the person's key,
    None where they were forgotten.

    Raises NotFound ``review.case.unknown``; Conflict ``review.case.stale`` where it is another's turn by now and
    ``review.case.over`` where it was decided; BadInput ``review.decision.malformed`` for a choice or a ground that
    there is not, and where a ground asks for words and there are none.
    """
    _check(choice, ground, note)
    one = await _mine(tx, case_id, turn, who)
    earlier = await store.decisions_of(tx, case_id)
    standing = [each for each in earlier if each.undone_at is None]
    stage = next_stage(one, choice, standing[0].choice if standing else None)
    store.add_decision(
        tx,
        Decision(
            id=mint("rvd", now),
            case_id=one.id,
            lead_id=one.lead_id,
            no=len(earlier) + 1,
            by=who.id,
            at=now,
            choice=cast(Choice, choice),
            ground=ground,
            note=seal(note.encode("utf-8", "replace")) if seal is not None and note.strip() else None,
        ),
    )
    fresh = replace(one, stage=stage, turn=one.turn + 1, holder=None, held_until=None, snoozed_until=None)
    if one.stage == "open":
        fresh = replace(fresh, first_by=who.id)
    elif one.stage == "second":
        fresh = replace(fresh, second_by=who.id)
    if stage == "decided":
        carry_at = now + timedelta(seconds=terms_of(one.vertical).undo_seconds)
        fresh = replace(
            fresh,
            decision=cast(Choice, choice),
            ground=ground,
            decided_by=who.id,
            decided_at=now,
            carry_at=carry_at,
        )
        owe_carrying(tx, mint, fresh, carry_at, now)
    await store.save_case(tx, fresh)
    return fresh


def owe_carrying(tx: Tx, mint: Mint, one: ReviewCase, at: datetime, now: datetime) -> None:
    """Owe the job that carries a decision out."""
    payload = {"case_id": one.id, "turn": one.turn}
    enqueue(tx, CARRY, one.lead_id, payload, at, now, mint, dedupe=f"{CARRY}:{one.id}:{one.turn}")


async def undo(tx: Tx, case_id: str, who: Reviewer, terms_of: TermsOf, now: datetime) -> ReviewCase:
    """Take one's latest decision back and have the case again: until it is carried out, until another looks, and not
    where it was found to differ from the first.

    Raises NotFound ``review.case.unknown`` and Conflict ``review.decision.kept`` where it is too late.
    """
    one = await store.lock_case(tx, case_id)
    if one is None:
        raise NotFound("review.case.unknown", "there is no such case")
    standing = [each for each in await store.decisions_of(tx, case_id) if each.undone_at is None]
    # Of two who disagree the second has learned so by now: to take it back would make it no blind look any more.
    late = one.stage in ("open", "third", "closed") or one.held(now) is not None
    late = late or not standing or standing[-1].by != who.id
    if late or (one.carry_at is not None and one.carry_at <= now):
        raise Conflict("review.decision.kept", "it is too late to take this decision back")
    await store.undo_decision(tx, standing[-1].id, now)
    one = replace(one, decision=None, ground=None, decided_by=None, decided_at=None, carry_at=None)
    if len(standing) > 2:
        one = replace(one, stage="third")
    elif len(standing) == 2:
        one = replace(one, stage="second", second_by=None)
    else:
        one = replace(one, stage="open", first_by=None)
    return await _given(tx, one, who.id, terms_of, now)


async def close(tx: Tx, one: ReviewCase, outcome: str, now: datetime, label: Label | None = None) -> ReviewCase:
    """End a locked case: where its lead stands now, and what was learned of it."""
    done = replace(
        one, stage="closed", closed_at=now, outcome=outcome, label=label, holder=None, held_until=None, carry_at=None
    )
    await store.save_case(tx, done)
    return done


async def drop(tx: Tx, one: ReviewCase, outcome: str, now: datetime) -> ReviewCase:
    """End a locked case whose lead waits no more: what was decided is carried out no more."""
    one = replace(one, decision=None, ground=None, decided_by=None, decided_at=None)
    return await close(tx, one, outcome, now)


def _check(choice: str, ground: str, note: str) -> None:
    if choice not in CHOICES:
        raise BadInput("review.decision.malformed", f"decide one of {', '.join(CHOICES)}")
    if not ground_fits(choice, ground, REJECTS):
        says = f"name why: {', '.join(REJECTS)}" if choice == "reject" else "a ground is for rejections"
        raise BadInput("review.decision.malformed", says)
    if len(note) > MOST_NOTE:
        raise BadInput("review.decision.malformed", f"write at most {MOST_NOTE:,} characters")
    if ground == "other" and not note.strip():
        raise BadInput("review.decision.malformed", "another reason needs words")


async def _waiting(tx: Tx, case_id: str) -> ReviewCase:
    one = await store.lock_case(tx, case_id)
    if one is None:
        raise NotFound("review.case.unknown", "there is no such case")
    if one.stage in ("decided", "closed"):
        raise Conflict("review.case.over", "this case was decided; somebody was quicker")
    return one


async def _mine(tx: Tx, case_id: str, turn: int, who: Reviewer) -> ReviewCase:
    """The case, locked, in the turn in which this person got it. A lock that ran out is good until another takes it."""
    one = await _waiting(tx, case_id)
    if one.holder != who.id or one.turn != turn:
        raise Conflict("review.case.stale", "this page is old: somebody else has the case, or had it; load it again")
    return one


async def _given(tx: Tx, one: ReviewCase, who: str, terms_of: TermsOf, now: datetime) -> ReviewCase:
    mine = one.held(now) == who
    until = _until(one if mine else replace(one, held_until=None), terms_of, now)
    one = replace(one, holder=who, held_until=until, turn=one.turn if mine else one.turn + 1, snoozed_until=None)
    await store.save_case(tx, one)
    return one


def _until(one: ReviewCase, terms_of: TermsOf, now: datetime) -> datetime:
    """How long somebody has a case from now on; what was longer before stays."""
    until = now + timedelta(minutes=terms_of(one.vertical).lock_minutes)
    return max(until, one.held_until) if one.held_until is not None else until


async def _left(tx: Tx, one: ReviewCase) -> ReviewCase:
    one = replace(one, holder=None, held_until=None, turn=one.turn + 1)
    await store.save_case(tx, one)
    return one

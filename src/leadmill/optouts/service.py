"""The verbs of opting out: hear an opt-out, decide about a doubtful one, owe and settle notices.

Called by ``flow``, which finds whose opt-out it is and carries it out. What is heard here counts from the commit on:
whoever hands over a lead or sends a message asks for suppressions in the transaction that claims the attempt.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from leadmill.core.events import Event
from leadmill.core.faults import NotFound
from leadmill.core.ids import Mint
from leadmill.optouts import store
from leadmill.optouts.model import (
    ENFORCE,
    TELL,
    Heard,
    Matter,
    Notice,
    OptOut,
    OptOutAcknowledged,
    OptOutDecided,
    OptOutTold,
    Saying,
    Way,
)
from leadmill.policy import Suppression, find_suppressed, lift_suppressions, say_again, suppress
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import enqueue
from leadmill.runtime.telemetry import OPT_OUTS


async def hear_opt_outs(
    tx: Tx, mint: Mint, sayings: Sequence[Saying], now: datetime, waits: timedelta = timedelta()
) -> list[Heard]:
    """Suppress what is said for good, all in one statement, and owe that what is under way is stopped, by a job that
    waits so long where whoever calls stops it at once. The same again changes nothing; clear words after doubtful ones
    settle the doubt."""
    entries = [
        Suppression(one.hash, one.kind, said.at, said.channel, said.opt_out_id)
        for said in sayings
        for one in said.contacts
    ]
    fresh = await suppress(tx, entries)
    await say_again(tx, [entry for entry in entries if entry.hash not in fresh])
    stand = await find_suppressed(tx, {entry.hash for entry in entries})
    return [await _hear(tx, mint, said, fresh, stand, now, waits) for said in sayings]


async def _hear(
    tx: Tx,
    mint: Mint,
    said: Saying,
    fresh: set[bytes],
    stand: Mapping[bytes, Suppression],
    now: datetime,
    waits: timedelta,
) -> Heard:
    by = [stand[one.hash] for one in said.contacts]
    mine = [each for each in by if each.hash in fresh and each.opt_out_id == said.opt_out_id]
    if not mine:
        if not said.doubtful:
            for known in sorted({each.opt_out_id for each in by if each.opt_out_id}):
                if await store.decide(tx, known, "stands", said.by, now) is not None:
                    _owe_enforcing(tx, mint, known, now)
        first = min(by, key=lambda each: each.at)
        tx.after(OPT_OUTS.labels(said.channel, "repeated").inc)
        return Heard(first.opt_out_id, False, first.at)
    store.add_opt_out(
        tx,
        OptOut(
            id=said.opt_out_id,
            at=said.at,
            received_at=now,
            channel=said.channel,
            scope=said.scope,
            state="review" if said.doubtful else "stands",
            by=said.by,
            entries=len(mine),
            person_id=said.person_id,
            lead_id=said.lead_id,
            verdict=said.verdict,
            words=said.words,
        ),
    )
    _owe_enforcing(tx, mint, said.opt_out_id, now, waits)
    tx.after(OPT_OUTS.labels(said.channel, "doubtful" if said.doubtful else "recorded").inc)
    return Heard(said.opt_out_id, True, said.at, len(mine))


def _owe_enforcing(tx: Tx, mint: Mint, opt_out_id: str, now: datetime, waits: timedelta = timedelta()) -> None:
    enqueue(tx, ENFORCE, opt_out_id, {"opt_out_id": opt_out_id}, now + waits, now, mint)


async def decide_doubt(tx: Tx, mint: Mint, opt_out_id: str, stands: bool, who: str, now: datetime) -> OptOutDecided:
    """Say of a doubtful reply whether it was an opt-out. One that was none is lifted: what it suppressed may be
    contacted again; what was stopped meanwhile stays stopped. Raises NotFound ``optouts.doubt.unknown``."""
    decided = await store.decide(tx, opt_out_id, "stands" if stands else "lifted", who, now)
    if decided is None:
        raise NotFound("optouts.doubt.unknown", "there is no such opt-out that waits for a person")
    if stands:
        _owe_enforcing(tx, mint, opt_out_id, now)
    else:
        await lift_suppressions(tx, opt_out_id)
    return OptOutDecided(at=now, opt_out_id=opt_out_id, by=who, decision=decided.state)


async def owe_notices(
    tx: Tx,
    mint: Mint,
    cause_id: str,
    lead_id: str,
    owed: Sequence[tuple[str, str, Way]],
    now: datetime,
    matter: Matter = "opted_out",
    fields: Sequence[str] = (),
) -> list[Notice]:
    """Owe telling recipients, triples of a sale, its recipient and the way it is reached; those that are new.
    ``cause_id`` is the opt-out or the request they are told of, ``fields`` what was corrected."""
    notices = [
        Notice(
            id=mint("ntc", now),
            opt_out_id=cause_id,
            sale_id=sale_id,
            lead_id=lead_id,
            recipient=recipient,
            way=way,
            state="owed",
            tells=0,
            created_at=now,
            matter=matter,
            fields=list(fields) or None,
        )
        for sale_id, recipient, way in owed
    ]
    fresh = await store.owe_notices(tx, notices, now)
    for notice in fresh:
        if notice.way != "portal":
            put_telling(tx, mint, notice.id, 1, now, now)
    return fresh


def put_telling(tx: Tx, mint: Mint, notice_id: str, no: int, run_at: datetime, now: datetime) -> None:
    """Owe the telling ``no``; asking twice owes it once."""
    enqueue(tx, TELL, notice_id, {"notice_id": notice_id}, run_at, now, mint, dedupe=f"{TELL}:{notice_id}:{no}")


async def settle_telling(
    tx: Tx,
    notice: Notice,
    now: datetime,
    *,
    code: str | None = None,
    given_up: bool = False,
    acknowledged: bool = False,
) -> list[Event]:
    """Record how a telling ended: it arrived where there is no ``code``. The events of the lead."""
    common = _common(notice, now)
    if code is not None:
        await store.note_told(tx, notice.id, "failed" if given_up else notice.state, code, None, more=0)
        return []
    told = await store.note_told(tx, notice.id, "told", None, now)
    if told is None:
        return []
    events: list[Event] = [OptOutTold(**common, way=notice.way, tells=told.tells)]
    if acknowledged and await store.note_acknowledged(tx, notice.id, now) is not None:
        events.append(OptOutAcknowledged(**common))
    return events


async def acknowledge_notice(tx: Tx, notice: Notice, now: datetime) -> list[Event]:
    """Record that a recipient will not contact the person any more; no event where it had said so before."""
    if await store.note_acknowledged(tx, notice.id, now) is None:
        return []
    return [OptOutAcknowledged(**_common(notice, now))]


def _common(notice: Notice, now: datetime) -> dict[str, Any]:
    return {
        "at": now,
        "notice_id": notice.id,
        "opt_out_id": notice.opt_out_id,
        "recipient": notice.recipient,
        "matter": notice.matter,
    }

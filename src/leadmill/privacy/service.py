"""The verbs of requests: receive, confirm, extend, begin, settle, deny, appeal, decide an appeal, lapse.

Called by ``flow``, which finds whose request it is and carries it out, inside its transactions. Each verb locks the
request, changes it, writes down what happened, and gives the event for the request's journal. What somebody wrote is
sealed with the request's own key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound
from leadmill.core.ids import Mint
from leadmill.policy import Deadlines
from leadmill.privacy import store
from leadmill.privacy.model import (
    FULFIL,
    GROUNDS,
    LAPSE,
    LEVELS,
    WRITE,
    Channel,
    DeletionCertificate,
    Entry,
    Kind,
    Level,
    Outcome,
    PrivacyRequest,
    RequestMoved,
    RequestReceived,
    Sheet,
    State,
    Statement,
)
from leadmill.privacy.rules import LINK_HOLDS, clocks_of, next_due, step_of, suffices
from leadmill.privacy.sealing import sealed_answer
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import enqueue
from leadmill.runtime.vault import Vault

MOST_WORDS = 4_000
"""Characters of a note, a reason or the person's own words."""


class Asked(Struct, frozen=True, kw_only=True):
    """A request about to be received. ``email`` and ``phone`` are keyed hashes; ``told`` is None where nothing is to be
    kept but these."""

    kind: Kind
    channel: Channel
    by: str
    home: str = ""
    email: bytes | None = None
    phone: bytes | None = None
    told: Statement | None = None
    agent: bool = False
    received_at: datetime | None = None


class Moved(Struct, frozen=True):
    """A request as it is now, and what happened for its journal."""

    request: PrivacyRequest
    event: RequestMoved


async def receive(
    tx: Tx, vault: Vault, mint: Mint, deadlines: Deadlines, packs: str, asked: Asked, now: datetime
) -> tuple[PrivacyRequest, list[Event]]:
    """Write a request down and start its clocks, which run from its receipt, however long it takes to see who asks
    (11 CCR 7021(b)); the events for its journal. One that needs no proof of who asks is carried out by the caller in
    this very transaction, and answered with it."""
    received = min(asked.received_at or now, now)
    clocks = clocks_of(deadlines, asked.kind, asked.home, received)
    free = suffices(asked.kind, "none")
    request_id = mint("prv", now)
    wrapped, sealed = None, None
    if asked.told is not None:
        key, wrapped = vault.new_key()
        sealed = vault.seal(key, msgspec.msgpack.encode(asked.told), f"{request_id} told")
    one = PrivacyRequest(
        id=request_id,
        kind=asked.kind,
        channel=asked.channel,
        by=asked.by,
        home=asked.home,
        state="answered" if free else "unconfirmed",
        level="none",
        agent=asked.agent,
        received_at=received,
        confirm_due_at=clocks.confirm.until,
        answer_due_at=clocks.answer.until,
        rule=clocks.answer.rule,
        citation=clocks.answer.citation,
        packs=packs,
        email=asked.email,
        phone=asked.phone,
        wrapped_key=wrapped,
        sealed=sealed,
        # Who asks on a page reads there that it has come, and how it goes on.
        acknowledged_at=now if asked.channel == "web" else None,
    )
    events: list[Event] = [RequestReceived(at=now, kind=one.kind, channel=one.channel, home=one.home)]
    if free:
        one = msgspec.structs.replace(one, outcome="fulfilled", acknowledged_at=now, decided_at=now, decided_by="house")
        events.append(RequestMoved(at=now, what="fulfilled", by="house", state="answered"))
    else:
        enqueue(tx, LAPSE, one.id, {"request_id": one.id}, now + LINK_HOLDS + timedelta(days=1), now, mint)
    one = msgspec.structs.replace(one, due_at=next_due(one))
    store.add_request(tx, one)
    await store.add_note(tx, one.id, now, asked.by, "received")
    if free:
        await store.add_note(tx, one.id, now, "house", "fulfilled")
    return one, events


async def confirm(
    tx: Tx, request_id: str, level: Level, points: int, person_id: str | None, by: str, now: datetime, vault: Vault,
    note: str = "",
) -> Moved:  # fmt: skip
    """Take down how sure one is of who asks, by a letter's link or by somebody's word (``note``: what they saw), and
    whose request it is. How sure one was is never taken back."""
    one = await _held(tx, request_id, "unconfirmed", "open", "appealed")
    kept = max(one.level, level, key=LEVELS.index)
    changed = msgspec.structs.replace(
        one,
        state="open" if one.state == "unconfirmed" else one.state,
        level=kept,
        points=max(one.points, points),
        person_id=person_id or one.person_id,
        confirmed_at=one.confirmed_at or now,
        acknowledged_at=one.acknowledged_at or now,
    )
    return await _moved(tx, changed, f"confirmed_{kept}", by, now, vault, note)


async def acknowledge(tx: Tx, request_id: str, by: str, now: datetime, vault: Vault) -> Moved | None:
    """Take down that the person was told that the request has come; None where that was so before."""
    one = await _held(tx, request_id)
    if one.acknowledged_at is not None:
        return None
    return await _moved(tx, msgspec.structs.replace(one, acknowledged_at=now), "acknowledged", by, now, vault)


async def extend(
    tx: Tx, vault: Vault, mint: Mint, deadlines: Deadlines, request_id: str, why: str, by: str, now: datetime
) -> Moved:
    """Take more time, once, by telling the person why before the first term ends.

    Raises Conflict ``privacy.request.extended`` for a second time and ``privacy.request.late`` after the term's end,
    Forbidden ``privacy.extension.none`` where the state allows none.
    """
    one = await _held(tx, request_id, "unconfirmed", "open", "appealed")
    if one.state == "appealed":
        return await _extend_appeal(tx, vault, mint, deadlines, one, why, by, now)
    if one.extended_at is not None:
        raise Conflict("privacy.request.extended", "a request is extended once, and this one was")
    if now >= one.answer_due_at:
        raise Conflict("privacy.request.late", "the term is over: answer it now")
    due = deadlines.due(step_of(one.kind), one.home, one.received_at, now)
    if due is None or due.until <= one.answer_due_at:
        raise Forbidden("privacy.extension.none", "the law that set this clock allows no extension")
    changed = msgspec.structs.replace(one, extended_at=now, answer_due_at=due.until)
    put_letter(tx, mint, one.id, "extended", now)
    return await _moved(tx, changed, "extended", by, now, vault, _reason(why))


async def _extend_appeal(
    tx: Tx, vault: Vault, mint: Mint, deadlines: Deadlines, one: PrivacyRequest, why: str, by: str, now: datetime
) -> Moved:
    first = deadlines.due("appeal", one.home, one.appealed_at or now)
    if first is None or one.appeal_due_at is None or one.appeal_due_at > first.until:
        raise Conflict("privacy.request.extended", "an appeal is extended once, and this one was")
    if now >= first.until:
        raise Conflict("privacy.request.late", "the term is over: decide it now")
    longer = deadlines.due("appeal", one.home, one.appealed_at or now, now)
    if longer is None or longer.until <= first.until:
        raise Forbidden("privacy.extension.none", "the law that set this clock allows no extension")
    put_letter(tx, mint, one.id, "extended", now)
    changed = msgspec.structs.replace(one, appeal_due_at=longer.until)
    return await _moved(tx, changed, "appeal_extended", by, now, vault, _reason(why))


async def begin(tx: Tx, vault: Vault, mint: Mint, request_id: str, by: str, now: datetime, note: str = "") -> Moved:
    """Have a request carried out by a job.

    Raises Forbidden ``privacy.level.insufficient`` where one is not sure enough of who asks.
    """
    one = await _held(tx, request_id, "open")
    if not suffices(one.kind, one.level):
        raise Forbidden("privacy.level.insufficient", "make sure first that it is the person who asks")
    enqueue(tx, FULFIL, one.id, {"request_id": one.id}, now, now, mint, dedupe=f"{FULFIL}:{one.id}")
    changed = msgspec.structs.replace(one, state="carrying", decided_by=by, ground=None)
    return await _moved(tx, changed, "begun", by, now, vault, note)


async def settle(
    tx: Tx,
    vault: Vault,
    mint: Mint,
    one: PrivacyRequest,
    now: datetime,
    *,
    outcome: Outcome = "fulfilled",
    answer: bytes | None = None,
    certificate: DeletionCertificate | None = None,
) -> Moved:
    """Take down that a locked request was carried out: with its answer, sealed, or the certificate of a deletion."""
    changed = msgspec.structs.replace(
        one,
        state="answered",
        outcome=outcome,
        decided_at=now,
        decided_by=one.decided_by or "house",
        acknowledged_at=one.acknowledged_at or now,
        answer=sealed_answer(vault, one, answer) if answer is not None else one.answer,
        certificate=msgspec.json.encode(certificate) if certificate is not None else one.certificate,
    )
    put_letter(tx, mint, one.id, "answered", now)
    moved = await _moved(tx, changed, outcome, changed.decided_by or "house", now, vault)
    if certificate is None:
        return moved
    return Moved(moved.request, msgspec.structs.replace(moved.event, digest=certificate.digest))


async def give_back(tx: Tx, vault: Vault, one: PrivacyRequest, code: str, now: datetime) -> Moved:
    """Give a locked request that could not be carried out back to whoever decides; ``code`` is the fault's."""
    return await _moved(tx, msgspec.structs.replace(one, state="open"), "failed", "house", now, vault, code)


async def note_letter(
    tx: Tx, request_id: str, sheet: Sheet, what: Literal["sent", "refused", "unsent"], now: datetime
) -> None:
    """Take down that the person was written to, or why not: the mail server refused it, or there is none."""
    await store.add_note(tx, request_id, now, "house", f"letter_{sheet}_{what}")


async def note_read(tx: Tx, request_id: str, notes: Sequence[Entry], who: str, now: datetime) -> None:
    """Take down that somebody was shown who asks: once an hour for each reader."""
    lately = (one for one in reversed(notes) if one.what == "read" and one.by == who)
    last = next(lately, None)
    if last is None or now - last.at >= timedelta(hours=1):
        await store.add_note(tx, request_id, now, who, "read")


async def deny(
    tx: Tx, vault: Vault, mint: Mint, request_id: str, ground: str, citation: str, why: str, by: str, now: datetime
) -> Moved:
    """Refuse a request: on which of :data:`~leadmill.privacy.GROUNDS`, where that is written (the ground's own citation
    where empty), and why, in words for the person."""
    one = await _held(tx, request_id, "unconfirmed", "open")
    if ground not in GROUNDS:
        raise BadInput("privacy.ground.unknown", f"name a ground to refuse it: {', '.join(GROUNDS)}")
    cited = citation.strip() or GROUNDS[ground].citation
    if len(cited) > 300:
        raise BadInput("privacy.ground.unknown", "cite the law in at most 300 characters")
    changed = msgspec.structs.replace(
        one,
        state="denied",
        outcome="denied",
        decided_at=now,
        decided_by=by,
        acknowledged_at=one.acknowledged_at or now,
        ground=ground,
        citation=cited,
    )
    put_letter(tx, mint, one.id, "denied", now)
    return await _moved(tx, changed, "denied", by, now, vault, _reason(why))


async def appeal(
    tx: Tx, vault: Vault, mint: Mint, deadlines: Deadlines, request_id: str, words: str, by: str, now: datetime
) -> Moved:
    """The person asks that a refusal be looked at once more, where the state gives that right; once.

    Raises Forbidden ``privacy.appeal.none`` where it does not.
    """
    one = await _held(tx, request_id, "denied")
    due = deadlines.due("appeal", one.home, now) if one.home else None
    if due is None:
        raise Forbidden("privacy.appeal.none", "the law of this state gives no appeal; complain to its authority")
    if one.appeal_decided_at is not None:
        raise Conflict("privacy.appeal.decided", "an appeal is decided once, and this one was")
    changed = msgspec.structs.replace(one, state="appealed", appealed_at=now, appeal_due_at=due.until)
    put_letter(tx, mint, one.id, "appealed", now)
    return await _moved(tx, changed, "appealed", by, now, vault, words[:MOST_WORDS])


async def decide_appeal(
    tx: Tx, vault: Vault, mint: Mint, request_id: str, granted: bool, why: str, by: str, now: datetime
) -> Moved:
    """Decide an appeal: granted, the request is open again and may be carried out; else it stays refused. Whoever
    refused it should be somebody else, which is for the house to see to."""
    one = await _held(tx, request_id, "appealed")
    changed = msgspec.structs.replace(
        one,
        state="open" if granted else "denied",
        outcome=None if granted else "denied",
        decided_at=None if granted else one.decided_at,
        appeal_decided_at=now,
        appeal_granted=granted,
    )
    put_letter(tx, mint, one.id, "appeal_decided", now)
    return await _moved(tx, changed, "appeal_granted" if granted else "appeal_denied", by, now, vault, _reason(why))


async def lapse(tx: Tx, vault: Vault, request_id: str, now: datetime) -> Moved | None:
    """Close a request that nobody confirmed; None where it moved on. It is refused as one that cannot be verified, and
    nobody is told: nobody is known."""
    one = await store.lock_request(tx, request_id)
    if one is None or one.state != "unconfirmed":
        return None
    changed = msgspec.structs.replace(one, state="lapsed", outcome="lapsed", decided_at=now, decided_by="house")
    return await _moved(tx, changed, "lapsed", "house", now, vault)


async def count_pace(
    tx: Tx,
    keyed_hash: Callable[[str, str], bytes],
    subject: str,
    pace: tuple[int, timedelta],
    now: datetime,
    weight: int = 1,
) -> float:
    """Count a form of a subject (a network address, a contact detail), or so much of something else: the seconds to
    wait where there were more than so many in so long, else 0. All processes count together."""
    most, window = pace
    tries, since = await store.count_try(tx, keyed_hash("privacy pace", subject), now, window, weight)
    return max((since + window - now).total_seconds(), 1.0) if tries > most else 0.0


def put_letter(tx: Tx, mint: Mint, request_id: str, sheet: Sheet, now: datetime) -> None:
    """Owe the person a letter."""
    enqueue(tx, WRITE, request_id, {"request_id": request_id, "sheet": sheet}, now, now, mint)


async def _held(tx: Tx, request_id: str, *states: State) -> PrivacyRequest:
    """The request, locked and in one of the states (any, where none is named). Raises NotFound
    ``privacy.request.unknown`` and Conflict ``privacy.request.elsewhere``."""
    one = await store.lock_request(tx, request_id)
    if one is None:
        raise NotFound("privacy.request.unknown", "there is no such request")
    if states and one.state not in states:
        raise Conflict("privacy.request.elsewhere", f"this request is {one.state}; load it again")
    return one


async def _moved(
    tx: Tx, changed: PrivacyRequest, what: str, by: str, now: datetime, vault: Vault, note: str = ""
) -> Moved:
    changed = msgspec.structs.replace(changed, due_at=next_due(changed))
    await store.save_request(tx, changed)
    sealed = None
    if note and changed.wrapped_key is not None:
        sealed = vault.seal(vault.unwrap(changed.wrapped_key), note.encode("utf-8", "replace"), f"{changed.id} note")
    await store.add_note(tx, changed.id, now, by, what, sealed)
    return Moved(changed, RequestMoved(at=now, what=what, by=by, state=changed.state))


def _reason(why: str) -> str:
    if not why.strip() or len(why) > MOST_WORDS:
        raise BadInput("privacy.reason.missing", f"say why, in at most {MOST_WORDS:,} characters: the person reads it")
    return why.strip()

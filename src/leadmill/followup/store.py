"""Every read and write of the message table.

Called by the verbs of this package and, for lists, through the door. Claims and settlements are guarded updates: of
two workers with the same message exactly one wins each.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa

from leadmill.core.case import Case
from leadmill.core.ids import mint
from leadmill.followup.model import SEND, Followups, Kind, Message, PlannedMessage, Sending, State
from leadmill.followup.tables import MESSAGE
from leadmill.runtime.db import Row, Tx, prepared
from leadmill.runtime.jobs import enqueue

_TIME = sa.DateTime(timezone=True)
_ACTIVE = sa.text("state IN ('queued', 'retrying')")
_INSERT = prepared(
    sa.text(
        "INSERT INTO message (id, lead_id, kind, addressee, messenger, state, attempts, next_at, created_at)"
        " SELECT i, l, k, a, m, 'queued', 0, :at, :at FROM unnest(CAST(:ids AS text[]), CAST(:leads AS text[]),"
        " CAST(:kinds AS text[]), CAST(:addressees AS text[]), CAST(:messengers AS text[])) AS t(i, l, k, a, m)"
        " ORDER BY i ON CONFLICT (id) DO NOTHING RETURNING id"
    ).bindparams(
        sa.bindparam("at", type_=_TIME),
        *(
            sa.bindparam(name, type_=sa.ARRAY(sa.Text))
            for name in ("ids", "leads", "kinds", "addressees", "messengers")
        ),
    )
)
_CLAIM = prepared(
    sa.update(MESSAGE)
    .where(MESSAGE.c.id == sa.bindparam("message"), _ACTIVE, MESSAGE.c.next_at <= sa.bindparam("now", type_=_TIME))
    .values(attempts=MESSAGE.c.attempts + 1, next_at=sa.bindparam("until", type_=_TIME))
    .returning(MESSAGE)
)
_SETTLE = prepared(
    sa.update(MESSAGE)
    .where(MESSAGE.c.id == sa.bindparam("message"), _ACTIVE, MESSAGE.c.attempts == sa.bindparam("no", type_=sa.Integer))
    .values(
        state=sa.bindparam("new_state", type_=sa.Text),
        next_at=sa.bindparam("new_next", type_=_TIME),
        code=sa.bindparam("new_code", type_=sa.Text),
        done_at=sa.bindparam("done", type_=_TIME),
    )
)
_STOP = prepared(
    sa.update(MESSAGE)
    .where(MESSAGE.c.lead_id == sa.bindparam("lead"), _ACTIVE)
    .values(
        state=sa.literal_column("'failed'"),
        next_at=sa.null(),
        code=sa.bindparam("why", type_=sa.Text),
        done_at=sa.bindparam("now", type_=_TIME),
    )
    .returning(MESSAGE)
)
_PUT_OFF = prepared(
    sa.update(MESSAGE)
    .where(MESSAGE.c.id == sa.bindparam("message"), _ACTIVE, MESSAGE.c.attempts == sa.bindparam("no", type_=sa.Integer))
    .values(attempts=MESSAGE.c.attempts - 1, next_at=sa.bindparam("until", type_=_TIME))
)
_LATELY = prepared(
    sa.select(MESSAGE.c.messenger, MESSAGE.c.done_at).where(
        MESSAGE.c.lead_id == sa.any_(sa.bindparam("leads", type_=sa.ARRAY(sa.Text))),
        MESSAGE.c.kind == "ack",
        MESSAGE.c.state == "sent",
        MESSAGE.c.done_at > sa.bindparam("since", type_=_TIME),
    )
)
_ONE = prepared(sa.select(MESSAGE).where(MESSAGE.c.id == sa.bindparam("message")))


class _Gathered(list[tuple[str, PlannedMessage]]):
    """The messages of one group of leads, each with its lead."""


def keep_followups(tx: Tx, case: Case, evidence: Followups, now: datetime) -> None:
    """Keep the planned messages and enqueue their sending, all of a group in one statement each. A message that stands
    already is left alone: a lead may walk twice, a person is told once."""
    gathered = tx.scratch.get(_Gathered)
    if gathered is None:
        gathered = tx.scratch[_Gathered] = _Gathered()

        async def close(tx: Tx) -> None:
            await _insert(tx, tx.scratch.pop(_Gathered), now)

        tx.closing(close)
    gathered.extend((case.lead_id, item) for item in evidence.items)


async def _insert(tx: Tx, rows: Sequence[tuple[str, PlannedMessage]], now: datetime) -> None:
    if not rows:
        return
    inserted = await tx.all(
        _INSERT,
        at=now,
        ids=[item.message_id for _, item in rows],
        leads=[lead for lead, _ in rows],
        kinds=[item.kind for _, item in rows],
        addressees=[item.addressee for _, item in rows],
        messengers=[item.messenger for _, item in rows],
    )
    for row in inserted:
        put_job(tx, row["id"], 1, now, now)


def put_job(tx: Tx, message_id: str, no: int, run_at: datetime, now: datetime, why: str = "") -> None:
    """Enqueue the attempt ``no``; asking twice for the same reason enqueues once."""
    dedupe = f"{SEND}:{message_id}:{no}:{why}" if why else f"{SEND}:{message_id}:{no}"
    enqueue(tx, SEND, message_id, {"message_id": message_id}, run_at=run_at, now=now, mint=mint, dedupe=dedupe)


async def claim(tx: Tx, message_id: str, now: datetime, lease: timedelta) -> Sending | None:
    """Take the next attempt for ``lease``; None where it is not due, is being made, or there is none to make."""
    row = await tx.one(_CLAIM, message=message_id, now=now, until=now + lease)
    if row is None:
        return None
    return Sending(
        message_id=row["id"],
        lead_id=row["lead_id"],
        kind=cast("Kind", row["kind"]),
        addressee=row["addressee"],
        messenger=row["messenger"],
        no=row["attempts"],
        until=row["next_at"],
    )


async def settle(tx: Tx, sending: Sending, state: State, code: str, next_at: datetime | None, now: datetime) -> bool:
    """Write how the attempt ended; False where it was settled before."""
    done = None if state == "retrying" else now
    changed = await tx.run(
        _SETTLE,
        message=sending.message_id,
        no=sending.no,
        new_state=state,
        new_next=next_at,
        new_code=code,
        done=done,
    )
    return changed == 1


async def put_off(tx: Tx, sending: Sending, until: datetime) -> bool:
    """Give an attempt back until a later moment, as if it had not been claimed; False where it was settled."""
    return await tx.run(_PUT_OFF, message=sending.message_id, no=sending.no, until=until) == 1


async def sent_lately(tx: Tx, lead_ids: Sequence[str], since: datetime) -> list[tuple[datetime, str]]:
    """When the persons of these leads were written to since, and by which messenger."""
    return [(row["done_at"], row["messenger"]) for row in await tx.all(_LATELY, leads=list(lead_ids), since=since)]


async def stop(tx: Tx, lead_id: str, code: str, now: datetime) -> list[Message]:
    """End every message of a lead that would still be sent; those ended."""
    return [_message(row) for row in await tx.all(_STOP, lead=lead_id, why=code, now=now)]


async def find(tx: Tx, message_id: str) -> Message | None:
    """The message, or None."""
    row = await tx.one(_ONE, message=message_id)
    return _message(row) if row is not None else None


async def messages_of(tx: Tx, lead_id: str) -> list[Message]:
    """The messages of a lead, by when they were planned."""
    stmt = (
        sa.select(MESSAGE).where(MESSAGE.c.lead_id == sa.bindparam("lead")).order_by(MESSAGE.c.created_at, MESSAGE.c.id)
    )
    return [_message(row) for row in await tx.all(stmt, lead=lead_id)]


def _message(row: Row) -> Message:
    return Message(
        message_id=row["id"],
        lead_id=row["lead_id"],
        kind=cast("Kind", row["kind"]),
        addressee=row["addressee"],
        messenger=row["messenger"],
        state=cast("State", row["state"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        code=row["code"],
        created_at=row["created_at"],
        done_at=row["done_at"],
    )

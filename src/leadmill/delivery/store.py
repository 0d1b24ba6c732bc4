"""Every read and write of the delivery tables.

Called by the verbs of this package and, for lists, through the door. Claims and settlements are guarded updates: of
two workers with the same delivery exactly one wins each.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from leadmill.core.case import Case
from leadmill.core.ids import mint
from leadmill.delivery.model import ATTEMPT, Attempt, Dispatched, Outcome, Plan, Receipt, State
from leadmill.delivery.tables import ATTEMPT_MADE, DELIVERY
from leadmill.runtime.db import Row, Tx, prepared
from leadmill.runtime.jobs import enqueue

_TIME = sa.DateTime(timezone=True)
_ACTIVE = sa.text("state IN ('queued', 'retrying')")
_INSERT = prepared(
    sa.text(
        "INSERT INTO delivery"
        " (id, lead_id, sale_id, leg, recipient, courier, bid_ref, state, attempts, before_round, next_at, created_at)"
        " SELECT i, l, s, n, r, c, b, 'queued', 0, 0, :at, :at FROM unnest(CAST(:ids AS text[]),"
        " CAST(:leads AS text[]), CAST(:sales AS text[]), CAST(:legs AS smallint[]), CAST(:recipients AS text[]),"
        " CAST(:couriers AS text[]), CAST(:bids AS text[]))"
        " AS t(i, l, s, n, r, c, b) ORDER BY i ON CONFLICT (id) DO NOTHING"
    ).bindparams(
        sa.bindparam("at", type_=_TIME),
        *(
            sa.bindparam(name, type_=sa.ARRAY(sa.Text))
            for name in ("ids", "leads", "sales", "recipients", "couriers", "bids")
        ),
        sa.bindparam("legs", type_=sa.ARRAY(sa.SmallInteger)),
    )
)
_CLAIM = prepared(
    sa.update(DELIVERY)
    .where(DELIVERY.c.id == sa.bindparam("delivery"), _ACTIVE, DELIVERY.c.next_at <= sa.bindparam("now", type_=_TIME))
    .values(attempts=DELIVERY.c.attempts + 1, next_at=sa.bindparam("until", type_=_TIME))
    .returning(DELIVERY)
)
_SETTLE = prepared(
    sa.update(DELIVERY)
    .where(
        DELIVERY.c.id == sa.bindparam("delivery"), _ACTIVE, DELIVERY.c.attempts == sa.bindparam("no", type_=sa.Integer)
    )
    .values(
        state=sa.bindparam("new_state", type_=sa.Text),
        next_at=sa.bindparam("new_next", type_=_TIME),
        code=sa.bindparam("new_code", type_=sa.Text),
        buyer_ref=sa.func.coalesce(sa.bindparam("ref", type_=sa.Text), DELIVERY.c.buyer_ref),
        done_at=sa.bindparam("done", type_=_TIME),
    )
)
_ONE = prepared(sa.select(DELIVERY).where(DELIVERY.c.id == sa.bindparam("delivery")))


_Row = tuple[str, str, str, int, str, str, str | None]


class _Gathered(list[_Row]):
    """The deliveries of one group of leads."""


INLINE_LEAD = timedelta(seconds=20)
"""How long an inline delivery's first attempt is left to whoever sold the lead before any worker makes it."""


def keep_dispatched(tx: Tx, case: Case, evidence: Dispatched, now: datetime) -> None:
    """Keep the planned deliveries and enqueue their first attempts, all of a group together. A delivery
    that stands already is left alone: a lead may walk twice."""
    gathered = tx.scratch.get(_Gathered)
    if gathered is None:
        gathered = tx.scratch[_Gathered] = _Gathered()

        async def close(tx: Tx) -> None:
            await _insert(tx, tx.scratch.pop(_Gathered), now)

        tx.closing(close)
    for item in evidence.items:
        one = (item.delivery_id, case.lead_id, item.sale_id, item.leg, item.recipient, item.courier, item.bid_ref)
        gathered.append(one)
        # The attempt of a delivery that stands already finds nothing to do, or does what is due.
        put_job(tx, item.delivery_id, 1, now + INLINE_LEAD if item.inline else now, now)


async def _insert(tx: Tx, rows: Sequence[_Row], now: datetime) -> None:
    if rows:
        names = ("ids", "leads", "sales", "legs", "recipients", "couriers", "bids")
        columns: dict[str, Any] = dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
        await tx.last(_INSERT, at=now, **columns)


def put_job(tx: Tx, delivery_id: str, no: int, run_at: datetime, now: datetime) -> None:
    """Enqueue the attempt ``no``; asking twice enqueues once."""
    enqueue(
        tx,
        ATTEMPT,
        delivery_id,
        {"delivery_id": delivery_id},
        run_at=run_at,
        now=now,
        mint=mint,
        dedupe=f"{ATTEMPT}:{delivery_id}:{no}",
    )


async def claim(tx: Tx, delivery_id: str, now: datetime, lease: timedelta) -> Plan | None:
    """Take the next attempt for ``lease``; None where it is not due, is being made, or there is none to make."""
    row = await tx.one(_CLAIM, delivery=delivery_id, now=now, until=now + lease)
    if row is None:
        return None
    return Plan(
        delivery_id=row["id"],
        lead_id=row["lead_id"],
        sale_id=row["sale_id"],
        leg=row["leg"],
        recipient=row["recipient"],
        courier=row["courier"],
        no=row["attempts"],
        round_no=row["attempts"] - row["before_round"],
        created_at=row["created_at"],
        until=row["next_at"],
        bid_ref=row["bid_ref"],
    )


async def settle(
    tx: Tx, plan: Plan, state: State, code: str, *, next_at: datetime | None, ref: str | None, now: datetime
) -> bool:
    """Write how the attempt ended; False where it was settled or called off before."""
    done = None if state == "retrying" else now
    changed = await tx.run(
        _SETTLE,
        delivery=plan.delivery_id,
        no=plan.no,
        new_state=state,
        new_next=next_at,
        new_code=code,
        ref=ref,
        done=done,
    )
    return changed == 1


def add_attempt(
    tx: Tx, plan: Plan, outcome: Outcome, now: datetime, digest: bytes | None, excerpt: bytes | None
) -> None:
    """Record an attempt. ``excerpt`` is sealed."""
    tx.add(
        ATTEMPT_MADE,
        plan.delivery_id,
        plan.no,
        now,
        outcome.elapsed_ms,
        outcome.status,
        outcome.kind,
        outcome.code,
        digest,
        excerpt,
    )


async def find(tx: Tx, delivery_id: str) -> Receipt | None:
    """The delivery, or None."""
    row = await tx.one(_ONE, delivery=delivery_id)
    return _receipt(row) if row is not None else None


async def restart(tx: Tx, delivery_id: str, now: datetime) -> Receipt | None:
    """Make an accepted or dead delivery due again, with a fresh schedule; None where it is neither."""
    stmt = (
        sa.update(DELIVERY)
        .where(DELIVERY.c.id == sa.bindparam("delivery"), sa.text("state IN ('accepted', 'dead')"))
        .values(
            state=sa.literal("retrying", sa.Text),
            before_round=DELIVERY.c.attempts,
            next_at=sa.bindparam("now", type_=_TIME),
            done_at=sa.null(),
        )
        .returning(DELIVERY)
    )
    row = await tx.one(stmt, delivery=delivery_id, now=now)
    return _receipt(row) if row is not None else None


async def cancel(tx: Tx, sale_id: str, now: datetime) -> list[Receipt]:
    """Call off what would still be tried of a sale."""
    stmt = (
        sa.update(DELIVERY)
        .where(DELIVERY.c.sale_id == sa.bindparam("sale"), sa.text("state IN ('queued', 'retrying')"))
        .values(state=sa.literal("cancelled", sa.Text), next_at=sa.null(), done_at=sa.bindparam("now", type_=_TIME))
        .returning(DELIVERY)
    )
    return [_receipt(row) for row in await tx.all(stmt, sale=sale_id, now=now)]


async def receipts_of(tx: Tx, lead_id: str) -> list[Receipt]:
    """The deliveries of a lead, the oldest first."""
    stmt = sa.select(DELIVERY).where(DELIVERY.c.lead_id == sa.bindparam("lead")).order_by(DELIVERY.c.id)
    return [_receipt(row) for row in await tx.all(stmt, lead=lead_id)]


async def attempts_of(tx: Tx, delivery_id: str) -> list[Attempt]:
    """The attempts of a delivery in order."""
    stmt = (
        sa.select(ATTEMPT_MADE)
        .where(ATTEMPT_MADE.c.delivery_id == sa.bindparam("delivery"))
        .order_by(ATTEMPT_MADE.c.no)
    )
    return [Attempt(**dict(row.items())) for row in await tx.all(stmt, delivery=delivery_id)]


async def list_receipts(
    tx: Tx, *, recipient: str | None = None, states: Sequence[State] = (), before: str | None = None, limit: int = 50
) -> list[Receipt]:
    """Deliveries, the newest first, from the one before the id ``before``; at most ``limit``."""
    stmt = sa.select(DELIVERY).order_by(DELIVERY.c.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))
    params: dict[str, Any] = {"most": limit}
    if recipient is not None:
        stmt = stmt.where(DELIVERY.c.recipient == sa.bindparam("recipient"))
        params["recipient"] = recipient
    if states:
        stmt = stmt.where(DELIVERY.c.state == sa.any_(sa.bindparam("states", type_=sa.ARRAY(sa.Text))))
        params["states"] = list(states)
    if before is not None:
        stmt = stmt.where(DELIVERY.c.id < sa.bindparam("before", type_=sa.Text))
        params["before"] = before
    return [_receipt(row) for row in await tx.all(stmt, **params)]


async def count_states(tx: Tx) -> dict[str, int]:
    """How many deliveries stand in each state that somebody may have to look at."""
    stmt = (
        sa.select(DELIVERY.c.state, sa.func.count().label("n"))
        .where(sa.text("state IN ('retrying', 'dead', 'rejected')"))
        .group_by(DELIVERY.c.state)
    )
    return {row["state"]: row["n"] for row in await tx.all(stmt)}


def _receipt(row: Row) -> Receipt:
    return Receipt(
        delivery_id=row["id"],
        lead_id=row["lead_id"],
        sale_id=row["sale_id"],
        leg=row["leg"],
        recipient=row["recipient"],
        courier=row["courier"],
        state=cast("State", row["state"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        code=row["code"],
        buyer_ref=row["buyer_ref"],
        created_at=row["created_at"],
        done_at=row["done_at"],
    )

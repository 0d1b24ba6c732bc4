"""Every read and write of opt-outs, the leads they bear on, and the notices to recipients.

Called by the verbs of this package and, for lists, through the door. Changes of state are guarded updates: of two who
acknowledge or decide at once exactly one does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.optouts.model import Notice, OptOut
from leadmill.optouts.tables import NOTICE, OPT_OUT, OPT_OUT_LEAD
from leadmill.runtime.db import Row, Tx, prepared

_TIME = sa.DateTime(timezone=True)
_TEXTS = sa.ARRAY(sa.Text)
_FIND = prepared(sa.select(OPT_OUT).where(OPT_OUT.c.id == sa.any_(sa.bindparam("ids", type_=_TEXTS))))
_DECIDE = prepared(
    sa.update(OPT_OUT)
    .where(OPT_OUT.c.id == sa.bindparam("opt_out"), OPT_OUT.c.state == sa.literal_column("'review'"))
    .values(
        state=sa.bindparam("new_state", type_=sa.Text),
        ended_at=sa.bindparam("now", type_=_TIME),
        ended_by=sa.bindparam("who", type_=sa.Text),
    )
    .returning(OPT_OUT)
)
_ENFORCED = prepared(
    sa.update(OPT_OUT)
    .where(OPT_OUT.c.id == sa.bindparam("opt_out"), OPT_OUT.c.enforced_at.is_(None))
    .values(enforced_at=sa.bindparam("now", type_=_TIME))
)
_BEAR = prepared(
    insert(OPT_OUT_LEAD)
    .values(opt_out_id=sa.bindparam("opt_out", type_=sa.Text), lead_id=sa.bindparam("lead", type_=sa.Text))
    .on_conflict_do_nothing()
)
_LEADS = prepared(
    sa.select(OPT_OUT_LEAD.c.lead_id)
    .where(OPT_OUT_LEAD.c.opt_out_id == sa.bindparam("opt_out"))
    .order_by(OPT_OUT_LEAD.c.lead_id)
)
_OF_LEAD = prepared(
    sa.select(OPT_OUT)
    .join(OPT_OUT_LEAD, OPT_OUT_LEAD.c.opt_out_id == OPT_OUT.c.id)
    .where(OPT_OUT_LEAD.c.lead_id == sa.bindparam("lead"))
    .order_by(OPT_OUT.c.id)
)
_OWE = prepared(
    sa.text(
        "INSERT INTO opt_out_notice (id, opt_out_id, sale_id, lead_id, recipient, way, state, tells, created_at,"
        " matter, fields) SELECT i, o, s, l, r, w, 'owed', 0, :at, :matter, :fields FROM unnest("
        "CAST(:ids AS text[]), CAST(:opt_outs AS text[]),"
        " CAST(:sales AS text[]), CAST(:leads AS text[]), CAST(:recipients AS text[]), CAST(:ways AS text[]))"
        " AS t(i, o, s, l, r, w) ORDER BY o, s ON CONFLICT (opt_out_id, sale_id) DO NOTHING RETURNING *"
    ).bindparams(
        sa.bindparam("at", type_=_TIME), sa.bindparam("matter", type_=sa.Text), sa.bindparam("fields", type_=_TEXTS)
    )
)
_NOTICE = prepared(sa.select(NOTICE).where(NOTICE.c.id == sa.bindparam("notice")))
_TOLD = prepared(
    sa.update(NOTICE)
    .where(NOTICE.c.id == sa.bindparam("notice"), NOTICE.c.acknowledged_at.is_(None))
    .values(
        state=sa.bindparam("new_state", type_=sa.Text),
        tells=NOTICE.c.tells + sa.bindparam("more", type_=sa.Integer),
        code=sa.bindparam("new_code", type_=sa.Text),
        told_at=sa.func.coalesce(sa.bindparam("told", type_=_TIME), NOTICE.c.told_at),
    )
    .returning(NOTICE)
)
_ACKNOWLEDGE = prepared(
    sa.update(NOTICE)
    .where(NOTICE.c.id == sa.bindparam("notice"), NOTICE.c.acknowledged_at.is_(None))
    .values(
        state=sa.literal("acknowledged", sa.Text),
        acknowledged_at=sa.bindparam("now", type_=_TIME),
        told_at=sa.func.coalesce(NOTICE.c.told_at, sa.bindparam("now", type_=_TIME)),
    )
    .returning(NOTICE)
)


def add_opt_out(tx: Tx, one: OptOut) -> None:
    """Write an opt-out with the other rows of the transaction."""
    tx.add(OPT_OUT, *(getattr(one, column.name) for column in OPT_OUT.columns))


async def find_opt_outs(tx: Tx, ids: Sequence[str]) -> dict[str, OptOut]:
    """Opt-outs by id."""
    return {row["id"]: _opt_out(row) for row in await tx.all(_FIND, ids=list(ids))}


async def decide(tx: Tx, opt_out_id: str, state: str, who: str, now: datetime) -> OptOut | None:
    """Say of a doubtful opt-out that it stands or is lifted; None where there is none in doubt."""
    row = await tx.one(_DECIDE, opt_out=opt_out_id, new_state=state, who=who, now=now)
    return _opt_out(row) if row is not None else None


async def note_enforced(tx: Tx, opt_out_id: str, now: datetime) -> None:
    """Everything under way was stopped; the first time counts."""
    await tx.run(_ENFORCED, opt_out=opt_out_id, now=now)


async def claim_lead(tx: Tx, opt_out_id: str, lead_id: str) -> bool:
    """Take it on to carry an opt-out out on a lead; False where that was done before."""
    return await tx.run(_BEAR, opt_out=opt_out_id, lead=lead_id) == 1


async def leads_of_opt_out(tx: Tx, opt_out_id: str) -> list[str]:
    """The leads that an opt-out was carried out on."""
    return [row["lead_id"] for row in await tx.all(_LEADS, opt_out=opt_out_id)]


async def opt_outs_of(tx: Tx, lead_id: str) -> list[OptOut]:
    """The opt-outs that bear on a lead, oldest first."""
    return [_opt_out(row) for row in await tx.all(_OF_LEAD, lead=lead_id)]


async def list_opt_outs(
    tx: Tx,
    *,
    channel: str | None = None,
    state: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[OptOut]:
    """Opt-outs, the newest first, from the one before the id ``before``."""
    stmt = sa.select(OPT_OUT).order_by(OPT_OUT.c.id.desc()).limit(limit)
    for column, value in ((OPT_OUT.c.channel, channel), (OPT_OUT.c.state, state)):
        if value is not None:
            stmt = stmt.where(column == value)
    if before is not None:
        stmt = stmt.where(OPT_OUT.c.id < before)
    return [_opt_out(row) for row in await tx.all(stmt)]


async def count_doubtful(tx: Tx, most: int = 100) -> int:
    """How many doubtful opt-outs wait for a person, counted up to ``most``."""
    some = sa.select(OPT_OUT.c.id).where(OPT_OUT.c.state == sa.literal_column("'review'")).limit(most).subquery()
    row = await tx.one(sa.select(sa.func.count().label("n")).select_from(some))
    return int(row["n"]) if row is not None else 0


async def owe_notices(tx: Tx, notices: Sequence[Notice], at: datetime) -> list[Notice]:
    """Owe notices of one matter; those that were not owed before."""
    if not notices:
        return []
    rows = await tx.all(
        _OWE,
        at=at,
        matter=notices[0].matter,
        fields=notices[0].fields,
        ids=[one.id for one in notices],
        opt_outs=[one.opt_out_id for one in notices],
        sales=[one.sale_id for one in notices],
        leads=[one.lead_id for one in notices],
        recipients=[one.recipient for one in notices],
        ways=[one.way for one in notices],
    )
    return [_notice(row) for row in rows]


async def find_notice(tx: Tx, notice_id: str) -> Notice | None:
    """A notice by its id."""
    row = await tx.one(_NOTICE, notice=notice_id)
    return _notice(row) if row is not None else None


async def note_told(
    tx: Tx, notice_id: str, state: str, code: str | None, now: datetime | None, more: int = 1
) -> Notice | None:
    """Write how a telling ended; ``now`` where it arrived. None where it was acknowledged meanwhile."""
    row = await tx.one(_TOLD, notice=notice_id, new_state=state, new_code=code, told=now, more=more)
    return _notice(row) if row is not None else None


async def note_acknowledged(tx: Tx, notice_id: str, now: datetime) -> Notice | None:
    """Write that a recipient acknowledged; None where it had before, or there is no such notice."""
    row = await tx.one(_ACKNOWLEDGE, notice=notice_id, now=now)
    return _notice(row) if row is not None else None


async def notices_of(tx: Tx, lead_id: str) -> list[Notice]:
    """The notices about a lead, oldest first."""
    stmt = sa.select(NOTICE).where(NOTICE.c.lead_id == lead_id).order_by(NOTICE.c.id)
    return [_notice(row) for row in await tx.all(stmt)]


async def list_notices(
    tx: Tx,
    *,
    recipient: str | None = None,
    opt_outs: Sequence[str] | None = None,
    unanswered: bool = False,
    before: str | None = None,
    limit: int = 50,
) -> list[Notice]:
    """Notices, the newest first: of one recipient, of some opt-outs, only those nobody has acknowledged."""
    stmt = sa.select(NOTICE).order_by(NOTICE.c.id.desc()).limit(limit)
    params: dict[str, Any] = {}
    if recipient is not None:
        stmt = stmt.where(NOTICE.c.recipient == recipient)
    if opt_outs is not None:
        stmt = stmt.where(NOTICE.c.opt_out_id == sa.any_(sa.bindparam("opt_outs", type_=_TEXTS)))
        params["opt_outs"] = list(opt_outs)
    if unanswered:
        stmt = stmt.where(NOTICE.c.state != sa.literal_column("'acknowledged'"))
    if before is not None:
        stmt = stmt.where(NOTICE.c.id < before)
    return [_notice(row) for row in await tx.all(stmt, **params)]


def _opt_out(row: Row) -> OptOut:
    return msgspec.convert(dict(row.items()), OptOut, strict=False)


def _notice(row: Row) -> Notice:
    return msgspec.convert(dict(row.items()), Notice, strict=False)

"""Who was shown which lead."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from leadmill.parties.seen import LeadRead, ReaderSum
from leadmill.parties.tables import LEAD_READ
from leadmill.runtime.db import Tx

_read = LEAD_READ.c
_Time = sa.DateTime(timezone=True)


def note_reads(tx: Tx, reader: str, lead_ids: Iterable[str], what: str, at: datetime) -> None:
    """Note that somebody was shown these leads, with the other rows of the transaction."""
    for lead_id in lead_ids:
        tx.add(LEAD_READ, lead_id, at, reader, what)


async def reads_of(tx: Tx, lead_id: str, most: int = 100) -> list[LeadRead]:
    """Who was shown a lead, the latest first."""
    columns = LEAD_READ.c
    stmt = sa.select(LEAD_READ).where(columns.lead_id == sa.bindparam("lead")).order_by(columns.at.desc()).limit(most)
    return [LeadRead(**dict(row.items())) for row in await tx.all(stmt, lead=lead_id)]


def _within(stmt: sa.Select[Any], reader: str | None, lead_ids: Sequence[str] | None) -> sa.Select[Any]:
    stmt = stmt.where(
        _read.at >= sa.bindparam("since", type_=_Time),
        _read.at < sa.bindparam("until", type_=_Time),
    )
    if reader is not None:
        stmt = stmt.where(_read.reader == sa.bindparam("by"))
    if lead_ids is not None:
        stmt = stmt.where(_read.lead_id == sa.any_(sa.bindparam("leads", type_=sa.ARRAY(sa.Text))))
    return stmt


def _params(since: datetime, until: datetime, reader: str | None, lead_ids: Sequence[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"since": since, "until": until}
    if reader is not None:
        found["by"] = reader
    if lead_ids is not None:
        found["leads"] = list(lead_ids)
    return found


async def reads_between(
    tx: Tx,
    since: datetime,
    until: datetime,
    *,
    reader: str | None = None,
    lead_ids: Sequence[str] | None = None,
    most: int = 1_000,
) -> list[LeadRead]:
    """Who was shown what in a span, the latest first: by one reader or by all, of these leads or of any."""
    stmt = _within(sa.select(LEAD_READ), reader, lead_ids).order_by(_read.at.desc()).limit(most)
    params = _params(since, until, reader, lead_ids)
    return [LeadRead(**dict(row.items())) for row in await tx.all(stmt, **params)]


async def sum_reads(
    tx: Tx, since: datetime, until: datetime, *, reader: str | None = None, lead_ids: Sequence[str] | None = None
) -> list[ReaderSum]:
    """The same, summed up by reader and by what was read, the busiest first."""
    counted = sa.select(
        _read.reader,
        _read.what,
        sa.func.count().label("reads"),
        sa.func.count(_read.lead_id.distinct()).label("leads"),
        sa.func.min(_read.at).label("first"),
        sa.func.max(_read.at).label("last"),
    ).group_by(_read.reader, _read.what)
    stmt = _within(counted, reader, lead_ids).order_by(sa.desc("reads"), _read.reader, _read.what)
    params = _params(since, until, reader, lead_ids)
    return [ReaderSum(**dict(row.items())) for row in await tx.all(stmt, **params)]

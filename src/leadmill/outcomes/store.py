"""Every read and write of the outcome table.

Called by the verbs of this package and, for lists, through the door.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.outcomes.model import Disposition, Reported
from leadmill.outcomes.tables import OUTCOME
from leadmill.runtime.db import Row, Tx, prepared

_OF_LEAD = prepared(
    sa.select(OUTCOME).where(OUTCOME.c.lead_id == sa.bindparam("lead")).order_by(OUTCOME.c.received_at, OUTCOME.c.id)
)

_OF_LEADS = prepared(
    sa.select(*(column for column in OUTCOME.c if column.name != "note"))
    .where(OUTCOME.c.lead_id == sa.any_(sa.bindparam("leads", type_=sa.ARRAY(sa.Text))))
    .order_by(OUTCOME.c.received_at, OUTCOME.c.id)
)


async def outcomes_of(tx: Tx, lead_id: str) -> list[Reported]:
    """Every report about a lead, in the order we heard them, the replaced ones included."""
    return [_reported(row) for row in await tx.all(_OF_LEAD, lead=lead_id)]


async def outcomes_of_leads(tx: Tx, lead_ids: Sequence[str]) -> dict[str, list[Reported]]:
    """Every report about these leads, in the order we heard them, the replaced ones included; without remarks."""
    found: dict[str, list[Reported]] = {}
    for row in await tx.all(_OF_LEADS, leads=list(lead_ids)) if lead_ids else []:
        found.setdefault(row["lead_id"], []).append(_reported({**row, "note": None}))
    return found


async def add(tx: Tx, report: Reported, round_no: int) -> bool:
    """Write a report, and take the mark of the latest word from the reporter's earlier ones where it has it itself.
    False where another transaction has just written a report of the same moment."""
    key = (
        OUTCOME.c.lead_id == sa.bindparam("lead"),
        OUTCOME.c.sale_id == sa.bindparam("sale"),
        OUTCOME.c.reporter == sa.bindparam("who"),
    )
    values: dict[str, Any] = {
        "id": report.outcome_id,
        "lead_id": report.lead_id,
        "sale_id": report.sale_id or "",
        "reporter": report.reporter,
        "disposition": report.disposition.value,
        "at": report.at,
        "value": report.value,
        "currency": report.currency,
        "received_at": report.received_at,
        "current": report.current,
        "replaces": report.replaces,
        "round_no": round_no,
        "note": report.note,
    }
    written = await tx.run(insert(OUTCOME).values(values).on_conflict_do_nothing())
    if written and report.current:
        stmt = sa.update(OUTCOME).where(*key, OUTCOME.c.id != sa.bindparam("mine")).values(current=sa.false())
        await tx.run(stmt, lead=report.lead_id, sale=report.sale_id or "", who=report.reporter, mine=report.outcome_id)
    return written == 1


async def count_dispositions(tx: Tx, since: datetime) -> dict[str, int]:
    """How often each disposition is somebody's latest word, of what we heard since a moment."""
    stmt = (
        sa.select(OUTCOME.c.disposition, sa.func.count().label("n"))
        .where(OUTCOME.c.current, OUTCOME.c.received_at >= sa.bindparam("since", type_=sa.DateTime(timezone=True)))
        .group_by(OUTCOME.c.disposition)
    )
    return {row["disposition"]: row["n"] for row in await tx.all(stmt, since=since)}


async def leads_called(tx: Tx, dispositions: Sequence[str], since: datetime) -> list[str]:
    """The leads of which one of these is somebody's latest word, heard since a moment."""
    stmt = sa.select(OUTCOME.c.lead_id).where(
        OUTCOME.c.current,
        OUTCOME.c.received_at >= since,
        OUTCOME.c.disposition == sa.any_(sa.literal(list(dispositions), sa.ARRAY(sa.Text))),
    )
    return [row["lead_id"] for row in await tx.all(stmt.distinct().order_by(OUTCOME.c.lead_id))]


def _reported(row: Row) -> Reported:
    return Reported(
        outcome_id=row["id"],
        lead_id=row["lead_id"],
        sale_id=row["sale_id"] or None,
        reporter=row["reporter"],
        disposition=Disposition(row["disposition"]),
        at=row["at"],
        value=row["value"],
        currency=row["currency"],
        received_at=row["received_at"],
        current=row["current"],
        replaces=row["replaces"],
        note=row["note"],
    )

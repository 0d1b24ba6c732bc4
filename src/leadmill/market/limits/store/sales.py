"""Reads and writes of legs and assignments: who got which lead.

Called by the verbs, which lock what an ended leg counted in.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from leadmill.core.money import Money
from leadmill.market.limits.pace import Sold
from leadmill.market.model import LegState, SaleRecord
from leadmill.market.tables import SALE
from leadmill.market.windows import SLOT
from leadmill.runtime.db import Row, Tx, prepared

_S = SALE.c
_TEXTS = sa.ARRAY(sa.Text)


def add_sale(tx: Tx, item: SaleRecord) -> None:
    """Write a leg or an assignment."""
    tx.add(
        SALE,
        item.id,
        item.leg,
        item.deal_id,
        item.lead_id,
        item.order_id,
        item.buyer_id,
        item.team_id,
        item.rep_id,
        item.mode,
        item.price.amount,
        item.price.currency,
        item.state.value,
        item.at,
        item.ended_at,
    )


async def end_leg(tx: Tx, sale_id: str, state: LegState, now: datetime) -> SaleRecord | None:
    """Move a leg or assignment that stands to its end; None where there is none that stands."""
    row = await tx.one(
        sa.update(SALE).values(state=state.value, ended_at=now).where(_S.id == sale_id, _standing()).returning(SALE)
    )
    return _record(row) if row else None


async def find_leg(tx: Tx, sale_id: str) -> SaleRecord | None:
    """A leg or assignment by its id."""
    row = await tx.one(sa.select(SALE).where(_S.id == sale_id))
    return _record(row) if row else None


async def legs_of(tx: Tx, lead_id: str) -> list[SaleRecord]:
    """Every leg and assignment of a lead, oldest first."""
    rows = await tx.all(sa.select(SALE).where(_S.lead_id == lead_id).order_by(_S.at, _S.id))
    return [_record(row) for row in rows]


async def sales_to(tx: Tx, buyer_id: str, before: str | None = None, most: int = 50) -> list[SaleRecord]:
    """A buyer's legs, newest first; ``before`` is the last id of the page before."""
    stmt = sa.select(SALE).where(_S.buyer_id == buyer_id)
    if before is not None:
        stmt = stmt.where(_S.id < before)
    return [_record(row) for row in await tx.all(stmt.order_by(_S.id.desc()).limit(most))]


_LAST_OF = (
    sa.func.unnest(sa.bindparam("orders", type_=_TEXTS))
    .table_valued(sa.column("id", sa.Text))
    .render_derived("wanted_order")
)
_LAST_ROW = sa.select(_S.at).where(_S.order_id == _LAST_OF.c.id).order_by(_S.at.desc()).limit(1).lateral("last_sale")
_LAST = prepared(sa.select(_LAST_OF.c.id, _LAST_ROW.c.at).select_from(_LAST_OF.join(_LAST_ROW, sa.true())))


_REP_OF = (
    sa.func.unnest(sa.bindparam("teams", type_=_TEXTS), sa.bindparam("reps", type_=_TEXTS))
    .table_valued(sa.column("team", sa.Text), sa.column("rep", sa.Text))
    .render_derived("wanted_rep")
)
_REP_ROW = (
    sa.select(_S.at)
    .where(_S.team_id == _REP_OF.c.team, _S.rep_id == _REP_OF.c.rep)
    .order_by(_S.at.desc())
    .limit(1)
    .lateral("last_assignment")
)
_LAST_REP = prepared(
    sa.select(_REP_OF.c.team, _REP_OF.c.rep, _REP_ROW.c.at).select_from(_REP_OF.join(_REP_ROW, sa.true()))
)


async def last_assignments(tx: Tx, reps: Sequence[str]) -> dict[str, datetime]:
    """When reps, named ``team/rep``, last got a lead."""
    pairs = [rep.partition("/") for rep in reps]
    rows = await tx.all(_LAST_REP, teams=[team for team, _, _ in pairs], reps=[rep for _, _, rep in pairs])
    return {f"{row['team']}/{row['rep']}": row["at"] for row in rows}


async def last_sales(tx: Tx, order_ids: Sequence[str]) -> dict[str, datetime]:
    """When orders last got a lead."""
    return {row["id"]: row["at"] for row in await tx.all(_LAST, orders=list(order_ids))}


_SLOT = sa.cast(sa.func.floor(sa.extract("epoch", _S.at) / SLOT), sa.BigInteger).label("slot")


async def sold_since(tx: Tx, order_ids: Sequence[str], since: datetime) -> list[Sold]:
    """What orders got in each slot of fifteen minutes from ``since`` on, by legs that stand."""
    spend = sa.cast(sa.func.sum(_S.price), sa.BigInteger).label("spend")
    wanted = sa.any_(sa.bindparam("orders", type_=_TEXTS))
    stmt = (
        sa.select(_S.order_id, _SLOT, sa.func.count().label("leads"), spend)
        .where(_S.order_id == wanted, _S.at >= since, _S.state == LegState.SOLD.value)
        .group_by(_S.order_id, "slot")
    )
    rows = await tx.all(stmt, orders=list(order_ids))
    return [Sold(row["order_id"], row["slot"], row["leads"], row["spend"]) for row in rows]


async def oversold(tx: Tx) -> list[str]:
    """Leads with an exclusive leg or an assignment beside another that stands, or with two legs of one buyer."""
    standing = _standing()
    alone = _S.mode != "shared"
    several = sa.and_(sa.func.count() > 1, sa.func.bool_or(alone))
    twice = sa.func.count(_S.buyer_id) > sa.func.count(sa.distinct(_S.buyer_id))
    stmt = sa.select(_S.lead_id).where(standing).group_by(_S.lead_id).having(sa.or_(several, twice))
    return [row["lead_id"] for row in await tx.all(stmt.order_by(_S.lead_id))]


async def turnover(tx: Tx) -> dict[tuple[str, str], int]:
    """What the standing legs of each buyer add up to, by buyer and currency, in minor units."""
    total = sa.cast(sa.func.sum(_S.price), sa.BigInteger).label("total")
    stmt = sa.select(_S.buyer_id, _S.currency, total).where(_S.state == LegState.SOLD.value)
    rows = await tx.all(stmt.group_by(_S.buyer_id, _S.currency))
    return {(row["buyer_id"], row["currency"]): row["total"] for row in rows}


def _standing() -> sa.ColumnElement[bool]:
    return sa.or_(_S.state == LegState.SOLD.value, _S.state == LegState.ASSIGNED.value)


def _record(row: Row) -> SaleRecord:
    return SaleRecord(
        id=row["id"],
        leg=row["leg"],
        deal_id=row["deal_id"],
        lead_id=row["lead_id"],
        order_id=row["order_id"],
        buyer_id=row["buyer_id"],
        team_id=row["team_id"],
        rep_id=row["rep_id"],
        mode=row["mode"],
        price=Money(row["price"], row["currency"]),
        state=LegState(row["state"]),
        at=row["at"],
        ended_at=row["ended_at"],
    )

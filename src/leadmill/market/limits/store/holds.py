"""Reads and writes of room set aside.

Called by the cap book and the verbs of ``holds``. Holds are locked before any counter, counters before any account.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from leadmill.core.money import Money
from leadmill.market.limits.rooms import RoomHold, RoomState
from leadmill.market.limits.tally import order_scope
from leadmill.market.tables import LIMIT_USE, MARKET_HOLD
from leadmill.runtime.db import Row, Tx, prepared

_H = MARKET_HOLD.c
_L = LIMIT_USE.c
_TEXTS = sa.ARRAY(sa.Text)
_HELD = _H.state == sa.literal_column("'held'")


def add_hold(tx: Tx, hold: RoomHold) -> None:
    """Write a new hold."""
    tx.add(
        MARKET_HOLD,
        hold.id,
        hold.order_id,
        hold.account,
        hold.price.amount,
        hold.price.currency,
        hold.at,
        hold.expires_at,
        hold.state.value,
        None,
    )


_LOCK = prepared(
    sa.select(MARKET_HOLD)
    .where(_H.id == sa.any_(sa.bindparam("ids", type_=_TEXTS)), _HELD)
    .order_by(_H.id)
    .with_for_update()
)


async def lock_holds(tx: Tx, ids: Sequence[str]) -> list[RoomHold]:
    """Those of some holds that stand, locked until the transaction ends."""
    return [_hold(row) for row in await tx.all(_LOCK, ids=list(ids))]


async def lock_overdue(tx: Tx, now: datetime, most: int) -> list[RoomHold]:
    """Holds that should have ended, oldest first, locked; those that somebody else has locked are left to him."""
    stmt = sa.select(MARKET_HOLD).where(_HELD, _H.expires_at <= now).order_by(_H.expires_at, _H.id).limit(most)
    return [_hold(row) for row in await tx.all(stmt.with_for_update(skip_locked=True))]


_END = prepared(
    sa.update(MARKET_HOLD)
    .where(_H.id == sa.any_(sa.bindparam("ids", type_=_TEXTS)))
    .values(state=sa.bindparam("ending", type_=sa.Text), ended_at=sa.bindparam("now", type_=_H.ended_at.type))
)


async def end_holds(tx: Tx, ids: Sequence[str], state: RoomState, now: datetime) -> None:
    """End holds that are locked."""
    await tx.run(_END, ids=list(ids), ending=state.value, now=now)


_GIVEN = (
    sa.func.unnest(
        sa.bindparam("scopes", type_=_TEXTS),
        sa.bindparam("ats", type_=sa.ARRAY(sa.DateTime(timezone=True))),
        sa.bindparam("prices", type_=sa.ARRAY(sa.BigInteger)),
    )
    .table_valued(
        sa.column("scope", sa.Text), sa.column("at", sa.DateTime(timezone=True)), sa.column("price", sa.BigInteger)
    )
    .render_derived("given")
)
_INSIDE = sa.and_(_L.scope == _GIVEN.c.scope, _L.starts <= _GIVEN.c.at, _L.ends > _GIVEN.c.at)
_LOCK_WINDOWS = prepared(
    sa.select(_L.starts)
    .select_from(LIMIT_USE.join(_GIVEN, _INSIDE))
    .order_by(_L.scope, _L.per, _L.starts)
    .with_for_update(of=LIMIT_USE)
)
_SUMS = (
    sa.select(
        _L.scope.label("scope"),
        _L.per.label("per"),
        _L.starts.label("starts"),
        sa.func.count().label("leads"),
        sa.cast(sa.func.sum(_GIVEN.c.price), sa.BigInteger).label("spend"),
    )
    .select_from(LIMIT_USE.join(_GIVEN, _INSIDE))
    .group_by(_L.scope, _L.per, _L.starts)
    .subquery("gone")
)
_RELEASE = prepared(
    sa.update(LIMIT_USE)
    .values(leads=_L.leads - _SUMS.c.leads, spend=_L.spend - _SUMS.c.spend)
    .where(_L.scope == _SUMS.c.scope, _L.per == _SUMS.c.per, _L.starts == _SUMS.c.starts)
)


async def release_rooms(tx: Tx, holds: Sequence[RoomHold]) -> None:
    """Take holds out of every window that they count in."""
    given = {
        "scopes": [order_scope(hold.order_id) for hold in holds],
        "ats": [hold.at for hold in holds],
        "prices": [hold.price.amount for hold in holds],
    }
    await tx.all(_LOCK_WINDOWS, **given)
    await tx.run(_RELEASE, **given)


async def leaked_holds(tx: Tx, before: datetime) -> list[RoomHold]:
    """Holds that still stand although they should have ended before a moment."""
    rows = await tx.all(sa.select(MARKET_HOLD).where(_HELD, _H.expires_at < before).order_by(_H.expires_at, _H.id))
    return [_hold(row) for row in rows]


async def held_money(tx: Tx) -> dict[str, int]:
    """What the standing holds set aside of each limited account, in minor units, by the ids of the holds."""
    rows = await tx.all(sa.select(_H.id, _H.price).where(_HELD, _H.account.is_not(None)).order_by(_H.id))
    return {row["id"]: row["price"] for row in rows}


def _hold(row: Row) -> RoomHold:
    return RoomHold(
        id=row["id"],
        order_id=row["order_id"],
        account=row["account"],
        price=Money(row["price"], row["currency"]),
        at=row["at"],
        expires_at=row["expires_at"],
        state=RoomState(row["state"]),
    )

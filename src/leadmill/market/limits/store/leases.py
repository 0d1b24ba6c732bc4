"""Reads and writes of shares of limits.

Called by the cap book, with the counters locked, and by the upkeep of ``Counters``. Rows of shares are always locked
after counters and accounts, in the order of their keys; only a process's own transactions consume from its rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.market.limits.store.counters import USED, Limits, columns_of, keyed_rows, lock_counters
from leadmill.market.limits.tally import Key
from leadmill.market.model import Per
from leadmill.market.tables import LEASE_HOLDER, LIMIT_LEASE, LIMIT_USE
from leadmill.runtime.db import Row, Tx, prepared

_E = LIMIT_LEASE.c
_L = LIMIT_USE.c

_MINE = keyed_rows("mine", *USED)
_THEIRS = keyed_rows("theirs")


def _same(left: sa.FromClause, right: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(left.c.scope == right.c.scope, left.c.per == right.c.per, left.c.starts == right.c.starts)


_LOCKED = (
    sa.select(_E.scope, _E.per, _E.starts, _E.holder, _MINE.c.leads, _MINE.c.spend)
    .join_from(LIMIT_LEASE, _MINE, _same(LIMIT_LEASE, _MINE))
    .where(_E.holder == sa.bindparam("holder", type_=sa.Text))
    .order_by(_E.scope, _E.per, _E.starts)
    .with_for_update(of=LIMIT_LEASE)
    .cte("locked")
)
_USE = prepared(
    sa.update(LIMIT_LEASE)
    .values(used_leads=_E.used_leads + _LOCKED.c.leads, used_spend=_E.used_spend + _LOCKED.c.spend)
    .where(
        _same(LIMIT_LEASE, _LOCKED),
        _E.holder == _LOCKED.c.holder,
        sa.or_(sa.not_(_E.of_leads), _E.used_leads + _LOCKED.c.leads <= _E.granted_leads),
        sa.or_(sa.not_(_E.of_spend), _E.used_spend + _LOCKED.c.spend <= _E.granted_spend),
    )
)


async def use_leases(tx: Tx, holder: str, used: Mapping[Key, tuple[int, int]], spent: Callable[[], None]) -> None:
    """Consume leads and minor units of a process's shares, with the last changes of the transaction. ``spent`` is
    called, and must raise, where a share is gone or would not cover it."""
    keys = sorted(used, key=_order)
    given = columns_of(keys) | {"leads": [used[key][0] for key in keys], "spends": [used[key][1] for key in keys]}

    def check(changed: int) -> None:
        if changed != len(keys):
            spent()

    await tx.last(_USE, check, holder=holder, **given)


_UNUSED = prepared(
    sa.select(
        _E.scope,
        _E.per,
        _E.starts,
        sa.cast(sa.func.sum(_E.granted_leads - _E.used_leads), sa.BigInteger).label("leads"),
        sa.cast(sa.func.sum(_E.granted_spend - _E.used_spend), sa.BigInteger).label("spend"),
    )
    .join_from(LIMIT_LEASE, _THEIRS, _same(LIMIT_LEASE, _THEIRS))
    .group_by(_E.scope, _E.per, _E.starts)
)


async def unused_shares(tx: Tx, keys: Sequence[Key]) -> dict[Key, tuple[int, int]]:
    """What all shares of these windows hold that is not used: leads and minor units, to be taken off the counter for
    what was really used. Windows without a share are left out."""
    return {_key(row): (row["leads"], row["spend"]) for row in await tx.all(_UNUSED, **columns_of(keys))}


_ORDERED = (
    sa.select(_E.scope, _E.per, _E.starts, _E.holder)
    .join_from(LIMIT_LEASE, _THEIRS, _same(LIMIT_LEASE, _THEIRS))
    .where(sa.or_(sa.bindparam("holder", type_=sa.Text).is_(None), _E.holder == sa.bindparam("holder", type_=sa.Text)))
    .order_by(_E.scope, _E.per, _E.starts, _E.holder)
    .with_for_update(of=LIMIT_LEASE)
    .cte("ordered")
)
_GONE = (
    sa.delete(LIMIT_LEASE)
    .where(_same(LIMIT_LEASE, _ORDERED), _E.holder == _ORDERED.c.holder)
    .returning(
        _E.scope,
        _E.per,
        _E.starts,
        (_E.granted_leads - _E.used_leads).label("leads"),
        (_E.granted_spend - _E.used_spend).label("spend"),
    )
    .cte("gone")
)
_SUM = (
    sa.select(
        _GONE.c.scope,
        _GONE.c.per,
        _GONE.c.starts,
        sa.cast(sa.func.sum(_GONE.c.leads), sa.BigInteger).label("leads"),
        sa.cast(sa.func.sum(_GONE.c.spend), sa.BigInteger).label("spend"),
    )
    .group_by(_GONE.c.scope, _GONE.c.per, _GONE.c.starts)
    .subquery("unused")
)
_CALL_IN = prepared(
    sa.update(LIMIT_USE)
    .values(leads=_L.leads - _SUM.c.leads, spend=_L.spend - _SUM.c.spend)
    .where(_same(LIMIT_USE, _SUM))
    .returning(_L.scope, _L.per, _L.starts, _L.leads, _L.spend)
)


async def call_in(tx: Tx, keys: Sequence[Key], holder: str | None = None) -> dict[Key, tuple[int, int]]:
    """End the shares of windows whose counters are locked, of one process or of all; what those counters then say.

    A process that is selling from one at this moment is waited for; one that commits later finds its share gone.
    """
    rows = await tx.all(_CALL_IN, holder=holder, **columns_of(keys))
    return {_key(row): (row["leads"], row["spend"]) for row in rows}


_GRANTS = keyed_rows(
    "granted",
    ("ends", "ends", sa.DateTime(timezone=True)),
    *USED,
    ("of_leads", "of_leads", sa.Boolean()),
    ("of_spends", "of_spend", sa.Boolean()),
)
_INSERT = insert(LIMIT_LEASE).from_select(
    [
        "scope",
        "per",
        "starts",
        "holder",
        "ends",
        "granted_leads",
        "granted_spend",
        "used_leads",
        "used_spend",
        "of_leads",
        "of_spend",
    ],
    sa.select(
        _GRANTS.c.scope,
        _GRANTS.c.per,
        _GRANTS.c.starts,
        sa.bindparam("holder", type_=sa.Text),
        _GRANTS.c.ends,
        _GRANTS.c.leads,
        _GRANTS.c.spend,
        sa.literal_column("0"),
        sa.literal_column("0"),
        _GRANTS.c.of_leads,
        _GRANTS.c.of_spend,
    )
    .select_from(_GRANTS)
    .order_by(_GRANTS.c.scope, _GRANTS.c.per, _GRANTS.c.starts),
)
_GRANT = prepared(
    _INSERT.on_conflict_do_update(
        index_elements=[_E.scope, _E.per, _E.starts, _E.holder],
        set_={
            "granted_leads": _E.granted_leads + _INSERT.excluded.granted_leads,
            "granted_spend": _E.granted_spend + _INSERT.excluded.granted_spend,
            "of_leads": _INSERT.excluded.of_leads,
            "of_spend": _INSERT.excluded.of_spend,
        },
    )
)


async def grant_shares(
    tx: Tx,
    holder: str,
    grants: Mapping[Key, tuple[int, int]],
    limits: Mapping[Key, Limits],
    ends: Mapping[Key, datetime],
) -> None:
    """Write shares that their locked counters have been moved by."""
    keys = sorted(grants, key=_order)
    await tx.run(
        _GRANT,
        holder=holder,
        **columns_of(keys),
        ends=[ends[key] for key in keys],
        leads=[grants[key][0] for key in keys],
        spends=[grants[key][1] for key in keys],
        of_leads=[limits[key][0] is not None for key in keys],
        of_spends=[limits[key][1] is not None for key in keys],
    )


async def retire_shares(tx: Tx, holder: str, ended_by: datetime | None = None) -> None:
    """End a process's shares, or only those of windows that have ended, and give back what is unused."""
    stmt = sa.select(_E.scope, _E.per, _E.starts).where(_E.holder == holder)
    if ended_by is not None:
        stmt = stmt.where(_E.ends <= ended_by)
    keys = [_key(row) for row in await tx.all(stmt)]
    if keys:
        await lock_counters(tx, keys)
        await call_in(tx, keys, holder)


async def beat(tx: Tx, holder: str, now: datetime) -> None:
    """Say that a process is alive."""
    said = insert(LEASE_HOLDER).values(id=holder, seen_at=now)
    await tx.run(said.on_conflict_do_update(index_elements=[LEASE_HOLDER.c.id], set_={"seen_at": now}))


async def holders(tx: Tx, since: datetime) -> int:
    """How many processes were heard of since then."""
    row = await tx.one(sa.select(sa.func.count().label("count")).where(LEASE_HOLDER.c.seen_at >= since))
    return int(row["count"]) if row else 0


async def silent_holders(tx: Tx, since: datetime, others: Iterable[str] = ()) -> list[str]:
    """The processes among all that hold shares, and ``others``, that were not heard of since then."""
    known = {row["holder"] for row in await tx.all(sa.select(_E.holder).distinct())} | set(others)
    rows = await tx.all(sa.select(LEASE_HOLDER))
    alive = {row["id"] for row in rows if row["seen_at"] >= since}
    return sorted((known | {row["id"] for row in rows}) - alive)


async def forget_holder(tx: Tx, holder: str) -> None:
    """Strike a process off, whose shares have ended."""
    await tx.run(sa.delete(LEASE_HOLDER).where(LEASE_HOLDER.c.id == holder))


def _key(row: Row) -> Key:
    return row["scope"], Per(row["per"]), row["starts"]


def _order(key: Key) -> tuple[str, str, datetime]:
    return key[0], key[1].value, key[2]

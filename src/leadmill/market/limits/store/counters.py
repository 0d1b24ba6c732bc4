"""Reads and writes of the counters of limits.

Called by the verbs and the cap book. Counters are always inserted and locked in the order of their keys and before
any account of the ledger, so that transactions wait in line and never in a ring.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.market.limits.tally import Key
from leadmill.market.model import Per
from leadmill.market.tables import LIMIT_LEASE, LIMIT_USE, MARKET_HOLD, SALE
from leadmill.runtime.db import Row, Tx, prepared

_S = SALE.c
_L = LIMIT_USE.c
_H = MARKET_HOLD.c
_E = LIMIT_LEASE.c
_CANCELLED: sa.ColumnElement[str] = sa.literal_column("'cancelled'")
"""The state of legs that no longer count in their windows."""

_TEXTS = sa.ARRAY(sa.Text)

Limits = tuple[int | None, int | None]
"""The limits of a window in leads and in minor units."""


_Column = tuple[str, str, "sa.types.TypeEngine[Any]"]
_TIME = sa.DateTime(timezone=True)
_KEY: tuple[_Column, ...] = (("scopes", "scope", sa.Text()), ("pers", "per", sa.Text()), ("starts", "starts", _TIME))
USED: tuple[_Column, ...] = (("leads", "leads", sa.BigInteger()), ("spends", "spend", sa.BigInteger()))
"""What of a window is used, for :func:`keyed_rows`."""


def keyed_rows(name: str, *more: _Column) -> sa.TableValuedAlias:
    """Rows given with a statement, a window's key and ``more`` columns in each: parameter, column and type."""
    columns = (*_KEY, *more)
    given = [sa.bindparam(parameter, type_=sa.ARRAY(kind)) for parameter, _, kind in columns]
    named = [sa.column(column, kind) for _, column, kind in columns]
    return sa.func.unnest(*given).table_valued(*named).render_derived(name)


_WANTED = keyed_rows("wanted")
_LOCK = prepared(
    sa.select(_L.scope, _L.per, _L.starts, _L.leads, _L.spend)
    .join_from(
        LIMIT_USE,
        _WANTED,
        sa.and_(_L.scope == _WANTED.c.scope, _L.per == _WANTED.c.per, _L.starts == _WANTED.c.starts),
    )
    .order_by(_L.scope, _L.per, _L.starts)
    .with_for_update(of=LIMIT_USE)
)


async def lock_counters(tx: Tx, keys: Sequence[Key]) -> dict[Key, tuple[int, int]]:
    """The counters that exist among ``keys``, locked until the transaction ends."""
    rows = await tx.all(_LOCK, **columns_of(keys))
    return {(row["scope"], Per(row["per"]), row["starts"]): (row["leads"], row["spend"]) for row in rows}


_UNUSED = (
    sa.select(
        sa.cast(sa.func.coalesce(sa.func.sum(_E.granted_leads - _E.used_leads), 0), sa.BigInteger).label("leads"),
        sa.cast(sa.func.coalesce(sa.func.sum(_E.granted_spend - _E.used_spend), 0), sa.BigInteger).label("spend"),
    )
    .where(_E.scope == _L.scope, _E.per == _L.per, _E.starts == _L.starts)
    .lateral("unused")
)
"""What processes hold of a counter and have not used."""

_READ = prepared(
    sa.select(
        _L.scope,
        _L.per,
        _L.starts,
        (_L.leads - _UNUSED.c.leads).label("leads"),
        (_L.spend - _UNUSED.c.spend).label("spend"),
    ).select_from(
        LIMIT_USE.join(
            _WANTED, sa.and_(_L.scope == _WANTED.c.scope, _L.per == _WANTED.c.per, _L.starts == _WANTED.c.starts)
        ).join(_UNUSED, sa.true())
    )
)


async def read_counters(tx: Tx, keys: Sequence[Key]) -> dict[Key, tuple[int, int]]:
    """What was used of the counters that exist among ``keys``, as it was last committed."""
    rows = await tx.all(_READ, **columns_of(keys))
    return {(row["scope"], Per(row["per"]), row["starts"]): (row["leads"], row["spend"]) for row in rows}


def columns_of(keys: Sequence[Key]) -> dict[str, list[object]]:
    """Keys column by column, as the statements that join them take them."""
    return {
        "scopes": [key[0] for key in keys],
        "pers": [key[1].value for key in keys],
        "starts": [key[2] for key in keys],
    }


def _counted(
    scope: sa.ColumnElement[str], starts: sa.ColumnElement[datetime], ends: sa.ColumnElement[datetime]
) -> sa.FromClause:
    """Leads and money of the sales that fall into a window of an order or, in-house, of a rep, and of what is held for
    an order in it."""
    name = sa.func.substr(scope, sa.func.strpos(scope, ":") + 1)
    inside = sa.and_(_S.at >= starts, _S.at < ends)
    of_order = sa.and_(sa.func.starts_with(scope, "order:"), _S.order_id == name, inside)
    of_rep = sa.and_(
        sa.func.starts_with(scope, "rep:"),
        _S.team_id == sa.func.split_part(name, "/", 1),
        _S.rep_id == sa.func.split_part(name, "/", 2),
        inside,
    )
    held = sa.and_(
        _H.state == sa.literal_column("'held'"),
        sa.func.starts_with(scope, "order:"),
        _H.order_id == name,
        _H.at >= starts,
        _H.at < ends,
    )
    held_leads = sa.select(sa.func.count()).select_from(MARKET_HOLD).where(held).correlate_except(MARKET_HOLD)
    held_money = sa.select(sa.func.coalesce(sa.func.sum(_H.price), 0)).where(held).correlate_except(MARKET_HOLD)
    total = sa.func.coalesce(sa.func.sum(_S.price), 0) + held_money.scalar_subquery()
    return (
        sa.select(
            (sa.func.count() + held_leads.scalar_subquery()).label("leads"),
            sa.cast(total, sa.BigInteger).label("spend"),
        )
        .select_from(SALE)
        .where(sa.or_(of_order, of_rep), _S.state != _CANCELLED)
        .lateral("counted")
    )


_NEW = keyed_rows("fresh", ("ends", "ends", _TIME))
_NEW_COUNT = _counted(_NEW.c.scope, _NEW.c.starts, _NEW.c.ends)
_KNOWN = (
    sa.select(sa.literal(1))
    .select_from(LIMIT_USE)
    .where(_L.scope == _NEW.c.scope, _L.per == _NEW.c.per, _L.starts == _NEW.c.starts)
    .exists()
)
_OPEN = prepared(
    insert(LIMIT_USE)
    .from_select(
        ["scope", "per", "starts", "ends", "leads", "spend"],
        sa.select(_NEW.c.scope, _NEW.c.per, _NEW.c.starts, _NEW.c.ends, _NEW_COUNT.c.leads, _NEW_COUNT.c.spend)
        .select_from(_NEW.join(_NEW_COUNT, sa.true()))
        .where(sa.not_(_KNOWN))
        .order_by(sa.collate(_NEW.c.scope, "C"), sa.collate(_NEW.c.per, "C"), _NEW.c.starts),
    )
    .on_conflict_do_nothing()
)


_OPENING = 0x6C6D
"""The class of the advisory locks that keep opening and releasing apart."""
_SLOTS = 64
"""Scopes share so many of them: a lock each would fill the server's table of locks at the turn of an hour."""
_SLOT = sa.func.unnest(sa.bindparam("slots", type_=sa.ARRAY(sa.Integer))).table_valued("slot").render_derived("at")
_MAY_OPEN = prepared(sa.select(sa.func.pg_advisory_xact_lock_shared(_OPENING, _SLOT.c.slot)))
_NONE_OPENS = prepared(sa.select(sa.func.pg_advisory_xact_lock(_OPENING, _SLOT.c.slot)))


def _slots(scopes: Iterable[str]) -> list[int]:
    return sorted({crc32(scope.encode()) % _SLOTS for scope in scopes})


async def open_counters(tx: Tx, windows: Mapping[Key, datetime]) -> None:
    """Make the counters that are missing, each beginning with what the sales of its window say; ``windows`` maps a
    counter to the window's end. Nothing may be locked yet: it waits for whoever makes the same ones."""
    keys = sorted(windows, key=_order)
    await tx.all(_MAY_OPEN, slots=_slots(key[0] for key in keys))
    await tx.run(_OPEN, **columns_of(keys), ends=[windows[key] for key in keys])


async def bar_opening(tx: Tx, scopes: Iterable[str]) -> None:
    """See to it that nobody opens a counter of these scopes until the transaction ends.

    To be called before a sale or a hold ends, and before any counter is locked. Otherwise a counter that was forgotten
    (its order changed) may be opened by another transaction that still counts what ends here, while nothing is there
    yet to take it out of; it would say one too many from then on."""
    await tx.all(_NONE_OPENS, slots=_slots(scopes))


def _order(key: Key) -> tuple[str, str, datetime]:
    return key[0], key[1].value, key[2]


_COUNT = sa.select(_NEW.c.scope, _NEW.c.per, _NEW.c.starts, _NEW_COUNT.c.leads, _NEW_COUNT.c.spend).select_from(
    _NEW.join(_NEW_COUNT, sa.true())
)


async def count_sales(tx: Tx, windows: Mapping[Key, datetime]) -> dict[Key, tuple[int, int]]:
    """What the sales of these windows add up to, for counters that nobody has opened."""
    keys = list(windows)
    rows = await tx.all(_COUNT, **columns_of(keys), ends=[windows[key] for key in keys])
    return {_key(row): (row["leads"], row["spend"]) for row in rows}


_MOVES = keyed_rows(
    "move",
    *USED,
    ("leads_limits", "leads_limit", sa.BigInteger()),
    ("spend_limits", "spend_limit", sa.BigInteger()),
)
_SETTLE = prepared(
    sa.update(LIMIT_USE)
    .values(
        leads=_L.leads + _MOVES.c.leads,
        spend=_L.spend + _MOVES.c.spend,
        leads_limit=_MOVES.c.leads_limit,
        spend_limit=_MOVES.c.spend_limit,
    )
    .where(_L.scope == _MOVES.c.scope, _L.per == _MOVES.c.per, _L.starts == _MOVES.c.starts)
)


async def move_counters(tx: Tx, moves: Mapping[Key, tuple[int, int]], limits: Mapping[Key, Limits]) -> None:
    """Add leads and minor units to counters that are locked, with the limits they were counted under; with the last
    changes of the transaction."""
    if not moves:
        return
    keys = list(moves)
    await tx.last(
        _SETTLE,
        **columns_of(keys),
        leads=[moves[key][0] for key in keys],
        spends=[moves[key][1] for key in keys],
        leads_limits=[limits[key][0] for key in keys],
        spend_limits=[limits[key][1] for key in keys],
    )


async def release(tx: Tx, scope: str, at: datetime, spend: int) -> None:
    """Take a lead and its price out of every window of a scope that holds ``at``."""
    inside = sa.and_(_L.scope == scope, _L.starts <= at, _L.ends > at)
    await tx.all(sa.select(_L.starts).where(inside).order_by(_L.scope, _L.per, _L.starts).with_for_update())
    await tx.run(sa.update(LIMIT_USE).values(leads=_L.leads - 1, spend=_L.spend - spend).where(inside))


async def drop_counters(tx: Tx, scopes: Sequence[str], teams: Sequence[str]) -> None:
    """Forget the counters of these scopes with every share of them, and of these teams' reps; they are counted anew
    when next needed."""
    team = sa.func.split_part(sa.func.split_part(_L.scope, ":", 2), "/", 1)
    theirs = sa.or_(
        _L.scope == sa.any_(sa.literal(list(scopes), _TEXTS)),
        sa.and_(sa.func.starts_with(_L.scope, "rep:"), team == sa.any_(sa.literal(list(teams), _TEXTS))),
    )
    await tx.all(sa.select(_L.starts).where(theirs).order_by(_L.scope, _L.per, _L.starts).with_for_update())
    await tx.run(sa.delete(LIMIT_USE).where(theirs))
    await tx.run(sa.delete(LIMIT_LEASE).where(_E.scope == sa.any_(sa.literal(list(scopes), _TEXTS))))


async def wrong_counters(tx: Tx) -> list[tuple[Key, tuple[int, int], tuple[int, int]]]:
    """Counters that differ, unused shares left out, from the sales of their window: the counter, what it says, what
    the sales say."""
    count = _counted(_L.scope, _L.starts, _L.ends)
    leads, spend = _L.leads - _UNUSED.c.leads, _L.spend - _UNUSED.c.spend
    stmt = sa.select(
        _L.scope,
        _L.per,
        _L.starts,
        leads.label("leads"),
        spend.label("spend"),
        count.c.leads.label("real_leads"),
        count.c.spend.label("real_spend"),
    ).select_from(LIMIT_USE.join(count, sa.true()).join(_UNUSED, sa.true()))
    rows = await tx.all(
        stmt.where(sa.or_(count.c.leads != leads, count.c.spend != spend)).order_by(_L.scope, _L.starts)
    )
    return [(_key(row), (row["leads"], row["spend"]), (row["real_leads"], row["real_spend"])) for row in rows]


async def overrun_counters(tx: Tx) -> list[tuple[Key, tuple[int, int], Limits]]:
    """Counters above the limits that they were last counted under, shares included: nobody may be able to sell more."""
    over = sa.or_(_L.leads > _L.leads_limit, _L.spend > _L.spend_limit)
    rows = await tx.all(sa.select(LIMIT_USE).where(over).order_by(_L.scope, _L.starts))
    return [(_key(row), (row["leads"], row["spend"]), (row["leads_limit"], row["spend_limit"])) for row in rows]


def _key(row: Row) -> Key:
    return row["scope"], Per(row["per"]), row["starts"]

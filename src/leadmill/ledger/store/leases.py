"""Reads and writes of shares of accounts.

Called by the verbs of ``leases``. Rows of shares are locked after the accounts, in the order of their keys.
"""

from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.ledger.model import Guard
from leadmill.ledger.tables import ACCOUNT_LEASE, ACCOUNT_LIMIT
from leadmill.runtime.db import Tx, prepared

_E = ACCOUNT_LEASE.c
_A = ACCOUNT_LIMIT.c
_TEXTS = sa.ARRAY(sa.Text)
_NUMBERS = sa.ARRAY(sa.BigInteger)

_MINE = (
    sa.func.unnest(
        sa.bindparam("accounts", type_=_TEXTS),
        sa.bindparam("spent", type_=_NUMBERS),
        sa.bindparam("moved", type_=_NUMBERS),
    )
    .table_valued(sa.column("account", sa.Text), sa.column("spent", sa.BigInteger), sa.column("moved", sa.BigInteger))
    .render_derived("mine")
)
_LOCKED = (
    sa.select(_E.account, _E.holder, _MINE.c.spent, _MINE.c.moved)
    .join_from(ACCOUNT_LEASE, _MINE, _E.account == _MINE.c.account)
    .where(_E.holder == sa.bindparam("holder", type_=sa.Text))
    .order_by(_E.account)
    .with_for_update(of=ACCOUNT_LEASE)
    .cte("locked")
)
_USE = prepared(
    sa.update(ACCOUNT_LEASE)
    .values(used=_E.used + _LOCKED.c.spent, granted=_E.granted - _LOCKED.c.moved)
    .where(
        _E.account == _LOCKED.c.account,
        _E.holder == _LOCKED.c.holder,
        _E.used + _LOCKED.c.spent + _LOCKED.c.moved <= _E.granted,
    )
)


async def use(
    tx: Tx, holder: str, spent: Mapping[str, int], moved: Mapping[str, int], uncovered: Callable[[], None]
) -> None:
    """Spend money of a process's shares, and move some into holds, which count as held already, with the last changes
    of the transaction; ``uncovered`` is called where a share is gone or would not cover it."""
    accounts = sorted(spent.keys() | moved.keys())

    def check(changed: int) -> None:
        if changed != len(accounts):
            uncovered()

    await tx.last(
        _USE,
        check,
        holder=holder,
        accounts=accounts,
        spent=[spent.get(account, 0) for account in accounts],
        moved=[moved.get(account, 0) for account in accounts],
    )


_UNUSED = prepared(
    sa.select(_E.account, sa.cast(sa.func.sum(_E.granted - _E.used), sa.BigInteger).label("unused"))
    .where(_E.account == sa.any_(sa.bindparam("accounts", type_=_TEXTS)))
    .group_by(_E.account)
)


async def unused(tx: Tx, accounts: Sequence[str]) -> dict[str, int]:
    """What all shares of some accounts hold that is not spent, in minor units; accounts without a share are left
    out."""
    return {row["account"]: row["unused"] for row in await tx.all(_UNUSED, accounts=list(accounts))}


_ORDERED = (
    sa.select(_E.account, _E.holder)
    .where(
        _E.account == sa.any_(sa.bindparam("accounts", type_=_TEXTS)),
        sa.or_(sa.bindparam("holder", type_=sa.Text).is_(None), _E.holder == sa.bindparam("holder", type_=sa.Text)),
    )
    .order_by(_E.account, _E.holder)
    .with_for_update()
    .cte("ordered")
)
_GONE = (
    sa.delete(ACCOUNT_LEASE)
    .where(_E.account == _ORDERED.c.account, _E.holder == _ORDERED.c.holder)
    .returning(_E.account, _E.granted, _E.used)
    .cte("gone")
)
_SUM = (
    sa.select(
        _GONE.c.account,
        sa.cast(sa.func.sum(_GONE.c.granted), sa.BigInteger).label("granted"),
        sa.cast(sa.func.sum(_GONE.c.used), sa.BigInteger).label("used"),
    )
    .group_by(_GONE.c.account)
    .subquery("ended")
)
_CALL_IN = prepared(
    sa.update(ACCOUNT_LIMIT)
    .values(balance=_A.balance - _SUM.c.used, held=_A.held - _SUM.c.granted)
    .where(_A.account == _SUM.c.account)
    .returning(_A.account, _A.currency, _A.balance, _A.floor, _A.held)
)


async def call_in(tx: Tx, accounts: Sequence[str], holder: str | None) -> dict[str, Guard]:
    """End shares of locked accounts, of one process or of all: what was spent leaves the balance, the rest is free
    again. The accounts that had any, as they stand now."""
    rows = await tx.all(_CALL_IN, accounts=list(accounts), holder=holder)
    return {
        row["account"]: Guard(row["account"], row["currency"], row["balance"], row["floor"], row["held"])
        for row in rows
    }


_GRANTS = (
    sa.func.unnest(sa.bindparam("accounts", type_=_TEXTS), sa.bindparam("amounts", type_=_NUMBERS))
    .table_valued(sa.column("account", sa.Text), sa.column("amount", sa.BigInteger))
    .render_derived("given")
)
_INSERT = insert(ACCOUNT_LEASE).from_select(
    ["account", "holder", "granted", "used"],
    sa.select(
        _GRANTS.c.account, sa.bindparam("holder", type_=sa.Text), _GRANTS.c.amount, sa.literal_column("0")
    ).select_from(_GRANTS),
)
_GRANT = prepared(
    _INSERT.on_conflict_do_update(
        index_elements=[_E.account, _E.holder], set_={"granted": _E.granted + _INSERT.excluded.granted}
    )
)


async def grant(tx: Tx, holder: str, amounts: Mapping[str, int]) -> None:
    """Write shares; what is held of their locked accounts is moved by whoever calls."""
    accounts = sorted(amounts)
    await tx.run(_GRANT, holder=holder, accounts=accounts, amounts=[amounts[account] for account in accounts])


async def accounts_of(tx: Tx, holder: str) -> list[str]:
    """The accounts that a process holds shares of."""
    rows = await tx.all(sa.select(_E.account).where(_E.holder == holder).order_by(_E.account))
    return [row["account"] for row in rows]


async def all_holders(tx: Tx) -> list[str]:
    """Every process that holds a share."""
    return [row["holder"] for row in await tx.all(sa.select(_E.holder).distinct())]

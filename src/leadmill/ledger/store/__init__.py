"""Every read and write of the book's tables.

Called by the verbs of this package. Guarded rows are always locked in the order of their accounts, so that two
transactions never wait for each other; whoever also locks limits of the market locks those first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.core.money import Money
from leadmill.ledger.model import Guard, HoldState, MoneyHold, Posting
from leadmill.ledger.tables import ACCOUNT_LEASE, ACCOUNT_LIMIT, MONEY_HOLD, POSTING
from leadmill.runtime.db import Row, Tx, prepared

_TEXTS = sa.ARRAY(sa.Text)
_P = POSTING.c
_A = ACCOUNT_LIMIT.c
_H = MONEY_HOLD.c
_E = ACCOUNT_LEASE.c


def add_posting(tx: Tx, posting: Posting) -> None:
    """Write a posting; moves no guarded balance."""
    tx.add(
        POSTING,
        posting.id,
        posting.at,
        posting.debit,
        posting.credit,
        posting.amount.amount,
        posting.amount.currency,
        posting.kind,
        posting.ref,
        posting.group,
    )


_LOCK = prepared(
    sa.select(_A.account, _A.currency, _A.balance, _A.floor, _A.held)
    .where(_A.account == sa.any_(sa.bindparam("accounts", type_=_TEXTS)))
    .order_by(_A.account)
    .with_for_update()
)


async def lock(tx: Tx, accounts: Sequence[str]) -> dict[str, Guard]:
    """The guarded ones among some accounts, locked until the transaction ends."""
    return {row["account"]: _guard(row) for row in await tx.all(_LOCK, accounts=list(accounts))}


_MOVES = (
    sa.func.unnest(sa.bindparam("accounts", type_=_TEXTS), sa.bindparam("changes", type_=sa.ARRAY(sa.BigInteger)))
    .table_valued(sa.column("account", sa.Text), sa.column("change", sa.BigInteger))
    .render_derived("move")
)
_MOVE = prepared(
    sa.update(ACCOUNT_LIMIT).values(balance=_A.balance + _MOVES.c.change).where(_A.account == _MOVES.c.account)
)
_MOVE_HELD = prepared(
    sa.update(ACCOUNT_LIMIT).values(held=_A.held + _MOVES.c.change).where(_A.account == _MOVES.c.account)
)


_SETTLES = (
    sa.func.unnest(
        sa.bindparam("accounts", type_=_TEXTS),
        sa.bindparam("changes", type_=sa.ARRAY(sa.BigInteger)),
        sa.bindparam("helds", type_=sa.ARRAY(sa.BigInteger)),
    )
    .table_valued(sa.column("account", sa.Text), sa.column("change", sa.BigInteger), sa.column("held", sa.BigInteger))
    .render_derived("settled")
)
_SETTLE = prepared(
    sa.update(ACCOUNT_LIMIT)
    .values(balance=_A.balance + _SETTLES.c.change, held=_A.held + _SETTLES.c.held)
    .where(_A.account == _SETTLES.c.account)
)


async def settle(tx: Tx, changes: Mapping[str, int], held: Mapping[str, int]) -> None:
    """Change balances of locked accounts and what is held of them, with the last changes of the transaction; once."""
    accounts = [name for name in sorted(changes.keys() | held.keys()) if changes.get(name) or held.get(name)]
    if accounts:
        await tx.last(
            _SETTLE,
            accounts=accounts,
            changes=[changes.get(name, 0) for name in accounts],
            helds=[held.get(name, 0) for name in accounts],
        )


async def move_balances(tx: Tx, changes: Mapping[str, int]) -> None:
    """Change guarded balances; the rows must be locked."""
    if changes:
        await tx.run(_MOVE, accounts=list(changes), changes=list(changes.values()))


async def move_held(tx: Tx, changes: Mapping[str, int]) -> None:
    """Change what is held of guarded accounts; the rows must be locked."""
    if changes:
        await tx.run(_MOVE_HELD, accounts=list(changes), changes=list(changes.values()))


async def put_guard(tx: Tx, account: str, currency: str, balance: int, floor: int) -> bool:
    """Insert a guarded row; False where there is one already."""
    row = {
        "account": account,
        "currency": currency,
        "balance": balance,
        "floor": floor,
        "lowest_floor": floor,
        "held": 0,
    }
    return await tx.run(insert(ACCOUNT_LIMIT).values(row).on_conflict_do_nothing()) == 1


async def set_floor(tx: Tx, account: str, floor: int) -> None:
    """Change an account's floor; a balance that is below it now stays lawful."""
    await tx.run(
        sa.update(ACCOUNT_LIMIT)
        .values(floor=floor, lowest_floor=sa.func.least(_A.lowest_floor, floor, _A.balance - _A.held))
        .where(_A.account == account)
    )


async def remove_guard(tx: Tx, account: str) -> None:
    """Lift an account's limit."""
    await tx.run(sa.delete(ACCOUNT_LIMIT).where(_A.account == account))


_SHARES = (
    sa.select(
        sa.cast(sa.func.coalesce(sa.func.sum(_E.granted), 0), sa.BigInteger).label("granted"),
        sa.cast(sa.func.coalesce(sa.func.sum(_E.used), 0), sa.BigInteger).label("used"),
    )
    .where(_E.account == _A.account)
    .lateral("shares")
)
_BALANCE = _A.balance - _SHARES.c.used
_HELD = _A.held - _SHARES.c.granted
_GUARDS = (
    sa.select(_A.account, _A.currency, _BALANCE.label("balance"), _A.floor, _HELD.label("held"))
    .select_from(ACCOUNT_LIMIT.join(_SHARES, sa.true()))
    .order_by(_A.account)
)


async def guards(tx: Tx) -> list[Guard]:
    """Every guarded account, what processes have spent of their shares deducted and their unused shares not."""
    return [_guard(row) for row in await tx.all(_GUARDS)]


_GUARDS_OF = prepared(_GUARDS.where(_A.account == sa.any_(sa.bindparam("accounts", type_=sa.ARRAY(sa.Text)))))


async def guards_of(tx: Tx, accounts: Sequence[str]) -> list[Guard]:
    """The same, those of some accounts."""
    return [_guard(row) for row in await tx.all(_GUARDS_OF, accounts=list(accounts))]


async def broken_floors(tx: Tx) -> list[Guard]:
    """Guarded accounts below the lowest floor they ever had."""
    return [_guard(row) for row in await tx.all(_GUARDS.where(_A.lowest_floor > _BALANCE - _HELD))]


def _signed() -> sa.CompoundSelect[Any]:
    return sa.union_all(
        sa.select(_P.debit.label("account"), _P.currency, (-_P.amount).label("change")),
        sa.select(_P.credit.label("account"), _P.currency, _P.amount.label("change")),
    )


async def sums(tx: Tx) -> list[tuple[str, Money]]:
    """The balance of every account in every currency, from the postings, by name."""
    moves = _signed().subquery()
    total = sa.cast(sa.func.sum(moves.c.change), sa.BigInteger).label("total")
    stmt = sa.select(moves.c.account, moves.c.currency, total).group_by(moves.c.account, moves.c.currency)
    rows = await tx.all(stmt.order_by(moves.c.account, moves.c.currency))
    return [(row["account"], Money(row["total"], row["currency"])) for row in rows]


async def sum_of(tx: Tx, account: str, currency: str) -> int:
    """The balance of one account in one currency, from the postings, in minor units."""
    amount = sa.case((_P.credit == account, _P.amount), else_=-_P.amount)
    total = sa.cast(sa.func.coalesce(sa.func.sum(amount), 0), sa.BigInteger).label("total")
    stmt = sa.select(total).where(sa.or_(_P.debit == account, _P.credit == account), _P.currency == currency)
    row = await tx.one(stmt)
    return int(row["total"]) if row else 0


async def turnover(tx: Tx, account: str) -> dict[tuple[str, str], int]:
    """What each other account brought to this one, by account and currency, in minor units; what went back is
    deducted."""
    into = sa.select(_P.debit.label("account"), _P.currency, _P.amount.label("change")).where(_P.credit == account)
    back = sa.select(_P.credit.label("account"), _P.currency, (-_P.amount).label("change")).where(_P.debit == account)
    moves = sa.union_all(into, back).subquery()
    total = sa.cast(sa.func.sum(moves.c.change), sa.BigInteger).label("total")
    rows = await tx.all(sa.select(moves.c.account, moves.c.currency, total).group_by(moves.c.account, moves.c.currency))
    return {(row["account"], row["currency"]): row["total"] for row in rows}


async def postings_on(
    tx: Tx, account: str, since: datetime | None = None, until: datetime | None = None
) -> list[Posting]:
    """The postings that touch an account, oldest first."""
    stmt = sa.select(POSTING).where(sa.or_(_P.debit == account, _P.credit == account))
    if since is not None:
        stmt = stmt.where(_P.at >= since)
    if until is not None:
        stmt = stmt.where(_P.at < until)
    return [_posting(row) for row in await tx.all(stmt.order_by(_P.at, _P.id))]


async def postings_of(tx: Tx, group: str) -> list[Posting]:
    """The postings of one group (a lead, a payment), oldest first."""
    stmt = sa.select(POSTING).where(_P.group == group).order_by(_P.at, _P.id)
    return [_posting(row) for row in await tx.all(stmt)]


async def postings_by_group(tx: Tx, groups: Sequence[str]) -> dict[str, list[Posting]]:
    """The postings of several groups, each group's oldest first."""
    found: dict[str, list[Posting]] = {}
    stmt = sa.select(POSTING).where(_P.group == sa.any_(sa.bindparam("groups", type_=_TEXTS))).order_by(_P.at, _P.id)
    for row in await tx.all(stmt, groups=list(groups)):
        found.setdefault(row["group"], []).append(_posting(row))
    return found


async def put_hold(tx: Tx, hold: MoneyHold) -> None:
    """Write a new hold at once, so that the same transaction may end it."""
    await tx.run(
        sa.insert(MONEY_HOLD).values(
            id=hold.id,
            account=hold.account,
            amount=hold.amount.amount,
            currency=hold.amount.currency,
            expires_at=hold.expires_at,
            state=hold.state.value,
            ref=hold.ref,
        )
    )


def add_hold(tx: Tx, hold: MoneyHold) -> None:
    """Write a new hold with the other rows of the transaction; sets no money aside."""
    tx.add(
        MONEY_HOLD,
        hold.id,
        hold.account,
        hold.amount.amount,
        hold.amount.currency,
        hold.expires_at,
        hold.state.value,
        hold.ref,
    )


_STANDING = prepared(
    sa.select(MONEY_HOLD)
    .where(_H.id == sa.any_(sa.bindparam("ids", type_=_TEXTS)), _H.state == sa.literal_column("'held'"))
    .order_by(_H.account, _H.id)
)


async def standing_holds(tx: Tx, ids: Sequence[str]) -> list[MoneyHold]:
    """Those of some holds that have not ended, by account."""
    return [_hold(row) for row in await tx.all(_STANDING, ids=list(ids))]


async def end_holds(tx: Tx, ids: Sequence[str], state: HoldState) -> list[MoneyHold]:
    """Move holds out of ``held``; those that were still in it."""
    stmt = sa.update(MONEY_HOLD).values(state=state.value)
    ended = stmt.where(_H.id == sa.any_(sa.literal(list(ids), _TEXTS)), _H.state == sa.literal_column("'held'"))
    return [_hold(row) for row in await tx.all(ended.returning(MONEY_HOLD))]


async def holds_for(tx: Tx, ref: str) -> list[MoneyHold]:
    """The holds for one purpose that have not ended."""
    stmt = sa.select(MONEY_HOLD).where(_H.state == sa.literal_column("'held'"), _H.ref == ref)
    return [_hold(row) for row in await tx.all(stmt.order_by(_H.id))]


async def find_hold(tx: Tx, hold_id: str) -> MoneyHold | None:
    """A hold, unlocked; its account never changes."""
    row = await tx.one(sa.select(MONEY_HOLD).where(_H.id == hold_id))
    return _hold(row) if row else None


async def end_hold(tx: Tx, hold_id: str, state: HoldState) -> bool:
    """Move a hold out of ``held``; False where it is not held any more."""
    stmt = sa.update(MONEY_HOLD).values(state=state.value).where(_H.id == hold_id, _H.state == HoldState.HELD.value)
    return await tx.run(stmt) == 1


async def overdue_holds(tx: Tx, now: datetime, most: int) -> list[MoneyHold]:
    """Holds whose time has passed, oldest first, unlocked."""
    stmt = sa.select(MONEY_HOLD).where(_H.state == sa.literal_column("'held'"), _H.expires_at <= now)
    return [_hold(row) for row in await tx.all(stmt.order_by(_H.expires_at, _H.id).limit(most))]


async def held_sums(tx: Tx) -> dict[str, int]:
    """What the open holds of each account add up to."""
    total = sa.cast(sa.func.sum(_H.amount), sa.BigInteger).label("total")
    stmt = sa.select(_H.account, total).where(_H.state == sa.literal_column("'held'")).group_by(_H.account)
    return {row["account"]: row["total"] for row in await tx.all(stmt)}


async def odd_postings(tx: Tx) -> list[str]:
    """Postings that move nothing or move it nowhere; the table's constraint forbids them, a mended file may not."""
    stmt = sa.select(_P.id).where(sa.or_(_P.amount <= 0, _P.debit == _P.credit)).order_by(_P.id)
    return [row["id"] for row in await tx.all(stmt)]


def _guard(row: Row) -> Guard:
    return Guard(row["account"], row["currency"], row["balance"], row["floor"], row["held"])


def _posting(row: Row) -> Posting:
    money = Money(row["amount"], row["currency"])
    return Posting(row["id"], row["at"], row["debit"], row["credit"], money, row["kind"], row["ref"], row["group"])


def _hold(row: Row) -> MoneyHold:
    money = Money(row["amount"], row["currency"])
    return MoneyHold(row["id"], row["account"], money, row["expires_at"], HoldState(row["state"]), row["ref"])

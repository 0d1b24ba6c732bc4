"""Shares of limits from outside of the book: called in where they hide what is left, renewed, ended.

``uncover`` is called by ``Counters`` once a transaction's limits are locked; ``tend`` and ``leave`` by the process that
holds the shares, by the clock and at its end.
"""

from collections.abc import Sequence
from datetime import timedelta

from leadmill.ledger import call_in_funds, fund_holders, retire_funds, unused_funds
from leadmill.market.limits.capbook import CapBook, left_of, limit_of
from leadmill.market.limits.leases import Pool
from leadmill.market.limits.store.leases import (
    beat,
    call_in,
    forget_holder,
    holders,
    retire_shares,
    silent_holders,
    unused_shares,
)
from leadmill.market.limits.tally import Key, order_scope
from leadmill.market.model import Wanted
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database, Tx

SILENT = timedelta(seconds=20)
"""How long a process may be silent before its shares are called in."""


def is_rep(key: Key) -> bool:
    """Whether a counter is a rep's: their turns go by its value, so it is always locked."""
    return key[0].startswith("rep:")


def is_full(key: Key, wanted: Wanted, used: tuple[int, int]) -> bool:
    """Whether a window has no lead left."""
    most = limit_of(key, wanted)[0]
    return most is not None and used[0] >= most


async def uncover(tx: Tx, book: CapBook, keys: Sequence[Key], accounts: Sequence[str]) -> None:
    """See what is really left of locked limits. Shares that others hold unused count as used; where the group may need
    what they hold, they are called in."""
    by_scope = {order_scope(order_id): wanted for order_id, wanted in book.wanted.items()}
    if keys:
        await _uncover_limits(tx, book, keys, by_scope)
    if accounts:
        await _uncover_accounts(tx, book, accounts)


async def _uncover_limits(tx: Tx, book: CapBook, keys: Sequence[Key], by_scope: dict[str, Wanted]) -> None:
    pool, used = book.pool, book.tally.used
    hidden = await unused_shares(tx, keys)
    scarce: list[Key] = []
    for key, (leads, spend) in hidden.items():
        limits = limit_of(key, by_scope[key[0]])
        if key in pool.barred or pool.is_tight(*left_of(limits, used[key]), book.asks):
            scarce.append(key)
        else:
            # A side that is not limited is never granted: all that is known of it is right.
            says = used[key]
            used[key] = (
                (says[0] - leads if limits[0] is None else says[0]),
                (says[1] - spend if limits[1] is None else says[1]),
            )
            if (limits[0] is not None and leads) or (limits[1] is not None and spend):
                book.shared.add(key)
    if scarce:
        used |= await call_in(tx, scarce)
        pool.drop(scarce)
    for key in keys:
        if key not in book.shared and is_full(key, by_scope[key[0]], used[key]):
            pool.mark_full(key)


async def _uncover_accounts(tx: Tx, book: CapBook, accounts: Sequence[str]) -> None:
    pool, funds = book.pool, book.tally.funds
    hidden = await unused_funds(tx, [name for name in accounts if name in funds])
    scarce = [name for name in hidden if name in pool.barred or pool.is_tight(None, funds[name], book.asks)]
    book.shared.update(name for name, amount in hidden.items() if amount and name not in scarce)
    if scarce:
        for name, guard in (await call_in_funds(tx, scarce)).items():
            funds[name] = guard.available
        pool.drop(scarce)


async def tend(db: Database, pool: Pool, clock: Clock, busy: bool) -> None:
    """Keep a process's shares: say that it is alive, count who else is, end shares of windows that are over, and call
    in those of processes that fell silent. One that is not ``busy`` gives its own back.

    To be called every few seconds; nothing is exceeded if it is not."""
    now = clock()
    if busy:
        async with db.begin() as tx:
            await beat(tx, pool.holder, now)
            pool.holders = await holders(tx, now - SILENT)
        pool.active = True
        past = [key for key, lease in pool.limits.items() if lease.ends is not None and lease.ends <= now]
        if past:
            pool.drop(past)
            async with db.begin() as tx:
                await retire_shares(tx, pool.holder, now)
    elif pool.active:
        await leave(db, pool)
    async with db.begin() as tx:
        silent = await silent_holders(tx, now - SILENT, await fund_holders(tx))
    for holder in silent:
        await _strike_off(db, holder)


async def leave(db: Database, pool: Pool) -> None:
    """Give back every share of a process."""
    if not pool.active:
        return
    pool.active = False
    pool.limits.clear()
    pool.accounts.clear()
    await _strike_off(db, pool.holder)


async def _strike_off(db: Database, holder: str) -> None:
    # Two transactions, since accounts are locked before the shares of any window are.
    async with db.begin() as tx:
        await retire_shares(tx, holder)
    async with db.begin() as tx:
        await retire_funds(tx, holder)
        await forget_holder(tx, holder)

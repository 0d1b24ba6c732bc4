"""Shares of limited accounts: money that one process may spend without locking the account.

Called by the market's cap book and by the upkeep of its shares. All that is granted counts as held on the account from
then on, so nobody else can spend it; what is spent leaves the balance when the share ends. Floors therefore hold at
every moment, whatever a process does with its share or dies doing.
"""

from collections.abc import Callable, Mapping, Sequence

from leadmill.ledger import store
from leadmill.ledger.model import Guard
from leadmill.ledger.store import leases
from leadmill.runtime.db import Tx


async def use_funds(
    tx: Tx, holder: str, spent: Mapping[str, int], moved: Mapping[str, int], uncovered: Callable[[], None]
) -> None:
    """Spend money of a process's shares (minor units by account), and move some into holds that whoever calls writes,
    with the last changes of the transaction.

    ``uncovered`` is called, and must raise, where a share is gone or would not cover it."""
    await leases.use(tx, holder, spent, moved, uncovered)


async def unused_funds(tx: Tx, accounts: Sequence[str]) -> dict[str, int]:
    """What all shares of some accounts hold that is not spent, in minor units."""
    return await leases.unused(tx, accounts)


async def grant_funds(tx: Tx, holder: str, amounts: Mapping[str, int]) -> None:
    """Give a process shares of locked accounts, which must have them available."""
    await store.move_held(tx, dict(sorted(amounts.items())))
    await leases.grant(tx, holder, amounts)


async def call_in_funds(tx: Tx, accounts: Sequence[str], holder: str | None = None) -> dict[str, Guard]:
    """End the shares of locked accounts, of one process or of all; the accounts that had any, as they stand now. A
    process that commits later finds its share gone."""
    return await leases.call_in(tx, accounts, holder)


async def retire_funds(tx: Tx, holder: str) -> None:
    """End all shares of a process and give back what is unspent."""
    accounts = await leases.accounts_of(tx, holder)
    if accounts:
        await store.lock(tx, accounts)
        await leases.call_in(tx, accounts, holder)


async def fund_holders(tx: Tx) -> list[str]:
    """Every process that holds a share of an account."""
    return await leases.all_holders(tx)

"""What one may do with the book: post, guard an account, hold money and let it go, read balances, check.

Called by ``billing`` and, for the limits, by the market. Every verb keeps each guarded balance equal to its postings
and never below its floor; one that cannot raises :class:`BadInput` and changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.money import Money
from leadmill.ledger import store
from leadmill.ledger.leases import call_in_funds
from leadmill.ledger.model import Entry, Finding, Guard, HoldState, MoneyHold, Posting
from leadmill.ledger.rules import changes_of, entries
from leadmill.runtime.db import Tx


async def post(tx: Tx, postings: Sequence[Posting], force: bool = False) -> None:
    """Write postings and move the guarded balances that they touch.

    ``force`` writes what must be written although a floor breaks (a clawback, say). Otherwise raises BadInput
    ``ledger.account.short`` where a guarded account cannot bear it; ``ledger.account.currency`` where a guarded
    account is kept in another currency; ``ledger.posting.empty`` for a posting that moves nothing.
    """
    for item in postings:
        if item.amount.amount <= 0 or item.debit == item.credit:
            raise BadInput("ledger.posting.empty", "a posting moves a positive amount between two accounts")
    changes = changes_of(postings)
    touched = sorted({account for account, _ in changes})
    guards = await store.lock(tx, touched) if force else await _lock_whole(tx, touched)
    moves = _moves(changes, guards, force)
    for item in postings:
        store.add_posting(tx, item)
    await store.move_balances(tx, moves)


def _moves(changes: Mapping[tuple[str, str], int], guards: Mapping[str, Guard], force: bool) -> dict[str, int]:
    moves: dict[str, int] = {}
    for (account, currency), change in changes.items():
        guard = guards.get(account)
        if guard is None:
            continue
        if guard.currency != currency:
            raise BadInput("ledger.account.currency", f"{account} is kept in {guard.currency}")
        if change < 0 and guard.available + change < 0 and not force:
            raise BadInput("ledger.account.short", f"{account} has {Money(guard.available, currency)} available")
        moves[account] = change
    return moves


async def guard(tx: Tx, account: str, currency: str, floor: int) -> Guard:
    """Limit an account: its balance less what is held stays at or above ``floor`` (minor units) from now on.

    Sets the floor anew where the account is limited already; a floor above the present balance only stops further
    draws. Raises BadInput ``ledger.account.currency`` where the account is limited in another currency.
    """
    made = await store.put_guard(tx, account, currency, 0, floor)
    found = (await _lock_whole(tx, [account]))[account]
    if found.currency != currency:
        raise BadInput("ledger.account.currency", f"{account} is kept in {found.currency}")
    if made:
        # Others wait for the fresh row from here on, so the sum below is whole.
        await store.move_balances(tx, {account: await store.sum_of(tx, account, currency)})
        await store.set_floor(tx, account, floor)
    elif found.floor != floor:
        await store.set_floor(tx, account, floor)
    return (await store.lock(tx, [account]))[account]


async def unguard(tx: Tx, account: str) -> None:
    """Lift an account's limit. Raises BadInput ``ledger.account.held`` while money of it is held."""
    found = (await _lock_whole(tx, [account])).get(account)
    if found is not None and found.held:
        raise BadInput("ledger.account.held", f"{account} has money held; wait until the holds end")
    await store.remove_guard(tx, account)


async def _lock_whole(tx: Tx, accounts: Sequence[str]) -> dict[str, Guard]:
    """Lock accounts and call in the shares that processes hold of them, so that all that is left is seen."""
    found = await store.lock(tx, accounts)
    return found | await call_in_funds(tx, list(found)) if found else found


async def lock_guards(tx: Tx, accounts: Sequence[str]) -> dict[str, Guard]:
    """The limited ones among ``accounts``, locked in order until the transaction ends. What the market sells
    against."""
    return await store.lock(tx, sorted(accounts))


async def draw(tx: Tx, changes: Mapping[str, int], held: Mapping[str, int] | None = None) -> None:
    """Move balances and what is ``held`` of accounts that :func:`lock_guards` has locked, once for a whole group and
    with the last changes of the transaction; whoever calls writes the postings and holds that explain them in it."""
    await store.settle(tx, changes, held or {})


def keep_posting(tx: Tx, posting: Posting) -> None:
    """Write a posting whose guarded balances :func:`draw` moves."""
    store.add_posting(tx, posting)


def keep_hold(tx: Tx, hold: MoneyHold) -> None:
    """Write a hold whose money :func:`draw` sets aside."""
    store.add_hold(tx, hold)


async def money_holds(tx: Tx, ids: Sequence[str]) -> dict[str, MoneyHold]:
    """Those of some holds that have not ended; none can end before the transaction does where their accounts are
    locked."""
    return {held.id: held for held in await store.standing_holds(tx, ids)}


async def end_money_holds(tx: Tx, ids: Sequence[str], state: HoldState) -> None:
    """End several holds at once and give back what they kept; those that have ended before are passed over."""
    if not ids:
        return
    standing = await store.standing_holds(tx, ids)
    await store.lock(tx, sorted({held.account for held in standing}))
    given: dict[str, int] = {}
    for held in await store.end_holds(tx, ids, state):
        given[held.account] = given.get(held.account, 0) - held.amount.amount
    await store.move_held(tx, given)


async def money_held(tx: Tx, ref: str) -> dict[str, int]:
    """The amounts of the holds for one purpose that have not ended, in minor units, by id."""
    return {held.id: held.amount.amount for held in await store.holds_for(tx, ref)}


async def hold(tx: Tx, hold: MoneyHold) -> None:
    """Set money of a guarded account aside. On an account without a limit it only records the hold.

    Raises BadInput ``ledger.account.short`` where it does not cover it, ``ledger.posting.empty`` for no amount.
    """
    if hold.amount.amount <= 0:
        raise BadInput("ledger.posting.empty", "a hold sets a positive amount aside")
    found = (await _lock_whole(tx, [hold.account])).get(hold.account)
    if found is not None:
        _moves({(hold.account, hold.amount.currency): -hold.amount.amount}, {hold.account: found}, False)
        await store.move_held(tx, {hold.account: hold.amount.amount})
    await store.put_hold(tx, hold)


async def commit_hold(tx: Tx, hold_id: str, posting: Posting) -> bool:
    """End a hold with the posting it was for, which debits the held account with the held amount or less.

    False where the hold has ended before (nothing is written then). Raises NotFound ``ledger.hold.unknown``, BadInput
    ``ledger.hold.mismatch``.
    """
    held = await _held(tx, hold_id)
    amount = posting.amount
    if posting.debit != held.account or amount.currency != held.amount.currency or amount.amount > held.amount.amount:
        raise BadInput(
            "ledger.hold.mismatch", "a hold is committed by a posting from its account of at most its amount"
        )
    if not await _end(tx, held, HoldState.COMMITTED):
        return False
    await post(tx, [posting])
    return True


async def release_hold(tx: Tx, hold_id: str) -> bool:
    """Let a hold go; False where it has ended before. Raises NotFound ``ledger.hold.unknown``."""
    return await _end(tx, await _held(tx, hold_id), HoldState.RELEASED)


async def expire_holds(tx: Tx, now: datetime, most: int = 500) -> int:
    """Let go the holds whose time has passed; how many."""
    overdue = await store.overdue_holds(tx, now, most)
    ended = [
        await _end(tx, held, HoldState.EXPIRED) for held in sorted(overdue, key=lambda held: (held.account, held.id))
    ]
    return sum(ended)


async def _held(tx: Tx, hold_id: str) -> MoneyHold:
    found = await store.find_hold(tx, hold_id)
    if found is None:
        raise NotFound("ledger.hold.unknown", hold_id)
    return found


async def _end(tx: Tx, held: MoneyHold, state: HoldState) -> bool:
    guarded = await store.lock(tx, [held.account])
    if not await store.end_hold(tx, held.id, state):
        return False
    if guarded:
        await store.move_held(tx, {held.account: -held.amount.amount})
    return True


async def balances(tx: Tx) -> dict[str, list[Money]]:
    """The balance of every account, one amount a currency, from the postings."""
    found: dict[str, list[Money]] = {}
    for account, money in await store.sums(tx):
        found.setdefault(account, []).append(money)
    return found


async def statement(tx: Tx, account: str, since: datetime | None = None, until: datetime | None = None) -> list[Entry]:
    """The postings of an account in order, each with the balance after it; ``since`` and ``until`` narrow what is
    returned, the balances are carried from the beginning."""
    return entries(account, await store.postings_on(tx, account, until=until), since)


async def turnover(tx: Tx, account: str) -> dict[tuple[str, str], int]:
    """What each other account brought to this one, by account and currency, in minor units; what went back is
    deducted."""
    return await store.turnover(tx, account)


async def guards(tx: Tx) -> dict[str, Guard]:
    """Every limited account as it stands, unlocked: for pages and reports."""
    return {item.account: item for item in await store.guards(tx)}


async def guards_of(tx: Tx, accounts: Sequence[str]) -> list[Guard]:
    """Those among some accounts that are limited, as they stand, unlocked."""
    return await store.guards_of(tx, accounts)


async def postings_of(tx: Tx, group: str) -> list[Posting]:
    """The postings of one group (a lead, a payment), oldest first."""
    return await store.postings_of(tx, group)


async def postings_by_group(tx: Tx, groups: Sequence[str]) -> dict[str, list[Posting]]:
    """The postings of several groups, each group's oldest first."""
    return await store.postings_by_group(tx, groups)


async def check(tx: Tx) -> list[Finding]:
    """Whether the book agrees with itself: postings that move something, guarded balances equal to their postings,
    holds equal to what is held, no balance below any floor it ever had."""
    found = [Finding("ledger.posting.empty", name, "moves nothing") for name in await store.odd_postings(tx)]
    guards = await store.guards(tx)
    sums = {(account, money.currency): money.amount for account, money in await store.sums(tx)}
    holds = await store.held_sums(tx)
    for item in guards:
        posted = sums.get((item.account, item.currency), 0)
        if posted != item.balance:
            text = f"its row says {Money(item.balance, item.currency)}, its postings {Money(posted, item.currency)}"
            found.append(Finding("ledger.balance.mismatch", item.account, text))
        if holds.get(item.account, 0) != item.held:
            text = f"its row says {item.held} held, its holds {holds.get(item.account, 0)} (minor units)"
            found.append(Finding("ledger.held.mismatch", item.account, text))
    for item in await store.broken_floors(tx):
        text = f"{Money(item.balance - item.held, item.currency)} is below the floor {Money(item.floor, item.currency)}"
        found.append(Finding("ledger.floor.broken", item.account, text))
    totals: dict[str, int] = {}
    for (_, currency), amount in sums.items():
        totals[currency] = totals.get(currency, 0) + amount
    found += [Finding("ledger.book.unbalanced", currency, str(total)) for currency, total in totals.items() if total]
    return found

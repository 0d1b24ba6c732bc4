"""Room set aside for a lead that may come: held, used, let go.

Called by whoever quotes a price that must be honoured, and by the worker that lets go what has had its time. A hold
counts in the caps, the budget and the buyer's credit exactly like a sale, from the transaction that makes it until it
ends, so a quote that was given can be kept and no limit is exceeded by keeping it.

A walk makes holds like sales: its market step asks for the :class:`Headroom`, and the keeper of what it decided calls
:func:`hold_room`. When the lead comes, its ask names its holds (``Headroom.holds``, with their orders among
``wanted``): they are let go just before that one lead is judged, and what it then takes counts instead; nobody can
slip in between, because the limits are locked.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.core.money import Money
from leadmill.ledger import HoldState, MoneyHold, end_money_holds, keep_hold
from leadmill.market.limits.capbook import book_of
from leadmill.market.limits.rooms import RoomHold, RoomState
from leadmill.market.limits.store import holds as store
from leadmill.market.limits.store.counters import bar_opening
from leadmill.market.limits.tally import order_scope
from leadmill.runtime.db import Tx

REF = "market"
"""What the ledger's holds of the market are for."""

_MONEY = {
    RoomState.USED: HoldState.COMMITTED,
    RoomState.RELEASED: HoldState.RELEASED,
    RoomState.EXPIRED: HoldState.EXPIRED,
}


def hold_room(tx: Tx, hold_id: str, order_id: str, price: Money, at: datetime, expires_at: datetime) -> RoomHold:
    """Set room for one lead at ``price`` aside, until ``expires_at``.

    To be called in the transaction in which the order's headroom was asked for; ``at`` counts only where it was not.
    Raises Permanent ``market.limit.exceeded`` where it does not fit.
    """
    book = book_of(tx)
    account = book.set_aside(order_id, price) if book is not None else None
    hold = RoomHold(hold_id, order_id, account, price, book.at if book is not None else at, expires_at)
    store.add_hold(tx, hold)
    if account is not None:
        keep_hold(tx, MoneyHold(hold_id, account, price, expires_at, ref=REF))
    return hold


async def use_hold(tx: Tx, hold_id: str, now: datetime) -> bool:
    """Free a hold's room because the lead it was for has come, outside of a walk; False where it does not stand any
    more. A walk names its holds in its ask instead."""
    return await _end(tx, [hold_id], RoomState.USED, now) == 1


async def release_hold(tx: Tx, hold_id: str, now: datetime) -> bool:
    """Let a hold go before its time; False where it does not stand any more."""
    return await _end(tx, [hold_id], RoomState.RELEASED, now) == 1


async def release_holds(tx: Tx, now: datetime, most: int = 500) -> int:
    """Let go the holds whose time has passed, oldest first; how many. What another transaction is using is left to
    it."""
    return await _let_go(tx, await store.lock_overdue(tx, now, most), RoomState.EXPIRED, now)


async def _end(tx: Tx, ids: Sequence[str], state: RoomState, now: datetime) -> int:
    book = book_of(tx)
    freed = [hold_id for hold_id in ids if book is not None and book.free(hold_id)]
    left = [hold_id for hold_id in ids if hold_id not in freed]
    await tx.flush()
    return len(freed) + await _let_go(tx, await store.lock_holds(tx, left), state, now)


async def _let_go(tx: Tx, holds: Sequence[RoomHold], state: RoomState, now: datetime) -> int:
    if holds:
        ids = [hold.id for hold in holds]
        await bar_opening(tx, [order_scope(hold.order_id) for hold in holds])
        await store.end_holds(tx, ids, state, now)
        await store.release_rooms(tx, holds)
        await end_money_holds(tx, ids, _MONEY[state])
    return len(holds)

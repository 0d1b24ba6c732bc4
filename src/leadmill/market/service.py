"""The market's verbs: take a sale back, look one up, show the use of limits, check that every promise was kept.

Called by ``flow``, ``billing`` and the pages; the limits of leads on their walk are ``counters``'.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from leadmill.core.events import Event
from leadmill.core.faults import NotFound
from leadmill.core.reasons import Because
from leadmill.ledger import Finding, money_held
from leadmill.market.limits.capuse import CapUse
from leadmill.market.limits.holds import REF
from leadmill.market.limits.pace import Pace, pace_of
from leadmill.market.limits.store import counters, holds, sales
from leadmill.market.limits.tally import Key, order_scope, rep_scope
from leadmill.market.model import (
    Cap,
    LegState,
    Order,
    Per,
    SaleCancelled,
    SaleRecord,
)
from leadmill.market.windows import bounds
from leadmill.runtime.db import Tx

_GRACE = timedelta(minutes=1)
"""How long a hold may stand past its end before the check speaks of it."""


async def expect_cancels(tx: Tx, sale_ids: Iterable[str]) -> None:
    """Keep others from counting sales anew that are going to be cancelled in this transaction; to be called before any
    limit is locked (see ``bar_opening``)."""
    legs = [leg for sale_id in sale_ids if (leg := await sales.find_leg(tx, sale_id)) is not None]
    scopes = {order_scope(leg.order_id) for leg in legs}
    scopes |= {rep_scope(f"{leg.team_id}/{leg.rep_id}") for leg in legs if leg.team_id is not None}
    if scopes:
        await counters.bar_opening(tx, scopes)


async def cancel_sale(tx: Tx, sale_id: str, because: Because, now: datetime) -> list[Event]:
    """Take a leg or an assignment back before it was good, and give its room back to the windows it was counted in.

    No event where it had ended before. The money is billing's: see ``reverse_sale`` there. Raises NotFound
    ``market.sale.unknown``.
    """
    ended = await sales.end_leg(tx, sale_id, LegState.CANCELLED, now)
    if ended is None:
        if await sales.find_leg(tx, sale_id) is None:
            raise NotFound("market.sale.unknown", "no such sale")
        return []
    await counters.release(tx, order_scope(ended.order_id), ended.at, ended.price.amount)
    recipient = ended.buyer_id or ""
    if ended.team_id is not None:
        recipient = f"{ended.team_id}/{ended.rep_id}"
        await counters.release(tx, rep_scope(recipient), ended.at, 0)
    return [
        SaleCancelled(
            at=now,
            sale_id=ended.id,
            order_id=ended.order_id,
            recipient=recipient,
            price=ended.price,
            because=because,
        )
    ]


async def sales_of(tx: Tx, lead_id: str) -> list[SaleRecord]:
    """Every leg and assignment of a lead, oldest first, the cancelled ones included."""
    return await sales.legs_of(tx, lead_id)


async def find_sale(tx: Tx, sale_id: str) -> SaleRecord | None:
    """A leg or assignment by its id."""
    return await sales.find_leg(tx, sale_id)


async def sales_to(tx: Tx, buyer_id: str, before: str | None = None, most: int = 50) -> list[SaleRecord]:
    """A page of a buyer's legs, newest first; ``before`` is the last id of the page before."""
    return await sales.sales_to(tx, buyer_id, before, most)


async def turnover(tx: Tx) -> dict[tuple[str, str], int]:
    """What the standing legs of each buyer add up to, by buyer and currency, in minor units."""
    return await sales.turnover(tx)


async def recount_limits(tx: Tx, order_ids: Sequence[str], team_ids: Sequence[str] = ()) -> None:
    """Have the counters of changed orders and teams counted anew from their sales: to be called by whoever changes
    caps, zones or budgets, in the same transaction."""
    if not order_ids and not team_ids:
        return
    await counters.drop_counters(tx, sorted(order_scope(order_id) for order_id in order_ids), sorted(team_ids))


async def cap_use(tx: Tx, orders: Iterable[Order], now: datetime) -> list[CapUse]:
    """How much of every cap and budget is used in the windows of this moment, order by order."""
    lines: list[tuple[Order, Cap, Key, datetime]] = []
    for order in orders:
        caps = order.caps + ((Cap(Per.ALL, spend=order.budget),) if order.budget is not None else ())
        for cap in caps:
            starts, ends = bounds(cap.per, order.tz, now)
            lines.append((order, cap, (order_scope(order.id), cap.per, starts), ends))
    if not lines:
        return []
    windows = {key: ends for _, _, key, ends in lines}
    used = await counters.read_counters(tx, list(windows))
    missing = {key: ends for key, ends in windows.items() if key not in used}
    if missing:
        used |= await counters.count_sales(tx, missing)
    return [_cap_use(order, cap, used[key], key[2], ends, now) for order, cap, key, ends in lines]


async def pace_of_orders(tx: Tx, orders: Sequence[Order], now: datetime) -> dict[str, Pace]:
    """How the day goes for each of these orders, each in its own zone."""
    if not orders:
        return {}
    since = min(bounds(Per.DAY, order.tz, now)[0] for order in orders)
    sold = await sales.sold_since(tx, [order.id for order in orders], since)
    return {order.id: pace_of(order, sold, now) for order in orders}


async def rep_use(tx: Tx, reps: Iterable[str], tz: str, now: datetime) -> dict[str, int]:
    """How many leads each rep (``team/rep``) has had today, as the zone counts days."""
    starts, ends = bounds(Per.DAY, tz, now)
    windows = {(rep_scope(rep), Per.DAY, starts): ends for rep in reps}
    if not windows:
        return {}
    used = await counters.read_counters(tx, list(windows))
    missing = {key: ends for key, ends in windows.items() if key not in used}
    if missing:
        used |= await counters.count_sales(tx, missing)
    return {key[0].partition(":")[2]: leads for key, (leads, _) in used.items()}


def _cap_use(order: Order, cap: Cap, used: tuple[int, int], starts: datetime, ends: datetime, now: datetime) -> CapUse:
    of_leads = cap.leads is not None
    return CapUse(
        order_id=order.id,
        per=cap.per,
        kind="leads" if of_leads else "spend",
        used=used[0] if of_leads else used[1],
        limit=cap.leads if cap.leads is not None else cap.spend.amount if cap.spend is not None else 0,
        currency=order.currency,
        starts=starts,
        ends=ends,
        elapsed=0.0 if cap.per is Per.ALL else (now - starts) / (ends - starts),
    )


async def check(tx: Tx, now: datetime | None = None) -> list[Finding]:
    """Whether the market kept its promises: counters equal to the sales and holds of their windows, none above its
    limit, no lead sold exclusively twice or twice to one buyer, the money of each hold held by the ledger. With
    ``now`` also that no hold stands past its end."""
    found = []
    for key, says, real in await counters.wrong_counters(tx):
        text = (
            f"the counter says {says[0]} leads and {says[1]} minor units, the sales and holds {real[0]} and {real[1]}"
        )
        found.append(Finding("market.counter.mismatch", _words(key), text))
    for key, says, limits in await counters.overrun_counters(tx):
        text = f"{says[0]} leads and {says[1]} minor units, the limits {limits[0]} and {limits[1]}"
        found.append(Finding("market.cap.overrun", _words(key), text))
    found += [
        Finding("market.lead.oversold", lead_id, "has legs that exclude one another")
        for lead_id in await sales.oversold(tx)
    ]
    found += await _check_holds(tx, now)
    return found


async def _check_holds(tx: Tx, now: datetime | None) -> list[Finding]:
    found = []
    if now is not None:
        for hold in await holds.leaked_holds(tx, now - _GRACE):
            text = f"should have ended at {hold.expires_at:%Y-%m-%dT%H:%M:%SZ}"
            found.append(Finding("market.hold.leaked", hold.id, text))
    ours, theirs = await holds.held_money(tx), await money_held(tx, REF)
    for hold_id in sorted(ours.keys() | theirs.keys()):
        if ours.get(hold_id, 0) != theirs.get(hold_id, 0):
            text = f"the market holds {ours.get(hold_id, 0)}, the ledger {theirs.get(hold_id, 0)} (minor units)"
            found.append(Finding("market.hold.mismatch", hold_id, text))
    return found


def _words(key: Key) -> str:
    return f"{key[0]} {key[1].value} {key[2]:%Y-%m-%dT%H:%MZ}"

"""Calls as leads: what the buyer is handed to ring, and whether the call was long enough to be paid for.

Called by the delivery, which hands the number over, and by the report of an outcome, which brings the call's length.
A call that was too short is no sale: its money and its room in the caps go back, and the lead is unsold again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from leadmill.core.events import Event
from leadmill.core.reasons import State, because, declare
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadRow
from leadmill.flow.reactions import react, take_back
from leadmill.market import LegState, Order, SaleRecord, find_sale, sales_of
from leadmill.runtime.db import Tx

CALL_SHORT = declare(
    "flow.call.short", "The call lasted {seconds} seconds, and counts from {least} seconds on.", State.UNSOLD
)
_SHOWN = 4
"""How many digits of a masked number are shown."""


def fields_of(order: Order | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The lead's fields as the order is handed them: of a call the number to ring and the seconds it must last, and
    the person's own number masked where another is to be rung. Whoever is put through by itself is not rung."""
    found = dict(fields)
    terms = order.call if order is not None else None
    if terms is None:
        return found
    own = found.get("phone")
    found["call_min_seconds"] = terms.min_seconds
    if not terms.live:
        found["call_dial"] = terms.dial or own
    if terms.dial and isinstance(own, str):
        found["phone"] = "*" * max(0, len(own) - _SHOWN) + own[-_SHOWN:]
    return found


async def report_call(
    tx: Tx,
    kit: Kit,
    row: LeadRow,
    sale_id: str | None,
    buyer_id: str,
    seconds: int,
    events: Sequence[Event],
    now: datetime,
) -> bool:
    """Write ``events`` of a lead and, where a call of it was too short, take its sale back; whether it was. The
    caller holds the lead's lock."""
    leg = await _leg(tx, row, sale_id, buyer_id)
    order = kit.walk().rules.orders.get(leg.order_id) if leg is not None else None
    terms = order.call if order is not None else None
    if leg is None or terms is None or seconds >= terms.min_seconds:
        if events:
            await react(tx, kit, row, events, now)
        return False
    why = because(CALL_SHORT, seconds=seconds, least=terms.min_seconds)
    await take_back(tx, kit, row, [leg.id], why, events, now)
    return True


async def _leg(tx: Tx, row: LeadRow, sale_id: str | None, buyer_id: str) -> SaleRecord | None:
    if sale_id is not None:
        found = await find_sale(tx, sale_id)
        return found if found is not None and found.state is LegState.SOLD else None
    legs = [leg for leg in await sales_of(tx, row.id) if leg.buyer_id == buyer_id and leg.state is LegState.SOLD]
    return legs[-1] if legs else None

"""What follows from what happened: event → what is done about it, in the same transaction.

Called by the job handlers and by every verb that brings news of a lead. A buyer that refuses a lead or cannot be
reached gives it back: the sale is cancelled, its money and its room in the caps returned, and the lead goes on to the
next best recipient.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from leadmill.billing.service import reverse_sale
from leadmill.core.events import Event
from leadmill.core.reasons import Because, State, because, declare
from leadmill.delivery import DeliveryDead, DeliveryRejected, attempts_of, cancel_delivery
from leadmill.flow.again import walk_again
from leadmill.flow.answering import owe_answer
from leadmill.flow.feedback import heed_outcomes
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadRow, LeadSettled, Settled
from leadmill.flow.optingout import heed_wishes
from leadmill.flow.store import update_leads
from leadmill.market import Allocate, Headroom, LegState, SaleRecord
from leadmill.market.service import cancel_sale, expect_cancels, sales_of
from leadmill.runtime.db import Tx
from leadmill.runtime.records import hold

FORGOTTEN = declare("flow.person.forgotten", "The person was forgotten; the lead goes to nobody.", State.REJECTED)

GIVEN_BACK = (DeliveryRejected, DeliveryDead)
"""Events after which a recipient does not have the lead."""


async def react(
    tx: Tx, kit: Kit, row: LeadRow, events: Sequence[Event], now: datetime, broken: BaseException | None = None
) -> tuple[list[Event], Settled | None]:
    """Write what happened to a lead and do what follows: all that happened, and where the lead stands where it went
    on. The caller holds the lead's lock (``pen.lock``).

    ``broken`` is what came of a first try: a lead that goes on then waits for a person.
    """
    await heed_outcomes(tx, kit, row, events, now)
    await heed_wishes(tx, kit, row, events, now)
    lost = [event for event in events if isinstance(event, GIVEN_BACK) and not await _had_it(tx, event.delivery_id)]
    if not lost or row.test:  # what nobody bought cannot be given back
        await kit.pen.append(tx, row.id, events, now)
        return list(events), None
    await expect_cancels(tx, [event.sale_id for event in lost])
    await lock_limits(tx, kit, row)
    news = list(events)
    for event in lost:
        news += await cancel_sale(tx, event.sale_id, event.because, now)
        news += await reverse_sale(tx, event.sale_id, now)
        news += await cancel_delivery(tx, event.sale_id, now)
    left = [leg for leg in await sales_of(tx, row.id) if leg.state in (LegState.SOLD, LegState.ASSIGNED)]
    if left:
        await _shrink(tx, kit, row, left, news, now)
        return news, None
    if not kit.pen.keys.has(row.person_id):
        await _let_go(tx, kit, row, news, now)
        return news, Settled(row.id, State.REJECTED, because=[because(FORGOTTEN)])
    why = f"{' and '.join(event.recipient for event in lost)} gave the lead back"
    return news, await walk_again(tx, kit, row.id, "delivery", why, now, start="market", events=news, broken=broken)


async def take_back(
    tx: Tx, kit: Kit, row: LeadRow, sale_ids: Sequence[str], why: Because, events: Sequence[Event], now: datetime
) -> None:
    """Take legs back for a reason that offers the lead to nobody else: their money and their room go back, and the
    lead is still sold to whoever else has it, or stands where the reason puts it. The caller holds the lead's lock."""
    await heed_outcomes(tx, kit, row, events, now)
    await heed_wishes(tx, kit, row, events, now)
    await expect_cancels(tx, sale_ids)
    await lock_limits(tx, kit, row)
    news = list(events)
    for sale_id in sale_ids:
        news += await cancel_sale(tx, sale_id, why, now)
        news += await reverse_sale(tx, sale_id, now)
        news += await cancel_delivery(tx, sale_id, now)
    left = [leg for leg in await sales_of(tx, row.id) if leg.state in (LegState.SOLD, LegState.ASSIGNED)]
    if left:
        await _shrink(tx, kit, row, left, news, now)
        return
    state = why.reason.state or State.UNSOLD
    await kit.pen.append(tx, row.id, [*news, LeadSettled(at=now, state=state, because=why)], now)
    gone = msgspec.structs.replace(row, state=state, reason=why.code, price=None, currency=None, recipient=None)
    await update_leads(tx, [gone])
    owe_answer(tx, row.id, now, kit.mint)


async def lock_limits(tx: Tx, kit: Kit, row: LeadRow) -> None:
    """Lock what the lead's further walk may need before what it gives back is touched: every transaction locks limits
    in one order, so that none stands in another's way. Of a large book that is what the lead's own orders have, not
    the book."""
    if await hold(tx) != kit.walk().rules.revision:
        await kit.take_up(tx)
    recalled = await recall_one(tx, kit.pen, row.id)
    sold = {leg.order_id for leg in await sales_of(tx, row.id)}
    for step in kit.walk().together:
        if isinstance(step, Allocate):
            case = recalled.case_before(step.name) if recalled.lead is not None else None
            limits = step.limits_for(row.vertical, case, sold)
            if limits is not None:
                await kit.ears.listeners[Headroom](tx, [limits])


async def _had_it(tx: Tx, delivery_id: str) -> bool:
    """Whether the recipient had taken the lead before: sending it once more then undoes nothing."""
    return any(attempt.outcome == "accepted" for attempt in await attempts_of(tx, delivery_id))


async def _let_go(tx: Tx, kit: Kit, row: LeadRow, news: Sequence[Event], now: datetime) -> None:
    """A lead whose person was forgotten goes no further."""
    settled = LeadSettled(at=now, state=State.REJECTED, because=because(FORGOTTEN))
    await kit.pen.append(tx, row.id, [*news, settled], now)
    gone = msgspec.structs.replace(
        row, state=State.REJECTED, reason=FORGOTTEN.code, price=None, currency=None, recipient=None
    )
    await update_leads(tx, [gone])


async def _shrink(
    tx: Tx, kit: Kit, row: LeadRow, left: Sequence[SaleRecord], news: Sequence[Event], now: datetime
) -> None:
    """A shared lead with one leg fewer is still sold, to fewer and for less."""
    price = sum(leg.price.amount for leg in left)
    settled = LeadSettled(
        at=now,
        state=State.SOLD,
        price=price,
        currency=left[0].price.currency,
        recipient=" ".join(leg.buyer_id or "" for leg in left),
    )
    await kit.pen.append(tx, row.id, [*news, settled], now)
    await update_leads(tx, [msgspec.structs.replace(row, price=price, recipient=settled.recipient)])

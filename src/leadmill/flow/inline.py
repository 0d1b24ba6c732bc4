"""Handing a lead over while its source waits.

Called by the floor after a sale is durable. Each round makes the first attempt at the sale's inline deliveries through
the worker's own claim and settlement; who declines gives the lead back, and the next best is tried at once, as far as
rounds and time go. A recipient that does not answer in time keeps its sale and its room: the worker finds out later.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from leadmill.billing.model import SaleReversed
from leadmill.core.faults import Fault
from leadmill.core.reasons import State
from leadmill.delivery import receipts_of
from leadmill.flow.deliver import Attempts, Made
from leadmill.flow.kit import Kit
from leadmill.flow.model import Settled
from leadmill.market import sales_of
from leadmill.runtime.telemetry import log

_LEAST_MS = 50
"""Less time than this is left to the worker."""

Later = Callable[[Coroutine[Any, Any, None]], None]
"""Has something done without waiting for it."""


class Desk:
    """Makes inline deliveries. ``rounds`` is how many recipients in a row may decline before the source is answered
    with what stands; ``later`` goes on with what the source need not wait for."""

    def __init__(
        self,
        kit: Kit,
        attempt: Attempts,
        rounds: int,
        later: Later,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kit = kit
        self._attempt = attempt
        self._rounds = rounds
        self._later = later
        self._monotonic = monotonic

    async def hand_over(self, settled: Settled, ends: float) -> Settled:
        """Hand a sold lead over until ``ends`` (of the monotonic clock); where it stands then."""
        for _ in range(self._rounds):
            if settled.state is not State.SOLD:
                return settled
            due = await self._due(settled.lead_id)
            if not due:
                return settled
            left = int((ends - self._monotonic()) * 1000)
            if left < _LEAST_MS:
                self._later(self._go_on(due))
                return settled
            made = await asyncio.gather(*(self._try(delivery_id, left) for delivery_id in due))
            for one in made:
                if one is not None:
                    settled = _after(settled, one)
        self._later(self._go_on(await self._due(settled.lead_id)))
        return settled

    async def _due(self, lead_id: str) -> list[str]:
        """The lead's inline deliveries that nobody has tried."""
        async with self._kit.db.begin() as tx:
            fresh = [one for one in await receipts_of(tx, lead_id) if one.state == "queued" and not one.attempts]
            orders = {leg.id: leg.order_id for leg in await sales_of(tx, lead_id)} if fresh else {}
        known = self._kit.walk().rules.orders
        return [
            one.delivery_id
            for one in fresh
            if (order := known.get(orders.get(one.sale_id, ""))) is not None and order.post == "inline"
        ]

    async def _try(self, delivery_id: str, within_ms: int | None) -> Made | None:
        try:
            return await self._attempt(delivery_id, within_ms)
        except Fault as fault:
            # Somebody else is at it, or the store is away: the worker comes back to it.
            log("flow").warning("an inline delivery was left to the worker", delivery=delivery_id, code=fault.code)
            return None

    async def _go_on(self, due: list[str]) -> None:
        for delivery_id in due:
            await self._try(delivery_id, None)


def _after(settled: Settled, made: Made) -> Settled:
    """Where the lead stands after an attempt: walked on, sold to fewer for less, or as before."""
    if made.settled is not None:
        return made.settled
    back = sum(event.payout.amount or event.amount.amount for event in made.events if isinstance(event, SaleReversed))
    return msgspec.structs.replace(settled, price=max(0, settled.price - back)) if back and settled.price else settled


Hand = Callable[[Settled, float], Awaitable[Settled]]
"""``Desk.hand_over``."""

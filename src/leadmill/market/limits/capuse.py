"""How much of a limit is used: what pages and pacing show. Given by ``service``, kept nowhere."""

from datetime import datetime

from msgspec import Struct

from leadmill.market.model import Per


class CapUse(Struct, frozen=True, kw_only=True):
    """How much of one limit is used now, for a page of orders. ``limit`` and ``used`` are leads or minor units;
    ``elapsed`` is the share of the window that has passed, so that ``used / limit`` above it means ahead of pace."""

    order_id: str
    per: Per
    kind: str
    used: int
    limit: int
    currency: str
    starts: datetime
    ends: datetime
    elapsed: float

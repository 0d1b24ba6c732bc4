"""Room set aside in an order's limits: what a hold is, as its table keeps it.

Written and ended by the verbs of ``holds`` and, on a walk, by the cap book; counted wherever sales are.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from leadmill.core.money import Money


class RoomState(StrEnum):
    """What became of a hold; it counts in the limits while it is ``HELD``."""

    HELD = "held"
    USED = "used"
    RELEASED = "released"
    EXPIRED = "expired"


class RoomHold(Struct, frozen=True):
    """Room for one lead at ``price`` in the limits of an order, and its money in the buyer's limited ``account``.

    ``at`` is the moment whose windows it counts in; from ``expires_at`` on it is let go.
    """

    id: str
    order_id: str
    account: str | None
    price: Money
    at: datetime
    expires_at: datetime
    state: RoomState = RoomState.HELD

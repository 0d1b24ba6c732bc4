"""Who gets the lead: orders, their limits, and the allocation.

Takes a clearance and the orders in force, gives a Sale to one buyer or several, or an Assignment to a team, and always an Auction
that names each order considered and why it did not get the lead. Never oversells a cap, a budget or a buyer's credit.
"""

from leadmill.market.model import (
    Assignment,
    Auction,
    Cap,
    CapUse,
    Considered,
    Declined,
    Headroom,
    Leg,
    LegState,
    Mode,
    Order,
    Per,
    Room,
    Sale,
    SaleCancelled,
    SaleRecord,
    Schedule,
)

__all__ = [
    "Assignment",
    "Auction",
    "Cap",
    "CapUse",
    "Considered",
    "Declined",
    "Headroom",
    "Leg",
    "LegState",
    "Mode",
    "Order",
    "Per",
    "Room",
    "Sale",
    "SaleCancelled",
    "SaleRecord",
    "Schedule",
]

"""Who gets the lead: orders, their limits, and the allocation.

Takes a clearance and the orders in force, gives a Sale to one buyer or several, or an Assignment to a team, and
always an Auction that names each order considered and why it did not get the lead. Never oversells a cap, a budget or
a buyer's credit.
"""

from leadmill.market.counters import Counters
from leadmill.market.holds import hold_room, release_hold, release_holds, use_hold
from leadmill.market.lines import in_house
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
    PingTarget,
    Room,
    Sale,
    SaleCancelled,
    SaleRecord,
    Use,
    Wanted,
)
from leadmill.market.quotes import (
    Appraise,
    PingQuote,
    QuoteAsk,
    Quoted,
    QuotedLeg,
    QuoteFound,
    Redeem,
    legs_of,
    standby_of,
)
from leadmill.market.quoting import find_quote, forget_quotes, hear_quotes, keep_quote, keep_quoted, quotes_of
from leadmill.market.reading import read_order
from leadmill.market.rooms import RoomHold, RoomState
from leadmill.market.service import (
    cancel_sale,
    cap_use,
    check,
    find_sale,
    recount_limits,
    rep_use,
    sales_of,
    sales_to,
    turnover,
)
from leadmill.market.simulation import SimulatedBook
from leadmill.market.step import Allocate

__all__ = [
    "Appraise",
    "PingQuote",
    "QuoteAsk",
    "QuoteFound",
    "Quoted",
    "QuotedLeg",
    "Redeem",
    "find_quote",
    "forget_quotes",
    "hear_quotes",
    "keep_quote",
    "keep_quoted",
    "legs_of",
    "quotes_of",
    "standby_of",
    "Allocate",
    "Assignment",
    "Auction",
    "Cap",
    "CapUse",
    "Considered",
    "Counters",
    "Declined",
    "Headroom",
    "Leg",
    "LegState",
    "Mode",
    "Order",
    "Per",
    "PingTarget",
    "Room",
    "RoomHold",
    "RoomState",
    "Sale",
    "SaleCancelled",
    "SaleRecord",
    "SimulatedBook",
    "Use",
    "Wanted",
    "cancel_sale",
    "cap_use",
    "check",
    "find_sale",
    "hold_room",
    "in_house",
    "read_order",
    "recount_limits",
    "release_hold",
    "release_holds",
    "rep_use",
    "sales_of",
    "sales_to",
    "turnover",
    "use_hold",
]

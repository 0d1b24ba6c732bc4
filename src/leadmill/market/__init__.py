"""Who gets the lead: orders, their limits, and the allocation.

Takes a clearance and the orders in force, gives a Sale to one buyer or several, or an Assignment to a team, and
always an Auction that names each order considered and why it did not get the lead. Never oversells a cap, a budget or
a buyer's credit.
"""

from leadmill.market.advice import Advice, advise_reserve
from leadmill.market.again import OfferedAgain, next_round, offered_again
from leadmill.market.allocation.play import Player, converse
from leadmill.market.allocation.repricing import (
    LEARNED_OVER,
    keep_returns,
    keep_seen,
    last_seen,
    new_prices,
    read_known,
    returns_known,
    seen_of,
    take_turn,
    write_prices,
)
from leadmill.market.allocation.seen import Seen
from leadmill.market.allocation.shadows import Shadows
from leadmill.market.bidding.quotes import (
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
from leadmill.market.bidding.quoting import find_quote, forget_quotes, hear_quotes, keep_quote, keep_quoted, quotes_of
from leadmill.market.bidding.solicit import Solicit
from leadmill.market.bidding.vacancy import Vacancies
from leadmill.market.limits.capuse import CapUse
from leadmill.market.limits.counters import Counters
from leadmill.market.limits.holds import hold_room, release_hold, release_holds, use_hold
from leadmill.market.limits.pace import Pace
from leadmill.market.limits.rooms import RoomHold, RoomState
from leadmill.market.limits.simulation import SimulatedBook
from leadmill.market.model import (
    Assignment,
    Auction,
    Cap,
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
    Use,
    Wanted,
)
from leadmill.market.modes import House
from leadmill.market.orderbook.lines import Line, in_house
from leadmill.market.orderbook.pricing import price_terms
from leadmill.market.orderbook.reading import read_market, read_order
from leadmill.market.service import (
    cancel_sale,
    cap_use,
    check,
    expect_cancels,
    find_sale,
    pace_of_orders,
    recount_limits,
    rep_use,
    sales_of,
    sales_to,
    turnover,
)
from leadmill.market.step import Allocate
from leadmill.market.tenders.manners import Manners, Pause
from leadmill.market.tenders.offers import MaskedIp, offer_of
from leadmill.market.tenders.pinging import read_bid, read_ping, write_offer
from leadmill.market.tenders.tender import (
    BID_BREAKER_OPEN,
    BID_FAULT,
    BID_FULL,
    BID_LATE,
    BID_LATER_TIER,
    BID_MALFORMED,
    BID_NO_TEST,
    BID_NO_TIME,
    BID_PAUSED,
    BID_REPEATED,
    BID_TIMEOUT,
    BIDDING,
    BUYERS_FAULT,
    Bidder,
    Bidding,
    BidHeard,
    BidRead,
    Bids,
    BidsAsk,
    NoBid,
    Offer,
    PingTarget,
    Tender,
)
from leadmill.market.terms import MarketTerms
from leadmill.market.windows import month_of
from leadmill.runtime.dialect import Secret

__all__ = [
    "BIDDING",
    "BID_BREAKER_OPEN",
    "BID_FAULT",
    "BID_FULL",
    "BID_LATE",
    "BID_LATER_TIER",
    "BID_MALFORMED",
    "BID_NO_TEST",
    "BID_NO_TIME",
    "BID_PAUSED",
    "BID_REPEATED",
    "BID_TIMEOUT",
    "BUYERS_FAULT",
    "LEARNED_OVER",
    "Advice",
    "Allocate",
    "Appraise",
    "Assignment",
    "Auction",
    "BidHeard",
    "BidRead",
    "Bidder",
    "Bidding",
    "Bids",
    "BidsAsk",
    "Cap",
    "CapUse",
    "Considered",
    "Counters",
    "Declined",
    "Headroom",
    "House",
    "Leg",
    "LegState",
    "Line",
    "Manners",
    "MarketTerms",
    "MaskedIp",
    "Mode",
    "NoBid",
    "Offer",
    "OfferedAgain",
    "Order",
    "Pace",
    "Pause",
    "Per",
    "PingQuote",
    "PingTarget",
    "Player",
    "QuoteAsk",
    "QuoteFound",
    "Quoted",
    "QuotedLeg",
    "Redeem",
    "Room",
    "RoomHold",
    "RoomState",
    "Sale",
    "SaleCancelled",
    "SaleRecord",
    "Secret",
    "Seen",
    "Shadows",
    "SimulatedBook",
    "Solicit",
    "Tender",
    "Use",
    "Vacancies",
    "Wanted",
    "advise_reserve",
    "cancel_sale",
    "cap_use",
    "check",
    "converse",
    "expect_cancels",
    "find_quote",
    "find_sale",
    "forget_quotes",
    "hear_quotes",
    "hold_room",
    "in_house",
    "keep_quote",
    "keep_quoted",
    "keep_returns",
    "keep_seen",
    "last_seen",
    "legs_of",
    "month_of",
    "new_prices",
    "next_round",
    "offer_of",
    "offered_again",
    "pace_of_orders",
    "price_terms",
    "quotes_of",
    "read_bid",
    "read_known",
    "read_market",
    "read_order",
    "read_ping",
    "recount_limits",
    "release_hold",
    "release_holds",
    "rep_use",
    "returns_known",
    "sales_of",
    "sales_to",
    "seen_of",
    "standby_of",
    "take_turn",
    "turnover",
    "use_hold",
    "write_offer",
    "write_prices",
]

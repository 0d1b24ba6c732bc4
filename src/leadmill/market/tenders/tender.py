"""Asking buyers for a bid: where each is asked, what it is shown, what it answers, and every reason for no bid.

Read by the step ``Solicit`` that decides whom to ask, by the auction in ``flow`` that asks, by bidders (plug-ins of
the group ``leadmill.bidders``) and by ``Allocate``, which prices an order by its bid. A bidder is shown an
:class:`Offer` and nothing else: the type refuses to hold anything that leads to a person.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol

from msgspec import Struct
from msgspec.structs import replace

from leadmill.capture import Value
from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Permanent
from leadmill.core.money import Money
from leadmill.core.reasons import Because, Reason, State, declare
from leadmill.runtime.dialect import Dialect, Secret

BIDDING = declare("market.lead.bidding", "Buyers are being asked for bids.", State.BIDDING)

BID_DECLINED = declare("market.bid.declined", "The buyer declined: {said}.")
BID_DUPLICATE = declare("market.bid.duplicate", "The buyer has this one already: {said}.")
BID_TIMEOUT = declare("market.bid.timeout", "No answer within its {ms} ms.")
BID_LATE = declare("market.bid.late", "Had not answered when the auction closed, after {ms} ms.")
BID_MALFORMED = declare("market.bid.malformed", "The answer is no bid that anybody can read: {what}.")
BID_CONTRADICTORY = declare("market.bid.contradictory", "The answer contradicts itself: {what}.")
BID_REPEATED = declare("market.bid.repeated", "The answer names the bid {ref}, which was made for another lead.")
BID_FAULT = declare("market.bid.fault", "The buyer could not be asked: {code}.")
BID_BREAKER_OPEN = declare("market.bid.breaker_open", "Not asked: the buyer's host failed too often and rests.")
BID_PAUSED = declare(
    "market.bid.paused", "Not asked: paused until {until} after {failures} failures in a row ({code})."
)
BID_NO_TIME = declare("market.bid.no_time", "Not asked: it usually takes {usual} ms, and {left} ms were left.")
BID_LATER_TIER = declare("market.bid.later_tier", "Not asked: an earlier tier had bid.")
BID_EXPIRED = declare("market.bid.expired", "Its bid was good until {until}.")
BID_NO_TEST = declare("market.bid.no_test", "Not asked: the lead is a test, and the order's ping has no test mode.")
BID_FULL = declare("market.bid.full", "Not asked: {says}")

NUMBERED: tuple[Reason, ...] = (
    BID_DECLINED, BID_DUPLICATE, BID_TIMEOUT, BID_LATE, BID_MALFORMED, BID_CONTRADICTORY, BID_REPEATED, BID_FAULT,
    BID_BREAKER_OPEN, BID_PAUSED, BID_NO_TIME, BID_LATER_TIER, BID_EXPIRED, BID_NO_TEST, BID_FULL,
)  # fmt: skip
"""The reasons for no bid; a reason's number is its place, counted from 1. New ones go to the end."""

_NUMBER = {reason.code: number for number, reason in enumerate(NUMBERED, 1)}

BUYERS_FAULT = frozenset((BID_TIMEOUT.code, BID_LATE.code, BID_MALFORMED.code, BID_FAULT.code))
"""Reasons that speak of the buyer's service. Enough of them in a row, and its pings are paused."""


def number_of(code: str) -> int:
    """The number of a reason for no bid; 0 for a code that is none."""
    return _NUMBER.get(code, 0)


class PingTarget(Dialect, frozen=True, kw_only=True):
    """Where and how an order's bids are asked: the decoded ``ping`` table.

    ``timeout_ms`` is the most that an answer is waited for. Orders of a lower ``tier`` are asked first, those of the
    next only where nobody bid. ``test`` are constants that mark a test; None where the buyer has no test mode.
    ``shared_price``, ``ping_id`` and ``expires_in`` (seconds) are paths into the answer, and so are ``call_to`` and
    ``call_sip``, the number and the SIP address that a caller is put through to; a bid whose expiry is not told holds
    for ``valid_s`` seconds.
    """

    bidder: str = "http"
    tier: int = 1
    test: dict[str, str | int | float | bool | Secret] | None = None
    shared_price: str = ""
    ping_id: str = ""
    expires_in: str = ""
    valid_s: int = 120
    call_to: str = ""
    call_sip: str = ""


CONTACT = frozenset(
    (
        "first_name", "last_name", "full_name", "name", "middle_name", "email", "phone", "phone_alternate",
        "phone_number", "mobile", "address", "address_1", "address_2", "street", "street_address", "date_of_birth",
        "dob", "ssn", "linkedin_url", "vehicle_vin", "comments", "signed", "text_signed", "referrer",
    )
)  # fmt: skip
"""What no offer holds under any of its groups, whatever a vertical says of it."""

_PERSONAL = re.compile(
    r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<![\w.])(?:\+\d[\d ().-]{7,18}\d|(?:1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4})(?!\w)"  # a phone number
    r"|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"  # a social security number
)


def leads_to_a_person(value: Any) -> bool:
    """Whether a value holds what looks like an e-mail address, a phone number or a social security number."""
    if isinstance(value, str):
        return _PERSONAL.search(value) is not None
    return isinstance(value, list | tuple) and any(leads_to_a_person(item) for item in value)


class Offer(Struct, frozen=True, kw_only=True):
    """One lead as bidders are shown it: no name, no address, no number of the person's.

    ``fields`` are answers about what is wanted and where, ``guarded`` the sensitive ones among them, which only a
    bidder is told that maps them by name. ``consent`` holds tokens of evidence, not the person's own words;
    ``context`` an address of the machine that may be masked. Raises :class:`Permanent` ``market.offer.personal`` where
    anything in it would lead to the person: whoever built it has made a mistake.
    """

    id: str
    vertical: str
    source: str
    received_at: datetime
    fields: dict[str, Value] = {}
    guarded: dict[str, Value] = {}
    consent: dict[str, Value] = {}
    context: dict[str, Value] = {}
    test: bool = False

    def __post_init__(self) -> None:
        for group in (self.fields, self.guarded, self.consent, self.context):
            if not CONTACT.isdisjoint(group):
                raise Permanent("market.offer.personal", "an offer holds no contact details")
        for group in (self.fields, self.guarded):
            if any(leads_to_a_person(value) for value in group.values()):
                raise Permanent("market.offer.personal", "a value of an offer looks like a contact detail")


class BidRead(Struct, frozen=True):
    """What a bidder read out of one answer. Prices are decimal texts; ``no_bid`` is set where it is none;
    ``call_to`` and ``call_sip`` are the buyer's line for this one call."""

    price: str | None = None
    shared_price: str | None = None
    ref: str | None = None
    expires_in: float | None = None
    no_bid: Because | None = None
    call_to: str = ""
    call_sip: str = ""


class Bidder(Protocol):
    """A way to ask for bids: a pure conversation, registered under ``leadmill.bidders``. No socket, no clock."""

    @property
    def name(self) -> str:
        """What a ping's ``bidder`` says to choose it."""
        ...

    def check(self, target: PingTarget) -> Sequence[tuple[str, str]]:
        """What the target lacks for this bidder, as pairs of a key and what to do; empty where it will do."""
        ...

    def ask(self, target: PingTarget, offer: Offer, budget_ms: int) -> HttpAsk:
        """The offer as one request that is answered within ``budget_ms`` or not at all."""
        ...

    def read(self, target: PingTarget, offer: Offer, reply: HttpReply) -> BidRead:
        """What the reply means."""
        ...


class BidHeard(Struct, frozen=True, array_like=True, tag="bid"):
    """An order's bid: minor units for the lead alone, for a leg, or both. ``ref`` is the buyer's own id of the bid;
    ``call_to`` and ``call_sip`` are the line of the buyer's that it named for a call."""

    order_id: str
    buyer_id: str
    exclusive: int | None
    shared: int | None
    ms: int
    expires_at: datetime
    ref: str | None = None
    currency: str = "USD"
    call_to: str = ""
    call_sip: str = ""


class NoBid(Struct, frozen=True, array_like=True, tag="no_bid"):
    """Why an order made no bid; ``ms`` is how long that took."""

    order_id: str
    buyer_id: str
    because: Because
    ms: int = 0

    @property
    def number(self) -> int:
        """The reason's number."""
        return number_of(self.because.code)


class BidsAsk(Ask, frozen=True):
    """What do these orders bid for this lead?"""

    personal: ClassVar[bool] = False
    lead_id: str
    orders: tuple[str, ...]


class Bids(Answer, frozen=True):
    """The answer to :class:`BidsAsk`. The first time nobody was asked yet: then ``within_ms`` is the time that the
    asking may take, and ``full`` are those among the orders that are known to have no room and need not be asked.
    Afterwards ``items`` has one entry an order, and ``took_ms`` is what it took."""

    asked: bool = False
    within_ms: int = 0
    items: tuple[BidHeard | NoBid, ...] = ()
    took_ms: int = 0
    full: tuple[NoBid, ...] = ()

    @property
    def reached(self) -> int:
        """How many orders were to be asked: all but the full ones."""
        return sum(isinstance(item, BidHeard) or item.because.code != BID_FULL.code for item in self.items)

    def beside(self, full: Sequence[NoBid]) -> "Bids":
        """With the orders that were not asked because they are full."""
        if not full:
            return self
        return replace(self, items=tuple(sorted((*self.items, *full), key=lambda item: item.order_id)))

    def tell(self) -> Iterable[str]:
        """How many bid."""
        if self.asked:
            bids = sum(isinstance(item, BidHeard) for item in self.items)
            yield f"{self.reached} orders were asked for a bid, {bids} bid, within {self.took_ms} ms."
        else:
            yield f"Bids are asked for within {self.within_ms} ms."
        full = len(self.full) or len(self.items) - self.reached
        if full:
            yield f"{full} full orders were not asked."


class Tender(Evidence, frozen=True):
    """Whom to ask for a bid, and until when an answer counts."""

    personal: ClassVar[bool] = False
    orders: tuple[str, ...]
    until: datetime
    full: tuple[NoBid, ...] = ()
    """Those that would be asked if they were not known to be full."""

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"Asks {len(self.orders)} orders for a bid."


class Bidding(Evidence, frozen=True):
    """What was bid, and why each of the others did not: what ``Allocate`` prices orders by."""

    personal: ClassVar[bool] = False
    items: tuple[BidHeard | NoBid, ...]
    took_ms: int = 0

    def by_order(self) -> Mapping[str, BidHeard | NoBid]:
        """The entries by order."""
        return {item.order_id: item for item in self.items}

    def tell(self) -> Iterable[str]:
        """A sentence for each order that was asked."""
        for item in self.items:
            if isinstance(item, BidHeard):
                amounts = [("alone", item.exclusive), ("for a leg", item.shared)]
                told = " and ".join(f"{Money(much, item.currency)} {how}" for how, much in amounts if much is not None)
                ref = f" ({item.ref})" if item.ref else ""
                yield f"{item.buyer_id} ({item.order_id}) bid {told} after {item.ms} ms{ref}."
            else:
                yield f"{item.buyer_id} ({item.order_id}), no bid {item.number}: {item.because.message}"

"""What a ping is offered, and how its post is held to that: the stations ``Appraise`` and ``Redeem``.

``Appraise`` asks the market what it would do with a ping; the answer is written down as a :class:`PingQuote`, never
sold. ``Redeem`` is the first station of the shared stretch: a lead posted against a ping learns there what was
quoted, once and in time, and ``Allocate`` sells it by the rule in ``honour``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct

from leadmill.capture import Submission
from leadmill.core.case import Answer, Ask, Case, Evidence, Heard
from leadmill.core.money import Money
from leadmill.core.reasons import Because, State, because, declare
from leadmill.core.step import Step
from leadmill.core.verdicts import ASIDE, Pass, Stop, Verdict
from leadmill.market.again import OfferedAgain
from leadmill.market.model import MODE, OUTBID, Auction, Mode, Order, Sale
from leadmill.market.tenders.tender import BidHeard
from leadmill.market.terms import NOT_LIVE, ON_THE_LINE, CallTarget

EXPIRED = declare(
    "market.quote.expired", "The price quoted to the ping held until {until}; the lead came {late} s later.",
    State.REJECTED,
)  # fmt: skip
USED = declare("market.quote.spent", "The ping was posted against before, as {lead}.", State.REJECTED)
UNKNOWN = declare("market.quote.gone", "The ping that the lead names is not known any more.", State.REJECTED)
NOT_HONOURED = declare(
    "market.quote.not_honoured",
    "The quoted buyers cannot have the lead, and the best of the others, at {best}, does not cover the {price} that "
    "was quoted.",
    State.UNSOLD,
)
IN_HOUSE = declare("market.quote.in_house", "The lead would stay in-house with {team}; nothing is paid for it.")

ON_THE_LINE_KEY = "context.live_call"
"""What a lead says whose person is on the line."""

_STANDBY = 3
"""The most buyers named as next in line."""


class QuotedLeg(Struct, frozen=True):
    """One order of a quote, its buyer's id and legal name, what it is to pay, and where a live ``call`` goes."""

    order_id: str
    buyer_id: str
    name: str
    price: Money
    call: CallTarget | None = None


class PingQuote(Evidence, frozen=True, kw_only=True):
    """What a ping was offered at ``at`` until ``expires_at``; without ``legs`` there was no bid, and ``because`` says
    why.

    ``price`` is what the source is promised, ``owed`` whether that is a payout (a source without terms is only told
    what the lead brings). ``sellers`` are the companies that consent must name, ``standby`` those that would step in
    if one of them does not take the lead. ``test`` marks one that holds no room and moves no money.
    """

    personal: ClassVar[bool] = False
    id: str
    source_id: str
    vertical: str
    at: datetime
    expires_at: datetime
    revision: int
    mode: Mode | None = None
    legs: tuple[QuotedLeg, ...] = ()
    price: Money | None = None
    owed: bool = False
    standby: tuple[str, ...] = ()
    because: Because | None = None
    test: bool = False
    bids: tuple[BidHeard, ...] = ()
    """What buyers bid on the ping; the lead that follows it is not put to them again."""

    @property
    def sellers(self) -> tuple[str, ...]:
        """The legal names that consent must show."""
        return tuple(dict.fromkeys(leg.name for leg in self.legs))

    @property
    def call(self) -> CallTarget | None:
        """Where the caller is put through, for a ping of one who is on the line; None for any other."""
        return self.legs[0].call if self.legs else None

    @property
    def value(self) -> int:
        """What the orders pay together, in minor units."""
        return sum(leg.price.amount for leg in self.legs)

    @property
    def floor(self) -> int:
        """The least that other buyers must pay together, in minor units, for the promise to be kept without a loss."""
        return min(self.price.amount, self.value) if self.owed and self.price is not None else 0

    def hold_of(self, leg: QuotedLeg) -> str:
        """The id under which room is held for a leg."""
        return f"{self.id}/{leg.order_id}"

    @property
    def holds(self) -> tuple[str, ...]:
        """The ids under which room may be held for it."""
        return () if self.test else tuple(map(self.hold_of, self.legs))


class Quoted(Evidence, frozen=True):
    """The lead was posted against a ping: what had been quoted, and when it came."""

    personal: ClassVar[bool] = False
    quote: PingQuote
    posted_at: datetime

    def tell(self) -> Iterable[str]:
        """One sentence."""
        quote = self.quote
        to = " and ".join(f"{leg.name} at {leg.price}" for leg in quote.legs)
        after = (self.posted_at - quote.at).total_seconds()
        yield (
            f"Quoted {quote.price} at {quote.at:%H:%M:%S} for {to} ({quote.mode}); posted {after:.1f} s later against "
            f"{quote.id}."
        )


def on_the_line(case: Case, values: Mapping[str, Any]) -> bool:
    """Whether the person is on the telephone now: the lead says so, or the ping it follows was that of a call. Who is
    offered again has hung up by then."""
    if OfferedAgain in case:
        return False
    quoted = case.get(Quoted)
    return values.get(ON_THE_LINE_KEY) is True or (quoted is not None and quoted.quote.call is not None)


def astray(order: Order, live: bool) -> Because | None:
    """Why an order cannot have the lead because of how the person is to be reached, or None."""
    if (order.call is not None and order.call.live) is live:
        return None
    return because(ON_THE_LINE if live else NOT_LIVE)


class QuoteAsk(Ask, frozen=True):
    """What was quoted to this ping?"""

    personal: ClassVar[bool] = False
    ping_id: str


class QuoteFound(Answer, frozen=True):
    """The quote, None where there is none (any more), and the lead that was posted against it before."""

    quote: PingQuote | None = None
    used_by: str | None = None


class Redeem:
    """Holds a posted lead against its ping. A lead that follows no ping is no concern of it."""

    name = "quote"

    def wants(self, case: Case) -> Sequence[Ask]:
        """The quote, which is locked with the question."""
        ping_id = case[Submission].ping_id
        return (QuoteAsk(ping_id),) if ping_id is not None else ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with what was quoted; stop a lead that comes late or again."""
        found = next((answer for answer in heard.values() if isinstance(answer, QuoteFound)), None)
        if found is None:
            return ASIDE
        quote = found.quote
        if quote is None:
            return Stop(because(UNKNOWN))
        if found.used_by is not None:
            return Stop(because(USED, lead=found.used_by))
        arrived = case[Submission].received_at
        told = Quoted(quote, arrived)
        if arrived >= quote.expires_at:
            late = round((arrived - quote.expires_at).total_seconds(), 1)
            return Stop(because(EXPIRED, until=f"{quote.expires_at:%H:%M:%S} UTC", late=late), (told,))
        return Pass((told,))


class Appraise:
    """Asks the market what it would do with a ping. ``allocate`` is the station that sells leads: a ping meets the
    same orders, limits and choice, and what would have been a sale becomes legs of an offer."""

    name = "market"

    def __init__(self, allocate: Step) -> None:
        self._allocate = allocate

    def wants(self, case: Case) -> Sequence[Ask]:
        """What the market wants to know."""
        return self._allocate.wants(case)

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the auction and the sale it would end in; stop where nobody pays."""
        verdict = self._allocate.judge(case, heard, now)
        if not isinstance(verdict, Pass):
            return verdict
        auction = next((item for item in verdict.learned if isinstance(item, Auction)), None)
        if not any(isinstance(item, Sale) for item in verdict.learned):
            team = auction.named(auction.considered[0]) if auction is not None and auction.considered else "a team"
            return Stop(because(IN_HOUSE, team=team), verdict.learned)
        return verdict


def legs_of(sale: Sale, auction: Auction) -> tuple[QuotedLeg, ...]:
    """The legs of the sale that a ping would end in."""
    return tuple(
        QuotedLeg(leg.order_id, leg.buyer_id, auction.names.get(leg.buyer_id, leg.buyer_id), leg.price, leg.call)
        for leg in sale.legs
    )


def standby_of(sale: Sale, auction: Auction) -> tuple[str, ...]:
    """The companies next in line, best first."""
    holders = {leg.buyer_id for leg in sale.legs}
    beaten = (
        auction.named(item)
        for item in auction.considered
        if item.refused is not None and item.refused.code in (OUTBID.code, MODE.code) and item.recipient not in holders
        if item.price is not None or item.shared_price is not None
    )
    return tuple(list(dict.fromkeys(beaten))[:_STANDBY])

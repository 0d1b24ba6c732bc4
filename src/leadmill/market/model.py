"""What the market knows: orders, headroom, auctions, sales and assignments, and every reason why an order did not get
a lead.

Orders come from configuration (``reading.read_order``); the rest is evidence that the step ``Allocate`` establishes.
Delivery, billing and the console read it. Nothing here is personal: refusals name clauses and limits, never a
person's values.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.events import Event
from leadmill.core.hours import Schedule
from leadmill.core.money import Money
from leadmill.core.reasons import Because, State, declare
from leadmill.market.tenders.tender import PingTarget
from leadmill.market.terms import CallTarget, CallTerms, PriceRule, PriceTime, Subscription, Unit, VolumeStep
from leadmill.market.worths import WORTH_LESS, Scarcity, Weighed, Worths, weighing
from leadmill.parties import Requirement

MAX_LEGS = 8
"""The most buyers one lead may be shared among, whatever the orders say."""

UNRANKED = 100
"""The priority of an order that names none; 1 is first."""

RETIRED = declare("market.order.retired", "The order is retired.")
PREDICATE = declare("market.order.predicate", "The order requires that {clause}.")
CLOSED = declare("market.order.closed", "The order is closed at {local} ({tz}).")
CAP_REACHED = declare("market.order.cap_reached", "The cap {cap} is reached: {used} of {limit}.")
BUDGET = declare("market.order.budget", "The budget does not cover it: {used} of {limit} is spent.")
CREDIT = declare("market.order.credit", "The buyer's account does not cover {price}: {available} is available.")
MIN_SCORE = declare("market.order.min_score", "The order wants a score of {min_score} or more, the lead has {score}.")
MODE = declare("market.order.mode", "The lead was sold {sold}, which was worth more ({value}).")
NOT_CLEARED = declare("market.order.not_cleared", "The rules do not allow this recipient: {says}")
SAME_BUYER_LEG = declare("market.order.same_buyer_leg", "The buyer already has a leg of this lead through {order}.")
OUTBID = declare("market.order.outbid", "{winner} got the lead at {price}.")
NEEDS_BID = declare("market.order.needs_bid", "The order's price is a bid, and bids are not heard here.")
REP_CAPACITY = declare("market.order.rep_capacity", "Every rep for this area has the day's {capacity} leads.")
OTHER_TEAM = declare("market.order.other_team", "The lead stays in-house with {winner}, which comes first.")
HOT = declare("market.order.hot", "A lead as hot as this goes straight to our own sales team, {winner}.")
NO_REP_FOR_ZIP = declare("market.order.no_rep_for_zip", "No rep of the team works this ZIP code.")
PREVIOUSLY_REJECTED = declare("market.order.previously_rejected", "The buyer has already declined this lead.")
KNOWN = declare("market.order.known_person", "The buyer already has this person, by {by}.")
EXCLUDED = declare("market.order.excluded", "The publisher keeps its lead from this buyer, {how}.")
UNKNOWN_RECIPIENT = declare("market.order.unknown_recipient", "No buyer or team {recipient} is on the roster.")
CURRENCY = declare("market.order.currency", "The order pays in {currency}, this market in {market}.")

UNSOLD = declare("market.lead.unsold", "No order could take the lead ({considered} were considered).", State.UNSOLD)
NONE_CLEARED = declare(
    "market.lead.none_cleared",
    "The rules allow none of the {considered} recipients who want such a lead: {says}",
    State.REJECTED,
)
TEST = declare("market.lead.test", "A test lead: judged like any other, sold to nobody.", State.TEST)


class Mode(StrEnum):
    """How an order takes leads: alone, with others, or whichever pays."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"
    EITHER = "either"


class Per(StrEnum):
    """The window of a cap, in the order's time zone. ``ALL`` is the order's whole life: the window of its budget."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


class Cap(Struct, frozen=True):
    """A limit of one window: at most ``leads`` leads, or at most ``spend`` of money. Exactly one is given."""

    per: Per
    leads: int | None = None
    spend: Money | None = None


class Order(Struct, frozen=True, kw_only=True):
    """A recipient's standing demand. Either ``buyer`` or ``team`` is set.

    ``price`` is for a lead sold exclusively, ``shared_price`` for a leg of a shared one; ``max_legs`` is the most
    buyers this order will share with, itself included. ``where`` holds the predicates as declared, all of which must
    hold. ``budget`` is what the order may spend in its life. ``tz`` decides where its days and months begin.
    ``price_rules``, ``price_times``, ``volume`` and ``subscription`` say how the price moves (see ``pricing``),
    ``weight`` is its part where a vertical's leads are given out by shares, ``call`` is set where it takes calls,
    ``silent`` says that the source is not told of its leg, ``post`` whether a lead is handed over while the source
    waits. ``unit`` is what the price is for, ``require`` what a lead must bring, beside what its buyer requires.
    ``worth`` is what a won lead is worth to a team, which then takes leads that it makes more of than a sale."""

    id: str
    vertical: str
    buyer: str | None = None
    team: str | None = None
    where: tuple[dict[str, Any], ...] = ()
    mode: Mode = Mode.EXCLUSIVE
    price: Money | None = None
    shared_price: Money | None = None
    max_legs: int = 4
    caps: tuple[Cap, ...] = ()
    budget: Money | None = None
    schedule: Schedule | None = None
    tz: str = "UTC"
    min_score: int | None = None
    priority: int = UNRANKED
    ping: PingTarget | None = None
    price_rules: tuple[PriceRule, ...] = ()
    price_times: tuple[PriceTime, ...] = ()
    volume: tuple[VolumeStep, ...] = ()
    subscription: Subscription | None = None
    weight: int = 1
    call: CallTerms | None = None
    silent: bool = False
    post: Literal["queued", "inline"] = "queued"
    retired: bool = False
    unit: Unit = "per_lead"
    require: Requirement | None = None
    worth: Money | None = None

    @property
    def recipient(self) -> str:
        """The id of the buyer or team it stands for."""
        return self.buyer or self.team or ""

    @property
    def currency(self) -> str:
        """The currency of its prices."""
        price = self.price or self.shared_price
        return price.currency if price is not None else "USD"


class Wanted(Struct, frozen=True):
    """What must be known of one order's limits: ``caps`` with its budget among them, ``pers`` their windows in
    ``tz``, the buyer's ``account`` where it is limited, the ``plan`` that pays what a subscription covers, ``reps`` as
    names with daily capacities for a team, and whether it can tie. ``exact`` names the windows whose use says more
    than whether there is room: a price, say. ``turns`` says that leads go round, so that everybody's last counts."""

    order_id: str
    tz: str = "UTC"
    caps: tuple[Cap, ...] = ()
    pers: tuple[Per, ...] = ()
    account: str | None = None
    currency: str = "USD"
    reps: tuple[tuple[str, int | None], ...] = ()
    ties: bool = False
    plan: str | None = None
    exact: tuple[Per, ...] = ()
    turns: bool = False

    @property
    def limited(self) -> bool:
        """Whether anything of it must be looked up at all."""
        return bool(self.pers or self.account or self.plan or self.reps or self.ties)


class Headroom(Ask, frozen=True, eq=False):
    """What is left of the limits of these orders? Compared by identity: comparing the lists would cost more than the
    answer.

    ``holds`` names the room set aside for this lead: where its orders are among ``wanted`` it is let go just before
    the answer, so that this lead finds it and no other can.
    """

    personal: ClassVar[bool] = False
    wanted: tuple[Wanted, ...]
    holds: tuple[str, ...] = ()
    scarcity: Scarcity | None = None
    """Whose shadow prices are asked with it."""


class Use(Struct, frozen=True, array_like=True):
    """What one window of an order has seen: leads and minor units spent."""

    per: Per
    leads: int
    spend: int


class Room(Answer, frozen=True):
    """The answer to :class:`Headroom`, as of ``at``: the use of each limited order by window, the money each limited
    account still yields (minor units), the leads each rep has had today (``team/rep``), and when orders that tie last
    got a lead."""

    at: datetime
    used: dict[str, list[Use]] = {}
    funds: dict[str, int] = {}
    reps: dict[str, int] = {}
    last: dict[str, datetime] = {}
    worths: Worths | None = None
    """Shadow prices, where any are in force."""


class Considered(Struct, frozen=True, array_like=True):
    """One order in an auction: what it would have paid, and why it did not get the lead; ``refused`` is None for a
    winner.

    ``price`` is the order's exclusive price or, where it takes only shared leads, its price for a leg; None in-house.
    """

    order_id: str
    recipient: str
    price: Money | None = None
    refused: Because | None = None
    shared_price: Money | None = None
    says: str = ""
    """How the price came about, where it is not the order's fixed one."""


class Leg(Struct, frozen=True):
    """One buyer's part of a sale; ``sale_id`` is the id that buyer knows it by. ``covered`` says that its price was
    paid with a subscription's fee, ``silent`` that the source is not told of it, ``call`` where a live call goes."""

    sale_id: str
    order_id: str
    buyer_id: str
    price: Money
    covered: bool = False
    silent: bool = False
    call: CallTarget | None = None


class Auction(Evidence, frozen=True):
    """Every order of the vertical that was considered, and the outcome: ``winners`` are order ids, ``value`` what
    they pay together. ``dry`` marks a test lead's auction, whose winners would have got the lead.

    Of a large book only those that matter are named: who won, who was beaten, who could have taken it, and the best
    that lacked one thing. ``orders`` then says how many there were (0 where all are named), ``required`` how many
    demanded something else of each field (each order counted once, with the first field that ruled it out), and
    ``unnamed`` how many others were refused, by reason. ``leadmill explain --order`` tells of any of them."""

    personal: ClassVar[bool] = False
    considered: tuple[Considered, ...]
    winners: tuple[str, ...] = ()
    mode: Mode | None = None
    value: Money | None = None
    dry: bool = False
    names: dict[str, str] = {}
    ranked: Because | None = None
    """What the orders were ranked by, where that was not what they pay."""
    orders: int = 0
    required: dict[str, int] = {}
    unnamed: dict[str, int] = {}
    weighed: tuple[Weighed, ...] = ()
    """How the best bids were weighed by shadow prices, where any were in force; the rest lost by less."""

    @property
    def size(self) -> int:
        """How many orders were considered, named or not."""
        return self.orders or len(self.considered)

    def tell(self) -> Iterable[str]:
        """The outcome against the best that lost, then each refusal."""
        won = [item for item in self.considered if item.refused is None and item.order_id in self.winners]
        yield self._outcome(won)
        if self.weighed:
            yield weighing(self.weighed, " and ".join(self.named(item) for item in won) or "the lead is kept")
        if self.ranked is not None:
            yield self.ranked.message
        for item in self.considered:
            if item.says:
                yield f"{self.named(item)} ({item.order_id}): {item.says}."
            if item.refused is not None:
                yield f"{self.named(item)} ({item.order_id}): {item.refused.message}"
        if self.orders:
            yield f"{len(self.considered):,} of {self.orders:,} orders are named."
        if self.required:
            fields = ", ".join(f"{name} {count:,}" for name, count in self.required.items())
            yield f"{sum(self.required.values()):,} orders require something else: {fields}."
        for code, count in self.unnamed.items():
            yield f"{count:,} more were refused with {code}."

    def named(self, item: Considered) -> str:
        """The recipient's name, where the roster gave one."""
        return self.names.get(item.recipient, item.recipient)

    def _outcome(self, won: list[Considered]) -> str:
        verb = "would get it" if self.dry else "gets it"
        if not won:
            return f"None of {self.size:,} orders could take the lead."
        shared = self.mode is Mode.SHARED
        parts = []
        for item in won:
            price = (item.shared_price or item.price) if shared else item.price
            parts.append(
                f"{self.named(item)} at {price}" if price is not None else f"{self.named(item)} in-house, nothing sold"
            )
        losers = [item for item in self.considered if item.refused is not None and item.refused.code in _BEATEN]
        text = " and ".join(parts) + (f" {self.mode}" if self.mode is not None else "")
        if shared and self.value is not None and len(won) > 1:
            text += f", {self.value} together"
        if self.ranked is not None and len(self.considered) > len(won):
            return f"{text} {verb}."
        if losers:
            return f"{text} beats " + ", ".join(f"{self.named(item)} {_at(item)}" for item in losers[:3]) + "."
        return f"{text} {verb}: no other order could take the lead."


def _at(item: Considered) -> str:
    return f"at {item.price or item.shared_price}" if item.price or item.shared_price else "in-house"


_BEATEN = {OUTBID.code, MODE.code, WORTH_LESS.code}


class Sale(Evidence, frozen=True):
    """The lead is sold. Built by ``rules.sell``, which asks for a clearance, and by nothing else."""

    personal: ClassVar[bool] = False
    id: str
    mode: Mode
    legs: tuple[Leg, ...]
    currency: str

    @property
    def value(self) -> Money:
        """What the legs pay together."""
        return Money(sum(leg.price.amount for leg in self.legs), self.currency)

    def tell(self) -> Iterable[str]:
        """One sentence a leg."""
        for leg in self.legs:
            yield f"Sold {self.mode} to {leg.buyer_id} through order {leg.order_id} at {leg.price} ({leg.sale_id})."


class Assignment(Evidence, frozen=True):
    """The lead stays in-house with a team and one of its reps; nothing is sold."""

    personal: ClassVar[bool] = False
    id: str
    team: str
    rep: str
    order_id: str

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"Assigned to {self.rep} of team {self.team}; nothing was sold."


class Declined(Evidence, frozen=True):
    """Buyers who had this lead and gave it back; a second walk does not offer it to them again."""

    personal: ClassVar[bool] = False
    buyers: tuple[str, ...] = ()

    def tell(self) -> Iterable[str]:
        """One sentence."""
        if self.buyers:
            yield f"Already declined by {', '.join(self.buyers)}."


class LegState(StrEnum):
    """What became of a leg."""

    SOLD = "sold"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    ASSIGNED = "assigned"


class SaleRecord(Struct, frozen=True, kw_only=True):
    """A leg as stored. ``at`` is the moment whose windows it counts in; an assignment has a team, a rep and no
    price."""

    id: str
    leg: int
    deal_id: str
    lead_id: str
    order_id: str
    buyer_id: str | None
    team_id: str | None
    rep_id: str | None
    mode: str
    price: Money
    state: LegState
    at: datetime
    ended_at: datetime | None = None


class SaleCancelled(Event, tag="sale.cancelled", frozen=True):
    """A leg was taken back before it was good: the buyer declined it, or delivery failed. Its caps are released."""

    sale_id: str
    order_id: str
    recipient: str
    price: Money
    because: Because

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"The sale to {self.recipient} at {self.price} was cancelled: {self.because.message}"

"""The terms a price follows from, and the terms on which a vertical's leads are given out.

Structs alone, decoded by ``pricelist`` and ``reading`` from the tables of orders and markets; ``pricing`` and
``modes`` say what they mean. The reasons that terms give stand here too.
"""

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from leadmill.core.hours import Span
from leadmill.core.money import Money
from leadmill.core.reasons import declare
from leadmill.parties import Certification, Demand

BELOW_FLOOR = declare("market.order.below_floor", "It pays {price}, and {whose} floor is {floor}.")
BELOW_RESERVE = declare("market.order.below_reserve", "It pays {price}, and the market's reserve is {reserve}.")
MARGIN = declare(
    "market.order.margin", "Of {price} the source would get {payout}, which leaves {left} where {least} is asked."
)
UNNAMED = declare("market.order.unnamed", "The consent does not name this buyer, and {who} takes only those it names.")
NOT_NEXT = declare("market.order.not_next", "{winner} came first: {how}.")
NOT_LIVE = declare("market.order.not_live", "It takes callers who are on the line, and nobody is.")
ON_THE_LINE = declare(
    "market.order.on_the_line", "The caller is on the line, and it has no number to be put through to."
)
NO_REP_SKILLED = declare("market.order.no_rep_skilled", "No rep of this area has what the lead needs: {skills}.")
NO_REP_ON_DUTY = declare("market.order.no_rep_on_duty", "No rep for this lead works at this hour.")
NEUTRAL = declare("market.lead.neutral", "Ranked by {criteria}, not by price: {says} ({rule}: {citation})")
STRATEGY = declare("market.lead.strategy", "Ranked by the house's choice for this vertical: {how}.")

Strategy = Literal["revenue", "waterfall", "round_robin", "weighted"]
"""How the recipients of a vertical's leads are ranked: by what they pay, by priority, by who has waited longest, or
by who is furthest below its share."""


Unit = Literal[
    "per_lead",
    "per_contact_record",
    "per_click",
    "per_call",
    "per_signed_contract",
    "per_bind",
    "per_application",
    "per_closing",
    "per_funded_loan",
    "percent_of_loan",
    "per_signed_retainer",
    "percent_of_recovery",
    "percent_of_fee",
    "per_enrollment",
    "per_start",
    "percent_of_tuition",
]
"""What a price is for. The law packs say which of them a vertical may not be charged by."""


BY_WIN: frozenset[Unit] = frozenset((
    "per_signed_contract", "per_bind", "per_closing", "per_funded_loan", "percent_of_loan", "per_signed_retainer",
    "percent_of_recovery", "percent_of_fee", "per_enrollment", "per_start", "percent_of_tuition",
))  # fmt: skip
"""Units of prices that are owed only for a lead that was won."""


class PriceRule(Struct, frozen=True, kw_only=True):
    """Where every condition of ``where`` holds, another price, or the price times a factor."""

    where: tuple[dict[str, Any], ...]
    price: Money | None = None
    shared_price: Money | None = None
    factor: Decimal | None = None


class PriceTime(Struct, frozen=True, kw_only=True):
    """The price times ``factor`` in some hours of the order's week, in a season of its year, or where both hold.

    A season runs from the first day (month, day) to the last, both included, over New Year where the first comes
    later. ``text`` holds the hours as declared.
    """

    factor: Decimal
    spans: tuple[Span, ...] = ()
    text: tuple[str, ...] = ()
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None


class VolumeStep(Struct, frozen=True, kw_only=True):
    """Beyond ``over`` leads in the order's day or month, another price or the price times a factor."""

    per: Literal["day", "month"]
    over: int
    price: Money | None = None
    shared_price: Money | None = None
    factor: Decimal | None = None


class Subscription(Struct, frozen=True):
    """A flat ``fee`` a month of the order's zone pays for ``leads`` leads; each one more costs ``overage``."""

    fee: Money
    leads: int
    overage: Money

    @property
    def share(self) -> Money:
        """What one covered lead is worth of the fee, rounded down: the rest is kept when the month ends."""
        return Money(self.fee.amount // self.leads, self.fee.currency)


class CallTarget(Struct, frozen=True):
    """Where a caller who is on the line is put through: a ``number`` with its country code, the same line's ``sip``
    address where it has one, and from how many seconds on the call is good."""

    number: str
    sip: str = ""
    min_seconds: int = 0


class CallTerms(Struct, frozen=True):
    """A call is good from ``min_seconds`` on. ``dial`` is the number the buyer is given; empty means the person's
    own, and where it is not empty the person's own stays masked.

    ``live`` says that the order takes callers who are on the line, and nothing else: they are put through to the
    number ``to`` (and ``sip``), or to one that the buyer names with its bid."""

    min_seconds: int
    dial: str = ""
    to: str = ""
    sip: str = ""
    live: bool = False

    def target(self, number: str = "", sip: str = "") -> CallTarget | None:
        """Where a live call goes: to the line that came with the bid, else to the order's own; None for an order that
        is handed leads to call back."""
        if not self.live:
            return None
        return CallTarget(number, sip, self.min_seconds) if number else CallTarget(self.to, self.sip, self.min_seconds)


class Resale(Struct, frozen=True):
    """A lead that nobody took, or fewer than could share it, is offered again ``after`` so many minutes, up to
    ``rounds`` times, at the price times ``factor`` for each round."""

    after: int
    rounds: int = 1
    factor: Decimal = Decimal(1)


class MarketTerms(Struct, frozen=True, kw_only=True):
    """How one vertical's leads are given out. Floors and reserves are for a lead of its own and for a leg of a shared
    one; ``neutral`` bars ranking by payment though the pack does not; ``consent_list`` keeps every lead to buyers
    whom its consent names; ``demands`` is the evidence without which the law lets none of them pass;
    ``certified`` what the house is certified for, None where that is not declared."""

    vertical: str
    strategy: Strategy = "revenue"
    second_price: bool = False
    floor: Money | None = None
    shared_floor: Money | None = None
    reserve: Money | None = None
    shared_reserve: Money | None = None
    neutral: bool = False
    consent_list: bool = False
    resale: Resale | None = None
    currency: str = "USD"
    retired: bool = False
    demands: tuple[Demand, ...] = ()
    certified: tuple[Certification, ...] | None = None

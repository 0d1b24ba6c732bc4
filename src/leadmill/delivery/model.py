"""The records, events and reasons of delivery, and what a courier plug-in looks like.

Read by every module of this package, by couriers and by whoever reads a lead's events.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from leadmill.core.case import Evidence
from leadmill.core.conversation import Outgoing, Reply
from leadmill.core.events import Event
from leadmill.core.reasons import Because, declare
from leadmill.runtime.dialect import Dialect, Secret

ATTEMPT = "delivery.attempt"
"""The kind of job that makes one attempt; its payload is ``{"delivery_id": …}``."""

BUYER_REJECTED = declare("delivery.buyer.rejected", "The buyer refused the lead: {said}.")
BUYER_DUPLICATE = declare("delivery.buyer.duplicate", "The buyer already has this person: {said}.")
ENDPOINT_WRONG = declare(
    "delivery.endpoint.wrong", "The buyer's address answered {status}: check the delivery's address and credentials."
)
ATTEMPTS_SPENT = declare(
    "delivery.attempts.spent", "Not delivered after {attempts} attempts, the last ended with {code}."
)
SENDING_FAULT = declare("delivery.sending.fault", "The delivery could not be sent: {code}.")

State = Literal["queued", "accepted", "rejected", "retrying", "dead", "cancelled"]
"""Where a delivery stands. ``queued`` and ``retrying`` will be tried; the others are the end, unless somebody
resends."""


class DeliverySpec(Dialect, frozen=True, kw_only=True):
    """How one buyer wants its leads: the decoded ``delivery`` table of the configuration.

    ``fields`` maps the buyer's names (dotted for nesting) to the lead's; empty means the full payload under
    Leadmill's own names. ``timeout_ms`` bounds one attempt; ``retries`` are the waits between attempts in seconds.
    ``test`` are constants that mark a test and ``test_url`` is where tests go; a buyer with neither is handed none.
    """

    courier: str
    to: tuple[str, ...] = ()
    sender: str = ""
    subject: str = ""
    path: str = ""
    retries: tuple[int, ...] = (10, 60, 300, 1_800, 7_200)
    test: dict[str, str | int | float | bool | Secret] | None = None
    test_url: str = ""

    def for_test(self) -> "DeliverySpec":
        """How a test is handed over: marked as one, to where tests go, and once."""
        constants = {**self.constants, **(self.test or {})}
        return replace(self, url=self.test_url or self.url, constants=constants, retries=())


class Parcel(Struct, frozen=True):
    """What is handed over: the opened lead with the particulars of its sale. Personal; lives in memory only.

    ``created_at`` is when the lead was sold; ``delivery_id`` is the same over all attempts, ``no`` counts them from 1.
    ``price`` is a decimal string; ``bid_ref`` is the buyer's own id of the bid it won with.
    """

    delivery_id: str
    lead_id: str
    sale_id: str
    recipient: str
    vertical: str
    created_at: datetime
    no: int = 1
    received_at: datetime | None = None
    price: str | None = None
    currency: str = "USD"
    bid_ref: str | None = None
    fields: dict[str, Any] = {}
    consent: dict[str, Any] = {}
    context: dict[str, Any] = {}
    test: bool = False


class Outcome(Struct, frozen=True):
    """How an attempt ended.

    ``accepted`` and ``rejected`` are the buyer's word, ``retry`` asks for another attempt, ``dead`` for none.
    ``code`` is short and stable; ``because`` stands for rejected and dead. ``price`` is what the buyer says to pay,
    ``buyer_ref`` its own id of the lead. ``excerpt`` is the start of the answer as it came: personal, to be sealed.
    ``after`` is a wait the other side asked for, in seconds.
    """

    kind: Literal["accepted", "rejected", "retry", "dead"]
    code: str
    because: Because | None = None
    buyer_ref: str | None = None
    price: str | None = None
    status: int = 0
    elapsed_ms: int = 0
    after: float | None = None
    excerpt: str = ""


class Courier(Protocol):
    """A transport: a pure conversation, registered under ``leadmill.couriers``. No socket, no clock, no state."""

    @property
    def name(self) -> str:
        """What a delivery's ``courier`` says to choose it."""
        ...

    def check(self, spec: DeliverySpec) -> Sequence[tuple[str, str]]:
        """What the spec lacks for this courier, as pairs of a key and what to do; empty where it will do."""
        ...

    def ask(self, spec: DeliverySpec, parcel: Parcel) -> Outgoing:
        """The parcel as one ask."""
        ...

    def read(self, spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
        """What the reply means."""
        ...


class Planned(Struct, frozen=True, omit_defaults=True):
    """One delivery to be made: one leg of a sale. Where ``inline``, whoever brought the lead is kept waiting for the
    first attempt, which the runner makes at once; ``bid_ref`` is the buyer's own id of its bid. A ``test`` has no sale
    behind it, only an id in the place of one."""

    delivery_id: str
    sale_id: str
    leg: int
    recipient: str
    courier: str
    inline: bool = False
    bid_ref: str | None = None
    test: bool = False


class Dispatched(Evidence, frozen=True):
    """The deliveries that a sale sets going; of a test those that its auction would have, and ``untested`` are the
    buyers that would have got it and take no tests."""

    personal: ClassVar[bool] = False
    items: tuple[Planned, ...] = ()
    untested: tuple[str, ...] = ()

    def tell(self) -> Iterable[str]:
        for item in self.items:
            yield f"To be delivered to {item.recipient} by {item.courier}{', as a test' if item.test else ''}."
        for name in self.untested:
            yield f"A test, not delivered to {name}, which has no test mode."


class Plan(Struct, frozen=True):
    """One attempt, claimed: nobody else may make it until ``until``. ``no`` counts attempts from 1, ``round_no``
    those since the delivery was last started by hand."""

    delivery_id: str
    lead_id: str
    sale_id: str
    leg: int
    recipient: str
    courier: str
    no: int
    round_no: int
    created_at: datetime
    until: datetime
    bid_ref: str | None = None


class Receipt(Struct, frozen=True):
    """A delivery as it stands, for pages and reports."""

    delivery_id: str
    lead_id: str
    sale_id: str
    leg: int
    recipient: str
    courier: str
    state: State
    attempts: int
    next_at: datetime | None
    code: str | None
    buyer_ref: str | None
    created_at: datetime
    done_at: datetime | None


class Attempt(Struct, frozen=True):
    """One attempt as recorded. ``request_digest`` is the SHA-256 of what was sent; ``excerpt`` is sealed."""

    delivery_id: str
    no: int
    at: datetime
    elapsed_ms: int
    status: int
    outcome: str
    code: str
    request_digest: bytes | None
    excerpt: bytes | None


class DeliveryEvent(Event, frozen=True, kw_only=True, tag="delivery.event"):
    """What every event of a delivery carries."""

    delivery_id: str
    sale_id: str
    recipient: str
    attempt: int
    code: str


class DeliveryAccepted(DeliveryEvent, frozen=True, kw_only=True, tag="delivery.accepted"):
    """The buyer has the lead. ``price`` is what the buyer's answer named, None where it named none."""

    buyer_ref: str | None = None
    price: str | None = None

    def tell(self) -> Iterable[str]:
        ref = f" as {self.buyer_ref}" if self.buyer_ref else ""
        yield f"{self.recipient} took the lead{ref} at attempt {self.attempt}."


class DeliveryRejected(DeliveryEvent, frozen=True, kw_only=True, tag="delivery.rejected"):
    """The buyer refused the lead."""

    because: Because

    def tell(self) -> Iterable[str]:
        yield f"{self.recipient}: {self.because.message}"


class DeliveryRetrying(DeliveryEvent, frozen=True, kw_only=True, tag="delivery.retrying"):
    """An attempt failed; the next comes at ``next_at``."""

    next_at: datetime

    def tell(self) -> Iterable[str]:
        yield f"Attempt {self.attempt} at {self.recipient} failed ({self.code}); next at {self.next_at:%H:%M:%S} UTC."


class DeliveryDead(DeliveryEvent, frozen=True, kw_only=True, tag="delivery.dead"):
    """No further attempt will be made unless somebody resends."""

    because: Because

    def tell(self) -> Iterable[str]:
        yield f"{self.recipient}: {self.because.message}"


class DeliveryResent(DeliveryEvent, frozen=True, kw_only=True, tag="delivery.resent"):
    """Somebody asked for another attempt; ``by`` is an operator's id."""

    by: str

    def tell(self) -> Iterable[str]:
        yield f"Delivery to {self.recipient} started again by {self.by}."


class DeliveryCancelled(DeliveryEvent, frozen=True, kw_only=True, tag="delivery.cancelled"):
    """Called off before it was done, because its sale was."""

    def tell(self) -> Iterable[str]:
        yield f"Delivery to {self.recipient} called off."

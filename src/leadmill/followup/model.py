"""The records and events of follow-up, and what a messenger plug-in looks like.

Read by every module of this package, by messengers and by whoever reads a lead's events.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal, Protocol

from msgspec import Struct

from leadmill.core.case import Evidence
from leadmill.core.conversation import Outgoing, Reply
from leadmill.core.events import Event
from leadmill.core.verdicts import Rule

SEND = "message.send"
"""The kind of job that sends one message; its payload is ``{"message_id": …}``."""

Kind = Literal["ack", "alert", "notice"]
"""``ack``: the person's enquiry has arrived. ``alert``: our own rep is told of a new lead, with its details.
``notice``: a buyer or a team is told that a lead waits, without any."""

State = Literal["queued", "retrying", "sent", "failed"]


class Template(Struct, frozen=True):
    """A message with ``{places}``, one subject line and plain text."""

    subject: str
    text: str


class Templates(Struct, frozen=True):
    """The messages of each vertical by kind, with the vertical's title; a kind that is missing is not sent."""

    verticals: dict[str, dict[Kind, Template]] = {}
    titles: dict[str, str] = {}


class PlannedMessage(Struct, frozen=True):
    """A message to be sent. ``addressee`` is ``person``, or the id of a rep as ``team/rep``: addresses are looked up
    when it is sent."""

    message_id: str
    kind: Kind
    addressee: str
    messenger: str


class Followups(Evidence, frozen=True):
    """The messages that a walk sets going, and why others were not: ``skipped`` holds sentences without personal
    data."""

    personal: ClassVar[bool] = False
    items: tuple[PlannedMessage, ...] = ()
    skipped: tuple[str, ...] = ()

    def tell(self) -> Iterable[str]:
        for item in self.items:
            yield (
                "The person is told that the enquiry arrived."
                if item.kind == "ack"
                else f"{item.addressee} is told of the lead."
            )
        yield from self.skipped


class Letter(Struct, frozen=True):
    """A message, written: personal, lives in memory only. An empty ``sender`` is the sender of the settings."""

    message_id: str
    kind: Kind
    to: str
    subject: str
    text: str
    html: str = ""
    sender: str = ""
    headers: dict[str, str] = {}
    """Further headers, by which mail programs unsubscribe for example."""


class SendOutcome(Struct, frozen=True):
    """How sending ended: ``sent``, ``failed`` for good, or to be tried again (``retry``). ``status`` is what the other
    side gave as its reason where it speaks SMTP: a code, and an enhanced one where it had one (``550 5.1.1``). ``says``
    and ``rules`` are set where the law kept the message from going out."""

    kind: Literal["sent", "retry", "failed"]
    code: str
    after: float | None = None
    elapsed_ms: int = 0
    status: str = ""
    says: str = ""
    rules: tuple[Rule, ...] = ()


class Messenger(Protocol):
    """A channel: a pure conversation, registered under ``leadmill.messengers``. No socket, no clock, no state."""

    @property
    def name(self) -> str:
        """What a plan says to choose it, e.g. ``email``."""
        ...

    def ask(self, letter: Letter) -> Outgoing:
        """The letter as one ask."""
        ...

    def read(self, letter: Letter, reply: Reply) -> SendOutcome:
        """What the reply means."""
        ...


class Sending(Struct, frozen=True):
    """One attempt at sending, claimed: nobody else may make it until ``until``."""

    message_id: str
    lead_id: str
    kind: Kind
    addressee: str
    messenger: str
    no: int
    until: datetime


class Message(Struct, frozen=True):
    """A message as it stands, for pages. It holds neither its text nor an address."""

    message_id: str
    lead_id: str
    kind: Kind
    addressee: str
    messenger: str
    state: State
    attempts: int
    next_at: datetime | None
    code: str | None
    created_at: datetime
    done_at: datetime | None


class MessageEvent(Event, frozen=True, kw_only=True, tag="message.event"):
    """What every event of a message carries."""

    message_id: str
    kind: Kind
    addressee: str
    attempt: int
    code: str


class MessageSent(MessageEvent, frozen=True, kw_only=True, tag="message.sent"):
    """The channel took the message."""

    def tell(self) -> Iterable[str]:
        yield f"Sent to {self.addressee}: {self.kind}."


class MessageRetrying(MessageEvent, frozen=True, kw_only=True, tag="message.retrying"):
    """Sending failed; the next attempt comes at ``next_at``."""

    next_at: datetime

    def tell(self) -> Iterable[str]:
        when = f"{self.next_at:%H:%M:%S} UTC"
        yield f"The {self.kind} to {self.addressee} could not be sent ({self.code}); next at {when}."


class MessageDeferred(MessageEvent, frozen=True, kw_only=True, tag="message.deferred"):
    """The message may not go out at this hour, or not yet: it is looked at again ``until``. ``rules`` say so."""

    until: datetime
    says: str = ""
    rules: tuple[Rule, ...] = ()

    def tell(self) -> Iterable[str]:
        by = ", ".join(f"{rule.id}: {rule.citation}" for rule in self.rules[:1])
        yield f"The {self.kind} to {self.addressee} waits until {self.until:%Y-%m-%d %H:%M} UTC. {self.says} ({by})"


class MessageFailed(MessageEvent, frozen=True, kw_only=True, tag="message.failed", omit_defaults=True):
    """The message will not be sent. Where the law kept it from going out, ``says`` and ``rules`` tell why."""

    says: str = ""
    rules: tuple[Rule, ...] = ()

    def tell(self) -> Iterable[str]:
        by = ", ".join(f"{rule.id}: {rule.citation}" for rule in self.rules[:1])
        why = f" {self.says} ({by})" if self.says else ""
        yield f"The {self.kind} to {self.addressee} was given up ({self.code}).{why}"

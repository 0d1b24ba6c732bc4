"""The words of opting out: how somebody did, what it closes, and who was told.

Read by the verbs of this package, by ``flow``, which carries opt-outs out, and by the pages.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadmill.core.events import Event
from leadmill.core.reasons import State, declare

Scope = Literal["all", "phone", "email", "sale"]
"""What an opt-out closes: every way of contact, calls and texts, or e-mail; or the sale of the person's data, which
closes no way of contact."""

Channel = Literal["reply", "web", "one_click", "agent", "api", "gpc", "list"]
"""How it came. ``agent``: told to somebody who wrote it down; ``gpc``: Global Privacy Control; ``list``: a file."""

Standing = Literal["stands", "review", "lifted"]
"""``review`` is a doubtful reply, which counts until a person has looked at it; ``lifted`` is one that was none."""

Way = Literal["webhook", "email", "portal"]
"""How a recipient is told. ``portal``: it asks for its notices itself."""

NoticeState = Literal["owed", "told", "acknowledged", "failed"]

Matter = Literal["opted_out", "deleted", "corrected", "limited"]
"""What a notice tells a recipient of its lead's person: that they opted out, or that a request of theirs was carried
out here, which the recipient has to follow as well."""

Kind = Literal["phone", "email", "sha256", "sale"]
"""What a hash stands for; ``sha256`` is an entry of a list that holds hashes alone, ``sale`` the key under which an
opt-out of sale is kept for a contact detail."""

KINDS: dict[Scope, tuple[Kind, ...]] = {
    "all": ("phone", "email"),
    "phone": ("phone",),
    "email": ("email",),
    "sale": ("phone", "email"),
}
"""The kinds of contact details that a scope suppresses."""

CHANNELS: tuple[Channel, ...] = ("reply", "web", "one_click", "agent", "api", "gpc", "list")

MOST = 1_000
"""The most opt-outs that one call may bring."""

ENFORCE = "optout.enforce"
"""The kind of job that stops what is under way; its payload is ``{"opt_out_id": …}``."""

TELL = "optout.tell"
"""The kind of job that tells one recipient; its payload is ``{"notice_id": …}``."""

OPTED_OUT = declare("optouts.person.opted_out", "The person opted out before the lead was handed over.", State.REJECTED)


class Contact(Struct, frozen=True):
    """One contact detail as its keyed hash."""

    kind: Kind
    hash: bytes


class OptOut(Struct, frozen=True, kw_only=True):
    """An opt-out as it stands; see the table for the fields. ``by`` is a key's, an operator's or a page's name."""

    id: str
    at: datetime
    received_at: datetime
    channel: Channel
    scope: Scope
    state: Standing
    by: str
    entries: int
    person_id: str | None = None
    lead_id: str | None = None
    verdict: str | None = None
    words: bytes | None = None
    enforced_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


class Saying(Struct, frozen=True, kw_only=True):
    """An opt-out about to be heard, which becomes the :class:`OptOut` of this id. ``contacts`` are what it closes, at
    least one; ``words`` are sealed; ``doubtful`` has a person look at it, and counts meanwhile."""

    opt_out_id: str
    contacts: tuple[Contact, ...]
    scope: Scope
    channel: Channel
    by: str
    at: datetime
    person_id: str | None = None
    lead_id: str | None = None
    words: bytes | None = None
    verdict: str | None = None
    doubtful: bool = False


class Heard(Struct, frozen=True):
    """What came of an opt-out: ``recorded`` is false where all it closes was closed before, since ``since``."""

    id: str | None
    recorded: bool
    since: datetime
    fresh: int = 0
    """How many of its contact details were open before."""


class Notice(Struct, frozen=True, kw_only=True):
    """That a recipient is to be told, and whether it was; see the table. ``opt_out_id`` is the opt-out, or the request
    of the person, that it is about."""

    id: str
    opt_out_id: str
    sale_id: str
    lead_id: str
    recipient: str
    way: Way
    state: NoticeState
    tells: int
    created_at: datetime
    code: str | None = None
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None
    matter: Matter = "opted_out"
    fields: list[str] | None = None
    """The names of the fields that were corrected."""


_CAME = {
    "reply": "in a reply",
    "web": "on a page of ours",
    "one_click": "with one click in a message",
    "agent": "to somebody who wrote it down",
    "api": "through the API",
    "gpc": "by Global Privacy Control",
    "list": "on a list",
}
_CLOSES = {
    "all": "every way of contact",
    "phone": "calls and texts",
    "email": "e-mail",
    "sale": "the sale of their data",
}


class PersonOptedOut(Event, frozen=True, kw_only=True, tag="optout.heard"):
    """The person behind this lead opted out; ``doubtful`` is a reply that a person has yet to look at."""

    opt_out_id: str
    scope: Scope
    channel: Channel
    said_at: datetime
    doubtful: bool = False

    def tell(self) -> Iterable[str]:
        """One sentence."""
        if self.scope == "sale":
            yield f"The person opted out of sale {_CAME[self.channel]}: nobody else is sold their data."
        elif self.doubtful:
            yield f"The person may have opted out {_CAME[self.channel]}; {_CLOSES[self.scope]} is closed meanwhile."
        else:
            yield f"The person opted out {_CAME[self.channel]}: {_CLOSES[self.scope]} is closed for good."


class OptOutDecided(Event, frozen=True, kw_only=True, tag="optout.decided"):
    """A person looked at a doubtful opt-out: it ``stands`` or was ``lifted``."""

    opt_out_id: str
    by: str
    decision: Standing

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"{self.by} looked at the reply: {'an opt-out' if self.decision == 'stands' else 'no opt-out'}."


class OptOutTold(Event, frozen=True, kw_only=True, tag="optout.told"):
    """A recipient was told that the person opted out."""

    notice_id: str
    opt_out_id: str
    recipient: str
    way: Way
    tells: int
    matter: Matter = "opted_out"

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"{self.recipient} was told of the {_MATTERS[self.matter]} by {_WAYS[self.way]}."


class OptOutAcknowledged(Event, frozen=True, kw_only=True, tag="optout.acknowledged"):
    """A recipient said that it will not contact the person any more."""

    notice_id: str
    opt_out_id: str
    recipient: str
    matter: Matter = "opted_out"

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"{self.recipient} acknowledged the {_MATTERS[self.matter]}."


_MATTERS = {
    "opted_out": "opt-out",
    "deleted": "deletion",
    "corrected": "correction",
    "limited": "limit on sensitive data",
}
_WAYS = {"webhook": "signed webhook", "email": "e-mail", "portal": "its list of notices"}

"""What comes back from an address or a number, and what is believed of it.

Written by the verbs of this package, heard by its station, read by whoever tells a lead's story. Nothing here says who
anybody is: a contact point is a keyed hash.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadmill.core.case import Answer, Ask
from leadmill.core.events import Event
from leadmill.facts import Outcome

Channel = Literal["email", "phone"]

CHANNELS: tuple[Channel, ...] = ("email", "phone")

Sense = Literal["good", "bad", "weak", "none"]
"""What an observation says of a point: that somebody is there, that nobody is, that it failed for now, or nothing."""


class Kind(Struct, frozen=True):
    """A kind of observation: its ``channel``, what it says (``sense``), and the same in words."""

    channel: Channel
    sense: Sense
    says: str


KINDS: dict[str, Kind] = {
    "delivered": Kind("email", "good", "an e-mail reached the mailbox"),
    "opened": Kind("email", "good", "the person opened an e-mail or followed a link in it"),
    "replied": Kind("email", "good", "the person wrote back"),
    "bounced": Kind("email", "bad", "an e-mail came back for good"),
    "deferred": Kind("email", "weak", "an e-mail could not be delivered for now"),
    "complained": Kind("email", "none", "the person called an e-mail spam"),
    "answered": Kind("phone", "good", "the person answered the phone"),
    "texted": Kind("phone", "good", "a text message reached the phone"),
    "disconnected": Kind("phone", "bad", "the number is not in service"),
    "wrong_number": Kind("phone", "bad", "somebody else has the number"),
    "unreached": Kind("phone", "bad", "a buyer says that nobody is reached by the number"),
    "unreachable": Kind("phone", "weak", "the number could not be reached for now"),
}
"""Every kind of observation, by its lasting name."""


class Upkeep(Struct, frozen=True, kw_only=True, eq=False):
    """How long what is known stays known; read from packs, see ``packs/common/hygiene.toml`` for what each means.

    ``weights`` and ``half_lives`` (days) are by kind; ``prior`` is the belief before anything was observed, as the
    weights for and against. A share of at least ``pass_from`` per cent passes, one of at most ``fail_to`` fails.
    ``weak_least`` weak observations within ``weak_days`` weigh ``weak_weight`` together. ``facts`` are the half-lives
    of facts by key in days, ``stale_below`` the confidence in per cent under which one is stale. ``dispositions`` and
    ``words`` say which kinds a buyer's and a service's words stand for. An observation is kept ``keep_days``.
    """

    vertical: str = ""
    prior: tuple[float, float] = (0.5, 0.5)
    weights: Mapping[str, float] = {}
    half_lives: Mapping[str, float] = {}
    pass_from: int = 70
    fail_to: int = 20
    weak_least: int = 3
    weak_days: int = 14
    weak_weight: float = 6.0
    facts: Mapping[str, float] = {}
    stale_below: int = 95
    dispositions: Mapping[str, tuple[str, ...]] = {}
    words: Mapping[str, str] = {}
    keep_days: int = 1_095
    digest: str = ""


class Seen(Struct, frozen=True, array_like=True):
    """One observation of a lead's contact point: its kind, when it was so, and who said so. Written as an array: fields
    are only added at the end."""

    kind: str
    at: datetime
    source: str


class Observation(Struct, frozen=True, kw_only=True):
    """One observation as kept. ``point`` is the keyed hash that identity knows the person by; ``digest`` tells one
    observation of a point from another, whoever repeats it. ``lead_id``, ``vertical`` and ``lead_source`` are empty
    where no lead is known; ``at`` is when it was so, ``heard_at`` when we heard."""

    point: bytes
    digest: bytes
    kind: str
    source: str
    at: datetime
    heard_at: datetime
    lead_id: str = ""
    vertical: str = ""
    lead_source: str = ""


class StandingAsk(Ask, frozen=True, kw_only=True, eq=False):
    """What came back from these points? Keyed hashes by channel, None where the lead has none. Compared by identity,
    as it is asked once a lead."""

    email: bytes | None = None
    phone: bytes | None = None


class Observed(Answer, frozen=True, omit_defaults=True):
    """What came back, oldest first: of the e-mail address and of the phone number."""

    email: tuple[Seen, ...] = ()
    phone: tuple[Seen, ...] = ()

    def tell(self) -> Iterable[str]:
        """One sentence an observation."""
        for one in (*self.email, *self.phone):
            known = KINDS.get(one.kind)
            yield f"{one.at:%Y-%m-%d}: {known.says if known else one.kind} ({one.source})."


class Standing(Struct, frozen=True, kw_only=True):
    """What is believed of a point: whether somebody is reached there, how sure that is in per cent, since when (the
    newest observation that counts) and by whose word. ``good`` and ``bad`` are the weights that are left of what spoke
    for it and against it; ``complained`` is when the person last complained."""

    outcome: Outcome = "unknown"
    confidence: int = 0
    at: datetime | None = None
    source: str = ""
    good: float = 0.0
    bad: float = 0.0
    complained: datetime | None = None


class ContactObserved(Event, frozen=True, kw_only=True, tag="contact.observed"):
    """Something came back from the lead's address or number. ``happened_at`` is when it was so, ``at`` when we
    heard."""

    kind: str
    source: str
    happened_at: datetime
    message_id: str = ""

    def tell(self) -> Iterable[str]:
        known = KINDS.get(self.kind)
        yield f"{(known.says if known else self.kind).capitalize()} ({self.source})."

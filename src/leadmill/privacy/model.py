"""The words of consumer requests: what somebody asks, how sure we are of who asks, where it stands.

Read by the verbs of this package, by ``flow``, which carries requests out, and by the pages. What a request says of a
person is sealed under a key of its own, so that the record of it can be kept for as long as the law asks and be let go
of by itself.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadmill.core.events import Event

Kind = Literal["know", "delete", "correct", "opt_out", "limit"]
"""What is asked: to know what is held, to have it deleted or corrected, to be sold and contacted no more, to have
sensitive data used for nothing but what was asked for."""

KINDS: tuple[Kind, ...] = ("know", "delete", "correct", "opt_out", "limit")

Level = Literal["none", "reasonable", "high"]
"""How sure we are that the person asks: not at all, to a reasonable degree, to a high one (11 CCR 7060, 7062)."""

LEVELS: tuple[Level, ...] = ("none", "reasonable", "high")

State = Literal["unconfirmed", "open", "carrying", "answered", "denied", "appealed", "lapsed"]
"""``unconfirmed`` waits for the person to show who they are, ``open`` for somebody of ours; ``carrying`` is being done,
``answered`` is done, ``denied`` was refused, ``appealed`` was refused and is looked at once more, ``lapsed`` was never
confirmed."""

STATES: tuple[State, ...] = ("unconfirmed", "open", "carrying", "answered", "denied", "appealed", "lapsed")

WAITING: frozenset[State] = frozenset(("unconfirmed", "open", "carrying", "appealed"))
"""The states in which a clock runs."""

Channel = Literal["web", "api", "desk", "command"]
"""By which door it came."""

Outcome = Literal["fulfilled", "nothing_held", "denied", "lapsed"]

Sheet = Literal["received", "confirm", "extended", "answered", "denied", "appealed", "appeal_decided"]
"""What a letter to the person says."""

FULFIL = "privacy.fulfil"
"""The kind of job that carries a request out; its payload is ``{"request_id": …}``."""

WRITE = "privacy.write"
"""The kind of job that writes the person a letter; its payload is ``{"request_id": …, "sheet": …}``."""

LAPSE = "privacy.lapse"
"""The kind of job that closes a request which nobody confirmed; its payload is ``{"request_id": …}``."""

ELSEWHERE = "ELSEWHERE"
"""Where somebody lives who lives in none of the United States."""


class Ground(Struct, frozen=True):
    """Why a request may be refused: what the person reads, and where it is written."""

    says: str
    citation: str


GROUNDS: dict[str, Ground] = {
    "unverified": Ground("We could not make sure that it is you who asks.", "11 CCR 7060"),
    "agent": Ground("We could not make sure that you gave permission to ask for you.", "11 CCR 7063"),
    "kept_by_law": Ground("The law has us keep this.", "Cal. Civ. Code 1798.105(d)"),
    "accurate": Ground("As far as all that we know shows, what we hold is right.", "11 CCR 7023(b)"),
    "excessive": Ground("The request repeats others or is plainly unfounded.", "Cal. Civ. Code 1798.145(h)(3)"),
    "not_covered": Ground("No law that applies to us gives this right.", "Cal. Civ. Code 1798.145"),
}
"""The grounds on which a request may be refused."""


class Statement(Struct, frozen=True, kw_only=True):
    """What the person, or who asks for them, wrote: kept sealed. ``facts`` are further things by which they can be told
    from others (``zip``, ``last_name``, ``date_of_birth``); ``changes`` is what is right, by the fields' names;
    ``agent`` and ``permission`` are of who asks for somebody else; ``declared`` says that they declared under penalty
    of perjury to be that person."""

    name: str = ""
    email: str = ""
    phone: str = ""
    facts: dict[str, str] = {}
    changes: dict[str, str] = {}
    words: str = ""
    agent: str = ""
    permission: str = ""
    declared: bool = False


class PrivacyRequest(Struct, frozen=True, kw_only=True):
    """A request as it stands; see the table for the fields. ``due_at`` is the moment before which the next step is
    owed, whatever it is: the confirmation, the answer or the decision of an appeal."""

    id: str
    kind: Kind
    channel: Channel
    by: str
    home: str
    state: State
    level: Level
    agent: bool
    received_at: datetime
    confirm_due_at: datetime
    answer_due_at: datetime
    rule: str
    citation: str
    packs: str
    due_at: datetime | None = None
    person_id: str | None = None
    email: bytes | None = None
    phone: bytes | None = None
    points: int = 0
    wrapped_key: bytes | None = None
    sealed: bytes | None = None
    acknowledged_at: datetime | None = None
    confirmed_at: datetime | None = None
    extended_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    outcome: Outcome | None = None
    ground: str | None = None
    answer: bytes | None = None
    certificate: bytes | None = None
    appealed_at: datetime | None = None
    appeal_due_at: datetime | None = None
    appeal_decided_at: datetime | None = None
    appeal_granted: bool | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that happened to a request: ``what`` by whom and when; ``note`` is what somebody wrote, sealed with the
    request's key."""

    request_id: str
    no: int
    at: datetime
    by: str
    what: str
    note: bytes | None = None


class Retained(Struct, frozen=True, kw_only=True):
    """What is kept of a person who was deleted, and why: ``basis`` is one of the grounds that the law names. It is
    sealed under a key of its own, opened only by who may see to requests, and ends at ``until``."""

    id: str
    request_id: str
    lead_id: str
    basis: str
    at: datetime
    until: datetime
    wrapped_key: bytes | None
    sealed: bytes | None


class DeletionCertificate(Struct, frozen=True, kw_only=True):
    """What a deletion did, without anything personal. ``digest`` is the SHA-256 over the canonical JSON of all before
    it; it is signed, and stands in the journal of every lead named, so that neither can be changed unnoticed."""

    request_id: str
    at: datetime
    persons: int
    leads: tuple[str, ...]
    marks: int
    answers: int
    suppressed: int
    told: tuple[str, ...]
    retained: dict[str, int]
    method: str = "the data key was destroyed (AES-256-GCM); what is sealed with it, backups included, cannot be read"
    digest: str = ""
    signature: str = ""
    """Ed25519 over the digest's text, in base 64; ``key`` is the public key that checks it."""
    key: str = ""


class RequestReceived(Event, frozen=True, kw_only=True, tag="privacy.received"):
    """Somebody made a request."""

    kind: Kind
    channel: Channel
    home: str

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"A request ({self.kind.replace('_', ' ')}) came in by {self.channel}."


class RequestMoved(Event, frozen=True, kw_only=True, tag="privacy.moved"):
    """A request was confirmed, extended, decided, carried out or appealed against."""

    what: str
    by: str
    state: State
    digest: str = ""
    """Of the certificate, where something was deleted."""

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"{self.by}: {self.what.replace('_', ' ')}."


class RequestCarriedOut(Event, frozen=True, kw_only=True, tag="privacy.carried_out"):
    """A request of the lead's person was carried out on it."""

    request_id: str
    kind: Kind
    digest: str = ""

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"A request of the person ({self.kind.replace('_', ' ')}) was carried out."

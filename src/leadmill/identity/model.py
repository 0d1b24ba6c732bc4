"""Who a lead is from: one person, many submissions.

Learned by the step ``Recognise``. Contact details stand here only as keyed hashes, never as text; of traits only how
far they agree is told.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct

from leadmill.capture import Matching
from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.reasons import State, declare
from leadmill.identity.traits import NOTHING, Traits
from leadmill.linkage import Part

DUPLICATE = declare(
    "identity.lead.duplicate",
    "The same person sent {duplicate_of} in this vertical within {days} days.",
    State.DUPLICATE,
)

USUAL = Matching()
"""How likeness is judged where a vertical says nothing."""


class Tie(Struct, frozen=True):
    """Another person who shares something with the lead's. ``kind`` is ``household`` where they bear one name or live
    at one address, else ``shared``; ``shares`` is what they share: ``phone``, ``email`` or ``address``."""

    person_id: str
    kind: Literal["household", "shared"]
    shares: str


class Possible(Struct, frozen=True):
    """Another person who may be the lead's. ``kind`` is ``bridge`` where the lead is surely both persons', and
    ``possible`` where it only looks like the other's as well; ``bits`` are the log2 odds for it, ``parts`` what they
    are made of."""

    person_id: str
    kind: Literal["bridge", "possible"]
    bits: float
    parts: list[Part] = []


class Identity(Evidence, frozen=True, kw_only=True):
    """The person a lead is from.

    ``keys`` are the keyed hashes (hex) by kind (``email``, ``phone``); ``matched_on`` is by what the person was known
    already: kinds of key, or ``likeness``, whose log2 odds are ``bits`` and made of ``parts``. ``recent`` are the leads
    of this person in this vertical within its window, oldest first. ``rival`` is another person whom one of the keys
    belongs to: the two are never merged silently. ``household`` are persons who share a key or a home and are not this
    one, ``possible`` those who may be; ``joined`` are persons who were ruled to be one with this one, whose leads count
    as this person's. Sealed with the person's key, because a keyed hash still points at somebody.
    """

    person_id: str
    new_person: bool
    keys: dict[str, str] = {}
    matched_on: list[str] = []
    recent: list[str] = []
    duplicate_of: str | None = None
    rival: str | None = None
    rival_on: str | None = None
    household: list[Tie] = []
    possible: list[Possible] = []
    bits: float | None = None
    parts: list[Part] = []
    joined: list[str] = []

    personal: ClassVar[bool] = True

    def tell(self) -> Iterable[str]:
        """Whether the person was known, and by what; who else they may be, and who lives with them."""
        if self.new_person:
            yield f"A person not seen before: {self.person_id}."
        else:
            yield f"Known as {self.person_id} by {' and '.join(self.matched_on)}."
        if self.bits is not None:
            yield f"No key decided; the likeness weighs {self.bits:+.1f} bits: {tell_parts(self.parts)}."
        if self.rival:
            yield f"The {self.rival_on} belongs to {self.rival}: the two were not merged."
        if self.joined:
            yield f"Held to be one with {' and '.join(self.joined)}."
        for tie in self.household:
            yield f"Shares the {tie.shares} with {tie.person_id}, who is another {_KINDS[tie.kind]}."
        for other in self.possible:
            if other.kind == "bridge":
                yield f"May be one person with {other.person_id}: this lead is surely both's."
            else:
                yield f"May be one person with {other.person_id} ({other.bits:+.1f} bits: {tell_parts(other.parts)})."
        if self.duplicate_of:
            yield f"The same interest came before as {self.duplicate_of}."


_KINDS = {"household": "of the household", "shared": "person"}


def tell_parts(parts: Sequence[Part]) -> str:
    """What a weight is made of, in words and without values: ``birth date same +14.1``."""
    return ", ".join(f"{part.field.replace('_', ' ')} {part.level} {part.bits:+.1f}" for part in parts)


class HeldAs(Evidence, frozen=True):
    """Under whose key the lead lies already, though it never came as far as an identity: a step broke before. Whoever
    it turns out to be is one with that person."""

    personal: ClassVar[bool] = False
    kept: ClassVar[bool] = False
    person_id: str


class FindPerson(Ask, frozen=True, kw_only=True):
    """Whose are these keys and traits, and what did that person want lately? ``email`` and ``phone`` are keyed hashes,
    ``traits`` what the lead shows of its person, ``matching`` the vertical's way with likeness; ``since`` bounds the
    recent leads (exclusive). ``person_id`` is the person whom the lead has already, to be them where nobody else is
    found."""

    lead_id: str
    vertical: str
    since: datetime
    at: datetime
    email: bytes | None = None
    phone: bytes | None = None
    traits: Traits = NOTHING
    matching: Matching = USUAL
    person_id: str | None = None

    @property
    def keys(self) -> Iterable[tuple[str, bytes]]:
        """The keys by kind."""
        if self.email:
            yield "email", self.email
        if self.phone:
            yield "phone", self.phone


class PersonFound(Answer, frozen=True, kw_only=True):
    """The person whose keys and traits they are, claimed for this lead; see :class:`Identity` for the fields."""

    person_id: str
    new_person: bool
    matched_on: list[str] = []
    recent: list[str] = []
    rival: str | None = None
    rival_on: str | None = None
    household: list[Tie] = []
    possible: list[Possible] = []
    bits: float | None = None
    parts: list[Part] = []
    joined: list[str] = []

    def tell(self) -> Iterable[str]:
        """Which person, and how many leads of theirs came lately."""
        yield f"{'New' if self.new_person else 'Known'} person {self.person_id}, {len(self.recent)} leads lately."


class Person(Struct, frozen=True, kw_only=True):
    """A person as stored: ``wrapped_key`` is the data key under the master key, None once it was destroyed;
    ``profile`` is what they have shown, sealed; ``blocks`` the hashes of the partial keys they are found under;
    ``prospect`` the lowest id of the persons held to be one with them, None where nobody is."""

    id: str
    wrapped_key: bytes | None
    created_at: datetime
    forgotten_at: datetime | None = None
    profile: bytes | None = None
    blocks: bytes | None = None
    prospect: str | None = None


class Suggestion(Struct, frozen=True, kw_only=True):
    """Two persons who may be one, the lower id first, and the lead that showed it; see :class:`Possible`."""

    low: str
    high: str
    kind: Literal["bridge", "possible"]
    bits: float
    parts: list[Part]
    lead_id: str
    at: datetime


class HouseholdLink(Struct, frozen=True, kw_only=True):
    """Two persons who share something and are not one, the lower id first; see :class:`Tie`."""

    low: str
    high: str
    kind: Literal["household", "shared"]
    shares: str
    at: datetime


class Ruling(Struct, frozen=True, kw_only=True):
    """What somebody ruled of two persons, the lower id first: that they are ``one`` or ``two``, and why. ``kind``,
    ``bits`` and ``parts`` are what had been suggested of them (see :class:`Possible`); ``ended_at`` is when it was
    taken back."""

    id: str
    low: str
    high: str
    says: Literal["one", "two"]
    by: str
    why: str
    at: datetime
    kind: Literal["bridge", "possible"] | None = None
    bits: float | None = None
    parts: list[Part] = []
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_why: str | None = None

"""Who a lead is from: one person, many submissions.

Learned by the step ``Recognise``. Contact details stand here only as keyed hashes, never as text.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.reasons import State, declare

DUPLICATE = declare(
    "identity.lead.duplicate",
    "The same person sent {duplicate_of} in this vertical within {days} days.",
    State.DUPLICATE,
)


class Identity(Evidence, frozen=True, kw_only=True):
    """The person a lead is from.

    ``keys`` are the keyed hashes (hex) by kind (``email``, ``phone``); ``matched_on`` the kinds by which the person was
    known already; ``recent`` the leads of this person in this vertical within its window, oldest first. ``rival`` is
    another person whom one of the keys belongs to: the two are never merged silently. Sealed with the person's key,
    because a keyed hash still points at somebody.
    """

    person_id: str
    new_person: bool
    keys: dict[str, str] = {}
    matched_on: list[str] = []
    recent: list[str] = []
    duplicate_of: str | None = None
    rival: str | None = None
    rival_on: str | None = None

    personal: ClassVar[bool] = True

    def tell(self) -> Iterable[str]:
        """Whether the person was known, and by what."""
        if self.new_person:
            yield f"A person not seen before: {self.person_id}."
        else:
            yield f"Known as {self.person_id} by {' and '.join(self.matched_on)}."
        if self.rival:
            yield f"The {self.rival_on} belongs to {self.rival}: the two were not merged."
        if self.duplicate_of:
            yield f"The same interest came before as {self.duplicate_of}."


class FindPerson(Ask, frozen=True, kw_only=True):
    """Whose are these keys, and what did that person want lately? ``name`` is the keyed hash of the normalised name,
    which only decides where e-mail and phone belong to different persons; ``since`` bounds the recent leads
    (exclusive)."""

    lead_id: str
    vertical: str
    since: datetime
    at: datetime
    email: bytes | None = None
    phone: bytes | None = None
    name: bytes | None = None


class PersonFound(Answer, frozen=True, kw_only=True):
    """The person the keys belong to, claimed for this lead; see :class:`Identity` for the fields."""

    person_id: str
    new_person: bool
    matched_on: list[str] = []
    recent: list[str] = []
    rival: str | None = None
    rival_on: str | None = None

    def tell(self) -> Iterable[str]:
        """Which person, and how many leads of theirs came lately."""
        yield f"{'New' if self.new_person else 'Known'} person {self.person_id}, {len(self.recent)} leads lately."


class Person(Struct, frozen=True, kw_only=True):
    """A person as stored: ``wrapped_key`` is the data key under the master key, None once it was destroyed."""

    id: str
    wrapped_key: bytes | None
    created_at: datetime
    forgotten_at: datetime | None = None

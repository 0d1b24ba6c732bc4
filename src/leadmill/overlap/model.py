"""Which buyers have a person already, and whom a publisher keeps a lead from: the words of that.

Read by the market, which offers a lead to none of them. A buyer's list is known to us as keyed hashes alone, and kept
under a second hash of ours, so that neither side can read the other's people from it.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.parties import KnownPeople

Kind = Literal["phone", "email"]

KINDS: tuple[Kind, ...] = ("phone", "email")


class KnownAsk(Ask, frozen=True, eq=False):
    """Which of these buyers have the person? ``phone`` is E.164, ``email`` as it is looked up; None where there is
    none in order. Compared by identity, as it is asked once a lead."""

    lists: Mapping[str, KnownPeople]
    phone: str | None = None
    email: str | None = None


class KnownTo(Answer, frozen=True):
    """The buyers that have the person, each with what matched: ``phone``, ``email`` or both."""

    buyers: dict[str, tuple[Kind, ...]] = {}

    def tell(self) -> Iterable[str]:
        """One sentence a buyer."""
        for buyer, kinds in sorted(self.buyers.items()):
            yield f"{buyer} already has this person, by {' and '.join(kinds)}."


class Overlap(Evidence, frozen=True):
    """The buyers that this lead is not offered to: ``known`` have the person (with what matched), ``weak`` are those
    of them whose list is under a hash that can be guessed, ``excluded`` were named by the publisher (with how)."""

    personal: ClassVar[bool] = False
    known: dict[str, str] = {}
    weak: tuple[str, ...] = ()
    excluded: dict[str, str] = {}

    def tell(self) -> Iterable[str]:
        """One sentence a buyer."""
        for buyer, by in sorted(self.known.items()):
            how = ", by a weak hash" if buyer in self.weak else ""
            yield f"{buyer} already has this person ({by}{how})."
        for buyer, how in sorted(self.excluded.items()):
            yield f"The publisher keeps it from {buyer} ({how})."

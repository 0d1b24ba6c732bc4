"""What a person is compared by: the traits that one lead shows, and all that a person has shown so far.

Pure. Read by every rule of this package; written sealed with the person's key.
"""

import msgspec
from msgspec import Struct

VARIANTS = 12
"""The most ways in which a person is remembered to have shown themselves; of more, the first and the latest."""


class Traits(Struct, frozen=True, array_like=True, kw_only=True):
    """What one lead shows of its person, in comparable form; what it does not show is the empty text.

    ``born`` has eight digits, year first; ``house`` is the house number, ``street`` the street's name; ``email`` is the
    mailbox, ``phone`` E.164. Kept as an array: a new trait goes to the end, with a default.
    """

    given: str = ""
    last: str = ""
    suffix: str = ""
    born: str = ""
    house: str = ""
    street: str = ""
    zip: str = ""
    email: str = ""
    phone: str = ""

    @property
    def named(self) -> bool:
        """Whether it says how the person is called."""
        return bool(self.given and self.last)

    @property
    def telling(self) -> bool:
        """Whether it says anything by which persons are told apart; contact details alone are kept as keys."""
        return bool(self.given or self.last or self.born or (self.house and self.zip))

    def covers(self, other: "Traits") -> bool:
        """Whether ``other`` shows nothing that this does not."""
        if self == other:
            return True
        return all(theirs in ("", ours) for ours, theirs in zip(_values(self), _values(other), strict=True))


_values = msgspec.structs.astuple
NOTHING = Traits()


class Profile(Struct, frozen=True, array_like=True):
    """Every different way in which a person has shown themselves, the earliest first."""

    variants: tuple[Traits, ...] = ()

    def shown(self, trait: str) -> frozenset[str]:
        """All values of a trait."""
        return frozenset(getattr(each, trait) for each in self.variants) - {""}

    def knows(self, traits: Traits) -> bool:
        """Whether a lead with these traits shows nothing new."""
        return traits == NOTHING or any(each.covers(traits) for each in self.variants)

    def knows_all(self, traits: Traits) -> bool:
        """Whether the person once showed exactly this, a new address or number aside."""
        return any(_told(each) == _told(traits) for each in self.variants)

    def with_traits(self, traits: Traits) -> "Profile":
        """The profile after a lead showed these. A variant that the new one covers goes; so does, of too many, the
        oldest but the first."""
        if self.knows(traits):
            return self
        kept = [each for each in self.variants if not traits.covers(each)]
        if len(kept) >= VARIANTS:
            del kept[1]
        return Profile((*kept, traits))


def _told(traits: Traits) -> tuple[str, ...]:
    return traits.given, traits.last, traits.suffix, traits.born, traits.house, traits.street, traits.zip


EMPTY = Profile()

"""The leads of one group before their persons: what the transaction holds and has read, and one decision after another.

Used by ``claims`` alone. A decision changes what the next one finds: two leads of one new person in one group are one
person. Nothing here reads or writes; a sitting can be held again over fresher reading.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from leadmill.identity.deciding import Choice, Holder, decide
from leadmill.identity.model import FindPerson
from leadmill.identity.store.persons import BLOCK_MOST
from leadmill.identity.traits import EMPTY, Profile
from leadmill.identity.weighing import Likely, weigh_person

KEY_MOST = 24
"""Persons whom one key may belong to. A key that as many share, a call centre's number, tells nothing of a further
one."""

CANDIDATES = 64
"""Persons who are weighed for one lead at most: the rarest partial keys bring theirs first."""


class Reading(Struct):
    """What a transaction holds locked and has read: of keys and blocks who is in them, of persons what they have shown.
    A block that is full is not among them."""

    keys: dict[bytes, list[str]] = {}
    blocks: dict[int, list[str]] = {}
    profiles: dict[str, Profile] = {}

    def copied(self) -> "Reading":
        """A copy that can be changed without changing this."""
        return Reading(
            {key: [*persons] for key, persons in self.keys.items()},
            {block: [*persons] for block, persons in self.blocks.items()},
            dict(self.profiles),
        )


def candidates(hashes: Iterable[int], blocks: Mapping[int, Sequence[str]]) -> list[str]:
    """Who shares a partial key, from the smallest block on, as many as are weighed."""
    found: dict[str, None] = {}
    for persons in sorted((blocks[each] for each in hashes if each in blocks), key=len):
        for person_id in persons:
            if len(found) >= CANDIDATES:
                return list(found)
            found[person_id] = None
    return list(found)


class Sitting:
    """Decides a group's leads in their order. ``wanted`` are the hashes of the partial keys of those leads that are
    looked for by likeness; ``proposed`` the ids that new persons get."""

    def __init__(self, reading: Reading, wanted: Mapping[str, Sequence[int]], proposed: Mapping[str, str]) -> None:
        self.now = reading.copied()
        self.owners: dict[str, str] = {}
        """Whose each lead is."""
        self.choices: dict[str, Choice] = {}
        self.shown: dict[str, set[int]] = {}
        """Who showed something new, and under which partial keys they are found for it."""
        self.made: dict[str, FindPerson] = {}
        """Persons not seen before, each with the lead that brought them."""
        self._before = {key: len(persons) for key, persons in reading.keys.items()}
        self._wanted = wanted
        self._proposed = proposed

    def decide(self, asks: Iterable[FindPerson], settled: Mapping[str, Choice]) -> None:
        """Decide these leads; what was ``settled`` before stands where nobody of its keys has changed since."""
        for ask in asks:
            known = settled.get(ask.lead_id)
            self._apply(ask, known if known is not None and self._unchanged(ask) else self.choose(ask))

    def _unchanged(self, ask: FindPerson) -> bool:
        for _, key in ask.keys:
            held = self.now.keys.get(key, ())
            if len(held) != self._before.get(key, 0) or not self.shown.keys().isdisjoint(held):
                return False
        return True

    def choose(self, ask: FindPerson) -> Choice:
        """Whose lead it is, as things stand."""
        holders: dict[str, list[str]] = {}
        for kind, key in ask.keys:
            for person_id in self.now.keys.get(key, ()):
                holders.setdefault(person_id, []).append(kind)
        hashes = self._wanted.get(ask.lead_id)
        return decide(
            ask.traits,
            [Holder(person_id, tuple(by), self._profile(person_id)) for person_id, by in holders.items()],
            self._likely(ask, hashes) if hashes else (),
            self._profile,
            ask.matching,
        )

    def _profile(self, person_id: str) -> Profile:
        return self.now.profiles.get(person_id, EMPTY)

    def _likely(self, ask: FindPerson, hashes: Sequence[int]) -> list[Likely]:
        if not ask.matching.fuzzy:
            return []
        found = []
        for person_id in candidates(hashes, self.now.blocks):
            likely = weigh_person(person_id, ask.traits, self._profile(person_id), ask.matching)
            if likely is not None:
                found.append(likely)
        return found

    def _apply(self, ask: FindPerson, choice: Choice) -> None:
        owner = choice.owner
        if owner is None:
            owner = self._proposed[ask.lead_id]
            self.made[owner] = ask
        self.owners[ask.lead_id], self.choices[ask.lead_id] = owner, choice
        for _, key in ask.keys:
            persons = self.now.keys.setdefault(key, [])
            if owner not in persons and len(persons) < KEY_MOST:
                persons.append(owner)
        profile = self._profile(owner)
        if ask.traits.telling and not profile.knows(ask.traits):
            self.now.profiles[owner] = profile.with_traits(ask.traits)
            self.shown.setdefault(owner, set())
        for block in self._wanted.get(ask.lead_id, ()):
            held = self.now.blocks.get(block)
            if held is not None and owner not in held and len(held) < BLOCK_MOST:
                held.append(owner)
                self.shown.setdefault(owner, set()).add(block)

"""Claims the persons of a group's leads: locks, reads, has them decided, and writes what follows.

The listener for ``FindPerson``, run inside the group's transaction; each statement is for the whole group. Exact
whatever else runs: a new key or block belongs to the first transaction that claims it, those that are there are locked
before their persons are read, and persons are locked before their interests are.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from leadmill.core.faults import Transient
from leadmill.core.ids import Mint
from leadmill.identity.blocks import block_hashes
from leadmill.identity.deciding import Choice
from leadmill.identity.keys import Keys
from leadmill.identity.model import FindPerson, HouseholdLink, Person, PersonFound, Possible, Suggestion
from leadmill.identity.sitting import Reading, Sitting, candidates
from leadmill.identity.store.persons import (
    Interest,
    Key,
    add_links,
    add_person_row,
    add_suggestions,
    give_blocks,
    give_keys,
    hold_keys,
    lock_persons,
    pack_blocks,
    read_persons,
    recent_interests,
    show_more,
    unpack_blocks,
)
from leadmill.identity.store.taking import NOTHING, Taken, take
from leadmill.identity.traits import EMPTY, Profile
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

TAKEN = "identity interests"
"""Under this name a transaction keeps the interests that its own leads brought."""

Answerer = Callable[[FindPerson], PersonFound]

_encode = msgspec.msgpack.Encoder().encode
_PROFILE = msgspec.msgpack.Decoder(Profile)


def hear_find_person(vault: Vault, keys: Keys, mint: Mint) -> Callable[[Tx, Sequence[FindPerson]], Awaitable[Answerer]]:
    """The listener for :class:`FindPerson`. Every person found has its data key in ``keys`` afterwards.

    Raises :class:`Transient` ``identity.person.changed`` where a person was forgotten, or showed something else, in
    between: the group is simply walked again.
    """

    async def hear(tx: Tx, asks: Sequence[FindPerson]) -> Answerer:
        claim = _Claim(tx, vault, keys, mint, asks)
        sitting = await claim.decide()
        await claim.write(sitting)
        return await _answering(tx, asks, sitting, claim.prospects)

    return hear


class _Claim:
    """One group's way from its asks to its persons."""

    def __init__(self, tx: Tx, vault: Vault, keys: Keys, mint: Mint, asks: Sequence[FindPerson]) -> None:
        self._tx = tx
        self._vault = vault
        self._keys = keys
        self._asks = asks
        self._proposed = {ask.lead_id: ask.person_id or mint("person", ask.at) for ask in asks}
        self._reading: Reading = tx.scratch.setdefault(Reading, Reading())
        self._stored: dict[str, Person] = tx.scratch.setdefault(Person, {})
        self._written_keys: dict[bytes, list[str]] = {}
        self._written_blocks: dict[int, list[str]] = {}
        self._hashes: dict[str, list[int]] = {}
        self._wanted: dict[str, list[int]] = {}
        self._settled: dict[str, Choice] = {}
        self.prospects: dict[str, str] = {}
        """Under whose id the persons concerned are held to be one with others."""

    async def decide(self) -> Sitting:
        """Whose each lead is, with everybody concerned locked."""
        await self._take()
        if not self._wanted:
            await self._read({each for persons in self._reading.keys.values() for each in persons})
            self._settle()
            if self._wanted:
                await self._take_blocks()
        sitting = self._sit()
        known = {owner for owner in sitting.owners.values() if owner in self._stored}
        if known and self._stale(await lock_persons(self._tx, known)):
            # Somebody showed something new by another key meanwhile: the same again, over what they have shown by now.
            self._settled = {}
            sitting = self._sit()
            if any(owner in self._stored and owner not in known for owner in sitting.owners.values()):
                raise Transient("identity.person.changed", "persons have changed meanwhile; try again")
        return sitting

    def _sit(self) -> Sitting:
        sitting = Sitting(self._reading, self._wanted, self._proposed)
        sitting.decide(self._asks, self._settled)
        return sitting

    def _stale(self, locked: dict[str, Person]) -> bool:
        stale = False
        for person_id, person in locked.items():
            if person.prospect is not None:
                self.prospects[person_id] = person.prospect
            if person_id not in self._stored:
                continue  # locked with somebody who is held to be one with them
            if person.wrapped_key is None:
                raise Transient("identity.person.changed", "a person was forgotten meanwhile; try again")
            if person.profile != self._stored[person_id].profile:
                self._learn(person)
                stale = True
        return stale

    async def _take(self) -> None:
        """Hold the leads' keys; where nobody has any of them, their blocks as well."""
        held = self._reading.keys
        keys: dict[bytes, Key] = {}
        for ask in self._asks:
            for kind, key in ask.keys:
                if key not in held and key not in keys:
                    keys[key] = Key(key, kind, self._proposed[ask.lead_id])
        hashes = {ask.lead_id: block_hashes(ask.traits, self._vault.keyed_hash) for ask in self._asks}
        self._hashes = {lead_id: found for lead_id, found in hashes.items() if found}
        strange = not any(held.get(key) for ask in self._asks for _, key in ask.keys)
        entries = self._entries(self._hashes) if strange else {}
        if not keys and not entries:
            return
        taken = await take(self._tx, list(keys.values()), entries, self._asks[0].at)
        for key in taken.claimed:
            held[key], self._written_keys[key] = [], [keys[key].person_id]
        owners, persons, there = taken.owners, taken.persons, keys.keys() - taken.claimed
        if len(owners) < len(there):
            # Somebody claimed one of them at this very moment: they are held one step later, in their order.
            owners, later = await hold_keys(self._tx, there)
            if len(owners) < len(there):
                raise Transient("identity.person.changed", "a person was forgotten meanwhile; try again")
            persons = {person.id: person for person in later}
        for key, whose in owners.items():
            held[key], self._written_keys[key] = whose, [*whose]
        for person_id in {each for whose in owners.values() for each in whose} - self._reading.profiles.keys():
            if person_id in persons:
                self._learn(persons[person_id])
        if strange and not there:
            self._wanted = self._hashes
            await self._meet(taken, entries)

    def _entries(self, wanted: Mapping[str, Sequence[int]]) -> dict[int, list[str]]:
        """Which persons enter which blocks, as if everybody were new, which most are; what turns out otherwise is set
        right with the decisions."""
        entries: dict[int, list[str]] = {}
        for lead_id, hashes in wanted.items():
            for block in hashes:
                if block not in self._reading.blocks:
                    entries.setdefault(block, []).append(self._proposed[lead_id])
        return entries

    async def _meet(self, taken: Taken, entries: Mapping[int, Sequence[str]]) -> None:
        """Get to know whoever is in the blocks that were entered."""
        blocks = self._reading.blocks
        moved: set[str] = set()
        for block, persons in taken.blocks.items():
            self._written_blocks[block] = persons
            blocks[block] = persons[: -len(entries[block])]
            if block in taken.moved:
                moved.update(persons)
        met = {each for hashes in self._wanted.values() for each in candidates(hashes, blocks)}
        met -= self._reading.profiles.keys()
        for person_id in met - moved:
            if person_id in taken.persons:
                self._learn(taken.persons[person_id])
        await self._read(met - taken.persons.keys() | met & moved)

    def _settle(self) -> None:
        """Which leads bring nothing new of a person whom their keys decide, and which are to be looked for."""
        first = Sitting(self._reading, {}, self._proposed)
        for ask in self._asks:
            choice = self._known_again(ask)
            if choice is None and any(self._reading.keys.get(key) for _, key in ask.keys):
                choice = first.choose(ask)
            if choice is not None and choice.owner is not None:
                known = self._reading.profiles.get(choice.owner, EMPTY)
                if not ask.traits.named or known.knows(ask.traits):
                    self._settled[ask.lead_id] = choice
                    continue
            if ask.lead_id in self._hashes:
                self._wanted[ask.lead_id] = self._hashes[ask.lead_id]

    def _known_again(self, ask: FindPerson) -> Choice | None:
        """The usual case of a known person, without a look at names: one person has all keys that anybody has, and has
        shown all that the lead shows."""
        owners = [(kind, self._reading.keys.get(key)) for kind, key in ask.keys]
        held = {person for _, persons in owners if persons for person in persons}
        if len(held) != 1:
            return None
        (owner,) = held
        if not self._reading.profiles.get(owner, EMPTY).knows_all(ask.traits):
            return None
        return Choice(owner, tuple(kind for kind, persons in owners if persons))

    async def _take_blocks(self) -> None:
        entries = self._entries(self._wanted)
        taken = await take(self._tx, (), entries, self._asks[0].at) if entries else NOTHING
        await self._meet(taken, entries)

    async def _read(self, person_ids: set[str]) -> None:
        """Read what these persons have shown, opened with their keys."""
        missing = person_ids - self._reading.profiles.keys()
        if missing:
            for person in (await read_persons(self._tx, missing)).values():
                self._learn(person)

    def _learn(self, person: Person) -> None:
        if person.wrapped_key is None:
            return
        self._stored[person.id] = person
        self._reading.profiles[person.id] = open_profile(self._vault, self._keys, person)

    async def write(self, sitting: Sitting) -> None:
        """Write what follows from the decisions; every person concerned has its data key at hand afterwards."""
        tx, now = self._tx, sitting.now
        # Whom a lead had before it came here is there already, and has shown nothing yet.
        held = [person_id for person_id, ask in sitting.made.items() if person_id == ask.person_id]
        there = await lock_persons(tx, held) if held else {}
        self._stored |= there
        for person_id, ask in sitting.made.items():
            if person_id in there:
                continue
            shown = now.profiles.get(person_id, EMPTY), sitting.shown.get(person_id, ())
            make_person(tx, self._vault, self._keys, person_id, ask.at, *shown)
        more = []
        for person_id in {*sitting.owners.values()} - (sitting.made.keys() - there.keys()):
            person = self._stored.get(person_id)
            if person is None or person.wrapped_key is None:
                continue
            if not self._keys.has(person_id):
                self._keys.put(person_id, self._vault.unwrap(person.wrapped_key))
            if person_id in sitting.shown:
                sealed = seal_profile(self._vault, self._keys, person_id, now.profiles.get(person_id, EMPTY))
                places = pack_blocks({*unpack_blocks(person.blocks), *sitting.shown[person_id]})
                more.append(msgspec.structs.replace(person, profile=sealed, blocks=places))
        if more:
            await show_more(tx, sorted(more, key=lambda person: person.id))
        changed_keys = {key: now.keys[key] for key, was in self._written_keys.items() if now.keys[key] != was}
        if changed_keys:
            await give_keys(tx, changed_keys)
        changed_blocks = {
            block: now.blocks[block] for block, was in self._written_blocks.items() if now.blocks[block] != was
        }
        if changed_blocks:
            await give_blocks(tx, changed_blocks)
        self._reading.keys, self._reading.blocks, self._reading.profiles = now.keys, now.blocks, now.profiles
        await self._tie(sitting)

    async def _tie(self, sitting: Sitting) -> None:
        links: dict[tuple[str, str], HouseholdLink] = {}
        suggestions: dict[tuple[str, str], Suggestion] = {}
        for ask in self._asks:
            owner, choice = sitting.owners[ask.lead_id], sitting.choices[ask.lead_id]
            for tie in choice.household:
                low, high = sorted((owner, tie.person_id))
                link = HouseholdLink(low=low, high=high, kind=tie.kind, shares=tie.shares, at=ask.at)
                links.setdefault((low, high), link)
            for other in choice.possible:
                low, high = sorted((owner, other.person_id))
                if low != high:
                    found = _suggested(low, high, other, ask)
                    before = suggestions.get((low, high), found)
                    suggestions[low, high] = min(before, found, key=lambda each: (each.kind, -each.bits))
        if links:
            await add_links(self._tx, list(links.values()), self._asks[0].at)
        if suggestions:
            await add_suggestions(self._tx, list(suggestions.values()), self._asks[0].at)


def _suggested(low: str, high: str, other: Possible, ask: FindPerson) -> Suggestion:
    return Suggestion(
        low=low, high=high, kind=other.kind, bits=other.bits, parts=other.parts, lead_id=ask.lead_id, at=ask.at
    )


def open_profile(vault: Vault, keys: Keys, person: Person) -> Profile:
    """What a person has shown, opened with their key; nothing once they were forgotten."""
    if person.profile is None or person.wrapped_key is None:
        return EMPTY
    dek = keys.of(person.id) if keys.has(person.id) else vault.unwrap(person.wrapped_key)
    return _PROFILE.decode(vault.open(dek, person.profile, f"profile {person.id}"))


def seal_profile(vault: Vault, keys: Keys, person_id: str, profile: Profile) -> bytes | None:
    """What a person has shown, sealed with their key; None for nothing."""
    if not profile.variants:
        return None
    return vault.seal(keys.of(person_id), _encode(profile), f"profile {person_id}")


def make_person(
    tx: Tx,
    vault: Vault,
    keys: Keys,
    person_id: str,
    now: datetime,
    profile: Profile = EMPTY,
    blocks: Iterable[int] = (),
) -> None:
    """Write a new person with a data key of their own, what they have shown and under which partial keys they are
    found."""
    dek, wrapped = vault.new_key()
    keys.put(person_id, dek)
    sealed = seal_profile(vault, keys, person_id, profile)
    places = pack_blocks(blocks) or None
    add_person_row(tx, Person(id=person_id, wrapped_key=wrapped, created_at=now, profile=sealed, blocks=places))


async def _answering(tx: Tx, asks: Sequence[FindPerson], sitting: Sitting, prospects: Mapping[str, str]) -> Answerer:
    known = {sitting.owners[ask.lead_id] for ask in asks} - sitting.made.keys() | prospects.keys()
    stored: dict[tuple[str, str], list[Interest]] = {}
    if known:
        for interest in await recent_interests(tx, known, min(ask.since for ask in asks)):
            stored.setdefault((interest.person_id, interest.vertical), []).append(interest)
    taken: dict[tuple[str, str], list[Interest]] = tx.scratch.setdefault(TAKEN, {})

    def answer(ask: FindPerson) -> PersonFound:
        owner, choice = sitting.owners[ask.lead_id], sitting.choices[ask.lead_id]
        prospect = prospects.get(owner)
        mates = [each for each, other in prospects.items() if other == prospect and each != owner] if prospect else []
        places = [(each, ask.vertical) for each in (owner, *mates)]
        wishes = [wish for place in places for wish in (*stored.get(place, ()), *taken.get(place, ()))]
        if mates:
            wishes.sort(key=lambda wish: (wish.at, wish.lead_id))
        return PersonFound(
            person_id=owner,
            new_person=choice.owner is None,
            matched_on=list(choice.matched_on),
            # Those that earlier leads of this very transaction brought are not in the table yet.
            recent=[wish.lead_id for wish in wishes if wish.at > ask.since and wish.lead_id != ask.lead_id],
            rival=choice.rival,
            rival_on=choice.rival_on,
            household=list(choice.household),
            possible=list(choice.possible),
            bits=choice.bits,
            parts=list(choice.parts),
            joined=mates,
        )

    return answer

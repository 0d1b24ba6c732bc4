"""What a person is known by after somebody put right what their lead says: keys, partial keys and profile.

Called by ``flow`` in the transaction of the correction. The lead stays with its person. A new address or number becomes
one of theirs; where somebody else has it, both have it from then on, and whether they are one is suggested or, where
names and dates object, kept as a tie: nobody is merged. What was wrong is theirs no longer, unless another lead of
theirs says it too. Locks are taken in the order of ``claims``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from leadmill.capture import Matching
from leadmill.core.faults import Transient
from leadmill.identity.blocks import block_hashes
from leadmill.identity.claims import open_profile, seal_profile
from leadmill.identity.deciding import SURE_BITS, Holder, decide, may_be_one
from leadmill.identity.keys import Keys
from leadmill.identity.model import USUAL, HouseholdLink, Possible, Suggestion, Tie
from leadmill.identity.sitting import KEY_MOST
from leadmill.identity.store.persons import (
    Key,
    add_links,
    add_suggestions,
    claim_keys,
    drop_keys,
    enter_blocks,
    give_blocks,
    give_keys,
    hold_keys,
    lock_persons,
    pack_blocks,
    show_more,
    unpack_blocks,
)
from leadmill.identity.traits import EMPTY, Profile, Traits
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault


class Move(Struct, frozen=True, kw_only=True):
    """A lead of a person that showed ``before`` and shows ``after``; ``others`` is what their other leads show."""

    person_id: str
    lead_id: str
    before: Traits
    after: Traits
    others: Sequence[Traits] = ()
    matching: Matching = USUAL


async def move_person(tx: Tx, vault: Vault, keys: Keys, move: Move, at: datetime) -> list[str]:
    """Let a person be known by what their lead shows now; others who have what is new of it, the first owner first.

    Raises Transient ``identity.person.changed`` where one of them was forgotten meanwhile, and nothing of this stands:
    try again.
    """
    old, new = _hashes(vault, move.before), _hashes(vault, move.after)
    kept = {key for each in move.others for key in _hashes(vault, each).values()}
    gained = {key: kind for kind, key in new.items() if old.get(kind) != key}
    lost = {key: kind for kind, key in old.items() if new.get(kind) != key and key not in kept}
    claimed = await claim_keys(tx, [Key(key, kind, move.person_id) for key, kind in gained.items()], at)
    shared = gained.keys() - claimed
    held, _ = await hold_keys(tx, shared | lost.keys())
    if shared - held.keys():
        raise Transient("identity.person.changed", "a person was forgotten meanwhile; try again")
    wanted = {*block_hashes(move.after, vault.keyed_hash)} - {*block_hashes(move.before, vault.keyed_hash)}
    entered = await enter_blocks(tx, {block: [move.person_id] for block in wanted}) if wanted else {}
    before = {block: persons[:-1] for block, persons in entered.items()}
    rivals = {each: None for key in shared for each in held[key] if each != move.person_id}
    locked = await lock_persons(tx, [move.person_id, *rivals])
    person = locked.get(move.person_id)
    if person is None or person.wrapped_key is None:
        # What was claimed and opened for them a moment ago goes with the transaction.
        keys.drop(move.person_id)
        raise Transient("identity.person.changed", "the person was forgotten meanwhile; try again")
    await _share_keys(tx, move.person_id, held, shared, lost.keys())
    twice = {block: there for block, there in before.items() if move.person_id in there}
    if twice:
        await give_blocks(tx, twice)
    profile = corrected(open_profile(vault, keys, person), move, {*lost.values()})
    sealed = seal_profile(vault, keys, person.id, profile)
    under = pack_blocks({*unpack_blocks(person.blocks), *entered}) or None
    await show_more(tx, [msgspec.structs.replace(person, profile=sealed, blocks=under)])
    met = {each: locked[each] for each in rivals if each in locked and locked[each].wrapped_key is not None}
    by = {each: tuple(gained[key] for key in shared if each in held[key]) for each in met}
    await _tell(tx, move, profile, {each: open_profile(vault, keys, one) for each, one in met.items()}, by, at)
    return list(met)


def corrected(profile: Profile, move: Move, gone: set[str]) -> Profile:
    """What a person has shown, with a lead as it is now. Pure. ``gone`` are contact details (``email``, ``phone``) that
    were never theirs."""
    kept = [each for each in profile.variants if each != move.before]
    for trait in gone:
        wrong = getattr(move.before, trait)
        kept = [
            msgspec.structs.replace(each, **{trait: ""}) if getattr(each, trait) == wrong else each for each in kept
        ]
    found = EMPTY
    for traits in (*kept, *move.others, move.after):
        if traits.telling:
            found = found.with_traits(traits)
    return found


def _hashes(vault: Vault, traits: Traits) -> dict[str, bytes]:
    told = (("email", traits.email), ("phone", traits.phone))
    return {kind: vault.keyed_hash(kind, text) for kind, text in told if text}


async def _share_keys(
    tx: Tx, person_id: str, held: Mapping[bytes, list[str]], shared: set[bytes], lost: Iterable[bytes]
) -> None:
    owners = {key: [*held[key], person_id] for key in shared if person_id not in held[key]}
    owners = {key: persons for key, persons in owners.items() if len(persons) <= KEY_MOST}
    left = {key: [each for each in held[key] if each != person_id] for key in lost if key in held}
    await give_keys(tx, owners | {key: persons for key, persons in left.items() if persons})
    await drop_keys(tx, [key for key, persons in left.items() if not persons])


async def _tell(
    tx: Tx,
    move: Move,
    profile: Profile,
    rivals: Mapping[str, Profile],
    by: Mapping[str, tuple[str, ...]],
    at: datetime,
) -> None:
    """Keep who the person may be, or shares something with, by the rules that a new lead is judged by."""
    profiles = {**rivals, move.person_id: profile}
    holders = [Holder(each, by[each], one) for each, one in rivals.items()]
    choice = decide(move.after, holders, (), profiles.__getitem__, move.matching)
    possible = list(choice.possible)
    if choice.owner is not None:
        if may_be_one(move.person_id, choice.owner, profiles.__getitem__):
            possible.append(Possible(choice.owner, "bridge", SURE_BITS))
        else:
            shares = by[choice.owner][-1]
            await add_links(tx, [_link(move.person_id, Tie(choice.owner, "shared", shares), at)], at)
    if possible:
        await add_suggestions(tx, [_suggestion(move, each, at) for each in possible], at)
    if choice.household:
        await add_links(tx, [_link(move.person_id, tie, at) for tie in choice.household], at)


def _link(person_id: str, tie: Tie, at: datetime) -> HouseholdLink:
    low, high = sorted((person_id, tie.person_id))
    return HouseholdLink(low=low, high=high, kind=tie.kind, shares=tie.shares, at=at)


def _suggestion(move: Move, other: Possible, at: datetime) -> Suggestion:
    low, high = sorted((move.person_id, other.person_id))
    return Suggestion(
        low=low, high=high, kind=other.kind, bits=other.bits, parts=other.parts, lead_id=move.lead_id, at=at
    )

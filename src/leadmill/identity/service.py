"""The verbs of identity: find or make a person, hold their keys, forget them.

``hear_find_person`` and ``keep_identity`` are wired to the runner by ``main``; the rest is called by whoever reads or
erases what is sealed with a person's key.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.core.faults import Permanent, Transient
from leadmill.core.ids import Mint
from leadmill.facts import read_email, read_phone
from leadmill.identity.model import FindPerson, Identity, PersonFound
from leadmill.identity.rules import Choice, Owner, choose, email_key
from leadmill.identity.store import (
    Interest,
    Key,
    add_interest,
    add_person_row,
    claim_keys,
    forget,
    give_keys,
    hold_owners,
    read_owner,
    read_persons,
    recent_interests,
)
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

_OWNERS = "identity owners"
_TAKEN = "identity interests"

Answerer = Callable[[FindPerson], PersonFound]


class Keys:
    """The data keys of persons lately met, in the clear and in memory only; the oldest make room."""

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def has(self, person_id: str) -> bool:
        """Whether the person's key is at hand."""
        return person_id in self._held

    def of(self, person_id: str) -> bytes:
        """The person's data key. Raises :class:`Permanent` ``vault.key.destroyed`` where it is not at hand, which after
        :func:`load_keys` means that the person was forgotten."""
        key = self._held.get(person_id)
        if key is None:
            raise Permanent("vault.key.destroyed", "this person has been forgotten")
        self._held.move_to_end(person_id)
        return key

    def put(self, person_id: str, key: bytes) -> None:
        """Keep a key at hand."""
        self._held[person_id] = key
        self._held.move_to_end(person_id)
        if len(self._held) > self._size:
            self._held.popitem(last=False)

    def drop(self, person_id: str) -> None:
        """Let go of a key."""
        self._held.pop(person_id, None)


def hear_find_person(vault: Vault, keys: Keys, mint: Mint) -> Callable[[Tx, Sequence[FindPerson]], Awaitable[Answerer]]:
    """The listener for :class:`FindPerson`. Every person found has its data key in ``keys`` afterwards.

    Exact whatever else runs: a new key belongs to the first transaction that claims it, known persons are locked, and
    only then are their interests read. Raises :class:`Transient` ``identity.person.changed`` where a person was
    forgotten in between: the group is simply walked again.
    """

    async def hear(tx: Tx, asks: Sequence[FindPerson]) -> Answerer:
        proposed = {ask.lead_id: mint("person", ask.at) for ask in asks}
        claimed, owners = await _claim(tx, asks, proposed, vault, keys)
        choices: dict[str, Choice] = {}
        misplaced: dict[bytes, str] = {}
        for ask in asks:
            choice = choose(_owner(owners, ask.email), _owner(owners, ask.phone), ask.name)
            owner = choice.owner
            if owner is None:
                owner = Owner(proposed[ask.lead_id], ask.name)
                add_person(tx, vault, keys, ask.at, mint, person_id=owner.person_id, name=ask.name)
            for key in (ask.email, ask.phone):
                if key and key not in owners:
                    owners[key] = owner
                    if claimed[key] != owner.person_id:
                        misplaced[key] = owner.person_id
            choices[ask.lead_id] = Choice(owner, choice.matched_on, choice.rival, choice.rival_on)
        if misplaced:
            await give_keys(tx, misplaced)
        return await _answering(tx, asks, choices)

    return hear


async def _claim(
    tx: Tx, asks: Sequence[FindPerson], proposed: dict[str, str], vault: Vault, keys: Keys
) -> tuple[dict[bytes, str], dict[bytes, Owner]]:
    """The keys claimed just now with the person proposed for them, and the owners of all others, locked."""
    owners: dict[bytes, Owner] = tx.scratch.setdefault(_OWNERS, {})
    wanted: dict[bytes, Key] = {}
    for ask in asks:
        for kind, key in (("email", ask.email), ("phone", ask.phone)):
            if key and key not in owners and key not in wanted:
                wanted[key] = Key(key, kind, proposed[ask.lead_id])
    if not wanted:
        return {}, owners
    taken = await claim_keys(tx, list(wanted.values()), asks[0].at)
    known = wanted.keys() - taken
    if known:
        held = await hold_owners(tx, known)
        for key in known:
            owner = held.get(key)
            if owner is None or owner.wrapped_key is None:
                raise Transient("identity.person.changed", "a person was forgotten meanwhile; try again")
            owners[key] = Owner(owner.person_id, owner.name)
            if not keys.has(owner.person_id):
                keys.put(owner.person_id, vault.unwrap(owner.wrapped_key))
    return {key: wanted[key].person_id for key in taken}, owners


def _owner(owners: dict[bytes, Owner], key: bytes | None) -> Owner | None:
    return owners.get(key) if key else None


async def _answering(tx: Tx, asks: Sequence[FindPerson], choices: dict[str, Choice]) -> Answerer:
    known = {c.owner.person_id for c in choices.values() if c.owner and c.matched_on}
    stored: dict[tuple[str, str], list[Interest]] = {}
    if known:
        for interest in await recent_interests(tx, known, min(ask.since for ask in asks)):
            stored.setdefault((interest.person_id, interest.vertical), []).append(interest)
    taken: dict[tuple[str, str], list[Interest]] = tx.scratch.setdefault(_TAKEN, {})

    def answer(ask: FindPerson) -> PersonFound:
        choice = choices[ask.lead_id]
        person_id = choice.owner.person_id if choice.owner else ""
        place = (person_id, ask.vertical)
        return PersonFound(
            person_id=person_id,
            new_person=not choice.matched_on,
            matched_on=list(choice.matched_on),
            # Those that earlier leads of this very transaction brought are not in the table yet.
            recent=[
                interest.lead_id
                for interest in (*stored.get(place, ()), *taken.get(place, ()))
                if interest.at > ask.since and interest.lead_id != ask.lead_id
            ],
            rival=choice.rival,
            rival_on=choice.rival_on,
        )

    return answer


def keep_identity(tx: Tx, case: Case, identity: Identity, now: datetime) -> None:
    """The keeper: what later leads are duplicates of. A duplicate does not prolong the window, a test opens none."""
    lead = case[Lead]
    if identity.duplicate_of or lead.test or not identity.keys:
        return
    interest = Interest(identity.person_id, lead.vertical, lead.received_at, lead.id)
    add_interest(tx, interest)
    taken: dict[tuple[str, str], list[Interest]] = tx.scratch.setdefault(_TAKEN, {})
    taken.setdefault((interest.person_id, interest.vertical), []).append(interest)


def add_person(
    tx: Tx,
    vault: Vault,
    keys: Keys,
    now: datetime,
    mint: Mint,
    *,
    person_id: str | None = None,
    name: bytes | None = None,
) -> str:
    """Make a person with a data key of their own; their id. Used as it stands for a lead that never got as far as an
    identity: what it brought is sealed all the same."""
    made = person_id or mint("person", now)
    key, wrapped = vault.new_key()
    add_person_row(tx, made, wrapped, name, now)
    keys.put(made, key)
    return made


async def load_keys(tx: Tx, vault: Vault, keys: Keys, person_ids: Iterable[str]) -> None:
    """Bring the keys of these persons to hand. The key of a person who was forgotten, by whichever process, is let
    go."""
    ids = list(person_ids)
    if not ids:
        return
    persons = await read_persons(tx, ids)
    for person_id in ids:
        person = persons.get(person_id)
        if person is None or person.wrapped_key is None:
            keys.drop(person_id)
        elif not keys.has(person_id):
            keys.put(person_id, vault.unwrap(person.wrapped_key))


async def forget_person(tx: Tx, keys: Keys, person_id: str, now: datetime) -> bool:
    """Destroy a person's key, so that nothing sealed with it can be read again, and let go of what they are known by.

    False where there is no such person or they were forgotten before. Other processes let go of their copy of the key
    when they next look for the person.
    """
    done = await forget(tx, person_id, now)
    tx.after(lambda: keys.drop(person_id))
    return done


async def find_person(tx: Tx, keyed_hash: Callable[[str, str], bytes], contact: str, country: str = "US") -> str | None:
    """The id of the person with exactly this e-mail address or phone number; None where there is none, or where the
    text is neither."""
    if "@" in contact:
        email = read_email(contact)
        return await read_owner(tx, keyed_hash("email", email_key(email.lookup))) if email else None
    phone = read_phone(contact, country)
    return await read_owner(tx, keyed_hash("phone", phone.e164)) if phone else None

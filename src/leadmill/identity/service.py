"""The verbs of identity: hold persons' keys, keep what they want, find and forget them.

``keep_identity`` is wired to the runner by ``main``, as is the listener in ``claims``; the rest is called by whoever
reads or erases what is sealed with a person's key.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.core.ids import Mint
from leadmill.facts import read_email, read_phone
from leadmill.identity.claims import TAKEN, hear_find_person, make_person
from leadmill.identity.keys import Keys
from leadmill.identity.model import Identity
from leadmill.identity.rules import email_key
from leadmill.identity.store.persons import Interest, add_interest, forget, read_owners, read_persons
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

__all__ = [
    "Keys",
    "add_person",
    "find_person",
    "find_persons",
    "forget_person",
    "hear_find_person",
    "keep_identity",
    "load_keys",
]


def keep_identity(tx: Tx, case: Case, identity: Identity, now: datetime) -> None:
    """The keeper: what later leads are duplicates of. A duplicate does not prolong the window, a test opens none."""
    lead = case[Lead]
    if identity.duplicate_of or lead.test or not identity.keys:
        return
    interest = Interest(identity.person_id, lead.vertical, lead.received_at, lead.id)
    add_interest(tx, interest)
    taken: dict[tuple[str, str], list[Interest]] = tx.scratch.setdefault(TAKEN, {})
    taken.setdefault((interest.person_id, interest.vertical), []).append(interest)


def add_person(tx: Tx, vault: Vault, keys: Keys, now: datetime, mint: Mint) -> str:
    """Make a person with a data key of their own, for a lead that never got as far as an identity: what it brought is
    sealed all the same. Their id."""
    made = mint("person", now)
    make_person(tx, vault, keys, made, now)
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


async def find_persons(tx: Tx, keyed_hash: Callable[[str, str], bytes], contact: str, country: str = "US") -> list[str]:
    """The ids of the persons with exactly this e-mail address or phone number, who brought it first before others; none
    where the text is neither."""
    if "@" in contact:
        email = read_email(contact)
        return await read_owners(tx, keyed_hash("email", email_key(email.lookup))) if email else []
    phone = read_phone(contact, country)
    return await read_owners(tx, keyed_hash("phone", phone.e164)) if phone else []


async def find_person(tx: Tx, keyed_hash: Callable[[str, str], bytes], contact: str, country: str = "US") -> str | None:
    """As :func:`find_persons`, the first of them."""
    return next(iter(await find_persons(tx, keyed_hash, contact, country)), None)

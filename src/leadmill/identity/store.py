"""Every read and write of the persons' tables.

Called by the package's service. The order of locks is fixed, so that no two transactions wait for each other: first
keys by their hash, then persons by their id; nobody asks for a key while holding a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.identity.model import Person
from leadmill.identity.tables import INTEREST, PERSON, PERSON_KEY
from leadmill.runtime.db import Row, Tx, prepared

_TEXTS = sa.ARRAY(sa.Text)
_BYTES = sa.ARRAY(sa.LargeBinary)
_TIME = sa.DateTime(timezone=True)


class Key(Struct, frozen=True):
    """A keyed hash claimed for a person."""

    hash: bytes
    kind: str
    person_id: str


class Held(Struct, frozen=True):
    """The owner of a key, locked for the length of the transaction."""

    person_id: str
    name: bytes | None
    wrapped_key: bytes | None


class Interest(Struct, frozen=True):
    """A person's wish in a vertical."""

    person_id: str
    vertical: str
    at: datetime
    lead_id: str


_CLAIM = prepared(
    sa.text(
        "INSERT INTO person_key (hash, kind, person_id, added_at)"
        " SELECT h, k, p, :at"
        " FROM unnest(CAST(:hashes AS bytea[]), CAST(:kinds AS text[]), CAST(:persons AS text[])) AS t(h, k, p)"
        " ORDER BY h ON CONFLICT DO NOTHING RETURNING hash"
    ).bindparams(
        sa.bindparam("at", type_=_TIME),
        sa.bindparam("hashes", type_=_BYTES),
        sa.bindparam("kinds", type_=_TEXTS),
        sa.bindparam("persons", type_=_TEXTS),
    )
)
_HOLD = prepared(
    sa.select(PERSON_KEY.c.hash, PERSON.c.id, PERSON.c.name, PERSON.c.wrapped_key)
    .join(PERSON, PERSON.c.id == PERSON_KEY.c.person_id)
    .where(PERSON_KEY.c.hash == sa.any_(sa.bindparam("hashes", type_=_BYTES)))
    .order_by(PERSON.c.id)
    .with_for_update(of=PERSON)
)
_GIVE = prepared(
    sa.text(
        "UPDATE person_key SET person_id = t.p"
        " FROM unnest(CAST(:hashes AS bytea[]), CAST(:persons AS text[])) AS t(h, p) WHERE hash = t.h"
    ).bindparams(sa.bindparam("hashes", type_=_BYTES), sa.bindparam("persons", type_=_TEXTS))
)
_RECENT = prepared(
    sa.select(INTEREST)
    .where(
        INTEREST.c.person_id == sa.any_(sa.bindparam("ids", type_=_TEXTS)),
        INTEREST.c.at > sa.bindparam("since", type_=_TIME),
    )
    .order_by(INTEREST.c.at, INTEREST.c.lead_id)
)
_PERSONS = prepared(sa.select(PERSON).where(PERSON.c.id == sa.any_(sa.bindparam("ids", type_=_TEXTS))))
_OWNER = prepared(sa.select(PERSON_KEY.c.person_id).where(PERSON_KEY.c.hash == sa.bindparam("hash")))
_FORGET = prepared(
    sa.update(PERSON)
    .where(PERSON.c.id == sa.bindparam("person"), PERSON.c.forgotten_at.is_(None))
    .values(wrapped_key=None, name=None, forgotten_at=sa.bindparam("now", type_=_TIME))
)
_DROP_KEYS = prepared(sa.delete(PERSON_KEY).where(PERSON_KEY.c.person_id == sa.bindparam("person")))
_DROP_INTERESTS = prepared(sa.delete(INTEREST).where(INTEREST.c.person_id == sa.bindparam("person")))


async def claim_keys(tx: Tx, keys: Sequence[Key], at: datetime) -> set[bytes]:
    """Take keys nobody has; those taken. Waits for another transaction that is taking one of them."""
    rows = await tx.all(
        _CLAIM,
        at=at,
        hashes=[key.hash for key in keys],
        kinds=[key.kind for key in keys],
        persons=[key.person_id for key in keys],
    )
    return {row["hash"] for row in rows}


async def hold_owners(tx: Tx, hashes: Iterable[bytes]) -> dict[bytes, Held]:
    """The owners of keys, each locked until the transaction ends. A key that nobody has any longer is absent."""
    rows = await tx.all(_HOLD, hashes=list(hashes))
    return {row["hash"]: Held(row["id"], row["name"], row["wrapped_key"]) for row in rows}


async def give_keys(tx: Tx, owners: Mapping[bytes, str]) -> None:
    """Set the person of keys that this transaction has claimed."""
    await tx.run(_GIVE, hashes=list(owners), persons=list(owners.values()))


async def recent_interests(tx: Tx, person_ids: Iterable[str], since: datetime) -> list[Interest]:
    """What these persons wanted after ``since``, oldest first."""
    rows = await tx.all(_RECENT, ids=list(person_ids), since=since)
    return [Interest(row["person_id"], row["vertical"], row["at"], row["lead_id"]) for row in rows]


async def read_persons(tx: Tx, person_ids: Iterable[str]) -> dict[str, Person]:
    """Persons by id."""
    return {row["id"]: _person(row) for row in await tx.all(_PERSONS, ids=list(person_ids))}


async def read_owner(tx: Tx, keyed_hash: bytes) -> str | None:
    """Whose a keyed hash is."""
    row = await tx.one(_OWNER, hash=keyed_hash)
    return None if row is None else str(row["person_id"])


def add_person_row(tx: Tx, person_id: str, wrapped_key: bytes, name: bytes | None, now: datetime) -> None:
    """Write a new person with the other rows of the transaction."""
    tx.add(PERSON, person_id, wrapped_key, name, now, None)


def add_interest(tx: Tx, interest: Interest) -> None:
    """Write an interest with the other rows of the transaction."""
    tx.add(INTEREST, interest.person_id, interest.vertical, interest.at, interest.lead_id)


async def forget(tx: Tx, person_id: str, now: datetime) -> bool:
    """Destroy a person's key and let go of what they are known by; False where there was no such person to forget."""
    if not await tx.run(_FORGET, person=person_id, now=now):
        return False
    await tx.run(_DROP_KEYS, person=person_id)
    await tx.run(_DROP_INTERESTS, person=person_id)
    return True


def _person(row: Row) -> Person:
    return Person(
        id=row["id"],
        wrapped_key=row["wrapped_key"],
        created_at=row["created_at"],
        forgotten_at=row["forgotten_at"],
    )

"""Every read and write of the persons' tables.

Called by the package's service and claims. The order of locks is fixed, so that no two transactions wait for each
other: keys by their hash, first the new ones and then those that are there; then blocks by theirs; then persons
by their id, all at once; then ties between persons. Nobody asks for an earlier kind while holding a later one. What is
written about rows that are locked goes out with the last changes of the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.faults import Transient
from leadmill.identity.model import HouseholdLink, Person, Suggestion
from leadmill.identity.tables import (
    HOUSEHOLD_LINK,
    INTEREST,
    PERSON,
    PERSON_BLOCK,
    PERSON_KEY,
    PERSON_RULING,
    SUGGESTION,
)
from leadmill.linkage import Part
from leadmill.runtime.db import Row, Tx, prepared

BLOCK_MOST = 48
"""Persons that a partial key may be shared by and still tell people apart: a larger block takes no more and is not
looked at. Who is in it is found by the other keys."""

_TEXTS = sa.ARRAY(sa.Text)
_BYTES = sa.ARRAY(sa.LargeBinary)
_NUMBERS = sa.ARRAY(sa.BigInteger)
_TIME = sa.DateTime(timezone=True)
_IDS = sa.any_(sa.bindparam("ids", type_=_TEXTS))


class Key(Struct, frozen=True):
    """A keyed hash claimed for a person."""

    hash: bytes
    kind: str
    person_id: str


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
    sa.text(
        "WITH held AS (SELECT hash, person_id, others FROM person_key WHERE hash = ANY(CAST(:hashes AS bytea[]))"
        " ORDER BY hash FOR UPDATE)"
        " SELECT held.hash, held.person_id, held.others, p.id, p.wrapped_key, p.created_at, p.forgotten_at,"
        " p.profile, p.blocks, p.prospect FROM held"
        " LEFT JOIN person AS p ON p.id = ANY(array_append(held.others, held.person_id))"
    ).bindparams(sa.bindparam("hashes", type_=_BYTES))
)
_GIVE = prepared(
    sa.text(
        "UPDATE person_key SET person_id = t.ps[1], others = CASE WHEN cardinality(t.ps) > 1 THEN t.ps[2:] END"
        " FROM (SELECT h, array_agg(p ORDER BY n) AS ps"
        " FROM unnest(CAST(:hashes AS bytea[]), CAST(:persons AS text[])) WITH ORDINALITY AS u(h, p, n) GROUP BY h)"
        " AS t WHERE hash = t.h"
    ).bindparams(sa.bindparam("hashes", type_=_BYTES), sa.bindparam("persons", type_=_TEXTS))
)
# Eight hashes a lead travel as one text of numbers: of an array the driver would look at each several times.
_ENTER_BLOCKS = prepared(
    sa.text(
        "INSERT INTO person_block AS b (hash, persons) SELECT h, ps FROM (SELECT h, array_agg(p ORDER BY n) AS ps"
        " FROM unnest(CAST(string_to_array(CAST(:hashes AS text), ' ') AS bigint[]),"
        " string_to_array(CAST(:persons AS text), ' ')) WITH ORDINALITY AS u(h, p, n) GROUP BY h) AS t"
        " WHERE coalesce((SELECT cardinality(f.persons) FROM person_block AS f WHERE f.hash = t.h), 0)"
        " < CAST(:most AS integer) ORDER BY h"
        " ON CONFLICT (hash) DO UPDATE SET persons = b.persons || excluded.persons RETURNING hash, persons"
    ).bindparams(
        sa.bindparam("hashes", type_=sa.Text),
        sa.bindparam("persons", type_=sa.Text),
        sa.bindparam("most", type_=sa.Integer),
    )
)
_HOLD_BLOCKS = prepared(
    sa.text(
        "SELECT hash, persons FROM person_block"
        " WHERE hash = ANY(CAST(string_to_array(CAST(:hashes AS text), ' ') AS bigint[]))"
        " AND cardinality(persons) < CAST(:most AS integer) ORDER BY hash FOR UPDATE"
    ).bindparams(sa.bindparam("hashes", type_=sa.Text), sa.bindparam("most", type_=sa.Integer))
)
_GIVE_BLOCKS = prepared(
    sa.text(
        "UPDATE person_block SET persons = t.ps FROM (SELECT h, array_agg(p ORDER BY n) AS ps"
        " FROM unnest(CAST(:hashes AS bigint[]), CAST(:persons AS text[])) WITH ORDINALITY AS u(h, p, n) GROUP BY h)"
        " AS t WHERE hash = t.h"
    ).bindparams(sa.bindparam("hashes", type_=_NUMBERS), sa.bindparam("persons", type_=_TEXTS))
)
_RECENT = prepared(
    sa.select(INTEREST)
    .where(INTEREST.c.person_id == _IDS, INTEREST.c.at > sa.bindparam("since", type_=_TIME))
    .order_by(INTEREST.c.at, INTEREST.c.lead_id)
)
_PERSONS = prepared(sa.select(PERSON).where(PERSON.c.id == _IDS))
_LOCK = prepared(
    sa.text(
        "SELECT * FROM person WHERE id = ANY(CAST(:ids AS text[])) OR prospect = ANY(ARRAY(SELECT prospect FROM person"
        " WHERE id = ANY(CAST(:ids AS text[])) AND prospect IS NOT NULL)) ORDER BY id FOR UPDATE"
    ).bindparams(sa.bindparam("ids", type_=_TEXTS))
)
_SHOW = prepared(
    sa.text(
        "UPDATE person SET profile = t.p, blocks = t.b FROM unnest(CAST(:ids AS text[]), CAST(:profiles AS bytea[]),"
        " CAST(:blocks AS bytea[])) AS t(i, p, b) WHERE id = t.i"
    ).bindparams(
        sa.bindparam("ids", type_=_TEXTS),
        sa.bindparam("profiles", type_=_BYTES),
        sa.bindparam("blocks", type_=_BYTES),
    )
)
_OWNERS = prepared(
    sa.select(PERSON_KEY.c.person_id, PERSON_KEY.c.others).where(PERSON_KEY.c.hash == sa.bindparam("hash"))
)
_LINK = prepared(
    sa.text(
        "INSERT INTO household_link (low, high, kind, shares, at) SELECT l, h, k, s, :at"
        " FROM unnest(CAST(:lows AS text[]), CAST(:highs AS text[]), CAST(:kinds AS text[]), CAST(:shares AS text[]))"
        " AS t(l, h, k, s) ORDER BY l, h ON CONFLICT (low, high) DO NOTHING"
    ).bindparams(
        sa.bindparam("at", type_=_TIME), *(sa.bindparam(n, type_=_TEXTS) for n in ("lows", "highs", "kinds", "shares"))
    )
)
_SUGGEST = prepared(
    sa.text(
        "INSERT INTO person_suggestion (low, high, kind, bits, evidence, lead_id, at) SELECT l, h, k, b, e, i, :at"
        " FROM unnest(CAST(:lows AS text[]), CAST(:highs AS text[]), CAST(:kinds AS text[]),"
        " CAST(:bits AS double precision[]), CAST(:evidence AS bytea[]), CAST(:leads AS text[]))"
        " AS t(l, h, k, b, e, i) WHERE NOT EXISTS (SELECT FROM person_ruling r WHERE r.low = l AND r.high = h"
        " AND r.ended_at IS NULL) ORDER BY l, h ON CONFLICT (low, high) DO UPDATE"
        " SET kind = excluded.kind, bits = excluded.bits, evidence = excluded.evidence, lead_id = excluded.lead_id,"
        " at = excluded.at WHERE excluded.kind < person_suggestion.kind"
        " OR (excluded.kind = person_suggestion.kind AND excluded.bits > person_suggestion.bits)"
    ).bindparams(
        sa.bindparam("at", type_=_TIME),
        sa.bindparam("bits", type_=sa.ARRAY(sa.Double)),
        sa.bindparam("evidence", type_=_BYTES),
        *(sa.bindparam(n, type_=_TEXTS) for n in ("lows", "highs", "kinds", "leads")),
    )
)


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


async def hold_keys(tx: Tx, hashes: Iterable[bytes]) -> tuple[dict[bytes, list[str]], list[Person]]:
    """Whose keys are, the first owner first, each key locked until the transaction ends, and these persons as they were
    before anybody was waited for. A key that nobody has any longer is absent."""
    rows = await tx.all(_HOLD, hashes=list(hashes))
    persons = {row["id"]: row for row in rows if row["id"] is not None}
    owners = {row["hash"]: [row["person_id"], *(row["others"] or ())] for row in rows}
    return owners, [person_of_row(row) for row in persons.values()]


async def give_keys(tx: Tx, owners: Mapping[bytes, Sequence[str]]) -> None:
    """Set the persons of keys that this transaction holds."""
    pairs = [(key, person) for key, persons in owners.items() for person in persons]
    await tx.last(_GIVE, hashes=[key for key, _ in pairs], persons=[person for _, person in pairs])


async def drop_keys(tx: Tx, hashes: Iterable[bytes]) -> None:
    """Let go of keys that this transaction holds and nobody has any longer."""
    await tx.run(_DROP_KEYS, hashes=list(hashes))


async def enter_blocks(tx: Tx, entries: Mapping[int, Sequence[str]]) -> dict[int, list[str]]:
    """Enter persons into blocks, opening those that are not there; who is in each now, those entered last. Each block
    is locked until the transaction ends; those with ``BLOCK_MOST`` persons or more are absent and stay open to
    others."""
    pairs = [(block, person) for block, persons in entries.items() for person in persons]
    rows = await tx.all(
        _ENTER_BLOCKS,
        hashes=_joined(block for block, _ in pairs),
        persons=" ".join(person for _, person in pairs),
        most=BLOCK_MOST,
    )
    return {row["hash"]: list(row["persons"]) for row in rows}


def _joined(hashes: Iterable[int]) -> str:
    return " ".join(map(str, hashes))


async def hold_blocks(tx: Tx, hashes: Iterable[int], most: int = BLOCK_MOST) -> dict[int, list[str]]:
    """Who is in these blocks, each locked until the transaction ends; those with ``most`` persons or more are absent
    and stay open to others."""
    rows = await tx.all(_HOLD_BLOCKS, hashes=_joined(hashes), most=most)
    return {row["hash"]: list(row["persons"]) for row in rows}


async def give_blocks(tx: Tx, blocks: Mapping[int, Sequence[str]]) -> None:
    """Set who is in blocks that this transaction holds."""
    pairs = [(block, person) for block, persons in blocks.items() for person in persons]
    await tx.last(_GIVE_BLOCKS, hashes=[block for block, _ in pairs], persons=[person for _, person in pairs])


async def recent_interests(tx: Tx, person_ids: Iterable[str], since: datetime) -> list[Interest]:
    """What these persons wanted after ``since``, oldest first."""
    rows = await tx.all(_RECENT, ids=list(person_ids), since=since)
    return [Interest(row["person_id"], row["vertical"], row["at"], row["lead_id"]) for row in rows]


async def read_persons(tx: Tx, person_ids: Iterable[str]) -> dict[str, Person]:
    """Persons by id."""
    return {row["id"]: person_of_row(row) for row in await tx.all(_PERSONS, ids=list(person_ids))}


async def lock_persons(tx: Tx, person_ids: Iterable[str]) -> dict[str, Person]:
    """Persons by id, and all who are held to be one with them, locked in the order of their ids until the transaction
    ends. Called once a transaction."""
    return {row["id"]: person_of_row(row) for row in await tx.all(_LOCK, ids=list(person_ids))}


async def read_owners(tx: Tx, keyed_hash: bytes) -> list[str]:
    """Whose a keyed hash is, the first owner first."""
    row = await tx.one(_OWNERS, hash=keyed_hash)
    return [] if row is None else [row["person_id"], *(row["others"] or ())]


def add_person_row(tx: Tx, person: Person) -> None:
    """Write a new person with the other rows of the transaction."""
    row = (person.id, person.wrapped_key, person.created_at, person.forgotten_at, person.profile, person.blocks)
    tx.add(PERSON, *row, person.prospect)


async def show_more(tx: Tx, persons: Sequence[Person]) -> None:
    """Write what locked persons have shown by now, and the partial keys they are found under."""
    await tx.last(
        _SHOW,
        ids=[person.id for person in persons],
        profiles=[person.profile for person in persons],
        blocks=[person.blocks for person in persons],
    )


def add_interest(tx: Tx, interest: Interest) -> None:
    """Write an interest with the other rows of the transaction."""
    tx.add(INTEREST, interest.person_id, interest.vertical, interest.at, interest.lead_id)


async def add_links(tx: Tx, links: Sequence[HouseholdLink], at: datetime) -> None:
    """Keep that persons share something and are not one; a pair once."""
    columns = ("lows", "low"), ("highs", "high"), ("kinds", "kind"), ("shares", "shares")
    await tx.last(_LINK, at=at, **{name: [getattr(link, of) for link in links] for name, of in columns})


async def add_suggestions(tx: Tx, suggestions: Sequence[Suggestion], at: datetime) -> None:
    """Keep that persons may be one; of a pair, the strongest reason. A pair that was ruled about is not suggested."""
    columns = ("lows", "low"), ("highs", "high"), ("kinds", "kind"), ("bits", "bits"), ("leads", "lead_id")
    await tx.last(
        _SUGGEST,
        at=at,
        evidence=[msgspec.json.encode(each.parts) for each in suggestions],
        **{name: [getattr(each, of) for each in suggestions] for name, of in columns},
    )


async def read_links(tx: Tx, person_id: str) -> list[HouseholdLink]:
    """Who shares something with a person and is another."""
    chosen = sa.or_(HOUSEHOLD_LINK.c.low == person_id, HOUSEHOLD_LINK.c.high == person_id)
    rows = await tx.all(sa.select(HOUSEHOLD_LINK).where(chosen).order_by(HOUSEHOLD_LINK.c.low, HOUSEHOLD_LINK.c.high))
    return [HouseholdLink(**dict(row)) for row in rows]


async def list_suggestions(tx: Tx, person_id: str | None = None, most: int = 100) -> list[Suggestion]:
    """Who may be one person, the strongest reasons first; of one person where given."""
    chosen = sa.select(SUGGESTION)
    if person_id is not None:
        chosen = chosen.where(sa.or_(SUGGESTION.c.low == person_id, SUGGESTION.c.high == person_id))
    rows = await tx.all(chosen.order_by(SUGGESTION.c.kind, SUGGESTION.c.bits.desc(), SUGGESTION.c.low).limit(most))
    return [_suggestion(row) for row in rows]


def _suggestion(row: Row) -> Suggestion:
    values = dict(row)
    parts = _PARTS.decode(values.pop("evidence"))
    return Suggestion(**values, parts=parts)


_PARTS = msgspec.json.Decoder(list[Part])


def person_of_row(row: Row) -> Person:
    """A person as their row says."""
    # By name one after another: a record made a mapping first takes ten times as long, and leads have many candidates.
    return Person(
        id=row["id"],
        wrapped_key=row["wrapped_key"],
        created_at=row["created_at"],
        forgotten_at=row["forgotten_at"],
        profile=row["profile"],
        blocks=row["blocks"],
        prospect=row["prospect"],
    )


# Forgetting

_KEYS_OF = prepared(
    sa.select(PERSON_KEY.c.hash).where(
        sa.or_(
            PERSON_KEY.c.person_id == sa.bindparam("person", type_=sa.Text),
            PERSON_KEY.c.others.contains(sa.bindparam("persons", type_=_TEXTS)),
        )
    )
)
_FORGET = prepared(
    sa.update(PERSON)
    .where(PERSON.c.id == sa.bindparam("person"))
    .values(wrapped_key=None, profile=None, blocks=None, prospect=None, forgotten_at=sa.bindparam("now", type_=_TIME))
)
_DROP_KEYS = prepared(sa.delete(PERSON_KEY).where(PERSON_KEY.c.hash == sa.any_(sa.bindparam("hashes", type_=_BYTES))))
_DROP_BLOCKS = prepared(
    sa.delete(PERSON_BLOCK).where(PERSON_BLOCK.c.hash == sa.any_(sa.bindparam("hashes", type_=_NUMBERS)))
)
_DROP_ROWS = [
    prepared(sa.delete(table).where(sa.or_(*(column == sa.bindparam("person") for column in columns))))
    for table, columns in (
        (INTEREST, [INTEREST.c.person_id]),
        (HOUSEHOLD_LINK, [HOUSEHOLD_LINK.c.low, HOUSEHOLD_LINK.c.high]),
        (SUGGESTION, [SUGGESTION.c.low, SUGGESTION.c.high]),
        (PERSON_RULING, [PERSON_RULING.c.low, PERSON_RULING.c.high]),
    )
]


async def forget(tx: Tx, person_id: str, now: datetime) -> bool:
    """Destroy a person's key and all that they are known, found or compared by; False where there was no such person
    to forget. Raises Transient ``identity.person.changed`` where they showed something new meanwhile."""
    before = (await read_persons(tx, [person_id])).get(person_id)
    if before is None or before.forgotten_at is not None:
        return False
    rows = await tx.all(_KEYS_OF, person=person_id, persons=[person_id])
    keys, _ = await hold_keys(tx, [row["hash"] for row in rows])
    blocks = await hold_blocks(tx, unpack_blocks(before.blocks), most=2 * BLOCK_MOST)
    locked = (await lock_persons(tx, [person_id])).get(person_id)
    if locked is None or locked.forgotten_at is not None:
        return False
    if locked.blocks != before.blocks:
        raise Transient("identity.person.changed", "this person was met meanwhile; try again")
    left_keys = {key: [each for each in persons if each != person_id] for key, persons in keys.items()}
    left_blocks = {block: [each for each in persons if each != person_id] for block, persons in blocks.items()}
    await give_keys(tx, left_keys)
    await give_blocks(tx, left_blocks)
    await drop_keys(tx, [key for key, persons in left_keys.items() if not persons])
    await tx.run(_DROP_BLOCKS, hashes=[block for block, persons in left_blocks.items() if not persons])
    await tx.run(_FORGET, person=person_id, now=now)
    for statement in _DROP_ROWS:
        await tx.run(statement, person=person_id)
    await tx.flush()  # whoever shares a key or a block with them may be forgotten next
    return True


def pack_blocks(hashes: Iterable[int]) -> bytes:
    """Hashes of blocks as they are kept with a person."""
    return b"".join(each.to_bytes(8, "big", signed=True) for each in sorted(hashes))


def unpack_blocks(packed: bytes | None) -> list[int]:
    """What :func:`pack_blocks` wrote."""
    whole = packed or b""
    return [int.from_bytes(whole[at : at + 8], "big", signed=True) for at in range(0, len(whole), 8)]

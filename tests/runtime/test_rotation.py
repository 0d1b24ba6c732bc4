"""The master key is changed while others read and write, and the old one is of no use afterwards."""

import pytest

from leadmill.core.faults import Permanent
from leadmill.runtime.db import Database, metadata
from leadmill.runtime.rotation import WRAPPED, begin, end, follow, rewrap, under_way
from leadmill.runtime.vault import Vault
from tests.conftest import FixedClock, import_tables

OLD, NEW, NEWER = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))


async def wrapped(db: Database) -> dict[str, bytes | None]:
    """The persons' wrapped keys."""
    async with db.begin() as tx:
        return {row[0]: row[1] for row in await tx.conn.fetch("SELECT id, wrapped_key FROM person ORDER BY id")}


async def follows(db: Database, vault: Vault) -> Vault:
    """A process looks whether the key has changed."""
    async with db.begin() as tx:
        await follow(tx, vault)
    return vault


async def add(db: Database, ident: str, key: bytes | None) -> None:
    """A person with this wrapped key."""
    async with db.begin() as tx:
        await tx.conn.execute("INSERT INTO person (id, wrapped_key, created_at) VALUES ($1, $2, now())", ident, key)


async def test_every_process_reads_every_key_at_every_moment_of_the_change(db: Database, clock: FixedClock) -> None:
    serving, other = await follows(db, Vault(OLD)), Vault(OLD)
    known = serving.keyed_hash("email", "a@example.com")
    deks = {}
    for number in range(4):
        deks[f"person_{number}"], key = serving.new_key()
        await add(db, f"person_{number}", key)
    await add(db, "person_gone", None)

    async with db.begin() as tx:
        await begin(tx, await follows(db, other), NEW, clock())
    await follows(db, serving)
    assert serving.master == NEW and serving.keyed_hash("email", "a@example.com") == known
    deks["person_late"], late = Vault(OLD).new_key()  # by a transaction that began before
    deks["person_new"], fresh = serving.new_key()
    await add(db, "person_new", fresh)
    for vault in (serving, await follows(db, Vault(OLD)), await follows(db, Vault(NEW))):
        stand = await wrapped(db)
        assert {ident: vault.unwrap(key) for ident, key in stand.items() if key} == {
            ident: dek for ident, dek in deks.items() if ident != "person_late"
        }
    assert await rewrap(db, serving) == 4
    assert await rewrap(db, serving) == 0
    async with db.begin() as tx:
        assert await under_way(tx, serving)
        await end(tx, serving)
        assert not await under_way(tx, serving)
    await add(db, "person_late", late)

    after = await follows(db, Vault(NEW))
    stand = await wrapped(db)
    assert stand.pop("person_gone") is None  # destroyed stays destroyed
    assert {ident: after.unwrap(key) for ident, key in stand.items() if key} == deks
    assert after.keyed_hash("email", "a@example.com") == known
    thief = await follows(db, Vault(OLD))
    for ident, held in stand.items():
        if ident != "person_late" and held:
            with pytest.raises(Permanent, match=r"vault\.key\.foreign"):
                thief.unwrap(held)

    assert await rewrap(db, after) == 1  # the late one, before the next change
    async with db.begin() as tx:
        await begin(tx, after, NEWER, clock())
    last = await follows(db, Vault(NEW))
    assert await rewrap(db, last) == len(deks)
    async with db.begin() as tx:
        await end(tx, last)
    final = await follows(db, Vault(NEWER))
    assert {ident: final.unwrap(key) for ident, key in (await wrapped(db)).items() if key} == deks
    assert final.keyed_hash("email", "a@example.com") == known


def test_every_column_of_wrapped_keys_is_wrapped_anew() -> None:
    import_tables()
    columns = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.startswith("wrapped") and table.name != "vault_key"
    }
    assert columns == {(one.table, one.column) for one in WRAPPED}

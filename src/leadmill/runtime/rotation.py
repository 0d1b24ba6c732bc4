"""Changes the master key while everything runs.

Called by ``leadmill key rotate-master``, and by every process, which looks twice a second whether the key is being
changed (:func:`follow`). The new master key is laid down wrapped under the old one and the old one under the new, so
that whoever holds either can read both; data keys are then wrapped anew in batches. At the end the way from the old key
to the new one is taken away; the way back stays, for what a slow transaction wrote under the old key. The root of the
look-up hashes is kept, wrapped under the new key.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.runtime.db import Database, Id, Tx, metadata, prepared
from leadmill.runtime.vault import Vault, fingerprint

VAULT_KEY = sa.Table(
    "vault_key",
    metadata,
    sa.Column("name", Id, primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)
"""Keys wrapped under a master key, which the name says by its fingerprint: ``next:…`` is the master key that follows
it, ``past:…`` the one before it, ``root:…`` what look-up hashes are made under."""

_AT_ONCE = 500
_ROWS = prepared(sa.select(VAULT_KEY).order_by(VAULT_KEY.c.name))
_PUT = prepared(sa.insert(VAULT_KEY))
_DROP = prepared(sa.delete(VAULT_KEY).where(VAULT_KEY.c.name == sa.bindparam("of", type_=sa.Text)))


class Wrapped(Struct, frozen=True):
    """A column that holds wrapped data keys, and the key column of its table."""

    table: str
    key: str
    column: str = "wrapped_key"


WRAPPED = (
    Wrapped("person", "id"),
    Wrapped("audit_key", "public"),
    Wrapped("privacy_request", "id"),
    Wrapped("privacy_retained", "id"),
    Wrapped("consent_visit", "session"),
    Wrapped("second_factor", "operator_id"),
)
"""Everything that is wrapped under the master key. Whoever adds such a column names it ``wrapped_key`` and adds it."""


class Rotated(Struct, frozen=True):
    """What came of a change: how many data keys were wrapped anew, the fingerprint of the key in force, and whether the
    old one leads to the new one no more."""

    rewrapped: int
    fingerprint: str
    ended: bool


async def follow(tx: Tx, vault: Vault) -> None:
    """Take up what is known of master keys and of the root: to be called at the start and every now and then."""
    rows = {row["name"]: row["wrapped_key"] for row in await tx.all(_ROWS)}
    if rows:
        follow_rows(rows, vault)


def follow_rows(rows: dict[str, bytes], vault: Vault) -> None:
    """As :func:`follow`, with the rows at hand."""
    reader = Vault(vault.master)
    while (wrapped := rows.get(f"next:{fingerprint(reader.master)}")) is not None:
        reader = Vault(reader.unwrap(wrapped))
    mark = fingerprint(reader.master)
    past = rows.get(f"past:{mark}")
    older = (reader.unwrap(past),) if past is not None else ()
    root = reader.unwrap(rows[f"root:{mark}"]) if f"root:{mark}" in rows else vault.root
    if (reader.master, older, root) != (vault.master, vault.older, vault.root):
        vault.take(reader.master, older, root)


async def begin(tx: Tx, vault: Vault, new: bytes, now: datetime) -> None:
    """Lay the new master key down beside the old one. From the commit on, whoever looks wraps under the new key."""
    made, mark, old = Vault(new), fingerprint(new), fingerprint(vault.master)
    await tx.many(
        _PUT,
        [
            {"name": f"next:{old}", "wrapped_key": vault.wrap(new), "at": now},
            {"name": f"past:{mark}", "wrapped_key": made.wrap(vault.master), "at": now},
            {"name": f"root:{mark}", "wrapped_key": made.wrap(vault.root), "at": now},
        ],
    )
    await tx.run(_DROP, of=f"past:{old}")


async def under_way(tx: Tx, vault: Vault) -> bool:
    """Whether a change has begun and not ended: the old key still leads to the new one."""
    names = {row["name"] for row in await tx.all(_ROWS)}
    return any(f"next:{fingerprint(key)}" in names for key in (vault.master, *vault.older))


async def rewrap(db: Database, vault: Vault, tell: Callable[[int], None] = lambda done: None) -> int:
    """Wrap every data key anew that is not under the present master key, five hundred a transaction; how many. A key
    that is destroyed meanwhile stays destroyed."""
    done = 0
    for one in WRAPPED:
        after = ""
        while True:
            async with db.begin() as tx:
                rows = await tx.conn.fetch(
                    f"SELECT {one.key} AS key, {one.column} AS wrapped FROM {one.table}"  # noqa: S608 our own names
                    f" WHERE {one.key} > $1 AND {one.column} IS NOT NULL ORDER BY {one.key} LIMIT {_AT_ONCE}",
                    after,
                )
                fresh = [
                    (row["key"], row["wrapped"], made)
                    for row in rows
                    if (made := vault.rewrap(row["wrapped"])) is not None
                ]
                await tx.conn.executemany(
                    f"UPDATE {one.table} SET {one.column} = $3 WHERE {one.key} = $1 AND {one.column} = $2",  # noqa: S608
                    fresh,
                )
            done += len(fresh)
            tell(done)
            if len(rows) < _AT_ONCE:
                break
            after = rows[-1]["key"]
    return done


async def end(tx: Tx, vault: Vault) -> None:
    """Take the way from old keys to the present one away."""
    for key in vault.older:
        await tx.run(_DROP, of=f"next:{fingerprint(key)}")
        await tx.run(_DROP, of=f"root:{fingerprint(key)}")

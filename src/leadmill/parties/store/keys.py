"""Reads and writes of API keys.

Called by the verbs on keys and, for the key ring, by whoever guards an entrance."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from leadmill.parties.model import ApiKey, Caller, KeyRing, Role
from leadmill.parties.tables import API_KEY, KEY_RING
from leadmill.runtime.db import Row, Tx, prepared

_key = API_KEY.c
_Time = sa.DateTime(timezone=True)

_ring_version = prepared(sa.select(KEY_RING.c.version).where(KEY_RING.c.name == "keys"))
_turn_ring = sa.text(
    "INSERT INTO key_ring (name, version) VALUES ('keys', 1)"
    " ON CONFLICT (name) DO UPDATE SET version = key_ring.version + 1"
)
_keys_in_force = sa.select(API_KEY).where(_key.revoked_at.is_(None))
_key_by_hash = prepared(sa.select(API_KEY).where(_key.hash == sa.bindparam("hash")))
_keys_listed = sa.select(API_KEY).order_by(_key.id.desc())
_new_key = sa.insert(API_KEY)
_revoke = (
    sa.update(API_KEY)
    .where(_key.id == sa.bindparam("key_id"), _key.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now", type_=_Time))
)
_revoke_declared = (
    sa.update(API_KEY)
    .where(
        _key.kind == sa.bindparam("of"),
        _key.owner == sa.bindparam("by"),
        _key.declared,
        _key.revoked_at.is_(None),
        _key.hash != sa.bindparam("but"),
    )
    .values(revoked_at=sa.bindparam("now", type_=_Time))
)
_renew = (
    sa.update(API_KEY)
    .where(_key.hash == sa.bindparam("which"))
    .values(
        declared=True,
        expires_at=sa.bindparam("until", type_=_Time),
        revoked_at=None,
    )
)
_succeed = (
    sa.update(API_KEY)
    .where(_key.id == sa.bindparam("which"))
    .values(successor=sa.bindparam("by"), expires_at=sa.bindparam("until", type_=_Time))
)
_key_by_id = sa.select(API_KEY).where(_key.id == sa.bindparam("which"))
_see_keys = sa.text(
    "UPDATE api_key SET seen_at = seen.at"
    " FROM unnest(CAST(:ids AS text[]), CAST(:ats AS timestamptz[])) AS seen(id, at)"
    " WHERE api_key.id = seen.id AND (api_key.seen_at IS NULL OR api_key.seen_at < seen.at)"
)


async def keys_version(tx: Tx) -> int:
    """The number of the present key ring; one indexed read."""
    row = await tx.one(_ring_version)
    return int(row["version"]) if row else 0


async def load_keys(tx: Tx) -> KeyRing:
    """All keys in force, to be held in memory until :func:`keys_version` changes. Expiry is judged by
    :func:`~leadmill.parties.entering.identify`."""
    version = await keys_version(tx)
    return KeyRing(version, {row["hash"]: _caller(row) for row in await tx.all(_keys_in_force)})


async def find_key(tx: Tx, digest: bytes) -> ApiKey | None:
    """The key with this keyed hash, revoked or not."""
    row = await tx.one(_key_by_hash, hash=digest)
    return _api_key(row) if row else None


async def find_caller(tx: Tx, digest: bytes) -> Caller | None:
    """Who holds the key with this keyed hash; None for a revoked one."""
    row = await tx.one(_key_by_hash, hash=digest)
    return _caller(row) if row and row["revoked_at"] is None else None


async def list_keys(tx: Tx) -> list[ApiKey]:
    """Every key, newest first."""
    return [_api_key(row) for row in await tx.all(_keys_listed)]


async def add_key(tx: Tx, digest: bytes, key: ApiKey) -> None:
    """Store a new key."""
    await tx.run(
        _new_key,
        hash=digest,
        id=key.id,
        kind=key.kind,
        owner=key.owner,
        role=key.role.value if key.role else None,
        label=key.label,
        declared=key.declared,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        scopes=None if key.scopes is None else list(key.scopes),
        masked=key.masked,
        per_minute=key.per_minute,
        seen_at=key.seen_at,
        successor=key.successor,
    )
    await tx.run(_turn_ring)


async def renew_key(tx: Tx, digest: bytes, expires_at: datetime | None) -> None:
    """Put a stored key in force again as its owner's declared one."""
    await tx.run(_renew, which=digest, until=expires_at)
    await tx.run(_turn_ring)


async def find_key_by_id(tx: Tx, key_id: str) -> ApiKey | None:
    """The key of this id, revoked or not."""
    row = await tx.one(_key_by_id, which=key_id)
    return _api_key(row) if row else None


async def succeed_key(tx: Tx, key_id: str, successor: str, until: datetime) -> None:
    """Let a key end at ``until``, because another takes its place."""
    await tx.run(_succeed, which=key_id, by=successor, until=until)
    await tx.run(_turn_ring)


async def see_keys(tx: Tx, seen: Mapping[str, datetime]) -> None:
    """Note when these keys were last used; one statement, which does not turn the ring."""
    ids = sorted(seen)
    await tx.run(_see_keys, ids=ids, ats=[seen[each] for each in ids])


async def revoke_key(tx: Tx, key_id: str, now: datetime) -> bool:
    """Revoke one key; whether it was in force."""
    return await _turned(tx, await tx.run(_revoke, key_id=key_id, now=now))


async def revoke_declared(tx: Tx, kind: str, owner: str, but: bytes, now: datetime) -> bool:
    """Revoke an owner's declared keys except one; whether any was in force."""
    return await _turned(tx, await tx.run(_revoke_declared, of=kind, by=owner, but=but, now=now))


async def _turned(tx: Tx, changed: int) -> bool:
    if changed:
        await tx.run(_turn_ring)
    return changed > 0


def _caller(row: Row) -> Caller:
    role = Role(row["role"]) if row["role"] else None
    scopes = row["scopes"]
    return Caller(
        kind=row["kind"],
        owner=row["owner"],
        key_id=row["id"],
        role=role,
        expires_at=row["expires_at"],
        scopes=None if scopes is None else frozenset(scopes),
        masked=row["masked"],
        per_minute=row["per_minute"],
    )


def _api_key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        kind=row["kind"],
        owner=row["owner"],
        role=Role(row["role"]) if row["role"] else None,
        label=row["label"],
        declared=row["declared"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        scopes=None if row["scopes"] is None else tuple(row["scopes"]),
        masked=row["masked"],
        per_minute=row["per_minute"],
        seen_at=row["seen_at"],
        successor=row["successor"],
    )

"""Every read and write of the callers' tables.

Called by ``service`` and, for the key ring, by whoever guards an entrance. A transaction's owner decides what stands
together."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from leadmill.parties.model import ApiKey, Caller, KeyRing, LeadRead, Operator, Role, Session
from leadmill.parties.tables import API_KEY, KEY_RING, LEAD_READ, OPERATOR, SESSION, SIGN_IN_TRY
from leadmill.runtime.db import Row, Tx, prepared

_key = API_KEY.c
_operator = OPERATOR.c
_session = SESSION.c
_try = SIGN_IN_TRY.c
_Time = sa.DateTime(timezone=True)

# API keys

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


async def keys_version(tx: Tx) -> int:
    """The number of the present key ring; one indexed read."""
    row = await tx.one(_ring_version)
    return int(row["version"]) if row else 0


async def load_keys(tx: Tx) -> KeyRing:
    """All keys in force, to be held in memory until :func:`keys_version` changes. Expiry is judged by
    :func:`~leadmill.parties.rules.identify`."""
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
    )
    await tx.run(_turn_ring)


async def renew_key(tx: Tx, digest: bytes, expires_at: datetime | None) -> None:
    """Put a stored key in force again as its owner's declared one."""
    await tx.run(_renew, which=digest, until=expires_at)
    await tx.run(_turn_ring)


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
    return Caller(kind=row["kind"], owner=row["owner"], key_id=row["id"], role=role, expires_at=row["expires_at"])


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
    )


# Operators

_new_operator = sa.text(
    "INSERT INTO operator (id, email, name, role, password, disabled, created_at)"
    " VALUES (:id, :email, :name, :role, :password, false, :created_at) ON CONFLICT (email) DO NOTHING"
).bindparams(sa.bindparam("created_at", type_=_Time))
_operator_by_id = sa.select(OPERATOR).where(_operator.id == sa.bindparam("wanted"))
_operator_by_email = sa.select(OPERATOR).where(_operator.email == sa.bindparam("wanted"))
_operators = sa.select(OPERATOR).order_by(_operator.email)
_admins_locked = (
    sa.select(_operator.id)
    .where(_operator.role == Role.ADMIN.value, ~_operator.disabled)
    .order_by(_operator.id)
    .with_for_update()
)
_set_password = sa.update(OPERATOR).where(_operator.id == sa.bindparam("who")).values(password=sa.bindparam("hashed"))
_set_standing = (
    sa.update(OPERATOR)
    .where(_operator.id == sa.bindparam("who"))
    .values(role=sa.bindparam("as_role"), disabled=sa.bindparam("off", type_=sa.Boolean))
)


async def add_operator_row(tx: Tx, operator: Operator, password: str) -> bool:
    """Store an operator with the hash of the password; False where the e-mail address is taken."""
    added = await tx.run(
        _new_operator,
        id=operator.id,
        email=operator.email,
        name=operator.name,
        role=operator.role.value,
        password=password,
        created_at=operator.created_at,
    )
    return added == 1


async def find_operator(tx: Tx, operator_id: str) -> Operator | None:
    """The operator, disabled or not."""
    row = await tx.one(_operator_by_id, wanted=operator_id)
    return _operator_of(row) if row else None


async def find_sign_in(tx: Tx, email: str) -> tuple[Operator, str] | None:
    """The operator with this address and the hash of the password."""
    row = await tx.one(_operator_by_email, wanted=email)
    return (_operator_of(row), row["password"]) if row else None


async def list_operators(tx: Tx) -> list[Operator]:
    """Everybody who may sign in, and the disabled, by address."""
    return [_operator_of(row) for row in await tx.all(_operators)]


async def lock_admins(tx: Tx) -> list[str]:
    """The ids of the admins who may sign in, locked so that no two transactions remove the last two."""
    return [row["id"] for row in await tx.all(_admins_locked)]


async def set_password_hash(tx: Tx, operator_id: str, password: str) -> None:
    """Replace the hash of the password."""
    await tx.run(_set_password, who=operator_id, hashed=password)


async def set_standing(tx: Tx, operator_id: str, role: Role, disabled: bool) -> None:
    """Replace the role and whether the operator is disabled."""
    await tx.run(_set_standing, who=operator_id, as_role=role.value, off=disabled)


def _operator_of(row: Row) -> Operator:
    return Operator(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        disabled=row["disabled"],
    )


# Sessions

_new_session = sa.insert(SESSION)
_session_by_hash = prepared(
    sa.select(
        _session.csrf,
        _session.created_at.label("begun_at"),
        _session.seen_at,
        _session.expires_at,
        OPERATOR,
    )
    .join(OPERATOR, _operator.id == _session.operator_id)
    .where(_session.hash == sa.bindparam("hash"))
)
_see_session = (
    sa.update(SESSION).where(_session.hash == sa.bindparam("which")).values(seen_at=sa.bindparam("now", type_=_Time))
)
_end_session = sa.delete(SESSION).where(_session.hash == sa.bindparam("hash"))
_end_sessions = sa.delete(SESSION).where(
    _session.operator_id == sa.bindparam("who"), _session.hash != sa.bindparam("but")
)
_drop_sessions = sa.delete(SESSION).where(
    sa.or_(
        _session.expires_at <= sa.bindparam("now", type_=_Time), _session.seen_at <= sa.bindparam("idle", type_=_Time)
    )
)


async def add_session(tx: Tx, digest: bytes, session: Session) -> None:
    """Store a session under the keyed hash of its token."""
    await tx.run(
        _new_session,
        hash=digest,
        operator_id=session.operator.id,
        csrf=session.csrf,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
    )


async def find_session(tx: Tx, digest: bytes) -> Session | None:
    """The session with this keyed hash, over or not."""
    row = await tx.one(_session_by_hash, hash=digest)
    if row is None:
        return None
    return Session(
        operator=_operator_of(row),
        csrf=row["csrf"],
        created_at=row["begun_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )


async def see_session(tx: Tx, digest: bytes, now: datetime) -> None:
    """Note that the session was used."""
    await tx.run(_see_session, which=digest, now=now)


async def end_session(tx: Tx, digest: bytes) -> bool:
    """Forget one session; whether there was one."""
    return await tx.run(_end_session, hash=digest) > 0


async def end_sessions(tx: Tx, operator_id: str, but: bytes = b"") -> int:
    """Forget an operator's sessions except one; how many there were."""
    return await tx.run(_end_sessions, who=operator_id, but=but)


async def drop_sessions(tx: Tx, now: datetime, idle_since: datetime) -> int:
    """Forget the sessions that are over; how many there were."""
    return await tx.run(_drop_sessions, now=now, idle=idle_since)


# Throttling

_count_try = sa.text(
    "INSERT INTO sign_in_try (subject, since, tries) VALUES (:subject, :now, 1)"
    " ON CONFLICT (subject) DO UPDATE SET"
    " since = CASE WHEN sign_in_try.since <= :edge THEN :now ELSE sign_in_try.since END,"
    " tries = CASE WHEN sign_in_try.since <= :edge THEN 1 ELSE sign_in_try.tries + 1 END"
    " RETURNING since, tries"
).bindparams(
    sa.bindparam("subject", type_=sa.LargeBinary), sa.bindparam("now", type_=_Time), sa.bindparam("edge", type_=_Time)
)
_clear_tries = sa.delete(SIGN_IN_TRY).where(_try.subject == sa.bindparam("which"))
_return_try = (
    sa.update(SIGN_IN_TRY).where(_try.subject == sa.bindparam("which"), _try.tries > 0).values(tries=_try.tries - 1)
)
_drop_tries = sa.delete(SIGN_IN_TRY).where(_try.since <= sa.bindparam("edge", type_=_Time))


async def count_tries(
    tx: Tx, subjects: Iterable[bytes], now: datetime, window: timedelta
) -> dict[bytes, tuple[int, datetime]]:
    """Count one more try of each subject; the tries in its window, this one included, and when the window began.

    The rows are locked in one order until the transaction ends, so two tries never count as one and never wait in a
    circle."""
    counted: dict[bytes, tuple[int, datetime]] = {}
    for subject in sorted(set(subjects)):
        row = await tx.one(_count_try, subject=subject, now=now, edge=now - window)
        if row is not None:
            counted[subject] = (row["tries"], row["since"])
    return counted


async def clear_tries(tx: Tx, subject: bytes) -> None:
    """Forget the tries of a subject."""
    await tx.run(_clear_tries, which=subject)


async def return_try(tx: Tx, subject: bytes) -> None:
    """Take back one counted try."""
    await tx.run(_return_try, which=subject)


async def drop_tries(tx: Tx, before: datetime) -> int:
    """Forget windows that began before a moment; how many there were."""
    return await tx.run(_drop_tries, edge=before)


# Reads of leads


def note_reads(tx: Tx, reader: str, lead_ids: Iterable[str], what: str, at: datetime) -> None:
    """Note that somebody was shown these leads, with the other rows of the transaction."""
    for lead_id in lead_ids:
        tx.add(LEAD_READ, lead_id, at, reader, what)


async def reads_of(tx: Tx, lead_id: str, most: int = 100) -> list[LeadRead]:
    """Who was shown a lead, the latest first."""
    columns = LEAD_READ.c
    stmt = sa.select(LEAD_READ).where(columns.lead_id == sa.bindparam("lead")).order_by(columns.at.desc()).limit(most)
    return [LeadRead(**dict(row.items())) for row in await tx.all(stmt, lead=lead_id)]

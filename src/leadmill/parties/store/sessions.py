"""Reads and writes of sessions, and of the tries that slow down guessing."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from leadmill.parties.model import Session
from leadmill.parties.store.operators import operator_of
from leadmill.parties.tables import OPERATOR, SESSION, SIGN_IN_TRY
from leadmill.runtime.db import Row, Tx, prepared

_operator = OPERATOR.c
_session = SESSION.c
_try = SIGN_IN_TRY.c
_Time = sa.DateTime(timezone=True)

_new_session = sa.insert(SESSION)
_session_read = sa.select(
    _session.csrf,
    _session.created_at.label("begun_at"),
    _session.seen_at,
    _session.expires_at,
    _session.id.label("session_id"),
    _session.stage,
    _session.method,
    _session.address,
    _session.agent,
    _session.proved_at,
    OPERATOR,
).join(OPERATOR, _operator.id == _session.operator_id)
_session_by_hash = prepared(_session_read.where(_session.hash == sa.bindparam("hash")))
_sessions_of = _session_read.where(_session.operator_id == sa.bindparam("who")).order_by(_session.seen_at.desc())
_prove_session = (
    sa.update(SESSION).where(_session.hash == sa.bindparam("which")).values(proved_at=sa.bindparam("now", type_=_Time))
)
_end_named = sa.delete(SESSION).where(_session.operator_id == sa.bindparam("who"), _session.id == sa.bindparam("which"))
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
        id=session.id,
        stage=session.stage,
        method=session.method,
        address=session.address,
        agent=session.agent,
        proved_at=session.proved_at,
    )


async def find_session(tx: Tx, digest: bytes) -> Session | None:
    """The session with this keyed hash, over or not."""
    row = await tx.one(_session_by_hash, hash=digest)
    return _session_of(row) if row else None


async def list_sessions(tx: Tx, operator_id: str) -> list[Session]:
    """An operator's sessions, the latest used first, over or not."""
    return [_session_of(row) for row in await tx.all(_sessions_of, who=operator_id)]


async def prove_session(tx: Tx, digest: bytes, now: datetime) -> None:
    """Note that the person of this session has just shown who they are."""
    await tx.run(_prove_session, which=digest, now=now)


async def end_session_of(tx: Tx, operator_id: str, session_id: str) -> bool:
    """Forget one of an operator's sessions by its name; whether there was one."""
    return await tx.run(_end_named, who=operator_id, which=session_id) > 0


def _session_of(row: Row) -> Session:
    return Session(
        operator=operator_of(row),
        csrf=row["csrf"],
        created_at=row["begun_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
        id=row["session_id"],
        stage=row["stage"],
        method=row["method"],
        address=row["address"],
        agent=row["agent"],
        proved_at=row["proved_at"],
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

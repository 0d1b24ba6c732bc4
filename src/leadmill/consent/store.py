"""Every read and write of consent's tables."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from leadmill.consent.model import StoredReplay
from leadmill.consent.tables import CHUNK, REPLAY, VISIT
from leadmill.runtime.db import Tx, prepared

_SESSION = sa.bindparam("session", type_=sa.Text)

_ENTER = prepared(
    sa.text(
        "INSERT INTO consent_visit AS v (session, form_id, began_at, until, wrapped_key, size, chunks)"
        " VALUES (:session, :form, :now, :until, :wrapped, :size, 1)"
        " ON CONFLICT (session) DO UPDATE SET size = v.size + EXCLUDED.size, chunks = v.chunks + 1"
        " WHERE v.until > EXCLUDED.began_at AND v.chunks < :most_chunks AND v.size + EXCLUDED.size <= :most_size"
        " RETURNING v.wrapped_key"
    ).bindparams(
        *(sa.bindparam(name, type_=sa.Text) for name in ("session", "form")),
        *(sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("now", "until")),
        sa.bindparam("wrapped", type_=sa.LargeBinary),
        sa.bindparam("size", type_=sa.BigInteger),
        sa.bindparam("most_chunks", type_=sa.Integer),
        sa.bindparam("most_size", type_=sa.BigInteger),
    )
)
_ADD = prepared(
    sa.text(
        "INSERT INTO consent_chunk (session, seq, sealed) VALUES (:session, :seq, :sealed)"
        " ON CONFLICT (session, seq) DO NOTHING"
    ).bindparams(_SESSION, sa.bindparam("seq", type_=sa.Integer), sa.bindparam("sealed", type_=sa.LargeBinary))
)
_LOCK = sa.select(VISIT.c.wrapped_key).where(VISIT.c.session == _SESSION).with_for_update()
_CHUNKS = sa.select(CHUNK.c.seq, CHUNK.c.sealed).where(CHUNK.c.session == _SESSION).order_by(CHUNK.c.seq)
_DROP_CHUNKS = sa.delete(CHUNK).where(CHUNK.c.session == _SESSION)
_DROP_VISIT = sa.delete(VISIT).where(VISIT.c.session == _SESSION)
_STALE = (
    sa.select(VISIT.c.session)
    .where(VISIT.c.until <= sa.bindparam("now", type_=sa.DateTime(timezone=True)))
    .order_by(VISIT.c.session)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_BEYOND = prepared(
    sa.text(
        "SELECT session FROM (SELECT session, began_at, sum(size) OVER (ORDER BY began_at DESC, session) AS upto"
        " FROM consent_visit) AS v WHERE upto > :room ORDER BY session LIMIT :most"
    ).bindparams(sa.bindparam("room", type_=sa.BigInteger), sa.bindparam("most", type_=sa.Integer))
)
_THESE = sa.any_(sa.bindparam("sessions", type_=sa.ARRAY(sa.Text)))
_DROP_MANY_CHUNKS = sa.delete(CHUNK).where(CHUNK.c.session == _THESE)
_DROP_MANY_VISITS = sa.delete(VISIT).where(VISIT.c.session == _THESE)

_LEADS = sa.any_(sa.bindparam("leads", type_=sa.ARRAY(sa.Text)))
_REPLAYS = sa.select(REPLAY).where(REPLAY.c.lead_id == _LEADS)
_FORGET = sa.delete(REPLAY).where(REPLAY.c.lead_id == _LEADS)


async def enter_visit(
    tx: Tx, session: str, form: str, wrapped: bytes, size: int, now: datetime, until: datetime, most: tuple[int, int]
) -> bytes | None:
    """Count a chunk of ``size`` bytes in its visit, which is made where it is new; the visit's wrapped key. None where
    the visit is over, or has had as many chunks or bytes as ``most`` says."""
    row = await tx.one(
        _ENTER, session=session, form=form, now=now, until=until, wrapped=wrapped, size=size,
        most_chunks=most[0], most_size=most[1],
    )  # fmt: skip
    return row["wrapped_key"] if row is not None else None


async def add_chunk(tx: Tx, session: str, seq: int, sealed: bytes) -> None:
    """Write a chunk; one that is there already stays."""
    await tx.run(_ADD, session=session, seq=seq, sealed=sealed)


async def lock_visit(tx: Tx, session: str) -> bytes | None:
    """The visit's wrapped key, the visit locked until the transaction ends; None where there is no such visit."""
    row = await tx.one(_LOCK, session=session)
    return row["wrapped_key"] if row is not None else None


async def chunks_of(tx: Tx, session: str) -> list[tuple[int, bytes]]:
    """A visit's chunks in their order, by number."""
    return [(row["seq"], row["sealed"]) for row in await tx.all(_CHUNKS, session=session)]


async def drop_visit(tx: Tx, session: str) -> None:
    """Let go of a visit with its key."""
    await tx.run(_DROP_CHUNKS, session=session)
    await tx.run(_DROP_VISIT, session=session)


async def drop_stale(tx: Tx, now: datetime, most: int) -> int:
    """Let go of visits that are over, at most so many; how many it were."""
    return await _drop(tx, [row["session"] for row in await tx.all(_STALE, now=now, most=most)])


async def drop_beyond(tx: Tx, room: int, most: int) -> int:
    """Let go of the visits that began first, at most so many, where all that are under way have more than ``room``
    bytes together; how many it were."""
    return await _drop(tx, [row["session"] for row in await tx.all(_BEYOND, room=room, most=most)])


async def _drop(tx: Tx, sessions: Sequence[str]) -> int:
    if sessions:
        await tx.run(_DROP_MANY_CHUNKS, sessions=sessions)
        await tx.run(_DROP_MANY_VISITS, sessions=sessions)
    return len(sessions)


def add_replay(tx: Tx, lead_id: str, person_id: str, at: datetime, digest: bytes, sealed: bytes) -> None:
    """Write a lead's recording."""
    tx.add(REPLAY, lead_id, person_id, at, digest, sealed)


async def read_replays(tx: Tx, lead_ids: Sequence[str]) -> dict[str, StoredReplay]:
    """The recordings of these leads, by lead; a lead without one is absent."""
    rows = await tx.all(_REPLAYS, leads=list(lead_ids)) if lead_ids else []
    return {row["lead_id"]: StoredReplay(**dict(row.items())) for row in rows}


async def forget_replays(tx: Tx, lead_ids: Sequence[str]) -> int:
    """Remove these leads' recordings; how many there were."""
    return await tx.run(_FORGET, leads=sorted(lead_ids)) if lead_ids else 0

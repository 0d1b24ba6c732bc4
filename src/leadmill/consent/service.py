"""The verbs of consent: take in the recording of a visit, give it to its lead, let it go.

Called by the pages of hosted forms, by ``flow`` once a lead is there, and by housekeeping. Until then a recording is
sealed with a key of its own, which goes with the visit; from then on with the person's.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from leadmill.consent.model import ReplayKept
from leadmill.consent.recording import MOST_BYTES, MOST_CHUNKS, Chunk, joined, packed, put_together, unmasked
from leadmill.consent.store import (
    add_chunk,
    add_replay,
    chunks_of,
    drop_beyond,
    drop_stale,
    drop_visit,
    enter_visit,
    forget_replays,
    lock_visit,
    read_replays,
)
from leadmill.consent.visits import Visit
from leadmill.core.faults import Permanent, TooLarge
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

__all__ = ["forget_replays", "forget_visits", "give_replay", "keep_chunk", "read_replays"]

_LASTS = timedelta(hours=2)
"""How long a visit is recorded, and how long its recording waits for a lead."""

ROOM = 2 << 30
"""Bytes that recordings may come to, all together, while they wait for their leads."""

_SWEPT = 200
_MASKED = "it held what the person typed"
_BROKEN = "a piece of it could not be read"


async def keep_chunk(tx: Tx, vault: Vault, visit: Visit, chunk: Chunk, now: datetime) -> None:
    """Keep a piece of a recording, or let all of it go where the person wants so. A piece that was kept before changes
    nothing.

    Raises :class:`TooLarge` ``consent.replay.too_large`` where the visit is over, or recorded enough.
    """
    if chunk.discard:
        await drop_visit(tx, visit.session)
        return
    if not chunk.events:
        return
    plain = joined(chunk.events)
    _, fresh = vault.new_key()
    most = (MOST_CHUNKS, MOST_BYTES)
    wrapped = await enter_visit(tx, visit.session, visit.form, fresh, len(plain), now, now + _LASTS, most)
    if wrapped is None:
        raise TooLarge("consent.replay.too_large", "enough of this visit is recorded; record no more")
    sealed = vault.seal(vault.unwrap(wrapped), packed(plain), _context(visit.session, chunk.seq))
    await add_chunk(tx, visit.session, chunk.seq, sealed)


async def give_replay(
    tx: Tx,
    vault: Vault,
    session: str,
    lead_id: str,
    person_id: str,
    seal: Callable[[bytes], bytes] | None,
    values: dict[str, Any],
    now: datetime,
) -> ReplayKept | None:
    """Give the recording of a visit to its lead, sealed with ``seal``, and let the visit go; what the journal is to say
    of it. None where nothing was recorded, or nothing is to be kept (``seal`` None: the person was forgotten).
    ``values`` are the lead's fields: a recording that holds what was typed is not kept.
    """
    wrapped = await lock_visit(tx, session)
    if wrapped is None:
        return None
    found = await chunks_of(tx, session)
    await drop_visit(tx, session)
    if seal is None or not found:
        return None
    key = vault.unwrap(wrapped)
    try:
        put = put_together(vault.open(key, sealed, _context(session, seq)) for seq, sealed in found)
    except (ValueError, Permanent):
        return ReplayKept(at=now, why=_BROKEN)
    if unmasked(put, values):
        return ReplayKept(at=now, why=_MASKED)
    add_replay(tx, lead_id, person_id, now, put.digest, seal(packed(put.events)))
    return ReplayKept(at=now, sha256=put.digest.hex(), events=put.count, seconds=put.seconds)


async def forget_visits(tx: Tx, now: datetime, room: int = ROOM) -> None:
    """Housekeeping: let go of recordings that no lead came of, and, where those that wait have more than ``room``, of
    those that have waited longest: their leads are the least likely to come still."""
    if not await drop_stale(tx, now, _SWEPT):
        await drop_beyond(tx, room, _SWEPT)


def _context(session: str, seq: int) -> str:
    return f"visit {session}/{seq}"

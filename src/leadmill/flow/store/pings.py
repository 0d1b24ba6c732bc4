"""Every read and write of what is kept of pings: how many a source may send, and whose buyers' are paused.

Called by the throttle and by whoever asks for bids.
"""

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.flow.tables import PING_BUCKET, PING_PAUSE
from leadmill.market import Pause
from leadmill.runtime.db import Tx, prepared

_BUCKET = prepared(
    sa.select(PING_BUCKET.c.level, PING_BUCKET.c.at)
    .where(PING_BUCKET.c.source_id == sa.bindparam("source", type_=sa.Text))
    .with_for_update()
)
_FILL = prepared(
    insert(PING_BUCKET)
    .values(
        source_id=sa.bindparam("source", type_=sa.Text),
        level=sa.bindparam("most", type_=sa.Double),
        at=sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    )
    .on_conflict_do_nothing()
)
_DRAW = prepared(
    sa.update(PING_BUCKET)
    .where(PING_BUCKET.c.source_id == sa.bindparam("source", type_=sa.Text))
    .values(
        level=sa.bindparam("new_level", type_=sa.Double),
        at=sa.bindparam("new_at", type_=sa.DateTime(timezone=True)),
    )
)


async def take_pings(
    tx: Tx, source_id: str, wish: int, rate: float, most: float, now: datetime
) -> tuple[int, float]:  # fmt: skip
    """Take up to ``wish`` pings out of a source's bucket, which fills with ``rate`` a second and holds ``most``: how
    many there were, and what is left."""
    row = await tx.one(_BUCKET, source=source_id)
    if row is None:
        await tx.run(_FILL, source=source_id, most=most, now=now)
        row = await tx.one(_BUCKET, source=source_id)
    level, at = (row["level"], row["at"]) if row is not None else (most, now)
    # A clock that is behind another process's fills nothing.
    level = min(most, level + max(0.0, (now - at).total_seconds()) * rate)
    taken = min(wish, int(level))
    await tx.run(_DRAW, source=source_id, new_level=level - taken, new_at=max(at, now))
    return taken, level - taken


async def keep_pause(tx: Tx, pause: Pause) -> None:
    """Store a pause in the place of the one before."""
    values = msgspec.structs.asdict(pause)
    changed = {name: value for name, value in values.items() if name != "buyer_id"}
    await tx.run(insert(PING_PAUSE).values(**values).on_conflict_do_update(index_elements=["buyer_id"], set_=changed))


async def drop_pause(tx: Tx, buyer_id: str) -> None:
    """Forget a buyer's pause."""
    await tx.run(sa.delete(PING_PAUSE).where(PING_PAUSE.c.buyer_id == buyer_id))


async def list_pauses(tx: Tx) -> list[Pause]:
    """Every buyer whose pings are paused, by id."""
    rows = await tx.all(sa.select(PING_PAUSE).order_by(PING_PAUSE.c.buyer_id))
    return [Pause(**dict(row.items())) for row in rows]

"""Who has been forgotten, and when."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from leadmill.runtime.db import Tx, prepared

_FORGOTTEN = prepared(
    sa.text("SELECT id, forgotten_at FROM person WHERE forgotten_at >= :since ORDER BY forgotten_at, id").bindparams(
        sa.bindparam("since", type_=sa.DateTime(timezone=True))
    )
)
_REMEMBERED = prepared(
    sa.text(
        "SELECT id FROM person WHERE id = ANY(CAST(:ids AS text[])) AND forgotten_at IS NULL ORDER BY id"
    ).bindparams(sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))
)


async def forgotten_since(tx: Tx, since: datetime) -> list[tuple[str, datetime]]:
    """The persons forgotten from a moment on, the oldest first."""
    return [(row["id"], row["forgotten_at"]) for row in await tx.all(_FORGOTTEN, since=since)]


async def still_remembered(tx: Tx, person_ids: Iterable[str]) -> Sequence[str]:
    """Those of some persons who are there and not forgotten."""
    return [row["id"] for row in await tx.all(_REMEMBERED, ids=list(person_ids))]

"""What the proof asks of other rooms' tables: where deliveries stand."""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from leadmill.runtime.db import Tx, prepared


class Handed(Struct, frozen=True):
    """A delivery as its row has it."""

    id: str
    lead_id: str
    recipient: str
    state: str


_OF_LEADS = prepared(
    sa.text(
        "SELECT id, lead_id, recipient, state FROM delivery WHERE lead_id = ANY(CAST(:ids AS text[])) ORDER BY id"
    ).bindparams(sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))
)


async def handed_of(tx: Tx, lead_ids: Sequence[str]) -> dict[str, list[Handed]]:
    """The deliveries of some leads, by lead; a lead without one is absent."""
    found: dict[str, list[Handed]] = {}
    for row in await tx.all(_OF_LEADS, ids=list(lead_ids)):
        found.setdefault(row["lead_id"], []).append(Handed(**dict(row.items())))
    return found

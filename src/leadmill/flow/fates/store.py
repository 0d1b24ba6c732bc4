"""Reads what chances are counted by of leads.

Called by ``service`` for a few thousand leads at a time.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from leadmill.flow.tables import LEAD
from leadmill.runtime.db import Tx, prepared


class LeadTraits(Struct, frozen=True):
    """What chances are counted by of one lead."""

    id: str
    vertical: str
    source_id: str
    score: int | None
    tier: str | None
    suspicion: int | None
    test: bool


_IDS = sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))
_TRAITS = prepared(sa.select(*(LEAD.c[name] for name in LeadTraits.__struct_fields__)).where(LEAD.c.id == _IDS))


async def traits_of_leads(tx: Tx, lead_ids: Sequence[str]) -> dict[str, LeadTraits]:
    """The traits of these leads, by id."""
    rows = await tx.all(_TRAITS, ids=list(lead_ids)) if lead_ids else []
    return {row["id"]: LeadTraits(**row) for row in rows}

"""Reads what chances are counted by of leads.

Called by ``service`` for a few thousand leads at a time.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.ids import make_id
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


_BY_TIER = prepared(
    sa.select(LEAD.c.tier, sa.func.count().label("leads"))
    .where(
        LEAD.c.vertical == sa.bindparam("vertical", type_=sa.Text),
        LEAD.c.id >= sa.bindparam("first", type_=sa.Text),
        LEAD.c.id < sa.bindparam("last", type_=sa.Text),
        LEAD.c.tier.is_not(None),
        LEAD.c.test.is_(sa.false()),
    )
    .group_by(LEAD.c.tier)
)


async def leads_by_tier(tx: Tx, vertical: str, since: datetime, until: datetime) -> dict[str, int]:
    """How many leads of a vertical were rated in a span, by tier; tests left out."""
    first, last = (make_id("lead", at, 0) for at in (since, until))
    return {row["tier"]: row["leads"] for row in await tx.all(_BY_TIER, vertical=vertical, first=first, last=last)}


async def traits_of_leads(tx: Tx, lead_ids: Sequence[str]) -> dict[str, LeadTraits]:
    """The traits of these leads, by id."""
    rows = await tx.all(_TRAITS, ids=list(lead_ids)) if lead_ids else []
    return {row["id"]: LeadTraits(**row) for row in rows}

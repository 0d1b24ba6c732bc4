"""Which leads are due to be looked at once more, and how many there are of which age.

Reads leads beside their last looks. Leads that are still open are few beside all: the index by state finds them.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.runtime.db import Tx, prepared

_TIME = sa.DateTime(timezone=True)
_TEXTS = sa.ARRAY(sa.Text)

_OPEN = (
    " FROM lead AS l LEFT JOIN lead_look AS k ON k.lead_id = l.id WHERE NOT l.test AND l.state = ANY(CAST(:states AS"
    " text[])) AND (CAST(:verticals AS text[]) = '{}' OR l.vertical = ANY(CAST(:verticals AS text[])))"
    " AND l.received_at >= :since AND greatest(l.received_at, k.at) < :before"
)
_OPEN_BINDS = (
    sa.bindparam("states", type_=_TEXTS),
    sa.bindparam("verticals", type_=_TEXTS),
    sa.bindparam("since", type_=_TIME),
    sa.bindparam("before", type_=_TIME),
)
_DUE = prepared(
    sa.text("SELECT l.id" + _OPEN + " ORDER BY l.id DESC LIMIT :most").bindparams(
        *_OPEN_BINDS, sa.bindparam("most", type_=sa.Integer)
    )
)
_HOW_MANY = prepared(sa.text("SELECT count(*) AS n" + _OPEN).bindparams(*_OPEN_BINDS))
_SPENT = prepared(
    sa.text(
        "SELECT count(*) AS looks, coalesce(sum(changed), 0) AS changed, coalesce(sum(cost), 0) AS cost FROM lead_look"
        " WHERE schedule = :schedule AND at >= :since"
    ).bindparams(sa.bindparam("schedule", type_=sa.Text), sa.bindparam("since", type_=_TIME))
)
_NOTE = prepared(
    sa.text(
        "INSERT INTO lead_look (lead_id, schedule, at, changed, cost) VALUES (:lead, :schedule, :at, :changed, :cost)"
        " ON CONFLICT (lead_id) DO UPDATE SET schedule = excluded.schedule, at = excluded.at,"
        " changed = excluded.changed, cost = excluded.cost"
    ).bindparams(
        sa.bindparam("lead", type_=sa.Text),
        sa.bindparam("schedule", type_=sa.Text),
        sa.bindparam("at", type_=_TIME),
        sa.bindparam("changed", type_=sa.Integer),
        sa.bindparam("cost", type_=sa.BigInteger),
    )
)
_RECEIVED = prepared(
    sa.text(
        "SELECT vertical, source_id, count(*) AS n FROM lead WHERE id >= :first AND NOT test GROUP BY 1, 2"
    ).bindparams(sa.bindparam("first", type_=sa.Text))
)
_AGES = prepared(
    sa.text(
        "SELECT l.vertical, l.source_id, width_bucket(extract(epoch FROM CAST(:now AS timestamptz) -"
        " greatest(l.received_at, k.at)) / 86400, CAST(:edges AS double precision[])) AS band, count(*) AS n"
        " FROM lead AS l LEFT JOIN lead_look AS k ON k.lead_id = l.id WHERE NOT l.test"
        " AND l.state = ANY(CAST(:states AS text[])) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).bindparams(
        sa.bindparam("now", type_=_TIME),
        sa.bindparam("edges", type_=sa.ARRAY(sa.Double)),
        sa.bindparam("states", type_=_TEXTS),
    )
)


class Spent(Struct, frozen=True):
    """What a schedule's looks since a moment came to: how many, how many facts they changed, their cost in
    millionths."""

    looks: int
    changed: int
    cost: int


async def due(
    tx: Tx, states: Sequence[str], verticals: Sequence[str], since: datetime, before: datetime, most: int
) -> list[str]:
    """Leads in one of these states, received from ``since`` on, of which nothing was found out since ``before``: at
    most ``most``, the newest first, since they are worth most."""
    rows = await tx.all(_DUE, states=list(states), verticals=list(verticals), since=since, before=before, most=most)
    return [row["id"] for row in rows]


async def count_due(tx: Tx, states: Sequence[str], verticals: Sequence[str], since: datetime, before: datetime) -> int:
    """How many such leads there are."""
    row = await tx.one(_HOW_MANY, states=list(states), verticals=list(verticals), since=since, before=before)
    return int(row["n"]) if row else 0


async def spent_since(tx: Tx, schedule: str, since: datetime) -> Spent:
    """What a schedule did since a moment."""
    row = await tx.one(_SPENT, schedule=schedule, since=since)
    return Spent(int(row["looks"]), int(row["changed"]), int(row["cost"])) if row else Spent(0, 0, 0)


async def note_look(tx: Tx, lead_id: str, schedule: str, at: datetime, changed: int, cost: int) -> None:
    """Note that a lead was looked at."""
    await tx.run(_NOTE, lead=lead_id, schedule=schedule, at=at, changed=changed, cost=cost)


async def received_since(tx: Tx, first: str) -> dict[tuple[str, str], int]:
    """How many leads came from the id ``first`` on, tests left out, by vertical and source."""
    return {(row["vertical"], row["source_id"]): row["n"] for row in await tx.all(_RECEIVED, first=first)}


async def open_ages(
    tx: Tx, states: Sequence[str], edges: Sequence[int], now: datetime
) -> list[tuple[str, str, int, int]]:
    """Vertical, source, band and number of the leads in these states, by the days since anything was found out of them:
    band 0 below the first of ``edges``, the last from the last one on."""
    rows = await tx.all(_AGES, now=now, edges=[float(edge) for edge in edges], states=list(states))
    return [(row["vertical"], row["source_id"], row["band"], row["n"]) for row in rows]

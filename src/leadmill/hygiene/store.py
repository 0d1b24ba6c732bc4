"""Every read and write of what came back from contact points.

Called by the package's verbs. Rows are only ever added and let go of, each statement for many points at once.
"""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.hygiene.model import Observation, Seen
from leadmill.hygiene.tables import HYGIENE_SEEN
from leadmill.runtime.db import Tx, prepared

_BYTES = sa.ARRAY(sa.LargeBinary)
_TEXTS = sa.ARRAY(sa.Text)
_TIME = sa.DateTime(timezone=True)
_SEEN = prepared(
    sa.text(
        "SELECT s.point, s.kind, s.at, s.source FROM unnest(CAST(:points AS bytea[])) AS p(point) CROSS JOIN LATERAL"
        " (SELECT point, kind, at, source, digest FROM hygiene_seen WHERE point = p.point"
        " ORDER BY at DESC, digest LIMIT 40) AS s ORDER BY s.point, s.at, s.digest"
    ).bindparams(sa.bindparam("points", type_=_BYTES))
)
_ADD = prepared(
    sa.text(
        "INSERT INTO hygiene_seen (point, digest, kind, source, at, heard_at, lead_id, vertical, lead_source)"
        " SELECT * FROM unnest(CAST(:points AS bytea[]), CAST(:digests AS bytea[]), CAST(:kinds AS text[]),"
        " CAST(:sources AS text[]), CAST(:ats AS timestamptz[]), CAST(:heards AS timestamptz[]),"
        " CAST(:leads AS text[]), CAST(:verticals AS text[]), CAST(:froms AS text[])) AS t(p, d, k, s, a, h, l, v, f)"
        " ORDER BY p, d ON CONFLICT (point, digest) DO NOTHING RETURNING point, digest"
    ).bindparams(
        *(sa.bindparam(name, type_=_BYTES) for name in ("points", "digests")),
        *(sa.bindparam(name, type_=_TEXTS) for name in ("kinds", "sources", "leads", "verticals", "froms")),
        *(sa.bindparam(name, type_=sa.ARRAY(_TIME)) for name in ("ats", "heards")),
    )
)
_TAKE_BACK = prepared(
    sa.delete(HYGIENE_SEEN).where(
        HYGIENE_SEEN.c.point == sa.any_(sa.bindparam("points", type_=_BYTES)),
        HYGIENE_SEEN.c.digest == sa.any_(sa.bindparam("digests", type_=_BYTES)),
    )
)
_FORGET = prepared(sa.delete(HYGIENE_SEEN).where(HYGIENE_SEEN.c.point == sa.any_(sa.bindparam("points", type_=_BYTES))))
_EXPIRE = prepared(sa.delete(HYGIENE_SEEN).where(HYGIENE_SEEN.c.heard_at < sa.bindparam("before", type_=_TIME)))
_COUNTS = prepared(
    sa.text(
        "SELECT CAST(timezone('UTC', heard_at) AS date) AS day, vertical, lead_source, kind, count(*) AS n"
        " FROM hygiene_seen WHERE heard_at >= :since AND heard_at < :until GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    ).bindparams(sa.bindparam("since", type_=_TIME), sa.bindparam("until", type_=_TIME))
)
_POINTS = prepared(
    sa.text(
        "SELECT s.vertical, s.lead_source, s.lead_id, s.point, s.kind, s.at, s.source FROM hygiene_seen AS s"
        " JOIN (SELECT point FROM hygiene_seen WHERE lead_id >= :first GROUP BY point"
        " ORDER BY max(heard_at) DESC, point LIMIT :most) AS p ON p.point = s.point ORDER BY s.point, s.at, s.digest"
    ).bindparams(sa.bindparam("first", type_=sa.Text), sa.bindparam("most", type_=sa.Integer))
)


class Count(Struct, frozen=True):
    """How many observations of a kind were heard on a day of a source's leads in a vertical."""

    day: date
    vertical: str
    source_id: str
    kind: str
    n: int


class PointSeen(Struct, frozen=True):
    """One observation of a point, with the lead that it was about and where that came from."""

    vertical: str
    source_id: str
    lead_id: str
    point: bytes
    seen: Seen


async def seen_of(tx: Tx, points: Sequence[bytes]) -> dict[bytes, list[Seen]]:
    """What came back from each of these points, oldest first, the newest forty of each; a point from which nothing
    did is left out."""
    found: dict[bytes, list[Seen]] = {}
    for row in await tx.all(_SEEN, points=list(points)):
        found.setdefault(row["point"], []).append(Seen(row["kind"], row["at"], row["source"]))
    return found


async def add(tx: Tx, given: Sequence[Observation]) -> set[tuple[bytes, bytes]]:
    """Keep observations; the point and digest of those that were not there."""
    if not given:
        return set()
    rows = await tx.all(
        _ADD,
        points=[one.point for one in given],
        digests=[one.digest for one in given],
        kinds=[one.kind for one in given],
        sources=[one.source for one in given],
        ats=[one.at for one in given],
        heards=[one.heard_at for one in given],
        leads=[one.lead_id for one in given],
        verticals=[one.vertical for one in given],
        froms=[one.lead_source for one in given],
    )
    return {(row["point"], row["digest"]) for row in rows}


async def take_back(tx: Tx, points: Sequence[bytes], digests: Sequence[bytes]) -> int:
    """Let go of observations of these points with one of these digests; how many."""
    return await tx.run(_TAKE_BACK, points=list(points), digests=list(digests))


async def forget(tx: Tx, points: Sequence[bytes]) -> int:
    """Let go of everything that came back from these points; how much."""
    return await tx.run(_FORGET, points=sorted(points))


async def expire(tx: Tx, before: datetime) -> int:
    """Let go of what was heard before a moment; how much."""
    return await tx.run(_EXPIRE, before=before)


async def counts_between(tx: Tx, since: datetime, until: datetime) -> list[Count]:
    """How many observations were heard in a span, by day (UTC), vertical, source and kind."""
    rows = await tx.all(_COUNTS, since=since, until=until)
    return [Count(row["day"], row["vertical"], row["lead_source"], row["kind"], row["n"]) for row in rows]


async def points_since(tx: Tx, first: str, most: int) -> list[PointSeen]:
    """Everything that came back from the points of which something was heard with a lead from the id ``first`` on, the
    ``most`` lately heard of, by point and oldest first."""
    return [
        PointSeen(
            row["vertical"],
            row["lead_source"],
            row["lead_id"],
            row["point"],
            Seen(row["kind"], row["at"], row["source"]),
        )
        for row in await tx.all(_POINTS, first=first, most=most)
    ]

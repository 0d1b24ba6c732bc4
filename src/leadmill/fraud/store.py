"""Every read and write of what is counted and burned.

Called by the package's service. Marks are locked in the order of their hashes, after persons and before anything of
the market; nobody locks one while holding a later one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from msgspec import Struct

from leadmill.fraud.model import Burn, Tally
from leadmill.fraud.records import SIZE, without
from leadmill.fraud.standing import Day, Standing
from leadmill.fraud.tables import (
    FRAUD_BURN,
    FRAUD_MARK,
    FRAUD_NEWS,
    FRAUD_PACE,
    FRAUD_RETURN,
    FRAUD_SPILL,
    FRAUD_STANDING,
)
from leadmill.runtime.db import Tx, prepared

_BYTES = sa.ARRAY(sa.LargeBinary)
_TIME = sa.DateTime(timezone=True)
_WHOLE = sa.ARRAY(sa.Integer)
_THESE = sa.any_(sa.bindparam("marks", type_=_BYTES))


class Given(Struct):
    """Sightings to be appended to a mark: the records, how many to keep, and until when the mark is remembered."""

    seen: list[bytes]
    keep: int
    expires_at: datetime


class Kept(Struct, frozen=True):
    """A mark after the append: its records, the newest last, and when leads with it were returned."""

    seen: bytes
    burned: Sequence[datetime] = ()


class Pace(Struct, frozen=True):
    """How a source sends: leads of the last hour, those of the week before it, and in how many hours these came."""

    hour: int
    before: int
    hours: int


# A row that is waited for is read again in its latest version, so one statement both counts and sees what was counted.
_SIGHT = prepared(
    sa.text(
        "WITH given AS MATERIALIZED (SELECT m, s, k, e FROM unnest(CAST(:marks AS bytea[]),"  # noqa: S608 our own number
        " CAST(:seen AS bytea[]), CAST(:keep AS int[]), CAST(:ends AS timestamptz[])) AS t(m, s, k, e)),"
        " up AS (INSERT INTO fraud_mark AS f (mark, seen, keep, expires_at) SELECT m, s, k, e FROM given ORDER BY m"
        " ON CONFLICT (mark) DO UPDATE SET keep = excluded.keep,"
        " expires_at = greatest(f.expires_at, excluded.expires_at),"
        " seen = substring(f.seen || excluded.seen FROM greatest(1, octet_length(f.seen) +"
        f" octet_length(excluded.seen) - excluded.keep * {SIZE} + 1)) RETURNING mark, seen)"
        " SELECT up.mark, up.seen, b.ats FROM up JOIN given ON given.m = up.mark"
        " LEFT JOIN (SELECT mark, array_agg(at ORDER BY at) AS ats"
        " FROM fraud_burn WHERE mark = ANY(CAST(:marks AS bytea[])) GROUP BY mark) AS b ON b.mark = up.mark"
        " WHERE octet_length(up.seen) > octet_length(given.s) OR b.ats IS NOT NULL"
    ).bindparams(
        sa.bindparam("marks", type_=_BYTES),
        sa.bindparam("seen", type_=_BYTES),
        sa.bindparam("keep", type_=_WHOLE),
        sa.bindparam("ends", type_=sa.ARRAY(_TIME)),
    )
)
_FOLD_SPILL = prepared(
    sa.delete(FRAUD_SPILL).returning(
        FRAUD_SPILL.c.mark, FRAUD_SPILL.c.seen, FRAUD_SPILL.c.keep, FRAUD_SPILL.c.expires_at
    )
)
_PACES = prepared(
    sa.text(
        "SELECT source_id, sum(leads) FILTER (WHERE at > :hour) AS hour,"
        " sum(leads) FILTER (WHERE at <= :hour) AS before,"
        " count(DISTINCT date_trunc('hour', at, 'UTC')) FILTER (WHERE at <= :hour) AS hours"
        " FROM fraud_pace WHERE at > :week AND at <= :now GROUP BY source_id"
    ).bindparams(sa.bindparam("hour", type_=_TIME), sa.bindparam("week", type_=_TIME), sa.bindparam("now", type_=_TIME))
)
_FOLD_PACE = prepared(
    sa.text(
        "WITH gone AS (DELETE FROM fraud_pace WHERE level < :level AND at < :before RETURNING source_id, at, leads)"
        " INSERT INTO fraud_pace (source_id, at, leads, level)"
        " SELECT source_id, date_trunc(:unit, at, 'UTC'), sum(leads), :level FROM gone GROUP BY 1, 2"
    ).bindparams(
        sa.bindparam("level", type_=sa.SmallInteger),
        sa.bindparam("before", type_=_TIME),
        sa.bindparam("unit", type_=sa.Text),
    )
)
_FORGET_PACE = prepared(sa.delete(FRAUD_PACE).where(FRAUD_PACE.c.at < sa.bindparam("before", type_=_TIME)))
_FOLD_NEWS = prepared(
    sa.text(
        "WITH gone AS (DELETE FROM fraud_news RETURNING *)"
        " INSERT INTO fraud_tally AS t (day, vertical, source_id, code, seen, held, rejected, sold, returned)"
        " SELECT day, vertical, source_id, code, sum(seen), sum(held), sum(rejected), sum(sold), sum(returned)"
        " FROM gone GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        " ON CONFLICT (day, vertical, source_id, code) DO UPDATE SET seen = t.seen + excluded.seen,"
        " held = t.held + excluded.held, rejected = t.rejected + excluded.rejected, sold = t.sold + excluded.sold,"
        " returned = t.returned + excluded.returned"
    )
)
_EXPIRED = prepared(
    sa.text(
        "DELETE FROM fraud_mark WHERE mark = ANY(ARRAY(SELECT mark FROM fraud_mark WHERE mark >= :first"
        " AND mark < :last AND expires_at < :now FOR UPDATE SKIP LOCKED))"
    ).bindparams(
        sa.bindparam("first", type_=sa.LargeBinary),
        sa.bindparam("last", type_=sa.LargeBinary),
        sa.bindparam("now", type_=_TIME),
    )
)
_BURN = prepared(
    sa.text(
        "INSERT INTO fraud_burn (mark, lead_id, at) SELECT m, :lead, :at FROM unnest(CAST(:marks AS bytea[])) AS m"
        " ORDER BY m ON CONFLICT (mark, lead_id) DO NOTHING"
    ).bindparams(
        sa.bindparam("marks", type_=_BYTES), sa.bindparam("lead", type_=sa.Text), sa.bindparam("at", type_=_TIME)
    )
)
_LEAD = sa.bindparam("lead", type_=sa.Text)
_UNBURN = prepared(sa.delete(FRAUD_BURN).where(FRAUD_BURN.c.lead_id == _LEAD, FRAUD_BURN.c.mark == _THESE))
_BURNS = prepared(
    sa.select(FRAUD_BURN)
    .where(FRAUD_BURN.c.mark == _THESE)
    .order_by(FRAUD_BURN.c.mark, FRAUD_BURN.c.at, FRAUD_BURN.c.lead_id)
)
_FORGET_BURNS = prepared(sa.delete(FRAUD_BURN).where(FRAUD_BURN.c.at < sa.bindparam("before", type_=_TIME)))
_CAME_BACK = prepared(
    sa.text(
        "INSERT INTO fraud_return (lead_id, at) VALUES (:lead, :at) ON CONFLICT DO NOTHING RETURNING lead_id"
    ).bindparams(sa.bindparam("lead", type_=sa.Text), sa.bindparam("at", type_=_TIME))
)
_STAYED = prepared(sa.delete(FRAUD_RETURN).where(FRAUD_RETURN.c.lead_id == _LEAD))
_HELD_MARKS = prepared(
    sa.select(FRAUD_MARK.c.mark, FRAUD_MARK.c.seen)
    .where(FRAUD_MARK.c.mark == _THESE)
    .order_by(FRAUD_MARK.c.mark)
    .with_for_update()
)
_SHRINK_MARKS = prepared(
    sa.text(
        "UPDATE fraud_mark SET seen = t.s FROM unnest(CAST(:marks AS bytea[]), CAST(:seen AS bytea[])) AS t(m, s)"
        " WHERE mark = t.m"
    ).bindparams(sa.bindparam("marks", type_=_BYTES), sa.bindparam("seen", type_=_BYTES))
)
_FORGET_MARKS = prepared(sa.delete(FRAUD_MARK).where(FRAUD_MARK.c.mark == _THESE))
_TAKE_SPILL = prepared(
    sa.delete(FRAUD_SPILL)
    .where(FRAUD_SPILL.c.mark == _THESE)
    .returning(FRAUD_SPILL.c.mark, FRAUD_SPILL.c.seen, FRAUD_SPILL.c.keep, FRAUD_SPILL.c.expires_at)
)
_FORGET_LEADS_BURNS = prepared(
    sa.delete(FRAUD_BURN).where(
        FRAUD_BURN.c.mark == _THESE,
        FRAUD_BURN.c.lead_id == sa.any_(sa.bindparam("leads", type_=sa.ARRAY(sa.Text))),
    )
)
_TALLIES = prepared(
    sa.text(
        "SELECT vertical, source_id, code, sum(seen) AS seen, sum(held) AS held, sum(rejected) AS rejected,"
        " sum(sold) AS sold, sum(returned) AS returned FROM (SELECT * FROM fraud_tally WHERE day >= :since"
        " UNION ALL SELECT * FROM fraud_news WHERE day >= :since) AS t GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).bindparams(sa.bindparam("since", type_=sa.Date))
)

_DAYS = prepared(
    sa.text(
        "SELECT day, vertical, source_id, sum(seen) AS seen, sum(held) + sum(rejected) AS barred, sum(sold) AS sold,"
        " sum(returned) AS returned FROM (SELECT * FROM fraud_tally WHERE day >= :since AND code = ''"
        " UNION ALL SELECT * FROM fraud_news WHERE day >= :since AND code = '') AS t GROUP BY 1, 2, 3"
    ).bindparams(sa.bindparam("since", type_=sa.Date))
)
_LOCK = 0x6C6D_6673  # the advisory lock that lets one process survey at a time
_SURVEYING = prepared(sa.text(f"SELECT pg_try_advisory_xact_lock({_LOCK}) AS got"))
_DROP_STANDINGS = prepared(sa.delete(FRAUD_STANDING))
_STANDINGS = prepared(sa.select(FRAUD_STANDING).order_by(FRAUD_STANDING.c.vertical, FRAUD_STANDING.c.source_id))
_SURVEYED = prepared(sa.select(sa.func.max(FRAUD_STANDING.c.at).label("at")))


async def count_marks(tx: Tx, given: Mapping[bytes, Given]) -> dict[bytes, Kept]:
    """Append to marks, each locked until the transaction ends, in one statement; those that were seen before, or
    burned, as they then are."""
    marks = sorted(given)
    rows = await tx.all(
        _SIGHT,
        marks=marks,
        seen=[b"".join(given[mark].seen) for mark in marks],
        keep=[given[mark].keep + len(given[mark].seen) for mark in marks],
        ends=[given[mark].expires_at for mark in marks],
    )
    return {row["mark"]: Kept(row["seen"], row["ats"] or ()) for row in rows}


def spill(tx: Tx, mark: bytes, given: Given) -> None:
    """Write sightings beside their mark, which is not locked."""
    tx.add(FRAUD_SPILL, mark, b"".join(given.seen), given.keep, given.expires_at)


async def fold_spill(tx: Tx) -> int:
    """Append what was written beside to the marks; how many sightings."""
    given: dict[bytes, Given] = {}
    for row in await tx.all(_FOLD_SPILL):
        seen = [row["seen"][place : place + SIZE] for place in range(0, len(row["seen"]), SIZE)]
        held = given.setdefault(row["mark"], Given([], row["keep"], row["expires_at"]))
        held.seen += seen
        held.keep = max(held.keep, row["keep"])
        held.expires_at = max(held.expires_at, row["expires_at"])
    for one in given.values():
        one.seen.sort()  # a record begins with its moment
    if given:
        await count_marks(tx, given)
    return sum(len(one.seen) for one in given.values())


async def expire_marks(tx: Tx, first: bytes, last: bytes, now: datetime) -> int:
    """Let go of the marks from ``first`` up to ``last`` (exclusive) that have had their time; those in use wait."""
    return await tx.run(_EXPIRED, first=first, last=last, now=now)


async def forget_marks(tx: Tx, marks: Iterable[bytes], person_ids: Sequence[str], lead_ids: Sequence[str]) -> int:
    """Let go of what these persons' leads left with marks: their sightings, and what was burned because of them. What
    others left with the same marks stays; a mark that only they had goes. How many marks were concerned."""
    ordered = sorted({*marks})
    left, gone = {}, []
    for row in await tx.all(_HELD_MARKS, marks=ordered):
        seen = without(row["seen"], person_ids)
        if not seen:
            gone.append(row["mark"])
        elif seen != row["seen"]:
            left[row["mark"]] = seen
    if left:
        await tx.run(_SHRINK_MARKS, marks=list(left), seen=list(left.values()))
    if gone:
        await tx.run(_FORGET_MARKS, marks=gone)
    for row in await tx.all(_TAKE_SPILL, marks=ordered):
        if seen := without(row["seen"], person_ids):
            tx.add(FRAUD_SPILL, row["mark"], seen, row["keep"], row["expires_at"])
    await tx.run(_FORGET_LEADS_BURNS, marks=ordered, leads=list(lead_ids))
    return len(left) + len(gone)


# Returns


async def burn(tx: Tx, marks: Iterable[bytes], lead_id: str, at: datetime) -> None:
    """Burn the marks of a returned lead; those that are burned by it stay as they are."""
    await tx.run(_BURN, marks=sorted(marks), lead=lead_id, at=at)


async def unburn(tx: Tx, marks: Iterable[bytes], lead_id: str) -> None:
    """Take a lead's burns back: it was not returned after all."""
    await tx.run(_UNBURN, marks=sorted(marks), lead=lead_id)


async def burns_of(tx: Tx, marks: Sequence[bytes]) -> list[Burn]:
    """What was burned of these marks."""
    return [Burn(row["mark"], row["lead_id"], row["at"]) for row in await tx.all(_BURNS, marks=list(marks))]


async def forget_burns(tx: Tx, before: datetime) -> int:
    """Let go of burns that say nothing any more."""
    return await tx.run(_FORGET_BURNS, before=before)


async def note_return(tx: Tx, lead_id: str, at: datetime) -> bool:
    """Note that a lead came back; False where it is noted already."""
    return await tx.one(_CAME_BACK, lead=lead_id, at=at) is not None


async def drop_return(tx: Tx, lead_id: str) -> bool:
    """Note that a lead did not come back after all; False where it was not noted."""
    return await tx.run(_STAYED, lead=lead_id) > 0


# Pace and tallies


def add_pace(tx: Tx, source_id: str, minute: datetime, leads: int) -> None:
    """Count leads of a source."""
    tx.add(FRAUD_PACE, source_id, minute, leads, 0)


async def paces(tx: Tx, now: datetime) -> dict[str, Pace]:
    """How every source sends, by what is committed."""
    rows = await tx.all(_PACES, hour=now - timedelta(hours=1), week=now - timedelta(days=7), now=now)
    return {row["source_id"]: Pace(int(row["hour"] or 0), int(row["before"] or 0), row["hours"]) for row in rows}


async def fold_pace(tx: Tx, now: datetime) -> None:
    """Put minutes together, and whole hours of the past; forget what is older than a month."""
    await tx.run(_FOLD_PACE, level=1, before=now.replace(second=0, microsecond=0), unit="minute")
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    await tx.run(_FOLD_PACE, level=2, before=hour, unit="hour")
    await tx.run(_FORGET_PACE, before=now - timedelta(days=31))


def add_tally(tx: Tx, day: date, tally: Tally) -> None:
    """Add counts of a day; they may be negative where something is taken back."""
    tx.add(
        FRAUD_NEWS,
        day,
        tally.vertical,
        tally.source_id,
        tally.code,
        tally.seen,
        tally.held,
        tally.rejected,
        tally.sold,
        tally.returned,
    )


async def fold_news(tx: Tx) -> None:
    """Add what is new to the tallies."""
    await tx.run(_FOLD_NEWS)


async def tallies_since(tx: Tx, since: date) -> list[Tally]:
    """What became of the leads received since a day, by vertical, source and signal."""
    return [
        Tally(
            vertical=row["vertical"],
            source_id=row["source_id"],
            code=row["code"],
            seen=int(row["seen"]),
            held=int(row["held"]),
            rejected=int(row["rejected"]),
            sold=int(row["sold"]),
            returned=int(row["returned"]),
        )
        for row in await tx.all(_TALLIES, since=since)
    ]


# Standings


async def days_since(tx: Tx, since: date) -> list[Day]:
    """What became of each source's leads, by the day they came."""
    return [
        Day(
            day=row["day"],
            vertical=row["vertical"],
            source_id=row["source_id"],
            seen=int(row["seen"]),
            barred=int(row["barred"]),
            sold=int(row["sold"]),
            returned=int(row["returned"]),
        )
        for row in await tx.all(_DAYS, since=since)
    ]


async def write_standings(tx: Tx, standings: Iterable[Standing], at: datetime) -> None:
    """Put these in the place of all that were believed before."""
    await tx.run(_DROP_STANDINGS)
    for one in standings:
        tx.add(
            FRAUD_STANDING,
            one.vertical,
            one.source_id,
            at,
            one.sold,
            one.returned,
            one.share,
            one.low,
            one.high,
            one.turned,
            one.since,
            one.evidence,
        )


async def read_standings(tx: Tx) -> list[Standing]:
    """What was last believed of each source."""
    return [Standing(**{key: row[key] for key in Standing.__struct_fields__}) for row in await tx.all(_STANDINGS)]


async def may_survey(tx: Tx) -> bool:
    """Whether nobody else surveys at this moment; until the transaction ends nobody else does."""
    row = await tx.one(_SURVEYING)
    return row is not None and bool(row["got"])


async def surveyed_at(tx: Tx) -> datetime | None:
    """When the sources were last looked over; None where they never were."""
    row = await tx.one(_SURVEYED)
    return row["at"] if row is not None else None

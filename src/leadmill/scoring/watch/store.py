"""Every read and write of what is counted and told of models at work.

Called by ``flow``, which counts and judges, and by whoever shows it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import Mint
from leadmill.runtime.db import Row, Tx, prepared
from leadmill.scoring.watch.alerting import Finding
from leadmill.scoring.watch.counts import Day
from leadmill.scoring.watch.model import Alert, AlertKind, RolledBack, WatchedVertical
from leadmill.scoring.watch.tables import SCORING_ALERT, SCORING_DAY, SCORING_MARK, SCORING_WATCH

_D, _M, _W, _A = SCORING_DAY.c, SCORING_MARK.c, SCORING_WATCH.c, SCORING_ALERT.c
_LOCK = 0x6C6D_7763  # the advisory lock that lets one process watch at a time
_TOLD: AlertKind = "rolled_back"
_TRAINED: AlertKind = "retrained"
_ONCE = (_TOLD, _TRAINED)

_MOST_WORDS = 500

_DAYS = prepared(sa.select(_D.day, _D.body).where(_D.vertical == sa.bindparam("vertical")).order_by(_D.day))
_BEGIN = prepared(insert(SCORING_MARK).on_conflict_do_nothing())
_MARK = prepared(
    sa.select(_M.last_id)
    .where(_M.vertical == sa.bindparam("vertical"), _M.stage == sa.bindparam("stage"))
    .with_for_update()
)
_WATCHED = prepared(sa.select(_W.at, _W.body).where(_W.vertical == sa.bindparam("vertical")))
_DAY = msgspec.msgpack.Decoder(Day)
_VERTICAL = msgspec.msgpack.Decoder(WatchedVertical)


# Counting


async def alone(tx: Tx) -> bool:
    """Whether nobody else is watching; nobody is let until the transaction ends."""
    row = await tx.one(sa.text(f"SELECT pg_try_advisory_xact_lock({_LOCK}) AS got"))
    return row is not None and bool(row["got"])


async def last_measured(tx: Tx) -> datetime | None:
    """When something was measured last, of any vertical."""
    row = await tx.one(sa.select(sa.func.max(_W.at).label("at")))
    return row["at"] if row is not None else None


async def mark_of(tx: Tx, vertical: str, stage: str, first: str, at: datetime) -> str:
    """The last lead that is counted, ``first`` where none was; nobody else counts on until the transaction ends."""
    await tx.run(_BEGIN, vertical=vertical, stage=stage, last_id=first, at=at)
    row = await tx.one(_MARK, vertical=vertical, stage=stage)
    return str(row["last_id"]) if row is not None else first


async def move_mark(tx: Tx, vertical: str, stage: str, last_id: str, at: datetime) -> None:
    """Leads up to this one are counted."""
    await tx.run(
        sa.update(SCORING_MARK)
        .where(_M.vertical == vertical, _M.stage == stage)
        .values(last_id=last_id, at=at)
    )  # fmt: skip


async def days_of(tx: Tx, vertical: str) -> dict[date, Day]:
    """Every day that is kept of a vertical, in order."""
    found = {row["day"]: _day(row["body"]) for row in await tx.all(_DAYS, vertical=vertical)}
    return {day: counts for day, counts in found.items() if counts is not None}


def _day(body: bytes) -> Day | None:
    """A day as counted; None where another release wrote it otherwise."""
    try:
        return _DAY.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


async def keep_days(tx: Tx, vertical: str, days: Mapping[date, Day]) -> None:
    """Write these days anew."""
    for day, counts in sorted(days.items()):
        stmt = insert(SCORING_DAY).values(vertical=vertical, day=day, body=msgspec.msgpack.encode(counts))
        await tx.run(stmt.on_conflict_do_update(index_elements=["vertical", "day"], set_={"body": stmt.excluded.body}))


async def forget_days(tx: Tx, vertical: str, before: date) -> None:
    """Let go of days that no test looks at any more."""
    await tx.run(sa.delete(SCORING_DAY).where(_D.vertical == vertical, _D.day < before))


# What was measured


async def keep_watched(tx: Tx, watched: WatchedVertical, at: datetime) -> None:
    """Write what was measured in the place of what was before."""
    stmt = insert(SCORING_WATCH).values(vertical=watched.vertical, at=at, body=msgspec.msgpack.encode(watched))
    await tx.run(
        stmt.on_conflict_do_update(
            index_elements=["vertical"], set_={"at": stmt.excluded.at, "body": stmt.excluded.body}
        )
    )


async def read_watch(tx: Tx, vertical: str) -> tuple[datetime, WatchedVertical] | None:
    """What was last measured of a vertical's models, and when; None where nothing was yet, or by another release."""
    row = await tx.one(_WATCHED, vertical=vertical)
    if row is None:
        return None
    try:
        return row["at"], _VERTICAL.decode(row["body"])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


# Alerts


async def keep_findings(
    tx: Tx, vertical: str, found: Iterable[Finding], at: datetime, mint: Mint
) -> tuple[list[Alert], list[Alert]]:
    """Bring a vertical's alerts in line with what stands now; those that are new, and those that have ended. One that
    was acknowledged stays so as long as it stands; told roll-backs stand until somebody looks."""
    wanted = {(one.kind, one.model, one.subject): one for one in found}
    rows = await tx.all(
        sa.select(SCORING_ALERT)
        .where(_A.vertical == vertical, _A.ended.is_(None), _A.kind != _TOLD, _A.kind != _TRAINED)
        .order_by(_A.id)
        .with_for_update()
    )
    new, ended = [], []
    standing = {(row["kind"], row["model"], row["subject"]): row for row in rows}
    for key, row in standing.items():
        one = wanted.get(key)
        changed = {"ended": at} if one is None else {"seen": at, "says": one.says, "severity": one.severity}
        await tx.run(sa.update(SCORING_ALERT).where(_A.id == row["id"]).values(**changed))
        if one is None:
            ended.append(_alert({**row, "ended": at}))
    for key, one in wanted.items():
        if key not in standing:
            new.append(await _add(tx, vertical, one, at, mint, "", 0))
    return new, ended


async def alerted(tx: Tx) -> set[str]:
    """The verticals that alerts stand about which end by themselves."""
    stmt = sa.select(_A.vertical).distinct().where(_A.ended.is_(None), _A.kind != _TOLD, _A.kind != _TRAINED)
    return {row["vertical"] for row in await tx.all(stmt)}


async def tell_rolled_back(
    tx: Tx, vertical: str, model: str, says: str, to: str, revision: int, at: datetime, mint: Mint
) -> Alert:
    """Tell that a model was taken back: what for, what decides since, and by which revision of the records."""
    found = Finding(_TOLD, "alarm", model, str(revision), says)
    return await _add(tx, vertical, found, at, mint, to, revision)


async def tell_retrained(
    tx: Tx, vertical: str, model: str, schedule: str, says: str, at: datetime, mint: Mint
) -> Alert:  # fmt: skip
    """Tell what came of training by a schedule; what was told of it before has had its time."""
    earlier = (_A.kind == _TRAINED, _A.subject == schedule, _A.ended.is_(None))
    await tx.run(sa.update(SCORING_ALERT).where(*earlier).values(ended=at))
    return await _add(tx, vertical, Finding(_TRAINED, "watch", model, schedule, says), at, mint, "", 0)


async def _add(tx: Tx, vertical: str, one: Finding, at: datetime, mint: Mint, to: str, revision: int) -> Alert:
    values = {
        "id": mint("alert", at), "vertical": vertical, "kind": one.kind, "model": one.model, "subject": one.subject,
        "severity": one.severity, "says": one.says, "since": at, "seen": at, "ended": None, "acknowledged": None,
        "by": "", "why": "", "to": to, "revision": revision,
    }  # fmt: skip
    await tx.run(sa.insert(SCORING_ALERT).values(**values))
    return _alert(values)


async def read_alerts(
    tx: Tx, vertical: str | None = None, *, every: bool = False, limit: int = 500
) -> list[Alert]:  # fmt: skip
    """Alerts that are open, alarms first and then the newest; with ``every`` also those that ended or that somebody
    looked at."""
    stmt = sa.select(SCORING_ALERT).order_by(_A.severity, _A.since.desc(), _A.id).limit(limit)
    if vertical is not None:
        stmt = stmt.where(_A.vertical == vertical)
    if not every:
        stmt = stmt.where(_A.ended.is_(None), _A.acknowledged.is_(None))
    return [_alert(row) for row in await tx.all(stmt)]


async def count_alerts(tx: Tx) -> dict[tuple[str, str], int]:
    """How many alerts are open, by vertical and kind; 0 where every one is over or was looked at."""
    standing = sa.and_(_A.ended.is_(None), _A.acknowledged.is_(None))
    rows = await tx.all(
        sa.select(_A.vertical, _A.kind, sa.func.count().filter(standing).label("alerts")).group_by(_A.vertical, _A.kind)
    )
    return {(row["vertical"], row["kind"]): row["alerts"] for row in rows}


async def acknowledge(tx: Tx, alert_id: str, by: str, why: str, at: datetime) -> Alert:
    """Note that somebody looked; a second word changes nothing. Raises NotFound ``scoring.alert.unknown``,
    BadInput ``scoring.alert.unexplained`` where nothing says why."""
    if not why.strip():
        raise BadInput("scoring.alert.unexplained", "say what you found: whoever sees the same again will ask")
    row = await tx.one(sa.select(SCORING_ALERT).where(_A.id == alert_id).with_for_update())
    if row is None:
        raise NotFound("scoring.alert.unknown", "there is no such alert; leadmill scoring alerts lists them")
    if row["acknowledged"] is not None:
        return _alert(row)
    said = {"acknowledged": at, "by": by, "why": why.strip()[:_MOST_WORDS]}
    # What happened once is over once somebody has looked.
    said |= {"ended": at} if row["kind"] in _ONCE and row["ended"] is None else {}
    await tx.run(sa.update(SCORING_ALERT).where(_A.id == alert_id).values(**said))
    return _alert({**row, **said})


async def read_roll_backs(tx: Tx, vertical: str | None = None, limit: int = 100) -> list[RolledBack]:
    """Models that were taken back without a person, the latest first."""
    stmt = sa.select(SCORING_ALERT).where(_A.kind == _TOLD).order_by(_A.since.desc(), _A.id).limit(limit)
    if vertical is not None:
        stmt = stmt.where(_A.vertical == vertical)
    rows: Sequence[Row] = await tx.all(stmt)
    return [
        RolledBack(row["since"], row["vertical"], row["model"], row["says"], row["to"], row["revision"])
        for row in rows
    ]  # fmt: skip


def _alert(row: Mapping[str, object]) -> Alert:
    return msgspec.convert({name: row[name] for name in Alert.__struct_fields__}, Alert)

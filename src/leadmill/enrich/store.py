"""Every read and write of counters, remembered answers, tallies and runs.

Called by the package's service. Counters are changed in the order of their keys, so that no two transactions wait for
each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.enrich.tables import ANSWER, COUNTER, RUN, TALLY
from leadmill.enrich.tally import Key
from leadmill.runtime.db import Row, Tx, prepared

_TEXTS = sa.ARRAY(sa.Text)
_WHOLES = sa.ARRAY(sa.BigInteger)
_TIMES = sa.ARRAY(sa.DateTime(timezone=True))
_BYTES = sa.ARRAY(sa.LargeBinary)
_TIME = sa.DateTime(timezone=True)


class Count(Struct, frozen=True):
    """What is to be counted in a window, and the most that may stand there; None where there is no limit."""

    scope: str
    per: str
    starts: datetime
    ends: datetime
    asks: int
    spent: int
    most_asks: int | None = None
    most_spent: int | None = None


class Used(Struct, frozen=True):
    """How far a window is used."""

    scope: str
    per: str
    starts: datetime
    asks: int
    spent: int
    most_asks: int | None
    most_spent: int | None


_COUNT = prepared(
    sa.text(
        "INSERT INTO enrich_counter AS c (scope, per, starts, ends, asks, spent, most_asks, most_spent)"
        " SELECT * FROM unnest(CAST(:scopes AS text[]), CAST(:pers AS text[]), CAST(:starts AS timestamptz[]),"
        " CAST(:ends AS timestamptz[]), CAST(:asks AS bigint[]), CAST(:spent AS bigint[]),"
        " CAST(:most_asks AS bigint[]), CAST(:most_spent AS bigint[])) AS t(s, p, b, e, a, m, x, y)"
        " WHERE (x IS NULL OR a <= x) AND (y IS NULL OR m <= y) ORDER BY s, p, b"
        " ON CONFLICT (scope, per, starts) DO UPDATE SET asks = c.asks + excluded.asks,"
        " spent = c.spent + excluded.spent, most_asks = COALESCE(excluded.most_asks, c.most_asks),"
        " most_spent = COALESCE(excluded.most_spent, c.most_spent)"
        " WHERE (excluded.most_asks IS NULL OR c.asks + excluded.asks <= excluded.most_asks)"
        " AND (excluded.most_spent IS NULL OR c.spent + excluded.spent <= excluded.most_spent)"
        " RETURNING scope, per"
    ).bindparams(
        sa.bindparam("scopes", type_=_TEXTS),
        sa.bindparam("pers", type_=_TEXTS),
        sa.bindparam("starts", type_=_TIMES),
        sa.bindparam("ends", type_=_TIMES),
        sa.bindparam("asks", type_=_WHOLES),
        sa.bindparam("spent", type_=_WHOLES),
        sa.bindparam("most_asks", type_=_WHOLES),
        sa.bindparam("most_spent", type_=_WHOLES),
    )
)
_USED = prepared(
    sa.select(COUNTER).where(
        COUNTER.c.starts <= sa.bindparam("now", type_=_TIME), COUNTER.c.ends > sa.bindparam("now", type_=_TIME)
    )
)
_FIND = prepared(
    sa.select(ANSWER.c.key, ANSWER.c.sealed).where(
        ANSWER.c.key == sa.any_(sa.bindparam("keys", type_=_BYTES)),
        ANSWER.c.expires_at > sa.bindparam("now", type_=_TIME),
    )
)
_KEEP = prepared(
    sa.text(
        "INSERT INTO enrich_answer (key, provider, topic, at, expires_at, sealed)"
        " VALUES (:key, :provider, :topic, :at, :expires_at, :sealed)"
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at, expires_at = excluded.expires_at, sealed = excluded.sealed"
        " WHERE enrich_answer.at <= excluded.at"
    ).bindparams(
        sa.bindparam("key", type_=sa.LargeBinary),
        sa.bindparam("provider", type_=sa.Text),
        sa.bindparam("topic", type_=sa.Text),
        sa.bindparam("at", type_=_TIME),
        sa.bindparam("expires_at", type_=_TIME),
        sa.bindparam("sealed", type_=sa.LargeBinary),
    )
)
_DROP = prepared(sa.delete(ANSWER).where(ANSWER.c.key == sa.any_(sa.bindparam("keys", type_=_BYTES))))
_TALLY = prepared(
    sa.text(
        "INSERT INTO enrich_tally AS t (provider, topic, at, what, count)"
        " SELECT * FROM unnest(CAST(:providers AS text[]), CAST(:topics AS text[]), CAST(:times AS timestamptz[]),"
        " CAST(:whats AS text[]), CAST(:counts AS bigint[])) AS n(p, o, a, w, c) ORDER BY p, o, a, w"
        " ON CONFLICT (provider, topic, at, what) DO UPDATE SET count = t.count + excluded.count"
    ).bindparams(
        sa.bindparam("providers", type_=_TEXTS),
        sa.bindparam("topics", type_=_TEXTS),
        sa.bindparam("times", type_=_TIMES),
        sa.bindparam("whats", type_=_TEXTS),
        sa.bindparam("counts", type_=_WHOLES),
    )
)
_TOLD = prepared(
    sa.select(TALLY.c.provider, TALLY.c.topic, TALLY.c.what, sa.func.sum(TALLY.c.count).label("count"))
    .where(TALLY.c.at >= sa.bindparam("since", type_=_TIME))
    .group_by(TALLY.c.provider, TALLY.c.topic, TALLY.c.what)
)


async def count(tx: Tx, counts: Sequence[Count]) -> set[tuple[str, str]]:
    """Count in several windows; those (scope and kind) where it went in. Where one is missing its limit stands in the
    way, and the transaction should be undone."""
    ordered = sorted(counts, key=lambda one: (one.scope, one.per, one.starts))
    rows = await tx.all(
        _COUNT,
        scopes=[one.scope for one in ordered],
        pers=[one.per for one in ordered],
        starts=[one.starts for one in ordered],
        ends=[one.ends for one in ordered],
        asks=[one.asks for one in ordered],
        spent=[one.spent for one in ordered],
        most_asks=[one.most_asks for one in ordered],
        most_spent=[one.most_spent for one in ordered],
    )
    return {(row["scope"], row["per"]) for row in rows}


async def read_used(tx: Tx, now: datetime) -> list[Used]:
    """Every window that holds ``now``, by scope."""
    rows = await tx.all(_USED, now=now)
    found = [
        Used(row["scope"], row["per"], row["starts"], row["asks"], row["spent"], row["most_asks"], row["most_spent"])
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.scope, one.starts))


async def find_answers(tx: Tx, keys: Iterable[bytes], now: datetime) -> dict[bytes, bytes]:
    """The sealed facts of these keys' remembered answers that have not expired."""
    rows = await tx.all(_FIND, keys=list(keys), now=now)
    return {row["key"]: row["sealed"] for row in rows}


async def keep_answer(
    tx: Tx, key: bytes, provider: str, topic: str, at: datetime, expires_at: datetime, sealed: bytes
) -> None:
    """Remember an answer; a newer one stays."""
    await tx.run(_KEEP, key=key, provider=provider, topic=topic, at=at, expires_at=expires_at, sealed=sealed)


async def drop_answers(tx: Tx, keys: Iterable[bytes]) -> int:
    """Let go of remembered answers; how many there were."""
    return await tx.run(_DROP, keys=sorted({*keys}))


async def forget_old(tx: Tx, now: datetime, tallies_before: datetime) -> None:
    """Let go of answers that have expired, of windows long past and of old tallies."""
    await tx.run(sa.delete(ANSWER).where(ANSWER.c.expires_at <= now))
    await tx.run(sa.delete(COUNTER).where(COUNTER.c.ends < tallies_before))
    short = sa.any_(sa.bindparam("short", type_=_TEXTS))
    await tx.run(sa.delete(COUNTER).where(COUNTER.c.per == short, COUNTER.c.ends < now), short=["second", "minute"])
    await tx.run(sa.delete(TALLY).where(TALLY.c.at < tallies_before))


async def add_tallies(tx: Tx, counts: Mapping[Key, int]) -> None:
    """Add to the tallies."""
    ordered = sorted(counts.items())
    await tx.run(
        _TALLY,
        providers=[key[0] for key, _ in ordered],
        topics=[key[1] for key, _ in ordered],
        times=[key[2] for key, _ in ordered],
        whats=[key[3] for key, _ in ordered],
        counts=[number for _, number in ordered],
    )


async def read_tallies(tx: Tx, since: datetime) -> list[tuple[str, str, str, int]]:
    """The tallies since a moment, summed by provider, topic and what."""
    rows = await tx.all(_TOLD, since=since)
    return [(row["provider"], row["topic"], row["what"], int(row["count"])) for row in rows]


class Run(Struct, frozen=True, kw_only=True):
    """Leads of a span looked at once more, on ``topics`` (none: all); see the table for the rest. ``state`` is
    running, done or stopped; ``cost`` in millionths."""

    id: str
    topics: tuple[str, ...]
    vertical: str | None
    since: datetime
    until: datetime
    by: str
    at: datetime
    state: str = "running"
    after: str = ""
    leads: int = 0
    asked: int = 0
    changed: int = 0
    cost: int = 0
    total: int = 0


async def add_run(tx: Tx, run: Run) -> None:
    """Write a new run."""
    await tx.run(sa.insert(RUN).values(**_columns(run)))


async def move_run(tx: Tx, run: Run) -> None:
    """Write how far a run is."""
    await tx.run(sa.update(RUN).where(RUN.c.id == run.id).values(**_columns(run)))


async def find_run(tx: Tx, run_id: str, lock: bool = False) -> Run | None:
    """A run by its id, ``lock`` ed until the transaction ends where asked for."""
    stmt = sa.select(RUN).where(RUN.c.id == run_id)
    row = await tx.one(stmt.with_for_update() if lock else stmt)
    return None if row is None else _run(row)


async def list_runs(tx: Tx, limit: int = 20) -> list[Run]:
    """The latest runs, newest first."""
    return [_run(row) for row in await tx.all(sa.select(RUN).order_by(RUN.c.id.desc()).limit(limit))]


async def like_run(tx: Tx, run: Run) -> Run | None:
    """A run under way of the same leads on the same topics."""
    stmt = sa.select(RUN).where(RUN.c.state == "running", RUN.c.since == run.since, RUN.c.topics == list(run.topics))
    rows = [_run(row) for row in await tx.all(stmt)]
    return next((one for one in rows if one.vertical == run.vertical), None)


def _columns(run: Run) -> dict[str, object]:
    return {name: list(run.topics) if name == "topics" else getattr(run, name) for name in run.__struct_fields__}


def _run(row: Row) -> Run:
    values = dict(row.items())
    return Run(**{**values, "topics": tuple(values["topics"])})

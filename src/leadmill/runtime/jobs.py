"""Durable jobs: work owed after a commit, kept in a table until it is done.

Written by whoever owes the work, in the transaction that makes it owed; worked by a :class:`Worker` in each serving
process. The record ``docs/decisions/0003-durable-jobs.md`` gives the figures and the choice. Promises: a job exists
if and only if its transaction committed; it is worked at least once, also when its worker is killed; what failed for
good stays visible with its fault's code until somebody requeues or discards it. Handlers must bear being run twice,
or call :func:`finish` in the transaction of their effects, which makes the two one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, Protocol, TypeVar
from weakref import WeakSet

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.faults import Permanent, Transient
from leadmill.core.ids import Mint
from leadmill.runtime.db import Id, Row, Tx, metadata, prepared

JOB = sa.Table(
    "job",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", Id),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("dedupe", sa.Text(collation="C")),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("dead_at", sa.DateTime(timezone=True)),
    sa.Column("fault", sa.Text),
)
_LIVE = JOB.c.dead_at.is_(None)
sa.Index("job_due", JOB.c.kind, JOB.c.run_at, postgresql_where=_LIVE)
sa.Index("job_dead", JOB.c.id, postgresql_where=JOB.c.dead_at.is_not(None))
sa.Index("job_dedupe", JOB.c.dedupe, unique=True, postgresql_where=sa.and_(JOB.c.dedupe.is_not(None), _LIVE))

_ENQUEUE = prepared(
    sa.text(
        "INSERT INTO job (id, kind, subject, payload, run_at, attempts, dedupe, created_at)"
        " SELECT i, k, s, p, r, 0, d, c FROM unnest(CAST(:ids AS text[]), CAST(:kinds AS text[]),"
        " CAST(:subjects AS text[]), CAST(:payloads AS bytea[]), CAST(:times AS timestamptz[]),"
        " CAST(:dedupes AS text[]), CAST(:made AS timestamptz[])) AS t(i, k, s, p, r, d, c)"
        " ON CONFLICT (dedupe) WHERE dedupe IS NOT NULL AND dead_at IS NULL DO NOTHING"
    )
)
_CLAIM = prepared(
    sa.text(
        "WITH due AS MATERIALIZED (SELECT j.id FROM unnest(CAST(:kinds AS text[])) AS k(kind) CROSS JOIN LATERAL ("
        "SELECT id FROM job WHERE job.kind = k.kind AND dead_at IS NULL AND run_at <= CAST(:now AS timestamptz)"
        " ORDER BY run_at LIMIT CAST(:room AS int) FOR UPDATE SKIP LOCKED) AS j LIMIT CAST(:room AS int))"
        " UPDATE job SET attempts = attempts + 1, run_at = CAST(:until AS timestamptz) FROM due WHERE job.id = due.id"
        " RETURNING job.id, job.kind, job.subject, job.payload, job.attempts, job.dedupe, job.created_at, job.run_at,"
        " job.dead_at, job.fault"
    )
)
_MINE = "unnest(CAST(:ids AS text[]), CAST(:tries AS int[])) AS t(i, a) WHERE job.id = t.i AND job.attempts = t.a"
_DONE = prepared(sa.text("DELETE FROM job USING " + _MINE))  # noqa: S608 constants only
_RENEW = prepared(sa.text("UPDATE job SET run_at = CAST(:until AS timestamptz) FROM " + _MINE))  # noqa: S608 constants only
_RETURN = prepared(sa.text("UPDATE job SET attempts = attempts - 1, run_at = CAST(:now AS timestamptz) FROM " + _MINE))  # noqa: S608 constants only
_FAILED = prepared(
    sa.text(
        "UPDATE job SET run_at = t.r, dead_at = t.d, fault = t.f"
        " FROM unnest(CAST(:ids AS text[]), CAST(:tries AS int[]),"
        " CAST(:times AS timestamptz[]), CAST(:deaths AS timestamptz[]), CAST(:faults AS text[])) AS t(i, a, r, d, f)"
        " WHERE job.id = t.i AND job.attempts = t.a"
    )
)
_REQUEUE = sa.text(
    "UPDATE job SET dead_at = NULL, fault = NULL, attempts = 0, run_at = CAST(:now AS timestamptz) WHERE id = :id"
    " AND dead_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job AS o WHERE o.dedupe = job.dedupe AND o.dead_at IS NULL)"
)
_DISCARD = sa.delete(JOB).where(JOB.c.id == sa.bindparam("id", type_=sa.Text), JOB.c.dead_at.is_not(None))
_DEAD = sa.select(JOB).where(JOB.c.dead_at.is_not(None), JOB.c.id < sa.bindparam("before", type_=sa.Text))
_DEAD = _DEAD.order_by(JOB.c.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))
_OWED = sa.select(JOB.c.id).where(JOB.c.id == sa.bindparam("id", type_=sa.Text))
_KEPT = (
    sa.select(JOB.c.kind, JOB.c.dead_at.is_not(None).label("dead"), sa.func.count().label("jobs"))
    .group_by(sa.text("1"), sa.text("2"))
    .order_by(sa.text("1"), sa.text("2"))
)

T = TypeVar("T")


class Job(Struct, frozen=True):
    """A job as its handler sees it. ``attempts`` counts this one; ``subject`` is the lead or other thing it is about.
    ``dead_at`` and ``fault`` (a code) say when and why it was given up."""

    id: str
    kind: str
    subject: str | None
    payload: bytes
    attempts: int
    dedupe: str | None
    created_at: datetime
    run_at: datetime
    dead_at: datetime | None = None
    fault: str | None = None

    def read(self, kind: type[T]) -> T:
        """The payload as the type it was enqueued as. Raises :class:`Permanent` ``job.payload.unreadable``."""
        try:
            return msgspec.msgpack.decode(self.payload, type=kind)
        except msgspec.DecodeError as fault:
            raise Permanent("job.payload.unreadable", f"a {self.kind} job was written by another version") from fault


class Kept(Struct, frozen=True):
    """How many jobs of a kind wait (or are in work) and how many are dead."""

    kind: str
    waiting: int
    dead: int


Handler = Callable[[Job], Awaitable[None]]
"""Does a job. A Transient fault has it tried again, a Permanent one makes it dead, and so does running out of tries."""


_Row = tuple[str, str, str | None, bytes, datetime, str | None, datetime]


def enqueue(
    tx: Tx,
    kind: str,
    subject: str | None,
    payload: dict[str, Any] | Struct,
    run_at: datetime,
    now: datetime,
    mint: Mint,
    dedupe: str | None = None,
) -> str:
    """Owe a job from this transaction's commit on, not before ``run_at``; its id. All jobs of a transaction go out
    together.

    ``dedupe`` names the work: while a live job bears the same name, the new one is silently dropped. The payload
    must carry nothing personal, only ids.
    """
    basket: list[_Row] = tx.scratch.setdefault(enqueue, [])
    if not basket:
        tx.closing(_send)
    job_id = mint("job", now)
    basket.append((job_id, kind, subject, msgspec.msgpack.encode(payload), run_at, dedupe, now))
    return job_id


async def _send(tx: Tx) -> None:
    # In the order of their names: two transactions adding the same names in opposite order would wait for each other.
    rows: list[_Row] = sorted(tx.scratch.pop(enqueue), key=lambda row: row[5] or "")
    names = ("ids", "kinds", "subjects", "payloads", "times", "dedupes", "made")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    await tx.last(_ENQUEUE, **columns)
    tx.after(partial(_wake, frozenset(columns["kinds"])))


async def is_owed(tx: Tx, job_id: str) -> bool:
    """Whether this job is there: neither dropped for another of the same name, nor done."""
    return bool(await tx.all(_OWED, id=job_id))


async def finish(tx: Tx, job: Job) -> None:
    """Remove a job in the transaction of its own effects. Raises :class:`Transient` ``job.lease.lost`` where another
    worker has taken the job over meanwhile: the effects must not stand twice."""
    if not await tx.run(_DONE, ids=[job.id], tries=[job.attempts]):
        raise Transient("job.lease.lost", "another worker has taken the job over")


async def dead(tx: Tx, limit: int = 100, before: str | None = None) -> list[Job]:
    """Dead jobs, newest first; ``before`` is the last id of the page before."""
    return [_job(row) for row in await tx.all(_DEAD, before=before or "~", limit=limit)]


async def kept(tx: Tx) -> list[Kept]:
    """How many jobs there are of each kind."""
    counts: dict[str, list[int]] = {}
    for row in await tx.all(_KEPT):
        counts.setdefault(row["kind"], [0, 0])[row["dead"]] = row["jobs"]
    return [Kept(kind, *pair) for kind, pair in counts.items()]


async def requeue(tx: Tx, job_id: str, now: datetime) -> bool:
    """Give a dead job all its tries again; False where there is no such dead job or a live one does the same work."""
    done = await tx.run(_REQUEUE, id=job_id, now=now) > 0
    if done:
        tx.after(partial(_wake, None))
    return done


async def discard(tx: Tx, job_id: str) -> bool:
    """Remove a dead job; False where there is none."""
    return await tx.run(_DISCARD, id=job_id) > 0


def _job(row: Row) -> Job:
    return Job(**dict(row.items()))


# ---- the worker's side ----------------------------------------------------------------------------------------------


class Outcome(Struct, frozen=True):
    """How one attempt at a job ended. ``run_at`` says when a retried one is due, ``fault`` is the code of a failure."""

    job: Job
    kind: Literal["done", "retried", "dead", "returned"]
    run_at: datetime | None = None
    fault: str | None = None


async def claim(tx: Tx, kinds: Sequence[str], now: datetime, until: datetime, room: int) -> list[Job]:
    """Take up to ``room`` due jobs, each for itself alone until ``until``; kinds named first come first. The attempt
    counts from here, so that a job which kills its workers runs out of tries."""
    rows = await tx.all(_CLAIM, kinds=kinds, now=now, until=until, room=room)
    return sorted((_job(row) for row in rows), key=lambda job: job.id)


async def renew(tx: Tx, jobs: Sequence[Job], until: datetime) -> None:
    """Keep jobs in work from coming due before ``until``."""
    await tx.run(_RENEW, **_claims(jobs), until=until)


async def settle(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down how jobs ended. One that another worker has claimed since is left to that one."""
    if done := [o.job for o in outcomes if o.kind == "done"]:
        await tx.run(_DONE, **_claims(done))
    if returned := [o.job for o in outcomes if o.kind == "returned"]:
        await tx.run(_RETURN, **_claims(returned), now=now)
    if failed := [o for o in outcomes if o.kind in ("retried", "dead")]:
        times = [o.run_at or now for o in failed]
        deaths = [now if o.kind == "dead" else None for o in failed]
        faults = [o.fault for o in failed]
        await tx.run(_FAILED, **_claims([o.job for o in failed]), times=times, deaths=deaths, faults=faults)


def _claims(jobs: Sequence[Job]) -> dict[str, Any]:
    """A claim is a job and its attempt: whoever claims later counts one more."""
    return {"ids": [job.id for job in jobs], "tries": [job.attempts for job in jobs]}


class Listener(Protocol):
    """Who wants to know at once that there is work: a worker in this process."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What it can do, by kind."""
        ...

    def wake(self) -> None:
        """There may be work now."""
        ...


listening: "WeakSet[Listener]" = WeakSet()
"""The workers of this process; each adds itself."""


def _wake(kinds: frozenset[str] | None) -> None:
    for worker in list(listening):
        if kinds is None or not kinds.isdisjoint(worker.handlers):
            worker.wake()

"""Durable jobs and their worker, on the real store."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.faults import Permanent, Transient
from leadmill.core.ids import Mint
from leadmill.runtime import jobs
from leadmill.runtime.clock import Clock, system_clock
from leadmill.runtime.db import Database
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.worker import Patience, Worker


class Parcel(Struct):
    delivery: str


@pytest.fixture
def owe(db: Database, clock: Any, mint: Mint) -> Any:
    async def owe(*kinds: str, dedupe: str | None = None, wait: float = 0) -> list[str]:
        async with db.begin() as tx:
            due = clock() + timedelta(seconds=wait)
            return [jobs.enqueue(tx, kind, "lead_1", {"n": kind}, due, clock(), mint, dedupe) for kind in kinds]

    return owe


async def rows(db: Database) -> list[Any]:
    async with db.begin() as tx:
        return await tx.all(sa.select(jobs.JOB).order_by(jobs.JOB.c.id))


def worker(db: Database, clock: Clock, /, patience: Patience | None = None, **handlers: Handler) -> Worker:
    chosen = dict.fromkeys(handlers, patience) if patience else {}
    return Worker(db, handlers, clock, patience=chosen, chance=lambda: 0.0)


async def test_a_job_of_an_undone_transaction_never_was(db: Database, clock: Any, mint: Mint) -> None:
    async def change_mind() -> None:
        async with db.begin() as tx:
            jobs.enqueue(tx, "a", None, {}, clock(), clock(), mint)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_mind()
    assert await rows(db) == []


async def test_a_done_job_is_gone_and_its_payload_was_read(db: Database, clock: Any, mint: Mint) -> None:
    async with db.begin() as tx:
        jobs.enqueue(tx, "send", "lead_1", Parcel("dlv_1"), clock(), clock(), mint)
    seen: list[tuple[Any, ...]] = []

    async def send(job: Job) -> None:
        seen.append((job.read(Parcel), job.subject, job.attempts, job.created_at))

    assert await worker(db, clock, send=send).drain() == 1
    assert seen == [(Parcel("dlv_1"), "lead_1", 1, clock())]
    assert await rows(db) == []


async def test_a_job_enqueued_while_closing_the_transaction_is_kept(db: Database, clock: Any, mint: Mint) -> None:
    async def late(tx: Any) -> None:
        jobs.enqueue(tx, "late", None, {}, clock(), clock(), mint)

    async with db.begin() as tx:
        jobs.enqueue(tx, "early", None, {}, clock(), clock(), mint)
        tx.closing(late)
    assert [row["kind"] for row in await rows(db)] == ["early", "late"]


async def test_a_live_job_of_the_same_name_is_not_doubled(db: Database, clock: Any, owe: Any) -> None:
    await owe("a", "a", dedupe="x")
    await owe("a", dedupe="x")
    await owe("a", dedupe="y")
    await owe("a", "a")
    assert [row["dedupe"] for row in await rows(db)] == ["x", "y", None, None]
    await worker(db, clock, a=nothing).drain()
    await owe("a", dedupe="x")
    assert len(await rows(db)) == 1


async def nothing(job: Job) -> None:
    """Does the job by doing nothing."""


async def test_transactions_with_the_same_names_in_opposite_order_do_not_deadlock(
    db: Database, clock: Any, mint: Mint
) -> None:
    async def one(names: list[str]) -> None:
        for _ in range(10):
            async with db.begin() as tx:
                for name in names:
                    jobs.enqueue(tx, "a", None, {}, clock(), clock(), mint, name)

    names = [f"n{number}" for number in range(40)]
    await asyncio.gather(one(names), one(names[::-1]), one(names))
    assert len(await rows(db)) == 40


async def test_nothing_runs_before_its_time(db: Database, clock: Any, owe: Any) -> None:
    await owe("a", wait=60)
    work = worker(db, clock, a=nothing)
    assert await work.drain() == 0
    clock.advance(seconds=60)
    assert await work.drain() == 1


async def test_a_kind_without_a_handler_is_left_alone(db: Database, clock: Any, owe: Any) -> None:
    await owe("a", "b")
    await worker(db, clock, a=nothing).drain()
    assert [row["kind"] for row in await rows(db)] == ["b"]


async def test_a_transient_fault_is_tried_again_later_and_later_until_it_is_dead(
    db: Database, clock: Any, owe: Any
) -> None:
    await owe("a")

    async def fail(job: Job) -> None:
        raise Transient("buyer.server.away")

    work = worker(db, clock, Patience(tries=3, first=10, longest=15), a=fail)
    waits = []
    while (row := (await rows(db))[0])["dead_at"] is None:
        waits.append((row["run_at"] - clock()).total_seconds())
        clock.set(row["run_at"])
        assert await work.drain() == 1
    assert waits == [0, 10, 15]
    assert (row["fault"], row["attempts"], row["dead_at"]) == ("buyer.server.away", 3, clock())
    clock.advance(days=1)
    assert await work.drain() == 0


async def test_a_permanent_fault_is_dead_at_once_and_visible(db: Database, clock: Any, owe: Any) -> None:
    [first] = await owe("a")
    [second] = await owe("a")

    async def fail(job: Job) -> None:
        raise Permanent("buyer.address.refused")

    await worker(db, clock, a=fail).drain()
    async with db.begin() as tx:
        assert [(job.id, job.fault) for job in await jobs.dead(tx)] == [
            (second, "buyer.address.refused"),
            (first, "buyer.address.refused"),
        ]
        assert [job.id for job in await jobs.dead(tx, 1, before=second)] == [first]
        assert await jobs.kept(tx) == [jobs.Kept("a", 0, 2)]


async def test_a_dead_job_can_be_requeued_or_discarded(db: Database, clock: Any, owe: Any) -> None:
    [first, second] = await owe("a", "a")

    async def fail(job: Job) -> None:
        raise Permanent("x.y.z")

    await worker(db, clock, a=fail).drain()
    async with db.begin() as tx:
        assert await jobs.requeue(tx, first, clock())
        assert not await jobs.requeue(tx, first, clock())
        assert await jobs.discard(tx, second)
        assert not await jobs.discard(tx, second)
        assert not await jobs.discard(tx, first)
    assert await worker(db, clock, a=nothing).drain() == 1
    assert await rows(db) == []


async def test_a_dead_job_is_not_requeued_beside_a_live_one_of_its_name(db: Database, clock: Any, owe: Any) -> None:
    async def fail(job: Job) -> None:
        raise Permanent("x.y.z")

    [first] = await owe("a", dedupe="x")
    await worker(db, clock, a=fail).drain()
    await owe("a", dedupe="x")
    async with db.begin() as tx:
        assert not await jobs.requeue(tx, first, clock())


async def test_a_crashing_handler_is_tried_again_and_does_not_take_others_along(
    db: Database, clock: Any, owe: Any
) -> None:
    await owe("bad", "good")

    async def crash(job: Job) -> None:
        raise KeyError("x")

    assert await worker(db, clock, bad=crash, good=nothing).drain() == 2
    [row] = await rows(db)
    assert (row["kind"], row["fault"], row["dead_at"]) == ("bad", "job.handler.crashed", None)


def test_waits_double_are_shortened_by_chance_and_respect_the_other_side() -> None:
    patience = Patience(first=10, longest=100)
    assert [patience.wait(n, None, 0) for n in (1, 2, 3, 4, 5, 500)] == [10, 20, 40, 80, 100, 100]
    assert patience.wait(1, None, 1) == 5
    assert patience.wait(1, 60, 0) == 60
    assert patience.wait(3, 1, 0) == 40


async def test_a_job_whose_worker_vanished_comes_back_when_the_lease_ends(db: Database, clock: Any, owe: Any) -> None:
    await owe("a")
    async with db.begin() as tx:
        await jobs.claim(tx, ["a"], clock(), clock() + timedelta(seconds=60), 10)
    work = worker(db, clock, a=nothing)
    assert await work.drain() == 0
    clock.advance(seconds=60)
    assert await work.drain() == 1


async def test_a_job_that_kills_its_workers_ends_dead_without_being_run_again(
    db: Database, clock: Any, owe: Any
) -> None:
    await owe("a")
    for _ in range(2):
        async with db.begin() as tx:
            await jobs.claim(tx, ["a"], clock(), clock(), 10)
    ran: list[Job] = []

    async def note(job: Job) -> None:
        ran.append(job)

    await worker(db, clock, Patience(tries=2), a=note).drain()
    assert ran == []
    assert [row["fault"] for row in await rows(db)] == ["job.attempts.spent"]


async def test_claims_of_two_workers_never_overlap_and_no_kind_starves(db: Database, clock: Any, owe: Any) -> None:
    await owe(*["a"] * 60, *["b"] * 5)
    until = clock() + timedelta(seconds=60)

    async def take(kinds: list[str]) -> list[Job]:
        async with db.begin() as tx:
            return await jobs.claim(tx, kinds, clock(), until, 20)

    taken = [job for part in await asyncio.gather(take(["a", "b"]), take(["b", "a"]), take(["a", "b"])) for job in part]
    assert len(taken) == len({job.id for job in taken}) == 60
    assert Counter(job.kind for job in taken)["b"] == 5


async def test_a_worker_whose_lease_ran_out_cannot_finish_anothers_claim(db: Database, clock: Any, owe: Any) -> None:
    await owe("a")
    async with db.begin() as tx:
        [mine] = await jobs.claim(tx, ["a"], clock(), clock(), 1)
        [theirs] = await jobs.claim(tx, ["a"], clock(), clock() + timedelta(seconds=60), 1)
    async with db.begin() as tx:
        await jobs.settle(tx, [jobs.Outcome(mine, "done")], clock())
        await jobs.renew(tx, [mine], clock() + timedelta(days=1))
    [row] = await rows(db)
    assert (row["attempts"], row["run_at"]) == (theirs.attempts, theirs.run_at)
    async with db.begin() as tx:
        with pytest.raises(Transient, match=r"job\.lease\.lost"):
            await jobs.finish(tx, mine)


async def test_effects_and_the_end_of_a_job_are_one_transaction(db: Database, clock: Any, owe: Any) -> None:
    [done] = await owe("a")
    followed: list[str] = []

    async def chain(job: Job) -> None:
        async with db.begin() as tx:
            await jobs.finish(tx, job)
            followed.append(jobs.enqueue(tx, "b", None, {}, clock(), clock(), lambda p, t: "job_b"))

    assert await worker(db, clock, a=chain, b=nothing).drain() == 2
    assert followed == ["job_b"]
    assert await rows(db) == []
    assert done


async def test_a_running_worker_is_woken_by_a_commit_and_stops_in_order(db: Database, mint: Mint) -> None:
    ran = asyncio.Event()

    async def note(job: Job) -> None:
        ran.set()

    work = Worker(db, {"a": note}, system_clock, longest_nap=3600, lease=36000)
    running = asyncio.create_task(work.run())
    async with db.begin() as tx:  # with a nap of an hour, only the bell can bring it in time
        jobs.enqueue(tx, "a", None, {}, system_clock(), system_clock(), mint)
    await ran.wait()
    work.stop()
    await running
    assert await rows(db) == []


async def test_a_stopped_worker_gives_back_what_it_cannot_finish(db: Database, mint: Mint) -> None:
    began = asyncio.Event()

    async def hang(job: Job) -> None:
        began.set()
        await asyncio.Event().wait()

    async with db.begin() as tx:
        jobs.enqueue(tx, "a", None, {}, system_clock(), system_clock(), mint)
    work = Worker(db, {"a": hang}, system_clock, lease=0.2)
    running = asyncio.create_task(work.run())
    await began.wait()
    work.stop()
    await running
    [row] = await rows(db)
    assert (row["attempts"], row["run_at"] <= system_clock(), row["fault"]) == (0, True, None)


async def test_a_long_job_keeps_its_lease(db: Database, mint: Mint) -> None:
    began: list[str] = []
    go_on = asyncio.Event()

    async def slow(job: Job) -> None:
        began.append(job.id)
        await go_on.wait()

    async with db.begin() as tx:
        jobs.enqueue(tx, "a", None, {}, system_clock(), system_clock(), mint)
    work = Worker(db, {"a": slow}, system_clock, lease=2.0)
    running = asyncio.create_task(work.run())
    leases: set[Any] = set()
    while len(leases) < 4:  # as enqueued, as claimed, renewed, renewed again
        leases.add((await rows(db))[0]["run_at"])
        await asyncio.sleep(0.05)
    go_on.set()
    work.stop()
    await running
    assert len(began) == 1
    assert await rows(db) == []


VICTIM = """
    import asyncio, sys
    from datetime import timedelta
    from leadmill.runtime.clock import system_clock
    from leadmill.runtime.db import Database
    from leadmill.runtime.worker import Worker

    async def main():
        db = Database(sys.argv[1])
        await db.open()
        async def hang(job):
            print("began", flush=True)
            await asyncio.Event().wait()
        await Worker(db, {"a": hang}, lambda: system_clock() - timedelta(hours=1), lease=60.0).run()

    asyncio.run(main())
"""


async def test_jobs_of_a_killed_process_are_all_done_by_the_next(db: Database, mint: Mint) -> None:
    """It was killed an hour ago: its clock stands so that its leases are over and no test waits for them."""
    then = system_clock() - timedelta(hours=2)
    async with db.begin() as tx:
        wanted = {jobs.enqueue(tx, "a", None, {}, then, then, mint) for _ in range(20)}
    child = subprocess.Popen(  # noqa: ASYNC220 it must die, not end
        [sys.executable, "-c", textwrap.dedent(VICTIM), db.url],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert child.stdout is not None
    for _ in wanted:
        assert await asyncio.to_thread(child.stdout.readline) == b"began\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    done: set[str] = set()
    all_done = asyncio.Event()

    async def note(job: Job) -> None:
        assert job.attempts == 2
        done.add(job.id)
        if done == wanted:
            all_done.set()

    work = Worker(db, {"a": note}, system_clock)
    running = asyncio.create_task(work.run())
    await all_done.wait()
    work.stop()
    await running
    assert await rows(db) == []

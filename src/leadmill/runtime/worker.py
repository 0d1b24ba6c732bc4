"""The worker: claims due jobs, runs their handlers, writes down how they ended.

Started by ``main``, one or more in each serving process. Knows nothing of what the jobs are about; what it promises
is said in ``runtime.jobs``.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from msgspec import Struct

from leadmill.core.faults import Fault, Permanent, Transient
from leadmill.runtime import jobs
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.telemetry import JOB_SECONDS, JOBS, log


class Patience(Struct, frozen=True):
    """How often and how late a kind is tried again: ``tries`` in all, the second ``first`` seconds after the first,
    then twice as long each time up to ``longest``; each wait is shortened at random by up to half, so that what
    failed together does not come back together."""

    tries: int = 8
    first: float = 5.0
    longest: float = 3600.0

    def wait(self, attempts: int, after: float | None, chance: float) -> float:
        """Seconds until the next try; never less than ``after``, which the other side asked for. ``chance`` is in
        0…1."""
        own = min(self.longest, self.first * 2.0 ** min(attempts - 1, 40)) * (1 - chance / 2)
        return max(own, after * (1 + chance / 10)) if after else own


class Worker:
    """Works the jobs of the kinds it has handlers for, up to ``limit`` at once.

    A claimed job is leased for ``lease`` seconds, renewed while its handler runs; when a worker is killed, its jobs
    come due again as their leases end. Slow kinds belong to a worker of their own, so that they do not hold up quick
    ones. Due work is found by looking, every ``longest_nap`` seconds when idle; a job enqueued in this process is
    seen at once.
    """

    def __init__(
        self,
        db: Database,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        patience: Mapping[str, Patience] | None = None,
        limit: int = 50,
        lease: float = 60.0,
        longest_nap: float = 1.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.handlers = dict(handlers)
        self._db = db
        self._clock = clock
        self._patience = dict(patience or {})
        self._limit = limit
        self._lease = timedelta(seconds=lease)
        self._longest_nap = min(longest_nap, lease / 4)
        self._chance = chance
        self._kinds = list(self.handlers)
        self._held: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._outcomes: list[jobs.Outcome] = []
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._renew_at = 0.0

    async def run(self) -> None:
        """Work until :meth:`stop`. A database that is away is waited for."""
        self._loop = asyncio.get_running_loop()
        jobs.listening.add(self)
        nap = 0.01
        try:
            while not self._stopping:
                self._bell.clear()
                try:
                    await self._settle()
                    await self._renew()
                    took = await self._claim()
                    nap = 0.01 if took else min(nap * 2, self._longest_nap)
                except Transient as fault:
                    log("jobs").warning("jobs cannot be reached", code=fault.code, detail=fault.detail)
                    nap = self._longest_nap
                await self._rest(nap)
        finally:
            jobs.listening.discard(self)
            await self._leave()

    def stop(self) -> None:
        """Take no more jobs; :meth:`run` returns when those in hand are done or given back."""
        self._stopping = True
        self.wake()

    def wake(self) -> None:
        """Look for work now. May be called from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._bell.set)

    async def drain(self) -> int:
        """Work everything that is due, what it enqueues included; how many jobs that was. For tests and one-off
        commands."""
        worked = 0
        while took := await self._claim():
            worked += took
            await asyncio.gather(*(task for _, task in list(self._held.values())))
            await self._settle()
        return worked

    async def _rest(self, nap: float) -> None:
        try:
            async with asyncio.timeout(nap if len(self._held) < self._limit else self._longest_nap):
                await self._bell.wait()
        except TimeoutError:
            return
        await asyncio.sleep(0.005)  # what ends together is settled together

    async def _claim(self) -> int:
        room = self._limit - len(self._held)
        if room <= 0 or not self._kinds:
            return 0
        self._kinds.append(self._kinds.pop(0))  # a kind with a long queue must not keep the others from their turn
        now = self._clock()
        async with self._db.begin() as tx:
            taken = await jobs.claim(tx, self._kinds, now, now + self._lease, room)
        for job in taken:
            self._held[job.id] = (job, asyncio.create_task(self._work(job), name=job.id))
        return len(taken)

    async def _work(self, job: Job) -> None:
        start = time.perf_counter()
        patience = self._patience.get(job.kind, Patience())
        try:
            if job.attempts > patience.tries:  # it killed its worker each time
                raise Permanent("job.attempts.spent", "its workers died on it")
            await self.handlers[job.kind](job)
            outcome = jobs.Outcome(job, "done")
        except asyncio.CancelledError:
            outcome = jobs.Outcome(job, "returned")
        except Permanent as fault:
            outcome = jobs.Outcome(job, "dead", fault=fault.code)
        except Exception as fault:  # a handler's bug must not take the worker along; it shows as job.handler.crashed
            outcome = self._failed(job, patience, fault)
        if outcome.fault:
            words = {"kind": job.kind, "job": job.id, "subject": job.subject, "code": outcome.fault}
            log("jobs").warning("job failed", outcome=outcome.kind, attempts=job.attempts, **words)
        JOB_SECONDS.labels(job.kind).observe(time.perf_counter() - start)
        self._held.pop(job.id, None)
        self._outcomes.append(outcome)
        self._bell.set()

    def _failed(self, job: Job, patience: Patience, fault: Exception) -> jobs.Outcome:
        code = fault.code if isinstance(fault, Fault) else "job.handler.crashed"
        if not isinstance(fault, Fault):
            log("jobs").error("job handler crashed", kind=job.kind, job=job.id, exc_info=fault)
        if job.attempts >= patience.tries:
            return jobs.Outcome(job, "dead", fault=code)
        after = fault.after if isinstance(fault, Transient) else None
        wait = timedelta(seconds=patience.wait(job.attempts, after, self._chance()))
        return jobs.Outcome(job, "retried", self._clock() + wait, code)

    async def _settle(self) -> None:
        """Write down how jobs ended, in one transaction; kept for the next call if it fails. A job that another
        worker has taken over since is left to that one."""
        ended = list(self._outcomes)
        if not ended:
            return
        async with self._db.begin() as tx:
            await jobs.settle(tx, ended, self._clock())
        del self._outcomes[: len(ended)]
        for outcome in ended:
            JOBS.labels(outcome.job.kind, outcome.kind).inc()

    async def _renew(self) -> None:
        """Keep what is in work leased. Goes by the running clock, so that a turned wall clock loses nothing."""
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + self._lease.total_seconds() / 3
        if held := [job for job, _ in self._held.values()]:
            async with self._db.begin() as tx:
                await jobs.renew(tx, held, self._clock() + self._lease)

    async def _leave(self) -> None:
        """Wait for what is in work for half a lease, cancel the rest, and settle; what cannot be written down comes
        back by its lease."""
        tasks = [task for _, task in self._held.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._lease.total_seconds() / 2)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._settle()
        except Transient as fault:
            log("jobs").warning("jobs in hand come back by their lease", code=fault.code)

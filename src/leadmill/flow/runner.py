"""The runner: takes submissions, walks them in groups, commits, and only then answers.

Called by the interfaces and by the import. Each lead walks its first stretch alone, since there it may listen to the
network; then it joins a group that walks the rest inside one transaction: one query a question, one COPY a table, one
flush to disk for all. A caller that got an answer has a lead that survives the loss of every process.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from leadmill.capture import Submission
from leadmill.core.case import NOTHING, Ask, Case, Heard
from leadmill.core.faults import Conflict, Transient
from leadmill.core.reasons import State
from leadmill.core.step import Step
from leadmill.delivery import Dispatched
from leadmill.flow.kit import Ears, Kit
from leadmill.flow.model import LeadReceived, Settled
from leadmill.flow.pipeline import Walk
from leadmill.flow.store import Claim, claim_requests, keep_answers
from leadmill.flow.walker import Walker, heard_of
from leadmill.flow.watching import Pace, report_broken, tell_pace, tell_station
from leadmill.runtime.db import Tx
from leadmill.runtime.records import hold
from leadmill.runtime.telemetry import GROUP_LEADS, LEADS

_WAITS = (0.02, 0.1, 0.4, 1.5)


class RulesMoved(Transient):
    """The configuration changed between a walk's first station and its commit. A lead is never sold under a cap or a
    price that was already another."""


class Waits(Protocol):
    """Where a lead waits for others while its source waits for it; ``flow.floor``."""

    def enter(self, walker: Walker, claim: Claim | None, began: float, tell: "Tell") -> None:
        """Take in a lead that waits for bids."""

    def deliver(self, walker: Walker, settled: Settled, claim: Claim | None, began: float, tell: "Tell") -> None:
        """Take in a sold lead whose buyer is to be tried at once."""

    def join(self, lead_id: str, tell: "Tell") -> bool:
        """Wait with whoever waits for this lead; False where it is not there."""
        ...


Tell = Callable[[Settled | BaseException], None]


class _Waiting:
    __slots__ = ("answer", "began", "claim", "import_id", "submission", "walk", "walker")

    def __init__(self, submission: Submission, import_id: str | None, walk: Walk) -> None:
        self.submission = submission
        self.import_id = import_id
        self.began = time.monotonic()
        self.walk = walk
        self.walker = Walker(Case(""))
        """Takes the first stretch when its group is formed, unless it had to listen to the network."""
        self.claim = _claim(submission)
        self.answer: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()

    def tell(self, answer: Settled | BaseException) -> None:
        """Answer the caller, unless it went away."""
        if self.answer.done():
            return
        if isinstance(answer, Settled):
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(answer)


class _Mark:
    """Where a lead stood before its group was walked, to walk it again from there."""

    __slots__ = ("_events", "_evidence", "_hearings", "_verdict", "_walker")

    def __init__(self, walker: Walker) -> None:
        self._walker = walker
        self._evidence = walker.case.evidence()
        self._events = len(walker.events)
        self._hearings = len(walker.hearings)
        self._verdict = walker.verdict

    def rewind(self) -> None:
        """Put the lead back there."""
        walker = self._walker
        walker.case = Case(walker.case.lead_id, self._evidence)
        del walker.events[self._events :]
        del walker.hearings[self._hearings :]
        walker.verdict = self._verdict


def _rewind(marks: Sequence[_Mark]) -> None:
    for mark in marks:
        mark.rewind()


class Mill:
    """Takes submissions and walks them. ``group`` is the most leads that share a transaction, ``lanes`` how many
    transactions run at once.

    One lane a process is the quickest: from the market on, a group holds the counters that every other group needs, and
    whatever else the process does meanwhile makes all of them wait. Other processes fill the pauses.
    """

    def __init__(self, kit: Kit, group: int = 64, lanes: int = 1, floor: Waits | None = None) -> None:
        self._kit = kit
        self._floor = floor
        self._group = group
        self._queue: deque[_Waiting] = deque()
        self._idle = lanes
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, submission: Submission, import_id: str | None = None) -> Settled:
        """Walk a submission to its end and return once the outcome is durable.

        A submission with an idempotency key that was answered before gets that answer; with another body it raises
        Conflict ``flow.request.reused``. Raises Transient where the store cannot take it now: nothing is kept then, and
        nothing was promised.
        """
        waiting = _Waiting(submission, import_id, self._kit.walk())
        if waiting.walk.rules.enrichment or self._kit.ears.waits:
            # Listening to the network takes its time: each lead does it by itself, before it joins a group.
            waiting.walker = await fresh_walker(self._kit, waiting.walk, submission, import_id)
        self._queue.append(waiting)
        self._wake()
        return await waiting.answer

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._running:
            await asyncio.wait(self._running)

    def _wake(self) -> None:
        if self._idle and self._queue:
            self._idle -= 1
            task = asyncio.get_running_loop().create_task(self._lane())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _lane(self) -> None:
        try:
            # Whoever is ready in this turn of the loop comes along.
            await asyncio.sleep(0)
            while self._queue:
                group = self._gather()
                fresh = [waiting for waiting in group if not waiting.walker.case.lead_id]
                pace: Pace = {}
                for waiting in fresh:
                    await self._set_out(waiting, pace)
                tell_pace(pace, len(fresh))
                await self._commit(group)
        finally:
            self._idle += 1

    def _gather(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        left: list[_Waiting] = []
        keys: set[tuple[str, str]] = set()
        walk = self._queue[0].walk
        while self._queue and len(taken) < self._group:
            waiting = self._queue.popleft()
            key = _order(waiting.claim) if waiting.claim else None
            if waiting.walk is not walk or key in keys:
                left.append(waiting)
                continue
            if key is not None:
                keys.add(key)
            taken.append(waiting)
        self._queue.extendleft(reversed(left))
        return taken

    async def _commit(self, group: list[_Waiting]) -> None:
        """Walk a group to its end, trying again what is worth it; a group that breaks is walked lead by lead."""
        fault: BaseException | None = None
        before = [_Mark(waiting.walker) for waiting in group]
        for wait in (*_WAITS, None):
            try:
                answers = await self._together(group)
            except RulesMoved as moved:
                fault = moved
                await self._start_over(group)
                before = [_Mark(waiting.walker) for waiting in group]
            except Transient as transient:
                fault = transient
                _rewind(before)
                if wait is None:
                    break
                await asyncio.sleep(wait)
            except Exception as broken:
                fault = broken
                _rewind(before)
                break
            else:
                GROUP_LEADS.observe(len(group))
                for waiting, answer in zip(group, answers, strict=True):
                    self._settle(waiting, answer)
                return
        await self._salvage(group, fault)

    def _settle(self, waiting: _Waiting, answer: Settled | Conflict) -> None:
        """Answer a caller, or have its lead wait on the floor."""
        floor = self._floor
        if isinstance(answer, Conflict):
            waiting.tell(answer)
            return
        walker = waiting.walker
        own = walker.case.lead_id == answer.lead_id
        if answer.state is State.BIDDING and floor is not None:
            if own:
                floor.enter(walker, waiting.claim, waiting.began, waiting.tell)
            elif not floor.join(answer.lead_id, waiting.tell):
                waiting.tell(answer)
            return
        LEADS.labels(answer.state.value, waiting.submission.source_id).inc()
        if own and floor is not None and answer.state is State.SOLD:
            dispatched = walker.case.get(Dispatched)
            if dispatched is not None and any(item.inline for item in dispatched.items):
                floor.deliver(walker, answer, waiting.claim, waiting.began, waiting.tell)
                return
        waiting.tell(answer)

    async def _start_over(self, group: list[_Waiting]) -> None:
        """Walk a group's leads anew from the door, under the configuration in force now."""
        await self._kit.refresh()
        walk = self._kit.walk()
        for waiting in group:
            waiting.walk = walk
            await self._set_out(waiting)

    async def _set_out(self, waiting: _Waiting, pace: Pace | None = None) -> None:
        waiting.walker = await fresh_walker(self._kit, waiting.walk, waiting.submission, waiting.import_id, pace)

    async def _salvage(self, group: list[_Waiting], fault: BaseException | None) -> None:
        if len(group) > 1 and not isinstance(fault, Transient):
            for waiting in group:
                await self._commit([waiting])
            return
        walker = group[0].walker
        if isinstance(fault, Transient) or fault is None or walker.broken:
            for waiting in group:
                waiting.tell(fault or Transient("flow.group.lost"))
            return
        report_broken(walker, fault)
        walker.fail(walker.at, fault, self._kit.clock())
        await self._commit(group)

    async def _together(self, group: list[_Waiting]) -> list[Settled | Conflict]:
        now = self._kit.clock()
        answers: dict[int, Settled | Conflict] = {}
        async with self._kit.db.begin() as tx:
            claims = [w.claim for w in group if w.claim]
            held = await claim_requests(tx, sorted(claims, key=_order), now) if claims else {}
            fresh = []
            for number, waiting in enumerate(group):
                kept = held.get((waiting.claim.scope, waiting.claim.key)) if waiting.claim else None
                if kept is None:
                    fresh.append((number, waiting))
                elif waiting.claim and kept.digest == waiting.claim.digest and kept.answer is not None:
                    answers[number] = _decode(kept.answer)
                else:
                    answers[number] = Conflict("flow.request.reused", "this key was used with another body")
            walkers = [waiting.walker for _, waiting in fresh]
            if walkers:
                await walk_together(tx, walkers, group[0].walk, self._kit.ears, now)
                settled = await self._kit.pen.write_new(tx, walkers, group[0].walk.rules, now)
                answers |= {number: answer for (number, _), answer in zip(fresh, settled, strict=True)}
                repeated = [
                    (w.claim, _encode(answer)) for (_, w), answer in zip(fresh, settled, strict=True) if w.claim
                ]
                if repeated:
                    await keep_answers(tx, repeated)
        return [answers[number] for number in range(len(group))]


async def fresh_walker(
    kit: Kit, walk: Walk, submission: Submission, import_id: str | None = None, pace: Pace | None = None
) -> Walker:
    """A lead new on its walk, taken through the stretch that it walks alone. Whatever breaks there, it is kept for a
    person. Where there is a ``pace``, its time is added there and counted by whoever has it."""
    walker = Walker(Case(kit.mint("lead", submission.received_at), [submission]), import_id)
    walker.events.append(
        LeadReceived(
            at=submission.received_at,
            source=submission.source_id,
            channel=submission.channel,
            digest=submission.digest,
            revision=walk.rules.revision,
            packs=walk.rules.packs,
            mail=walk.rules.mail,
        )
    )
    await walk_alone(walker, walk.alone, kit, pace)
    return walker


async def walk_alone(walker: Walker, steps: Sequence[Step], kit: Kit, pace: Pace | None = None) -> None:
    """Walk a lead through these steps by itself until one stops or holds it."""
    for step in steps:
        walker.at = step.name
        try:
            asks = step.wants(walker.case)
            heard = await _call(kit.ears, asks) if asks else NOTHING
            began = time.perf_counter()
            walker.verdict = walker.take(step, asks, heard, kit.clock(), time.perf_counter_ns)
            took = time.perf_counter() - began
            if pace is None:
                tell_station(step.name, took)
            else:
                pace[step.name] = pace.get(step.name, 0.0) + took
        except Exception as fault:
            report_broken(walker, fault)
            walker.fail(step.name, fault, kit.clock())
        if not walker.going:
            return


async def _call(ears: Ears, asks: Sequence[Ask]) -> Heard:
    if len(asks) == 1:  # without a task of its own
        (ask,) = asks
        return Heard({ask: await ears.callers[type(ask)](ask)})
    answers = await asyncio.gather(*(ears.callers[type(ask)](ask) for ask in asks))
    return Heard(dict(zip(asks, answers, strict=True)))


async def walk_together(
    tx: Tx, walkers: Sequence[Walker], walk: Walk, ears: Ears, now: datetime, start: str | None = None
) -> None:
    """Walk leads through the shared stretch, from the step named ``start`` on, and through what comes after it.

    Nothing comes after it for a lead on which a step broke, nor for one that waits for bids: whoever lets it go on
    walks it there. Raises
    :class:`RulesMoved` where the configuration is not the walk's any more; it cannot move before the commit.
    """
    if await hold(tx) != walk.rules.revision:
        raise RulesMoved("flow.rules.moved", "the configuration has changed; decide again under the new one")
    names = [step.name for step in walk.together]
    for step in walk.together[names.index(start) if start else 0 :]:
        await _station(tx, step, [w for w in walkers if w.going], ears, now)
    sound = [walker for walker in walkers if not walker.broken and not walker.bidding]
    for step in walk.after:
        await _station(tx, step, sound, ears, now, decides=False)


async def _station(
    tx: Tx, step: Step, walkers: Sequence[Walker], ears: Ears, now: datetime, decides: bool = True
) -> None:
    for walker in walkers:
        walker.at = step.name
    wanted = [step.wants(walker.case) for walker in walkers]
    by_type: dict[type[Ask], list[Ask]] = {}
    for asks in wanted:
        for ask in asks:
            by_type.setdefault(type(ask), []).append(ask)
    listening = {kind: await ears.listeners[kind](tx, asks) for kind, asks in by_type.items()}
    began = time.perf_counter()
    for walker, asks in zip(walkers, wanted, strict=True):
        heard = heard_of(asks, lambda ask: listening[type(ask)](ask))
        verdict = walker.take(step, asks, heard, now, time.perf_counter_ns)
        if decides:
            walker.verdict = verdict
        for item in verdict.learned:
            keeper = ears.keepers.get(type(item))
            if keeper is not None:
                keeper(tx, walker.case, item, now)
    if walkers:
        tell_station(step.name, (time.perf_counter() - began) / len(walkers))


def _claim(submission: Submission) -> Claim | None:
    if submission.ping_id is not None:  # a ping is posted against once: that it names the ping is its key
        return Claim(f"post {submission.source_id}", submission.ping_id, bytes.fromhex(submission.digest))
    if submission.idempotency_key is None:
        return None
    # The key of a form of ours is the digest of its answers; how long it took is no part of what was asked.
    digest = submission.idempotency_key if submission.channel == "hosted" else submission.digest
    return Claim(f"leads {submission.source_id}", submission.idempotency_key, bytes.fromhex(digest))


def _order(claim: Claim) -> tuple[str, str]:
    return claim.scope, claim.key


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Settled).decode

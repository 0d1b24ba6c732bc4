"""The run of the retention schedules: once a day by the clock, or by hand, in small steps that can be taken again.

A step looks at some hundred leads or submissions, forgets who is due one person a transaction, and then writes how far
it came. Whoever is stopped in between does a step twice, which changes nothing. A dry run takes the same steps and lets
nothing go.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from leadmill.core.faults import Fault
from leadmill.core.spans import before
from leadmill.flow.forgetting import forget
from leadmill.flow.kit import Kit
from leadmill.flow.retaining import store
from leadmill.privacy import (
    RETAIN,
    Due,
    Kept,
    RetentionRan,
    Run,
    Schedule,
    Seen,
    Tally,
    Terms,
    Unruled,
    added_up,
    all_due,
    begin_run,
    digest_of_terms,
    find_run,
    holds_on,
    in_turn,
    judge_keeping,
    move_run,
)
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import enqueue
from leadmill.runtime.telemetry import RETENTION, RETENTION_RAN, log

_AT_A_TIME = 200
"""Leads or submissions that a step looks at; rows that it deletes are ten times as many."""

_NOTHING = Tally()
Tallies = Mapping[str, Tally]


class Outside(Protocol):
    """What lies outside the store."""

    async def old_files(self, before: datetime, dry: bool) -> int:
        """Delete the files of the drop folder that are as old as that; with ``dry`` only count them."""
        ...


class _Step(Struct, frozen=True):
    """What a step found by schedule, and where the next one begins; None where the schedule is through."""

    tallies: Tallies
    after: str | None = None


async def plan_retention(tx: Tx, kit: Kit, now: datetime) -> bool:
    """Owe the run of the day (UTC), once; whether it was owed now."""
    day = now.astimezone(UTC).date()
    run = Run(id=kit.mint("ret", now), at=now, by="the clock", dry=False, state="running", day=day)
    if not await begin_run(tx, run):
        return False
    _owe(tx, kit, run.id, now)
    return True


async def begin_by_hand(tx: Tx, kit: Kit, by: str, dry: bool, now: datetime, owe: bool = True) -> Run:
    """Begin a run because somebody says so; with ``owe`` a worker carries it out."""
    run = Run(id=kit.mint("ret", now), at=now, by=by, dry=dry, state="running")
    await begin_run(tx, run)
    if owe:
        _owe(tx, kit, run.id, now)
    return run


def _owe(tx: Tx, kit: Kit, run_id: str, now: datetime) -> None:
    enqueue(tx, RETAIN, run_id, {"run_id": run_id}, now, now, kit.mint, dedupe=f"{RETAIN}:{run_id}")


class Runner:
    """Carries runs out."""

    def __init__(self, kit: Kit, outside: Outside) -> None:
        self._kit = kit
        self._outside = outside

    async def carry_out(self, run_id: str, told: Callable[[Run], None] = lambda _: None) -> Run | None:
        """Take the steps of a run until it is through; the run as it stands then. None where there is no such run.
        ``told`` hears of each step."""
        while True:
            async with self._kit.db.begin() as tx:
                run = await find_run(tx, run_id)
            if run is None or run.state == "done":
                return run
            terms = self._kit.walk().rules.retention
            order = in_turn(terms)
            one = next((each for each in order if each.id == run.place), None)
            if one is None:
                # It begins, or the schedule it stood at is no more: what was done by then is not done again.
                one, run = (order[0] if order else None), msgspec.structs.replace(run, after="", tallies={})
            if one is None:
                step, following = _Step({}), None
            else:
                step = await self._step(terms, one, run)
                following = next((each for each in order[order.index(one) + 1 :]), None)
            run = await self._move(run, terms, one, step, following)
            told(run)

    async def _move(self, run: Run, terms: Terms, one: Schedule | None, step: _Step, following: Schedule | None) -> Run:
        now = self._kit.clock()
        tallies = {name: run.tallies.get(name, _NOTHING) for name in ({one.id} if one is not None else set())}
        tallies = {**run.tallies, **tallies}
        for name, tally in step.tallies.items():
            tallies[name] = added_up(tallies.get(name, _NOTHING), tally)
        done = step.after is None and following is None
        place = one.id if one is not None and step.after is not None else following.id if following is not None else ""
        moved = msgspec.structs.replace(
            run,
            place=place,
            after=step.after or "",
            tallies=tallies,
            state="done" if done else "running",
            ended_at=now if done else None,
        )
        async with self._kit.db.begin() as tx:
            await move_run(tx, moved)
            if done and not moved.dry:
                await store.end_proofs(tx, now)
            if done and not moved.dry:
                went = {name: tally.went for name, tally in tallies.items() if tally.went}
                event = RetentionRan(at=now, by=moved.by, went=went, digest=digest_of_terms(terms))
                await self._kit.pen.append(tx, moved.id, [event], now)
                tx.after(lambda: RETENTION_RAN.set(now.timestamp()))
        if not moved.dry:
            _count(terms, step.tallies)
        return moved

    async def _step(self, terms: Terms, one: Schedule, run: Run) -> _Step:
        now = self._kit.clock()
        until = before(now, one.keep)
        if one.what == "leads":
            return await self._leads(terms, one, run, until, now)
        if one.what == "submissions":
            return await self._bodies(terms, one, run, until, now)
        if one.what == "files":
            return _Step({one.id: Tally(went=await self._outside.old_files(until, run.dry))})
        async with self._kit.db.begin() as tx:
            if run.dry:
                return _Step({one.id: Tally(went=await store.count_old(tx, one.what, until))})
            most = 10 * _AT_A_TIME
            went = await store.drop_old(tx, one.what, until, most)
        return _Step({one.id: Tally(went=went)}, "more" if went == most else None)

    async def _leads(self, terms: Terms, one: Schedule, run: Run, until: datetime, now: datetime) -> _Step:
        async with self._kit.db.begin() as tx:
            found = await store.old_leads(tx, one, run.after, until, _AT_A_TIME)
            groups = await store.held_together(tx, sorted({person for _, person in found}))
            every = [person for persons in groups.values() for person in persons]
            seen = await _with_holds(tx, await store.seen_of(tx, every), groups)
        verdicts = {each.id: judge_keeping(each, terms, now) for each in seen}
        head_of = {person: head for head, persons in groups.items() for person in persons}
        leads_of: dict[str, list[Seen]] = {head: [] for head in groups}
        for each in seen:
            leads_of[head_of[each.person_id]].append(each)
        tallies: dict[str, Tally] = {}
        over: set[str] = set()
        for lead_id, person in found:
            head = head_of.get(person, "")
            verdict = verdicts.get(lead_id, Unruled())
            if head in over or _schedule_of(verdict) != one.id:
                continue
            theirs = leads_of[head]
            if not isinstance(verdict, Due):
                _add(tallies, one.id, _kept(verdict))
            elif not all_due(verdicts[each.id] for each in theirs):
                _add(tallies, one.id, Tally(waits=1))
            elif run.dry:
                first = lead_id == min(each.id for each in theirs)
                _add(tallies, one.id, Tally(went=1, persons=len(groups[head]) if first else 0))
            else:
                over.add(head)
                for name, tally in (await self._forget(terms, one, groups[head])).items():
                    _add(tallies, name, tally)
        return _Step(tallies, found[-1][0] if len(found) == _AT_A_TIME else None)

    async def _forget(self, terms: Terms, one: Schedule, persons: Sequence[str]) -> Tallies:
        """Forget one human being, having looked once more inside the transaction that does it."""
        try:
            async with self._kit.db.begin() as tx:
                now = self._kit.clock()
                groups = {persons[0]: list(persons)}
                theirs = await _with_holds(tx, await store.seen_of(tx, persons), groups)
                verdicts = [judge_keeping(each, terms, now) for each in theirs]
                if not all_due(verdicts):
                    return {one.id: Tally(waits=1)}
                gone = await forget(tx, self._kit, persons[0], f"retention {one.id}", now)
        except Fault as fault:
            log("retention").warning("a person could not be forgotten; the next run tries again", code=fault.code)
            return {one.id: Tally(failed=1)}
        tallies: dict[str, Tally] = {one.id: Tally(persons=len(gone.persons))}
        for verdict in verdicts:
            _add(tallies, _schedule_of(verdict), Tally(went=1))
        return tallies

    async def _bodies(self, terms: Terms, one: Schedule, run: Run, until: datetime, now: datetime) -> _Step:
        tally = _NOTHING
        async with self._kit.db.begin() as tx:
            found = await store.old_bodies(tx, one, run.after, until, _AT_A_TIME)
            leads = await store.seen_leads(tx, sorted({lead for _, lead in found}))
            groups = await store.held_together(tx, sorted({each.person_id for each in leads.values()}))
            seen = {each.id: each for each in await _with_holds(tx, list(leads.values()), groups)}
            gone = []
            for submission, lead in found:
                verdict = judge_keeping(seen[lead], terms, now, "submissions")
                if isinstance(verdict, Due) and verdict.schedule == one.id:
                    gone.append(submission)
                elif _schedule_of(verdict) == one.id:
                    tally = added_up(tally, _kept(verdict))
            went = len(gone) if run.dry else await store.empty_bodies(tx, gone)
        return _Step({one.id: added_up(tally, Tally(went=went))}, found[-1][0] if len(found) == _AT_A_TIME else None)


async def _with_holds(tx: Tx, seen: Sequence[Seen], groups: Mapping[str, Sequence[str]]) -> list[Seen]:
    """The same with the holds on each lead and on any person who is held to be one with theirs."""
    mates = {person: persons for persons in groups.values() for person in persons}
    persons = {mate for each in seen for mate in mates.get(each.person_id, (each.person_id,))}
    held = await holds_on(tx, sorted({each.id for each in seen} | persons))
    if not held:
        return list(seen)
    return [msgspec.structs.replace(each, held=tuple(_holds_of(each, mates, held))) for each in seen]


def _holds_of(each: Seen, mates: Mapping[str, Sequence[str]], held: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for subject in (each.id, *mates.get(each.person_id, (each.person_id,))):
        yield from held.get(subject, ())


def _schedule_of(verdict: Due | Kept | Unruled) -> str:
    """The schedule under which something is due, or would be if nothing else kept it."""
    return "" if isinstance(verdict, Unruled) else verdict.schedule


def _kept(verdict: Due | Kept | Unruled) -> Tally:
    by = verdict.by if isinstance(verdict, Kept) else ""
    return Tally(held=int(by == "hold"), law=int(by == "law"), busy=int(by == "busy"))


def _add(tallies: dict[str, Tally], name: str, tally: Tally) -> None:
    tallies[name] = added_up(tallies.get(name, _NOTHING), tally)


def _count(terms: Terms, tallies: Tallies) -> None:
    for name, tally in tallies.items():
        what = terms.schedules[name].what if name in terms.schedules else "leads"
        for outcome in Tally.__struct_fields__:
            number = getattr(tally, outcome)
            if number and outcome != "persons":
                RETENTION.labels(what, outcome).inc(number)

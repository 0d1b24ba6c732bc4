"""The walk of a file's portions: each made ready while the one before is written, each one transaction.

Run by the process that has the file and by those that help it, which may all be stopped at any time: what was taken
of a block is written with its leads, and whoever finds rows taken that it was about to take leaves them.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from leadmill.capture import (
    ImportBlock,
    ImportFault,
    ImportRun,
    Lexicon,
    RowFault,
    Submission,
    accept_submission,
)
from leadmill.capture.store import claim_block, keep_fault, move_block
from leadmill.core.faults import BadInput, Permanent, Transient
from leadmill.core.reasons import State
from leadmill.flow.importing.handing import TURN
from leadmill.flow.importing.model import Portion, Work
from leadmill.flow.kit import Kit
from leadmill.flow.model import Settled
from leadmill.flow.pipeline import Walk
from leadmill.flow.runner import fresh_walker, walk_together
from leadmill.flow.walker import Walker
from leadmill.flow.watching import Pace, report_broken, tell_pace

_WAITS = (0.05, 0.5, 2.0)
"""Seconds between tries of a portion that the store could not take."""


class _Ready(Struct, frozen=True):
    """A portion made ready under the rules of ``walk``: leads at the end of their stretch alone, and what could not be
    taken."""

    portion: Portion
    walk: Walk
    walkers: list[Walker]
    faults: list[ImportFault]


class _Taken(Exception):
    """Rows of a portion were taken by somebody else."""

    def __init__(self, block: ImportBlock) -> None:
        super().__init__(block.block)
        self.block = block


class _Broken(Exception):
    """A portion could not be walked; the first of its leads was at ``step``."""

    def __init__(self, step: str, fault: Exception) -> None:
        super().__init__(step)
        self.step = step
        self.fault = fault


async def walk_portions(kit: Kit, run: ImportRun, work: Work) -> None:
    """Walk portions until none is left; the next one is made ready while the last one is written."""
    ready = await _draw(kit, run, work)
    while ready is not None:
        ahead = asyncio.create_task(_draw(kit, run, work))
        try:
            await _take(kit, run, ready, work)
            ready = await ahead
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def _draw(kit: Kit, run: ImportRun, work: Work) -> _Ready | None:
    portion = await work.draw()
    return await _prepare(kit, run, portion) if portion is not None else None


async def _prepare(kit: Kit, run: ImportRun, portion: Portion) -> _Ready:
    """Walk rows through the stretch that leads walk alone, a little at a time; it reads and writes nothing."""
    now = kit.clock()
    walk = kit.walk()
    walkers: list[Walker] = []
    faults: list[ImportFault] = []
    pace: Pace = {}
    turn = time.perf_counter() + TURN
    for line, row in portion.rows:
        found = _submission(kit, run, row, line, now, walk.rules.lexicon)
        if isinstance(found, ImportFault):
            faults.append(found)
        else:
            walkers.append(await fresh_walker(kit, walk, found, run.id, pace))
        if time.perf_counter() > turn:
            await asyncio.sleep(0)
            turn = time.perf_counter() + TURN
    tell_pace(pace, len(walkers))
    return _Ready(portion, walk, walkers, faults)


async def _take(kit: Kit, run: ImportRun, ready: _Ready, work: Work, broken: _Broken | None = None) -> None:
    portion = ready.portion
    try:
        block = await _try(kit, run, ready, work, broken)
    except _Taken as found:
        work.tell(found.block)
        rest = portion.beyond(found.block.taken)
        if rest.rows:
            await _take(kit, run, await _prepare(kit, run, rest), work)
    except _Broken as fault:
        # A row on which a step breaks must not keep the others from their way.
        alone = fault if len(portion.rows) == 1 else None
        for one in portion.singly():
            await _take(kit, run, await _prepare(kit, run, one), work, alone)
    else:
        work.tell(block)


async def _try(kit: Kit, run: ImportRun, ready: _Ready, work: Work, broken: _Broken | None) -> ImportBlock:
    for wait in _WAITS:
        try:
            return await _write(kit, run, ready, work, broken)
        except Transient:
            await asyncio.sleep(wait)
            await kit.refresh()
            # What was walked together cannot be walked again, and the rules may be others.
            ready = await _prepare(kit, run, ready.portion)
    return await _write(kit, run, ready, work, broken)


async def _write(kit: Kit, run: ImportRun, ready: _Ready, work: Work, broken: _Broken | None) -> ImportBlock:
    first = ready.walkers[0] if ready.walkers else None
    if broken is not None and first is not None and not first.broken:
        first.at = broken.step
        report_broken(first, broken.fault)
        first.fail(broken.step, broken.fault, kit.clock())
    try:
        return await _keep(kit, run, ready, work)
    except (Transient, BadInput, _Taken):
        raise
    except Exception as fault:
        if broken is not None or first is None:
            raise
        raise _Broken(first.at, fault) from fault


async def _keep(kit: Kit, run: ImportRun, ready: _Ready, work: Work) -> ImportBlock:
    now = kit.clock()
    portion = ready.portion
    async with kit.db.begin() as tx:
        held = await claim_block(tx, run.id, portion.block)
        if held.taken < portion.skip:
            raise Permanent("flow.import.forgotten", "the store knows less of this import than it did: start it again")
        if held.taken > portion.skip:
            raise _Taken(held)
        settled: list[Settled] = []
        if ready.walkers:
            await walk_together(tx, ready.walkers, ready.walk, kit.ears, now)
            settled = await kit.pen.write_new(tx, ready.walkers, ready.walk.rules, now)
        for fault in ready.faults:
            keep_fault(tx, fault)
        counts = _counted(held.counts, settled, ready.faults)
        block = ImportBlock(block=portion.block, taken=portion.end, counts=counts)
        await move_block(tx, run.id, block)
        await work.mark(tx, block)
    return block


def _submission(
    kit: Kit, run: ImportRun, body: bytes | RowFault, line: int, now: datetime, lexicon: Lexicon
) -> Submission | ImportFault:
    if isinstance(body, RowFault):
        return ImportFault(import_id=run.id, line=line, code=body.code, detail=body.detail, at=now)
    submission = Submission(
        id=kit.mint("sub", now),
        source_id=run.source_id,
        channel="file",
        received_at=now,
        content_type="application/json",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        vertical=run.vertical,
    )
    try:
        accept_submission(submission, lexicon, (run.vertical,))
    except BadInput as fault:
        told = "; ".join(f"{entry.pointer}: {entry.detail}" for entry in fault.errors) or fault.detail
        code = fault.errors[0].code if fault.errors else fault.code
        return ImportFault(import_id=run.id, line=line, code=code, detail=told, at=now)
    return submission


def _counted(counts: dict[str, int], settled: Iterable[Settled], faults: Iterable[ImportFault]) -> dict[str, int]:
    counts = dict(counts)
    for one in settled:
        state = State.ACCEPTED if one.state in (State.NURTURE, State.UNSOLD) else one.state
        key = f"rejected.{one.because[0].code}" if state is State.REJECTED and one.because else state.value
        counts[key] = counts.get(key, 0) + 1
    for fault in faults:
        key = f"rejected.{fault.code}"
        counts[key] = counts.get(key, 0) + 1
    return counts

"""A file of leads through the whole walk, in chunks, exactly once.

Called by ``leadmill import`` and by the worker for files uploaded in the console. A chunk's leads, its faults and the
place it ends at are one transaction: stopped at any point and started again, a file goes on where it was, and no row
is taken twice. While a chunk waits for the store, the next one already walks the stretch that its leads walk alone.
"""

import asyncio
import csv
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from leadmill.capture import (
    FileMap,
    ImportFault,
    ImportRun,
    Lexicon,
    RowFault,
    Submission,
    accept_submission,
    check_map,
    count_rows,
    digest_file,
    read_rows,
)
from leadmill.capture.store import keep_fault, lock_import, move_import, read_faults, start_import
from leadmill.core.faults import BadInput, Conflict, NotFound, Transient
from leadmill.core.reasons import State
from leadmill.flow.kit import Kit
from leadmill.flow.model import Settled
from leadmill.flow.pipeline import Walk
from leadmill.flow.runner import fresh_walker, report_broken, walk_together
from leadmill.flow.walker import Walker

CHUNK = 200
"""Rows a transaction."""

_WAITS = (0.05, 0.5, 2.0)
"""Seconds between tries of a chunk that the store could not take."""

_TURN = 0.001
"""Seconds of preparing after which whoever else has something to do gets the loop: the chunk that is being written
holds the counters of its orders, and must take up the store's replies as they come."""

Row = tuple[int, dict[str, object] | RowFault]
"""A row of the file with its line, or why it could not be read."""

Progress = Callable[[ImportRun], None]


class _Chunk(Struct, frozen=True):
    """Rows made ready under the rules of ``walk``: leads at the end of their stretch alone, and what could not be
    taken."""

    rows: list[Row]
    walk: Walk
    walkers: list[Walker]
    faults: list[ImportFault]


class Summary(Struct, frozen=True):
    """What became of a file: ``read`` rows, and as many leads and faults by outcome. ``accepted`` counts nurture and
    unsold leads; ``rejected`` has one count a code, rows that could not be taken included."""

    import_id: str
    read: int
    sold: int
    assigned: int
    accepted: int
    review: int
    duplicate: int
    test: int
    rejected: dict[str, int]
    errors_file: str | None


async def import_file(
    kit: Kit, path: Path, source_id: str, vertical: str, mapping: FileMap, progress: Progress, name: str = ""
) -> Summary:
    """Take a file in, or go on with one that was begun.

    Raises BadInput for an unknown source or vertical or a file that cannot be read at all, and Conflict
    ``flow.import.taken`` where another process is working on the same file.
    """
    run = await begin_import(kit, path, source_id, vertical, mapping, name)
    progress(run)
    if run.state != "done":
        run = await _take_rows(kit, run, islice(read_rows(path, mapping), run.next_row, None), progress)
    return summary_of(run, await write_errors(kit, run.id, path.with_name(f"{path.stem}.errors.csv")))


async def begin_import(
    kit: Kit, path: Path, source_id: str, vertical: str, mapping: FileMap, name: str = ""
) -> ImportRun:
    """Note a file to be taken in, or find the run that was begun with it. Raises as :func:`import_file`."""
    walk = kit.walk()
    source = walk.rules.roster.sources.get(source_id)
    if source is None:
        known = ", ".join(sorted(walk.rules.roster.sources)) or "none yet: apply one first"
        raise NotFound("flow.import.source", f"no source {source_id}; known: {known}")
    canonical = walk.rules.lexicon.vertical(vertical)
    if canonical not in source.verticals:
        raise BadInput("flow.import.vertical", f"the source {source_id} does not send {canonical}")
    check_map(mapping, walk.rules.verticals[canonical])
    digest, total = await asyncio.to_thread(_look, path, mapping)
    now = kit.clock()
    async with kit.db.begin() as tx:
        run = await start_import(
            tx,
            kit.mint("imp", now),
            file_digest=digest,
            map_digest=mapping.digest,
            source_id=source_id,
            vertical=canonical,
            file_name=name or path.name,
            errors_file=None,
            at=now,
        )
    return msgspec.structs.replace(run, total=run.total if run.total is not None else total)


def _look(path: Path, mapping: FileMap) -> tuple[str, int | None]:
    """The file's digest and about how many rows it has; BadInput for one that cannot be read at all, before anything
    is noted of it."""
    for _ in read_rows(path, mapping):
        break
    return digest_file(path), count_rows(path)


async def fail_import(kit: Kit, import_id: str) -> None:
    """Note that an import cannot go on by itself; taking the same file in again goes on where it stopped."""
    async with kit.db.begin() as tx:
        held = await lock_import(tx, import_id)
        if held.state == "running":
            await move_import(tx, msgspec.structs.replace(held, state="failed", changed_at=kit.clock()))


async def _take_rows(kit: Kit, run: ImportRun, rows: Iterator[Row], progress: Progress) -> ImportRun:
    """Take all rows in; the next chunk is made ready while the last one is written."""
    ready = await _prepare(kit, run, list(islice(rows, CHUNK)))
    while ready.rows:
        ahead = asyncio.create_task(_read_ahead(kit, run, rows))
        try:
            run = await _take_chunk(kit, run, ready)
            progress(run)
            ready = await ahead
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
    run = await _finish(kit, run)
    progress(run)
    return run


async def _read_ahead(kit: Kit, run: ImportRun, rows: Iterator[Row]) -> _Chunk:
    chunk = []
    turn = time.perf_counter() + _TURN
    for row in islice(rows, CHUNK):
        chunk.append(row)
        if time.perf_counter() > turn:
            await asyncio.sleep(0)
            turn = time.perf_counter() + _TURN
    return await _prepare(kit, run, chunk)


async def _prepare(kit: Kit, run: ImportRun, rows: list[Row]) -> _Chunk:
    """Walk rows through the stretch that leads walk alone, a little at a time; it reads and writes nothing."""
    now = kit.clock()
    walk = kit.walk()
    walkers: list[Walker] = []
    faults: list[ImportFault] = []
    turn = time.perf_counter() + _TURN
    for line, row in rows:
        found = _submission(kit, run, row, line, now, walk.rules.lexicon)
        if isinstance(found, ImportFault):
            faults.append(found)
        else:
            walkers.append(await fresh_walker(kit, walk, found, run.id))
        if time.perf_counter() > turn:
            await asyncio.sleep(0)
            turn = time.perf_counter() + _TURN
    return _Chunk(rows, walk, walkers, faults)


async def _take_chunk(kit: Kit, run: ImportRun, chunk: _Chunk) -> ImportRun:
    try:
        return await _try_chunk(kit, run, chunk)
    except _Broken as broken:
        if len(chunk.rows) == 1:
            return await _try_chunk(kit, run, await _prepare(kit, run, chunk.rows), broken)
    # A row on which a step breaks must not keep the others from their way.
    for row in chunk.rows:
        run = await _take_chunk(kit, run, await _prepare(kit, run, [row]))
    return run


async def _try_chunk(kit: Kit, run: ImportRun, chunk: _Chunk, broken: "_Broken | None" = None) -> ImportRun:
    for wait in _WAITS:
        try:
            return await _write_chunk(kit, run, chunk, broken)
        except Transient:
            await asyncio.sleep(wait)
            await kit.refresh()
            # What was walked together cannot be walked again, and the rules may be others.
            chunk = await _prepare(kit, run, chunk.rows)
    return await _write_chunk(kit, run, chunk, broken)


class _Broken(Exception):
    """A chunk could not be walked; the first of its leads was at ``step``."""

    def __init__(self, step: str, fault: Exception) -> None:
        super().__init__(step)
        self.step = step
        self.fault = fault


async def _write_chunk(kit: Kit, run: ImportRun, chunk: _Chunk, broken: _Broken | None) -> ImportRun:
    first = chunk.walkers[0] if chunk.walkers else None
    if broken is not None and first is not None and not first.broken:
        first.at = broken.step
        report_broken(first, broken.fault)
        first.fail(broken.step, broken.fault, kit.clock())
    try:
        return await _keep_chunk(kit, run, chunk)
    except (Transient, BadInput):
        raise
    except Exception as fault:
        if broken is not None or first is None:
            raise
        raise _Broken(first.at, fault) from fault


async def _keep_chunk(kit: Kit, run: ImportRun, chunk: _Chunk) -> ImportRun:
    now = kit.clock()
    walk = chunk.walk
    async with kit.db.begin() as tx:
        held = await lock_import(tx, run.id)
        if held.next_row != run.next_row or held.state == "done":
            raise Conflict("flow.import.taken", "another process is taking this file in")
        settled: list[Settled] = []
        if chunk.walkers:
            await walk_together(tx, chunk.walkers, walk, kit.ears, now)
            settled = await kit.pen.write_new(tx, chunk.walkers, walk.rules, now)
        for fault in chunk.faults:
            keep_fault(tx, fault)
        moved = msgspec.structs.replace(
            held,
            state="running",
            total=run.total,
            next_row=run.next_row + len(chunk.rows),
            counts=_counted(held.counts, settled, chunk.faults),
            changed_at=now,
        )
        await move_import(tx, moved)
    return moved


def _submission(
    kit: Kit, run: ImportRun, row: "dict[str, object] | RowFault", line: int, now: datetime, lexicon: Lexicon
) -> Submission | ImportFault:
    if isinstance(row, RowFault):
        return ImportFault(import_id=run.id, line=line, code=row.code, detail=row.detail, at=now)
    body = msgspec.json.encode(row)
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


async def _finish(kit: Kit, run: ImportRun) -> ImportRun:
    async with kit.db.begin() as tx:
        held = await lock_import(tx, run.id)
        done = msgspec.structs.replace(held, state="done", total=held.next_row, changed_at=kit.clock())
        await move_import(tx, done)
    return done


def summary_of(run: ImportRun, errors_file: str | None = None) -> Summary:
    """A run's counts as its summary."""
    counts = run.counts
    return Summary(
        import_id=run.id,
        read=run.next_row,
        sold=counts.get("sold", 0),
        assigned=counts.get("assigned", 0),
        accepted=counts.get("accepted", 0),
        review=counts.get("review", 0),
        duplicate=counts.get("duplicate", 0),
        test=counts.get("test", 0),
        rejected={key.removeprefix("rejected."): n for key, n in sorted(counts.items()) if key.startswith("rejected.")},
        errors_file=errors_file or run.errors_file,
    )


async def write_errors(kit: Kit, import_id: str, target: Path) -> str | None:
    """Write the errors file of an import: a line of the imported file, a code, and what to do; no value of the row. Its
    path, or None where every row could be taken."""
    after = 0
    faults: list[ImportFault] = []
    with target.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["line", "code", "detail"])
        while True:
            async with kit.db.begin() as tx:
                faults = await read_faults(tx, import_id, after, CHUNK)
            lines.writerows([fault.line, fault.code, fault.detail] for fault in faults)
            if len(faults) < CHUNK:
                break
            after = faults[-1].line
    if after or faults:
        return str(target)
    await asyncio.to_thread(target.unlink)
    return None

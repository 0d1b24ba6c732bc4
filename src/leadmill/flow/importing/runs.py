"""An import from its beginning to its summary.

Called by the command line, and by the worker for uploaded files.
"""

import asyncio
import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec

from leadmill.capture import FileMap, ImportBlock, ImportFault, ImportRun, check_map, count_rows, digest_file, read_rows
from leadmill.capture.store import lock_import, move_import, read_blocks, read_faults, start_import
from leadmill.core.faults import BadInput, NotFound
from leadmill.flow.importing.handing import Foreman, Rows, Tally
from leadmill.flow.importing.model import Hand, Progress, Summary
from leadmill.flow.importing.walking import walk_portions
from leadmill.flow.kit import Kit

_FAULTS = 200
"""Rows that could not be taken, read at a time."""


async def import_file(
    kit: Kit,
    path: Path,
    source_id: str,
    vertical: str,
    mapping: FileMap,
    progress: Progress,
    name: str = "",
    hands: Sequence[Hand] = (),
) -> Summary:
    """Take a file in, or go on with one that was begun; ``hands`` are other processes that help.

    Raises BadInput for an unknown source or vertical or a file that cannot be read at all. Whoever takes in the same
    file at the same time takes other rows of it, and both tell the same summary.
    """
    run, blocks = await _begin(kit, path, source_id, vertical, mapping, name)
    progress(run)
    if run.state != "done":
        run = await _take_rows(kit, run, blocks, read_rows(path, mapping), progress, hands)
    return summary_of(run, await write_errors(kit, run.id, path.with_name(f"{path.stem}.errors.csv")))


async def begin_import(
    kit: Kit, path: Path, source_id: str, vertical: str, mapping: FileMap, name: str = ""
) -> ImportRun:
    """Note a file to be taken in, or find the run that was begun with it. Raises as :func:`import_file`."""
    return (await _begin(kit, path, source_id, vertical, mapping, name))[0]


async def _begin(
    kit: Kit, path: Path, source_id: str, vertical: str, mapping: FileMap, name: str
) -> tuple[ImportRun, list[ImportBlock]]:
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
        blocks = await read_blocks(tx, run.id) if run.state != "done" else []
    if blocks:
        tally = Tally(blocks)
        run = msgspec.structs.replace(run, next_row=tally.rows, counts=tally.counts)
    return msgspec.structs.replace(run, total=run.total if run.total is not None else total), blocks


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


async def _take_rows(
    kit: Kit, run: ImportRun, blocks: Sequence[ImportBlock], rows: Rows, progress: Progress, hands: Sequence[Hand]
) -> ImportRun:
    """Take all rows in, this process and the hands each their own portions."""
    foreman = Foreman(kit, run, Tally(blocks), rows, progress)
    helping = [asyncio.create_task(foreman.employ(hand)) for hand in hands]
    try:
        await walk_portions(kit, run, foreman)
        foreman.dismiss()
        for task in helping:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        # What hands had that were lost is there again.
        await walk_portions(kit, run, foreman)
    finally:
        for task in helping:
            task.cancel()
        await asyncio.gather(*helping, return_exceptions=True)
    run = await _finish(kit, foreman.run)
    progress(run)
    return run


async def _finish(kit: Kit, run: ImportRun) -> ImportRun:
    """Sum up the blocks: several processes took them, perhaps in several attempts."""
    async with kit.db.begin() as tx:
        await lock_import(tx, run.id)
        tally = Tally(await read_blocks(tx, run.id))
        done = msgspec.structs.replace(
            run, state="done", total=tally.rows, next_row=tally.rows, counts=tally.counts, changed_at=kit.clock()
        )
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
                faults = await read_faults(tx, import_id, after, _FAULTS)
            lines.writerows([fault.line, fault.code, fault.detail] for fault in faults)
            if len(faults) < _FAULTS:
                break
            after = faults[-1].line
    if after or faults:
        return str(target)
    await asyncio.to_thread(target.unlink, missing_ok=True)
    return None

"""Files uploaded in the console, on their way to the worker.

Called by the import page through its wiring, and by the worker's handler of ``file.import`` jobs. The file lies in
the home folder until its import is done; the run's progress is the one that the command line shows.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

from leadmill.capture import ImportRun, read_map
from leadmill.core.faults import Permanent
from leadmill.flow.importing import begin_import, fail_import, import_file
from leadmill.interfaces.house import House
from leadmill.interfaces.wiring import FileGiven
from leadmill.runtime.jobs import Handler, Job, enqueue, is_owed

IMPORT = "file.import"
"""The kind of job that takes an uploaded file in."""


class Upload(Struct, frozen=True):
    """A job's payload: where the file lies and which import it is."""

    path: str
    source_id: str
    vertical: str
    name: str


async def start_upload(house: House, given: FileGiven) -> str:
    """Set an uploaded file going; the import's id. Raises what ``begin_import`` raises.

    The file stays only for a job that will take it away: one that is refused is deleted, and so is the second copy of a
    file whose import is owed already.
    """
    owed = False
    try:
        run = await begin_import(house.kit, given.path, given.source_id, given.vertical, read_map(None), given.name)
        payload = Upload(str(given.path), run.source_id, run.vertical, given.name)
        async with house.db.begin() as tx:
            job = enqueue(tx, IMPORT, run.id, payload, given.at, given.at, house.mint, dedupe=f"import {run.id}")
        # From here on a worker may have the file; no job of this id is one that has ended or one that never was.
        owed = True
        async with house.db.begin() as tx:
            owed = await is_owed(tx, job)
    finally:
        if not owed:
            await asyncio.to_thread(given.path.unlink, True)
    return run.id


def take_upload(house: House) -> Handler:
    """The handler of import jobs. A file whose import was stopped goes on where it was."""

    async def handle(job: Job) -> None:
        given = job.read(Upload)
        path = Path(given.path)
        try:
            if not await asyncio.to_thread(path.is_file):
                raise Permanent("import.file.gone", "the uploaded file is not there any more; upload it again")
            done = await import_file(
                house.kit, path, given.source_id, given.vertical, read_map(None), _quiet, given.name
            )
        except Permanent:
            await fail_import(house.kit, job.subject or "")
            await asyncio.to_thread(path.unlink, True)  # it goes on with a new upload
            raise
        if done.errors_file:  # the page writes one from the store for whoever asks
            await asyncio.to_thread(Path(done.errors_file).unlink, True)
        await asyncio.to_thread(path.unlink, True)

    return handle


def _quiet(_: ImportRun) -> None:
    """The run's row in the store is what the page reads."""

"""Every read and write of capture's tables.

Submissions are written by the pen in ``flow`` within the lead's own transaction; imports by the import flow, whose
progress is committed in the same transaction as the leads it took, which is what makes a restart exact.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec
import sqlalchemy as sa

from leadmill.capture.model import ImportBlock, ImportFault, ImportRun, ImportState, StoredSubmission, Submission
from leadmill.capture.tables import IMPORT_BLOCK, IMPORT_FAULT, IMPORT_RUN, SUBMISSION
from leadmill.core.faults import NotFound
from leadmill.runtime.db import Row, Tx, prepared

_BY_LEAD = prepared(
    sa.select(SUBMISSION).where(SUBMISSION.c.lead_id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text))))
)
_BY_ID = sa.select(SUBMISSION).where(SUBMISSION.c.id == sa.bindparam("id", type_=sa.Text))

_START = """
INSERT INTO import_run (id, file_digest, map_digest, source_id, vertical, file_name, state, total, next_row, counts,
                        errors_file, started_at, changed_at)
VALUES (:id, :file_digest, :map_digest, :source_id, :vertical, :file_name, 'running', NULL, 0, '{}', :errors_file,
:at, :at) ON CONFLICT (file_digest, map_digest, source_id, vertical) DO NOTHING
"""
_START_RUN = sa.text(_START).bindparams(
    *(
        sa.bindparam(name, type_=sa.Text)
        for name in ("id", "file_digest", "map_digest", "source_id", "vertical", "file_name", "errors_file")
    ),
    sa.bindparam("at", type_=sa.DateTime(timezone=True)),
)
_SAME_RUN = (
    sa.select(IMPORT_RUN)
    .where(
        IMPORT_RUN.c.file_digest == sa.bindparam("file_digest", type_=sa.Text),
        IMPORT_RUN.c.map_digest == sa.bindparam("map_digest", type_=sa.Text),
        IMPORT_RUN.c.source_id == sa.bindparam("source_id", type_=sa.Text),
        IMPORT_RUN.c.vertical == sa.bindparam("vertical", type_=sa.Text),
    )
    .with_for_update()
)
_LOCK_RUN = sa.select(IMPORT_RUN).where(IMPORT_RUN.c.id == sa.bindparam("id", type_=sa.Text)).with_for_update()
_MOVE_RUN = prepared(
    sa.update(IMPORT_RUN)
    .where(IMPORT_RUN.c.id == sa.bindparam("run", type_=sa.Text))
    .values(
        state=sa.bindparam("state_", type_=sa.Text),
        total=sa.bindparam("total_", type_=sa.BigInteger),
        next_row=sa.bindparam("next_row_", type_=sa.BigInteger),
        counts=sa.bindparam("counts_", type_=sa.Text),
        errors_file=sa.bindparam("errors_file_", type_=sa.Text),
        changed_at=sa.bindparam("changed_at_", type_=sa.DateTime(timezone=True)),
    )
)
_CLAIM_BLOCK = prepared(
    sa.text(
        "INSERT INTO import_block AS b (import_id, block, taken, counts) VALUES (:run, :block, 0, '{}')"
        " ON CONFLICT (import_id, block) DO UPDATE SET taken = b.taken RETURNING taken, counts"
    ).bindparams(sa.bindparam("run", type_=sa.Text), sa.bindparam("block", type_=sa.BigInteger))
)
_MOVE_BLOCK = prepared(
    sa.update(IMPORT_BLOCK)
    .where(
        IMPORT_BLOCK.c.import_id == sa.bindparam("run", type_=sa.Text),
        IMPORT_BLOCK.c.block == sa.bindparam("number", type_=sa.BigInteger),
    )
    .values(taken=sa.bindparam("taken_", type_=sa.BigInteger), counts=sa.bindparam("counts_", type_=sa.Text))
)
_BLOCKS = (
    sa.select(IMPORT_BLOCK.c.block, IMPORT_BLOCK.c.taken, IMPORT_BLOCK.c.counts)
    .where(IMPORT_BLOCK.c.import_id == sa.bindparam("run", type_=sa.Text))
    .order_by(IMPORT_BLOCK.c.block)
)
_RUNS = sa.select(IMPORT_RUN).order_by(IMPORT_RUN.c.started_at.desc()).limit(sa.bindparam("most", type_=sa.Integer))
_FAULTS = (
    sa.select(IMPORT_FAULT)
    .where(
        IMPORT_FAULT.c.import_id == sa.bindparam("run", type_=sa.Text),
        IMPORT_FAULT.c.line > sa.bindparam("after", type_=sa.BigInteger),
    )
    .order_by(IMPORT_FAULT.c.line)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


# Submissions


def keep_submission(tx: Tx, submission: Submission, lead_id: str, person_id: str, sealed: bytes) -> None:
    """Write a submission's row; ``sealed`` is the whole submission under the person's key."""
    tx.add(
        SUBMISSION,
        submission.id,
        lead_id,
        person_id,
        submission.source_id,
        submission.channel,
        submission.received_at,
        submission.content_type[:200],
        bytes.fromhex(submission.digest),
        submission.idempotency_key,
        sealed,
    )


async def read_submissions(tx: Tx, lead_ids: Sequence[str]) -> dict[str, StoredSubmission]:
    """The submissions of these leads, by lead; a lead without one is absent."""
    return {row["lead_id"]: _submission(row) for row in await tx.all(_BY_LEAD, ids=list(lead_ids))}


async def read_submission(tx: Tx, submission_id: str) -> StoredSubmission:
    """One submission by its own id. Raises :class:`NotFound` ``capture.submission.unknown``."""
    row = await tx.one(_BY_ID, id=submission_id)
    if row is None:
        raise NotFound("capture.submission.unknown", "there is no submission of this id")
    return _submission(row)


def _submission(row: Row) -> StoredSubmission:
    return StoredSubmission(
        id=row["id"],
        lead_id=row["lead_id"],
        person_id=row["person_id"],
        source_id=row["source_id"],
        channel=row["channel"],
        received_at=row["received_at"],
        content_type=row["content_type"],
        digest=row["digest"].hex(),
        idempotency_key=row["idempotency_key"],
        sealed=row["sealed"],
    )


# Imports


async def start_import(
    tx: Tx,
    import_id: str,
    *,
    file_digest: str,
    map_digest: str,
    source_id: str,
    vertical: str,
    file_name: str,
    errors_file: str | None,
    at: datetime,
) -> ImportRun:
    """The run of this file, made under ``import_id`` where it is new, locked for the rest of the transaction. A run
    that was there before comes back as it stands, under its own id."""
    key = {"file_digest": file_digest, "map_digest": map_digest, "source_id": source_id, "vertical": vertical}
    await tx.run(_START_RUN, id=import_id, file_name=file_name, errors_file=errors_file, at=at, **key)
    row = await tx.one(_SAME_RUN, **key)
    if row is None:  # removed between the two statements
        raise NotFound("capture.import.unknown", "the import was removed while it was being started; start it again")
    return _run(row)


async def lock_import(tx: Tx, import_id: str) -> ImportRun:
    """The run, locked until the transaction ends. Raises :class:`NotFound` ``capture.import.unknown``."""
    row = await tx.one(_LOCK_RUN, id=import_id)
    if row is None:
        raise NotFound("capture.import.unknown", "there is no import of this id")
    return _run(row)


async def move_import(tx: Tx, run: ImportRun) -> None:
    """Write how far a run has come, with what goes out last in the transaction."""
    await tx.last(
        _MOVE_RUN,
        None,
        run=run.id,
        state_=run.state,
        total_=run.total,
        next_row_=run.next_row,
        counts_=_encode(run.counts),
        errors_file_=run.errors_file,
        changed_at_=run.changed_at,
    )


async def claim_block(tx: Tx, import_id: str, block: int) -> ImportBlock:
    """What was taken of a block so far, locked until the transaction ends, so that two processes never take the same
    rows."""
    row = await tx.one(_CLAIM_BLOCK, run=import_id, block=block)
    return _block(block, row) if row is not None else ImportBlock(block=block, taken=0, counts={})


async def move_block(tx: Tx, import_id: str, block: ImportBlock) -> None:
    """Write how much of a claimed block is taken; call it in the transaction that takes the rows."""
    await tx.last(
        _MOVE_BLOCK, None, run=import_id, number=block.block, taken_=block.taken, counts_=_encode(block.counts)
    )


async def read_blocks(tx: Tx, import_id: str) -> list[ImportBlock]:
    """The blocks of a run of which any row was taken, in order."""
    return [_block(row["block"], row) for row in await tx.all(_BLOCKS, run=import_id)]


async def list_imports(tx: Tx, most: int = 50) -> list[ImportRun]:
    """The latest runs, newest first."""
    return [_run(row) for row in await tx.all(_RUNS, most=most)]


def keep_fault(tx: Tx, fault: ImportFault) -> None:
    """Write a row that could not be taken."""
    tx.add(IMPORT_FAULT, fault.import_id, fault.line, fault.code, fault.detail, fault.at)


async def read_faults(tx: Tx, import_id: str, after: int = 0, most: int = 100) -> list[ImportFault]:
    """The rows an import could not take, by line, beginning after a line."""
    rows = await tx.all(_FAULTS, run=import_id, after=after, most=most)
    return [
        ImportFault(import_id=row["import_id"], line=row["line"], code=row["code"], detail=row["detail"], at=row["at"])
        for row in rows
    ]


def _encode(counts: dict[str, int]) -> str:
    return msgspec.json.encode(counts, order="sorted").decode()


def _block(number: int, row: Row) -> ImportBlock:
    counts = msgspec.json.decode(row["counts"], type=dict[str, int])
    return ImportBlock(block=number, taken=row["taken"], counts=counts)


def _run(row: Row) -> ImportRun:
    return ImportRun(
        id=row["id"],
        file_digest=row["file_digest"],
        map_digest=row["map_digest"],
        source_id=row["source_id"],
        vertical=row["vertical"],
        file_name=row["file_name"],
        state=cast(ImportState, row["state"]),
        total=row["total"],
        next_row=row["next_row"],
        counts=msgspec.json.decode(row["counts"], type=dict[str, int]),
        errors_file=row["errors_file"],
        started_at=row["started_at"],
        changed_at=row["changed_at"],
    )

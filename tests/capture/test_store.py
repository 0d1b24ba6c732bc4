"""Capture's tables on a real server."""

from datetime import timedelta

import msgspec
import pytest

from leadmill.capture import ImportFault, ImportRun
from leadmill.capture.store import (
    keep_fault,
    keep_submission,
    list_imports,
    lock_import,
    move_import,
    read_faults,
    read_submission,
    read_submissions,
    start_import,
)
from leadmill.core.faults import NotFound
from leadmill.runtime.db import Database
from tests.capture.leads import GOOD, NOW, submission


async def test_a_submission_is_kept_sealed_and_found_by_its_lead(db: Database):
    found = submission(GOOD, idempotency_key="k")
    async with db.begin() as tx:
        keep_submission(tx, found, "lead_1", "per_1", b"sealed")
    async with db.begin() as tx:
        stored = await read_submissions(tx, ["lead_1", "lead_2"])
        assert list(stored) == ["lead_1"]
        kept = stored["lead_1"]
        assert (kept.id, kept.person_id, kept.digest, kept.sealed) == ("sub_1", "per_1", found.digest, b"sealed")
        assert (kept.idempotency_key, kept.received_at, kept.channel) == ("k", NOW, "json")
        assert await read_submission(tx, "sub_1") == kept
        with pytest.raises(NotFound, match=r"capture\.submission\.unknown"):
            await read_submission(tx, "sub_2")


async def begin(db: Database, import_id: str, **change: str) -> ImportRun:
    given = {"file_digest": "f", "map_digest": "m", "source_id": "acme", "vertical": "solar"} | change
    async with db.begin() as tx:
        return await start_import(tx, import_id, file_name="a.csv", errors_file=None, at=NOW, **given)


async def test_the_same_file_is_the_same_import(db: Database):
    first = await begin(db, "imp_1")
    assert (first.id, first.state, first.next_row, first.counts, first.total) == ("imp_1", "running", 0, {}, None)
    assert (await begin(db, "imp_2")).id == "imp_1"
    for place, change in enumerate(
        ({"file_digest": "g"}, {"map_digest": "n"}, {"source_id": "b"}, {"vertical": "legal"})
    ):
        assert (await begin(db, f"imp_{place + 3}", **change)).id == f"imp_{place + 3}"


async def test_an_import_goes_on_where_it_was(db: Database):
    run = await begin(db, "imp_1")
    later = NOW + timedelta(minutes=1)
    async with db.begin() as tx:
        held = await lock_import(tx, run.id)
        await move_import(
            tx,
            msgspec.structs.replace(
                held, next_row=200, total=900, counts={"sold": 3, "rejected.a.b.c": 1}, changed_at=later
            ),
        )
    again = await begin(db, "imp_2")
    assert (again.id, again.next_row, again.total, again.counts, again.changed_at) == (
        "imp_1", 200, 900, {"rejected.a.b.c": 1, "sold": 3}, later,
    )  # fmt: skip
    async with db.begin() as tx:
        assert [one.id for one in await list_imports(tx)] == ["imp_1"]
        with pytest.raises(NotFound, match=r"capture\.import\.unknown"):
            await lock_import(tx, "imp_9")


async def test_rows_that_could_not_be_taken_are_read_by_line(db: Database):
    async with db.begin() as tx:
        for line in (9, 2, 5):
            keep_fault(tx, ImportFault(import_id="imp_1", line=line, code="capture.row.ragged", detail="x", at=NOW))
        keep_fault(tx, ImportFault(import_id="imp_2", line=3, code="capture.row.ragged", detail="x", at=NOW))
    async with db.begin() as tx:
        assert [fault.line for fault in await read_faults(tx, "imp_1")] == [2, 5, 9]
        assert [fault.line for fault in await read_faults(tx, "imp_1", after=2, most=1)] == [5]

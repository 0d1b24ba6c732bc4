"""The store: transactions, grouped writes, faults."""

from typing import Any

import pytest
import sqlalchemy as sa

from leadmill.runtime.db import Database


async def test_a_fresh_database_answers(db: Database) -> None:
    async with db.begin() as tx:
        row = await tx.one(sa.text("SELECT 1 AS one"))
    assert row is not None
    assert row["one"] == 1


@pytest.fixture
async def opened(db: Database) -> Any:
    async with db.begin() as tx:
        await tx.run(sa.text("CREATE TABLE t (a int)"))
    return db


async def test_coroutine_fixtures_share_the_loop(opened: Database) -> None:
    async with opened.begin() as tx:
        assert await tx.all(sa.text("SELECT a FROM t")) == []


async def test_what_comes_last_goes_out_with_the_rows_and_tells_how_much_it_changed(opened: Database) -> None:
    told: list[int] = []
    more = sa.text("UPDATE t SET a = a + :by WHERE a < :most").bindparams(
        sa.bindparam("by", type_=sa.Integer), sa.bindparam("most", type_=sa.Integer)
    )
    async with opened.begin() as tx:
        await tx.run(sa.text("INSERT INTO t VALUES (1), (2), (9)"))
        await tx.last(more, told.append, by=10, most=5)
        await tx.last(sa.text("DELETE FROM t WHERE a = 9"), told.append)
        assert not told
    async with opened.begin() as tx:
        rows = await tx.all(sa.text("SELECT a FROM t ORDER BY a"))
    assert (told, [row["a"] for row in rows]) == ([2, 1], [11, 12])


async def test_whoever_is_told_of_a_last_change_can_undo_the_transaction(opened: Database) -> None:
    def refuse(changed: int) -> None:
        raise LookupError(changed)

    async def change() -> None:
        async with opened.begin() as tx:
            await tx.run(sa.text("INSERT INTO t VALUES (1)"))
            await tx.last(sa.text("UPDATE t SET a = 2"), refuse)

    with pytest.raises(LookupError):
        await change()
    async with opened.begin() as tx:
        assert await tx.all(sa.text("SELECT a FROM t")) == []


async def test_a_last_change_that_comes_twice_sees_what_the_first_changed(opened: Database) -> None:
    double = sa.text("UPDATE t SET a = 2 * a")
    async with opened.begin() as tx:
        await tx.run(sa.text("INSERT INTO t VALUES (3)"))
        await tx.last(double)
        await tx.last(double)
    async with opened.begin() as tx:
        assert [row["a"] for row in await tx.all(sa.text("SELECT a FROM t"))] == [12]

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

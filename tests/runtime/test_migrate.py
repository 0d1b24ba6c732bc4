"""Bringing a database up to date."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from leadmill.core.faults import Permanent, Transient
from leadmill.migrations.__main__ import import_tables, write_version
from leadmill.runtime import migrate as module
from leadmill.runtime.db import metadata
from leadmill.runtime.migrate import engine, migrate, newest


@pytest.fixture(autouse=True, scope="module")
def all_tables() -> None:
    """Whatever else this process has imported, the metadata is whole."""
    import_tables()


async def differences(url: str) -> list[Any]:
    """What would have to change for the database to be what the packages' tables say."""

    def compare(connection: sa.Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    maker = engine(url)
    async with maker.connect() as conn:
        found = await conn.run_sync(compare)
    await maker.dispose()
    return found


async def test_the_versions_make_exactly_the_tables_of_the_packages(empty_database_url: str) -> None:
    """Where this fails, a table has changed since the last version: ``python -m leadmill.migrations "what
    changed"``."""
    await migrate(empty_database_url)
    assert await differences(empty_database_url) == []


@pytest.fixture
async def history(tmp_path: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of one version, freshly written from the tables."""
    scripts = tmp_path / "migrations"
    shutil.copytree(module.SCRIPTS, scripts)
    shutil.rmtree(scripts / "versions")
    (scripts / "versions").mkdir()
    monkeypatch.setattr(module, "SCRIPTS", scripts)
    await write_version(empty_database_url, "Lay the tables")
    return scripts


async def test_a_written_version_makes_exactly_the_tables(history: Path, empty_database_url: str) -> None:
    assert newest() == "0001"
    await migrate(empty_database_url)
    assert await differences(empty_database_url) == []


async def test_programs_that_start_together_migrate_once(history: Path, empty_database_url: str) -> None:
    await asyncio.gather(*(migrate(empty_database_url) for _ in range(3)))
    conn = await asyncpg.connect(empty_database_url)
    assert await conn.fetchval("SELECT version_num FROM alembic_version") == "0001"
    await conn.close()


async def test_a_database_from_the_future_is_refused_untouched(history: Path, empty_database_url: str) -> None:
    await migrate(empty_database_url)
    conn = await asyncpg.connect(empty_database_url)
    await conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Permanent, match=r"db\.schema\.newer"):
        await migrate(empty_database_url)
    assert await conn.fetchval("SELECT version_num FROM alembic_version") == "9999"
    await conn.close()


async def test_a_version_that_fails_leaves_nothing_behind(history: Path, empty_database_url: str) -> None:
    version = next((history / "versions").glob("0001*.py"))
    text = version.read_text()
    head, mark, tail = text.partition("def downgrade")
    version.write_text(head.rstrip() + '\n    op.execute("SELECT 1/0")\n\n\n' + mark + tail)
    with pytest.raises(sa.exc.DBAPIError):
        await migrate(empty_database_url)
    conn = await asyncpg.connect(empty_database_url)
    tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tablename"] for row in tables} <= {"alembic_version"}  # empty, from the writing of the version
    await conn.close()


async def test_no_server_is_a_fault_that_may_pass() -> None:
    with pytest.raises(Transient, match=r"db\.server\.unreachable"):
        await migrate("postgresql://postgres@/leadmill?host=/nonexistent")

"""Brings a database's tables up to what this version expects.

Called by ``main`` before anything else touches the database, by every program that starts: an advisory lock lets one
work while the others wait, and the whole upgrade is one transaction. Alembic keeps the history
(``leadmill/migrations``), with a connection made by the same driver, from the same address, as everything else.
"""

from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from leadmill.core.faults import Permanent, Transient

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
"""Alembic's folder: ``env.py`` and ``versions``."""

_LOCK = 0x6C6D_6D69  # an advisory lock of the whole database
_OLDEST = 150000  # PostgreSQL 15


def alembic_config(connection: sa.Connection | None = None, **attributes: Any) -> Config:
    """Alembic's settings, which live nowhere else; ``env.py`` finds the connection and ``attributes`` in them."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(attributes, connection=connection)
    return config


def newest() -> str | None:
    """The version that this program's tables are."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def engine(url: str) -> AsyncEngine:
    """An engine on a plain libpq address, unix sockets included: asyncpg itself reads it, so nothing is translated."""
    return create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url, timeout=30), poolclass=sa.pool.NullPool
    )


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade the database at ``url`` to the newest version, or to another, if it is not there already.

    Raises :class:`Transient` ``db.server.unreachable`` where no server answers, :class:`Permanent`
    ``db.server.outdated`` for one older than PostgreSQL 15, ``db.schema.newer`` where a newer Leadmill has been
    here before.
    """
    maker = engine(url)
    try:
        conn = await _connect(maker)
        try:
            async with conn.begin():
                await conn.run_sync(_check_server)
                await conn.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                await conn.run_sync(upgrade, revision)
        finally:
            await conn.close()
    finally:
        await maker.dispose()


async def _connect(maker: AsyncEngine) -> AsyncConnection:
    try:
        return await maker.connect()
    except (OSError, asyncpg.PostgresError, sa.exc.DBAPIError) as fault:
        raise Transient("db.server.unreachable", type(fault).__name__) from fault


def _check_server(connection: sa.Connection) -> None:
    number = int(connection.execute(sa.text("SHOW server_version_num")).scalar_one())
    if number < _OLDEST:
        raise Permanent("db.server.outdated", f"PostgreSQL {number // 10000} is too old: use 15 or newer")


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Upgrade in the transaction that is open. Raises :class:`Permanent` ``db.schema.newer``."""
    try:
        command.upgrade(alembic_config(connection), revision)
    except CommandError as fault:
        raise Permanent(
            "db.schema.newer", "the database knows a version that this program does not: use the newer Leadmill"
        ) from fault

"""Databases for tests, each as its template was when the test begins.

Making one copies some seven hundred files, which takes longer than most tests. So one that a test has done with is
emptied, filled as its template is filled, and given to the next test. Where that cannot be told to leave no trace, as
after a change of the tables or with somebody still connected, it is thrown away and another one made.
"""

import asyncio
import contextlib
import io
import itertools
import os
from collections.abc import Coroutine, Iterator
from typing import Any

import asyncpg

from leadmill.runtime.cluster import Cluster

_numbers = itertools.count(1)

_SHAPE = """
SELECT array[
  (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
  (SELECT max(oid)::int8 FROM pg_class WHERE relnamespace = 'public'::regnamespace),
  (SELECT sum(relnatts) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
  (SELECT count(*) FILTER (WHERE relrowsecurity) FROM pg_class),
  (SELECT count(*) FROM pg_namespace), (SELECT max(oid)::int8 FROM pg_namespace),
  (SELECT count(*) FROM pg_constraint), (SELECT max(oid)::int8 FROM pg_constraint),
  (SELECT count(*) FROM pg_policy), (SELECT max(oid)::int8 FROM pg_policy),
  (SELECT max(oid)::int8 FROM pg_proc), (SELECT max(oid)::int8 FROM pg_type), (SELECT max(oid)::int8 FROM pg_trigger),
  (SELECT count(*) FROM pg_extension), (SELECT count(*) FROM pg_largeobject_metadata),
  (SELECT count(*) FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE c.relnamespace = 'public'::regnamespace),
  (SELECT count(*) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
    WHERE datname = current_database())]
"""
"""Numbers that differ as soon as something other than rows was changed, what ANALYZE leaves included."""

_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


class _Kept:
    """A database with a connection to it, its shape, and the rows it has when a test begins, as COPY writes them."""

    def __init__(self, name: str, conn: Any, shape: list[int], filled: Any, rows: dict[str, bytes]) -> None:
        self.name = name
        self.conn = conn
        self.shape = shape
        self.filled = filled
        self.rows = rows


class Stock:
    """The databases that this process has of one template."""

    def __init__(self, server: Cluster, template: str) -> None:
        self._server = server
        self._template = template
        self._runner = asyncio.Runner()  # of its own: a test's loop ends with the test, these connections do not
        self._clean: list[_Kept] = []

    def lend(self) -> Iterator[str]:
        """The address of a database for one test, for ``yield from`` in a fixture."""
        kept = self._clean.pop() if self._clean else self._run(self._make())
        yield self._server.url(kept.name)
        if self._run(self._wash(kept)):
            self._clean.append(kept)
        else:
            self._run(self._drop(kept))

    def close(self) -> None:
        """Let go of them; they end with the server."""
        for kept in self._clean:
            self._run(kept.conn.close())
        self._clean.clear()
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    async def _order(self, sql: str) -> None:
        conn = await asyncpg.connect(self._server.url("postgres"))
        try:
            await conn.execute(sql)
        finally:
            await conn.close()

    async def _make(self) -> _Kept:
        name = f"t_{os.getpid()}_{next(_numbers)}"
        await self._order(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        conn = await asyncpg.connect(self._server.url(name))
        # Rows go and come as they are: no key is checked, and nobody is waited for who still reads.
        await conn.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
        tables = [row[0] for row in await conn.fetch(_TABLES)]
        asked = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables]
        filled = await conn.prepare(" UNION ALL ".join(asked) or "SELECT 1 WHERE false")
        rows = {}
        for (table,) in await filled.fetch():
            out = io.BytesIO()
            await conn.copy_from_table(table, output=out, format="binary")
            rows[table] = out.getvalue()
        return _Kept(name, conn, await conn.fetchval(_SHAPE), filled, rows)

    async def _wash(self, kept: _Kept) -> bool:
        """Make it as it was; False where that is not certain."""
        try:
            for _ in range(20):  # who has just hung up is gone in a moment
                if not await kept.conn.fetchval(_OTHERS):
                    break
                await asyncio.sleep(0.005)
            else:
                return False
            if await kept.conn.fetchval(_SHAPE) != kept.shape:
                return False
            async with kept.conn.transaction():
                if tables := ", ".join(f'"{table}"' for (table,) in await kept.filled.fetch()):
                    await kept.conn.execute(f"TRUNCATE {tables} CASCADE")
                for table, data in kept.rows.items():
                    await kept.conn.copy_to_table(table, source=io.BytesIO(data), format="binary")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False
        return True

    async def _drop(self, kept: _Kept) -> None:
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await kept.conn.close()
        await self._order(f"DROP DATABASE {kept.name} WITH (FORCE)")

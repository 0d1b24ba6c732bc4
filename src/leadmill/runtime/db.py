"""The store: one PostgreSQL, reached through one pool and one kind of transaction.

Used by every ``store`` module and by the machinery beside it; nothing else speaks SQL. Statements are SQLAlchemy Core
constructs, compiled once and run on asyncpg without a session or an engine between (the record
``docs/decisions/0007-serve-processes.md`` says why). Rows that many leads write at once are gathered in the
transaction with :meth:`Tx.add` and go out together: few in one statement, many as one COPY a table. Changes whose
answer nobody waits for are gathered with :meth:`Tx.last` and travel with them. What was awaited from
:meth:`Database.begin` is durable when the block ends.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialect_module

from leadmill.core.faults import Transient
from leadmill.runtime.rows import Packing, Unpackable, packing_of, unpacked
from leadmill.runtime.telemetry import COMMIT_SECONDS

metadata = sa.MetaData()
"""Every table of Leadmill; the ``tables`` modules add to it."""

Id = sa.Text(collation="C")
"""The column type of an id: compared byte by byte, so index order is time order."""

Row: TypeAlias = asyncpg.Record

_dialect = dialect_module.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_compiled: dict[int, tuple[sa.ClauseElement, str, list[str], dict[str, Any]]] = {}

_FEW = 300
"""Rows up to which one statement for all tables costs less than a COPY for each: each is a journey to the server."""

_Change = tuple[str, Sequence[Any], Callable[[int], None] | None]
"""A statement that goes out last, what fills it, and who is told how many rows it changed."""

_STATEMENTS = 500
"""How many statements a connection keeps prepared: what ends a transaction is another one for each choice of tables."""

_MENDABLE = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    OSError,
)
"""What says nothing of the transaction itself: it may go through later. ``OSError`` stands for every way in which a
server is not there: connections refused, timed out, and its socket gone for the moment that it starts again."""


def _compile(stmt: sa.ClauseElement) -> tuple[str, list[str], dict[str, Any]]:
    kept = _compiled.get(id(stmt))
    if kept is not None and kept[0] is stmt:
        return kept[1], kept[2], kept[3]
    compiled: Any = stmt.compile(dialect=_dialect)
    names = list(getattr(compiled, "positiontup", None) or [])
    defaults = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
    return str(compiled), names, defaults


def prepared(stmt: Any) -> Any:
    """Compile a module-level statement once. Stores wrap the statements of hot paths in it; others compile as they
    run."""
    sql, names, defaults = _compile(stmt)
    _compiled[id(stmt)] = (stmt, sql, names, defaults)
    return stmt


@lru_cache(_STATEMENTS)
def _ending(changes: tuple[str, ...], tables: tuple[sa.Table, ...]) -> str:
    """One statement that makes all these changes, tells how many rows each changed, and writes rows of several tables,
    given column by column."""
    parts: list[str] = []
    counts: list[str] = []
    number = 0
    for place, change in enumerate(changes):
        moved = _PARAMETER.sub(lambda found, by=number: f"${int(found[1]) + by}", change)  # type: ignore[misc]
        number += max((int(found) for found in _PARAMETER.findall(change)), default=0)
        parts.append(f"c{place} AS ({moved} RETURNING 1)")
        counts.append(f"(SELECT count(*) FROM c{place})")  # noqa: S608 our own names
    for place, table in enumerate(tables):
        arrays = []
        for column in table.columns:
            number += 1
            kind = column.type.compile(dialect=_dialect).partition(" COLLATE")[0]
            arrays.append(unpacked(column.type, number, kind))
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        into = f'INSERT INTO "{table.name}" ({names})'
        parts.append(f"w{place} AS ({into} SELECT * FROM unnest({', '.join(arrays)}))")  # noqa: S608 our own names
    return f"WITH {', '.join(parts)} SELECT {', '.join(counts) or '1'}"


def _packed(rows: dict[sa.Table, list[tuple[Any, ...]]]) -> list[Any]:
    return [
        pack(column)
        for table, records in rows.items()
        for pack, column in zip(_packings(table), zip(*records, strict=True), strict=True)
    ]


@lru_cache(_STATEMENTS)
def _packings(table: sa.Table) -> tuple[Packing, ...]:
    return tuple(packing_of(column.type) for column in table.columns)


_PARAMETER = re.compile(r"\$(\d+)")


class Tx:
    """One transaction. Made by :meth:`Database.begin`; ends with it."""

    __slots__ = ("_after", "_closing", "_failing", "_last", "_rows", "conn", "scratch")

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self._rows: dict[sa.Table, list[tuple[Any, ...]]] = {}
        self._last: list[_Change] = []
        self._after: list[Callable[[], None]] = []
        self._failing: list[Callable[[], None]] = []
        self._closing: list[Callable[[Tx], Awaitable[None]]] = []
        self.scratch: dict[Any, Any] = {}
        """What a package keeps for the length of this transaction, under a key of its own (usually a class)."""

    async def all(self, stmt: sa.ClauseElement, /, **params: Any) -> list[Row]:
        """The rows of a statement, ``params`` filling its bind parameters by name."""
        sql, args = _bound(stmt, params)
        rows: list[Row] = await self.conn.fetch(sql, *args)
        return rows

    async def one(self, stmt: sa.ClauseElement, /, **params: Any) -> Row | None:
        """The first row, or None."""
        sql, args = _bound(stmt, params)
        return await self.conn.fetchrow(sql, *args)

    async def run(self, stmt: sa.ClauseElement, /, **params: Any) -> int:
        """Run a statement that changes rows; how many it changed."""
        sql, args = _bound(stmt, params)
        tail = (await self.conn.execute(sql, *args)).rpartition(" ")[2]
        return int(tail) if tail.isdigit() else 0

    async def many(self, stmt: sa.ClauseElement, rows: Iterable[dict[str, Any]]) -> None:
        """Run a statement once for each set of parameters, pipelined."""
        filled = [_bound(stmt, row) for row in rows]
        if filled:
            await self.conn.executemany(filled[0][0], [args for _, args in filled])

    def add(self, table: sa.Table, *values: Any) -> None:
        """Write a row with the others of this transaction; ``values`` stand in the order of the table's columns."""
        self._rows.setdefault(table, []).append(values)

    async def last(self, stmt: sa.ClauseElement, then: Callable[[int], None] | None = None, /, **params: Any) -> None:
        """Run a statement that changes rows at the next flush, mostly the one before the commit, in one journey with
        whatever else goes out then; ``then`` is told how many rows it changed, and undoes everything by raising.

        Such statements take their locks in the order given. None sees what another changed, so no two may change the
        same row; where one comes a second time, those that wait go out before it. None may return rows of its own."""
        sql, args = _bound(stmt, params)
        if any(other == sql for other, _, _ in self._last):
            await self.flush()
        self._last.append((sql, args, then))

    async def flush(self) -> None:
        """Send what waits: the rows added so far and the changes that were to come last. Few rows go in one statement
        for all tables, many as one COPY a table."""
        rows, self._rows = self._rows, {}
        last, self._last = self._last, []
        packed: list[Any] = []
        if rows and sum(map(len, rows.values())) <= _FEW:
            try:
                packed = _packed(rows)
            except Unpackable:
                packed = []
        if rows and not packed:
            for table, records in rows.items():
                await self.conn.copy_records_to_table(table.name, records=records, columns=table.columns.keys())
            rows = {}
        if not rows and not last:
            return
        given = [value for _, args, _ in last for value in args] + packed
        told = await self.conn.fetchrow(_ending(tuple(sql for sql, _, _ in last), tuple(rows)), *given)
        for place, (_, _, then) in enumerate(last):
            if then is not None:
                then(told[place])

    def closing(self, act: "Callable[[Tx], Awaitable[None]]") -> None:
        """Do ``act`` just before the commit, still inside the transaction: counters to write back, roots to close."""
        self._closing.append(act)

    async def close(self) -> None:
        """Called by the database before the commit: the closing acts in the order given, then what comes last and the
        rows."""
        while self._closing:
            await self._closing.pop(0)(self)
        await self.flush()

    def after(self, act: Callable[[], None]) -> None:
        """Do ``act`` once the transaction is durable; never if it fails."""
        self._after.append(act)

    def failing(self, act: Callable[[], None]) -> None:
        """Do ``act`` if the transaction is undone, or nobody can say whether it was."""
        self._failing.append(act)

    def done(self) -> None:
        """Called by the database after the commit."""
        for act in self._after:
            act()

    def lost(self) -> None:
        """Called by the database where the commit was not confirmed."""
        for act in self._failing:
            act()


def _bound(stmt: sa.ClauseElement, params: dict[str, Any]) -> tuple[str, Sequence[Any]]:
    sql, names, defaults = _compile(stmt)
    return sql, [params[name] if name in params else defaults[name] for name in names]


async def _leave(conn: Any) -> None:
    """A connection comes back from its transaction as it went in, so there is nothing to reset."""


class Database:
    """A pool of connections to one PostgreSQL. ``async with database.begin() as tx`` is the only way in."""

    def __init__(self, url: str, size: int = 10) -> None:
        self.url = url
        self._size = size
        self._pool: Any = None

    async def open(self) -> None:
        """Connect. Raises :class:`Transient` ``db.server.unreachable`` where no server answers."""
        try:
            self._pool = await asyncpg.create_pool(
                self.url,
                min_size=1,
                max_size=self._size,
                command_timeout=60,
                statement_cache_size=_STATEMENTS,
                max_cacheable_statement_size=0,
                max_inactive_connection_lifetime=0,
                reset=_leave,
                server_settings={"application_name": "leadmill", "timezone": "UTC"},
            )
        except (OSError, asyncpg.PostgresError) as fault:
            raise Transient("db.server.unreachable", type(fault).__name__) from fault

    async def close(self) -> None:
        """Close every connection, giving what runs ten seconds to end."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(10):
                await pool.close()
        except TimeoutError:
            pool.terminate()  # a connection stuck in a query must not keep the program from ending

    @asynccontextmanager
    async def begin(self, still: bool = False) -> AsyncIterator[Tx]:
        """A transaction, durable when the block ends without an exception, undone otherwise. With ``still`` everything
        read in it is as of one instant, and nothing can be written.

        A lost connection, a deadlock or a restart of the server comes out as :class:`Transient`
        ``db.transaction.lost``: nothing of the transaction stands, and it may be tried again.
        """
        try:
            async with self._pool.acquire() as conn:
                tx = Tx(conn)
                try:
                    async with conn.transaction(isolation="repeatable_read" if still else None, readonly=still):
                        yield tx
                        await tx.close()
                        ended = time.perf_counter()
                except BaseException:
                    tx.lost()
                    raise
                COMMIT_SECONDS.observe(time.perf_counter() - ended)
                tx.done()
        except _MENDABLE as fault:
            raise Transient("db.transaction.lost", type(fault).__name__) from fault

"""A long past for a home in a short time: rows as a walk leaves them, copied under new names.

Called by the benchmarks that ask how speed holds with what is stored. Leads that were really walked are the pattern:
each table that grew with them is copied again and again, every identifier and keyed hash renewed (the same one to the
same new one, so that the copies belong together) and every moment moved into the past. What a new lead finds are
tables and indexes of the size and shape of a house that took a million leads; nobody can open the copies, whose sealed
bytes belong to the originals.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
from msgspec import Struct

from benchmarks.house import Broken, say

_ID = re.compile(r"[a-z]+_[0-9a-hjkmnp-tv-z]{26}")
_LEFT_ALONE = {"job"}  # what is owed is not history
_TIMEOUT = 1800.0

# Behind its prefix a new id begins with 00, so it lies before every id of today, copies of one round side by side.
_AGAIN = """
CREATE FUNCTION again(id text, round int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT split_part(id, '_', 1) || '_00' || lpad(to_hex(round), 6, '0') || substr(md5(id || round), 1, 18)
$$
"""

_COLUMNS = """
SELECT a.attname AS name, t.typname AS type,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS main
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.oid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


class _Pattern(Struct, frozen=True):
    """A table to copy: what each column of a copy is, and how many rows there are to copy from."""

    table: str
    columns: list[str]
    values: list[str]
    rows: int


def leads_stored(url: str) -> int:
    """How many leads the home holds."""
    return asyncio.run(_one(url, "SELECT count(*) FROM lead"))


async def _one(url: str, sql: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(sql))
    finally:
        await connection.close()


def store_more(url: str, total: int) -> int:
    """Copy until the home holds ``total`` leads, and have the server take stock of it; how many it holds then.

    Raises :class:`Broken` where there are too few leads to copy from."""
    return asyncio.run(asyncio.wait_for(_store_more(url, total), _TIMEOUT))


async def _store_more(url: str, total: int) -> int:
    connection = await asyncpg.connect(url)
    try:
        present: int = await connection.fetchval("SELECT count(*) FROM lead")
        rounds = -(-max(0, total - present) // max(1, present))
        if present < 100 or rounds > 0xFFFFFF:
            raise Broken(f"{present} stored leads are no pattern for {total}")
        if not rounds:
            return present
        await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        await connection.execute(_AGAIN)
        patterns = await _patterns(connection, present)
        say(f"copying {present:,} stored leads {rounds} times, {len(patterns)} tables")
        for pattern in patterns:
            await _copy(connection, pattern, rounds)
        await connection.execute("DROP FUNCTION again")
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
        stored: int = await connection.fetchval("SELECT count(*) FROM lead")
        return stored
    finally:
        await connection.close()


async def _patterns(connection: asyncpg.Connection, leads: int) -> list[_Pattern]:
    """The tables that grew with the leads: at least one row for a hundred of them, and a key that can be renewed."""
    found: list[_Pattern] = []
    for record in await connection.fetch(_TABLES):
        table = record["tablename"]
        rows = await connection.fetchval(f'SELECT count(*) FROM "{table}"')
        if table in _LEFT_ALONE or rows < leads / 1000:
            continue
        sample = await connection.fetch(f'SELECT * FROM "{table}" LIMIT 50')
        columns, values, renewed = [], [], False
        for column in await connection.fetch(_COLUMNS, table):
            name, main = column["name"], column["main"]
            value = _value(name, column["type"], main, [row[name] for row in sample])
            renewed |= main and value != f'"{name}"' and column["type"] != "timestamptz"
            columns.append(f'"{name}"')
            values.append(value)
        if renewed:
            found.append(_Pattern(table, columns, values, rows))
    return found


def _value(name: str, kind: str, main: bool, seen: Sequence[Any]) -> str:
    """What a column of a copy holds: an expression over the original row and ``round``."""
    quoted = f'"{name}"'
    if kind == "text":
        return f"again({quoted}, round)" if _all_ids([value for value in seen if value is not None]) else quoted
    if kind == "bytea" and main:
        return f"decode(md5({quoted}::text || round), 'hex')"
    if kind == "int8" and main and name == "hash":
        return f"('x' || substr(md5({quoted}::text || round), 1, 16))::bit(64)::bigint"
    if kind == "_text" and _all_ids([each for value in seen for each in value or ()]):
        return f"ARRAY(SELECT again(each, round) FROM unnest({quoted}) AS each)"
    if kind == "timestamptz":
        return f"{quoted} - round * interval '1 hour'"
    return quoted


def _all_ids(values: Sequence[object]) -> bool:
    return bool(values) and all(isinstance(value, str) and _ID.fullmatch(value) for value in values)


async def _copy(connection: asyncpg.Connection, pattern: _Pattern, rounds: int) -> None:
    """Copy a table with its secondary indexes taken down meanwhile: made at the end they cost a fraction."""
    began = time.monotonic()
    table = pattern.table
    indexes = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index"
        " WHERE indrelid = $1::regclass AND NOT indisprimary",
        table,
    )
    async with connection.transaction():
        await connection.execute(f'CREATE TEMP TABLE pattern ON COMMIT DROP AS TABLE "{table}"')
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await connection.execute(
            f'INSERT INTO "{table}" ({", ".join(pattern.columns)}) SELECT {", ".join(pattern.values)}'
            f" FROM generate_series(1, {rounds}) AS rounds(round), pattern"
        )
        for index in indexes:
            await connection.execute(index["made"])
    say(f"  {table}: {pattern.rows * (rounds + 1):,} rows in {time.monotonic() - began:.0f} s")

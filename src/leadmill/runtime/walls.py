"""The second wall between tenants: PostgreSQL's own row-level security.

The first wall is the condition in each statement. What is asked for a buyer's or a source's key is asked behind the
second one as well: as a role that may read few tables, and of these the rows of one tenant, so that a statement without
its condition finds nothing that is somebody else's. Made by ``main`` at the start from the list in ``flow.tenants``;
entered with :func:`behind`. Where the database's user may not make a role, or the server knows no row-level security,
only the first wall stands, and ``leadmill doctor`` says so.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Literal

import asyncpg
import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.faults import Fault
from leadmill.runtime.db import Database, Tx, prepared
from leadmill.runtime.telemetry import log

ROLE = "leadmill_tenant"
"""The role that sees one tenant's rows. It cannot sign in."""

Kind = Literal["buyer", "source"]


class Wall(Struct, frozen=True):
    """Which rows of a table a tenant sees: a condition over ``{buyer}`` and ``{source}``, one of which is unknown."""

    table: str
    using: str

    @property
    def policy(self) -> str:
        """The policy's name, which changes with the condition."""
        return f"tenant_{sha256(self.using.encode()).hexdigest()[:8]}"

    @property
    def condition(self) -> str:
        """The condition as the server takes it. What is not set is unknown, and nothing equals it."""
        own = {kind: f"nullif(current_setting('leadmill.{kind}', true), '')" for kind in ("buyer", "source")}
        return self.using.format(**own)


_STANDING = (
    "SELECT tablename || ' ' || policyname FROM pg_policies JOIN pg_class ON relname = tablename AND relrowsecurity"
    " AND relnamespace = quote_ident(schemaname)::regnamespace"
    " WHERE policyname LIKE 'tenant\\_%' AND schemaname = current_schema()"
)
"""The policies that stand, each with its table; one whose table no longer asks for any is none."""
_POLICIES = (
    "SELECT tablename || ' ' || policyname FROM pg_policies"
    " WHERE policyname LIKE 'tenant\\_%' AND schemaname = current_schema()"
)
_ENTER = prepared(
    sa.text(
        "SELECT set_config('role', rolname, true), set_config('leadmill.buyer', :buyer, true),"
        " set_config('leadmill.source', :source, true) FROM pg_roles"
        " WHERE rolname = 'leadmill_tenant' AND pg_has_role(current_user, oid, 'MEMBER')"
        " AND EXISTS (SELECT 1 FROM pg_policies WHERE 'leadmill_tenant' = ANY(roles))"
    ).bindparams(sa.bindparam("buyer", type_=sa.Text), sa.bindparam("source", type_=sa.Text))
)
_LEAVE = prepared(sa.text("SELECT set_config('role', 'none', true)"))


async def raise_walls(db: Database, walls: Sequence[Wall]) -> bool:
    """Have the walls stand; whether they do. Asks one question where they stand already."""
    try:
        async with db.begin() as tx:
            standing = {row[0] for row in await tx.conn.fetch(_STANDING)}
            if standing == {f"{wall.table} {wall.policy}" for wall in walls}:
                return True
            await tx.run(sa.text("SELECT pg_advisory_xact_lock(1818043244)"))
            await _make_role(tx)
            await tx.conn.execute("; ".join([*_dropping(await tx.conn.fetch(_POLICIES)), *_making(walls)]))
            return True
    except (asyncpg.PostgresError, Fault) as fault:
        log("walls").warning("row-level security does not stand", code=type(fault).__name__)
        return False


async def _make_role(tx: Tx) -> None:
    if await tx.conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", ROLE) is None:
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # roles are the whole server's
            async with tx.conn.transaction():
                await tx.conn.execute(f"CREATE ROLE {ROLE} NOLOGIN")
    if not await tx.conn.fetchval("SELECT pg_has_role(current_user, $1::name, 'MEMBER')", ROLE):
        await tx.conn.execute(f"GRANT {ROLE} TO CURRENT_USER")


def _dropping(standing: Sequence[asyncpg.Record]) -> list[str]:
    pairs = [row[0].split(" ") for row in standing]
    return [f'DROP POLICY "{policy}" ON "{table}"' for table, policy in pairs]


def _making(walls: Sequence[Wall]) -> list[str]:
    made = [f"GRANT USAGE ON SCHEMA public TO {ROLE}"]
    for wall in walls:
        made.append(f'ALTER TABLE "{wall.table}" ENABLE ROW LEVEL SECURITY')
        made.append(f'CREATE POLICY {wall.policy} ON "{wall.table}" FOR SELECT TO {ROLE} USING ({wall.condition})')
        made.append(f'GRANT SELECT ON "{wall.table}" TO {ROLE}')
    return made


async def standing(tx: Tx, walls: Sequence[Wall]) -> bool:
    """Whether the walls stand and can be gone behind."""
    found = {row[0] for row in await tx.conn.fetch(_STANDING)}
    if found != {f"{wall.table} {wall.policy}" for wall in walls}:
        return False
    return bool(
        await tx.conn.fetchval(
            "SELECT 1 FROM pg_roles WHERE rolname = $1 AND pg_has_role(current_user, oid, 'MEMBER')", ROLE
        )
    )


@asynccontextmanager
async def behind(tx: Tx, kind: Kind, owner: str) -> AsyncIterator[None]:
    """Within the block the transaction reads as one buyer or one source, and can write nothing. Two journeys; where the
    walls do not stand the statements' own conditions are all there is."""
    names = {"buyer": owner if kind == "buyer" else "", "source": owner if kind == "source" else ""}
    await tx.one(_ENTER, **names)
    try:
        yield
    finally:
        with suppress(asyncpg.InFailedSQLTransactionError):  # it is undone, and the role with it
            await tx.one(_LEAVE)

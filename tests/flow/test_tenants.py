"""The second wall: a statement that forgot its condition finds nothing that is another's."""

import asyncpg
import pytest

from leadmill.flow.runner import Mill
from leadmill.flow.tenants import WALLS
from leadmill.interfaces.house import House
from leadmill.runtime.walls import Kind, behind, raise_walls, standing
from tests.flow.stage import BUSINESS, SOURCE, apply, order, stored, submission

SHARED = {
    **BUSINESS,
    "source": [SOURCE, {**SOURCE, "id": "other"}],
    "order": [
        order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 2}]),
        order("bright-ca", "bright", "50.00"),
    ],
}


async def seen(house: House, kind: Kind, owner: str, table: str) -> int:
    """What a statement without any condition finds behind the wall."""
    async with house.db.begin() as tx, behind(tx, kind, owner):
        found: int = await tx.conn.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_a_planted_cross_tenant_read_finds_nothing(house: House) -> None:
    assert await raise_walls(house.db, WALLS)
    assert await raise_walls(house.db, WALLS)  # and once more changes nothing
    await apply(house, SHARED)
    mill = Mill(house.kit, lanes=1)
    for number in range(4):
        await mill.take(submission(house, number))
    assert len(await stored(house)) == 4
    for table in ("sale", "lead"):
        assert [await seen(house, "buyer", owner, table) for owner in ("helio", "bright", "nobody", "")] == [2, 2, 0, 0]
    assert [await seen(house, "source", owner, "lead") for owner in ("acme", "other", "")] == [4, 0, 0]
    assert await seen(house, "source", "acme", "sale") == 0
    for table in ("posting", "person", "journal_page", "record_version", "operator", "api_key", "submission"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await seen(house, "buyer", "helio", table)
    async with house.db.begin() as tx:
        assert await standing(tx, WALLS)
        async with behind(tx, "buyer", "helio"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with tx.conn.transaction():
                    await tx.conn.execute("UPDATE sale SET price = 0")
        assert await tx.conn.fetchval("SELECT count(*) FROM sale") == 4  # outside the wall all is as before
        assert await tx.conn.fetchval("SELECT current_setting('leadmill.buyer', true)") is not None


async def test_where_no_wall_can_be_raised_statements_run_as_they_are_and_doctor_says_so(house: House) -> None:
    async with house.db.begin() as tx:
        assert not await standing(tx, WALLS)
    await apply(house, SHARED)
    await Mill(house.kit, lanes=1).take(submission(house, 1))
    assert await seen(house, "buyer", "helio", "sale") == 1

"""The benchmark of identity in small: it fills a store as leads would, and its people are recognised."""

from itertools import islice

import sqlalchemy as sa

from benchmarks.identity import VAULT, Town, lines, run, spread
from benchmarks.people import World
from leadmill.capture import Matching
from leadmill.core.ids import Mint
from leadmill.identity import FindPerson, Keys, hear_find_person
from leadmill.identity.tables import PERSON_BLOCK, PERSON_KEY
from leadmill.runtime.db import Database
from tests.identity.walking import NOW


async def test_people_are_recognised_and_strangers_are_not(database_url: str) -> None:
    ran = await run(database_url, [300, 600], 20, 200, 1, Matching(people=1000), lambda: 0.0)
    assert [level.people for level in ran.levels] == [300, 600]
    assert all(level.fuzzy.looked == 18 for level in ran.levels)
    assert ran.quality.recall > 0.9
    assert ran.quality.wrong < 0.01
    assert any("600 people" in line for line in lines(ran))


async def test_the_store_is_filled_as_leads_would_fill_it(database_url: str, db: Database, mint: Mint) -> None:
    town = Town(database_url, 3)
    await town.grow(40)
    async with db.begin() as tx:
        blocks = {row["hash"]: len(row["persons"]) for row in await tx.all(sa.select(PERSON_BLOCK))}
        keys = {row["hash"] for row in await tx.all(sa.select(PERSON_KEY))}
        await tx.run(sa.delete(PERSON_BLOCK))
        await tx.run(sa.delete(PERSON_KEY))
    again = World(3)
    people = list(islice((human for human in again.people() if human.stored), 40))
    told = [again.lead(human, same_contact=True)[0] for human in people]
    walked = Keys()
    for number, traits in enumerate(told):
        ask = FindPerson(
            lead_id=f"lead_{number}",
            vertical="solar",
            since=NOW,
            at=NOW,
            email=VAULT.keyed_hash("email", traits.email),
            phone=VAULT.keyed_hash("phone", traits.phone),
            traits=traits,
        )
        async with db.begin() as tx:
            await hear_find_person(VAULT, walked, mint)(tx, [ask])
    async with db.begin() as tx:
        assert {row["hash"]: len(row["persons"]) for row in await tx.all(sa.select(PERSON_BLOCK))} == blocks
        assert {row["hash"] for row in await tx.all(sa.select(PERSON_KEY))} == keys


def test_look_ups_are_spread_over_everybody() -> None:
    assert spread(10, 3) == [0, 3, 6]
    assert spread(3, 10) == [0, 1, 2]

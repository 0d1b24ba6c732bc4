"""The order in which leads arrive decides nothing: persons found one lead at a time agree with clusters made of all
leads at once."""

import random

from benchmarks.order import AGREEMENT_GOAL, agreement, asked, leads_of_a_town, one_by_one, pairs, united
from leadmill.core.ids import Mint
from leadmill.identity import Keys, Traits, hear_find_person, list_suggestions
from leadmill.runtime.db import Database
from tests.identity.walking import VAULT

PEOPLE = 160


async def through_the_store(db: Database, mint: Mint, leads: list[Traits], order: list[int]) -> list[str]:
    """The same by the listener on a real store, in groups as the runner makes them."""
    keys = Keys()
    owners: dict[int, str] = {}
    for start in range(0, len(order), 16):
        part = [(number, asked(number, leads[number], VAULT.keyed_hash)) for number in order[start : start + 16]]
        async with db.begin() as tx:
            answer = await hear_find_person(VAULT, keys, mint)(tx, [ask for _, ask in part])
            owners |= {number: answer(ask).person_id for number, ask in part}
    async with db.begin() as tx:
        found = await list_suggestions(tx, most=10_000)
    bridges = [(each.low, each.high) for each in found if each.kind == "bridge"]
    return united([owners[number] for number in range(len(leads))], bridges)


def test_persons_found_in_any_order_agree_with_clusters_made_at_once() -> None:
    assert agreement(5 * PEOPLE, 2, 1, VAULT.keyed_hash).f1 >= AGREEMENT_GOAL


async def test_the_store_finds_the_persons_that_the_rules_decide(db: Database, mint: Mint) -> None:
    told = leads_of_a_town(2, PEOPLE)
    leads = [traits for _, traits in told]
    order = list(range(len(leads)))
    random.Random(2).shuffle(order)
    stored, ruled = await through_the_store(db, mint, leads, order), one_by_one(leads, order, VAULT.keyed_hash)
    assert pairs(stored, ruled) == pairs(stored) == pairs(ruled)
    people = [whose for whose, _ in told]
    assert pairs(stored, people) >= 0.97 * max(pairs(stored), pairs(people))

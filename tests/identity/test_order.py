"""The order in which leads arrive decides nothing: persons found one lead at a time agree with clusters made of all
leads at once."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, islice

from benchmarks.people import Human, World
from leadmill.core.ids import Mint
from leadmill.identity import FindPerson, Keys, Profile, Traits, hear_find_person, list_suggestions
from leadmill.identity.blocks import block_hashes, block_keys
from leadmill.identity.deciding import Holder, judge, may_be_one
from leadmill.identity.household import Kin
from leadmill.identity.model import USUAL
from leadmill.identity.sitting import Reading, Sitting
from leadmill.identity.weighing import bits_of, weigh_person
from leadmill.runtime.db import Database
from tests.identity.walking import NOW, VAULT

PEOPLE = 160
AGREEMENT = 0.999


def leads_of_a_town(seed: int) -> list[tuple[int, Traits]]:
    """Leads of some households with the slips that people make, each with whose it is: of two to four leads a person,
    some bring the same contact details and some others."""
    world, chance = World(seed), random.Random(seed)
    told: list[tuple[int, Traits]] = []
    for human in islice(world.people(), PEOPLE):
        told += [(human.number, lead) for lead in _leads(world, human, chance)]
    return told


def _leads(world: World, human: Human, chance: random.Random) -> list[Traits]:
    return [world.lead(human, same_contact=chance.random() < 0.5)[0] for _ in range(chance.randint(2, 4))]


def asked(number: int, traits: Traits) -> FindPerson:
    """What the walk asks about a lead."""
    return FindPerson(
        lead_id=f"lead_{number}",
        vertical="solar",
        since=NOW,
        at=NOW,
        email=VAULT.keyed_hash("email", traits.email),
        phone=VAULT.keyed_hash("phone", traits.phone),
        traits=traits,
    )


def at_once(leads: list[Traits]) -> list[int]:
    """The cluster of each lead: the same rules over every pair, the surest first, never two who are surely not one."""
    links = []
    for (one, a), (other, b) in combinations(enumerate(leads), 2):
        by = tuple(kind for kind in ("email", "phone") if getattr(a, kind) == getattr(b, kind))
        if by:
            if judge(a, Holder("", by, Profile((b,)))) is Kin.ONE:
                links.append((100.0, one, other))
        elif not set(block_keys(a)).isdisjoint(block_keys(b)):
            likely = weigh_person("", a, Profile((b,)), USUAL)
            if likely is not None and likely.kin is Kin.ONE and likely.weight.bits >= bits_of(USUAL.same):
                links.append((likely.weight.bits, one, other))
    cluster = list(range(len(leads)))
    members = {number: [number] for number in cluster}
    for _, one, other in sorted(links, reverse=True):
        low, high = sorted((cluster[one], cluster[other]))
        profiles = {str(each): Profile(tuple(leads[at] for at in members[each])) for each in (low, high)}
        if low != high and may_be_one(str(low), str(high), profiles.__getitem__):
            for at in members.pop(high):
                cluster[at] = low
                members[low].append(at)
    return cluster


def one_by_one(leads: list[Traits], order: list[int]) -> list[str]:
    """The person of each lead where they arrive in this order, as the sittings of so many transactions decide.

    Persons whom one lead bridges count as one: they are suggested as such, and whoever merges them asks nobody."""
    reading = Reading()
    owners: dict[int, str] = {}
    bridges: list[tuple[str, str]] = []
    for number in order:
        ask = asked(number, leads[number])
        hashes = block_hashes(ask.traits, VAULT.keyed_hash)
        for block in hashes:
            reading.blocks.setdefault(block, [])
        for _, key in ask.keys:
            reading.keys.setdefault(key, [])
        sitting = Sitting(reading, {ask.lead_id: hashes}, {ask.lead_id: f"person_{number}"})
        sitting.decide([ask], {})
        reading, owners[number] = sitting.now, sitting.owners[ask.lead_id]
        possible = sitting.choices[ask.lead_id].possible
        bridges += [(owners[number], other.person_id) for other in possible if other.kind == "bridge"]
    return united([owners[number] for number in range(len(leads))], bridges)


async def through_the_store(db: Database, mint: Mint, leads: list[Traits], order: list[int]) -> list[str]:
    """The same by the listener on a real store, in groups as the runner makes them."""
    keys = Keys()
    owners: dict[int, str] = {}
    for start in range(0, len(order), 16):
        part = [(number, asked(number, leads[number])) for number in order[start : start + 16]]
        async with db.begin() as tx:
            answer = await hear_find_person(VAULT, keys, mint)(tx, [ask for _, ask in part])
            owners |= {number: answer(ask).person_id for number, ask in part}
    async with db.begin() as tx:
        found = await list_suggestions(tx, most=10_000)
    bridges = [(each.low, each.high) for each in found if each.kind == "bridge"]
    return united([owners[number] for number in range(len(leads))], bridges)


def united(persons: list[str], bridges: list[tuple[str, str]]) -> list[str]:
    """Persons with those whom bridges make one under one name."""
    head = {each: each for each in persons}

    def find(each: str) -> str:
        while head[each] != each:
            each = head[each]
        return each

    for one, other in bridges:
        if one in head and other in head:
            head[find(other)] = find(one)
    return [find(each) for each in persons]


def pairs(*clusterings: Sequence[object]) -> int:
    """How many pairs of leads all of these put together."""
    return sum(n * (n - 1) // 2 for n in Counter(zip(*clusterings, strict=True)).values())


def test_persons_found_in_any_order_agree_with_clusters_made_at_once() -> None:
    both = arrived = clustered = 0
    for seed in range(1, 7):
        leads = [traits for _, traits in leads_of_a_town(seed)]
        clusters = at_once(leads)
        for turn in range(2):
            order = list(range(len(leads)))
            random.Random(10 * seed + turn).shuffle(order)
            persons = one_by_one(leads, order)
            both += pairs(persons, clusters)
            arrived += pairs(persons)
            clustered += pairs(clusters)
    assert 2 * both / (arrived + clustered) >= AGREEMENT


async def test_the_store_finds_the_persons_that_the_rules_decide(db: Database, mint: Mint) -> None:
    told = leads_of_a_town(2)
    leads = [traits for _, traits in told]
    order = list(range(len(leads)))
    random.Random(2).shuffle(order)
    stored, ruled = await through_the_store(db, mint, leads, order), one_by_one(leads, order)
    assert pairs(stored, ruled) == pairs(stored) == pairs(ruled)
    people = [whose for whose, _ in told]
    assert pairs(stored, people) >= 0.99 * max(pairs(stored), pairs(people))

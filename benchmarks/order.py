"""Does the order decide? Persons found one lead at a time, beside clusters made of all leads at once.

Called by the benchmark of ``identity`` and by the tests. Leads of made-up people arrive in shuffled orders and are
decided as so many transactions would decide them, by the rules alone, in memory; the clusters are made by the same
rules over every pair that shares a key or a partial key. Persons whom one lead bridges count as one: they are suggested
as such.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import combinations, islice

from msgspec import Struct

from benchmarks.people import Human, World
from leadmill.capture import Matching
from leadmill.identity import FindPerson, Profile, Traits
from leadmill.identity.blocks import block_hashes, block_keys
from leadmill.identity.deciding import Holder, enough, judge, may_be_one
from leadmill.identity.household import Kin
from leadmill.identity.sitting import Reading, Sitting, candidates
from leadmill.identity.store.persons import BLOCK_MOST
from leadmill.identity.weighing import weigh_person

AGREEMENT_GOAL = 0.999
NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
_USUAL = Matching()

KeyedHash = Callable[[str, str], bytes]


class Agreement(Struct, frozen=True):
    """How far persons found in shuffled orders agree with clusters: pair by pair over all shuffles, and in the worst of
    them."""

    leads: int
    shuffles: int
    f1: float
    worst: float


def leads_of_a_town(seed: int, people: int) -> list[tuple[int, Traits]]:
    """Leads of some households with the slips that people make, each with whose it is: of two to four leads a person,
    some bring the same contact details and some others."""
    world, chance = World(seed), random.Random(seed)
    told: list[tuple[int, Traits]] = []
    for human in islice(world.people(), people):
        told += [(human.number, lead) for lead in _leads(world, human, chance)]
    return told


def _leads(world: World, human: Human, chance: random.Random) -> list[Traits]:
    return [world.lead(human, same_contact=chance.random() < 0.5)[0] for _ in range(chance.randint(2, 4))]


def asked(number: int, traits: Traits, keyed_hash: KeyedHash, matching: Matching = _USUAL) -> FindPerson:
    """What the walk asks about a lead."""
    return FindPerson(
        lead_id=f"lead_{number}",
        vertical="solar",
        since=NOW,
        at=NOW,
        email=keyed_hash("email", traits.email),
        phone=keyed_hash("phone", traits.phone),
        traits=traits,
        matching=matching,
    )


def at_once(leads: Sequence[Traits], matching: Matching = _USUAL) -> list[int]:
    """The cluster of each lead: the same rules over every pair, the surest first, never two who are surely not one."""
    links = []
    for one, other in sorted(_met(leads)):
        a, b = leads[one], leads[other]
        by = tuple(kind for kind in ("email", "phone") if getattr(a, kind) == getattr(b, kind))
        if by:
            if judge(a, Holder("", by, Profile((b,)))) is Kin.ONE:
                links.append((100.0, one, other))
        else:
            likely = weigh_person("", a, Profile((b,)), matching)
            if likely is not None and likely.kin is Kin.ONE and enough(likely, matching):
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


def _met(leads: Sequence[Traits]) -> set[tuple[int, int]]:
    """Pairs of leads that share a key or a partial key which is not too common."""
    shared: dict[str, list[int]] = {}
    for number, traits in enumerate(leads):
        for key in (f"email {traits.email}", f"phone {traits.phone}", *block_keys(traits)):
            shared.setdefault(key, []).append(number)
    return {pair for those in shared.values() if len(those) <= BLOCK_MOST for pair in combinations(those, 2)}


def one_by_one(
    leads: Sequence[Traits], order: Iterable[int], keyed_hash: KeyedHash, matching: Matching = _USUAL
) -> list[str]:
    """The person of each lead where they arrive in this order, as the sittings of so many transactions decide."""
    keys: dict[bytes, list[str]] = {}
    blocks: dict[int, list[str]] = {}
    profiles: dict[str, Profile] = {}
    owners: dict[int, str] = {}
    bridges: list[tuple[str, str]] = []
    for number in order:
        ask = asked(number, leads[number], keyed_hash, matching)
        hashes = block_hashes(ask.traits, keyed_hash)
        held = {block: blocks.get(block, []) for block in hashes}
        held = {block: persons for block, persons in held.items() if len(persons) < BLOCK_MOST}
        whose = {key: keys.get(key, []) for _, key in ask.keys}
        met = {*candidates(hashes, held), *(each for persons in whose.values() for each in persons)}
        reading = Reading(whose, held, {each: profiles[each] for each in met})
        sitting = Sitting(reading, {ask.lead_id: hashes}, {ask.lead_id: f"person_{number}"})
        sitting.decide([ask], {})
        keys |= sitting.now.keys
        blocks |= sitting.now.blocks
        profiles |= sitting.now.profiles
        owner = owners[number] = sitting.owners[ask.lead_id]
        profiles.setdefault(owner, Profile())
        possible = sitting.choices[ask.lead_id].possible
        bridges += [(owner, other.person_id) for other in possible if other.kind == "bridge"]
    return united([owners[number] for number in range(len(leads))], bridges)


def united(persons: Sequence[str], bridges: Iterable[tuple[str, str]]) -> list[str]:
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


def agreement(people: int, shuffles: int, seed: int, keyed_hash: KeyedHash) -> Agreement:
    """How far the two agree in one town."""
    leads = [traits for _, traits in leads_of_a_town(seed, people)]
    clusters = at_once(leads)
    clustered = pairs(clusters)
    both = arrived = 0
    worst = 1.0
    for turn in range(shuffles):
        order = list(range(len(leads)))
        random.Random(10 * seed + turn).shuffle(order)
        persons = one_by_one(leads, order, keyed_hash)
        here, there = pairs(persons, clusters), pairs(persons)
        worst = min(worst, 2 * here / (there + clustered))
        both, arrived = both + here, arrived + there
    return Agreement(len(leads), shuffles, 2 * both / (arrived + shuffles * clustered), worst)

"""Likeness under concurrency, its bounds, what it leaves behind, and what of it can be proved of every pair."""

import asyncio
import random
from itertools import islice

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.people import World
from leadmill.capture import Lead, Matching, Vertical
from leadmill.core.case import Case
from leadmill.core.ids import Mint, mint
from leadmill.core.verdicts import Pass, Stop
from leadmill.facts import Dossier
from leadmill.identity import FindPerson, Identity, Keys, Profile, Recognise, Traits, forget_person, hear_find_person
from leadmill.identity.blocks import block_keys, soundex
from leadmill.identity.deciding import decide
from leadmill.identity.givennames import are_forms
from leadmill.identity.household import Compared, Kin, Likeness, compare_all, compare_born, compare_given
from leadmill.identity.sitting import CANDIDATES, KEY_MOST, candidates
from leadmill.identity.store.persons import BLOCK_MOST
from leadmill.identity.tables import HOUSEHOLD_LINK, PERSON, PERSON_BLOCK, PERSON_KEY, SUGGESTION
from leadmill.identity.traits import VARIANTS
from leadmill.identity.weighing import Likely
from leadmill.linkage import Weight
from leadmill.runtime.db import Database
from tests.identity.walking import NOW, VAULT, case_of, recognise

HOME = {"address": "123 Oak Street", "zip": "94110", "date_of_birth": "1990-05-06"}


def alike(number: int, **more: str) -> Case:
    """A lead of Jennifer Oberholtzer with contact details of its own."""
    fields = {"first_name": "Jennifer", "last_name": "Oberholtzer", **HOME, **more}
    phone = f"+1510{2_000_000 + 7_919 * number:07}"
    return case_of(f"lead_{number}", f"box{number * 37}@example.com", phone, more=fields, vertical="legal")


async def count(db: Database, table: sa.Table) -> int:
    async with db.begin() as tx:
        row = await tx.one(sa.select(sa.func.count()).select_from(table))
        assert row is not None
        return int(row[0])


async def walk(db: Database, mint: Mint, *groups: list[Case]) -> list[Identity]:
    """Groups of leads, each in a transaction of its own."""
    keys = Keys()
    for group in groups:
        async with db.begin() as tx:
            await recognise(tx, group, keys, mint)
    return [case[Identity] for group in groups for case in group]


# Exactness


@pytest.mark.parametrize("group", [1, 5])
async def test_one_new_person_who_comes_at_once_without_a_shared_key_is_one_person(
    database_url: str, group: int
) -> None:
    db = Database(database_url, size=6)
    await db.open()
    try:
        for turn, last in enumerate(("Oberholtzer", "Vandermeer", "Kaczmarek", "Whitfield", "Castellanos")):
            who = {"last_name": last, "address": f"{turn}7 Elm Road", "date_of_birth": f"19{turn}5-0{turn + 1}-1{turn}"}
            lanes = [[alike(100 * turn + 10 * lane + n, **who) for n in range(group)] for lane in range(6)]
            found = await asyncio.gather(*(walk(db, mint, lane) for lane in lanes))
            assert len({identity.person_id for lane in found for identity in lane}) == 1
        assert await count(db, PERSON) == 5
    finally:
        await db.close()


async def test_a_household_that_comes_at_once_by_one_number_is_two_persons(database_url: str) -> None:
    db = Database(database_url, size=6)
    await db.open()
    try:
        for turn in range(5):
            phone = f"+1510284{turn:04}"
            cases = [
                case_of(
                    f"lead_{turn}_{lane}", None, phone, name=("Ann" if lane % 2 else "Bob", "Lee"), vertical="legal"
                )
                for lane in range(6)
            ]
            found = await asyncio.gather(*(walk(db, mint, [case]) for case in cases))
            persons = [identity.person_id for lane in found for identity in lane]
            assert len(set(persons[::2])) == len(set(persons[1::2])) == 1
            assert len(set(persons)) == 2
    finally:
        await db.close()


async def test_mixed_traffic_over_few_people_never_locks_up(database_url: str) -> None:
    db = Database(database_url, size=6)
    await db.open()
    people = [("Ann", "Lee"), ("Bob", "Lee"), ("Carla", "Diaz"), ("Dan", "Diaz")]

    def traffic(lane: int) -> list[list[Case]]:
        chance = random.Random(lane)
        groups = []
        for turn in range(6):
            group = []
            for number in range(5):
                who = chance.randrange(4)
                more = {"address": f"{who // 2 + 1} Oak Street", "zip": "94110", "date_of_birth": f"199{who}-05-06"}
                email = f"p{who}-{chance.randrange(2)}@example.com" if chance.random() < 0.7 else None
                phone = f"+1510283{who // 2}00{chance.randrange(2)}"
                name = people[who]
                group.append(
                    case_of(f"lead_{lane}_{turn}_{number}", email, phone, name=name, more=more, vertical="legal")
                )
            groups.append(group)
        return groups

    try:
        found = await asyncio.gather(*(walk(db, mint, *traffic(lane)) for lane in range(6)))
    finally:
        await db.close()
    assert len({identity.person_id for lane in found for identity in lane}) == 4


async def test_leads_of_one_new_person_in_one_group_are_one_person(db: Database, mint: Mint) -> None:
    first, second, third = await walk(db, mint, [alike(1), alike(2, first_name="Jenny"), alike(3, zip="94117")])
    assert first.new_person
    assert first.person_id == second.person_id == third.person_id
    assert second.matched_on == ["likeness"]
    assert second.bits is not None
    assert any(part.field == "birth_date" and part.level == "same" for part in second.parts)
    assert any("No key decided; the likeness weighs" in line for line in second.tell())
    assert await count(db, PERSON) == 1


# What likeness decides


async def test_a_resemblance_alone_is_no_duplicate_but_a_sure_one_is(db: Database, mint: Mint) -> None:
    without = {"date_of_birth": ""}
    known, met = alike(1, **without), alike(2, **without)
    async with db.begin() as tx:
        verdicts = await recognise(tx, [_solar(known), _solar(met)], Keys(), mint)
    assert all(isinstance(verdict, Pass) for verdict in verdicts)
    async with db.begin() as tx:
        verdicts = await recognise(tx, [_solar(alike(3)), _solar(alike(4))], Keys(), mint)
    assert isinstance(verdicts[1], Stop)


def _solar(case: Case) -> Case:
    lead = case[Lead]
    again = Lead(id=lead.id, vertical="solar", source_id="acme", received_at=lead.received_at, fields=lead.fields)
    return Case(case.lead_id, [again, case[Dossier]])


async def test_a_vertical_may_go_without_likeness(db: Database, mint: Mint) -> None:
    exact = {"legal": Vertical(name="legal", title="Legal", fields={}, matching=Matching(fuzzy=False))}
    step = Recognise(exact, VAULT.keyed_hash)
    found = []
    for number in (1, 2):
        (ask,) = step.wants(alike(number))
        assert isinstance(ask, FindPerson)
        async with db.begin() as tx:
            found.append((await hear_find_person(VAULT, Keys(), mint)(tx, [ask]))(ask))
    assert all(answer.new_person for answer in found)


async def test_a_lead_that_is_surely_two_persons_bridges_them(db: Database, mint: Mint) -> None:
    here = {"address": "1 Oak Street", "zip": "94110", "date_of_birth": "", "last_name": "Lee"}
    there = {"address": "9 Elm Road", "zip": "60614", "date_of_birth": "", "last_name": "Lee"}
    one, other = alike(1, **here), alike(2, **there)
    both = case_of("lead_3", "box37@example.com", "+15102015838", name=("Jennifer", "Lee"), vertical="legal")
    assert both[Dossier].text("phone.e164") == other[Dossier].text("phone.e164")
    first, second, third = await walk(db, mint, [one], [other], [both])
    assert first.person_id != second.person_id
    assert third.person_id == first.person_id
    assert [(each.person_id, each.kind) for each in third.possible] == [(second.person_id, "bridge")]
    assert await count(db, SUGGESTION) == 1


async def test_a_forgotten_person_leaves_no_profile_no_key_no_block_and_no_tie(db: Database, mint: Mint) -> None:
    keys = Keys()
    cases = [
        case_of("lead_1", "a@example.com", "+15102834567", name=("Ann", "Lee"), more=HOME),
        case_of("lead_2", "b@example.com", "+15102834567", name=("Bob", "Lee"), more=HOME),
    ]
    for case in cases:
        async with db.begin() as tx:
            await recognise(tx, [case], keys, mint)
    ann, bob = (case[Identity].person_id for case in cases)
    assert await count(db, HOUSEHOLD_LINK) == 1
    async with db.begin() as tx:
        assert await forget_person(tx, keys, ann, NOW)
    async with db.begin() as tx:
        for table in (PERSON_KEY, PERSON_BLOCK, HOUSEHOLD_LINK, SUGGESTION):
            assert ann not in repr([tuple(row) for row in await tx.all(sa.select(table))]), table.name
        (row,) = await tx.all(sa.select(PERSON).where(PERSON.c.id == ann))
        assert (row["wrapped_key"], row["profile"], row["blocks"]) == (None, None, None)
    again = case_of("lead_3", "a@example.com", "+15102834567", name=("Ann", "Lee"), more=HOME, days=1)
    async with db.begin() as tx:
        await recognise(tx, [again], keys, mint)
    assert again[Identity].new_person
    assert [tie.person_id for tie in again[Identity].household] == [bob]
    async with db.begin() as tx:
        assert await forget_person(tx, keys, bob, NOW)
        assert await forget_person(tx, keys, again[Identity].person_id, NOW)
    assert (await count(db, PERSON_KEY), await count(db, PERSON_BLOCK)) == (0, 0)


async def test_what_is_stored_of_likeness_says_nothing_in_the_clear(db: Database, mint: Mint) -> None:
    await walk(db, mint, [alike(1)], [alike(2)], [alike(3, first_name="Robert")])
    async with db.begin() as tx:
        for table in (PERSON, PERSON_KEY, PERSON_BLOCK, HOUSEHOLD_LINK, SUGGESTION):
            written = repr([tuple(row) for row in await tx.all(sa.select(table))]).lower()
            told = [word for word in ("jennifer", "oberholtzer", "oak", "94110", "1990", "box37") if word in written]
            assert not told, table.name


# Bounds


async def test_a_block_that_too_many_share_takes_no_more_and_finds_nobody(db: Database, mint: Mint) -> None:
    tower = {"address": "1 Tower Road", "zip": "94110"}
    names = [(human.traits.given, human.traits.last) for human in islice(World(1).people(), BLOCK_MOST + 6)]
    crowd = [
        case_of(f"lead_{n}", f"x{n * 37}@example.com", name=name, more=tower, vertical="legal")
        for n, name in enumerate(names)
    ]
    found = await walk(db, mint, crowd)
    async with db.begin() as tx:
        sizes = [len(row["persons"]) for row in await tx.all(sa.select(PERSON_BLOCK))]
    assert max(sizes) == BLOCK_MOST
    assert len({identity.person_id for identity in found}) > BLOCK_MOST
    (again,) = await walk(db, mint, [case_of("lead_x", "y@example.com", name=names[0], more=tower, vertical="legal")])
    assert again.person_id == found[0].person_id  # by the other partial keys


def test_the_rarest_partial_keys_bring_their_persons_first() -> None:
    blocks = {1: [f"a{n}" for n in range(BLOCK_MOST)], 2: ["b"], 3: [f"c{n}" for n in range(30)], 4: ["b", "d"]}
    found = candidates([1, 2, 3, 4, 5], blocks)
    assert found[:2] == ["b", "d"]
    assert found[2].startswith("c")
    assert len(found) == CANDIDATES < sum(map(len, blocks.values()))
    assert KEY_MOST < BLOCK_MOST


def test_a_person_is_remembered_in_so_many_ways_only() -> None:
    profile = Profile()
    for number in range(VARIANTS + 5):
        profile = profile.with_traits(Traits(given="ann", last="lee", house=str(number)))
    assert len(profile.variants) == VARIANTS
    assert profile.variants[0].house == "0"
    assert profile.knows(Traits(given="ann", house=str(VARIANTS + 4)))


# Rules

NAMES = st.sampled_from(["", "ann", "anna", "j", "james", "jim", "john", "jon", "joan", "mary ann", "bob", "xqzt"])
DATES = st.sampled_from(["", "19900506", "19900605", "19900507", "19600506", "19550304"])
TRAITS = st.builds(
    Traits,
    given=NAMES,
    last=st.sampled_from(["", "lee", "roy", "lee roy"]),
    suffix=st.sampled_from(["", "jr", "sr"]),
    born=DATES,
    house=st.sampled_from(["", "1", "12"]),
    zip=st.sampled_from(["", "94110", "60614"]),
)


@given(NAMES, NAMES)
def test_given_names_compare_alike_both_ways(a: str, b: str) -> None:
    assert compare_given(a, b) is compare_given(b, a)
    assert (compare_given(a, b) is Likeness.ABSENT) is (not a or not b)


@given(DATES, DATES)
def test_birth_dates_compare_alike_both_ways(a: str, b: str) -> None:
    assert compare_born(a, b) is compare_born(b, a)


@given(st.lists(TRAITS, min_size=1, max_size=4), st.lists(TRAITS, min_size=1, max_size=4))
def test_persons_compare_alike_both_ways_and_never_clash_with_themselves(
    one: list[Traits], other: list[Traits]
) -> None:
    assert compare_all(one, other) == compare_all(other, one)
    assert compare_all(one, one).clash is None


@given(TRAITS, TRAITS)
def test_what_a_person_has_shown_is_never_lost_by_showing_less(one: Traits, other: Traits) -> None:
    profile = Profile().with_traits(one).with_traits(other)
    assert profile.knows(one)
    assert profile.knows(other)
    assert profile.with_traits(one) == profile
    if one.covers(other):
        assert set(block_keys(other)) <= set(block_keys(one)) or not other.named


@pytest.mark.parametrize(
    ("a", "b", "likeness"),
    [
        ("william", "bill", Likeness.SAME),
        ("bob", "robert", Likeness.SAME),
        ("bob", "bobby", Likeness.SAME),
        ("robert", "william", Likeness.OTHER),
        ("robert", "bill", Likeness.LOOSE),
        ("maria", "mario", Likeness.OTHER),
        ("john", "jon", Likeness.SAME),
        ("john", "joan", Likeness.OTHER),
        ("eric", "erica", Likeness.OTHER),
        ("jennifer", "jenifer", Likeness.NEAR),
        ("jennifer", "jnenifer", Likeness.SAME),
        ("josua", "josh", Likeness.SAME),
        ("james", "john", Likeness.OTHER),
        ("j", "john", Likeness.SAME),
        ("j", "ann", Likeness.OTHER),
        ("mary ann", "ann", Likeness.SAME),
        ("mary ann", "maryann", Likeness.SAME),
        ("", "ann", Likeness.ABSENT),
    ],
)
def test_given_names_are_one_near_or_two(a: str, b: str, likeness: Likeness) -> None:
    assert compare_given(a, b) is likeness


@pytest.mark.parametrize(
    ("a", "b", "likeness"),
    [
        ("19900506", "19900506", Likeness.SAME),
        ("19900506", "19900605", Likeness.NEAR),
        ("19900506", "19900516", Likeness.NEAR),
        ("19900506", "19900101", Likeness.NEAR),
        ("19900506", "19910506", Likeness.NEAR),
        ("19900506", "19600506", Likeness.OTHER),
        ("20030506", "20630506", Likeness.NEAR),  # nobody is born in 2063 yet
        ("19470506", "19070506", Likeness.NEAR),
        ("19470506", "19070606", Likeness.OTHER),
        ("19900506", "19910718", Likeness.OTHER),
        ("19900506", "", Likeness.ABSENT),
    ],
)
def test_birth_dates_are_one_near_or_two(a: str, b: str, likeness: Likeness) -> None:
    assert compare_born(a, b) is likeness


@pytest.mark.parametrize(
    ("last", "born", "place", "bits", "taken"),
    [
        (Likeness.SAME, Likeness.SAME, Likeness.SAME, 2.1, True),
        (Likeness.SAME, Likeness.SAME, Likeness.SAME, -1.4, True),
        (Likeness.NEAR, Likeness.NEAR, Likeness.SAME, -1.4, True),
        (Likeness.SAME, Likeness.SAME, Likeness.SAME, -1.6, False),
        (Likeness.SAME, Likeness.SAME, Likeness.ABSENT, -1.4, True),
        (Likeness.SAME, Likeness.NEAR, Likeness.ABSENT, 1.9, False),
        (Likeness.SAME, Likeness.SAME, Likeness.OTHER, 1.9, False),
        (Likeness.SAME, Likeness.ABSENT, Likeness.SAME, 2.1, True),
        (Likeness.SAME, Likeness.ABSENT, Likeness.SAME, 1.9, False),
        (Likeness.OTHER, Likeness.SAME, Likeness.SAME, 1.9, False),
    ],
)
def test_less_is_enough_where_last_name_and_birth_date_agree(
    last: Likeness, born: Likeness, place: Likeness, bits: float, taken: bool
) -> None:
    compared = Compared(Likeness.SAME, born, Likeness.ABSENT, last, place)
    likely = Likely("person_1", Kin.ONE, compared, Weight(bits, ()))
    choice = decide(Traits(given="ann", last="lee"), [], [likely], lambda _: Profile(), Matching(same=0.8))
    assert choice.owner == ("person_1" if taken else None)
    assert [each.person_id for each in choice.possible] == ([] if taken else ["person_1"])


def test_short_forms_are_told_from_sisters() -> None:
    assert are_forms("peggy", "margaret")
    assert are_forms("liz", "betty")
    assert not are_forms("mary", "rose")
    assert not are_forms("bill", "bob")


@pytest.mark.parametrize(
    ("name", "code"),
    [("robert", "r163"), ("rupert", "r163"), ("ashcraft", "a261"), ("pfister", "p236"), ("lee", "l000"), ("", "")],
)
def test_soundex_is_the_archives(name: str, code: str) -> None:
    assert soundex(name) == code


def test_a_lead_without_a_name_is_looked_for_nowhere() -> None:
    assert block_keys(Traits(born="19900506", house="1", zip="94110")) == []
    shown = Traits(
        given="ann", last="lee", born="19900506", house="1", zip="94110", email="a@example.com", phone="+15102834567"
    )
    assert len(block_keys(shown)) == 8

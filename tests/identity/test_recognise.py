"""Finding persons and duplicates on a real store."""

import asyncio
import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from leadmill.core.case import Case
from leadmill.core.faults import Permanent
from leadmill.core.ids import Mint
from leadmill.core.verdicts import Pass, Stop
from leadmill.facts import Dossier
from leadmill.identity import (
    FindPerson,
    Identity,
    Keys,
    Tie,
    add_person,
    find_person,
    forget_person,
    hear_find_person,
    load_keys,
)
from leadmill.identity.tables import INTEREST, PERSON, PERSON_KEY
from leadmill.runtime.db import Database
from tests.identity.walking import NOW, STEP, VAULT, case_of, recognise


async def walk(db: Database, mint: Mint, *cases: Case, keys: Keys | None = None) -> list[Identity]:
    """Take leads through the step, each in a transaction of its own."""
    keys = keys or Keys()
    for case in cases:
        async with db.begin() as tx:
            await recognise(tx, [case], keys, mint)
    return [case[Identity] for case in cases]


async def count(db: Database, table: sa.Table) -> int:
    async with db.begin() as tx:
        row = await tx.one(sa.select(sa.func.count()).select_from(table))
        assert row is not None
        return int(row[0])


async def test_a_person_is_known_again_by_either_key(db: Database, mint: Mint) -> None:
    first, by_email, by_phone, other = await walk(
        db,
        mint,
        case_of("lead_1", "ann@example.com", "+15102834567"),
        case_of("lead_2", "ann@example.com", vertical="legal"),
        case_of("lead_3", None, "+15102834567", vertical="mortgage"),
        case_of("lead_4", "bea@example.com", "+15102834568"),
    )
    assert first.new_person
    assert by_email.person_id == by_phone.person_id == first.person_id
    assert (by_email.matched_on, by_phone.matched_on) == (["email"], ["phone"])
    assert other.person_id != first.person_id
    assert await count(db, PERSON) == 2


async def test_a_second_address_becomes_a_further_key(db: Database, mint: Mint) -> None:
    first, second, third = await walk(
        db,
        mint,
        case_of("lead_1", "ann@example.com", "+15102834567"),
        case_of("lead_2", "ann@work.example.com", "+15102834567", vertical="legal"),
        case_of("lead_3", "ann@work.example.com", vertical="mortgage"),
    )
    assert {first.person_id, second.person_id, third.person_id} == {first.person_id}
    assert await count(db, PERSON) == 1
    assert await count(db, PERSON_KEY) == 3


async def test_the_same_interest_within_the_window_is_a_duplicate_and_the_window_is_not_prolonged(
    db: Database, mint: Mint
) -> None:
    cases = [case_of(f"lead_{day}", "ann@example.com", days=day) for day in (0, 29, 29.9, 30, 31)]
    found = await walk(db, mint, *cases)
    assert [identity.duplicate_of for identity in found] == [None, "lead_0", "lead_0", None, "lead_30"]
    async with db.begin() as tx:
        (verdict,) = await recognise(tx, [case_of("lead_x", "ann@example.com", days=32)], Keys(), mint)
    assert isinstance(verdict, Stop)
    assert verdict.because.code == "identity.lead.duplicate"
    assert "lead_30" in verdict.because.message


async def test_another_vertical_and_a_vertical_without_a_window_have_no_duplicates(db: Database, mint: Mint) -> None:
    found = await walk(
        db,
        mint,
        case_of("lead_1", "ann@example.com"),
        case_of("lead_2", "ann@example.com", vertical="mortgage", days=1),
        case_of("lead_3", "ann@example.com", vertical="legal", days=1),
        case_of("lead_4", "ann@example.com", vertical="legal", days=1),
    )
    assert [identity.duplicate_of for identity in found] == [None] * 4


async def test_a_test_lead_is_no_duplicate_and_makes_none(db: Database, mint: Mint) -> None:
    found = await walk(
        db,
        mint,
        case_of("lead_1", "ann@example.com", test=True),
        case_of("lead_2", "ann@example.com"),
        case_of("lead_3", "ann@example.com", test=True),
    )
    assert [identity.duplicate_of for identity in found] == [None, None, None]


async def test_a_lead_without_keys_has_a_person_of_its_own(db: Database, mint: Mint) -> None:
    one, two = await walk(db, mint, case_of("lead_1"), case_of("lead_2"))
    assert one.new_person
    assert two.new_person
    assert one.person_id != two.person_id
    assert await count(db, PERSON_KEY) == 0
    assert await count(db, INTEREST) == 0


async def test_keys_of_two_persons_are_told_apart_and_never_merged(db: Database, mint: Mint) -> None:
    ann, bea, mixed, named = await walk(
        db,
        mint,
        case_of("lead_1", "ann@example.com", "+15102834567", name=("Ann", "Lee")),
        case_of("lead_2", "bea@example.com", "+15102834568", name=("Bea", "Roy")),
        case_of("lead_3", "ann@example.com", "+15102834568", name=("Ann", "Lee"), vertical="legal"),
        case_of("lead_4", "ann@example.com", "+15102834568", name=("Bea", "Roy"), vertical="mortgage"),
    )
    assert (mixed.person_id, mixed.matched_on) == (ann.person_id, ["email"])
    assert mixed.household == [Tie(bea.person_id, "shared", "phone")]
    assert (named.person_id, named.matched_on) == (bea.person_id, ["phone"])
    assert any("another person" in line for line in mixed.tell())
    assert await count(db, PERSON) == 2
    async with db.begin() as tx:
        assert await find_person(tx, VAULT.keyed_hash, "+1 510 283 4568") == bea.person_id


async def test_leads_of_one_known_person_in_one_group_see_each_other(db: Database, mint: Mint) -> None:
    await walk(db, mint, case_of("lead_0", "ann@example.com", "+15102834567", vertical="legal"))
    by_email, by_phone = case_of("lead_1", "ann@example.com"), case_of("lead_2", None, "+15102834567")
    async with db.begin() as tx:
        verdicts = await recognise(tx, [by_email, by_phone], Keys(), mint)
    assert isinstance(verdicts[0], Pass)
    assert by_phone[Identity].duplicate_of == "lead_1"


async def test_gmail_spellings_are_one_person_and_search_finds_them(db: Database, mint: Mint) -> None:
    one, two = await walk(
        db, mint, case_of("lead_1", "ann.lee@gmail.com"), case_of("lead_2", "annlee+x@googlemail.com", days=1)
    )
    assert two.duplicate_of == "lead_1"
    async with db.begin() as tx:
        assert await find_person(tx, VAULT.keyed_hash, "A.N.N.Lee@gmail.com") == one.person_id
        assert await find_person(tx, VAULT.keyed_hash, "nobody@example.com") is None
        assert await find_person(tx, VAULT.keyed_hash, "neither") is None


async def test_the_store_holds_no_contact_detail(db: Database, mint: Mint) -> None:
    await walk(db, mint, case_of("lead_1", "ann@example.com", "+15102834567", name=("Ann", "Lee")))
    async with db.begin() as tx:
        for table in (PERSON, PERSON_KEY, INTEREST):
            written = repr([tuple(row) for row in await tx.all(sa.select(table))]).lower()
            assert not [word for word in ("ann", "510283", "example.com") if word in written], table.name


async def test_what_was_sealed_opens_until_the_person_is_forgotten(db: Database, mint: Mint) -> None:
    keys = Keys()
    (identity,) = await walk(db, mint, case_of("lead_1", "ann@example.com"), keys=keys)
    sealed = VAULT.seal(keys.of(identity.person_id), b"secret", "here")
    elsewhere = Keys()
    async with db.begin() as tx:
        await load_keys(tx, VAULT, elsewhere, [identity.person_id])
    assert VAULT.open(elsewhere.of(identity.person_id), sealed, "here") == b"secret"
    async with db.begin() as tx:
        assert await forget_person(tx, keys, identity.person_id, NOW)
        assert not await forget_person(tx, keys, "person_nobody", NOW)
    assert not keys.has(identity.person_id)
    async with db.begin() as tx:
        await load_keys(tx, VAULT, elsewhere, [identity.person_id])
    with pytest.raises(Permanent, match=r"vault\.key\.destroyed"):
        elsewhere.of(identity.person_id)
    (again,) = await walk(db, mint, case_of("lead_2", "ann@example.com", days=1))
    assert again.new_person
    assert again.person_id != identity.person_id
    assert again.duplicate_of is None


async def test_a_lead_that_waits_for_a_person_being_forgotten_gets_another(db: Database, mint: Mint) -> None:
    (identity,) = await walk(db, mint, case_of("lead_1", "ann@example.com"))
    case = case_of("lead_2", "ann@example.com", days=1)
    (ask,) = [ask for ask in STEP.wants(case) if isinstance(ask, FindPerson)]

    async def meet() -> str:
        async with db.begin() as tx:
            return (await hear_find_person(VAULT, Keys(), mint)(tx, [ask]))(ask).person_id

    async with db.begin() as tx:
        await forget_person(tx, Keys(), identity.person_id, NOW)
        waiting = asyncio.create_task(meet())
        await _until_somebody_waits(db)
    assert await waiting != identity.person_id


async def _until_somebody_waits(db: Database) -> None:
    while True:
        async with db.begin() as tx:
            row = await tx.one(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        if row and row[0]:
            return
        await asyncio.sleep(0.01)


def test_keys_make_room_for_newer_ones() -> None:
    keys = Keys(size=2)
    for name in ("a", "b"):
        keys.put(name, name.encode())
    keys.of("a")
    keys.put("c", b"c")
    assert (keys.has("a"), keys.has("b"), keys.has("c")) == (True, False, True)


async def test_a_lead_that_never_got_an_identity_still_has_a_key(db: Database, mint: Mint) -> None:
    keys = Keys()
    async with db.begin() as tx:
        person_id = add_person(tx, VAULT, keys, NOW, mint)
    async with db.begin() as tx:
        other = Keys()
        await load_keys(tx, VAULT, other, [person_id])
    assert other.of(person_id) == keys.of(person_id)


# Exactness

PEOPLE = 50
ROOT = str(Path(__file__).resolve().parents[2])


def traffic(seed: int, lane: int) -> list[Case]:
    """The same fifty people in another order, each time with another of their two addresses and two numbers."""
    source = random.Random(seed * 100 + lane)
    order = list(range(PEOPLE))
    source.shuffle(order)
    cases = []
    for person in order:
        # Keys that overlap, link up late or point at two persons made before: whatever comes first decides.
        pick = source.choice([(0, None), (None, 0), (0, 0), (1, 0), (0, 1)])
        email = f"p{person}-{pick[0]}@example.com" if pick[0] is not None else None
        phone = f"+1510283{person:02d}{pick[1]}0" if pick[1] is not None else None
        cases.append(case_of(f"lead_{lane}_{person}", email, phone))
    return cases


async def send(db: Database, cases: list[Case], mint: Mint, group: int) -> list[tuple[str, str, bool]]:
    """Take leads through in groups, as a lane of the runner does; lead, person and whether it was first."""
    told = []
    for at in range(0, len(cases), group):
        part = cases[at : at + group]
        async with db.begin() as tx:
            await recognise(tx, part, Keys(), mint)
        told += [(case.lead_id, case[Identity].person_id, case[Identity].duplicate_of is None) for case in part]
    return told


async def check(db: Database, told: list[tuple[str, str, bool]]) -> None:
    """One person a key, and of each person's leads exactly one that is no duplicate."""
    firsts = Counter(person for _, person, first in told if first)
    assert set(firsts) == {person for _, person, _ in told}
    assert set(firsts.values()) == {1}
    async with db.begin() as tx:
        persons = {row["id"] for row in await tx.all(sa.select(PERSON.c.id))}
        owners = {row["person_id"] for row in await tx.all(sa.select(PERSON_KEY.c.person_id))}
        interests = [row["person_id"] for row in await tx.all(sa.select(INTEREST.c.person_id))]
    assert persons == owners == set(firsts)
    assert sorted(interests) == sorted(firsts)


@pytest.mark.parametrize("group", [1, 7, 50])
async def test_leads_of_the_same_people_on_several_connections_make_one_person_each_and_one_first_lead(
    database_url: str, mint: Mint, group: int
) -> None:
    db = Database(database_url, size=6)
    await db.open()
    try:
        lanes = await asyncio.gather(*(send(db, traffic(group, lane), mint, group) for lane in range(6)))
        await check(db, [item for lane in lanes for item in lane])
    finally:
        await db.close()


async def test_leads_of_the_same_people_from_several_processes_make_one_person_each_and_one_first_lead(
    database_url: str,
) -> None:
    script = (
        "import asyncio, sys\n"
        "from leadmill.core.ids import mint\n"
        "from leadmill.runtime.db import Database\n"
        "from tests.identity.test_recognise import send, traffic\n"
        "async def main():\n"
        "    db = Database(sys.argv[1], size=2)\n"
        "    await db.open()\n"
        "    told = await send(db, traffic(3, int(sys.argv[2])), mint, 10)\n"
        "    await db.close()\n"
        "    for item in told:\n"
        "        print(*item)\n"
        "asyncio.run(main())\n"
    )
    runs = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            database_url,
            str(lane),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": ":".join(filter(None, [ROOT, *sys.path])), "PATH": "/usr/bin:/bin"},
        )
        for lane in range(3)
    ]
    told = []
    for run in runs:
        out, err = await run.communicate()
        assert run.returncode == 0, err.decode()
        for line in out.decode().split("\n"):
            if line:
                lead, person, first = line.split()
                told.append((lead, person, first == "True"))
    assert len(told) == 3 * PEOPLE
    db = Database(database_url, size=1)
    await db.open()
    try:
        await check(db, told)
    finally:
        await db.close()


def test_a_lead_asks_the_same_question_however_often_it_is_asked() -> None:
    case = case_of("lead_1", "ann@example.com", "+15102834567", name=("Ann", "Lee"))
    (ask,) = STEP.wants(case)
    assert [ask] == list(STEP.wants(case))
    assert isinstance(ask, FindPerson)
    assert ask.since == NOW - timedelta(days=30)
    assert STEP.wants(Case("lead_1", [*case.evidence(), Dossier([])])) != [ask]

"""Counts are exact whatever else runs: tasks, processes, transactions that fail, marks for which nobody waits."""

import asyncio
import json
import os
import sys
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadmill.core.faults import Transient
from leadmill.fraud import Card, Kind, SightAsk, Sighted
from leadmill.fraud.records import SIZE, pack
from leadmill.fraud.service import Sightings, fold, forget_marks, tidy_fraud
from leadmill.fraud.store import Given, burn, spill
from leadmill.runtime.db import Database
from tests.fraud.counting import MARKS, count_groups
from tests.fraud.scene import CARD, NOW, ask, card_with, later, mark

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


async def heard(db: Database, sightings: Sightings, *asks: SightAsk) -> list[Sighted]:
    async with db.begin() as tx:
        answer = await sightings.hear(tx, asks)
        return [answer(each) for each in asks]


async def stored(db: Database, table: str) -> list[Any]:
    async with db.begin() as tx:
        return list(await tx.conn.fetch(f"SELECT * FROM {table}"))


def merged(parts: list[dict[str, list[int]]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for part in parts:
        for key, counts in part.items():
            found[key] += counts
    return found


def assert_exact(parts: list[dict[str, list[int]]]) -> None:
    """Of n leads with a mark one heard 1, one 2 … and one n: none was lost, none counted twice."""
    found = merged(parts)
    assert set(found) == {one.hash.hex() for one in MARKS}
    for counts in found.values():
        assert sorted(counts) == list(range(1, len(counts) + 1))


async def test_of_leads_counted_at_once_each_hears_another_number(db: Database) -> None:
    assert_exact(await asyncio.gather(*(count_groups(db, seed, 12) for seed in (1, 2))))


async def test_two_processes_that_count_at_once_lose_none_and_double_none(database_url: str) -> None:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fraud.counting", database_url, str(seed), "25",
            stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=environ,
        )
        for seed in (11, 12)
    ]  # fmt: skip
    outputs = await asyncio.wait_for(asyncio.gather(*(one.communicate() for one in processes)), PATIENCE)
    assert [one.returncode for one in processes] == [0, 0]
    assert_exact([json.loads(out) for out, _ in outputs])


async def test_what_is_undone_was_never_counted(db: Database) -> None:
    sightings, phone = Sightings(), mark("phone", "1")

    async def count_and_fail() -> None:
        async with db.begin() as tx:
            await sightings.hear(tx, [ask(phone)])
            raise Transient("test.lost")

    with pytest.raises(Transient):
        await count_and_fail()
    assert await heard(db, sightings, ask(phone)) == [Sighted()]
    [again] = await heard(db, sightings, ask(phone, at=later(minutes=1)))
    assert again.sightings[0].counts == (2, 2, 2)


async def test_a_window_slides_and_each_lead_of_a_group_hears_those_before_it(db: Database) -> None:
    sightings, phone = Sightings(), mark("phone", "1")
    await heard(db, sightings, ask(phone))
    first, second = await heard(
        db, sightings, ask(phone, at=later(minutes=30)), ask(phone, at=later(minutes=60), person="person_0000000b")
    )
    assert first.sightings[0].counts == (2, 2, 2) and first.sightings[0].persons == (1, 1, 1)
    assert second.sightings[0].counts == (2, 3, 3) and second.sightings[0].persons == (2, 2, 2)
    [last] = await heard(db, sightings, ask(phone, at=later(days=30)))
    assert last.sightings[0].counts == (1, 1, 3)


async def test_a_mark_tells_of_other_sources_verticals_and_names(db: Database) -> None:
    sightings, phone = Sightings(), mark("phone", "1")
    await heard(db, sightings, ask(phone, source="globex", name=b"smit"))
    await heard(db, sightings, ask(phone, vertical="legal", name=b"jone", at=later(days=10)))
    [found] = await heard(db, sightings, ask(phone, name=b"smit", at=later(days=40)))
    [seen] = found.sightings
    assert (seen.elsewhere, seen.vertical, seen.names) == (40, 30, 1)


async def test_no_more_is_kept_of_a_mark_than_any_limit_looks_at(db: Database) -> None:
    phone = mark("phone", "1")
    for number in range(10):
        group = [ask(phone, at=later(seconds=number)) for _ in range(7)]
        answers = await heard(db, Sightings(), *group)
    assert [item.sightings[0].counts[0] for item in answers] == [17, 18, 19, 20, 21, 22, 23]
    [row] = await stored(db, "fraud_mark")
    assert len(row["seen"]) == (CARD.keep["phone"] + 7) * SIZE


async def test_a_duplicate_counts_although_it_never_comes_to_the_station(db: Database) -> None:
    sightings, phone = Sightings(), mark("phone", "1")
    async with db.begin() as tx:
        sightings.note(tx, ask(phone))
        sightings.note(tx, None)
    async with db.begin() as tx:
        sightings.note(tx, ask(phone, at=later(seconds=1)))
        answer = await sightings.hear(tx, [last := ask(phone, at=later(seconds=1))])
        assert answer(last).sightings[0].counts == (3, 3, 3)
    [found] = await heard(db, sightings, ask(phone, at=later(seconds=2)))
    assert found.sightings[0].counts == (4, 4, 4)


def few(kind: Kind, most: int) -> Card:
    """A card on which only this kind is limited."""
    return card_with(limits={kind: (most,)}, windows={kind: (3600,)}, keep={kind: most + 1})


async def test_nobody_waits_for_a_mark_that_is_over_every_limit_and_nothing_is_lost_all_the_same(db: Database) -> None:
    sightings, server, card = Sightings(), mark("ip", "a publisher's own"), few("ip", 3)
    for _ in range(4):
        await heard(db, sightings, ask(server, card=card))
    async with db.begin() as slow:
        first = ask(server, card=card, at=later(seconds=1))
        told = (await sightings.hear(slow, [first]))(first)
        # Another transaction goes on while this one has not ended.
        [beside] = await asyncio.wait_for(heard(db, sightings, ask(server, card=card, at=later(seconds=1))), 20)
        assert min(told.sightings[0].counts[0], beside.sightings[0].counts[0]) > 3
    assert len(await stored(db, "fraud_spill")) == 2
    async with db.begin() as tx:
        await fold(tx, later(seconds=2))
    assert not await stored(db, "fraud_spill")
    [found] = await heard(db, Sightings(), ask(server, card=card, at=later(seconds=2)))
    assert found.sightings[0].counts[0] >= 5
    [late] = await heard(db, sightings, ask(server, card=card, at=later(hours=2)))
    assert late.sightings[0].counts == (1,), "once the window has passed, it is locked and counted again"


async def test_a_source_is_locked_only_where_it_has_a_limit(db: Database) -> None:
    assert "source" not in CARD.limits
    sightings, source, card = Sightings(), mark("source", "acme"), few("source", 2)
    answers = await heard(db, sightings, *(ask(source, card=card) for _ in range(4)))
    assert [item.sightings[0].counts for item in answers] == [(1,), (2,), (3,), (4,)]


async def test_a_source_has_a_pace_once_it_has_a_past_and_files_count_for_none(db: Database) -> None:
    card = card_with(burst_least=3)
    for hour in range(30):
        await heard(db, Sightings(), ask(at=later(hours=hour), card=card), ask(at=later(hours=hour), card=card))
        async with db.begin() as tx:
            await fold(tx, later(hours=hour, minutes=5))
    sightings, now = Sightings(), later(hours=31)
    found = await heard(db, sightings, *(ask(at=now, card=card) for _ in range(4)))
    assert [(item.hour, item.usual) for item in found] == [(4, 2.0)] * 4
    [file] = await heard(db, sightings, ask(at=now, card=card, paced=False))
    assert (file.hour, file.usual) == (None, None)
    [new] = await heard(db, sightings, *[ask(at=now, card=card, source="globex")])
    assert new.hour is None, "a source without a past cannot burst"
    levels = {row["level"] for row in await stored(db, "fraud_pace")}
    assert levels == {0, 1, 2}


async def test_what_has_had_its_time_goes_and_what_is_in_use_waits(db: Database) -> None:
    sightings = Sightings()
    await heard(db, sightings, *(ask(mark("ip", str(number))) for number in range(40)))
    await heard(db, sightings, *(ask(mark("phone", str(number))) for number in range(10)))
    gone = 0
    day = later(days=36).replace(hour=0, minute=0)
    async with db.begin() as tx:
        for minute in range(24 * 60):
            gone += await tidy_fraud(tx, [CARD], day + timedelta(minutes=minute))
    assert gone == 40, "an IP address is remembered for 35 days, a phone number for more than a year"
    assert len(await stored(db, "fraud_mark")) == 10


async def test_sightings_of_somebody_who_is_forgotten_go_with_their_burns_and_others_stay(db: Database) -> None:
    sightings, phone, home = Sightings(), mark("phone", "1"), mark("address", "1")
    await heard(db, sightings, ask(phone, home, person="person_ann00001"))
    await heard(db, sightings, ask(home, person="person_bob00002"))
    async with db.begin() as tx:
        await burn(tx, [phone.hash, home.hash], "lead_a", NOW)
        await burn(tx, [home.hash], "lead_b", NOW)
        spill(tx, home.hash, Given([pack(NOW, "acme", "solar", "person_ann00001", b"")], 16, later(days=9)))
    async with db.begin() as tx:
        assert await forget_marks(tx, [phone.hash, home.hash], ["person_ann00001"], ["lead_a"]) == 2
    assert [row["mark"] for row in await stored(db, "fraud_mark")] == [home.hash]
    assert [row["lead_id"] for row in await stored(db, "fraud_burn")] == ["lead_b"]
    assert await stored(db, "fraud_spill") == []
    (again,) = await heard(db, sightings, ask(phone, home, at=NOW))
    assert [(one.kind, one.counts[-1]) for one in again.sightings] == [("address", 2)]

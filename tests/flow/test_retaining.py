"""Retention schedules carried out on a real store: who goes, who stays and why, holds, deletion lists, by hand."""

import asyncio
import base64
import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadmill.core.faults import Conflict, NotFound, Transient
from leadmill.core.reasons import State
from leadmill.flow.dropping import retain_and_screen, try_list, work_list
from leadmill.flow.forgetting import forget
from leadmill.flow.memory import recall_one
from leadmill.flow.replay import replay
from leadmill.flow.retaining import Runner, begin_by_hand, lift, place, plan_retention
from leadmill.flow.rights import forget_by_hand, stop_for
from leadmill.flow.store import read_lead
from leadmill.flow.verify import verify
from leadmill.identity import rule
from leadmill.interfaces.house import House
from leadmill.interfaces.outside import OutsideStore
from leadmill.parties.store import note_reads
from leadmill.policy import find_suppressed
from leadmill.privacy import RETAIN, DropStatus, Run, Tally, read_list
from leadmill.privacy.rules import holds
from leadmill.runtime import journal
from leadmill.runtime.jobs import claim
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS as EVERYWHERE
from tests.flow.stage import apply, count, order, submission

CALIFORNIA = [{"field": "state", "eq": "CA"}]
BUSINESS = {
    **EVERYWHERE,
    "order": [
        order("helio-ca", "helio", "65.00", where=CALIFORNIA),
        order("bright-ca", "bright", "50.00", where=CALIFORNIA),
    ],
}


class Elsewhere:
    """Nothing outside the store."""

    async def old_files(self, before: datetime, dry: bool) -> int:
        return 0


async def run(house: House, dry: bool = False) -> Run:
    """A run by hand, whole."""
    async with house.db.begin() as tx:
        begun = await begin_by_hand(tx, house.kit, "test", dry, house.clock(), owe=False)
    done = await Runner(house.kit, Elsewhere()).carry_out(begun.id)
    assert done is not None
    assert done.state == "done"
    return done


async def take(house: House, number: int, **fields: Any) -> str:
    return (await house.mill.take(submission(house, number, **fields))).lead_id


async def person(house: House, lead_id: str) -> str:
    async with house.db.begin() as tx:
        row = await read_lead(tx, lead_id)
    assert row is not None
    return row.person_id


async def forgotten(house: House, lead_id: str) -> bool:
    async with house.db.begin() as tx:
        return (await recall_one(tx, house.pen, lead_id)).submission is None


UNSOLD = {"state": "NV", "zip": "89101"}
"""Nobody buys there."""


async def test_who_is_due_is_forgotten_and_who_is_not_stays(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    sold = await take(house, 1)
    unsold = await take(house, 2, **UNSOLD)
    held = await take(house, 3, **UNSOLD)
    early = await take(house, 4, **UNSOLD)
    async with house.db.begin() as tx:
        hold = await place(tx, house.kit, await person(house, held), "a claim", "op_ana", clock())
        note_reads(tx, "op_ana", [sold], "page", clock())
    clock.advance(days=60)
    late = await take(house, 5, **UNSOLD)
    async with house.db.begin() as tx:
        low, high = sorted([await person(house, early), await person(house, late)])
        await rule(tx, house.mint, low, high, "one", by="op_ana", why="they said so", now=clock())
    clock.advance(days=40)

    dry = await run(house, dry=True)
    assert dry.tallies["unsold"] == Tally(went=1, persons=1, held=1, waits=1)
    assert not await forgotten(house, unsold)
    done = await run(house)
    assert done.tallies["unsold"] == dry.tallies["unsold"]
    assert [await forgotten(house, each) for each in (sold, unsold, held, early, late)] == [
        False,
        True,
        False,
        False,
        False,
    ]
    again = await run(house)
    assert again.tallies["unsold"] == Tally(held=1, waits=1), "what went is gone"

    async with house.db.begin() as tx:
        await lift(tx, house.kit, hold.id, "settled", "op_ana", clock())
        with pytest.raises(NotFound):
            await lift(tx, house.kit, hold.id, "settled", "op_ana", clock())
    clock.advance(days=700)
    done = await run(house)
    assert done.tallies["unsold"] == Tally(went=3, persons=3), "one of them under two ids"
    assert done.tallies["bodies"].went == 5
    assert done.tallies["reads"].went == 1
    assert [await forgotten(house, each) for each in (sold, held, early, late)] == [False, True, True, True]
    async with house.db.begin() as tx:
        emptied = await recall_one(tx, house.pen, sold)
        pages = await journal.pages(tx, done.id)
        assert "went by the schedule unsold" in " ".join(
            says for event in house.pen.read_events(pages[0]) for says in event.tell()
        )
    assert emptied.emptied
    assert emptied.lead is not None, "the lead stays, its body does not"
    replayed = await replay(house.db, house.pen, house.book)
    assert (replayed.skipped, replayed.differences) == (5, [])
    assert (await verify(house.db, house.pen)).findings == []


async def test_the_run_of_a_day_is_owed_once_and_goes_on_where_it_stopped(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    lead = await take(house, 1, **UNSOLD)
    clock.advance(days=100)
    async with house.db.begin() as tx:
        assert await plan_retention(tx, house.kit, clock())
    async with house.db.begin() as tx:
        assert not await plan_retention(tx, house.kit, clock())
    async with house.db.begin() as tx:
        (job,) = await claim(tx, [RETAIN], clock(), clock(), 10)

    class Broken(Elsewhere):
        async def old_files(self, before: datetime, dry: bool) -> int:
            raise Transient("drop.disk.failed")

    with pytest.raises(Transient):
        await retain_and_screen(house.kit, Broken())(job)
    assert not await forgotten(house, lead)
    await retain_and_screen(house.kit, Elsewhere())(job)
    await retain_and_screen(house.kit, Elsewhere())(job)
    assert await forgotten(house, lead)
    clock.advance(days=1)
    async with house.db.begin() as tx:
        assert await plan_retention(tx, house.kit, clock()), "the next day's"


async def test_files_laid_out_for_others_go_when_they_are_old(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "drop/helio").mkdir(parents=True)
    (tmp_path / "drop/helio/lead.json").write_text("{}")
    outside = OutsideStore(tmp_path)
    later = datetime.now(tz=clock().tzinfo) + timedelta(days=366)
    assert await outside.old_files(clock().replace(year=2000), dry=False) == 0
    assert await outside.old_files(later, dry=True) == 1
    assert (tmp_path / "drop/helio/lead.json").exists()
    assert await outside.old_files(later, dry=False) == 1
    assert not (tmp_path / "drop/helio").exists()


def entry(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


async def test_whoever_is_on_a_deletion_list_is_opted_out_and_forgotten(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    ann = await take(house, 1)
    pair = {"phone": "+19162000222"}
    tom = await take(house, 2, first_name="Tom", last_name="Reed", email="tom@example.com", **pair)
    eva = await take(house, 3, first_name="Eva", last_name="Lund", email="eva@example.com", **pair)
    held = await take(house, 4, first_name="Kim", last_name="Vale", email="kim@example.com")
    async with house.db.begin() as tx:
        await place(tx, house.kit, held, "a claim", "op_ana", clock())
    mails = "".join(
        f"mail{number},{entry(text)}\n"
        for number, text in enumerate(("ann.1@example.com", "kim@example.com", "later@example.com"))
    )
    files = [
        read_list("20261120_1_Email.csv", f"ID,Hash\n{mails}"),
        read_list("20261120_1_Phone.csv", f"ID,Hash\nphone0,{entry('9162000222')}\n"),
    ]
    expected = {
        "mail0": DropStatus.DELETED,
        "mail1": DropStatus.EXEMPTED,
        "mail2": DropStatus.NOT_FOUND,
        "phone0": DropStatus.OPTED_OUT,
    }
    tried = await try_list(house.kit, files)
    assert tried.statuses == expected
    assert await count(house, "drop_item") == 0
    worked = await work_list(house.kit, files, b"body", "lists", "test")
    assert worked.statuses == expected
    assert (worked.failed, worked.figures.deleted, worked.figures.not_found) == (0, 1, 1)
    assert await forgotten(house, ann)
    assert not any([await forgotten(house, each) for each in (tom, eva, held)])
    hashed = house.vault.keyed_hash
    async with house.db.begin() as tx:
        closed = await find_suppressed(
            tx,
            [hashed("email", "ann.1@example.com"), hashed("phone", "+19162000222"), hashed("email", "kim@example.com")],
        )
    assert len(closed) == 3
    assert (await work_list(house.kit, files, b"body", "lists", "test")).statuses == expected, "again changes nothing"

    # Who comes later is found too, under what was kept of the list.
    clock.advance(minutes=5)
    came = await house.mill.take(submission(house, 5, email="later@example.com", phone="+19162000555"))
    assert came.state is State.REJECTED, "an address on a list closes the number as well"
    later = came.lead_id
    async with house.db.begin() as tx:
        await plan_retention(tx, house.kit, clock())
    async with house.db.begin() as tx:
        (job,) = await claim(tx, [RETAIN], clock(), clock(), 10)
    await retain_and_screen(house.kit, Elsewhere())(job)
    assert await forgotten(house, later)
    removed = read_list("20261230_1_Removed.csv", f"ID,Hash,ListType\nmail1,{entry('kim@example.com')},Email\n")
    assert (await work_list(house.kit, [removed], b"other", "lists", "test")).removed == 1
    assert (await verify(house.db, house.pen)).findings == []


async def test_somebody_is_forgotten_by_hand_with_a_certificate(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    lead = await take(house, 1)
    who = await person(house, lead)
    async with house.db.begin() as tx:
        hold = await place(tx, house.kit, lead, "a claim", "op_ana", clock())
    with pytest.raises(Conflict, match=r"privacy\.person\.held"):
        await stop_for(house.kit, who, "op_ana", opt_out=True)
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"privacy\.person\.held"):
            await forget(tx, house.kit, who, "op_ana", clock())
        await lift(tx, house.kit, hold.id, "settled", "op_ana", clock())
    await stop_for(house.kit, who, "op_ana", opt_out=True)
    async with house.db.begin() as tx:
        made = await forget_by_hand(tx, house.kit, who, "op_ana", "asked by letter", clock())
    assert (made.persons, made.leads, made.retained) == (1, (lead,), {"legal_claims": 1})
    assert holds(made), "digest and signature"
    assert made.suppressed == 2
    assert await forgotten(house, lead)
    async with house.db.begin() as tx:
        again = await forget_by_hand(tx, house.kit, who, "op_ana", "asked by letter", clock())
    assert (again.persons, again.leads) == (0, ())


async def test_persons_who_are_one_are_forgotten_while_others_are_met_without_a_deadlock(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    leads = [await take(house, number, last_name="Oak", phone=f"+1916200{number:04}") for number in range(1, 7)]
    persons = sorted({await person(house, lead) for lead in leads})
    async with house.db.begin() as tx:
        for other in persons[1:]:
            await rule(tx, house.mint, persons[0], other, "one", by="op_ana", why="they said so", now=clock())

    async def part(who: str) -> int:
        async with house.db.begin() as tx:
            return len((await forget(tx, house.kit, who, "op_ana", clock())).persons)

    taken = [take(house, 10 + number, last_name="Oak", phone=f"+1916200{number:04}") for number in range(1, 7)]
    gone = [part(who) for who in (persons[0], persons[-1], persons[2])]
    told = await asyncio.gather(*taken, *gone, return_exceptions=True)
    faults = [one for one in told if isinstance(one, BaseException)]
    assert all(isinstance(one, Transient) and one.code == "identity.person.changed" for one in faults), faults
    assert (await verify(house.db, house.pen)).findings == []

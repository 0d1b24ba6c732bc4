"""Decided again: under the rules of their time leads come out as they did; under another order book they show what
would change, in leads and in money."""

from pathlib import Path
from typing import Any

import pytest

from leadmill.core.case import Case, Heard
from leadmill.core.reasons import State, because
from leadmill.core.verdicts import Stop, Verdict
from leadmill.flow.configure import changed_rules, read_files
from leadmill.flow.desk import approve
from leadmill.flow.memory import recalled_between
from leadmill.flow.replay import replay
from leadmill.flow.whatif import Change, replay_with
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.market import Allocate
from leadmill.market.model import UNSOLD
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, order, stored, submission
from tests.journeys.house import Buyers


async def take(house: House, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        await house.mill.take(submission(house, number, **fields))


async def test_under_the_rules_of_their_time_leads_come_out_as_they_did(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await take(house, 1, 2, 2)
    clock.advance(hours=1)
    await apply(house, {"order": [order("helio-ca", "helio", "40.00"), order("bright-ca", "bright", "70.00")]})
    await take(house, 3, 4)
    found = await replay(house.db, house.pen, house.book)
    assert (found.leads, found.skipped, found.differences) == (5, 0, [])
    written = [each async for _, each in recalled_between(house.db, house.pen, None, None)]
    assert found.steps == sum(len(chapter.stations) for each in written for chapter in each.chapters) > 40


async def test_a_walk_that_was_resumed_comes_out_as_it_did(house: House, buyers: Buyers, clock: FixedClock) -> None:
    delivery = {"courier": "http", "url": f"{buyers.url}/helio", "retries": [1]}
    await apply(house, {**BUSINESS, "buyer": [{**BUSINESS["buyer"][0], "delivery": delivery}, BUSINESS["buyer"][1]]})
    buyers.script("helio", [{"body": {"status": "rejected", "reason": "no"}}])
    await take(house, 1)
    await take(house, 2, monthly_bill=4000)
    held = [row for row in await stored(house) if row.state is State.REVIEW]
    async with house.db.begin() as tx:
        await approve(tx, house.kit, held[0].id, "op_ana", "", clock())
    for one in workers(house):
        await one.drain()
    assert [row.recipient for row in await stored(house)] == ["bright", "bright"]
    found = await replay(house.db, house.pen, house.book)
    assert (found.leads, found.skipped, found.differences) == (2, 0, [])


async def test_a_step_that_decides_otherwise_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply(house, BUSINESS)
    await take(house, 1, 2)

    def refuse(self: Allocate, case: Case, heard: Heard, now: Any) -> Verdict:
        return Stop(because(UNSOLD, considered=0))

    monkeypatch.setattr(Allocate, "judge", refuse)
    found = await replay(house.db, house.pen, house.book)
    assert {(one.step, one.was, one.now) for one in found.differences} >= {
        ("market", "pass", "stop (market.lead.unsold)")
    }


async def test_only_leads_of_the_span_are_decided_again(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await take(house, 1)
    since = clock.advance(hours=1)
    await take(house, 2, 3)
    until = clock.advance(hours=1)
    await take(house, 4)
    assert (await replay(house.db, house.pen, house.book, since, until)).leads == 2


async def test_who_was_forgotten_cannot_be_decided_again(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await take(house, 1, 2)
    first = (await stored(house))[0]
    async with house.db.begin() as tx:
        assert await forget_person(tx, house.keys, first.person_id, clock())
    found = await replay(house.db, house.pen, house.book)
    assert (found.leads, found.skipped, found.differences) == (2, 1, [])


def what_if(house: House, folder: Path, text: str) -> Any:
    path = folder / "other.toml"
    path.write_text(text)
    return changed_rules(read_files([path]), house.packs)


async def test_another_order_book_shows_the_leads_and_the_money_that_change(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    await take(house, 1, 2)
    await take(house, 3, monthly_bill=100)
    other = what_if(
        house,
        tmp_path,
        '[[order]]\nid = "bright-ca"\nbuyer = "bright"\nvertical = "solar"\nprice = "80.00"\n'
        'where = [{ field = "monthly_bill", gte = 120 }]\n',
    )
    found = await replay_with(house.db, house.pen, house.book, other)
    first, second, third = (row.id for row in await stored(house))
    assert found.changes == [
        Change(first, "sold", "sold", "helio", "bright", 6500, 8000),
        Change(second, "sold", "sold", "helio", "bright", 6500, 8000),
    ]
    assert third not in {change.lead_id for change in found.changes}
    assert (found.total.was, found.total.now) == (3 * 6500, 2 * 8000 + 6500)
    assert (found.by_recipient["helio"].leads_was, found.by_recipient["helio"].leads_now) == (3, 1)
    assert (found.by_recipient["bright"].leads_was, found.by_recipient["bright"].leads_now) == (0, 2)


async def test_the_same_order_book_changes_nothing(house: House, tmp_path: Path) -> None:
    await apply(house, {**BUSINESS, "order": [order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 2}])]})
    await take(house, 1, 2, 3, 3)
    other = what_if(house, tmp_path, '[[source]]\nid = "new"\nname = "New"\nverticals = ["solar"]\n')
    found = await replay_with(house.db, house.pen, house.book, other)
    assert (found.leads, found.skipped, found.changes) == (4, 0, [])
    assert found.total.was == found.total.now == 2 * 6500


async def test_caps_and_balances_fill_up_as_the_replayed_leads_come_by(
    house: House, tmp_path: Path, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    await take(house, 1, 2, 3)
    clock.advance(days=1)
    await take(house, 4)
    other = what_if(
        house,
        tmp_path,
        '[[order]]\nid = "helio-ca"\nbuyer = "helio"\nvertical = "solar"\nprice = "65.00"\n'
        'caps = [{ per = "day", leads = 1 }]\n'
        '[[order]]\nid = "bright-ca"\nbuyer = "bright"\nvertical = "solar"\nprice = "50.00"\nbudget = "50.00"\n',
    )
    found = await replay_with(house.db, house.pen, house.book, other)
    assert [(change.now, change.now_recipient, change.now_price) for change in found.changes] == [
        ("sold", "bright", 5000),
        ("unsold", None, 0),
    ]
    assert (found.total.was, found.total.now) == (4 * 6500, 2 * 6500 + 5000)


async def test_reps_fill_up_in_a_what_if(house: House, tmp_path: Path) -> None:
    reps = [{"id": "ana", "email": "ana@example.com", "zips": ["95*"], "capacity": 9}]
    await apply(house, {"source": BUSINESS["source"], "team": [{"id": "west", "name": "West", "reps": reps}]})
    await take(house, 1, 2, 3)
    other = what_if(
        house,
        tmp_path,
        '[[team]]\nid = "west"\nname = "West"\n'
        'reps = [{ id = "ana", email = "ana@example.com", zips = ["95*"], capacity = 2 }]\n',
    )
    found = await replay_with(house.db, house.pen, house.book, other)
    assert [(change.was, change.now) for change in found.changes] == [("assigned", "unsold")]

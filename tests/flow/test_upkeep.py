"""Open leads asked about again in time, and the report of how addresses and numbers stand."""

from datetime import timedelta
from typing import Any

import pytest

from leadmill.core.ids import make_id
from leadmill.core.reasons import State
from leadmill.flow.biography import read_biography
from leadmill.flow.noticing import take_notices
from leadmill.flow.replay import replay
from leadmill.flow.upkeep import HygieneReport, Share, look_at_due, plan_looks, read_report
from leadmill.flow.upkeep.reporting import gather, stand, together
from leadmill.hygiene import Notice, Seen, read_upkeeps
from leadmill.hygiene.store import Count, PointSeen
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.runtime.packs import load_packs
from tests.conftest import FixedClock
from tests.enrich.conftest import Market, market
from tests.flow.stage import BUSINESS, apply, count, stored, submission
from tests.hygiene.test_rules import NOW

__all__ = ["market"]

CHAIN = {"id": "phones", "topic": "phone", "ask": ["numberly"], "where": [{"field": "phone.valid", "eq": True}]}


async def open_business(house: House, market: Market, **schedule: Any) -> None:
    """Nobody buys: every lead is kept for our own people."""
    team = {"id": "west", "name": "West", "reps": [{"id": "ana", "email": "ana@example.com", "capacity": 20}]}
    keeps = {"id": "west-all", "team": "west", "vertical": "solar"}
    await apply(
        house,
        {
            "source": BUSINESS["source"],
            "team": [team],
            "order": [keeps],
            "provider": [market.declared("numberly")],
            "chain": [CHAIN],
            "reverify": [{"id": "warm", "every": "30d", "per_day": 2, **schedule}],
        },
    )


async def report_of(house: House, days: int = 60) -> HygieneReport:
    async with house.db.begin(still=True) as tx:
        return await read_report(tx, house.kit, days, house.clock())


async def test_leads_that_are_still_open_are_asked_about_again_within_the_days_limit(
    house: House, market: Market, clock: FixedClock
) -> None:
    await open_business(house, market)
    ids = [(await house.mill.take(submission(house, number))).lead_id for number in range(3)]
    assert {row.state for row in await stored(house)} == {State.ASSIGNED}
    assert await look_at_due(house.kit, "warm", 10) == 0, "nothing is old yet"
    clock.advance(days=40)
    async with house.db.begin() as tx:
        assert await plan_looks(tx, house.kit, clock()) == 1
        assert await plan_looks(tx, house.kit, clock()) == 1  # the same job, which is there already
    assert await count(house, "job WHERE kind = 'hygiene.reverify'") == 1
    while sum([await one.drain() for one in workers(house)]):
        continue
    found = await report_of(house)
    (due,) = found.due
    assert (due.due, due.looked, due.per_day) == (1, 2, 2), "the day's limit holds"
    assert due.cost == 100_000
    assert (found.total.ages[0], found.total.ages[1]) == (2, 1)
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, ids[-1])
    told = [line for passage in story.passages for line in passage.learned]
    assert any(line.startswith("Asked about once more by the schedule warm") for line in told), told
    assert await look_at_due(house.kit, "warm", 10) == 0
    clock.advance(days=1)
    assert await look_at_due(house.kit, "warm", 10) == 1
    assert (await report_of(house)).due[0].due == 0
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_a_schedule_that_has_spent_its_money_waits_for_tomorrow(
    house: House, market: Market, clock: FixedClock
) -> None:
    await open_business(house, market, spend="0.05", per_day=100)
    for number in range(2):
        await house.mill.take(submission(house, number))
    clock.advance(days=40)
    assert await look_at_due(house.kit, "warm", 10) == 1
    assert (await report_of(house)).due[0].due == 1


async def test_the_report_counts_what_came_back_and_whom_it_leaves_reachable(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    for number in range(4):
        await house.mill.take(submission(house, number))
    notices = [
        Notice(word="bounced", contact="ann.0@example.com", at=clock(), ref="1"),
        Notice(word="delivered", contact="ann.1@example.com", at=clock(), ref="2"),
        Notice(word="disconnected", contact="+19162000002", at=clock(), ref="3"),
    ]
    async with house.db.begin() as tx:
        await take_notices(tx, house.kit, notices, "post", clock())
    clock.advance(timedelta(minutes=1))
    found = await report_of(house, 7)
    (group,) = found.groups
    assert (group.vertical, group.source, group.leads) == ("solar", "acme", 4)
    assert (group.email, group.phone) == (Share(1, 1, 2), Share(0, 1, 3))
    assert group.kinds == {"bounced": 1, "delivered": 1, "disconnected": 1}
    assert [sum(day.kinds.values()) for day in found.trend] == [0, 0, 0, 0, 0, 0, 3]
    assert found.whole and found.due == []
    clock.advance(days=10)
    later = await report_of(house, 7)
    assert (later.total.leads, later.total.kinds) == (0, {})
    assert later.total.before == group.kinds


def test_a_point_counts_once_with_each_source_and_all_that_came_back_from_it_counts() -> None:
    first = make_id("lead", NOW, 0)
    old, new = make_id("lead", NOW - timedelta(days=9), 0), make_id("lead", NOW + timedelta(hours=1), 0)
    seen = [
        PointSeen("solar", "acme", old, b"a", Seen("bounced", NOW - timedelta(days=9), "x")),
        PointSeen("solar", "acme", new, b"a", Seen("deferred", NOW, "x")),
        PointSeen("solar", "web", new, b"a", Seen("deferred", NOW, "y")),
        PointSeen("solar", "acme", old, b"b", Seen("bounced", NOW - timedelta(days=9), "x")),
        PointSeen("solar", "acme", new, b"c", Seen("complained", NOW, "x")),
    ]
    found = stand(seen, first, read_upkeeps(load_packs()), NOW)
    assert found == {
        ("solar", "acme", "email"): (0, 1),
        ("solar", "web", "email"): (0, 1),
    }


@pytest.mark.parametrize("leads", [0, 3])
def test_groups_and_their_sum_agree(leads: int) -> None:
    day = NOW.date()
    groups = gather(
        {("solar", "acme"): leads},
        {("solar", "acme", "email"): (1, 1), ("solar", "web", "phone"): (2, 0)},
        [Count(day, "solar", "acme", "bounced", 2), Count(day, "solar", "acme", "bounced", 1)],
        [Count(day, "solar", "web", "delivered", 5)],
        [("solar", "acme", 0, 4), ("mortgage", "own", 4, 1)],
    )
    assert next((one.vertical, one.source) for one in groups) == (("solar", "acme") if leads else ("mortgage", "own"))
    total = together(groups)
    assert total.leads == leads
    assert total.email == Share(1, 1, max(0, leads - 2))
    assert total.kinds == {"bounced": 3} and total.before == {"delivered": 5}
    assert total.ages == [4, 0, 0, 0, 1]

"""Room held for a lead that may come: counts like a sale, ends in one way, and leaves nothing behind."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from leadmill.billing.service import reverse_sale
from leadmill.core.case import Case
from leadmill.core.faults import Permanent
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.ledger import buyer_account, expire_holds, guards
from leadmill.ledger.tables import MONEY_HOLD
from leadmill.market import (
    Counters,
    Headroom,
    Order,
    Sale,
    cancel_sale,
    cap_use,
    check,
    expect_cancels,
    hold_room,
    recount_limits,
    release_hold,
    release_holds,
    use_hold,
)
from leadmill.market.model import OUTBID
from leadmill.market.tables import MARKET_HOLD
from leadmill.runtime.db import Database
from tests.market.scene import NOW, Scene, order, prepaid
from tests.market.shop import clock, ready, sell, sound, walk

SOON = NOW + timedelta(minutes=5)
DAILY = [{"per": "day", "leads": 2}]


async def quote(db: Database, scene: Scene, hold_id: str, order_id: str, counters: Counters | None = None) -> None:
    """Hold room for an order as a quote does: asked, then held in the same transaction."""
    book = counters or Counters(clock)
    wanted = tuple(item for item in scene.step.wanted if item.order_id == order_id and item.limited)
    async with db.begin() as tx:
        if wanted:
            await book.hear(tx, [Headroom(wanted)])
        hold_room(tx, hold_id, order_id, Money(5000), NOW, SOON)


async def used(db: Database, orders: list[Order]) -> list[int]:
    async with db.begin() as tx:
        return [item.used for item in await cap_use(tx, orders, NOW)]


async def available(db: Database, name: str) -> int:
    async with db.begin() as tx:
        return (await guards(tx))[buyer_account(name)].available


async def sell_held(db: Database, scene: Scene, holds: tuple[str, ...], before: int = 0) -> list[Case]:
    """Sell a lead that room is held for, with ``before`` others in its group that come first."""
    counters = Counters(clock)
    cases = [scene.case() for _ in range(before + 1)]
    everything = tuple(scene.step.wanted)
    async with db.begin() as tx:
        await counters.hear(tx, [Headroom(everything, holds)])
        # The others are heard and judged, and only then the lead itself.
        await sell(tx, scene, counters, cases[:-1])
        ask = Headroom(everything, holds)
        (await counters.hear(tx, [ask]))(ask)
        await sell(tx, scene, counters, cases[-1:])
    return cases


async def test_a_hold_takes_room_in_caps_budget_and_credit_like_a_sale(db):
    scene = Scene([order("helio-1", caps=DAILY, budget="150.00")], prepaid("helio", 12000))
    await ready(db, scene)
    await quote(db, scene, "hold_1", "helio-1")
    assert await used(db, list(scene.orders.values())) == [1, 5000]
    assert await available(db, "helio") == 7000
    await sound(db)
    assert [Sale in case for case in await walk(db, scene, 3)] == [True, False, False]
    await sound(db)


async def test_room_that_is_not_there_cannot_be_held(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 1}])])
    await quote(db, scene, "hold_1", "helio-1")
    with pytest.raises(Permanent, match=r"market\.limit\.exceeded"):
        await quote(db, scene, "hold_2", "helio-1")
    poor = Scene([order("volt-1")], prepaid("volt", 4999))
    await ready(db, poor)
    with pytest.raises(Permanent, match=r"market\.limit\.exceeded"):
        await quote(db, poor, "hold_3", "volt-1")
    await sound(db)


async def test_a_lead_finds_the_room_that_was_held_for_it_and_no_other_does(db):
    scene = Scene([order("helio-1", caps=DAILY)], prepaid("helio", 10000))
    await ready(db, scene)
    await quote(db, scene, "hold_1", "helio-1")
    cases = await sell_held(db, scene, ("hold_1",), before=3)
    assert [Sale in case for case in cases] == [True, False, False, True]
    assert await available(db, "helio") == 0
    async with db.begin() as tx:
        assert [row["state"] for row in await tx.all(sa.select(MARKET_HOLD))] == ["used"]
        assert [row["state"] for row in await tx.all(sa.select(MONEY_HOLD))] == ["committed"]
    await sound(db)


async def test_a_hold_is_used_once(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 1}])])
    await quote(db, scene, "hold_1", "helio-1")
    assert [Sale in case for case in await sell_held(db, scene, ("hold_1",))] == [True]
    assert [Sale in case for case in await sell_held(db, scene, ("hold_1",))] == [False]
    async with db.begin() as tx:
        assert not await use_hold(tx, "hold_1", NOW)
        assert not await release_hold(tx, "hold_1", NOW)
    await sound(db)


async def test_a_hold_of_the_hour_before_is_given_back_to_that_hour(db):
    scene = Scene([order("helio-1", caps=[{"per": "hour", "leads": 1}, {"per": "day", "leads": 2}])])
    await quote(db, scene, "hold_1", "helio-1")
    later = NOW + timedelta(hours=1)
    counters = Counters(lambda: later)
    async with db.begin() as tx:
        ask = Headroom(tuple(scene.step.wanted), ("hold_1",))
        (await counters.hear(tx, [ask]))(ask)
        cases = await sell(tx, scene, counters, [scene.case(), scene.case()], later)
    assert [Sale in case for case in cases] == [True, False]
    assert await used(db, list(scene.orders.values())) == [0, 1]
    await sound(db)


async def test_a_hold_let_go_gives_everything_back(db):
    scene = Scene([order("helio-1", caps=DAILY)], prepaid("helio", 10000))
    await ready(db, scene)
    for name in ("hold_1", "hold_2"):
        await quote(db, scene, name, "helio-1")
    async with db.begin() as tx:
        assert await release_hold(tx, "hold_1", NOW)
    async with db.begin() as tx:
        assert await use_hold(tx, "hold_2", NOW)
        assert not await use_hold(tx, "hold_9", NOW)
    assert await available(db, "helio") == 10000
    assert await used(db, list(scene.orders.values())) == [0]
    await sound(db)


async def test_what_is_freed_inside_a_walk_is_there_for_its_next_sale(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 1}])], prepaid("helio", 5000))
    await ready(db, scene)
    await quote(db, scene, "hold_1", "helio-1")
    counters = Counters(clock)
    async with db.begin() as tx:
        await counters.hear(tx, [Headroom(tuple(scene.step.wanted), ("hold_1",))])
        assert await use_hold(tx, "hold_1", NOW)
        cases = await sell(tx, scene, counters, [scene.case(), scene.case()])
    assert [Sale in case for case in cases] == [True, False]
    await sound(db)


async def test_the_sweeper_lets_go_what_has_had_its_time_and_nothing_else(db):
    scene = Scene([order("helio-1", caps=DAILY), order("volt-1")], prepaid("helio", 10000))
    await ready(db, scene)
    await quote(db, scene, "hold_1", "helio-1")
    await quote(db, scene, "hold_2", "volt-1")
    async with db.begin() as tx:
        assert await release_holds(tx, SOON - timedelta(seconds=1)) == 0
    async with db.begin() as tx:
        late = SOON + timedelta(minutes=2)
        assert [(item.code, item.subject) for item in await check(tx, late)] == [
            ("market.hold.leaked", "hold_1"),
            ("market.hold.leaked", "hold_2"),
        ]
        assert await release_holds(tx, SOON, most=1) == 1
        assert await release_holds(tx, SOON) == 1
        assert await check(tx, late) == []
    assert await available(db, "helio") == 10000
    await sound(db)


async def test_the_sweeper_leaves_to_a_walk_what_it_is_using(db, database_url):
    scene = Scene([order("helio-1", caps=DAILY)])
    await quote(db, scene, "hold_1", "helio-1")
    counters = Counters(clock)
    async with db.begin() as tx:
        ask = Headroom(tuple(scene.step.wanted), ("hold_1",))
        (await counters.hear(tx, [ask]))(ask)
        async with db.begin() as other:
            assert await release_holds(other, SOON) == 0
        await sell(tx, scene, counters, [scene.case()])
    async with db.begin() as tx:
        assert await release_holds(tx, SOON) == 0
    await sound(db)


async def test_a_hold_counts_against_a_cap_that_is_set_later(db):
    await quote(db, Scene([order("helio-1")]), "hold_1", "helio-1")
    capped = Scene([order("helio-1", caps=DAILY)])
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"])
    assert [Sale in case for case in await walk(db, capped, 2)] == [True, False]
    assert await used(db, list(capped.orders.values())) == [2]
    async with db.begin() as tx:
        assert await release_hold(tx, "hold_1", NOW)
    assert await used(db, list(capped.orders.values())) == [1]
    await sound(db)


async def blocked(db: Database) -> bool:
    """Whether anybody waits for a lock."""
    async with db.begin() as tx:
        found: int = await tx.conn.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
    return found > 0


async def until(db: Database, task: "asyncio.Task[object]") -> None:
    """Until a task waits for a lock or is done."""
    while not task.done() and not await blocked(db):  # noqa: ASYNC110 the server tells nobody
        await asyncio.sleep(0.01)


async def test_a_counter_that_is_opened_while_a_hold_ends_does_not_count_it(db):
    await quote(db, Scene([order("helio-1")]), "hold_1", "helio-1")
    capped = Scene([order("helio-1", caps=DAILY)])
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"])  # the cap came: whoever asks next counts anew
    async with db.begin() as tx:
        assert await release_hold(tx, "hold_1", NOW)
        walking = asyncio.create_task(walk(db, capped))
        await until(db, walking)
    await walking
    assert await used(db, list(capped.orders.values())) == [1]
    await sound(db)


async def test_a_hold_that_ends_while_a_counter_is_opened_is_taken_out_of_it(db):
    await quote(db, Scene([order("helio-1")]), "hold_1", "helio-1")
    capped = Scene([order("helio-1", caps=DAILY)])
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"])

    async def release() -> None:
        async with db.begin() as tx:
            assert await release_hold(tx, "hold_1", NOW)

    async with db.begin() as tx:
        counters = Counters(clock)
        ask = Headroom(tuple(capped.step.wanted))
        (await counters.hear(tx, [ask]))(ask)
        releasing = asyncio.create_task(release())
        await until(db, releasing)
    await releasing
    assert await used(db, list(capped.orders.values())) == [0]
    await sound(db)


async def test_a_counter_that_is_opened_while_a_sale_is_cancelled_does_not_count_it(db):
    scene = Scene([order("helio-1")])
    (case,) = await walk(db, scene)
    capped = Scene([order("helio-1", caps=DAILY)])
    capped.case()  # so that the next is another lead
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"])
    (leg,) = case[Sale].legs
    async with db.begin() as tx:
        await expect_cancels(tx, [leg.sale_id])
        await cancel_sale(tx, leg.sale_id, because(OUTBID, winner="x", price="y"), NOW)
        walking = asyncio.create_task(walk(db, capped))
        await until(db, walking)
        await reverse_sale(tx, leg.sale_id, NOW)
    await walking
    assert await used(db, list(capped.orders.values())) == [1]
    await sound(db)


async def test_money_that_the_ledger_let_go_first_is_not_given_twice(db):
    scene = Scene([order("helio-1")], prepaid("helio", 5000))
    await ready(db, scene)
    await quote(db, scene, "hold_1", "helio-1")
    async with db.begin() as tx:
        assert await expire_holds(tx, SOON) == 1
        assert [item.code for item in await check(tx)] == ["market.hold.mismatch"]
    assert [Sale in case for case in await sell_held(db, scene, ("hold_1",), before=1)] == [True, False]
    assert await available(db, "helio") == 0
    await sound(db)

"""Limits on the real store: counted in the transaction that sells, exact whoever sells at once."""

from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from leadmill.billing import check as check_billing
from leadmill.billing import reverse_sale
from leadmill.core.faults import NotFound, Permanent
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.ledger import buyer_account, guards
from leadmill.market import (
    Assignment,
    Auction,
    Counters,
    LegState,
    Per,
    Sale,
    cancel_sale,
    cap_use,
    check,
    find_sale,
    recount_limits,
    sales_of,
    sales_to,
)
from leadmill.market.model import UNSOLD
from leadmill.market.tables import LIMIT_USE, SALE
from leadmill.parties import Credit, Payout, Source, Team
from tests.market.scene import NOW, Scene, buyer, order, prepaid, rep, told
from tests.market.shop import clock, ready, sell, sound, walk

WHY = because(UNSOLD, considered=0)


class _Lost(Exception):
    """What breaks a group in a test."""


async def test_a_group_fills_a_cap_and_the_rest_learns_why(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 3}, {"per": "month", "spend": "500.00"}])])
    cases = await walk(db, scene, 5)
    assert [Sale in case for case in cases] == [True] * 3 + [False] * 2
    refused = cases[-1][Auction].considered[0].refused
    assert refused is not None
    assert refused.message == "The cap 3 leads a day is reached: 3 of 3."
    assert [Sale in case for case in await walk(db, scene, 2)] == [False, False]
    async with db.begin() as tx:
        use = await cap_use(tx, scene.orders.values(), NOW)
        assert [(item.per, item.kind, item.used, item.limit) for item in use] == [
            (Per.DAY, "leads", 3, 3),
            (Per.MONTH, "spend", 15000, 50000),
        ]
        assert 0 < use[1].elapsed < use[0].elapsed < 1
    await sound(db)


async def test_a_prepaid_balance_is_drawn_to_the_last_cent_and_no_further(db):
    scene = Scene([order("helio-1", "30.00")], prepaid("helio", 10000))
    await ready(db, scene)
    cases = await walk(db, scene, 5)
    assert [Sale in case for case in cases] == [True] * 3 + [False] * 2
    assert told(cases[-1]) == {"helio-1": "market.order.credit"}
    async with db.begin() as tx:
        assert (await guards(tx))[buyer_account("helio")].balance == 1000
    await sound(db)


async def test_an_invoice_limit_is_a_floor_below_nothing(db):
    helio = buyer("helio", credit=Credit("invoice", limit=Money(6000)))
    scene = Scene([order("helio-1", "30.00")], helio)
    await ready(db, scene)
    assert [Sale in case for case in await walk(db, scene, 3)] == [True, True, False]
    await sound(db)


async def test_orders_without_limits_lock_nothing(db):
    scene = Scene([order("helio-1")])
    await walk(db, scene, 2)
    async with db.begin() as tx:
        assert await tx.all(sa.select(LIMIT_USE)) == []
        assert len(await sales_of(tx, "lead_0001")) == 1
    await sound(db)


async def test_only_the_candidates_counters_are_opened(db):
    caps = [{"per": "day", "leads": 3}]
    scene = Scene([order("helio-1", caps=caps), order("volt-1", caps=caps, where=[{"field": "state", "eq": "NV"}])])
    await walk(db, scene)
    async with db.begin() as tx:
        assert {row["scope"] for row in await tx.all(sa.select(LIMIT_USE))} == {"order:helio-1"}


async def test_nothing_of_a_group_that_fails_is_counted(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 3}])], prepaid("helio", 100000))
    await ready(db, scene)
    counters = Counters(clock)
    with suppress(_Lost):
        async with db.begin() as tx:
            await sell(tx, scene, counters, [scene.case(), scene.case()])
            raise _Lost
    cases = await walk(db, scene, 4, counters)
    assert [Sale in case for case in cases] == [True] * 3 + [False]
    await sound(db)


async def test_what_was_sold_before_a_cap_was_set_counts_against_it(db):
    bare = Scene([order("helio-1")])
    await walk(db, bare, 2)
    capped = Scene([order("helio-1", caps=[{"per": "day", "leads": 3}])])
    capped.count = 10
    assert [Sale in case for case in await walk(db, capped, 2)] == [True, False]
    await sound(db)


async def test_a_changed_zone_or_cap_is_recounted(db):
    counters = Counters(clock)
    first = Scene([order("helio-1", caps=[{"per": "day", "leads": 5}])])
    await walk(db, first, 2, counters)
    moved = Scene([order("helio-1", caps=[{"per": "day", "leads": 5}], tz="Pacific/Auckland")])
    moved.count = 10
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"])
    assert [Sale in case for case in await walk(db, moved, 4, counters)] == [True] * 3 + [False]
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"], ["west"])
    first.count = 20
    assert [Sale in case for case in await walk(db, first, 1, counters)] == [False]
    await sound(db)


async def test_a_cancelled_sale_gives_back_its_room_and_its_money(db):
    acme = Source(id="acme", name="Acme", verticals=("solar",), payout=Payout("fixed", amount=Money(1200)))
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 1}])], prepaid("helio", 5000), acme)
    await ready(db, scene)
    case = (await walk(db, scene))[0]
    sale_id = case[Sale].legs[0].sale_id
    later = NOW + timedelta(days=2)
    async with db.begin() as tx:
        events = await cancel_sale(tx, sale_id, WHY, later)
        assert [type(event).__name__ for event in events] == ["SaleCancelled"]
        assert "Inc" not in next(iter(events[0].tell()))
        assert len(await reverse_sale(tx, sale_id, later)) == 1
    async with db.begin() as tx:
        assert await cancel_sale(tx, sale_id, WHY, later) == []
        assert await reverse_sale(tx, sale_id, later) == []
        assert (await guards(tx))[buyer_account("helio")].balance == 5000
        assert [item.state for item in await sales_of(tx, case.lead_id)] == [LegState.CANCELLED]
        with pytest.raises(NotFound):
            await cancel_sale(tx, "sale_x", WHY, later)
    await sound(db)
    assert [Sale in case for case in await walk(db, scene, 2)] == [True, False]
    await sound(db)


async def test_a_sale_cancelled_within_a_group_still_counts_right(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 3}])])
    counters = Counters(clock)
    first = (await walk(db, scene, 1, counters))[0]
    async with db.begin() as tx:
        await sell(tx, scene, counters, [scene.case()])
        await cancel_sale(tx, first[Sale].legs[0].sale_id, WHY, NOW)
        await reverse_sale(tx, first[Sale].legs[0].sale_id, NOW)
        await sell(tx, scene, counters, [scene.case()])
    await sound(db)
    async with db.begin() as tx:
        assert [item.used for item in await cap_use(tx, scene.orders.values(), NOW)] == [2]


async def test_every_leg_of_a_shared_sale_is_a_row_of_its_own(db):
    orders = [
        order(f"{name}-1", None, mode="shared", shared_price="20.00", caps=[{"per": "day", "leads": 1}])
        for name in ("amp", "volt")
    ]
    scene = Scene(orders)
    cases = await walk(db, scene, 2)
    assert [Sale in case for case in cases] == [True, False]
    async with db.begin() as tx:
        rows = await sales_of(tx, cases[0].lead_id)
        assert sorted((row.leg, row.order_id, row.price.amount) for row in rows) == [
            (1, "amp-1", 2000),
            (2, "volt-1", 2000),
        ]
        assert [row.id for row in await sales_to(tx, "volt")] == [
            next(leg.sale_id for leg in cases[0][Sale].legs if leg.buyer_id == "volt")
        ]
        found = await find_sale(tx, rows[0].id)
        assert found is not None
        assert found.deal_id == cases[0][Sale].id
    await sound(db)


async def test_a_rep_is_assigned_no_more_than_the_days_capacity(db):
    west = Team(id="west", name="West", verticals=("solar",), reps=(rep("ana", "94*", capacity=2), rep("bo", "10*")))
    scene = Scene([], west)
    cases = await walk(db, scene, 3)
    assert [Assignment in case for case in cases] == [True, True, False]
    async with db.begin() as tx:
        assert len(await cancel_sale(tx, cases[0][Assignment].id, WHY, NOW)) == 1
        assert await reverse_sale(tx, cases[0][Assignment].id, NOW) == []
    assert [Assignment in case for case in await walk(db, scene, 2)] == [True, False]
    await sound(db)


async def test_turns_are_remembered_across_a_restart(db):
    scene = Scene([order("helio-1"), order("volt-1")])
    assert (await walk(db, scene))[0][Sale].legs[0].order_id == "helio-1"
    assert (await walk(db, scene))[0][Sale].legs[0].order_id == "volt-1"


async def test_a_sale_that_does_not_fit_is_refused_by_the_book_itself(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 1}])])
    counters = Counters(clock)
    async with db.begin() as tx:
        case = (await sell(tx, scene, counters, [scene.case()]))[0]
        with pytest.raises(Permanent, match=r"market\.limit\.exceeded"):
            counters.keep_sale(tx, case, case[Sale], NOW)


async def test_the_check_finds_what_does_not_hold(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 3}])])
    await walk(db, scene, 2)
    async with db.begin() as tx:
        await tx.run(sa.update(LIMIT_USE).values(leads=9))
    async with db.begin() as tx:
        assert [item.code for item in await check(tx)] == ["market.counter.mismatch", "market.cap.overrun"]
        await tx.run(sa.update(LIMIT_USE).values(leads=2))
        await tx.run(sa.update(SALE).values(lead_id="lead_0001"))
    async with db.begin() as tx:
        assert [item.code for item in await check(tx)] == ["market.lead.oversold"]
        await tx.run(sa.update(SALE).values(price=1))
    async with db.begin() as tx:
        assert [item.code for item in await check_billing(tx)] == ["billing.revenue.mismatch"]

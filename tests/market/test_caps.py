"""Limits on the real store: counted in the transaction that sells, exact whoever sells at once."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from leadmill.billing import Post, Postings, keep_postings, open_account, reverse_sale
from leadmill.billing import check as check_billing
from leadmill.core.case import Case, Heard
from leadmill.core.faults import NotFound, Permanent
from leadmill.core.ids import mint as mint_id
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.ledger import buyer_account, guards
from leadmill.ledger import check as check_ledger
from leadmill.market import (
    Assignment,
    Auction,
    Counters,
    Headroom,
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
from leadmill.parties import Buyer, Credit, Payout, Source, Team
from leadmill.runtime.db import Database, Tx
from tests.market.scene import NOW, Scene, buyer, order, prepaid, rep, told

WHY = because(UNSOLD, considered=0)


def clock():
    return NOW


class _Lost(Exception):
    """What breaks a group in a test."""


async def ready(db: Database, scene: Scene) -> None:
    """Open the accounts of the roster."""
    async with db.begin() as tx:
        for party in scene.roster.buyers.values():
            await open_account(tx, party.id, party.credit, NOW, mint_id)


async def sell(tx: Tx, scene: Scene, counters: Counters, cases: list[Case], now=NOW) -> list[Case]:
    """Walk a group through the market and billing as the runner does."""
    post = Post(scene.roster)
    wanted = [scene.step.wants(case) for case in cases]
    asks = [ask for each in wanted for ask in each if isinstance(ask, Headroom)]
    answer = await counters.hear(tx, asks) if asks else None
    for case, each in zip(cases, wanted, strict=True):
        heard = Heard({ask: answer(ask) for ask in each if answer and isinstance(ask, Headroom)})
        verdict = scene.step.judge(case, heard, now)
        case.learn(verdict.learned)
        sale, assignment = case.get(Sale), case.get(Assignment)
        if sale is not None:
            counters.keep_sale(tx, case, sale, now)
        if assignment is not None:
            counters.keep_assignment(tx, case, assignment, now)
    for case in cases:
        case.learn(post.judge(case, Heard({}), now).learned)
        postings = case.get(Postings)
        if postings is not None:
            keep_postings(tx, case, postings, now)
    return cases


async def walk(db: Database, scene: Scene, count: int = 1, counters: Counters | None = None, **how: Any) -> list[Case]:
    async with db.begin() as tx:
        return await sell(tx, scene, counters or Counters(clock), [scene.case(**how) for _ in range(count)])


async def sound(db: Database) -> None:
    """Everything that can be checked holds."""
    async with db.begin() as tx:
        assert await check(tx) == []
        assert await check_ledger(tx) == []
        assert await check_billing(tx) == []


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


async def test_four_sellers_at_once_never_exceed_a_limit_nor_wait_in_a_ring(database_url):
    """2,000 leads in groups over four connections against tight caps, a budget and a small balance."""
    orders = [
        order("helio-1", "60.00", caps=[{"per": "hour", "leads": 90}, {"per": "day", "leads": 200}]),
        order("helio-2", "59.00", caps=[{"per": "day", "spend": "4000.00"}]),
        order("volt-1", "58.00"),
        order("volt-2", "57.00", caps=[{"per": "week", "leads": 500}]),
        order("amp-1", "56.00", budget="3000.00"),
        *[
            order(
                f"{name}-1",
                "20.00",
                mode="either",
                shared_price="19.00",
                max_legs=3,
                caps=[{"per": "month", "leads": 61}],
            )
            for name in ("ohm", "tesla", "faraday", "gauss")
        ],
    ]
    parties: list[Buyer | Team] = [
        prepaid("volt", 777700),
        prepaid("helio", 1500000),
        Team(id="west", name="West", reps=(rep("ana", capacity=37),)),
    ]
    size, sellers = 40, 4
    setup = Database(database_url, size=1)
    await setup.open()
    await ready(setup, Scene(orders, *parties))
    done: list[Case] = []

    async def seller(number: int) -> None:
        scene = Scene(orders, *parties)
        scene.count = number * 10_000
        own = Database(database_url, size=1)
        await own.open()
        counters = Counters(clock)
        try:
            for _ in range(2000 // size // sellers + 1):
                # A deadlock would come out as Transient and fail the test.
                async with own.begin() as tx:
                    done.extend(await sell(tx, scene, counters, [scene.case() for _ in range(size)]))
                    await asyncio.sleep(0)
        finally:
            await own.close()

    await asyncio.gather(*(seller(number) for number in range(sellers)))
    assert len(done) >= 2000
    by_order: dict[str, list[int]] = {}
    for case in done:
        sale = case.get(Sale)
        for leg in sale.legs if sale else ():
            by_order.setdefault(leg.order_id, []).append(leg.price.amount)
    assert len(by_order["helio-1"]) == 90
    assert sum(by_order["helio-2"]) == 67 * 5900
    assert sum(by_order["volt-1"]) + sum(by_order.get("volt-2", [])) in range(777700 - 5700, 777701)
    assert sum(by_order["amp-1"]) == 53 * 5600
    assert [len(by_order[f"{name}-1"]) for name in ("ohm", "tesla", "faraday", "gauss")] == [61] * 4
    assert sum(Assignment in case for case in done) == 37
    async with setup.begin() as tx:
        assert (await guards(tx))[buyer_account("volt")].available >= 0
        rows = await tx.all(sa.select(sa.func.count().label("count")).select_from(SALE))
        assert rows[0]["count"] == sum(map(len, by_order.values())) + 37
    await sound(setup)
    await setup.close()


async def test_sellers_and_cancellers_of_overlapping_orders_take_their_locks_in_one_order(database_url):
    names = [f"b{number}" for number in range(8)]
    orders = [
        order(f"{name}-{step}", f"{20 + step}.00", where=[{"field": "tags", "eq": f"{name}-{step}"}], caps=caps)
        for name in names
        for step, caps in enumerate(
            ([{"per": "day", "leads": 9}, {"per": "hour", "leads": 4}], [{"per": "month", "spend": "200.00"}])
        )
    ]
    parties = [prepaid(name, 15000) for name in names]
    setup = Database(database_url, size=1)
    await setup.open()
    await ready(setup, Scene(orders, *parties))

    async def seller(number: int) -> None:
        scene = Scene(orders, *parties)
        scene.count = number * 10_000
        dice = random.Random(number)
        own = Database(database_url, size=1)
        await own.open()
        counters = Counters(clock)
        sold: list[str] = []
        try:
            for _ in range(25):
                tags = [dice.sample([item.id for item in orders], 3) for _ in range(6)]
                async with own.begin() as tx:
                    cases = await sell(tx, scene, counters, [scene.case(fields={"tags": each}) for each in tags])
                sold += [leg.sale_id for case in cases if (sale := case.get(Sale)) for leg in sale.legs]
                if sold and dice.random() < 0.5:
                    sale_id = sold.pop(dice.randrange(len(sold)))
                    async with own.begin() as tx:
                        await cancel_sale(tx, sale_id, WHY, NOW)
                        await reverse_sale(tx, sale_id, NOW)
        finally:
            await own.close()

    await asyncio.gather(*(seller(number) for number in range(4)))
    await sound(setup)
    async with setup.begin() as tx:
        assert all(item.used <= item.limit for item in await cap_use(tx, orders, NOW))
        assert all(item.available >= 0 for item in (await guards(tx)).values())
    await setup.close()

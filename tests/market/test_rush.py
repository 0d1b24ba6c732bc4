"""Many sellers at once on separate connections: no limit is exceeded, nobody waits in a ring."""

import asyncio
import random

import sqlalchemy as sa

from leadmill.billing import reverse_sale
from leadmill.core.case import Case
from leadmill.core.reasons import because
from leadmill.ledger import buyer_account, guards
from leadmill.market import (
    Assignment,
    Counters,
    Sale,
    cancel_sale,
    cap_use,
)
from leadmill.market.model import UNSOLD
from leadmill.market.tables import SALE
from leadmill.parties import Buyer, Team
from leadmill.runtime.db import Database
from tests.market.scene import NOW, Scene, order, prepaid, rep
from tests.market.shop import clock, ready, sell, sound

WHY = because(UNSOLD, considered=0)


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

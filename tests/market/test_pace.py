"""How a day goes for an order: what was sold, in its own zone, beside an even use of its open hours."""

from datetime import UTC, datetime
from typing import Any

import pytest

from leadmill.core.money import Money
from leadmill.market import LegState, Order, SaleRecord, pace_of_orders, read_order
from leadmill.market.limits.pace import Sold, even_line, pace_of
from leadmill.market.limits.store.sales import add_sale
from leadmill.market.windows import SLOT
from leadmill.runtime.db import Database

NOON = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)  # noon in Los Angeles
MIDNIGHT = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)


def order(**more: Any) -> Order:
    told = {"id": "helio-ca", "buyer": "helio", "vertical": "solar", "price": "65.00", "tz": "America/Los_Angeles"}
    return read_order({**told, **more})


def sold(at: datetime, leads: int, spend: int = 0) -> Sold:
    return Sold("helio-ca", int(at.timestamp()) // SLOT, leads, spend)


def test_the_day_is_the_orders_own() -> None:
    pace = pace_of(order(caps=[{"per": "day", "leads": 48}]), [sold(MIDNIGHT, 3), sold(NOON, 2)], NOON)
    assert (pace.starts, pace.used, pace.limit) == (MIDNIGHT, 5, 48)
    assert pace.even == 24
    assert pace.points[0] == (MIDNIGHT, 0)
    assert pace.points[-1] == (NOON, 5)


def test_yesterdays_and_others_leads_do_not_count() -> None:
    other = Sold("helio-az", int(NOON.timestamp()) // SLOT, 9, 0)
    assert pace_of(order(), [sold(MIDNIGHT.replace(hour=7), 4), other], NOON).used == 0


def test_an_even_pace_rests_while_the_order_is_closed() -> None:
    hours = {"tz": "America/Los_Angeles", "open": ["mon-fri 08:00-18:00"]}
    pace = pace_of(order(caps=[{"per": "day", "leads": 50}], schedule=hours), [], NOON)
    assert pace.even == 20  # four of ten open hours
    assert pace.corners[-1][0] == pace.ends
    assert pace.corners[-1][1] == pytest.approx(50)


def test_a_cap_of_money_is_paced_in_money() -> None:
    pace = pace_of(order(caps=[{"per": "day", "spend": "480.00"}]), [sold(MIDNIGHT, 2, 13_000)], NOON)
    assert (pace.kind, pace.used, pace.limit, pace.even) == ("spend", 13_000, 48_000, 24_000)


def test_an_order_without_a_day_cap_has_no_pace_to_keep() -> None:
    pace = pace_of(order(), [sold(MIDNIGHT, 2)], NOON)
    assert (pace.used, pace.limit, pace.even, pace.corners) == (2, None, None, ())


def test_an_order_that_is_never_open_today_is_not_divided_by() -> None:
    hours = {"tz": "America/Los_Angeles", "open": ["sun 08:00-18:00"]}
    assert even_line(order(schedule=hours).schedule, MIDNIGHT, MIDNIGHT.replace(day=5), 10)[-1][1] == 0


async def test_sales_are_counted_by_the_quarter_hour_and_cancelled_ones_are_not(db: Database) -> None:
    moments = [(NOON, "sold"), (NOON, "sold"), (MIDNIGHT, "sold"), (NOON, "cancelled")]
    async with db.begin() as tx:
        for number, (at, state) in enumerate(moments):
            add_sale(
                tx,
                SaleRecord(
                    id=f"sale_{number}",
                    leg=1,
                    deal_id=f"deal_{number}",
                    lead_id=f"lead_{number}",
                    order_id="helio-ca",
                    buyer_id="helio",
                    team_id=None,
                    rep_id=None,
                    mode="exclusive",
                    price=Money(6500),
                    state=LegState(state),
                    at=at,
                ),
            )
    async with db.begin() as tx:
        days = await pace_of_orders(tx, [order(caps=[{"per": "day", "leads": 10}])], NOON)
        assert await pace_of_orders(tx, [], NOON) == {}
    assert days["helio-ca"].used == 3
    assert [value for _, value in days["helio-ca"].points] == [0, 1, 3, 3]

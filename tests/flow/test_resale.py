"""Leads that are offered again, calls that were too short, fees of subscriptions: what happens after the auction."""

from datetime import timedelta
from typing import Any

from leadmill.billing import charge_subscriptions, deposit
from leadmill.core.money import Money
from leadmill.core.reasons import State
from leadmill.flow.biography import read_biography
from leadmill.flow.calls import fields_of, report_call
from leadmill.flow.model import LeadRow
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.ledger import balances, buyer_account
from leadmill.market import LegState, SaleRecord, read_order, sales_of
from tests.conftest import FixedClock
from tests.flow.stage import SOURCE, apply, buyer, order, stored, submission


async def worked(house: House) -> None:
    """Everything due is done."""
    staff = workers(house)
    while sum([await one.drain() for one in staff]):
        continue


async def sound(house: House) -> None:
    """Everything that can be checked holds, and every decision can be made again."""
    assert (await verify(house.db, house.pen)).findings == []
    told = await replay(house.db, house.pen, house.book)
    assert told.differences == []


async def legs(house: House, lead: LeadRow) -> list[SaleRecord]:
    async with house.db.begin() as tx:
        return await sales_of(tx, lead.id)


def shared(ident: str, name: str, price: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "buyer": name, "vertical": "solar", "mode": "shared", "shared_price": price, **more}


AGAIN = {"vertical": "solar", "resale": {"after": 60, "rounds": 2, "factor": "0.50"}}


async def test_a_lead_nobody_took_is_offered_again_at_the_lower_price(house: House, clock: FixedClock) -> None:
    tables: dict[str, Any] = {
        "source": [{**SOURCE, "verticals": ["solar"]}],
        "buyer": [buyer("helio"), buyer("bright")],
        "order": [order("helio-ca", "helio", "40.00", caps=[{"per": "day", "leads": 0}])],
        "market": [AGAIN],
    }
    await apply(house, tables)
    await house.mill.take(submission(house, 1))
    await worked(house)
    assert [lead.state for lead in await stored(house)] == [State.UNSOLD]
    await apply(house, {"order": [order("helio-ca", "helio", "40.00")]})
    clock.now += timedelta(minutes=59)
    await worked(house)
    assert [lead.state for lead in await stored(house)] == [State.UNSOLD], "it is not due"
    clock.now += timedelta(minutes=2)
    await worked(house)
    (lead,) = await stored(house)
    assert (lead.state, lead.price, lead.recipient) == (State.SOLD, 2000, "helio")
    async with house.db.begin() as tx:
        told = str(await read_biography(tx, house.pen, lead.id))
    assert "offered again" in told
    await sound(house)


async def test_it_is_offered_no_more_often_than_agreed(house: House, clock: FixedClock) -> None:
    closed = order("helio-ca", "helio", "40.00", caps=[{"per": "day", "leads": 0}])
    await apply(house, {"source": [SOURCE], "buyer": [buyer("helio")], "order": [closed], "market": [AGAIN]})
    await house.mill.take(submission(house, 1))
    for _ in range(4):
        clock.now += timedelta(minutes=61)
        await worked(house)
    (lead,) = await stored(house)
    async with house.db.begin() as tx:
        resumed = await tx.conn.fetchval("SELECT count(*) FROM job WHERE kind = 'market.offer_again'")
    assert (lead.state, resumed) == (State.UNSOLD, 0)
    await sound(house)


async def test_a_shared_lead_with_room_gets_another_leg_and_keeps_the_first(house: House, clock: FixedClock) -> None:
    fixed = {**SOURCE, "payout": {"model": "fixed", "amount": "5.00"}}
    tables: dict[str, Any] = {
        "source": [fixed],
        "buyer": [buyer("helio"), buyer("bright")],
        "order": [shared("helio-ca", "helio", "20.00", max_legs=2), order("bright-ca", "bright", "1.00")],
        "market": [AGAIN],
    }
    await apply(house, tables)
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    assert (lead.state, lead.price) == (State.SOLD, 2000)
    clock.now += timedelta(minutes=61)
    await worked(house)
    (lead,) = await stored(house)
    assert (lead.state, lead.price, lead.recipient) == (State.SOLD, 2000, "helio"), "an exclusive order cannot join"
    await apply(house, {"order": [shared("bright-ca", "bright", "18.00")]})
    clock.now += timedelta(minutes=61)
    await worked(house)
    (lead,) = await stored(house)
    assert (lead.state, lead.price, lead.recipient) == (State.SOLD, 2450, "helio bright")
    assert [(leg.buyer_id, leg.price.amount) for leg in await legs(house, lead)] == [("helio", 2000), ("bright", 450)]
    async with house.db.begin() as tx:
        sums = await balances(tx)
    assert [money.amount for money in sums["payable:acme"]] == [500], "a fixed payout is for the lead"
    await sound(house)


async def test_a_lead_sold_exclusively_is_never_offered_again(house: House, clock: FixedClock) -> None:
    tables = {"source": [SOURCE], "buyer": [buyer("helio")], "order": [order("h", "helio", "9.00")], "market": [AGAIN]}
    await apply(house, tables)
    await house.mill.take(submission(house, 1))
    async with house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM job WHERE kind = 'market.offer_again'") == 0


# Calls


async def test_a_call_that_was_too_short_is_no_sale(house: House, clock: FixedClock) -> None:
    call = order("helio-ca", "helio", "40.00", kind="call", call_min_seconds=90, caps=[{"per": "day", "leads": 1}])
    await apply(house, {"source": [SOURCE], "buyer": [buyer("helio")], "order": [call]})
    for number in (1, 2):
        await house.mill.take(submission(house, number))
    first, second = await stored(house)
    assert (first.state, second.state) == (State.SOLD, State.UNSOLD)
    (leg,) = await legs(house, first)
    for seconds, taken in ((90, False), (89, True), (5, False)):
        async with house.db.begin() as tx:
            row = await house.pen.lock(tx, first.id)
            assert await report_call(tx, house.kit, row, leg.id, "helio", seconds, (), clock()) is taken
    (leg,) = await legs(house, first)
    (lead, _) = await stored(house)
    assert (leg.state, lead.state, lead.reason) == (LegState.CANCELLED, State.UNSOLD, "flow.call.short")
    async with house.db.begin() as tx:
        sums = await balances(tx)
    assert [money.amount for money in sums[buyer_account("helio")]] == [0]
    await house.mill.take(submission(house, 3))
    assert (await stored(house))[-1].state is State.SOLD, "the cap has its room again"
    await sound(house)


def test_a_call_is_handed_over_with_the_number_to_ring() -> None:
    raw = {"id": "x", "buyer": "helio", "vertical": "solar", "price": "9.00", "kind": "call", "call_min_seconds": 60}
    lead = {"phone": "+19162000001", "zip": "95814"}
    own = fields_of(read_order(raw), lead)
    assert own == {**lead, "call_dial": "+19162000001", "call_min_seconds": 60}
    masked = fields_of(read_order({**raw, "call_dial": "+18005550100"}), lead)
    assert (masked["phone"], masked["call_dial"]) == ("********0001", "+18005550100")
    assert fields_of(None, lead) == lead


# Subscriptions


async def test_a_subscriptions_fee_is_charged_once_a_month_and_covers_its_leads(
    house: House, clock: FixedClock
) -> None:
    plan = {"fee": "100.00", "leads": 3, "overage": "45.00"}
    helio = buyer("helio", credit={"mode": "prepay", "balance": "150.00"})
    tables = {"source": [SOURCE], "buyer": [helio], "order": [order("helio-ca", "helio", "65.00", subscription=plan)]}
    await apply(house, tables)
    orders = house.book.walk().rules.orders.values()

    async def charge() -> int:
        async with house.db.begin() as tx:
            return await charge_subscriptions(tx, orders, clock())

    assert [await charge(), await charge()] == [1, 0]
    for number in range(5):
        await house.mill.take(submission(house, number))
    async with house.db.begin() as tx:
        sums = {name: [money.amount for money in each] for name, each in (await balances(tx)).items()}
    assert sums[buyer_account("helio")] == [500], "the fee and one overage; the fifth lead is not covered by 5.00"
    assert sums["plan:helio"] == [1]
    assert sums["revenue:sales"] == [3 * 3333 + 4500]
    assert [lead.state for lead in await stored(house)] == [State.SOLD] * 4 + [State.UNSOLD]
    await sound(house)
    clock.now += timedelta(days=31)
    assert await charge() == 0, "the account cannot cover it"
    await house.mill.take(submission(house, 9))
    assert (await stored(house))[-1].state is State.UNSOLD, "and so no lead is covered"
    async with house.db.begin() as tx:
        assert await deposit(tx, "helio", Money(10_000), "pay-1", clock(), house.mint)
    assert [await charge(), await charge()] == [1, 0]
    async with house.db.begin() as tx:
        sums = {name: [money.amount for money in each] for name, each in (await balances(tx)).items()}
    assert sums["revenue:subscriptions"] == [1]
    assert sums["plan:helio"] == [10000]
    assert sums[buyer_account("helio")] == [500]
    await house.mill.take(submission(house, 10))
    assert (await stored(house))[-1].price == 3333
    await sound(house)

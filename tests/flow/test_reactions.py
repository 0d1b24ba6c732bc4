"""What follows when a recipient gives a lead back: alone, in a crowd, and when the person is gone."""

import asyncio
from collections import Counter
from datetime import timedelta

from leadmill.core.reasons import State
from leadmill.delivery import receipts_of
from leadmill.flow.biography import read_biography
from leadmill.flow.desk import LeadReviewed
from leadmill.flow.reactions import react
from leadmill.flow.runner import Mill
from leadmill.flow.verify import verify
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.ledger import balances
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, SOURCE, apply, buyer, count, order, stored, submission
from tests.journeys.house import Buyers


async def worked(house: House) -> None:
    """Everything due is done."""
    staff = workers(house)
    while sum([await one.drain() for one in staff]):
        continue


async def test_a_storm_of_refusals_amid_new_leads_stands_still_for_nobody(house: House, buyers: Buyers) -> None:
    names = ["helio", "bright"]
    caps = [{"per": "day", "leads": 500}, {"per": "hour", "leads": 400}]
    await apply(
        house,
        {
            "source": [SOURCE],
            "buyer": [
                buyer(
                    name,
                    delivery={"courier": "http", "url": f"{buyers.url}/{name}", "format": "json"},
                    credit={"mode": "prepay", "balance": "90000.00"},
                )
                for name in names
            ],
            "order": [
                order(f"{name}-{number}", name, f"{50 + number}.00", caps=caps) for number in range(4) for name in names
            ],
        },
    )
    buyers.script("helio", [{"body": {"status": "rejected", "reason": "no"}}])
    async with house.db.begin() as tx:
        await tx.conn.execute("SELECT pg_stat_reset()")  # other tests had this database before
    await asyncio.gather(*(house.mill.take(submission(house, number)) for number in range(60)))
    mills = [Mill(house.kit, group=4), Mill(house.kit, group=4)]

    async def more() -> None:
        for start in range(100, 160, 6):
            await asyncio.gather(*(mills[n % 2].take(submission(house, start + n)) for n in range(6)))

    await asyncio.gather(worked(house), more())
    await worked(house)
    leads = await stored(house)
    assert Counter((row.state, row.recipient) for row in leads) == {(State.SOLD, "bright"): 120}
    assert len(buyers.of("helio")) == await count(house, "sale WHERE buyer_id = 'helio'")
    assert (await verify(house.db, house.pen)).findings == []
    async with house.db.begin() as tx:
        await tx.conn.execute("SELECT pg_stat_force_next_flush()")
    async with house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


async def test_a_refusal_waits_for_no_order_that_would_not_have_the_lead(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    caps = [{"per": "day", "leads": 50}]
    urls = {name: {"courier": "http", "url": f"{buyers.url}/{name}", "format": "json"} for name in ("helio", "bright")}
    orders = [
        order("helio-ca", "helio", "65.00", caps=caps),
        order("bright-ca", "bright", "50.00", caps=caps),
        order("bright-large", "bright", "80.00", caps=caps, where=[{"field": "monthly_bill", "gte": 400}]),
    ]
    await apply(
        house,
        {"source": [SOURCE], "buyer": [buyer(name, delivery=how) for name, how in urls.items()], "order": orders},
    )
    buyers.script("helio", [{"body": {"status": "rejected", "reason": "no"}}])
    await house.mill.take(submission(house, 1, monthly_bill=120))
    midnight = clock().replace(hour=0, minute=0, second=0, microsecond=0)
    async with house.db.begin() as other:
        # Somebody else is in the middle of selling to an order that wants dearer bills.
        await other.conn.execute(
            "INSERT INTO limit_use (scope, per, starts, ends, leads, spend) VALUES ($1, 'day', $2, $3, 1, 8000)",
            "order:bright-large",
            midnight,
            midnight + timedelta(days=1),
        )
        await asyncio.wait_for(worked(house), 60)
        (lead,) = await stored(house)
        assert (lead.state, lead.recipient) == (State.SOLD, "bright")


async def test_a_lead_whose_person_was_forgotten_is_handed_to_nobody_and_its_money_goes_back(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    delivery = {"courier": "http", "url": f"{buyers.url}/helio", "format": "json"}
    await apply(house, {**BUSINESS, "buyer": [buyer("helio", delivery=delivery), buyer("bright", delivery=delivery)]})
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    async with house.db.begin() as tx:
        assert await forget_person(tx, house.keys, lead.person_id, clock())
    await worked(house)
    assert buyers.received == []
    (lead,) = await stored(house)
    assert (lead.state, lead.reason, lead.price, lead.recipient) == (
        State.REJECTED,
        "flow.person.forgotten",
        None,
        None,
    )
    async with house.db.begin() as tx:
        assert [item.state for item in await receipts_of(tx, lead.id)] == ["dead"]
        assert all(money.amount == 0 for amounts in (await balances(tx)).values() for money in amounts)
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_recipient_that_left_the_roster_loses_what_was_not_delivered(house: House, buyers: Buyers) -> None:
    delivery = {"courier": "http", "url": f"{buyers.url}/helio", "format": "json"}
    await apply(house, {**BUSINESS, "buyer": [buyer("helio", delivery=delivery), buyer("bright")]})
    await house.mill.take(submission(house, 1))
    await apply(house, {"buyer": [{"id": "helio", "retired": True}]})
    await worked(house)
    (lead,) = await stored(house)
    assert (lead.state, lead.recipient) == (State.SOLD, "bright")
    assert buyers.received == []
    assert (await verify(house.db, house.pen)).findings == []


async def test_news_of_a_lead_stand_in_its_journal(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    async with house.db.begin() as tx:
        row = await house.pen.lock(tx, lead.id)
        await react(tx, house.kit, row, [LeadReviewed(at=clock(), by="op_a", decision="noted", why="nice")], clock())
        await react(tx, house.kit, row, [LeadReviewed(at=clock(), by="op_a", decision="noted", why="again")], clock())
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, lead.id)
    assert [passage.title for passage in story.passages][-2:] == ["lead.reviewed", "lead.reviewed"]
    assert (await verify(house.db, house.pen)).findings == []

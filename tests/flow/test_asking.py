"""Orders that an auction did not name can still be asked after, and a changed order is taken up by itself."""

import pytest

from leadmill.core.faults import Fault
from leadmill.flow.asking import ask_after
from leadmill.flow.replay import replay
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, order, stored, submission

ELSEWHERE = [
    order(f"bright-{n:03}", "bright", "20.00", where=[{"field": "state", "in": ["TX", "NM"]}]) for n in range(150)
]


async def test_an_order_that_was_not_named_is_told_of_under_the_rules_of_that_time(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    await apply(house, {"order": ELSEWHERE})
    await house.mill.take(submission(house, 1))
    clock.advance(hours=1)
    await apply(house, {"order": [{**ELSEWHERE[7], "where": [{"field": "monthly_bill", "gte": 5000}]}]})
    lead = (await stored(house))[0]
    async with house.db.begin() as tx:
        found = await ask_after(tx, house.pen, house.book, lead.id, "bright-007")
        won = await ask_after(tx, house.pen, house.book, lead.id, "helio-ca")
        assert (found.code, found.message) == (
            "market.order.predicate",
            "The order requires that state is TX or NM.",
        )
        assert (won.code, won.recipient) == (None, lead.recipient)
        for wrong in ("nobody-1", ""):
            with pytest.raises(Fault, match=r"flow\.order\.unknown"):
                await ask_after(tx, house.pen, house.book, lead.id, wrong)
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_a_forgotten_persons_lead_cannot_be_asked_after(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    lead = (await stored(house))[0]
    async with house.db.begin() as tx:
        assert await forget_person(tx, house.keys, lead.person_id, clock())
    async with house.db.begin() as tx:
        with pytest.raises(Fault, match=r"flow\.lead\.forgotten"):
            await ask_after(tx, house.pen, house.book, lead.id, "helio-ca")


async def test_a_lead_that_never_reached_the_market_has_no_auction(house: House) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    await house.mill.take(submission(house, 1))  # a duplicate stops before
    other = next(row for row in await stored(house) if row.state.value == "duplicate")
    async with house.db.begin() as tx:
        with pytest.raises(Fault, match=r"flow\.auction\.none"):
            await ask_after(tx, house.pen, house.book, other.id, "helio-ca")


async def test_orders_that_did_not_change_are_not_read_again(house: House) -> None:
    await apply(house, BUSINESS)
    await apply(house, {"order": ELSEWHERE})
    await house.book.refresh(house.db)
    before = house.book.walk().rules
    await apply(house, {"order": [order("bright-007", "bright", "21.00")]})
    await house.book.refresh(house.db)
    after = house.book.walk().rules
    assert after.revision > before.revision
    changed = [name for name, each in after.orders.items() if before.orders.get(name) is not each]
    assert changed == ["bright-007"]
    assert list(after.orders) == sorted(after.orders)

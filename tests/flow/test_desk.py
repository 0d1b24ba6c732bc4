"""What two people decide at once about one lead happens once."""

import asyncio

import pytest

from leadmill.core.faults import Conflict, NotFound
from leadmill.core.reasons import State
from leadmill.flow.desk import approve, dismiss
from leadmill.flow.model import Settled
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, count, stored, submission


async def test_of_two_who_approve_at_once_one_does_and_the_other_is_told(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    held = await house.mill.take(submission(house, 1, monthly_bill=4000))
    assert held.state is State.REVIEW

    async def decide(verb, who: str) -> Settled | None:
        async with house.db.begin() as tx:
            done: Settled | None = await verb(tx, house.kit, held.lead_id, who, "", clock())
            return done

    found = await asyncio.gather(decide(approve, "op_a"), decide(approve, "op_b"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Settled"]
    assert await count(house, "sale") == 1
    late = await asyncio.gather(decide(dismiss, "op_c"), return_exceptions=True)
    assert [one.code for one in late if isinstance(one, Conflict)] == ["flow.desk.not_waiting"]
    (row,) = await stored(house)
    assert (row.state, row.recipient) == (State.SOLD, "helio")
    assert (await verify(house.db, house.pen)).findings == []


async def test_an_unknown_lead_is_not_found(house: House, clock: FixedClock) -> None:
    with pytest.raises(NotFound) as caught:
        async with house.db.begin() as tx:
            await approve(tx, house.kit, "lead_01k00000000000000000000000", "op_a", "", clock())
    assert caught.value.code == "flow.lead.unknown"

"""Lists of leads: narrowed, paged by keyset, stable while leads come in."""

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.reasons import State
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import count_states, leads_after, list_leads
from leadmill.interfaces.house import House
from leadmill.scoring import band_of
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, submission


async def take(house: House, *numbers: int) -> list[str]:
    return [(await house.mill.take(submission(house, number))).lead_id for number in numbers]


async def page(
    house: House, narrow: LeadFilter, cursor: str | None = None, limit: int = 3
) -> tuple[list[str], str | None]:
    async with house.db.begin() as tx:
        rows, more = await list_leads(tx, narrow, cursor, limit)
    return [row.id for row in rows], more


async def test_pages_hold_every_lead_once_however_many_come_in_meanwhile(house: House) -> None:
    await apply(house, BUSINESS)
    ids = await take(house, *range(8))
    seen, cursor = await page(house, LeadFilter())
    later = 100
    while cursor is not None:
        await take(house, later)
        later += 1
        more, cursor = await page(house, LeadFilter(), cursor)
        seen += more
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    "cursor", ["", "17", "sale_01k00000000000000000000000", "lead_", "lead_01K0000000000000000000000!"]
)
async def test_a_cursor_of_something_else_is_refused(house: House, cursor: str) -> None:
    with pytest.raises(BadInput) as caught:
        await page(house, LeadFilter(), cursor)
    assert caught.value.code == "flow.cursor.malformed"


async def test_lists_are_narrowed_by_what_a_lead_is(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    (first,) = await take(house, 1)
    moment = clock.advance(minutes=5)
    second, again = await take(house, 2, 1)
    assert await page(house, LeadFilter(state=State.DUPLICATE)) == ([again], None)
    assert await page(house, LeadFilter(state=State.SOLD, vertical="solar", recipient="helio")) == (
        [second, first],
        None,
    )
    assert await page(house, LeadFilter(source_id="nobody")) == ([], None)
    assert await page(house, LeadFilter(until=moment)) == ([first], None)
    assert await page(house, LeadFilter(since=moment)) == ([again, second], None)
    assert await page(house, LeadFilter(min_score=101)) == ([], None)
    assert await page(house, LeadFilter(max_score=0, test=False)) == ([], None)
    assert await page(house, LeadFilter(tier="gold")) == ([], None)
    async with house.db.begin() as tx:
        (row,) = (await list_leads(tx, LeadFilter(), limit=1))[0]
        sold = (await list_leads(tx, LeadFilter(state=State.SOLD), limit=1))[0][0]
        assert sold.score is not None
        assert (sold.tier, sold.suspicion) == (band_of(sold.score), 0)
        assert [item.id for item in await leads_after(tx, first)] == [second, again]
        assert [item.id for item in await leads_after(tx, first, narrow=LeadFilter(state=State.SOLD))] == [second]
        assert await count_states(tx, "imp_none") == {}
    assert await page(house, LeadFilter(person_id=row.person_id)) == ([again, first], None)

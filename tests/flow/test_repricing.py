"""Shadow prices in a running house: learned from its own auctions, heard with the headroom, told in words, replayed."""

import asyncio
from typing import Any

import pytest

from leadmill.flow.biography import read_biography
from leadmill.flow.replay import replay
from leadmill.flow.repricing import reprice
from leadmill.interfaces.house import House
from leadmill.market.allocation.shadow import Prices
from leadmill.market.allocation.shadows import PRICES
from leadmill.market.allocation.store import read_learned, version_of
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, order, stored, submission

ONLY_HELIO, BOTH = {"monthly_bill": 120}, {"monthly_bill": 180}

BOOK = {
    **BUSINESS,
    "order": [
        order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 40}], tz="America/Los_Angeles"),
        order("bright-ca", "bright", "60.00", where=[{"field": "monthly_bill", "gte": 150}]),
    ],
}


def _kind(number: int) -> dict[str, Any]:
    return BOTH if number % 2 else ONLY_HELIO


async def live_a_day(house: House, clock: FixedClock, first: int, count: int = 240) -> None:
    """A day's leads, one of two wanted by both."""
    for start in range(first, first + count, 24):
        one = [house.mill.take(submission(house, n, **_kind(n))) for n in range(start, start + 24)]
        await asyncio.gather(*one)
        clock.advance(minutes=30)


async def price(house: House) -> bool:
    done = await reprice(house.kit)
    await house.shadows.refresh(house.db)
    return done


@pytest.fixture
async def lived(house: House, clock: FixedClock) -> House:
    await apply(house, BOOK)
    await live_a_day(house, clock, 1)
    clock.advance(hours=24 - 5)
    return house


async def recipients(house: House, first: int, count: int) -> list[str | None]:
    before = {row.id for row in await stored(house)}
    for number in range(first, first + count):
        await house.mill.take(submission(house, number, **_kind(number)))
    fresh = [row for row in await stored(house) if row.id not in before]
    return [row.recipient for row in sorted(fresh, key=lambda row: row.id)]


async def test_a_scarce_cap_is_kept_for_leads_that_nobody_else_wants(lived: House) -> None:
    assert await recipients(lived, 1001, 4) == ["helio", "helio", "helio", "helio"]
    assert await price(lived)
    assert await recipients(lived, 1101, 6) == ["bright", "helio", "bright", "helio", "bright", "helio"]


async def test_the_story_of_a_lead_names_the_shadow_prices_and_it_replays_exactly(lived: House) -> None:
    await price(lived)
    await recipients(lived, 1101, 2)
    newest = sorted(await stored(lived), key=lambda row: row.id)[-2]
    async with lived.db.begin() as tx:
        story = await read_biography(tx, lived.pen, newest.id)
    words = " ".join(line for passage in story.passages for line in passage.learned)
    assert "Helio Solar bid $65.00, but its 40 left are worth $" in words
    assert "Bright Solar bid $60.00, none of its cap is scarce, so $" in words
    assert ": Bright Solar." in words
    assert "Helio Solar (helio-ca): It pays $65.00, which is worth $" in words
    found = await replay(lived.db, lived.pen, lived.book)
    assert found.leads == 242
    assert found.differences == []


async def test_prices_outlive_the_process_and_are_made_by_one_of_many(lived: House, clock: FixedClock) -> None:
    assert sum(await asyncio.gather(price(lived), price(lived), price(lived))) == 1
    async with lived.db.begin() as tx:
        assert await version_of(tx, PRICES) == 1
        found = await read_learned(tx, PRICES, Prices)
    assert found is not None
    assert found[2].orders["helio-ca"][0].lead > 1000
    assert "bright-ca" not in found[2].orders
    assert not await price(lived)
    clock.advance(minutes=15)
    assert await price(lived)


async def test_old_prices_are_nobodys_forecast(lived: House, clock: FixedClock) -> None:
    await price(lived)
    clock.advance(hours=3)
    assert await recipients(lived, 1101, 2) == ["helio", "helio"]


async def test_few_leads_make_no_prices(house: House, clock: FixedClock) -> None:
    await apply(house, BOOK)
    await live_a_day(house, clock, 1, 24)
    clock.advance(minutes=5)
    assert not await price(house)
    assert not house.shadows.in_force

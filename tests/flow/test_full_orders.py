"""Orders without room are not asked for bids, and say why; whether they have room is still decided at the sale."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from benchmarks.buyers import Stub, serve
from leadmill.core.reasons import State
from leadmill.flow.memory import recall_one
from leadmill.flow.model import Settled
from leadmill.flow.quoting import Quoter
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.market import Auction, Bidding, NoBid, sales_of
from tests.conftest import FixedClock
from tests.flow.stage import SOURCE, apply, buyer, order, submission
from tests.flow.test_quoting import ping

DAY_CAP = [{"per": "day", "leads": 1}]


@pytest.fixture
async def pings(house: House) -> AsyncIterator[str]:
    """Where the stand-ins of ping services answer, to auctions that no busy machine makes too short."""
    house.floor.table.within_ms = house.auctioneer.within_ms = 30_000
    Stub.heard.clear()
    Stub.bodies.clear()
    server, port = await serve()
    yield f"http://127.0.0.1:{port}/ping"
    server.close()


def asked(ident: str, who: str, url: str, price: str, **more: Any) -> dict[str, Any]:
    """An order whose price is a bid."""
    ping = {"url": f"{url}/{ident}?do=bid&price={price}", "timeout_ms": 10_000}
    return {"id": ident, "buyer": who, "vertical": "solar", "ping": ping, **more}


async def opened(house: House, *orders: dict[str, Any], credit: str = "90000.00") -> None:
    buyers = [buyer(name, credit={"mode": "invoice", "limit": credit}) for name in ("helio", "bright")]
    await apply(house, {"source": [SOURCE], "buyer": buyers, "order": list(orders)})


async def take(house: House, number: int) -> Settled:
    return await house.mill.take(submission(house, number))


async def bidding(house: House, lead_id: str) -> tuple[Bidding, Auction, int]:
    """What was bid for a lead, its auction, and how many pages it has."""
    async with house.db.begin() as tx:
        chapters = (await recall_one(tx, house.pen, lead_id)).chapters
    found = [item for chapter in chapters for station in chapter.stations for item in station.learned]
    (bids,) = [item for item in found if isinstance(item, Bidding)]
    return bids, [item for item in found if isinstance(item, Auction)][-1], len(chapters)


async def buyers_of(house: House, settled: Settled) -> list[str | None]:
    async with house.db.begin() as tx:
        return [leg.buyer_id for leg in await sales_of(tx, settled.lead_id)]


async def prove(house: House) -> None:
    found = await replay(house.db, house.pen, house.book)
    assert (found.differences, found.skipped) == ([], 0)
    assert (await verify(house.db, house.pen)).findings == []


async def test_an_order_whose_cap_is_full_is_not_asked_and_says_so_by_number(house: House, pings: str) -> None:
    await opened(
        house,
        asked("helio-ca", "helio", pings, "60", caps=DAY_CAP),
        asked("bright-ca", "bright", pings, "40"),
    )
    assert await buyers_of(house, await take(house, 1)) == ["helio"]
    await house.vacancies.refresh(house.db)
    settled = await take(house, 2)
    assert await buyers_of(house, settled) == ["bright"]
    assert Stub.heard["bid"] == 3, "both for the first lead, one for the second"
    bids, auction, _ = await bidding(house, settled.lead_id)
    (full,) = [item for item in bids.items if isinstance(item, NoBid)]
    assert (full.order_id, full.number, full.because.code) == ("helio-ca", 15, "market.bid.full")
    refused = {item.order_id: item.refused for item in auction.considered if item.refused is not None}
    assert refused["helio-ca"].message == "Not asked: The cap 1 leads a day is reached: 1 of 1."
    await prove(house)


async def test_a_lead_whose_only_bidders_are_full_waits_for_nobody(house: House, pings: str) -> None:
    await opened(house, asked("helio-ca", "helio", pings, "60", caps=DAY_CAP), order("bright-ca", "bright", "30.00"))
    await take(house, 1)
    await house.vacancies.refresh(house.db)
    settled = await take(house, 2)
    assert await buyers_of(house, settled) == ["bright"]
    _, _, pages = await bidding(house, settled.lead_id)
    assert pages == 1, "it never stood in bidding"
    assert Stub.heard["bid"] == 1
    await prove(house)


async def test_it_is_asked_again_when_its_day_turns_or_its_cap_is_raised(
    house: House, pings: str, clock: FixedClock
) -> None:
    await opened(house, asked("helio-ca", "helio", pings, "60", caps=DAY_CAP))
    await take(house, 1)
    await house.vacancies.refresh(house.db)
    assert (await take(house, 2)).state is State.UNSOLD
    raised = asked("helio-ca", "helio", pings, "60", caps=[{"per": "day", "leads": 2}])
    await apply(house, {"order": [raised]})
    assert await buyers_of(house, await take(house, 3)) == ["helio"], "by what the order says now, without another look"
    await house.vacancies.refresh(house.db)
    assert (await take(house, 4)).state is State.UNSOLD
    clock.advance(hours=24)
    assert await buyers_of(house, await take(house, 5)) == ["helio"]
    await prove(house)


@pytest.mark.parametrize(
    ("credit", "budget", "says"),
    [
        ("100.00", None, "The buyer's account does not cover $40.00: $20.00 is available."),
        ("90000.00", "80.00", "The budget does not cover it: $60.00 of $80.00 is spent."),
    ],
)
async def test_money_for_less_than_half_of_what_it_usually_bids_is_none(
    house: House, pings: str, credit: str, budget: str | None, says: str
) -> None:
    limits = {"budget": budget} if budget else {}
    bid = "60" if budget else "80"
    await opened(house, asked("helio-ca", "helio", pings, bid, **limits), credit=credit)
    assert await buyers_of(house, await take(house, 1)) == ["helio"]
    await house.vacancies.refresh(house.db)
    settled = await take(house, 2)
    assert (settled.state, Stub.heard["bid"]) == (State.UNSOLD, 1)
    bids, _, _ = await bidding(house, settled.lead_id)
    assert isinstance(bids.items[0], NoBid)
    assert bids.items[0].because.message == f"Not asked: {says}"
    await prove(house)


async def test_who_turns_out_full_only_at_the_sale_is_refused_there(house: House, pings: str) -> None:
    await opened(house, asked("helio-ca", "helio", pings, "60", caps=DAY_CAP))
    await take(house, 1)
    settled = await take(house, 2)  # nobody has looked since
    assert Stub.heard["bid"] == 2
    _, auction, _ = await bidding(house, settled.lead_id)
    assert auction.considered[0].refused is not None
    assert auction.considered[0].refused.code == "market.order.cap_reached"
    await prove(house)


async def test_a_ping_asks_no_full_order_either(house: House, pings: str) -> None:
    await opened(house, asked("helio-ca", "helio", pings, "60", caps=DAY_CAP))
    await take(house, 1)
    await house.vacancies.refresh(house.db)
    quoter = Quoter(house.kit, hold_auction=house.auctioneer.hold_auction, full=house.vacancies.full)
    quote = await quoter.quote(ping(house))
    assert (quote.legs, Stub.heard["bid"]) == ((), 1)


async def test_orders_that_nobody_comes_to_ask_are_not_looked_at(house: House, pings: str, clock: FixedClock) -> None:
    await opened(house, asked("helio-ca", "helio", pings, "60", caps=DAY_CAP))
    await take(house, 1)
    clock.advance(minutes=5)
    await house.vacancies.refresh(house.db)
    assert house.vacancies.full([]) == ()
    settled = await take(house, 2)
    assert Stub.heard["bid"] == 2, "nothing is known of it, so it is asked"
    assert settled.state is State.UNSOLD

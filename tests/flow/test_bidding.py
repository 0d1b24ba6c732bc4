"""Leads whose buyers are asked for bids: durable before the first ping, sold to the best, handed over at once, and
never lost."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from benchmarks.buyers import Stub, serve
from leadmill.capture import Submission
from leadmill.core.events import Event
from leadmill.core.reasons import State
from leadmill.delivery import receipts_of
from leadmill.flow.floor import RESUME
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadResumed, LeadRow, Settled, StepTaken
from leadmill.flow.replay import replay
from leadmill.flow.runner import Mill
from leadmill.flow.store import list_pauses, read_lead, stranded
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import find_stranded, workers
from leadmill.market import Auction, Bidding, BidHeard, NoBid, sales_of
from leadmill.market.tenders.manners import FAILURES
from leadmill.runtime.jobs import kept
from tests.flow.stage import apply, body_of, buyer, order, submission
from tests.journeys.house import Buyers


@pytest.fixture
async def pings() -> AsyncIterator[str]:
    """Where the stand-ins of ping services answer."""
    Stub.heard.clear()
    Stub.bodies.clear()
    server, port = await serve()
    yield f"http://127.0.0.1:{port}/ping"
    server.close()


def asked(ident: str, who: str, url: str, do: str = "bid", price: str = "25.00", **more: Any) -> dict[str, Any]:
    """An order whose price is a bid."""
    ping = {"url": f"{url}/{ident}?do={do}&price={price}", "timeout_ms": more.pop("timeout_ms", 10_000)}
    ping |= more.pop("ping", {})
    return {"id": ident, "buyer": who, "vertical": "solar", "ping": ping, **more}


def business(*orders: dict[str, Any], **deliveries: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    names = dict.fromkeys(one["buyer"] for one in orders)
    source = {"id": "acme", "name": "Acme", "verticals": ["solar"], "payout": {"model": "share", "rate": "0.70"}}
    buyers = [buyer(name, **({"delivery": deliveries[name]} if name in deliveries else {})) for name in names]
    return {"source": [source], "buyer": buyers, "order": list(orders)}


async def heard() -> None:
    """Until the first buyer was asked."""
    while not Stub.heard:  # noqa: ASYNC110 the stand-in only counts
        await asyncio.sleep(0.002)


NAMED = ", ".join(f"{name.title()} Solar" for name in ("a", "b", "c", "d", *(f"b{number}" for number in range(6))))


def lead(house: House, number: int = 1, **more: Any) -> Submission:
    """Lead number N, whose person agreed to hear from all of these buyers."""
    consent = {"text": f"I agree that {NAMED} may call and text me. It is not a condition of purchase."}
    body = msgspec.json.encode({**msgspec.json.decode(body_of(number)), "consent": consent, **more})
    return msgspec.structs.replace(submission(house, number), body=body, digest=hashlib.sha256(body).hexdigest())


async def take(house: House, number: int = 1) -> Settled:
    """Lead number N, walked."""
    return await house.mill.take(lead(house, number))


async def row_of(house: House, lead_id: str) -> LeadRow:
    async with house.db.begin() as tx:
        row = await read_lead(tx, lead_id)
    assert row is not None
    return row


async def told(house: House, lead_id: str, kind: type[Any]) -> Any:
    """The latest evidence of a kind on a lead's pages."""
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, lead_id)
    found = [item for chapter in recalled.chapters for station in chapter.stations for item in station.learned]
    return next((item for item in reversed(found) if isinstance(item, kind)), None)


async def events_of(house: House, lead_id: str) -> list[list[Event]]:
    async with house.db.begin() as tx:
        return [chapter.events for chapter in (await recall_one(tx, house.pen, lead_id)).chapters]


async def prove(house: House) -> None:
    """Replay finds no difference and the books are in order."""
    found = await replay(house.db, house.pen, house.book)
    assert found.differences == []
    assert found.skipped == 0
    assert (await verify(house.db, house.pen)).findings == []


async def test_the_best_bid_gets_the_lead_at_what_it_bid(house: House, pings: str) -> None:
    await apply(
        house,
        business(
            asked("a-ca", "a", pings, price="41.50"), asked("b-ca", "b", pings, price="38"), order("c-ca", "c", "30.00")
        ),
    )
    settled = await take(house)
    assert (settled.state, settled.price) == (State.SOLD, 2905)  # seven tenths of 41.50
    async with house.db.begin() as tx:
        (leg,) = await sales_of(tx, settled.lead_id)
    assert (leg.buyer_id, leg.price.amount) == ("a", 4150)
    bidding = await told(house, settled.lead_id, Bidding)
    assert {item.buyer_id for item in bidding.items} == {"a", "b"}
    auction = await told(house, settled.lead_id, Auction)
    assert any("beats B Solar at $38.00, C Solar at $30.00" in line for line in auction.tell())
    await prove(house)


async def test_a_fixed_price_wins_where_it_pays_more_than_the_bids(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", pings, price="41.50"), order("c-ca", "c", "65.00")))
    settled = await take(house)
    async with house.db.begin() as tx:
        assert [leg.buyer_id for leg in await sales_of(tx, settled.lead_id)] == ["c"]
    await prove(house)


async def test_no_bids_are_told_with_their_numbers_and_the_lead_goes_to_who_needs_none(
    house: House, pings: str
) -> None:
    await apply(
        house,
        business(
            asked("a-ca", "a", pings, "hang", timeout_ms=100),
            asked("b-ca", "b", pings, "malformed"),
            asked("d-ca", "d", pings, "decline"),
            order("c-ca", "c", "30.00"),
        ),
    )
    settled = await take(house)
    assert settled.state is State.SOLD
    items = (await told(house, settled.lead_id, Bidding)).items
    assert [item.because.code for item in items if isinstance(item, NoBid)] == [
        "market.bid.timeout",
        "market.bid.malformed",
        "market.bid.declined",
    ]
    lines = list((await told(house, settled.lead_id, Bidding)).tell())
    assert "a (a-ca), no bid 3: No answer within its 100 ms." in lines
    refused = {item.order_id: item.refused for item in (await told(house, settled.lead_id, Auction)).considered}
    assert refused["a-ca"].code == "market.bid.timeout"
    await prove(house)


async def test_a_lead_is_durable_before_anybody_is_asked(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", f"{pings}", "bid", ping={"url": f"{pings}/a?do=bid&ms=300"})))
    waiting = asyncio.create_task(take(house))
    await heard()
    async with house.db.begin() as tx:
        rows = await tx.all(sa.text("SELECT state FROM lead"))
    assert [row["state"] for row in rows] == ["bidding"]
    assert (await waiting).state is State.SOLD


async def test_a_lead_whose_process_died_while_buyers_were_asked_is_taken_up(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", pings, price="41.50")))
    died = await Mill(house.kit).take(lead(house))  # without a floor nothing goes on: as after kill -9
    assert died.state is State.BIDDING
    house.clock.advance(seconds=60)  # type: ignore[attr-defined]
    await find_stranded(house)
    await find_stranded(house)
    worker = workers(house)[0]
    assert await worker.drain() >= 1
    row = await row_of(house, died.lead_id)
    assert (row.state, row.price) == (State.SOLD, 4150)
    await find_stranded(house)
    async with house.db.begin() as tx:
        assert not [one for one in await kept(tx) if one.kind == RESUME]
    await prove(house)


async def test_two_who_take_up_one_lead_sell_it_once(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", pings, price="41.50")))
    waiting = asyncio.create_task(take(house))
    await heard()
    house.clock.advance(seconds=60)  # type: ignore[attr-defined]
    await find_stranded(house)
    await asyncio.gather(waiting, workers(house)[0].drain())
    lead_id = waiting.result().lead_id
    async with house.db.begin() as tx:
        assert len(await sales_of(tx, lead_id)) == 1
    await prove(house)


async def test_a_repeated_request_waits_with_the_first(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", pings, ping={"url": f"{pings}/a?do=bid&ms=200"})))
    once = msgspec.structs.replace(lead(house), idempotency_key="k1")
    first, second = await asyncio.gather(house.mill.take(once), house.mill.take(once))
    third = await house.mill.take(once)
    assert first == second == third
    assert first.state is State.SOLD
    assert Stub.heard["bid"] == 1


async def test_a_lead_that_no_asked_order_wants_is_not_held(house: House, pings: str) -> None:
    texas = asked("a-tx", "a", pings, where=[{"field": "state", "eq": "TX"}])
    await apply(house, business(texas, order("c-ca", "c", "30.00")))
    settled = await take(house)
    assert settled.state is State.SOLD
    assert len(await events_of(house, settled.lead_id)) == 1
    assert not Stub.heard
    await prove(house)


async def test_a_test_lead_is_put_only_to_buyers_that_know_tests_and_sold_to_nobody(house: House, pings: str) -> None:
    knows = asked("b-ca", "b", pings, ping={"test": {"lp_test": "1"}})
    await apply(house, business(asked("a-ca", "a", pings), knows))
    settled = await house.mill.take(lead(house, test=True))
    assert settled.state is State.TEST
    auction = await told(house, settled.lead_id, Auction)
    assert auction.winners == ("b-ca",) and auction.dry
    refused = {item.order_id: item.refused for item in auction.considered}
    assert refused["a-ca"].code == "market.bid.no_test"
    assert sum(Stub.heard.values()) == 1 and b'"lp_test":"1"' in Stub.bodies[0][1]
    async with house.db.begin() as tx:
        assert await sales_of(tx, settled.lead_id) == []
    await prove(house)


async def test_the_winner_is_handed_the_lead_while_the_source_waits(house: House, pings: str, buyers: Buyers) -> None:
    delivery = {
        "courier": "http",
        "url": f"{buyers.url}/a",
        "fields": {"ping_id": "sale.ping_id", "phone": "phone", "zip": "zip"},
    }
    await apply(house, business(asked("a-ca", "a", pings, "same"), a=delivery))
    settled = await take(house)
    assert settled.state is State.SOLD
    (posted,) = buyers.of("a")
    assert msgspec.json.decode(posted.body)["ping_id"] == "b0"
    async with house.db.begin() as tx:
        (receipt,) = await receipts_of(tx, settled.lead_id)
    assert (receipt.state, receipt.attempts) == ("accepted", 1)
    assert b"phone" not in Stub.bodies[0][1]
    await prove(house)


async def test_who_declines_the_post_gives_way_to_the_next_best(house: House, pings: str, buyers: Buyers) -> None:
    posts = {name: {"courier": "http", "url": f"{buyers.url}/{name}"} for name in ("a", "b", "c")}
    for name in ("a", "b"):
        buyers.script(name, [{"body": {"status": "rejected", "reason": "Not now"}}])
    await apply(
        house,
        business(
            asked("a-ca", "a", pings, price="50"),
            asked("b-ca", "b", pings, price="40"),
            asked("c-ca", "c", pings, price="30"),
            **posts,
        ),
    )
    settled = await take(house)
    assert (settled.state, settled.price) == (State.SOLD, 2100)
    assert [len(buyers.of(name)) for name in ("a", "b", "c")] == [1, 1, 1]
    assert (await row_of(house, settled.lead_id)).recipient == "c"
    assert sum(Stub.heard.values()) == 3, "nobody is asked twice"
    await prove(house)


async def test_rounds_run_out_and_the_worker_goes_on(house: House, pings: str, buyers: Buyers) -> None:
    names = [f"b{number}" for number in range(6)]
    posts = {name: {"courier": "http", "url": f"{buyers.url}/{name}"} for name in names}
    for name in names:
        buyers.script(name, [{"body": {"status": "rejected", "reason": "Not now"}}])
    orders = [asked(f"{name}-ca", name, pings, price=f"{50 - place}") for place, name in enumerate(names)]
    await apply(house, business(*orders, **posts))
    settled = await take(house)
    assert settled.state is State.SOLD, "the fifth has it, untried as yet"
    await house.floor.close()
    house.clock.advance(seconds=60)  # type: ignore[attr-defined]
    await workers(house)[0].drain()
    row = await row_of(house, settled.lead_id)
    assert row.state is State.UNSOLD
    await prove(house)


async def test_a_post_without_an_answer_keeps_the_sale_for_the_worker(house: House, pings: str, buyers: Buyers) -> None:
    buyers.script("a", [{"slow": True}, {"body": {"status": "accepted"}}])
    delivery = {"courier": "http", "url": f"{buyers.url}/a", "timeout_ms": 3_000}
    await apply(house, business(asked("a-ca", "a", pings), asked("b-ca", "b", pings, price="10"), a=delivery))
    settled = await take(house)
    assert settled.state is State.SOLD
    async with house.db.begin() as tx:
        (receipt,) = await receipts_of(tx, settled.lead_id)
        (leg,) = await sales_of(tx, settled.lead_id)
    assert (receipt.state, leg.buyer_id, leg.ended_at) == ("retrying", "a", None)
    house.clock.advance(seconds=60)  # type: ignore[attr-defined]
    await workers(house)[0].drain()
    async with house.db.begin() as tx:
        assert [one.state for one in await receipts_of(tx, settled.lead_id)] == ["accepted"]
    await prove(house)


async def test_a_fixed_price_order_may_be_tried_at_once_too(house: House, buyers: Buyers) -> None:
    fast = order("a-ca", "a", "50.00", post="inline")
    posts = {name: {"courier": "http", "url": f"{buyers.url}/{name}"} for name in ("a", "c")}
    buyers.script("a", [{"body": {"status": "rejected", "reason": "Not now"}}])
    await apply(house, business(fast, order("c-ca", "c", "30.00"), **posts))
    settled = await take(house)
    assert (settled.state, settled.price) == (State.SOLD, 2100)
    assert len(buyers.of("a")) == 1
    await prove(house)


async def test_a_late_refusal_has_the_others_asked_again(house: House, pings: str, buyers: Buyers) -> None:
    buyers.script("a", [{"status": 503}, {"body": {"status": "rejected", "reason": "Too old"}}])
    delivery = {"courier": "http", "url": f"{buyers.url}/a"}
    await apply(house, business(asked("a-ca", "a", pings, price="50"), asked("b-ca", "b", pings), a=delivery))
    settled = await take(house)
    assert settled.state is State.SOLD
    house.clock.advance(hours=1)  # type: ignore[attr-defined]
    await workers(house)[0].drain()
    assert (await row_of(house, settled.lead_id)).state is State.BIDDING
    await find_stranded(house)
    await workers(house)[0].drain()
    row = await row_of(house, settled.lead_id)
    assert (row.state, row.recipient) == (State.SOLD, "b")
    assert Stub.heard["bid"] == 3, "both at first, then who had not declined"
    await prove(house)


async def test_a_bid_that_has_run_out_when_the_lead_walks_on_is_none(
    house: House, pings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(house, business(asked("a-ca", "a", pings, price="50", ping={"valid_s": 1}), order("c-ca", "c", "30")))
    hold = house.auctioneer.hold_auction

    async def slowly(*args: Any) -> Any:
        bids = await hold(*args)
        house.clock.advance(seconds=5)  # type: ignore[attr-defined]
        return bids

    monkeypatch.setattr(house.auctioneer, "hold_auction", slowly)
    settled = await take(house)
    refused = {item.order_id: item.refused for item in (await told(house, settled.lead_id, Auction)).considered}
    assert refused["a-ca"].code == "market.bid.expired"
    assert (await row_of(house, settled.lead_id)).recipient == "c"
    await prove(house)


async def test_a_pause_is_stored_for_everybody_to_see(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", pings, "error"), order("c-ca", "c", "30.00")))
    for number in range(FAILURES):
        await take(house, number)
    await house.auctioneer.close()
    async with house.db.begin() as tx:
        (pause,) = await list_pauses(tx)
    assert (pause.buyer_id, pause.failures, pause.code) == ("a", FAILURES, "http.server.failed")
    settled = await take(house, 99)
    item = (await told(house, settled.lead_id, Bidding)).items[0]
    assert item.because.code == "market.bid.paused"


async def test_a_page_tells_that_the_lead_went_on_with_its_bids(house: House, pings: str) -> None:
    await apply(house, business(asked("a-ca", "a", pings)))
    settled = await take(house)
    first, second = await events_of(house, settled.lead_id)
    held = next(event for event in first if isinstance(event, StepTaken) and event.step == "bidding")
    assert (held.verdict, held.because.code) == ("hold", "market.lead.bidding")  # type: ignore[union-attr]
    assert held.because is not None and held.because.reason.state is State.BIDDING
    resumed = next(event for event in second if isinstance(event, LeadResumed))
    assert (resumed.step, resumed.by) == ("bidding", "auction")
    assert isinstance((await told(house, settled.lead_id, Bidding)).items[0], BidHeard)
    async with house.db.begin() as tx:
        assert await stranded(tx, "lead_z") == []


async def test_many_leads_are_asked_about_at_once_and_walk_on_in_groups(house: House, pings: str) -> None:
    capped = asked("a-ca", "a", pings, price="41", caps=[{"per": "day", "leads": 7}])
    await apply(house, business(capped, asked("b-ca", "b", pings, price="20")))
    settled = await asyncio.gather(*(take(house, number) for number in range(30)))
    assert {one.state for one in settled} == {State.SOLD}
    rows = [await row_of(house, one.lead_id) for one in settled]
    assert sum(row.recipient == "a" for row in rows) == 7
    await prove(house)

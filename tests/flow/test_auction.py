"""An auction over a real network of stand-ins: every way in which a buyer can fail to bid has its number."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.buyers import Stub, serve
from leadmill.core.money import Money
from leadmill.flow.auction import Auctioneer
from leadmill.market import BidHeard, Bids, Mode, NoBid, Offer, Order, Pause, PingTarget
from leadmill.market.tenders.manners import FAILURES
from leadmill.market.tenders.tender import NUMBERED
from leadmill.runtime.addresses import Reach
from leadmill.runtime.http import Http, HttpLimits
from leadmill.runtime.plugins import find_plugins
from tests.conftest import FixedClock

AT = datetime(2026, 3, 4, 15, tzinfo=UTC)
OFFER = Offer(id="ping_1", vertical="solar", source="sunny", received_at=AT, fields={"zip": "94110"})
TEST_OFFER = Offer(id="ping_2", vertical="solar", source="sunny", received_at=AT, test=True)
_BIDDERS = find_plugins().of("leadmill.bidders")
PATIENT = 10_000
"""Milliseconds within which an answer that is meant to come does come, however busy the machine."""


class Floor:
    """An auctioneer, the port of the stand-ins, and what was stored of pauses."""

    def __init__(self, http: Http, port: int, clock: FixedClock) -> None:
        self.port = port
        self.clock = clock
        self.stored: list[Pause | str] = []

        async def perform(ask: Any, kind: str) -> Any:
            return await http.perform(ask)

        async def keep(pause: Pause) -> None:
            self.stored.append(pause)

        async def drop(buyer_id: str) -> None:
            self.stored.append(buyer_id)

        self.auctioneer = Auctioneer(perform, _BIDDERS, clock, keep=keep, drop=drop)

    def order(self, buyer: str, do: str = "bid", **more: Any) -> Order:
        """An order of a buyer whose ping service does this."""
        price, ms = more.pop("price", "25.00"), more.pop("ms", 0)
        ping = {name: more.pop(name) for name in ("tier", "timeout_ms", "test", "constants") if name in more}
        ping.setdefault("timeout_ms", PATIENT)
        host = more.pop("host", f"127.0.0.1:{self.port}")
        url = f"http://{host}/ping/{buyer}?do={do}&ms={ms}&price={price}"
        facts: dict[str, Any] = {"id": f"{buyer}-order", "vertical": "solar", "buyer": buyer}
        return Order(**(facts | more), ping=PingTarget(url=url, **ping))

    async def hold(self, *orders: Order, offer: Offer = OFFER, within_ms: int = PATIENT) -> Bids:
        """Hold an auction."""
        bids = await self.auctioneer.hold_auction(offer, orders, within_ms)
        await self.auctioneer.close()
        return bids


@pytest.fixture
async def floor(clock: FixedClock) -> AsyncIterator[Floor]:
    Stub.heard.clear()
    Stub.bodies.clear()
    server, port = await serve()
    limits = HttpLimits(failures=1_000)
    async with Http(Reach(loopback=True), {"BUYER_KEY": "opened"}, clock, limits=limits) as http:
        yield Floor(http, port, clock)
    server.close()


def only(bids: Bids) -> Any:
    assert len(bids.items) == 1
    return bids.items[0]


async def test_buyers_bid_and_each_bid_is_its_orders(floor: Floor) -> None:
    bids = await floor.hold(floor.order("a", price="41.505"), floor.order("b", price="12"))
    assert bids.asked and bids.within_ms == PATIENT
    first, second = bids.items
    assert isinstance(first, BidHeard) and isinstance(second, BidHeard)
    assert (first.order_id, first.buyer_id, first.exclusive, first.shared) == ("a-order", "a", 4150, None)
    assert (second.exclusive, second.ref is not None) == (1200, True)
    assert (first.expires_at - floor.clock()).total_seconds() == 120


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("decline", "market.bid.declined"),
        ("duplicate", "market.bid.duplicate"),
        ("malformed", "market.bid.malformed"),
        ("silent", "market.bid.malformed"),
        ("page", "market.bid.malformed"),
        ("contradict", "market.bid.contradictory"),
        ("error", "market.bid.fault"),
        ("reset", "market.bid.fault"),
    ],
)
async def test_an_answer_that_is_no_bid_has_its_numbered_reason(floor: Floor, do: str, code: str) -> None:
    item = only(await floor.hold(floor.order("a", do)))
    assert isinstance(item, NoBid)
    assert item.because.code == code
    assert item.number == [reason.code for reason in NUMBERED].index(code) + 1
    assert item.because.message


async def test_a_buyer_that_hangs_is_waited_for_as_long_as_its_order_says(floor: Floor) -> None:
    item = only(await floor.hold(floor.order("a", "hang", timeout_ms=80)))
    assert item.because.code == "market.bid.timeout"
    assert item.because.detail == {"ms": 80}


async def test_the_slowest_buyer_never_sets_the_time(floor: Floor) -> None:
    slow = floor.order("slow", "hang", timeout_ms=10_000)
    bids = await floor.hold(floor.order("quick", ms=5), slow, within_ms=2_500)
    quick, late = bids.items
    assert isinstance(quick, BidHeard)
    # Told how long, it ran out of them at the same moment as the auction: either name is true.
    assert isinstance(late, NoBid) and late.because.code in ("market.bid.late", "market.bid.timeout")


async def test_the_auction_ends_when_all_have_answered(floor: Floor) -> None:
    async with asyncio.timeout(30):
        await floor.hold(floor.order("a", ms=10), floor.order("b", "decline"), within_ms=600_000)


async def test_what_has_not_answered_at_the_end_is_late(floor: Floor) -> None:
    """A plug-in that does not keep to its time is cut off by the auction."""

    async def dawdle(ask: Any, kind: str) -> Any:
        await asyncio.sleep(10)

    auctioneer = Auctioneer(dawdle, _BIDDERS, floor.clock)
    item = only(await auctioneer.hold_auction(OFFER, [floor.order("a")], 60))
    assert item.because.code == "market.bid.late"


async def test_an_answer_that_comes_after_the_end_changes_nothing(floor: Floor) -> None:
    late = floor.order("a", ms=200, timeout_ms=60)
    bids = await floor.hold(late)
    await asyncio.sleep(0.3)
    assert isinstance(only(bids), NoBid)
    assert isinstance(only(await floor.hold(floor.order("a", ms=0))), BidHeard)


async def test_a_bid_id_that_was_another_leads_is_no_bid(floor: Floor) -> None:
    order = floor.order("a", "same")
    assert isinstance(only(await floor.hold(order)), BidHeard)
    assert isinstance(only(await floor.hold(order)), BidHeard), "the same lead, asked again"
    other = Offer(id="ping_9", vertical="solar", source="sunny", received_at=AT)
    assert only(await floor.hold(order, offer=other)).because.code == "market.bid.repeated"


async def test_orders_that_are_asked_alike_share_one_request(floor: Floor) -> None:
    one = floor.order("a")
    two = Order(id="second", vertical="solar", buyer="a", mode=Mode.SHARED, ping=one.ping)
    bids = await floor.hold(one, two)
    assert Stub.heard["bid"] == 1
    alone, leg = bids.items
    assert isinstance(alone, BidHeard) and isinstance(leg, BidHeard)
    assert (alone.exclusive, alone.shared, leg.exclusive, leg.shared) == (2500, None, None, 2500)


async def test_orders_with_words_of_their_own_are_asked_each(floor: Floor) -> None:
    await floor.hold(
        floor.order("a", constants={"campaign": "1"}), floor.order("a", id="b-order", constants={"campaign": "2"})
    )
    assert Stub.heard["bid"] == 2


async def test_a_yes_without_a_price_bids_the_orders_own(floor: Floor) -> None:
    own = floor.order("a", "bid", price="", mode=Mode.EITHER)
    priced = Order(
        id="a-order", vertical="solar", buyer="a", mode=Mode.EITHER, ping=own.ping, price=Money(3000),
        shared_price=Money(900),
    )  # fmt: skip
    item = only(await floor.hold(priced))
    assert (item.exclusive, item.shared) == (3000, 900)
    assert only(await floor.hold(own)).because.code == "market.bid.malformed"


async def test_a_later_tier_is_asked_only_where_the_first_does_not_bid(floor: Floor) -> None:
    first, second = floor.order("a", tier=1), floor.order("b", tier=2)
    bids = await floor.hold(first, second)
    assert isinstance(bids.items[0], BidHeard)
    assert bids.items[1].because.code == "market.bid.later_tier"  # type: ignore[union-attr]
    bids = await floor.hold(floor.order("a", "decline", tier=1), second)
    assert isinstance(bids.items[1], BidHeard)


async def test_a_buyer_that_cannot_answer_in_time_is_not_asked(floor: Floor) -> None:
    order = floor.order("a", ms=120)
    for _ in range(8):
        await floor.hold(order)
    asked = Stub.heard["bid"]
    item = only(await floor.hold(order, within_ms=50))
    assert item.because.code == "market.bid.no_time"
    assert item.because.detail["left"] <= 50 < item.because.detail["usual"]
    assert Stub.heard["bid"] == asked


async def test_each_buyer_is_told_its_time(floor: Floor) -> None:
    await floor.hold(floor.order("a", timeout_ms=300), within_ms=1_000)
    headers, body = Stub.bodies[-1]
    assert headers["x-timeout-ms"] == "300"
    assert b'"timeout_ms":300' in body


async def test_secrets_are_opened_on_the_way_out(floor: Floor) -> None:
    await floor.hold(floor.order("a", constants={"key": "x"}))
    assert b'"key":"x"' in Stub.bodies[-1][1]


async def test_a_host_that_failed_too_often_rests(floor: Floor, clock: FixedClock) -> None:
    limits = HttpLimits(failures=2)
    async with Http(Reach(loopback=True), {}, clock, limits=limits) as http:
        tired = Floor(http, floor.port, clock)
        order = tired.order("a", "error")
        codes = [only(await tired.hold(order)).because.code for _ in range(3)]
    assert codes == ["market.bid.fault", "market.bid.fault", "market.bid.breaker_open"]


async def test_pings_that_are_cut_short_do_not_make_a_host_rest(floor: Floor, clock: FixedClock) -> None:
    limits = HttpLimits(failures=2)
    async with Http(Reach(loopback=True), {}, clock, limits=limits) as http:
        hasty = Floor(http, floor.port, clock)
        codes = [only(await hasty.hold(hasty.order("a", "hang", timeout_ms=50))).because.code for _ in range(4)]
    assert set(codes) == {"market.bid.timeout"}


async def test_a_buyer_that_keeps_failing_is_paused_and_comes_back_by_a_trial(floor: Floor) -> None:
    failing = floor.order("a", "error")
    for _ in range(FAILURES):
        await floor.hold(failing)
    asked = Stub.heard["error"]
    item = only(await floor.hold(failing))
    assert item.because.code == "market.bid.paused"
    assert item.because.detail["failures"] == FAILURES
    assert "http.server.failed" in item.because.message
    assert Stub.heard["error"] == asked
    assert [pause.buyer_id for pause in floor.auctioneer.pauses()] == ["a"]
    floor.clock.advance(seconds=61)
    assert isinstance(only(await floor.hold(floor.order("a"))), BidHeard)
    assert floor.auctioneer.pauses() == []
    stored = floor.stored
    assert isinstance(stored[0], Pause) and stored[0].code == "http.server.failed"
    assert stored[1:] == ["a"]


async def test_a_pause_that_another_process_stored_is_heeded_and_lifted(floor: Floor) -> None:
    until = floor.clock.advance(seconds=0).replace(hour=16)
    floor.auctioneer.learn([Pause("a", AT, until, 10, "market.bid.timeout")])
    assert only(await floor.hold(floor.order("a"))).because.code == "market.bid.paused"
    floor.auctioneer.learn([])
    assert isinstance(only(await floor.hold(floor.order("a"))), BidHeard)


async def test_a_test_is_offered_only_where_the_buyer_knows_tests(floor: Floor) -> None:
    bids = await floor.hold(floor.order("a"), floor.order("b", test={"lp_test": "1"}), offer=TEST_OFFER)
    assert bids.items[0].because.code == "market.bid.no_test"  # type: ignore[union-attr]
    assert isinstance(bids.items[1], BidHeard)
    assert b'"lp_test":"1"' in Stub.bodies[-1][1]
    assert sum(Stub.heard.values()) == 1


async def test_a_bidder_that_breaks_takes_nobody_along(floor: Floor) -> None:
    class Broken:
        name = "http"

        def check(self, target: Any) -> Any:
            return ()

        def ask(self, target: Any, offer: Any, budget_ms: int) -> Any:
            if "broken" in target.url:
                raise ZeroDivisionError
            return _BIDDERS["http"].ask(target, offer, budget_ms)

        def read(self, target: Any, offer: Any, reply: Any) -> Any:
            return _BIDDERS["http"].read(target, offer, reply)

    floor.auctioneer._bidders = {"http": Broken()}
    bids = await floor.hold(floor.order("broken"), floor.order("sound"))
    assert bids.items[0].because.detail == {"code": "market.bidder.failed"}  # type: ignore[union-attr]
    assert isinstance(bids.items[1], BidHeard)


async def test_nobody_at_all_ends_at_once(floor: Floor) -> None:
    assert (await floor.hold()).items == ()
    gone = floor.order("a", host="127.0.0.1:1")
    assert only(await floor.hold(gone)).because.detail == {"code": "http.connection.failed"}


async def test_all_are_asked_at_the_same_time(floor: Floor) -> None:
    """Nobody answers before the last of forty has been asked."""
    asked, all_asked = 0, asyncio.Event()
    bid = b'{"status":"accepted","ping_id":"b0","price":"25.00"}'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n")[0]))
        asked += 1
        if asked == 40:
            all_asked.set()
        await all_asked.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(bid) + bid)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    bids = await floor.hold(*[floor.order(f"b{number}", host=host) for number in range(40)])
    server.close()
    assert all(isinstance(item, BidHeard) for item in bids.items)

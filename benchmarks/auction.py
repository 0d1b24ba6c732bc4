"""``leadmill bench auction``: one lead offered to many buyers, beside a bare fan-out of the same requests.

Run by ``leadmill bench``. The buyers are a server of their own in a process of their own (:mod:`benchmarks.buyers`),
each answering after the same while. The auctions run as ``serve`` runs them: the offer is written for each buyer, the
one HTTP client guards, signs and counts, the answers are read by the trade's words. The bare fan-out sends the same
bytes to the same addresses by aiohttp and reads the answers' bytes, nothing more. The two take turns in one process.
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
import uvloop

from benchmarks.closing import carry_out
from benchmarks.figures import median, percentile
from benchmarks.house import Broken, say
from leadmill.core.conversation import HttpAsk
from leadmill.flow.auction import Auctioneer
from leadmill.market import BidHeard, Offer, Order, PingTarget
from leadmill.runtime.addresses import Reach
from leadmill.runtime.clock import system_clock
from leadmill.runtime.drop import Drop
from leadmill.runtime.http import Http, HttpLimits
from leadmill.runtime.mail import Mail
from leadmill.runtime.outgoing import WayOut
from leadmill.runtime.plugins import find_plugins
from leadmill.runtime.telemetry import configure

GOAL = 0.5
ANSWERED = 0.9
"""The share of buyers that must have been heard while there were as many auctions as there can be."""
_WITHIN_MS = 1_500
_OFFER = Offer(
    id="ping_01k0000000000000000000000",
    vertical="solar",
    source="sunny-quotes",
    received_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    fields={
        "state": "CA", "zip": "94110", "city": "San Francisco", "monthly_bill": 180, "homeowner": True,
        "property_type": "single_family", "roof_age": 8, "roof_shade": "none", "timeframe": "1-3 months",
    },
    consent={"trustedform": "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567", "jornaya": "T-9"},
    context={"ip": "203.0.113.0", "landing_page": "https://sunny.example/quote"},
)  # fmt: skip

Hold = Callable[[], Awaitable[None]]


@contextmanager
def _buyers() -> Iterator[int]:
    command = [sys.executable, "-P", "-m", "benchmarks.buyers"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


async def _measure(buyers: int, wait_ms: int, rounds: int, seconds: float, together: int, port: int) -> dict[str, Any]:
    clock = system_clock
    limits = HttpLimits(connections=4_096, connections_per_host=4_096)
    orders = [_order(number, wait_ms, port) for number in range(buyers)]
    reach = Reach(loopback=True)
    connector = aiohttp.TCPConnector(limit=4_096, limit_per_host=4_096)
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        Http(reach, {}, clock, limits=limits) as http,
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session,
    ):
        way = WayOut(http, Mail(None, {}, clock), Drop(Path()))

        async def perform(ask: HttpAsk, kind: str) -> Any:
            return await way.perform(ask, kind)

        bidders = find_plugins(("leadmill.bidders",)).of("leadmill.bidders")
        auctioneer = Auctioneer(perform, bidders, clock)

        heard: Counter[str] = Counter()

        async def auction() -> None:
            bids = await auctioneer.hold_auction(_OFFER, orders, _WITHIN_MS)
            heard.update("bid" if isinstance(item, BidHeard) else item.because.code for item in bids.items)

        asks = [bidders["http"].ask(order.ping, _OFFER, _WITHIN_MS) for order in orders]

        async def bare() -> None:
            await asyncio.gather(*(_post(session, ask) for ask in asks))

        for _ in range(10):
            await auction()
            await bare()
        say(f"{rounds} auctions of {buyers} buyers, one at a time")
        ours, plain = [], []
        for _ in range(rounds):
            ours.append(await _timed(auction))
            plain.append(await _timed(bare))
        say(f"as many as there can be, {together} at a time")
        await _rate(auction, seconds / 2, together)  # what is waited for each buyer grows with the load
        heard.clear()
        rates: dict[str, list[float]] = {"auction": [], "bare": []}
        for _ in range(3):
            rates["auction"].append(await _rate(auction, seconds, together))
            rates["bare"].append(await _rate(bare, seconds, together))
    answered = heard["bid"] / heard.total()
    if answered < ANSWERED:
        raise Broken(f"too many buyers were cut off: {dict(heard)}")
    ours.sort()
    plain.sort()
    rate, plain_rate = median(rates["auction"]), median(rates["bare"])
    over = {share: percentile(ours, share) * 1000 - wait_ms for share in (0.5, 0.99)}
    plain_over = {share: percentile(plain, share) * 1000 - wait_ms for share in (0.5, 0.99)}
    return {
        "bench": "auction",
        "buyers": buyers,
        "wait_ms": wait_ms,
        "overhead_p50_ms": over[0.5],
        "overhead_p99_ms": over[0.99],
        "bare_overhead_p50_ms": plain_over[0.5],
        "bare_overhead_p99_ms": plain_over[0.99],
        "auctions_per_s": rate,
        "bare_per_s": plain_rate,
        "rounds": rates,
        "answered": answered,
        "ratio": rate / plain_rate,
        "goal": GOAL,
    }


def _order(number: int, wait_ms: int, port: int) -> Order:
    url = f"http://127.0.0.1:{port}/ping/{number}?do=bid&ms={wait_ms}&price={20 + number}.00"
    target = PingTarget(url=url, timeout_ms=1_000, constants={"campaign": f"c{number}"})
    return Order(id=f"order-{number:03}", vertical="solar", buyer=f"buyer-{number:03}", ping=target)


async def _post(session: aiohttp.ClientSession, ask: HttpAsk) -> bytes:
    async with session.post(ask.url, data=ask.body, headers=ask.headers, allow_redirects=False) as response:
        return await response.read()


async def _timed(hold: Hold) -> float:
    began = time.perf_counter()
    await hold()
    return time.perf_counter() - began


async def _rate(hold: Hold, seconds: float, together: int) -> float:
    held = 0
    ends = time.perf_counter() + seconds

    async def keep_on() -> None:
        nonlocal held
        while time.perf_counter() < ends:
            await hold()
            held += 1

    began = time.perf_counter()
    await asyncio.gather(*(keep_on() for _ in range(together)))
    return held / (time.perf_counter() - began)


def _report(found: dict[str, Any]) -> None:
    print(f"{found['buyers']} buyers, each answering after {found['wait_ms']} ms")
    print(
        f"  beyond the slowest buyer: p50 {found['overhead_p50_ms']:.1f} ms, p99 {found['overhead_p99_ms']:.1f} ms"
        f"   (bare fan-out {found['bare_overhead_p50_ms']:.1f} and {found['bare_overhead_p99_ms']:.1f} ms)"
    )
    print(f"  auctions: {found['auctions_per_s']:.1f} /s   bare fan-out: {found['bare_per_s']:.1f} /s")
    print(f"  ratio: {found['ratio']:.2f}   (goal {GOAL}), {found['answered']:.1%} of the buyers heard")


def main(
    buyers: Annotated[int, typer.Option(min=1, max=500, help="How many buyers are asked.")] = 50,
    wait_ms: Annotated[int, typer.Option(min=0, max=1_000, help="After how long each answers.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="Auctions held one at a time.")] = 200,
    seconds: Annotated[float, typer.Option(min=0.2, help="How long each round of many at a time is.")] = 4.0,
    together: Annotated[int, typer.Option(min=1, max=64, help="Auctions at a time.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """One lead offered to many buyers: time beyond the slowest, auctions/s, beside a bare fan-out.

    Example: leadmill bench auction --buyers 50 --wait-ms 20
    """
    configure("info")

    def measure() -> dict[str, Any]:
        with _buyers() as port:
            return uvloop.run(_measure(buyers, wait_ms, rounds, seconds, together, port))

    carry_out(measure, _report, as_json)


if __name__ == "__main__":
    typer.run(main)

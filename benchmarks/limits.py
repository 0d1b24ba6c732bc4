"""``leadmill bench limits``: many processes at once against tight limits, some of them killed, and a referee.

Each seller is a process of its own that walks groups of leads through the market and billing on the real store, as the
runner does: it sells, holds room for leads that come later or never, takes sales back, and looks after its shares of
the limits. The parent kills one after another with SIGKILL in the middle of whatever it does and starts it anew. At the
end the referee counts everything again from the rows of sales and postings alone. Called by ``leadmill bench`` and,
small, by the test suite.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benchmarks.house import endable, environment, say
from benchmarks.referee import fill_of, referee
from benchmarks.sellers import business, shadow_prices
from leadmill.billing import charge_subscriptions, open_account
from leadmill.core.ids import mint
from leadmill.market import (
    Counters,
    release_holds,
    write_prices,
)
from leadmill.market.allocation.learned import Learned
from leadmill.runtime.db import Database
from leadmill.runtime.migrate import migrate
from leadmill.runtime.postgres import embedded


class Ran(msgspec.Struct):
    """What a run did and what the referee found. ``fill`` is the least and the mean share of the smaller of cap and
    demand that the day caps sold."""

    leads: int
    seconds: float
    kills: int
    again: int
    sales: int
    findings: list[str]
    fill: list[float]


async def run(url: str, leads: int, processes: int = 8, kills: int = 4, seed: int = 1) -> Ran:
    """Sell at least ``leads`` leads to the business over ``processes`` processes, killing ``kills`` on the way."""
    market = business(leads)
    db = Database(url, size=4)
    await db.open()
    # The hour ends when about half of the leads are sold, as far as that can be known.
    ahead = (datetime.now(UTC) + timedelta(hours=1)).replace(minute=0, second=0) - datetime.now(UTC)
    ahead -= timedelta(seconds=max(4.0, leads / 2500))
    async with db.begin() as tx:
        for buyer in market.roster.buyers.values():
            await open_account(tx, buyer.id, buyer.credit, datetime.now(UTC) + ahead, mint)
        charged = await charge_subscriptions(tx, market.orders.values(), datetime.now(UTC) + ahead)
        assert charged == sum([order.subscription is not None for order in market.orders.values()])
        now = datetime.now(UTC) + ahead
        await write_prices(tx, shadow_prices(market, now), Learned(), now)
    crew = Crew(url, leads, seed, ahead.total_seconds())
    began = time.monotonic()
    try:
        for number in range(processes):
            await crew.start(number)
        done = 0
        for step in range(1, kills + 1):
            await crew.until(leads * step // (kills + 1))
            await crew.kill(step % processes)
        await crew.until(leads)
        done = crew.done
    finally:
        await crew.stop()
    seconds = time.monotonic() - began
    end = datetime.now(UTC) + ahead + timedelta(minutes=2)
    await Counters(lambda: end).tend(db)
    async with db.begin() as tx:
        while await release_holds(tx, end):
            pass
    findings = await referee(db, market, end)
    fill, sales = await fill_of(url, market, crew.offered)
    await db.close()
    return Ran(done, seconds, kills, crew.again, sales, findings, fill)


class Crew:
    """The sellers' processes, and how many leads they have finished."""

    def __init__(self, url: str, leads: int, seed: int, ahead: float) -> None:
        self._arguments = [url, str(leads)], str(ahead)
        self._seed = seed
        self._running: dict[int, tuple[asyncio.subprocess.Process, asyncio.Task[None]]] = {}
        self._moved = asyncio.Event()
        self.offered: Counter[str] = Counter()
        """How many leads of each segment were walked."""
        self.done = 0
        self.again = 0
        self.broken = ""

    async def start(self, number: int) -> None:
        """Start a seller in a place."""
        self._seed += 1
        before, ahead = self._arguments
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.sellers", *before, str(self._seed), ahead),
            stdout=subprocess.PIPE,
            env=environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._running[number] = process, asyncio.create_task(self._listen(process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        again = 0
        assert process.stdout is not None
        async for line in process.stdout:
            seen, *segments = line.decode().split()
            self.offered.update(segments)
            self.done += len(segments)
            self.again += int(seen) - again
            again = int(seen)
            self._moved.set()
        if await process.wait() not in (0, -signal.SIGKILL):
            self.broken = f"a seller ended with {process.returncode}"
            self._moved.set()

    async def until(self, leads: int) -> None:
        """Wait until so many leads are finished."""
        while self.done < leads:
            if self.broken:
                raise RuntimeError(self.broken)
            self._moved.clear()
            await asyncio.wait_for(self._moved.wait(), 120)

    async def kill(self, number: int) -> None:
        """Kill a seller where it stands and start another in its place."""
        process, listening = self._running.pop(number)
        process.kill()
        await listening
        await self.start(number)

    async def stop(self) -> None:
        """End all, each after what it has in hand."""
        for process, _ in self._running.values():
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(listening for _, listening in self._running.values()))


def lines(ran: Ran) -> Iterable[str]:
    """A run in words."""
    yield f"{ran.leads:,} leads in {ran.seconds:.1f} s ({ran.leads / ran.seconds:,.0f} a second), {ran.kills} kills"
    yield f"sales that stand: {ran.sales:,}; groups walked again: {ran.again:,}"
    yield f"day caps filled: {ran.fill[1]:.2%} on average, {ran.fill[0]:.2%} at the least"
    yield f"limits exceeded, leads sold twice, room left over: {len(ran.findings)}"
    yield from ran.findings[:20]


def main(
    leads: Annotated[int, typer.Option(help="Leads to sell.")] = 50_000,
    processes: Annotated[int, typer.Option(help="Processes that sell at once.")] = 8,
    kills: Annotated[int, typer.Option(help="How many are killed on the way.")] = 12,
    seed: Annotated[int, typer.Option(help="Where the dice begin.")] = 1,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where the database lies.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Sell from many processes at once against tight limits, kill some, and count everything again."""
    with (
        endable(),
        tempfile.TemporaryDirectory(prefix="leadmill-bench-", dir=folder, ignore_cleanup_errors=True) as made,
        embedded(Path(made), say) as url,
    ):
        asyncio.run(migrate(url))
        say(f"{leads:,} leads over {processes} processes")
        ran = asyncio.run(run(url, leads, processes, kills, seed))
    print(msgspec.json.encode(ran).decode() if as_json else "\n".join(lines(ran)))
    raise typer.Exit(1 if ran.findings else 0)


if __name__ == "__main__":
    typer.run(main)

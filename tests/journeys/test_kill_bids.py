"""A lead that buyers are being asked about survives the death of every process, and is sold once.

Callers send leads that two buyers bid on, slowly enough that many are asked about at any moment; all processes are
killed at a moment nobody chose. Afterwards every lead that was begun comes to its end by itself: none is left waiting
for bids, none is sold twice, and the store verifies.
"""

import asyncio
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.buyers import serve
from tests.journeys.program import Caller, Program
from tests.journeys.test_kill import BUSINESS, KEY, body_of, folder, opened, verified

__all__ = ["folder"]

ROUNDS = int(os.environ.get("LEADMILL_KILL_ROUNDS", "1"))
_TAKEN_UP = 45.0
"""Seconds in which the worker must have found what was left behind."""


@pytest.fixture
def pings() -> Iterator[str]:
    """A server of stand-ins in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server, port = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    yield f"http://127.0.0.1:{port}/ping"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.mark.timeout(240 * max(ROUNDS, 2))
def test_a_lead_that_is_asked_about_survives_the_death_of_every_process(folder: Path, pings: str) -> None:
    chance = random.Random(int(os.environ.get("LEADMILL_KILL_SEED", "20260304")))
    program = Program(folder / "home")
    callers = [Caller(f"c{number}", KEY) for number in range(6)]
    orders = "".join(
        f'\n[[order]]\nid = "bids-{place}"\nbuyer = "helio"\nvertical = "solar"\n'
        f'ping = {{ url = "{pings}/{place}?do=bid&ms={wait}&price={price}", timeout_ms = 900 }}\n'
        for place, wait, price in (("quick", 60, "70.00"), ("slow", 250, "75.00"))
    )
    (folder / "business.toml").write_text(BUSINESS + orders)
    try:
        program.start()
        program.run("apply", str(folder / "business.toml"))
        for _ in range(ROUNDS):
            stop = threading.Event()
            threads = [threading.Thread(target=each.call, args=(program.port, body_of, stop)) for each in callers]
            before = sum(len(each.answered) for each in callers)
            for thread in threads:
                thread.start()
            while sum(len(each.answered) for each in callers) == before and any(one.is_alive() for one in threads):
                stop.wait(0.005)
            stop.wait(chance.uniform(0.1, 0.7))
            assert program.kill(chance) > 5
            stop.set()
            for thread in threads:
                thread.join()
            program.start()
            asyncio.run(settled(program.home))
    finally:
        program.kill(chance)
    assert sum(len(each.answered) for each in callers) > 0


async def settled(home: Path) -> None:
    """Nothing is left waiting, nothing was sold twice, all of it verifies."""
    async with opened(home) as db:
        left = -1
        for _ in range(int(_TAKEN_UP * 2)):
            async with db.begin() as tx:
                left = await tx.conn.fetchval("SELECT count(*) FROM lead WHERE state = 'bidding'")
            if not left:
                break
            await asyncio.sleep(0.5)
        assert left == 0
        async with db.begin() as tx:
            twice = await tx.conn.fetch(
                "SELECT lead_id FROM sale WHERE state <> 'cancelled' GROUP BY lead_id HAVING count(*) > 1"
            )
            sold = await tx.conn.fetchval("SELECT count(*) FROM lead WHERE state = 'sold'")
        assert not twice
        assert sold > 0
        report = await verified(db, home)
    assert report.findings == []

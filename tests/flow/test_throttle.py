"""The rate of a source's pings is one, however many processes its pings come to."""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime

import pytest

from leadmill.flow.throttle import Throttle
from leadmill.parties import Throttled
from leadmill.runtime.db import Database
from tests.conftest import FixedClock

_PROCESS = """
import asyncio, sys
from datetime import datetime
from leadmill.flow.throttle import Throttle
from leadmill.parties import Throttled
from leadmill.runtime.db import Database

async def main(url, now, per_minute, times):
    db = Database(url, 2)
    await db.open()
    throttle, passed = Throttle(db, lambda: now), 0
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(times):
        try:
            await throttle.take("acme", per_minute)
            passed += 1
        except Throttled:
            pass
    print(passed, flush=True)
    await db.close()

asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
"""


async def passed(throttle: Throttle, times: int, per_minute: int = 60) -> int:
    """How many of so many pings are let through."""
    count, waits = 0, []
    for _ in range(times):
        try:
            await throttle.take("acme", per_minute)
            count += 1
        except Throttled as refused:
            waits.append(refused.after or 0.0)
    assert all(wait > 0 for wait in waits)
    return count


def ticking(moments: list[float]) -> Callable[[], float]:
    """A clock of the machine that the test moves."""
    return lambda: moments[0]


async def test_two_processes_let_no_more_through_than_one(db: Database, database_url: str, clock: FixedClock) -> None:
    """A day's end of 600 a minute is a burst of a hundred: both ask for as many as they can get at one moment."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROCESS, database_url, clock().isoformat(), "600", "150"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for one in processes:
        assert one.stdout is not None and (await one.stdout.readline()).strip() == b"ready"
    told = await asyncio.gather(*(one.communicate(b"go\n") for one in processes))
    let = [int(out) for out, _ in told]
    assert sum(let) == 100, let


async def test_a_source_that_meets_one_process_alone_has_its_whole_rate(db: Database, clock: FixedClock) -> None:
    moments = [0.0]
    busy, idle = (Throttle(db, clock, ticking(moments)) for _ in range(2))
    assert await passed(busy, 30) == 10
    clock.advance(seconds=5)
    moments[0] += 5
    assert await passed(busy, 30) == 5, "not a half of it"
    assert await passed(idle, 30) == 0


async def test_what_a_process_took_and_did_not_use_is_forgotten(db: Database, clock: FixedClock) -> None:
    moments = [0.0]
    throttle = Throttle(db, clock, ticking(moments))
    assert await passed(throttle, 8) == 8
    for _ in range(4):  # an hour passes in four looks: the bucket is full each time, and no fuller
        clock.advance(minutes=15)
        moments[0] += 900
        assert await passed(throttle, 30) == 10


async def test_pings_at_hand_cost_no_question(db: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    moments, asked = [0.0], 0
    throttle = Throttle(db, clock, ticking(moments))
    begin = db.begin

    def counted() -> object:
        nonlocal asked
        asked += 1
        return begin()

    monkeypatch.setattr(db, "begin", counted)
    await asyncio.gather(*(throttle.take("acme", 6_000) for _ in range(200)))
    assert asked <= 3, "those that wait are asked for together"
    assert await passed(throttle, 2_000, 6_000) == 800
    before = asked
    assert await passed(throttle, 500, 6_000) == 0
    assert asked == before, "a flood is turned away without asking"
    await throttle.take("other", 0)
    assert asked == before


async def test_a_clock_behind_the_others_fills_nothing(db: Database, clock: FixedClock) -> None:
    def late() -> datetime:
        return clock().replace(year=clock().year - 1)

    assert await passed(Throttle(db, clock, lambda: 0.0), 30) == 10
    assert await passed(Throttle(db, late, lambda: 0.0), 30) == 0
    clock.advance(seconds=1)
    assert await passed(Throttle(db, clock, lambda: 0.0), 30) == 1

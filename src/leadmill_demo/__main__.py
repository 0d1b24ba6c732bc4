"""``python -m leadmill_demo``: the buyers' stand-ins, the inbox and the traffic, in one process.

Started by ``leadmill serve --demo`` and by hand. It ends on SIGTERM, on Ctrl-C, and when its parent is gone; it lives
through restarts of the server it sends to.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import aiohttp

from leadmill_demo.business import HOST, SMTP_PORT, WORLD_PORT, environment, prepare, read_env
from leadmill_demo.lessons import teach
from leadmill_demo.outcomes import Reports
from leadmill_demo.traffic import Crowd, Traffic
from leadmill_demo.world import World, start

_BEFORE_LESSONS = 5.0
"""Seconds that Leadmill has to itself at first."""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m leadmill_demo",
        description="Runs the demo's buyers and sends believable traffic to a Leadmill.",
        epilog="Example: python -m leadmill_demo --url http://127.0.0.1:8080 --rate 5",
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where Leadmill answers (%(default)s)")
    parser.add_argument("--world-port", type=int, default=WORLD_PORT, help="the buyers' port (%(default)s)")
    parser.add_argument("--smtp-port", type=int, default=SMTP_PORT, help="the inbox's port (%(default)s)")
    parser.add_argument("--env-file", type=Path, help="the keys to use instead of the demo's own")
    parser.add_argument("--rate", type=float, default=2.0, help="leads a second, the mean of a day (%(default)s)")
    parser.add_argument("--seed", type=int, help="makes the same people again; a fresh one each time if left out")
    parser.add_argument("--no-traffic", action="store_true", help="run the buyers and the inbox only")
    parser.add_argument(
        "--teach", type=Path, metavar="DIR", help="have Leadmill learn a model, and keep its files there"
    )
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write business.toml and demo.env there, and end")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, or 3 where a port is taken or the keys cannot be read."""
    chosen = options(arguments)
    if chosen.write is not None:
        made = prepare(chosen.write, chosen.world_port, chosen.smtp_port)
        sys.stdout.write(f"{made.business}\n{made.keys}\n")
        return 0
    try:
        keys = read_env(chosen.env_file.read_text(encoding="utf-8")) if chosen.env_file else environment()
        asyncio.run(run(chosen, keys))
    except (OSError, ValueError) as fault:
        _say(str(fault))
        return 3
    return 0


async def run(chosen: argparse.Namespace, keys: dict[str, str]) -> None:
    """Run everything until told to stop. Raises OSError where a port is taken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    seed = chosen.seed if chosen.seed is not None else SystemRandom().getrandbits(64)
    crowd_rng, world_rng, report_rng, pace_rng = (
        Random(f"{seed} {part}")  # noqa: S311 — people who do not exist need no secrets
        for part in ("crowd", "world", "reports", "pace")
    )
    limits = aiohttp.TCPConnector(limit=32)
    patience = aiohttp.ClientTimeout(total=30, connect=5)
    async with aiohttp.ClientSession(
        connector=limits, timeout=patience, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        reports = Reports(session, chosen.url, buyer_keys(keys), report_rng, _clock, time.monotonic)
        world = World(world_rng, keys, reports.expect, _clock)
        running = await start(world, HOST, chosen.world_port, chosen.smtp_port)
        _say(f"buyers http://{HOST}:{running.port}  mail http://{HOST}:{running.port}/mail")
        traffic = Traffic(session, chosen.url, Crowd(crowd_rng, keys), pace_rng, chosen.rate, _clock)
        acts: list[Coroutine[Any, Any, None]] = [reports.run()]
        if not chosen.no_traffic:
            acts.append(traffic.run())
        if chosen.parent:
            acts.append(_until_orphaned(chosen.parent, stop))
        tasks = [asyncio.create_task(act) for act in acts]
        lesson = asyncio.create_task(_teach(chosen, seed))
        for task in tasks:
            task.add_done_callback(lambda _: stop.set())
        try:
            await stop.wait()
        finally:
            for task in (*tasks, lesson):
                task.cancel()
            ended = await asyncio.gather(*tasks, lesson, return_exceptions=True)
            await running.stop()
            heard = ", ".join(f"{what} {count}" for what, count in sorted(traffic.heard.items()))
            _say(f"stopped; answers: {heard or 'none'}; reports: {reports.sent}")
    for fault in ended:
        if isinstance(fault, Exception):
            raise fault


def buyer_keys(keys: dict[str, str]) -> dict[str, str]:
    """The buyers' API keys by buyer, from the variables ``DEMO_KEY_…``."""
    return {
        name.removeprefix("DEMO_KEY_").lower().replace("_", "-"): value
        for name, value in keys.items()
        if name.startswith("DEMO_KEY_")
    }


async def _teach(chosen: argparse.Namespace, seed: int) -> None:
    """Have Leadmill learn once the first enquiries have come, so that nothing starts later for it."""
    if chosen.teach is not None:
        await asyncio.sleep(_BEFORE_LESSONS)
        await teach(chosen.teach, Random(f"{seed} lessons"), _say)  # noqa: S311 — as above


async def _until_orphaned(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 — nobody tells a process that its parent died
        await asyncio.sleep(0.5)
    stop.set()


def _clock() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    sys.stderr.write(f"demo: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())

"""A running site for the browser tests: the house, its worker and its web server on a thread of their own, buyers
that answer, and traffic through the API."""

import asyncio
import contextlib
import json
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from leadmill.delivery import list_receipts
from leadmill.interfaces.house import House
from leadmill.interfaces.server import application
from leadmill.interfaces.worker import workers
from leadmill.main import open_house
from leadmill.runtime.settings import Settings
from leadmill.scoring.watch.store import keep_findings, keep_watched
from tests.interfaces.learned import learn
from tests.interfaces.stage import BUSINESS, CONSENT, SOURCE_KEY, Stage, dress, solar
from tests.interfaces.test_alerts import FOUND, measured_of

PROVIDERS = Path(__file__).with_name("providers.toml")
SUNSEARCH_KEY = "sunsearch-key-0123456789abcdef"

FIRST = [
    "Ana",
    "Marcus",
    "Priya",
    "Tom",
    "Lena",
    "Jo",
    "Wei",
    "Ruth",
    "Sam",
    "Nadia",
    "Luis",
    "Grace",
    "Omar",
    "Iris",
    "Kofi",
    "Mei",
    "Noah",
    "Rosa",
    "Dev",
    "Hana",
]
LAST = [
    "Ruiz",
    "Webb",
    "Raman",
    "Okafor",
    "Fischer",
    "Sandoval",
    "Chen",
    "Adeyemi",
    "Porter",
    "Haddad",
    "Ortega",
    "Kim",
    "Novak",
    "Silva",
    "Berg",
    "Tanaka",
]
PLACES = [
    ("94110", "CA"),
    ("94601", "CA"),
    ("90012", "CA"),
    ("95814", "CA"),
    ("85004", "AZ"),
    ("85701", "AZ"),
    ("78701", "TX"),
]


class ShiftedClock:
    """The system's clock, set back while the past is being made."""

    def __init__(self) -> None:
        self.back = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.back


class Site:
    """Where it answers, the stage behind it, and a way to run a coroutine over there."""

    def __init__(self, url: str, stage: Stage, loop: asyncio.AbstractEventLoop) -> None:
        self.url = url
        self.stage = stage
        self._loop = loop

    def run(self, work: Any) -> Any:
        """Run a coroutine on the site's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@contextmanager
def running_site(url: str, home: Path, traffic: bool) -> Iterator[Site]:
    """The site for the length of the block."""
    started = threading.Event()
    held: dict[str, Any] = {}

    async def live() -> None:
        stop = held["stop"] = asyncio.Event()
        held["loop"] = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            port = await _buyers(stack)
            clock = ShiftedClock()
            patched = pytest.MonkeyPatch()
            patched.setattr("leadmill.main.system_clock", clock)
            stack.callback(patched.undo)
            house = await stack.enter_async_context(
                open_house(Settings(home=home, database_url=url, connections=8, log_level="error", mx_lookups=False))
            )
            business = home / "business.toml"
            business.write_text(BUSINESS.read_text().replace("http://127.0.0.1:9/", f"http://127.0.0.1:{port}/"))
            asked = home / "providers.toml"
            asked.write_text(PROVIDERS.read_text().replace("http://127.0.0.1:9/", f"http://127.0.0.1:{port}/"))
            operator_key, analyst_key = await dress(house, [business, asked] if traffic else [])
            stage = Stage(house, application(house), operator_key, analyst_key)
            listening = socket.socket()
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(
                uvicorn.Config(
                    stage.app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            staff = workers(house)
            working = [asyncio.create_task(one.run()) for one in staff]
            if traffic:
                digest = await learn(house, home, state="shadow")
                await _traffic(stage, clock)
                await _watched(house, digest)
            while not server.started:  # noqa: ASYNC110  uvicorn offers no event
                await asyncio.sleep(0.02)
            held["site"] = Site(f"http://127.0.0.1:{listening.getsockname()[1]}", stage, held["loop"])
            started.set()
            await stop.wait()
            server.should_exit = True
            for one in staff:
                one.stop()
            await asyncio.wait([serving, *working], timeout=10)
            await house.mill.close()

    def thread() -> None:
        try:
            asyncio.run(live())
        except BaseException as fault:
            held["fault"] = fault
        finally:
            started.set()

    running = threading.Thread(target=thread, name="site", daemon=True)
    running.start()
    assert started.wait(90), "the site did not start"
    if "fault" in held:
        raise held["fault"]
    try:
        yield held["site"]
    finally:
        held["loop"].call_soon_threadsafe(held["stop"].set)
        running.join(20)


async def _buyers(stack: contextlib.AsyncExitStack) -> int:
    """An endpoint for every buyer: most say yes, some say no, one is often down.

    What is said hangs on the lead alone, never on the order of arrival; who fills in a form by hand is welcome.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
            body = await reader.readexactly(length)
            made = re.search(rb"ana\.ruiz(\d+)", body)
            chance = random.Random(int(made[1]) if made else "by hand")
            roll = chance.random() if made else 1.0
            status, said = "200 OK", {"status": "accepted", "id": f"B-{chance.randrange(10**6):06d}"}
            if b"monthly_bill" not in body and roll < 0.4:
                status, said = "503 Service Unavailable", {"status": "busy"}
            elif roll < 0.08:
                said = {"status": "rejected", "reason": "outside our service area"}
            text = json.dumps(said).encode()
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n"
                "connection: close\r\n\r\n".encode()
                + text
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


async def _traffic(stage: Stage, clock: ShiftedClock) -> None:
    """Believable leads: good ones, repeated ones, some without consent, some too thin to sell, some of another
    vertical."""
    chance = random.Random(5)
    sent: list[dict[str, Any]] = []
    for number in range(70):
        place, state = chance.choice(PLACES)
        body = solar(
            number + 1,
            first_name=chance.choice(FIRST),
            last_name=chance.choice(LAST),
            zip=place,
            state=state,
            monthly_bill=chance.choice([45, 90, 130, 180, 240, 320]),
        )
        roll = chance.random()
        if roll < 0.1 and sent:
            body = chance.choice(sent)
        elif roll < 0.18:
            body = {**body, "consent": {}}
        elif roll < 0.26:
            body["fields"] = {key: body["fields"][key] for key in ("first_name", "email", "zip")}
        elif roll < 0.46:
            body = {
                "vertical": "mortgage",
                "fields": {key: value for key, value in body["fields"].items() if key != "monthly_bill"},
                "consent": CONSENT,
                "context": body["context"],
            }
        elif roll < 0.5:
            body = {**body, "test": True}
        sent.append(body)
        clock.back = timedelta(seconds=(70 - number) * 53 + chance.randrange(40))
        key = SUNSEARCH_KEY if body["vertical"] == "solar" and chance.random() < 0.4 else SOURCE_KEY
        await stage.send(body, key)
    clock.back = timedelta()
    await stage.client().post_json("/v1/feedback", _came_back(sent), authorization=f"Bearer {stage.operator_key}")
    await stage.house.asker.write_tallies()
    for _ in range(100):
        async with stage.house.db.begin() as tx:
            if not await list_receipts(tx, states=["queued"]):
                return
        await asyncio.sleep(0.1)


async def _watched(house: House, digest: str) -> None:
    """What a model at work would have measured of it, and two alerts."""
    async with house.db.begin() as tx:
        await keep_watched(tx, measured_of(digest), house.clock())
        await keep_findings(tx, "solar", FOUND, house.clock(), house.mint)


def _came_back(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What mail and calls to these people brought: most arrive, some bounce, some numbers are dead."""
    told = []
    for number, body in enumerate(sent):
        email, phone = body["fields"].get("email"), body["fields"].get("phone")
        word = "bounced" if number % 7 == 0 else "delivered" if number % 3 == 0 else "deferred"
        told.append({"event": word, "email": email, "id": f"mail-{number}"})
        if phone and number % 4 == 0:
            word = "disconnected" if number % 3 == 0 else "answered"
            told.append({"event": word, "phone": phone, "id": f"call-{number}"})
    return told

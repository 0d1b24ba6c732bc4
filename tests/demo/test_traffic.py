"""The traffic as a process and as a caller: it lives through restarts, ends when told, and reports as buyers do."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from leadmill_demo import environment
from leadmill_demo.__main__ import buyer_keys, main
from leadmill_demo.outcomes import Reports, Taken
from leadmill_demo.traffic import Crowd, Traffic

HOST = "127.0.0.1"
NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
STAMP = 'a"b&c'


class Mill:
    """As much of Leadmill's surface as the traffic sees."""

    def __init__(self) -> None:
        self.leads: list[tuple[str, bytes]] = []
        self.pings: list[dict[str, Any]] = []
        self.posts: list[dict[str, Any]] = []
        self.forms: list[dict[str, list[str]]] = []
        self.reports: list[tuple[str, dict[str, str], str]] = []
        self.report_status = [201]
        self.arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def open(self) -> None:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_get("/readyz", self._ready)
        app.router.add_post("/v1/leads", self._lead)
        app.router.add_post("/v1/ping", self._ping)
        app.router.add_post("/v1/post", self._posted)
        app.router.add_get("/f/{form}", self._page)
        app.router.add_post("/f/{form}", self._form)
        app.router.add_post("/v1/outcomes", self._outcome)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with self.arrived:
            await self.arrived.wait_for(enough)

    async def _tell(self) -> None:
        async with self.arrived:
            self.arrived.notify_all()

    async def _ready(self, request: web.Request) -> web.Response:
        return web.Response(text="ready")

    async def _lead(self, request: web.Request) -> web.Response:
        self.leads.append((request.headers["Authorization"], await request.read()))
        await self._tell()
        return web.json_response({"lead_id": "lead_1", "status": "sold", "reasons": []}, status=201)

    async def _ping(self, request: web.Request) -> web.Response:
        self.pings.append(json.loads(await request.read()))
        await self._tell()
        bid = {"ping_id": f"ping_{len(self.pings)}", "status": "bid" if len(self.pings) % 2 else "no_bid"}
        return web.json_response(bid, status=201)

    async def _posted(self, request: web.Request) -> web.Response:
        self.posts.append(json.loads(await request.read()))
        await self._tell()
        return web.json_response({"lead_id": "lead_2", "status": "sold", "reasons": []}, status=201)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(
            text='<form><input type="hidden" name="_stamp" value="a&quot;b&amp;c"></form>', content_type="text/html"
        )

    async def _form(self, request: web.Request) -> web.Response:
        self.forms.append(parse_qs((await request.read()).decode(), keep_blank_values=True))
        await self._tell()
        return web.Response(status=303, headers={"Location": "/thanks"})

    async def _outcome(self, request: web.Request) -> web.Response:
        key, body = request.headers["Authorization"], json.loads(await request.read())
        self.reports.append((key, body, request.headers["Idempotency-Key"]))
        await self._tell()
        return web.json_response({}, status=self.report_status.pop() if len(self.report_status) > 1 else 201)


@asynccontextmanager
async def sending(mill: Mill, rate: float = 400.0) -> AsyncIterator[Traffic]:
    async with aiohttp.ClientSession() as session:
        traffic = Traffic(
            session, f"http://{HOST}:{mill.port}", Crowd(Random(5), environment()), Random(6), rate, lambda: NOW
        )
        task = asyncio.create_task(traffic.run())
        try:
            yield traffic
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_leads_and_forms_arrive_with_key_and_stamp() -> None:
    mill = Mill()
    await mill.open()
    async with sending(mill) as traffic:
        await mill.until(lambda: len(mill.leads) > 60 and len(mill.forms) > 2)
    assert traffic.heard["sold"] > 50 and traffic.heard["form sent"] > 1
    keys = set(environment().values())
    assert sum(key.removeprefix("Bearer ") in keys for key, _ in mill.leads) > 50
    assert all(form["_stamp"] == [STAMP] and form["fax_number"] for form in mill.forms)
    await mill.close()


async def test_some_ask_for_a_price_first_and_post_where_there_is_one() -> None:
    mill = Mill()
    await mill.open()
    async with sending(mill) as traffic:
        await mill.until(lambda: len(mill.posts) > 2)
    assert traffic.heard["ping bid"] > 2 and traffic.heard["ping no_bid"] > 1
    for ping in mill.pings:
        assert ping["fields"] and not {"email", "phone", "first_name", "address"} & ping["fields"].keys()
        assert not ping["consent"]
    for post in mill.posts:
        assert int(post["ping_id"].removeprefix("ping_")) % 2, "only where there was a bid"
        assert post["fields"]["first_name"] and post["consent"]["sellers"]
    await mill.close()


async def test_the_traffic_lives_through_a_restart() -> None:
    mill = Mill()
    await mill.open()
    async with sending(mill) as traffic:
        await mill.until(lambda: len(mill.leads) > 5)
        await mill.close()
        before = len(mill.leads)
        while not traffic.heard["lost"]:  # noqa: ASYNC110 — a counter tells nobody
            await asyncio.sleep(0.01)
        await mill.open()
        await mill.until(lambda: len(mill.leads) > before + 20)
    await mill.close()


async def reporting(mill: Mill, act: Callable[[Reports, Callable[[float], None]], Awaitable[None]]) -> Reports:
    now = [0.0]
    async with aiohttp.ClientSession() as session:
        keys = buyer_keys(environment())
        reports = Reports(session, f"http://{HOST}:{mill.port}", keys, Random(8), lambda: NOW, lambda: now[0])
        task = asyncio.create_task(reports.run())
        try:
            await act(reports, lambda seconds: now.__setitem__(0, now[0] + seconds))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return reports


async def test_buyers_report_with_their_own_keys_what_became_of_a_lead() -> None:
    mill = Mill()
    await mill.open()

    async def act(reports: Reports, later: Callable[[float], None]) -> None:
        for number in range(40):
            reports.expect(Taken("sunfallow", "solar", f"lead_{number}"))
        reports.expect(Taken("nobody", "solar", "lead_x"))
        later(60)
        await mill.until(lambda: len(mill.reports) > 14)
        later(300)
        await mill.until(lambda: len(mill.reports) > 24)

    reports = await reporting(mill, act)
    assert reports.sent > 20
    assert {key for key, _, _ in mill.reports} == {f"Bearer {environment()['DEMO_KEY_SUNFALLOW']}"}
    told = Counter(body["disposition"] for _, body, _ in mill.reports)
    assert told["contacted"] and len(told) > 4
    assert all(body["at"] == "2026-11-22T18:30:00+00:00" for _, body, _ in mill.reports)
    await mill.close()


async def test_a_report_that_could_not_be_sent_is_sent_again_just_the_same() -> None:
    mill = Mill()
    mill.report_status = [201, 500]
    await mill.open()

    async def act(reports: Reports, later: Callable[[float], None]) -> None:
        while not reports.waiting:
            reports.expect(Taken("denhurst", "legal", "lead_7"))
        later(60)
        await mill.until(lambda: len(mill.reports) == 1)
        while not reports.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        later(20)
        await mill.until(lambda: len(mill.reports) == 2)

    await reporting(mill, act)
    assert mill.reports[0] == mill.reports[1]
    await mill.close()


# As a process


async def begin(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """The demo without traffic on free ports, once it says where it listens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadmill_demo", "--no-traffic", "--world-port", "0", "--smtp-port", "0", *arguments,
        stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2] / "src",
    )  # fmt: skip
    assert process.stderr is not None
    return process, (await process.stderr.readline()).decode()


async def test_the_process_serves_and_ends_when_told() -> None:
    process, said = await begin()
    url = said.split()[2]
    async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as answer:
        assert await answer.json() == {"status": "ok"}
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_the_process_ends_when_its_parent_is_gone() -> None:
    # No process has this one for a parent, which is what an orphan finds too.
    process, _ = await begin("--parent", str(os.getpid() ^ 1 << 21))
    assert await process.wait() == 0


def test_a_port_that_is_taken_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as held:
        held.bind((HOST, 0))
        held.listen()
        status = main(["--no-traffic", "--world-port", str(held.getsockname()[1]), "--smtp-port", "0"])
    assert status == 3 and "address already in use" in capsys.readouterr().err


def test_the_business_is_written_where_one_asks(tmp_path: Path) -> None:
    assert main(["--write", str(tmp_path / "demo"), "--world-port", "9001", "--smtp-port", "9002"]) == 0
    assert "http://127.0.0.1:9001/buyers/sunfallow/" in (tmp_path / "demo" / "business.toml").read_text()
    assert "LEADMILL_SMTP_PORT=9002" in (tmp_path / "demo" / "demo.env").read_text()

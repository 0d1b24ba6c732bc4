"""Four attacks on a whole house, from where they are made to the name under which each is stopped: a planted tamper, a
planted cross-tenant read, a replayed webhook, a call to an address inside."""

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import leadmill.interfaces.api.optouts as door
from leadmill.flow.audit import keep_proof
from leadmill.flow.tenants import WALLS
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.server import application
from leadmill.interfaces.worker import workers
from leadmill.parties.service import issue_key
from leadmill.runtime.walls import raise_walls
from tests.conftest import FixedClock
from tests.docs.pages import ROOT
from tests.flow.stage import BUSINESS, apply, buyer, order, stored, submission
from tests.interfaces.client import Client
from tests.journeys.house import house, kept_reference, mailbox

__all__ = ["house", "kept_reference", "mailbox"]

SECRET = "HOOK_SECRET"


async def sold(house: House, delivery: dict[str, Any]) -> str:
    """A lead sold to helio, who has it delivered so; the lead's id."""
    business = {**BUSINESS, "buyer": [buyer("helio", delivery=delivery), buyer("bright")]}
    await apply(house, {**business, "order": [order("helio-ca", "helio", "65.00")]})
    await house.mill.take(submission(house, 1))
    (row,) = await stored(house)
    assert row.recipient == "helio"
    return row.id


async def test_a_planted_tamper_is_found_and_named(house: House, clock: FixedClock) -> None:
    lead_id = await sold(house, {"courier": "file"})
    clock.advance(minutes=11)
    await keep_proof(house.db, house.vault, house.settings.home, clock())
    assert (await verify(house.db, house.pen, clock(), house.settings.home)).findings == []
    async with house.db.begin() as tx:
        sale = await tx.conn.fetchval("UPDATE sale SET price = price - 1 WHERE lead_id = $1 RETURNING id", lead_id)
    report = await verify(house.db, house.pen, clock(), house.settings.home)
    assert ("audit.row.altered", f"sale {sale}") in [(one.code, one.where) for one in report.findings]


@asynccontextmanager
async def no_wall(*_: Any) -> AsyncIterator[None]:
    yield


async def test_a_planted_cross_tenant_read_is_stopped_by_the_second_wall(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await raise_walls(house.db, WALLS)
    lead_id = await sold(house, {"courier": "file"})
    async with house.db.begin() as tx:
        key, _ = await issue_key(
            tx, house.vault.keyed_hash, house.mint, lambda size: b"k" * size, kind="buyer", owner="bright",
            now=house.clock(),
        )  # fmt: skip
    await house.book.refresh(house.db)

    async def ask() -> tuple[int, str]:
        client = Client(application(house))
        body = {"lead_id": lead_id, "text": "what is this"}
        reply = await client.post_json("/v1/replies", body, authorization=f"Bearer {key}")
        return reply.status, reply.json.get("code", "")

    assert await ask() == (404, "flow.lead.unknown")

    async def planted(*_: Any) -> list[Any]:  # the first wall, torn down: every lead counts as one's own
        return [type("Leg", (), {"buyer_id": "bright"})]

    monkeypatch.setattr(door, "sales_of", planted)
    assert await ask() == (404, "flow.lead.unknown")
    monkeypatch.setattr(door, "behind", no_wall)
    assert (await ask())[0] == 200  # without the second wall the plant would have read it


async def test_a_replayed_webhook_is_refused_by_its_receiver(house: House, clock: FixedClock) -> None:
    """What the house sends, against the receiver that its documentation gives to buyers."""
    spec = importlib.util.spec_from_file_location("receive_webhook", ROOT / "docs/receive_webhook.py")
    assert spec is not None and spec.loader is not None
    guard = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(guard)
    seen, said = guard.Seen(), []
    sent: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        sent.append((headers, body))
        why = guard.refuse([house.environ[SECRET]], headers, body, seen, clock().timestamp())
        said.append(why)
        return web.Response(status=200 if why in (None, "replayed") else 400, text=why or "")

    app = web.Application()
    app.router.add_post("/leads", receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/leads"
    try:
        await sold(house, {"courier": "http", "url": url, "format": "json", "secret": {"env": SECRET}})
        await workers(house)[0].drain()
        assert said == [None]
        headers, body = sent[0]
        async with aiohttp.ClientSession() as thief:
            for content, late in ((body, 0), (body + b" ", 0), (body, 301)):
                clock.advance(seconds=late)
                kept = {name: value for name, value in headers.items() if name.startswith("webhook-")}
                await (await thief.post(url, data=content, headers=kept)).read()
    finally:
        await runner.cleanup()
    assert said == [None, "replayed", "forged", "too old"]


@pytest.mark.parametrize("inside", ["http://169.254.169.254/latest/meta-data", "http://10.0.0.5/leads"])
async def test_a_call_to_an_address_inside_is_refused_before_it_is_made(house: House, inside: str) -> None:
    lead_id = await sold(house, {"courier": "http", "url": inside, "format": "json"})
    await workers(house)[0].drain()
    async with house.db.begin() as tx:
        made = await tx.conn.fetchrow("SELECT state, code FROM delivery WHERE lead_id = $1", lead_id)
    assert tuple(made) == ("dead", "http.address.refused")

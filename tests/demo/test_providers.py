"""The providers' stand-ins: what they know, whom they answer, and faults on demand."""

import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from leadmill_demo.business import environment
from leadmill_demo.providers import PROVIDERS, Manners, Paid, Providers, provider_keys

KEYS = provider_keys(environment())


@pytest.fixture
async def site() -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """Their address, and a client. The odds are left out: each does what it is told."""
    made = Providers(Random(1), KEYS, lambda: 1_000.0)
    for name, paid in made.paid.items():
        made.paid[name] = Paid(name, Manners(name, {}, 100), Random(1), paid.key)
    app = web.Application()
    made.route(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/providers", session
    await runner.cleanup()


async def ask(site: tuple[str, aiohttp.ClientSession], name: str, **headers: str) -> tuple[int, str]:
    url, session = site
    path = "email?address=ann@example.com" if name == "mailproof" else "phone?number=%2B15551230001"
    async with session.get(f"{url}/{name}/{path}", headers=headers) as reply:
        return reply.status, await reply.text()


async def order(site: tuple[str, aiohttp.ClientSession], name: str, told: Any) -> int:
    url, session = site
    async with session.post(f"{url}/{name}/faults", data=json.dumps(told)) as reply:
        return reply.status


async def test_a_provider_answers_the_same_to_the_same_and_agrees_with_another(
    site: tuple[str, aiohttp.ClientSession],
) -> None:
    status, text = await ask(site, "numberly")
    assert (status, json.loads(text)["status"]) == (200, "ok")
    assert await ask(site, "numberly") == (status, text)
    assert await ask(site, "linecheck", **{"X-Api-Key": KEYS["linecheck"]}) == (status, text)
    assert json.loads((await ask(site, "mailproof"))[1])["mailbox"]["deliverable"] in (True, False)


async def test_a_wrong_key_is_refused(site: tuple[str, aiohttp.ClientSession]) -> None:
    assert (await ask(site, "linecheck"))[0] == 401
    assert (await ask(site, "nobody"))[0] == 404


async def test_faults_can_be_had_on_demand_in_order(site: tuple[str, aiohttp.ClientSession]) -> None:
    right = json.loads((await ask(site, "numberly"))[1])["line"]["active"]
    assert await order(site, "numberly", {"next": ["error", "busy", "refused", "empty", "wrong", "malformed"]}) == 200
    heard = [await ask(site, "numberly") for _ in range(6)]
    assert [status for status, _ in heard] == [500, 429, 402, 200, 200, 200]
    assert json.loads(heard[3][1]) == {"status": "no_data"}
    assert json.loads(heard[4][1])["line"]["active"] is not right
    with pytest.raises(ValueError):
        json.loads(heard[5][1])


async def test_an_outage_lasts_until_it_is_taken_back(site: tuple[str, aiohttp.ClientSession]) -> None:
    await order(site, "mailproof", {"outage": True})
    assert [(await ask(site, "mailproof"))[0] for _ in range(2)] == [500, 500]
    await order(site, "mailproof", {"outage": False})
    assert (await ask(site, "mailproof"))[0] == 200
    assert await order(site, "mailproof", [1]) == 400
    assert await order(site, "nobody", {}) == 404


def test_each_behaves_as_likely_as_said_and_rests_by_the_clock() -> None:
    paid = Paid("numberly", PROVIDERS["numberly"], Random(3))
    assert paid.act(60.0) == "error"
    acts = [paid.act(1_000.0) for _ in range(2_000)]
    assert 0.82 < acts.count("answer") / len(acts) < 0.92
    known = [paid.says("phone", f"+1555{number}")["status"] for number in range(1_000)]
    assert 0.88 < known.count("ok") / len(known) < 0.98

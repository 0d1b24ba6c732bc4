"""A price quoted and acknowledged survives the death of every process, and is used once.

Callers ping and post while all processes are killed at a moment nobody chose. Afterwards each ping was posted against
once at most, a post of unknown fate is one lead when it is asked again, every quoted price was kept, and the limits,
with what is still held for pings, verify.
"""

import asyncio
import json
import os
import random
import threading
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.program import Program
from tests.journeys.test_kill import BUSINESS, KEY, body_of, folder, opened, verified

__all__ = ["folder"]

ROUNDS = int(os.environ.get("LEADMILL_KILL_ROUNDS", "2"))
_HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


class Poster:
    """Pings and posts over one connection; ``posts`` are those sent by ping, ``told`` the answers, ``quotes`` the
    prices."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.quotes: dict[str, str] = {}
        self.posts: dict[str, bytes] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.odd: list[str] = []
        self._count = 0

    def call(self, port: int, stop: threading.Event) -> None:
        """Ask again what is in doubt, then ping and post until told to stop or the program is gone."""
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            for ping_id in [each for each in self.posts if each not in self.told]:
                self._post(connection, ping_id)
            while not stop.is_set():
                self._count += 1
                lead = json.loads(body_of(self.name, self._count))
                fields = {name: lead["fields"][name] for name in ("state", "zip", "monthly_bill", "homeowner")}
                quote = self._send(connection, "/v1/ping", json.dumps({"vertical": "solar", "fields": fields}).encode())
                self.quotes[quote["ping_id"]] = quote["price"]
                if self._count % 5:  # every fifth is never posted
                    self.posts[quote["ping_id"]] = json.dumps({"ping_id": quote["ping_id"], **lead}).encode()
                    self._post(connection, quote["ping_id"])
        except (OSError, HTTPException):
            return
        finally:
            connection.close()

    def _post(self, connection: HTTPConnection, ping_id: str) -> None:
        self.told[ping_id] = self._send(connection, "/v1/post", self.posts[ping_id])

    def _send(self, connection: HTTPConnection, path: str, body: bytes) -> dict[str, Any]:
        connection.request("POST", path, body, _HEADERS)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 503:
            raise HTTPException("not now")
        if answer.status != 201:
            self.odd.append(text.decode())
            raise HTTPException("refused")
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.mark.timeout(120 * max(ROUNDS, 3))
def test_a_quote_acknowledged_is_kept_once_whatever_dies(folder: Path) -> None:
    chance = random.Random(int(os.environ.get("LEADMILL_KILL_SEED", "20260304")))
    program = Program(folder / "home")
    posters = [Poster(f"p{number}") for number in range(4)]
    (folder / "business.toml").write_text(BUSINESS)
    try:
        program.start()
        program.run("apply", str(folder / "business.toml"))
        for _ in range(ROUNDS):
            stop = threading.Event()
            threads = [threading.Thread(target=each.call, args=(program.port, stop)) for each in posters]
            before = sum(len(each.told) for each in posters)
            for thread in threads:
                thread.start()
            while sum(len(each.told) for each in posters) == before and any(one.is_alive() for one in threads):
                stop.wait(0.005)
            stop.wait(chance.uniform(0.0, 0.7))
            assert program.kill(chance) > 5
            stop.set()
            for thread in threads:
                thread.join()
            program.start()
            asyncio.run(check(program.home, posters))
        done = threading.Event()
        done.set()
        for each in posters:
            each.call(program.port, done)
            assert each.posts.keys() == each.told.keys(), each.odd or program.told()
        asyncio.run(check(program.home, posters))
    finally:
        program.kill(chance)
    odd = [text for each in posters for text in each.odd]
    assert not odd, odd[0]


async def check(home: Path, posters: list[Poster]) -> None:
    """Every quote that was acknowledged is there, used by the lead that its caller was told of, at its price."""
    quotes = {ping_id: price for each in posters for ping_id, price in each.quotes.items()}
    told = {ping_id: answer for each in posters for ping_id, answer in each.told.items()}
    assert told
    async with opened(home) as db:
        async with db.begin() as tx:
            rows = await tx.conn.fetch("SELECT id, used_by FROM market_quote")
            sales = await tx.conn.fetch("SELECT lead_id, count(*) AS legs FROM sale GROUP BY lead_id")
        used = {row["id"]: row["used_by"] for row in rows}
        assert quotes.keys() <= used.keys()
        assert {ping_id: used[ping_id] for ping_id in told} == {p: answer["lead_id"] for p, answer in told.items()}
        leads = [lead for lead in used.values() if lead is not None]
        assert len(leads) == len(set(leads))
        assert all(row["legs"] == 1 for row in sales)
        for ping_id, answer in told.items():
            late = [reason["code"] for reason in answer["reasons"]]
            assert answer.get("price") == quotes[ping_id] or late == ["market.quote.expired"], answer
        report = await verified(db, home)
    assert report.findings == []

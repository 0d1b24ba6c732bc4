"""A lead acknowledged is a lead that survives the death of every process at that instant.

Each round lets callers send leads to the running program, kills all its processes at a moment that nobody chose, and
starts it again: every lead that a caller was told of stands as it was told, a request of unknown fate is one lead and
no more when it is asked again, and the whole store verifies. ``LEADMILL_KILL_ROUNDS`` asks for more rounds,
``LEADMILL_KILL_SEED`` for other moments.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

import leadmill.main
from leadmill.core.ids import mint
from leadmill.flow.keep import Codecs, Pen
from leadmill.flow.store import read_leads
from leadmill.flow.verify import Report, verify
from leadmill.identity.service import Keys
from leadmill.market import sales_of
from leadmill.runtime.cluster import Cluster
from leadmill.runtime.db import Database
from leadmill.runtime.vault import Vault, load_master
from tests.journeys.program import Caller, Program

ROUNDS = int(os.environ.get("LEADMILL_KILL_ROUNDS", "4"))
CALLERS = 6
KEY = "key-of-acme-0123456789"
BUSINESS = f"""
[[source]]
id = "acme"
name = "Acme Media"
key = "{KEY}"
verticals = ["solar"]
payout = {{ model = "share", rate = "0.70" }}

[[buyer]]
id = "helio"
name = "Helio Solar LLC"
credit = {{ mode = "prepay", balance = "900000.00" }}
contract = {{ signed = 2026-01-05, privacy_terms = true }}
licences = [{{ kind = "CSLB", number = "1012345", states = ["CA"] }}]
delivery = {{ courier = "file" }}

[[order]]
id = "helio-ca"
buyer = "helio"
vertical = "solar"
price = "65.00"
caps = [{{ per = "day", leads = 100000 }}, {{ per = "month", spend = "5000000.00" }}]
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's own user may enter, too."""
    made = Path(tempfile.mkdtemp(prefix="leadmill-kill-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def body_of(name: str, number: int) -> bytes:
    """A lead like any other, of somebody new."""
    return json.dumps(
        {
            "vertical": "solar",
            "fields": {
                "first_name": "Ann",
                "last_name": "Smith",
                "email": f"{name}.{number}@example.com",
                "phone": f"+1916{2_000_000 + int(name[1:]) * 100_000 + number}",
                "state": "CA",
                "zip": "95814",
                "monthly_bill": 180,
                "homeowner": True,
            },
            "consent": {
                "text": "I agree that Helio Solar LLC may call and text me. Agreeing is not a condition of purchase."
            },
        }
    ).encode()


@pytest.mark.timeout(60 * max(ROUNDS, 8))
def test_a_lead_acknowledged_survives_the_death_of_every_process(folder: Path) -> None:
    chance = random.Random(int(os.environ.get("LEADMILL_KILL_SEED", "20260304")))
    program = Program(folder / "home")
    callers = [Caller(f"c{number}", KEY) for number in range(CALLERS)]
    (folder / "business.toml").write_text(BUSINESS)
    try:
        program.start()
        program.run("apply", str(folder / "business.toml"))
        for _ in range(ROUNDS):
            one_round(program, callers, chance)
            program.start()
            asyncio.run(check(program.home, callers))
        settle(program, callers)
        asyncio.run(check(program.home, callers, whole=True))
    finally:
        program.kill(chance)
    refused = [text for caller in callers for text in caller.refused]
    assert not refused, refused[0]


def one_round(program: Program, callers: list[Caller], chance: random.Random) -> None:
    """Traffic, and in the midst of it the end."""
    before = sum(len(caller.answered) for caller in callers)
    stop = threading.Event()
    threads = [threading.Thread(target=caller.call, args=(program.port, body_of, stop)) for caller in callers]
    for thread in threads:
        thread.start()
    while sum(len(caller.answered) for caller in callers) == before and any(thread.is_alive() for thread in threads):
        stop.wait(0.005)
    stop.wait(chance.uniform(0.0, 0.7))
    assert program.kill(chance) > 5
    stop.set()
    for thread in threads:
        thread.join()
    assert sum(len(caller.answered) for caller in callers) > before, program.told()


def settle(program: Program, callers: list[Caller]) -> None:
    """Ask again what is in doubt, and nothing else."""
    done = threading.Event()
    done.set()
    for caller in callers:
        caller.call(program.port, body_of, done)
        assert caller.sent.keys() == caller.answered.keys()


async def check(home: Path, callers: list[Caller], whole: bool = False) -> None:
    """Every lead that was acknowledged stands as it was told, and the store is in order; where the ``whole`` of the
    requests was answered there is one lead to each."""
    told = [json.loads(body) for caller in callers for body in caller.answered.values()]
    ids = {answer["lead_id"] for answer in told}
    assert len(ids) == len(told), "two requests were given one lead"
    async with opened(home) as db:
        async with db.begin() as tx:
            rows = await read_leads(tx, sorted(ids))
            assert rows.keys() == ids
            assert {rows[answer["lead_id"]].state.value for answer in told} == {answer["status"] for answer in told}
            (count,) = await tx.conn.fetchrow("SELECT count(*) FROM lead")
            assert count == len(ids) if whole else count >= len(ids)
            legs = await sales_of(tx, told[0]["lead_id"])
            assert [leg.order_id for leg in legs] == ["helio-ca"]
        report = await verified(db, home)
    assert report.findings == []
    assert msgspec.to_builtins(report.checked[-1])["count"] == count or not whole


async def verified(db: Database, home: Path) -> Report:
    """The store checked as a whole."""
    return await verify(db, Pen(Vault(load_master(home, {})), Keys(), Codecs(), mint))


@contextlib.asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Database]:
    """The running program's database."""
    assert leadmill.main.cli is not None  # everything that a page may hold has been imported
    db = Database(Cluster(home / "postgres").url("leadmill"), 2)
    await db.open()
    try:
        yield db
    finally:
        await db.close()

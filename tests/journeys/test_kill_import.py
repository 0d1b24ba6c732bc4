"""An import by two processes, each killed in the midst of it: started again, every row is taken once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from leadmill.capture import BLOCK
from leadmill.flow.verify import Finding
from leadmill.runtime.postgres import embedded
from tests.journeys.program import Program
from tests.journeys.test_kill import BUSINESS, folder, opened, verified

__all__ = ["folder"]

ROWS = 6 * BLOCK
_PATIENCE = 120.0


def write_rows(path: Path) -> None:
    """A file of people, long enough for a second process."""
    consent = '"I agree that Helio Solar LLC may call and text me. It is not a condition of purchase."'
    with path.open("w", encoding="utf-8") as file:
        file.write("first_name,last_name,email,phone,state,zip,monthly_bill,homeowner,note,tcpa_text\n")
        for number in range(ROWS):
            who = f"Ann,Smith,ann.{number}@example.com,916{2_000_000 + number}"
            file.write(f"{who},CA,95814,180,yes,{'x' * 300},{consent}\n")


def until(done: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.02)


def hands_of(pid: int) -> list[int]:
    """The processes that help an import."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"hand" in words:
                found.append(int(child))
    return found


def counted(home: Path, sql: str) -> int:
    """What the store counts."""

    async def ask() -> int:
        async with opened(home) as db, db.begin() as tx:
            return int(await tx.conn.fetchval(sql))

    return asyncio.run(ask())


async def findings(home: Path) -> list[Finding]:
    """What is not in order in the store."""
    async with opened(home) as db:
        return (await verified(db, home)).findings


def start(home: Path, words: list[str]) -> "subprocess.Popen[bytes]":
    """An import under way."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LEADMILL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "leadmill", *words, "--home", str(home)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environ | {"LEADMILL_MX_LOOKUPS": "off"},
        start_new_session=True,
    )


@pytest.mark.timeout(300)
def test_an_import_of_two_processes_survives_the_death_of_each(folder: Path) -> None:
    program = Program(folder / "home")
    (folder / "business.toml").write_text(BUSINESS)
    file = folder / "people.csv"
    write_rows(file)
    words = ["import", str(file), "--source", "acme", "--vertical", "solar", "--json"]
    taken = "SELECT coalesce(sum(taken), 0) FROM import_block"
    importing: subprocess.Popen[bytes] | None = None
    with embedded(program.home):
        program.run("apply", str(folder / "business.toml"))
        try:
            importing = start(program.home, words)
            until(lambda: bool(hands_of(importing.pid)))
            (hand,) = hands_of(importing.pid)
            until(lambda: counted(program.home, taken) > 0)
            os.kill(hand, signal.SIGKILL)
            before = counted(program.home, taken)
            until(lambda: counted(program.home, taken) > before or importing.poll() is not None)
        finally:
            if importing is not None:
                importing.kill()
                importing.wait()
        summary = json.loads(program.run(*words))
        assert (summary["read"], summary["sold"]) == (ROWS, ROWS)
        assert counted(program.home, "SELECT count(*) FROM lead") == ROWS
        assert counted(program.home, taken) == ROWS
        assert asyncio.run(findings(program.home)) == []

"""The program as its user runs it: real processes on a home of their own, to be killed at any instant."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

BodyOf = Callable[[str, int], bytes]
"""Makes the body of a caller's lead number N."""

_PATIENCE = 120.0
"""Seconds a start may take on a busy machine."""


class Program:
    """``leadmill serve`` on ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self._running: subprocess.Popen[str] | None = None
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("LEADMILL_")}
        self._environ["LEADMILL_MX_LOOKUPS"] = "off"

    def start(self) -> None:
        """Start it and wait until it can take leads."""
        log = (self.home.parent / "log.txt").open("a")
        running = self._running = subprocess.Popen(
            [sys.executable, "-m", "leadmill", "serve", "--port", "0", "--home", str(self.home)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=self._environ,
            start_new_session=True,
        )
        log.close()
        late = threading.Timer(_PATIENCE, running.kill)
        late.start()
        line = running.stdout.readline() if running.stdout is not None else ""
        late.cancel()
        if not line.startswith("ready http://"):
            raise AssertionError(f"it did not become ready: {self.told()}")
        self.port = int(line.strip().rpartition(":")[2])

    def run(self, *arguments: str) -> str:
        """Run another command on the same home; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "leadmill", *arguments, "--home", str(self.home)],
            check=False,
            capture_output=True,
            text=True,
            env=self._environ,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self, chance: random.Random) -> int:
        """Kill every process of it at once, the database included, in any order; how many there were."""
        every = list(dict.fromkeys(_family(self._parents())))
        chance.shuffle(every)
        for pid in every:
            _kill(pid)
        if self._running is not None:
            self._running.wait()
            if self._running.stdout is not None:
                self._running.stdout.close()
            self._running = None
        until = time.monotonic() + 30
        while any(_alive(pid) for pid in every):
            assert time.monotonic() < until, "a killed process lives on"
            time.sleep(0.01)
        return len(every)

    def told(self) -> str:
        """The end of its log."""
        return (self.home.parent / "log.txt").read_text()[-4000:]

    def _parents(self) -> list[int]:
        found = [self._running.pid] if self._running is not None else []
        held = self.home / "postgres" / "data" / "postmaster.pid"
        if held.exists():
            first = held.read_text().split("\n")[0]
            data = str(held.parent)
            if first.isdigit() and data in _command(int(first)):
                found.append(int(first))
        return found


def _family(pids: Iterable[int]) -> list[int]:
    """Processes with all that descends from them."""
    found: list[int] = []
    todo = list(pids)
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Caller:
    """One client that sends leads over one connection, and remembers what it was told.

    ``sent`` holds every request by its key, ``answered`` the answers; what is in the first and not in the second is in
    doubt.
    """

    def __init__(self, name: str, key: str) -> None:
        self.name = name
        self.sent: dict[str, bytes] = {}
        self.answered: dict[str, bytes] = {}
        self.refused: list[str] = []
        self._key = key
        self._count = 0

    def call(self, port: int, body_of: BodyOf, stop: threading.Event) -> None:
        """Ask again what is in doubt, then send new leads until told to stop or the program is gone."""
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            for key in [key for key in self.sent if key not in self.answered]:
                self._send(connection, key)
            while not stop.is_set():
                self._count += 1
                key = f"{self.name}-{self._count}"
                self.sent[key] = body_of(self.name, self._count)
                self._send(connection, key)
        except (OSError, HTTPException):
            return
        finally:
            connection.close()

    def _send(self, connection: HTTPConnection, key: str) -> None:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", "Idempotency-Key": key}
        connection.request("POST", "/v1/leads", self.sent[key], headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 201:
            self.answered[key] = body
        elif answer.status != 503:
            self.refused.append(f"{answer.status} {body.decode()}")

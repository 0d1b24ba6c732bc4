"""A house to measure: a home of its own with the embedded PostgreSQL, the bench's business, and the serving processes.

Called by the benchmarks. Everything listens on loopback and lies in one temporary folder; all of it is gone when the
block ends, also on Ctrl-C. The server's settings are those of every embedded server: commits are on disk before they
are answered.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from benchmarks.business import business
from benchmarks.figures import cpu_of_tree, parse_pgbench
from leadmill.runtime.cluster import Cluster, binaries
from leadmill.runtime.postgres import embedded

PLAIN = "plain"
"""The database that the one-row inserts go to, on the same server."""
_ROW = "CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, body text)"
_SCRIPT = f"INSERT INTO plain (at, body) VALUES (now(), '{'x' * 100}');\n"
CLIENTS = 16
_START = 120.0
_STOP = 30.0


class Broken(Exception):
    """The measurement could not be made; the text says why."""


class Inserts(Struct, frozen=True):
    """What pgbench showed: inserts a second, and the CPU of one, its client's included, in milliseconds."""

    per_s: float
    cpu_ms: float


class Home:
    """A running server with the business applied. ``path`` is the home's folder, ``url`` the store's address."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.url = url
        self.cluster = Cluster(path / "postgres")
        self.postmaster = int((path / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def postgres_cpu(self) -> float:
        """Seconds of CPU that the whole server has used."""
        return sum(cpu_of_tree(self.postmaster).values())

    def inserts(self, seconds: int) -> Inserts:
        """One-row durable inserts by ``pgbench`` with 16 clients."""
        folder = parse_qs(urlsplit(self.url).query)["host"][0]
        script = self.path / "insert.sql"
        script.write_text(_SCRIPT)
        command = [str(binaries() / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"]
        command += ["-T", str(seconds), "-f", str(script), "-h", folder, "-U", "postgres", PLAIN]
        before = self.postgres_cpu() + _children_cpu()
        ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False, cwd="/")
        if ran.returncode:
            raise Broken(f"pgbench failed: {ran.stderr.strip()[-300:]}")
        used = self.postgres_cpu() + _children_cpu() - before
        rate = parse_pgbench(ran.stdout)
        return Inserts(rate, used / (rate * seconds) * 1000)


def _children_cpu() -> float:
    """Seconds of CPU of the processes that were waited for."""
    used = os.times()
    return used.children_user + used.children_system


@contextmanager
def home(folder: Path | None = None) -> Iterator[Home]:
    """A fresh home under ``folder`` (the system's place for temporary files) with the business applied."""
    with tempfile.TemporaryDirectory(prefix="leadmill-bench-", dir=folder, ignore_cleanup_errors=True) as made:
        path = Path(made)
        with embedded(path, say) as url:
            ready = Home(path, url)
            ready.cluster.run_sql(f"CREATE DATABASE {PLAIN}")
            ready.cluster.run_sql(_ROW, PLAIN)
            declared = path / "business.toml"
            declared.write_text(business(), encoding="utf-8")
            leadmill(path, "apply", str(declared))
            yield ready


def leadmill(path: Path, *arguments: str, timeout: float = 120) -> str:
    """Run a command on the home to its end; its standard output. Raises :class:`Broken` with what it complained of."""
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "leadmill", *arguments, "--home", str(path)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=timeout,
        check=False,
    )
    if ran.returncode:
        raise Broken(f"leadmill {arguments[0]} ended with {ran.returncode}: {ran.stderr.strip()[-600:]}")
    return ran.stdout


class Served:
    """Serving processes: where they listen, and the process over them."""

    def __init__(self, host: str, port: int, pid: int) -> None:
        self.host = host
        self.port = port
        self.pid = pid

    def cpu(self) -> dict[int, float]:
        """Seconds of CPU by process, the parent's included."""
        return cpu_of_tree(self.pid)

    def webs(self) -> list[int]:
        """The web processes."""
        found = []
        for pid in cpu_of_tree(self.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"web" in words:
                found.append(pid)
        return sorted(found)


@contextmanager
def serving(at: Home, workers: int) -> Iterator[Served]:
    """``leadmill serve`` on the home with web processes only, so that what is owed after a lead is queued and stays
    so. Raises :class:`Broken` where it does not become ready."""
    log = at.path / "serve.log"
    command = [sys.executable, "-P", "-m", "leadmill", "serve", "--no-worker", "--port", "0"]
    command += ["--workers", str(workers), "--home", str(at.path)]
    with log.open("wb") as complaints:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment(),
            start_new_session=True,  # a Ctrl-C is for the benchmark, which then stops this in order
        )
    assert process.stdout is not None
    try:
        # Should it never say that it is ready, ending it also ends the wait for its words.
        guard = threading.Timer(_START, process.kill)
        guard.start()
        words = process.stdout.readline().split()
        guard.cancel()
        if len(words) != 2 or words[0] != b"ready":
            raise Broken(f"leadmill serve did not start: {log.read_text(errors='replace').strip()[-600:]}")
        host, _, port = words[1].decode().removeprefix("http://").rpartition(":")
        yield Served(host, int(port), process.pid)
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process, by force where it does not listen; what it started ends when its parent is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment() -> dict[str, str]:
    """The environment of the program under test, free of a person's own settings for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LEADMILL_")}


@contextmanager
def endable() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, with everything cleared away."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def file_system(path: Path) -> str:
    """The kind of file system that a folder lies on; ``unknown`` where that cannot be told."""
    best, kind = "", "unknown"
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return kind
    for line in lines:
        _, mount, name, *_ = line.split()
        if path.absolute().is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, name
    return kind


def say(text: str) -> None:
    """Tell a person what is going on."""
    print(f"bench: {text}", file=sys.stderr, flush=True)

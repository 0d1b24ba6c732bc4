"""Where the data lives: the embedded PostgreSQL of a home folder, or another server by its address.

Called by ``main`` and by commands that need the database. Programs on one home share its server: the first starts it,
the last one out stops it, and one that was orphaned by a kill is taken over by the next. Only one ``serve`` may run
on a home. Both are kept by file locks, which the kernel drops with their holder, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from leadmill.core.faults import Permanent
from leadmill.runtime.cluster import Cluster, Progress

DATABASE = "leadmill"
"""The database that an embedded server holds."""

_POLL = 0.05
_TELL_AFTER = 2.0


def _quiet(text: str) -> None:
    """Tells nobody."""


@contextmanager
def store(home: Path, database_url: str | None = None, progress: Progress = _quiet) -> Iterator[str]:
    """The address of the database to use: ``database_url`` as it is, else that of the home's embedded server, which
    runs at least until the block ends."""
    if database_url:
        yield database_url
    else:
        with embedded(home, progress) as url:
            yield url


@contextmanager
def embedded(home: Path, progress: Progress = _quiet, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of the home's own database, with its server running until the last user's block ends.

    Blocks while the server starts, as long as recovery after a crash takes; ``progress`` is told what is waited for.
    ``settings`` override the server's usual ones if this call starts it. Raises :class:`Permanent` with a
    ``postgres.…`` code where the server cannot be made or run.
    """
    folder = home / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder, settings)
    with (folder / "users.lock").open("a") as users:
        with _turn(folder, progress):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not cluster.data.exists():
                progress("making the embedded database, once")
            cluster.init()
            cluster.start(progress)
            if not cluster.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):  # noqa: S608 a constant
                cluster.run_sql(f"CREATE DATABASE {DATABASE}")
        try:
            yield cluster.url(DATABASE)
        finally:
            with _turn(folder, progress):
                if _try_lock(users):
                    cluster.stop()


def revive(home: Path, progress: Progress = _quiet) -> None:
    """Start the home's server again where it died under its users; nothing where it runs. For whoever keeps the
    house while others work in it."""
    folder = home / "postgres"
    cluster = Cluster(folder)
    if not cluster.answers():
        with _turn(folder, progress):
            cluster.start(progress)


@contextmanager
def only_server(home: Path) -> Iterator[None]:
    """Keep a second ``serve`` off this home while the block runs.

    Raises :class:`Permanent` ``runtime.home.busy`` where one runs already, naming its process.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "serve.lock").open("a+") as lock:
        if not _try_lock(lock):
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise Permanent(
                "runtime.home.busy",
                f"leadmill serve runs on {home.absolute()} (process {holder}): stop it or choose another --home",
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


@contextmanager
def _turn(folder: Path, progress: Progress) -> Iterator[None]:
    """Starting and stopping is done by one program at a time."""
    with (folder / "start.lock").open("a") as lock:
        tell = time.monotonic() + _TELL_AFTER
        while not _try_lock(lock):
            if time.monotonic() > tell:
                progress("waiting for another program that is starting or stopping this home's database")
                tell = float("inf")
            time.sleep(_POLL)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

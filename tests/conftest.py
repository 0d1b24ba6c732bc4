"""What every test may ask for: a database of its own on a real PostgreSQL, a clock, ids.

One embedded server serves the whole run, all xdist workers included; it is started by the first test that needs it
and stopped with the run. Coroutine tests and coroutine fixtures just work. Fixtures: ``database_url`` (a fresh
database with the whole schema), ``db`` (the same, opened), ``clock`` (stands still until told), ``mint`` (the same
ids every time).
"""

import asyncio
import fcntl
import functools
import gc
import importlib
import inspect
import itertools
import os
import pkgutil
import random
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
import sqlalchemy as sa
import structlog

import leadmill
from leadmill.core.ids import Mint, make_id
from leadmill.runtime.cluster import FORGETFUL, Cluster
from leadmill.runtime.db import Database, metadata
from tests.databases import Stock

_ROOT = "LEADMILL_TEST_ROOT"
_TEMPLATE = "schema"
_STEM = "leadmill-test-"


# Examples are the same in every run. LEADMILL_EXPLORE=1 draws new ones, for a search at leisure.
# A machine that stalls for a second is no fault of what is tested: no deadline an example, no verdict on their making.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("explore")
hypothesis.settings.load_profile("explore" if os.environ.get("LEADMILL_EXPLORE") else "same")

# ---- each test as at the start --------------------------------------------------------------------------------------

_LOGS = structlog.get_config()  # as `runtime.telemetry` sets them up when it is imported
_COLLECTOR = (20_000, 10, 10)
"""How much is made between two looks for garbage. Each house that a test opens leaves some tens of megabytes that only
the collector finds: with the thresholds of the serving processes a worker would grow by gigabytes."""


@pytest.fixture(autouse=True)
def _as_at_the_start() -> None:
    """A test that opened the whole house chose a log level, a command how often to look for garbage; the next test
    hears everything again, and leaves no more behind than the others."""
    structlog.configure(**_LOGS)
    gc.set_threshold(*_COLLECTOR)


_LONG = ("journeys", "browser", "abuse", "interfaces", "flow")
"""Folders whose tests are long or share something dear, in the order in which they are begun."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: whoever is done early takes over short ones from the end, and nobody waits for a last long
    one. Within a folder the order stays."""
    rank = {f"tests/{name}/": place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: next((place for head, place in rank.items() if item.nodeid.startswith(head)), 99))


def pytest_collection_finish() -> None:
    """What has been imported by now stays: nobody need look through it for garbage."""
    gc.collect()
    gc.freeze()


# ---- one server a run -----------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """In the process that leads the run: choose the server's folder, which the workers learn from the environment."""
    if hasattr(config, "workerinput"):
        return
    _sweep()
    # Not below pytest's own folder: it is closed to the user that PostgreSQL runs as, and too long for a socket.
    root = Path(tempfile.mkdtemp(prefix=_STEM, dir=_somewhere_quick()))
    os.environ[_ROOT] = str(root)
    held = (root / "run.lock").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    config.stash[_held] = held


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and leave nothing behind."""
    if _held in config.stash:
        _remove(Path(os.environ[_ROOT]))
        config.stash[_held].close()


_held = pytest.StashKey[Any]()


def _somewhere_quick() -> str:
    """Main memory where there is room: a database is some six hundred files, and every test makes one."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    return str(memory) if roomy else tempfile.gettempdir()


def _sweep() -> None:
    """Remove what a killed run left."""
    for root in Path(_somewhere_quick()).glob(f"{_STEM}*"):
        if not os.access(root, os.W_OK) or not (root / "run.lock").exists():
            continue
        with (root / "run.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _remove(root)


def _remove(root: Path) -> None:
    if (root / "data").exists():
        Cluster(root).stop(patience=10)
    shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    with (root / "workers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def server() -> Cluster:
    """The run's PostgreSQL with a template database that holds the whole schema. It does not wait for the disk."""
    root = Path(os.environ[_ROOT])
    cluster = Cluster(root, FORGETFUL | {"max_connections": "300", "autovacuum": "off", "max_wal_size": "256MB"})
    with _alone(root):
        cluster.init()
        cluster.start()
        if not cluster.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{_TEMPLATE}'"):
            cluster.run_sql(f"CREATE DATABASE {_TEMPLATE}_making")
            asyncio.run(_make_schema(cluster.url(f"{_TEMPLATE}_making")))
            cluster.run_sql(f"ALTER DATABASE {_TEMPLATE}_making RENAME TO {_TEMPLATE}")
    return cluster


def import_tables() -> None:
    """Import every module that adds tables to the metadata: each package's ``tables`` and all of ``runtime``."""
    for found in pkgutil.walk_packages(leadmill.__path__, "leadmill."):
        name = found.name
        if name.endswith(".tables") or (name.startswith("leadmill.runtime.") and not found.ispkg):
            try:
                importlib.import_module(name)
            except Exception as fault:  # a broken package must not take the tests of the others along
                warnings.warn(f"{name} cannot be imported, its tables are missing: {fault!r}", stacklevel=1)


async def _make_schema(url: str) -> None:
    import_tables()
    script: list[str] = []
    dialect = sa.make_url("postgresql+asyncpg://").get_dialect()()

    def keep(ddl: sa.ClauseElement, *_: Any, **__: Any) -> None:
        script.append(str(ddl.compile(dialect=dialect)))

    metadata.create_all(sa.create_mock_engine("postgresql+asyncpg://", keep), checkfirst=False)
    conn = await asyncpg.connect(url)
    try:
        for ddl in script:
            await conn.execute(ddl)
    finally:
        await conn.close()


@pytest.fixture(scope="session")
def _empty(server: Cluster) -> Iterator[Stock]:
    stock = Stock(server, "template0")
    yield stock
    stock.close()


@pytest.fixture(scope="session")
def _whole(server: Cluster) -> Iterator[Stock]:
    stock = Stock(server, _TEMPLATE)
    yield stock
    stock.close()


@pytest.fixture
def empty_database_url(_empty: Stock) -> Iterator[str]:
    """The address of a fresh database without a table."""
    yield from _empty.lend()


@pytest.fixture
def database_url(_whole: Stock) -> Iterator[str]:
    """The address of a fresh database with the whole schema."""
    yield from _whole.lend()


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A fresh database with the whole schema, opened on the test's loop."""
    database = Database(database_url, size=4)
    on_loop(database.open())
    yield database
    on_loop(database.close())


# ---- time and names -------------------------------------------------------------------------------------------------


class FixedClock:
    """A clock that stands still until it is told otherwise. It starts on Wednesday 2026-03-04, 15:00 UTC."""

    def __init__(self, now: datetime = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def set(self, now: datetime) -> None:
        """Jump to a moment."""
        self.now = now

    def advance(self, by: timedelta | None = None, **parts: float) -> datetime:
        """Go forward by a span, or by ``seconds=…``, ``hours=…``, ``days=…``; the new moment."""
        self.now += by or timedelta(**parts)
        return self.now


@pytest.fixture
def clock() -> FixedClock:
    """The present moment, under the test's control."""
    return FixedClock()


@pytest.fixture
def mint() -> Mint:
    """Ids that are the same in every run and ascend."""
    source = random.Random(20260304)
    numbers = itertools.count(1)  # in the upper bits, so that ids of one millisecond sort as they were made
    return lambda prefix, at: make_id(prefix, at, next(numbers) << 40 | source.getrandbits(40))


# ---- coroutine tests and fixtures -----------------------------------------------------------------------------------

_runner: asyncio.Runner | None = None


def on_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on the loop of the present test."""
    global _runner
    if _runner is None:
        _runner = asyncio.Runner()
    return _runner.run(work)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def test_…``."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    on_loop(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """Turn a coroutine fixture into an ordinary one, once."""
    made: Any = fixturedef.func
    if inspect.isasyncgenfunction(made):
        fixturedef.func = _generator(made)  # type: ignore[misc]
    elif inspect.iscoroutinefunction(made):
        fixturedef.func = _function(made)  # type: ignore[misc]


def _function(made: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    @functools.wraps(made)
    def fixture(*args: Any, **kwargs: Any) -> Any:
        return on_loop(made(*args, **kwargs))

    return fixture


def _generator(made: Callable[..., AsyncIterator[Any]]) -> Callable[..., Iterator[Any]]:
    @functools.wraps(made)
    def fixture(*args: Any, **kwargs: Any) -> Iterator[Any]:
        steps = aiter(made(*args, **kwargs))

        async def step() -> Any:
            return await anext(steps, None)

        yield on_loop(step())
        on_loop(step())

    return fixture


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid: str) -> None:
    """Close the test's loop after its fixtures are gone."""
    global _runner
    if _runner is not None:
        runner, _runner = _runner, None
        runner.close()

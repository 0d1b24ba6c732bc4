"""Fixtures of the interfaces' tests: ``stage``, a whole house with a small business.

The house is dressed once a session in a database of its own; each test gets one like it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from leadmill.runtime.cluster import Cluster
from tests.databases import Stock
from tests.interfaces.stage import Stage, dressed, stage_on

_Dressed = tuple[Stock, Path, tuple[str, str]]


@pytest.fixture(scope="session")
def _dressed(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Dressed]:
    model, home = f"stage_{os.getpid()}", tmp_path_factory.mktemp("stage")
    server.run_sql(f"CREATE DATABASE {model} TEMPLATE template0")
    keys = asyncio.run(dressed(server.url(model), home))
    stock = Stock(server, model)
    yield stock, home, keys
    stock.close()


@pytest.fixture
def _stage_url(_dressed: _Dressed) -> Iterator[str]:
    yield from _dressed[0].lend()


@pytest.fixture
async def stage(_dressed: _Dressed, _stage_url: str) -> AsyncIterator[Stage]:
    """A house with the business of ``business.toml`` and somebody of each role."""
    _, home, keys = _dressed
    async with stage_on(_stage_url, home, keys) as found:
        yield found

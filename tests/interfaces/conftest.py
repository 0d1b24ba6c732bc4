"""Fixtures of the interfaces' tests: ``stage``, a whole house with a small business.

The house is dressed once a session in a database of its own; each test gets a copy.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadmill.runtime.cluster import Cluster
from tests.interfaces.stage import Stage, dressed, stage_on

_made: dict[str, tuple[Path, tuple[str, str]]] = {}


@pytest.fixture
async def stage(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A house with the business of ``business.toml`` and somebody of each role."""
    model, copy = f"stage_model_{os.getpid()}", f"stage_{os.getpid()}"
    if model not in _made:
        home = tmp_path_factory.mktemp("stage")
        server.run_sql(f"CREATE DATABASE {model} TEMPLATE template0")
        _made[model] = (home, await dressed(server.url(model), home))
    home, keys = _made[model]
    server.run_sql(f"CREATE DATABASE {copy} TEMPLATE {model} STRATEGY FILE_COPY")
    async with stage_on(server.url(copy), home, keys) as found:
        yield found
    server.run_sql(f"DROP DATABASE {copy} WITH (FORCE)")

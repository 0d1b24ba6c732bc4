"""Fixtures of the interfaces' tests: ``stage``, a whole house with a small business."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interfaces.stage import Stage, stage_on


@pytest.fixture
async def stage(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A house with the business of ``business.toml`` and somebody of each role."""
    async with stage_on(empty_database_url, tmp_path / "home") as found:
        yield found

"""Every life in ``lives`` is lived on the real program, from the submission to the last posting."""

from pathlib import Path

import pytest

from leadmill.interfaces.house import House
from tests.conftest import FixedClock
from tests.journeys.house import Buyers, Mailbox
from tests.journeys.living import HERE, Life, read_life

LIVES = sorted((HERE / "lives").glob("*.toml"))


@pytest.mark.parametrize("path", LIVES, ids=lambda path: path.stem)
async def test_a_life_goes_as_told(
    path: Path, house: House, clock: FixedClock, buyers: Buyers, mailbox: Mailbox
) -> None:
    await Life(read_life(path), house, clock, buyers, mailbox).play()

"""What retention schedules reach outside the store: the drop folder.

Used by the worker and by ``leadmill retention run``.
"""

import asyncio
from datetime import datetime
from pathlib import Path

from leadmill.runtime.drop import old_files


class OutsideStore:
    """The folders of one home."""

    def __init__(self, home: Path) -> None:
        self._drop = home / "drop"

    async def old_files(self, before: datetime, dry: bool) -> int:
        """Delete the files of the drop folder that are as old as that; with ``dry`` only count them."""
        return await asyncio.to_thread(old_files, self._drop, before, dry)

"""Looking at the store again for a key that nobody knows: it may have been made a moment ago, by another process.

Wired by ``interfaces.server`` and shared by every door that knows its callers by key.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

_PAUSE = 0.1
"""Seconds between looks, however many unknown keys come."""


class Refresh:
    """Has keys and rules refreshed, once for all who ask at a time and not at once again."""

    def __init__(self, refresh: Callable[[], Awaitable[object]]) -> None:
        self._refresh = refresh
        self._looked_at = 0.0
        self._looking: asyncio.Future[object] | None = None

    async def __call__(self) -> None:
        """Look again, or wait for whoever does."""
        if self._looking is None or (self._looking.done() and time.monotonic() - self._looked_at > _PAUSE):
            self._looked_at = time.monotonic()
            self._looking = asyncio.ensure_future(self._refresh())
        if not self._looking.done():
            await asyncio.shield(self._looking)

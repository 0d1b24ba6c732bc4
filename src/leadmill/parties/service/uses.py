"""When keys were last used: kept in memory, written down now and then.

Entrances note every call, which costs a look into a dictionary; the store hears of it about once a minute, so that the
time it tells is a minute or two behind."""

from datetime import datetime, timedelta

from leadmill.parties import store
from leadmill.runtime.db import Database

_EVERY = timedelta(minutes=1)


class KeyUses:
    """The last use of each key since it was written down; ``seen`` may be filled by whoever is in a hurry."""

    def __init__(self) -> None:
        self.seen: dict[str, datetime] = {}
        self._written: datetime | None = None

    async def write(self, db: Database, now: datetime, at_once: bool = False) -> None:
        """Write down what is new, about once a minute."""
        if not self.seen or (not at_once and self._written is not None and now - self._written < _EVERY):
            return
        seen, self.seen = dict(self.seen), {}
        # Whoever held the old dictionary fills the new one from now on: entrances look it up at each call.
        async with db.begin() as tx:
            await store.see_keys(tx, seen)
        self._written = now

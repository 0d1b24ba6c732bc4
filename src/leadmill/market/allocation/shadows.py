"""The shadow prices in force, in every process.

Wired by ``main``: the book of limits asks it for prices with each lead's headroom, the composition root has it look
for new ones every few seconds. It holds what the pricing job wrote last and decides nothing.
"""

from datetime import datetime, timedelta

from leadmill.market.allocation.learned import Learned, Odds
from leadmill.market.allocation.scarce import worths_of
from leadmill.market.allocation.shadow import Prices, Standing
from leadmill.market.allocation.store import read_learned, version_of
from leadmill.market.worths import Scarcity, Worths
from leadmill.runtime.db import Database, Tx

PRICES, LEARNED = "prices", "learned"
"""The names under which they are kept."""

STALE = timedelta(hours=2)
"""Prices this old are nobody's forecast any more: leads then go to whoever pays most."""


class Shadows:
    """Holds the prices in force; ``on`` is the house's wish to have any."""

    def __init__(self, on: bool = True) -> None:
        self._on = on
        self._version = 0
        self._standing: Standing | None = None
        self._odds = Odds(Learned())

    @property
    def in_force(self) -> bool:
        """Whether there are prices at all."""
        return self._on and self._standing is not None

    async def refresh(self, db: Database) -> bool:
        """Take up new prices; whether there were any."""
        if not self._on:
            return False
        async with db.begin() as tx:
            return await self.take_up(tx)

    async def take_up(self, tx: Tx) -> bool:
        """The same, as a transaction sees it."""
        if not self._on or await version_of(tx, PRICES) == self._version:
            return False
        found = await read_learned(tx, PRICES, Prices)
        known = await read_learned(tx, LEARNED, Learned)
        self._standing = Standing(found[2]) if found is not None else None
        self._version = found[0] if found is not None else 0
        self._odds = Odds(known[2] if known is not None else Learned())
        return True

    def worths(self, asked: Scarcity, now: datetime) -> Worths | None:
        """The prices that matter to a lead; None where none are in force."""
        standing = self._standing
        if standing is None or now - standing.prices.at > STALE:
            return None
        return worths_of(asked, standing.prices, standing.at(now), self._odds, standing.prices.hedge)

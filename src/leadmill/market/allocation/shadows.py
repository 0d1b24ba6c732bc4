"""The shadow prices in force, in every process.

Wired by ``main``: the book of limits asks it for prices with each lead's headroom, the composition root has it look
for new ones every few seconds. It holds what the pricing job wrote last and decides nothing.
"""

from datetime import datetime, timedelta

from leadmill.market.allocation.chances import NOTHING, Chances
from leadmill.market.allocation.learned import Learned, Odds
from leadmill.market.allocation.scarce import chances_alone, worths_of
from leadmill.market.allocation.shadow import Prices, Standing
from leadmill.market.allocation.store import read_learned, version_of
from leadmill.market.worths import Scarcity, Worths
from leadmill.runtime.db import Database, Tx

PRICES, LEARNED, CHANCES = "prices", "learned", "chances"
"""The names under which they are kept."""

STALE = timedelta(hours=2)
"""Prices this old are nobody's forecast any more: leads then go to whoever pays most."""


class Shadows:
    """Holds the prices in force; ``on`` is the house's wish to have any."""

    def __init__(self, on: bool = True) -> None:
        self._on = on
        self._versions = 0, 0
        self._chances = NOTHING
        self._standing: Standing | None = None
        self._odds = Odds(Learned())

    @property
    def in_force(self) -> bool:
        """Whether there are prices, or chances, at all."""
        return self._on and (self._standing is not None or self._chances is not NOTHING)

    async def refresh(self, db: Database) -> bool:
        """Take up new prices; whether there were any."""
        if not self._on:
            return False
        async with db.begin() as tx:
            return await self.take_up(tx)

    async def take_up(self, tx: Tx) -> bool:
        """The same, as a transaction sees it."""
        if not self._on:
            return False
        versions = await version_of(tx, PRICES), await version_of(tx, CHANCES)
        if versions == self._versions:
            return False
        found = await read_learned(tx, PRICES, Prices)
        known = await read_learned(tx, LEARNED, Learned)
        chances = await read_learned(tx, CHANCES, Chances)
        self._standing = Standing(found[2]) if found is not None else None
        self._odds = Odds(known[2] if known is not None else Learned())
        self._chances = chances[2] if chances is not None else NOTHING
        self._versions = versions
        return True

    def worths(self, asked: Scarcity, now: datetime) -> Worths | None:
        """The prices and chances that matter to a lead. Without prices in force only a lead whose chance to be won
        matters hears of chances; None where there is nothing to hear."""
        standing, chances = self._standing, self._chances
        if standing is None or now - standing.prices.at > STALE:
            return chances_alone(asked, chances) if asked.hoped and chances.won is not None else None
        return worths_of(asked, standing.prices, standing.at(now), self._odds, standing.prices.hedge, chances)

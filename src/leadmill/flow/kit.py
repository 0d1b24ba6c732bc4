"""What the verbs of ``flow`` work with, wired once in ``main``.

``Ears`` says who answers each kind of ask and who keeps each kind of evidence; ``Kit`` adds the store, the pen, the
walk under the rules in force, the clock and the source of ids.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Case, Evidence
from leadmill.core.ids import Mint
from leadmill.flow.keep import Pen
from leadmill.flow.pipeline import Walk
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database, Tx

Listener = Callable[[Tx, Sequence[Any]], Awaitable[Callable[[Any], Answer]]]
"""Answers all asks of one type in one go: one query, then a function that is called just before each lead is judged."""
Keeper = Callable[[Tx, Case, Any, datetime], None]
"""Adds the rows of one piece of evidence to the transaction."""
Caller = Callable[[Any], Awaitable[Answer]]
"""Answers one ask by asking the network, within its own budget."""


class Ears(Struct, frozen=True):
    """Who answers and who keeps, by type."""

    listeners: Mapping[type[Ask], Listener]
    keepers: Mapping[type[Evidence], Keeper]
    callers: Mapping[type[Ask], Caller]
    waits: bool = False
    """Whether a lead may have to wait for the network though no provider is asked."""


class Kit(Struct, frozen=True):
    """Everything a verb of ``flow`` needs. ``walk`` gives the walk under the rules in force."""

    db: Database
    pen: Pen
    ears: Ears
    walk: Callable[[], Walk]
    clock: Clock
    mint: Mint
    take_up: Callable[[Tx], Awaitable[bool]]
    """Takes up a changed configuration at once, as the transaction sees it."""

    async def refresh(self) -> None:
        """Take up a changed configuration; not to be called inside a transaction, which would hold a connection while
        it waits for another."""
        async with self.db.begin() as tx:
            await self.take_up(tx)

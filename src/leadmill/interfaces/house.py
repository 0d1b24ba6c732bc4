"""The wired house: everything the interfaces translate for, in one value.

Built by ``main.open_house``, handed to the API, the console, the worker and each command. Nothing is looked up
globally.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from leadmill.core.ids import Mint
from leadmill.enrich import Asker
from leadmill.flow.auction import Auctioneer
from leadmill.flow.backups import Erasures
from leadmill.flow.book import Book
from leadmill.flow.floor import Floor
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Kit
from leadmill.flow.quoting import Quoter
from leadmill.flow.runner import Mill
from leadmill.identity.service import Keys
from leadmill.interfaces.entrance import Entrance
from leadmill.market import Counters, Shadows, Vacancies
from leadmill.overlap.service import Lists
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database
from leadmill.runtime.outgoing import WayOut
from leadmill.runtime.packs import Packs
from leadmill.runtime.plugins import Plugins
from leadmill.runtime.settings import Settings
from leadmill.runtime.vault import Vault


class House(Struct, frozen=True):
    """``way`` performs what plug-ins ask, ``entrance`` says who comes in."""

    settings: Settings
    environ: Mapping[str, str]
    db: Database
    vault: Vault
    keys: Keys
    packs: Packs
    book: Book
    pen: Pen
    kit: Kit
    mill: Mill
    floor: Floor
    auctioneer: Auctioneer
    quoter: Quoter
    counters: Counters
    way: WayOut
    plugins: Plugins
    lists: Lists
    shadows: Shadows
    vacancies: Vacancies
    asker: Asker
    erasures: Erasures
    entrance: Entrance
    clock: Clock
    mint: Mint


Opener = Callable[[Settings], AbstractAsyncContextManager[House]]
"""Opens the house for the length of a command."""

Work = Callable[[House, asyncio.Event, int], Awaitable[None]]
"""What a process does until the event is set; the number is the listening socket, where it has one."""

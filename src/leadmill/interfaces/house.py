"""The wired house: everything the interfaces translate for, in one value.

Built by ``main.open_house``, handed to the API, the console, the worker and each command. Nothing is looked up globally.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from msgspec import Struct

from leadmill.core.ids import Mint
from leadmill.flow.book import Book
from leadmill.flow.deliver import Posts
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Kit
from leadmill.flow.runner import Mill
from leadmill.identity.service import Keys
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database
from leadmill.runtime.http import Http
from leadmill.runtime.packs import Packs
from leadmill.runtime.settings import Settings
from leadmill.runtime.vault import Vault


class House(Struct, frozen=True):
    """``posts`` performs what couriers and messengers ask; ``plugins`` are the installed plug-ins by family and name."""

    settings: Settings
    environ: Mapping[str, str]
    db: Database
    url: str
    vault: Vault
    keys: Keys
    packs: Packs
    book: Book
    pen: Pen
    kit: Kit
    mill: Mill
    http: Http
    posts: Posts
    plugins: Mapping[str, Mapping[str, Any]]
    clock: Clock
    mint: Mint


Opener = Callable[[Settings], AbstractAsyncContextManager[House]]
"""Opens the house for the length of a command."""

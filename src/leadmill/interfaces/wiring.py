"""What the web interfaces work with: handed over by ``main``, kept nowhere else.

Read by every module of the API, the console and the forms. All of it is values and functions, so that a test hands
over its own.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from leadmill.capture import Submission
from leadmill.core.ids import Mint
from leadmill.core.money import Money
from leadmill.flow.biography import Candidate
from leadmill.flow.kit import Kit
from leadmill.flow.model import Settled
from leadmill.flow.rules import Rules
from leadmill.interfaces.entrance import Entrance
from leadmill.overlap.service import Lists
from leadmill.parties import KeyedHash, KeyRing
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.packs import Packs
from leadmill.runtime.vault import Vault


class Deadlines(Struct, frozen=True):
    """How long what is waited for: milliseconds an auction may take, buyers in a row that may decline while the source
    waits, seconds a quoted price holds."""

    auction_ms: int = 1_500
    post_rounds: int = 4
    quote_seconds: int = 60


class Wiring(Struct, frozen=True, kw_only=True):
    """Everything a request may need.

    ``take`` walks a submission and answers once the outcome is durable. ``ring`` gives the API keys in force.
    ``random`` gives unguessable bytes. ``start_import`` sets an uploaded file going and gives the import's id;
    ``home`` is the folder where uploads and error files are kept. ``ready`` raises Transient while no lead can be
    taken. ``exposition`` gives the metrics: content type and body. ``secure`` says that the site is reached over
    HTTPS alone, so cookies may demand it; ``public_url`` is where the world reaches it, empty where nobody
    said. ``ask_after`` tells why an order (the last argument) did not get a lead.
    """

    kit: Kit
    take: Callable[[Submission], Awaitable[Settled]]
    ring: Callable[[], KeyRing]
    keyed_hash: KeyedHash
    random: Callable[[int], bytes]
    start_import: Callable[["FileGiven"], Awaitable[str]]
    ready: Callable[[], Awaitable[None]]
    exposition: Callable[[], tuple[str, bytes]]
    home: Path
    packs: Packs
    lists: Lists
    ask_after: Callable[[Tx, str, str], Awaitable[Candidate]]
    version: str
    entrance: Entrance
    public_url: str = ""
    deadlines: Deadlines = Deadlines()
    secure: bool = False

    @property
    def db(self) -> Database:
        """The store."""
        return self.kit.db

    @property
    def clock(self) -> Clock:
        """The present moment."""
        return self.kit.clock

    @property
    def mint(self) -> Mint:
        """The source of ids."""
        return self.kit.mint

    @property
    def vault(self) -> Vault:
        """What seals secrets."""
        return self.kit.pen.vault

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self.kit.walk().rules


class FileGiven(Struct, frozen=True):
    """A file somebody uploaded to be imported: where it lies, what it was called, whose leads it holds."""

    path: Path
    name: str
    source_id: str
    vertical: str
    by: str
    at: datetime


def amount(price: int | None, currency: str | None) -> str | None:
    """Minor units as the decimal string the API carries."""
    return None if price is None else Money(price, currency or "USD").decimal()

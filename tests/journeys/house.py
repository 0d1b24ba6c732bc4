"""The real program over a fresh database, with the world around it in the test's hand.

Imported by the conftests that want it. ``house`` is wired by ``leadmill.main.wire`` exactly as the program does it;
only the clock, the ids and the outside are the test's: buyers are a local HTTP server that answers as told, mail goes
to a local SMTP server, dropped files into the home.
"""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope
from msgspec import Struct

from leadmill.core.conversation import Outgoing, Reply
from leadmill.core.ids import Mint
from leadmill.delivery import DeliverySpec, Outcome, Parcel
from leadmill.interfaces.house import House
from leadmill.main import wire
from leadmill.runtime.db import Database
from leadmill.runtime.plugins import Plugin
from leadmill.runtime.settings import Settings
from tests.conftest import FixedClock
from tests.once import read_once

read_once()

HOOK_SECRET = "whsec_c2VjcmV0LW9mLWhlbGlvLWZvci10ZXN0cw=="
ENVIRON = {"HOOK_SECRET": HOOK_SECRET, "BUYER_TOKEN": "token-of-the-buyer", "HELIO_MATCH": "match-key-of-helio"}


class Received(Struct, frozen=True):
    """A request that a buyer got."""

    buyer: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, which must be JSON."""
        return json.loads(self.body)


class Buyers:
    """The buyers' endpoints: ``{url}/NAME`` answers by its script, the last answer for ever. An answer is a status and
    a body, or ``slow``, which holds the request until the caller gives up, or ``cut``, which breaks it off."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self._scripts: dict[str, list[dict[str, Any]]] = {}

    def script(self, buyer: str, answers: Sequence[dict[str, Any]]) -> None:
        """Answer so from now on."""
        self._scripts[buyer] = list(answers)

    def of(self, buyer: str) -> list[Received]:
        """What a buyer got, in order."""
        return [item for item in self.received if item.buyer == buyer]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        buyer = request.match_info["buyer"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(buyer, headers, await request.read()))
        script = self._scripts.get(buyer) or [{"body": {"status": "accepted"}}]
        says = script.pop(0) if len(script) > 1 else script[0]
        if says.get("slow"):
            await asyncio.sleep(60)
        if says.get("cut") and request.transport is not None:
            request.transport.abort()
        body = says.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        kind = says.get("type", "text/plain" if isinstance(body, str) else "application/json")
        return web.Response(status=says.get("status", 200), text=text, content_type=kind)


@pytest.fixture
async def buyers() -> AsyncIterator[Buyers]:
    """The buyers' server, on a free port."""
    made = Buyers()
    app = web.Application()
    app.router.add_route("*", "/{buyer}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


class Mailbox:
    """Every message that went out; ``refuse`` holds addresses that the server does not know."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[Message] = []
        self.refuse: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, _: list[str]) -> str:
        """One addressee."""
        if address in self.refuse:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        """One message."""
        self.messages.append(message_from_bytes(bytes(envelope.original_content or b"")))
        return "250 OK"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """The mail server, on a free port."""
    made = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(made, enable_SMTPUTF8=True), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


class Clumsy:
    """A courier that breaks on everything: a stranger's plug-in on a bad day."""

    name = "clumsy"

    def check(self, spec: DeliverySpec) -> Sequence[tuple[str, str]]:
        """Content with anything."""
        return ()

    def ask(self, spec: DeliverySpec, parcel: Parcel) -> Outgoing:
        """Breaks, and says more than it should."""
        raise KeyError(f"no such thing for {parcel.fields['email']}")

    def read(self, spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
        """Never reached."""
        raise NotImplementedError


@pytest.fixture(scope="session")
def kept_reference() -> Iterator[Path]:
    """A folder that keeps the reference data read once."""
    with tempfile.TemporaryDirectory(prefix="leadmill-reference-") as folder:
        yield Path(folder)


@pytest.fixture
async def house(
    database_url: str, clock: FixedClock, mint: Mint, mailbox: Mailbox, tmp_path: Path, kept_reference: Path
) -> AsyncIterator[House]:
    """The program, wired, its home in the test's folder."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(kept_reference)
    settings = Settings(
        home=home,
        database_url=database_url,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        mail_from="Leadmill <mill@example.com>",
        allow_loopback=True,
        public_url="http://127.0.0.1:8080",
        auction_ms=20_000,  # a busy machine is no late buyer
        mx_lookups=False,
    )
    async with contextlib.AsyncExitStack() as stack:
        db = Database(database_url, 6)
        await db.open()
        stack.push_async_callback(db.close)
        made = await wire(settings, ENVIRON, db, stack, clock, mint)
        await made.book.refresh(db)
        clumsy = Plugin("leadmill.couriers", "clumsy", "tests", "1", Clumsy(), home)
        plugins = msgspec.structs.replace(made.plugins, found=(*made.plugins.found, clumsy))
        yield msgspec.structs.replace(made, plugins=plugins)
        await made.mill.close()

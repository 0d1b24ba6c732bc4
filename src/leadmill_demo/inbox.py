"""A mail server that keeps what it gets, so that one can see what Leadmill writes: to people, to its own team, to the
buyers that take leads by mail.

Run by ``world``. Nothing is passed on to anybody.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from leadmill_demo.kept import Letter

_KEPT = 300
_MOST = 2 * 1024 * 1024
_FULL = "77"
"""Addresses whose name ends so have a full mailbox, that one may see a refusal now and then."""


class Inbox:
    """The letters of everybody, the latest ``_KEPT`` of them. ``arrived`` hears of each."""

    def __init__(self, clock: Callable[[], datetime], arrived: Callable[[Letter], None]) -> None:
        self._clock = clock
        self._arrived = arrived
        self.letters: deque[Letter] = deque(maxlen=_KEPT)
        self.count = 0
        self.refused = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take an addressee, unless the mailbox is full."""
        if address.partition("@")[0].endswith(_FULL):
            self.refused += 1
            return "552 5.2.2 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the message."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self.count += 1
        letter = Letter(self.count, self._clock(), envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
        self.letters.append(letter)
        self._arrived(letter)
        return "250 2.0.0 Kept"

    def find(self, number: int) -> Letter | None:
        """The letter of this number, while it is kept."""
        return next((letter for letter in self.letters if letter.number == number), None)

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen for mail; 0 takes a free port."""
        loop = asyncio.get_running_loop()

        def connected() -> Any:
            return SMTP(self, hostname="inbox.example.com", enable_SMTPUTF8=True, data_size_limit=_MOST, loop=loop)

        return await loop.create_server(connected, host, port)

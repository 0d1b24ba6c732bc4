"""The way out for any plug-in's ask, whichever wire it takes.

Called by whoever performs asks: the worker's job handlers and the steps' providers. Made in ``main`` from the settings.
"""

import time
from typing import overload

from leadmill.core.conversation import FileAsk, FileReply, HttpAsk, HttpReply, MailAsk, MailReply, Outgoing, Reply
from leadmill.core.faults import Fault
from leadmill.runtime.drop import Drop
from leadmill.runtime.http import Http
from leadmill.runtime.mail import Mail
from leadmill.runtime.telemetry import OUTGOING, OUTGOING_SECONDS


class WayOut:
    """HTTP, mail and file drops under one verb, counted."""

    def __init__(self, http: Http, mail: Mail, drop: Drop) -> None:
        self.http = http
        self.mail = mail
        self.drop = drop

    @overload
    async def perform(self, ask: HttpAsk, kind: str = ...) -> HttpReply: ...
    @overload
    async def perform(self, ask: MailAsk, kind: str = ...) -> MailReply: ...
    @overload
    async def perform(self, ask: FileAsk, kind: str = ...) -> FileReply: ...
    @overload
    async def perform(self, ask: Outgoing, kind: str = ...) -> Reply: ...

    async def perform(self, ask: Outgoing, kind: str = "") -> Reply:
        """Perform the ask; the faults are those of ``http``, ``mail`` and ``drop``. ``kind`` is the class of host
        the metrics count it under (``buyer``, ``provider``), by default the wire's name."""
        began = time.monotonic()
        outcome = "ok"
        try:
            if isinstance(ask, HttpAsk):
                kind = kind or "http"
                return await self.http.perform(ask)
            if isinstance(ask, MailAsk):
                kind = "mail"
                return await self.mail.perform(ask)
            kind = "file"
            return await self.drop.perform(ask)
        except Fault as fault:
            outcome = fault.code
            raise
        finally:
            OUTGOING.labels(kind, outcome).inc()
            OUTGOING_SECONDS.labels(kind).observe(time.monotonic() - began)

"""What a plug-in may say to the outside world, and what it hears back.

A provider is a pure conversation: it returns one of the asks below and later reads the reply. It never opens a
socket: the machinery in ``runtime`` (``http``, ``mail``, ``drop``) performs the ask, opens the secret that the ask
names, guards the address and keeps to the budget. What fails on the way is a :class:`~leadmill.core.faults.Fault`;
whatever the other side answered, a refusal included, is a reply.
"""

from typing import Literal

from msgspec import Struct

Sign = Literal["none", "standard-webhook", "bearer", "basic", "header"]
"""How an outgoing request proves who sends it: not at all; by the signature of Standard Webhooks 1.0 over the body;
by an ``Authorization: Bearer`` or ``Basic`` header; by a header of the other side's choosing."""

Escape = Literal["json", "form", "xml"]


class Blank(Struct, frozen=True):
    """A place in a body where a secret goes: ``token`` is replaced by the secret ``secret`` names, escaped for the
    body's format. The token must be unguessable by the lead's own values; the composer chooses it."""

    token: str
    secret: str
    escape: Escape


class HttpAsk(Struct, frozen=True, tag="http"):
    """One HTTP request.

    ``secret`` and ``secret_headers`` hold *names* of environment variables, never secrets. ``sign_name`` is the
    user's name for ``basic`` and the header's name for ``header``. ``message_id`` becomes ``webhook-id`` and stays
    the same over retries. ``budget_ms`` bounds everything from the first look-up to the last byte read, in-call
    retries included; only an ask that is ``idempotent`` is repeated after the request may have been received. A
    reply longer than ``reply_limit`` bytes is a fault. Where ``hurried``, a spent budget says nothing of the host: it
    was short on purpose.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: dict[str, str] = {}
    body: bytes = b""
    secret: str | None = None
    sign: Sign = "none"
    sign_name: str = ""
    secret_headers: dict[str, str] = {}
    blanks: tuple[Blank, ...] = ()
    message_id: str = ""
    budget_ms: int = 10_000
    idempotent: bool = False
    reply_limit: int = 262_144
    hurried: bool = False


class HttpReply(Struct, frozen=True, tag="http_reply"):
    """What the server answered: 2xx, 3xx (never followed) or 4xx. Header names are lower case."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    elapsed_ms: int = 0


class Attachment(Struct, frozen=True):
    """A file that travels with a message."""

    name: str
    media_type: str
    body: bytes


class MailAsk(Struct, frozen=True, tag="mail"):
    """One e-mail message. An empty ``sender`` means the sender of the settings; ``message_id`` is stable over
    retries."""

    to: tuple[str, ...]
    subject: str
    text: str
    html: str = ""
    sender: str = ""
    headers: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    message_id: str = ""
    budget_ms: int = 20_000


class MailReply(Struct, frozen=True, tag="mail_reply"):
    """The mail server's last word: ``code`` 250 where every recipient was taken, 5xx where it refused for good; then
    ``message`` is its enhanced status code where it gave one (``5.1.1``), and no text of its own."""

    code: int
    message: str = ""
    elapsed_ms: int = 0


class FileAsk(Struct, frozen=True, tag="file"):
    """One file to be put, whole or not at all, at ``path`` below the drop folder of the settings."""

    path: str
    body: bytes


class FileReply(Struct, frozen=True, tag="file_reply"):
    """The file stands there, ``size`` bytes long. ``existed`` says that the same bytes stood there before."""

    path: str
    size: int
    existed: bool = False
    elapsed_ms: int = 0


Outgoing = HttpAsk | MailAsk | FileAsk
"""Anything a plug-in may ask of the world."""

Reply = HttpReply | MailReply | FileReply
"""Anything it may hear back."""

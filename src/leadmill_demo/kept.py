"""What the stand-ins keep of what they got: deliveries and letters.

Filled by ``world`` and ``inbox``, shown by ``pages``.
"""

from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from typing import NamedTuple


class Delivery(NamedTuple):
    """What came to a buyer, and what it answered. ``signed`` is None where the buyer asks for no signature; ``again``
    says that the same delivery came before and got the same answer."""

    at: datetime
    buyer: str
    path: str
    lead_id: str
    act: str
    status: int
    media: str
    body: str
    answer: str
    signed: bool | None
    again: bool


class Letter(NamedTuple):
    """A message as it came."""

    number: int
    at: datetime
    sender: str
    to: tuple[str, ...]
    content: bytes

    def read(self) -> EmailMessage:
        """The message, taken apart."""
        message = message_from_bytes(self.content, policy=modern)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def subject(self) -> str:
        """Its subject line."""
        return str(self.read()["subject"] or "(no subject)")

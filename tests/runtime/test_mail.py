"""The mailer against a real SMTP server on this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from structlog.testing import capture_logs

from leadmill.core.conversation import Attachment, MailAsk
from leadmill.core.faults import Permanent, Transient
from leadmill.runtime.mail import Mail, Relay

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Postbox:
    """Takes mail, except for the addressees who say otherwise in their names."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], Message]] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        if address.startswith("later"):
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append((list(envelope.rcpt_tos), message_from_bytes(content)))
        return "250 taken"


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[tuple[Postbox, int]]:
    box = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, enable_SMTPUTF8=True), "127.0.0.1", 0)
    try:
        yield box, server.sockets[0].getsockname()[1]
    finally:
        server.close()


def a_mailer(port: int) -> Mail:
    return Mail(Relay("127.0.0.1", port, "none", sender="Leads <leads@mill.test>"), {}, lambda: NOON)


async def test_a_message_arrives_with_both_bodies_its_attachment_and_a_lasting_id() -> None:
    ask = MailAsk(
        ("ana@example.com",),
        "Grüße",
        "plain",
        "<p>rich</p>",
        attachments=(Attachment("a.json", "application/json", b"{}"),),
        message_id="msg_1",
    )
    async with a_mail_server() as (box, port):
        reply = await a_mailer(port).perform(ask)
    assert reply.code == 250
    to, message = box.taken[0]
    assert to == ["ana@example.com"]
    assert message["Message-ID"] == "<msg_1@mill.test>"
    assert [part.get_content_type() for part in message.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "application/json",
    ]


async def test_a_mailbox_that_does_not_exist_is_an_answer_and_a_busy_server_is_a_fault() -> None:
    async with a_mail_server() as (_, port):
        assert (await a_mailer(port).perform(MailAsk(("nobody@example.com",), "s", "t"))).code == 550
        with pytest.raises(Transient) as caught:
            await a_mailer(port).perform(MailAsk(("later@example.com",), "s", "t"))
    assert caught.value.code == "mail.relay.busy"


async def test_a_relay_that_is_gone_is_tried_again_later() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # held, so that nobody else listens there meanwhile
        with pytest.raises(Transient) as caught:
            await a_mailer(deaf.getsockname()[1]).perform(MailAsk(("ana@example.com",), "s", "t"))
    assert caught.value.code == "mail.relay.unreachable"


@pytest.mark.parametrize(
    "ask",
    [
        MailAsk(("ana@example.com",), "s\r\nBcc: all@example.com", "t"),
        MailAsk(("ana@example.com\r\nBcc: all@example.com",), "s", "t"),
        MailAsk(("not an address",), "s", "t"),
        MailAsk(("ana@example.com",), "s", "t", headers={"X": "a\nBcc: all@example.com"}),
    ],
)
async def test_a_line_end_in_a_header_is_refused(ask: MailAsk) -> None:
    async with a_mail_server() as (box, port):
        with pytest.raises(Permanent) as caught:
            await a_mailer(port).perform(ask)
    assert caught.value.code == "mail.message.malformed"
    assert box.taken == []


async def test_without_a_mail_server_the_fault_says_what_to_do() -> None:
    with pytest.raises(Permanent) as caught:
        await Mail(None, {}, lambda: NOON).perform(MailAsk(("ana@example.com",), "s", "t"))
    assert caught.value.code == "mail.relay.unset"


async def test_no_address_reaches_the_log() -> None:
    async with a_mail_server() as (_, port):
        with capture_logs() as logs:
            await a_mailer(port).perform(MailAsk(("nobody@example.com",), "About Ana", "t"))
    assert logs and not any(word in str(logs) for word in ("nobody", "Ana", "example.com"))

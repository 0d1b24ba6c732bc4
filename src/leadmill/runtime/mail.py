"""The one way out for e-mail.

Called by whoever performs a plug-in's :class:`MailAsk`. One relay from the settings; the message is built by the
standard library (which refuses line ends in headers), the ``Message-ID`` is stable over retries, and no address or
subject reaches a log.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

import aiosmtplib
import structlog
from msgspec import Struct

from leadmill.core.conversation import MailAsk, MailReply
from leadmill.core.faults import Permanent, Transient
from leadmill.runtime.clock import Clock
from leadmill.runtime.signing import open_secret

_log = structlog.get_logger("leadmill.mail")
_WIDE = SMTP.clone(max_line_length=990, cte_type="7bit")
"""Lines as long as RFC 5322 allows: in narrower ones a long address in a header, such as a link to unsubscribe, comes
out encoded, and no mail program finds it."""
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""An enhanced status code (RFC 3463). The rest of an answer may quote the address, so it is not kept."""


class Relay(Struct, frozen=True):
    """The mail server to hand messages to. ``secret`` names the environment variable with the password; ``sender``
    is used where a message names none. ``tls``: ``none``, ``starttls`` or ``implicit``."""

    host: str
    port: int = 587
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    user: str = ""
    secret: str | None = None
    sender: str = "Leadmill <leadmill@localhost>"


class Mail:
    """The mailer. ``relay`` None means that no mail server is set: every ask is refused with what to do."""

    def __init__(self, relay: Relay | None, environ: Mapping[str, str], clock: Clock) -> None:
        self._relay = relay
        self._environ = environ
        self._clock = clock

    async def perform(self, ask: MailAsk) -> MailReply:
        """Send the message. A refusal for good (5xx) is a reply; :class:`Transient` where the relay cannot be
        reached, is slow or says 4xx; :class:`Permanent` ``mail.relay.unset``, ``mail.message.malformed``,
        ``mail.relay.refused`` (sign-in)."""
        relay = self._relay
        if relay is None:
            raise Permanent("mail.relay.unset", "set a mail server in the settings")
        message = build_message(ask, relay, self._clock)
        password = open_secret(self._environ, relay.secret) if relay.secret else None
        began = time.monotonic()
        code, said = 0, ""
        try:
            async with asyncio.timeout(ask.budget_ms / 1000):
                refused, _ = await aiosmtplib.send(
                    _written(message),
                    sender=str(message["From"].addresses[0].addr_spec),
                    recipients=list(ask.to),
                    hostname=relay.host,
                    port=relay.port,
                    username=relay.user or None,
                    password=password,
                    use_tls=relay.tls == "implicit",
                    start_tls=relay.tls == "starttls",
                    timeout=None,
                )
            code, said = max(((answer.code, answer.message) for answer in refused.values()), default=(250, ""))
        except aiosmtplib.SMTPRecipientsRefused as fault:
            code, said = max((one.code, one.message) for one in fault.recipients)
        except aiosmtplib.SMTPAuthenticationError as fault:
            raise Permanent("mail.relay.refused", f"the mail server refused the sign-in ({fault.code})") from None
        except aiosmtplib.SMTPResponseException as fault:
            code, said = fault.code, fault.message
        except (TimeoutError, aiosmtplib.SMTPTimeoutError) as fault:
            raise Transient("mail.time.spent", f"not sent within {ask.budget_ms} ms") from fault
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise Transient("mail.relay.unreachable", type(fault).__name__) from None
        finally:
            took = int((time.monotonic() - began) * 1000)
            say = _log.debug if code == 250 else _log.info
            say("mail.message", relay=relay.host, code=code, ms=took)
        if not 200 <= code < 300 and code < 500:
            raise Transient("mail.relay.busy", f"the mail server answered {code}")
        status = _STATUS.match(said.strip()) if code >= 500 else None
        return MailReply(code, status[0] if status else "", took)


def _written(message: EmailMessage) -> EmailMessage | bytes:
    """The message as bytes; as itself where an address is not ASCII, which the client knows how to send."""
    return message.as_bytes(policy=_WIDE) if f"{message['From']}{message['To']}".isascii() else message


def build_message(ask: MailAsk, relay: Relay, clock: Clock) -> EmailMessage:
    """The message as sent. Raises :class:`Permanent` ``mail.message.malformed`` for an address or header that cannot
    stand."""
    message = EmailMessage()
    try:
        message["From"] = ask.sender or relay.sender
        message["To"] = ", ".join(ask.to)
        message["Subject"] = ask.subject
        message["Date"] = format_datetime(clock())
        domain = message["From"].addresses[0].domain or "localhost"
        if ask.message_id:
            message["Message-ID"] = f"<{ask.message_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        for name, value in ask.headers.items():
            message[name] = value
        if not message["To"].addresses or any(not one.domain for one in message["To"].addresses):
            raise ValueError("recipient")
    except (ValueError, IndexError, AttributeError) as fault:
        raise Permanent("mail.message.malformed", "an address or a header of the message cannot be used") from fault
    message.set_content(ask.text)
    if ask.html:
        message.add_alternative(ask.html, subtype="html")
    for item in ask.attachments:
        main, _, sub = item.media_type.partition("/")
        message.add_attachment(item.body, maintype=main, subtype=sub or "octet-stream", filename=item.name)
    return message

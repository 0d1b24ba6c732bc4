"""Sends a follow-up message by e-mail.

Found by the entry point ``email`` of ``leadmill.messengers``.
"""

from leadmill.core.conversation import MailAsk, MailReply, Outgoing, Reply
from leadmill.followup import Letter, SendOutcome


class EmailMessenger:
    """One message an attempt, under the same Message-ID."""

    name = "email"

    def ask(self, letter: Letter) -> Outgoing:
        """The letter as one message."""
        return MailAsk(
            to=(letter.to,),
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            sender=letter.sender,
            headers=letter.headers,
            message_id=letter.message_id,
        )

    def read(self, letter: Letter, reply: Reply) -> SendOutcome:
        """Sent once the mail server takes it; a refusal for good is not tried again."""
        assert isinstance(reply, MailReply)
        if reply.code < 300:
            return SendOutcome("sent", "message.mail.sent", elapsed_ms=reply.elapsed_ms)
        status = f"{reply.code} {reply.message}".strip()
        return SendOutcome("failed", "message.mail.refused", elapsed_ms=reply.elapsed_ms, status=status)


messenger = EmailMessenger()

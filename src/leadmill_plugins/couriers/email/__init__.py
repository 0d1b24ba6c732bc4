"""Mails a lead to a buyer: readable in the message, machine-readable in an attachment.

Found by the entry point ``email`` of ``leadmill.couriers``. The subject names the vertical and the lead's id, never
the person.
"""

from collections.abc import Sequence

from leadmill.core.conversation import Attachment, MailAsk, MailReply, Outgoing, Reply
from leadmill.core.reasons import because
from leadmill.delivery import ENDPOINT_WRONG, DeliverySpec, Outcome, Parcel, Secret, shape, write

_PLACES = ("lead_id", "sale_id", "vertical", "recipient")


class EmailCourier:
    """One message an attempt, under the same Message-ID."""

    name = "email"

    def check(self, spec: DeliverySpec) -> Sequence[tuple[str, str]]:
        """It needs somebody to write to; a message holds no secrets."""
        lacks = []
        if not spec.to or not all("@" in address for address in spec.to):
            lacks.append(("to", "is missing: the address, or a list of addresses, to write to"))
        if any(isinstance(value, Secret) for value in spec.constants.values()):
            lacks.append(("constants", "a message holds no secrets"))
        return lacks

    def ask(self, spec: DeliverySpec, parcel: Parcel) -> Outgoing:
        """The parcel as one message."""
        letter = write(spec, parcel)
        subject = spec.subject or "New {vertical} lead {lead_id}"
        for place in _PLACES:
            subject = subject.replace(f"{{{place}}}", str(getattr(parcel, place)))
        lines = [f"{name}: {_shown(value)}" for name, value in shape(spec, parcel).items()]
        return MailAsk(
            to=spec.to,
            subject=subject,
            text="\n".join(lines) + "\n",
            sender=spec.sender,
            attachments=(
                Attachment(f"{parcel.lead_id}.{letter.suffix}", letter.media_type.partition(";")[0], letter.body),
            ),
            message_id=parcel.delivery_id,
            budget_ms=max(spec.timeout_ms, 5_000),
        )

    def read(self, spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
        """Delivered once the mail server takes it; a mailbox refused for good is a wrong address."""
        assert isinstance(reply, MailReply)
        if reply.code < 300:
            return Outcome("accepted", "delivery.mail.accepted", status=reply.code, elapsed_ms=reply.elapsed_ms)
        why = because(ENDPOINT_WRONG, status=reply.code)
        return Outcome("dead", ENDPOINT_WRONG.code, because=why, status=reply.code, elapsed_ms=reply.elapsed_ms)


def _shown(value: object) -> str:
    """One line of text, whatever the value holds."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return " ".join(text.split())


courier = EmailCourier()

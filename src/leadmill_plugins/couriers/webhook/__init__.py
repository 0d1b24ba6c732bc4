"""Sends a lead as a Standard Webhooks 1.0 message: signed, thin, repeated for days.

Found by the entry point ``webhook`` of ``leadmill.couriers``. The message is ``{"type": "lead.sold", "timestamp": …,
"data": {…}}``; any 2xx is taken for acceptance unless its body says otherwise, 410 ends it, everything else is tried
again.
"""

from collections.abc import Sequence

import msgspec

from leadmill.core.conversation import HttpAsk, HttpReply, Outgoing, Reply
from leadmill.core.reasons import because
from leadmill.delivery import ENDPOINT_WRONG, DeliverySpec, Outcome, Parcel, Secret, read_answer, write


class WebhookCourier:
    """One signed POST an attempt."""

    name = "webhook"

    def check(self, spec: DeliverySpec) -> Sequence[tuple[str, str]]:
        """It needs an address and a secret, and speaks JSON."""
        lacks = []
        if not spec.url:
            lacks.append(("url", "is missing: the address that takes the messages"))
        if spec.secret is None:
            lacks.append(("secret", 'is missing: { env = "NAME" } of the variable with the signing secret'))
        if spec.format != "json" or spec.method != "POST":
            lacks.append(("format", "a webhook is JSON sent by POST; use courier = 'http' for anything else"))
        return lacks

    def ask(self, spec: DeliverySpec, parcel: Parcel) -> Outgoing:
        """The parcel as one signed message. It reads the same at every attempt."""
        letter = write(spec, parcel)
        head = msgspec.json.encode({"type": "lead.sold", "timestamp": parcel.created_at})
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return HttpAsk(
            method="POST",
            url=spec.url,
            headers=headers | {name: value for name, value in spec.headers.items() if isinstance(value, str)},
            body=head[:-1] + b',"data":' + letter.body + b"}",
            secret=spec.secret,
            sign="standard-webhook",
            secret_headers={name: value.env for name, value in spec.headers.items() if isinstance(value, Secret)},
            blanks=letter.blanks,
            message_id=parcel.delivery_id,
            budget_ms=spec.timeout_ms,
        )

    def read(self, spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
        """Acceptance by status, as the standard has it, unless the delivery has rules or the body refuses."""
        assert isinstance(reply, HttpReply)
        rules = spec.reply
        if 200 <= reply.status < 300 or rules.accept or rules.reject or rules.retry:
            media = reply.headers.get("content-type", "")
            return read_answer(spec, parcel, reply.status, media, reply.body, reply.elapsed_ms)
        excerpt = reply.body[:2_000].decode("utf-8", "replace")
        told = Outcome("retry", ENDPOINT_WRONG.code, status=reply.status, elapsed_ms=reply.elapsed_ms, excerpt=excerpt)
        if reply.status == 410:
            return msgspec.structs.replace(told, kind="dead", because=because(ENDPOINT_WRONG, status=410))
        return told


courier = WebhookCourier()

"""Posts a lead to a buyer's address in the buyer's own format.

Found by the entry point ``http`` of ``leadmill.couriers``. The body is JSON, a form or XML; the answer is read by
the delivery's own rules or by the usual words of the trade. With a ``secret`` the request is signed as Standard
Webhooks 1.0 says.
"""

from collections.abc import Sequence

from leadmill.core.conversation import HttpAsk, HttpReply, Outgoing, Reply
from leadmill.delivery import DeliverySpec, Outcome, Parcel, Secret, read_answer, write


class HttpCourier:
    """One request an attempt; the delivery's id goes along so that the buyer can tell a repetition."""

    name = "http"

    def check(self, spec: DeliverySpec) -> Sequence[tuple[str, str]]:
        """It needs an address, and a format that a request has."""
        lacks = []
        if not spec.url:
            lacks.append(("url", "is missing: the address that takes the leads"))
        if spec.format == "csv":
            lacks.append(("format", "must be json, form or xml"))
        if spec.method == "GET" and spec.format != "form":
            lacks.append(("format", "must be form where the method is GET"))
        if spec.method == "GET" and any(isinstance(value, Secret) for value in spec.constants.values()):
            lacks.append(("constants", "a secret does not go into an address: use POST, headers or auth"))
        return lacks

    def ask(self, spec: DeliverySpec, parcel: Parcel) -> Outgoing:
        """The parcel as one request."""
        letter = write(spec, parcel)
        headers = {"Accept": "application/json, application/xml;q=0.9, text/plain;q=0.8"}
        headers["Idempotency-Key"] = f'"{parcel.delivery_id}"'
        url, body = spec.url, letter.body
        if spec.method == "GET":
            url, body = f"{url}{'&' if '?' in url else '?'}{body.decode()}", b""
        else:
            headers["Content-Type"] = letter.media_type
        headers |= {name: value for name, value in spec.headers.items() if isinstance(value, str)}
        return HttpAsk(
            method=spec.method,
            url=url,
            headers=headers,
            body=body,
            secret=spec.secret,
            sign=spec.sign,
            sign_name=spec.sign_name,
            secret_headers={name: value.env for name, value in spec.headers.items() if isinstance(value, Secret)},
            blanks=letter.blanks,
            message_id=parcel.delivery_id,
            budget_ms=spec.timeout_ms,
        )

    def read(self, spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
        """What the buyer's answer means."""
        assert isinstance(reply, HttpReply)
        media = reply.headers.get("content-type", "")
        return read_answer(spec, parcel, reply.status, media, reply.body, reply.elapsed_ms)


courier = HttpCourier()

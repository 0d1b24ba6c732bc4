"""Asks a buyer's ping service for a bid, in the buyer's own format.

Found by the entry point ``http`` of ``leadmill.bidders``. The body is JSON, a form or XML; the answer is read by the
ping's own rules or by the usual words of the trade. The buyer is told how long its answer is waited for.
"""

from collections.abc import Sequence

from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.market import BidRead, Offer, PingTarget, Secret, read_bid, write_offer

_ACCEPT = "application/json, application/xml;q=0.9, text/plain;q=0.8"
_REPLY_LIMIT = 65_536


class HttpBidder:
    """One request a ping."""

    name = "http"

    def check(self, target: PingTarget) -> Sequence[tuple[str, str]]:
        """It needs a format that a request has."""
        lacks = []
        if target.format == "csv":
            lacks.append(("format", "must be json, form or xml"))
        if target.method == "GET" and target.format != "form":
            lacks.append(("format", "must be form where the method is GET"))
        if target.method == "GET" and any(isinstance(value, Secret) for value in target.constants.values()):
            lacks.append(("constants", "a secret does not go into an address: use POST, headers or auth"))
        return lacks

    def ask(self, target: PingTarget, offer: Offer, budget_ms: int) -> HttpAsk:
        """The offer as one request."""
        letter = write_offer(target, offer, budget_ms)
        headers = {"Accept": _ACCEPT, "X-Timeout-Ms": str(budget_ms)}
        url, body = target.url, letter.body
        if target.method == "GET":
            url, body = f"{url}{'&' if '?' in url else '?'}{body.decode()}", b""
        else:
            headers["Content-Type"] = letter.media_type
        secret_headers = {}
        for name, value in target.headers.items():
            if isinstance(value, Secret):
                secret_headers[name] = value.env
            else:
                headers[name] = value
        return HttpAsk(
            method=target.method,
            url=url,
            headers=headers,
            body=body,
            secret=target.secret,
            sign=target.sign,
            sign_name=target.sign_name,
            secret_headers=secret_headers,
            blanks=letter.blanks,
            message_id=offer.id if target.sign == "standard-webhook" else "",
            budget_ms=budget_ms,
            reply_limit=_REPLY_LIMIT,
            hurried=True,
        )

    def read(self, target: PingTarget, offer: Offer, reply: HttpReply) -> BidRead:
        """What the buyer's answer means."""
        return read_bid(target, reply.status, reply.headers.get("content-type", ""), reply.body)


bidder = HttpBidder()

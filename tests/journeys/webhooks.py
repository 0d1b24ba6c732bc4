"""A receiver of Standard Webhooks 1.0, written from the specification alone."""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the signatures is that of this message."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    offered = [mark.partition(",")[2] for mark in headers["webhook-signature"].split() if mark.startswith("v1,")]
    return any(hmac.compare_digest(wanted, mark) for mark in offered)

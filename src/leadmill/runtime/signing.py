"""Secrets by name, and the signature of Standard Webhooks 1.0.

Called by ``http`` and ``mail``: the only modules that open a secret. Configuration and plug-ins hold the name of an
environment variable; the value exists for the length of one request.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from leadmill.core.faults import Permanent

_PREFIX = "whsec_"


def open_secret(environ: Mapping[str, str], name: str) -> str:
    """The secret's value. Raises :class:`Permanent` ``secret.reference.unset`` where the variable is not set or
    empty."""
    value = environ.get(name, "").strip()
    if not value:
        raise Permanent("secret.reference.unset", f"set the environment variable {name}")
    return value


def signing_key(secret: str) -> bytes:
    """The key bytes of a webhook secret: base64 behind ``whsec_``, otherwise the text itself. Raises :class:`Permanent`
    ``secret.webhook.malformed``."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Permanent("secret.webhook.malformed", "write whsec_ followed by base64") from fault


def sign_webhook(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. Several secrets separated by blanks give several signatures, which is how a secret is changed
    without losing a message (Standard Webhooks 1.0, "Multiple signatures")."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    marks = [hmac.new(signing_key(one), signed, hashlib.sha256).digest() for one in secret.split()]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(mark).decode()}" for mark in marks),
    }

"""What a code app shows: computed here by the book (RFC 4226 and 6238), not by what is under test."""

import hashlib
import hmac
import struct
from base64 import b32decode
from datetime import datetime


def code_of(secret: str, now: datetime) -> str:
    """The six digits of a secret in base 32 at a moment."""
    given = b32decode(secret.replace(" ", ""))
    digest = hmac.digest(given, struct.pack(">Q", int(now.timestamp()) // 30), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"

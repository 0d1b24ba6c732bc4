"""Identifiers: prefixed, opaque to callers, sortable by the moment they were made.

Called by whoever creates a record. An id is a UUIDv7 (RFC 9562) written in Crockford's base 32 behind a prefix, so
``lead_01k…`` sorts by time, fits a URL and tells a reader what it names.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_LENGTH = 26

Mint = Callable[[str, datetime], str]
"""Makes a fresh id from a prefix and the present moment."""


def encode(number: int) -> str:
    """A 128-bit number as 26 characters of Crockford's base 32, most significant first."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def make_id(prefix: str, at: datetime, entropy: int) -> str:
    """The id for a moment and 74 bits of randomness.

    ``entropy`` supplies the random part; the same arguments give the same id, which is what tests and replays need.
    """
    # The bits are those of encode(UUIDv7), written out: a lead needs a dozen ids. The moment fills the first ten
    # characters to the bit, and many ids share it.
    head = _encode_moment(int(at.timestamp() * 1000) & (1 << 48) - 1)
    high = 7 << 36 | (entropy >> 62 & 0xFFF) << 24 | 2 << 22 | entropy >> 40 & (1 << 22) - 1
    low = entropy & (1 << 40) - 1
    return (
        f"{prefix}_{head}"
        f"{_PAIRS[high >> 30]}{_PAIRS[high >> 20 & 1023]}{_PAIRS[high >> 10 & 1023]}{_PAIRS[high & 1023]}"
        f"{_PAIRS[low >> 30]}{_PAIRS[low >> 20 & 1023]}{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"
    )


@lru_cache(16)
def _encode_moment(millis: int) -> str:
    return "".join([_PAIRS[millis >> shift & 1023] for shift in range(40, -1, -10)])


def mint(prefix: str, at: datetime) -> str:
    """A fresh id from the operating system's randomness: the :data:`Mint` of a running program."""
    return make_id(prefix, at, secrets.randbits(74))


def looks_like(text: str, prefix: str) -> bool:
    """Whether ``text`` has the shape of an id with this prefix; says nothing of whether such a thing exists."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == _LENGTH and all(c in _ALPHABET for c in tail)

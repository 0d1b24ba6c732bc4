"""Links that may be given away: addresses that carry their own permission.

Used by the console, which shows them, and by the pages they lead to.
"""

import hmac

from leadmill.parties import KeyedHash, Source

_PURPOSE = "posting-instructions"


def posting_path(keyed_hash: KeyedHash, source: Source) -> str:
    """The address of a source's posting instructions, with the permission to read them."""
    return f"/spec/{source.id}?t={_token(keyed_hash, source)}"


def may_read_posting(keyed_hash: KeyedHash, source: Source, given: str) -> bool:
    """Whether a link to a source's posting instructions is one of ours and still good: it ends when the source's key
    or its dialect's credentials change."""
    return hmac.compare_digest(_token(keyed_hash, source).encode(), given.encode(errors="replace"))


def _token(keyed_hash: KeyedHash, source: Source) -> str:
    return keyed_hash(_PURPOSE, "\n".join((source.id, source.key_hash, source.dialect.hash))).hex()[:40]

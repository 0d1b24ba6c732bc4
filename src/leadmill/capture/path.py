"""Where a lead has been: the marks that houses like this one leave on what they send, and the one that is ours.

Every request with a lead or a ping carries a mark in ``X-Leadmill-Path``, behind those it came with. A mark is an id
of ours with a keyed hash, so nobody else can make one and nobody can read more than an id out of it. What comes in
with a mark of ours has been here before: whoever got it from us has sold it back.
"""

import hmac
import re
from collections.abc import Callable

HEADER = "x-leadmill-path"
"""The header, in lower case."""

_LONGEST = 2000
_MOST = 20
_MARK = re.compile(r"[A-Za-z0-9_.:-]{1,200}")

KeyedHash = Callable[[str, str], bytes]


def mark_path(keyed_hash: KeyedHash, ident: str, before: str = "") -> str:
    """The header's value for a lead or a ping of this id; ``before`` is the value it came with."""
    marks = [mark for part in before[:_LONGEST].split(",") if _MARK.fullmatch(mark := part.strip())]
    return ",".join([*marks[-_MOST + 1 :], f"{ident}.{_seal(keyed_hash, ident)}"])


def find_own(keyed_hash: KeyedHash, path: str) -> str | None:
    """The id by which we have seen what comes with this path; None where we have not."""
    for mark in path[:_LONGEST].split(",")[:_MOST]:
        ident, _, seal = mark.strip().rpartition(".")
        if ident and hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(keyed_hash, ident).encode()):
            return ident
    return None


def _seal(keyed_hash: KeyedHash, ident: str) -> str:
    return keyed_hash("path", ident).hex()

"""How a person who comes back is recognised: by something that we gave them, never by what they type.

Called by the pages of hosted forms and by whoever writes to a person. What is given away is sealed: it shows nothing,
cannot be made or changed by anybody else, and ends by itself. It names a lead, and what is known is looked up by that
lead each time; so it is worth nothing any more once the person is forgotten. ``docs/decisions/0023`` says why.
"""

from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.runtime.tokens import bytes_of, token_of
from leadmill.runtime.vault import Vault

_LONGEST = 4_000
_PARTS = ("form return 1", "form return 2")


class Returning(Struct, frozen=True, array_like=True, tag="r"):
    """Somebody who sent ``lead_id`` to a source before; good until a moment (seconds since 1970)."""

    lead_id: str
    source_id: str
    until: int


class LeftOut(Struct, frozen=True, array_like=True, tag="l"):
    """Which questions a page did not ask of whoever sent ``lead_id``: the page of a form in a version, served at a
    moment and good until another (both seconds since 1970)."""

    lead_id: str
    form: str
    version: str
    fields: list[str]
    served: int
    until: int


T = TypeVar("T", Returning, LeftOut)


def seal_token(vault: Vault, token: Returning | LeftOut) -> str:
    """The token as a text for a cookie, a link or a page."""
    kind = type(token).__name__
    return token_of(vault.seal(_key(vault), msgspec.msgpack.encode(token), kind))


def read_token(vault: Vault, text: str, kind: type[T], now: datetime) -> T | None:
    """What :func:`seal_token` wrote; None for what is not ours, of another kind, or has had its time."""
    if not 0 < len(text) <= _LONGEST:
        return None
    try:
        found = msgspec.msgpack.decode(vault.open(_key(vault), bytes_of(text), kind.__name__), type=kind)
    except (Permanent, ValueError, msgspec.DecodeError):
        return None
    return found if now < datetime.fromtimestamp(found.until, UTC) else None


def _key(vault: Vault) -> bytes:
    first, second = (vault.keyed_hash(part, "") for part in _PARTS)
    return first + second

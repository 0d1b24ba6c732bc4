"""The recording of a visit as it comes in: pieces of what rrweb saw, read strictly and put together again. Pure.

Inputs are masked where they are recorded, in the browser; here a recording is looked through once more before it is
kept, since what a browser promises cannot be known.
"""

import hashlib
import zlib
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from leadmill.consent.certificate import without_tags
from leadmill.consent.seen import holds, unpack
from leadmill.core.faults import BadInput

MOST_BYTES = 6 << 20
"""What a recording may come to, in bytes of JSON. A form filled in within minutes is a hundredth of it."""

MOST_CHUNKS = 600

_LONGEST = 1 << 20


class Chunk(Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a recording: the ``visit`` it is of (its token), its number, and rrweb's events. ``discard`` says that
    the person does not want to be recorded after all: everything is let go."""

    visit: Annotated[str, Meta(max_length=500)]
    seq: Annotated[int, Meta(ge=0, lt=MOST_CHUNKS)] = 0
    events: list[msgspec.Raw] = []
    discard: bool = False


class Stamped(Struct, frozen=True):
    """The part of an event of rrweb that is read here: its kind, and its moment in milliseconds since 1970."""

    type: Annotated[int, Meta(ge=0, le=20)]
    timestamp: Annotated[float, Meta(ge=0, le=1e14)]


class Put(Struct, frozen=True):
    """A whole recording: its events as one JSON list, how many, over how many seconds, and the list's SHA-256."""

    events: bytes
    count: int
    seconds: float
    digest: bytes


_chunk = msgspec.json.Decoder(Chunk)
_stamps = msgspec.json.Decoder(list[Stamped])
_pieces = msgspec.json.Decoder(list[msgspec.Raw])


def read_chunk(body: bytes) -> Chunk:
    """A piece as the browser sent it. Raises :class:`BadInput` ``consent.replay.malformed``."""
    try:
        found = _chunk.decode(body)
        _stamps.decode(joined(found.events))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput("consent.replay.malformed", "this is no piece of a recording") from None
    return found


def joined(events: Iterable[msgspec.Raw]) -> bytes:
    """Events as one JSON list."""
    return b"[" + b",".join(bytes(event) for event in events) + b"]"


def packed(events: bytes) -> bytes:
    """A list of events, compressed."""
    return zlib.compress(events, 6)


def put_together(chunks: Iterable[bytes]) -> Put:
    """A whole recording of its compressed pieces, by time. Raises :class:`ValueError` for a piece that is none."""
    events: list[tuple[float, bytes]] = []
    for chunk in chunks:
        plain = unpack(chunk, _LONGEST)
        try:
            stamps, pieces = _stamps.decode(plain), _pieces.decode(plain)
        except msgspec.DecodeError as fault:
            raise ValueError("no events") from fault
        events += [(one.timestamp, bytes(raw)) for one, raw in zip(stamps, pieces, strict=True)]
    events.sort(key=lambda event: event[0])  # stable: of one moment as they came
    whole = without_tags(b"[" + b",".join(raw for _, raw in events) + b"]")
    seconds = (events[-1][0] - events[0][0]) / 1000 if events else 0.0
    return Put(whole, len(events), round(seconds, 3), hashlib.sha256(whole).digest())


def unmasked(put: Put, values: dict[str, Any]) -> bool:
    """Whether the recording holds what the person typed, which it must not."""
    return holds(put.events.decode("utf-8", "replace"), values)

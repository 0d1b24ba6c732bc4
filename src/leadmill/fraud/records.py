"""Sightings of one mark as bytes, and the sliding windows over them.

A mark's row holds one record a lead, in the order in which the leads locked it: that order is what makes counts exact,
whatever the clocks of several processes say. Pure; called by the listener.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zlib import crc32

from msgspec import Struct

_LAYOUT = struct.Struct(">qIH8s4s")
SIZE = _LAYOUT.size
"""Bytes of a record."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND

Record = tuple[int, int, int, bytes, bytes]
"""Microseconds since 1970, source, vertical, person, family name; the last four as short hashes, the name empty bytes
where there is none."""

_NOBODY = bytes(4)


class Counted(Struct, frozen=True):
    """A mark as one lead meets it; see :class:`~leadmill.fraud.model.Sighting` for the fields."""

    counts: tuple[int, ...]
    persons: tuple[int, ...]
    elsewhere: int | None
    vertical: int | None
    names: int


def pack(at: datetime, source_id: str, vertical: str, person_id: str, name: bytes) -> bytes:
    """A sighting as bytes. Sources and verticals go in as checksums: two that share one only go unnoticed."""
    return _LAYOUT.pack(
        (at - _EPOCH) // _MICRO,
        crc32(source_id.encode()),
        crc32(vertical.encode()) & 0xFFFF,
        _tail(person_id),
        name,
    )


def without(seen: bytes, person_ids: Iterable[str]) -> bytes:
    """The sightings of a mark but for those of these persons, in their order."""
    tails = {_tail(each) for each in person_ids}
    parts = (seen[at : at + SIZE] for at in range(0, len(seen), SIZE))
    return b"".join(part for part in parts if _LAYOUT.unpack(part)[3] not in tails)


def _tail(person_id: str) -> bytes:
    return person_id[-8:].encode("ascii", "replace")


def unpack(seen: bytes) -> list[Record]:
    """The sightings of a mark, in the order in which they were counted."""
    return list(_LAYOUT.iter_unpack(seen))


def moment_of(record: Record) -> datetime:
    """When a sighting was."""
    return _EPOCH + record[0] * _MICRO


def count(records: Sequence[Record], own: int, windows: Sequence[int]) -> Counted:
    """How often a mark was seen, for the lead whose sighting is number ``own``.

    A window of w seconds holds the lead itself and every sighting counted before it that is less than w seconds older.
    One that is younger, because its process's clock runs ahead, was counted before it all the same.
    """
    at, source, vertical, _, name = records[own]
    spans = [window * _SECOND for window in windows]
    counts = [0] * len(spans)
    persons: list[set[bytes]] = [set() for _ in spans]
    elsewhere = others = at
    names = set()
    for when, its_source, its_vertical, its_person, its_name in records[: own + 1]:
        age = at - when
        for place, span in enumerate(spans):
            if age < span:
                counts[place] += 1
                persons[place].add(its_person)
        if its_source != source:
            elsewhere = min(elsewhere, when)
        elif its_vertical != vertical:
            others = min(others, when)
        if its_name != name and its_name != _NOBODY and name != _NOBODY:
            names.add(its_name)
    return Counted(
        tuple(counts),
        tuple(map(len, persons)),
        (at - elsewhere) // _DAY if elsewhere < at else None,
        (at - others) // _DAY if others < at else None,
        len(names),
    )


def over_until(records: Sequence[Record], windows: Sequence[int], limits: Sequence[int | None]) -> datetime | None:
    """Until when every limit stays exceeded although nothing more is counted; None where one is not exceeded, or
    there is none.

    A limit of n a window is exceeded as long as the sighting n before the last is within the window.
    """
    ends = []
    times = sorted(record[0] for record in records)
    for window, most in zip(windows, limits, strict=True):
        if most is None:
            continue
        if len(times) <= most:
            return None
        ends.append(times[-1 - most] + window * _SECOND)
    return _EPOCH + min(ends) * _MICRO if ends else None

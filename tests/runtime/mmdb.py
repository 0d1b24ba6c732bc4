"""Writes small files of MaxMind's format (MaxMind DB File Format Specification 2.0), for tests to look up in."""

import struct
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from msgspec import Struct

_MARK = b"\xab\xcd\xefMaxMind.com"
_GAP = 16


class _Sized(Struct):
    """A number of a size that the reader insists on: 5 for two bytes, 9 for eight."""

    kind: int
    value: int


def _encoded(value: object) -> bytes:
    if isinstance(value, bool):
        return _head(14, int(value))
    if isinstance(value, str):
        data = value.encode()
        return _head(2, len(data)) + data
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        return _unsigned(6, value)
    if isinstance(value, _Sized):
        return _unsigned(value.kind, value.value)
    if isinstance(value, Mapping):
        parts = (_encoded(key) + _encoded(item) for key, item in value.items())
        return _head(7, len(value)) + b"".join(parts)
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(map(_encoded, value))
    raise TypeError(type(value).__name__)


def _unsigned(kind: int, value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _head(kind, len(data)) + data


def _head(kind: int, size: int) -> bytes:
    rest = b""
    if size >= 29:
        size, rest = (29, bytes([size - 29])) if size < 285 else (30, (size - 285).to_bytes(2, "big"))
    if kind > 7:  # an extended kind stands in a byte of its own
        return bytes([size, kind - 7]) + rest
    return bytes([kind << 5 | size]) + rest


def write_mmdb(path: Path, networks: Mapping[str, Mapping[str, Any]], kind: str = "Test") -> Path:
    """A file that says of each network what stands there. IPv4 networks lie where readers look for them, in ::/96."""
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    ends: dict[tuple[int, int], int] = {}
    for text, record in networks.items():
        network: IPv4Network | IPv6Network = ip_network(text)
        bits = f"{int(network.network_address):0128b}"[: network.prefixlen + (96 if network.version == 4 else 0)]
        at = 0
        for bit in bits[:-1]:
            after = nodes[at][int(bit)]
            if after is None:
                nodes.append([None, None])
                after = nodes[at][int(bit)] = len(nodes) - 1
            at = after
        ends[at, int(bits[-1])] = len(data)
        data += _encoded(record)
    count = len(nodes)
    tree = b""
    for number, node in enumerate(nodes):
        for side in (0, 1):
            after = node[side]
            if (number, side) in ends:
                after = count + _GAP + ends[number, side]
            tree += (count if after is None else after).to_bytes(3, "big")
    meta = {
        "binary_format_major_version": _Sized(5, 2),
        "binary_format_minor_version": _Sized(5, 0),
        "build_epoch": _Sized(9, 1_770_000_000),
        "database_type": kind,
        "description": {"en": "made by a test"},
        "ip_version": _Sized(5, 6),
        "languages": ["en"],
        "node_count": count,
        "record_size": _Sized(5, 24),
    }
    path.write_bytes(tree + bytes(_GAP) + data + _MARK + _encoded(meta))
    return path

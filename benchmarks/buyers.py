"""Stand-ins for buyers' ping services: answer after a while, in JSON, or misbehave as the address asks.

An address says what its buyer does: ``/ping/7?do=bid&ms=20&price=41.50`` bids after 20 ms. ``do`` is one of ``bid``,
``decline``, ``duplicate``, ``malformed``, ``contradict``, ``silent`` (says nothing that is yes or no), ``same``
(always the same bid id), ``page``, ``error``, ``hang`` and ``reset``. Run as a process of its own by
:mod:`benchmarks.auction`, so that its CPU is counted apart; started within the loop by tests. It speaks just enough
HTTP/1.1 to be cheap.
"""

import asyncio
import itertools
import sys
from collections import Counter
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import uvloop

_numbers = itertools.count(1)


@lru_cache(4096)
def _wish(target: str) -> tuple[str, float, str]:
    asked = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
    return asked.get("do", "bid"), float(asked.get("ms", "0")) / 1000, asked.get("price", "25.00")


def _told(do: str, price: str) -> tuple[int, str, bytes]:
    """Status, media type and body."""
    plain = "application/json"
    if do == "bid":
        return 200, plain, f'{{"status":"accepted","ping_id":"b{next(_numbers)}","price":"{price}"}}'.encode()
    if do == "same":
        return 200, plain, f'{{"status":"accepted","ping_id":"b0","price":"{price}"}}'.encode()
    if do == "decline":
        return 200, plain, b'{"status":"rejected","reason":"Outside our area"}'
    if do == "duplicate":
        return 200, plain, b'{"status":"duplicate","reason":"We know this one"}'
    if do == "malformed":
        return 200, plain, b'{"status":"accepted","price":'
    if do == "contradict":
        return 200, plain, f'{{"status":"rejected","price":"{price}"}}'.encode()
    if do == "silent":
        return 200, plain, b'{"hello":"world"}'
    if do == "page":
        return 200, "text/html", b"<!doctype html><title>Sign in</title>"
    return 500, "text/plain", b"Internal server error"


class Stub(asyncio.Protocol):
    """One connection, kept alive. ``heard`` counts requests by what was asked; ``bodies`` keeps the first few."""

    heard: Counter[str] = Counter()
    bodies: list[tuple[dict[str, str], bytes]] = []

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller came."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request when its time has come."""
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            lines = head.split(b"\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
            length = int(headers.get(b"content-length", b"0"))
            if len(rest) < length:
                return
            body, self._buffer = rest[:length], rest[length:]
            target = lines[0].split(b" ")[1].decode()
            do, wait, price = _wish(target)
            self.heard[do] += 1
            if len(self.bodies) < 200:
                self.bodies.append(({k.decode(): v.decode() for k, v in headers.items()}, body))
            loop = asyncio.get_running_loop()
            if do == "hang":
                continue
            if not wait:
                self._answer(do, price)
                continue
            loop.call_later(wait, self._answer, do, price)

    def _answer(self, do: str, price: str) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if do == "reset":
            transport.abort()
            return
        status, media, told = _told(do, price)
        transport.write(
            f"HTTP/1.1 {status} OK\r\nContent-Type: {media}\r\nContent-Length: {len(told)}\r\n\r\n".encode() + told
        )


async def serve(host: str = "127.0.0.1", port: int = 0) -> tuple[asyncio.Server, int]:
    """Listen; the server and its port."""
    server = await asyncio.get_running_loop().create_server(Stub, host, port, backlog=2048)
    return server, server.sockets[0].getsockname()[1]


async def _main() -> None:
    server, port = await serve()
    print(port, flush=True)
    # It ends with whoever started it.
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, gone.set)
    await gone.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(_main())

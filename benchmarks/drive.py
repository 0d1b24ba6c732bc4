"""The load: valid leads over kept-alive HTTP connections, and how they were answered.

Run as a process of its own by :mod:`benchmarks.intake`, so that its CPU is counted apart. Orders come as JSON lines
on standard input (:class:`Order`), each answered with the lines ``begin`` and ``end`` at the edges of the measured
window and one line of JSON (:class:`Report`) on standard output. It speaks just
enough HTTP/1.1 to be cheap: requests are made before the clock starts, answers are cut by their length.
"""

import asyncio
import gc
import random
import resource
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from benchmarks.business import SOURCE_KEY
from benchmarks.figures import percentile
from benchmarks.leads import body, ping_body

_PATIENCE = 15.0
"""Seconds that answers still owed at the end of a phase are waited for."""


class Order(Struct, frozen=True):
    """A phase: lead numbers from ``first`` on, ``seconds`` long after ``warm_up``, over ``connections``. ``rate`` is
    leads a second at random moments; 0 means that each connection sends as soon as it is answered. ``most`` bounds
    the leads. ``pings`` asks for their prices, without the persons, in the place of sending them."""

    first: int
    most: int
    seconds: float
    warm_up: float
    connections: int
    rate: float = 0.0
    pings: bool = False


class Report(Struct, frozen=True):
    """What a phase showed. ``sent`` counts from its very beginning; all else is of the measured window, whose edges
    ``began`` and ``ended`` are on the monotonic clock. Latencies are milliseconds; ``outcomes`` are the leads' own
    statuses, ``statuses`` HTTP's. ``exhausted`` tells that the leads ran out early."""

    sent: int
    seconds: float
    began: float
    ended: float
    statuses: dict[str, int]
    outcomes: dict[str, int]
    p50: float
    p95: float
    p99: float
    worst: float
    own_cpu: float
    lost: int
    exhausted: bool
    refusal: str = ""


def _request(host: str, number: int, ping: bool) -> bytes:
    content = ping_body(number) if ping else body(number)
    head = (
        f"POST /v1/{'ping' if ping else 'leads'} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {SOURCE_KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class _Phase:
    def __init__(self, order: Order, requests: deque[bytes]) -> None:
        self.order = order
        self.requests = requests
        self.free: deque[_Connection] = deque()
        self.due: deque[float] = deque()
        self.sent = 0
        self.open = 0
        self.lost = 0
        self.counting = False
        self.ending = False
        self.quiet = asyncio.Event()
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.refusal = ""

    def next(self, connection: "_Connection") -> None:
        """Give a free connection its next request."""
        if self.order.rate:
            if not self.due:
                self.free.append(connection)
                return
            at = self.due.popleft()
        else:
            at = time.perf_counter()
        if self.ending or not self.requests:
            if not self.open:
                self.quiet.set()
            return
        self.sent += 1
        self.open += 1
        connection.send(self.requests.popleft(), at)

    def arrive(self, at: float) -> None:
        """A lead is due now, whether or not a connection is free: waiting for one counts as latency."""
        self.due.append(at)
        if self.free:
            self.next(self.free.popleft())

    def answered(self, connection: "_Connection", head: bytes, content: bytes, began: float) -> None:
        """Count an answer."""
        self.open -= 1
        if self.counting:
            self.latencies.append((time.perf_counter() - began) * 1000)
            status = head[9:12].decode("latin-1")
            self.statuses[status] += 1
            mark = content.find(b'"status":"')
            if status == "201" and mark >= 0:
                self.outcomes[content[mark + 10 : content.index(b'"', mark + 10)].decode()] += 1
            elif not self.refusal:
                self.refusal = content[:300].decode("utf-8", "replace")
        if self.ending and not self.open:
            self.quiet.set()
        self.next(connection)


class _Connection(asyncio.Protocol):
    def __init__(self, phase: _Phase) -> None:
        self.phase = phase
        self.buffer = b""
        self.began = 0.0
        self.busy = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its bases

    def send(self, request: bytes, at: float) -> None:
        """Send a request that was due ``at``."""
        assert self.transport is not None
        self.began = at
        self.busy = True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data if self.buffer else data
        end = data.find(b"\r\n\r\n")
        mark = data.lower().find(b"content-length:", 0, end) if end >= 0 else -1
        if end < 0 or mark < 0:
            self.buffer = data
            return
        length = int(data[mark + 15 : data.index(b"\r\n", mark)])
        if len(data) < end + 4 + length:
            self.buffer = data
            return
        self.buffer = b""
        self.busy = False
        self.phase.answered(self, data[:end], data[end + 4 :], self.began)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy:
            self.phase.lost += 1
            self.phase.open -= 1
            if self.phase.ending and not self.phase.open:
                self.phase.quiet.set()


async def drive(host: str, port: int, order: Order) -> Report:
    """Drive one phase."""
    phase = _Phase(order, deque(_request(f"{host}:{port}", order.first + n, order.pings) for n in range(order.most)))
    gc.freeze()  # the requests are no garbage, and looking through them again and again would show as latency
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(order.connections):
        _, made = await loop.create_connection(lambda: _Connection(phase), host, port)
        connections.append(made)
        await asyncio.sleep(0.002)  # so that every web process takes its share of them
    pace = asyncio.create_task(_pace(phase)) if order.rate else None
    for made in connections:
        phase.next(made)
    await asyncio.sleep(order.warm_up)
    _mark("begin")
    began, cpu = time.monotonic(), _own_cpu()
    phase.counting = True
    until = began + order.seconds
    while time.monotonic() < until and (phase.requests or phase.open):  # noqa: ASYNC110 both, and the hot path stays bare
        await asyncio.sleep(min(0.05, max(0.0, until - time.monotonic())))
    phase.counting = False
    ended, cpu = time.monotonic(), _own_cpu() - cpu
    _mark("end")
    exhausted = not phase.requests
    phase.ending = True
    if pace is not None:
        pace.cancel()
    if phase.open:
        try:
            await asyncio.wait_for(phase.quiet.wait(), _PATIENCE)
        except TimeoutError:
            phase.lost += phase.open
    for made in connections:
        if made.transport is not None:
            made.transport.abort()
    ordered = sorted(phase.latencies)
    return Report(
        sent=phase.sent,
        seconds=ended - began,
        began=began,
        ended=ended,
        statuses=dict(phase.statuses),
        outcomes=dict(phase.outcomes),
        p50=percentile(ordered, 0.50),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        worst=percentile(ordered, 1.0),
        own_cpu=cpu,
        lost=phase.lost,
        exhausted=exhausted,
        refusal=phase.refusal,
    )


async def _pace(phase: _Phase) -> None:
    """Let leads arrive one by one, at random moments that do not wait for anybody (a Poisson process)."""
    chance = random.Random(phase.order.first)
    due = time.perf_counter()
    while True:
        now = time.perf_counter()
        while due <= now:
            phase.arrive(due)
            due += chance.expovariate(phase.order.rate)
        await asyncio.sleep(max(0.0005, due - now))


def _mark(word: str) -> None:
    """Tell the benchmark that the measured window begins or ends, to read the others' CPU at once."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _orders() -> Iterator[Order]:
    for line in sys.stdin:
        yield msgspec.json.decode(line, type=Order)


def main() -> int:
    """Drive phase after phase until standard input ends. Arguments: host and port."""
    host, port = sys.argv[1], int(sys.argv[2])
    for order in _orders():
        gc.collect()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(drive(host, port, order))
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

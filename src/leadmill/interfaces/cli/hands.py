"""Processes that help an import: started with it, given portions of its file over a socket, gone with it.

``leadmill import`` starts them with :func:`hired` before it opens its own house, so that all open theirs at once; each
runs the hidden command ``hand``. One that dies is done without. When the import ends, however it ends, its end of
the socket closes, and a hand that finds it closed ends as well.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from leadmill.capture import ImportBlock, ImportRun
from leadmill.flow.importing import HandLost, Portion, walk_portions
from leadmill.interfaces.house import House
from leadmill.runtime.db import Tx

_PATIENCE = 15.0
"""Seconds a hand has to end by itself before it is stopped; what it leaves undone is not taken, and nothing is lost."""

_LENGTH = 4
_READY = b""
"""The first frame of a hand: its house is open."""


class _Line:
    """Frames over a socket, each with its length before it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> "_Line":
        """A line over one end of a pair of sockets."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, frame: bytes) -> None:
        """Send a frame; what the other end does not take yet waits here."""
        self._writer.write(len(frame).to_bytes(_LENGTH, "big") + frame)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def frame(self) -> bytes | None:
        """The next frame; None once the other end is gone."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None


class _Process:
    """A helping process as the import sees it; a ``Hand``."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: socket.socket) -> None:
        self.process = process
        self.begun = False
        self._end = end
        self._line: _Line | None = None

    async def begin(self, run: ImportRun) -> None:
        """Tell it which import it is, once its house is open."""
        self._line = await _Line.over(self._end)
        await self._frame()
        self._send(run)
        self.begun = True

    async def give(self, portion: Portion) -> None:
        """Send it a portion."""
        self._send(portion)

    async def told(self) -> ImportBlock:
        """What it has taken next."""
        return _BLOCK.decode(await self._frame())

    def _send(self, value: object) -> None:
        if self._line is not None:
            self._line.send(_encode(value))

    async def _frame(self) -> bytes:
        frame = await self._line.frame() if self._line is not None else None
        if frame is None:
            raise HandLost
        return frame

    def let_go(self) -> None:
        """Hang up; one that has not begun is stopped, for it would notice only once its house is open."""
        if self._line is not None:
            self._line.close()
        if not self.begun:
            self.process.terminate()

    def end(self, until: float) -> None:
        """Wait until it has ended; it is made to where it takes longer."""
        if self._line is None:
            self._end.close()
            self.process.terminate()
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def hired(count: int, environ: Mapping[str, str]) -> Iterator[list[_Process]]:
    """So many processes more for an import, which lets each go; when the block ends, they have ended."""
    processes: list[_Process] = []
    try:
        for _ in range(count):
            processes.append(_hire(environ))
        yield processes
    finally:
        until = time.monotonic() + _PATIENCE
        for one in processes:
            one.end(until)


def _hire(environ: Mapping[str, str]) -> _Process:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603  our own program with our own arguments
            [sys.executable, "-m", "leadmill", "hand", "--fd", str(theirs.fileno())],
            env=dict(environ),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # A Ctrl-C on the terminal goes to the import alone, which then hangs up.
            start_new_session=True,
        )
    return _Process(process, ours)


class _Given:
    """An import's portions as a helping process sees them; a ``Work``."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    async def draw(self) -> Portion | None:
        """The next portion; None once the import is done or gone."""
        frame = await self._line.frame()
        return _PORTION.decode(frame) if frame is not None else None

    def tell(self, block: ImportBlock) -> None:
        """Tell the import what was taken."""
        self._line.send(_encode(block))

    async def mark(self, tx: Tx, block: ImportBlock) -> None:
        """How far the whole import is, the import itself writes."""


async def lend_a_hand(house: House, fd: int) -> None:
    """Walk portions of an import that another process reads, until it hangs up."""
    line = await _Line.over(socket.socket(fileno=fd))
    line.send(_READY)
    begun = await line.frame()
    if begun is not None:
        await walk_portions(house.kit, _RUN.decode(begun), _Given(line))


_encode = msgspec.msgpack.Encoder().encode
_RUN = msgspec.msgpack.Decoder(ImportRun)
_PORTION = msgspec.msgpack.Decoder(Portion)
_BLOCK = msgspec.msgpack.Decoder(ImportBlock)

"""Who walks which portion of a file: read once, handed out in order, handed out again where a hand was lost.

Called by ``runs``. What is counted here is for whoever watches; what was taken is in the store.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from leadmill.capture import BLOCK, ImportBlock, ImportRun, RowFault
from leadmill.capture.store import move_import
from leadmill.flow.importing.model import Hand, HandLost, Portion, Progress, Row
from leadmill.flow.kit import Kit
from leadmill.runtime.db import Tx

AHEAD = 3
"""Portions a hand has at a time: one that is written, one that is made ready, and one on its way to it."""

TURN = 0.001
"""Seconds of preparing after which whoever else has something to do gets the loop: the portion that is being written
holds the counters of its orders, and must take up the store's replies as they come."""

Rows = Iterator[tuple[int, dict[str, object] | RowFault]]


class Tally:
    """What is known to be taken of a file."""

    def __init__(self, blocks: Sequence[ImportBlock]) -> None:
        self.rows = 0
        self.counts: dict[str, int] = {}
        self._blocks: dict[int, ImportBlock] = {}
        for block in blocks:
            self.note(block)

    def taken(self, block: int) -> int:
        """Rows of a block that are taken."""
        known = self._blocks.get(block)
        return known.taken if known is not None else 0

    def note(self, block: ImportBlock) -> None:
        """Take in how much of a block is taken now."""
        known = self._blocks.get(block.block)
        self.rows, self.counts = self._with(block, known)
        self._blocks[block.block] = block

    def seen_with(self, run: ImportRun, block: ImportBlock) -> ImportRun:
        """The run as it will stand once a block is taken so far."""
        rows, counts = self._with(block, self._blocks.get(block.block))
        return msgspec.structs.replace(run, next_row=rows, counts=counts)

    def _with(self, block: ImportBlock, known: ImportBlock | None) -> tuple[int, dict[str, int]]:
        counts = dict(self.counts)
        for sign, counted in ((1, block.counts), (-1, known.counts if known is not None else {})):
            for code, count in counted.items():
                counts[code] = counts.get(code, 0) + sign * count
        return self.rows + block.taken - (known.taken if known is not None else 0), counts


class Foreman:
    """Hands a file's portions out to this process and to others, and keeps count of what comes back."""

    def __init__(self, kit: Kit, run: ImportRun, tally: Tally, rows: Rows, progress: Progress) -> None:
        self._kit = kit
        self._run = run
        self._tally = tally
        self._rows = rows
        self._progress = progress
        self._block = 0
        self._back: deque[Portion] = deque()
        self._reading = asyncio.Lock()
        self._idle: set[asyncio.Task[None] | None] = set()

    @property
    def run(self) -> ImportRun:
        """The run as far as it is known to be taken."""
        return msgspec.structs.replace(self._run, next_row=self._tally.rows, counts=self._tally.counts)

    async def draw(self) -> Portion | None:
        """The next portion of which anything is left to take; None where all are taken or given to somebody."""
        async with self._reading:
            if self._back:
                return self._back.popleft()
            while True:
                block = self._block
                taken = self._tally.taken(block)
                passed, rows = await self._read(taken)
                if not passed:
                    return None
                self._block = block + 1
                if rows:
                    return Portion(block, taken, rows)

    async def _read(self, skip: int) -> tuple[int, list[Row]]:
        """How many rows the next block has, and those after the first ``skip``."""
        passed = 0
        rows: list[Row] = []
        turn = time.perf_counter() + TURN
        for line, row in islice(self._rows, BLOCK):
            passed += 1
            if passed > skip:
                rows.append((line, row if isinstance(row, RowFault) else _encode(row)))
            if time.perf_counter() > turn:
                await asyncio.sleep(0)
                turn = time.perf_counter() + TURN
        return passed, rows

    def tell(self, block: ImportBlock) -> None:
        """Hear how much of a block is taken."""
        self._tally.note(block)
        self._progress(self.run)

    async def mark(self, tx: Tx, block: ImportBlock) -> None:
        """Write how far the run is, for the pages that show it."""
        seen = self._tally.seen_with(self._run, block)
        await move_import(tx, msgspec.structs.replace(seen, state="running", changed_at=self._kit.clock()))

    async def employ(self, hand: Hand) -> None:
        """Give a hand portions until none is left. Those that it has not taken when it is lost come back."""
        given: dict[int, Portion] = {}
        task = asyncio.current_task()
        self._idle.add(task)
        try:
            await hand.begin(self._run)
            self._idle.discard(task)
            while True:
                while len(given) < AHEAD and (portion := await self.draw()) is not None:
                    given[portion.block] = portion
                    await hand.give(portion)
                if not given:
                    return
                block = await hand.told()
                self.tell(block)
                if block.block in given and block.taken >= given[block.block].end:
                    del given[block.block]
        except HandLost:
            self._back.extend(given.values())

    def dismiss(self) -> None:
        """Nothing is left to give: do without the hands that have not even begun."""
        for task in self._idle:
            if task is not None:
                task.cancel()


_encode = msgspec.json.Encoder().encode

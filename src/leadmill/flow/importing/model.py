"""A portion of a file, what became of a file, and who walks portions."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from leadmill.capture import ImportBlock, ImportRun, RowFault
from leadmill.runtime.db import Tx

Row = tuple[int, bytes | RowFault]
"""A row of the file with its line: a body as JSON, or why it could not be read."""

Progress = Callable[[ImportRun], None]


class Portion(Struct, frozen=True):
    """Rows of one block of a file, in order; ``skip`` rows of the block come before them."""

    block: int
    skip: int
    rows: list[Row]

    @property
    def end(self) -> int:
        """How many rows of its block are taken once it is."""
        return self.skip + len(self.rows)

    def beyond(self, taken: int) -> "Portion":
        """What is left of it where ``taken`` rows of the block are taken, no fewer than it skips."""
        return Portion(self.block, taken, self.rows[taken - self.skip :])

    def singly(self) -> "list[Portion]":
        """Its rows one by one."""
        return [Portion(self.block, self.skip + place, [row]) for place, row in enumerate(self.rows)]


class Summary(Struct, frozen=True):
    """What became of a file: ``read`` rows, and as many leads and faults by outcome. ``accepted`` counts nurture and
    unsold leads; ``rejected`` has one count a code, rows that could not be taken included."""

    import_id: str
    read: int
    sold: int
    assigned: int
    accepted: int
    review: int
    duplicate: int
    test: int
    rejected: dict[str, int]
    errors_file: str | None


class Work(Protocol):
    """Where a process that walks portions gets them from."""

    async def draw(self) -> Portion | None:
        """The next portion; None where there is none."""

    def tell(self, block: ImportBlock) -> None:
        """Hear how much of a block is taken, durably."""

    async def mark(self, tx: Tx, block: ImportBlock) -> None:
        """Write what else is to be written in the transaction that takes rows of a block."""


class HandLost(Exception):
    """A hand is not there any more. What it was given may be taken or not; the store knows."""


class Hand(Protocol):
    """Another process that walks portions. Each of these raises :class:`HandLost`."""

    async def begin(self, run: ImportRun) -> None:
        """Tell it which import it is; returns once it can walk portions."""

    async def give(self, portion: Portion) -> None:
        """Give it a portion to walk after those it has."""

    async def told(self) -> ImportBlock:
        """Wait until it has taken rows of a block; how much of that block is taken now."""
        ...

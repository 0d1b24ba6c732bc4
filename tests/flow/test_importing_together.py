"""Files of leads taken in by several at once: every row once, whoever is lost on the way."""

import asyncio
from collections import Counter
from pathlib import Path

from msgspec.json import encode

from leadmill.capture import BLOCK, ImportBlock, ImportRun, read_map, read_rows
from leadmill.flow.importing import HandLost, Portion, Row, Summary, begin_import, import_file, walk_portions
from leadmill.flow.kit import Kit
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.runtime.db import Tx
from tests.flow.stage import BUSINESS, apply, count, stored
from tests.flow.test_importing import bring, file_of, quiet, row, total

ROWS = 3 * BLOCK + 30


class Neighbour:
    """A hand that walks portions beside the import; ``dies`` says after how many of them it is gone, untold."""

    def __init__(self, kit: Kit, dies: int | None = None) -> None:
        self.kit = kit
        self.blocks: list[int] = []
        self._dies = dies
        self._given: asyncio.Queue[Portion] = asyncio.Queue()
        self._told: asyncio.Queue[ImportBlock | None] = asyncio.Queue()
        self.walking: asyncio.Task[None] | None = None

    async def begin(self, run: ImportRun) -> None:
        self.walking = asyncio.create_task(walk_portions(self.kit, run, self))

    async def give(self, portion: Portion) -> None:
        self._given.put_nowait(portion)

    async def told(self) -> ImportBlock:
        block = await self._told.get()
        if block is None:
            raise HandLost
        return block

    async def draw(self) -> Portion | None:
        return await self._given.get()

    def tell(self, block: ImportBlock) -> None:
        self.blocks.append(block.block)
        if len(self.blocks) == self._dies and self.walking is not None:
            self.walking.cancel()
            self._told.put_nowait(None)
            return
        self._told.put_nowait(block)

    async def mark(self, tx: Tx, block: ImportBlock) -> None:
        """What the import writes is the import's."""

    def let_go(self) -> None:
        if self.walking is not None:
            self.walking.cancel()


async def together(house: House, path: Path, hand: Neighbour) -> Summary:
    try:
        return await import_file(house.kit, path, "acme", "solar", read_map(None), quiet, hands=[hand])
    finally:
        hand.let_go()


async def test_two_share_a_file_and_take_every_row_once(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    bad = {7, 2 * BLOCK + 1, ROWS - 1}
    rows = ["Ann,Smith\n" if number in bad else row(number) for number in range(ROWS)]
    hand = Neighbour(house.kit)
    summary = await together(house, file_of(tmp_path, *rows), hand)
    assert hand.blocks
    assert summary.read == total(summary) == ROWS
    assert (summary.sold, summary.rejected) == (ROWS - len(bad), {"capture.row.ragged": len(bad)})
    leads = await stored(house)
    assert len({lead.id for lead in leads}) == await count(house, "lead") == ROWS - len(bad)
    faults = (tmp_path / (summary.errors_file or "")).read_text().splitlines()[1:]
    assert [int(line.partition(",")[0]) for line in faults] == sorted(number + 2 for number in bad)
    assert await together(house, tmp_path / "leads.csv", hand) == summary
    assert (await verify(house.db, house.pen)).findings == []


async def test_what_a_lost_hand_has_left_is_taken_by_the_others_and_what_it_took_is_not_taken_again(
    house: House, tmp_path: Path
) -> None:
    await apply(house, BUSINESS)
    hand = Neighbour(house.kit, dies=1)
    summary = await together(house, file_of(tmp_path, *(row(number) for number in range(ROWS))), hand)
    assert len(hand.blocks) == 1
    assert (summary.read, summary.sold) == (ROWS, ROWS)
    assert await count(house, "lead") == await count(house, "sale") == ROWS


def rows_of(path: Path) -> list[Row]:
    """The rows of a file as they are handed out."""
    return [(line, encode(found)) for line, found in read_rows(path)]


class Some:
    """Portions chosen beforehand."""

    def __init__(self, portions: list[Portion]) -> None:
        self._portions = portions

    async def draw(self) -> Portion | None:
        return self._portions.pop(0) if self._portions else None

    def tell(self, block: ImportBlock) -> None:
        """Nobody listens."""

    async def mark(self, tx: Tx, block: ImportBlock) -> None:
        """Nobody looks."""


async def test_an_import_stopped_with_holes_behind_it_takes_what_is_in_the_holes(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, *(row(number) for number in range(ROWS)))
    run = await begin_import(house.kit, path, "acme", "solar", read_map(None))
    rows = rows_of(path)
    second, half = rows[BLOCK : 2 * BLOCK], rows[2 * BLOCK : 2 * BLOCK + 90]
    await walk_portions(house.kit, run, Some([Portion(1, 0, second), Portion(2, 0, half)]))
    seen: list[int] = []
    summary = await bring(house, path, lambda now: seen.append(now.next_row))
    assert (summary.read, summary.sold) == (ROWS, ROWS)
    assert await count(house, "lead") == ROWS
    assert Counter(lead.import_id for lead in await stored(house)).keys() == {summary.import_id}
    assert (seen[0], seen[-1]) == (BLOCK + 90, ROWS)
    assert seen == sorted(seen)


async def test_rows_that_somebody_took_meanwhile_are_left_to_him(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, *(row(number) for number in range(60)))
    run = await begin_import(house.kit, path, "acme", "solar", read_map(None))
    rows = rows_of(path)
    await walk_portions(
        house.kit, run, Some([Portion(0, 0, rows[:25]), Portion(0, 0, rows), Portion(0, 10, rows[10:])])
    )
    assert await count(house, "lead") == 60
    assert (await bring(house, path)).sold == 60

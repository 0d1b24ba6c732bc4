"""One of several processes that count leads by the same marks at once; prints what it heard.

Run by ``test_counting`` as ``python -m tests.fraud.counting URL SEED GROUPS``. It counts by the real statement in real
transactions, several at once, and says of every mark which counts it heard.
"""

import asyncio
import json
import random
import sys
from collections import defaultdict

from leadmill.fraud import KINDS, Mark, SightAsk, Sighted
from leadmill.fraud.service import Sightings
from leadmill.runtime.db import Database, Tx
from tests.fraud.scene import ask, card_with, later, mark

PLENTY = card_with(
    keep=dict.fromkeys(KINDS, 5000),
    windows=dict.fromkeys(KINDS, (86400,)),
    limits=dict.fromkeys(KINDS, (5000,)),
)
"""Counts everything and forgets nothing."""

MARKS = [mark(kind, str(number)) for kind in ("phone", "email", "ip", "device") for number in range(2)]


def asks_of(source: random.Random) -> list[SightAsk]:
    """A group of leads, each with one mark of some kinds, in no order."""

    def marks() -> list[Mark]:
        pairs = [MARKS[place : place + 2] for place in range(0, len(MARKS), 2)]
        return [source.choice(pair) for pair in source.sample(pairs, source.randint(1, len(pairs)))]

    return [
        ask(*marks(), at=later(seconds=source.random()), card=PLENTY, paced=False) for _ in range(source.randint(1, 8))
    ]


async def count_groups(db: Database, seed: int, groups: int) -> dict[str, list[int]]:
    """Count some groups of leads in a transaction each, four at once; the counts heard by mark."""
    sightings, source = Sightings(), random.Random(seed)
    heard: dict[str, list[int]] = defaultdict(list)
    todo = [asks_of(source) for _ in range(groups)]

    async def work() -> None:
        while todo:
            asks = todo.pop()
            async with db.begin() as tx:
                for key, count in await hear(tx, sightings, asks):
                    heard[key].append(count)
                await asyncio.sleep(0.002)  # as long as others hold what they count

    await asyncio.gather(*(work() for _ in range(4)))
    return heard


async def hear(tx: Tx, sightings: Sightings, asks: list[SightAsk]) -> list[tuple[str, int]]:
    """What each lead of a group hears of each of its marks."""
    answer = await sightings.hear(tx, asks)
    return [(mark.hash.hex(), count) for each in asks for mark, count in counts_of(each, answer(each))]


def counts_of(each: SightAsk, heard: Sighted) -> list[tuple[Mark, int]]:
    """A lead's marks with their counts; a mark that nothing is told of was seen for the first time."""
    told = {item.kind: item.counts[-1] for item in heard.sightings}
    return [(one, told.get(one.kind, 1)) for one in each.marks]


async def main(url: str, seed: int, groups: int) -> None:
    db = Database(url, size=4)
    await db.open()
    try:
        print(json.dumps(await count_groups(db, seed, groups)))  # noqa: T201 read by the test
    finally:
        await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

"""A house with leads whose outcomes are known, and a trainer that needs no other process."""

import asyncio
import random
from datetime import UTC, datetime

from leadmill.flow.store import read_leads
from leadmill.flow.training import Task, Trained
from leadmill.interfaces.house import House
from leadmill.learning.service import Asked, Effort, look_at, read_model, read_table, train
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, submission

_TOGETHER = 40
_FIRST = ("Ada", "Bruno", "Clara", "Dario", "Esther", "Fritz", "Greta", "Hugo", "Ines", "Jonas", "Karla", "Luis",
          "Mona", "Nils", "Olga", "Paul")  # fmt: skip
_LAST = ("Berg", "Feld", "Stein", "Wald", "Brook", "Thorn", "Lund", "Marsh", "Holm", "Dale")


async def teach(house: House, clock: FixedClock, leads: int, first: int = 0) -> list[str]:
    """Take in leads of which those with high bills convert more often, and report what became of them a week later;
    the clock then stands beyond their horizon. Their ids."""
    if not first:
        await apply(house, BUSINESS)
    drawn = random.Random(first + 3)
    bills = [drawn.randrange(60, 360) for _ in range(leads)]
    taken: list[str] = []
    for start in range(0, leads, _TOGETHER):
        part = range(start, min(leads, start + _TOGETHER))
        made = [
            submission(
                house, first + number, monthly_bill=bills[number], stories=1 + number % 3, **_named(first + number)
            )
            for number in part
        ]
        taken += [one.lead_id for one in await asyncio.gather(*(house.mill.take(one) for one in made))]
        clock.advance(hours=1)
    clock.advance(days=7)
    async with house.db.begin() as tx:
        rows = await read_leads(tx, taken)
        for lead_id, bill in zip(taken, bills, strict=True):
            won = drawn.random() < (bill - 20) / 500
            lost = Disposition.WRONG_NUMBER if drawn.random() < 0.3 else Disposition.LOST
            events = await report_outcome(
                tx,
                house.mint,
                lead_id=lead_id,
                reporter=rows[lead_id].recipient or "",
                disposition=Disposition.SOLD if won else lost,
                at=clock(),
                now=clock(),
            )
            await house.pen.append(tx, lead_id, events, clock())
    clock.advance(days=70)
    return taken


def _named(number: int) -> dict[str, str]:
    """Everybody has a name of their own, or they would be taken for one another."""
    first, last = number % len(_FIRST), number // len(_FIRST)
    return {"first_name": _FIRST[first], "last_name": _LAST[last % len(_LAST)] + _LAST[last // len(_LAST)].lower()}


async def here(task: Task) -> Trained:
    """A trainer in this process."""
    asked = Asked(
        target=task.target,
        time=task.time,
        exclude=task.exclude,
        protected=task.protected,
        limits=task.limits,
        pack=task.pack,
        history=task.history,
        keep=task.keep,
        barred=task.barred,
        monotone=task.monotone,
        effort=Effort(budget_s=task.budget_s, tries=task.tries, seed=task.seed, threads=task.threads, seeds=1, folds=3),
    )
    read = read_table(task.file, _quiet)
    against = read_model(task.against) if task.against is not None else None
    made, card = train(read, asked, look_at(read.table, asked), task.out, datetime.now(UTC), _quiet, against)
    return Trained(card, made.passes)


def _quiet(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""

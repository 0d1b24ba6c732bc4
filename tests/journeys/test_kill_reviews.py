"""Decisions of the review desk survive the death of the process that took them and of the one that carries them out.

A process of its own decides one case, looks first at one that two decide, is in the midst of deciding a third and in
the midst of carrying a fourth out, when it is killed. Another takes up what was owed: nothing is lost, nothing happens
twice, and nothing is half done.
"""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta

from leadmill.core.reasons import State
from leadmill.flow.memory import recall_one
from leadmill.flow.store import read_lead
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.review import CaseDecided, LeadLabelled
from leadmill.review.service import Reviewer
from leadmill.review.store import decisions_of
from tests.conftest import FixedClock
from tests.flow.stage import count
from tests.flow.test_reviewing import decided, now, sound, taken, waiting

VICTIM = """
    import asyncio, contextlib, itertools, sys
    from datetime import datetime, timedelta
    from pathlib import Path

    from leadmill.core.ids import make_id
    from leadmill.flow import reviewing
    from leadmill.interfaces.worker import workers
    from leadmill.main import wire
    from leadmill.review.service import Reviewer, take
    from leadmill.runtime.db import Database
    from leadmill.runtime.settings import Settings

    home, url, moment, plain, twice, unsaid = sys.argv[1:]
    at = [datetime.fromisoformat(moment)]
    ids = itertools.count(1)
    ann = Reviewer("op_ann")

    async def given(tx, house, case_id, choice):
        terms = lambda vertical: reviewing.terms_of(house.kit, vertical)
        one = await take(tx, case_id, ann, terms, at[0])
        await reviewing.decide_case(tx, house.kit, case_id, one.turn, ann, choice, "", "", at[0])

    async def stay(*_):
        print("dying", flush=True)
        await asyncio.Event().wait()

    async def main():
        db = Database(url, 4)
        await db.open()
        async with contextlib.AsyncExitStack() as stack:
            settings = Settings(home=Path(home), database_url=url, mx_lookups=False)
            mint = lambda prefix, now: make_id(prefix, now, (1 << 79) + next(ids))
            house = await wire(settings, {}, db, stack, lambda: at[0], mint)
            await house.book.refresh(db)
            # In the midst of carrying out the case that was decided before: all is written, nothing is committed.
            reviewing.close = stay
            work = asyncio.create_task(workers(house)[0].drain())
            while not work.done():
                await asyncio.sleep(0.01)
                async with db.begin() as tx:
                    if await tx.conn.fetchval("SELECT count(*) FROM job WHERE kind = 'review.carry' AND attempts > 0"):
                        break
            async with db.begin() as tx:
                await given(tx, house, plain, "approve")
                await given(tx, house, twice, "approve")
            async with db.begin() as tx:
                await given(tx, house, unsaid, "nurture")
                await stay()

    asyncio.run(main())
"""


async def test_what_was_decided_is_carried_out_once_whenever_a_process_dies(house: House, clock: FixedClock) -> None:
    carried, plain, twice, unsaid = await waiting(house, 4, second_share="0")
    async with house.db.begin() as tx:
        await tx.conn.execute("UPDATE review_case SET sampled = true WHERE id = $1", twice.id)
    mine = await taken(house, Reviewer("op_eve"))
    assert mine is not None and mine.id == carried.id
    await decided(house, mine, Reviewer("op_eve"), "approve")
    then = clock.advance(timedelta(minutes=1))
    child = subprocess.Popen(  # noqa: ASYNC220 it must die, not end
        [
            sys.executable,
            "-c",
            textwrap.dedent(VICTIM),
            str(house.settings.home),
            house.db.url,
            then.isoformat(),
            plain.id,
            twice.id,
            unsaid.id,
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert child.stdout is not None
    try:
        for _ in range(2):  # in the midst of carrying out, and in the midst of deciding
            assert await asyncio.to_thread(child.stdout.readline) == b"dying\n"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    async with house.db.begin() as tx:
        states = [row.state for case in (carried, plain, twice, unsaid) if (row := await read_lead(tx, case.lead_id))]
        assert states == [State.REVIEW] * 4, "nothing is half done"
        assert len(await decisions_of(tx, plain.id)) == len(await decisions_of(tx, twice.id)) == 1
        assert await decisions_of(tx, unsaid.id) == [], "what was not committed was never decided"
    assert ((await now(house, plain)).stage, (await now(house, twice)).stage) == ("decided", "second")
    assert (await now(house, unsaid)).stage == "open"
    clock.advance(timedelta(hours=1))  # what the dead had claimed is anybody's again, and so are its cases
    for _ in range(2):
        await workers(house)[0].drain()
    theirs = await taken(house, Reviewer("op_bob"))
    assert theirs is not None and theirs.id == twice.id
    assert (await decided(house, theirs, Reviewer("op_bob"), "approve")).stage == "decided"
    last = await taken(house, Reviewer("op_bob"))
    assert last is not None and last.id == unsaid.id
    clock.advance(timedelta(minutes=1))
    for _ in range(2):
        await workers(house)[0].drain()
    for case in (carried, plain, twice):
        assert (await now(house, case)).outcome == "sold"
        async with house.db.begin() as tx:
            recalled = await recall_one(tx, house.pen, case.lead_id)
        events = [event for chapter in recalled.chapters for event in chapter.events]
        assert sum(isinstance(event, CaseDecided) for event in events) == (2 if case.id == twice.id else 1)
        assert sum(isinstance(event, LeadLabelled) for event in events) == 1
    assert await count(house, "sale") == 3
    await sound(house)

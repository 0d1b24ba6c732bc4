"""Leads of a span looked at once more: a batch that goes on where it stopped.

Called by ``leadmill enrich``, which works it itself, and by the console, which leaves it to the worker. How far it is
stands in the store; a lead that was done is not done again, whoever takes the batch up.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.reading import nearest
from leadmill.enrich import MAIL_DOMAIN
from leadmill.enrich.store import Run, add_run, find_run, like_run, move_run
from leadmill.flow.aside import enrich_lead
from leadmill.flow.kit import Kit
from leadmill.flow.store import count_between, lead_ids_between, read_leads
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue

AGAIN = "enrich.again"
"""The kind of job that works a batch; its subject is the batch's id."""

_AT_ONCE = 8
"""Leads looked at beside one another; between them a batch says how far it is."""

Show = Callable[[Run], None]


async def start_run(
    tx: Tx,
    kit: Kit,
    topics: Sequence[str],
    since: datetime,
    until: datetime,
    by: str,
    vertical: str | None = None,
    queue: bool = False,
) -> Run:
    """Set a batch going over the leads received in a span, or find the one under way over the same leads on the same
    topics, from ``since`` on; ``queue`` leaves it to the worker.

    Raises BadInput ``flow.enrich.nothing`` where no chain is about such a topic.
    """
    rules = kit.walk().rules
    known = {one.chain.topic for one in rules.enrichment.chains}
    for topic in topics:
        if topic not in known and topic != MAIL_DOMAIN:
            raise BadInput("flow.enrich.nothing", f"no chain is about '{topic}'; {nearest(topic, known)}")
    if not known and not topics:
        raise BadInput("flow.enrich.nothing", "nobody can be asked: declare providers and chains first")
    if vertical is not None and vertical not in rules.verticals:
        raise BadInput("flow.enrich.nothing", f"no vertical '{vertical}'; {nearest(vertical, rules.verticals)}")
    now = kit.clock()
    run = Run(
        id=kit.mint("run", now),
        topics=tuple(sorted(set(topics))),
        vertical=vertical,
        since=since,
        until=until,
        by=by,
        at=now,
        total=await count_between(tx, since, until),
    )
    standing = await like_run(tx, run)
    if standing is None:
        await add_run(tx, run)
    found = standing or run
    if queue:
        enqueue(tx, AGAIN, found.id, {}, now, now, kit.mint, dedupe=f"{AGAIN}:{found.id}")
    return found


async def work_run(kit: Kit, run_id: str, show: Show | None = None) -> Run:
    """Look at a batch's leads until there are no more; how it ended. Raises NotFound ``flow.enrich.unknown``."""
    async with kit.db.begin() as tx:
        run = await find_run(tx, run_id)
    if run is None:
        raise NotFound("flow.enrich.unknown", "there is no such batch")
    while run.state == "running":
        async with kit.db.begin() as tx:
            ids = await lead_ids_between(tx, run.since, run.until, run.after, _AT_ONCE)
            rows = await read_leads(tx, ids)
        of_vertical = [each for each in ids if run.vertical is None or rows[each].vertical == run.vertical]
        told = await asyncio.gather(
            *(enrich_lead(kit, each, run.topics, run.by, "a batch", run.id) for each in of_vertical)
        )
        items = [item for each in told if each is not None for item in each.items]
        run = msgspec.structs.replace(
            run,
            after=ids[-1] if ids else run.after,
            leads=run.leads + len(of_vertical),
            asked=run.asked + sum(item.kind not in ("skipped",) for item in items),
            changed=run.changed + sum(any(i.kind == "known" for i in each.items) for each in told if each is not None),
            cost=run.cost + sum(item.cost for item in items),
            state="running" if len(ids) == _AT_ONCE else "done",
        )
        async with kit.db.begin() as tx:
            await move_run(tx, run)
        if show is not None:
            show(run)
    return run


def enrich_leads(kit: Kit) -> Handler:
    """The handler of batches."""

    async def handle(job: Job) -> None:
        await work_run(kit, job.subject or "")

    return handle

"""Leads that are still open, looked at once more in time: planned by the clock, done by a durable job.

Called by the worker. A schedule asks about a lead what :func:`~leadmill.flow.aside.enrich_lead` asks, within the limits
of providers and chains and within its own of the day; where the lead stands stays as it is. What changed is told in the
lead's story.
"""

from datetime import UTC, datetime, time
from typing import Any

from msgspec import Struct

from leadmill.core.spans import before
from leadmill.facts import Dossier, Fact
from leadmill.flow.aside import enrich_lead
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadReverified
from leadmill.flow.upkeep.store import due, note_look, spent_since
from leadmill.hygiene import Reverify
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue

REVERIFY = "hygiene.reverify"
"""The kind of job that looks at what is due by one schedule, which is its subject."""

_AT_A_TIME = 50
"""Leads that a job looks at; the next is planned a minute later."""


class Looked(Struct, frozen=True):
    """What a look came to: the keys of facts that changed, and its cost in millionths."""

    changed: tuple[str, ...] = ()
    cost: int = 0


async def plan_looks(tx: Tx, kit: Kit, now: datetime) -> int:
    """Enqueue a job for each schedule that has something due and room left today; how many."""
    planned = 0
    for one in kit.walk().rules.reverify.values():
        if one.retired or not await _due(tx, one, now, 1):
            continue
        enqueue(tx, REVERIFY, one.id, {}, now, now, kit.mint, dedupe=f"{REVERIFY}:{one.id}")
        planned += 1
    return planned


async def _due(tx: Tx, one: Reverify, now: datetime, most: int) -> list[str]:
    spent = await spent_since(tx, one.id, datetime.combine(now.astimezone(UTC).date(), time(), UTC))
    room = min(most, one.per_day - spent.looks)
    if room <= 0 or (one.spend is not None and spent.cost >= one.spend):
        return []
    return await due(tx, one.states, one.verticals, before(now, one.until), before(now, one.every), room)


def reverify(kit: Kit) -> Handler:
    """The handler of such jobs: looks at leads one by one, so that the limits of the day hold to the last of them."""

    async def handle(job: Job) -> None:
        await look_at_due(kit, job.subject or "", _AT_A_TIME)

    return handle


async def look_at_due(kit: Kit, schedule: str, most: int) -> int:
    """Look at up to ``most`` leads that are due by a schedule; how many it were."""
    for number in range(most):
        now = kit.clock()
        one = kit.walk().rules.reverify.get(schedule)
        if one is None or one.retired:
            return number
        async with kit.db.begin() as tx:
            ids = await _due(tx, one, now, 1)
        if not ids:
            return number
        await look_again(kit, ids[0], one)
    return most


async def look_again(kit: Kit, lead_id: str, one: Reverify) -> Looked:
    """Ask about one lead once more, and note what changed. A lead that nobody can be asked about is noted as well, or
    it would be due for ever."""
    earlier = await _facts(kit, lead_id)
    told = await enrich_lead(kit, lead_id, one.topics, f"schedule {one.id}", "what is known has grown old")
    later = await _facts(kit, lead_id) if told is not None else earlier
    changed = tuple(sorted(key for key in {*earlier, *later} if _value(earlier, key) != _value(later, key)))
    cost = sum(item.cost for item in told.items) if told is not None else 0
    now = kit.clock()
    async with kit.db.begin() as tx:
        row = await kit.pen.lock(tx, lead_id)
        if told is not None:
            event = LeadReverified(at=now, schedule=one.id, changed=list(changed))
            await kit.pen.append(tx, row.id, [event], now)
        await note_look(tx, lead_id, one.id, now, len(changed), cost)
    return Looked(changed, cost)


async def _facts(kit: Kit, lead_id: str) -> dict[str, Fact]:
    async with kit.db.begin() as tx:
        dossier = (await recall_one(tx, kit.pen, lead_id)).case_before().get(Dossier)
    return dossier.by_key if dossier is not None else {}


def _value(facts: dict[str, Fact], key: str) -> Any:
    fact = facts.get(key)
    return None if fact is None else (fact.value, fact.outcome)

"""What is decided about a request: more time, carried out, refused, appealed against.

Called by the desk, the API, the command and, for appeals, by the person's own page. Each decision is written down with
the request and in its journal.
"""

from datetime import datetime

from leadmill.flow.forgetting import check_holds
from leadmill.flow.kit import Kit
from leadmill.policy import Deadlines
from leadmill.privacy import (
    Moved,
    PrivacyRequest,
    acknowledge,
    appeal,
    begin,
    decide_appeal,
    deny,
    extend,
    find_request,
    lapse,
)
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job


async def acknowledge_request(tx: Tx, kit: Kit, request_id: str, by: str, now: datetime) -> None:
    """Take down that the person was told by another way that the request has come."""
    moved = await acknowledge(tx, request_id, by, now, kit.pen.vault)
    if moved is not None:
        await _write(tx, kit, moved, now)


async def extend_request(tx: Tx, kit: Kit, request_id: str, why: str, by: str, now: datetime) -> PrivacyRequest:
    """Take more time, once; the person is told why."""
    deadlines = Deadlines(kit.walk().rules.laws.values())
    return await _write(tx, kit, await extend(tx, kit.pen.vault, kit.mint, deadlines, request_id, why, by, now), now)


async def begin_request(tx: Tx, kit: Kit, request_id: str, by: str, now: datetime) -> PrivacyRequest:
    """Have a request carried out. Raises Conflict ``privacy.person.held`` where somebody of ours has to keep what is to
    be deleted, because of a dispute for example."""
    one = await find_request(tx, request_id)
    if one is not None and one.kind == "delete" and one.person_id is not None:
        await check_holds(tx, one.person_id)
    return await _write(tx, kit, await begin(tx, kit.pen.vault, kit.mint, request_id, by, now), now)


async def deny_request(
    tx: Tx, kit: Kit, request_id: str, ground: str, citation: str, why: str, by: str, now: datetime
) -> PrivacyRequest:
    """Refuse a request; the person is told on which ground, why, and what they can do."""
    moved = await deny(tx, kit.pen.vault, kit.mint, request_id, ground, citation, why, by, now)
    return await _write(tx, kit, moved, now)


async def appeal_request(tx: Tx, kit: Kit, request_id: str, words: str, by: str, now: datetime) -> PrivacyRequest:
    """The person asks to have a refusal looked at once more."""
    deadlines = Deadlines(kit.walk().rules.laws.values())
    moved = await appeal(tx, kit.pen.vault, kit.mint, deadlines, request_id, words, by, now)
    return await _write(tx, kit, moved, now)


async def decide_on_appeal(
    tx: Tx, kit: Kit, request_id: str, granted: bool, why: str, by: str, now: datetime
) -> PrivacyRequest:
    """Decide an appeal; the person is told."""
    return await _write(
        tx, kit, await decide_appeal(tx, kit.pen.vault, kit.mint, request_id, granted, why, by, now), now
    )


def close_unconfirmed(kit: Kit) -> Handler:
    """The handler of ``privacy.lapse`` jobs."""

    async def handle(job: Job) -> None:
        async with kit.db.begin() as tx:
            now = kit.clock()
            moved = await lapse(tx, kit.pen.vault, job.read(dict[str, str])["request_id"], now)
            if moved is not None:
                await _write(tx, kit, moved, now)

    return handle


async def _write(tx: Tx, kit: Kit, moved: Moved, now: datetime) -> PrivacyRequest:
    await kit.pen.append(tx, moved.request.id, [moved.event], now)
    return moved.request

"""Certificates on the walk: their vendors are asked, who requires one gets no lead without, and those of sold leads are
kept with their vendors, however often somebody dies on the way."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from leadmill.capture import Submission
from leadmill.certificates import Certificate, Certificates, certificates_of
from leadmill.core.reasons import State
from leadmill.enrich import Consulted
from leadmill.flow.biography import read_biography
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import CertificatesKept, Settled
from leadmill.flow.replay import replay
from leadmill.flow.vendors import KEEP, keep_certificates
from leadmill.flow.verify import verify
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.market import Auction
from leadmill.runtime import jobs
from leadmill.runtime.migrate import newest
from tests.certificates.stand import Stand, stand
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, body_of, buyer, order
from tests.journeys.house import ENVIRON

__all__ = ["stand"]

ASK = {"id": "certificates", "topic": "certificate", "ask": ["trustedform", "jornaya"], "within_ms": 20_000}
KEPT = {"id": "kept", "topic": "retain", "ask": ["trustedform"], "within_ms": 20_000}


async def open_business(house: House, stand: Stand, *chains: dict[str, Any], **more: Any) -> None:
    providers = [stand.declared("trustedform"), stand.declared("jornaya")]
    await apply(house, {**BUSINESS, "provider": providers, "chain": list(chains or (ASK, KEPT)), **more})


async def take(house: House, number: int, **consent: str) -> Settled:
    """Lead number N, with these tokens."""
    content = json.loads(body_of(number))
    content["consent"] |= consent
    body, now = json.dumps(content).encode(), house.clock()
    return await house.mill.take(
        Submission(
            id=house.mint("sub", now), source_id="acme", channel="json", received_at=now,
            content_type="application/json", body=body, digest=hashlib.sha256(body).hexdigest(), vertical="solar",
        )
    )  # fmt: skip


def who(number: int) -> tuple[str, str]:
    """What lead number N typed."""
    return f"ann.{number}@example.com", f"+1916{2_000_000 + number}"


def tokens(stand: Stand, number: int, at: datetime) -> dict[str, str]:
    return {"trustedform": stand.certificate(*who(number), at)}


async def lead_of(house: House, lead_id: str) -> Recalled:
    async with house.db.begin() as tx:
        return await recall_one(tx, house.pen, lead_id)


async def certificate(house: House, lead_id: str) -> Certificate:
    """The one certificate of a lead, as it is known now."""
    (found,) = certificates_of((await lead_of(house, lead_id)).case_before())
    return found


async def owed(house: House) -> tuple[int, int]:
    """How many jobs of keeping wait and are dead."""
    async with house.db.begin() as tx:
        return next(((one.waiting, one.dead) for one in await jobs.kept(tx) if one.kind == KEEP), (0, 0))


async def check_all(house: House) -> None:
    found = await replay(house.db, house.pen, house.book)
    assert found.differences == []
    assert found.skipped == 0
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_certificate_is_matched_on_the_walk_and_kept_once_the_lead_is_sold(
    house: House, stand: Stand, clock: FixedClock
) -> None:
    await open_business(house, stand)
    given = tokens(stand, 1, clock())
    settled = await take(house, 1, **given)
    assert settled.state is State.SOLD
    known = await certificate(house, settled.lead_id)
    assert (known.standing, known.matched, known.kept_at) == ("good", True, None)
    assert await owed(house) == (1, 0)
    clock.advance(hours=1)
    assert await workers(house)[0].drain() >= 1
    kept = await certificate(house, settled.lead_id)
    assert kept.kept_at == clock()
    assert kept.created_at == known.created_at
    name = given["trustedform"].rpartition("/")[2]
    assert stand.vendors.kept_for == {name: settled.lead_id}
    assert await owed(house) == (0, 0)
    recalled = await lead_of(house, settled.lead_id)
    paid = [
        (item.topic, item.cost)
        for chapter in recalled.chapters
        for station in chapter.stations
        for evidence in station.learned
        if isinstance(evidence, Consulted)
        for item in evidence.items
        if item.provider == "trustedform"
    ]
    assert paid == [("certificate", 80_000), ("retain", 80_000)]
    async with house.db.begin() as tx:
        told = [line for one in (await read_biography(tx, house.pen, settled.lead_id)).passages for line in one.learned]
    assert any("trustedform certificate is genuine: of this person" in line for line in told)
    assert any("kept by its vendor until" in line for line in told)
    await check_all(house)


async def test_a_certificate_of_somebody_else_a_stale_one_and_a_made_up_one_are_told_apart(
    house: House, stand: Stand, clock: FixedClock
) -> None:
    await open_business(house, stand)
    other = await take(house, 1, **tokens(stand, 99, clock()))
    stale = await take(house, 2, **tokens(stand, 2, clock() - timedelta(hours=73)))
    ours = await take(house, 3, trustedform="https://127.0.0.1/eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947")
    never = await take(house, 4, jornaya="58990313-03FB-43B8-AD0B-08CEF791D49B")
    good = await take(house, 5, jornaya=stand.token(*who(5), clock() - timedelta(days=2)))
    found = [await certificate(house, one.lead_id) for one in (other, stale, ours, never, good)]
    assert [(one.standing, one.matched) for one in found] == [
        ("good", False),
        ("gone", None),
        ("malformed", None),
        ("missing", None),
        ("good", True),
    ]
    assert found[4].created_at == clock() - timedelta(days=2)
    # The law lets nobody have a lead with a certificate of somebody else; and there is nothing to keep of the others.
    assert (other.state, good.state) == (State.REJECTED, State.SOLD)
    assert await owed(house) == (0, 0)
    assert stand["trustedform"].counts["answer"] == 2


async def test_a_vendor_that_gives_no_answer_leaves_the_token_without_a_word_and_the_lead_walks_on(
    house: House, stand: Stand, clock: FixedClock
) -> None:
    await open_business(house, stand, ASK)
    stand["trustedform"].outage = True
    settled = await take(house, 1, **tokens(stand, 1, clock()))
    assert settled.state is State.SOLD
    assert await certificate(house, settled.lead_id) == Certificate(vendor="trustedform")
    assert await owed(house) == (0, 0)  # nobody declared that certificates are kept
    await check_all(house)


async def test_who_requires_a_certificate_gets_no_lead_without_and_says_why(
    house: House, stand: Stand, clock: FixedClock
) -> None:
    await open_business(
        house,
        stand,
        buyer=[buyer("helio"), buyer("bright", require={"certificate": "any", "matched": False})],
        order=[
            order("helio-ca", "helio", "65.00", require={"certificate": "trustedform", "max_age_days": 1}),
            order("bright-ca", "bright", "50.00"),
        ],
    )
    whole = await take(house, 1, **tokens(stand, 1, clock() - timedelta(hours=3)))
    old = await take(house, 2, **tokens(stand, 2, clock() - timedelta(hours=30)))
    bare = await take(house, 3)
    sold = [(await lead_of(house, one.lead_id)).row.recipient for one in (whole, old, bare)]
    assert sold == ["helio", "bright", None]
    auction = (await lead_of(house, bare.lead_id)).case_before()[Auction]
    assert {item.order_id: item.refused.message for item in auction.considered if item.refused} == {
        "helio-ca": "It wants a certificate of trustedform, at most 1 day old: none came with the lead.",
        "bright-ca": "It wants a certificate: none came with the lead.",
    }
    codes = {item.refused.code for item in auction.considered if item.refused}
    assert codes == {"market.order.uncertified"}
    await check_all(house)


@pytest.mark.parametrize(
    ("act", "times"), [("busy", 1), ("error", 2)]
)  # what may have failed on the way is tried twice
async def test_keeping_is_tried_again_where_a_vendor_cannot_now(
    house: House, stand: Stand, clock: FixedClock, act: Any, times: int
) -> None:
    await open_business(house, stand)
    settled = await take(house, 1, **tokens(stand, 1, clock()))
    stand["trustedform"].next.extend([act] * times)
    staff = workers(house)[0]
    await staff.drain()
    assert await owed(house) == (1, 0)
    assert (await certificate(house, settled.lead_id)).kept_at is None
    clock.advance(minutes=10)
    await staff.drain()
    assert (await certificate(house, settled.lead_id)).kept_at == clock()
    assert await owed(house) == (0, 0)
    await check_all(house)


async def test_keeping_that_will_not_go_is_left_for_somebody_to_see(
    house: House, stand: Stand, clock: FixedClock
) -> None:
    await open_business(house, stand)
    settled = await take(house, 1, **tokens(stand, 1, clock()))
    stand["trustedform"].next.append("refused")
    await workers(house)[0].drain()
    assert await owed(house) == (0, 1)
    async with house.db.begin() as tx:
        (dead,) = await jobs.dead(tx)
        assert (dead.subject, dead.fault) == (settled.lead_id, "enrich.provider.refused")
        assert await jobs.requeue(tx, dead.id, clock())
    await workers(house)[0].drain()
    assert (await certificate(house, settled.lead_id)).kept_at == clock()


async def test_a_worker_that_dies_after_the_vendor_answered_keeps_nothing_twice(
    house: House, stand: Stand, clock: FixedClock
) -> None:
    await open_business(house, stand)
    settled = await take(house, 1, **tokens(stand, 1, clock()))
    handle = keep_certificates(house.kit)
    job = jobs.Job("job_1", KEEP, settled.lead_id, b"", 1, None, clock(), clock())
    await handle(job)
    asked = stand["trustedform"].counts["answer"]
    # The job itself is still there, as after a kill: it is worked once more, and finds nothing left to do.
    clock.advance(minutes=5)
    await workers(house)[0].drain()
    assert stand["trustedform"].counts["answer"] == asked
    chapters = (await lead_of(house, settled.lead_id)).chapters
    assert sum(isinstance(event, CertificatesKept) for chapter in chapters for event in chapter.events) == 1
    assert len(stand.vendors.kept) == 1
    await check_all(house)


async def test_a_process_killed_while_the_vendor_keeps_the_certificate_loses_nothing_and_keeps_nothing_twice(
    house: House, stand: Stand, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_business(house, stand)
    given = tokens(stand, 1, clock())
    settled = await take(house, 1, **given)
    async with house.db.begin() as tx:  # the tests' schema stands without its number, and a process looks for it
        await tx.conn.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
        await tx.conn.execute("INSERT INTO alembic_version VALUES ($1) ON CONFLICT DO NOTHING", newest())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LEADMILL_")}
    home, url = str(house.settings.home), str(house.settings.database_url)
    working = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadmill", "work", "--home", home, "--database-url", url,
        env={**environ, **ENVIRON, "LEADMILL_MX_LOOKUPS": "off"}, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    honest = stand.vendors._certificate

    def kept_and_killed(*told: Any) -> dict[str, Any]:
        said = honest(*told)  # the vendor keeps it from now on, and its answer reaches nobody
        with contextlib.suppress(ProcessLookupError):
            working.send_signal(signal.SIGKILL)
        return said

    monkeypatch.setattr(stand.vendors, "_certificate", kept_and_killed)
    try:
        assert await asyncio.wait_for(working.wait(), 120) == -signal.SIGKILL
    finally:
        with contextlib.suppress(ProcessLookupError):
            working.kill()
    monkeypatch.undo()
    name = given["trustedform"].rpartition("/")[2]
    assert stand.vendors.kept_for == {name: settled.lead_id}
    assert (await certificate(house, settled.lead_id)).kept_at is None  # nobody here knows it yet
    assert await owed(house) == (1, 0)  # and the job is not lost
    async with house.db.begin() as tx:  # its claim has run out
        await tx.conn.execute("UPDATE job SET run_at = created_at WHERE kind = $1", KEEP)
    await workers(house)[0].drain()
    assert await owed(house) == (0, 0)
    assert (await certificate(house, settled.lead_id)).kept_at == clock()
    assert stand.vendors.kept_for == {name: settled.lead_id} and len(stand.vendors.kept) == 1
    chapters = (await lead_of(house, settled.lead_id)).chapters
    assert sum(isinstance(event, CertificatesKept) for chapter in chapters for event in chapter.events) == 1
    await check_all(house)


async def test_nothing_is_kept_for_a_person_who_was_forgotten(house: House, stand: Stand, clock: FixedClock) -> None:
    await open_business(house, stand)
    settled = await take(house, 1, **tokens(stand, 1, clock()))
    async with house.db.begin() as tx:
        row = (await recall_one(tx, house.pen, settled.lead_id)).row
        await forget_person(tx, house.keys, row.person_id, clock())
    await workers(house)[0].drain()
    assert stand.vendors.kept == {}
    recalled = await lead_of(house, settled.lead_id)
    learned = [item for chapter in recalled.chapters for station in chapter.stations for item in station.learned]
    # That proof was asked for stays, without a word about whom.
    assert [one.standing for item in learned if isinstance(item, Certificates) for one in item.items] == ["good"]

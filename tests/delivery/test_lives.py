"""A delivery's life on the real store: planned with the sale, claimed once, settled once, tried again, resent,
called off."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from leadmill.core.case import NOTHING, Case
from leadmill.core.events import Event
from leadmill.core.faults import Conflict, Fault, NotFound, Transient
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass
from leadmill.delivery import (
    BUYER_REJECTED,
    DeliveryAccepted,
    DeliveryCancelled,
    DeliveryDead,
    DeliveryRejected,
    DeliveryResent,
    DeliveryRetrying,
    Dispatch,
    Dispatched,
    Outcome,
    Plan,
    attempts_of,
    cancel_delivery,
    compose,
    count_states,
    digest,
    find,
    keep_dispatched,
    list_receipts,
    pack,
    plan_attempt,
    read_delivery,
    read_fault,
    read_reply,
    receipts_of,
    resend,
    settle_attempt,
)
from leadmill.market import Assignment, Leg, Mode, Sale
from leadmill.parties import Buyer, Roster, Team
from leadmill.runtime.addresses import Reach
from leadmill.runtime.db import Database
from leadmill.runtime.http import Http, HttpLimits
from leadmill.runtime.jobs import JOB
from leadmill.runtime.plugins import find_plugins

COURIERS = find_plugins(("leadmill.couriers",)).of("leadmill.couriers")
HTTP = {"courier": "http", "url": "http://127.0.0.1:9/leads"}
ROSTER = Roster(
    buyers={
        "helio": Buyer(id="helio", name="Helio Solar LLC", delivery=HTTP),
        "portal": Buyer(id="portal", name="Reads In The Portal"),
        "sunny": Buyer(id="sunny", name="Sunny Inc", delivery={"courier": "webhook"}),
    },
    teams={"west": Team(id="west", name="West", delivery={"courier": "email"}), "east": Team(id="east", name="East")},
)
SALE = "sale_01k000000000000000000000aa"
DLV = "dlv_01k000000000000000000000aa"


def sold(*buyers: str, sale_id: str = SALE) -> Sale:
    legs = tuple(
        Leg(f"{sale_id[:-1]}{no}" if no else sale_id, "o", buyer, Money(6500)) for no, buyer in enumerate(buyers)
    )
    return Sale(id=sale_id, mode=Mode.SHARED, legs=legs, currency="USD")


def dispatched(*evidence: Any) -> Dispatched | None:
    case = Case("lead_1", evidence)
    verdict = Dispatch(ROSTER).judge(case, NOTHING, datetime.min)
    assert isinstance(verdict, Pass)
    return next((one for one in verdict.learned if isinstance(one, Dispatched)), None)


async def dispatch(db: Database, now: datetime, *, times: int = 1) -> None:
    for _ in range(times):
        async with db.begin() as tx:
            found = dispatched(sold("helio"))
            assert found is not None
            keep_dispatched(tx, Case("lead_1"), found, now)


async def planned(db: Database, now: datetime, delivery_id: str = DLV) -> Plan:
    async with db.begin() as tx:
        plan = await plan_attempt(tx, delivery_id, now)
    assert plan is not None
    return plan


async def settled(
    db: Database, plan: Plan, outcome: Outcome, now: datetime, retries: tuple[int, ...] = (10, 60)
) -> list[Event]:
    async with db.begin() as tx:
        return await settle_attempt(
            tx, plan, outcome, now, retries=retries, jitter=0.5, request_digest=b"d" * 32, seal=lambda data: data[::-1]
        )


async def jobs(db: Database) -> list[tuple[str, datetime]]:
    async with db.begin() as tx:
        rows = await tx.all(JOB.select().order_by(JOB.c.run_at))
    return [(row["dedupe"], row["run_at"]) for row in rows]


def test_each_leg_of_a_sale_is_a_delivery_and_a_portal_reader_gets_none() -> None:
    found = dispatched(sold("helio", "portal", "sunny"))
    assert found is not None
    assert [(item.leg, item.recipient, item.courier) for item in found.items] == [
        (1, "helio", "http"),
        (3, "sunny", "webhook"),
    ]
    assert found == dispatched(sold("helio", "portal", "sunny"))
    assert list(found.tell()) == ["To be delivered to helio by http.", "To be delivered to sunny by webhook."]


def test_a_team_gets_its_lead_delivered_where_it_says_how() -> None:
    def kept(team: str) -> Assignment:
        return Assignment(id=SALE, team=team, rep="ana", order_id="o")

    found = dispatched(kept("west"))
    assert found is not None
    assert [(item.delivery_id, item.recipient, item.courier) for item in found.items] == [(DLV, "west", "email")]
    assert dispatched(kept("east")) is None
    assert dispatched() is None


async def test_a_sale_that_walks_by_twice_is_one_delivery_and_one_job(db: Database, clock: Any) -> None:
    await dispatch(db, clock(), times=2)
    async with db.begin() as tx:
        receipts = await receipts_of(tx, "lead_1")
    assert [(one.delivery_id, one.state, one.attempts) for one in receipts] == [(DLV, "queued", 0)]
    assert await jobs(db) == [(f"delivery.attempt:{DLV}:1", clock())]


async def test_an_accepted_delivery_is_done_and_its_attempt_is_on_record(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    plan = await planned(db, clock())
    assert (plan.no, plan.round_no, plan.recipient, plan.lead_id) == (1, 1, "helio", "lead_1")
    outcome = Outcome(
        "accepted", "delivery.buyer.accepted", buyer_ref="B7", price="65.00", status=200, elapsed_ms=31, excerpt="yes"
    )
    (event,) = await settled(db, plan, outcome, clock.advance(seconds=1))
    assert isinstance(event, DeliveryAccepted)
    assert (event.buyer_ref, event.price, event.attempt) == ("B7", "65.00", 1)
    async with db.begin() as tx:
        receipt = await find(tx, DLV)
        (attempt,) = await attempts_of(tx, DLV)
        assert await plan_attempt(tx, DLV, clock.advance(days=9)) is None
    assert receipt is not None
    assert (receipt.state, receipt.buyer_ref, receipt.next_at) == ("accepted", "B7", None)
    assert receipt.done_at is not None
    assert (attempt.no, attempt.status, attempt.elapsed_ms, attempt.outcome, attempt.excerpt) == (
        1,
        200,
        31,
        "accepted",
        b"sey",
    )


async def test_a_settlement_happens_once_however_many_workers_bring_it(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    plan = await planned(db, clock())
    outcome = Outcome("accepted", "delivery.buyer.accepted")
    brought = await asyncio.gather(*(settled(db, plan, outcome, clock()) for _ in range(4)))
    assert sorted(len(events) for events in brought) == [0, 0, 0, 1]


async def test_an_attempt_is_claimed_by_one_worker_and_comes_back_from_a_dead_one(db: Database, clock: Any) -> None:
    await dispatch(db, clock())

    async def attempt() -> Plan | Fault | None:
        try:
            async with db.begin() as tx:
                return await plan_attempt(tx, DLV, clock())
        except Transient as fault:
            return fault

    claims = await asyncio.gather(*(attempt() for _ in range(4)))
    assert sum(isinstance(claim, Plan) for claim in claims) == 1
    busy = next(claim for claim in claims if isinstance(claim, Transient))
    assert busy.code == "delivery.attempt.early"
    assert busy.after == 180
    first = next(claim for claim in claims if isinstance(claim, Plan))
    clock.advance(seconds=181)
    second = await planned(db, clock())
    assert second.no == 2
    assert await settled(db, first, Outcome("accepted", "x.y.z"), clock()) == []  # its lease is over
    assert len(await settled(db, second, Outcome("accepted", "x.y.z"), clock())) == 1


async def test_a_failed_attempt_is_tried_again_until_the_schedule_is_spent(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    waits = []
    for _ in range(2):
        (event,) = await settled(db, await planned(db, clock()), Outcome("retry", "http.time.spent"), clock())
        assert isinstance(event, DeliveryRetrying)
        waits.append((event.next_at - clock()).total_seconds())
        with pytest.raises(Transient):
            await planned(db, clock())
        clock.set(event.next_at)
    assert waits == [10, 60]
    (event,) = await settled(db, await planned(db, clock()), Outcome("retry", "http.server.failed"), clock())
    assert isinstance(event, DeliveryDead)
    assert event.because.message == "Not delivered after 3 attempts, the last ended with http.server.failed."
    assert [name for name, _ in await jobs(db)] == [f"delivery.attempt:{DLV}:{no}" for no in (1, 2, 3)]
    async with db.begin() as tx:
        assert await count_states(tx) == {"dead": 1}
        assert [one.outcome for one in await attempts_of(tx, DLV)] == ["retry", "retry", "dead"]


async def test_the_wait_a_server_asks_for_is_kept(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    (event,) = await settled(db, await planned(db, clock()), Outcome("retry", "http.server.busy", after=900), clock())
    assert isinstance(event, DeliveryRetrying)
    assert event.next_at == clock() + timedelta(seconds=900)


async def test_a_refusal_is_told_with_its_reason_and_not_sent_again(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    why = because(BUYER_REJECTED, said="outside area", status=200)
    (event,) = await settled(db, await planned(db, clock()), Outcome("rejected", why.code, because=why), clock())
    assert isinstance(event, DeliveryRejected)
    assert list(event.tell()) == ["helio: The buyer refused the lead: outside area."]
    async with db.begin() as tx:
        with pytest.raises(Conflict) as caught:
            await resend(tx, DLV, "op_1", clock())
    assert caught.value.code == "delivery.resend.refused"


async def test_a_dead_or_accepted_delivery_is_sent_again_with_a_fresh_schedule(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    await settled(db, await planned(db, clock()), Outcome("retry", "http.time.spent"), clock(), retries=())
    async with db.begin() as tx:
        (event,) = await resend(tx, DLV, "op_1", clock())
    assert isinstance(event, DeliveryResent)
    plan = await planned(db, clock())
    assert (plan.no, plan.round_no) == (2, 1)
    (event,) = await settled(db, plan, Outcome("retry", "http.time.spent"), clock())
    assert isinstance(event, DeliveryRetrying)
    clock.set(event.next_at)
    await settled(
        db, await planned(db, clock()), Outcome("accepted", "delivery.buyer.accepted", buyer_ref="B"), clock()
    )
    async with db.begin() as tx:
        await resend(tx, DLV, "op_1", clock())
        receipt = await find(tx, DLV)
    assert receipt is not None
    assert (receipt.state, receipt.buyer_ref) == ("retrying", "B")
    async with db.begin() as tx:
        with pytest.raises(NotFound):
            await resend(tx, "dlv_none", "op_1", clock())


async def test_a_cancelled_sale_calls_its_delivery_off_even_in_flight(db: Database, clock: Any) -> None:
    await dispatch(db, clock())
    plan = await planned(db, clock())
    async with db.begin() as tx:
        (event,) = await cancel_delivery(tx, SALE, clock())
    assert isinstance(event, DeliveryCancelled)
    assert await settled(db, plan, Outcome("accepted", "delivery.buyer.accepted"), clock()) == []
    async with db.begin() as tx:
        assert await plan_attempt(tx, DLV, clock.advance(hours=1)) is None
        assert await cancel_delivery(tx, SALE, clock()) == []


async def test_lists_page_backwards_by_recipient_and_state(db: Database, clock: Any) -> None:
    async with db.begin() as tx:
        for no in range(5):
            found = dispatched(sold("helio" if no % 2 else "sunny", sale_id=f"sale_{no}"))
            assert found is not None
            keep_dispatched(tx, Case(f"lead_{no}"), found, clock())
    async with db.begin() as tx:
        page = await list_receipts(tx, limit=2)
        assert [one.delivery_id for one in page] == ["dlv_4", "dlv_3"]
        assert [one.delivery_id for one in await list_receipts(tx, before="dlv_3")] == ["dlv_2", "dlv_1", "dlv_0"]
        assert [one.delivery_id for one in await list_receipts(tx, recipient="helio", states=["queued"])] == [
            "dlv_3",
            "dlv_1",
        ]
        assert await list_receipts(tx, states=["dead"]) == []


@asynccontextmanager
async def a_buyer(script: list[Any]) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A buyer's server that answers by its script: a status and text, or a hang-up."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request)
        said = script.pop(0)
        if said == "hang up":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=said[0], text=said[1], content_type="application/json")

    app = web.Application()
    app.router.add_post("/leads", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/leads", seen
    finally:
        await runner.cleanup()


async def test_a_lead_reaches_a_buyer_whose_server_fails_three_ways_first(db: Database, clock: Any) -> None:
    script: list[Any] = ["hang up", (500, "oops"), (200, '{"status":'), (200, '{"status":"accepted","lead_id":"B-1"}')]
    await dispatch(db, clock())
    chance = random.Random(1)
    told: list[Event] = []
    limits = HttpLimits(failures=10)
    async with a_buyer(script) as (url, seen), Http(Reach(loopback=True), {"HOOK": "s"}, clock, limits=limits) as http:
        spec = read_delivery({"courier": "http", "url": url, "secret": {"env": "HOOK"}, "retries": [10, 60, 300]})
        while not isinstance(told[-1] if told else None, DeliveryAccepted):
            plan = await planned(db, clock())
            parcel = pack(plan, vertical="solar", fields={"first_name": "Ana"}, price="65.00")
            ask = compose(COURIERS, spec, parcel)
            try:
                outcome = read_reply(COURIERS, spec, parcel, await http.perform(ask))  # type: ignore[arg-type]
            except Fault as fault:
                outcome = read_fault(fault)
            async with db.begin() as tx:
                told += await settle_attempt(
                    tx, plan, outcome, clock(), retries=spec.retries, jitter=chance.random(), request_digest=digest(ask)
                )
            if isinstance(told[-1], DeliveryRetrying):
                clock.set(told[-1].next_at)
    codes = [event.code for event in told if isinstance(event, DeliveryRetrying | DeliveryAccepted)]
    assert codes == ["http.reply.broken", "http.server.failed", "delivery.reply.unreadable", "delivery.buyer.accepted"]
    assert {request.headers["webhook-id"] for request in seen} == {DLV}
    assert len({request.headers["webhook-timestamp"] for request in seen}) == 4
    async with db.begin() as tx:
        digests = {one.request_digest for one in await attempts_of(tx, DLV)}
    assert len(digests) == 1  # the same message, however often it was sent

"""The jobs that talk to the outside: hand a lead over, send a message.

Run by the worker. Each job claims its attempt in one transaction, talks outside of any, and settles in a second one
together with whatever follows from the outcome. What the buyer or the mailbox is told is opened just for the attempt.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec

from leadmill.core.faults import Fault, Permanent, Transient
from leadmill.delivery import (
    BUYER_DUPLICATE,
    Attempt,
    Courier,
    DeliverySpec,
    Outcome,
    Parcel,
    Plan,
    attempts_of,
    compose,
    digest,
    pack,
    plan_attempt,
    read_delivery,
    read_fault,
    read_reply,
    settle_attempt,
)
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_row
from leadmill.flow.reactions import react
from leadmill.flow.store import read_lead
from leadmill.followup import Messenger, compose_letter, plan_sending, read_sent, settle_sending
from leadmill.market.service import find_sale
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.outgoing import WayOut

HAD_IT = "delivery.buyer.had_it"
"""The code of an attempt that found the lead delivered by an earlier one."""

_WAITS = (0.05, 0.2, 1.0, 5.0)
"""Seconds between tries to write down how an attempt ended."""

_NEVER_ARRIVED = frozenset(("http.connection.failed", "http.name.unresolved", "http.breaker.open"))
"""Codes of attempts that cannot have reached the buyer."""


def deliver(
    kit: Kit, way: WayOut, couriers: Mapping[str, Courier], chance: Callable[[], float] = random.random
) -> Handler:
    """The handler of ``delivery.attempt`` jobs."""

    async def handle(job: Job) -> None:
        delivery_id = job.read(dict[str, str])["delivery_id"]
        async with kit.db.begin() as tx:
            plan = await plan_attempt(tx, delivery_id, kit.clock())
            if plan is None:
                return
            packed = await _parcel(tx, kit, plan)
        sent: bytes | None = None
        retries: tuple[int, ...] = ()
        if isinstance(packed, Fault):
            outcome = read_fault(packed)
        else:
            spec, parcel = packed
            outcome, sent = await _attempt(way, couriers, spec, parcel)
            retries = spec.retries
            if outcome.code == BUYER_DUPLICATE.code and plan.no > 1:
                async with kit.db.begin() as tx:
                    outcome = _as_known(outcome, plan, await attempts_of(tx, delivery_id))
        jitter = chance()

        async def settle(broken: BaseException | None = None) -> None:
            now = kit.clock()
            async with kit.db.begin() as tx:
                row = await kit.pen.lock(tx, plan.lead_id)
                known = kit.pen.keys.has(row.person_id)
                events = await settle_attempt(
                    tx,
                    plan,
                    outcome,
                    now,
                    retries=retries,
                    jitter=jitter,
                    request_digest=sent,
                    seal=kit.pen.sealer(row, f"attempt {plan.delivery_id}") if known else None,
                )
                if events:
                    await react(tx, kit, row, events, now, broken)

        try:
            await _surely(settle)
        except Transient:
            raise
        except Exception as fault:
            # What follows is for a person then.
            await _surely(partial(settle, fault))

    return handle


async def _surely(act: Callable[[], Awaitable[None]]) -> None:
    """Do it, through faults that pass: what a recipient said must be written down, or it would be asked again."""
    for wait in _WAITS:
        try:
            return await act()
        except Transient:
            await asyncio.sleep(wait)
    return await act()


async def _parcel(tx: Tx, kit: Kit, plan: Plan) -> tuple[DeliverySpec, Parcel] | Fault:
    """The opened lead and how its recipient wants it, or why there is nothing to hand over: an outcome like any
    other."""
    rules = kit.walk().rules
    recipient = rules.roster.recipient(plan.recipient)
    if recipient is None:
        return Permanent("delivery.recipient.gone", f"{plan.recipient} is on the roster no more")
    row = await read_lead(tx, plan.lead_id)
    if row is None:
        return Permanent("flow.lead.unknown", "no such lead")
    lead = await open_row(tx, kit.pen, row)
    sale = await find_sale(tx, plan.sale_id)
    if lead is None:
        return Permanent("flow.lead.forgotten", "the person was forgotten; nothing is handed over any more")
    parcel = pack(
        plan,
        vertical=lead.vertical,
        fields=lead.fields,
        consent=lead.consent,
        context=lead.context,
        received_at=lead.received_at,
        price=sale.price.decimal() if sale else None,
        currency=sale.price.currency if sale else "USD",
        test=lead.test,
    )
    spec = read_delivery(recipient.delivery, f"delivery of {recipient.id}", profiles=rules.dialects.outbound)
    return spec, parcel


async def _attempt(
    way: WayOut, couriers: Mapping[str, Courier], spec: DeliverySpec, parcel: Parcel
) -> tuple[Outcome, bytes | None]:
    sent: bytes | None = None
    try:
        ask = compose(couriers, spec, parcel)
        sent = digest(ask)
        return read_reply(couriers, spec, parcel, await way.perform(ask, "buyer")), sent
    except Fault as fault:
        return read_fault(fault), sent


def _as_known(outcome: Outcome, plan: Plan, earlier: Sequence[Attempt]) -> Outcome:
    """A buyer that knows the person from an earlier attempt of ours, whose answer never came, has accepted the lead."""
    unheard = len(earlier) < plan.no - 1 or any(attempt.code not in _NEVER_ARRIVED for attempt in earlier)
    return msgspec.structs.replace(outcome, kind="accepted", code=HAD_IT, because=None) if unheard else outcome


def send_message(
    kit: Kit, way: WayOut, messengers: Mapping[str, Messenger], chance: Callable[[], float] = random.random
) -> Handler:
    """The handler of ``message.send`` jobs."""

    async def handle(job: Job) -> None:
        message_id = job.read(dict[str, str])["message_id"]
        now: datetime = kit.clock()
        async with kit.db.begin() as tx:
            sending = await plan_sending(tx, message_id, now)
            if sending is None:
                return
            row = await read_lead(tx, sending.lead_id)
            if row is None:
                raise Permanent("flow.lead.unknown", "no such lead")
            lead = await open_row(tx, kit.pen, row)
        rules = kit.walk().rules
        letter = compose_letter(sending, lead, rules.roster, rules.templates) if lead else None
        outcome = await read_sent(messengers, sending, letter, way.perform)
        jitter = chance()

        async def settle() -> None:
            now = kit.clock()
            async with kit.db.begin() as tx:
                row = await kit.pen.lock(tx, sending.lead_id)
                events = await settle_sending(tx, sending, outcome, now, jitter=jitter)
                if events:
                    await react(tx, kit, row, events, now)

        await _surely(settle)

    return handle

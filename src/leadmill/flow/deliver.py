"""The jobs that talk to the outside: hand a lead over, send a message.

Run by the worker. Each job claims its attempt in one transaction, talks outside of any, and settles in a second one
together with whatever follows from the outcome. What the buyer or the mailbox is told is opened just for the attempt.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Struct

from leadmill.capture import PATH_HEADER, mark_path
from leadmill.core.conversation import HttpAsk, Outgoing
from leadmill.core.events import Event
from leadmill.core.faults import Fault, Permanent, Transient
from leadmill.core.reasons import because
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
from leadmill.flow.calls import fields_of
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_row
from leadmill.flow.model import Settled
from leadmill.flow.noticing import heed_refusal
from leadmill.flow.permitting import ask_leave
from leadmill.flow.reactions import react
from leadmill.flow.returning import way_back
from leadmill.flow.store import read_lead
from leadmill.flow.suppressed import standing_of, way_out, without_sensitive
from leadmill.followup import (
    Messenger,
    Sending,
    SendOutcome,
    compose_letter,
    defer_sending,
    plan_sending,
    read_sent,
    settle_sending,
)
from leadmill.market.service import find_sale
from leadmill.optouts import OPTED_OUT
from leadmill.parties import KeyedHash
from leadmill.policy import MESSAGE_DEFERRED, MESSAGE_DENIED, Permit
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.outgoing import WayOut

T = TypeVar("T")

HAD_IT = "delivery.buyer.had_it"
"""The code of an attempt that found the lead delivered by an earlier one."""

_WAITS = (0.05, 0.2, 1.0, 5.0)
"""Seconds between tries to write down how an attempt ended."""

_NEVER_ARRIVED = frozenset(("http.connection.failed", "http.name.unresolved", "http.breaker.open"))
"""Codes of attempts that cannot have reached the buyer."""


class Made(Struct, frozen=True):
    """What came of an attempt: how it ended, what happened to the lead, and where that stands where it went on."""

    outcome: Outcome
    events: tuple[Event, ...] = ()
    settled: Settled | None = None


Attempts = Callable[[str, int | None], Awaitable[Made | None]]
"""Makes the next attempt at a delivery; None where there is none to make. The number is the most milliseconds that the
recipient may take, None what it declares."""


def deliver(attempt: Attempts) -> Handler:
    """The handler of ``delivery.attempt`` jobs."""

    async def handle(job: Job) -> None:
        await attempt(job.read(dict[str, str])["delivery_id"], None)

    return handle


def attempts(
    kit: Kit, way: WayOut, couriers: Mapping[str, Courier], chance: Callable[[], float] = random.random
) -> Attempts:
    """Makes attempts: claimed in one transaction, made outside of any, settled in a second one with what follows."""

    async def attempt(delivery_id: str, within_ms: int | None = None) -> Made | None:
        async with kit.db.begin() as tx:
            plan = await plan_attempt(tx, delivery_id, kit.clock())
            if plan is None:
                return None
            packed = await _parcel(tx, kit, plan)
        sent: bytes | None = None
        retries: tuple[int, ...] = ()
        if isinstance(packed, Outcome):
            outcome = packed
        elif isinstance(packed, Fault):
            outcome = read_fault(packed)
        else:
            spec, parcel = packed
            if parcel.test:
                spec = spec.for_test()
            if within_ms is not None and within_ms < spec.timeout_ms:
                spec = msgspec.structs.replace(spec, timeout_ms=within_ms)
            outcome, sent = await _attempt(way, couriers, spec, parcel, kit.pen.vault.keyed_hash)
            retries = spec.retries
            if outcome.code == BUYER_DUPLICATE.code and plan.no > 1:
                async with kit.db.begin() as tx:
                    outcome = _as_known(outcome, plan, await attempts_of(tx, delivery_id))
        jitter = chance()

        async def settle(broken: BaseException | None = None) -> Made:
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
                if not events:
                    return Made(outcome)
                news, settled = await react(tx, kit, row, events, now, broken)
            return Made(outcome, tuple(news), settled)

        try:
            return await _surely(settle)
        except Transient:
            raise
        except Exception as fault:
            # What follows is for a person then.
            return await _surely(partial(settle, fault))

    return attempt


async def _surely(act: Callable[[], Awaitable[T]]) -> T:
    """Do it, through faults that pass: what a recipient said must be written down, or it would be asked again."""
    for wait in _WAITS:
        try:
            return await act()
        except Transient:
            await asyncio.sleep(wait)
    return await act()


async def _parcel(tx: Tx, kit: Kit, plan: Plan) -> tuple[DeliverySpec, Parcel] | Fault | Outcome:
    """The opened lead and how its recipient wants it, or why there is nothing to hand over: an outcome like any
    other. Whoever opted out before the claim is durable is handed over to nobody."""
    rules = kit.walk().rules
    recipient = rules.roster.recipient(plan.recipient)
    if recipient is None:
        return Permanent("delivery.recipient.gone", f"{plan.recipient} is on the roster no more")
    row = await read_lead(tx, plan.lead_id)
    if row is None:
        return Permanent("flow.lead.unknown", "no such lead")
    lead = await open_row(tx, kit.pen, row)
    if lead is None:
        return Permanent("flow.lead.forgotten", "the person was forgotten; nothing is handed over any more")
    standing = await standing_of(tx, kit.pen.vault.keyed_hash, lead)
    outside = recipient.id in rules.roster.buyers
    if standing.opted_out or (standing.unsold and outside):
        return Outcome("dead", OPTED_OUT.code, because=because(OPTED_OUT))
    fields = lead.fields
    if standing.limited:  # our own people included: they are told what was asked for, and nothing sensitive
        fields = without_sensitive(fields, rules.verticals.get(lead.vertical))
    sale = await find_sale(tx, plan.sale_id)
    parcel = pack(
        plan,
        vertical=lead.vertical,
        fields=fields_of(rules.orders.get(sale.order_id) if sale else None, fields),
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
    way: WayOut, couriers: Mapping[str, Courier], spec: DeliverySpec, parcel: Parcel, keyed_hash: KeyedHash
) -> tuple[Outcome, bytes | None]:
    sent: bytes | None = None
    try:
        ask = _marked(compose(couriers, spec, parcel), parcel, keyed_hash)
        sent = digest(ask)
        return read_reply(couriers, spec, parcel, await way.perform(ask, "buyer")), sent
    except Fault as fault:
        return read_fault(fault), sent


def _marked(ask: Outgoing, parcel: Parcel, keyed_hash: KeyedHash) -> Outgoing:
    """The ask with the mark by which we know the lead if it comes back, behind those it came with."""
    if not isinstance(ask, HttpAsk):
        return ask
    before = parcel.context.get("path")
    path = mark_path(keyed_hash, parcel.lead_id, before if isinstance(before, str) else "")
    return msgspec.structs.replace(ask, headers={**ask.headers, PATH_HEADER: path})


def _as_known(outcome: Outcome, plan: Plan, earlier: Sequence[Attempt]) -> Outcome:
    """A buyer that knows the person from an earlier attempt of ours, whose answer never came, has accepted the lead."""
    unheard = len(earlier) < plan.no - 1 or any(attempt.code not in _NEVER_ARRIVED for attempt in earlier)
    return msgspec.structs.replace(outcome, kind="accepted", code=HAD_IT, because=None) if unheard else outcome


def send_message(
    kit: Kit,
    way: WayOut,
    messengers: Mapping[str, Messenger],
    chance: Callable[[], float] = random.random,
    public_url: str = "",
) -> Handler:
    """The handler of ``message.send`` jobs. ``public_url`` is where the site is reached."""

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
            denied: SendOutcome | None = None
            permit = Permit("allow", "")
            if lead is not None:
                standing = await standing_of(tx, kit.pen.vault.keyed_hash, lead)
                if standing.opted_out:
                    denied = SendOutcome("failed", OPTED_OUT.code)
                if standing.limited:
                    fields = without_sensitive(lead.fields, kit.walk().rules.verticals.get(lead.vertical))
                    lead = msgspec.structs.replace(lead, fields=fields)
            out = way_out(kit.pen.vault, lead, public_url) if lead is not None else ""
            if lead is not None and denied is None:
                permit = await ask_leave(tx, kit, row, lead, sending, bool(out), now)
        if permit.until is not None and permit.decision == "defer":
            await _surely(partial(_defer, kit, sending, permit, permit.until))
            return
        if not permit.given:
            denied = SendOutcome("failed", MESSAGE_DENIED.code, says=permit.says, rules=permit.rules)
        rules = kit.walk().rules
        letter = None
        if lead is not None and denied is None:
            link = way_back(kit.pen.vault, rules.forms, lead, public_url, now)
            letter = compose_letter(sending, lead, rules.roster, rules.templates, link, out)
        outcome = denied or await read_sent(messengers, sending, letter, way.perform)
        jitter = chance()

        async def settle() -> None:
            now = kit.clock()
            async with kit.db.begin() as tx:
                row = await kit.pen.lock(tx, sending.lead_id)
                events = await settle_sending(tx, sending, outcome, now, jitter=jitter)
                if events and outcome.status and sending.kind == "ack":
                    events += await heed_refusal(tx, kit, row, sending.message_id, outcome.status, now)
                if events:
                    await react(tx, kit, row, events, now)

        await _surely(settle)

    return handle


async def _defer(kit: Kit, sending: Sending, permit: Permit, until: datetime) -> None:
    """Put a message off until it may go out."""
    now = kit.clock()
    async with kit.db.begin() as tx:
        row = await kit.pen.lock(tx, sending.lead_id)
        events = await defer_sending(tx, sending, until, MESSAGE_DEFERRED.code, permit.says, permit.rules, now)
        if events:
            await kit.pen.append(tx, row.id, events, now)

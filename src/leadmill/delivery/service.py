"""The verbs of delivery: plan an attempt, write it, read the answer, settle it; resend and call off.

Called by the worker's job handler in ``flow``, which opens the lead's fields and performs the ask between
:func:`plan_attempt` and :func:`settle_attempt`, outside any transaction. A buyer may get a lead twice (a worker can
die between sending and settling) but always under the same id; a settlement happens once.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from leadmill.core.conversation import Outgoing, Reply
from leadmill.core.events import Event
from leadmill.core.faults import Conflict, Fault, NotFound, Permanent, Transient
from leadmill.core.reasons import because
from leadmill.delivery import store
from leadmill.delivery.model import (
    ATTEMPTS_SPENT,
    SENDING_FAULT,
    Courier,
    DeliveryAccepted,
    DeliveryCancelled,
    DeliveryDead,
    DeliveryRejected,
    DeliveryResent,
    DeliveryRetrying,
    DeliverySpec,
    Outcome,
    Parcel,
    Plan,
    Receipt,
    State,
)
from leadmill.delivery.rules import next_wait
from leadmill.market import find_sale
from leadmill.runtime.db import Tx
from leadmill.runtime.telemetry import DELIVERIES

T = TypeVar("T")

LEASE = timedelta(minutes=3)
"""How long an attempt may take before it counts as lost: more than the longest ``timeout_ms`` of a spec."""


async def plan_attempt(tx: Tx, delivery_id: str, now: datetime) -> Plan | None:
    """Claim the next attempt; None where nothing is left to do (delivered, refused, called off, unknown).

    Raises :class:`Transient` ``delivery.attempt.early`` where the attempt is not due or another worker is at it,
    with the seconds to wait: the job must come back, for that worker may be dead.
    """
    plan = await store.claim(tx, delivery_id, now, LEASE)
    if plan is not None:
        return plan
    receipt = await store.find(tx, delivery_id)
    if receipt is None or receipt.state not in ("queued", "retrying") or receipt.next_at is None:
        return None
    wait = max(0.5, (receipt.next_at - now).total_seconds())
    raise Transient("delivery.attempt.early", "not due, or another worker is at it", after=wait)


def pack(plan: Plan, *, vertical: str, fields: Mapping[str, Any], **more: Any) -> Parcel:
    """The parcel of an attempt: ``fields`` and, by name, the other particulars of :class:`Parcel`."""
    return Parcel(
        delivery_id=plan.delivery_id,
        lead_id=plan.lead_id,
        sale_id=plan.sale_id,
        recipient=plan.recipient,
        vertical=vertical,
        created_at=plan.created_at,
        no=plan.no,
        bid_ref=plan.bid_ref,
        fields=dict(fields),
        **more,
    )


def compose(couriers: Mapping[str, Courier], spec: DeliverySpec, parcel: Parcel) -> Outgoing:
    """The parcel as the spec's courier sends it. Raises :class:`Permanent` ``delivery.courier.unknown`` where it is
    not installed, ``delivery.courier.unfit`` where the spec lacks what it needs, ``delivery.courier.failed`` where
    it breaks."""
    courier = couriers.get(spec.courier)
    if courier is None:
        raise Permanent("delivery.courier.unknown", f"no courier '{spec.courier}' is installed")
    for key, says in courier.check(spec):
        raise Permanent("delivery.courier.unfit", f"{key}: {says}")
    return _guarded(lambda: courier.ask(spec, parcel))


def read_reply(couriers: Mapping[str, Courier], spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
    """What the reply means, by the courier that asked."""
    return _guarded(lambda: couriers[spec.courier].read(spec, parcel, reply))


def digest(ask: Outgoing) -> bytes:
    """The SHA-256 of what was asked, secrets still unopened: proof of what was sent without keeping it."""
    return hashlib.sha256(msgspec.msgpack.encode(ask)).digest()


async def settle_attempt(
    tx: Tx,
    plan: Plan,
    outcome: Outcome,
    now: datetime,
    *,
    retries: tuple[int, ...],
    jitter: float,
    request_digest: bytes | None = None,
    seal: Callable[[bytes], bytes] | None = None,
) -> list[Event]:
    """Record the attempt and what follows; the events to append to the lead's journal, none where it was settled or
    called off before.

    ``retries`` is the spec's schedule, ``jitter`` a number from 0 to 1, ``seal`` closes the answer's excerpt under
    the person's key (without it nothing of the answer is kept).
    """
    next_at: datetime | None = None
    if outcome.kind == "retry":
        wait = next_wait(retries, plan.round_no, jitter, outcome.after)
        if wait is None:
            spent = because(ATTEMPTS_SPENT, attempts=plan.round_no, code=outcome.code)
            outcome = msgspec.structs.replace(outcome, kind="dead", because=spent)
        else:
            next_at = now + timedelta(seconds=wait)
    event = _event(plan, outcome, now, next_at)
    state = _STATES[outcome.kind]
    if not await store.settle(tx, plan, state, outcome.code, next_at=next_at, ref=outcome.buyer_ref, now=now):
        return []
    excerpt = seal(outcome.excerpt.encode()) if seal is not None and outcome.excerpt else None
    store.add_attempt(tx, plan, outcome, now, request_digest, excerpt)
    if next_at is not None:
        store.put_job(tx, plan.delivery_id, plan.no + 1, next_at, now)
    tx.after(DELIVERIES.labels(state).inc)
    return [event]


async def resend(tx: Tx, delivery_id: str, by: str, now: datetime) -> list[Event]:
    """Send an accepted or dead delivery again, under its old id and with a fresh schedule; ``by`` is an operator's id.

    Raises :class:`NotFound` ``delivery.record.unknown``; :class:`Conflict` ``delivery.resend.refused`` where it is
    still being tried, or where its sale is gone because the buyer refused it or it was called off.
    """
    known = await store.find(tx, delivery_id)
    if known is None:
        raise NotFound("delivery.record.unknown", "there is no such delivery")
    sale = await find_sale(tx, known.sale_id)
    if sale is not None and sale.ended_at is not None:
        raise Conflict("delivery.resend.refused", "its sale was taken back; the recipient has no part in the lead")
    receipt = await store.restart(tx, delivery_id, now)
    if receipt is None:
        raise Conflict(
            "delivery.resend.refused", f"the delivery is {known.state}; only accepted and dead ones are sent again"
        )
    store.put_job(tx, delivery_id, receipt.attempts + 1, now, now)
    return [DeliveryResent(at=now, by=by, **_common(receipt, "delivery.asked.again"))]


async def cancel_delivery(tx: Tx, sale_id: str, now: datetime) -> list[Event]:
    """Call off what would still be tried of a sale that was taken back. An attempt in flight finishes and is not
    recorded."""
    found = await store.cancel(tx, sale_id, now)
    return [DeliveryCancelled(at=now, **_common(one, one.code or "delivery.sale.cancelled")) for one in found]


_STATES: dict[str, State] = {"accepted": "accepted", "rejected": "rejected", "retry": "retrying", "dead": "dead"}


def _common(receipt: Receipt, code: str) -> dict[str, Any]:
    return {
        "delivery_id": receipt.delivery_id,
        "sale_id": receipt.sale_id,
        "recipient": receipt.recipient,
        "attempt": receipt.attempts,
        "code": code,
    }


def _event(plan: Plan, outcome: Outcome, now: datetime, next_at: datetime | None) -> Event:
    common: dict[str, Any] = {
        "at": now,
        "delivery_id": plan.delivery_id,
        "sale_id": plan.sale_id,
        "recipient": plan.recipient,
        "attempt": plan.no,
        "code": outcome.code,
    }
    if outcome.kind == "accepted":
        return DeliveryAccepted(**common, buyer_ref=outcome.buyer_ref, price=outcome.price)
    if next_at is not None:
        return DeliveryRetrying(**common, next_at=next_at)
    why = outcome.because or because(SENDING_FAULT, code=outcome.code)
    return (
        DeliveryRejected(**common, because=why) if outcome.kind == "rejected" else DeliveryDead(**common, because=why)
    )


def _guarded(call: Callable[[], T]) -> T:
    """Run a courier's code: what it raises by mistake is the courier's failure, and may hold personal data, so only
    its type is told."""
    try:
        return call()
    except Fault:
        raise
    except Exception as fault:
        raise Permanent("delivery.courier.failed", type(fault).__name__) from None

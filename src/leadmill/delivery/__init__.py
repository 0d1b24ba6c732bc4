"""Delivery: hands a sold lead to who bought it.

Takes the ``Sale`` of a walk and gives a ``Dispatched``: one delivery a leg, each attempted by a job until the buyer
accepts, refuses, or the retry schedule is spent. Decides how a lead is written in the buyer's own dialect, what the
buyer's answer means and when to try again; never who gets the lead. Transports are plug-ins (entry points
``leadmill.couriers``) that use what this door offers.
"""

from leadmill.delivery.model import (
    ATTEMPT,
    BUYER_DUPLICATE,
    BUYER_REJECTED,
    ENDPOINT_WRONG,
    Attempt,
    Courier,
    DeliveryAccepted,
    DeliveryCancelled,
    DeliveryDead,
    DeliveryRejected,
    DeliveryResent,
    DeliveryRetrying,
    DeliverySpec,
    Dispatched,
    Outcome,
    Parcel,
    Plan,
    Planned,
    Receipt,
)
from leadmill.delivery.reading import read_delivery
from leadmill.delivery.replies import read_answer, read_fault, scrub
from leadmill.delivery.rules import full, full_flat, shape, write
from leadmill.delivery.service import (
    cancel_delivery,
    compose,
    digest,
    pack,
    plan_attempt,
    read_reply,
    resend,
    settle_attempt,
)
from leadmill.delivery.step import Dispatch
from leadmill.delivery.store import attempts_of, count_states, find, keep_dispatched, list_receipts, receipts_of
from leadmill.runtime.dialect import Letterform, Secret

__all__ = [
    "ATTEMPT",
    "BUYER_DUPLICATE",
    "BUYER_REJECTED",
    "ENDPOINT_WRONG",
    "Attempt",
    "Courier",
    "DeliveryAccepted",
    "DeliveryCancelled",
    "DeliveryDead",
    "DeliveryRejected",
    "DeliveryResent",
    "DeliveryRetrying",
    "DeliverySpec",
    "Dispatch",
    "Dispatched",
    "Letterform",
    "Outcome",
    "Parcel",
    "Plan",
    "Planned",
    "Receipt",
    "Secret",
    "attempts_of",
    "cancel_delivery",
    "compose",
    "count_states",
    "digest",
    "find",
    "full",
    "full_flat",
    "keep_dispatched",
    "list_receipts",
    "pack",
    "plan_attempt",
    "read_answer",
    "read_delivery",
    "read_fault",
    "read_reply",
    "receipts_of",
    "resend",
    "scrub",
    "settle_attempt",
    "shape",
    "write",
]

"""Delivery: hands a sold lead to who bought it.

Takes the ``Sale`` of a walk and gives a ``Dispatched``: one delivery a leg, each attempted by a job until the buyer
accepts, refuses, or the retry schedule is spent. Decides how a lead is written in the buyer's own dialect, what the
buyer's answer means and when to try again; never who gets the lead. Transports are plug-ins (entry points
``leadmill.couriers``).
"""

from leadmill.delivery.model import (
    ATTEMPT,
    Courier,
    DeliveryAccepted,
    DeliveryDead,
    DeliveryRejected,
    DeliveryRetrying,
    DeliverySpec,
    Dispatched,
    Outcome,
    Parcel,
    Plan,
    Planned,
    Receipt,
)

__all__ = [
    "ATTEMPT",
    "Courier",
    "DeliveryAccepted",
    "DeliveryDead",
    "DeliveryRejected",
    "DeliveryRetrying",
    "DeliverySpec",
    "Dispatched",
    "Outcome",
    "Parcel",
    "Plan",
    "Planned",
    "Receipt",
]

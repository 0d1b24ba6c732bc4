"""Pure rules of delivery: a lead in the buyer's own words, and when to try again.

Called by couriers (through the door), by the verbs and by the reader of specs. No clock, no input or output, no
randomness that is not an argument.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from leadmill.delivery.model import DeliverySpec, Parcel
from leadmill.runtime.dialect import Letterform, content_of, present, stamp
from leadmill.runtime.dialect import write as write_down

_CONTEXT = ("ip", "user_agent", "landing_page")
"""What a buyer needs of the circumstances to prove the consent; click ids and sub ids stay with us unless mapped."""


def write(spec: DeliverySpec, parcel: Parcel) -> Letterform:
    """The parcel in the spec's format and names, constants included."""
    secrets: dict[str, str] = {}
    return write_down(spec, _content(spec, parcel, secrets), secrets)


def shape(spec: DeliverySpec, parcel: Parcel) -> dict[str, Any]:
    """The values on one level by the buyer's names, for a reader who is a person. Secrets appear as tokens only."""
    return _content(spec, parcel, {}) if spec.fields else full_flat(parcel)


def _content(spec: DeliverySpec, parcel: Parcel, secrets: dict[str, str]) -> dict[str, Any]:
    # A delivery's id is made after the lead came.
    whole = full if spec.format in ("json", "xml") else full_flat
    return content_of(spec, partial(find, parcel=parcel), partial(whole, parcel), parcel.delivery_id, secrets)


def full(parcel: Parcel) -> dict[str, Any]:
    """Everything a recipient may have, under Leadmill's own names."""
    content = {
        "lead_id": parcel.lead_id,
        "sale_id": parcel.sale_id,
        "vertical": parcel.vertical,
        "received_at": stamp(parcel.received_at) if parcel.received_at else None,
        "price": parcel.price,
        "currency": parcel.currency if parcel.price is not None else None,
        "ping_id": parcel.bid_ref,
        "test": True if parcel.test else None,
        "fields": present(parcel.fields),
        "consent": present(parcel.consent),
        "context": present({name: parcel.context.get(name) for name in _CONTEXT}),
    }
    return {name: value for name, value in content.items() if value is not None and value != {}}


def full_flat(parcel: Parcel) -> dict[str, Any]:
    """The same on one level: fields under their own names, consent behind ``consent_``."""
    content = full(parcel)
    consent = {f"consent_{name}": value for name, value in content.pop("consent", {}).items()}
    context: dict[str, Any] = content.pop("context", {})
    fields: dict[str, Any] = content.pop("fields", {})
    return context | fields | consent | content


def find(source: str, parcel: Parcel) -> Any:
    """The value behind a source name: a field, or one of ``consent.``, ``context.``, ``lead.`` and ``sale.``."""
    group, dot, name = source.partition(".")
    if not dot:
        return parcel.fields.get(source)
    if group == "fields":
        return parcel.fields.get(name)
    if group == "consent":
        return parcel.consent.get(name)
    if group == "context":
        return parcel.context.get(name)
    if group == "lead":
        known: Mapping[str, Any] = {
            "id": parcel.lead_id,
            "vertical": parcel.vertical,
            "received_at": stamp(parcel.received_at) if parcel.received_at else None,
            "test": parcel.test,
        }
        return known.get(name)
    sale: Mapping[str, Any] = {
        "id": parcel.sale_id,
        "price": parcel.price,
        "currency": parcel.currency,
        "recipient": parcel.recipient,
        "ping_id": parcel.bid_ref,
        "at": stamp(parcel.created_at),
    }
    return sale.get(name)


def next_wait(retries: tuple[int, ...], tried: int, jitter: float, after: float | None = None) -> float | None:
    """Seconds until the next attempt after ``tried`` attempts, None where the schedule is spent. ``jitter`` from 0
    to 1 spreads the wait by a fifth either way; ``after`` is what the other side asked for at least, heeded up to a
    day."""
    if tried > len(retries):
        return None
    wait = retries[tried - 1] * (0.8 + 0.4 * jitter)
    return max(wait, min(after, 86_400.0)) if after is not None else wait

"""Reads what a buyer answered to a delivery: accepted, refused, or try again.

Called by couriers through the door. What the answer says is found out by ``runtime.dialect``; what it means for the
delivery is said here. What a buyer writes may repeat the person's data, so a reason is scrubbed before it leaves this
module.
"""

import re
from typing import Any, Literal

import msgspec

from leadmill.core.faults import Fault, Transient
from leadmill.core.reasons import because
from leadmill.delivery.model import (
    BUYER_DUPLICATE,
    BUYER_REJECTED,
    ENDPOINT_WRONG,
    SENDING_FAULT,
    DeliverySpec,
    Outcome,
    Parcel,
)
from leadmill.runtime.dialect import PRICE_KEYS, Answer, named, price_of, said, take_apart

_EXCERPT = 2_000
_REASON_KEYS = (
    "reason", "rejectreason", "message", "error", "errors", "errormessage", "errordescription", "msg", "detail",
    "responsedetail", "info", "description",
)  # fmt: skip
_ID_KEYS = ("buyerleadid", "leadid", "leadidentifier", "id", "reference", "ref", "transactionid", "postid")


def read_answer(
    spec: DeliverySpec, parcel: Parcel, status: int, media_type: str, body: bytes, elapsed_ms: int = 0
) -> Outcome:
    """What an HTTP answer (2xx to 4xx) means for the delivery."""
    answer = take_apart(status, media_type, body)
    base = Outcome("retry", "", status=status, elapsed_ms=elapsed_ms, excerpt=answer.text[:_EXCERPT])
    rules = spec.reply
    verdict = said(rules, answer)
    if verdict == "retry":
        return _so(base, "retry", "delivery.reply.retry")
    if verdict == "wrong_address":
        return _so(base, "dead", "delivery.endpoint.wrong", because=because(ENDPOINT_WRONG, status=status))
    if verdict == "unreadable":
        return _so(base, "retry", "delivery.reply.unreadable")
    if verdict in (None, "accepted"):
        return _so(
            base,
            "accepted",
            "delivery.buyer.accepted",
            buyer_ref=_reference(rules.buyer_lead_id, answer, parcel),
            price=price_of(named(rules.price, answer, PRICE_KEYS)),
        )
    reason = BUYER_DUPLICATE if verdict == "duplicate" else BUYER_REJECTED
    words = named(rules.reason, answer, _REASON_KEYS) or (answer.text if answer.told == "text" else "")
    why = because(reason, said=scrub(str(words), parcel) or f"HTTP {status}", status=status)
    return _so(base, "rejected", reason.code, because=why)


def read_fault(fault: Fault) -> Outcome:
    """What it means that the ask could not be performed at all."""
    if isinstance(fault, Transient):
        return Outcome("retry", fault.code, after=fault.after)
    return Outcome("dead", fault.code, because=because(SENDING_FAULT, code=fault.code))


def scrub(said: str, parcel: Parcel) -> str:
    """A buyer's words without the person's values, e-mail addresses and long numbers; one line, at most 120
    characters."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:1_000]
    line = re.sub(r"\S+@\S+", "…", line)
    for value in (*parcel.fields.values(), *parcel.context.values()):
        if isinstance(value, str) and len(value.strip()) >= 2:
            line = re.sub(rf"(?<!\w){re.escape(value.strip())}(?!\w)", "…", line, flags=re.IGNORECASE)
    line = re.sub(r"[+(]?\d(?:[\s().-]{0,2}\d){4,}", "…", line)
    return line[:120].strip(" .")


def _so(base: Outcome, kind: Literal["accepted", "rejected", "retry", "dead"], code: str, **more: Any) -> Outcome:
    return msgspec.structs.replace(base, kind=kind, code=code, **more)


def _reference(path: str, answer: Answer, parcel: Parcel) -> str | None:
    """The buyer's own id of the lead, unless it is a value of the person's."""
    found = named(path, answer, _ID_KEYS)
    ref = "".join(sign for sign in str(found) if sign.isprintable())[:100].strip() if found is not None else ""
    held = {str(value).lower() for value in parcel.fields.values() if value}
    return ref if ref and "@" not in ref and ref.lower() not in held else None

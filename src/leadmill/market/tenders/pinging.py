"""Reads an order's ``ping`` table, and what came back for it.

Called when configuration is applied and when rules are assembled, and by bidders through the door. The language is
that of deliveries (``runtime.dialect``); what a ping may not carry is refused here, before a lead meets it.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from leadmill.core.reading import Table, nearest
from leadmill.core.reasons import because
from leadmill.market.tenders.tender import (
    BID_CONTRADICTORY,
    BID_DECLINED,
    BID_DUPLICATE,
    BID_FAULT,
    BID_MALFORMED,
    CONTACT,
    Bidder,
    BidRead,
    Offer,
    PingTarget,
)
from leadmill.runtime.dialect import (
    PRICE_KEYS,
    Answer,
    Letterform,
    Profile,
    content_of,
    named,
    present,
    price_of,
    read_path,
    read_spec,
    read_test,
    resolve,
    said,
    stamp,
    take_apart,
    write,
)

NO_PROFILES: Mapping[str, Profile] = {}
_GROUPS = ("fields", "consent", "context", "lead", "ping")
_REF_KEYS = ("pingid", "bidid", "transactionid", "leadid", "id", "reference", "ref")
_REASON_KEYS = ("reason", "rejectreason", "message", "error", "errors", "msg", "detail", "info", "description")
_LONGEST_EXPIRY = 3_600.0
_SIP = re.compile(r"[\w.+-]{1,128}@[\w.-]{1,128}(?::\d{1,5})?")


def read_ping(
    table: Table,
    key: str = "ping",
    bidders: Mapping[str, Bidder] | None = None,
    profiles: Mapping[str, Profile] = NO_PROFILES,
) -> PingTarget | None:
    """The target that a table declares under ``key``; None where it declares none. ``bidders``, where given, are the
    installed ones: the named one must exist and be content. ``profiles`` are what its ``dialect`` may name.

    Raises :class:`BadInput` with the table's code, saying where and what to write instead.
    """
    if not table.has(key):
        return None
    where = f"{table.where}, {key}"
    part = table.inner(resolve(table.value(key), profiles, "ping", where, table.code), key)
    part.has("dialect"), part.has("keys")  # known to whoever mistypes one; taken care of by now
    target = read_spec(
        part,
        PingTarget,
        groups=_GROUPS,
        named="zip, consent.trustedform, context.ip, lead.vertical or ping.id",
        timeout_ms=(500, 50, 10_000),
        bidder=part.text("bidder", "http"),
        tier=part.whole("tier", 1, least=1, most=9),
        test=read_test(part),
        shared_price=read_path(part, "shared_price"),
        ping_id=read_path(part, "ping_id"),
        expires_in=read_path(part, "expires_in"),
        valid_s=part.whole("valid_s", 120, least=1, most=3_600),
        call_to=read_path(part, "call_to"),
        call_sip=read_path(part, "call_sip"),
    )
    part.close()
    if not target.url:
        part.refuse("is missing: the address that is asked for bids", "url")
    if target.call_sip and not target.call_to:
        part.refuse("is missing: where the answer names the number, beside its SIP address", "call_to")
    for name, one in target.fields.items():
        group, _, last = one.source.rpartition(".")
        if last in CONTACT and group in ("", "fields", "consent", "context"):
            part.refuse("a ping carries no contact details; they go with the post", f"fields.{name}")
    if bidders is not None:
        bidder = bidders.get(target.bidder)
        if bidder is None:
            part.refuse(f"no bidder '{target.bidder}' is installed; {nearest(target.bidder, bidders)}", "bidder")
        lacks = bidder.check(target)
        if lacks:
            part.refuse_all(lacks)
    return target


def write_offer(target: PingTarget, offer: Offer, budget_ms: int) -> Letterform:
    """The offer in the target's words; a test is marked by what the target says marks one."""
    secrets: dict[str, str] = {}
    find = partial(_find, offer, budget_ms)
    content = content_of(target, find, partial(_whole, target, offer, budget_ms), offer.id, secrets)
    if offer.test and target.test is not None:
        content |= target.test
    return write(target, content, secrets)


def _whole(target: PingTarget, offer: Offer, budget_ms: int) -> dict[str, Any]:
    told = {
        "ping_id": offer.id,
        "vertical": offer.vertical,
        "received_at": stamp(offer.received_at),
        "timeout_ms": budget_ms,
        "test": True if offer.test else None,
    }
    shown = {name: offer.context[name] for name in ("ip", "landing_page") if name in offer.context}
    if target.format in ("json", "xml"):
        return present(told | {"fields": offer.fields, "consent": offer.consent, "context": shown})
    consent = {f"consent_{name}": value for name, value in offer.consent.items()}
    return present(offer.fields | consent | shown | told)


def _find(offer: Offer, budget_ms: int, source: str) -> Any:
    group, dot, name = source.partition(".")
    if not dot or group == "fields":
        name = name or source
        return offer.fields.get(name, offer.guarded.get(name))
    if group == "consent":
        return offer.consent.get(name)
    if group == "context":
        return offer.context.get(name)
    if group == "ping":
        return {"id": offer.id, "timeout_ms": budget_ms, "test": offer.test}.get(name)
    return {
        "vertical": offer.vertical,
        "source": offer.source,
        "received_at": stamp(offer.received_at),
        "test": offer.test,
    }.get(name)


def read_bid(target: PingTarget, status: int, media_type: str, body: bytes) -> BidRead:
    """What an HTTP answer (2xx to 4xx) to a ping means: a bid, or why it is none. An answer that names a price without
    yes or no is a bid; one that says no and names a price, or yes and a price of nothing, is believed in neither."""
    answer = take_apart(status, media_type, body)
    verdict = said(target.reply, answer)
    price = price_of(named(target.reply.price, answer, PRICE_KEYS))
    shared = price_of(named(target.shared_price, answer, ())) if target.shared_price else None
    offered = any(amount is not None and Decimal(amount) > 0 for amount in (price, shared))
    if verdict == "wrong_address":
        return BidRead(no_bid=because(BID_FAULT, code=f"http.status.{status}"))
    if verdict in ("unreadable", "retry"):
        what = "it is a page" if answer.told == "html" else "it does not hold together"
        return BidRead(no_bid=because(BID_MALFORMED, what=what))
    if verdict in ("rejected", "duplicate"):
        if offered and verdict == "rejected" and status < 400:
            return BidRead(no_bid=because(BID_CONTRADICTORY, what=f"it says no and names a price of {price or shared}"))
        reason = BID_DUPLICATE if verdict == "duplicate" else BID_DECLINED
        return BidRead(no_bid=because(reason, said=_words(target, answer) or f"HTTP {status}"))
    if not offered:
        if price is not None or shared is not None:
            return BidRead(no_bid=because(BID_DECLINED, said="a price of nothing"))
        if verdict is None:
            return BidRead(no_bid=because(BID_MALFORMED, what="it says neither yes nor no, and names no price"))
    number = _number(named(target.call_to, answer, ())) if target.call_to else ""
    return BidRead(
        price,
        shared,
        _ref(target, answer),
        _seconds(named(target.expires_in, answer, ())),
        call_to=number,
        call_sip=_sip(named(target.call_sip, answer, ())) if target.call_sip and number else "",
    )


def _words(target: PingTarget, answer: Answer) -> str:
    """The buyer's reason on one short line. It was told nothing of the person; what looks like it goes all the same."""
    found = named(target.reply.reason, answer, _REASON_KEYS) or (answer.text if answer.told == "text" else "")
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(found)).split())[:1_000]
    line = re.sub(r"\S+@\S+", "…", line)
    line = re.sub(r"[+(]?\d(?:[\s().-]{0,2}\d){5,}", "…", line)
    return line[:120].strip(" .")


def _ref(target: PingTarget, answer: Answer) -> str | None:
    found = named(target.ping_id or target.reply.buyer_lead_id, answer, _REF_KEYS)
    ref = "".join(sign for sign in str(found) if sign.isprintable())[:200].strip() if found is not None else ""
    return ref or None


def _number(value: Any) -> str:
    """A telephone number of the buyer's with its country code, that of North America where it is written without one;
    empty where it is none."""
    digits = "".join(sign for sign in str(value) if sign.isdecimal() and sign.isascii())
    if len(digits) == 10 and not str(value).strip().startswith("+"):
        digits = f"1{digits}"
    return f"+{digits}" if 8 <= len(digits) <= 15 and digits[0] != "0" else ""


def _sip(value: Any) -> str:
    text = str(value).strip().removeprefix("sip:") if value is not None else ""
    return text if _SIP.fullmatch(text) else ""


def _seconds(value: Any) -> float | None:
    try:
        seconds = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return min(float(seconds), _LONGEST_EXPIRY) if seconds.is_finite() and seconds > 0 else None

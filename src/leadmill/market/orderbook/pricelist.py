"""Reads how an order's price moves, strictly: rules, hours and seasons, volume, subscription, calls.

Called by ``reading`` for the parts of an ``[[order]]`` table. Everything that could never work is refused with the
place and the remedy.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Literal

from leadmill.core.hours import read_spans
from leadmill.core.money import Money
from leadmill.core.predicates import parse
from leadmill.core.reading import Table
from leadmill.market.terms import CallTerms, PriceRule, PriceTime, Subscription, VolumeStep

CODE = "config.order.malformed"
_MOST = Decimal(10)


def read_factor(table: Table, key: str = "factor") -> Decimal:
    """What a price is multiplied by: over 0 and up to 10, written as a text such as ``"1.10"``."""
    found = table.value(key)
    try:
        value = Decimal(found) if isinstance(found, str) else Decimal("NaN")
    except ArithmeticError:
        value = Decimal("NaN")
    exponent = value.as_tuple().exponent
    if not value.is_finite() or not 0 < value <= _MOST or not isinstance(exponent, int) or exponent < -6:
        table.refuse('must be a factor over 0 and up to 10 written as a text, such as "1.10"', key)
    return value


def read_price_rules(table: Table, currency: str) -> tuple[PriceRule, ...]:
    """``price_rules``: ``{ where, price, shared_price }`` or ``{ where, factor }``."""
    found = []
    for part in _parts(table, "price_rules"):
        where = tuple(part.tables("where"))
        parse(list(where), f"{part.where}, where")
        if not where:
            part.refuse("is empty, so the rule would always hold; change the order's price instead", "where")
        price, shared, factor = _price_or_factor(part, currency)
        found.append(PriceRule(where=where, price=price, shared_price=shared, factor=factor))
    return tuple(found)


def read_price_times(table: Table) -> tuple[PriceTime, ...]:
    """``price_times``: a factor ``during`` hours of the week, ``from`` one day of the year ``to`` another, or both."""
    found = []
    for part in _parts(table, "price_times"):
        text = part.texts("during", ())
        spans = read_spans(part, "during", text)
        if part.has("from") != part.has("to"):
            part.refuse("a season needs both from and to", "to" if part.has("from") else "from")
        first = _month_day(part, "from") if part.has("from") else None
        last = _month_day(part, "to") if part.has("to") else None
        if not spans and first is None:
            part.refuse('name hours such as during = ["sat 00:00-24:00"] or a season from and to', "during")
        found.append(PriceTime(factor=read_factor(part), spans=spans, text=text, first=first, last=last))
        part.close()
    return tuple(found)


def _month_day(table: Table, key: str) -> tuple[int, int]:
    text = table.text(key)
    if re.fullmatch(r"\d\d-\d\d", text):
        try:
            day = date.fromisoformat(f"2024-{text}")
        except ValueError:
            pass
        else:
            return day.month, day.day
    table.refuse('must be a month and a day such as "06-01"', key)


def read_volume(table: Table, currency: str) -> tuple[VolumeStep, ...]:
    """``volume``: ``{ per, over, factor }`` or with a price, one step a count and window."""
    found: list[VolumeStep] = []
    for part in _parts(table, "volume"):
        per: Literal["day", "month"] = "day" if part.choice("per", ("day", "month")) == "day" else "month"
        over = part.whole("over", least=1)
        price, shared, factor = _price_or_factor(part, currency)
        if any(step.per == per and step.over == over for step in found):
            part.refuse(f"there is another step beyond {over} leads a {per}", "over")
        found.append(VolumeStep(per=per, over=over, price=price, shared_price=shared, factor=factor))
    return tuple(found)


def _price_or_factor(part: Table, currency: str) -> tuple[Money | None, Money | None, Decimal | None]:
    factor = read_factor(part) if part.has("factor") else None
    price = part.money("price", currency) if part.has("price") else None
    shared = part.money("shared_price", currency) if part.has("shared_price") else None
    part.close()
    if (factor is None) == (price is None and shared is None):
        part.refuse("give either a factor or a price")
    return price, shared, factor


def read_subscription(table: Table, currency: str) -> Subscription | None:
    """``subscription = { fee, leads, overage }``."""
    if not table.has("subscription"):
        return None
    part = Table(table.value("subscription"), f"{table.where}, subscription", CODE)
    found = Subscription(
        part.money("fee", currency), part.whole("leads", least=1, most=1_000_000), part.money("overage", currency)
    )
    part.close()
    return found


def read_call(table: Table, bids_a_number: bool = False) -> CallTerms | None:
    """``kind = "call"`` with ``call_min_seconds`` and, where the buyer is to dial another number than the person's,
    ``call_dial``; or, where callers on the line are put through, ``call_to`` and ``call_sip``. ``bids_a_number`` says
    that its bids may name the number."""
    kind = table.choice("kind", ("lead", "call"), "lead")
    seconds = table.whole("call_min_seconds", least=1, most=7200) if table.has("call_min_seconds") else None
    said = {key: table.text(key, "") for key in ("call_dial", "call_to", "call_sip")}
    if kind == "lead":
        if seconds is not None or any(said.values()):
            key = next((key for key, value in said.items() if value), "call_min_seconds")
            table.refuse('belongs to an order with kind = "call"', key)
        if bids_a_number:
            table.refuse('must be "call": its ping asks for the number that a caller is put through to', "kind")
        return None
    if seconds is None:
        table.refuse("is missing; a call is good from so many seconds on", "call_min_seconds")
    for key in ("call_dial", "call_to"):
        if said[key] and not re.fullmatch(r"\+[1-9]\d{6,14}", said[key]):
            table.refuse('must be a number such as "+18005550100"', key)
    if said["call_sip"] and not re.fullmatch(r"[\w.+-]{1,128}@[\w.-]{1,128}(?::\d{1,5})?", said["call_sip"]):
        table.refuse('must be an address such as "line-7@pbx.example.com"', "call_sip")
    if said["call_sip"] and not said["call_to"]:
        table.refuse("is missing: who sends calls over the telephone network needs a number beside call_sip", "call_to")
    live = bids_a_number or bool(said["call_to"])
    if live and said["call_dial"]:
        table.refuse("is for a lead that is called back; a caller on the line is put through to call_to", "call_dial")
    return CallTerms(seconds, said["call_dial"], said["call_to"], said["call_sip"], live)


def _parts(table: Table, key: str) -> list[Table]:
    return [Table(raw, f"{table.where}, {key}[{place}]", CODE) for place, raw in enumerate(table.tables(key))]

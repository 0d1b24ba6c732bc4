"""Reads an order as a person wrote it, strictly.

Called when configuration is applied and when the rules in force are assembled. Everything that could never work is
refused here, with the place and the remedy, so that an auction meets only orders that mean something.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

from leadmill.core.hours import Schedule, read_schedule, read_zone
from leadmill.core.money import Money
from leadmill.core.predicates import parse
from leadmill.core.reading import Table
from leadmill.market.model import MAX_LEGS, UNRANKED, Cap, Mode, Order, Per
from leadmill.market.orderbook.pricelist import (
    CODE,
    read_call,
    read_factor,
    read_price_rules,
    read_price_times,
    read_subscription,
    read_volume,
)
from leadmill.market.tenders.pinging import NO_PROFILES, read_ping
from leadmill.market.tenders.tender import Bidder
from leadmill.market.terms import MarketTerms, PriceRule, Resale, Strategy, Unit, VolumeStep
from leadmill.parties import read_certified, read_demands, read_requirement
from leadmill.runtime.dialect import Profile

_STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
_UNITS: tuple[Unit, ...] = get_args(Unit)
_WINDOWS = ("hour", "day", "week", "month")


def read_order(
    raw: object, profiles: Mapping[str, Profile] = NO_PROFILES, bidders: Mapping[str, Bidder] | None = None
) -> Order:
    """The order a table declares; ``profiles`` are what its ping's ``dialect`` may name. ``bidders``, where given, are
    the installed ones: the one its ping names must exist and be content.

    Raises :class:`~leadmill.core.faults.BadInput` ``config.order.malformed`` (``config.predicate.malformed`` for
    ``where``) naming the order, the key and what to write instead.
    """
    table = Table(raw, "order", CODE)
    order_id = table.name()
    table.where = f"order {order_id}"
    currency = table.currency()
    buyer = table.name("buyer") if table.has("buyer") else None
    team = table.name("team") if table.has("team") else None
    if (buyer is None) == (team is None):
        table.refuse("name either a buyer or a team", "buyer")
    where = tuple(table.tables("where"))
    parse(list(where), f"order {order_id}, where")
    mode = Mode(table.choice("mode", [item.value for item in Mode], Mode.EXCLUSIVE.value))
    schedule = _schedule(table)
    ping = read_ping(table, bidders=bidders, profiles=profiles)
    post: Literal["queued", "inline"] = "inline" if ping is not None else "queued"
    if table.has("post"):
        post = "inline" if table.choice("post", ("queued", "inline")) == "inline" else "queued"
    order = Order(
        id=order_id,
        vertical=table.name("vertical"),
        buyer=buyer,
        team=team,
        where=where,
        mode=mode,
        price=_money(table, "price", currency),
        shared_price=_money(table, "shared_price", currency),
        max_legs=table.whole("max_legs", 4, least=1, most=MAX_LEGS),
        caps=_caps(table, currency),
        budget=_money(table, "budget", currency),
        schedule=schedule,
        tz=read_zone(table, "tz") if table.has("tz") else schedule.tz if schedule else "UTC",
        min_score=table.whole("min_score", most=10_000) if table.has("min_score") else None,
        priority=table.whole("priority", UNRANKED, least=1, most=10_000),
        ping=ping,
        price_rules=read_price_rules(table, currency),
        price_times=read_price_times(table),
        volume=read_volume(table, currency),
        subscription=read_subscription(table, currency),
        weight=table.whole("weight", 1, least=1, most=10_000),
        call=read_call(table, ping is not None and bool(ping.call_to)),
        silent=table.flag("silent", False),
        post=post,
        retired=table.flag("retired", False),
        unit=_unit(table),
        require=read_requirement(table),
        worth=_money(table, "worth", currency),
    )
    table.close()
    return _priced(table, order)


def _unit(table: Table) -> Unit:
    found = table.choice("unit", _UNITS, "per_lead")
    return next(name for name in _UNITS if name == found)


def _priced(table: Table, order: Order) -> Order:
    if order.team is not None:
        for key in ("price", "shared_price", "ping", "budget"):
            if table.has(key):
                table.refuse("a team pays nothing; leave it out", key)
        if any(cap.spend is not None for cap in order.caps):
            table.refuse("a team spends nothing; cap its leads", "caps")
        if order.mode is not Mode.EXCLUSIVE:
            table.refuse("a team takes a lead alone; leave it out", "mode")
        for key in ("price_rules", "price_times", "volume", "subscription", "call", "silent"):
            if getattr(order, key):
                table.refuse("a team pays nothing; leave it out", "kind" if key == "call" else key)
        return order
    if order.worth is not None:
        table.refuse("is for a team: a buyer's bid says what a lead is worth to it", "worth")
    _sensible(table, order)
    if order.ping is not None:
        return order
    if order.mode is Mode.SHARED:
        if order.shared_price is None:
            table.refuse("a shared order needs one, the price of a leg", "shared_price")
    elif order.price is None:
        table.refuse("is missing; an order pays a price or is asked by ping", "price")
    elif order.mode is Mode.EITHER and order.shared_price is None:
        table.refuse("is missing; an order for either needs a price for a leg too", "shared_price")
    return order


def _sensible(table: Table, order: Order) -> None:
    """Refuse terms that contradict one another."""
    if order.silent and order.mode is not Mode.SHARED:
        table.refuse('goes with mode = "shared": a silent leg stands beside those that are told', "silent")
    alone, leg = order.mode is not Mode.SHARED, order.mode is not Mode.EXCLUSIVE
    if leg and order.call is not None and order.call.live:
        table.refuse('must be "exclusive": a caller can be put through to one buyer', "mode")
    priced: list[tuple[str, tuple[PriceRule | VolumeStep, ...]]] = [
        ("price_rules", order.price_rules),
        ("volume", order.volume),
    ]
    for key, items in priced:
        for place, item in enumerate(items):
            if item.factor is None and not ((alone and item.price) or (leg and item.shared_price)):
                says = f"names no price that counts in mode {order.mode.value}"
                table.refuse(says, f"{key}[{place}]")
    if order.subscription is not None:
        if order.ping is not None:
            table.refuse("an order whose price is a bid has none", "subscription")
        for key, given in (("price_rules", order.price_rules), ("price_times", order.price_times)):
            if given:
                table.refuse("says what each lead costs; leave this out", f"subscription and {key}")
        if order.volume:
            table.refuse("says what each lead costs; leave this out", "subscription and volume")


def _money(table: Table, key: str, currency: str) -> Money | None:
    return table.money(key, currency) if table.has(key) else None


def _caps(table: Table, currency: str) -> tuple[Cap, ...]:
    found: list[Cap] = []
    for place, raw in enumerate(table.tables("caps")):
        part = Table(raw, f"{table.where}, caps[{place}]", CODE)
        per = Per(part.choice("per", _WINDOWS))
        if part.has("leads") == part.has("spend"):
            part.refuse("give either leads or spend; write two caps for both")
        leads = part.whole("leads", least=0) if part.has("leads") else None
        cap = Cap(per, leads, _money(part, "spend", currency))
        part.close()
        if any(other.per is per and (other.leads is None) == (leads is None) for other in found):
            part.refuse(f"there is another cap of this kind for the {per}")
        found.append(cap)
    return tuple(found)


def _schedule(table: Table) -> Schedule | None:
    if not table.has("schedule"):
        return None
    part = Table(table.value("schedule"), f"{table.where}, schedule", CODE)
    return read_schedule(part, "is empty, so the order would never be open; retire it instead")


def read_market(raw: object) -> MarketTerms:
    """The terms that a ``[[market]]`` table sets for one vertical. Raises
    :class:`~leadmill.core.faults.BadInput` ``config.market.malformed`` as :func:`read_order` does."""
    table = Table(raw, "market", "config.market.malformed")
    vertical = table.name("vertical")
    table.where = f"market {vertical}"
    if table.has("id") and table.name() != vertical:
        table.refuse("is that of its vertical; leave it out", "id")
    currency = table.currency()
    second = table.flag("second_price", False)
    terms = MarketTerms(
        vertical=vertical,
        strategy=_strategy(table),
        second_price=second,
        floor=_money(table, "floor", currency),
        shared_floor=_money(table, "shared_floor", currency),
        reserve=_money(table, "reserve", currency),
        shared_reserve=_money(table, "shared_reserve", currency),
        neutral=table.flag("neutral", False),
        consent_list=table.flag("consent_list", False),
        resale=_resale(table),
        currency=currency,
        retired=table.flag("retired", False),
        demands=read_demands(table),
        certified=read_certified(table),
    )
    table.close()
    if second and (terms.strategy != "revenue" or terms.neutral):
        table.refuse("needs a ranking by price; leave it out", "second_price")
    return terms


def _strategy(table: Table) -> Strategy:
    found = table.choice("strategy", _STRATEGIES, "revenue")
    return next(name for name in _STRATEGIES if name == found)


def _resale(table: Table) -> Resale | None:
    if not table.has("resale"):
        return None
    part = Table(table.value("resale"), f"{table.where}, resale", "config.market.malformed")
    found = Resale(
        after=part.whole("after", least=1, most=90 * 24 * 60),
        rounds=part.whole("rounds", 1, least=1, most=10),
        factor=read_factor(part) if part.has("factor") else Decimal(1),
    )
    part.close()
    if found.factor > 1:
        part.refuse("a lead that nobody took does not become dearer", "factor")
    return found

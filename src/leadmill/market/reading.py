"""Reads an order as a person wrote it, strictly.

Called when configuration is applied and when the rules in force are assembled. Everything that could never work is
refused here, with the place and the remedy, so that an auction meets only orders that mean something.
"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadmill.core.money import Money
from leadmill.core.predicates import parse
from leadmill.core.reading import Table
from leadmill.market.model import MAX_LEGS, UNRANKED, Cap, Mode, Order, Per, PingTarget, Schedule, Span
from leadmill.market.windows import parse_span

_CODE = "config.order.malformed"
_WINDOWS = ("hour", "day", "week", "month")


def read_order(raw: object) -> Order:
    """The order a table declares.

    Raises :class:`~leadmill.core.faults.BadInput` ``config.order.malformed`` (``config.predicate.malformed`` for
    ``where``) naming the order, the key and what to write instead.
    """
    table = Table(raw, "order", _CODE)
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
        tz=_zone(table, "tz") if table.has("tz") else schedule.tz if schedule else "UTC",
        min_score=table.whole("min_score", most=10_000) if table.has("min_score") else None,
        priority=table.whole("priority", UNRANKED, least=1, most=10_000),
        ping=_ping(table),
        retired=table.flag("retired", False),
    )
    table.close()
    return _priced(table, order)


def _priced(table: Table, order: Order) -> Order:
    if order.team is not None:
        for key in ("price", "shared_price", "ping", "budget"):
            if table.has(key):
                table.refuse("a team pays nothing; leave it out", key)
        if any(cap.spend is not None for cap in order.caps):
            table.refuse("a team spends nothing; cap its leads", "caps")
        if order.mode is not Mode.EXCLUSIVE:
            table.refuse("a team takes a lead alone; leave it out", "mode")
        return order
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


def _money(table: Table, key: str, currency: str) -> Money | None:
    return table.money(key, currency) if table.has(key) else None


def _caps(table: Table, currency: str) -> tuple[Cap, ...]:
    found: list[Cap] = []
    for place, raw in enumerate(table.tables("caps")):
        part = Table(raw, f"{table.where}, caps[{place}]", _CODE)
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
    part = Table(table.value("schedule"), f"{table.where}, schedule", _CODE)
    tz = _zone(part, "tz") if part.has("tz") else "UTC"
    texts = part.texts("open")
    part.close()
    spans: list[Span] = []
    for text in texts:
        try:
            spans += parse_span(text)
        except ValueError:
            part.refuse(f'write "mon-fri 08:00-18:00" or "sat,sun 22:00-02:00", not "{text}"', "open")
    if not spans:
        part.refuse("is empty, so the order would never be open; retire it instead", "open")
    return Schedule(tz, tuple(sorted(spans, key=lambda span: (span.start, span.end))), texts)


def _zone(table: Table, key: str) -> str:
    name = table.text(key)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.refuse('must be a zone such as "America/Los_Angeles"', key)
    return name


def _ping(table: Table) -> PingTarget | None:
    if not table.has("ping"):
        return None
    part = Table(table.value("ping"), f"{table.where}, ping", _CODE)
    url = part.text("url")
    if not url.startswith(("http://", "https://")):
        part.refuse("must begin with https:// or http://", "url")
    target = PingTarget(url, part.whole("timeout_ms", 500, least=50, most=10_000))
    part.close()
    return target

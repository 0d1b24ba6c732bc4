"""The market's pages: orders and the use of their limits, sources, buyers with their accounts, teams and their day."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.hours import is_open
from leadmill.core.money import Money
from leadmill.core.predicates import describe, parse
from leadmill.flow.rules import Rules
from leadmill.fraud import Standing, read_standings
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name, vertical_title
from leadmill.interfaces.links import posting_path
from leadmill.interfaces.pages import cash, money
from leadmill.ledger import Guard, balances, buyer_account, guards, payable_account
from leadmill.market import CapUse, Order, Per, cap_use, price_terms, rep_use
from leadmill.parties import Payout, Rep

_PER = {Per.HOUR: "this hour", Per.DAY: "today", Per.WEEK: "this week", Per.MONTH: "this month", Per.ALL: "in all"}
_NEAR = 80


class Meter(Struct, frozen=True):
    """A limit and its use, as a bar: ``share`` in whole per cent, ``tone`` near or full where it is."""

    used: int
    limit: int
    share: int
    says: str
    tone: str


class Book(Struct, frozen=True):
    """An order on the page: ``state`` is open, full or closed, ``why`` the reason it is not open."""

    id: str
    buyer: str
    buyer_id: str
    vertical: str
    mode: str
    price: str
    where: list[str]
    state: str
    why: str
    caps: list[Meter]
    more: list[str]


@get("/orders", include_in_schema=False)
async def orders_page(desk: NamedDependency[Desk]) -> Page:
    """Every order, what it wants and how far its limits are used."""
    rules = desk.wiring.rules
    orders = sorted(rules.orders.values(), key=lambda order: (order.vertical, order.recipient, order.id))
    async with desk.wiring.db.begin() as tx:
        used = await cap_use(tx, [order for order in orders if not order.retired], desk.now)
        limits = await guards(tx)
    by_order: dict[str, list[CapUse]] = {}
    for use in used:
        by_order.setdefault(use.order_id, []).append(use)
    shown = []
    for order in orders:
        guard = limits.get(buyer_account(order.buyer)) if order.buyer else None
        state, why = standing(order, by_order.get(order.id, []), guard, desk.now)
        shown.append(
            Book(
                id=order.id,
                buyer=recipient_name(rules, order.recipient),
                buyer_id=order.recipient,
                vertical=vertical_title(rules, order.vertical),
                mode=order.mode.value,
                price=prices(order),
                where=[describe(parse(clause)) for clause in order.where],
                state=state,
                why=why,
                caps=[meter(use) for use in by_order.get(order.id, [])],
                more=terms(order),
            )
        )
    return desk.show("orders.html", "orders", orders=shown)


def standing(order: Order, used: Iterable[CapUse], guard: Guard | None, now: datetime) -> tuple[str, str]:
    """Whether an order takes leads at this moment, and why not: the first thing in its way, as the market looks at
    them."""
    if order.retired:
        return "closed", "Retired"
    if order.schedule is not None and not is_open(order.schedule, now):
        return "closed", f"Outside its hours ({order.schedule.tz})"
    for use in used:
        if use.used >= use.limit:
            return "full", f"{'Budget' if use.per is Per.ALL else 'Cap'} reached {_PER[use.per]}"
    price = order.price or order.shared_price
    if guard is not None and price is not None and guard.available < price.amount:
        return (
            "closed",
            f"The account covers {money(max(0, guard.available), guard.currency)}, a lead costs {cash(price)}",
        )
    return "open", ""


def meter(use: CapUse) -> Meter:
    """The use of a limit as a bar."""
    share = 100 if use.limit == 0 else min(100, use.used * 100 // use.limit)
    if use.kind == "leads":
        says = f"{use.used:,} of {use.limit:,} {_PER[use.per]}"
    else:
        says = f"{money(use.used, use.currency)} of {money(use.limit, use.currency)} {_PER[use.per]}"
    return Meter(
        use.used, use.limit, share, says, "full" if use.used >= use.limit else "near" if share >= _NEAR else ""
    )


def prices(order: Order) -> str:
    """What an order pays, in words."""
    if order.team is not None:
        return "in-house"
    if order.ping is not None and order.price is None:
        return "by bid"
    parts = []
    if order.price is not None:
        parts.append(str(order.price))
    if order.shared_price is not None:
        parts.append(f"{order.shared_price} shared")
    return ", ".join(parts)


def terms(order: Order) -> list[str]:
    """What else an order says, in words."""
    found = []
    if order.min_score is not None:
        found.append(f"Score {order.min_score} or more")
    if order.schedule is not None:
        found.append(f"{', '.join(order.schedule.text)} ({order.schedule.tz})")
    if order.priority != 100:
        found.append(f"Priority {order.priority}")
    if order.shared_price is not None:
        found.append(f"At most {order.max_legs} buyers")
    if order.weight != 1:
        found.append(f"Weight {order.weight}")
    if order.silent:
        found.append("Silent")
    if order.call is not None:
        live = f", put through to {order.call.to or 'the number bid'}" if order.call.live else ""
        found.append(f"Calls of {order.call.min_seconds} seconds or more{live}")
    return found + price_terms(order)


@get("/sources", include_in_schema=False)
async def sources_page(desk: NamedDependency[Desk]) -> Page:
    """Who sends leads, under what terms, and what they are owed."""
    rules = desk.wiring.rules
    async with desk.wiring.db.begin() as tx:
        sums = await balances(tx)
        standings = await read_standings(tx)
    shown = [
        {
            "id": source.id,
            "name": source.name,
            "verticals": [vertical_title(rules, name) for name in source.verticals],
            "payout": payout(source.payout),
            "owed": sums.get(payable_account(source.id), [Money(0, source.currency)]),
            "has_key": bool(source.key_hash),
            "expires": source.key_expires,
            "forms": sorted(form.id for form in rules.forms.values() if form.source_id == source.id),
            "retired": source.retired,
            "posting": posting_path(desk.wiring.keyed_hash, source),
            "standings": [_quality(each, rules) for each in standings if each.source_id == source.id],
        }
        for source in sorted(rules.roster.sources.values(), key=lambda each: each.name.lower())
    ]
    return desk.show("sources.html", "sources", sources=shown)


_TELLING = 20
"""How many leads of a source must be old enough to be judged for its share to be told."""


def _quality(each: Standing, rules: Rules) -> dict[str, str | bool | None]:
    """What is believed of a source in one vertical."""
    since = each.since.isoformat() if each.since is not None else "lately"
    turned = {"door": f"More stopped since {since}", "returned": f"More come back since {since}"}
    return {
        "vertical": vertical_title(rules, each.vertical),
        "known": each.sold >= _TELLING,
        "share": f"{each.share / 100:.1f} %",
        "low": f"{each.low / 100:.1f}",
        "high": f"{each.high / 100:.1f} %",
        "turned": turned[each.turned] if each.turned is not None else None,
        "about": f"{each.returned:,} of {each.sold:,} sold leads came back; with few leads of its own a source is "
        "taken to be like the others. The true share lies between the two figures nine times of ten.",
    }


def payout(terms: Payout | None) -> str:
    """What a source is paid, in words."""
    if terms is None:
        return "Nothing"
    if terms.model == "share" and terms.rate is not None:
        return f"{terms.rate * 100:.4g} % of the price"
    if terms.model == "margin":
        kept = [f"{terms.rate * 100:.4g} %"] if terms.rate else []
        kept += [f"at least {terms.amount}" if kept else str(terms.amount)] if terms.amount is not None else []
        return f"The price less {', '.join(kept)}"
    return f"{terms.amount} a sold lead"


@get("/buyers", include_in_schema=False)
async def buyers_page(desk: NamedDependency[Desk]) -> Page:
    """Who buys leads: orders, account, contract, licences, and how leads are handed over."""
    rules = desk.wiring.rules
    async with desk.wiring.db.begin() as tx:
        sums = await balances(tx)
        limits = await guards(tx)
    orders: dict[str, int] = {}
    for order in rules.orders.values():
        if order.buyer and not order.retired:
            orders[order.buyer] = orders.get(order.buyer, 0) + 1
    today = desk.now.date()
    shown = [
        {
            "id": buyer.id,
            "name": buyer.name,
            "kind": buyer.kind,
            "orders": orders.get(buyer.id, 0),
            "credit": buyer.credit,
            "balance": sums.get(buyer_account(buyer.id), [Money(0, buyer.currency)]),
            "available": _available(limits.get(buyer_account(buyer.id))),
            "contract": buyer.contract,
            "licences": [f"{each.kind} ({', '.join(each.states)})" for each in buyer.licences if each.active],
            "lapsed": [each.kind for each in buyer.licences if each.expires is not None and each.expires < today],
            "courier": buyer.delivery.get("courier"),
            "vetted": buyer.vetted,
            "retired": buyer.retired,
        }
        for buyer in sorted(rules.roster.buyers.values(), key=lambda each: each.name.lower())
    ]
    return desk.show("buyers.html", "buyers", buyers=shown)


def _available(guard: Guard | None) -> Money | None:
    return Money(guard.available, guard.currency) if guard else None


@get("/teams", include_in_schema=False)
async def teams_page(desk: NamedDependency[Desk]) -> Page:
    """The in-house teams and each rep's day."""
    rules = desk.wiring.rules
    teams = sorted(rules.roster.teams.values(), key=lambda each: each.name.lower())
    async with desk.wiring.db.begin() as tx:
        today = await rep_use(tx, [f"{team.id}/{rep.id}" for team in teams for rep in team.reps], "UTC", desk.now)
    shown: list[dict[str, Any]] = [
        {
            "id": team.id,
            "name": team.name,
            "verticals": [vertical_title(rules, name) for name in team.verticals] or ["All verticals"],
            "where": [describe(parse(clause)) for clause in team.where],
            "priority": team.priority,
            "reps": [_rep(rep, today.get(f"{team.id}/{rep.id}", 0)) for rep in team.reps],
        }
        for team in teams
    ]
    return desk.show("teams.html", "teams", teams=shown)


def _rep(rep: Rep, today: int) -> dict[str, Any]:
    limit = rep.capacity
    full = limit is not None and today >= limit
    share = 0 if limit is None else 100 if limit == 0 else min(100, today * 100 // limit)
    says = f"{today:,} of {limit:,} today" if limit is not None else f"{today:,} today"
    return {
        "name": rep.name or rep.id,
        "email": rep.email,
        "zips": ", ".join(rep.zips) or "Everywhere",
        "day": Meter(today, limit or 0, share, says, "full" if full else "near" if share >= _NEAR else ""),
        "limited": limit is not None,
    }


ROUTES = [orders_page, sources_page, buyers_page, teams_page]

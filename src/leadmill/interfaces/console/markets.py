"""“Markets”: how each vertical's leads are given out, on what terms, and how that came to be.

The terms are the records' (``[[market]]``) and the packs'; this page only puts them into words. The reserve that bids
suggest is advice: nothing follows from it.
"""

from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import NotFound
from leadmill.flow.biography import read_auctions
from leadmill.flow.changes import compare
from leadmill.flow.model import LeadFilter
from leadmill.flow.pipeline import house
from leadmill.flow.planning import decode
from leadmill.flow.rules import Rules
from leadmill.flow.store import list_leads
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name, vertical_title
from leadmill.interfaces.pages import cash
from leadmill.market import Advice, MarketTerms, Order, advise_reserve
from leadmill.parties import Source
from leadmill.runtime.records import Version, history

_LOOKED_AT = 300
"""The most auctions that the advice on a reserve is taken from."""

_GIVEN = {
    "revenue": "To what pays most",
    "waterfall": "By the orders' priority",
    "round_robin": "In turn, whoever has waited longest first",
    "weighted": "By shares of the day, by weight",
}


@get("/markets", include_in_schema=False)
async def markets_page(desk: NamedDependency[Desk]) -> Page:
    """Every vertical that somebody sells to or sends for, with its terms in short."""
    rules = desk.wiring.rules
    names = {order.vertical for order in rules.orders.values() if not order.retired} | set(rules.markets)
    names |= {name for source in rules.roster.sources.values() if not source.retired for name in source.verticals}
    shown = [_short(rules, name) for name in sorted(names, key=lambda name: vertical_title(rules, name))]
    return desk.show("markets.html", "markets", markets=shown)


def _short(rules: Rules, name: str) -> dict[str, Any]:
    terms = _terms(rules, name)
    orders = [order for order in rules.orders.values() if order.vertical == name and not order.retired]
    return {
        "name": name,
        "title": vertical_title(rules, name),
        "own": name in rules.markets and not rules.markets[name].retired,
        "given": _GIVEN[terms.strategy],
        "neutral": _neutral(rules, name),
        "second": terms.second_price,
        "floor": cash(terms.floor) if terms.floor is not None else None,
        "reserve": cash(terms.reserve) if terms.reserve is not None else None,
        "orders": len(orders),
        "bidders": sum(order.ping is not None for order in orders),
    }


@get("/markets/{vertical:str}", include_in_schema=False)
async def market_page(desk: NamedDependency[Desk], vertical: FromPath[str]) -> Page:
    """One vertical's market."""
    rules = desk.wiring.rules
    if vertical not in rules.verticals and vertical not in rules.markets:
        raise NotFound("console.vertical.unknown", "there is no such vertical")
    terms = _terms(rules, vertical)
    async with desk.wiring.db.begin() as tx:
        versions = await history(tx, "market", vertical)
        rows, _ = await list_leads(tx, LeadFilter(vertical=vertical), None, _LOOKED_AT)
        held = await read_auctions(tx, desk.wiring.kit.pen, rows)
    orders = {name: order for name, order in rules.orders.items() if order.vertical == vertical}
    auctions = [each.auction for each in held if each.auction is not None]
    advice = advise_reserve(auctions, orders, terms.currency, terms.reserve)
    sources = [one for one in rules.roster.sources.values() if vertical in one.verticals and not one.retired]
    return desk.show(
        "market.html",
        "markets",
        market=_short(rules, vertical),
        facts=_facts(terms, _neutral(rules, vertical)),
        advice=advice if advice.offers else None,
        advised=_advised(advice, terms),
        sources=[_source(one) for one in sorted(sources, key=lambda one: one.id)],
        asked=[_asked(rules, order) for order in sorted(orders.values(), key=_by_id) if _asks(order)],
        deadlines=desk.wiring.deadlines,
        history=_history(versions),
    )


def _terms(rules: Rules, name: str) -> MarketTerms:
    """The terms in force: those of the record, or what holds without one."""
    found = rules.markets.get(name)
    if found is not None and not found.retired:
        return found
    vertical = rules.verticals.get(name)
    return MarketTerms(vertical=name, currency=vertical.currency if vertical is not None else "USD")


def _neutral(rules: Rules, name: str) -> dict[str, str] | None:
    """Why nobody is ranked by what they pay, in the pack's words; None where they are."""
    manner = house(rules).manners.get(name)
    if manner is None or manner.neutral is None or manner.why is None:
        return None
    pages = manner.pages
    return {
        "says": manner.why.message,
        "where": f"leads of {' and '.join(pages)} pages" if pages else "every lead",
    }


def _facts(terms: MarketTerms, neutral: dict[str, str] | None) -> list[tuple[str, str]]:
    """The terms as pairs of what and how much."""
    given = _GIVEN[terms.strategy]
    if neutral is not None:
        others = "" if neutral["where"] == "every lead" else f"; others {given[0].lower()}{given[1:]}"
        given = f"By neutral criteria, {neutral['where']}{others}"
    none = "none"
    again = "never"
    if terms.resale is not None:
        rounds = f"{terms.resale.rounds} times" if terms.resale.rounds > 1 else "once"
        again = f"{rounds}, after {terms.resale.after} minutes each, at the prices times {terms.resale.factor}"
    return [
        ("Given out", given),
        ("A winner pays", "what the next best offered" if terms.second_price else "what it offered"),
        ("Floor of a lead", cash(terms.floor) if terms.floor is not None else none),
        ("Floor of a leg", cash(terms.shared_floor) if terms.shared_floor is not None else none),
        ("Reserve of a lead", cash(terms.reserve) if terms.reserve is not None else none),
        ("Reserve of a leg", cash(terms.shared_reserve) if terms.shared_reserve is not None else none),
        ("Goes to", "buyers whom the consent names" if terms.consent_list else "whoever the rules allow"),
        ("Offered again", again),
        ("Currency", terms.currency),
    ]


def _advised(advice: Advice, terms: MarketTerms) -> list[str]:
    """What the offers of the last auctions say of a reserve, in sentences."""
    if advice.reserve is None or advice.lowest is None or advice.highest is None or advice.then is None:
        return []
    told = [
        f"{advice.orders:,} orders made {advice.offers:,} offers for {advice.leads:,} leads, from {cash(advice.lowest)}"
        f" to {cash(advice.highest)}.",
        f"By second prices these leads would have brought {cash(advice.then)} with a reserve of {cash(advice.reserve)}"
        + (f", {cash(advice.without)} without one" if advice.without is not None else "")
        + (f" and {cash(advice.now)} with the present one." if advice.now is not None else "."),
    ]
    if not terms.second_price:
        told.append(
            "Here a winner pays what it offered. Buyers answer a reserve by offering just that, so it tells less than"
            " it seems."
        )
    return told


def _source(source: Source) -> dict[str, Any]:
    rate = source.min_margin_rate
    least = [cash(source.min_margin)] if source.min_margin is not None else []
    return {
        "id": source.id,
        "name": source.name,
        "floor": cash(source.floor) if source.floor is not None else None,
        "shared_floor": cash(source.shared_floor) if source.shared_floor is not None else None,
        "margin": " and ".join([*least, *([f"{float(rate) * 100:g} % of the price"] if rate is not None else [])]),
    }


def _asks(order: Order) -> bool:
    return order.ping is not None and not order.retired


def _by_id(order: Order) -> str:
    return order.id


def _asked(rules: Rules, order: Order) -> dict[str, Any]:
    ping = order.ping
    return {
        "id": order.id,
        "buyer_id": order.recipient,
        "buyer": recipient_name(rules, order.recipient),
        "ms": f"{ping.timeout_ms:,} ms" if ping is not None else "",
        "tier": ping.tier if ping is not None else 1,
        "post": "while the source waits" if order.post == "inline" else "right after",
    }


def _history(versions: list[Version]) -> list[dict[str, Any]]:
    """What each change of the record changed, newest first."""
    bodies = [decode(version.body) if version.body is not None else None for version in versions]
    told = []
    for version, now, before in zip(versions, bodies, [*bodies[1:], None], strict=False):
        change = compare("market", version.id, before, now)
        told.append(
            {
                "revision": version.revision,
                "at": version.at,
                "author": version.author,
                "what": change.what.value,
                "fields": [str(field) for field in change.fields if field.field not in ("id", "vertical")],
            }
        )
    return told


ROUTES = [markets_page, market_page]

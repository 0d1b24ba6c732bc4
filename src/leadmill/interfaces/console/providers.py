"""“Providers”: who is asked about leads, what they know, how often they turn out right, and what they cost."""

from datetime import timedelta
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.core.predicates import All, Predicate, describe, parse
from leadmill.enrich import MICROS, Chain, Enrichment, ProviderSpec, Quality
from leadmill.enrich.service import read_limits_used, read_quality
from leadmill.enrich.store import Run, Used, list_runs
from leadmill.flow.looking import start_run
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import vertical_title
from leadmill.interfaces.console.market import Meter
from leadmill.interfaces.pages import words
from leadmill.parties import Right

SPANS = (("1", "the last day"), ("7", "the last 7 days"), ("30", "the last 30 days"), ("90", "the last 90 days"))
_NEAR = 80
_PER = {
    "second": "this second",
    "minute": "this minute",
    "hour": "this hour",
    "day": "today",
    "month": "this month",
    "all": "in all",
}
_CODES = 4
"""The most reasons for no answer that are named."""


class Line(Struct, frozen=True):
    """A provider on a topic, as figures in words; nothing where nothing was counted."""

    provider: str
    topic: str
    asked: int
    filled: str
    truth: str
    agreement: str
    usual: str
    slow: str
    faults: str
    hits: str
    a_lead: str
    an_answer: str
    cost: str
    why_not: list[tuple[str, int]]
    doubtful: bool


@get("/providers", include_in_schema=False)
async def providers_page(desk: NamedDependency[Desk]) -> Page:
    """The providers, their chains, whose word counts, and leads looked at once more."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "") -> Page:
    days = desk.request.query_params.get("days", "7")
    days = days if days in dict(SPANS) else "7"
    enrichment = desk.wiring.rules.enrichment
    async with desk.wiring.db.begin() as tx:
        quality = await read_quality(tx, desk.now - timedelta(days=int(days)))
        used = await read_limits_used(tx, desk.now)
        runs = await list_runs(tx)
    topics = sorted({one.chain.topic for one in enrichment.chains})
    return desk.show(
        "providers.html",
        "providers",
        status=422 if error else 200,
        error=error,
        days=days,
        spans=SPANS,
        lines=[_line(one, enrichment) for one in quality],
        providers=[_provider(spec, used) for _, spec in sorted(enrichment.providers.items())],
        chains=[_chain(desk, one.chain, used) for one in enrichment.chains],
        authority=sorted(enrichment.authority.items()),
        runs=[_run(run) for run in runs],
        topics=[(topic, words(topic)) for topic in topics],
        may_ask=desk.may(Right.CONFIGURE) and bool(topics),
    )


@post("/providers/again", include_in_schema=False)
async def ask_again(desk: NamedDependency[Desk]) -> Page:
    """Have the leads of the last days looked at once more; the worker does it."""
    form = await desk.form()
    desk.need(Right.CONFIGURE)
    topic, days = form.get("topic", ""), form.get("days", "7")
    days = days if days in dict(SPANS) else "7"
    try:
        async with desk.wiring.db.begin() as tx:
            await start_run(
                tx,
                desk.wiring.kit,
                (topic,) if topic else (),
                desk.now - timedelta(days=int(days)),
                desk.now,
                desk.who.id,
                queue=True,
            )
    except BadInput as fault:
        return await _page(desk, fault.detail)
    return desk.back("/providers", "asked_again")


def _line(one: Quality, enrichment: Enrichment) -> Line:
    spec = enrichment.providers.get(one.provider)
    currency = spec.currency if spec is not None else "USD"
    return Line(
        provider=one.provider,
        topic=words(one.topic),
        asked=one.asked,
        filled=_share(one.filled),
        truth=f"{_share(one.truth)} of {one.right + one.wrong:,}" if one.truth is not None else "",
        agreement=f"{_share(one.agreement)} of {one.agreed + one.differed:,}" if one.agreement is not None else "",
        usual=_time(one.took(0.5)),
        slow=_time(one.took(0.95)),
        faults=_share(one.faults) if one.failed else "",
        hits=_share(one.hits) if one.cached else "",
        a_lead=_price(one.a_lead, currency),
        an_answer=_price(one.an_answer, currency),
        cost=_price(one.cost or None, currency),
        why_not=list(one.codes[:_CODES]),
        doubtful=one.faults is not None and one.faults > 0.1,
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.0f} %"


def _time(ms: int | None) -> str:
    return "" if ms is None else f"{ms:,}"


def _price(micros: float | None, currency: str) -> str:
    """An amount of millionths, with as many places as it takes to say something."""
    if not micros:
        return ""
    places = 2 if micros >= MICROS else 4
    text = f"{micros / MICROS:,.{places}f}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"


def _provider(spec: ProviderSpec, used: list[Used]) -> dict[str, Any]:
    return {
        "id": spec.id,
        "plugin": spec.plugin,
        "there": spec.live is not None,
        "price": _price(spec.price, spec.currency) if spec.price else "nothing",
        "charge": "an answer" if spec.charge == "answer" else "a request",
        "told": sorted({need.removesuffix("?") for needs in spec.live.topics.values() for need in needs})
        if spec.live is not None
        else [],
        "keep": spec.keep,
        "meters": _meters(f"provider {spec.id}", used, spec.currency),
    }


def _meters(scope: str, used: list[Used], currency: str) -> list[Meter]:
    found = []
    for one in used:
        if one.scope != scope:
            continue
        if one.most_asks is not None:
            found.append(_meter(one.asks, one.most_asks, f"{one.asks:,} of {one.most_asks:,} asked {_PER[one.per]}"))
        if one.most_spent is not None:
            says = f"{_price(one.spent, currency) or 0} of {_price(one.most_spent, currency)} {_PER[one.per]}"
            found.append(_meter(one.spent, one.most_spent, says))
    return found


def _meter(used: int, limit: int, says: str) -> Meter:
    share = 100 if limit == 0 else min(100, used * 100 // limit)
    return Meter(used, limit, share, says, "full" if used >= limit else "near" if share >= _NEAR else "")


def _chain(desk: Desk, chain: Chain, used: list[Used]) -> dict[str, Any]:
    rules = desk.wiring.rules
    return {
        "id": chain.id,
        "topic": words(chain.topic),
        "on": [vertical_title(rules, name) for name in chain.verticals],
        "sources": list(chain.sources),
        "where": _where(chain.where),
        "links": [(link.provider, _where(link.where)) for link in chain.links],
        "how": "all at once" if chain.together else "all in turn" if chain.every else "until one knows",
        "within": f"{chain.within_ms:,} ms",
        "spend": _price(chain.spend, "USD") if chain.spend is not None else "",
        "meters": _meters(f"chain {chain.id}", used, "USD"),
    }


def _where(where: tuple[Any, ...]) -> str:
    if not where:
        return ""
    found: Predicate = parse(list(where))
    return describe(found if not isinstance(found, All) or len(found.parts) != 1 else found.parts[0])


def _run(run: Run) -> dict[str, Any]:
    done = run.state == "done"
    return {
        "at": run.at,
        "topics": ", ".join(words(topic) for topic in run.topics) or "All topics",
        "state": "done" if done else "running",
        "share": 100 if done else min(99, run.leads * 100 // run.total) if run.total else 0,
        "leads": run.leads,
        "total": run.total,
        "asked": run.asked,
        "changed": run.changed,
        "cost": _price(run.cost, "USD") or "nothing",
        "since": run.since,
        "until": run.until,
    }


ROUTES = [providers_page, ask_again]

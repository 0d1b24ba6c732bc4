"""The lists of leads: all of them live, and those that are nurtured; and the search over them."""

import asyncio
from collections.abc import AsyncIterator

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from leadmill.core.faults import BadInput
from leadmill.core.ids import looks_like
from leadmill.core.reasons import State, every
from leadmill.flow.rules import Rules
from leadmill.flow.store import leads_after, list_leads
from leadmill.identity.service import find_person
from leadmill.interfaces.console.desk import Desk, Page, Rq
from leadmill.interfaces.console.lists import lines, reason_says
from leadmill.interfaces.console.query import address, chips, narrow, read_params, read_typed, written

_PAGE = 50
_FEED_SECONDS = 50
"""How long a feed lasts before the browser asks anew, which also checks that the session still stands."""
_FEED_PACE = 1.0
_FEED_MOST = 40
"""The most rows sent in one turn; past it only the number is told."""

_HEADINGS = {None: ("Leads", "leads"), State.NURTURE: ("Nurture", "nurture")}


@get("/leads", include_in_schema=False)
async def leads_page(desk: NamedDependency[Desk]) -> Page:
    """All leads, newest first."""
    return await _list(desk, None)


@get("/nurture", include_in_schema=False)
async def nurture_page(desk: NamedDependency[Desk]) -> Page:
    """The leads below the score from which they are sold."""
    return await _list(desk, State.NURTURE)


async def _list(desk: Desk, state: State | None) -> Page:
    heading, here = _HEADINGS[state]
    path = f"/{here}"
    given = {key: value for key, value in desk.request.query_params.items() if isinstance(value, str)}
    params = read_params(given)
    cursor = given.get("cursor")
    if cursor is not None and not looks_like(cursor, "lead"):
        raise BadInput("flow.cursor.malformed", "this address of a page is not whole; begin at the newest")
    async with desk.wiring.db.begin() as tx:
        rows, following = await list_leads(tx, narrow(params, desk.zone, state), cursor, _PAGE)
        shown = await lines(tx, desk, rows, "list")
    rules = desk.wiring.rules
    live = cursor is None and state is None
    return desk.show(
        "leads.html",
        here,
        heading=heading,
        list={
            "path": path,
            "query": written(params),
            "chips": chips(path, params, _names(rules)),
            "chosen": {key: params.get(key, "") for key in _CHOSEN},
            "fixed_state": state is not None,
            "reasons": [(one.code, reason_says(one.code)) for one in every() if one.state is state] if state else [],
            "states": [(each.value, each.value.capitalize()) for each in State],
            "verticals": sorted((name, each.title) for name, each in rules.verticals.items()),
            "sources": sorted((name, each.name) for name, each in rules.roster.sources.items()),
            "recipients": sorted((name, each.name) for name, each in rules.roster.buyers.items()),
            "rows": shown,
            "feed": address("/leads/feed", params) if live else None,
            "newest": rows[0].id if rows else "",
            "older": address(path, params, cursor=following) if following else None,
            "latest": address(path, params) if cursor else None,
            "nothing": f"nothing_{here}.html",
            "unclear": given.get("unclear", "")[:100],
        },
    )


_CHOSEN = ("state", "reason", "vertical", "source", "recipient", "min", "max", "tier", "since", "until", "test")


@post("/leads/search", include_in_schema=False)
async def search(desk: NamedDependency[Desk]) -> Page:
    """Understand what was typed and go there. The text itself never becomes part of an address."""
    typed = read_typed((await desk.form()).get("q", "")[:300])
    if typed.lead_id:
        return desk.back(f"/leads/{typed.lead_id}")
    params = dict(typed.params)
    contact = typed.email or typed.phone
    if contact:
        async with desk.wiring.db.begin() as tx:
            person_id = await find_person(tx, desk.wiring.keyed_hash, contact)
        if person_id is None:
            return desk.show("not_found.html", "leads", kind="e-mail address" if typed.email else "phone number")
        params["person"] = person_id
    if typed.unclear and not params:
        return desk.show("not_understood.html", "leads", words=typed.unclear)
    return desk.back(address("/leads", params))


@get("/leads/feed", include_in_schema=False)
async def feed(desk: NamedDependency[Desk], request: Rq) -> ServerSentEvent:
    """The leads that come while a list is open, as rows of HTML."""
    given = {key: value for key, value in request.query_params.items() if isinstance(value, str)}
    after = request.headers.get("last-event-id") or given.get("after", "")
    if not looks_like(after, "lead"):
        after = ""
    narrowed = narrow(read_params(given), desk.zone)

    async def rows() -> AsyncIterator[ServerSentEventMessage]:
        nonlocal after
        for _ in range(int(_FEED_SECONDS / _FEED_PACE)):
            await asyncio.sleep(_FEED_PACE)
            desk.now = desk.wiring.clock()
            async with desk.wiring.db.begin() as tx:
                fresh = await leads_after(tx, after, _FEED_MOST + 1, narrowed)
                shown = await lines(tx, desk, fresh, "list") if len(fresh) <= _FEED_MOST else []
            if len(fresh) > _FEED_MOST:
                yield ServerSentEventMessage(event="many", data=f"{_FEED_MOST}+")
                return
            for line in shown:
                after = line.id
                yield ServerSentEventMessage(id=line.id, data=desk.part("lead_row.html", row=line))

    return ServerSentEvent(rows(), headers={"cache-control": "no-store", "x-accel-buffering": "no"})


def _names(rules: Rules) -> dict[str, dict[str, str]]:
    """What ids are called, by parameter, for chips."""
    roster = rules.roster
    return {
        "vertical": {name: each.title for name, each in rules.verticals.items()},
        "source": {name: each.name for name, each in roster.sources.items()},
        "recipient": {name: each.name for name, each in roster.buyers.items()}
        | {name: each.name for name, each in roster.teams.items()},
    }


ROUTES = [leads_page, nurture_page, search, feed]

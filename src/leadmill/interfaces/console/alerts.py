"""“Alerts”: what of the models at work a person should look at, and who looked and what they found.

Acknowledging changes nothing about a model: it says that somebody has looked.
"""

from functools import partial
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.flow.placing import look_at
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name
from leadmill.interfaces.console.watching import alert_shown, model_watched, vertical_watched
from leadmill.parties import Right
from leadmill.parties.store import list_keys, list_operators
from leadmill.runtime.db import Tx
from leadmill.scoring.watch import read_alerts, read_roll_backs, read_watch

_MOST = 200
_READ = 500
_VIEWS = {"open": "Open", "acknowledged": "Acknowledged", "ended": "Ended"}


@get("/scores/alerts", include_in_schema=False)
async def alerts_page(desk: NamedDependency[Desk]) -> Page:
    """The alerts that stand and nobody has looked at; or those that somebody did, or that ended."""
    view = desk.request.query_params.get("show", "open")
    if view not in _VIEWS:
        raise NotFound("console.tab.unknown", "there is no such list of alerts")
    return await _page(desk, view)


async def _page(desk: Desk, view: str, error: str = "", faulty: str = "") -> Page:
    async with desk.wiring.db.begin(still=True) as tx:
        standing = await read_alerts(tx, limit=_READ)
        every = await read_alerts(tx, every=True, limit=_READ) if view != "open" else []
        who = await names_of(tx)
    found = {
        "open": standing,
        "acknowledged": [one for one in every if one.acknowledged is not None],
        "ended": [one for one in every if one.ended is not None and one.acknowledged is None],
    }[view]
    names = partial(recipient_name, desk.wiring.rules)
    return desk.show(
        "alerts.html",
        "scores",
        status=422 if error else 200,
        error=error,
        faulty=faulty,
        view=view,
        views=[(value, says, len(standing) if value == "open" else None) for value, says in _VIEWS.items()],
        alerts=[alert_shown(one, who, names) for one in found[:_MOST]],
        more=len(found) > _MOST,
        may_write=desk.may(Right.CONFIGURE),
    )


async def names_of(tx: Tx) -> dict[str, str]:
    """Who changes things, by id: operators, and the owners of keys."""
    found = {each.id: each.name for each in await list_operators(tx)}
    return found | {key.id: f"{key.owner} (key)" for key in await list_keys(tx)}


@post("/scores/alerts/{alert_id:str}/acknowledge", include_in_schema=False)
async def take_acknowledgement(desk: NamedDependency[Desk], alert_id: FromPath[str]) -> Page:
    """Write down that somebody looked, and what they found."""
    form = await desk.form()
    desk.need(Right.CONFIGURE)
    try:
        async with desk.wiring.db.begin() as tx:
            await look_at(tx, alert_id, desk.who.id, form.get("why", "")[:500], desk.now)
    except NotFound:
        raise
    except BadInput as fault:
        return await _page(desk, "open", fault.detail, alert_id)
    return desk.back("/scores/alerts", "alert_acknowledged")


async def watched_on_model(tx: Tx, desk: Desk, vertical: str, model: str, digest: str) -> dict[str, Any]:
    """What the page of a model tells of it at work, and the alerts about it that stand."""
    found = await read_watch(tx, vertical)
    names = partial(recipient_name, desk.wiring.rules)
    about = [one for one in await read_alerts(tx, vertical, limit=_READ) if one.model == model]
    told: dict[str, Any] = {"watch": None, "alerts": [alert_shown(one, {}, names) for one in about]}
    told["taken_back"] = [one for one in await read_roll_backs(tx, vertical) if one.model == model]
    if found is not None:
        at, whole = found
        one = next((each for each in whole.models if (each.model, each.digest) == (model, digest)), None)
        told["watch"] = {**model_watched(one, whole), "at": at} if one is not None else None
    return told


async def watched_on_vertical(tx: Tx, desk: Desk, vertical: str) -> dict[str, Any] | None:
    """What the page of a vertical tells of who decided, and who reports late; None where nothing is measured yet."""
    found = await read_watch(tx, vertical)
    return vertical_watched(found[1], partial(recipient_name, desk.wiring.rules)) if found is not None else None


ROUTES = [alerts_page, take_acknowledgement]

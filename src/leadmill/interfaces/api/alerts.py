"""``/v1/scoring``: what is measured of the models at work, what a person should look at, and who looked, for programs.

Nothing of a person stands here: counts, shares, names of columns, models and recipients.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Forbidden, NotFound
from leadmill.flow.placing import look_at
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.leads import answer
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right, may
from leadmill.runtime.db import Tx
from leadmill.scoring.watch import ALERT_KINDS, Alert, WatchedVertical, read_alerts, read_watch

_MOST = 500
_MOST_WHY = 500


class AlertOut(Struct, frozen=True, kw_only=True):
    """Something a person should look at: of ``severity`` watch or alarm. ``model`` is empty where it is about a
    recipient, ``subject`` the column, the other model or the recipient. ``seen`` is when it was last so, ``ended`` when
    it no longer was; ``acknowledged`` with ``by`` and ``why`` is who looked and what they found."""

    alert_id: str
    vertical: str
    kind: str
    means: str
    severity: str
    model: str
    subject: str
    says: str
    since: datetime
    seen: datetime
    ended: datetime | None
    acknowledged: datetime | None
    by: str
    why: str


class AlertPage(Struct, frozen=True):
    """Alerts, alarms first and then the newest; the first five hundred, and ``next_cursor`` is always null."""

    items: list[AlertOut]
    next_cursor: str | None = None


class AlertLookIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody found who looked at an alert."""

    why: str


class WatchOut(Struct, frozen=True):
    """What was last measured of a vertical's models, and when; both null where nothing was yet."""

    at: datetime | None
    watched: WatchedVertical | None


@get("/v1/scoring/alerts", include_in_schema=False)
async def get_alerts(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """The alerts that stand, or all."""
    query = request.query_params
    async with wiring.db.begin(still=True) as tx:
        found = await read_alerts(
            tx, query.get("vertical", "")[:64] or None, every=query.get("every") == "true", limit=_MOST
        )
    return answer(AlertPage([_out(one) for one in found]))


@post("/v1/scoring/alerts/{alert_id:str}/acknowledge", include_in_schema=False)
async def post_look(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    alert_id: FromPath[str],
) -> Response[bytes]:
    """Note that somebody looked."""
    if not may(reader.role, Right.CONFIGURE):
        raise Forbidden("api.right.missing", "your role may not acknowledge alerts")
    key = idempotency_key(request)
    given, body = await read_json(request, AlertLookIn)
    if not given.why.strip() or len(given.why) > _MOST_WHY:
        says = f"say what was found, in at most {_MOST_WHY} characters"
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/why", "api.field.invalid", says)])

    async def act(tx: Tx) -> AlertOut:
        return _out(await look_at(tx, alert_id, reader.id, given.why, wiring.clock()))

    return await once(wiring, f"alerts {alert_id}", key, body, act, status=200)


@get("/v1/scoring/watch/{vertical:str}", include_in_schema=False)
async def get_watch(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], vertical: FromPath[str]
) -> Response[bytes]:
    """What is measured of a vertical's models."""
    if vertical not in wiring.rules.verticals:
        raise NotFound("scoring.vertical.unknown", "there is no such vertical; GET /v1/scorecards lists them")
    async with wiring.db.begin(still=True) as tx:
        found = await read_watch(tx, vertical)
    return answer(WatchOut(*found) if found is not None else WatchOut(None, None))


def _out(one: Alert) -> AlertOut:
    fields = msgspec.structs.asdict(one)
    return AlertOut(alert_id=fields.pop("id"), means=ALERT_KINDS.get(one.kind, one.kind), **fields)


ROUTES = [get_alerts, post_look, get_watch]

"""``POST /v1/outcomes``: a recipient says what became of a lead."""

import re
from datetime import datetime
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Unauthenticated
from leadmill.core.money import parse_money
from leadmill.flow.reactions import react
from leadmill.interfaces.api.access import caller_of
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.wiring import Wiring
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import find_reported, report_as
from leadmill.parties import Caller
from leadmill.runtime.db import Tx


class OutcomeIn(Struct, frozen=True, kw_only=True):
    """A report. ``lead_id`` or ``sale_id`` says of what; ``at`` is when it became so, now where it is absent;
    ``value`` is what it was worth, a decimal string of ``currency``."""

    disposition: Disposition
    lead_id: str | None = None
    sale_id: str | None = None
    at: datetime | None = None
    value: str | None = None
    currency: str = "USD"
    note: str | None = None


class OutcomeOut(Struct, frozen=True):
    """The report as taken. ``recorded`` is false where the very same report was heard before."""

    lead_id: str
    disposition: Disposition
    at: datetime
    recorded: bool


@post("/v1/outcomes", include_in_schema=False)
async def post_outcome(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """Take a report."""
    caller = caller_of(request, wiring)
    if caller is None:
        raise Unauthenticated("api.key.missing", "send the buyer's key as Authorization: Bearer KEY")
    key = idempotency_key(request)
    given, body = await read_json(request, OutcomeIn)
    _check(given)
    return await once(wiring, f"outcomes {caller.owner}", key, body, lambda tx: _report(tx, wiring, caller, given))


def _check(given: OutcomeIn) -> None:
    faults = []
    if given.at is not None and given.at.tzinfo is None:
        faults.append(
            FieldFault("/at", "api.field.invalid", "write a time with its offset, such as 2026-03-04T15:00:00Z")
        )
    if given.note is not None and len(given.note) > 2000:
        faults.append(FieldFault("/note", "api.field.invalid", "write at most 2000 characters"))
    if not re.fullmatch("[A-Z]{3}", given.currency):
        faults.append(FieldFault("/currency", "api.field.invalid", "write three capital letters such as USD"))
    elif given.value is not None:
        try:
            parse_money(given.value, given.currency)
        except BadInput as fault:
            faults.append(FieldFault("/value", fault.code, fault.detail))
    if faults:
        raise BadInput("api.body.invalid", "see errors", faults)


async def _report(tx: Tx, wiring: Wiring, caller: Caller, given: OutcomeIn) -> OutcomeOut:
    now = wiring.clock()
    at = given.at or now
    lead_id, _ = await find_reported(tx, caller, lead_id=given.lead_id, sale_id=given.sale_id)
    pen = wiring.kit.pen
    row = await pen.lock(tx, lead_id)
    events = await report_as(
        tx,
        wiring.mint,
        caller,
        disposition=given.disposition,
        at=at,
        now=now,
        lead_id=given.lead_id,
        sale_id=given.sale_id,
        value=parse_money(given.value, given.currency) if given.value is not None else None,
        note=given.note,
        seal=pen.sealer(row, "outcome note") if given.note and pen.keys.has(row.person_id) else None,
    )
    if events:
        await react(tx, wiring.kit, row, events, now)
    return OutcomeOut(lead_id, given.disposition, at, bool(events))


ROUTES = [post_outcome]

"""``POST /v1/outcomes``: a recipient says what became of a lead.

What a report says beside the known fields is kept with it, sealed, and counted in the answer.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, Unauthenticated
from leadmill.core.money import parse_money
from leadmill.flow.calls import report_call
from leadmill.flow.reactions import react
from leadmill.interfaces.api.access import caller_of
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.wiring import Wiring
from leadmill.outcomes import REMARKS, Disposition, Remarks
from leadmill.outcomes.service import find_reported, report_outcome
from leadmill.parties import Caller
from leadmill.runtime.db import Tx

_LONGEST_CALL = 86_400
_MOST_MORE = 64 * 1024
"""Bytes of unknown fields that a report may bring."""


class OutcomeIn(Struct, frozen=True, kw_only=True):
    """A report. ``lead_id`` or ``sale_id`` says of what; ``at`` is when it became so, now where it is absent;
    ``value`` is what it was worth, a decimal string of ``currency``; ``call_seconds`` how long a call lasted."""

    disposition: Disposition
    lead_id: str | None = None
    sale_id: str | None = None
    at: datetime | None = None
    value: str | None = None
    currency: str = "USD"
    note: str | None = None
    call_seconds: int | None = None


class OutcomeOut(Struct, frozen=True):
    """The report as taken. ``recorded`` is false where the very same report was heard before; ``unknown_fields`` counts
    those that this address does not know and has kept with the report; ``reversed`` is true where the sale was taken
    back, because the call was too short."""

    lead_id: str
    disposition: Disposition
    at: datetime
    recorded: bool
    unknown_fields: int = 0
    reversed: bool = False


@post("/v1/outcomes", include_in_schema=False)
async def post_outcome(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """Take a report."""
    caller = await caller_of(request, wiring)
    if caller is None:
        raise Unauthenticated("api.key.missing", "send the buyer's key as Authorization: Bearer KEY")
    key = idempotency_key(request)
    given, body = await read_json(request, OutcomeIn)
    more = _unknown(body)
    _check(given, more)
    remarks = Remarks(given.note, more)
    return await once(
        wiring, f"outcomes {caller.owner}", key, body, lambda tx: _report(tx, wiring, caller, given, remarks)
    )


def _unknown(body: bytes) -> dict[str, msgspec.Raw]:
    said = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return {name: value for name, value in said.items() if name not in OutcomeIn.__struct_fields__}


def _check(given: OutcomeIn, more: Mapping[str, msgspec.Raw]) -> None:
    faults = []
    if sum(len(name) + len(bytes(value)) for name, value in more.items()) > _MOST_MORE:
        faults.append(FieldFault("", "api.field.invalid", f"write at most {_MOST_MORE} bytes into further fields"))
    if given.at is not None and given.at.tzinfo is None:
        faults.append(
            FieldFault("/at", "api.field.invalid", "write a time with its offset, such as 2026-03-04T15:00:00Z")
        )
    if given.call_seconds is not None and not 0 <= given.call_seconds <= _LONGEST_CALL:
        faults.append(FieldFault("/call_seconds", "api.field.invalid", "write whole seconds, no more than a day's"))
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


async def _report(tx: Tx, wiring: Wiring, caller: Caller, given: OutcomeIn, remarks: Remarks) -> OutcomeOut:
    now = wiring.clock()
    at = given.at or now
    lead_id, sale_id = await find_reported(tx, caller, lead_id=given.lead_id, sale_id=given.sale_id)
    pen = wiring.kit.pen
    row = await pen.lock(tx, lead_id)
    events = await report_outcome(
        tx,
        wiring.mint,
        lead_id=lead_id,
        sale_id=sale_id,
        reporter=caller.owner,
        disposition=given.disposition,
        at=at,
        now=now,
        value=parse_money(given.value, given.currency) if given.value is not None else None,
        remarks=remarks,
        seal=pen.sealer(row, REMARKS) if pen.keys.has(row.person_id) else None,
    )
    short = False
    if given.call_seconds is not None:
        short = await report_call(tx, wiring.kit, row, given.sale_id, caller.owner, given.call_seconds, events, now)
    elif events:
        await react(tx, wiring.kit, row, events, now)
    kept = len(remarks.more) if events and pen.keys.has(row.person_id) else 0
    return OutcomeOut(lead_id, given.disposition, at, bool(events), kept, short)


ROUTES = [post_outcome]

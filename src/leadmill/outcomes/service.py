"""The verbs of outcomes: hear what became of a lead, from who may say so.

Called by the API, which asks first what the caller of a key may report on (:func:`find_reported`), and by the console
with an operator (:func:`report_outcome`). The events go to the lead's journal through ``flow``; a report that was heard
before gives none.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound, Transient
from leadmill.core.ids import Mint
from leadmill.core.money import Money
from leadmill.market import LegState, SaleRecord, find_sale, sales_of
from leadmill.outcomes import store
from leadmill.outcomes.model import STAGES, Disposition, OutcomeCorrected, OutcomeReported, Remarks, Reported
from leadmill.outcomes.rules import check_report, weigh
from leadmill.parties import Caller, Right
from leadmill.runtime.db import Tx
from leadmill.runtime.walls import behind

Seal = Callable[[bytes], bytes]
"""Closes remarks under the person's key."""

NO_REMARKS = Remarks()


async def find_reported(
    tx: Tx, caller: Caller, *, lead_id: str | None = None, sale_id: str | None = None
) -> tuple[str, str | None]:
    """The lead and the sale that a caller may report on: a buyer on a lead it holds or held, an operator's key on any.

    Raises :class:`BadInput` ``outcome.subject.missing`` unless exactly one id is given, :class:`NotFound`
    ``outcome.sale.unknown`` for what the caller has no part in, :class:`Conflict` ``outcome.sale.cancelled`` for a
    sale that was taken back before it was good, :class:`Forbidden` ``outcome.caller.refused``.
    """
    if (lead_id is None) == (sale_id is None):
        raise BadInput("outcome.subject.missing", "give lead_id or sale_id, one of them")
    operator = caller.kind == "operator" and caller.may(Right.RESEND)
    if caller.kind != "buyer" and not operator:
        raise Forbidden("outcome.caller.refused", "outcomes are reported by the buyer's key or an operator's")
    if operator:
        legs = await _legs(tx, lead_id, sale_id)
    else:
        async with behind(tx, "buyer", caller.owner):
            legs = await _legs(tx, lead_id, sale_id)
    mine = [leg for leg in legs if operator or leg.buyer_id == caller.owner]
    held = [leg for leg in mine if leg.state is not LegState.CANCELLED]
    if held:
        return held[-1].lead_id, held[-1].id
    if mine:
        raise Conflict("outcome.sale.cancelled", "the sale was taken back before it was good")
    raise NotFound("outcome.sale.unknown", "there is no such lead or sale of yours")


async def _legs(tx: Tx, lead_id: str | None, sale_id: str | None) -> list[SaleRecord]:
    if not (lead_id or sale_id or "").isprintable():
        return []  # no id, and the store cannot be asked for every text
    if lead_id is not None:
        return await sales_of(tx, lead_id)
    found = await find_sale(tx, sale_id or "")
    return [found] if found is not None else []


async def report_outcome(
    tx: Tx,
    mint: Mint,
    *,
    lead_id: str,
    reporter: str,
    disposition: Disposition,
    at: datetime,
    now: datetime,
    sale_id: str | None = None,
    value: Money | None = None,
    remarks: Remarks = NO_REMARKS,
    seal: Seal | None = None,
) -> list[Event]:
    """Record a report of somebody known to be allowed to make it; the events to append, none where it was heard before.

    Reports of different moments tell a course; one of the same moment corrects the earlier, which is kept. Remarks
    are kept sealed, or not at all where ``seal`` is None. Raises :class:`BadInput` ``outcome.time.unusable`` and
    ``outcome.value.negative``, :class:`Transient` ``outcome.report.raced`` where the same report came in twice at once.
    """
    check_report(at, value, now)
    before = [one for one in await store.outcomes_of(tx, lead_id) if (one.reporter, one.sale_id) == (reporter, sale_id)]
    effect = weigh(before, disposition, at, value)
    if effect.kind == "nothing":
        return []
    report = Reported(
        outcome_id=mint("out", now),
        lead_id=lead_id,
        sale_id=sale_id,
        reporter=reporter,
        disposition=disposition,
        at=at,
        value=value.amount if value is not None else None,
        currency=value.currency if value is not None else None,
        received_at=now,
        current=effect.current,
        replaces=effect.replaces,
        note=seal(msgspec.json.encode(remarks)) if (remarks.note or remarks.more) and seal is not None else None,
    )
    if not await store.add(tx, report, effect.round_no):
        raise Transient("outcome.report.raced", "the same report came in twice at once", after=0.1)
    common: dict[str, Any] = {
        "at": now,
        "outcome_id": report.outcome_id,
        "sale_id": sale_id,
        "reporter": reporter,
        "disposition": disposition.value,
        "stage": STAGES[disposition],
        "happened_at": at,
        "value": report.value,
        "currency": report.currency,
    }
    if effect.replaces is not None:
        return [OutcomeCorrected(**common, replaces=effect.replaces)]
    return [OutcomeReported(**common)]


async def bad_leads(tx: Tx, since: datetime) -> list[str]:
    """Leads that a buyer has called bad since a moment: they should not have been sold."""
    return await store.leads_called(tx, [name.value for name, stage in STAGES.items() if stage == "bad"], since)

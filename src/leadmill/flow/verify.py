"""Does the store hold what it promises? Everything that can be checked from the inside.

Called by ``leadmill verify`` and by the tests after every crash they cause: the journal's chains, the rows under seal,
the signed checkpoints, the ledger's sums, caps and budgets against sales, revenue against sales, and every lead's row,
postings and deliveries against its own journal. Each check reads one instant of the store, so that leads may come in
meanwhile.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from leadmill.billing import REVERSAL, Post, Postings, SaleReversed
from leadmill.billing.service import check as check_billing
from leadmill.consent import Prove, ReplayKept
from leadmill.core.events import Event
from leadmill.delivery import (
    DeliveryAccepted,
    DeliveryCancelled,
    DeliveryDead,
    DeliveryRejected,
    DeliveryResent,
    DeliveryRetrying,
)
from leadmill.delivery.model import DeliveryEvent
from leadmill.flow.audit import COVERS, Handed, handed_of
from leadmill.flow.certifying import check_certificates
from leadmill.flow.keep import Pen
from leadmill.flow.model import LeadReceived, LeadRow, LeadSettled, StepTaken
from leadmill.flow.store import lead_subjects_after, read_leads
from leadmill.ledger import REVENUE, Posting, postings_by_group
from leadmill.ledger.service import check as check_ledger
from leadmill.market.service import check as check_market
from leadmill.runtime import checkpoints, journal, seals
from leadmill.runtime.db import Database, Tx

_PAGE = 500


class Found(Protocol):
    """What a package's check finds."""

    @property
    def code(self) -> str:
        """What is wrong, coded."""
        ...

    @property
    def detail(self) -> str:
        """What was found."""
        ...


class Finding(Struct, frozen=True):
    """Something that does not hold: a code, where, and what was found."""

    code: str
    where: str
    detail: str


class Checked(Struct, frozen=True):
    """One check: what of, how many things it looked at where it counts them, and how many findings."""

    name: str
    findings: int
    count: int | None = None


class Report(Struct, frozen=True):
    """Everything checked and everything found."""

    checked: list[Checked]
    findings: list[Finding]


async def verify(db: Database, pen: Pen, now: datetime | None = None, home: Path | None = None) -> Report:
    """Check the whole store as it stands; with ``now`` also that nothing stands past its time, with ``home`` also
    against the checkpoints that are kept in that folder."""
    checked: list[Checked] = []
    findings: list[Finding] = []
    checks: list[tuple[str, Callable[[Tx], Awaitable[list[Finding]]]]] = [
        ("journal", _journal),
        ("seals", _seals),
        ("checkpoints", lambda tx: _checkpoints(tx, pen, home)),
        ("ledger", _ledger),
        ("market", lambda tx: _market(tx, now)),
        ("billing", _billing),
    ]
    async with db.begin() as tx:
        await journal.link(tx)
    for name, check in checks:
        async with db.begin(still=True) as tx:
            found = await check(tx)
        checked.append(Checked(name, len(found)))
        findings += found
    count, found = await _leads(db, pen)
    checked.append(Checked("leads", len(found), count))
    return Report(checked, findings + found)


async def _journal(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.where, item.detail) for item in await journal.check(tx)]


async def _seals(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.where, item.detail) for item in await seals.check(tx, COVERS)]


async def _checkpoints(tx: Tx, pen: Pen, home: Path | None) -> list[Finding]:
    kept = checkpoints.read_witness(home) if home is not None else []
    return [Finding(item.code, item.where, item.detail) for item in await checkpoints.check(tx, pen.vault, kept)]


async def _ledger(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.subject, item.detail) for item in await check_ledger(tx)]


async def _market(tx: Tx, now: datetime | None) -> list[Finding]:
    return [Finding(item.code, item.subject, item.detail) for item in await check_market(tx, now)]


async def _billing(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.subject, item.detail) for item in await check_billing(tx)]


async def _leads(db: Database, pen: Pen) -> tuple[int, list[Finding]]:
    """Each lead's row, its postings, its deliveries and its certificate of consent against its journal."""
    findings: list[Finding] = []
    count, after = 0, ""
    while True:
        async with db.begin(still=True) as tx:
            ids = await lead_subjects_after(tx, after, _PAGE)
            pages = await journal.pages_of(tx, ids)
            rows = await read_leads(tx, ids)
            booked = await postings_by_group(tx, ids)
            handed = await handed_of(tx, ids)
        certified: list[str] = []
        for lead_id in ids:
            count += 1
            try:
                events = [event for page in pages.get(lead_id, []) for event in pen.read_events(page)]
                findings += _against_row(lead_id, rows.get(lead_id), events)
                findings += _against_book(pen, lead_id, events, booked.get(lead_id, []))
                findings += _against_deliveries(lead_id, events, handed.get(lead_id, []))
                if any(map(_certifies, events)):
                    certified.append(lead_id)
            except msgspec.DecodeError:
                findings.append(Finding("flow.page.unreadable", lead_id, "a page of its journal cannot be read"))
        if certified:
            async with db.begin(still=True) as tx:
                found = await check_certificates(tx, pen, certified)
            findings += [Finding(item.code, item.lead_id, item.detail) for item in found]
        if len(ids) < _PAGE:
            return count, findings
        after = ids[-1]


def _certifies(event: Event) -> bool:
    """Whether an event tells of a certificate of consent or of a recording; the step learns nothing else in public."""
    return isinstance(event, ReplayKept) or (
        isinstance(event, StepTaken) and event.step == Prove.name and bool(event.learned)
    )


def _against_row(lead_id: str, row: LeadRow | None, events: Sequence[Event]) -> list[Finding]:
    """A lead's row against the last word of its journal."""
    if row is None:
        return [Finding("flow.lead.missing", lead_id, "the journal tells of a lead that has no row")]
    settled = [event for event in events if isinstance(event, LeadSettled)]
    if not settled:
        return [Finding("flow.lead.unjournalled", lead_id, "the journal does not say where the lead ended")]
    last = settled[-1]
    says = (last.state, last.because.code if last.because else None, last.price, last.currency, last.recipient)
    if says != (row.state, row.reason, row.price, row.currency, row.recipient):
        return [Finding("flow.lead.mismatch", lead_id, f"the journal says {last.state}, the row {row.state}")]
    came = next((event for event in events if isinstance(event, LeadReceived)), None)
    if came is not None and (came.source, came.channel) != (row.source_id, row.channel):
        return [
            Finding("flow.lead.mismatch", lead_id, f"the journal says it came from {came.source} by {came.channel}")
        ]
    return []


_STANDS: dict[type[DeliveryEvent], str] = {
    DeliveryAccepted: "accepted",
    DeliveryRejected: "rejected",
    DeliveryRetrying: "retrying",
    DeliveryDead: "dead",
    DeliveryResent: "retrying",
    DeliveryCancelled: "cancelled",
}
"""Where a delivery stands after what happened to it."""


def _against_deliveries(lead_id: str, events: Sequence[Event], handed: Sequence[Handed]) -> list[Finding]:
    """Each delivery's state and recipient against the last word of the journal."""
    last = {event.delivery_id: event for event in events if isinstance(event, DeliveryEvent)}
    stand = {each.id: each for each in handed}
    findings = [
        Finding("flow.delivery.missing", lead_id, f"the journal tells of the delivery {ident}, which has no row")
        for ident in sorted(last.keys() - stand.keys())
    ]
    for ident, each in sorted(stand.items()):
        event = last.get(ident)
        says = _STANDS[type(event)] if event is not None else "queued"
        where = each.recipient if event is None else event.recipient
        if (says, where) != (each.state, each.recipient):
            text = f"the journal says that {ident} is {says} at {where}, the row {each.state} at {each.recipient}"
            findings.append(Finding("flow.delivery.mismatch", lead_id, text))
    return findings


def _against_book(pen: Pen, lead_id: str, events: Sequence[Event], booked: Sequence[Posting]) -> list[Finding]:
    """What the journal says the lead's sales moved, and what was taken back, against the book."""
    told = {item.id: item for event in events if isinstance(event, StepTaken) for item in _moved(pen, event)}
    back = {event.sale_id: event.amount.amount for event in events if isinstance(event, SaleReversed)}
    stand = {item.id: item for item in booked if item.kind != REVERSAL}
    findings = [
        Finding("flow.posting.mismatch", lead_id, f"the posting {posting_id} is not as the journal tells it")
        for posting_id in sorted(told.keys() | stand.keys())
        if told.get(posting_id) != stand.get(posting_id)
    ]
    returned: dict[str, int] = {}
    for item in booked:
        if item.kind == REVERSAL and item.debit == REVENUE:
            returned[item.ref] = returned.get(item.ref, 0) + item.amount.amount
    findings += [
        Finding("flow.posting.mismatch", lead_id, f"what went back for {sale_id} is not as the journal tells it")
        for sale_id in sorted(back.keys() | returned.keys())
        if back.get(sale_id, 0) != returned.get(sale_id, 0)
    ]
    return findings


def _moved(pen: Pen, event: StepTaken) -> list[Posting]:
    learned = [pen.codecs.evidence.decode(item) for item in event.learned] if event.step == Post.name else []
    return [posting for item in learned if isinstance(item, Postings) for posting in item.items]

"""Does the store hold what it promises? Everything that can be checked from the inside.

Called by ``leadmill verify`` and by the tests after every crash they cause: the journal's chains, the ledger's sums,
caps and budgets against sales, revenue against sales, and every lead's row against its own journal.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from leadmill.billing.service import check as check_billing
from leadmill.flow.keep import Pen
from leadmill.flow.model import LeadRow, LeadSettled
from leadmill.flow.store import every_lead_after, read_leads
from leadmill.ledger.service import check as check_ledger
from leadmill.market.service import check as check_market
from leadmill.runtime import journal
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


async def verify(db: Database, pen: Pen) -> Report:
    """Check the whole store as it stands."""
    checked: list[Checked] = []
    findings: list[Finding] = []
    checks: list[tuple[str, Callable[[Tx], Awaitable[list[Finding]]]]] = [
        ("journal", _journal),
        ("ledger", _ledger),
        ("market", _market),
        ("billing", _billing),
    ]
    async with db.begin() as tx:
        await journal.link(tx)
    for name, check in checks:
        async with db.begin() as tx:
            found = await check(tx)
        checked.append(Checked(name, len(found)))
        findings += found
    count, found = await _projections(db, pen)
    checked.append(Checked("leads", len(found), count))
    return Report(checked, findings + found)


async def _journal(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.where, item.detail) for item in await journal.check(tx)]


async def _ledger(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.subject, item.detail) for item in await check_ledger(tx)]


async def _market(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.subject, item.detail) for item in await check_market(tx)]


async def _billing(tx: Tx) -> list[Finding]:
    return [Finding(item.code, item.subject, item.detail) for item in await check_billing(tx)]


async def _projections(db: Database, pen: Pen) -> tuple[int, list[Finding]]:
    """Each lead's row against the last word of its journal."""
    findings: list[Finding] = []
    count, after = 0, ""
    while True:
        async with db.begin() as tx:
            ids = await every_lead_after(tx, after, _PAGE)
            pages = await journal.pages_of(tx, ids)
            rows = await read_leads(tx, ids)
        for lead_id in ids:
            count += 1
            settled = [
                event
                for page in pages.get(lead_id, [])
                for event in pen.read_events(page)
                if isinstance(event, LeadSettled)
            ]
            findings += _against(rows[lead_id], settled[-1] if settled else None)
        if len(ids) < _PAGE:
            return count, findings
        after = ids[-1]


def _against(row: LeadRow, settled: LeadSettled | None) -> list[Finding]:
    if settled is None:
        return [Finding("flow.lead.unjournalled", row.id, "the journal does not say where the lead ended")]
    says = (settled.state, settled.because.code if settled.because else None, settled.price, settled.recipient)
    if says != (row.state, row.reason, row.price, row.recipient):
        return [Finding("flow.lead.mismatch", row.id, f"the journal says {settled.state}, the row {row.state}")]
    return []

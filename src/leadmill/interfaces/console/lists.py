"""Rows of leads as a list shows them: opened, masked for the reader, and noted as read.

Used by the list, its live feed and the desks of review and nurture.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.core.reasons import find
from leadmill.flow.model import LeadRow
from leadmill.flow.rules import Rules
from leadmill.identity.service import load_keys
from leadmill.interfaces.console.desk import Desk
from leadmill.interfaces.masks import name_of
from leadmill.parties.store import note_reads
from leadmill.runtime.db import Tx


class Line(Struct, frozen=True):
    """One lead in a list. ``why`` is the code of the reason that ended its walk, ``says`` the reason in words."""

    id: str
    received_at: datetime
    person: str
    state: str
    why: str | None
    says: str
    vertical: str
    source: str
    score: int | None
    region: str | None
    recipient: str | None
    price: int | None
    currency: str | None
    test: bool
    tier: str | None = None


async def lines(tx: Tx, desk: Desk, rows: Sequence[LeadRow], what: str) -> list[Line]:
    """The rows, opened with their persons' keys; each is noted as read by the desk's operator."""
    pen, rules = desk.wiring.kit.pen, desk.wiring.rules
    await load_keys(tx, pen.vault, pen.keys, {row.person_id for row in rows})
    note_reads(tx, desk.who.id, [row.id for row in rows], what, desk.now)
    found = []
    for row in rows:
        lead = pen.open_lead(row) if pen.keys.has(row.person_id) else None
        found.append(
            Line(
                id=row.id,
                received_at=row.received_at,
                person=name_of(lead, desk.sees),
                state=row.state.value,
                why=row.reason,
                says=reason_says(row.reason),
                vertical=vertical_title(rules, row.vertical),
                source=source_name(rules, row.source_id),
                score=row.score,
                region=row.region,
                recipient=recipient_names(rules, row.recipient),
                price=row.price,
                currency=row.currency,
                test=row.test,
                tier=row.tier,
            )
        )
    return found


def reason_says(code: str | None) -> str:
    """A reason in words, its particulars left open; empty for none, the code itself for one that no longer exists."""
    if code is None:
        return ""
    try:
        says = find(code).says
    except KeyError:
        return code
    plain, _, rest = says.partition("{")
    while rest:
        _, _, after = rest.partition("}")
        more, _, rest = after.partition("{")
        plain += "…" + more
    return plain


def vertical_title(rules: Rules, name: str) -> str:
    """A vertical's title, its name where the packs know it no more."""
    found = rules.verticals.get(name)
    return found.title if found else name


def source_name(rules: Rules, source_id: str) -> str:
    """A source's name, its id where it is off the roster."""
    found = rules.roster.sources.get(source_id)
    return found.name if found else source_id


def recipient_name(rules: Rules, recipient_id: str) -> str:
    """A buyer's or team's name; of ``team/rep`` the team's with the rep."""
    head, _, rep = recipient_id.partition("/")
    found = rules.roster.recipient(head)
    name = found.name if found else head
    return f"{name} / {rep}" if rep else name


def recipient_names(rules: Rules, recipients: str | None) -> str | None:
    """The recipients of a lead by name."""
    return ", ".join(recipient_name(rules, each) for each in recipients.split()) if recipients else None

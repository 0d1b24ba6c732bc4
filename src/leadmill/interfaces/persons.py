"""One human being over many submissions, as readers see them: their leads, and what they said last of everything.

Used by the console and the API. What a reader may not see is masked, as in a lead.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.capture import FieldSpec, Lead, Value
from leadmill.flow.model import LeadFilter, LeadRow
from leadmill.flow.rules import Rules
from leadmill.flow.store import list_leads
from leadmill.identity import Prospect
from leadmill.interfaces.masks import mask
from leadmill.interfaces.pages import words
from leadmill.runtime.db import Tx

MOST_LEADS = 50
"""The most leads of one human being that are shown together; the list of leads has all of them."""


class LastSaid(Struct, frozen=True):
    """What somebody said last of one field: the value, masked where it must be, when and with which lead, and how many
    other values they gave."""

    name: str
    title: str
    value: Value
    at: datetime
    lead_id: str
    others: int


async def leads_of(tx: Tx, prospect: Prospect) -> list[LeadRow]:
    """Their leads, the newest first."""
    rows: list[LeadRow] = []
    for person_id in prospect.persons:
        rows += (await list_leads(tx, LeadFilter(person_id=person_id), limit=MOST_LEADS))[0]
    return sorted(rows, key=lambda row: row.id, reverse=True)[:MOST_LEADS]


def last_said(rows: Sequence[LeadRow], opened: Mapping[str, Lead | None], rules: Rules, sees: bool) -> list[LastSaid]:
    """What these leads, the newest first, say of each field; ``sees`` says whether personal values may be read."""
    found: dict[str, list[tuple[LeadRow, Value]]] = {}
    for row in rows:
        lead = opened.get(row.id)
        for name, value in lead.fields.items() if lead is not None else ():
            if value is not None and value != "":
                found.setdefault(name, []).append((row, value))
    return [_last(name, values, rules, sees) for name, values in found.items()]


def _last(name: str, values: Sequence[tuple[LeadRow, Value]], rules: Rules, sees: bool) -> LastSaid:
    row, value = values[0]
    spec = _spec(rules, row.vertical, name)
    hidden = not sees and (spec is None or spec.personal or spec.sensitive is not None)
    return LastSaid(
        name=name,
        title=spec.title if spec is not None and spec.title else words(name),
        value=mask(name, value) if hidden else value,
        at=row.received_at,
        lead_id=row.id,
        others=len({str(other) for _, other in values}) - 1,
    )


def _spec(rules: Rules, vertical: str, name: str) -> FieldSpec | None:
    found = rules.verticals.get(vertical)
    return found.fields.get(name) if found is not None else None

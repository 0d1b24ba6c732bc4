"""Whose reads are asked after: of a lead, or of all leads of a person.

Used by the page and the command that tell who read what.
"""

from collections.abc import Sequence

from leadmill.core.faults import NotFound
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads, read_lead
from leadmill.runtime.db import Tx

_PAGE = 200


async def leads_named(tx: Tx, whose: str) -> Sequence[str] | None:
    """The ids of the leads that an id stands for: a lead's own, or a person's; None of no id at all.

    Raises NotFound ``flow.lead.unknown`` where nobody has it."""
    whose = whose.strip()
    if not whose:
        return None
    if not whose.startswith("person_"):
        if await read_lead(tx, whose) is None:
            raise NotFound("flow.lead.unknown", "no lead and no person of this id")
        return [whose]
    found: list[str] = []
    cursor: str | None = None
    while True:
        rows, cursor = await list_leads(tx, LeadFilter(person_id=whose), cursor, _PAGE)
        found += [row.id for row in rows]
        if cursor is None:
            break
    if not found:
        raise NotFound("flow.lead.unknown", "no lead and no person of this id")
    return found

"""What buyers say became of a lead, told to whoever learns from it: a lead that came back speaks against its marks.

Called by the reactions, in the transaction in which the report is written.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from leadmill.capture import Lead
from leadmill.core.events import Event
from leadmill.facts import Dossier
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadRow
from leadmill.flow.truth import heed_contacts
from leadmill.fraud import Suspect, Suspicion
from leadmill.fraud.service import Place, heed_return
from leadmill.identity import Identity
from leadmill.outcomes import STAGES, OutcomeReported, outcomes_of
from leadmill.runtime.db import Tx


async def heed_outcomes(tx: Tx, kit: Kit, row: LeadRow, events: Sequence[Event], now: datetime) -> None:
    """Learn from the reports among ``events``, all reports on the lead considered: it came back where somebody's latest
    word is that it was bad. The caller holds the lead's lock. A test teaches nothing."""
    if row.test or not any(isinstance(event, OutcomeReported) for event in events):
        return
    suspect = next((step for step in kit.walk().together if isinstance(step, Suspect)), None)
    if suspect is None:
        return
    latest = [report.disposition for report in await outcomes_of(tx, row.id) if report.current]
    card = suspect.cards.get(row.vertical)
    case = (await recall_one(tx, kit.pen, row.id)).case_before()
    await heed_contacts(tx, case, events, now)
    whole = all(kind in case for kind in (Lead, Dossier, Identity))
    await heed_return(
        tx,
        row.id,
        Place(row.received_at.astimezone(UTC).date(), row.vertical, row.source_id),
        case.get(Suspicion),
        suspect.ask_of(case) if whole else None,
        returned=any(STAGES[each] == "bad" for each in latest),
        fraudulent=card is not None and any(each.value in card.returns for each in latest),
        now=now,
    )

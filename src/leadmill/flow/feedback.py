"""What buyers and our own reviewers say of a lead, told to whoever learns from it: a lead that came back, or was found
made up, speaks against its marks, and a number at which nobody was reached against the number.

Called by the reactions and by the desk, in the transaction in which the report is written.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.core.events import Event
from leadmill.facts import Dossier
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadRow
from leadmill.flow.truth import heed_contacts
from leadmill.fraud import Suspect, Suspicion
from leadmill.fraud.service import Place, heed_return
from leadmill.hygiene import KINDS, Channel, Observation, point_of
from leadmill.hygiene.service import digest_of, observe, take_back
from leadmill.identity import Identity
from leadmill.outcomes import STAGES, OutcomeCorrected, OutcomeReported, outcomes_of
from leadmill.review import GROUNDS, Ground
from leadmill.runtime.db import Tx

_SAID = sorted({kind for ground in GROUNDS.values() for kind in ground.observes})
"""What reviewers may say of a number or an address."""


async def heed_outcomes(tx: Tx, kit: Kit, row: LeadRow, events: Sequence[Event], now: datetime) -> None:
    """Learn from the reports among ``events``, all reports on the lead considered: it came back where somebody's latest
    word is that it was bad. The caller holds the lead's lock. A test teaches nothing."""
    if row.test or not any(isinstance(event, OutcomeReported) for event in events):
        return
    case = (await recall_one(tx, kit.pen, row.id)).case_before()
    await heed_points(tx, kit, row, case, events, now)
    suspect = next((step for step in kit.walk().together if isinstance(step, Suspect)), None)
    if suspect is None:
        return
    latest = [report.disposition for report in await outcomes_of(tx, row.id) if report.current]
    card = suspect.cards.get(row.vertical)
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


async def heed_review(tx: Tx, kit: Kit, row: LeadRow, bad: bool, ground: Ground | None, now: datetime) -> None:
    """Learn from what a person found out about a lead that nobody has bought: marks burn where it was made up, and are
    good again where somebody says that it was not; what was tried of its number or address is remembered. What signals
    were worth is told by sales alone. The caller holds the lead's lock. A test teaches nothing."""
    if row.test:
        return
    case = (await recall_one(tx, kit.pen, row.id)).case_before()
    suspect = next((step for step in kit.walk().together if isinstance(step, Suspect)), None)
    if suspect is not None and all(kind in case for kind in (Lead, Dossier, Identity)):
        place = Place(row.received_at.astimezone(UTC).date(), row.vertical, row.source_id)
        fraudulent = bad and ground is not None and ground.fraudulent
        await heed_return(
            tx, row.id, place, None, suspect.ask_of(case), returned=bad, fraudulent=fraudulent, now=now
        )  # fmt: skip
    points = points_of(kit, case)
    # What an earlier look said of the number or the address holds no more.
    await take_back(tx, list(points.values()), [digest_of("review", row.id, kind) for kind in _SAID])
    told = [
        Observation(
            point=points[KINDS[kind].channel],
            digest=digest_of("review", row.id, kind),
            kind=kind,
            source="review",
            at=now,
            heard_at=now,
            lead_id=row.id,
            vertical=row.vertical,
            lead_source=row.source_id,
        )
        for kind in (ground.observes if ground is not None else ())
        if KINDS[kind].channel in points
    ]
    await observe(tx, told)


async def heed_points(tx: Tx, kit: Kit, row: LeadRow, case: Case, events: Sequence[Event], now: datetime) -> None:
    """Remember what the reports among ``events`` say of the lead's address and number as they are now; what a report
    corrects is taken back first, where they were others then as well."""
    upkeep, points = kit.walk().rules.upkeeps.get(row.vertical), points_of(kit, case)
    identity = case.get(Identity)
    earlier = [bytes.fromhex(key) for key in identity.keys.values()] if identity is not None else []
    for event in events:
        if not isinstance(event, OutcomeReported) or upkeep is None:
            continue
        moment = event.happened_at.isoformat()
        digest = digest_of("outcome", row.id, event.reporter, event.sale_id or "", moment)
        if isinstance(event, OutcomeCorrected):
            await take_back(tx, [*points.values(), *earlier], [digest])
        told = [
            Observation(
                point=points[KINDS[kind].channel],
                digest=digest,
                kind=kind,
                source=event.reporter,
                at=min(event.happened_at, now),
                heard_at=now,
                lead_id=row.id,
                vertical=row.vertical,
                lead_source=row.source_id,
            )
            for kind in upkeep.dispositions.get(event.disposition, ())
            if KINDS[kind].channel in points
        ]
        await observe(tx, told)


def points_of(kit: Kit, case: Case) -> dict[Channel, bytes]:
    """The contact points of a lead as it is now, by channel; none where it could not be read."""
    lead = case.get(Lead)
    if lead is None:
        return {}
    given = lead.text("country")
    country = kit.walk().rules.reference.country(given) if given else None
    found = (
        point_of(kit.pen.vault.keyed_hash, contact, country or "US")
        for contact in (lead.text("email"), lead.text("phone"))
        if contact
    )
    return dict(each for each in found if each is not None)

"""Legal holds: placed on a lead or a person, and lifted, each told in the leads' stories."""

from collections.abc import Sequence
from datetime import datetime

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.kit import Kit
from leadmill.flow.retaining.store import held_together
from leadmill.flow.store import leads_of_persons, lock_leads
from leadmill.privacy import Hold, HoldLifted, HoldPlaced, find_hold, lift_hold, place_hold
from leadmill.runtime.db import Tx

MOST_WHY = 500


async def place(tx: Tx, kit: Kit, subject: str, why: str, by: str, now: datetime) -> Hold:
    """Place a hold on a lead, or on a person and all who are held to be one with them: nothing of theirs goes while it
    stands. Raises NotFound ``privacy.hold.subject``, BadInput ``privacy.hold.why``."""
    said = _why(why)
    leads = await _leads_of(tx, subject)
    if leads is None:
        raise NotFound("privacy.hold.subject", "there is no such lead or person")
    hold = Hold(id=kit.mint("hold", now), subject=subject, why=said, by=by, at=now)
    await place_hold(tx, hold)
    await _tell(tx, kit, leads, HoldPlaced(at=now, hold_id=hold.id, by=by), now)
    return hold


async def lift(tx: Tx, kit: Kit, hold_id: str, why: str, by: str, now: datetime) -> Hold:
    """Lift a hold. Raises NotFound ``privacy.hold.unknown`` where none of this id stands, BadInput
    ``privacy.hold.why``."""
    said = _why(why)
    found = await find_hold(tx, hold_id) if looks_like(hold_id, "hold") else None
    if found is not None:
        lifted = Hold(
            id=found.id,
            subject=found.subject,
            why=found.why,
            by=found.by,
            at=found.at,
            lifted_at=now,
            lifted_by=by,
            lifted_why=said,
        )
        if await lift_hold(tx, lifted):
            leads = await _leads_of(tx, found.subject) or []
            await _tell(tx, kit, leads, HoldLifted(at=now, hold_id=hold_id, by=by), now)
            return lifted
    raise NotFound("privacy.hold.unknown", "there is no hold of this id that stands")


def _why(text: str) -> str:
    said = text.strip()
    if not said or len(said) > MOST_WHY:
        raise BadInput("privacy.hold.why", f"say why, in at most {MOST_WHY} characters and without personal data")
    return said


async def _leads_of(tx: Tx, subject: str) -> list[str] | None:
    if looks_like(subject, "lead"):
        return [subject] if await lock_leads(tx, [subject]) else None
    groups = await held_together(tx, [subject]) if looks_like(subject, "person") else {}
    persons = [each for group in groups.values() for each in group]
    if subject not in persons:
        return None
    leads = await leads_of_persons(tx, persons)
    await lock_leads(tx, leads)
    return leads


async def _tell(tx: Tx, kit: Kit, leads: Sequence[str], event: Event, now: datetime) -> None:
    for lead_id in leads:
        await kit.pen.append(tx, lead_id, [event], now)

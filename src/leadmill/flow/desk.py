"""What a person decides about a lead that waits: let it go on, or let it go.

Called by the page of a lead. The decision is an event with the operator's id and the reason given; a case that the
desk has of the lead ends with it. Decisions of the desk itself are carried out by ``reviewing``.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from leadmill.core.events import Event
from leadmill.core.faults import Conflict
from leadmill.core.reasons import State, because, declare
from leadmill.flow.again import walk_again
from leadmill.flow.answering import owe_answer
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadSettled, Settled
from leadmill.flow.store import update_leads
from leadmill.review.service import close
from leadmill.review.store import lock_open_case
from leadmill.runtime.db import Tx

DISMISSED = declare("flow.desk.dismissed", "A person looked at it and let it go: {why}", State.REJECTED)


NURTURED = declare("flow.desk.nurtured", "A person kept it for later.", State.NURTURE)


class LeadReviewed(Event, frozen=True, kw_only=True, tag="lead.reviewed"):
    """A person decided about a waiting lead."""

    by: str
    decision: str
    why: str

    def tell(self) -> Iterable[str]:
        yield f"{self.by}: {self.decision}. {self.why}"


async def approve(tx: Tx, kit: Kit, lead_id: str, by: str, why: str, now: datetime) -> Settled:
    """Let a lead in review or nurture go on to whoever may have it. Raises Conflict ``flow.desk.not_waiting`` where it
    does not wait (any more)."""
    row = await kit.pen.lock(tx, lead_id)
    if row.state not in (State.REVIEW, State.NURTURE):
        raise Conflict("flow.desk.not_waiting", f"the lead is {row.state.value}; somebody was quicker")
    await end_case(tx, lead_id, by, "approved", now)
    event = LeadReviewed(at=now, by=by, decision="approved", why=why)
    return await walk_again(tx, kit, lead_id, by, why or "released from review", now, events=[event], anew=True)


async def dismiss(tx: Tx, kit: Kit, lead_id: str, by: str, why: str, now: datetime) -> None:
    """Reject a lead in review or nurture. Raises Conflict ``flow.desk.not_waiting``."""
    row = await kit.pen.lock(tx, lead_id)
    if row.state not in (State.REVIEW, State.NURTURE):
        raise Conflict("flow.desk.not_waiting", f"the lead is {row.state.value}; somebody was quicker")
    await end_case(tx, lead_id, by, State.REJECTED.value, now)
    reason = because(DISMISSED, why=why or "no reason given")
    events: list[Event] = [
        LeadReviewed(at=now, by=by, decision="dismissed", why=why),
        LeadSettled(at=now, state=State.REJECTED, because=reason),
    ]
    await kit.pen.append(tx, lead_id, events, now)
    await update_leads(tx, [msgspec.structs.replace(row, state=State.REJECTED, reason=reason.code)])
    owe_answer(tx, lead_id, now, kit.mint)


async def end_case(tx: Tx, lead_id: str, by: str, outcome: str, now: datetime) -> None:
    """End the case of a locked lead that is decided on its own page. Raises Conflict ``review.case.taken`` where
    somebody else has the case, or where the desk has decided about it."""
    one = await lock_open_case(tx, lead_id)
    if one is None:
        return
    if one.stage != "open" or one.held(now) not in (None, by):
        raise Conflict("review.case.taken", "the desk has this lead: somebody else is looking at it, or has decided")
    await close(tx, msgspec.structs.replace(one, decided_by=by, decided_at=now), outcome, now)

"""A lead walks on: released by a person, or given back by who had it.

Called by the reactions and by the review desk, inside their transaction. The lead keeps all it had learned before the
station it starts from, forgets what it learned there, and is decided anew under the rules in force now.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.core.events import Event
from leadmill.core.faults import Permanent
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadResumed, Settled
from leadmill.flow.runner import walk_together
from leadmill.flow.walker import Walker
from leadmill.market import Declined
from leadmill.runtime.db import Tx


async def walk_again(
    tx: Tx,
    kit: Kit,
    lead_id: str,
    start: str,
    by: str,
    why: str,
    now: datetime,
    declined: Sequence[str] = (),
    events: Sequence[Event] = (),
) -> Settled:
    """Walk a lead from the station ``start`` on; ``events`` that led to it stand on the same page.

    ``declined`` are the buyers that are not asked again. Raises NotFound for an unknown lead and Permanent
    ``flow.lead.forgotten`` where the person's data is no more.
    """
    recalled = await recall_one(tx, kit.pen, lead_id)
    if recalled.lead is None:
        raise Permanent("flow.lead.forgotten", "the person was forgotten; the lead can walk no further")
    case = recalled.case_before(start)
    before = case.get(Declined)
    gone = tuple(dict.fromkeys([*(before.buyers if before else ()), *declined]))
    case.learn([Declined(buyers=gone)])
    walker = Walker(case, recalled.row.import_id)
    walker.was = recalled.row.state
    walk = kit.walk()
    walker.events.append(
        LeadResumed(
            at=now,
            step=start,
            by=by,
            why=why,
            revision=walk.rules.revision,
            packs=walk.rules.packs,
            excluded=list(gone),
        )
    )
    await walk_together(tx, [walker], walk, kit.ears, now, start)
    return await kit.pen.write_again(tx, recalled.row, walker, walk.rules, now, events)

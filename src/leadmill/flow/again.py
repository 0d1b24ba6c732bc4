"""A lead walks on: released by a person, or given back by who had it.

Called by the reactions and by the review desk, inside their transaction. The lead keeps all it had learned before the
station it starts from, forgets what it learned there, and is decided anew under the rules in force now.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.core.events import Event
from leadmill.core.faults import Permanent
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import FAILED, LeadResumed, Settled
from leadmill.flow.pipeline import Walk
from leadmill.flow.runner import walk_alone, walk_together
from leadmill.flow.suppressed import standing_of
from leadmill.flow.walker import Walker
from leadmill.flow.watching import report_broken
from leadmill.identity import HeldAs, Identity
from leadmill.market import Allocate, Bidding, BidHeard, Declined, LegState, OfferedAgain, Solicit, sales_of
from leadmill.policy import Clear, Released
from leadmill.runtime.db import Tx
from leadmill.runtime.records import hold


async def walk_again(
    tx: Tx,
    kit: Kit,
    lead_id: str,
    by: str,
    why: str,
    now: datetime,
    start: str | None = None,
    events: Sequence[Event] = (),
    broken: BaseException | None = None,
    again: OfferedAgain | None = None,
    anew: bool = False,
) -> Settled:
    """Walk a lead from the station ``start`` on, or from where it waits; ``events`` that led to it stand on the same
    page. ``anew`` has it come by the law again wherever it waits, since a person lets it go on at another moment: what
    held it there holds it no more, what has become unlawful stops it.

    Who had the lead and gave it back is not asked again. ``broken`` is what came of walking it before: it then waits
    for a person instead. Raises NotFound for an unknown lead and Permanent ``flow.lead.forgotten`` where the person's
    data is no more.
    """
    recalled = await recall_one(tx, kit.pen, lead_id)
    if recalled.submission is None:
        raise Permanent("flow.lead.forgotten", "the person was forgotten; the lead can walk no further")
    if await hold(tx) != kit.walk().rules.revision:
        await kit.take_up(tx)  # nobody can change the configuration again before this transaction ends
    walk = kit.walk()
    start = start or _next_station(recalled, walk)
    released = _looked_at(recalled) if anew else ()
    if anew or await _has_objected(tx, kit, recalled.lead):
        start = _no_later(start, Clear.name, walk)  # it was cleared before the person opted out
    gone = [leg.buyer_id or leg.team_id for leg in await sales_of(tx, lead_id) if leg.state is LegState.CANCELLED]
    declined = Declined(buyers=tuple(dict.fromkeys(name for name in gone if name)))
    case = recalled.case_before(start)
    if start == Allocate.name and (_unasked(recalled, case) or _are_stale(case.get(Bidding), declined, now)):
        start = Solicit.name  # nobody was asked, or what the others bid holds no more: they are asked now
        case = recalled.case_before(start)
    if Identity not in case:
        case.learn([HeldAs(recalled.row.person_id)])
    case.learn([declined, *((again,) if again is not None else ())])
    if released:
        case.learn([Released(released)])
    walker = Walker(case, recalled.row.import_id)
    walker.events.append(
        LeadResumed(
            at=now,
            step=start,
            by=by,
            why=why,
            revision=walk.rules.revision,
            packs=walk.rules.packs,
            mail=walk.rules.mail,
            excluded=list(declined.buyers),
            again=again,
            released=list(released),
        )
    )
    walker.at = start
    if broken is not None:
        report_broken(walker, broken)
        walker.fail(start, broken, now)
    await _walk(tx, kit, walk, walker, start, now)
    return await kit.pen.write_again(tx, recalled.row, walker, walk.rules, now, events)


def _looked_at(recalled: Recalled) -> tuple[str, ...]:
    """The rules for which the law has had a person look at the lead."""
    taken = [station.event for chapter in recalled.chapters for station in chapter.stations]
    held = [event.because for event in taken if event.step == Clear.name and event.verdict == "hold"]
    rules = [str(why.detail["rule"]) for why in held if why is not None and "rule" in why.detail]
    return tuple(dict.fromkeys(rules))


async def _has_objected(tx: Tx, kit: Kit, lead: Lead | None) -> bool:
    """Whether the person opted out, of contact or of sale, since the lead came."""
    if lead is None:
        return False
    standing = await standing_of(tx, kit.pen.vault.keyed_hash, lead)
    return standing.opted_out or standing.unsold


def _no_later(start: str, station: str, walk: Walk) -> str:
    """Where to start so as to come by a station again."""
    names = [step.name for step in (*walk.alone, *walk.together)]
    return station if names.index(start) > names.index(station) else start


def _unasked(recalled: Recalled, case: Case) -> bool:
    """Whether nobody was asked for a bid though somebody could have been: a hot lead went straight to its team."""
    passed = (station.event.step for chapter in recalled.chapters for station in chapter.stations)
    return Bidding not in case and Solicit.name in passed


def _are_stale(bidding: Bidding | None, declined: Declined, now: datetime) -> bool:
    """Whether those who had bid and have not declined since are held to their bids no more."""
    items = bidding.items if bidding is not None else ()
    bids = [item for item in items if isinstance(item, BidHeard) and item.buyer_id not in declined.buyers]
    return bool(bids) and all(bid.expires_at <= now for bid in bids)


async def _walk(tx: Tx, kit: Kit, walk: Walk, walker: Walker, start: str, now: datetime) -> None:
    names = [step.name for step in walk.alone]
    if start not in names:
        await walk_together(tx, [walker], walk, kit.ears, now, start)
        return
    if walker.going:
        await walk_alone(walker, walk.alone[names.index(start) :], kit)
    await walk_together(tx, [walker], walk, kit.ears, now)


def _next_station(recalled: Recalled, walk: Walk) -> str:
    """Where a lead that waits goes on: behind the station that holds it; at the station itself where that broke, or
    behind the last that it is known to have passed, since what it learned in the same group is lost with the group."""
    names = [step.name for step in (*walk.alone, *walk.together)]
    taken = [station.event for chapter in recalled.chapters for station in chapter.stations]
    waits = [event for event in taken if event.verdict != "pass"]
    if not waits:
        return names[-1]
    last = waits[-1]
    if last.because is None or last.because.code != FAILED.code:
        return names[min(names.index(last.step) + 1, len(names) - 1)]
    seen = {event.step for event in taken if event.because is None or event.because.code != FAILED.code}
    # Stations with nothing to say leave no trace, so only the last one seen tells how far it came.
    passed = max((number for number, name in enumerate(names) if name in seen), default=-1)
    at = names.index(last.step) if last.step in names else len(names) - 1
    return names[min(at, passed + 1)]

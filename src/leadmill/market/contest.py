"""One auction: what each fitting order can pay for one lead, why the others cannot, and how it is told.

Made by the step ``Allocate`` for every lead. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from leadmill.capture import Lead
from leadmill.consent import Proof
from leadmill.core.case import Case
from leadmill.core.hours import Schedule, is_open, local_words
from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.market.again import OfferedAgain
from leadmill.market.allocation.bestuse import best_use, hoped
from leadmill.market.allocation.scarce import Allotment
from leadmill.market.model import (
    CLOSED,
    HOT,
    NEEDS_BID,
    NONE_CLEARED,
    NOT_CLEARED,
    OTHER_TEAM,
    OUTBID,
    UNSOLD,
    Assignment,
    Auction,
    Considered,
    Headroom,
    Room,
    Sale,
)
from leadmill.market.orderbook.lines import Desk, Line
from leadmill.market.orderbook.pricing import HouseTerms, Quote, Tariff, quote
from leadmill.market.orderbook.small import Others
from leadmill.market.papers import Papers
from leadmill.market.rules import (
    Bid,
    Choice,
    admit,
    assign,
    bid_of,
    heard_bid,
    over_cap,
    pick_desk,
    price_words,
)
from leadmill.market.telling import beaten_by, too_thin, won_by
from leadmill.market.tenders.tender import Bidding
from leadmill.market.terms import UNNAMED
from leadmill.policy import Clearance, clear_recipient, is_named


class Hours:
    """Which schedules are open in one minute, found out once for all leads of it."""

    __slots__ = ("_known", "_now", "minute")

    def __init__(self, now: datetime, minute: int) -> None:
        self.minute = minute
        self._now = now
        self._known: dict[int, tuple[Schedule, bool]] = {}

    def is_open(self, schedule: Schedule) -> bool:
        found = self._known.get(id(schedule))
        if found is None:
            # The schedule is kept beside the answer, so that its address stays its own.
            found = self._known[id(schedule)] = (schedule, is_open(schedule, self._now))
        return found[1]


class Match:
    """The orders of a vertical against one lead: those refused already, and those to be judged."""

    __slots__ = ("ask", "case", "fitting", "heard", "others", "refused", "test", "values")

    def __init__(self, case: Case, values: Mapping[str, Any]) -> None:
        self.case = case
        self.values = values
        self.refused: list[Considered] = []
        self.fitting: list[Line] = []
        self.others: Others | None = None
        bidding = case.get(Bidding)
        self.heard = bidding.by_order() if bidding is not None else {}
        self.test = case[Lead].test
        self.ask: Headroom | None = None


def _calls_back(line: Line) -> bool:
    """Whether the order takes leads to call them; who is on the line has called by himself."""
    return line.order.call is not None and not line.order.call.live


def _unheard(one: Considered) -> bool:
    """Whether an order was refused for want of a bid."""
    return one.refused is not None and one.refused.code == NEEDS_BID.code


class Contest:
    """One auction: what each fitting order can pay, and why the others cannot."""

    def __init__(
        self,
        match: Match,
        clearance: Clearance,
        room: Room,
        now: datetime,
        hours: Hours,
        terms: HouseTerms | None = None,
    ) -> None:
        self.clearance = clearance
        self._room = room
        self._terms = terms
        self._now = now
        self._refused = match.refused[:]
        self._values = match.values
        self._cleared = False
        self._worths = room.worths
        self._barred: Because | None = None
        self._recipients: dict[str, Because | None] = {}
        self.bids: list[Bid] = []
        self._teams: list[Line] = []
        self._lesser: dict[str, Because] = {}
        """Why teams leave a lead to its sale, by order."""
        self._proof = match.case.get(Proof)
        bids, refused, bars, heard = self.bids, self._refused, self._bars, match.heard
        again = match.case.get(OfferedAgain)
        lower = self._lower = again.lower if again is not None else None
        by_consent = terms is not None and terms.consent_list
        papers: Papers | None = None
        uncallable = clearance.channels.get("call")
        for line in match.fitting:
            if line.timed and (late := self._late(line)) is not None:
                refused.append(late)
                continue
            if line.requires:
                papers = papers or Papers(match.case, now)
                if (lacking := papers.lacks(line)) is not None:
                    refused.append(line.refuse(lacking))
                    continue
            barred = bars(line) or (uncallable if _calls_back(line) else None)
            if barred is not None:
                refused.append(line.refuse(because(NOT_CLEARED, code=barred.code, says=barred.message)))
                continue
            self._cleared = True
            if (line.order.silent or by_consent) and (unnamed := self._unnamed(line)) is not None:
                refused.append(line.refuse(unnamed))
                continue
            schedule = line.order.schedule
            if schedule is not None and not hours.is_open(schedule):
                shown = local_words(schedule.tz, now)
                refused.append(line.refuse(because(CLOSED, local=shown, tz=schedule.tz)))
            elif line.order.team is not None:
                full = over_cap(line, room.used[line.order.id], 0) if line.caps else None
                if full is not None:
                    refused.append(line.refuse(full))
                else:
                    self._teams.append(line)
            else:
                if line.order.ping is not None:
                    bid = heard_bid(line, room, heard.get(line.order.id), match.test, now)
                else:
                    bid = bid_of(line, room, self._quoted(line) if line.tariff is not None or lower else None)
                if isinstance(bid, Bid) and terms is not None:
                    bid = admit(bid, terms)
                if line.by_win and isinstance(bid, Bid):
                    bid = hoped(bid, room.worths)
                if isinstance(bid, Bid):
                    bids.append(bid)
                else:
                    refused.append(line.refuse(bid))

    def _unnamed(self, line: Line) -> Because | None:
        """Why a lead that goes only to those its consent names does not go to this one."""
        if line.party is None or is_named(self._proof, line.party):
            return None
        return because(UNNAMED, who="the order" if line.order.silent else "this market")

    def _quoted(self, line: Line) -> Quote:
        """What an order whose price moves would pay for this lead."""
        tariff = line.tariff or Tariff(line.order, line.exclusive, line.shared)
        return quote(tariff, self._values, self._now, self._room.used.get(line.order.id, ()), self._lower)

    def _late(self, line: Line) -> Considered | None:
        for check, told in line.timed:
            if not check(self._values, self._now):
                return told
        return None

    def _bars(self, line: Line) -> Because | None:
        name = line.order.recipient
        known = self._recipients
        if name in known:
            return known[name]
        # A line without a party is refused before it fits any lead.
        why = clear_recipient(self.clearance, line.party, self._now) if line.party is not None else None
        known[name] = why
        if why is not None and self._barred is None:
            self._barred = why
        return why

    def claim(self, lead_id: str) -> Assignment | None:
        """The team that takes a lead too hot to be sold, if any; who would have bought it is refused."""
        outcome = self.keep_in_house(lead_id)
        if outcome is not None:
            hot = because(HOT, winner=outcome.team)
            unheard = [replace(one, refused=hot) if _unheard(one) else one for one in self._refused]
            self._refused = [*[bid.refuse(hot) for bid in self.bids], *unheard]
            self.bids = []
        return outcome

    def claim_best(self, lead_id: str, worth: float) -> Assignment | None:
        """The team that is expected to make more of a lead than the ``worth`` of its sale (minor units), if any that
        says what a won lead is worth; who would have bought it is refused. One that makes less of it is told so."""
        found: tuple[float, Line, Desk, Because] | None = None
        for line in self._teams:
            use = best_use(line, self._worths, worth)
            desk = pick_desk(line, self._values, self._room, self._now) if use is not None else None
            if use is None or not isinstance(desk, Desk):
                continue
            if use.worth <= worth:
                self._lesser[line.order.id] = use.sold
            elif found is None or use.worth > found[0]:
                found = use.worth, line, desk, use.kept
        if found is None:
            return None
        _, line, desk, why = found
        self._refused[:0] = [bid.refuse(why) for bid in self.bids]
        self.bids = []
        return assign(self.clearance, lead_id, line, desk, self._now)

    def keep_in_house(self, lead_id: str) -> Assignment | None:
        """The team that takes the lead, if any; the others are refused."""
        best: tuple[tuple[int, int, str], Line, Desk] | None = None
        teams, self._teams = self._teams, []
        for line in teams:
            desk = pick_desk(line, self._values, self._room, self._now)
            if not isinstance(desk, Desk):
                self._refused.append(line.refuse(desk))
                continue
            self._teams.append(line)
            rank = (line.order.priority, self._room.reps.get(desk.name, 0), line.order.id)
            if best is None or rank < best[0]:
                best = (rank, line, desk)
        return assign(self.clearance, lead_id, best[1], best[2], self._now) if best is not None else None

    def tell(
        self,
        choice: Choice | None,
        outcome: Sale | Assignment | None,
        dry: bool,
        allotment: Allotment | None = None,
    ) -> Auction:
        """The auction as evidence: winners, then who was beaten, best first, then the rest."""
        names: dict[str, str] = {}
        considered: list[Considered] = []
        winners: tuple[str, ...] = ()
        if choice is not None:
            won = choice.winners
            winners = tuple([bid.line.order.id for bid in won])
            for item, name in (
                *won_by(choice),
                *beaten_by(choice, self.bids, allotment.why if allotment is not None else {}),
            ):
                considered.append(item)
                names[item.recipient] = name
            top = because(OUTBID, winner=won[0].line.name, price=price_words(choice.value, won[0].line.order.currency))
            considered += [line.refuse(self._lesser.get(line.order.id, top)) for line in self._teams]
        elif allotment is not None:
            considered += [bid.refuse(allotment.why[bid.line.order.id]) for bid in self.bids]
            names |= {bid.line.order.recipient: bid.line.name for bid in self.bids}
        elif self._terms is not None:
            for item, name in too_thin(self.bids, self._terms):
                considered.append(item)
                names[item.recipient] = name
        if choice is None and isinstance(outcome, Assignment):
            winners = (outcome.order_id,)
            refused = {item.order_id for item in self._refused}
            for line in self._teams:
                if line.order.id == outcome.order_id:
                    considered.insert(0, line.considered)
                    names[outcome.team] = line.name
                elif line.order.id not in refused:
                    considered.append(line.refuse(because(OTHER_TEAM, winner=outcome.team)))
        return Auction(
            considered=tuple(considered + self._refused),
            winners=winners,
            mode=choice.mode if choice is not None else None,
            value=Money(choice.value, choice.winners[0].line.order.currency) if choice is not None else None,
            dry=dry,
            names=names,
            ranked=choice.ranked if choice is not None else None,
            weighed=allotment.weighed if allotment is not None else (),
        )

    def nobody(self, considered: int) -> Because:
        """Why the lead goes to nobody: the rules allow none of those who want it, or none wants it now."""
        if self._barred is not None and not self._cleared:
            return because(
                NONE_CLEARED, considered=len(self._recipients), code=self._barred.code, says=self._barred.message
            )
        return because(UNSOLD, considered=considered)

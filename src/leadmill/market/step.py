"""The market's station on the walk: every order is asked, the best that can take the lead gets it.

Built from the orders and the roster in force, run in the shared stretch after ``policy``. It asks for the headroom of
the orders whose conditions hold, and always leaves an :class:`Auction` that names each order with the reason it did
not get the lead.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.hours import Schedule, is_open, local_words
from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Pass, Stop, Verdict
from leadmill.market.board import Boards, Others, brief
from leadmill.market.honour import honour
from leadmill.market.lines import Line
from leadmill.market.model import (
    CLOSED,
    EXCLUDED,
    KNOWN,
    MIN_SCORE,
    MODE,
    NO_REP_FOR_ZIP,
    NONE_CLEARED,
    NOT_CLEARED,
    OTHER_TEAM,
    OUTBID,
    PREVIOUSLY_REJECTED,
    REP_CAPACITY,
    SAME_BUYER_LEG,
    TEST,
    UNSOLD,
    Assignment,
    Auction,
    Considered,
    Declined,
    Headroom,
    Mode,
    Order,
    Room,
    Sale,
    Wanted,
)
from leadmill.market.quotes import Quoted
from leadmill.market.rules import Bid, Choice, assign, bid_of, choose, heard_bid, over_cap, pick_desk, price_words, sell
from leadmill.market.scarce import Allotment, allot, scarcity_of
from leadmill.market.tally import EPOCH
from leadmill.market.tender import Bidding
from leadmill.overlap import Overlap
from leadmill.parties import Roster
from leadmill.policy import Clearance, clear_recipient
from leadmill.scoring import Score, seen

_KEPT = 1000
"""How many leads may stand between ``wants`` and ``judge`` before the oldest must be matched again."""


class _Hours:
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


class _Match:
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


class Allocate:
    """Sells a cleared lead, assigns it in-house, or says why nobody takes it."""

    name = "market"

    def __init__(
        self,
        orders: Mapping[str, Order],
        roster: Roster,
        currencies: Mapping[str, str] | None = None,
        earlier: "Allocate | None" = None,
    ) -> None:
        before = earlier._boards if earlier is not None else None
        self._boards: Boards = Boards(orders, roster, currencies, before)
        self._kept: dict[str, _Match] = {}
        self._hours = _Hours(EPOCH, 0)
        self._whole = False

    @property
    def wanted(self) -> list[Wanted]:
        """What every order needs to know of its limits; a simulated book is made from it."""
        return [line.wanted for board in self._boards.values() for line in board.lines]

    def limits_of(self, vertical: str) -> Headroom | None:
        """What one asks to have every limit of a vertical locked at once, before any of them is touched."""
        board = self._boards.get(vertical)
        lines = board.lines if board is not None else ()
        limited = tuple([line.wanted for line in lines if line.wanted.limited])
        return Headroom(limited) if limited else None

    def wants(self, case: Case) -> Sequence[Ask]:
        """The headroom of the orders whose conditions hold."""
        match = self._match(case)
        limited = tuple([line.wanted for line in match.fitting if line.wanted.limited])
        holds: tuple[str, ...] = ()
        quoted = case.get(Quoted)
        if quoted is not None:
            limited, holds = self._with_holds(case, quoted, limited)
        if len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[case.lead_id] = match
        if not limited:
            return ()
        return (Headroom(limited, holds, scarcity_of(match.fitting, case)),)

    def _with_holds(
        self, case: Case, quoted: Quoted, limited: tuple[Wanted, ...]
    ) -> tuple[tuple[Wanted, ...], tuple[str, ...]]:
        """The limits that matter to a lead that was quoted before, and the room that is held for it: of orders that
        turn out not to want it as well, so that their room is let go."""
        board = self._boards.get(case[Lead].vertical)
        known = {wanted.order_id for wanted in limited}
        lines = [board.find(leg.order_id) for leg in quoted.quote.legs] if board is not None else []
        more = [line.wanted for line in lines if line is not None and line.wanted.limited]
        return limited + tuple([each for each in more if each.order_id not in known]), quoted.quote.holds

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with a Sale or an Assignment, or Stop with the reason that nobody takes it."""
        match = self._kept.pop(case.lead_id, None)
        if match is None or match.case is not case:
            match = self._match(case)
        room = next((answer for answer in heard.values() if isinstance(answer, Room)), None) or Room(now)
        lead = case[Lead]
        minute = int(now.timestamp()) // 60
        if minute != self._hours.minute:
            self._hours = _Hours(now, minute)
        auction = _Hearing(match, case[Clearance], room, now, self._hours)
        quoted = case.get(Quoted)
        allotment = allot(auction.bids, room, case) if quoted is None else None
        if quoted is not None:
            kept = honour(quoted.quote, auction.bids, choose)
        else:
            kept = allotment.choice if allotment is not None else choose(auction.bids)
        choice = kept if isinstance(kept, Choice) else None
        outcome: Sale | Assignment | None = None
        if choice is not None:
            outcome = sell(auction.clearance, lead.id, choice, now)
        elif quoted is None:  # what a price was promised for is sold or comes back
            outcome = auction.keep_in_house(lead.id)
        told = auction.tell(choice, outcome, lead.test, allotment)
        if not self._whole:
            told = brief(told, match.others)
        if lead.test:
            return Stop(because(TEST), (told,))
        if outcome is not None:
            return Pass((told, outcome))
        return Stop(kept if isinstance(kept, Because) else auction.nobody(told.size), (told,))

    def tell_of(self, order_id: str, case: Case, heard: Heard, now: datetime) -> Considered | None:
        """Why one order did not get a lead, asked again of the conditions themselves, whatever the auction recorded;
        None where no order of the lead's vertical has this id."""
        board = self._boards.get(case[Lead].vertical)
        line = board.find(order_id) if board is not None else None
        if line is None:
            return None
        again = copy(self)
        again._kept, again._whole = {}, True
        for item in again.judge(case, heard, now).learned:
            for each in item.considered if isinstance(item, Auction) else ():
                if each.order_id == order_id:
                    return each
        score = case.get(Score)
        return line.refused_by(seen(case).values, score.points if score is not None else None)

    def _match(self, case: Case) -> _Match:
        values = seen(case).values
        match = _Match(case, values)
        score = case.get(Score)
        points = score.points if score is not None else None
        declined = case.get(Declined)
        gone = declined.buyers if declined is not None else ()
        overlap = case.get(Overlap)
        fitting = match.fitting
        board = self._boards.get(case[Lead].vertical)
        if board is None:
            return match
        sorted_out, left, match.others = board.sort(values, points)
        refused = match.refused = list(sorted_out)
        for line, conditions in left:
            for check, told in conditions:
                if not check(values, EPOCH):
                    refused.append(told)
                    break
            else:
                order = line.order
                if order.min_score is not None and (points is None or points < order.min_score):
                    shown = points if points is not None else "none"
                    refused.append(line.refuse(because(MIN_SCORE, min_score=order.min_score, score=shown)))
                elif order.recipient in gone:
                    refused.append(line.refuse(because(PREVIOUSLY_REJECTED)))
                elif overlap is not None and (why := _apart(overlap, order.recipient)) is not None:
                    refused.append(line.refuse(why))
                else:
                    fitting.append(line)
        return match


def _apart(overlap: Overlap, recipient: str) -> Because | None:
    """Why a lead is kept from a recipient whatever it would pay: it has the person, or the publisher does not wish
    it."""
    if recipient in overlap.known:
        return because(KNOWN, by=overlap.known[recipient])
    return because(EXCLUDED, how=overlap.excluded[recipient]) if recipient in overlap.excluded else None


class _Hearing:
    """One auction: what each fitting order can pay, and why the others cannot."""

    def __init__(self, match: _Match, clearance: Clearance, room: Room, now: datetime, hours: _Hours) -> None:
        self.clearance = clearance
        self._room = room
        self._now = now
        self._refused = match.refused[:]
        self._values = match.values
        self._cleared = False
        self._barred: Because | None = None
        self._recipients: dict[str, Because | None] = {}
        self.bids: list[Bid] = []
        self._teams: list[Line] = []
        bids, refused, bars, heard = self.bids, self._refused, self._bars, match.heard
        for line in match.fitting:
            if line.timed and (late := self._late(line)) is not None:
                refused.append(late)
                continue
            barred = bars(line)
            if barred is not None:
                refused.append(line.refuse(because(NOT_CLEARED, code=barred.code, says=barred.message)))
                continue
            self._cleared = True
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
                asked = line.order.ping is not None
                bid = heard_bid(line, room, heard.get(line.order.id), match.test, now) if asked else bid_of(line, room)
                if isinstance(bid, Bid):
                    bids.append(bid)
                else:
                    refused.append(line.refuse(bid))

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

    def keep_in_house(self, lead_id: str) -> Assignment | None:
        """The team that takes the lead, if any; the others are refused."""
        zip_code = self._values.get("zip")
        best: tuple[tuple[int, int, str], Line, Any] | None = None
        for line in self._teams:
            desk, working = pick_desk(line, zip_code if isinstance(zip_code, str) else "", self._room)
            if desk is None:
                total = sum(each.capacity or 0 for each in working)
                why = because(REP_CAPACITY, capacity=total) if working else because(NO_REP_FOR_ZIP)
                self._refused.append(line.refuse(why))
                continue
            rank = (line.order.priority, self._room.reps.get(desk.name, 0), line.order.id)
            if best is None or rank < best[0]:
                best = (rank, line, desk)
        return assign(self.clearance, lead_id, best[1], best[2], self._now) if best is not None else None

    def tell(
        self,
        choice: Choice | None,
        outcome: Sale | Assignment | None,
        dry: bool,
        allotment: Allotment | None,
    ) -> Auction:
        """The auction as evidence: winners, then who was beaten, best first, then the rest."""
        names: dict[str, str] = {}
        considered: list[Considered] = []
        winners: tuple[str, ...] = ()
        if choice is not None:
            won = choice.winners
            winners = tuple([bid.line.order.id for bid in won])
            for bid in won:
                considered.append(bid.considered)
                names[bid.line.order.recipient] = bid.line.name
            for item, name in self._beaten(choice, allotment):
                considered.append(item)
                names[item.recipient] = name
            top = because(OUTBID, winner=won[0].line.name, price=price_words(choice.value, won[0].line.order.currency))
            considered += [line.refuse(top) for line in self._teams]
        elif allotment is not None:
            considered += [bid.refuse(allotment.why[bid.line.order.id]) for bid in self.bids]
            names |= {bid.line.order.recipient: bid.line.name for bid in self.bids}
        if isinstance(outcome, Assignment):
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
            weighed=allotment.weighed if allotment is not None else (),
        )

    def _beaten(self, choice: Choice, allotment: Allotment | None) -> list[tuple[Considered, str]]:
        won = choice.winners
        currency = won[0].line.order.currency
        exclusive = choice.mode is Mode.EXCLUSIVE
        holders = {bid.line.order.recipient: bid.line.order.id for bid in won}
        lowest = won[-1]
        price = price_words((lowest.exclusive if exclusive else lowest.shared) or 0, currency)
        outbid = because(OUTBID, winner=lowest.line.name, price=price)
        mode = because(MODE, sold=choice.mode.value, value=price_words(choice.value, currency))
        lost = [bid for bid in self.bids if bid not in won]
        lost.sort(key=lambda bid: bid.rank(bid.exclusive if bid.exclusive is not None else bid.shared or 0))
        told: list[tuple[Considered, str]] = []
        for bid in lost:
            if allotment is not None:
                why = allotment.why[bid.line.order.id]
            elif (bid.exclusive if exclusive else bid.shared) is None:
                why = mode
            elif not exclusive and bid.line.order.recipient in holders:
                why = because(SAME_BUYER_LEG, order=holders[bid.line.order.recipient])
            else:
                why = outbid
            told.append((bid.refuse(why), bid.line.name))
        return told

    def nobody(self, considered: int) -> Because:
        """Why the lead goes to nobody: the rules allow none of those who want it, or none wants it now."""
        if self._barred is not None and not self._cleared:
            return because(
                NONE_CLEARED, considered=len(self._recipients), code=self._barred.code, says=self._barred.message
            )
        return because(UNSOLD, considered=considered)

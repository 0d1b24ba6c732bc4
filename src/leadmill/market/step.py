"""The market's station on the walk: every order is asked, the best that can take the lead gets it.

Built from the orders and the roster in force, run in the shared stretch after ``policy``. It asks for the headroom of
the orders whose conditions hold, and always leaves an :class:`Auction` that names each order with the reason it did
not get the lead.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Pass, Stop, Verdict
from leadmill.market.model import (
    CLOSED,
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
from leadmill.market.rules import Bid, Choice, Line, assign, bid_of, choose, make_lines, over_cap, pick_desk, sell
from leadmill.market.tally import EPOCH
from leadmill.market.windows import is_open, local_words
from leadmill.parties import Buyer, Roster, Team
from leadmill.policy import Clearance, clear_recipient
from leadmill.scoring import Score, seen

_KEPT = 1000
"""How many leads may stand between ``wants`` and ``judge`` before the oldest must be matched again."""


class _Match:
    """The orders of a vertical against one lead: those refused already, and those to be judged."""

    __slots__ = ("ask", "case", "fitting", "refused", "values")

    def __init__(self, case: Case, values: Mapping[str, Any]) -> None:
        self.case = case
        self.values = values
        self.refused: list[Considered] = []
        self.fitting: list[Line] = []
        self.ask: Headroom | None = None


class Allocate:
    """Sells a cleared lead, assigns it in-house, or says why nobody takes it."""

    name = "market"

    def __init__(
        self, orders: Mapping[str, Order], roster: Roster, currencies: Mapping[str, str] | None = None
    ) -> None:
        self._lines = make_lines(orders, roster, currencies)
        self._kept: dict[str, _Match] = {}

    @property
    def wanted(self) -> list[Wanted]:
        """What every order needs to know of its limits; a simulated book is made from it."""
        return [line.wanted for lines in self._lines.values() for line in lines]

    def wants(self, case: Case) -> Sequence[Ask]:
        """The headroom of the orders whose conditions hold."""
        match = self._match(case)
        limited = tuple([line.wanted for line in match.fitting if line.wanted.limited])
        if len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[case.lead_id] = match
        if not limited:
            return ()
        return (Headroom(limited),)

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with a Sale or an Assignment, or Stop with the reason that nobody takes it."""
        match = self._kept.pop(case.lead_id, None)
        if match is None or match.case is not case:
            match = self._match(case)
        room = next((answer for answer in heard.values() if isinstance(answer, Room)), None) or Room(now)
        lead = case[Lead]
        auction = _Hearing(match, case[Clearance], room, now)
        choice = choose(auction.bids)
        outcome: Sale | Assignment | None = None
        if choice is not None:
            outcome = sell(auction.clearance, lead.id, choice, now)
        else:
            outcome = auction.keep_in_house(lead.id)
        told = auction.tell(choice, outcome, lead.test)
        if lead.test:
            return Stop(because(TEST), (told,))
        if outcome is not None:
            return Pass((told, outcome))
        return Stop(auction.nobody(len(told.considered)), (told,))

    def _match(self, case: Case) -> _Match:
        values = seen(case).values
        match = _Match(case, values)
        score = case.get(Score)
        points = score.points if score is not None else None
        declined = case.get(Declined)
        gone = declined.buyers if declined is not None else ()
        refused, fitting = match.refused, match.fitting
        for line in self._lines.get(case[Lead].vertical, ()):
            if line.fixed is not None:
                refused.append(line.fixed)
                continue
            for check, told in line.steady:
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
                else:
                    fitting.append(line)
        return match


class _Hearing:
    """One auction: what each fitting order can pay, and why the others cannot."""

    def __init__(self, match: _Match, clearance: Clearance, room: Room, now: datetime) -> None:
        self.clearance = clearance
        self._room = room
        self._now = now
        self._refused = match.refused[:]
        self._values = match.values
        self._cleared = False
        self._barred: Because | None = None
        self.bids: list[Bid] = []
        self._teams: list[Line] = []
        self._recipients: dict[str, Because | None] = {}
        for line in match.fitting:
            why = self._ask(line)
            if why is not None:
                self._refused.append(why)

    def _ask(self, line: Line) -> Considered | None:
        now, order, party = self._now, line.order, line.party
        for check, told in line.timed:
            if not check(self._values, now):
                return told
        if party is None:
            return line.fixed
        barred = self._bars(party)
        if barred is not None:
            return line.refuse(because(NOT_CLEARED, code=barred.code, says=barred.message))
        self._cleared = True
        if order.schedule is not None and not is_open(order.schedule, now):
            tz = order.schedule.tz
            return line.refuse(because(CLOSED, local=local_words(tz, now), tz=tz))
        if order.team is not None:
            full = over_cap(line, self._room.used[order.id], 0) if line.caps else None
            if full is None:
                self._teams.append(line)
            return line.refuse(full) if full is not None else None
        bid = bid_of(line, self._room)
        if isinstance(bid, Because):
            return line.refuse(bid)
        self.bids.append(bid)
        return None

    def _bars(self, party: Buyer | Team) -> Because | None:
        try:
            return self._recipients[party.id]
        except KeyError:
            why = self._recipients[party.id] = clear_recipient(self.clearance, party, self._now)
            self._barred = self._barred or why
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

    def tell(self, choice: Choice | None, outcome: Sale | Assignment | None, dry: bool) -> Auction:
        """The auction as evidence: winners, then who was beaten, best first, then the rest."""
        names: dict[str, str] = {}
        considered: list[Considered] = []
        winners: tuple[str, ...] = ()
        if choice is not None:
            won = choice.winners
            winners = tuple([bid.line.order.id for bid in won])
            for bid in won:
                considered.append(bid.line.considered)
                names[bid.line.order.recipient] = bid.line.name
            for item, name in self._beaten(choice):
                considered.append(item)
                names[item.recipient] = name
            top = because(OUTBID, winner=won[0].line.name, price=str(Money(choice.value, won[0].line.order.currency)))
            considered += [line.refuse(top) for line in self._teams]
        elif isinstance(outcome, Assignment):
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
        )

    def _beaten(self, choice: Choice) -> list[tuple[Considered, str]]:
        won = choice.winners
        currency = won[0].line.order.currency
        exclusive = choice.mode is Mode.EXCLUSIVE
        holders = {bid.line.order.recipient: bid.line.order.id for bid in won}
        lowest = won[-1]
        price = Money((lowest.exclusive if exclusive else lowest.shared) or 0, currency)
        outbid = because(OUTBID, winner=lowest.line.name, price=str(price))
        mode = because(MODE, sold=choice.mode.value, value=str(Money(choice.value, currency)))
        lost = [bid for bid in self.bids if bid not in won]
        lost.sort(key=lambda bid: bid.rank(bid.exclusive if bid.exclusive is not None else bid.shared or 0))
        told: list[tuple[Considered, str]] = []
        for bid in lost:
            if (bid.exclusive if exclusive else bid.shared) is None:
                why = mode
            elif not exclusive and bid.line.order.recipient in holders:
                why = because(SAME_BUYER_LEG, order=holders[bid.line.order.recipient])
            else:
                why = outbid
            told.append((bid.line.refuse(why), bid.line.name))
        return told

    def nobody(self, considered: int) -> Because:
        """Why the lead goes to nobody: the rules allow none of those who want it, or none wants it now."""
        if self._barred is not None and not self._cleared:
            return because(
                NONE_CLEARED, considered=len(self._recipients), code=self._barred.code, says=self._barred.message
            )
        return because(UNSOLD, considered=considered)

"""The market's station on the walk: every order is asked, the best that can take the lead gets it.

Built from the orders and the roster in force, run in the shared stretch after ``policy``. It asks for the headroom of
the orders whose conditions hold, and always leaves an :class:`Auction` that names each order with the reason it did
not get the lead.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Pass, Stop, Verdict
from leadmill.market.again import OfferedAgain
from leadmill.market.allocation.bestuse import by_expectation, sale_worth
from leadmill.market.allocation.scarce import allot, scarcity_of
from leadmill.market.bidding.honour import honour
from leadmill.market.bidding.quotes import Quoted, astray, on_the_line
from leadmill.market.contest import Contest, Hours, Match
from leadmill.market.model import (
    EXCLUDED,
    KNOWN,
    MIN_SCORE,
    PREVIOUSLY_REJECTED,
    TEST,
    Assignment,
    Auction,
    Considered,
    Declined,
    Headroom,
    Order,
    Room,
    Sale,
    Wanted,
)
from leadmill.market.modes import House
from leadmill.market.orderbook.board import Boards, brief
from leadmill.market.orderbook.lines import Line
from leadmill.market.orderbook.pricing import HouseTerms, terms_of
from leadmill.market.rules import Choice, Ranking, charged, choose, sell
from leadmill.market.telling import too_little
from leadmill.market.windows import EPOCH
from leadmill.overlap import Overlap
from leadmill.parties import Roster
from leadmill.policy import Clearance
from leadmill.scoring import Score, seen

_KEPT = 1000
"""How many leads may stand between ``wants`` and ``judge`` before the oldest must be matched again."""


class Allocate:
    """Sells a cleared lead, assigns it in-house, or says why nobody takes it."""

    name = "market"

    def __init__(
        self,
        orders: Mapping[str, Order],
        roster: Roster,
        currencies: Mapping[str, str] | None = None,
        earlier: "Allocate | None" = None,
        house: House | None = None,
    ) -> None:
        self._house = house or House()
        self._roster = roster
        self._currencies = dict(currencies or {})
        self._asked: dict[tuple[str, str], HouseTerms | None] = {}
        """What the house asks of a sale, by vertical and source; None where it asks nothing."""
        before = earlier._boards if earlier is not None else None
        self._boards: Boards = Boards(orders, roster, currencies, before, turning=self._house.turning)
        self._kept: dict[str, Match] = {}
        self._hours = Hours(EPOCH, 0)
        self._whole = False

    @property
    def lines(self) -> list[Line]:
        """Every order, ready to be asked."""
        return [line for board in self._boards.values() for line in board.lines]

    @property
    def wanted(self) -> list[Wanted]:
        """What every order needs to know of its limits; a simulated book is made from it."""
        return [line.wanted for board in self._boards.values() for line in board.lines]

    def limits_for(self, vertical: str, case: Case | None, sold: Collection[str] = ()) -> Headroom | None:
        """What one asks to have every limit locked at once that a lead's further walk may need, before any of them is
        touched: of the orders whose conditions it meets, whoever may have it by then, and of those it was ``sold``
        to. Without a ``case`` it walks no further."""
        board = self._boards.get(vertical)
        if board is None:
            return None
        score = case.get(Score) if case is not None else None
        values, points = seen(case).values if case is not None else {}, score.points if score is not None else None
        lines = {line.order.id: line for order_id in sold if (line := board.find(order_id)) is not None}
        for line, conditions in board.sort(values, points)[1] if case is not None else ():
            if line.below(points) is None and all(check(values, EPOCH) for check, _ in conditions):
                lines[line.order.id] = line
        limited = tuple([line.wanted for line in lines.values() if line.wanted.limited])
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
        if not limited and not any(line.hopes for line in match.fitting):
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
            self._hours = Hours(now, minute)
        terms, ranking = self._terms(lead), self._ranking(lead, match.values, room, now)
        auction = Contest(match, case[Clearance], room, now, self._hours, terms)
        again = case.get(OfferedAgain)
        if again is not None:
            auction.bids = list(again.beside(auction.bids))
        quoted = case.get(Quoted)
        allotment = allot(auction.bids, room, case) if quoted is None and ranking is None else None
        if allotment is not None and terms is not None and too_little(allotment.choice, terms):
            allotment = None
        if quoted is not None:
            kept = honour(quoted.quote, auction.bids, lambda bids: choose(bids, terms, ranking))
        elif allotment is not None:
            kept = charged(allotment.choice, auction.bids, terms)
        else:
            kept = choose(auction.bids, terms, ranking or by_expectation(room.worths))
        choice = kept if isinstance(kept, Choice) else None
        if again is not None:
            choice = again.one_leg(choice)
        # What a price was promised for, or a buyer has already, is not taken for the house.
        hot = _is_hot(case) and quoted is None and again is None
        outcome: Sale | Assignment | None = auction.claim(lead.id) if hot else None
        if outcome is None and choice is not None and quoted is None and again is None and ranking is None:
            worth = allotment.worth if allotment is not None else sale_worth(choice, room.worths)
            outcome = auction.claim_best(lead.id, worth)
        if outcome is not None:
            choice = allotment = None
        elif choice is not None:
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

    def _terms(self, lead: Lead) -> HouseTerms | None:
        key = (lead.vertical, lead.source_id)
        if key not in self._asked:
            source = self._roster.sources.get(lead.source_id)
            currency = self._currencies.get(lead.vertical, "USD")
            self._asked[key] = terms_of(self._house.markets.get(lead.vertical), source, currency)
        return self._asked[key]

    def _ranking(self, lead: Lead, values: Mapping[str, Any], room: Room, now: datetime) -> Ranking | None:
        manner = self._house.manners.get(lead.vertical)
        return manner.ranking(values, self._roster.sources.get(lead.source_id), room, now) if manner else None

    def _match(self, case: Case) -> Match:
        values = seen(case).values
        match = Match(case, values)
        score = case.get(Score)
        points = score.points if score is not None else None
        declined = case.get(Declined)
        gone = declined.buyers if declined is not None else ()
        overlap = case.get(Overlap)
        again = case.get(OfferedAgain)
        fitting, live = match.fitting, on_the_line(case, values)
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
                elif (lost := astray(order, live)) is not None:
                    refused.append(line.refuse(lost))
                elif order.recipient in gone:
                    refused.append(line.refuse(because(PREVIOUSLY_REJECTED)))
                elif overlap is not None and (why := _apart(overlap, order.recipient)) is not None:
                    refused.append(line.refuse(why))
                elif again is not None and (full := again.refuses(order)) is not None:
                    refused.append(line.refuse(full))
                else:
                    fitting.append(line)
        return match


def _is_hot(case: Case) -> bool:
    """Whether the score says that the house's own sales team is to have the lead at once."""
    score = case.get(Score)
    return score is not None and score.path == "sales"


def _apart(overlap: Overlap, recipient: str) -> Because | None:
    """Why a lead is kept from a recipient whatever it would pay: it has the person, or the publisher does not wish
    it."""
    if recipient in overlap.known:
        return because(KNOWN, by=overlap.known[recipient])
    return because(EXCLUDED, how=overlap.excluded[recipient]) if recipient in overlap.excluded else None

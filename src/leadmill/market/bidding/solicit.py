"""The station ``bidding``: whose orders are asked for a bid before the market decides.

Stands between ``policy`` and ``market``. The first time it passes nobody was asked: it holds the lead with a
:class:`Tender` that says whom to ask, the runner commits, asks over the network, and walks the lead on from here with
what was heard. A lead that meets no order with a ping goes straight through, and so does a hot one that a team of the
house surely takes: nobody is asked for a price that cannot count.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.hours import is_open
from leadmill.core.predicates import Value
from leadmill.core.reasons import because
from leadmill.core.verdicts import ASIDE, Hold, Pass, Verdict
from leadmill.market.again import OfferedAgain
from leadmill.market.bidding.quotes import Quoted, astray, on_the_line
from leadmill.market.model import Declined, Order, Room
from leadmill.market.orderbook.board import Boards
from leadmill.market.orderbook.lines import Desk, Line
from leadmill.market.papers import Papers
from leadmill.market.rules import pick_desk
from leadmill.market.tenders.tender import BIDDING, Bidding, Bids, BidsAsk, Tender
from leadmill.market.windows import EPOCH
from leadmill.overlap import Overlap
from leadmill.parties import Roster
from leadmill.policy import Clearance, clear_recipient
from leadmill.scoring import Score, seen

_NOBODY: tuple[Ask, ...] = ()


class Solicit:
    """Asks for the bids of the orders that would take the lead if the price were right."""

    name = "bidding"

    def __init__(
        self,
        orders: Mapping[str, Order],
        roster: Roster,
        currencies: Mapping[str, str] | None = None,
        earlier: "Solicit | None" = None,
        by_consent: Collection[str] = (),
    ) -> None:
        """``by_consent`` are the verticals whose leads go only to those that their consent names."""
        self._by_consent = frozenset(by_consent)
        asked = {name: order for name, order in orders.items() if order.ping is not None and not order.retired}
        # Only the verticals in which anybody is asked.
        known = {name: (currencies or {}).get(name, "USD") for name in {order.vertical for order in asked.values()}}
        for name, order in orders.items():
            if order.team is not None and order.vertical in known and not order.retired:
                asked[name] = order
        self._boards: Boards = Boards(asked, roster, known, earlier._boards if earlier is not None else None)

    def wants(self, case: Case) -> Sequence[Ask]:
        """The bids of the orders whose conditions hold and whose buyers are cleared. A lead that follows a ping was
        bid on then, one that is offered again was refused by those who bid, and some may not be shown to anybody."""
        if Quoted in case or OfferedAgain in case or case[Clearance].pings is not None:
            return _NOBODY
        board = self._boards.get(case[Lead].vertical)
        if board is None:
            return _NOBODY
        orders = tuple([line.order.id for line in self._fitting(case)])
        return (BidsAsk(case.lead_id, orders),) if orders else _NOBODY

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Hold until bids are in; pass with them, or at once where nobody is asked."""
        quoted = case.get(Quoted)
        if quoted is not None and quoted.quote.bids:
            return Pass((Bidding(quoted.quote.bids),))
        if not heard:
            return ASIDE
        ask, answer = next(iter(heard.items()))
        if not isinstance(ask, BidsAsk) or not isinstance(answer, Bids):
            raise Permanent("market.bids.missing", "a question for bids was not answered with bids")
        if answer.asked:
            return Pass((Bidding(answer.items, answer.took_ms),))
        values = seen(case).values
        if self._is_ours(case, values, now):
            return Pass()  # no word of who was full: should the team give it back, all are asked
        wanted = frozenset(ask.orders).difference(item.order_id for item in answer.full)
        board, papers = self._boards[case[Lead].vertical], Papers(case, now)
        lines = [line for order_id in wanted if (line := board.find(order_id)) is not None]
        orders = sorted(
            line.order.id
            for line in lines
            if all(check(values, now) for check, _ in line.timed)
            and (not line.requires or papers.lacks(line) is None)
            and (line.order.schedule is None or is_open(line.order.schedule, now))
        )
        if not orders:
            return Pass((Bidding(answer.full),)) if answer.full else Pass()
        until = now + timedelta(milliseconds=answer.within_ms)
        return Hold(because(BIDDING), until, (Tender(tuple(orders), until, answer.full),))

    def _is_ours(self, case: Case, values: Mapping[str, Value], now: datetime) -> bool:
        """Whether a lead is for the house's own sales team at once, and a team takes it however full the day is: one
        with a rep on duty who has no capacity. Whether another has room is only known once the lead is allotted."""
        score, clearance, declined = case.get(Score), case[Clearance], case.get(Declined)
        if score is None or score.path != "sales" or case[Lead].vertical in self._by_consent:
            return False
        if declined is not None and declined.buyers:
            return False  # who had it gave it back: others are heard before it goes to nobody
        overlap, papers = case.get(Overlap), Papers(case, now)
        barred = (*overlap.known, *overlap.excluded) if overlap is not None else ()
        for line, conditions in self._boards[case[Lead].vertical].sort(values, score.points).left:
            order, party = line.order, line.party
            if order.team is None or party is None or line.caps or order.silent or order.recipient in barred:
                continue
            if line.below(score.points) is not None or not all(check(values, now) for check, _ in conditions):
                continue
            if not all(check(values, now) for check, _ in line.timed) or (line.requires and papers.lacks(line)):
                continue
            if order.schedule is not None and not is_open(order.schedule, now):
                continue
            full = {desk.name: desk.capacity for desk in line.desks if desk.capacity is not None}
            if clear_recipient(clearance, party, now) is None:
                desk = pick_desk(line, values, Room(now, reps=full), now)
                if isinstance(desk, Desk):
                    return True
        return False

    def _fitting(self, case: Case) -> list[Line]:
        lead, values = case[Lead], seen(case).values
        score = case.get(Score)
        points = score.points if score is not None else None
        cleared = frozenset(case[Clearance].cleared)
        declined, overlap = case.get(Declined), case.get(Overlap)
        gone = declined.buyers if declined is not None else ()
        live = on_the_line(case, values)
        found = []
        for line, conditions in self._boards[lead.vertical].sort(values, points).left:
            order, ping = line.order, line.order.ping
            if ping is None or order.recipient not in cleared or order.recipient in gone or astray(order, live):
                continue
            if lead.test and ping.test is None:
                continue
            if overlap is not None and (order.recipient in overlap.known or order.recipient in overlap.excluded):
                continue
            if line.below(points) is None and all(check(values, EPOCH) for check, _ in conditions):
                found.append(line)
        return found

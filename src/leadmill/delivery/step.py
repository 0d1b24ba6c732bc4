"""The station that plans who gets the lead handed over, and how.

Runs after the market, whatever the verdict; replayed by ``flow``. Plans only: attempts are made by jobs.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.ids import make_id
from leadmill.core.verdicts import Pass, Verdict
from leadmill.delivery.model import Dispatched, Planned
from leadmill.delivery.reading import NO_PROFILES, courier_of, takes_tests
from leadmill.market import Assignment, Auction, Bidding, BidHeard, Sale
from leadmill.parties import Buyer, Roster, Team
from leadmill.runtime.dialect import Profile


class Dispatch:
    """One delivery a leg of a sale, and one for a team that has its leads delivered. A recipient without a
    ``delivery`` reads its leads in the portal, and nothing is planned. Ids follow from the sale's: the same sale
    plans the same deliveries. ``inline`` are the orders whose buyers take leads while the source waits, ``calls``
    those that take calls, ``profiles`` what a delivery's dialect may name.

    A test has no sale. It is handed to the buyers who would have got it and say how tests are marked or where they go;
    a call is not, since the number it would be made to is the person's own."""

    name = "delivery"

    def __init__(
        self,
        roster: Roster,
        inline: Collection[str] = (),
        calls: Collection[str] = (),
        profiles: Mapping[str, Profile] = NO_PROFILES,
    ) -> None:
        self._inline = frozenset(inline)
        self._calls = frozenset(calls)
        recipients: list[Buyer | Team] = [*roster.buyers.values(), *roster.teams.values()]
        self._couriers = {
            one.id: courier for one in recipients if (courier := courier_of(one.delivery, profiles)) is not None
        }
        self._tests = frozenset(one.id for one in roster.buyers.values() if takes_tests(one.delivery))

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the sale says it all."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, having learned the planned deliveries where there are any."""
        lead = case.get(Lead)
        if lead is not None and lead.test:
            return self._try(case, lead)
        sale = case.get(Sale)
        if sale is not None:
            parts = [(leg.sale_id, leg.buyer_id, leg.order_id) for leg in sale.legs]
        else:
            kept = case.get(Assignment)
            parts = [(kept.id, kept.team, kept.order_id)] if kept is not None else []
        bidding = case.get(Bidding)
        bids = bidding.by_order() if bidding is not None else {}
        items = tuple(
            Planned(
                f"dlv_{sale_id.partition('_')[2]}",
                sale_id,
                no,
                recipient,
                courier,
                order_id in self._inline,
                bid.ref if isinstance(bid := bids.get(order_id), BidHeard) else None,
            )
            for no, (sale_id, recipient, order_id) in enumerate(parts, 1)
            if (courier := self._couriers.get(recipient)) is not None
        )
        return Pass((Dispatched(items),)) if items else Pass()

    def _try(self, case: Case, lead: Lead) -> Verdict:
        auction = case.get(Auction)
        if auction is None or not auction.winners:
            return Pass()
        bidding = case.get(Bidding)
        bids = bidding.by_order() if bidding is not None else {}
        items: list[Planned] = []
        untested: list[str] = []
        buyers = {item.order_id: item.recipient for item in auction.considered}
        for no, order_id in enumerate(auction.winners, 1):
            name, bid = buyers[order_id], bids.get(order_id)
            courier = self._couriers.get(name)
            if courier is None or name not in self._tests or order_id in self._calls:
                untested.append(name)
                continue
            digest = hashlib.blake2b(f"{lead.id}\0{order_id}".encode(), digest_size=10).digest()
            sale_id = make_id("test", lead.received_at, int.from_bytes(digest) >> 6)
            ref = bid.ref if isinstance(bid, BidHeard) else None
            delivery_id = f"dlv_{sale_id.partition('_')[2]}"
            items.append(Planned(delivery_id, sale_id, no, name, courier, bid_ref=ref, test=True))
        return Pass((Dispatched(tuple(items), tuple(untested)),))

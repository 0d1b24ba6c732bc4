"""The station that plans who gets the lead handed over, and how.

Runs after the market, whatever the verdict; replayed by ``flow``. Plans only: attempts are made by jobs.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import Pass, Verdict
from leadmill.delivery.model import Dispatched, Planned
from leadmill.market import Assignment, Bidding, BidHeard, Sale
from leadmill.parties import Buyer, Roster, Team


class Dispatch:
    """One delivery a leg of a sale, and one for a team that has its leads delivered. A recipient without a
    ``delivery`` reads its leads in the portal, and nothing is planned. Ids follow from the sale's: the same sale
    plans the same deliveries. ``inline`` are the orders whose buyers take leads while the source waits."""

    name = "delivery"

    def __init__(self, roster: Roster, inline: Collection[str] = ()) -> None:
        self._inline = frozenset(inline)
        recipients: list[Buyer | Team] = [*roster.buyers.values(), *roster.teams.values()]
        self._couriers = {one.id: str(one.delivery["courier"]) for one in recipients if one.delivery.get("courier")}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the sale says it all."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, having learned the planned deliveries where there are any."""
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

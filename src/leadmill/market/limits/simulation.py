"""Limits that evolve in memory over a replayed stream of leads.

Called by ``leadmill replay --with``: the same arithmetic as the cap book's, without a database and without touching
anything real.
"""

from collections.abc import Mapping
from datetime import datetime

from leadmill.core.money import Money
from leadmill.ledger import buyer_account
from leadmill.market.limits.tally import Tally, keys_of, order_scope
from leadmill.market.model import Assignment, Headroom, Order, Room, Sale, Wanted
from leadmill.market.orderbook.lines import is_limited, make_lines
from leadmill.parties import Roster


class SimulatedBook:
    """Caps, budgets, reps and balances over a stream of leads, from empty counters on.

    ``funds`` is what each buyer can draw at the start, by buyer; without it a buyer begins with its opening balance
    or its invoice limit. ``answer`` is heard by the market's step, ``sold`` and ``assigned`` are told what it
    decided, in the stream's order.
    """

    def __init__(self, orders: Mapping[str, Order], roster: Roster, funds: Mapping[str, Money] | None = None) -> None:
        lines = [line for each in make_lines(orders, roster).values() for line in each]
        self._wanted: dict[str, Wanted] = {line.order.id: line.wanted for line in lines}
        currencies = {item.account: item.currency for item in self._wanted.values() if item.account}
        start = opening_funds(roster) if funds is None else funds
        named = {buyer_account(buyer): money for buyer, money in start.items()}
        self._tally = Tally(
            funds={name: money.amount for name, money in named.items() if currencies.get(name) == money.currency}
        )

    def answer(self, ask: Headroom, at: datetime) -> Room:
        """What is left at a moment of the stream."""
        for wanted in ask.wanted:
            # The order book may have changed since the stream began.
            self._wanted[wanted.order_id] = wanted
        return self._tally.room(ask, at)

    def sold(self, sale: Sale, at: datetime) -> None:
        """Count a sale's legs."""
        for leg in sale.legs:
            self._tally.take(self._wanted[leg.order_id], leg.price.amount, at)

    def assigned(self, assignment: Assignment, at: datetime) -> None:
        """Count an assignment for its rep."""
        wanted = self._wanted[assignment.order_id]
        self._tally.take(wanted, 0, at, f"{assignment.team}/{assignment.rep}")

    def start(self, order_id: str, at: datetime, leads: int, spend: int = 0) -> None:
        """Begin with some use of an order's windows at ``at`` (``spend`` in minor units): what was sold before the
        stream."""
        for key in keys_of(self._wanted[order_id], at):
            if key[0] == order_scope(order_id):
                self._tally.used[key] = (leads, spend)


def opening_funds(roster: Roster) -> dict[str, Money]:
    """What each limited buyer can draw before any sale, by its terms."""
    found: dict[str, Money] = {}
    for buyer in roster.buyers.values():
        credit = buyer.credit
        if is_limited(credit):
            amount = credit.balance if credit.mode == "prepay" else credit.limit
            found[buyer.id] = amount or Money(0, buyer.currency)
    return found

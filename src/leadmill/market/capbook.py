"""The limits of one transaction: locked, in memory, counted as leads are sold, written back once before the commit.

Opened by ``Counters`` for each group of leads; told of sales, assignments and holds by their keepers. What was sold and
what was counted stand or fall together, so no limit is ever exceeded.
"""

from datetime import datetime

from leadmill.core.faults import Permanent
from leadmill.core.money import Money
from leadmill.ledger import HoldState, draw, end_money_holds
from leadmill.market.model import Headroom, Room, Wanted
from leadmill.market.rooms import RoomHold, RoomState
from leadmill.market.store import counters as store
from leadmill.market.store import holds as holds_store
from leadmill.market.store.counters import Limits
from leadmill.market.tally import Key, Tally, order_scope, rep_scope
from leadmill.runtime.db import Tx


class CapBook:
    """``at`` is the moment whose windows everything in it counts in."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.wanted: dict[str, Wanted] = {}
        self.tally = Tally()
        self.held: dict[str, RoomHold] = {}
        """Holds that stand, locked, their windows loaded: each is let go when the lead it was for is judged."""
        self.backed: set[str] = set()
        """Those of them whose money the ledger still holds."""
        self._moves: dict[Key, tuple[int, int]] = {}
        self._draws: dict[str, int] = {}
        self._set_aside: dict[str, int] = {}
        self._limits: dict[Key, Limits] = {}
        self._freed: list[RoomHold] = []

    def room(self, ask: Headroom) -> Room:
        """What is left now, the leads of this group that were sold before included, and for the lead that asks what
        was held for it."""
        for hold_id in ask.holds:
            self.free(hold_id)
        return self.tally.room(ask, self.at)

    def take(self, order_id: str, price: Money, rep: str | None = None, covered: bool = False) -> None:
        """Count a lead for an order, and for a rep; what is ``covered`` is paid by the plan. Raises Permanent
        ``market.limit.exceeded`` where it does not fit, which means that something sold without asking."""
        account = self._count(order_id, price.amount, rep, covered)
        if account is not None:
            self._draws[account] = self._draws.get(account, 0) - price.amount

    def set_aside(self, order_id: str, price: Money) -> str | None:
        """Count room held for a lead as :meth:`take` counts a sale; the limited account whose money it holds."""
        account = self._count(order_id, price.amount, None)
        if account is not None:
            self._set_aside[account] = self._set_aside.get(account, 0) + price.amount
        return account

    def free(self, hold_id: str) -> bool:
        """Give back what a hold keeps, to whoever takes it next in this transaction; False where it does not stand
        here."""
        hold = self.held.pop(hold_id, None)
        if hold is None:
            return False
        wanted = self.wanted[hold.order_id]
        amount = hold.price.amount
        for key in self.tally.give_back(wanted, amount, hold.at):
            leads, spend = self._moves.get(key, (0, 0))
            self._moves[key] = (leads - 1, spend - amount)
            self._limit(key, wanted)
        if hold.account is not None and hold_id in self.backed and hold.account in self.tally.funds:
            self.tally.funds[hold.account] += amount
        self._freed.append(hold)
        return True

    def _count(self, order_id: str, amount: int, rep: str | None, covered: bool = False) -> str | None:
        """Count a lead and its price; the limited account that pays it, if any."""
        wanted = self.wanted.get(order_id)
        if wanted is None:
            return None
        tally = self.tally
        for key in tally.take(wanted, amount, self.at, rep, covered):
            leads, spend = self._moves.get(key, (0, 0))
            self._moves[key] = (leads + 1, spend + amount)
            most_leads, most_spend = self._limit(key, wanted)
            now_leads, now_spend = tally.used[key]
            if (most_leads is not None and now_leads > most_leads) or (
                most_spend is not None and now_spend > most_spend
            ):
                raise Permanent("market.limit.exceeded", f"{key[0]} has no room in this {key[1].value}")
        account = wanted.plan if covered else wanted.account
        if account is None or not amount:
            return None
        if tally.funds.get(account, -1) < 0:
            raise Permanent("market.limit.exceeded", f"{account} does not cover the sale")
        return account

    def _limit(self, key: Key, wanted: Wanted) -> Limits:
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = limit_of(key, wanted)
        return found

    async def settle(self, tx: Tx) -> None:
        """Write back what moved: one statement for the counters, one for the accounts."""
        moves, self._moves = self._moves, {}
        draws, self._draws = self._draws, {}
        aside, self._set_aside = self._set_aside, {}
        freed, self._freed = self._freed, []
        await store.move_counters(tx, moves, self._limits)
        if freed:
            await holds_store.end_holds(tx, [hold.id for hold in freed], RoomState.USED, self.at)
            await end_money_holds(tx, [hold.id for hold in freed if hold.account], HoldState.COMMITTED)
        if draws or aside:
            await draw(tx, draws, aside)


def limit_of(key: Key, wanted: Wanted) -> Limits:
    """The limits of a counter in leads and in minor units."""
    scope, per, _ = key
    if scope != order_scope(wanted.order_id):
        return next((capacity for rep, capacity in wanted.reps if rep_scope(rep) == scope), None), None
    caps = [cap for cap in wanted.caps if cap.per is per]
    leads = next((cap.leads for cap in caps if cap.leads is not None), None)
    spend = next((cap.spend.amount for cap in caps if cap.spend is not None), None)
    return leads, spend


def book_of(tx: Tx) -> CapBook | None:
    """The transaction's book, where one is open."""
    found: CapBook | None = tx.scratch.get(CapBook)
    return found

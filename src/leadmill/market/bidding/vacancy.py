"""Which orders had no room left a moment ago, so that nobody asks them for a bid in vain.

Wired by ``main``: the listener for :class:`BidsAsk` asks it for each lead and each ping, the auction tells it what was
bid, and the composition root has it look twice a second. What it says is never a decision: it only saves a question.
Whoever has room when bids are in is found out under the locks of the sale; whoever is left out here although room came
free this very moment is asked again with the next lead. What was said of a lead is part of what that lead heard, so
that a replay hears it too.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.ledger import buyer_account, guards_of
from leadmill.market.limits.store.counters import read_counters
from leadmill.market.limits.tally import Key, order_scope
from leadmill.market.model import BUDGET, CAP_REACHED, CREDIT, Cap, Order, Per
from leadmill.market.rules import cap_words
from leadmill.market.tenders.tender import BID_FULL, BidHeard, NoBid
from leadmill.market.windows import bounds
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database, Tx

WATCHED = timedelta(minutes=2)
"""How long an order that nobody came to ask is still looked at."""

_BIDS = 16
"""How many of an order's last bids tell what it may bid next."""

_MOST = 2_000
"""The most orders that are looked at: those of the busiest hour, not a whole book."""


class Vacancies:
    """Knows the room of the orders that were lately to be asked. ``orders`` gives those in force by id."""

    def __init__(self, orders: Callable[[], Mapping[str, Order]], clock: Clock) -> None:
        self._orders = orders
        self._clock = clock
        self._watched: dict[str, datetime] = {}
        self._used: dict[Key, tuple[int, int]] = {}
        self._left: dict[str, int] = {}
        self._bids: dict[str, deque[int]] = {}

    def full(self, order_ids: Iterable[str]) -> tuple[NoBid, ...]:
        """Those of some orders that had no room when last looked at, each with the limit that left none."""
        now, orders = self._clock(), self._orders()
        found = []
        for order_id in order_ids:
            order = orders.get(order_id)
            if order is None or order.buyer is None:
                continue
            if order_id in self._watched or len(self._watched) < _MOST:
                self._watched[order_id] = now
            why = self._limit(order, now) if self._used or self._left else None
            if why is not None:
                found.append(NoBid(order_id, order.buyer, because(BID_FULL, code=why.code, says=why.message)))
        return tuple(found)

    def note(self, items: Iterable[BidHeard | NoBid]) -> None:
        """Learn what orders bid: where an account holds less than half of the least, there is no point in asking."""
        for item in items:
            if isinstance(item, BidHeard):
                least = min(amount for amount in (item.exclusive, item.shared) if amount is not None)
                self._bids.setdefault(item.order_id, deque(maxlen=_BIDS)).append(least)

    async def refresh(self, db: Database) -> None:
        """Look at the limits of the orders that were lately to be asked, without a lock."""
        if self._watched:
            async with db.begin() as tx:
                await self.look(tx)

    async def look(self, tx: Tx) -> None:
        """The same, as a transaction sees it."""
        now, orders = self._clock(), self._orders()
        for order_id in [name for name, at in self._watched.items() if at < now - WATCHED or name not in orders]:
            del self._watched[order_id]
            self._bids.pop(order_id, None)
        watched = [orders[name] for name in self._watched]
        keys = [key for order in watched for key in _keys(order, now)]
        accounts = sorted({buyer_account(order.recipient) for order in watched})
        self._used = await read_counters(tx, keys) if keys else {}
        self._left = {one.account: one.available for one in await guards_of(tx, accounts)} if accounts else {}

    def _limit(self, order: Order, now: datetime) -> Because | None:
        """The limit that leaves an order no room for any bid it may make."""
        bids = self._bids.get(order.id)
        least = max(1, min(bids) // 2) if bids else 1
        for cap in _caps_of(order):
            leads, spend = self._used.get(_key(order, cap.per, now), (0, 0))
            if cap.leads is not None and leads >= cap.leads:
                return because(CAP_REACHED, cap=cap_words(cap), used=leads, limit=cap.leads)
            if cap.spend is not None and spend + least > cap.spend.amount:
                used, limit = str(Money(spend, cap.spend.currency)), str(cap.spend)
                if cap.per is Per.ALL:
                    return because(BUDGET, used=used, limit=limit)
                return because(CAP_REACHED, cap=cap_words(cap), used=used, limit=limit)
        left = self._left.get(buyer_account(order.recipient))
        # A subscription pays for what it covers, whatever the account holds.
        if left is not None and left < least and order.subscription is None:
            currency = order.currency
            return because(CREDIT, price=str(Money(least, currency)), available=str(Money(max(0, left), currency)))
        return None


def _caps_of(order: Order) -> Sequence[Cap]:
    return (*order.caps, Cap(Per.ALL, spend=order.budget)) if order.budget is not None else order.caps


def _keys(order: Order, now: datetime) -> list[Key]:
    return [_key(order, per, now) for per in dict.fromkeys(cap.per for cap in _caps_of(order))]


def _key(order: Order, per: Per, now: datetime) -> Key:
    return order_scope(order.id), per, bounds(per, order.tz, now)[0]

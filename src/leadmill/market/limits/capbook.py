"""The limits of one transaction: in memory, counted as leads are sold, written back once before the commit.

Opened by ``Counters`` for each group of leads; told of sales, assignments and holds by their keepers. A limit is either
locked, and then the book knows the truth, or sold from the process's share of it, and then the share's own row guards
what is written. What was sold and what was counted stand or fall together, so no limit is ever exceeded.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Never

from leadmill.core.faults import Permanent
from leadmill.core.money import Money
from leadmill.ledger import HoldState, draw, end_money_holds, grant_funds, use_funds
from leadmill.market.limits.leases import Lease, LeaseSpent, Pool, share
from leadmill.market.limits.rooms import RoomHold, RoomState
from leadmill.market.limits.store import counters as store
from leadmill.market.limits.store import holds as holds_store
from leadmill.market.limits.store.counters import Limits
from leadmill.market.limits.store.leases import grant_shares, use_leases
from leadmill.market.limits.tally import Key, Tally, order_scope, rep_scope
from leadmill.market.model import Headroom, Room, Wanted
from leadmill.market.windows import bounds
from leadmill.runtime.db import Tx


class CapBook:
    """``at`` is the moment whose windows everything in it counts in, ``pool`` the process's shares."""

    def __init__(self, at: datetime, pool: Pool) -> None:
        self.at = at
        self.pool = pool
        self.asks = 0
        """How many leads have asked."""
        self.wanted: dict[str, Wanted] = {}
        self.tally = Tally()
        self.leased: dict[Key | str, Lease] = {}
        """The limits and accounts that are sold from shares."""
        self.locked: set[Key | str] = set()
        """Those that are locked."""
        self.shared: set[Key | str] = set()
        """Those of them of which processes hold unused shares, so that less is seen than is there."""
        self.currencies: dict[str, str] = {}
        """What the locked accounts are kept in."""
        self.held: dict[str, RoomHold] = {}
        """Holds that stand, locked, their windows loaded: each is let go when the lead it was for is judged."""
        self.backed: set[str] = set()
        """Those of them whose money the ledger still holds."""
        self._consumed: dict[Key | str, tuple[int, int]] = {}
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
        """Count a lead for an order, and for a rep; what is ``covered`` is paid by the plan. Raises :class:`LeaseSpent`
        where a share does not cover it, and Permanent ``market.limit.exceeded`` where a limit does not, which means
        that something sold without asking."""
        account = self._count(order_id, price.amount, rep, covered)
        if account is not None:
            self._draws[account] = self._draws.get(account, 0) + price.amount

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
            self._move(key, wanted, -1, -amount)
        if hold.account is not None and hold_id in self.backed and hold.account in self.tally.funds:
            self.tally.funds[hold.account] += amount
        self._freed.append(hold)
        return True

    def doubt(self, order_ids: Iterable[str]) -> None:
        """Orders were refused for their limits. Where unused shares hide a part of them, it is not known whether
        rightly: raises :class:`LeaseSpent`, and the next time those shares are called in first."""
        hidden: list[Key | str] = []
        for order_id in order_ids:
            wanted = self.wanted.get(order_id)
            if wanted is not None:
                scope = order_scope(order_id)
                keys: list[Key | str] = [(scope, per, bounds(per, wanted.tz, self.at)[0]) for per in wanted.pers]
                if wanted.account is not None:
                    keys.append(wanted.account)
                hidden += [key for key in keys if key in self.leased or key in self.shared]
        if hidden:
            self.pool.barred.update(hidden)
            self.pool.drop(hidden)
            raise LeaseSpent("market.lease.spent", "shares of a limit must be called in")

    def _count(self, order_id: str, amount: int, rep: str | None, covered: bool = False) -> str | None:
        """Count a lead and its price; the limited account that pays it, if any."""
        wanted = self.wanted.get(order_id)
        if wanted is None:
            return None
        tally, leased = self.tally, self.leased
        self.pool.dear = max(self.pool.dear, amount)
        for key in tally.take(wanted, amount, self.at, rep, covered):
            lease = leased.get(key)
            self._move(key, wanted, 1, amount)
            if lease is not None:
                self._consume(key, lease, 1, amount)
                continue
            most_leads, most_spend = self._limits[key]
            now_leads, now_spend = tally.used[key]
            if (most_leads is not None and now_leads > most_leads) or (
                most_spend is not None and now_spend > most_spend
            ):
                raise Permanent("market.limit.exceeded", f"{key[0]} has no room in this {key[1].value}")
        account = wanted.plan if covered else wanted.account
        if account is None or not amount:
            return None
        lease = leased.get(account)
        if lease is not None:
            self._consume(account, lease, 0, amount)
        elif tally.funds.get(account, -1) < 0:
            raise Permanent("market.limit.exceeded", f"{account} does not cover the sale")
        return account

    def _consume(self, key: Key | str, lease: Lease, leads: int, amount: int) -> None:
        if not lease.take(leads, amount):
            self.pool.drop([key])
            raise LeaseSpent("market.lease.spent", "the share of a limit is used up")
        old = self._consumed.get(key, (0, 0))
        self._consumed[key] = (old[0] + leads, old[1] + amount)

    def undo(self) -> None:
        """The transaction failed: what it consumed of the shares is there again."""
        for key, (leads, spend) in self._consumed.items():
            self.leased[key].give_back(leads, spend)

    def _move(self, key: Key, wanted: Wanted, leads: int, spend: int) -> None:
        old = self._moves.get(key, (0, 0))
        self._moves[key] = (old[0] + leads, old[1] + spend)
        if key not in self._limits:
            self._limits[key] = limit_of(key, wanted)

    async def settle(self, tx: Tx) -> None:
        """Write back what moved: one statement for the counters, one for the accounts, one each for the shares."""
        moves, self._moves = self._moves, {}
        draws, self._draws = self._draws, {}
        aside, self._set_aside = self._set_aside, {}
        freed, self._freed = self._freed, []
        used = {key: moves.pop(key) for key in [key for key in moves if key in self.leased]}
        spent = {account: draws.pop(account) for account in [name for name in draws if name in self.leased]}
        moved = {account: aside.pop(account) for account in [name for name in aside if name in self.leased]}
        await self._settle_counters(tx, moves)
        if freed:
            await holds_store.end_holds(tx, [hold.id for hold in freed], RoomState.USED, self.at)
            await end_money_holds(tx, [hold.id for hold in freed if hold.account], HoldState.COMMITTED)
        await self._settle_accounts(tx, draws, aside)
        for key, lease in self.leased.items():
            lease.note(*self._consumed.get(key, (0, 0)))
        if used:
            await use_leases(tx, self.pool.holder, used, lambda: self._called_in(used))
        if spent or moved:
            await use_funds(tx, self.pool.holder, spent, moved, lambda: self._called_in([*spent, *moved]))
        self.pool.barred -= self.locked

    def _called_in(self, shares: Iterable[Key | str]) -> Never:
        self.pool.drop(shares)
        raise LeaseSpent("market.lease.spent", "a share of a limit or an account was called in")

    async def _settle_counters(self, tx: Tx, moves: dict[Key, tuple[int, int]]) -> None:
        """Move the locked counters, and take shares of those that have ample room."""
        pool, grants, ends = self.pool, {}, {}
        for wanted in self.wanted.values() if pool.active and self.asks > 1 else ():
            for per in wanted.pers:
                starts, after = bounds(per, wanted.tz, self.at)
                key = (order_scope(wanted.order_id), per, starts)
                if key not in self.locked or key in pool.barred or per in wanted.exact:
                    continue
                limits = self._limits.setdefault(key, limit_of(key, wanted))
                left = left_of(limits, self.tally.used[key])
                if not pool.is_ample(*left, self.asks):
                    continue
                mine = pool.limits.get(key)
                grant = (
                    0 if left[0] is None else share(left[0], mine.leads or 0 if mine else 0, pool.holders),
                    0 if left[1] is None else share(left[1], mine.spend or 0 if mine else 0, pool.holders),
                )
                grants[key], ends[key] = grant, after
                old = moves.get(key, (0, 0))
                moves[key] = (old[0] + grant[0], old[1] + grant[1])
        for key in moves:
            most = self._limits[key][0]
            if most is not None and self.tally.used[key][0] >= most:
                pool.mark_full(key)
        await store.move_counters(tx, moves, self._limits)
        if grants:
            await grant_shares(tx, pool.holder, grants, self._limits, ends)
            tx.after(lambda: self._keep_shares(grants, ends))

    def _keep_shares(self, grants: dict[Key, tuple[int, int]], ends: dict[Key, datetime]) -> None:
        for key, grant in grants.items():
            lease = self.pool.limits.get(key)
            if lease is None or lease.limits != self._limits[key]:
                lease = self.pool.limits[key] = Lease(self._limits[key], ends[key])
            says = self.tally.used[key]
            lease.grant(*grant, (says[0] - (lease.leads or 0), says[1] - (lease.spend or 0)))

    async def _settle_accounts(self, tx: Tx, draws: dict[str, int], aside: dict[str, int]) -> None:
        pool, grants = self.pool, {}
        plans = {wanted.plan for wanted in self.wanted.values()}
        for account in self.tally.funds.keys() - plans if pool.active and self.asks > 1 else ():
            left = self.tally.funds[account]
            if account in self.locked and account not in pool.barred and pool.is_ample(None, left, self.asks):
                mine = pool.accounts.get(account)
                grants[account] = share(left, mine.spend or 0 if mine else 0, pool.holders)
        if draws or aside:
            await draw(tx, {account: -amount for account, amount in draws.items()}, aside)
        if grants:
            await grant_funds(tx, pool.holder, grants)
            tx.after(lambda: self._keep_funds(grants))

    def _keep_funds(self, grants: dict[str, int]) -> None:
        for account, amount in grants.items():
            lease = self.pool.accounts.get(account)
            if lease is None:
                lease = self.pool.accounts[account] = Lease((None, 0), None, self.currencies[account])
            lease.grant(0, amount, (0, -self.tally.funds[account] - (lease.spend or 0)))


def limit_of(key: Key, wanted: Wanted) -> Limits:
    """The limits of a counter in leads and in minor units."""
    scope, per, _ = key
    if scope != order_scope(wanted.order_id):
        return next((capacity for rep, capacity in wanted.reps if rep_scope(rep) == scope), None), None
    caps = [cap for cap in wanted.caps if cap.per is per]
    leads = min((cap.leads for cap in caps if cap.leads is not None), default=None)
    spend = min((cap.spend.amount for cap in caps if cap.spend is not None), default=None)
    return leads, spend


def left_of(limits: Limits, used: tuple[int, int]) -> tuple[int | None, int | None]:
    """What is left of limits in leads and in minor units."""
    leads = None if limits[0] is None else limits[0] - used[0]
    spend = None if limits[1] is None else limits[1] - used[1]
    return leads, spend


def book_of(tx: Tx) -> CapBook | None:
    """The transaction's book, where one is open."""
    found: CapBook | None = tx.scratch.get(CapBook)
    return found

"""The book that keeps limits exact, a leaf of it for each transaction, and the process's shares of limits.

``Counters`` is wired by ``main`` as the listener for :class:`Headroom` and the keeper of sales and assignments. For
each group of leads it locks the counters and accounts that the candidates need and opens a :class:`CapBook` over them,
which answers and counts in memory and writes all of it back in the group's own transaction.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from leadmill.core.case import Case
from leadmill.core.ids import mint
from leadmill.core.money import Money
from leadmill.ledger import lock_guards, money_holds
from leadmill.market.limits.capbook import CapBook, book_of, limit_of
from leadmill.market.limits.leases import Pool
from leadmill.market.limits.shares import is_full, is_rep, leave, tend, uncover
from leadmill.market.limits.store.counters import lock_counters, open_counters, read_counters
from leadmill.market.limits.store.holds import lock_holds
from leadmill.market.limits.store.sales import add_sale, last_assignments, last_sales
from leadmill.market.limits.tally import Key, keys_of
from leadmill.market.model import (
    BUDGET,
    CAP_REACHED,
    CREDIT,
    Assignment,
    Auction,
    Headroom,
    LegState,
    Room,
    Sale,
    SaleRecord,
    Wanted,
)
from leadmill.market.windows import bounds
from leadmill.market.worths import Scarcity, Worths
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database, Tx

_LIMITS = {CAP_REACHED.code, BUDGET.code, CREDIT.code}
"""What an order is refused by where nothing is left of a limit."""

_REMEMBERED = 50_000


class Pricer(Protocol):
    """Whoever knows what limits are worth; the allocation downstream does."""

    @property
    def in_force(self) -> bool:
        """Whether there are prices at all."""

    def worths(self, asked: Scarcity, now: datetime) -> Worths | None:
        """The prices that matter to a lead; None where none are in force."""


class Counters:
    """Opens a :class:`CapBook` for every transaction that asks. One a process; it remembers which counters exist and
    when orders last got a lead, both only to save a query, and keeps the process's shares of limits.

    A group of several leads sells from shares where there are any, and looks at windows that were full without locking
    them. One lead by itself locks all it may need: it waits for nobody for long.
    """

    def __init__(self, clock: Clock, shadows: Pricer | None = None) -> None:
        self._clock = clock
        self._shadows = shadows
        self._known: set[Key] = set()
        self._last: dict[str, datetime | None] = {}
        self._heard = False
        self.pool = Pool(mint("process", clock()))

    async def hear(self, tx: Tx, asks: Sequence[Headroom]) -> Callable[[Headroom], Room]:
        """Answer for what is left: locks the limits of all these asks that it holds no shares of, then answers each
        from memory."""
        book = book_of(tx)
        if book is None:
            book = tx.scratch[CapBook] = CapBook(self._clock(), self.pool)
            tx.closing(book.settle)
            tx.failing(book.undo)
        book.asks = max(book.asks, len(asks))
        self._heard = self._heard or len(asks) > 1
        fresh = {item.order_id: item for ask in asks for item in ask.wanted if item.order_id not in book.wanted}
        held = [hold_id for ask in asks for hold_id in ask.holds if hold_id not in book.held]
        if fresh or held:
            await self._load(tx, book, list(fresh.values()), held)
        shadows = self._shadows
        if shadows is None or not shadows.in_force:
            return book.room
        held_book = book

        def room(ask: Headroom) -> Room:
            left = held_book.room(ask)
            return replace(left, worths=shadows.worths(ask.scarcity, held_book.at)) if ask.scarcity else left

        return room

    async def _load(self, tx: Tx, book: CapBook, fresh: list[Wanted], held: Sequence[str]) -> None:
        book.wanted |= {item.order_id: item for item in fresh}
        many = book.asks > 1
        holds = await lock_holds(tx, held) if held else []
        holds = [hold for hold in holds if hold.order_id in book.wanted]
        bound = {hold.order_id for hold in holds} if many else book.wanted.keys()
        windows: dict[Key, datetime] = {}
        accounts: dict[str, str] = {}
        for item in await self._pass_over(tx, book, fresh, bound):
            self._place(book, item, item.order_id in bound, windows, accounts)
        for hold in holds:
            book.held[hold.id] = hold
            theirs = book.wanted[hold.order_id]
            for key in keys_of(theirs, hold.at):
                if key not in book.tally.used:
                    windows[key] = bounds(key[1], theirs.tz, hold.at)[1]
            if hold.account is not None and hold.account not in book.tally.funds:
                accounts.setdefault(hold.account, hold.price.currency)
        if windows or accounts:
            await tx.flush()  # what can go out before others are made to wait does
        if windows:
            book.tally.used |= await self._lock(tx, windows)
            book.locked.update(windows)
        if accounts:
            for name, guard in (await lock_guards(tx, list(accounts))).items():
                if guard.currency == accounts[name]:
                    book.tally.funds[name] = guard.available
                    book.currencies[name] = guard.currency
                    book.locked.add(name)
        await uncover(tx, book, [key for key in windows if not is_rep(key)], list(accounts))
        if any(hold.account for hold in holds):
            book.backed |= (await money_holds(tx, [hold.id for hold in holds])).keys()
        tied = [item.order_id for item in fresh if item.ties]
        await self._take_turns(tx, book, tied + [rep for item in fresh for rep, _ in item.reps])

    async def _pass_over(self, tx: Tx, book: CapBook, fresh: list[Wanted], bound: Collection[str]) -> list[Wanted]:
        """Look, without a lock, at orders that had a full window when last seen; those that are not passed over."""
        full = self.pool.full
        suspects: list[tuple[Wanted, list[Key]]] = []
        for item in fresh if full else ():
            keys = [key for key in keys_of(item, book.at) if not is_rep(key)]
            if item.order_id not in bound and any(key in full for key in keys):
                suspects.append((item, keys))
        if not suspects:
            return fresh
        found = await read_counters(tx, [key for _, keys in suspects for key in keys])
        shut: set[str] = set()
        for item, keys in suspects:
            if any(key in found and is_full(key, item, found[key]) for key in keys):
                shut.add(item.order_id)
                book.tally.used |= {key: found[key] for key in keys if key in found}
            else:
                for key in keys:
                    full.pop(key, None)
        return [item for item in fresh if item.order_id not in shut]

    def _place(
        self, book: CapBook, item: Wanted, bound: bool, windows: dict[Key, datetime], accounts: dict[str, str]
    ) -> None:
        """Sort an order's limits into those sold from shares and those to be locked."""
        for key in keys_of(item, book.at):
            if key in book.tally.used:
                continue
            lease = self.pool.limits.get(key) if not bound and key[1] not in item.exact else None
            if lease is not None and lease.limits == limit_of(key, item) and lease.fits(book.asks):
                book.leased[key] = lease
                book.tally.used[key] = lease.base
            else:
                windows[key] = bounds(key[1], item.tz, book.at)[1]
        if item.plan is not None and item.plan not in book.tally.funds:
            accounts[item.plan] = item.currency
            book.tally.funds[item.plan] = 0
        account = item.account
        if account is None or account in book.locked or account in accounts:
            return
        lease = self.pool.accounts.get(account) if not bound else None
        if lease is not None and lease.currency == item.currency and lease.fits(book.asks):
            book.leased[account] = lease
            book.tally.funds[account] = -lease.base[1]
        else:
            accounts[account] = item.currency
            if book.leased.pop(account, None) is not None:
                del book.tally.funds[account]

    async def _take_turns(self, tx: Tx, book: CapBook, tied: Sequence[str]) -> None:
        # What this process remembers is enough to break a tie; where leads go round, others' sales count as well.
        strange = [name for name in tied if name not in self._last or ((one := book.wanted.get(name)) and one.turns)]
        if strange:
            self._last |= dict.fromkeys(strange)
            self._last |= await last_sales(tx, [name for name in strange if "/" not in name])
            reps = [name for name in strange if "/" in name]
            if reps:
                self._last |= await last_assignments(tx, reps)
        for order_id in tied:
            last = self._last[order_id]
            if last is not None:
                book.tally.last[order_id] = last

    async def _lock(self, tx: Tx, windows: dict[Key, datetime]) -> dict[Key, tuple[int, int]]:
        strange = {key: end for key, end in windows.items() if key not in self._known}
        if strange:
            await open_counters(tx, strange)
        found = await lock_counters(tx, list(windows))
        missing = {key: end for key, end in windows.items() if key not in found}
        if missing:
            # Somebody had them counted anew since we last saw them.
            await open_counters(tx, missing)
            found |= await lock_counters(tx, list(missing))
        if strange:
            tx.after(lambda: self._remember(strange))
        return found

    def _remember(self, keys: Iterable[Key]) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(keys)

    def keep_auction(self, tx: Tx, case: Case, auction: Auction, now: datetime) -> None:
        """Hold an auction's refusals against what is known of the limits. Raises ``LeaseSpent`` where one was told by
        a limit of which unused shares hide a part: nobody is refused because others might still sell."""
        book = book_of(tx)
        if book is None or not (book.leased or book.shared):
            return
        for item in auction.considered:
            if item.refused is not None and item.refused.code in _LIMITS:
                book.doubt([item.order_id])
        if not _LIMITS.isdisjoint(auction.unnamed):
            book.doubt(book.wanted)

    async def tend(self, db: Database) -> None:
        """Look after the process's shares; to be called every few seconds. One that walked no group since the last
        call gives them back."""
        busy, self._heard = self._heard, False
        await tend(db, self.pool, self._clock, busy)

    async def leave(self, db: Database) -> None:
        """Give the process's shares back."""
        await leave(db, self.pool)

    def keep_sale(self, tx: Tx, case: Case, sale: Sale, now: datetime) -> None:
        """Write a sale's legs and count them."""
        book = book_of(tx)
        at = book.at if book is not None else now
        for number, leg in enumerate(sale.legs, start=1):
            if book is not None:
                book.take(leg.order_id, leg.price, covered=leg.covered)
            add_sale(
                tx,
                SaleRecord(
                    id=leg.sale_id,
                    leg=number,
                    deal_id=sale.id,
                    lead_id=case.lead_id,
                    order_id=leg.order_id,
                    buyer_id=leg.buyer_id,
                    team_id=None,
                    rep_id=None,
                    mode=sale.mode.value,
                    price=leg.price,
                    state=LegState.SOLD,
                    at=at,
                ),
            )
        tx.after(lambda: self._last.update({leg.order_id: at for leg in sale.legs if leg.order_id in self._last}))

    def keep_assignment(self, tx: Tx, case: Case, assignment: Assignment, now: datetime) -> None:
        """Write an assignment and count it for its rep."""
        book = book_of(tx)
        nothing = Money(0)
        at = book.at if book is not None else now
        rep = f"{assignment.team}/{assignment.rep}"
        if book is not None:
            book.take(assignment.order_id, nothing, rep)
        add_sale(
            tx,
            SaleRecord(
                id=assignment.id,
                leg=1,
                deal_id=assignment.id,
                lead_id=case.lead_id,
                order_id=assignment.order_id,
                buyer_id=None,
                team_id=assignment.team,
                rep_id=assignment.rep,
                mode="in_house",
                price=nothing,
                state=LegState.ASSIGNED,
                at=at,
            ),
        )
        tx.after(lambda: self._last.update({rep: at}))

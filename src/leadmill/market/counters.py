"""The book that keeps limits exact, a leaf of it for each transaction.

``Counters`` is wired by ``main`` as the listener for :class:`Headroom` and the keeper of sales and assignments. For
each group of leads it locks the counters and accounts that the candidates need and opens a :class:`CapBook` over them,
which answers and counts in memory and writes all of it back in the group's own transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from leadmill.core.case import Case
from leadmill.core.money import Money
from leadmill.ledger import lock_guards, money_holds
from leadmill.market.capbook import CapBook, book_of
from leadmill.market.model import Assignment, Headroom, LegState, Room, Sale, SaleRecord, Wanted
from leadmill.market.shadows import Shadows
from leadmill.market.store.counters import lock_counters, open_counters
from leadmill.market.store.holds import lock_holds
from leadmill.market.store.sales import add_sale, last_assignments, last_sales
from leadmill.market.tally import Key, keys_of
from leadmill.market.windows import bounds
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Tx

_REMEMBERED = 50_000


class Counters:
    """Opens a :class:`CapBook` for every transaction that asks. One a process; it remembers which counters exist and
    when orders last got a lead, both only to save a query."""

    def __init__(self, clock: Clock, shadows: Shadows | None = None) -> None:
        self._clock = clock
        self._shadows = shadows
        self._known: set[Key] = set()
        self._last: dict[str, datetime | None] = {}

    async def hear(self, tx: Tx, asks: Sequence[Headroom]) -> Callable[[Headroom], Room]:
        """Answer for what is left: locks the limits of all these asks, then answers each from memory."""
        book = book_of(tx)
        if book is None:
            book = tx.scratch[CapBook] = CapBook(self._clock())
            tx.closing(book.settle)
        fresh = {item.order_id: item for ask in asks for item in ask.wanted if item.order_id not in book.wanted}
        held = [hold_id for ask in asks for hold_id in ask.holds if hold_id not in book.held]
        if fresh or held:
            await tx.flush()  # what can go out before others are made to wait does
            await self._load(tx, book, fresh.values(), held)
        shadows = self._shadows
        if shadows is None or not shadows.in_force:
            return book.room
        held_book = book

        def room(ask: Headroom) -> Room:
            left = held_book.room(ask)
            return replace(left, worths=shadows.worths(ask.scarcity, held_book.at)) if ask.scarcity else left

        return room

    async def _load(self, tx: Tx, book: CapBook, wanted: Iterable[Wanted], held: Sequence[str]) -> None:
        windows: dict[Key, datetime] = {}
        accounts: dict[str, str] = {}
        holds = await lock_holds(tx, held) if held else []
        tied: list[str] = []
        for item in wanted:
            book.wanted[item.order_id] = item
            for key in keys_of(item, book.at):
                if key not in book.tally.used:
                    windows[key] = bounds(key[1], item.tz, book.at)[1]
            if item.account is not None and item.account not in book.tally.funds:
                accounts[item.account] = item.currency
            if item.plan is not None and item.plan not in book.tally.funds:
                accounts[item.plan] = item.currency
                book.tally.funds[item.plan] = 0
            if item.ties:
                tied.append(item.order_id)
            tied += [rep for rep, _ in item.reps]
        for hold in holds:
            if hold.order_id in book.wanted:
                book.held[hold.id] = hold
                theirs = book.wanted[hold.order_id]
                for key in keys_of(theirs, hold.at):
                    if key not in book.tally.used:
                        windows[key] = bounds(key[1], theirs.tz, hold.at)[1]
                if hold.account is not None and hold.account not in book.tally.funds:
                    accounts.setdefault(hold.account, hold.price.currency)
        if windows:
            book.tally.used |= await self._lock(tx, windows)
        if accounts:
            for name, guard in (await lock_guards(tx, list(accounts))).items():
                if guard.currency == accounts[name]:
                    book.tally.funds[name] = guard.available
        if any(hold.account for hold in holds):
            book.backed |= (await money_holds(tx, [hold.id for hold in holds])).keys()
        strange = [order_id for order_id in tied if order_id not in self._last]
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

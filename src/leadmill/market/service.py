"""The market's verbs, and the book that keeps its limits exact.

``Counters`` is wired by ``main`` as the listener for :class:`Headroom` and the keeper of sales and assignments. For
each group of leads it locks the counters and accounts that the candidates need, answers from memory, counts every
sale there, and writes all of it back in the group's own transaction: what was sold and what was counted stand or fall
together, so no limit is ever exceeded.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from leadmill.core.case import Case
from leadmill.core.events import Event
from leadmill.core.faults import NotFound, Permanent
from leadmill.core.money import Money
from leadmill.core.reasons import Because
from leadmill.ledger import Finding, draw, lock_guards
from leadmill.market import store
from leadmill.market.model import (
    Assignment,
    Cap,
    CapUse,
    Headroom,
    LegState,
    Order,
    Per,
    Room,
    Sale,
    SaleCancelled,
    SaleRecord,
    Wanted,
)
from leadmill.market.store import Limits
from leadmill.market.tally import Key, Tally, keys_of, order_scope, rep_scope
from leadmill.market.windows import bounds
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Tx

_REMEMBERED = 50_000


class CapBook:
    """The limits of one transaction: locked, in memory, counted as leads are sold, written back once before the commit.

    ``at`` is the moment whose windows everything in it counts in.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.wanted: dict[str, Wanted] = {}
        self.tally = Tally()
        self._moves: dict[Key, tuple[int, int]] = {}
        self._draws: dict[str, int] = {}
        self._limits: dict[Key, Limits] = {}

    def room(self, ask: Headroom) -> Room:
        """What is left now, the leads of this group that were sold before included."""
        return self.tally.room(ask, self.at)

    def take(self, order_id: str, price: Money, rep: str | None = None) -> None:
        """Count a lead for an order, and for a rep. Raises Permanent ``market.limit.exceeded`` where it does not fit,
        which means that something sold without asking."""
        wanted = self.wanted.get(order_id)
        if wanted is None:
            return
        tally = self.tally
        for key in tally.take(wanted, price.amount, self.at, rep):
            leads, spend = self._moves.get(key, (0, 0))
            self._moves[key] = (leads + 1, spend + price.amount)
            most_leads, most_spend = self._limit(key, wanted)
            now_leads, now_spend = tally.used[key]
            if (most_leads is not None and now_leads > most_leads) or (
                most_spend is not None and now_spend > most_spend
            ):
                raise Permanent("market.limit.exceeded", f"{key[0]} has no room in this {key[1].value}")
        account = wanted.account
        if account is not None and price.amount:
            if tally.funds.get(account, -1) < 0:
                raise Permanent("market.limit.exceeded", f"{account} does not cover the sale")
            self._draws[account] = self._draws.get(account, 0) - price.amount

    def _limit(self, key: Key, wanted: Wanted) -> Limits:
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = limit_of(key, wanted)
        return found

    async def settle(self, tx: Tx) -> None:
        """Write back what moved: one statement for the counters, one for the accounts."""
        moves, self._moves = self._moves, {}
        draws, self._draws = self._draws, {}
        await store.move_counters(tx, moves, self._limits)
        if draws:
            await draw(tx, draws)


def limit_of(key: Key, wanted: Wanted) -> Limits:
    """The limits of a counter in leads and in minor units."""
    scope, per, _ = key
    if scope != order_scope(wanted.order_id):
        return next((capacity for rep, capacity in wanted.reps if rep_scope(rep) == scope), None), None
    caps = [cap for cap in wanted.caps if cap.per is per]
    leads = next((cap.leads for cap in caps if cap.leads is not None), None)
    spend = next((cap.spend.amount for cap in caps if cap.spend is not None), None)
    return leads, spend


class Counters:
    """Opens a :class:`CapBook` for every transaction that asks. One a process; it remembers which counters exist and
    when orders last got a lead, both only to save a query."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: set[Key] = set()
        self._last: dict[str, datetime | None] = {}

    async def hear(self, tx: Tx, asks: Sequence[Headroom]) -> Callable[[Headroom], Room]:
        """Answer for what is left: locks the limits of all these asks, then answers each from memory."""
        book: CapBook | None = tx.scratch.get(CapBook)
        if book is None:
            book = tx.scratch[CapBook] = CapBook(self._clock())
            tx.closing(book.settle)
        fresh = {item.order_id: item for ask in asks for item in ask.wanted if item.order_id not in book.wanted}
        if fresh:
            await tx.flush()  # what can go out before others are made to wait does
            await self._load(tx, book, fresh.values())
        return book.room

    async def _load(self, tx: Tx, book: CapBook, wanted: Iterable[Wanted]) -> None:
        windows: dict[Key, datetime] = {}
        accounts: dict[str, str] = {}
        tied: list[str] = []
        for item in wanted:
            book.wanted[item.order_id] = item
            for key in keys_of(item, book.at):
                if key not in book.tally.used:
                    windows[key] = bounds(key[1], item.tz, book.at)[1]
            if item.account is not None and item.account not in book.tally.funds:
                accounts[item.account] = item.currency
            if item.ties:
                tied.append(item.order_id)
        if windows:
            book.tally.used |= await self._lock(tx, windows)
        if accounts:
            for name, guard in (await lock_guards(tx, list(accounts))).items():
                if guard.currency == accounts[name]:
                    book.tally.funds[name] = guard.available
        strange = [order_id for order_id in tied if order_id not in self._last]
        if strange:
            self._last |= dict.fromkeys(strange)
            self._last |= await store.last_sales(tx, strange)
        for order_id in tied:
            last = self._last[order_id]
            if last is not None:
                book.tally.last[order_id] = last

    async def _lock(self, tx: Tx, windows: dict[Key, datetime]) -> dict[Key, tuple[int, int]]:
        strange = {key: end for key, end in windows.items() if key not in self._known}
        if strange:
            await store.open_counters(tx, strange)
        found = await store.lock_counters(tx, list(windows))
        missing = {key: end for key, end in windows.items() if key not in found}
        if missing:
            # Somebody had them counted anew since we last saw them.
            await store.open_counters(tx, missing)
            found |= await store.lock_counters(tx, list(missing))
        if strange:
            tx.after(lambda: self._remember(strange))
        return found

    def _remember(self, keys: Iterable[Key]) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(keys)

    def keep_sale(self, tx: Tx, case: Case, sale: Sale, now: datetime) -> None:
        """Write a sale's legs and count them."""
        book: CapBook | None = tx.scratch.get(CapBook)
        at = book.at if book is not None else now
        for number, leg in enumerate(sale.legs, start=1):
            if book is not None:
                book.take(leg.order_id, leg.price)
            store.add_sale(
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
        book: CapBook | None = tx.scratch.get(CapBook)
        nothing = Money(0)
        if book is not None:
            book.take(assignment.order_id, nothing, f"{assignment.team}/{assignment.rep}")
        store.add_sale(
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
                at=book.at if book is not None else now,
            ),
        )


async def cancel_sale(tx: Tx, sale_id: str, because: Because, now: datetime) -> list[Event]:
    """Take a leg or an assignment back before it was good, and give its room back to the windows it was counted in.

    No event where it had ended before. The money is billing's: see ``reverse_sale`` there. Raises NotFound
    ``market.sale.unknown``.
    """
    ended = await store.end_leg(tx, sale_id, LegState.CANCELLED, now)
    if ended is None:
        if await store.find_leg(tx, sale_id) is None:
            raise NotFound("market.sale.unknown", "no such sale")
        return []
    await store.release(tx, order_scope(ended.order_id), ended.at, ended.price.amount)
    recipient = ended.buyer_id or ""
    if ended.team_id is not None:
        recipient = f"{ended.team_id}/{ended.rep_id}"
        await store.release(tx, rep_scope(recipient), ended.at, 0)
    return [
        SaleCancelled(
            at=now,
            sale_id=ended.id,
            order_id=ended.order_id,
            recipient=recipient,
            price=ended.price,
            because=because,
        )
    ]


async def sales_of(tx: Tx, lead_id: str) -> list[SaleRecord]:
    """Every leg and assignment of a lead, oldest first, the cancelled ones included."""
    return await store.legs_of(tx, lead_id)


async def find_sale(tx: Tx, sale_id: str) -> SaleRecord | None:
    """A leg or assignment by its id."""
    return await store.find_leg(tx, sale_id)


async def sales_to(tx: Tx, buyer_id: str, before: str | None = None, most: int = 50) -> list[SaleRecord]:
    """A page of a buyer's legs, newest first; ``before`` is the last id of the page before."""
    return await store.sales_to(tx, buyer_id, before, most)


async def turnover(tx: Tx) -> dict[tuple[str, str], int]:
    """What the standing legs of each buyer add up to, by buyer and currency, in minor units."""
    return await store.turnover(tx)


async def recount_limits(tx: Tx, order_ids: Sequence[str], team_ids: Sequence[str] = ()) -> None:
    """Have the counters of changed orders and teams counted anew from their sales: to be called by whoever changes
    caps, zones or budgets, in the same transaction."""
    if not order_ids and not team_ids:
        return
    await store.drop_counters(tx, sorted(order_scope(order_id) for order_id in order_ids), sorted(team_ids))


async def cap_use(tx: Tx, orders: Iterable[Order], now: datetime) -> list[CapUse]:
    """How much of every cap and budget is used in the windows of this moment, order by order."""
    lines: list[tuple[Order, Cap, Key, datetime]] = []
    for order in orders:
        caps = order.caps + ((Cap(Per.ALL, spend=order.budget),) if order.budget is not None else ())
        for cap in caps:
            starts, ends = bounds(cap.per, order.tz, now)
            lines.append((order, cap, (order_scope(order.id), cap.per, starts), ends))
    if not lines:
        return []
    windows = {key: ends for _, _, key, ends in lines}
    used = await store.read_counters(tx, list(windows))
    missing = {key: ends for key, ends in windows.items() if key not in used}
    if missing:
        used |= await store.count_sales(tx, missing)
    return [_cap_use(order, cap, used[key], key[2], ends, now) for order, cap, key, ends in lines]


async def rep_use(tx: Tx, reps: Iterable[str], tz: str, now: datetime) -> dict[str, int]:
    """How many leads each rep (``team/rep``) has had today, as the zone counts days."""
    starts, ends = bounds(Per.DAY, tz, now)
    windows = {(rep_scope(rep), Per.DAY, starts): ends for rep in reps}
    if not windows:
        return {}
    used = await store.read_counters(tx, list(windows))
    missing = {key: ends for key, ends in windows.items() if key not in used}
    if missing:
        used |= await store.count_sales(tx, missing)
    return {key[0].partition(":")[2]: leads for key, (leads, _) in used.items()}


def _cap_use(order: Order, cap: Cap, used: tuple[int, int], starts: datetime, ends: datetime, now: datetime) -> CapUse:
    of_leads = cap.leads is not None
    return CapUse(
        order_id=order.id,
        per=cap.per,
        kind="leads" if of_leads else "spend",
        used=used[0] if of_leads else used[1],
        limit=cap.leads if cap.leads is not None else cap.spend.amount if cap.spend is not None else 0,
        currency=order.currency,
        starts=starts,
        ends=ends,
        elapsed=0.0 if cap.per is Per.ALL else (now - starts) / (ends - starts),
    )


async def check(tx: Tx) -> list[Finding]:
    """Whether the market kept its promises: counters equal to the sales of their windows, none above its limit, no
    lead sold exclusively twice or twice to one buyer."""
    found = []
    for key, says, real in await store.wrong_counters(tx):
        text = f"the counter says {says[0]} leads and {says[1]} minor units, the sales {real[0]} and {real[1]}"
        found.append(Finding("market.counter.mismatch", _words(key), text))
    for key, says, limits in await store.overrun_counters(tx):
        text = f"{says[0]} leads and {says[1]} minor units, the limits {limits[0]} and {limits[1]}"
        found.append(Finding("market.cap.overrun", _words(key), text))
    found += [
        Finding("market.lead.oversold", lead_id, "has legs that exclude one another")
        for lead_id in await store.oversold(tx)
    ]
    return found


def _words(key: Key) -> str:
    return f"{key[0]} {key[1].value} {key[2]:%Y-%m-%dT%H:%MZ}"

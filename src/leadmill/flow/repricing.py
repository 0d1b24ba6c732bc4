"""Prices the market's limits anew: reads the auctions since last time, solves, and puts the prices in force.

Done by the worker's clock, every fifteen minutes; of several workers one does it. Reads the
journal's public events alone, so nothing personal comes near a price. The solving runs on a thread of its own: it
takes up to seconds, and deliveries do not wait for it.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from leadmill.flow.fates import learn_chances, refresh_tiers
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadReceived, LeadRow, StepTaken
from leadmill.flow.store import lead_ids_between, read_leads, sold_by_source
from leadmill.market import (
    LEARNED_OVER,
    Allocate,
    Auction,
    Line,
    Order,
    Seen,
    chances_due,
    keep_chances,
    keep_returns,
    keep_seen,
    last_seen,
    new_prices,
    read_known,
    returns_known,
    seen_of,
    take_turn,
    write_prices,
)
from leadmill.outcomes.service import bad_leads
from leadmill.runtime import journal
from leadmill.runtime.db import Tx
from leadmill.scoring import TIERS, Tiers

EVERY = timedelta(minutes=15)

_BATCH = 500
_SETTLES = timedelta(seconds=60)
"""Leads younger than this are left for the next time: one with an older id may still be under way."""

_BACK = timedelta(days=8)


async def reprice(kit: Kit, every: timedelta = EVERY) -> bool:
    """Solve for new shadow prices where it is time; whether new ones are in force now."""
    now = kit.clock()
    async with kit.db.begin() as turn:
        if not await take_turn(turn, now, every):
            return False
        await _learn(kit, now)
        await refresh_tiers(kit.db, _tiers(kit), now)
        await _catch_up(kit, now)
        lines = _lines(kit)
        origin = day_of(lines, now)
        async with kit.db.begin() as tx:
            returns = await _returns(tx, now)
            known = await read_known(tx, lines, returns, origin, now)
        prices = await asyncio.to_thread(new_prices, known, lines, origin, now, int(now.timestamp()))
        if prices is None:
            return False
        await write_prices(turn, prices, known.learned, now)
        return True


async def _learn(kit: Kit, now: datetime) -> None:
    """Learn anew how likely leads are refused, come back and are won, where it is time."""
    async with kit.db.begin() as tx:
        if not await chances_due(tx, now):
            return
    currencies = {name: one.currency for name, one in kit.walk().rules.verticals.items()}
    chances = await learn_chances(kit.db, now, currencies)
    if chances.refused is not None or chances.won is not None:
        async with kit.db.begin() as tx:
            await keep_chances(tx, chances, now)


def _tiers(kit: Kit) -> dict[str, tuple[Tiers, str]]:
    rules = kit.walk().rules
    cards = ((name, one.currency, rules.cards.get(name)) for name, one in rules.verticals.items())
    return {name: (card.tiers if card is not None else TIERS, currency) for name, currency, card in cards}


def day_of(lines: Sequence[Line], now: datetime) -> datetime:
    """When the day began that most orders live in."""
    zones = Counter(line.order.tz for line in lines if line.wanted.pers)
    zone = ZoneInfo(min(zones, key=lambda name: (-zones[name], name), default="UTC"))
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _lines(kit: Kit) -> list[Line]:
    found = [step for step in kit.walk().together if isinstance(step, Allocate)]
    return [line for step in found for line in step.lines if line.order.buyer is not None]


async def _catch_up(kit: Kit, now: datetime) -> None:
    """Add what was auctioned since last time to the sample."""
    orders = kit.walk().rules.orders
    async with kit.db.begin() as tx:
        after = await last_seen(tx)
    while True:
        async with kit.db.begin() as tx:
            ids = await lead_ids_between(tx, now - _BACK, now - _SETTLES, after, _BATCH)
            if not ids:
                return
            rows = await read_leads(tx, ids)
            pages = await journal.pages_of(tx, ids)
            seen = [
                one
                for lead_id in ids
                if (row := rows.get(lead_id)) is not None and not row.test
                if (one := _seen(kit.pen, row, pages.get(lead_id, ()), orders)) is not None
            ]
            after = ids[-1]
            await keep_seen(tx, after, seen, now)
        if len(ids) < _BATCH:
            return


def _seen(pen: Pen, row: LeadRow, pages: Sequence[journal.Page], orders: Mapping[str, Order]) -> Seen | None:
    """A lead as its first auction saw it."""
    for page in pages[:1]:
        events = pen.read_events(page)
        if not any(isinstance(event, LeadReceived) for event in events):
            return None
        for event in events:
            for item in event.learned if isinstance(event, StepTaken) and event.step == Allocate.name else ():
                told = pen.codecs.evidence.decode(item)
                if isinstance(told, Auction):
                    return seen_of(told, orders, row.received_at, row.source_id, row.region or "", row.score)
    return None


async def _returns(tx: Tx, now: datetime) -> dict[str, tuple[int, int]]:
    """Bad and sold leads by source: what a buyer reports as one that should not have been sold counts as returned."""
    known = await returns_known(tx, now)
    if known is not None:
        return known
    lost: Counter[str] = Counter()
    returned = await bad_leads(tx, now - LEARNED_OVER)
    for start in range(0, len(returned), _BATCH):
        rows = await read_leads(tx, returned[start : start + _BATCH])
        lost.update(row.source_id for row in rows.values())
    sold = await sold_by_source(tx, now - LEARNED_OVER)
    found = {source: (lost[source], max(sold.get(source, 0), lost[source])) for source in {*sold, *lost}}
    await keep_returns(tx, found, now)
    return found

"""How new shadow prices come about in a running house: what the market knows, read, and the prices, written.

Called by the pricing job in ``flow``, in one transaction each; between them lies the solving, which needs no store.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
from msgspec import Struct

from leadmill.ledger import guards
from leadmill.market.allocation import store
from leadmill.market.allocation.accept import Counts
from leadmill.market.allocation.chances import NOTHING, Chances
from leadmill.market.allocation.learned import Learned, Odds
from leadmill.market.allocation.sample import Codes, Collector
from leadmill.market.allocation.seen import Seen
from leadmill.market.allocation.shadow import Market, Prices, followed, solve_prices
from leadmill.market.allocation.shadows import CHANCES, LEARNED, PRICES, STALE
from leadmill.market.limits.store.counters import count_sales, read_counters
from leadmill.market.limits.tally import Tally, keys_of
from leadmill.market.model import (
    BUDGET,
    CAP_REACHED,
    CLOSED,
    CREDIT,
    MAX_LEGS,
    MODE,
    OUTBID,
    SAME_BUYER_LEG,
    Auction,
    Mode,
    Order,
    Per,
)
from leadmill.market.orderbook.lines import Line
from leadmill.market.windows import bounds
from leadmill.market.worths import KEPT_BACK, WORTH_LESS
from leadmill.runtime.db import Tx

T = TypeVar("T")

DAYS = 7
"""How many past days are looked at."""

MOST = 60_000
"""How many past leads are looked at, the newest first."""

ENOUGH = 200
"""Leads without which no prices are made: nothing follows from so few."""

_SETTLED = timedelta(hours=1)
"""A leg that was not given back in this time counts as taken."""

LEARNED_OVER = timedelta(days=30)
"""Over how long acceptance and returns are counted."""

_RECOUNT = timedelta(hours=6)
"""How often returns are counted anew: they come slowly, and counting looks at a month."""

RETURNS = "returns"

_WANTED = {
    code.code for code in (OUTBID, MODE, SAME_BUYER_LEG, CAP_REACHED, BUDGET, CREDIT, CLOSED, WORTH_LESS, KEPT_BACK)
}
"""Refusals of orders whose conditions held: they wanted the lead, and may want its like when they have room."""


class Known(Struct, frozen=True):
    """What the market knows when it prices: past and present leads, how far it has used its limits, whom it has
    learned what of, and the prices in force."""

    seen: list[Seen]
    used: dict[tuple[str, Per, datetime], tuple[int, int]]
    funds: dict[str, int]
    learned: Learned
    before: Prices | None
    chances: Chances = NOTHING


def seen_of(
    auction: Auction, orders: Mapping[str, Order], at: datetime, source: str, region: str, score: int | None
) -> Seen | None:
    """A lead as its auction saw it; None where nobody wanted it."""
    uses = []
    vertical = ""
    for item in auction.considered:
        order = orders.get(item.order_id)
        if order is None or order.buyer is None or (item.refused is not None and item.refused.code not in _WANTED):
            continue
        alone = item.price.amount if item.price is not None and order.mode is not Mode.SHARED else None
        leg = item.shared_price.amount if item.shared_price is not None else None
        if alone is not None or leg is not None:
            uses.append((order.id, alone, leg))
            vertical = order.vertical
    return Seen(at, source, vertical, region, score, uses) if uses else None


async def take_turn(tx: Tx, now: datetime, every: timedelta) -> bool:
    """Whether it is time to price, and nobody else does; nobody will until the transaction ends."""
    if not await store.alone(tx):
        return False
    found = await store.read_learned(tx, PRICES, Prices)
    return found is None or now - found[1] >= every


async def last_seen(tx: Tx) -> str:
    """The last lead that is in the sample."""
    return await store.last_seen(tx)


async def keep_seen(tx: Tx, last_id: str, seen: Sequence[Seen], now: datetime) -> None:
    """Add leads to the sample, up to ``last_id``, and let go of those that nobody looks at any more."""
    if seen:
        await store.add_seen(tx, last_id, seen)
    await store.forget_seen(tx, now - timedelta(days=DAYS + 1))


async def returns_known(tx: Tx, now: datetime) -> dict[str, tuple[int, int]] | None:
    """What was last counted of returns by source; None where it is time to count anew."""
    found = await store.read_learned(tx, RETURNS, dict[str, tuple[int, int]])
    return found[2] if found is not None and now - found[1] < _RECOUNT else None


async def keep_returns(tx: Tx, returns: Mapping[str, tuple[int, int]], now: datetime) -> None:
    """Keep what was counted of returns by source."""
    await store.write_learned(tx, RETURNS, dict(returns), now)


async def chances_due(tx: Tx, now: datetime) -> bool:
    """Whether it is time to learn anew how likely leads are refused, come back and are won."""
    found = await store.read_learned(tx, CHANCES, Chances)
    return found is None or now - found[1] >= _RECOUNT


async def keep_chances(tx: Tx, chances: Chances, now: datetime) -> None:
    """Put chances in force; every process takes them up within seconds."""
    await store.write_learned(tx, CHANCES, chances, now)


async def keep_counted(tx: Tx, name: str, body: object, now: datetime) -> None:
    """Keep something that was counted of the market, in the place of what was kept under the name before."""
    await store.write_learned(tx, name, body, now)


async def counted(tx: Tx, name: str, kind: type[T]) -> tuple[datetime, T] | None:
    """What was kept under a name, and when; None where nothing was, or by another release."""
    found = await store.read_learned(tx, name, kind)
    return (found[1], found[2]) if found is not None else None


async def chances_known(tx: Tx) -> Chances:
    """The chances in force."""
    found = await store.read_learned(tx, CHANCES, Chances)
    return found[2] if found is not None else NOTHING


async def read_known(
    tx: Tx, lines: Sequence[Line], returns: Mapping[str, tuple[int, int]], origin: datetime, now: datetime
) -> Known:
    """Everything that prices follow from. ``returns`` counts returned and sold leads by source."""
    keys = {}
    for line in lines:
        for key in keys_of(line.wanted, now):
            keys[key] = bounds(key[1], line.wanted.tz, now)[1]
    used = await read_counters(tx, list(keys))
    missing = {key: ends for key, ends in keys.items() if key not in used}
    if missing:
        used |= await count_sales(tx, missing)
    accounts = {line.wanted.account for line in lines}
    funds = {name: guard.available for name, guard in (await guards(tx)).items() if name in accounts}
    taken = await store.acceptance(tx, now - LEARNED_OVER, now - _SETTLED)
    learned = Learned(
        accepts={name: Counts(float(hits), float(tries)) for name, (hits, tries) in taken.items()},
        returns={name: Counts(float(hits), float(tries)) for name, (hits, tries) in returns.items()},
        unanswered=Counts(0.0, 1.0),
    )
    found = await store.read_learned(tx, PRICES, Prices)
    seen = await store.seen_since(tx, origin - timedelta(days=DAYS), MOST)
    chances = await store.read_learned(tx, CHANCES, Chances)
    before = found[2] if found is not None else None
    return Known(seen, used, funds, learned, before, chances[2] if chances is not None else NOTHING)


def new_prices(known: Known, lines: Sequence[Line], origin: datetime, now: datetime, seed: int) -> Prices | None:
    """The prices from ``now`` until the day that began at ``origin`` ends, and late in the day also those with which
    the next begins; None where too little was seen. Takes from a tenth of a second to some seconds of one core."""
    if len(known.seen) < ENOUGH:
        return None
    orders, traits = Codes(), (Codes(), Codes(), Codes())
    past, today = Collector(orders, traits), Collector(orders, traits)
    by_id = {line.order.id: line for line in lines}
    days = Counter((one.at - origin).days for one in known.seen)
    # The oldest day may be there in part: it would make every hour look quieter than it is.
    whole = [day for day in days if day < 0 and (day > min(days) or len(known.seen) < MOST)]
    for one in known.seen:
        uses = [use for use in one.uses if use[0] in by_id]
        legs = max((by_id[name].order.max_legs for name, _, leg in uses if leg is not None), default=1)
        rows = [(name, float(alone), False) for name, alone, _ in uses if alone is not None]
        rows += [(name, float(leg), True) for name, _, leg in uses if leg is not None]
        since = one.at - origin
        into = today if since.days >= 0 else past
        if since.days < 0 and since.days not in whole:
            continue
        score = float(one.score) if one.score is not None else 0.0
        into.add(
            since.total_seconds() % 86_400, (one.source, one.vertical, one.region), score, min(legs, MAX_LEGS), rows
        )
    tally = Tally(known.used, known.funds)
    market = Market(lines, tally, Odds(known.learned), orders, traits[0], chances=known.chances)
    ends = origin + timedelta(days=1)
    random = np.random.default_rng(seed)
    before, now_on = past.sample(), today.sample()
    prices = solve_prices(market, before, len(whole), now_on, origin, now, ends, known.before, random)
    if ends - now > STALE:
        return prices
    # These may still be in force when the next day begins.
    usual = (before, len(whole)) if whole else (now_on, 1)
    nothing = Collector(orders, traits).sample()
    following = solve_prices(market, *usual, nothing, ends, ends, ends + timedelta(days=1), None, random)
    return followed(prices, following, ends)


async def write_prices(tx: Tx, prices: Prices, learned: Learned, now: datetime) -> None:
    """Put prices in force; every process takes them up within seconds."""
    await store.write_learned(tx, LEARNED, learned, now)
    await store.write_learned(tx, PRICES, prices, now)

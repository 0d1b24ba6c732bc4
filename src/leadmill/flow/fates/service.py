"""What became of every lead that was handed to somebody: refused, come back, won; and the chances learned from it.

Read by the pricing job, which learns chances of it every few hours, and by the report of quality tiers. Nothing
personal is looked at: who got a lead, from whom, in which tier, and what was reported.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from sys import intern
from zlib import crc32

from msgspec import Struct

from leadmill.flow.fates.store import LeadTraits, leads_by_tier, traits_of_leads
from leadmill.flow.fates.tiers import Sold, TierReport, tier_rows
from leadmill.market import (
    REFUSALS,
    RETURNS,
    WINS,
    Cells,
    Chances,
    Placed,
    about_of,
    count,
    counted,
    fit_rates,
    fit_values,
    keep_counted,
    placed_between,
    traits_of,
)
from leadmill.outcomes import STAGES, Reported, outcomes_of_leads
from leadmill.runtime.db import Database, Tx
from leadmill.scoring import HORIZON, Heard, Tiers, What, label_of

OVER = timedelta(days=30)
"""Over how long refusals and returns are counted."""

REFUSABLE = timedelta(hours=1)
"""How old a leg must be to count: by then it has been refused, or not."""

RETURNABLE = timedelta(days=14)
"""How old a leg must be for not having come back to count. Most that come back do so by then."""

WON_OVER = timedelta(days=180)
"""Over how long wins are counted, behind the horizon that each leg is given."""

KEPT_DAYS = 120
"""Leads of so many days are in the report that is kept: with the horizon behind them, some had time to be won."""

_BATCH = 5_000
_TIERS = "tiers"
_RECOUNT = timedelta(hours=6)
_MOST_LEGS = 200_000
"""Legs that are held in memory at once for the report that is kept."""
_WHAT: dict[str, What] = {"won": "won", "lost": "lost", "bad": "bad", "open": "open"}


class Fate(Struct, frozen=True):
    """One leg or assignment and what became of it. ``refused`` at once, ``returned`` after it was accepted (given back
    late, or called bad; None where it was refused), ``won`` within the horizon (None as long as that is not full, and
    where it was refused); ``value`` is what the win was worth, where that was told. ``settled`` says that there was
    time to come back: of a younger leg ``returned`` is what is known so far."""

    leg: Placed
    lead: LeadTraits
    refused: bool
    returned: bool | None
    won: bool | None
    value: int | None = None
    settled: bool = True


async def fates_between(
    db: Database,
    since: datetime,
    until: datetime,
    horizon: timedelta,
    now: datetime,
    currencies: Mapping[str, str],
) -> AsyncIterator[Fate]:
    """Every leg and assignment of a span, test leads left out, oldest first. ``horizon`` is how long a win counts;
    ``currencies`` are those of the verticals, and values told in another are left out."""
    after = ""
    while True:
        async with db.begin() as tx:
            legs = await placed_between(tx, since, until, after, _BATCH)
            ids = sorted({leg.lead_id for leg in legs})
            leads, reports = await traits_of_leads(tx, ids), await outcomes_of_leads(tx, ids)
        for leg in legs:
            lead = leads.get(leg.lead_id)
            if lead is not None and not lead.test:
                currency = currencies.get(lead.vertical)
                yield fate_of(leg, lead, reports.get(leg.lead_id, ()), horizon, now, currency)
        if len(legs) < _BATCH:
            return
        after = legs[-1].sale_id


def fate_of(
    leg: Placed,
    lead: LeadTraits,
    reports: Sequence[Reported],
    horizon: timedelta,
    now: datetime,
    currency: str | None,
) -> Fate:
    """What became of a leg by what was reported of it, or of its lead as a whole."""
    settled = now - leg.at >= RETURNABLE
    if leg.given_back and not leg.late:
        return Fate(leg, lead, True, None, None, settled=settled)
    mine = [one for one in reports if one.sale_id in (None, leg.sale_id)]
    replaced = {one.replaces for one in mine}
    standing = [one for one in mine if one.outcome_id not in replaced]
    heard = [Heard(one.reporter, _WHAT[STAGES[one.disposition]], one.at, one.received_at) for one in standing]
    label = label_of(True, leg.at, heard, horizon, now)
    bad = any(one.current and STAGES[one.disposition] == "bad" for one in standing)
    wins = [one for one in standing if STAGES[one.disposition] == "won" and one.currency == currency]
    values = [one.value for one in wins if one.value is not None]
    value = values[-1] if values else None
    return Fate(leg, lead, False, leg.given_back or bad, label.converted, value, settled)


async def tier_report(
    db: Database,
    vertical: str,
    tiers: Tiers,
    currency: str,
    days: int,
    horizon: timedelta,
    now: datetime,
) -> TierReport:
    """How the leads of each quality tier of a vertical fared over the last ``days``, what was paid for them and within
    what they should sell. ``tiers`` are those of its card in force."""
    return (await tier_reports(db, {vertical: (tiers, currency)}, days, horizon, now))[vertical]


async def tier_reports(
    db: Database,
    verticals: Mapping[str, tuple[Tiers, str]],
    days: int,
    horizon: timedelta,
    now: datetime,
    most: int | None = None,
) -> dict[str, TierReport]:
    """The same of several verticals, each with its tiers and its currency; legs are read once. Of more than ``most``
    legs those of every second lead are looked at, or of every fourth, drawn by their ids."""
    since = now - timedelta(days=days)
    currencies = {name: currency for name, (_, currency) in verticals.items()}
    sold: dict[str, list[Sold]] = {name: [] for name in verticals}
    held, of = 0, 1
    async for fate in fates_between(db, since, now, horizon, now, currencies):
        mine, tier = sold.get(fate.lead.vertical), fate.lead.tier
        if mine is None or tier is None or not drawn(fate.leg.lead_id, of):
            continue
        mine.append(_sold(fate, tier))
        held += 1
        if most is not None and held > most:
            of *= 2
            sold = {name: [one for one in each if drawn(one.lead_id, of)] for name, each in sold.items()}
            held = sum(map(len, sold.values()))
    found = {}
    for name, (tiers, currency) in verticals.items():
        async with db.begin(still=True) as tx:
            leads = await leads_by_tier(tx, name, since, now)
        rows = await asyncio.to_thread(tier_rows, tiers, leads, sold.pop(name), of)
        found[name] = TierReport(name, currency, days, horizon.days, rows, of)
    return found


def drawn(lead_id: str, of: int) -> bool:
    """Whether a lead is in the sample of one in ``of``, a power of two; a smaller sample is part of a larger one."""
    return crc32(lead_id.encode()) % of == 0


async def refresh_tiers(db: Database, verticals: Mapping[str, tuple[Tiers, str]], now: datetime) -> None:
    """Count the tiers of all verticals anew where it is time, and keep that for whoever wants to look."""
    async with db.begin() as tx:
        found = await counted(tx, _TIERS, dict[str, TierReport])
    if found is not None and now - found[0] < _RECOUNT:
        return
    reports = await tier_reports(db, verticals, KEPT_DAYS, HORIZON, now, _MOST_LEGS)
    async with db.begin() as tx:
        await keep_counted(tx, _TIERS, reports, now)


async def kept_tiers(tx: Tx, vertical: str) -> tuple[datetime, TierReport] | None:
    """How the tiers of a vertical were when they were last counted; None where they never were."""
    found = await counted(tx, _TIERS, dict[str, TierReport])
    return (found[0], found[1][vertical]) if found is not None and vertical in found[1] else None


def _sold(fate: Fate, tier: str) -> Sold:
    return Sold(
        lead_id=fate.leg.lead_id,
        tier=intern(tier),
        price=fate.leg.price if fate.leg.bought else None,
        shared=fate.leg.shared,
        refused=fate.refused,
        returned=fate.returned,
        won=fate.won,
        value=fate.value,
        settled=fate.settled,
    )


async def learn_chances(
    db: Database, now: datetime, currencies: Mapping[str, str], horizon: timedelta = HORIZON
) -> Chances:
    """The chances that past legs show, as they stand now. Only legs count that had their time: to be refused, to come
    back, to be won. A young one that has not come back yet would make whoever is new look better than they are."""
    refused: Cells = {}
    returned: Cells = {}
    won: Cells = {}
    values: dict[str, list[int]] = {}
    async for fate in fates_between(db, now - RETURNABLE - OVER, now - REFUSABLE, horizon, now, currencies):
        traits = _traits(fate)
        if fate.leg.at >= now - OVER:
            count(refused, traits, fate.refused)
        if fate.returned is not None and fate.settled:
            count(returned, traits, fate.returned)
    async for fate in fates_between(db, now - horizon - WON_OVER, now - horizon, horizon, now, currencies):
        if fate.won is not None:
            count(won, _traits(fate), fate.won)
        if fate.won and fate.value is not None:
            values.setdefault(fate.leg.recipient, []).append(fate.value)
    return await asyncio.to_thread(_fitted, refused, returned, won, values)


def _fitted(refused: Cells, returned: Cells, won: Cells, values: dict[str, list[int]]) -> Chances:
    return Chances(
        refused=fit_rates(refused, REFUSALS),
        returned=fit_rates(returned, RETURNS),
        won=fit_rates(won, WINS),
        values=fit_values(values),
    )


def _traits(fate: Fate) -> tuple[str, str, str, str, str]:
    lead = fate.lead
    return traits_of(about_of(lead.vertical, lead.source_id, lead.tier, lead.suspicion), fate.leg.recipient)

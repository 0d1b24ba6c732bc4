"""The referee of ``leadmill bench limits``: counts everything anew from the rows of sales and postings alone.

Called once the sellers have ended and the time of all holds has passed.
"""

from collections.abc import Mapping
from datetime import datetime

import asyncpg

from benchmarks.sellers import Business
from leadmill.billing import check as check_billing
from leadmill.ledger import check as check_ledger
from leadmill.market import (
    check,
)
from leadmill.runtime.db import Database

_STANDING = "state IN ('sold', 'assigned')"
_QUESTIONS = {
    "sold twice": "SELECT lead_id AS what, count(*) AS says FROM sale WHERE " + _STANDING + " GROUP BY lead_id "
    "HAVING (count(*) > 1 AND bool_or(mode <> 'shared')) OR count(*) > count(DISTINCT buyer_id) OR count(*) > 3",
    "a hold that stands": "SELECT id AS what, 1 AS says FROM market_hold WHERE state = 'held'",
    "money still held": "SELECT id AS what, amount AS says FROM money_hold WHERE state = 'held'",
    "an account with money held": "SELECT account AS what, held AS says FROM account_limit WHERE held <> 0",
    "a share that stands": "SELECT scope || ' ' || holder AS what, 1 AS says FROM limit_lease",
    "a share of an account": "SELECT account || ' ' || holder AS what, 1 AS says FROM account_lease",
    "below the floor": "SELECT a.account AS what, coalesce(p.sum, 0) AS says FROM account_limit a LEFT JOIN LATERAL "
    "(SELECT sum(CASE WHEN credit = a.account THEN amount ELSE -amount END) AS sum FROM posting WHERE a.account IN "
    "(debit, credit)) p ON true WHERE coalesce(p.sum, 0) < a.floor",
}


async def referee(db: Database, market: Business, now: datetime) -> list[str]:
    """Everything that does not hold: by the program's own checks, and counted anew from sales and postings alone."""
    found: list[str] = []
    async with db.begin() as tx:
        for finding in [*await check(tx, now), *await check_ledger(tx), *await check_billing(tx)]:
            found.append(f"{finding.code} {finding.subject}: {finding.detail}")
    conn = await asyncpg.connect(db.url)
    try:
        for what, question in _QUESTIONS.items():
            found += [f"{what}: {row['what']} ({row['says']})" for row in await conn.fetch(question)]
        rows = await conn.fetch(
            "SELECT order_id, per, count(*) AS leads, sum(price)::bigint AS spend FROM sale, "
            "unnest(ARRAY['hour', 'day', 'month', 'all']) AS per WHERE " + _STANDING + " "
            "GROUP BY order_id, per, CASE WHEN per = 'all' THEN NULL ELSE date_trunc(per, at AT TIME ZONE 'UTC') END"
        )
    finally:
        await conn.close()
    for row in rows:
        order = market.orders[row["order_id"]]
        for cap in order.caps:
            if cap.per.value == row["per"]:
                over = cap.leads is not None and row["leads"] > cap.leads
                if over or (cap.spend is not None and row["spend"] > cap.spend.amount):
                    found.append(f"over its cap: {order.id} with {row['leads']} leads, {row['spend']} spent")
        plan = order.subscription
        if plan is not None and row["per"] == "month":
            # All that the account had beyond the fee went for leads beyond the plan's.
            over = max(0, row["leads"] - plan.leads) * plan.overage.amount
            had = market.roster.buyers[order.recipient].credit.balance
            if had is not None and over > had.amount - plan.fee.amount:
                found.append(f"over its plan: {order.id} with {row['leads']} leads")
        if row["per"] == "all" and order.budget is not None and row["spend"] > order.budget.amount:
            found.append(f"over its budget: {order.id} spent {row['spend']}")
    return found


async def fill_of(url: str, market: Business, offered: Mapping[str, int]) -> tuple[list[float], int]:
    """What the day caps sold of what they could have, least and mean; and all sales."""
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch("SELECT order_id, count(*) AS leads FROM sale WHERE " + _STANDING + " GROUP BY 1")
    finally:
        await conn.close()
    sold = {row["order_id"]: row["leads"] for row in rows}
    shares = [
        sold.get(item.id, 0) / max(1, min(item.caps[0].leads or 0, offered[item.id.removesuffix("-1")]))
        for item in market.orders.values()
        if item.id.startswith("day")
    ]
    return [min(shares), sum(shares) / len(shares)], sum(sold.values())

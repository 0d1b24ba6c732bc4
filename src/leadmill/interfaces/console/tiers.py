"""“Quality tiers” of a vertical: how the leads of each fare, what was paid for them, within what they should sell."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import NotFound
from leadmill.flow.fates import Part, price_rules_text, tier_report
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.scoring import HORIZON, TIERS

_DAYS = 120
"""Leads of so many days: with the horizon behind them, some of them have had time to be won."""


@get("/scores/{name:str}/tiers", include_in_schema=False)
async def tiers_page(desk: NamedDependency[Desk], name: FromPath[str]) -> Page:
    """The tiers of one vertical, counted when it is asked for."""
    rules = desk.wiring.rules
    vertical = rules.verticals.get(name)
    if vertical is None:
        raise NotFound("scoring.vertical.unknown", "there is no such vertical")
    card = rules.cards.get(name)
    tiers = card.tiers if card is not None else TIERS
    found = await tier_report(desk.wiring.db, name, tiers, vertical.currency, _DAYS, HORIZON, desk.now)
    rows = [
        {
            "tier": row.tier,
            "least": row.least,
            "leads": row.leads,
            "sold": row.sold,
            "paid": row.alone.mean if row.alone else row.leg.mean if row.leg else None,
            "shares": [_share(part) for part in (row.accepted, row.returned, row.won)],
            "earns": row.earns,
            "cost": row.cost,
            "bears": row.bears,
            "band": row.band or row.leg_band,
        }
        for row in found.tiers
    ]
    return desk.show(
        "tiers.html",
        "scores",
        vertical={"name": name, "title": vertical.title, "currency": vertical.currency},
        rows=rows,
        days=_DAYS,
        horizon=HORIZON.days,
        rules=price_rules_text(found) if any(row.band or row.leg_band for row in found.tiers) else "",
    )


def _share(part: Part) -> dict[str, str] | None:
    if not part.of:
        return None
    return {"share": f"{part.share:.1%}", "within": f"{part.low:.0%} to {part.high:.0%} of {part.of:,}"}


ROUTES = [tiers_page]

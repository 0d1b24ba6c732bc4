"""“Quality tiers” of a vertical: how the leads of each fare, what was paid for them, within what they should sell."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import NotFound
from leadmill.flow.fates import KEPT_DAYS, Part, kept_tiers, price_rules_text
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.scoring import HORIZON


@get("/scores/{name:str}/tiers", include_in_schema=False)
async def tiers_page(desk: NamedDependency[Desk], name: FromPath[str]) -> Page:
    """The tiers of one vertical, as a worker last counted them."""
    vertical = desk.wiring.rules.verticals.get(name)
    if vertical is None:
        raise NotFound("scoring.vertical.unknown", "there is no such vertical")
    async with desk.wiring.db.begin(still=True) as tx:
        at, found = await kept_tiers(tx, name) or (None, None)
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
        for row in (found.tiers if found is not None else ())
    ]
    return desk.show(
        "tiers.html",
        "scores",
        vertical={"name": name, "title": vertical.title, "currency": vertical.currency},
        rows=rows,
        at=at,
        of=found.of if found is not None else 1,
        days=found.days if found is not None else KEPT_DAYS,
        horizon=found.horizon if found is not None else HORIZON.days,
        rules=price_rules_text(found) if found is not None and any(row["band"] for row in rows) else "",
    )


def _share(part: Part) -> dict[str, str] | None:
    if not part.of:
        return None
    return {"share": f"{part.share:.1%}", "within": f"{part.low:.0%} to {part.high:.0%} of {part.of:,}"}


ROUTES = [tiers_page]

"""``leadmill scoring tiers`` and ``chances``: what quality tiers are worth, and what is expected of each recipient."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from leadmill.core.money import Money
from leadmill.flow.fates import Part, TierReport, price_rules_text, tier_report
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.cli.placing import vertical_of
from leadmill.interfaces.house import House, Opener
from leadmill.market import chances_known
from leadmill.scoring import HORIZON, TIERS


def add_tiers(family: typer.Typer, opener: Opener) -> None:
    """Add the commands to the family ``scoring``."""
    _add_chances(family, opener)

    @family.command("tiers", epilog="Example: leadmill scoring tiers solar --days 180 --out prices.toml")
    def tiers(
        vertical: Annotated[str, typer.Argument(metavar="VERTICAL", help="Such as solar.")],
        days: Annotated[int, typer.Option(min=1, max=3650, help="Leads of the last so many days.")] = 180,
        horizon: Annotated[int, typer.Option(min=1, max=730, help="Days within which a win counts.")] = HORIZON.days,
        out_file: Annotated[
            Path | None, typer.Option("--out", metavar="FILE.toml", help="Where price rules by tier go.")
        ] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Show how leads of each quality tier fare, what buyers paid, and within what they should sell."""

        async def act(house: House) -> int:
            rules = house.book.walk().rules
            name = vertical_of(house, vertical)
            card = rules.cards.get(name)
            found = await tier_report(
                house.db,
                name,
                card.tiers if card is not None else TIERS,
                rules.verticals[name].currency,
                days,
                timedelta(days=horizon),
                house.clock(),
            )
            if out_file is not None:
                out_file.write_text(price_rules_text(found))
            document(found) if as_json else _show(found)
            if out_file is not None and not as_json:
                out.print(f"Price rules by tier: {out_file}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _add_chances(family: typer.Typer, opener: Opener) -> None:
    @family.command("chances", epilog="Example: leadmill scoring chances solar")
    def chances(
        vertical: Annotated[str, typer.Argument(metavar="VERTICAL", help="Such as solar.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Show what auctions expect of each recipient: that it refuses a usual lead, sends it back, wins it."""

        async def act(house: House) -> int:
            name = vertical_of(house, vertical)
            currency = house.book.walk().rules.verticals[name].currency
            async with house.db.begin(still=True) as tx:
                found = (await chances_known(tx)).by_recipient(name)
            if as_json:
                document(found)
            else:
                rows = [
                    [
                        one.recipient,
                        *(f"{each:.1%}" if each is not None else "–" for each in (one.refused, one.returned, one.won)),
                        str(Money(one.value, currency)) if one.value is not None else "–",
                    ]
                    for one in found
                ]
                heads = ["recipient", "refused", "came back", "won", "a win is worth"]
                table(f"Expected of usual leads of {name}", heads, rows, right={1, 2, 3, 4})
                if not rows:
                    out.print("Nothing yet: chances are learned every six hours, from 50 legs on.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _show(found: TierReport) -> None:
    def money(amount: int | None) -> str:
        return str(Money(amount, found.currency)) if amount is not None else "–"

    rows = [
        [
            row.tier,
            f"{row.leads:,}",
            f"{row.sold:,}",
            money(row.alone.mean if row.alone else row.leg.mean if row.leg else None),
            _share(row.accepted),
            _share(row.returned),
            _share(row.won),
            money(row.earns),
            money(row.cost),
            f"{money(band.low)}–{money(band.high)}" if (band := row.band or row.leg_band) else "–",
        ]
        for row in found.tiers
    ]
    heads = ["tier", "leads", "sold", "paid", "accepted", "came back", "won", "earns", "cost a win", "price band"]
    table(f"Quality tiers of {found.vertical}, {found.days} days", heads, rows, right=set(range(1, 10)))
    out.print(
        f"Shares with the interval that holds them with 95 in 100; won within {found.horizon} days, of those that had "
        "so long. Earns is what a rated lead brought on average.",
        markup=False,
    )


def _share(part: Part) -> str:
    return f"{part.share:.1%} ({part.low:.0%}–{part.high:.0%})" if part.of else "–"

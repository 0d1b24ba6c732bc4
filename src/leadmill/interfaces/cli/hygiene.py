"""``leadmill hygiene``: whether addresses and numbers still reach their people, by source."""

from typing import Annotated

import typer

from leadmill.core.faults import NotFound
from leadmill.core.reading import nearest
from leadmill.enrich import MICROS
from leadmill.flow.upkeep import Group, HygieneReport, Share, read_report
from leadmill.hygiene import KINDS
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.house import House, Opener


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the command to the program."""

    @app.command("hygiene", epilog="Example: leadmill hygiene --days 90 --vertical solar")
    def hygiene(
        days: Annotated[int, typer.Option(min=1, max=365, help="How many days back.")] = 30,
        vertical: Annotated[str | None, typer.Option(help="Only leads of this vertical.")] = None,
        source: Annotated[str | None, typer.Option(help="Only leads of this source.")] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Tell whose address and number still reach them, what came back, and what is due to be asked about again."""

        async def act(house: House) -> int:
            rules = house.book.walk().rules
            if vertical is not None and vertical not in rules.verticals:
                raise NotFound(
                    "cli.vertical.unknown", f"no vertical '{vertical}'; {nearest(vertical, rules.verticals)}"
                )
            async with house.db.begin(still=True) as tx:
                report = await read_report(tx, house.kit, days, house.clock(), vertical, source)
            document(report) if as_json else _show(report)
            return 0

        run(opener, settings(home, database_url), act)


def _show(report: HygieneReport) -> None:
    heads = ["source", "vertical", "leads", "e-mail reached", "not", "phone reached", "not", "bounced", "disconnected"]
    rows = [_row(one) for one in (*report.groups, report.total)]
    table(f"The last {report.days} days", heads, rows, right=set(range(2, len(heads))))
    total = report.total
    back = [
        [kind, KINDS[kind].says, f"{total.kinds.get(kind, 0):,}", f"{total.before.get(kind, 0):,}"]
        for kind in KINDS
        if kind in total.kinds or kind in total.before
    ]
    if back:
        table("What came back", ["kind", "", "now", "before"], back, right={2, 3})
    ages = [[says, f"{n:,}"] for says, n in zip(report.ages, total.ages, strict=True)]
    table("Open leads, by when they were last looked at", ["", "leads"], ages, right={1})
    if report.due:
        due = [
            [one.id, f"{one.due:,}", f"{one.looked:,} of {one.per_day:,}", f"{one.changed:,}", _cost(one.cost)]
            for one in report.due
        ]
        table("Due to be asked about again", ["schedule", "due", "today", "changed", "cost"], due, right={1, 2, 3, 4})
    if not report.whole:
        out.print("More was heard than is looked at here: the shares are of the latest.")


def _row(one: Group) -> list[str]:
    return [
        one.source or "all",
        one.vertical,
        f"{one.leads:,}",
        *_shares(one.email),
        *_shares(one.phone),
        f"{one.kinds.get('bounced', 0):,}",
        f"{one.kinds.get('disconnected', 0):,}",
    ]


def _shares(share: Share) -> tuple[str, str]:
    whole = share.reachable + share.unreachable + share.unknown
    if not whole:
        return "–", "–"
    return f"{100 * share.reachable / whole:.1f} %", f"{100 * share.unreachable / whole:.1f} %"


def _cost(micros: int) -> str:
    return f"{micros / MICROS:,.2f}"

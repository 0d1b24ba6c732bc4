"""``leadmill enrich``: leads of a span looked at once more."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leadmill.enrich import MICROS
from leadmill.enrich.store import Run
from leadmill.flow.looking import start_run, work_run
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, run, settings, table
from leadmill.interfaces.house import House, Opener


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the command to the program."""

    @app.command("enrich", epilog="Example: leadmill enrich --since 2026-11-01 --topic phone")
    def enrich(
        since: Annotated[datetime, typer.Option(help="Leads received from this moment on (UTC).")],
        until: Annotated[datetime | None, typer.Option(help="Leads received before this moment (UTC).")] = None,
        topic: Annotated[list[str] | None, typer.Option(help="Only the chains on this topic; may be repeated.")] = None,
        vertical: Annotated[str | None, typer.Option(help="Only leads of this vertical.")] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Ask the providers about leads once more. Stopped and started again, it goes on; nobody's state changes."""

        async def act(house: House) -> int:
            begin, end = _utc(since), _utc(until) if until is not None else house.clock()
            async with house.db.begin() as tx:
                started = await start_run(tx, house.kit, topic or (), begin, end, "command line", vertical)
            with _bar() as bar:
                task = bar.add_task("asking", total=started.total)

                def show(now: Run) -> None:
                    bar.update(task, completed=now.leads)

                done = await work_run(house.kit, started.id, show)
            await house.asker.write_tallies()
            document(done) if as_json else _sum(done)
            return 0

        run(opener, settings(home, database_url), act)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("leads"),
        TimeRemainingColumn(),
        console=err,
        disable=not sys.stderr.isatty(),
    )


def _sum(done: Run) -> None:
    rows = [
        ["leads looked at", f"{done.leads:,}"],
        ["providers asked", f"{done.asked:,}"],
        ["leads of which something was learned", f"{done.changed:,}"],
        ["cost", f"{done.cost / MICROS:,.4f}"],
    ]
    table(f"Batch {done.id}", ["", ""], rows, right={1})

"""``leadmill apply`` and ``leadmill import``: the business as declared, and files of leads."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leadmill.billing import open_account
from leadmill.capture import ImportRun, read_map
from leadmill.flow.configure import apply_files
from leadmill.flow.importing import Summary, import_file
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, out, run, settings, table
from leadmill.interfaces.cli.hands import hired, lend_a_hand
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.settings import Settings

_LARGE = 256 << 10
"""Bytes of a file from which on another process is worth the two seconds that opening its house takes."""


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""

    @app.command("apply", epilog="Example: leadmill apply business.toml --dry-run")
    def declare(
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE.toml…", help="Sources, buyers, orders, teams, forms.")
        ],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, change nothing.")] = False,
        why: Annotated[str, typer.Option(help="Why scorecards change that say no why of their own.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Make the business as the files declare it. Doing it twice changes nothing."""

        async def act(house: House) -> int:
            found = await apply_files(
                house.db,
                files,
                author="command line",
                now=house.clock(),
                mint=house.mint,
                keyed_hash=house.vault.keyed_hash,
                environ=house.environ,
                verticals=house.book.walk().rules.verticals,
                dialects=house.book.walk().rules.dialects,
                on_buyer=open_account,
                dry_run=dry_run,
                why=why,
            )
            if as_json:
                document(found)
            else:
                for line in found.tell():
                    out.print(line, markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @app.command("import", epilog="Example: leadmill import leads.csv --source x-website --vertical education")
    def bring(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, JSONL or Parquet.")],
        source: Annotated[str, typer.Option(help="The source that the leads come from.")],
        vertical: Annotated[str, typer.Option(help="What the leads are for, e.g. education.")],
        map_file: Annotated[
            Path | None, typer.Option("--map", metavar="MAP.toml", help="Which column is which field.")
        ] = None,
        processes: Annotated[
            int | None, typer.Option(help="Processes that walk a large file.", show_default="2")
        ] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take a file of leads through the whole walk, exactly once. Stopped and started again, it goes on."""
        chosen = settings(home, database_url, import_processes=processes)

        async def act(house: House) -> int:
            with _bar() as bar:
                task = bar.add_task("importing", total=None)

                def show(now: ImportRun) -> None:
                    bar.update(task, total=now.total, completed=now.next_row)

                try:
                    mapping = read_map(map_file)
                    summary = await import_file(house.kit, file, source, vertical, mapping, show, hands=hands)
                finally:
                    for hand in hands:
                        hand.let_go()
            document(summary) if as_json else _sum(summary)
            return 0

        with hired(_others(file, chosen), _environ(chosen)) as hands:
            run(opener, chosen, act)

    @app.command("hand", hidden=True)
    def hand(
        fd: Annotated[int, typer.Option(help="The file descriptor of the import's socket.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
    ) -> None:
        """Walk portions of a file that an import reads."""

        async def act(house: House) -> int:
            await lend_a_hand(house, fd)
            return 0

        run(opener, settings(home, database_url), act)


def _others(file: Path, chosen: Settings) -> int:
    """How many processes an import takes beside its own."""
    try:
        size = file.stat().st_size
    except OSError:  # the import says what is wrong with it
        return 0
    return chosen.import_processes - 1 if size >= _LARGE else 0


def _environ(chosen: Settings) -> dict[str, str]:
    environ = {**os.environ, "LEADMILL_HOME": str(chosen.home)}
    return environ | ({"LEADMILL_DATABASE_URL": chosen.database_url} if chosen.database_url else {})


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeRemainingColumn(),
        console=err,
        disable=not sys.stderr.isatty(),
    )


def _sum(summary: Summary) -> None:
    counts = ("read", "sold", "assigned", "accepted", "review", "duplicate", "test")
    rows = [[name, f"{getattr(summary, name):,}"] for name in counts]
    rows += [[f"rejected, {code}", f"{count:,}"] for code, count in summary.rejected.items()]
    table(f"Import {summary.import_id}", ["outcome", "rows"], rows, right={1})
    if summary.errors_file:
        out.print(f"Rows that could not be taken: {summary.errors_file}", markup=False)

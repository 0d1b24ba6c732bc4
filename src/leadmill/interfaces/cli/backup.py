"""``leadmill backup`` and ``leadmill restore``: the whole state in one file, and back on an empty home."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.flow.backups import Restored, find_master, forget_again, load_backup, logs_of, make_backup
from leadmill.flow.verify import Report, verify
from leadmill.interfaces.cli.frame import (
    FINDINGS,
    DatabaseUrl,
    HomeDir,
    Json,
    document,
    err,
    guarded,
    out,
    run,
    settings,
)
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.archive import Manifest, read_manifest
from leadmill.runtime.postgres import only_server, store
from leadmill.runtime.settings import Settings

PASSPHRASE = "LEADMILL_BACKUP_PASSPHRASE"  # noqa: S105 the variable's name
"""The variable that may hold the passphrase, where nobody can be asked."""

_SURE = "The passphrase that locks the master key"
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""

    @app.command("backup", epilog="Example: leadmill backup leadmill-2026-11-22.backup")
    def backup(
        file: File,
        with_keys: Annotated[
            bool, typer.Option("--with-keys", help="Put the master key in as well, locked with a passphrase.")
        ] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Write the whole database to one file, as of one instant, while everything goes on. Without --with-keys the
        master key is not in it: keep it apart."""
        passphrase = _passphrase(confirm=True) if with_keys else None

        async def act(house: House) -> int:
            made = await make_backup(house.db, house.vault, house.settings.home, file, house.clock(), _tell, passphrase)
            async with house.db.begin() as tx:
                note_act(tx, Act(house.clock(), COMMAND_LINE, "backed_up", "with the key" if made.keys else ""))
            rows = sum(sheet.rows for sheet in made.tables)
            if as_json:
                document({"file": str(file), "bytes": file.stat().st_size, "rows": rows, "manifest": made})
            else:
                locked = "with the master key, locked" if made.keys else f"opens with the master key {made.master}"
                out.print(f"{file}: {len(made.tables)} tables, {rows:,} rows, {locked}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @app.command("restore", epilog="Example: leadmill restore leadmill-2026-11-22.backup --home ./fresh")
    def restore(
        file: File,
        erasures: Annotated[
            list[Path] | None,
            typer.Option("--erasures", metavar="LOG", help="The newest log of erasures; may stand more than once."),
        ] = None,
        with_keys: Annotated[
            bool, typer.Option("--with-keys", help="Take the master key from the backup, with its passphrase.")
        ] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Fill an empty home from a backup, forget again whoever was forgotten since, and verify."""
        chosen = settings(home, database_url)
        passphrase = _passphrase(confirm=False) if with_keys else None
        named = erasures or []

        def whole() -> int:
            manifest = read_manifest(file)
            for log in named:
                log.open().close()  # one that is named must be there
            master, place = find_master(manifest, chosen.home, os.environ, passphrase)
            with only_server(chosen.home), store(chosen.home, chosen.database_url, _tell) as url:
                asyncio.run(load_backup(url, file, manifest, chosen.home, master, os.environ, _tell))
                logs = logs_of(manifest, chosen.home, named, chosen.erasure_path)
                forgotten, report = asyncio.run(_settle(opener, chosen, logs))
            done = Restored(
                schema=manifest.schema,
                rows=sum(sheet.rows for sheet in manifest.tables),
                key=place,
                logs=[str(log) for log in logs],
                forgotten=forgotten,
            )
            document({"restored": done, "checked": report.checked, "findings": report.findings}) if as_json else None
            _say(done, manifest, report, as_json)
            return FINDINGS if report.findings else 0

        raise typer.Exit(guarded(whole))


async def _settle(opener: Opener, chosen: Settings, logs: list[Path]) -> tuple[int, Report]:
    """What is done with the house open: forget again, and verify."""
    async with opener(chosen) as house:
        forgotten = await forget_again(house.kit, logs, chosen.home, _tell)
        async with house.db.begin() as tx:
            note_act(tx, Act(house.clock(), COMMAND_LINE, "restored"))
        return forgotten, await verify(house.db, house.pen, house.clock(), chosen.home)


def _say(done: Restored, manifest: Manifest, report: Report, as_json: bool) -> None:
    if not done.logs:
        err.print(
            f"No log of erasures was found: whoever was forgotten after {manifest.at:%Y-%m-%d %H:%M} UTC can be read "
            "again. Name it with --erasures, into an empty home.",
            markup=False,
        )
    if as_json:
        return
    again = f"{done.forgotten} persons forgotten again by {', '.join(done.logs)}" if done.logs else "nobody forgotten"
    out.print(f"{done.rows:,} rows; master key from {done.key}; {again}", markup=False)
    for finding in report.findings:
        out.print(f"{finding.code} {finding.where}: {finding.detail}", markup=False)
    out.print("Everything holds." if not report.findings else f"{len(report.findings)} findings.")


def _passphrase(confirm: bool) -> str:
    given = os.environ.get(PASSPHRASE, "")
    return given or str(typer.prompt(_SURE, hide_input=True, confirmation_prompt=confirm, err=True))


def _tell(text: str) -> None:
    err.print(text, markup=False)

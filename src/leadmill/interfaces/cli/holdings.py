"""``leadmill privacy data-map``, ``agreements`` and ``drop``: what is held, who gets it, and deletion lists.

Added to the commands of ``privacy`` beside those for consumers' requests.
"""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from leadmill.core.faults import BadInput
from leadmill.flow.dropping import Worked, try_list, work_list
from leadmill.interfaces.cli.frame import FINDINGS, DatabaseUrl, HomeDir, Json, document, err, out, run, settings, table
from leadmill.interfaces.house import House, Opener
from leadmill.interfaces.personal import agreements_now, map_now
from leadmill.privacy import DROP_LISTS, DropFile, DropList, DropStatus, Standing, read_list, write_report

_MOST_BYTES = 1 << 30


def add_holdings(family: typer.Typer, opener: Opener) -> None:
    """Add the commands."""

    @family.command("data-map", epilog="Example: leadmill privacy data-map --json > data-map.json")
    def data_map(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Show what every column holds, why, where it goes and how long it stays."""

        async def act(house: House) -> int:
            drawn = map_now(house.book.walk().rules, house.plugins)
            if as_json:
                document(drawn)
                return 0
            columns = [[one.table, one.name, one.kind, one.whose, one.stays] for one in drawn.columns]
            table("Columns", ["table", "column", "kind", "of", "stays"], columns)
            goes = [
                [one.kind, one.id, one.by, "everything" if one.everything else " ".join(one.fields), one.agreement]
                for one in drawn.goes
            ]
            table("Where data of leads goes", ["", "id", "how", "fields", "agreement"], goes)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("agreements", epilog="Example: leadmill privacy agreements --json")
    def agreements(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Show what was agreed with whoever gets or handles personal data, what lacks and what ends soon. Exit status 1
        where something lacks."""

        async def act(house: House) -> int:
            found = agreements_now(house.book.walk().rules, house.plugins, house.clock().date())
            if as_json:
                document({"agreements": found, "lacking": sum(bool(one.lacking) for one in found)})
            else:
                table("Agreements", ["", "id", "agreed", "lacking", "ends"], [_agreed(one) for one in found])
            return FINDINGS if any(one.lacking for one in found) else 0

        run(opener, settings(home, database_url), act)

    @family.command("drop", epilog="Example: leadmill privacy drop 20261120_4821_DROP.zip --out answers")
    def drop(
        file: Annotated[
            Path,
            typer.Argument(
                metavar="FILE", exists=True, dir_okay=False, help="The archive that was downloaded, or one list as CSV."
            ),
        ],
        report: Annotated[
            Path | None,
            typer.Option("--out", help="Where the answers are written: a folder for an archive, a file for a list."),
        ] = None,
        list_name: Annotated[
            str, typer.Option("--list", help=f"Which list a CSV without the usual name is: {', '.join(DROP_LISTS)}.")
        ] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Work through deletion lists of the Delete Act: whoever is found is opted out and forgotten, the others are
        kept as hashes, and the answers are written. The same file again changes nothing."""
        if list_name and list_name not in DROP_LISTS:
            raise typer.BadParameter(f"one of {', '.join(DROP_LISTS)}", param_hint="--list")
        if report is None and not dry_run:
            raise typer.BadParameter("say where the answers are written", param_hint="--out")

        async def act(house: House) -> int:
            body = file.read_bytes()
            files = read_lists(file.name, body, cast(DropList, list_name) if list_name else None)
            if dry_run:
                worked = await try_list(house.kit, files)
            else:
                worked = await work_list(house.kit, files, body, file.name, "command")
            written = _write(worked, files, report, file.suffix == ".zip") if report is not None else []
            document(_told(worked, written, dry_run)) if as_json else _show(worked, written, dry_run)
            return FINDINGS if worked.unreadable or worked.failed else 0

        run(opener, settings(home, database_url), act)


def _agreed(one: Standing) -> list[str]:
    said = ", ".join(f"{each.id} {each.version}" for each in one.agreements) or one.contract
    return [one.partner, one.id, said, " ".join(one.lacking), str(one.ends or "")]


def read_lists(name: str, body: bytes, of: DropList | None) -> list[DropFile]:
    """The lists of a file. Raises BadInput ``privacy.drop.unreadable`` and as the reading of a list does."""
    if not name.endswith(".zip"):
        return [read_list(name, body.decode("utf-8", "replace"), of)]
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            members = [each for each in archive.infolist() if each.filename.endswith(".csv")]
            if sum(each.file_size for each in members) > _MOST_BYTES:
                raise BadInput("privacy.drop.too_long", f"{name}: at most {_MOST_BYTES >> 20} MiB; split it")
            return [read_list(each.filename, archive.read(each).decode("utf-8", "replace"), of) for each in members]
    except zipfile.BadZipFile:
        raise BadInput("privacy.drop.unreadable", f"{name} is no archive that can be read") from None


def _write(worked: Worked, files: Sequence[DropFile], report: Path, several: bool) -> list[str]:
    written = []
    for one in files:
        if one.removed:
            continue
        path = report / one.name if several else report
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write_report(worked.statuses, (line.id for line in one.lines)), encoding="utf-8", newline="")
        written.append(str(path))
    return written


def _told(worked: Worked, written: list[str], dry_run: bool) -> dict[str, Any]:
    return {
        "pull": worked.pull_id,
        **{name: getattr(worked.figures, name) for name in worked.figures.__struct_fields__},
        "withdrawn": worked.removed,
        "unreadable": worked.unreadable,
        "failed": worked.failed,
        "statuses": {name: int(status) for name, status in worked.statuses.items()},
        "written": written,
        "dry_run": dry_run,
    }


def _show(worked: Worked, written: list[str], dry_run: bool) -> None:
    kinds = list(worked.statuses.values())
    rows = [[status.name.lower().replace("_", " "), f"{kinds.count(status):,}"] for status in DropStatus]
    table("What would come of it" if dry_run else "What came of it", ["", "entries"], rows, right={1})
    if worked.removed:
        out.print(f"{worked.removed:,} entries were withdrawn.", markup=False)
    if worked.unreadable:
        err.print(f"{worked.unreadable:,} lines could not be read.", markup=False)
    if worked.failed:
        err.print(f"{worked.failed:,} entries wait for the next run; take the file again.", markup=False)
    for path in written:
        out.print(f"Written: {path}", markup=False)

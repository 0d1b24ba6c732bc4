"""``leadmill dnc``: do-not-call registries and reassigned numbers, taken in from files."""

from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from leadmill.core.faults import BadInput
from leadmill.interfaces.cli.frame import FINDINGS, DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.house import House, Opener
from leadmill.policy import TakenIn, registries_here, take_reassigned, take_registry

_FRESH_DAYS = 31

_File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The file.")]
_AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="The date of the version, such as 2026-11-20.")]


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    family = typer.Typer(help="Do-not-call registries and reassigned numbers.", no_args_is_help=True)
    app.add_typer(family, name="dnc")

    @family.command(
        "import", epilog="Example: leadmill dnc import 201.txt 212.txt --registry federal --as-of 2026-11-20"
    )
    def take(
        files: Annotated[
            list[Path],
            typer.Argument(
                metavar="FILE...",
                exists=True,
                dir_okay=False,
                help="One number a line, as 201,5550123, 2015550123 or +12015550123. Several files make one version.",
            ),
        ],
        registry: Annotated[str, typer.Option(help="federal, or a state's two letters.")],
        as_of: _AsOf,
        add: Annotated[
            bool, typer.Option("--add", help="Add to the version that is here, instead of in its place.")
        ] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take in a registry's version: its numbers, kept as keyed hashes, in place of the version before."""

        async def act(house: House) -> int:
            name, day = _registry(registry), _day(as_of)
            with ExitStack() as stack:
                lines = [stack.enter_context(file.open(encoding="utf-8", errors="replace")) for file in files]
                told = await take_registry(
                    house.db,
                    house.vault.keyed_hash,
                    name,
                    day,
                    chain.from_iterable(lines),
                    house.clock(),
                    add=add,
                )
            return _tell(told, f"{name} of {day}", as_json)

        run(opener, settings(home, database_url), act)

    @family.command("reassigned", epilog="Example: leadmill dnc reassigned results.csv --as-of 2026-11-20")
    def reassigned(
        file: _File,
        as_of: _AsOf,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take in what the database of reassigned numbers said: a number in the first column, yes, no or no_data in the
        last. It counts for consent that was given before."""

        async def act(house: House) -> int:
            day = _day(as_of)
            at = datetime.combine(day, time(), UTC)
            with file.open(encoding="utf-8", errors="replace") as lines:
                told = await take_reassigned(house.db, house.vault.keyed_hash, at, lines)
            return _tell(told, f"results of {day}", as_json)

        run(opener, settings(home, database_url), act)

    @family.command("list", epilog="Example: leadmill dnc list")
    def show(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Show the registries that are here, and how old their versions are. Exits with 1 where one is older than 31
        days: nobody is cleared for calls by it."""

        async def act(house: House) -> int:
            today = house.clock().astimezone(UTC).date()
            rows = [
                {
                    "registry": one.registry,
                    "as_of": one.as_of.isoformat(),
                    "days": (today - one.as_of).days,
                    "entries": one.entries,
                    "taken_at": one.taken_at.isoformat(),
                }
                for one in await registries_here(house.db)
            ]
            if as_json:
                document({"registries": rows})
            elif rows:
                columns = ["registry", "as of", "days", "numbers"]
                cells = [[str(row[key]) for key in ("registry", "as_of", "days", "entries")] for row in rows]
                table("Do-not-call registries", columns, cells, right={2, 3})
            else:
                out.print("No registry is here: leads are not held against any.", markup=False)
            return FINDINGS if any(int(str(row["days"])) > _FRESH_DAYS for row in rows) else 0

        run(opener, settings(home, database_url), act)


def _registry(text: str) -> str:
    name = text.strip()
    if name.lower() == "federal":
        return "federal"
    if len(name) == 2 and name.isascii() and name.isalpha():
        return name.upper()
    raise BadInput("cli.registry.unknown", f"no registry '{text}'; federal, or a state's two letters such as TX")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("cli.date.malformed", f"'{text}' is no date; write one such as 2026-11-20") from None


def _tell(told: TakenIn, what: str, as_json: bool) -> int:
    if as_json:
        document({"read": told.read, "unreadable": told.unreadable, "lines": list(told.lines)})
    else:
        out.print(f"{told.read:,} numbers read, {what}.", markup=False)
        if told.unreadable:
            where = ", ".join(map(str, told.lines))
            out.print(f"{told.unreadable:,} lines hold no number and match nobody: line {where}.", markup=False)
    return FINDINGS if told.unreadable else 0

"""``leadmill suppress``: lists of people who want to hear no more, in and out."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.core.faults import NotFound
from leadmill.flow.suppressionlists import Given, give_list, give_list_to, take_list
from leadmill.interfaces.cli.frame import FINDINGS, DatabaseUrl, HomeDir, Json, document, err, out, run, settings
from leadmill.interfaces.house import House, Opener


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    family = typer.Typer(help="Lists of people who want to hear no more.", no_args_is_help=True)
    app.add_typer(family, name="suppress")

    @family.command("import", epilog="Example: leadmill suppress import do-not-contact.csv")
    def take(
        file: Annotated[
            Path,
            typer.Argument(
                metavar="FILE",
                exists=True,
                dir_okay=False,
                help="One e-mail address, phone number or SHA-256 of one a line, or in the first column of a CSV.",
            ),
        ],
        country: Annotated[str, typer.Option(help="How numbers without + are read.")] = "US",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Suppress everybody on a list, for good. Taking it again changes nothing; a running worker stops what is
        under way."""

        async def act(house: House) -> int:
            with file.open(encoding="utf-8", errors="replace") as lines:
                told = await take_list(house.kit, lines, "command", country)
            if as_json:
                document(
                    {
                        "read": told.read,
                        "suppressed": told.fresh,
                        "hashes": told.hashes,
                        "unreadable": told.unreadable,
                        "lines": list(told.lines),
                    }
                )
            else:
                out.print(f"{told.read:,} entries read, {told.fresh:,} suppressed that were not before.", markup=False)
                if told.hashes:
                    says = "entries are hashes: they count from the next lead on, and match nobody we have already."
                    out.print(f"{told.hashes:,} {says}", markup=False)
                if told.unreadable:
                    where = ", ".join(map(str, told.lines))
                    says = "are neither address, number nor SHA-256 and match nobody: line"
                    out.print(f"{told.unreadable:,} {says} {where}.", markup=False)
            return FINDINGS if told.unreadable else 0

        run(opener, settings(home, database_url), act)

    @family.command("export", epilog="Example: leadmill suppress export --buyer helio > helio-optouts.csv")
    def give(
        buyer: Annotated[str, typer.Option(help="Under the hashes agreed on with this buyer.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Write everything suppressed as CSV to standard output: hashes alone, this installation's own or a buyer's."""

        async def act(house: House) -> int:
            given: AsyncIterator[Given | None] = give_list(house.kit)
            if buyer:
                party = house.book.walk().rules.roster.buyers.get(buyer)
                if party is None:
                    raise NotFound("cli.buyer.unknown", f"no buyer {buyer}")
                given = give_list_to(house.kit, house.lists, party)
            async with house.db.begin() as tx:
                note_act(tx, Act(house.clock(), COMMAND_LINE, "exported", f"opt-outs {buyer}".strip()))
            missing, parted = 0, ""
            # Entry by entry: a list may be long.
            sys.stdout.write('{"entries": [' if as_json else "hash,kind,since,channel\n")
            async for one in given:
                if one is None:
                    missing += 1
                    continue
                told = {"hash": one.hash, "kind": one.kind, "since": one.at.isoformat(), "channel": one.source}
                sys.stdout.write(f"{parted}{json.dumps(told)}" if as_json else f"{','.join(told.values())}\n")
                parted = ",\n"
            sys.stdout.write(f'], "missing": {missing}}}\n' if as_json else "")
            sys.stdout.flush()
            if missing:
                says = "entries cannot be given: they came on a list, or the person was forgotten."
                err.print(f"{missing:,} {says}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)

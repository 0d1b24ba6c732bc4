"""``leadmill known``: the people that a buyer has already, from a file of hashes."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from leadmill.core.faults import NotFound
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, out, run, settings
from leadmill.interfaces.house import House, Opener
from leadmill.overlap.model import Kind
from leadmill.overlap.service import MOST, Change


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the command to the program."""

    @app.command("known", epilog="Example: leadmill known helio.txt --buyer helio --kind phone --change replace")
    def known(
        file: Annotated[
            Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="One hexadecimal hash a line.")
        ],
        buyer: Annotated[str, typer.Option(help="Whose people they are.")],
        kind: Annotated[str, typer.Option(help=f"What was hashed: {' or '.join(get_args(Kind))}.")],
        change: Annotated[str, typer.Option(help=f"What to do: {', '.join(get_args(Change))}.")] = "add",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Change the list of the people whom a buyer has already and is not offered. All of the file or nothing."""
        if kind not in get_args(Kind):
            raise typer.BadParameter(f"one of {', '.join(get_args(Kind))}", param_hint="--kind")
        if change not in get_args(Change):
            raise typer.BadParameter(f"one of {', '.join(get_args(Change))}", param_hint="--change")

        async def act(house: House) -> int:
            party = house.book.walk().rules.roster.buyers.get(buyer)
            if party is None:
                raise NotFound("cli.buyer.unknown", f"no buyer {buyer}")
            changed = 0
            doing = cast(Change, change)
            async with house.db.begin() as tx:
                for hashes in _batches(file):
                    changed += await house.lists.change(tx, party, cast(Kind, kind), hashes, doing, house.clock())
                    doing = "add" if doing == "replace" else doing  # the list began anew with the first batch
            if as_json:
                document({"buyer": buyer, "kind": kind, "change": change, "changed": changed})
            else:
                out.print(f"{changed:,} entries changed in the list of {party.name}.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _batches(file: Path) -> Iterator[list[str]]:
    """The lines of a file in batches that one change may bring; at least one, so that an empty file can empty a
    list."""
    with file.open(encoding="ascii", errors="replace") as lines:
        hashes = (line.strip() for line in lines if line.strip())
        batch = list(islice(hashes, MOST))
        yield batch
        while batch := list(islice(hashes, MOST)):
            yield batch

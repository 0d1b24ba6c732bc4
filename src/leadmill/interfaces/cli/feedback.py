"""``leadmill feedback``: what came back by mail, or from a service, out of files."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from msgspec import Struct

from leadmill.flow.noticing import MOST, Told, take_notices
from leadmill.hygiene import Notice, Unread, read_file
from leadmill.interfaces.cli.frame import FINDINGS, DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.house import House, Opener

MOST_BYTES = 256 * 1024 * 1024
_BATCH = MOST // 10
"""Notices in one transaction: whoever sells the same leads waits no longer than these take."""
_PLACES = 20
T = TypeVar("T")


class FileTold(Struct, frozen=True):
    """What one file told: the sums, and the first places that could not be read."""

    file: str
    taken: int
    repeated: int
    ignored: int
    unknown: int
    kinds: dict[str, int]
    unread: int
    places: list[str]


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the command to the program."""

    @app.command("feedback", epilog="Example: leadmill feedback bounces.mbox --source postmaster")
    def feedback(
        files: Annotated[
            list[Path],
            typer.Argument(
                metavar="FILE…",
                exists=True,
                dir_okay=False,
                help="A mailbox (mbox), a message, or JSON lines of events.",
            ),
        ],
        source: Annotated[str, typer.Option(help="Who tells it, as it is shown from now on.")] = "file",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take in bounces, complaints and disconnected numbers. The same file again changes nothing."""

        read: list[tuple[str, list[Notice | Unread]]] = []

        async def act(house: House) -> int:
            told = [await _take(house, name, items, source) for name, items in read]
            document(told) if as_json else _show(told)
            return FINDINGS if any(one.unread for one in told) else 0

        chosen = settings(home, database_url)
        for path in files:
            if path.stat().st_size > MOST_BYTES:
                raise typer.BadParameter(f"{path.name} is over {MOST_BYTES >> 20} MiB; split it", param_hint="FILE")
            read.append((path.name, list(read_file(path.read_bytes()))))
        run(opener, chosen, act)


async def _take(house: House, name: str, items: Sequence[Notice | Unread], source: str) -> FileTold:
    notices = [item for item in items if isinstance(item, Notice)]
    unread = [item for item in items if not isinstance(item, Notice)]
    told = Told()
    for batch in _batches(notices):
        async with house.db.begin() as tx:
            told.add(await take_notices(tx, house.kit, batch, source, house.clock()))
    return FileTold(
        file=name,
        taken=told.taken,
        repeated=told.repeated,
        ignored=told.ignored,
        unknown=told.unknown,
        kinds=told.kinds,
        unread=len(unread),
        places=[f"{one.place} {one.says}" for one in unread[:_PLACES]],
    )


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _show(told: list[FileTold]) -> None:
    for one in told:
        rows = [
            ["taken", f"{one.taken:,}"],
            *([f"  {kind}", f"{n:,}"] for kind, n in Counter(one.kinds).most_common()),
            ["known already", f"{one.repeated:,}"],
            ["of nobody we know", f"{one.unknown:,}"],
            ["says nothing of an address or number", f"{one.ignored:,}"],
            ["could not be read", f"{one.unread:,}"],
        ]
        table(one.file, ["", ""], rows, right={1})
        for place in one.places:
            out.print(f"  {place}", markup=False)

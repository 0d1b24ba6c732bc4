"""What the commands that open the house share: their options, how it is opened, how it ends.

Used by the command modules beside it. How commands speak is in :mod:`leadmill.interfaces.cli.speaking`.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import typer
import uvloop

from leadmill.core.faults import BadInput
from leadmill.flow.backups import refuse_unfinished
from leadmill.interfaces.cli.speaking import (
    COULD_NOT,
    FINDINGS,
    USAGE,
    Json,
    document,
    err,
    guarded,
    listing,
    out,
    refused,
    table,
)
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.settings import Settings, read_settings

__all__ = [
    "COULD_NOT",
    "FINDINGS",
    "USAGE",
    "DatabaseUrl",
    "HomeDir",
    "Json",
    "document",
    "err",
    "guarded",
    "listing",
    "out",
    "run",
    "settings",
    "settle",
    "table",
]

HomeDir = Annotated[
    str | None,  # a Path would make a name left empty the folder one stands in
    typer.Option(
        "--home", metavar="DIR", help="Folder of the embedded database and the keys.", show_default="./.leadmill"
    ),
]
DatabaseUrl = Annotated[
    str | None, typer.Option("--database-url", metavar="URL", help="Another PostgreSQL instead of the embedded one.")
]


def settings(home: str | None, database_url: str | None, **more: Any) -> Settings:
    """The settings of a command: its options over the environment over the defaults. Ends the program with a word
    where one of them cannot be used."""
    given = {"home": home, "database_url": database_url, **more}
    try:
        return read_settings(os.environ, **{name: value for name, value in given.items() if value is not None})
    except BadInput as fault:
        raise typer.Exit(refused(fault)) from None


def run(opener: Opener, chosen: Settings, act: Callable[[House], Awaitable[int]]) -> NoReturn:
    """Open the house, act, close it, and end the program with the status that ``act`` returns."""

    async def inside() -> int:
        async with opener(chosen) as house:
            settle()
            return await act(house)

    def start() -> int:
        refuse_unfinished(chosen.home)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(inside())

    raise typer.Exit(guarded(start))


def settle() -> None:
    """Spare the collector what stays: packs, places and rules are a million objects that it would look through again
    and again, which cost a lead more than any step of its walk."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)

"""``leadmill market play``: the house's allocation against a referee who hides the future, over standard input and
output.

The referee sends one JSON message a line, a lead or what became of an offer, and is answered with the next offer or a
pass. What is played is the code that ``serve`` sells by; nothing is stored and no database is opened.
"""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from leadmill.core.faults import BadInput
from leadmill.interfaces.cli.frame import err, guarded, settle
from leadmill.interfaces.house import Opener
from leadmill.market import Player, converse

_ORDERS, _SOURCES = "orders.csv", "sources.csv"


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the family to the program. A play needs no house, so ``opener`` stays closed."""
    market = typer.Typer(help="Play a day of the market against a referee.", no_args_is_help=True)
    app.add_typer(market, name="market")

    @market.callback()
    def top() -> None:
        """Play a day of the market against a referee."""

    @market.command("play", epilog="Example: leadmill market play --history ./day < referee.out > referee.in")
    def play(
        history: Annotated[
            Path,
            typer.Option(
                "--history",
                metavar="DIR",
                help="Folder with orders.csv, sources.csv and a history_1.csv, history_2.csv … for each past day.",
            ),
        ],
        seed: Annotated[int, typer.Option("--seed", help="What the random choices begin from.")] = 1,
    ) -> None:
        """Sell each lead that the referee sends, one JSON message a line; with its offers or without."""
        raise typer.Exit(guarded(lambda: _play(history, seed, sys.stdin, sys.stdout)))


def _play(folder: Path, seed: int, lines: TextIO, answers: TextIO) -> int:
    player = Player(_rows(folder / _ORDERS), _rows(folder / _SOURCES), _days(folder), seed)
    settle()

    def hear() -> dict[str, Any] | None:
        text = lines.readline()
        if not text.strip():
            return None
        try:
            found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            raise BadInput("market.play.malformed", "the referee's message is no JSON object") from None
        return found

    def say(message: Any) -> None:
        answers.write(msgspec.json.encode(message).decode() + "\n")
        answers.flush()

    last = converse(player, hear, say)
    if last is not None:
        err.print(f"leadmill: {msgspec.json.encode(last).decode()}", markup=False)
    return 0


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        raise BadInput("market.play.history", f"{path.name} is missing in {path.parent}") from None


def _days(folder: Path) -> list[list[dict[str, str]]]:
    found: list[list[dict[str, str]]] = []
    while (path := folder / f"history_{len(found) + 1}.csv").is_file():
        found.append(_rows(path))
    return found

"""The commands of models and files, as a program of their own that starts without a house.

Run by :mod:`leadmill.__main__`; the whole program has the same commands from the same module.
"""

import typer

from leadmill.interfaces.cli import scoring

cli = typer.Typer(name="leadmill", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@cli.callback()
def _top() -> None:
    """Keeps a program of one family from losing that family's name."""


scoring.add_to(cli)

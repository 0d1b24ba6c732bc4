"""The command of files of persons, as a program of its own that starts at once.

Run by :mod:`leadmill.__main__`; the whole program has the same command from the same module. Each command that needs no
house has such a program to itself, for one would wait for what another imports.
"""

import typer

from leadmill.interfaces.cli import resolve

cli = typer.Typer(name="leadmill", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@cli.callback()
def _top() -> None:
    """Keeps a program of one command from losing that command's name."""


resolve.add_to(cli)

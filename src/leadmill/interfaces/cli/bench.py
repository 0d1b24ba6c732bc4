"""``leadmill bench``: to come with the benchmarks."""

import typer

from leadmill.interfaces.house import Opener


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the command."""

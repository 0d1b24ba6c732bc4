"""The command ``leadmill``, put together from its families of commands.

Made in ``main``, which gives the opener of the house.
"""

import typer

from leadmill import __version__
from leadmill.interfaces.cli import (
    backup,
    bench,
    care,
    certificate,
    dnc,
    enrich,
    feedback,
    hygiene,
    keys,
    known,
    load,
    market,
    policy,
    privacy,
    rating,
    resolve,
    retention,
    review,
    security,
    serve,
    suppress,
    training,
    why,
)
from leadmill.interfaces.cli.frame import out
from leadmill.interfaces.house import Opener, Work


def program(opener: Opener, serve_on: Work, work: Work) -> typer.Typer:
    """The program with all its commands."""
    app = typer.Typer(
        name="leadmill",
        help="Leadmill runs a lead business: capture, consent, checks, scoring, law, market, delivery, money, and why.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )

    @app.callback(invoke_without_command=True)
    def top(version: bool = typer.Option(False, "--version", help="Show the version and end.")) -> None:
        if version:
            out.print(f"leadmill {__version__}")
            raise typer.Exit

    serve.add_to(app, opener, serve_on, work)
    for family in (
        load,
        enrich,
        feedback,
        hygiene,
        why,
        certificate,
        care,
        backup,
        keys,
        security,
        known,
        suppress,
        privacy,
        dnc,
        retention,
        market,
        resolve,
        policy,
        training,
        rating,
        review,
        bench,
    ):
        family.add_to(app, opener)
    return app

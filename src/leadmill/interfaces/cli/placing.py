"""``leadmill scoring add``, ``models``, ``activate``, ``retire``: learned models and their places in the house.

Part of the family that :mod:`leadmill.interfaces.cli.rating` adds.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.reading import nearest
from leadmill.flow.changes import Difference, What
from leadmill.flow.scorecards import RETIRED, Author, add_model, foreign_words, give_place, models_in_force
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.db import Tx
from leadmill.scoring import STATES
from leadmill.scoring.retraining import Run, runs_of

ModelId = Annotated[str, typer.Argument(metavar="MODEL", help="The id it was added under.")]
_LATELY = 5
"""Trainings that are shown beside the models."""
_SHOWN = ("state", "share")
"""What is told of a model's record that changed."""
Why = Annotated[str, typer.Option(help="Why; it is kept with the version.")]


def add_models(family: typer.Typer, opener: Opener) -> None:
    """Add the commands to the family ``scoring``."""

    @family.command("add", epilog="Example: leadmill scoring add model --id solar-1 --vertical solar")
    def add(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="What leadmill scoring train wrote.")],
        ident: Annotated[str, typer.Option("--id", help="What it shall be called.")],
        vertical: Annotated[str, typer.Option(help="Whose leads it is about.")],
        foresees: Annotated[
            str | None,
            typer.Option(help="conversion, bad, acceptance or review.", show_default="by its target, else conversion"),
        ] = None,
        why: Why = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Keep a trained model in the house and register it as a candidate, which rates nobody yet."""

        async def change(tx: Tx, house: House) -> list[str]:
            by = author(house)
            made = await add_model(tx, folder, ident, vertical_of(house, vertical), why, by, foresees)
            says = f"model {made.id}: candidate for {made.vertical}, foresees {made.foresees}, digest {made.digest}"
            return [says, *await _foreign(tx, ident, by)]

        change_by(opener, home, database_url, as_json, change)

    @family.command("models", epilog="Example: leadmill scoring models")
    def models(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """List the models, their places and their shares of leads."""

        async def act(house: House) -> int:
            async with house.db.begin(still=True) as tx:
                found = (await models_in_force(tx)).values()
                runs = await runs_of(tx, _LATELY)
            muted = house.book.walk().rules.models.muted
            if as_json:
                document(list(found))
            else:
                rows = [
                    [
                        one.id,
                        one.vertical,
                        one.state,
                        "" if one.share is None else f"{one.share / 100:g} %",
                        one.foresees,
                        one.digest[:12],
                    ]
                    for one in found
                ]
                table("Models", ["model", "vertical", "place", "share", "foresees", "digest"], rows, right={3})
                for ident, why in muted.items():
                    out.print(f"{ident} is not heard, for its pack does not allow it: {why}", markup=False)
                if runs:
                    show_runs(runs)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("trainings", epilog="Example: leadmill scoring trainings --json")
    def trainings(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """List what came of training models again by schedule, the latest first."""

        async def act(house: House) -> int:
            async with house.db.begin(still=True) as tx:
                runs = await runs_of(tx)
            document(runs) if as_json else show_runs(runs)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("activate", epilog="Example: leadmill scoring activate solar-1 --as shadow --why 'to be heard'")
    def activate(
        ident: ModelId,
        state: Annotated[str, typer.Option("--as", help="candidate, shadow, challenger or champion.")],
        why: Why,
        share: Annotated[str | None, typer.Option(help="Of the leads, such as 0.10.")] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Give a model its place: a shadow is heard, a challenger decides about a share, a champion about the rest.

        Refused where the law bars what it looks at, where its card fails its limits of fairness, or where most of what
        it looks at is nothing that a lead can have.
        """

        async def change(tx: Tx, house: House) -> list[str]:
            if state not in STATES:
                raise BadInput("scoring.model.malformed", f"there is no place '{state}'; {nearest(state, STATES)}")
            by = author(house)
            made = await give_place(tx, ident, state, share, why, by)
            return [*_told(made), *await _foreign(tx, ident, by)]

        change_by(opener, home, database_url, as_json, change)

    @family.command("retire", epilog="Example: leadmill scoring retire solar-1 --why 'drifted'")
    def retire(
        ident: ModelId, why: Why, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Take a model out of play. What it rated can still be decided again."""

        async def change(tx: Tx, house: House) -> list[str]:
            return _told(await give_place(tx, ident, RETIRED, None, why, author(house)))

        change_by(opener, home, database_url, as_json, change)


def _told(made: Sequence[Difference]) -> list[str]:
    """What became of models' places, without what else their records hold."""
    lines: list[str] = []
    for each in made:
        kept = tuple(
            msgspec.structs.replace(
                one,
                fields=tuple(field for field in one.fields if field.field in _SHOWN and one.what is not What.RETIRED),
            )
            for one in each.records
        )
        lines += msgspec.structs.replace(each, records=kept).tell()
    return lines


async def _foreign(tx: Tx, ident: str, by: Author) -> list[str]:
    """A line on what a model looks at that no lead can have."""
    says = await foreign_words(tx, ident, by)
    return [f"Mind: {says}"] if says else []


def show_runs(runs: Sequence[Run]) -> None:
    """What came of training by schedule."""
    rows = [
        [f"{one.at:%Y-%m-%d %H:%M}", one.retrain, one.vertical, one.target, one.standing, one.model, one.says]
        for one in runs
    ]
    table("Trained by schedule", ["at", "schedule", "vertical", "target", "", "model", "what came of it"], rows)


def author(house: House) -> Author:
    """The command line as somebody who changes something now."""
    return Author("command line", house.clock(), house.mint, house.vault.keyed_hash, house.book.walk().rules)


def change_by(
    opener: Opener,
    home: str | None,
    database_url: str | None,
    as_json: bool,
    change: Callable[[Tx, House], Awaitable[list[str]]],
) -> NoReturn:
    """Open the house, make a change in one transaction, and tell its lines."""

    async def act(house: House) -> int:
        async with house.db.begin() as tx:
            lines = await change(tx, house)
        if as_json:
            document({"changed": lines})
        else:
            for line in lines:
                out.print(line, markup=False)
        return 0

    run(opener, settings(home, database_url), act)


def vertical_of(house: House, name: str) -> str:
    """The vertical by its name. Raises NotFound ``cli.vertical.unknown``."""
    known = house.book.walk().rules.verticals
    if name not in known:
        raise NotFound("cli.vertical.unknown", f"no vertical '{name}'; {nearest(name, known)}")
    return name

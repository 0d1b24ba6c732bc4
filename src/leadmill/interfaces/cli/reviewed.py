"""``leadmill scoring reviews``, ``accept``, ``dismiss``, ``adjustments``: reviews of cards that wait for a person, and
what is laid over cards and models for a while.

Part of the family that :mod:`leadmill.interfaces.cli.rating` adds.
"""

from pathlib import Path
from typing import Annotated

import typer

from leadmill.core.faults import NotFound
from leadmill.flow.adjusting import LaidOver, adjustments_of
from leadmill.flow.card_reviews import accept_review, dismiss_review
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.cli.placing import Why, author, change_by, vertical_of
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.db import Tx
from leadmill.scoring import KeptReview, find_review, reviews_of_card

ReviewId = Annotated[str, typer.Argument(metavar="REVIEW", help="Such as crv_01k…; reviews lists them.")]
OfVertical = Annotated[str, typer.Argument(metavar="[VERTICAL]", help="Such as solar; all where left out.")]
_WHEN = {"counts": "counts now", "to_come": "to come", "over": "over", "retired": "retired"}


def add_reviews(family: typer.Typer, opener: Opener) -> None:
    """Add the commands to the family ``scoring``."""
    _add_lists(family, opener)

    @family.command("accept", epilog="Example: leadmill scoring accept crv_01k… --why 'renters do buy'")
    def accept(
        review: ReviewId, why: Why, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Put what a review suggests in force, as the card's next version. Look at it first: reviews --out, preview."""

        async def change(tx: Tx, house: House) -> list[str]:
            one = await accept_review(tx, house.packs, review, why, author(house))
            return [f"the card of {one.vertical} has the points that {one.id} suggests"]

        change_by(opener, home, database_url, as_json, change)

    @family.command("dismiss", epilog="Example: leadmill scoring dismiss crv_01k… --why 'a strange month'")
    def dismiss(
        review: ReviewId, why: Why, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Leave a card as it is, whatever a review suggests."""

        async def change(tx: Tx, house: House) -> list[str]:
            one = await dismiss_review(tx, review, why, author(house))
            return [f"{one.id} is dismissed; the card of {one.vertical} stays as it is"]

        change_by(opener, home, database_url, as_json, change)


def _add_lists(family: typer.Typer, opener: Opener) -> None:
    @family.command("reviews", epilog="Example: leadmill scoring reviews solar")
    def reviews(
        vertical: OfVertical = "",
        review: Annotated[str, typer.Option("--review", help="One of them, to write what it suggests.")] = "",
        out_file: Annotated[
            Path | None, typer.Option("--out", metavar="FILE.toml", help="Where the suggested card goes.")
        ] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """List the reviews that were made of cards by themselves: what waits, what was taken up, by whom and why."""

        async def act(house: House) -> int:
            name = vertical_of(house, vertical) if vertical else ""
            async with house.db.begin() as tx:
                found = await reviews_of_card(tx, name, 50)
                one = await find_review(tx, review) if review else None
            if review and one is None:
                raise NotFound("scoring.review.unknown", f"there is no review '{review}'")
            if one is not None:
                found = [one]
            if out_file is not None:
                shown = one or next((each for each in found if each.text), None)
                if shown is None or not shown.text:
                    raise NotFound("scoring.review.nothing", "none of these reviews suggests other points")
                out_file.write_text(shown.text)
            if as_json:
                document(found)
                return 0
            table(
                "Reviews of cards",
                ["review", "vertical", "made", "leads", "converted", "says", "by", "why"],
                [_review(each) for each in found],
                right={3, 4},
            )
            if out_file is not None:
                out.print(f"The suggestion: {out_file}. Look at it with: leadmill scoring preview {out_file}")
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("adjustments", epilog="Example: leadmill scoring adjustments solar")
    def adjustments(
        vertical: OfVertical = "", home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """List what is laid over cards and models for a while: from when, until when, by whom and why."""

        async def act(house: House) -> int:
            name = vertical_of(house, vertical) if vertical else None
            async with house.db.begin(still=True) as tx:
                found = await adjustments_of(tx, house.clock(), name)
            if as_json:
                document(found)
                return 0
            head = ["adjustment", "vertical", "points", "from", "until", "", "by", "why"]
            table("Laid over cards and models", head, [_laid_over(each) for each in found], right={2})
            return 0

        run(opener, settings(home, database_url), act)


def _review(one: KeptReview) -> list[str]:
    says = "waits: other points" if one.standing == "waiting" else one.standing.replace("_", " ")
    made = f"{one.at:%Y-%m-%d}"
    return [
        one.id,
        one.vertical,
        made,
        f"{one.found.leads:,}",
        f"{one.found.converted:,}",
        says,
        one.by or "",
        one.why or one.found.thin,
    ]


def _laid_over(one: LaidOver) -> list[str]:
    record = one.record
    return [
        record.id,
        record.vertical,
        f"{record.points:+d}",
        record.starts.isoformat() if record.starts else "",
        record.ends.isoformat() if record.ends else "",
        _WHEN[one.when],
        one.author,
        record.why,
    ]

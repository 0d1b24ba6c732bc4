"""``leadmill scoring``, the part that works on a house: scorecards and their versions, what leads became, models in
their places. Training and applying models to files is :mod:`leadmill.interfaces.cli.scoring`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from leadmill.flow.card_reviews import review_of
from leadmill.flow.configure import changed_rules, read_files
from leadmill.flow.examining import MOST, examine
from leadmill.flow.history import TARGET, TIME, unfit_for, write_history
from leadmill.flow.rating import barring_of
from leadmill.flow.scorecards import (
    card_in_force,
    find_version,
    go_back,
    text_of,
    versions_of,
)
from leadmill.flow.whatif import WhatIf, replay_with
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, out, run, settings, table
from leadmill.interfaces.cli.placing import Why, add_models, author, change_by, vertical_of
from leadmill.interfaces.cli.reviewed import add_reviews
from leadmill.interfaces.cli.tiers import add_tiers
from leadmill.interfaces.cli.watched import add_watch
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.db import Tx
from leadmill.scoring import (
    HORIZON,
    CardReview,
    CardReviewTerms,
    Share,
    odds_words,
    suggested_card,
)

Vertical = Annotated[str, typer.Argument(metavar="VERTICAL", help="Such as solar.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="Leads of the last so many days.")]
Horizon = Annotated[int, typer.Option(min=1, max=730, help="Days within which an outcome counts.")]
_HORIZON = HORIZON.days


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the family ``scoring``, which may be there already."""
    family = next((each.typer_instance for each in app.registered_groups if each.name == "scoring"), None)
    if family is None:
        family = typer.Typer(help="Scorecards and models: what a lead is worth, and why.", no_args_is_help=True)
        app.add_typer(family, name="scoring")
    _add_cards(family, opener)
    _add_learning(family, opener)
    add_models(family, opener)
    add_reviews(family, opener)
    add_tiers(family, opener)
    add_watch(family, opener)


def _add_cards(family: typer.Typer, opener: Opener) -> None:
    @family.command("card", epilog="Example: leadmill scoring card solar > solar-card.toml")
    def card(
        vertical: Vertical,
        revision: Annotated[int | None, typer.Option(help="That of an older version; 0 is the pack's.")] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Print a vertical's card as a file that ``leadmill apply`` takes: change it, preview it, apply it."""

        async def act(house: House) -> int:
            async with house.db.begin(still=True) as tx:
                name = vertical_of(house, vertical)
                if revision is None:
                    found = await card_in_force(tx, house.packs, name)
                else:
                    found = await find_version(tx, house.packs, name, revision)
            if as_json:
                document({"vertical": name, "revision": found.revision, "card": found.raw})
            else:
                print(text_of(name, found, found.why), end="")
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("versions", epilog="Example: leadmill scoring versions solar")
    def versions(
        vertical: Vertical, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """List every version of a vertical's card: who made it, when, why, and its digest."""

        async def act(house: House) -> int:
            async with house.db.begin(still=True) as tx:
                found = await versions_of(tx, house.packs, vertical_of(house, vertical))
            rows = [
                {
                    "revision": one.revision,
                    "at": one.at,
                    "by": one.author,
                    "why": one.why,
                    "version": one.card.version if one.card is not None else None,
                    "digest": one.card.digest if one.card is not None else None,
                }
                for one in found
            ]
            if as_json:
                document(rows)
            else:
                cells = [
                    [_said(row[key]) for key in ("revision", "at", "by", "version", "digest", "why")] for row in rows
                ]
                table(
                    f"Versions of the card of {vertical}", ["revision", "at", "by", "version", "digest", "why"], cells
                )
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("preview", epilog="Example: leadmill scoring preview solar-card.toml --days 30")
    def preview(
        file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="A changed card, or a model's new place.")],
        days: Days = 30,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Decide the last days' leads again by a changed card or model: paths, bands, rules and money. Changes
        nothing."""

        async def act(house: House) -> int:
            other = changed_rules(read_files([file]), house.packs)
            since = house.clock() - timedelta(days=days)
            found = await replay_with(house.db, house.pen, house.book, other, since, ears=house.kit.ears)
            document(found) if as_json else show_rerated(found)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("rollback", epilog="Example: leadmill scoring rollback solar 12 --why 'too few sold'")
    def rollback(
        vertical: Vertical,
        revision: Annotated[int, typer.Argument(metavar="REVISION", help="The version's; 0 is the pack's.")],
        why: Why,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Put an older version of a card in force again. No version is ever lost."""

        async def change(tx: Tx, house: House) -> list[str]:
            made = await go_back(tx, house.packs, vertical_of(house, vertical), revision, why, author(house))
            return list(made.tell())

        change_by(opener, home, database_url, as_json, change)


def _add_learning(family: typer.Typer, opener: Opener) -> None:
    @family.command("review", epilog="Example: leadmill scoring review solar --days 365 --out suggested.toml")
    def review(
        vertical: Vertical,
        days: Days = 365,
        horizon: Horizon = _HORIZON,
        out_file: Annotated[
            Path | None, typer.Option("--out", metavar="FILE.toml", help="Where the suggested card goes.")
        ] = None,
        most: Annotated[int, typer.Option(min=100, max=200_000, help="At most so many leads, the latest.")] = MOST,
        keep: Annotated[bool, typer.Option("--keep", help="Keep it: what it suggests waits for a person.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Hold a card against what became of its leads: conversion by band and rule, and the points that suggests.

        One is made and kept every month by itself; reviews lists those, accept and dismiss decide about them.
        """

        async def act(house: House) -> int:
            name, now = vertical_of(house, vertical), house.clock()
            if keep:
                terms = CardReviewTerms(vertical=name, span=f"{days}d", horizon=horizon, most=most)
                kept = await review_of(house.kit, house.packs, terms)
                found = kept.found
                err.print(f"kept as {kept.id}: {kept.standing.replace('_', ' ')}", markup=False)
            else:
                since = now - timedelta(days=days)
                found = await examine(house.kit, name, since, timedelta(days=horizon), now, most)
            if out_file is not None:
                async with house.db.begin(still=True) as tx:
                    held = await card_in_force(tx, house.packs, name)
                raw = suggested_card(held.raw or {}, found)
                why = f"suggested by {found.leads} leads, of which {found.converted} converted"
                out_file.write_text(text_of(name, msgspec.structs.replace(held, revision=-1, raw=raw), why))
            document(found) if as_json else _show_review(found)
            if out_file is not None and not as_json:
                out.print(f"The suggestion: {out_file}. Look at it with: leadmill scoring preview {out_file}")
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("history", epilog="Example: leadmill scoring history --vertical solar --out solar.csv")
    def history(
        vertical: Annotated[str, typer.Option(help="Whose leads, such as solar.")],
        out_file: Annotated[Path, typer.Option("--out", metavar="FILE.csv", help="Where the table goes.")],
        since: Annotated[datetime | None, typer.Option(help="Leads received from this moment on (UTC).")] = None,
        until: Annotated[datetime | None, typer.Option(help="Leads received before this moment (UTC).")] = None,
        horizon: Horizon = _HORIZON,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Write our own leads as a table to train on: what was known when each was rated, and what became of it."""

        async def act(house: House) -> int:
            rules = house.book.walk().rules
            found = await write_history(
                house.db,
                house.pen,
                rules.verticals[vertical_of(house, vertical)],
                barring_of(rules.dialects.unscorable, rules.dialects.bounds),
                out_file,
                (_utc(since), _utc(until)),
                timedelta(days=horizon),
                house.clock(),
            )
            if as_json:
                document(found)
                return 0
            out.print(
                f"{found.leads:,} leads, {found.labelled:,} with a known outcome, {found.converted:,} converted; "
                f"{len(found.columns)} columns. {found.forgotten:,} were forgotten.",
                markup=False,
            )
            for column, why in found.barred.items():
                err.print(f"left out {column}: {why}", markup=False)
            unfit = " ".join(f"--exclude {name}" for name in unfit_for(TARGET))
            learn = f"leadmill scoring train {out_file} --target {TARGET} --time {TIME} {unfit} --out model"
            out.print(learn, markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def show_rerated(found: WhatIf) -> None:
    """What a changed way to rate would do, as tables."""
    scores = found.scores
    err.print(f"{found.leads:,} leads, {found.skipped:,} cannot be decided again", markup=False)
    out.print(f"{scores.rated:,} were rated; {scores.changed:,} would have other points.", markup=False)
    for title, counts in (("Paths", scores.paths), ("Bands", scores.bands)):
        if counts:
            rows = [[move, f"{n:,}"] for move, n in sorted(counts.items(), key=lambda item: -item[1])]
            table(f"{title} that change", ["from → to", "leads"], rows, right={1})
    if scores.rules:
        moved = sorted(scores.rules.items(), key=lambda item: -abs(item[1].points))
        table(
            "What moved them",
            ["rule", "leads", "points"],
            [[name, f"{one.leads:,}", f"{one.points:+,}"] for name, one in moved[:30]],
            right={1, 2},
        )
    total = found.total
    off = f" ± {total.error / 100:,.2f}" if total.error else ""
    out.print(
        f"{found.changed:,} leads would go elsewhere; {total.leads_was:,} → {total.leads_now:,} sold or assigned, "
        f"{total.was / 100:,.2f} → {total.now / 100:,.2f} ({(total.now - total.was) / 100:+,.2f}{off}).",
        markup=False,
    )
    if scores.farther:
        out.print(f"{scores.farther:,} come farther than they did: opt-outs and lists are asked as they stand today.")


def _show_review(found: CardReview) -> None:
    err.print(
        f"{found.leads:,} leads with a known outcome, {found.converted:,} converted; of two leads the better one has "
        f"more points {100 * found.ranks:.1f} times in 100",
        markup=False,
    )
    if found.full:
        err.print(f"There are more: these are the latest {found.looked:,} whose horizon is over.", markup=False)
    for title, shares in (("Conversion by band", found.bands), ("Conversion by points", found.points)):
        if shares:
            table(
                title,
                ["", "leads", "converted", "share", "95 in 100"],
                [_share(one) for one in shares],
                right={1, 2, 3},
            )
    rows = [
        [
            one.rule,
            f"{one.fired:,}",
            f"{one.converted:,}",
            odds_words(one.log_odds),
            f"{one.points:+d}",
            f"{one.suggested:+d}" if one.sure else "",
        ]
        for one in found.rules
    ]
    table("Rules", ["rule", "fired", "converted", "odds", "points", "suggested"], rows, right={1, 2, 3, 4, 5})
    if found.thin:
        out.print(f"Nothing is suggested: {found.thin}.", markup=False)


def _share(one: Share) -> list[str]:
    return [
        one.says,
        f"{one.leads:,}",
        f"{one.converted:,}",
        f"{100 * one.rate:.1f} %",
        f"{100 * one.low:.1f} to {100 * one.high:.1f} %",
    ]

"""``leadmill retention``: how long what is kept stays, runs by hand, and legal holds; ``leadmill forget``."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.flow.retaining import Runner, begin_by_hand, lift, place
from leadmill.flow.rights import check_why, forget_by_hand, person_of, stop_for
from leadmill.interfaces.cli.frame import USAGE, DatabaseUrl, HomeDir, Json, document, err, out, run, settings, table
from leadmill.interfaces.house import House, Opener
from leadmill.interfaces.outside import OutsideStore
from leadmill.privacy import Hold, Run, Schedule, Terms, in_turn, latest_runs, list_holds
from leadmill.runtime.db import Tx
from leadmill.runtime.settings import Settings

_BY = "command"
_HEADS = ["schedule", "what", "goes", "persons", "held", "by law", "under way", "waits", "failed"]


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    family = typer.Typer(help="How long what is kept stays, and what must not go.", no_args_is_help=True)
    app.add_typer(family, name="retention")

    @family.command("run", epilog="Example: leadmill retention run --dry-run")
    def carry_out(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go, by schedule.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Let go of what is due by the schedules, as a worker does once a day."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                begun = await begin_by_hand(tx, house.kit, _BY, dry_run, house.clock(), owe=False)
                if not dry_run:
                    note_act(tx, Act(house.clock(), COMMAND_LINE, "retention_run", begun.id))
            done = await Runner(house.kit, OutsideStore(house.settings.home)).carry_out(begun.id)
            ended = done or begun
            document(ended) if as_json else _show(ended, house.book.walk().rules.retention)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("show", epilog="Example: leadmill retention show")
    def show(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Show the schedules, the law's least terms, the holds that stand and the last runs."""

        async def act(house: House) -> int:
            terms = house.book.walk().rules.retention
            async with house.db.begin() as tx:
                holds, runs = await list_holds(tx), await latest_runs(tx)
            standing = [one for one in holds if one.lifted_at is None]
            if as_json:
                document({"schedules": in_turn(terms), "least": terms.least, "holds": standing, "runs": runs})
                return 0
            rows = [[one.id, one.what, one.keep, one.since, _of(one), one.why] for one in in_turn(terms)]
            table("Schedules", ["id", "what", "keep", "since", "of", "why"], rows)
            least = [[one.id, one.keep, one.since, " ".join(one.verticals), one.citation] for one in terms.least]
            table("The law's least terms", ["id", "keep", "since", "of", "citation"], least)
            held = [[one.id, one.subject, one.by, f"{one.at:%Y-%m-%d}", one.why] for one in standing]
            table("Legal holds", ["id", "on", "by", "since", "why"], held)
            last = [[one.id, f"{one.at:%Y-%m-%d %H:%M}", one.by, _kind(one), one.state] for one in runs]
            table("Runs", ["id", "at (UTC)", "by", "", "state"], last)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("hold", epilog='Example: leadmill retention hold LEAD_OR_PERSON --why "claim 2026-11"')
    def hold(
        subject: Annotated[str, typer.Argument(help="The id of a lead or a person.")],
        why: Annotated[str, typer.Option(help="Why, without naming anybody: it is kept.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Place a legal hold: nothing of it goes while it stands, whoever asks."""

        async def deed(tx: Tx, house: House) -> Hold:
            return await place(tx, house.kit, subject, why, _BY, house.clock())

        _change_hold(opener, settings(home, database_url), as_json, deed, "stands")

    @family.command("release", epilog='Example: leadmill retention release HOLD_ID --why "the claim was settled"')
    def release(
        hold_id: Annotated[str, typer.Argument(help="The id of a hold.")],
        why: Annotated[str, typer.Option(help="Why, without naming anybody: it is kept.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Lift a legal hold."""

        async def deed(tx: Tx, house: House) -> Hold:
            lifted = await lift(tx, house.kit, hold_id, why, _BY, house.clock())
            note_act(tx, Act(house.clock(), COMMAND_LINE, "hold_lifted", lifted.id))
            return lifted

        _change_hold(opener, settings(home, database_url), as_json, deed, "is lifted")

    @app.command("forget", epilog='Example: leadmill forget PERSON_OR_LEAD --why "asked us by letter" --yes')
    def forget(
        subject: Annotated[str, typer.Argument(help="The id of a person, or of a lead of theirs.")],
        why: Annotated[str, typer.Option(help="Why, without naming anybody: it is kept.")],
        opt_out: Annotated[
            bool, typer.Option("--opt-out/--no-opt-out", help="Whether they are to hear no more, for good.")
        ] = True,
        yes: Annotated[bool, typer.Option("--yes", help="Do it: it cannot be undone.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Forget a person: everything sealed with their key can be read by nobody from then on, backups included."""
        if not yes:
            err.print("This cannot be undone. Say --yes where you mean it.", markup=False)
            raise typer.Exit(USAGE)

        async def act(house: House) -> int:
            said = check_why(why)
            async with house.db.begin() as tx:
                person_id = await person_of(tx, subject)
            await stop_for(house.kit, person_id, _BY, opt_out)
            async with house.db.begin() as tx:
                made = await forget_by_hand(tx, house.kit, person_id, _BY, said, house.clock())
                note_act(tx, Act(house.clock(), COMMAND_LINE, "person_forgotten", person_id))
            if as_json:
                document(made)
            elif made.persons:
                out.print(f"Forgotten, with {len(made.leads):,} leads. Certificate {made.digest}.", markup=False)
                if made.retained:
                    out.print("Proof of consent is kept for as long as the law demands, sealed.", markup=False)
            else:
                out.print("They were forgotten before.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _change_hold(
    opener: Opener, chosen: Settings, as_json: bool, deed: Callable[[Tx, House], Awaitable[Hold]], says: str
) -> None:
    async def act(house: House) -> int:
        async with house.db.begin() as tx:
            hold = await deed(tx, house)
        document(hold) if as_json else out.print(f"{hold.id} {says} (on {hold.subject}).", markup=False)
        return 0

    run(opener, chosen, act)


def _show(done: Run, terms: Terms) -> None:
    rows = []
    for one in in_turn(terms):
        tally = done.tallies.get(one.id)
        if tally is not None:
            counts = (tally.went, tally.persons, tally.held, tally.law, tally.busy, tally.waits, tally.failed)
            rows.append([one.id, one.what, *(f"{number:,}" for number in counts)])
    table("What would go" if done.dry else "What went", _HEADS, rows, right=set(range(2, len(_HEADS))))


def _of(one: Schedule) -> str:
    return " ".join([*one.states, *one.verticals, *one.sources, *one.regions]) or "all"


def _kind(one: Run) -> str:
    return "dry" if one.dry else "the day's" if one.day is not None else "by hand"

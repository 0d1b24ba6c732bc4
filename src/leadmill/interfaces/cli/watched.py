"""``leadmill scoring watch``, ``alerts``, ``acknowledge``: whether models at work still are what they were.

Part of the family that :mod:`leadmill.interfaces.cli.rating` adds.
"""

from datetime import timedelta
from typing import Annotated

import typer

from leadmill.core.faults import NotFound
from leadmill.flow.overseeing import oversee
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, out, run, settings, table
from leadmill.interfaces.cli.placing import author, vertical_of
from leadmill.interfaces.house import House, Opener
from leadmill.scoring.watch import (
    ALERT_KINDS,
    Alert,
    Group,
    Lag,
    Rate,
    Shift,
    Watched,
    WatchedVertical,
    acknowledge,
    read_alerts,
    read_roll_backs,
    read_watch,
)

_SHOWN = 12


def add_watch(family: typer.Typer, opener: Opener) -> None:
    """Add the commands to the family ``scoring``."""

    @family.command("watch", epilog="Example: leadmill scoring watch solar")
    def watch(
        vertical: Annotated[str, typer.Argument(metavar="VERTICAL", help="Such as solar.")],
        now: Annotated[
            bool, typer.Option("--now", help="Count and measure first, as the worker does by itself.")
        ] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Show how far models at work have drifted, whether their chances hold, who does better, and who reports
        late."""

        async def act(house: House) -> int:
            name = vertical_of(house, vertical)
            if now:
                await oversee(house.kit, timedelta(0))
            async with house.db.begin(still=True) as tx:
                found = await read_watch(tx, name)
                backs = await read_roll_backs(tx, name)
            if found is None:
                says = f"no model of {name} is watched yet: one must run, and a worker; --now does it at once"
                raise NotFound("scoring.watch.none", says)
            if as_json:
                document({"at": found[0], "watched": found[1], "rolled_back": backs})
                return 0
            _show(found[1])
            for back in backs:
                out.print(f"{back.at:%Y-%m-%d %H:%M} {back.model} was taken back: {back.says}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("alerts", epilog="Example: leadmill scoring alerts --all")
    def alerts(
        vertical: Annotated[str, typer.Argument(metavar="[VERTICAL]", help="Such as solar; all where left out.")] = "",
        every: Annotated[bool, typer.Option("--all", help="Also what is over, or was looked at.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """List what a person should look at: models and recipients that surely are not as they were."""

        async def act(house: House) -> int:
            name = vertical_of(house, vertical) if vertical else None
            async with house.db.begin(still=True) as tx:
                found = await read_alerts(tx, name, every=every)
            if as_json:
                document(found)
            elif not found:
                err.print("Nothing is to be looked at.")
            else:
                columns = ["alert", "", "since", "vertical", "about", "what", "looked at"]
                table("Alerts", columns, [_alert(one) for one in found])
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("acknowledge", epilog="Example: leadmill scoring acknowledge alert_01k… --why 'trained anew'")
    def acknowledge_command(
        alert: Annotated[str, typer.Argument(metavar="ALERT", help="Such as alert_01k…; alerts lists them.")],
        why: Annotated[str, typer.Option(help="What you found; it is kept with the alert.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Note that somebody looked at an alert. It is told again only once it has ended and comes back."""

        async def act(house: House) -> int:
            by = author(house)
            async with house.db.begin() as tx:
                found = await acknowledge(tx, alert, by.name, why, by.at)
            document(found) if as_json else out.print(f"{found.id}: looked at by {found.by}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _alert(one: Alert) -> list[str]:
    about = " ".join(part for part in (one.model, one.subject) if part)
    ended = f" (over {one.ended:%Y-%m-%d})" if one.ended is not None else ""
    looked = f"{one.by}: {one.why}" if one.acknowledged is not None else ""
    what = f"{ALERT_KINDS[one.kind]}: {one.says}{ended}"
    return [one.id, one.severity, f"{one.since:%Y-%m-%d %H:%M}", one.vertical, about, what, looked]


def _show(found: WatchedVertical) -> None:
    for one in found.models:
        _show_model(one)
    if found.groups:
        rows = [_group(one) for one in found.groups]
        columns = ["decided by", "leads", "bad early", "at the horizon", "converted", "for sure"]
        table("Who does better", columns, rows, right={1})
    for pair in found.compared:
        says = {"model": f"{pair.model} is better", "other": f"{pair.other} is better", "open": "open"}[pair.better]
        out.print(
            f"{pair.model} beside {pair.other} on {pair.rows:,} leads: log-loss {pair.difference:+.4f} "
            f"({pair.low:+.4f} to {pair.high:+.4f}), {says}",
            markup=False,
        )
    if found.lags:
        columns = ["recipient", "leads", "half by", "nine of ten by", "never", "early before", "early now", ""]
        table("How fast recipients report", columns, [_lag(one) for one in found.lags], right=set(range(1, 7)))


def _show_model(one: Watched) -> None:
    err.print(f"{one.model} ({one.state}, foresees {one.foresees}): {one.leads:,} leads counted", markup=False)
    if one.why_not:
        out.print(f"Drift cannot be told: {one.why_not}.", markup=False)
    if one.score is not None:
        rows = [_shift(each) for each in (one.score, *one.columns[:_SHOWN])]
        table(f"Drift of {one.model}", ["", "leads", "PSI", "by chance", "e-value", ""], rows, right={1, 2, 3, 4})
    told = one.calibration
    if told is not None and told.rows:
        out.print(
            f"Chances of {one.model}: over {told.rows:,} leads {told.events / told.rows:.1%} came out so, "
            f"{told.gap:+.3f} from what it said ({told.gap_low:+.3f} to {told.gap_high:+.3f}); "
            f"calibration error {told.error:.3f}, e-value {told.e_value:.3g}",
            markup=False,
        )


def _shift(one: Shift) -> list[str]:
    state = f"{one.state}, quiet" if one.quiet else one.state
    return [one.name, f"{one.rows:,}", f"{one.psi:.3f}", f"{one.chance:.3f}", f"{one.e_value:.3g}", state]


def _group(one: Group) -> list[str]:
    sure = [f"worse: {name}" for name in one.worse] + [f"better: {name}" for name in one.better]
    return [one.decider, f"{one.early.rows:,}", _rate(one.early), _rate(one.bad), _rate(one.converted), ", ".join(sure)]


def _rate(one: Rate) -> str:
    return f"{one.share:.1%} ({one.low:.1%} to {one.high:.1%})" if one.rows else ""


def _lag(one: Lag) -> list[str]:
    days = [f"{days:.1f} d" if days is not None else "" for days in (one.median, one.ninetieth)]
    early = [f"{share:.0%}" if share is not None else "" for share in (one.early_before, one.early_now)]
    never = f"{one.silent:.0%}" if one.leads else ""
    return [one.recipient, f"{one.leads:,}", *days, never, *early, one.state]

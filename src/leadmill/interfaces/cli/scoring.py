"""``leadmill scoring train``, ``evaluate`` and ``predict``: models learned from files, held against files, put to work.

Needs no house and no database, so these start without them (:mod:`leadmill.__main__`). Only what ``train`` learns from
our own leads does, which :mod:`leadmill.interfaces.cli.training` brings; the other part of the family that works on a
house is :mod:`leadmill.interfaces.cli.rating`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import typer
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.interfaces.cli.learned import tell_card, tell_columns, tell_evaluated
from leadmill.interfaces.cli.speaking import FINDINGS, Json, document, err, guarded, out
from leadmill.interfaces.cli.training_options import kinds_of, refuse_for_file, refuse_for_own, signs_of
from leadmill.learning.service import (
    AIR,
    Asked,
    Effort,
    Kind,
    Limits,
    evaluate,
    look_at,
    predict,
    read_model,
    read_table,
    train,
)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, JSONL or Parquet; a row a lead, say.")]
_Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a model.")]
_Threads = Annotated[int, typer.Option("--threads", min=1, max=64, help="Processors to use at most.")]
_Seed = Annotated[int, typer.Option("--seed", min=0, max=1_000_000, help="What chance is drawn from.")]
_Protected = Annotated[
    list[str] | None,
    typer.Option("--protected", metavar="COL", help="Test data for the audit of groups; never learned from."),
]
_Time = Annotated[str | None, typer.Option("--time", metavar="COL", help="When each row was to be scored.")]
_HORIZON = 60
"""Days that an outcome of our own leads counts for where nothing is said."""


class OwnAsked(Struct, frozen=True, kw_only=True):
    """What is asked of training on our own leads, beside the house's home and database."""

    vertical: str
    target: str
    out: Path | None
    ident: str | None
    since: datetime | None
    until: datetime | None
    horizon: int
    groups: Path | None
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    monotone: dict[str, int] = {}
    kinds: dict[str, Kind] = {}
    effort: Effort
    home: str | None
    database_url: str | None
    as_json: bool


class About(Struct, frozen=True):
    """What a caller knows of a file: the limits of which pack its model is held to, and where its rows come from."""

    pack: str = ""
    limits: Limits = Limits()
    history: dict[str, Any] = {}


class OwnLeads(Protocol):
    """What needs more than a file: our own leads, and the packs."""

    def learn(self, asked: OwnAsked) -> int:
        """Learn from our own leads; the exit status."""
        ...

    def within(self, pack: str, home: str | None) -> tuple[About, Callable[[str], str]]:
        """What a vertical's pack asks of a model, and why it bars a column (nothing where it does not); ``home`` may
        have packs of its own."""
        ...


def add_to(app: typer.Typer, own: OwnLeads | None = None) -> None:
    """Add the family to the program; ``own`` brings what needs a house."""
    family = typer.Typer(help="Scorecards and models: what a lead is worth, and why.", no_args_is_help=True)
    app.add_typer(family, name="scoring")
    _add_train(family, own)
    _add_evaluate(family)
    _add_predict(family)


def _add_train(family: typer.Typer, own: OwnLeads | None) -> None:
    @family.command("train", epilog="Example: leadmill scoring train leads.csv --target Converted --out model")
    def train_command(
        file: Annotated[
            Path | None, typer.Argument(metavar="FILE", help="CSV, XLSX, JSONL or Parquet; a row a lead, say.")
        ] = None,
        target: Annotated[
            str | None,
            typer.Option(
                "--target",
                metavar="COL",
                help="The column of the outcome. Of our own leads: converted, bad, accepted or reviewed_bad.",
            ),
        ] = None,
        out_dir: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the model goes.")] = None,
        exclude: Annotated[
            list[str] | None, typer.Option("--exclude", metavar="COL", help="Do not learn from it. Repeatable.")
        ] = None,
        keep: Annotated[
            list[str] | None,
            typer.Option("--keep", metavar="COL", help="Learn from it although it is suspected. Repeatable."),
        ] = None,
        positive: Annotated[
            str | None, typer.Option("--positive", metavar="VALUE", help="The outcome that is sought.")
        ] = None,
        time: _Time = None,
        monotone: Annotated[
            list[str] | None,
            typer.Option("--monotone", metavar="COL=+", help="More never scores lower (with - higher). Repeatable."),
        ] = None,
        kind: Annotated[
            list[str] | None,
            typer.Option("--kind", metavar="COL=KIND", help="What a column is: number, category, date… Repeatable."),
        ] = None,
        protected: _Protected = None,
        barred: Annotated[
            list[str] | None, typer.Option("--barred", metavar="COL", help="Never to be read. Repeatable.")
        ] = None,
        ratio: Annotated[
            float | None,
            typer.Option(
                "--air", min=0.0, max=1.0, help="The least adverse-impact ratio that passes.", show_default=str(AIR)
            ),
        ] = None,
        pack: Annotated[
            str | None,
            typer.Option("--vertical-pack", metavar="VERTICAL", help="Hold it to what this pack asks of models."),
        ] = None,
        against: Annotated[
            Path | None, typer.Option("--against", metavar="DIR", help="A model in use, to compare with.")
        ] = None,
        budget: Annotated[
            float, typer.Option("--budget", metavar="SECONDS", min=0.0, max=86_400.0, help="For tuning.")
        ] = 60.0,
        tries: Annotated[
            int | None, typer.Option("--tries", min=1, max=500, help="Settings to try, instead of a time.")
        ] = None,
        seed: _Seed = 0,
        threads: _Threads = 2,
        vertical: Annotated[
            str | None, typer.Option("--vertical", help="Learn from our own leads of this vertical, without a file.")
        ] = None,
        ident: Annotated[
            str | None, typer.Option("--add", metavar="ID", help="Own leads: register the model as a candidate.")
        ] = None,
        since: Annotated[datetime | None, typer.Option(help="Own leads received from this moment on (UTC).")] = None,
        until: Annotated[datetime | None, typer.Option(help="Own leads received before this moment (UTC).")] = None,
        horizon: Annotated[
            int | None,
            typer.Option(min=1, max=730, help="Own leads: days an outcome counts for.", show_default=str(_HORIZON)),
        ] = None,
        groups: Annotated[
            Path | None,
            typer.Option("--groups", metavar="FILE.csv", help="Own leads: lead_id and test data for the audit."),
        ] = None,
        home: Annotated[
            str | None,
            typer.Option("--home", metavar="DIR", help="Own leads, own packs: the home.", show_default="./.leadmill"),
        ] = None,
        database_url: Annotated[
            str | None, typer.Option("--database-url", metavar="URL", help="Own leads: another PostgreSQL.")
        ] = None,
        about: Annotated[Path | None, typer.Option("--about", hidden=True)] = None,
        as_json: Json = False,
    ) -> None:
        """Learn from a file whose outcomes are known, with a part held back to see how good it is.

        Columns that know the outcome too well are named first; clear leaks are left out unless kept. Without --out the
        columns are only looked at. With --vertical and no file it learns from our own leads and their outcomes, and
        compares with the champion. Status 1 says that the model does not treat groups within the limits.
        """

        def act() -> int:
            effort = Effort(budget_s=budget, tries=tries, seed=seed, threads=threads)
            given = {
                "--time": time, "--against": against, "--positive": positive, "--protected": protected, "--air": ratio,
                "--vertical-pack": pack, "--since": since, "--until": until, "--horizon": horizon, "--groups": groups,
                "--add": ident,
            }  # fmt: skip
            if file is None:
                house = _own(own)
                if vertical:
                    refuse_for_own(given)
                return house.learn(
                    OwnAsked(
                        vertical=vertical or "", target=target or "converted", out=out_dir, ident=ident, since=since,
                        until=until, horizon=horizon or _HORIZON, groups=groups, exclude=tuple(exclude or ()),
                        keep=tuple(keep or ()), barred=tuple(barred or ()), monotone=signs_of(monotone),
                        kinds=kinds_of(kind), effort=effort, home=home, database_url=database_url, as_json=as_json,
                    )
                )  # fmt: skip
            if target is None:
                raise BadInput("learning.option.malformed", "name the column of the outcome with --target")
            if vertical is not None:
                raise BadInput("learning.option.malformed", "a file and our own leads: name one of them")
            refuse_for_file(given)
            known = About()
            barring: Callable[[str], str] = _free
            if pack is not None:
                known, barring = _own(own).within(pack, home)
            if about is not None:
                known = msgspec.json.decode(about.read_bytes(), type=About)
            least = AIR if ratio is None else ratio
            limits = msgspec.structs.replace(known.limits, least_ratio=max(least, known.limits.least_ratio))
            asked = Asked(
                target=target, positive=positive, exclude=tuple(exclude or ()), keep=tuple(keep or ()),
                kinds=kinds_of(kind), monotone=signs_of(monotone), time=time, protected=tuple(protected or ()),
                barred=tuple(barred or ()), effort=effort,
                limits=limits if known.pack else Limits(least_ratio=least), pack=known.pack, history=known.history,
            )  # fmt: skip
            return _train(file, asked, out_dir, against, as_json, barring)

        raise typer.Exit(guarded(act))


def _own(own: OwnLeads | None) -> OwnLeads:
    """What needs a house. The program that starts without one is not asked: it sees the options first."""
    if own is None:
        raise BadInput("learning.option.malformed", "name a file to learn from, or our own leads with --vertical")
    return own


def _free(_: str) -> str:
    """Why a column is barred where no pack is asked: it is not."""
    return ""


def _train(
    file: Path,
    asked: Asked,
    out_dir: Path | None,
    against: Path | None,
    as_json: bool,
    barring: Callable[[str], str],
) -> int:
    in_use = read_model(against) if against is not None else None
    with err.status("reading") as status:

        def say(stage: str, done: int, total: int | None) -> None:
            status.update(f"{stage} {done:,}" if done else stage)

        read = read_table(file, say)
        apart = {asked.target, asked.time, *asked.protected, *asked.exclude}
        outside = {name: why for name in read.table.columns if name not in apart and (why := barring(name))}
        asked = msgspec.structs.replace(asked, barred=(*asked.barred, *outside))
        say("looking at the columns", 0, None)
        look = look_at(read.table, asked)
        status.stop()
        tell_columns(read, look)
        for name, why in outside.items():
            err.print(f"left out {name}: {why}", markup=False)
        if out_dir is None:
            if as_json:
                document(
                    {"columns": look.profiles, "suspects": look.suspects, "left_out": look.left_out, "model": None}
                )
            return 0
        status.start()
        trained, card = train(read, asked, look, out_dir, datetime.now(UTC), say, in_use)
    if as_json:
        document({"out": str(out_dir), "unreadable": read.unreadable, "card": card})
    else:
        tell_card(card)
        out.print(f"The model: {out_dir}; its card: {out_dir / 'card.md'}", markup=False)
    return 0 if trained.passes else FINDINGS


def _add_evaluate(family: typer.Typer) -> None:
    @family.command("evaluate", epilog="Example: leadmill scoring evaluate model later.csv --protected sex")
    def evaluate_command(
        folder: _Dir,
        file: _File,
        protected: _Protected = None,
        against: Annotated[
            Path | None, typer.Option("--against", metavar="DIR", help="Another model, on the same rows.")
        ] = None,
        time: _Time = None,
        refit_every: Annotated[
            int | None,
            typer.Option("--refit-every", metavar="ROWS", min=10, help="Also: fitted again on the file's past."),
        ] = None,
        label_delay: Annotated[
            int, typer.Option("--label-delay", metavar="ROWS", min=0, help="How many rows later outcomes are known.")
        ] = 0,
        seed: _Seed = 0,
        threads: _Threads = 2,
        as_json: Json = False,
    ) -> None:
        """Hold a model against a file's outcomes: AUC, log-loss, Brier, calibration error, lift, and by groups.

        Status 1 says that groups are not treated within the limits.
        """

        def act() -> int:
            model = read_model(folder)
            other = read_model(against) if against is not None else None
            with err.status("reading") as status:

                def say(stage: str, done: int, total: int | None) -> None:
                    status.update(f"{stage} {done:,}" if done else stage)

                read = read_table(file, say)
                effort = Effort(seed=seed, threads=threads)
                found = evaluate(
                    model, read, say, tuple(protected or ()), other, time, refit_every, label_delay, effort
                )
            if as_json:
                document(found)
            else:
                tell_evaluated(found)
            return 0 if all(one.passes for one in found.audits) else FINDINGS

        raise typer.Exit(guarded(act))


def _add_predict(family: typer.Typer) -> None:
    @family.command("predict", epilog="Example: leadmill scoring predict model new.csv --out scores.csv")
    def predict_command(
        folder: _Dir,
        file: _File,
        out_file: Annotated[Path, typer.Option("--out", metavar="FILE.csv", help="Where row,score,reasons go.")],
        reasons: Annotated[int, typer.Option("--reasons", min=0, max=20, help="Reasons a row at most.")] = 4,
        threads: _Threads = 2,
        as_json: Json = False,
    ) -> None:
        """Score a file's rows, each with its reasons; of a low score what speaks against it comes first."""

        def act() -> int:
            model = read_model(folder)
            with err.status("reading") as status:

                def say(stage: str, done: int, total: int | None) -> None:
                    status.update(f"{stage} {done:,}" if done else stage)

                done = predict(model, read_table(file, say), out_file, say, reasons, threads)
            for name in done.absent:
                err.print(f"The file has no column '{name}'; it counts as missing.", markup=False)
            for name in done.barred:
                err.print(f"The column '{name}' is barred and was not read.", markup=False)
            if as_json:
                document({"out": str(out_file)} | dict(msgspec.structs.asdict(done)))
            else:
                out.print(f"{done.rows:,} rows, mean score {done.mean:.4f}: {out_file}", markup=False)
            return 0

        raise typer.Exit(guarded(act))

"""``leadmill bench score``: chances of outcomes on public sets, beside three peers in the same folds; and their cost.

Run by ``leadmill bench``. Five folds, the same for all; what our model tunes and calibrates it does inside the training
rows of each. Figures are of all rows out of fold. ``--set FILE:TARGET`` measures on any other file: what ``scoring
train`` would leave out is left out for everybody. Then a model is trained on the first set and its time a row taken:
alone, with reasons, and a million rows at once.
"""

import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from msgspec import Struct

from benchmarks.closing import carry_out
from benchmarks.house import Broken, say
from benchmarks.scorers import CONTENDERS
from leadmill.learning.building import Naming, build
from leadmill.learning.figures import Figures, figures_of
from leadmill.learning.fitting import Effort
from leadmill.learning.folds import stratified
from leadmill.learning.kinds import Profile, profile
from leadmill.learning.outcomes import read_outcomes
from leadmill.learning.table import Floats, Table, table_of
from leadmill.learning.training import Asked, look_at
from leadmill.runtime.rowfiles import read_whole

DATA = Path(__file__).parents[2] / "shared" / "data"
"""Where public sets lie if somebody put them there."""
_TAGS = ("Tags", "Lead Quality")
_LATER: tuple[str, ...] = ("Lead Profile", "Last Notable Activity", "Last Activity", "Asymmetrique Activity Index")
_LATER += ("Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score")
_FOLDS, _ROW_ROUNDS = 5, 3_000
ECE_LIMIT, ROW_LIMIT_MS, REASONS_LIMIT_MS, BATCH_LIMIT_S = 0.02, 0.1, 2.0, 60.0


class Set(Struct, frozen=True):
    """A file, its outcome, what may not be looked at, and the best AUC that was published for it here. ``looked``:
    besides, what looks like a leak is left out, but for ``keep``."""

    name: str
    file: str
    target: str
    without: tuple[str, ...]
    best_auc: float | None
    looked: bool = False
    keep: tuple[str, ...] = ()


SETS = (
    Set("x-education, capture time", "x_education/Leads.csv", "Converted", (*_TAGS, *_LATER), 0.879),
    Set("x-education, without tags", "x_education/Leads.csv", "Converted", _TAGS, 0.926),
    Set("online shoppers", "scoring/online_shoppers.csv", "Revenue", (), 0.935),
    Set("car insurance", "scoring/car_insurance.csv", "CarInsurance", ("CallStart", "CallEnd"), 0.765),
    Set("coil2000", "scoring/coil2000.csv", "caravan", (), 0.762),
)


class Ran(Struct, frozen=True):
    """A contender on a set, with the seconds of all folds."""

    name: str
    figures: Figures
    mean_auc: float
    took_s: float


class Loaded(Struct, frozen=True):
    """A set as all contenders get it, and which columns were left out and why."""

    table: Table
    profiles: tuple[Profile, ...]
    labels: Floats
    left_out: dict[str, str] = {}


def load(data: Path, one: Set) -> Loaded:
    """Read a set; keys, constants and what may not be looked at are left out for everybody."""
    sheet = read_whole(data / one.file, one.name)
    table = table_of(sheet.columns)
    if one.looked:
        look = look_at(table, Asked(target=one.target, exclude=one.without, keep=one.keep))
        used, labels, left_out = look.used(), look.outcomes.labels, look.left_out
    else:
        labels = read_outcomes(table.columns[one.target], one.target, None).labels
        told = [profile(name, column) for name, column in table.columns.items() if name != one.target]
        used = tuple(each for each in told if each.kind.learned and each.name not in one.without)
        left_out = dict.fromkeys(one.without, "by the list of the bench")
    known = ~np.isnan(labels)
    return Loaded(table.take(known).only([each.name for each in used]), used, labels[known], left_out)


def given(said: str, without: Sequence[str], keep: Sequence[str]) -> Set:
    """A set that somebody brought, as FILE:TARGET."""
    file, _, target = said.rpartition(":")
    return Set(Path(file).name, str(Path(file).absolute()), target, tuple(without), None, True, tuple(keep))


def run(name: str, on: Loaded, effort: Effort) -> Ran:
    """One contender over all folds."""
    contender = CONTENDERS[name][0]
    folds = stratified(on.labels, _FOLDS, 2026)
    chances = np.empty(len(on.labels))
    aucs = []
    began = time.monotonic()
    for fold in range(_FOLDS):
        out = folds == fold
        chances[out] = contender(on.table.take(~out), on.table.take(out), on.profiles, on.labels[~out], effort)
        aucs.append(figures_of(on.labels[out], chances[out]).auc)
    return Ran(name, figures_of(on.labels, chances), float(np.mean(aucs)), time.monotonic() - began)


def held(ran: Sequence[Ran], best_auc: float | None) -> dict[str, Any]:
    """Our figures against the best peer's of the same run, the published best and the limit."""
    own = next(one for one in ran if one.name == "leadmill")
    peers = [one for one in ran if one.name != "leadmill"]
    best = max((one.figures.auc for one in peers), default=0.0)
    least = min((one.figures.log_loss for one in peers), default=float("inf"))
    return {
        "auc_over_best_peer": own.figures.auc - best,
        "auc_over_published": own.figures.auc - best_auc if best_auc is not None else None,
        "log_loss_over_best_peer": own.figures.log_loss - least,
        "ece": own.figures.ece,
        "holds": bool(
            own.figures.auc >= best
            and (best_auc is None or own.figures.auc >= best_auc - 0.004)
            and own.figures.log_loss <= least
            and own.figures.ece <= ECE_LIMIT
        ),
    }


def there(names: Sequence[str]) -> list[str]:
    """The contenders whose packages are installed."""
    found = []
    for name in names:
        needs = CONTENDERS[name][1]
        if needs and importlib.util.find_spec(needs) is None:
            say(f"{name} is left out: {needs} is not installed (make setup-dev)")
        else:
            found.append(name)
    return found


def cost(on: Loaded, effort: Effort, rows: int) -> dict[str, float]:
    """What a trained model costs: one row, one row with its reasons, many rows at once."""
    light = Effort(tries=1, folds=3, seeds=effort.seeds, threads=effort.threads, seed=effort.seed)
    built = build(on.table, on.profiles, on.labels, {}, light, Naming("outcome", "1"), lambda stage, done, total: None)
    model = built.model()
    columns = on.table.cells()
    names = list(columns)
    one_by_one = [{name: columns[name][row] for name in names} for row in range(min(on.table.rows, _ROW_ROUNDS))]
    for values in one_by_one[:50]:
        model.reasons(values)
    alone = _times(model.score, one_by_one)
    told = _times(model.reasons, one_by_one[:1_000])
    times = -(-rows // on.table.rows)
    many = {name: (cells * times)[:rows] for name, cells in columns.items()}
    began = time.monotonic()
    model.score_columns(many, rows, effort.threads)
    took = time.monotonic() - began
    return {
        "row_p50_ms": float(np.quantile(alone, 0.5)),
        "row_p99_ms": float(np.quantile(alone, 0.99)),
        "reasons_p50_ms": float(np.quantile(told, 0.5)),
        "reasons_p99_ms": float(np.quantile(told, 0.99)),
        "batch_rows": float(rows),
        "batch_s": took,
        "batch_s_a_million": took / rows * 1e6,
    }


def _times(act: Callable[[Any], object], rows: Sequence[Any]) -> Floats:
    """Milliseconds of this process's time a row: what others on the machine take is not counted."""
    found = np.empty(len(rows))
    for place, row in enumerate(rows):
        began = time.thread_time_ns()
        act(row)
        found[place] = (time.thread_time_ns() - began) / 1e6
    return found


def chosen(only: Sequence[str], without: Sequence[str], keep: Sequence[str]) -> list[Set]:
    """The sets that are meant: files with their targets, and public ones with such a part in their names."""
    files = [each for each in only if Path(each.rpartition(":")[0]).is_file()]
    parts = [each for each in only if each not in files]
    found = [one for one in SETS if not only or any(part in one.name for part in parts)]
    if missing := [part for part in parts if not any(part in one.name for one in SETS)]:
        raise Broken(f"no set is called so, and no file is there: {missing[0]}")
    return [*found, *(given(each, without, keep) for each in files)]


def measure(data: Path, sets: Sequence[Set], names: Sequence[str], effort: Effort, rows: int) -> dict[str, Any]:
    """The whole run, as one document."""
    began = time.monotonic()
    if missing := [one.file for one in sets if not (data / one.file).is_file()]:
        raise Broken(f"{data / missing[0]} is not there; --data names the folder of the public sets")
    contenders = there(names)
    results = []
    for one in sets:
        say(one.name)
        loaded = load(data, one)
        ran = []
        for name in contenders:
            ran.append(run(name, loaded, effort))
            say(f"  {name}: AUC {ran[-1].figures.auc:.4f}, {ran[-1].took_s:.0f} s")
        told = {"rows": len(loaded.labels), "base_rate": float(loaded.labels.mean()), "left_out": loaded.left_out}
        results.append({"set": one.name, "published_auc": one.best_auc, **told, "ran": ran, **held(ran, one.best_auc)})
    costs = cost(load(data, sets[0]), effort, rows) if rows else None
    return {"bench": "score", "sets": results, "cost": costs, "took_s": time.monotonic() - began}


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    for result in found["sets"]:
        published = result["published_auc"]
        best = f", published best AUC {published:.3f}" if published is not None else ""
        print(f"\n{result['set']}: {result['rows']:,} rows, base rate {result['base_rate']:.1%}{best}")
        for name, why in result["left_out"].items():
            print(f"  left out for all: {name}, {why}")
        print("                 AUC   mean of folds  log-loss    Brier     ECE   seconds")
        for ran in result["ran"]:
            one = ran.figures
            print(
                f"{ran.name:<12} {one.auc:>8.4f} {ran.mean_auc:>14.4f} {one.log_loss:>9.4f} {one.brier:>8.4f}"
                f" {one.ece:>7.4f} {ran.took_s:>9.1f}"
            )
        over = f", {result['auc_over_published']:+.4f} over the published best" if published is not None else ""
        print(
            f"  AUC {result['auc_over_best_peer']:+.4f} over the best peer{over}; log-loss"
            f" {result['log_loss_over_best_peer']:+.4f}; ECE {result['ece']:.4f} of {ECE_LIMIT}:"
            f" {'holds' if result['holds'] else 'does not hold'}"
        )
    if costs := found["cost"]:
        print(
            f"\none row: {costs['row_p50_ms']:.4f} ms, p99 {costs['row_p99_ms']:.4f} of {ROW_LIMIT_MS}; with reasons "
            f"{costs['reasons_p50_ms']:.3f} ms, p99 {costs['reasons_p99_ms']:.3f} of {REASONS_LIMIT_MS}; "
            f"{costs['batch_rows']:,.0f} rows at once {costs['batch_s']:.1f} s, a million "
            f"{costs['batch_s_a_million']:.1f} of {BATCH_LIMIT_S:.0f}"
        )


def main(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the public sets.")] = DATA,
    only: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME", help="Only sets so called, or FILE:TARGET of your own. Repeatable."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="COL", help="Not looked at in your files. Repeatable.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="COL", help="Looked at though suspected. Repeatable.")
    ] = None,
    peers: Annotated[str, typer.Option("--peers", help="Beside whom, by comma.")] = "logistic,lightgbm,odoo",
    tries: Annotated[int, typer.Option(min=1, max=100, help="Settings of trees our model tries a fold.")] = 3,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Processors to use at most.")] = 2,
    rows: Annotated[int, typer.Option(min=0, max=10_000_000, help="Rows of the batch; 0: no costs.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Chances out of fold on public sets beside scikit-learn, LightGBM's defaults and Odoo's counting; ms a row.

    Takes some minutes on two quiet cores. Of your own files all contenders get the columns that scoring train would
    learn from.

    Example: leadmill bench score --set leads.csv:Converted
    """
    names = [name.strip() for name in peers.split(",") if name.strip()]
    if unknown := [name for name in names if name not in CONTENDERS]:
        raise typer.BadParameter(f"no peer {unknown[0]}; there are {', '.join(CONTENDERS)}", param_hint="--peers")
    effort = Effort(tries=tries, folds=5, seeds=2, threads=threads, seed=1)

    def act() -> dict[str, Any]:
        sets = chosen(only or [], without or [], keep or [])
        return measure(data, sets, ["leadmill", *names], effort, rows)

    carry_out(act, tell, as_json)


if __name__ == "__main__":
    typer.run(main)

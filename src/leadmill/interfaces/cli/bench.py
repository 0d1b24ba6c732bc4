"""``leadmill bench``: runs the benchmarks that stand in ``benchmarks/`` of the repository.

Each is a module there with options of its own; this command finds it, starts it as a process, and passes on how it
ended. Benchmarks are for those who work on the program, so a wheel brings none.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from msgspec import Struct

from leadmill.interfaces.cli.frame import COULD_NOT, USAGE, document, err, table
from leadmill.interfaces.house import Opener

ROOT = Path(__file__).parents[4]
"""The checkout, where this is one."""


class Bench(Struct, frozen=True):
    """A benchmark: the module in ``benchmarks/`` that is run, and what it measures."""

    module: str
    measures: str


KNOWN = {
    "intake": Bench("intake", "leads/s from HTTP to the queued delivery, beside one-row durable inserts"),
    "import": Bench("importing", "rows/s of a clean CSV through the whole walk"),
    "limits": Bench("limits", "8 processes at tight limits, some killed: what was exceeded, sold twice or left over"),
    "match": Bench("match", "a lead against 100 to 100,000 orders: index, every condition asked, SQL"),
    "resolve": Bench("resolve", "clusters of a file against its truth, and rows/s"),
    "identity": Bench("identity", "ms to recognise a person among 10 thousand to a million, and how often rightly"),
    "ping": Bench("ping", "how long a source waits for a price over HTTP, beside leads; CPU a ping"),
    "auction": Bench("auction", "one lead to 50 buyers: time beyond the slowest, auctions/s, beside a bare fan-out"),
    "allocate": Bench("allocate", "a day's earnings beside the best possible, and µs a decision"),
    "policy": Bench("law", "µs a lead under all law packs, by action"),
    "score": Bench("score", "chances out of fold beside scikit-learn, LightGBM and naive Bayes; ms a row"),
}
"""The benchmarks there are or will be: one comes to life with its file."""


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the command to the program. A benchmark opens houses of its own, so ``opener`` stays closed."""

    @app.command(
        "bench",
        epilog="Example: leadmill bench intake --seconds 20   (its own options: leadmill bench intake --help)",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False},
    )
    def bench(
        context: typer.Context,
        name: Annotated[
            str | None, typer.Argument(metavar="[NAME]", help="Which one; without a name they are listed.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The list as one JSON document.")] = False,
    ) -> None:
        """Measure: each prints its figure, the machine's or a peer's from the same run, and the ratio."""
        if name is None:
            _list(as_json)
            return
        known = KNOWN.get(name)
        if known is None:
            err.print(f"leadmill: there is no benchmark {name!r}; there are {', '.join(KNOWN)}", markup=False)
            raise typer.Exit(USAGE)
        if not _folder().is_dir():
            err.print(
                "[bold]leadmill:[/] benchmarks run from a checkout of the repository; this installation has no "
                f"{_folder()}",
                markup=True,
            )
            raise typer.Exit(COULD_NOT)
        if not _there(known):
            err.print(f"[bold]leadmill:[/] the benchmark {name!r} comes with its package, which is not there yet")
            raise typer.Exit(COULD_NOT)
        raise typer.Exit(_run(known, [*(["--json"] if as_json else []), *context.args]))


def _folder() -> Path:
    return ROOT / "benchmarks"


def _there(known: Bench) -> bool:
    return (_folder() / f"{known.module}.py").is_file()


def _list(as_json: bool) -> None:
    rows = [(name, _there(known), known.measures) for name, known in KNOWN.items()]
    if as_json:
        document([{"name": name, "there": there, "measures": measures} for name, there, measures in rows])
        return
    shown = [[name, measures, "" if there else "comes with its package"] for name, there, measures in rows]
    table("Benchmarks", ["name", "measures", ""], shown)


def _run(known: Bench, arguments: list[str]) -> int:
    # -P keeps the folder one stands in from being searched before the checkout.
    command = [sys.executable, "-P", "-m", f"benchmarks.{known.module}", *arguments]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})  # noqa: S603 our own module

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    # A Ctrl-C on the terminal reaches the benchmark by itself; here it is only waited for.
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, pass_on)
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status

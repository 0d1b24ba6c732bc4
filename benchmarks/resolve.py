"""``leadmill bench resolve``: files of persons told apart, beside Splink's and recordlinkage's results of the same run.

Run by ``leadmill bench``. Each contender works on each set in a process of its own (``benchmarks/contender.py``), one
after another, so that seconds and peaks of memory are its own. One configuration and one threshold serve all sets.
"""

import csv
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct

from benchmarks.closing import carry_out
from benchmarks.contender import CONTENDERS, Scored
from benchmarks.house import Broken, environment, say
from benchmarks.kinds import KINDS
from benchmarks.persons import Made, companies, consumers, historical

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
"""Where public sets lie if somebody put them there: ``er/NAME.csv`` with ``er/NAME.truth.csv``."""
WITHOUT = {"febrl3": ("soc_sec_id",)}
"""Sets that are also tried without their best column."""
_LONGEST = 1800.0
_SELF = "leadmill"


class Set(Struct, frozen=True):
    """A file with its truth, and columns that nobody may look at."""

    name: str
    file: Path
    truth: Path
    left_out: tuple[str, ...] = ()


class Ran(Struct, frozen=True):
    """A contender on a set: its scores, and the seconds of its whole process, loading and reading included; what was
    wrong where it broke off."""

    name: str
    scored: Scored | None
    process_s: float
    fault: str = ""


def sets_of(data: Path, folder: Path, records: int) -> list[Set]:
    """The public sets that are there, and those made up here."""
    found = []
    for truth in sorted((data / "er").glob("*.truth.csv")):
        name = truth.name.removesuffix(".truth.csv")
        file = truth.with_name(f"{name}.csv")
        if file.is_file():
            found.append(Set(name, file, truth))
            found += [Set(f"{name} without {column}", file, truth, (column,)) for column in WITHOUT.get(name, ())]
    made = {
        "historical": historical(max(1, records // 10)),
        "consumers": consumers(),
        "companies": companies(),
    } | {name: make() for name, make in KINDS.items()}
    return found + [write(folder, name, one) for name, one in made.items()]


def write(folder: Path, name: str, made: Made) -> Set:
    """A made-up set as a file with its truth."""
    file, truth = folder / f"{name}.csv", folder / f"{name}.truth.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, made.columns)
        writer.writeheader()
        writer.writerows(made.rows)
    with truth.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("record", "entity_id"))
        rows.writerows(enumerate(made.truth))
    return Set(name, file, truth)


def run(contender: str, on: Set) -> Ran:
    """One contender on one set, in a process of its own."""
    command = [sys.executable, "-P", "-m", "benchmarks.contender", contender, str(on.file), str(on.truth), *on.left_out]
    began = time.monotonic()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
        env=environment() | {"PYTHONPATH": str(ROOT)},
    )
    took = time.monotonic() - began
    if done.returncode:
        complaint = (done.stderr.strip().splitlines() or ["no word"])[-1][:200]
        if contender == _SELF:
            raise Broken(f"{contender} on {on.name}: {complaint}")
        return Ran(contender, None, took, complaint)
    return Ran(contender, msgspec.json.decode(done.stdout.splitlines()[-1], type=Scored), took)


def there(names: Sequence[str]) -> list[str]:
    """The contenders whose packages are installed; says of the others what to install."""
    found = []
    for name in names:
        missing = [package for package in CONTENDERS[name][1] if importlib.util.find_spec(package) is None]
        if missing:
            say(f"{name} is left out: pip install {' '.join(missing)} (or make setup-dev)")
        else:
            found.append(name)
    return found


def measure(data: Path, records: int, only: str, names: Sequence[str]) -> dict[str, Any]:
    """The whole run, as one document."""
    began = time.monotonic()
    contenders = there(names)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="leadmill-bench-") as folder:
        sets = [one for one in sets_of(data, Path(folder), records) if only in one.name]
        if not sets:
            raise Broken(f"no set is called so: {only}")
        if not any(one.file.is_relative_to(data) for one in sets) and not only:
            say(f"no public sets in {data / 'er'}; only those made up here")
        for one in sets:
            say(one.name)
            ran = [run(name, one) for name in contenders]
            results.append({"set": one.name, "ran": ran, "against": _against(ran)})
    return {"bench": "resolve", "sets": results, "took_s": time.monotonic() - began}


def _against(ran: Sequence[Ran]) -> dict[str, dict[str, float]]:
    """Beside each peer: the difference in clustered F1 (its best F1 where it does not cluster), its seconds and memory
    over ours, whole process each."""
    own = next((one for one in ran if one.name == _SELF), None)
    if own is None or own.scored is None:
        return {}
    found = {}
    for peer in ran:
        if peer.scored is None or peer.name == _SELF:
            continue
        theirs = peer.scored.best_f1 if peer.scored.clustered_f1 is None else peer.scored.clustered_f1
        found[peer.name] = {
            "f1": (own.scored.clustered_f1 or 0.0) - theirs,
            "time": peer.process_s / own.process_s,
            "memory": peer.scored.peak_mb / own.scored.peak_mb,
        }
    return found


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    for result in found["sets"]:
        print(f"\n{result['set']}")
        print("                 best F1  at P .99  reached  clustered F1      P      R   process s   work s   peak MB")
        for ran in result["ran"]:
            one = ran.scored
            if one is None:
                print(f"{ran.name:<15} broke off after {ran.process_s:.1f} s: {ran.fault}")
                continue
            clustered = (one.clustered_f1, one.clustered_precision, one.clustered_recall)
            told = ["–" if value is None else f"{value:.4f}" for value in clustered]
            print(
                f"{ran.name:<15} {one.best_f1:>8.4f} {one.f1_at_99:>9.4f} {one.reached:>8.4f} {told[0]:>13}"
                f" {told[1]:>6} {told[2]:>6} {ran.process_s:>11.2f} {one.work_s:>8.2f} {one.peak_mb:>9.0f}"
            )
        for name, beside in result["against"].items():
            print(
                f"  beside {name}: F1 {beside['f1']:+.4f}; it takes {beside['time']:.2f} times as long"
                f" and {beside['memory']:.2f} times the memory"
            )


def main(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with er/NAME.csv and er/NAME.truth.csv.")
    ] = DATA,
    records: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="About how many records the historical set has.")
    ] = 50_000,
    only: Annotated[str, typer.Option("--set", help="Only the sets with this in their names.")] = "",
    peers: Annotated[str, typer.Option("--peers", help="Beside whom, by comma.")] = "splink,splink-wide,recordlinkage",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Files of persons told apart: pairs and clusters against the truth, seconds and memory, beside the peers'.

    Takes about ten minutes, most of it the peers' on 50,000 records.

    Example: leadmill bench resolve --set febrl3
    """
    names = [name.strip() for name in peers.split(",") if name.strip()]
    if unknown := [name for name in names if name not in CONTENDERS]:
        raise typer.BadParameter(f"no peer {unknown[0]}; there are {', '.join(CONTENDERS)}", param_hint="--peers")
    carry_out(lambda: measure(data, records, only, [_SELF, *names]), tell, as_json)


if __name__ == "__main__":
    typer.run(main)

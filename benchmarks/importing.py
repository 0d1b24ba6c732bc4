"""``leadmill bench import``: a clean file through the whole walk by ``leadmill import``, from start to exit.

Run by ``leadmill bench``. The time is the whole process', starting and opening the house included, as a person waits
for it; beside it stand the one-row durable inserts of ``pgbench`` on the same server.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from benchmarks.business import SOURCE
from benchmarks.closing import carry_out
from benchmarks.figures import median
from benchmarks.house import Broken, Home, environment, file_system, home, leadmill, say
from benchmarks.leads import education_row, write_education_file
from benchmarks.profile import profiling

ROWS_GOAL = 1_000.0
_INSERT_SECONDS = 4
_SLOWEST = 50.0
"""Rows a second below which the run is given up."""
_FOREVER = 600.0


def measure(rows: int, profile: Path | None, folder: Path | None) -> dict[str, Any]:
    """The whole run, as one document."""
    with home(folder) as at:
        file = at.path / "enquiries.csv"
        write_education_file(file, (education_row(number) for number in range(rows)))
        # A few rows first, so that the store's files and the program's caches on disk are there.
        first = at.path / "first.csv"
        write_education_file(first, (education_row(number) for number in range(rows, rows + 100)))
        leadmill(at.path, *_arguments(first))
        say("pgbench with 16 clients")
        inserts = [at.inserts(_INSERT_SECONDS).per_s, at.inserts(_INSERT_SECONDS).per_s]
        say(f"importing {rows:,} rows")
        before = at.postgres_cpu()
        summary, took, program = _import(at, file, rows, profile)
        postgres = at.postgres_cpu() - before
        inserts.append(at.inserts(_INSERT_SECONDS).per_s)
        kind = file_system(at.path)
    if summary["read"] != rows or summary["sold"] < rows / 2 or summary["rejected"]:
        raise Broken(f"a clean file came out as {summary}")
    plain, rate = median(inserts), rows / took
    return {
        "bench": "import",
        "rows": rows,
        "file_system": kind,
        "seconds": took,
        "rows_per_s": rate,
        "inserts": inserts,
        "inserts_per_s": plain,
        "ratio": rate / plain,
        "cpu_program": program / rows * 1000,
        "cpu_postgres": postgres / rows * 1000,
        "cpu_total": (program + postgres) / rows * 1000,
        "summary": summary,
        "goals": {"rows_per_s": {"goal": ROWS_GOAL, "seen": rate, "met": rate >= ROWS_GOAL}},
    }


def _arguments(file: Path) -> list[str]:
    return ["import", str(file), "--source", SOURCE, "--vertical", "education", "--json"]


def _import(at: Home, file: Path, rows: int, profile: Path | None) -> tuple[dict[str, Any], float, float]:
    """Run the import: its summary, its seconds, and its seconds of CPU."""
    before = os.times()
    began = time.monotonic()
    if profile is not None:
        summary = _watched(at, file, profile)
    else:
        summary = msgspec.json.decode(leadmill(at.path, *_arguments(file), timeout=rows / _SLOWEST + 60))
    took = time.monotonic() - began
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return summary, took, used


def _watched(at: Home, file: Path, profile: Path) -> dict[str, Any]:
    """The import with a profiler beside it, which makes it slower."""
    command = [sys.executable, "-P", "-m", "leadmill", *_arguments(file), "--home", str(at.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), start_new_session=True)
    try:
        time.sleep(2.0)
        with profiling(process.pid, 8.0, profile):
            words, _ = process.communicate(timeout=_FOREVER)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return msgspec.json.decode(words, type=dict[str, Any])


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    spread = " ".join(f"{each:,.0f}" for each in found["inserts"])
    summary = found["summary"]
    lines = [
        f"{found['rows']:,} rows in {found['seconds']:.1f} s"
        f" ({summary['sold']:,} sold, {summary['accepted']:,} accepted, {summary['duplicate']:,} duplicate)",
        f"  rows/s             {found['rows_per_s']:10,.0f}   (goal {ROWS_GOAL:,.0f})",
        f"  one-row inserts/s  {found['inserts_per_s']:10,.0f}   (pgbench, 16 clients: {spread})",
        f"  ratio              {found['ratio']:10.3f}",
        f"  CPU a row, ms      {found['cpu_total']:10.2f}   (program {found['cpu_program']:.2f},"
        f" PostgreSQL {found['cpu_postgres']:.2f})",
        f"home on {found['file_system']}; {'goal met' if found['goals']['rows_per_s']['met'] else 'goal missed'}",
    ]
    print("\n".join(lines))


def main(
    rows: Annotated[int, typer.Option(min=100, max=2_000_000, help="Rows of the file.")] = 20_000,
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Profile the import with py-spy (.svg, .json or .txt).")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where the temporary home lies: the disk to measure.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Rows/s of a clean CSV through the whole walk, beside one-row durable inserts on the same server.

    Example: leadmill bench import --rows 50000
    """
    if profile is not None:
        profile = profile.absolute()
    carry_out(lambda: measure(rows, profile, folder), tell, as_json)


if __name__ == "__main__":
    typer.run(main)

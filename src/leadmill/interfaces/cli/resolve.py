"""``leadmill resolve``: whose record each row of some files is.

Needs no house and no database, so it starts without them (:mod:`leadmill.__main__`).
"""

import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from leadmill.interfaces.cli.speaking import FINDINGS, Json, document, err, guarded, out, table
from leadmill.linkage.service import (
    SAMPLE,
    SPARK_THRESHOLD,
    THRESHOLD,
    FileTold,
    Understood,
    Written,
    read_column_map,
    resolve,
    resolve_on_spark,
    spark_there,
    understand,
    write_column_map,
)

_SHOWN = 20
"""Faulty rows that are told one by one."""


def add_to(app: typer.Typer, opener: object = None) -> None:
    """Add the command to the program; ``opener`` stays closed."""

    @app.command("resolve", epilog="Example: leadmill resolve crm.csv newsletter.xlsx --out clusters.csv")
    def command(
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE…", help="CSV, XLSX, JSONL or Parquet, of any columns.")
        ],
        out_file: Annotated[
            Path | None,
            typer.Option("--out", metavar="FILE.csv", help="Where record_id,cluster_id,match_probability go."),
        ] = None,
        map_file: Annotated[
            Path | None, typer.Option("--map", metavar="MAP.toml", help="What the columns hold, where you know better.")
        ] = None,
        write_map: Annotated[
            Path | None, typer.Option("--write-map", metavar="MAP.toml", help="Write down what they were taken for.")
        ] = None,
        threshold: Annotated[
            float | None,
            typer.Option(
                "--threshold",
                metavar="P",
                min=0.0,
                max=1.0,
                help=f"How sure two records must be one person's: else {THRESHOLD}, on Spark {SPARK_THRESHOLD}.",
            ),
        ] = None,
        engine: Annotated[
            Literal["local", "spark"], typer.Option("--engine", help="This machine, or Spark through Splink.")
        ] = "local",
        as_json: Json = False,
    ) -> None:
        """Find the records that are one person's, within files and across them, without any training data.

        With --write-map alone the files are only read and the map is written.
        """
        if out_file is None and write_map is None:
            raise typer.BadParameter("say where the clusters go", param_hint="--out")
        raise typer.Exit(guarded(lambda: _act(files, out_file, map_file, write_map, threshold, engine, as_json)))


def threshold_of(engine: Literal["local", "spark"], said: float | None) -> float:
    """How sure two records must be one person's: as was said, else as suits the way the engine clusters."""
    if said is not None:
        return said
    return SPARK_THRESHOLD if engine == "spark" else THRESHOLD


def _act(
    files: list[Path],
    out_file: Path | None,
    map_file: Path | None,
    write_map: Path | None,
    threshold: float | None,
    engine: Literal["local", "spark"],
    as_json: bool,
) -> int:
    began = time.monotonic()
    said = read_column_map(map_file)
    on_spark = engine == "spark"
    least = threshold_of(engine, threshold)
    if on_spark:
        spark_there()  # what is missing is told before anything is read
    with _Bar() as bar:
        understood = understand(files, said, bar.show, SAMPLE if on_spark else None)
        bar.pause()
        _tell_map(understood)
        if write_map is not None:
            write_map.write_text(write_column_map({told.file: told.columns for told in understood.files}), "utf-8")
        found = None
        if out_file is not None:
            bar.go_on()
            if on_spark:
                found = resolve_on_spark(files, understood, said, out_file, least, bar.show)
            else:
                found = resolve(understood, said, out_file, least, bar.show)
    faults = sum(len(told.faults) for told in understood.files)
    if as_json:
        took = time.monotonic() - began
        document(_document(understood, found, out_file, write_map, least, engine, took))
    else:
        _tell(understood, found, out_file, write_map)
    return FINDINGS if faults else 0


def _tell_map(understood: Understood) -> None:
    """What the columns were taken for, on standard error."""
    for told in understood.files:
        rows = [
            [
                column.name,
                column.target or "left out",
                _form(column.target, column.form),
                column.why,
                f"{column.filled:.0%}",
                f"{column.distinct:,}",
            ]
            for column in told.columns
        ]
        headings = ["column", "taken for", "written", "why", "filled", "values"]
        table(f"{told.file}: {told.records:,} records looked at", headings, rows, right={4, 5}, to=err)


def _form(target: str, form: str) -> str:
    return {"ymd": "YYYY-MM-DD", "mdy": "MM/DD/YYYY", "dmy": "DD/MM/YYYY"}[form] if target == "date" else ""


def _tell(understood: Understood, found: Written | None, out_file: Path | None, write_map: Path | None) -> None:
    for told in understood.files:
        for fault in told.faults[:_SHOWN]:
            err.print(f"{told.file}, line {fault.line}: {fault.code}: {fault.detail}", markup=False)
        if len(told.faults) > _SHOWN:
            err.print(f"{told.file}: {len(told.faults) - _SHOWN:,} more rows could not be read", markup=False)
    if write_map is not None:
        out.print(f"The map: {write_map}", markup=False)
    if found is not None:
        says = f"{found.records:,} records are {found.clusters:,} persons"
        out.print(f"{says}; {found.linked:,} records share theirs with another, {found.largest} at most.", markup=False)
        out.print(f"The clusters: {out_file}", markup=False)


def _document(
    understood: Understood,
    found: Written | None,
    out_file: Path | None,
    write_map: Path | None,
    threshold: float,
    engine: str,
    took: float,
) -> dict[str, Any]:
    def file(told: FileTold) -> dict[str, Any]:
        return {
            "file": told.file,
            "records": told.records,
            "columns": told.columns,
            "unreadable": len(told.faults),
            "faults": told.faults[:_SHOWN],
        }

    made: dict[str, Any] = {
        "files": [file(told) for told in understood.files],
        "map": str(write_map) if write_map else None,
        "out": str(out_file) if out_file else None,
        "engine": engine,
        "threshold": threshold,
        "took_s": round(took, 3),
    }
    if found is not None:
        made |= msgspec.structs.asdict(found)
    return made


class _Bar:
    """The progress bar, on a terminal; elsewhere nothing."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=err, disable=not self._on, transient=True,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._bar.stop()

    def pause(self) -> None:
        self._bar.stop()

    def go_on(self) -> None:
        self._bar.start()

    def show(self, stage: str, done: int, total: int | None) -> None:
        if not self._on:
            return
        if stage not in self._tasks:
            for task in self._tasks.values():
                self._bar.update(task, visible=False)
            self._tasks[stage] = self._bar.add_task(stage, total=total)
        self._bar.update(self._tasks[stage], completed=done, total=total)

"""What is told of files and of what came out, and how the clusters are written.

Used by :mod:`leadmill.linkage.service` and :mod:`leadmill.linkage.spark`.
"""

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from leadmill.linkage.columns import Column
from leadmill.runtime.rowfiles import Sheet

HEADER = ("record_id", "cluster_id", "match_probability")

Progress = Callable[[str, int, int | None], None]
"""Told of a stage's name, how much of it is done, and of how much; None where that is not known."""


class LineFault(Struct, frozen=True):
    """A row that could not be read: its line, the code, what to do; no value of the row."""

    line: int
    code: str
    detail: str


class FileTold(Struct, frozen=True):
    """A file as it was understood."""

    file: str
    records: int
    columns: tuple[Column, ...]
    faults: tuple[LineFault, ...]


class Understood(Struct, frozen=True):
    """Files read, or the beginnings of them, with their columns' meanings, before anything is compared."""

    sheets: tuple[tuple[Sheet, tuple[Column, ...]], ...]

    @property
    def files(self) -> tuple[FileTold, ...]:
        """What is told of the files."""
        return tuple(
            FileTold(
                sheet.name,
                sheet.rows,
                taken,
                tuple(LineFault(line, fault.code, fault.detail) for line, fault in sheet.faults),
            )
            for sheet, taken in self.sheets
        )


class Written(Struct, frozen=True):
    """What was written: ``records`` in ``clusters``, of which ``linked`` records share theirs; the ``largest`` one."""

    records: int
    clusters: int
    linked: int
    largest: int


def write_clusters(out: Path, rows: Iterable[tuple[str, int, float]]) -> Written:
    """Write each record's name, cluster and probability, the clusters numbered in the order they are met. The file
    appears when it is whole. Raises OSError where it cannot be written."""
    numbers: dict[int, int] = {}
    sizes: list[int] = []
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(HEADER)
            for ident, cluster, probability in rows:
                number = numbers.setdefault(cluster, len(numbers) + 1)
                if number > len(sizes):
                    sizes.append(0)
                sizes[number - 1] += 1
                writer.writerow((ident, number, f"{probability:.6f}"))
        os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return Written(sum(sizes), len(sizes), sum(size for size in sizes if size > 1), max(sizes, default=0))

"""The verb of files: whose record each row is. ``leadmill resolve`` calls it.

Files are read, their columns understood or mapped, laid side by side, compared, and the clusters written. Where that
happens, on this machine or on Spark, is the caller's choice; both are told the same fields and the same threshold.
"""

from collections.abc import Sequence
from pathlib import Path

from leadmill.core.faults import BadInput
from leadmill.linkage.columns import infer
from leadmill.linkage.consumers import census
from leadmill.linkage.joining import join
from leadmill.linkage.mapfile import ColumnMap, apply_map, read_column_map, write_column_map
from leadmill.linkage.resolving import THRESHOLD
from leadmill.linkage.resolving import resolve as tell_apart
from leadmill.linkage.sheets import ids_of, meant, read_sheet
from leadmill.linkage.spark import SAMPLE, SPARK_THRESHOLD, repeated, resolve_on_spark, spark_there
from leadmill.linkage.told import FileTold, Progress, Understood, Written, write_clusters
from leadmill.linkage.values import NameShares

__all__ = [
    "SAMPLE",
    "SPARK_THRESHOLD",
    "THRESHOLD",
    "ColumnMap",
    "FileTold",
    "Understood",
    "Written",
    "read_column_map",
    "resolve",
    "resolve_on_spark",
    "spark_there",
    "understand",
    "write_column_map",
]


def understand(paths: Sequence[Path], said: ColumnMap, progress: Progress, most: int | None = None) -> Understood:
    """Read files, or the first ``most`` rows of each, and say what their columns hold, as far as the map does not.

    Raises :class:`BadInput` as the readers do, and ``linkage.map.column``."""
    names = _names(paths)
    unknown = [name for name in said.files if name not in names]
    if unknown:
        raise BadInput("linkage.map.column", f"the map tells of a file '{unknown[0]}' that was not given")
    read, found = 0, []

    def tick(rows: int) -> None:
        nonlocal read
        read += rows
        progress("reading", read, None)

    for path, name in zip(paths, names, strict=True):
        sheet = read_sheet(path, name, said.of_file(name).layout, tick, most)
        found.append((sheet, apply_map(infer(sheet.columns, _name_shares), said, name)))
    if not any(column.kind for _, taken in found for column in taken):
        says = "no column says who somebody is; write a map with --write-map, name the columns in it, and give it back"
        raise BadInput("linkage.columns.none", says)
    return Understood(tuple(found))


def resolve(understood: Understood, said: ColumnMap, out: Path, threshold: float, progress: Progress) -> Written:
    """Tell the records of all files apart on this machine and write which belong together, in the files' order.

    Raises :class:`BadInput` ``linkage.id.repeated`` where two records have one id; OSError where ``out`` cannot be
    written."""
    sheets = [(meant(sheet, taken, said.of_file(sheet.name)), taken) for sheet, taken in understood.sheets]
    ids: list[str] = []
    for sheet, taken in sheets:
        own = ids_of(sheet, taken)
        if len(set(own)) != len(own):
            raise repeated(sheet.name)
        ids += own if len(sheets) == 1 else [f"{sheet.name}:{ident}" for ident in own]
    joined = join(sheets)
    found = tell_apart(joined.columns, joined.fields, threshold, progress=progress)
    rows = zip(ids, found.clusters.tolist(), found.probabilities.tolist(), strict=True)
    return write_clusters(out, rows)


def _name_shares() -> NameShares:
    shares = census().shares
    return shares["given_name"], shares["family_name"]


def _names(paths: Sequence[Path]) -> list[str]:
    """A name for each file: its own, with its folder's where two have one name."""
    names = [path.name for path in paths]
    return [str(path) if names.count(path.name) > 1 else path.name for path in paths]

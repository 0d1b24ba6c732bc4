"""Binary tables, row by row: XLSX through openpyxl's reading mode, Parquet through pyarrow's batches.

Called by :mod:`leadmill.runtime.rowfiles.reading`. A workbook is a zip file from a stranger: how far it may unpack is
checked before it is opened. The two libraries are loaded with the first such file: together they cost half a second and
a hundred megabytes, which no other command should pay.
"""

import importlib
import math
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from leadmill.core.faults import BadInput
from leadmill.core.reading import nearest
from leadmill.runtime.rowfiles.headers import name_columns, unclean
from leadmill.runtime.rowfiles.model import Layout, Opened, Row, RowFault

MAX_UNPACKED = 1 << 30
MAX_RATIO = 200
MAX_ENTRIES = 5000
MAX_ROWS = 1_048_576
"""Rows of a sheet; the format itself has no more."""
_SMALL = 1 << 20
_BATCH = 1000
_MAX_CELLS = 1000


def open_xlsx(path: Path, layout: Layout) -> Opened:
    """A workbook's sheet: the first one, or the one the layout names."""
    _check_zip(path)
    openpyxl = importlib.import_module("openpyxl")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as fault:  # the library raises whatever its parts raise
        raise _malformed(path, fault) from None
    try:
        names = list(book.sheetnames)
        if layout.sheet is not None and layout.sheet not in names:
            says = f"{path.name} has no sheet '{layout.sheet}'; {nearest(layout.sheet, names)}"
            raise BadInput("capture.file.malformed", says)
        sheet = book[layout.sheet or names[0]]
        sheet.reset_dimensions()  # what the file claims of its size is not to be believed
        rows = sheet.iter_rows(values_only=True, max_col=_MAX_CELLS + 1)
        line, header = _header(path, rows)
    except BadInput:
        book.close()
        raise
    except Exception as fault:
        book.close()
        raise _malformed(path, fault) from None
    return Opened(header, _sheet_rows(book, rows, line, header), book.close)


def _header(path: Path, rows: Iterator[tuple[Any, ...]]) -> tuple[int, list[str]]:
    for line, row in enumerate(rows, start=1):
        if any(cell is not None for cell in row):
            return line, name_columns(["" if cell is None else str(cell).strip() for cell in row])
        if line > 1000:
            break
    raise BadInput("capture.file.header", f"{path.name} has no row that names the columns")


def _sheet_rows(book: Any, rows: Iterator[tuple[Any, ...]], line: int, header: list[str]) -> Iterator[tuple[int, Row]]:
    width = len(header)
    try:
        while True:
            line += 1
            if line > MAX_ROWS:
                yield line, RowFault("capture.row.too_many", f"a sheet has at most {MAX_ROWS} rows; split the file")
                return
            try:
                row = next(rows)
            except StopIteration:
                return
            except Exception as fault:
                says = f"the sheet cannot be read on from here ({type(fault).__name__}); save it again"
                yield line, RowFault("capture.row.malformed", says)
                return
            cells = [_cell(cell) for cell in row]
            if all(cell == "" for cell in cells):
                continue
            if any(cell != "" for cell in cells[width:]):
                yield (
                    line,
                    RowFault("capture.row.ragged", f"has values beyond the {width} columns that the header names"),
                )
                continue
            yield line, unclean(header, cells) or dict(zip(header, cells, strict=False))
    finally:
        book.close()


def _cell(value: Any) -> Any:
    """A cell as JSON has it; dates as ISO texts, an error of a formula as blank."""
    if value is None or (isinstance(value, str) and value.startswith("#") and value.rstrip("!?").upper() in _ERRORS):
        return ""
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return "" if not math.isfinite(value) else int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() and value.tzinfo is None else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, list | tuple):
        return [str(_cell(item)) for item in value]
    if isinstance(value, dict):
        return {str(key): _cell(item) for key, item in value.items()}
    return str(value)


_ERRORS = frozenset(("#N/A", "#REF", "#VALUE", "#DIV/0", "#NUM", "#NAME", "#NULL", "#GETTING_DATA"))


def _check_zip(path: Path) -> None:
    """Refuse a zip file that unpacks to far more than it is. Reading never yields more than an entry declares, so
    what is declared can be trusted as a bound."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise _malformed(path, fault) from None
    if not any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise BadInput("capture.file.malformed", f"{path.name} is a zip file but no workbook; unpack it first")
    unpacked = sum(entry.file_size for entry in entries)
    swollen = any(
        entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries
    )
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or swollen:
        raise BadInput("capture.file.too_large", f"{path.name} unpacks to far more than a table needs; send it as CSV")


def open_parquet(path: Path) -> Opened:
    """A Parquet file; the line of a row is the row's place plus one, as if the names stood in the first line."""
    parquet = importlib.import_module("pyarrow.parquet")
    try:
        table = parquet.ParquetFile(path, memory_map=True)
        header = name_columns([str(name) for name in table.schema_arrow.names])
    except BadInput:
        raise
    except Exception as fault:
        raise _malformed(path, fault) from None
    return Opened(header, _batches(table, header), table.close)


def count_parquet(path: Path) -> int | None:
    """The rows a Parquet file says it has; None where it cannot be read."""
    parquet = importlib.import_module("pyarrow.parquet")
    try:
        return int(parquet.read_metadata(path).num_rows)
    except (OSError, ValueError):
        return None


def _batches(table: Any, header: list[str]) -> Iterator[tuple[int, Row]]:
    line = 1
    try:
        for batch in table.iter_batches(batch_size=_BATCH):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                line += 1
                cells = [_cell(cell) for cell in row]
                yield line, unclean(header, cells) or dict(zip(header, cells, strict=True))
    except (OSError, ValueError, NotImplementedError) as fault:
        says = f"the file cannot be read on from here ({type(fault).__name__}); write it again"
        yield line + 1, RowFault("capture.row.malformed", says)
    finally:
        table.close()


def _malformed(path: Path, fault: Exception) -> BadInput:
    return BadInput("capture.file.malformed", f"{path.name} cannot be read ({type(fault).__name__}); save it again")

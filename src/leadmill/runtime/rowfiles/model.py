"""What a file of rows is, as records."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["csv", "xlsx", "jsonl", "parquet"]


class RowFault(Struct, frozen=True):
    """A row of a file that cannot be read: a code and what to do, with no value of the row."""

    code: str
    detail: str


Row = dict[str, Any] | RowFault


class Layout(Struct, frozen=True):
    """What somebody says of a file that is otherwise found out."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None


class Shape(Struct, frozen=True):
    """What a file turned out to be; encoding and delimiter are those of text files."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","


class Opened(Struct):
    """A file whose header was read. ``header`` names the columns, each name once; None for JSON lines, where every row
    names its own. ``rows`` gives each row with its line (1 is the file's first line) as a dictionary by column, cells
    as they came, blank ones as an empty text. Whoever does not read ``rows`` to the end calls ``close``."""

    header: list[str] | None
    rows: Iterator[tuple[int, Row]]
    close: Callable[[], None]

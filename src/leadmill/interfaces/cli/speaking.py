"""How every command speaks and ends: the document, the tables, the status, the line that tells a fault.

Used by :mod:`leadmill.interfaces.cli.frame`, and by the commands that need no house and start without one. Results go
to standard output, words for people and progress to standard error; the exit status is 0 done, 1 done with findings,
2 wrong usage, 3 could not.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from leadmill.core.faults import BadInput, Fault
from leadmill.interfaces.visible import escaped, visible

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

FINDINGS, USAGE, COULD_NOT = 1, 2, 3


class _Console(Console):
    def print(self, *objects: Any, **how: Any) -> None:
        """Print, texts without what would move the cursor or turn the direction of writing."""
        super().print(*(_plain(each) if isinstance(each, str) else each for each in objects), **how)


def _plain(text: str) -> str:
    return visible(text).replace("\r", "[U+000D]")


out = _Console(soft_wrap=True, highlight=False)
err = _Console(stderr=True, soft_wrap=True, highlight=False)


def guarded(act: Callable[[], int]) -> int:
    """The status of ``act``; a fault is told in a line and becomes a status. What should never happen goes to the log
    as every broken part does, without the values it broke on."""
    try:
        return act()
    except BadInput as fault:
        return refused(fault)
    except Fault as fault:
        err.print(f"[bold]leadmill:[/] {fault.code}: {escape(fault.detail)}", markup=True)
        return COULD_NOT
    except OSError as fault:
        says = f"{fault.strerror or type(fault).__name__}{f': {fault.filename}' if fault.filename else ''}"
        err.print(f"[bold]leadmill:[/] cli.system.refused: {escape(says)}", markup=True)
        return COULD_NOT
    except KeyboardInterrupt:
        return 130
    except (typer.Exit, typer.Abort):
        raise
    except Exception as fault:
        # The log and its metrics take a quarter of a second to load; a command that goes well needs neither.
        importlib.import_module("leadmill.runtime.telemetry").log("cli").error("a command broke", exc_info=fault)
        err.print("[bold]leadmill:[/] cli.command.broken: something failed that should not; see the line above")
        return COULD_NOT


def refused(fault: BadInput) -> int:
    err.print(f"[bold]leadmill:[/] {fault.code}: {escape(fault.detail)}", markup=True)
    for entry in fault.errors:
        err.print(f"  {entry.pointer}: {entry.detail} ({entry.code})", markup=False)
    return USAGE


def document(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n")
    sys.stdout.flush()


def listing(found: Sequence[T], as_json: bool, title: str, columns: list[str], row: Callable[[T], list[str]]) -> None:
    """Print records as one document, or for people as a table of these columns."""
    if as_json:
        document(found)
    else:
        table(title, columns, [row(one) for one in found])


def table(
    title: str, columns: list[str], rows: list[list[str]], right: set[int] | None = None, to: Console = out
) -> None:
    """Print a table for people."""
    shown = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if right and number in right else "left")
    for row in rows:
        shown.add_row(*(Text(_plain(cell)) for cell in row))
    to.print(shown)

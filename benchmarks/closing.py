"""How every benchmark ends: told to people or as one document, with a status; stopped in order when it is ended.

Called by each benchmark's command.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import typer

from benchmarks.house import Broken, endable, say


def carry_out(measure: Callable[[], dict[str, Any]], tell: Callable[[dict[str, Any]], None], as_json: bool) -> None:
    """Measure, and tell what was found. Ends the program with 3 where the measurement could not be made and with 130
    where a person or SIGTERM ended it."""
    try:
        with endable():
            found = measure()
    except (Broken, subprocess.TimeoutExpired) as fault:
        say(str(fault))
        raise typer.Exit(3) from fault
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    else:
        tell(found)

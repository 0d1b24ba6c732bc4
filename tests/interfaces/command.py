"""A command of the program on a database of its own, in the test's own process.

Starting a process takes two seconds before the first word is read. That commands work as processes, with their own
streams and statuses, is what ``tests/abuse`` and ``tests/journeys`` show; here it is what they do that matters.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadmill.main import cli
from tests.once import read_once

read_once()


def leadmill(url: str, home: Path, *words: str) -> Result:
    """Run it to its end. What it did not mean to end with is the test's failure."""
    environ = {"LEADMILL_HOME": str(home), "LEADMILL_DATABASE_URL": url}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("leadmill.interfaces.cli.frame.settle", lambda: None)  # it is for processes of their own
        done = CliRunner().invoke(cli, list(words), env=environ)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done

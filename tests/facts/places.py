"""The reference data the tests of facts share, boiled down once for all of them."""

import os
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from leadmill.facts import Reference, load_reference

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)


@cache
def reference() -> Reference:
    """The places of the installed packages."""
    return load_reference(Path(os.environ.get("LEADMILL_TEST_ROOT", tempfile.gettempdir())) / "places")

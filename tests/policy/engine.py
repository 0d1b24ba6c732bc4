"""The law engine by the built-in packs, and the cases that show what each rule says."""

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from leadmill.facts import load_reference
from leadmill.policy.cases import read_case, read_lines
from leadmill.policy.service import Engine, open_engine

CASES = Path(__file__).with_name("cases")
FILES = sorted(path.stem for path in CASES.glob("*.jsonl"))


@cache
def engine() -> Engine:
    """The engine; the places are boiled down once for all tests."""
    cache_dir = Path(os.environ.get("LEADMILL_TEST_ROOT", tempfile.gettempdir())) / "places"
    return open_engine(cache_dir, reference=load_reference(cache_dir))


def cases_of(name: str) -> list[dict[str, Any]]:
    """The lines of a file of cases, as they stand."""
    found = []
    with (CASES / f"{name}.jsonl").open("rb") as lines:
        for _, raw in read_lines(lines):
            assert isinstance(raw, dict)
            found.append(raw)
    return found


def decided(base: str | None = "solar_ca_ok", now: str = "2026-11-24T18:00:00Z", **over: Any) -> Any:
    """The decision on a base with something laid over it."""
    line = {"now": now, **over} | ({"base": base} if base else {})
    return engine().decide(read_case(line))

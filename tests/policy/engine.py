"""The law engine by the built-in packs, and the cases that show what each rule says."""

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from leadmill.facts import Reference, load_reference
from leadmill.policy import Law
from leadmill.policy.cases import read_case, read_lines
from leadmill.policy.service import Engine, open_engine

CASES = Path(__file__).with_name("cases")
FILES = sorted(path.stem for path in CASES.glob("*.jsonl"))


@cache
def places() -> Reference:
    """What is known of places, boiled down once for all tests."""
    return load_reference(Path(os.environ.get("LEADMILL_TEST_ROOT", tempfile.gettempdir())) / "places")


@cache
def engine() -> Engine:
    """The engine by the built-in packs."""
    return open_engine(Path(), reference=places())


def engine_by(laws: Mapping[str, Law]) -> Engine:
    """The engine by these laws."""
    return Engine(laws.values(), places())


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

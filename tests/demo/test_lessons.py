"""What the demo has Leadmill learn from: past enquiries like those that come, and commands that there are."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from leadmill.capture import read_verticals
from leadmill.runtime.packs import load_packs
from leadmill_demo.lessons import commands, write_past

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_past_enquiries_hold_fields_that_there_are_and_outcomes_that_depend_on_them(tmp_path: Path) -> None:
    write_past(tmp_path / "past.csv", Random(3), NOW, rows=600)
    with (tmp_path / "past.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    solar = read_verticals(load_packs())["solar"]
    context = load_packs().common.file("fields.toml")["context"]
    known = {*solar.fields, *(f"context.{name}" for name in context), "decided_at", "converted"}
    assert len(rows) == 600 and set(rows[0]) <= known

    def share(**named: str) -> float:
        found = [row["converted"] == "true" for row in rows if all(row[key] == value for key, value in named.items())]
        return sum(found) / len(found)

    assert 0.1 < share() < 0.5
    assert share(homeowner="false") < share(homeowner="true")
    assert rows[0]["decided_at"] < rows[-1]["decided_at"] < NOW.isoformat()


def test_it_learns_registers_and_is_only_heard() -> None:
    words = [" ".join(each[:2]) for each in commands(Path("there"))]
    assert words == ["scoring train", "scoring add", "scoring activate"]
    assert commands(Path("there"))[-1][3:5] == ["--as", "shadow"]

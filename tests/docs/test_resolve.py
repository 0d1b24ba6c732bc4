"""docs/resolve.md: the example gives what the page shows, and its map is one."""

import csv
import subprocess
import sys
from pathlib import Path

from leadmill.linkage.mapfile import read_column_map
from leadmill.linkage.model import Kind
from tests.docs.pages import ROOT, blocks

EXAMPLES = ROOT / "examples" / "resolve"


def test_the_example_gives_what_the_page_shows(tmp_path: Path) -> None:
    out = tmp_path / "clusters.csv"
    files = [str(EXAMPLES / name) for name in ("crm.csv", "newsletter.csv")]
    command = [sys.executable, "-m", "leadmill", "resolve", *files, "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    shown = blocks("csv", "clusters")
    assert shown
    with out.open(newline="") as stream:
        rows = list(csv.reader(stream))
    for block in shown:
        lines = list(csv.reader(block.text.splitlines()))
        assert [line[:2] for line in lines] == [row[:2] for row in rows[: len(lines)]]
    assert len({row[1] for row in rows[1:]}) == 40
    assert "are 40 persons" in (EXAMPLES / "README.md").read_text()


def test_the_map_of_the_page_is_one(tmp_path: Path) -> None:
    shown = blocks("toml", "columns")
    assert shown
    for block in shown:
        path = tmp_path / "map.toml"
        path.write_text(block.text, encoding="utf-8")
        said = read_column_map(path)
        assert said.columns["Work phone"] == "phone.work"
        assert said.forms == {"Birthdate": "mdy"}
        assert said.files["newsletter.csv"].columns == {"name": "full_name"}


def test_the_page_names_every_kind_of_field() -> None:
    page = (ROOT / "docs" / "resolve.md").read_text(encoding="utf-8")
    assert [kind for kind in Kind if f"`{kind}`" not in page] == []

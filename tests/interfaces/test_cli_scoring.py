"""``leadmill scoring`` on files: refusals with their codes, and a program that starts without a house."""

import json
import shutil
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from leadmill.interfaces.cli import training
from leadmill.interfaces.cli.scoring_alone import cli
from leadmill.interfaces.house import House
from leadmill.runtime.packs import BUILT_IN
from leadmill.runtime.settings import Settings
from tests.learning.made import leads, with_outcome, write


def scoring(*words: "str | Path") -> "tuple[int, str, str]":
    done = CliRunner().invoke(cli, ["scoring", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def table(tmp_path: Path) -> Path:
    columns, labels = leads(300)
    whole = with_outcome(columns, labels)
    whole["Last Tags"] = ["signed" if label else "open" for label in labels]
    return write(tmp_path / "leads.csv", whole)


def test_columns_are_looked_at_without_training(table: Path) -> None:
    status, said, told = scoring("train", table, "--target", "won", "--json")
    found = json.loads(said)
    assert "is taken back with: --keep 'Last Tags'\n" in told
    assert (status, found["model"]) == (0, None)
    assert found["left_out"]["Last Tags"].startswith("suspected leak (copy)")
    assert {one["name"]: one["kind"] for one in found["columns"]}["visits"] == "number"


def test_what_is_kept_or_excluded_is_what_was_said(table: Path) -> None:
    _, said, _ = scoring("train", table, "--target", "won", "--keep", "Last Tags", "--exclude", "visits", "--json")
    assert set(json.loads(said)["left_out"]) == {"visits"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["train", "FILE", "--target", "nothing"], "learning.target.none"),
        (["train", "FILE", "--target", "won", "--monotone", "visits"], "learning.option.malformed"),
        (["train", "FILE", "--target", "won", "--kind", "visits=odd"], "learning.option.malformed"),
        (["train", "FILE", "--target", "won", "--time", "source"], "learning.time.unreadable"),
        (["train", "FILE", "--target", "won", "--horizon", "30"], "learning.option.malformed"),
        (["train", "FILE", "--target", "won", "--since", "2026-01-01"], "learning.option.malformed"),
        (["train", "FILE", "--target", "won", "--groups", "FILE"], "learning.option.malformed"),
        (["train", "FILE", "--target", "won", "--add", "one"], "learning.option.malformed"),
        (["evaluate", "DIR", "FILE"], "learning.model.none"),
        (["predict", "DIR", "FILE", "--out", "OUT"], "learning.model.none"),
    ],
)
def test_a_mistake_is_told_by_its_code(table: Path, tmp_path: Path, words: list[str], code: str) -> None:
    places = {"FILE": str(table), "DIR": str(tmp_path / "none"), "OUT": str(tmp_path / "scores.csv")}
    given = [places.get(word, word) for word in words]
    if code == "learning.time.unreadable":
        given += ["--out", str(tmp_path / "model")]
    status, _, told = scoring(*given)
    assert status == 2
    assert code in told


def test_the_program_starts_without_a_house_and_without_what_trains() -> None:
    code = (
        "import sys, leadmill.interfaces.cli.scoring_alone; "
        "print([m for m in ('litestar', 'sqlalchemy', 'scipy', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_pack_of_the_house_that_bars_nothing_leaves_nothing_out(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "packs" / "verticals" / "solar"
    shutil.copytree(BUILT_IN / "verticals" / "solar", own)
    (own / "fairness.toml").unlink()
    monkeypatch.setenv("LEADMILL_PACKS", str(tmp_path / "packs"))
    app = typer.Typer()
    training.add_to(app, never_opened)
    words = ["scoring", "train", str(table), "--target", "won", "--vertical-pack", "solar", "--json"]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, set(json.loads(done.stdout)["left_out"])) == (0, {"Last Tags"})


@pytest.mark.parametrize(
    "words",
    [
        ("--time", "at"),
        ("--against", "model"),
        ("--positive", "yes"),
        ("--protected", "sex"),
        ("--air", "0.9"),
        ("--vertical-pack", "solar"),
    ],
)
def test_what_does_nothing_for_our_own_leads_is_refused(words: tuple[str, str]) -> None:
    app = typer.Typer()
    training.add_to(app, never_opened)
    done = CliRunner().invoke(app, ["scoring", "train", "--vertical", "solar", "--add", "own", *words])
    assert done.exit_code == 2
    assert f"learning.option.malformed: {words[0]} does nothing with --vertical" in " ".join(done.stderr.split())


def never_opened(_: Settings) -> AbstractAsyncContextManager[House]:
    raise AssertionError("a file needs no house")

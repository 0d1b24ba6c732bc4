"""Training in a process of its own: what it made, what it refused, and what is left when it is killed."""

import random
import sys
from pathlib import Path

import msgspec
import pytest

from leadmill.core.faults import BadInput, Transient
from leadmill.flow.training import Task, apart
from leadmill.learning import Limits, read_model


def task(folder: Path, rows: int) -> Task:
    drawn = random.Random(5)
    lines = ["decided_at,bill,roof,bad,converted"]
    for number in range(rows):
        bill = drawn.randrange(50, 350)
        won = drawn.random() < bill / 450
        day = f"2026-03-{1 + number * 28 // rows:02}"
        lines.append(f"{day},{bill},{drawn.choice(('tile', 'metal'))},{not won},{won}")
    file = folder / "leads.csv"
    file.write_text("\n".join(lines).lower() + "\n")
    return Task(
        file=file,
        out=folder / "model",
        target="converted",
        time="decided_at",
        exclude=("decided_at", "bad"),
        protected=(),
        limits=Limits(most_gap=0.02),
        pack="solar",
        history={"says": ["Of our own leads."]},
        tries=1,
        threads=1,
    )


async def test_another_process_trains_by_what_it_is_told_and_knows_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADMILL_HOME", "/nowhere")
    said: list[bytes] = []
    made = await apart(said.append)(task(tmp_path, 260))
    assert made.passes
    assert made.card["digest"] == read_model(tmp_path / "model").digest
    assert made.card["fairness"]["limits"] == msgspec.to_builtins(Limits(most_gap=0.02))
    assert (made.card["data"]["time"], made.card["settings"]["tries"]) == ("decided_at", 1)
    assert {one["column"] for one in made.card["importance"]} == {"bill", "roof"}
    assert "Of our own leads." in (tmp_path / "model" / "card.md").read_text()
    assert b"leads.csv" in b"".join(said)


async def test_columns_are_left_out_taken_back_and_bound_as_it_is_told(tmp_path: Path) -> None:
    told = msgspec.structs.replace(
        task(tmp_path, 260),
        exclude=("decided_at", "roof"),
        keep=("bad",),
        monotone={"bill": 1},
        kinds={"bill": "number"},
    )
    card = (await apart()(told)).card
    assert {one["column"] for one in card["importance"]} <= {"bill", "bad"}
    assert "bad" not in card["left_out"]
    assert card["left_out"]["roof"] == "excluded by you"
    with pytest.raises(BadInput, match="no column 'bil'"):
        await apart()(msgspec.structs.replace(told, monotone={"bil": -1}, out=tmp_path / "other"))


async def test_what_it_refuses_is_raised_here_with_its_code(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="60 rows with an outcome; at least 200") as told:
        await apart()(task(tmp_path, 60))
    assert told.value.code == "learning.rows.few"
    assert not (tmp_path / "model").exists()


async def test_one_that_is_killed_is_to_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(killed))
    with pytest.raises(Transient, match="status -9") as told:
        await apart()(task(tmp_path, 60))
    assert told.value.code == "scoring.training.lost"

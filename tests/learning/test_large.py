"""Tables of very many rows: what is chosen by a draw, what the card says of it, and what is not done twice."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from leadmill.learning import building
from leadmill.learning.boosting import Setting
from leadmill.learning.fitting import Effort, hastened
from leadmill.learning.service import Asked, look_at, read_table, train
from leadmill.learning.table import Table, coded
from tests.learning.made import leads, with_outcome, write


def test_a_cell_is_read_once_whatever_part_of_the_table_asks() -> None:
    read: list[object] = []

    def reading(value: object) -> float:
        read.append(value)
        return float(str(value))

    column = coded(["1", "2", "2", "3"])
    assert column.numbers(reading).tolist() == [1.0, 2.0, 2.0, 3.0]
    table = Table({"a": column}, 4)
    part = table.take(np.array([False, True, False, True]))
    assert part.columns["a"].numbers(reading).tolist() == [2.0, 3.0]
    assert read == ["1", "2", "3"]
    assert part.columns["a"].part("value").tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("rate", "rounds", "faster", "fewer"),
    [(0.05, 600, 0.05, 600), (0.05, 1200, 0.1, 600), (0.03, 6000, 0.15, 1200), (0.2, 900, 0.2, 900)],
)
def test_of_many_rounds_fewer_are_grown_at_a_higher_rate(rate: float, rounds: int, faster: float, fewer: int) -> None:
    setting, grown = hastened(Setting(learning_rate=rate), rounds)
    assert (round(setting.learning_rate, 9), grown) == (faster, fewer)


def test_of_very_many_rows_some_are_drawn_and_the_card_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_MOST_CHOSEN_BY", 500)
    monkeypatch.setattr(building, "_EVENTS_CHOSEN_BY", 100)
    columns, labels = leads(900)
    whole = with_outcome(columns, labels)
    whole["told"] = ["x" if cell == whole["group"][0] else "y" for cell in whole["group"]]
    whole["day"] = [f"2026-{1 + row // 90:02d}-{1 + row % 28:02d}" for row in range(900)]
    read = read_table(write(tmp_path / "leads.csv", whole), lambda *_: None)
    stages: dict[str, int] = {}

    def say(stage: str, done: int, total: int | None) -> None:
        stages[stage] = max(done, stages.get(stage, 0))

    effort = Effort(tries=1, folds=3, seeds=2, threads=1, seed=5)
    asked = Asked(target="won", time="day", protected=("group",), effort=effort)
    trained, card = train(
        read, asked, look_at(read.table, asked), tmp_path / "model", datetime(2026, 11, 22, tzinfo=UTC), say
    )
    assert any(said.startswith("Of 900 rows 500 were drawn") for said in card["limits"])
    assert len(trained.built.chosen.sums) == 500
    assert trained.chronological is not None and trained.chronological.later.rows < 500
    assert trained.held.rows > 100
    assert {"weighing the columns", "testing block of time", "trying without columns, way"} <= set(stages)

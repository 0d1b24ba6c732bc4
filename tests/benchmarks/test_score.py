"""Which sets ``bench score`` measures on: public ones by their names, any file by FILE:TARGET."""

from pathlib import Path

import pytest

from benchmarks.house import Broken
from benchmarks.score import SETS, chosen, load
from tests.learning.made import leads, with_outcome, write


def test_a_file_with_its_target_is_a_set_without_what_looks_like_a_leak(tmp_path: Path) -> None:
    columns, labels = leads(300)
    whole = with_outcome(columns, labels)
    whole["Tags"] = ["signed" if label else "open" for label in labels]
    file = write(tmp_path / "leads.csv", whole)
    (one,) = chosen([f"{file}:won"], ["group"], [])
    loaded = load(tmp_path, one)
    assert (one.name, one.target, one.best_auc) == ("leads.csv", "won", None)
    assert set(loaded.table.columns) == {"visits", "source", "work"}
    assert set(loaded.left_out) == {"Tags", "group"}


def test_public_sets_are_chosen_by_name_and_what_is_neither_is_refused() -> None:
    assert chosen([], [], []) == list(SETS)
    assert [one.name for one in chosen(["insurance"], [], [])] == ["car insurance"]
    with pytest.raises(Broken):
        chosen(["nothing.csv:won"], [], [])

"""How the benchmark of resolving scores: pairs and clusters against the truth, counted by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks.contender import Found, score, truth_of
from benchmarks.kinds import KINDS
from benchmarks.persons import Made
from benchmarks.resolve import Ran, _against, run, sets_of, there, write

TRUTH = np.array([0, 0, 0, 1, 1, 2], dtype=np.int64)
"""Three pairs of the first person, one of the second: four true pairs."""


def found(pairs: list[tuple[int, int, float]], clusters: list[int] | None = None) -> Found:
    left, right, scores = zip(*pairs, strict=True) if pairs else ((), (), ())
    return Found(
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        np.array(scores, dtype=np.float64),
        None if clusters is None else np.array(clusters, dtype=np.int64),
    )


def test_the_best_threshold_is_found_and_equal_scores_stay_together() -> None:
    seen = score(found([(0, 1, 9.0), (0, 2, 8.0), (0, 5, 8.0), (3, 4, 7.0)]), TRUTH, 1.0)
    assert seen.best_f1 == pytest.approx(2 * 3 / (4 + 4))
    assert seen.f1_at_99 == pytest.approx(2 * 1 / (1 + 4))  # only the first pair alone is precise
    assert seen.reached == pytest.approx(3 / 4)
    assert (seen.pairs, seen.clustered_f1) == (4, None)


def test_clusters_are_scored_pair_by_pair() -> None:
    seen = score(found([], [7, 7, 8, 9, 9, 9]), TRUTH, 1.0)
    assert (seen.best_f1, seen.f1_at_99, seen.reached) == (0.0, 0.0, 0.0)
    assert seen.clustered_precision == pytest.approx(2 / 4)
    assert seen.clustered_recall == pytest.approx(2 / 4)
    assert seen.clustered_f1 == pytest.approx(0.5)


def test_a_set_is_written_with_its_truth_and_run_in_a_process_of_its_own(tmp_path: Path) -> None:
    names = ("ana lopez", "bo smith", "cy young", "di moss", "ed stone", "flo reed")
    rows = [{"name": name, "email": f"{name.split()[0]}@example.com"} for name in names for _ in range(3)]
    made = Made(["name", "email"], rows, [name for name in names for _ in range(3)])
    one = write(tmp_path, "few", made)
    assert len(set(truth_of(one.truth).tolist())) == 6
    ran = run("leadmill", one)
    assert ran.scored is not None, ran.fault
    assert ran.scored.clustered_f1 == 1.0
    assert 0 < ran.scored.work_s < ran.process_s
    assert ran.scored.peak_mb > 10
    slower = Ran("splink", ran.scored, ran.process_s * 2)
    assert _against([ran, slower])["splink"]["time"] == pytest.approx(2.0)


def test_without_public_sets_those_made_up_are_there(tmp_path: Path) -> None:
    assert {one.name for one in sets_of(tmp_path / "nothing", tmp_path, 200)} == {
        "historical",
        "consumers",
        "companies",
        *KINDS,
    }


def test_what_is_not_installed_is_left_out_with_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "recordlinkage" else object())
    assert there(["leadmill", "splink", "recordlinkage"]) == ["leadmill", "splink"]
    assert "pip install recordlinkage" in capsys.readouterr().err

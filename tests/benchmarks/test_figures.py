"""The benchmarks' arithmetic, and the command that finds them."""

import json
import math
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.figures import cpu_of_tree, median, parse_pgbench, parse_stat, percentile
from leadmill.interfaces.cli import bench

REPORT = """pgbench (18.4)
transaction type: insert.sql
scaling factor: 1
query mode: prepared
number of clients: 16
number of threads: 2
number of transactions actually processed: 65321
number of failed transactions: {failed} (0.000%)
latency average = 0.979 ms
initial connection time = 22.113 ms
tps = 16338.123456 (without initial connection time)
"""


@pytest.mark.parametrize(
    ("values", "share", "seen"),
    [([1.0], 0.99, 1.0), ([1.0, 2.0], 0.5, 1.0), ([1.0, 2.0, 3.0, 4.0], 0.75, 3.0), ([1.0, 2.0], 1.0, 2.0)],
)
def test_a_percentile_is_a_value_that_was_seen(values: list[float], share: float, seen: float) -> None:
    assert percentile(values, share) == seen


def test_the_99th_of_a_hundred_is_the_second_largest() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


def test_nothing_seen_has_no_percentile_and_no_median() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(median([]))


def test_a_share_beyond_all_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], 1.1)


@pytest.mark.parametrize(("values", "middle"), [([3.0, 1.0, 2.0], 2.0), ([1.0, 4.0], 2.5), ([7.0], 7.0)])
def test_the_median_is_the_middle(values: list[float], middle: float) -> None:
    assert median(values) == middle


def test_pgbench_reports_its_rate() -> None:
    assert parse_pgbench(REPORT.format(failed=0)) == 16338.123456


@pytest.mark.parametrize("report", ["", "tps = nothing", REPORT.format(failed=3)])
def test_a_report_without_a_clean_rate_is_refused(report: str) -> None:
    with pytest.raises(ValueError, match="pgbench"):
        parse_pgbench(report)


def test_a_process_may_have_any_name() -> None:
    tick = os.sysconf("SC_CLK_TCK")
    line = f"42 (od) d) (name) S 7 42 42 0 -1 4194560 1 2 3 4 {tick} {2 * tick} {3 * tick} {4 * tick} 20 0 1 0 5"
    assert parse_stat(line) == (7, 10.0)


def test_this_process_is_under_itself_and_has_worked() -> None:
    used = cpu_of_tree(os.getpid())
    assert used[os.getpid()] > 0


def app() -> typer.Typer:
    """A program of two commands, so that the first one's name stays an argument."""
    made = typer.Typer()
    bench.add_to(made, None)  # type: ignore[arg-type]
    made.command("other")(lambda: None)
    return made


def test_the_benchmarks_are_listed() -> None:
    ran = CliRunner().invoke(app(), ["bench", "--json"])
    listed = {item["name"]: item["there"] for item in json.loads(ran.output)}
    assert listed.keys() == {
        "intake", "limits", "match", "auction", "allocate", "resolve", "identity", "score", "import", "ping",
        "policy",
    }  # fmt: skip
    assert listed["intake"]
    assert listed["import"]


def test_an_unknown_benchmark_is_a_slip_of_the_caller() -> None:
    assert CliRunner().invoke(app(), ["bench", "inntake"]).exit_code == 2


def test_a_benchmark_whose_package_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    ran = CliRunner().invoke(app(), ["bench", "intake"])
    assert ran.exit_code == 3
    assert "comes with its package" in ran.output


def test_an_installation_without_benchmarks_says_where_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    ran = CliRunner().invoke(app(), ["bench", "intake"])
    assert ran.exit_code == 3
    assert "checkout" in " ".join(ran.output.split())


def test_a_benchmark_explains_its_own_options(capfd: pytest.CaptureFixture[str]) -> None:
    assert CliRunner().invoke(app(), ["bench", "intake", "--help"]).exit_code == 0
    assert "--stored" in capfd.readouterr().out


def test_wrong_usage_of_a_benchmark_is_told_by_its_status() -> None:
    assert CliRunner().invoke(app(), ["bench", "intake", "--no-such-option"]).exit_code == 2

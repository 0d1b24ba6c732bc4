"""``leadmill policy`` as it is typed: cases in, results out, a rule told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadmill.interfaces.cli.policy_alone import cli
from tests.policy.engine import engine

LINES = [
    {"id": "a", "base": "b2b_ok", "now": "2026-11-24T18:00:00Z", "action": "call", "expect": {"decision": "allow"}},
    {"id": "b", "base": "b2b_ok", "now": "2026-11-24T18:00:00Z", "action": "call", "expect": {"decision": "deny"}},
    {"id": "c", "base": "b2b_ok", "now": "2026-11-24T06:00:00Z", "action": "call"},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; the places are those of all tests, which take long to boil down."""
    monkeypatch.setattr("leadmill.interfaces.cli.policy.open_engine", lambda cache, more: engine())
    monkeypatch.setenv("LEADMILL_HOME", str(tmp_path))
    return tmp_path


def check(home: Path, text: str, *options: str) -> tuple[int, str, list[dict[str, object]]]:
    """The status, the output and the results of a file of cases."""
    cases, results = home / "cases.jsonl", home / "results.jsonl"
    cases.write_text(text)
    ran = CliRunner().invoke(cli, ["policy", "check", str(cases), "--out", str(results), *options])
    return ran.exit_code, ran.stdout, [json.loads(line) for line in results.read_text().splitlines()]


def test_each_case_gets_a_result(home: Path) -> None:
    status, said, results = check(home, "\n".join(map(json.dumps, LINES)))
    assert (status, [one["decision"] for one in results]) == (0, ["allow", "allow", "defer"])
    assert results[2]["until"] == "2026-11-24T14:00:00Z"
    assert "until" not in results[0]
    assert said.startswith("3 cases: 2 allow, 1 defer.")


def test_what_was_expected_otherwise_is_a_finding_where_that_is_asked(home: Path) -> None:
    status, said, _ = check(home, "\n".join(map(json.dumps, LINES)), "--expect", "--json")
    assert status == 1
    assert [one["id"] for one in json.loads(said)["findings"]] == ["b"]


def test_a_line_that_cannot_be_read_is_a_finding_and_a_review(home: Path) -> None:
    status, said, results = check(home, "{\n", "--json")
    assert (status, results[0]["decision"]) == (1, "review")
    assert json.loads(said)["decisions"] == {"review": 1}


def test_a_rule_is_told_and_an_unknown_one_is_a_slip(home: Path) -> None:
    told = CliRunner().invoke(cli, ["policy", "explain", "TEL-09", "--json"])
    assert told.exit_code == 0
    assert {one["id"] for one in json.loads(told.stdout)} == {"TEL-09"}
    assert CliRunner().invoke(cli, ["policy", "explain", "TEL-99"]).exit_code == 2

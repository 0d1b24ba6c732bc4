"""The command line in clumsy hands: wrong usage is 2, what could not be done is 3, and never a stack of frames."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
from typer.testing import CliRunner

from leadmill.main import cli
from tests.abuse.running import BUSINESS, Mill, command, lead, traces
from tests.interfaces.command import leadmill

NOWHERE = "postgresql://127.0.0.1:9/nowhere"


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command one can see, by its words."""
    group = group or typer.main.get_command(cli)
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*path, name))
        elif not found.hidden:
            yield (*path, name), found


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_command_shows_an_example_of_itself(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, [*words, "--help"])
    assert done.exit_code == 0
    assert f"Example: leadmill {' '.join(words)}" in " ".join(done.output.split())


def test_every_command_that_ends_can_answer_in_json() -> None:
    silent = [words for words, found in commands() if not any("--json" in each.opts for each in found.params)]
    # The game speaks JSON lines from its first word to its last.
    assert silent == [("serve",), ("work",), ("market", "play")]


WRONG: list[list[str]] = [
    ["nothing"],
    ["verify", "--nothing"],
    ["explain"],
    ["import"],
    ["import", "x.csv"],
    ["import", "x.csv", "--source"],
    ["apply"],
    ["serve", "--port", "abc"],
    ["serve", "--port", "99999999"],
    ["serve", "--port", "-1"],
    ["serve", "--workers", "0"],
    ["serve", "--host", ""],
    ["verify", "--database-url", "nonsense"],
    ["verify", "--database-url", "mysql://127.0.0.1/x"],
    ["replay", "--since", "yesterday"],
    ["replay", "--until", "2026-13-45"],
    ["user", "add", "x@example.com", "--role", "sultan"],
    ["key", "add", "gate", "--days", "99999999999"],
    ["key", "add", "gate", "--role", "[/bold]"],
    ["bench", "nothing"],
    ["bench", "[/]"],
    ["verify", "--json=yes"],
    ["verify", "--home", ""],
    ["serve", "--home", " "],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_told_and_is_status_two(words: list[str]) -> None:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.output


def test_no_command_is_wrong_usage_and_shows_the_help() -> None:
    done = CliRunner().invoke(cli, [])
    assert done.exit_code == 2
    assert "import" in done.output


def test_what_could_not_be_done_is_told_and_is_status_three(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        cases = {
            "db.server.unreachable": ["verify", "--json", "--home", str(tmp_path / "a"), "--database-url", NOWHERE],
            "serve.port.taken": ["serve", "--port", port, "--home", str(tmp_path / "b"), "--database-url", NOWHERE],
            "cli.system.refused": ["verify", "--json", "--home", str(tmp_path / "file" / "home")],
        }
        with ThreadPoolExecutor(2) as pool:
            ended = dict(zip(cases, pool.map(lambda words: command(*words), cases.values()), strict=True))
    for code, done in ended.items():
        assert (done.returncode, done.stdout) == (3, ""), done
        assert code in done.stderr
        assert "Traceback" not in done.stderr


def test_json_is_one_document_on_standard_output_and_nothing_else(mill: Mill, tmp_path: Path) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    (tmp_path / "more.toml").write_text(BUSINESS.read_text().replace('price = "10.00"', 'price = "11.00"'))
    calls: list[tuple[list[str | Path], tuple[int, ...]]] = [
        (["explain", taken, "--json"], (0,)),
        (["replay", "--json"], (0,)),
        (["doctor", "--json"], (0, 1)),
        (["key", "list", "--json"], (0,)),
        (["apply", tmp_path / "more.toml", "--dry-run", "--json"], (0,)),
    ]
    whole = mill.run(*calls[0][0])  # one as a process, whose streams are its own
    assert (whole.returncode, traces(whole.stderr)) == (0, []) and json.loads(whole.stdout)
    for words, statuses in calls:
        done = leadmill(mill.database_url, mill.home, *map(str, words))
        assert done.exit_code in statuses, (words, done.stderr[-2000:])
        json.loads(done.stdout)
        assert "Traceback" not in done.stderr
        assert traces(done.stderr) == [], words
        if words[0] not in ("explain", "key"):
            assert traces(done.stdout) == [], words


def test_what_is_not_there_is_told_by_its_name_and_in_no_half_document(mill: Mill, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[[source]]\nid = "x"\nnmae = "[/bold]\u202e"\nverticals = ["solar"]\n')
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    calls: dict[str, list[str | Path]] = {
        "no such lead": ["explain", "lead_1\u202e[/]", "--json"],
        "no source nobody": ["import", BUSINESS, "--source", "nobody", "--vertical", "solar", "--json"],
        "config.": ["apply", tmp_path / "bad.toml", "--json"],
        "config.file.malformed": ["apply", tmp_path / "binary.toml", "--json"],
        "capture.file.unreadable": [
            "import",
            tmp_path / "none.csv",
            "--source",
            "gate",
            "--vertical",
            "solar",
            "--json",
        ],
    }
    whole = mill.run(*calls["config."])  # one as a process, whose streams are its own
    assert (whole.returncode, whole.stdout) == (2, "") and "Traceback" not in whole.stderr
    for says, words in calls.items():
        done = leadmill(mill.database_url, mill.home, *map(str, words))
        assert (done.exit_code, done.stdout) == (2, ""), done
        assert says in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert "\u202e" not in done.stderr

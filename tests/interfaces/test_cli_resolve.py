"""``leadmill resolve``: files of any columns in, clusters out, and nothing of anybody in its words."""

import csv
import importlib.util
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner, Result

from leadmill.interfaces.cli.alone import cli as alone
from leadmill.interfaces.cli.resolve import threshold_of
from leadmill.linkage.service import SPARK_THRESHOLD, THRESHOLD
from leadmill.main import cli as whole
from tests.linkage.persons import persons

COUNT = 400
EXTRA = [package for package in ("splink", "pyspark") if importlib.util.find_spec(package) is None]


def resolve(*words: "str | Path", timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "leadmill", "resolve", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def linked(*words: "str | Path") -> Result:
    """The same without a process of its own, for what does not hang on one."""
    done = CliRunner().invoke(alone, ["resolve", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def write(path: Path, columns: dict[str, list[str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def slip(draw: Random, text: str) -> str:
    """A sign doubled."""
    place = draw.randrange(len(text))
    return text[:place] + text[place] + text[place:]


def exports(folder: Path) -> tuple[Path, Path]:
    """Two exports of the same 400 persons, under other names and in other forms, the second with slips."""
    draw, made = Random(3), persons(COUNT, seed=11)
    first = write(
        folder / "crm.csv",
        {
            "Contact ID": made["id"], "First Name": made["given"], "Last Name": made["family"], "Email": made["email"],
            "Birthdate": made["american"], "Mailing Street": made["street"], "Mailing Zip": made["zip"],
            "Lead Source": made["flag"],
        },
    )  # fmt: skip
    second = write(
        folder / "newsletter.csv",
        {
            "Name": [slip(draw, name) if draw.random() < 0.3 else name for name in made["full"]],
            "geb.": made["german"],
            "Strasse": made["street"],
            "PLZ": made["zip"],
            "E-Mail": [value if draw.random() < 0.5 else "" for value in made["email"]],
        },
        delimiter=";",
    )
    return first, second


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def assert_linked(rows: list[dict[str, str]], least: float) -> None:
    """Most of the persons are found again in the second file, and hardly anybody is taken for another."""
    assert list(rows[0]) == ["record_id", "cluster_id", "match_probability"]
    assert [row["record_id"] for row in rows] == [
        *(f"crm.csv:{1000 + place}" for place in range(COUNT)),
        *(f"newsletter.csv:{place + 1}" for place in range(COUNT)),
    ]
    assert all(0.0 <= float(row["match_probability"]) <= 1.0 for row in rows)
    clusters = [row["cluster_id"] for row in rows]
    found = sum(clusters[place] == clusters[COUNT + place] for place in range(COUNT))
    claimed = sum(count * (count - 1) // 2 for count in Counter(clusters).values())
    assert found >= least * COUNT
    assert found >= 0.9 * claimed


def test_two_exports_are_linked_and_what_was_inferred_is_shown(tmp_path):
    first, second = exports(tmp_path)
    out, told = tmp_path / "clusters.csv", tmp_path / "map.toml"
    done = resolve(first, second, "--out", out, "--write-map", told, "--json")
    assert done.returncode == 0, done.stderr
    assert_linked(rows_of(out), 0.9)
    found = json.loads(done.stdout)
    assert (found["records"], found["engine"]) == (2 * COUNT, "local")
    taken = {column["name"]: column["target"] for file in found["files"] for column in file["columns"]}
    assert taken == {
        "Contact ID": "id", "First Name": "given_name", "Last Name": "family_name", "Email": "email",
        "Birthdate": "date", "Mailing Street": "street", "Mailing Zip": "postcode", "Lead Source": "",
        "Name": "full_name", "geb.": "date", "Strasse": "street", "PLZ": "postcode", "E-Mail": "email",
    }  # fmt: skip
    assert "Mailing Zip" in done.stderr
    assert "MM/DD/YYYY" in done.stderr
    assert "@" not in done.stdout + done.stderr
    again = tmp_path / "again.csv"
    assert linked(first, second, "--out", again, "--map", told).exit_code == 0
    assert again.read_bytes() == out.read_bytes()


def test_an_edited_map_changes_what_is_compared(tmp_path):
    first, _ = exports(tmp_path)
    told = tmp_path / "map.toml"
    told.write_text(
        '[columns]\n"Last Name" = ""\nEmail = ""\nBirthdate = ""\n"Mailing Street" = ""\n"Mailing Zip" = ""\n'
    )
    done = linked(first, "--out", tmp_path / "c.csv", "--map", told, "--json")
    taken = {column["name"]: column["target"] for column in json.loads(done.stdout)["files"][0]["columns"]}
    assert {name for name, target in taken.items() if target} == {"Contact ID", "First Name"}


def test_rows_that_cannot_be_read_are_findings_and_the_rest_is_done(tmp_path):
    first, _ = exports(tmp_path)
    with first.open("a", encoding="utf-8") as stream:
        stream.write("9999,Only,Three\n")
    done = linked(first, "--out", tmp_path / "c.csv", "--json")
    assert done.exit_code == 1
    file = json.loads(done.stdout)["files"][0]
    assert (file["records"], file["unreadable"]) == (COUNT, 1)
    assert [(fault["line"], fault["code"]) for fault in file["faults"]] == [(COUNT + 2, "capture.row.ragged")]
    assert len(rows_of(tmp_path / "c.csv")) == COUNT
    told = linked(first, "--out", tmp_path / "c.csv")
    assert "capture.row.ragged" in told.stderr
    assert "400 records" in told.stdout


@pytest.mark.parametrize(
    ("content", "words", "status", "code"),
    [
        ("a,b\n1,2\n", ["--out", "c.csv"], 2, "linkage.columns.none"),
        ("email\n", ["--out", "c.csv"], 2, "linkage.file.empty"),
        ("%PDF-1.4", ["--out", "c.csv"], 2, "capture.file.malformed"),
        ("email\na@b.example\n", [], 2, "--out"),
        ("email\na@b.example\n", ["--out", "c.csv", "--map", "none.toml"], 2, "linkage.map.malformed"),
        ("email\na@b.example\n", ["--out", "c.csv", "--threshold", "2"], 2, "--threshold"),
        ("email\na@b.example\n", ["--out", "c.csv", "--engine", "abacus"], 2, "--engine"),
        ("email\na@b.example\n", ["--out", "no/such/folder/c.csv"], 3, "cli.system.refused"),
        ("no,email\n1,a@b.example\n1,c@d.example\n", ["--out", "c.csv", "--map", "id.toml"], 2, "linkage.id.repeated"),
    ],
)
def test_what_cannot_be_done_is_told_by_its_code(tmp_path, monkeypatch, content, words, status, code):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text(content)
    Path("id.toml").write_text('[columns]\nno = "id"\n')
    done = CliRunner().invoke(alone, ["resolve", "in.csv", *words])
    assert (done.exit_code, done.stdout) == (status, ""), (done.output, done.exception)
    assert code in done.stderr
    assert "@b.example" not in done.stderr
    assert not Path("c.csv").exists()
    assert not list(tmp_path.glob(".*"))


def test_one_row_and_one_column_are_enough(tmp_path):
    for name, content in {"one": "email\na@b.example\n", "twins": "email\na@b.example\na@b.example\n"}.items():
        (tmp_path / f"{name}.csv").write_text(content)
        done = linked(tmp_path / f"{name}.csv", "--out", tmp_path / "c.csv")
        assert done.exit_code == 0, done.stderr
    assert [row["cluster_id"] for row in rows_of(tmp_path / "c.csv")] == ["1", "1"]


def test_the_command_is_the_same_with_and_without_the_house():
    pages = [CliRunner().invoke(program, ["resolve", "--help"]).output for program in (alone, whole)]
    assert pages[0] == pages[1]
    assert "Example: leadmill resolve" in pages[0]


def test_it_starts_without_what_it_does_not_need():
    script = (
        "import sys; sys.argv[1:] = ['resolve', '--help']\n"
        "from leadmill.__main__ import start\n"
        "try:\n    start()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('litestar', 'sqlalchemy', 'asyncpg', 'structlog') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("engine", "said", "meant"),
    [("local", None, THRESHOLD), ("spark", None, SPARK_THRESHOLD), ("local", 0.9, 0.9), ("spark", 0.4, 0.4)],
)
def test_each_engine_has_the_threshold_that_suits_it_unless_one_is_said(engine, said, meant):
    assert threshold_of(engine, said) == meant


@pytest.mark.skipif(not EXTRA, reason="PySpark is installed")
def test_without_spark_it_says_what_to_install(tmp_path):
    first, _ = exports(tmp_path)
    done = resolve(first, "--out", tmp_path / "c.csv", "--engine", "spark")
    assert (done.returncode, done.stdout) == (3, "")
    assert "linkage.spark.missing" in done.stderr or "linkage.splink.missing" in done.stderr
    assert "leadmill[spark]" in done.stderr


@pytest.mark.skipif(bool(EXTRA), reason=f"not installed: {', '.join(EXTRA)}")
@pytest.mark.skipif(shutil.which("java") is None, reason="no Java on the path")
@pytest.mark.timeout(900)
def test_on_spark_the_same_files_are_linked(tmp_path):
    first, second = exports(tmp_path)
    out = tmp_path / "clusters.csv"
    done = resolve(first, second, "--out", out, "--engine", "spark", "--json", timeout=840)
    assert done.returncode == 0, done.stderr[-2000:]
    assert_linked(rows_of(out), 0.8)
    assert json.loads(done.stdout)["engine"] == "spark"

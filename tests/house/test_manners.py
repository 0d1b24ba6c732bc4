"""Manners of the files themselves: short, introduced, well named, and silent about where they were written."""

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, docstring_of, listed, project_files, project_modules, sight_of, where

LONGEST = 400
WRITTEN = {".py", ".ts", ".mjs", ".js", ".css", ".html", ".jinja", ".j2", ".sh", ".sql"}

BARRED_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
BARRED_CLASS = re.compile(r"\w(Service|Manager|Helper|Utils?)$")

# Put together at run time, so that this file does not name them either.
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
    ]
]


def workplace(*folders: Path) -> re.Pattern[str]:
    """Finds a mention of one of these folders, or of anything in it, that is not a part of an address."""
    named = "|".join(re.escape(str(folder)) for folder in folders if len(folder.parts) > 1)
    return re.compile(rf"(?<![\w.\-/])(?:{named})(?![\w.\-])")


WORKPLACE = workplace(ROOT, Path.home())
"""Where this checkout lies, and who works on it: neither is anybody else's business."""


def text_of(path: Path) -> str | None:
    """The file as text, or nothing where it is not text."""
    data = path.read_bytes()
    return None if b"\0" in data[:8192] else data.decode("utf-8", errors="replace")


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    looked_at = 0
    long: list[str] = []
    for path in project_files():
        inside = any(path.is_relative_to(ROOT / folder) for folder in ("src", "tests", "web/src"))
        if inside and path.suffix in WRITTEN and path.parent.name != "versions":  # those are generated
            looked_at += 1
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LONGEST:
                long.append(f"{where(path)}: {lines} lines")
    assert looked_at > 10
    assert not long, listed(long)


def test_every_module_introduces_itself() -> None:
    silent = [
        where(path)
        for path in project_modules("src", "tests", "benchmarks", "migrations")
        if path.stat().st_size and not docstring_of(path)
    ]
    empty_doors = [where(path) for path in project_modules("src") if not path.stat().st_size]
    assert not silent + empty_doors, listed(silent + empty_doors)


def test_no_module_or_package_is_a_drawer_for_anything() -> None:
    drawers = [
        where(path)
        for path in project_modules("src", "tests", "benchmarks")
        if BARRED_NAMES & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    ]
    assert not drawers, listed(drawers)


@pytest.mark.parametrize(
    ("name", "barred"),
    [("LeadService", True), ("CapManager", True), ("Service", False), ("Managed", False), ("Order", False)],
)
def test_the_class_rule_bars_bags_of_methods(name: str, barred: bool) -> None:
    assert bool(BARRED_CLASS.search(name)) is barred


def test_no_class_is_a_bag_of_methods() -> None:
    bags = [
        f"{where(path, line)} {name}"
        for path in project_modules("src")
        for line, name in sight_of(path).classes
        if BARRED_CLASS.search(name)
    ]
    assert not bags, listed(bags)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("cd /yard/mill/src", True),
        ("see /hut", True),
        ("HOME=/hut/.cache", True),
        ("at https://example.com/yard/mill", False),
        ("/yard and /hutch and /yard/millers", False),
        ("./hut/x", False),
    ],
)
def test_the_workplace_rule_knows_a_path_from_an_address(text: str, named: bool) -> None:
    assert bool(workplace(Path("/yard/mill"), Path("/hut"), Path("/")).search(text)) is named


def test_no_file_names_a_package_registry_or_a_workplace() -> None:
    found: list[str] = []
    for path in project_files():
        if path == Path(__file__) or (text := text_of(path)) is None:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{where(path, number)} names {host}" for host in HOSTS if host in line]
            if match := WORKPLACE.search(line):
                found.append(f"{where(path, number)} names {match.group()}")
    assert not found, listed(found)

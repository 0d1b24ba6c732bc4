"""What is installed is pinned, hashed, complete and free of addresses."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.house.sources import ROOT

PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>\S+)", re.MULTILINE)
NAME = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")
# In the lock so that Leadmill itself installs without a second resolution, but not imported by it.
BUILD_ONLY = {"hatchling", "editables"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(listing: str) -> set[str]:
    """The names in a requirements*.in file."""
    lines = (ROOT / listing).read_text(encoding="utf-8").splitlines()
    return {canonical(match["name"]) for line in lines if (match := NAME.match(line))}


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonical(match["name"]): match["version"] for match in PIN.finditer(text)}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_package_declares_what_the_lock_is_made_from(project: dict[str, Any]) -> None:
    declared = {canonical(match["name"]) for spec in project["dependencies"] if (match := NAME.match(spec))}
    assert declared == asked_for("requirements.in") - BUILD_ONLY


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node"])
def test_a_lock_pins_everything_that_is_asked_for(name: str) -> None:
    assert asked_for(f"{name}.in") <= pinned(f"{name}.lock").keys()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"])
def test_every_pin_carries_a_hash_and_no_line_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", "\n" + text) if PIN.match(entry.lstrip())]
    assert len(entries) == len(pinned(lock))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_the_two_python_locks_agree_where_they_overlap() -> None:
    runtime, dev = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert {name: (runtime[name], dev[name]) for name in runtime.keys() & dev if runtime[name] != dev[name]} == {}


def test_the_web_lock_is_exact_hashed_and_without_an_address() -> None:
    wanted = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    text = (ROOT / "web/package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    named = wanted.get("dependencies", {}) | wanted.get("devDependencies", {})
    assert named["htmx.org"] == "4.0.1"
    assert {name: packages[f"node_modules/{name}"]["version"] for name in named} == named
    assert [path for path, entry in packages.items() if path and "integrity" not in entry] == []
    assert "://" not in text

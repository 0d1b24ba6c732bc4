"""Reasons are closed: each is declared once, described in the documents, given by the program and shown by a test."""

import ast
import re
from functools import cache

import pytest

import leadmill.main
from leadmill.core.reasons import every
from scripts.reasons import page
from tests.house.sources import ROOT, project_files, project_modules

assert leadmill.main.cli is not None  # with the whole program every declaration has been read
CODES = [reason.code for reason in every()]


@cache
def declared() -> dict[str, str]:
    """The constant that holds each reason."""
    found = {}
    for path in project_modules("src"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                called = node.value.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                code = node.value.args[0] if name == "declare" and node.value.args else None
                if isinstance(code, ast.Constant) and isinstance(node.targets[0], ast.Name):
                    found[str(code.value)] = node.targets[0].id
    return found


@cache
def words_of(folder: str) -> str:
    """Everything written below a folder, the documents of this very test left out."""
    kinds = {".py", ".toml"}
    paths = [path for path in project_files() if path.is_relative_to(ROOT / folder) and path.suffix in kinds]
    return "\n".join(path.read_text("utf-8") for path in paths if path.name != "test_reasons.py")


def test_the_page_of_reasons_is_up_to_date() -> None:
    assert (ROOT / "docs" / "reasons.md").read_text("utf-8") == page(), "run python scripts/reasons.py"


def test_every_reason_is_held_by_a_constant() -> None:
    assert sorted(declared()) == CODES


@pytest.mark.parametrize("code", CODES)
def test_every_reason_is_given_somewhere_and_shown_by_a_test(code: str) -> None:
    name = re.compile(rf"\b{declared()[code]}\b")
    named = len(name.findall(words_of("src")))
    assert named > 1, "it is declared and never given: drop it"
    shown = code in words_of("tests") or name.search(words_of("tests")) is not None
    assert shown, "no test shows when it is given"


@pytest.mark.parametrize("reason", every(), ids=lambda reason: reason.code)
def test_every_reason_is_a_sentence(reason) -> None:
    assert re.match(r"[A-Z{]", reason.says)
    assert reason.says.rstrip().endswith((".", "}", ")"))

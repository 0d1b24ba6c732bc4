"""``docs/errors.md`` against the program: every code that something is refused or fails with stands there."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import leadmill.main
from leadmill.core.faults import BadInput, Fault, FieldFault
from leadmill.core.reasons import every
from leadmill.interfaces import web
from leadmill.interfaces.api.problems import status_of

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[a-z][a-z_0-9]*(\.[a-z][a-z_0-9]*){2}")
ROW = re.compile(r"\| `([a-z_0-9.]+)` \| (.*) \|")


def kinds(kind: type[Fault] = Fault) -> dict[str, type[Fault]]:
    """Every kind of fault there is, by its name."""
    found = {kind.__name__: kind}
    for each in kind.__subclasses__():
        found |= kinds(each)
    return found


CLASSES = kinds()
MADE = {"capture.row.shape", "capture.row.values"}
"""Codes put together at run time: those of a body, for a line of a file."""
NO_CODES = {"http.response.start", "http.response.body"}
EVIDENCE = (
    "consent/naming.py",
    "policy/contacts.py",
    "policy/dealings.py",
    "policy/deadlines.py",
    "policy/evidence.py",
    "policy/families.py",
    "policy/weighing.py",
)
"""Modules full of names of evidence, which look like codes; they refuse nothing."""
OTHERS = ("dist.", "leadmill.", "pyspark.", "spark.", "splink.")
"""How names begin that look like codes and are none: modules loaded late, files of a package, settings of Spark."""


@cache
def trees() -> tuple[ast.AST, ...]:
    folder = Path(leadmill.main.__file__).parent
    paths = sorted(path for path in folder.rglob("*.py") if path.relative_to(folder).as_posix() not in EVIDENCE)
    return tuple(ast.parse(path.read_text("utf-8")) for path in paths)


@cache
def codes() -> set[str]:
    """Every code in the program that is no reason."""
    found = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }
    words = [
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    told = set(re.findall(r"(?<![\w.])cli\.[a-z]+\.[a-z]+", "\n".join(words)))
    known = (found | told | MADE) - NO_CODES - {reason.code for reason in every()}
    return {code for code in known if not code.startswith(OTHERS)}


def statuses() -> dict[str, set[int]]:
    """The statuses with which each code is answered, by the faults raised with it."""
    found: dict[str, set[int]] = {code: {status} for status, code in web._CODES.items()}
    for tree in trees():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES):
                continue
            if not (node.args and isinstance(node.args[0], ast.Constant)):
                continue
            code: str = node.args[0].value  # type: ignore[assignment]
            fault: Any = CLASSES[node.func.id]
            detailed = len(node.args) > 2 and issubclass(fault, BadInput)
            made = fault(code, "", [FieldFault("", "", "")]) if detailed else fault(code, "", *_more(fault))
            found.setdefault(code, set()).add(status_of(made))
    return {code: every - {500} or every for code, every in found.items()}


def _more(fault: type[Fault]) -> tuple[Any, ...]:
    return (1.0,) if fault.__name__ == "Throttled" else ()


@cache
def page() -> dict[str, list[tuple[str, list[str]]]]:
    """The rows of the page by section: a code and its other cells."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    section = ""
    for line in (ROOT / "docs" / "errors.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif row := ROW.fullmatch(line):
            found.setdefault(section, []).append((row[1], row[2].split(" | ")))
    return found


def test_every_code_stands_on_the_page_and_no_other() -> None:
    listed = [code for rows in page().values() for code, _ in rows]
    assert len(listed) == len(set(listed)), sorted({code for code in listed if listed.count(code) > 1})
    assert sorted(codes() - set(listed)) == [], "add them to docs/errors.md"
    assert sorted(set(listed) - codes()) == [], "nothing gives these any more"


def test_every_row_says_what_a_code_means_and_what_to_do_in_order() -> None:
    for section, rows in page().items():
        assert [code for code, _ in rows] == sorted(code for code, _ in rows), section
        for code, cells in rows:
            assert len(cells) == (3 if section == "Answers" else 2), code
            assert all(cell.endswith(".") for cell in cells[-2:]), code


def test_every_status_on_the_page_is_the_one_that_is_answered() -> None:
    answered = statuses()
    for code, cells in page()["Answers"]:
        if cells[0] != "4xx":
            assert {int(status) for status in cells[0].split(", ")} == answered[code], code

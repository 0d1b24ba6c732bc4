"""The project's own sources as the inspectors read them: which files there are, what each one imports.

Only syntax trees are read and nothing is imported, so a package that is still broken can be inspected too.
"""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be if added now. What git ignores was made by a tool."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted({path for path in paths if path.is_file()}))


def project_modules(*folders: str) -> list[Path]:
    """The Python files below these folders of the repository."""
    roots = [ROOT / folder for folder in folders]
    return [path for path in project_files() if path.suffix == ".py" and any(path.is_relative_to(r) for r in roots)]


def module_name(path: Path) -> str:
    """The dotted name of a file below ``src``."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True)
class Import:
    """One imported name: where it stands, the module asked for, and the name taken out of it, if any."""

    line: int
    module: str
    name: str | None

    def targets(self, known: frozenset[str]) -> str:
        """The module this import reaches: ``from a import b`` reaches ``a.b`` where that is a module."""
        inner = f"{self.module}.{self.name}"
        return inner if self.name and inner in known else self.module


def imports_of(tree: ast.AST, module: str, is_package: bool = False) -> Iterator[Import]:
    """Every import statement anywhere in the tree, relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".")
                kept = here[: len(here) - node.level + (1 if is_package else 0)]
                base = ".".join([*kept, base] if base else kept)
            for alias in node.names:
                yield Import(node.lineno, base, alias.name)


def imports_in_functions(tree: ast.AST) -> Iterator[int]:
    """The lines of the imports that wait inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno


def tree_of(path: Path) -> ast.Module:
    """The parsed file. Trees are large and are not kept; what several inspectors want to know is in :class:`Sight`."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@dataclass(frozen=True)
class Sight:
    """What the inspectors want to know of a module below ``src``: its imports, and its classes with their lines."""

    imports: tuple[Import, ...]
    classes: tuple[tuple[int, str], ...]


@cache
def sight_of(path: Path) -> Sight:
    """A module's tree, looked at once."""
    tree = tree_of(path)
    classes = tuple((node.lineno, node.name) for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return Sight(tuple(imports_of(tree, module_name(path), path.name == "__init__.py")), classes)


_CODE_BEGINS = re.compile(r"^(?:from|import|def|class|async|@)\b", re.MULTILINE)


def docstring_of(path: Path) -> str:
    """How a module introduces itself; empty where it does not."""
    text = path.read_text(encoding="utf-8")
    begins = _CODE_BEGINS.search(text)
    try:
        head = ast.parse(text[: begins.start()] if begins else text)
    except SyntaxError:  # such a word stands in the introduction itself
        head = ast.parse(text)
    return (ast.get_docstring(head) or "").strip()


_INDENTED_IMPORT = re.compile(r"^(?!from |import )[^\n]*\bimport\b", re.MULTILINE)


def may_hide_imports(path: Path) -> bool:
    """Whether the word stands anywhere but at the beginning of a line: only then a tree need be looked at."""
    return _INDENTED_IMPORT.search(path.read_text(encoding="utf-8")) is not None


@cache
def known_modules() -> frozenset[str]:
    """The dotted names of all modules and packages below ``src``."""
    names: set[str] = set()
    for path in project_modules("src"):
        name = module_name(path)
        while name:
            names.add(name)
            name = name.rpartition(".")[0]
    return frozenset(names)


def where(path: Path, line: int | None = None) -> str:
    """``path:line`` as a person would look it up."""
    shown = str(path.relative_to(ROOT))
    return shown if line is None else f"{shown}:{line}"


def listed(findings: Iterable[str]) -> str:
    """Findings one a line, for an assertion's message."""
    return "\n" + "\n".join(sorted(set(findings)))

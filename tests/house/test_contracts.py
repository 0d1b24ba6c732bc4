"""The architecture's rules that the import contracts of pyproject.toml cannot say.

Each rule is a small function over one module, tried here on a made-up offender first and then on the whole
project: an inspector that cannot find anything proves nothing.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.house.sources import (
    ROOT,
    SRC,
    Import,
    imports_in_functions,
    imports_of,
    known_modules,
    listed,
    may_hide_imports,
    module_name,
    project_modules,
    sight_of,
    tree_of,
    where,
)

# Not domain packages: the vocabulary and the machinery are used file by file, the upper three have no users below.
NO_DOOR = {"core", "runtime", "flow", "interfaces", "main", "__main__", "packs"}
# Who may walk past the door, and to what.
UPPER = {"flow", "interfaces", "main"}
STAFF_ROOMS = {"service", "step", "store"}
SQL = {"sqlalchemy", "asyncpg", "alembic", "psycopg", "psycopg2", "sqlite3"}
SQL_ROOMS = {"store", "tables"}
CHECK = "from importlinter.cli import lint_imports_command; lint_imports_command()"
SOCKETS = {"socket", "ssl", "smtplib", "http.client", "urllib.request", "ftplib", "aiohttp", "aiosmtplib", "httpx"}


OWN_DOORS = {("scoring", "retraining"), ("scoring", "watch")}
"""Rooms of a package that are entered by a door of their own."""


def passes_the_door(importer: str, target: str) -> bool:
    """Whether a module may import another package's: the door and ``model``, some rooms more for the upper packages."""
    mine, theirs = importer.split("."), target.split(".")
    if theirs[0] != "leadmill" or len(theirs) < 2 or theirs[1] in NO_DOOR:
        return True
    if mine[0] == "leadmill" and (len(mine) < 2 or mine[1] == theirs[1]):
        return True
    if len(theirs) == 2 or theirs[2] == "model":
        return True
    if tuple(theirs[1:3]) in OWN_DOORS:
        return len(theirs) == 3 or theirs[3] == "model"
    return mine[0] == "leadmill" and mine[1] in UPPER and theirs[2] in STAFF_ROOMS


def may_speak_sql(module: str) -> bool:
    """Whether this module is a store, a table description, the machinery below them or a migration."""
    parts = module.split(".")
    if parts[:2] in (["leadmill", "runtime"], ["leadmill", "migrations"]):
        return True
    # A package of several rooms has its stores where they are used.
    return any(part in SQL_ROOMS for part in parts[2:4])


def may_open_sockets(module: str, library: str) -> bool:
    """Only the machinery talks to the network; the interfaces may make a plain socket to listen on. The demo stands
    outside and knows nothing but sockets."""
    parts = module.split(".")
    if parts[0] == "leadmill_demo":
        return True
    return parts[:2] == ["leadmill", "runtime"] or (library == "socket" and parts[:2] == ["leadmill", "interfaces"])


def reaches(imported: Import, names: set[str]) -> bool:
    """Whether the import takes one of these libraries, or a part of one."""
    asked = imported.module if imported.name is None else f"{imported.module}.{imported.name}"
    return any(asked == name or asked.startswith(f"{name}.") for name in names)


def all_imports() -> Iterator[tuple[str, str, Import]]:
    """(where, importing module, import) for everything below ``src``."""
    for path in project_modules("src"):
        for found in sight_of(path).imports:
            yield where(path, found.line), module_name(path), found


@pytest.mark.parametrize(
    ("importer", "target", "allowed"),
    [
        ("leadmill.market.rules", "leadmill.policy", True),
        ("leadmill.market.rules", "leadmill.policy.model", True),
        ("leadmill.market.rules", "leadmill.policy.rules", False),
        ("leadmill.market.service", "leadmill.policy.service", False),
        ("leadmill.market.service", "leadmill.policy.store.reading", False),
        ("leadmill.market.service", "leadmill.market.store", True),
        ("leadmill.market.rules", "leadmill.core.money", True),
        ("leadmill.market.store", "leadmill.runtime.db", True),
        ("leadmill.flow.pipeline", "leadmill.policy.step", True),
        ("leadmill.interfaces.api.leads", "leadmill.market.service.hold_auction", True),
        ("leadmill.interfaces.api.leads", "leadmill.market.rules", False),
        ("leadmill.flow.overseeing", "leadmill.scoring.watch", True),
        ("leadmill.flow.overseeing", "leadmill.scoring.watch.model", True),
        ("leadmill.flow.overseeing", "leadmill.scoring.watch.store", False),
        ("leadmill.flow.planning", "leadmill.scoring.retraining", True),
        ("leadmill.flow.planning", "leadmill.scoring.retraining.rules", False),
        ("leadmill.main", "leadmill.parties.store", True),
        ("leadmill.main", "leadmill.parties.tables", False),
        ("leadmill_plugins.certificates", "leadmill.consent.model", True),
        ("leadmill_plugins.certificates", "leadmill.consent.service", False),
    ],
)
def test_the_door_rule_tells_guests_from_intruders(importer: str, target: str, allowed: bool) -> None:
    assert passes_the_door(importer, target) is allowed


def test_packages_enter_one_another_through_the_door_or_the_model() -> None:
    known = known_modules()
    assert "leadmill.core" in known
    intruders = [
        f"{place} imports {found.targets(known)}"
        for place, module, found in all_imports()
        if not passes_the_door(module, found.targets(known))
    ]
    assert not intruders, listed(intruders)


def test_an_import_of_a_submodule_by_name_counts_as_entering_it() -> None:
    tree = ast.parse("from leadmill.market import rules, Order")
    known = frozenset({"leadmill.market", "leadmill.market.rules"})
    assert [found.targets(known) for found in imports_of(tree, "leadmill.billing.service")] == [
        "leadmill.market.rules",
        "leadmill.market",
    ]


def test_a_relative_import_is_read_as_the_module_it_means() -> None:
    tree = ast.parse("from ..market.store import read\nfrom . import model")
    assert [found.module for found in imports_of(tree, "leadmill.billing.service")] == [
        "leadmill.market.store",
        "leadmill.billing",
    ]


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("leadmill.market.store", True),
        ("leadmill.market.store.caps", True),
        ("leadmill.market.limits.store.counters", True),
        ("leadmill.market.limits.capbook", False),
        ("leadmill.market.tables", True),
        ("leadmill.runtime.db", True),
        ("leadmill.migrations.env", True),
        ("leadmill.market.service", False),
        ("leadmill.interfaces.api.leads", False),
        ("leadmill.main", False),
        ("leadmill_plugins.couriers", False),
    ],
)
def test_sql_has_its_rooms(module: str, allowed: bool) -> None:
    assert may_speak_sql(module) is allowed


def test_sql_is_spoken_in_stores_tables_and_runtime_alone() -> None:
    speakers = [
        f"{place} imports {found.module}"
        for place, module, found in all_imports()
        if reaches(found, SQL) and not may_speak_sql(module)
    ]
    assert not speakers, listed(speakers)


def test_sockets_are_opened_in_runtime_alone() -> None:
    assert reaches(Import(1, "urllib", "request"), SOCKETS)
    assert not reaches(Import(1, "urllib", "parse"), SOCKETS)
    assert may_open_sockets("leadmill.interfaces.cli.serve", "socket")
    assert not may_open_sockets("leadmill.interfaces.cli.serve", "aiohttp")
    assert not may_open_sockets("leadmill.delivery.service", "socket")
    assert may_open_sockets("leadmill_demo.world", "aiohttp")
    openers = [
        f"{place} imports {found.module}"
        for place, module, found in all_imports()
        if reaches(found, SOCKETS) and not may_open_sockets(module, found.module)
    ]
    assert not openers, listed(openers)


def test_plug_ins_know_only_the_vocabulary_and_the_models() -> None:
    known = known_modules()
    strays = [
        f"{place} imports {found.targets(known)}"
        for place, module, found in all_imports()
        if module.startswith("leadmill_plugins")
        and (parts := found.targets(known).split("."))[0] == "leadmill"
        and len(parts) > 1
        and parts[1] in NO_DOOR - {"core"}
    ]
    assert not strays, listed(strays)


def test_an_import_inside_a_function_is_found() -> None:
    tree = ast.parse("import a\nclass C:\n    def f(self):\n        if self:\n            from b import c\n")
    assert list(imports_in_functions(tree)) == [5]


def test_no_import_waits_inside_a_function() -> None:
    hidden = [
        where(path, line)
        for path in project_modules("src", "tests", "benchmarks", "scripts")
        if may_hide_imports(path)
        for line in imports_in_functions(tree_of(path))
    ]
    assert not hidden, listed(hidden)


def test_no_import_hides_from_the_running_program() -> None:
    """An import for the type checker alone is how a cycle is dodged; a cycle means the boundary is wrong."""
    hiding = [place for place, _, found in all_imports() if (found.module, found.name) == ("typing", "TYPE_CHECKING")]
    assert not hiding, listed(hiding)


def test_the_import_contracts_hold() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", CHECK, "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": str(SRC), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout

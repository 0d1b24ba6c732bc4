"""Writes the next version: ``python -m leadmill.migrations "what changes"``. For developers.

Starts a throw-away server, brings it to the last version, compares it with the tables of all packages.
"""

import asyncio
import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

import leadmill
from leadmill.runtime.cluster import FORGETFUL
from leadmill.runtime.migrate import alembic_config, engine, migrate
from leadmill.runtime.postgres import embedded


def import_tables() -> None:
    """Import every module that describes tables, so that the metadata is whole."""
    for found in pkgutil.walk_packages(leadmill.__path__, "leadmill."):
        if found.name.endswith(".tables") or (found.name.startswith("leadmill.runtime.") and not found.ispkg):
            importlib.import_module(found.name)


async def write_version(url: str, message: str) -> None:
    """Bring the database to the last version and write the difference as the next one."""
    scripts = ScriptDirectory.from_config(alembic_config())
    number = len(list(scripts.walk_revisions())) + 1
    if number > 1:
        await migrate(url)

    def compare(connection: sa.Connection) -> None:
        script = command.revision(alembic_config(connection), message, autogenerate=True, rev_id=f"{number:04}")
        written.extend(Path(one.path) for one in (script if isinstance(script, list) else [script]) if one)

    written: list[Path] = []

    maker = engine(url)
    async with maker.connect() as conn:
        await conn.run_sync(compare)
    await maker.dispose()
    for path in written:
        path.write_text("".join(line for line in path.open() if "# ###" not in line))
        ruff = [sys.executable, "-m", "ruff"]
        for task in ("format", "check --fix --exit-zero"):
            subprocess.run([*ruff, *task.split(), "--quiet", str(path)], check=True)  # noqa: S603, ASYNC221 a developer waits


def main() -> None:
    """The command."""
    if len(sys.argv) != 2:
        sys.exit(f'usage: python -m {__package__} "what changes"')
    import_tables()
    with tempfile.TemporaryDirectory() as home, embedded(Path(home), settings=FORGETFUL) as url:
        asyncio.run(write_version(url, sys.argv[1]))


if __name__ == "__main__":
    main()

"""A whole database in one file, and back.

Called by ``flow.backups``. The file is a ZIP whose members are the tables as PostgreSQL's binary COPY gives them, read
in one snapshot while others write, compressed as they stream, and a manifest with the schema's version and a digest of
each table. The manifest is sealed with the master key: whoever can write to the file could otherwise have a restore put
in what they like, an administrator for example. The file appears under its name whole or not at all. Loading is one
transaction: an empty database becomes the one that was saved, at the version it had, and is then brought up to date.
"""

import hashlib
import hmac
import json
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.runtime.db import Tx, metadata
from leadmill.runtime.migrate import alembic_config, engine, upgrade

MANIFEST = "manifest.json"
SEAL = "manifest.seal"
FORMAT = 1

_LEFT_OUT = frozenset(("alembic_version", "session", "sign_in_try"))
"""The version stands in the manifest; whoever is signed in signs in again."""

_PATIENCE = 86_400.0
_CHUNK = 1 << 20

Tell = Callable[[str], None]
"""Takes a sentence that says how far it is."""


class Sheet(Struct, frozen=True):
    """A saved table: its columns in their order, its rows, the SHA-256 of what COPY gave."""

    name: str
    columns: list[str]
    rows: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What a file holds: ``schema`` is the version of the tables, ``master`` the fingerprint of the master key that
    opens it, ``home`` the folder it was made from, ``keys`` the master key itself, locked with a passphrase, where
    somebody wanted it."""

    leadmill_backup: int
    at: datetime
    version: str
    schema: str
    master: str
    home: str
    tables: list[Sheet]
    sequences: dict[str, int] = {}
    keys: dict[str, str] | None = None


@contextmanager
def whole_file(file: Path) -> Iterator[IO[bytes]]:
    """A file to write that gets its name once it is whole: whoever is killed meanwhile leaves nothing behind, where the
    system knows nameless files, else a draft that no one takes for it.

    Raises :class:`Permanent` ``backup.file.exists`` where there is one already.
    """
    if file.exists():
        raise Permanent("backup.file.exists", f"{file} is there already: choose another name")
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        handle, draft = _nameless(file)
        try:
            with os.fdopen(handle, "w+b") as opened:
                yield opened
                opened.flush()
                os.fsync(handle)
                # Given a folder's descriptor, link follows the one that stands for the open file (linkat).
                os.link(draft or f"/proc/self/fd/{handle}", file.absolute(), src_dir_fd=folder, follow_symlinks=True)
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)
        os.fsync(folder)
    finally:
        os.close(folder)


def _nameless(file: Path) -> tuple[int, Path | None]:
    """A file to write and, where the system knows no nameless ones, the name of the draft."""
    try:
        return os.open(file.parent, os.O_TMPFILE | os.O_RDWR, 0o600), None
    except (AttributeError, OSError):
        draft = file.absolute().with_name(f".{file.name}.part")
        return os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), draft


class _Member:
    """What COPY writes to: one member of the file, digested."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member = member
        self.digest = hashlib.sha256()

    async def __call__(self, data: bytes) -> None:
        self.digest.update(data)
        self._member.write(data)


async def save(tx: Tx, opened: IO[bytes], about: Callable[..., Manifest], master: bytes, tell: Tell) -> Manifest:
    """Write every table as the transaction sees it, which must stand still; ``about`` makes the manifest from what is
    known here, ``master`` seals it."""
    with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=3) as archive:
        sheets = []
        for name, columns in (await _tables(tx)).items():
            with archive.open(f"tables/{name}", "w", force_zip64=True) as member:
                out = _Member(member)
                done = await tx.conn.copy_from_table(
                    name, columns=columns, output=out, format="binary", timeout=_PATIENCE
                )
            rows = int(done.rpartition(" ")[2])
            sheets.append(Sheet(name, columns, rows, out.digest.hexdigest()))
            tell(f"{name}: {rows:,} rows")
        schema = await tx.conn.fetchval("SELECT version_num FROM alembic_version")
        made = about(schema=schema, tables=sheets, sequences=await _sequences(tx))
        raw = msgspec.json.format(msgspec.json.encode(made), indent=1)
        archive.writestr(MANIFEST, raw)
        archive.writestr(SEAL, _seal(master, raw))
    return made


def _seal(master: bytes, raw: bytes) -> str:
    """The seal of a manifest as it lies in the file (HMAC-SHA-256, hex)."""
    return hmac.new(master, b"leadmill backup manifest\n" + raw, hashlib.sha256).hexdigest()


def check_seal(file: Path, master: bytes) -> None:
    """Raise :class:`Permanent` ``backup.file.altered`` where the manifest, and with it any table, is not what the
    holder of the master key saved."""
    with zipfile.ZipFile(file) as archive:
        raw = archive.read(MANIFEST)
        told = archive.read(SEAL) if SEAL in archive.namelist() else b""
    if not hmac.compare_digest(told, _seal(master, raw).encode()):
        says = f"{file} was changed after it was made, or made without this master key: do not restore it"
        raise Permanent("backup.file.altered", says)


async def _tables(tx: Tx) -> dict[str, list[str]]:
    """Every table of ours with its columns; one that others refer to comes before them."""
    rows = await tx.conn.fetch(
        "SELECT t.table_name::text AS name, array_agg(c.column_name::text ORDER BY c.ordinal_position) AS columns"
        " FROM information_schema.tables t JOIN information_schema.columns c"
        " ON c.table_schema = t.table_schema AND c.table_name = t.table_name"
        " WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE' GROUP BY t.table_name ORDER BY 1"
    )
    return {row["name"]: list(row["columns"]) for row in rows if row["name"] not in _LEFT_OUT}


async def _sequences(tx: Tx) -> dict[str, int]:
    rows = await tx.conn.fetch(
        "SELECT sequence_name::text AS name FROM information_schema.sequences"
        " WHERE sequence_schema = current_schema() ORDER BY 1"
    )
    found = {}
    for row in rows:
        found[row["name"]] = await tx.conn.fetchval(
            f'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "{row["name"]}"'  # noqa: S608 a name it gave
        )
    return found


def read_manifest(file: Path) -> Manifest:
    """What a file holds. Raises :class:`Permanent` ``backup.file.foreign`` where it is none of ours, or a newer
    one."""
    try:
        with zipfile.ZipFile(file) as archive:
            raw = archive.read(MANIFEST)
            if json.loads(raw).get("leadmill_backup") != FORMAT:
                raise Permanent("backup.file.foreign", f"{file} was made by another Leadmill: use that one or a newer")
            return msgspec.json.decode(raw, type=Manifest)
    except (zipfile.BadZipFile, KeyError, ValueError) as fault:
        raise Permanent("backup.file.foreign", f"{file} is no backup of Leadmill, or not whole") from fault


async def load(url: str, file: Path, manifest: Manifest, tell: Tell) -> None:
    """Fill an empty database with what a file holds, and bring it up to date; all of it or nothing.

    Raises :class:`Permanent` ``backup.store.occupied`` where the database holds anything, ``backup.file.damaged`` where
    a table is not what was saved, ``db.schema.newer`` where the file's tables are newer than this program.
    """
    if manifest.schema not in {one.revision for one in ScriptDirectory.from_config(alembic_config()).walk_revisions()}:
        raise Permanent("db.schema.newer", "the backup was made by a newer Leadmill: use that one")
    maker = engine(url)
    try:
        async with maker.connect() as conn, conn.begin():
            await conn.run_sync(_must_be_empty)
            await conn.run_sync(upgrade, manifest.schema)
            driver: Any = (await conn.get_raw_connection()).driver_connection
            with zipfile.ZipFile(file) as archive:
                for sheet in _in_order(manifest.tables):
                    await driver.execute(f'DELETE FROM "{sheet.name}"')  # noqa: S608 what a version put in by itself
                    await _fill(driver, archive, sheet)
                    tell(f"{sheet.name}: {sheet.rows:,} rows")
            for name, value in manifest.sequences.items():
                if value:
                    await driver.execute("SELECT setval($1::text::regclass, $2)", name, value)
            await conn.run_sync(upgrade)
    finally:
        await maker.dispose()


def _in_order(tables: list[Sheet]) -> list[Sheet]:
    """Operators before what refers to them; everything else stands by itself."""
    return sorted(tables, key=lambda sheet: (sheet.name != "operator", sheet.name))


async def _fill(driver: Any, archive: zipfile.ZipFile, sheet: Sheet) -> None:
    digest = hashlib.sha256()

    async def chunks(member: IO[bytes]) -> AsyncIterator[bytes]:
        while data := member.read(_CHUNK):
            digest.update(data)
            yield data

    try:
        with archive.open(f"tables/{sheet.name}") as member:
            await driver.copy_to_table(
                sheet.name, columns=sheet.columns, source=chunks(member), format="binary", timeout=_PATIENCE
            )
    except (zipfile.BadZipFile, KeyError, EOFError) as fault:
        raise Permanent("backup.file.damaged", f"the table {sheet.name} is not what was saved") from fault
    if digest.hexdigest() != sheet.sha256:
        raise Permanent("backup.file.damaged", f"the table {sheet.name} is not what was saved")


def _must_be_empty(connection: sa.Connection) -> None:
    names = [
        str(name)
        for name in connection.execute(
            sa.text("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        ).scalars()
    ]
    ours = {*metadata.tables, "alembic_version"}
    for name in names:
        found = connection.execute(sa.text(f'SELECT 1 FROM "{name}" LIMIT 1')).first()  # noqa: S608 a name it gave
        if (found is not None and name != "alembic_version") or name not in ours:
            says = f"the database holds something ({name}): restore into an empty one"
            raise Permanent("backup.store.occupied", says)
    for name in names:  # tables that a start has made and nobody has used
        connection.execute(sa.text(f'DROP TABLE "{name}" CASCADE'))

"""A backup holds everything and is whole or not there; who was forgotten after it is forgotten by the restore."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
import pytest

from leadmill.core.faults import BadInput, Permanent
from leadmill.core.ids import Mint
from leadmill.flow.backups import find_master, forget_again, load_backup, logs_of, make_backup, refuse_unfinished
from leadmill.flow.backups.making import lock, unlock
from leadmill.flow.biography import read_biography
from leadmill.flow.forgetting import forget
from leadmill.flow.runner import Mill
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.main import wire
from leadmill.runtime.archive import Manifest, check_seal, load, read_manifest, save, whole_file
from leadmill.runtime.db import Database
from leadmill.runtime.migrate import migrate, newest
from leadmill.runtime.vault import ENVIRONMENT, FILE, fingerprint, set_aside
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, count, stored, submission
from tests.journeys.house import ENVIRON


def quiet(text: str) -> None:
    """Tells nobody."""


MASTER = b"m" * 32


async def versioned(url: str, revision: str) -> None:
    """Say in a database which version its tables are; the fixtures' are made without."""
    conn = await asyncpg.connect(url)
    await conn.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    await conn.execute("INSERT INTO alembic_version VALUES ($1)", revision)
    await conn.close()


@asynccontextmanager
async def wired(house: House, home: Path, url: str, mint: Mint) -> AsyncIterator[House]:
    """A second house on another home and database."""
    async with contextlib.AsyncExitStack() as stack:
        db = Database(url, 4)
        await db.open()
        stack.push_async_callback(db.close)
        (home / "cache").symlink_to(house.settings.home / "cache")
        settings = msgspec.structs.replace(house.settings, home=home, database_url=url)
        made = await wire(settings, ENVIRON, db, stack, house.clock, mint)
        await made.book.refresh(db)
        yield made
        await made.mill.close()


async def test_a_backup_under_load_comes_back_whole_and_a_forgotten_person_stays_forgotten(
    house: House, clock: FixedClock, mint: Mint, tmp_path: Path, empty_database_url: str
) -> None:
    await versioned(house.settings.database_url or "", newest() or "")
    await apply(house, BUSINESS)
    mill = Mill(house.kit, lanes=2)
    for number in range(3):
        await mill.take(submission(house, number))
    file, fresh = tmp_path / "one.backup", tmp_path / "fresh"
    fresh.mkdir()

    leads = [asyncio.create_task(mill.take(submission(house, number))) for number in range(3, 18)]
    made = await make_backup(house.db, house.vault, house.settings.home, file, clock(), quiet)
    await asyncio.gather(*leads)
    await mill.close()
    first, second, *_ = await stored(house)
    clock.advance(hours=1)
    async with house.db.begin() as tx:
        await forget(tx, house.kit, first.person_id, "the person", clock())
    assert await house.erasures.keep_up(house.db) == 1
    assert await house.erasures.keep_up(house.db) == 0
    assert "Smith" not in house.erasures.path.read_text()

    with zipfile.ZipFile(file) as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist())
    assert house.vault.master not in inside and house.vault.master.hex().encode() not in inside
    assert b"ann.1@example.com" not in inside

    manifest = read_manifest(file)
    assert manifest == made
    master, place = find_master(manifest, fresh, {})
    assert place == str(house.settings.home / FILE)  # on the same machine it is found where it was
    await load_backup(empty_database_url, file, manifest, fresh, master, {}, quiet)
    with pytest.raises(Permanent, match=r"backup\.restore\.unfinished"):
        refuse_unfinished(fresh)
    async with wired(house, fresh, empty_database_url, mint) as other:
        logs = logs_of(manifest, fresh, [], None)
        assert logs == [house.erasures.path]
        assert await forget_again(other.kit, logs, fresh, quiet) == 1
        refuse_unfinished(fresh)
        assert (await verify(other.db, other.pen, clock(), fresh)).findings == []
        rows = await stored(other)
        assert len(rows) >= 3 and await count(other, "posting") >= 3
        async with other.db.begin() as tx:
            assert (await read_biography(tx, other.pen, first.id)).forgotten
            remembered = await other.pen.lock(tx, second.id)
            lead = other.pen.open_lead(remembered)
            assert lead is not None and "ann.1@example.com" in str(lead.fields)
            row = await other.pen.lock(tx, first.id)
            with pytest.raises(Permanent):
                other.pen.open_lead(row)
            gone = await tx.conn.fetchval("SELECT wrapped_key FROM person WHERE id = $1", first.person_id)
            assert gone is None
        await other.erasures.keep_up(other.db)
        assert first.person_id in other.erasures.path.read_text()  # the new home's log knows it, too

        with pytest.raises(Permanent, match=r"backup\.store\.occupied"):
            await load_backup(empty_database_url, file, manifest, tmp_path, master, {}, quiet)
    damaged = tmp_path / "damaged.backup"
    sheets = [msgspec.structs.replace(one, sha256="0" * 64) for one in manifest.tables]
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(damaged, "w") as torn:
        for name in archive.namelist():
            torn.writestr(name, archive.read(name))
    conn = await asyncpg.connect(empty_database_url)
    await conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with pytest.raises(Permanent, match=r"backup\.file\.damaged"):
        await load(empty_database_url, damaged, msgspec.structs.replace(manifest, tables=sheets), quiet)
    assert await conn.fetchval("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == 0
    await conn.close()


async def test_a_backup_of_an_older_version_is_brought_up_to_date(empty_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "old.backup"

    def about(**known: object) -> Manifest:
        return msgspec.convert(
            {
                "leadmill_backup": 1,
                "at": "2026-01-01T00:00:00Z",
                "version": "0",
                "master": "",
                "home": "",
                **msgspec.to_builtins(known),
            },
            Manifest,
        )

    await migrate(empty_database_url, "0016")
    db = Database(empty_database_url, 2)
    await db.open()
    async with db.begin() as tx:
        await tx.conn.execute("INSERT INTO person (id, created_at) VALUES ('person_1', now())")
    with whole_file(file) as opened:
        async with db.begin(still=True) as tx:
            made = await save(tx, opened, about, MASTER, quiet)
    check_seal(file, MASTER)
    for part, content in (("manifest.json", None), ("manifest.seal", b"0" * 64), ("manifest.seal", b"")):
        altered = tmp_path / "altered.backup"
        with zipfile.ZipFile(file) as archive, zipfile.ZipFile(altered, "w") as other:
            for name in archive.namelist():
                whole = archive.read(name)
                forged = whole.replace(b'"rows": 1', b'"rows": 2') if content is None else content
                other.writestr(name, forged if name == part else whole)
        with pytest.raises(Permanent, match=r"backup\.file\.altered"):
            check_seal(altered, MASTER)
    with pytest.raises(Permanent, match=r"backup\.file\.altered"):
        check_seal(file, b"n" * 32)
    assert (made.schema, {one.rows for one in made.tables if one.name == "person"}) == ("0016", {1})
    async with db.begin() as tx:
        await tx.conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await load(empty_database_url, file, read_manifest(file), quiet)
    async with db.begin() as tx:
        assert await tx.conn.fetchval("SELECT version_num FROM alembic_version") == newest()
        assert await tx.conn.fetchval("SELECT id FROM person") == "person_1"
        assert await tx.conn.fetchval("SELECT count(*) FROM audit_seal") == 0
    await db.close()
    newer = msgspec.structs.replace(made, schema="9999")
    with pytest.raises(Permanent, match=r"db\.schema\.newer"):
        await load(empty_database_url, file, newer, quiet)


def test_whoever_is_killed_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "half.backup"
    body = (
        "import os, sys, pathlib\n"
        "from leadmill.runtime.archive import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as opened:\n"
        "    opened.write(b'x' * 100_000); opened.flush(); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", body, str(file)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".part")] == []
    with whole_file(file) as opened:
        opened.write(b"whole")
        assert not file.exists()
    assert file.read_bytes() == b"whole"
    with pytest.raises(Permanent, match=r"backup\.file\.exists"), whole_file(file):
        pass


def test_the_key_is_in_a_backup_only_behind_a_passphrase_and_found_where_it_is(tmp_path: Path) -> None:
    master, other = os.urandom(32), os.urandom(32)
    locked = lock(master, "correct horse battery")
    assert master.hex() not in str(locked)
    assert unlock(locked, "correct horse battery") == master
    with pytest.raises(Permanent, match=r"backup\.passphrase\.wrong"):
        unlock(locked, "wrong horse battery")
    with pytest.raises(BadInput, match=r"backup\.passphrase\.short"):
        lock(master, "short")

    manifest = Manifest(
        leadmill_backup=1,
        at=FixedClock().now,
        version="1",
        schema="0001",
        master=fingerprint(master),
        home=str(tmp_path / "elsewhere"),
        tables=[],
        keys=locked,
    )
    assert find_master(manifest, tmp_path, {}, "correct horse battery") == (master, "the backup")
    assert find_master(manifest, tmp_path, {ENVIRONMENT: master.hex()}) == (master, ENVIRONMENT)
    (tmp_path / FILE).write_text(other.hex())
    with pytest.raises(Permanent, match=r"backup\.key\.missing"):
        find_master(manifest, tmp_path, {ENVIRONMENT: other.hex()})
    (tmp_path / FILE).write_text(master.hex())
    assert find_master(manifest, tmp_path, {})[0] == master
    aside = set_aside(tmp_path)  # what a change of the master key leaves for older backups
    (tmp_path / FILE).write_text(other.hex())
    assert find_master(manifest, tmp_path, {}) == (master, str(aside))


@pytest.mark.parametrize("text", ["", "PK nonsense", '{"leadmill_backup": 1}'])
def test_what_is_no_backup_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "no.backup"
    file.write_text(text)
    with pytest.raises(Permanent, match=r"backup\.file\.foreign"):
        read_manifest(file)

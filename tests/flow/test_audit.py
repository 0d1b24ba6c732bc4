"""The proof: rows under seal, signed checkpoints, and the file that a stranger checks with a script of his own."""

import ast
import gzip
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from leadmill.flow.audit import COVERS, export, keep_proof
from leadmill.flow.runner import Mill
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.runtime import checkpoints, seals
from leadmill.runtime.checkpoints import Checkpoint, Statement
from leadmill.runtime.db import Tx
from tests.conftest import FixedClock
from tests.docs.pages import ROOT
from tests.flow.stage import BUSINESS, apply, buyer, stored, submission

SCRIPT = ROOT / "docs/verify_offline.py"
HANDED = {
    **BUSINESS,
    "buyer": [buyer("helio", delivery={"courier": "http", "url": "https://helio.example/leads"}), buyer("bright")],
}


async def lived(house: House, clock: FixedClock) -> str:
    """A house with sold leads whose rows have come to rest under seal, and one that came since; the id of the first."""
    await apply(house, HANDED)
    mill = Mill(house.kit, lanes=1)
    for number in range(3):
        await mill.take(submission(house, number))
        clock.advance(seconds=1)
    clock.advance(minutes=11)
    assert await keep_proof(house.db, house.vault, house.settings.home, clock()) is not None
    await mill.take(submission(house, 3))
    return (await stored(house))[0].id


async def found_after(house: House, sql: str, check: Callable[[Tx], Any]) -> list[tuple[str, str]]:
    """What a check finds after something was done to the store, which is taken back again."""
    async with house.db.begin() as tx:
        trial = tx.conn.transaction()
        await trial.start()
        done = await tx.conn.execute(sql)
        assert not done.endswith(" 0"), sql
        found = [(one.code, one.where) for one in await check(tx)]
        await trial.rollback()
    return found


ROWS = {
    "UPDATE posting SET amount = amount + 1 WHERE id = {posting}": ("audit.row.altered", "posting {posting}"),
    "UPDATE posting SET credit = 'payable:me' WHERE id = {posting}": ("audit.row.altered", "posting {posting}"),
    "DELETE FROM posting WHERE id = {posting}": ("audit.row.missing", "posting after"),
    "INSERT INTO posting SELECT id || 'x', at, debit, credit, amount, currency, kind, ref, \"group\" FROM posting"
    " WHERE id = {posting}": ("audit.row.added", "posting {posting}x"),
    "INSERT INTO posting SELECT 'zzz', at, debit, credit, amount, currency, kind, ref, \"group\" FROM posting"
    " WHERE id = {posting}": ("audit.row.added", "posting zzz"),
    "UPDATE sale SET price = price - 1 WHERE id = {sale}": ("audit.row.altered", "sale {sale}"),
    "UPDATE sale SET buyer_id = 'bright' WHERE id = {sale}": ("audit.row.altered", "sale {sale}"),
    "UPDATE delivery SET recipient = 'bright' WHERE id = {delivery}": ("audit.row.altered", "delivery {delivery}"),
    "DELETE FROM delivery WHERE id = {delivery}": ("audit.row.missing", "delivery after"),
    "UPDATE lead SET source_id = 'other' WHERE id = {lead}": ("audit.row.altered", "lead {lead}"),
    "UPDATE submission SET digest = sha256(digest) WHERE id = {submission}": (
        "audit.row.altered",
        "submission {submission}",
    ),
    "UPDATE record_version SET author = 'nobody' WHERE kind = 'buyer' AND id = 'helio'": (
        "audit.row.altered",
        "buyer helio",
    ),
    "UPDATE audit_seal SET marks = sha256(marks) WHERE name = 'posting'": ("audit.seal.altered", "seal "),
    "DELETE FROM audit_seal WHERE seq = 2": ("audit.seal.missing", "seal 3"),
}


async def test_every_row_under_seal_that_somebody_touches_is_found_and_named(house: House, clock: FixedClock) -> None:
    lead_id = await lived(house, clock)
    ids = {"lead": lead_id}
    async with house.db.begin() as tx:
        for table, column in (
            ("sale", "lead_id"),
            ("delivery", "lead_id"),
            ("submission", "lead_id"),
            ("posting", '"group"'),
        ):
            ids[table] = await tx.conn.fetchval(f"SELECT min(id) FROM {table} WHERE {column} = $1", lead_id)
        assert await seals.check(tx, COVERS) == []
    for sql, (code, where) in ROWS.items():
        sql = sql.format(**{name: f"'{ident}'" for name, ident in ids.items()})
        found = await found_after(house, sql, lambda tx: seals.check(tx, COVERS))
        assert any(one == code and where.format(**ids) in place for one, place in found), (sql, found)


CUT = {
    "DELETE FROM journal_group WHERE link_seq >= 2": ("audit.tail.missing", "journal, links 2 to"),
    "UPDATE journal_group SET link_hash = sha256(link_hash) WHERE link_seq = {last}": (
        "audit.tail.altered",
        "journal, link {last}",
    ),
    "DELETE FROM audit_seal WHERE seq > 1": ("audit.tail.missing", "seals, seals 2 to"),
    "UPDATE audit_checkpoint SET body = replace(body, '2026', '2025')": ("audit.checkpoint.altered", "checkpoint 1"),
    "DELETE FROM audit_checkpoint": ("audit.checkpoint.missing", "checkpoint 1"),
    "UPDATE audit_key SET wrapped_key = sha256(wrapped_key)": ("audit.checkpoint.altered", "checkpoint 1"),
}


async def test_what_was_cut_off_is_found_against_the_last_checkpoint(house: House, clock: FixedClock) -> None:
    await lived(house, clock)
    kept = checkpoints.read_witness(house.settings.home)
    signed = checkpoints.read(kept[-1].body)
    for sql, (code, where) in CUT.items():
        sql = sql.format(last=signed.journal.seq)
        found = await found_after(house, sql, lambda tx: checkpoints.check(tx, house.vault, kept))
        assert any(one == code and where.format(last=signed.journal.seq) in place for one, place in found), (sql, found)


async def test_nobody_without_the_master_key_signs_a_checkpoint(house: House, clock: FixedClock) -> None:
    await lived(house, clock)
    async with house.db.begin() as tx:
        stands = checkpoints.read((await checkpoints.every(tx))[-1].body)
    stranger = Ed25519PrivateKey.generate()
    public = stranger.public_key().public_bytes_raw().hex()
    body = msgspec.json.encode(
        Statement(stands.checkpoint, clock(), stands.journal, stands.seals, stands.before, public)
    ).decode()
    forged = Checkpoint(body, stranger.sign(body.encode()))
    sql = (
        f"WITH made AS (INSERT INTO audit_key VALUES ('{public}', '\\x00', now()) RETURNING public)"
        f" UPDATE audit_checkpoint SET body = '{forged.body}', signature = '\\x{forged.signature.hex()}' FROM made"
    )
    found = await found_after(house, sql, lambda tx: checkpoints.check(tx, house.vault))
    assert ("audit.checkpoint.altered", "checkpoint 1") in found


def run(file: Path, key: str) -> tuple[int, str]:
    """The script as a stranger runs it; its status and what it said."""
    words = [sys.executable, "-I", str(SCRIPT), str(file), "--key", key]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def script() -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("verify_offline", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_is_short_and_knows_nothing_of_us() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) < 200
    imports = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imports - set(sys.stdlib_module_names) == {"cryptography"}


async def test_a_stranger_checks_the_export_and_finds_what_was_tampered_with_since(
    house: House, clock: FixedClock, tmp_path: Path
) -> None:
    lead_id = await lived(house, clock)
    home, before, after = house.settings.home, tmp_path / "before.jsonl.gz", tmp_path / "after.jsonl"
    written = await export(house.db, house.vault, home, before, clock())
    assert (written.pages, written.checkpoints) == (4, 2)
    code, said = run(before, written.key)
    assert code == 0, said
    assert "4 pages" in said and "0 findings" in said
    offline = script()
    text = gzip.decompress(before.read_bytes()).decode()
    assert "ann." not in text and "Smith" not in text and "+1916" not in text
    assert offline.Export(before, "00" * 32).found  # another house's key
    assert list(offline.compare(offline.Export(before, None), offline.Export(before, None))) == []

    # What is changed in the file itself.
    lines = text.splitlines(keepends=True)
    row = next(number for number, line in enumerate(lines) if line.startswith('["row","posting"'))
    torn = {
        "a line taken out": [*lines[:row], *lines[row + 1 :]],
        "a row's mark": [*lines[:row], lines[row].replace('"]', '0"]').replace(',"', ',"', 1), *lines[row + 1 :]],
        "its end": lines[:-1],
        "its second half": lines[: len(lines) // 2],
        "a header": [lines[0].replace("2026", "2025"), *lines[1:]],
    }
    for what, changed in torn.items():
        after.write_text("".join(changed))
        assert offline.Export(after, written.key).found, what

    # What is changed in the store between two exports.
    async with house.db.begin() as tx:
        sale = await tx.conn.fetchval("SELECT min(id) FROM sale WHERE lead_id = $1", lead_id)
        loose = await tx.conn.fetchval("SELECT max(id) FROM posting")
        await tx.conn.execute("UPDATE journal_page SET events = events || '\\x00'::bytea WHERE subject = $1", lead_id)
        await tx.conn.execute("UPDATE sale SET price = price + 1 WHERE id = $1", sale)
        await tx.conn.execute("UPDATE posting SET amount = amount + 1 WHERE id = $1", loose)
    await export(house.db, house.vault, home, after, clock())
    new = offline.Export(after, written.key)
    assert any(lead_id in one and "altered" in one for one in new.found)
    assert any(sale in one for one in new.found)
    since = list(offline.compare(offline.Export(before, written.key), new))
    assert any(f"posting {loose}: altered since" == one for one in since)  # under no seal yet, and found all the same
    assert any(f"sale {sale}: altered since" == one for one in since)


async def test_cutting_off_the_end_of_everything_shows_between_two_exports(
    house: House, clock: FixedClock, tmp_path: Path
) -> None:
    await lived(house, clock)
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    await export(house.db, house.vault, house.settings.home, before, clock())
    async with house.db.begin() as tx:
        last = await tx.conn.fetchval("SELECT id FROM journal_group ORDER BY link_seq DESC LIMIT 1")
        await tx.conn.execute("DELETE FROM journal_page WHERE group_id = $1", last)
        await tx.conn.execute("DELETE FROM journal_group WHERE id = $1", last)
        await tx.conn.execute("DELETE FROM audit_checkpoint WHERE seq > 1")
    await export(house.db, house.vault, house.settings.home, after, clock())
    offline = script()
    old, new = offline.Export(before, None), offline.Export(after, None)
    since = list(offline.compare(old, new))
    assert any(one.startswith("link ") for one in since) and any(one.startswith("checkpoint 2") for one in since)
    found = (await verify(house.db, house.pen, clock(), house.settings.home)).findings
    assert "audit.checkpoint.missing" in {one.code for one in found}


async def test_a_house_in_use_proves_itself_and_signs_only_what_is_new(house: House, clock: FixedClock) -> None:
    await lived(house, clock)
    home = house.settings.home
    assert await keep_proof(house.db, house.vault, home, clock()) is None  # ten minutes have not passed
    clock.advance(minutes=20)
    assert await keep_proof(house.db, house.vault, home, clock()) is not None
    clock.advance(minutes=20)
    assert await keep_proof(house.db, house.vault, home, clock()) is None  # nothing has happened
    assert (await verify(house.db, house.pen, clock(), home)).findings == []
    lines = [json.loads(line) for line in (home / checkpoints.WITNESS).read_text().splitlines()]
    assert len(lines) == 2

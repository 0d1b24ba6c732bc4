"""Writes the proof into one file that a third party checks without us.

Called by ``leadmill verify --export``. The file holds digests alone: of every page of the journal (its events and its
sealed part), of every row under seal, the chains over them, and the signed checkpoints; ids lead to nobody. Its last
line signs all lines before it. ``docs/verify_offline.py`` reads it; the record
``docs/decisions/0033-proof-for-strangers.md`` says why it looks so.
"""

import gzip
import os
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from leadmill.flow.audit.covers import COVERS
from leadmill.flow.audit.keeping import keep_proof
from leadmill.runtime import checkpoints, journal, seals
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.journal import micros
from leadmill.runtime.vault import Vault

FORMAT = 1
"""The first line's ``leadmill_export``: readers refuse what they do not know."""

_encode = msgspec.json.encode


class Exported(Struct, frozen=True):
    """What was written: the file, how many pages, rows and checkpoints are in it, the digest that its last line signs
    and the public key to check that with, as hex."""

    file: str
    pages: int
    groups: int
    rows: int
    checkpoints: int
    sha256: str
    key: str


class _Writes(Protocol):
    def write(self, data: bytes, /) -> int: ...


class _Sheet:
    """The file as it is written: counts and digests its lines."""

    def __init__(self, file: _Writes) -> None:
        self._file = file
        self.digest = sha256()
        self.counts: dict[str, int] = {}

    def line(self, kind: str, *values: Any) -> None:
        """Write a line."""
        self.raw([kind, *values])
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def raw(self, value: Any) -> None:
        """Write a line as it is."""
        line = _encode(value) + b"\n"
        self.digest.update(line)
        self._file.write(line)


async def export(db: Database, vault: Vault, home: Path, file: Path, now: datetime) -> Exported:
    """Write the proof of everything up to this moment to ``file``, compressed where its name ends in ``.gz``. A file
    that is there already is replaced once the new one is whole.

    A checkpoint is signed first, so that the file shows the chains to their ends. Raises OSError where the file cannot
    be written.
    """
    await keep_proof(db, vault, home, now, force=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as plain:
            packed = gzip.GzipFile(fileobj=plain, mode="wb", mtime=0) if file.suffix == ".gz" else None
            sheet = _Sheet(packed or plain)
            key = await _fill(db, vault, sheet, now)
            if packed is not None:
                packed.close()
            plain.flush()
            os.fsync(plain.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    made = sheet.counts
    return Exported(
        file=str(file),
        pages=made.get("page", 0),
        groups=made.get("group", 0),
        rows=made.get("row", 0),
        checkpoints=made.get("checkpoint", 0),
        sha256=sheet.digest.hexdigest(),
        key=key,
    )


async def _fill(db: Database, vault: Vault, sheet: _Sheet, now: datetime) -> str:
    async with db.begin() as tx:
        signer = await checkpoints.signing_key(tx, vault, now)
    async with db.begin(still=True) as tx:
        keys = await checkpoints.public_keys(tx)
        sheet.raw({"leadmill_export": FORMAT, "at": now, "keys": keys})
        async for page in journal.every_page(tx):
            sealed = None if page.sealed is None else sha256(page.sealed).hexdigest()
            events = sha256(page.events).hexdigest()
            sheet.line("page", page.subject, page.seq, micros(page.at), page.group_id, events, sealed, page.hash.hex())
        async for row in journal.every_group(tx):
            link = row["link_hash"].hex() if row["link_hash"] else None
            sheet.line("group", row["id"], micros(row["at"]), row["pages"], row["root"].hex(), row["link_seq"], link)
        await _seals(tx, sheet)
        for one in await checkpoints.every(tx):
            sheet.line("checkpoint", one.body, one.signature.hex())
    digest = sheet.digest.hexdigest()
    sheet.raw(["end", digest, signer.sign(f"leadmill export {digest}".encode()).hex()])
    return keys[0]


async def _seals(tx: Tx, sheet: _Sheet) -> None:
    """The chain of seals in its order, then the rows as they stand, each under its seal's number; 0 for those that none
    covers yet."""
    async for row in seals.chain(tx):
        texts = (row["name"], row["low"], row["high"])
        sheet.line("seal", row["seq"], micros(row["at"]), *texts, row["marks"].hex(), row["hash"].hex())
    for cover in COVERS:
        async for found, rows in seals.ranges(tx, cover):
            for row in rows:
                sheet.line("row", cover.name, found.seq if found else 0, row.key, row.mark.hex())

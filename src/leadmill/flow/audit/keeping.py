"""Seals and signs by the clock. Called by the worker, and by the export before it reads."""

from datetime import datetime, timedelta
from pathlib import Path

from leadmill.flow.audit.covers import COVERS
from leadmill.runtime import checkpoints, journal, seals
from leadmill.runtime.checkpoints import Checkpoint
from leadmill.runtime.db import Database
from leadmill.runtime.vault import Vault

EVERY = timedelta(minutes=10)
"""How often a checkpoint is signed while something happens."""

_ROUNDS = 1000
"""Seals made in a row; more wait for the next time."""


async def keep_proof(db: Database, vault: Vault, home: Path, now: datetime, force: bool = False) -> Checkpoint | None:
    """Chain what is loose, seal what has come to rest, and where it is time (or with ``force``) sign where the chains
    end; the new checkpoint, which stands in the database and in the home's file."""
    await link_all(db)
    for _ in range(_ROUNDS):
        async with db.begin() as tx:
            if not await seals.seal(tx, COVERS, now):
                break
    async with db.begin() as tx:
        before = await checkpoints.last(tx)
        if before is not None and not force and now - checkpoints.read(before.body).at < EVERY:
            return None
        made = await checkpoints.write(tx, vault, now)
    if made is not None:
        checkpoints.add_witness(home, made)
    return made


async def link_all(db: Database) -> None:
    """Chain every group that has been committed."""
    while True:
        async with db.begin() as tx:
            if not await journal.link(tx):
                return

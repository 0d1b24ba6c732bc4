"""Writes a backup: the whole database as of one instant, while others serve.

Called by ``leadmill backup``. The master key is not in it, unless somebody gives a passphrase to lock it with; dropped
files and uploads are not, because they hold personal data that no key protects.
"""

import base64
import os
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from leadmill import __version__
from leadmill.core.faults import BadInput, Permanent
from leadmill.runtime.archive import FORMAT, Manifest, Tell, save, whole_file
from leadmill.runtime.db import Database
from leadmill.runtime.vault import Vault, fingerprint

_LEAST = 12
_COST = 1 << 16
"""Scrypt's cost: 64 MiB and a quarter of a second for each guess."""


async def make_backup(
    db: Database, vault: Vault, home: Path, file: Path, now: datetime, tell: Tell, passphrase: str | None = None
) -> Manifest:
    """Write ``file``; with a passphrase the master key is in it, locked. Whoever is killed meanwhile leaves no file.

    Raises :class:`BadInput` ``backup.passphrase.short``, :class:`Permanent` ``backup.file.exists``, OSError where the
    file cannot be written.
    """
    locked = lock(vault.master, passphrase) if passphrase is not None else None
    about = partial(
        Manifest,
        leadmill_backup=FORMAT,
        at=now,
        version=__version__,
        master=fingerprint(vault.master),
        home=str(home),
        keys=locked,
    )
    with whole_file(file) as opened:
        async with db.begin(still=True) as tx:
            return await save(tx, opened, about, vault.master, tell)


def lock(master: bytes, passphrase: str) -> dict[str, str]:
    """The master key under a passphrase of at least twelve characters (scrypt, AES-256-GCM)."""
    if len(passphrase) < _LEAST:
        raise BadInput("backup.passphrase.short", f"take a passphrase of at least {_LEAST} characters")
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_stretched(passphrase, salt, _COST)).encrypt(nonce, master, b"leadmill backup")
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    return {"cost": str(_COST), **{name: base64.b64encode(value).decode() for name, value in parts.items()}}


def unlock(keys: Mapping[str, str], passphrase: str) -> bytes:
    """What :func:`lock` locked. Raises :class:`Permanent` ``backup.passphrase.wrong``."""
    try:
        salt, nonce, sealed = (base64.b64decode(keys[name]) for name in ("salt", "nonce", "sealed"))
        return AESGCM(_stretched(passphrase, salt, int(keys["cost"]))).decrypt(nonce, sealed, b"leadmill backup")
    except (InvalidTag, KeyError, ValueError) as fault:
        raise Permanent("backup.passphrase.wrong", "the passphrase does not open the key in the backup") from fault


def _stretched(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=min(cost, 1 << 20), r=8, p=1).derive(passphrase.encode())

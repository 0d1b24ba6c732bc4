"""Signed checkpoints: at this moment the chains ended here.

Called by the worker every few minutes, by the export, and by ``leadmill verify``. A checkpoint names the end of the
journal's chain and of the chain of seals, and the checkpoint before it, and is signed with the house's Ed25519 key.
Whoever keeps one elsewhere can show later that nothing before it was cut off or written anew: the public key is all
they need. The private key is wrapped under the master key, so that the database alone can sign nothing.
"""

import json
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.runtime import journal, seals
from leadmill.runtime.db import Tx, metadata, prepared
from leadmill.runtime.journal import Finding
from leadmill.runtime.vault import Vault

AUDIT_KEY = sa.Table(
    "audit_key",
    metadata,
    sa.Column("public", sa.Text, primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
)
"""The keys that checkpoints are signed with: the public half as hex, the private one wrapped under the master key."""

AUDIT_CHECKPOINT = sa.Table(
    "audit_checkpoint",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
"""One row a checkpoint: ``body`` is the JSON text that ``signature`` is over. Rows are only ever added."""

WITNESS = "checkpoints.log"
"""The file in the home folder to which checkpoints are added as well: it lies outside the database."""

_LOCK_KEY = 0x6C6D_6370
_ZERO = bytes(32).hex()


class End(Struct, frozen=True):
    """Where a chain ended: the number of its last link, and that link's hash as hex."""

    seq: int
    hash: str


class Statement(Struct, frozen=True):
    """What is signed. ``before`` is the SHA-256 over the body and the signature of the checkpoint before, as hex;
    ``key`` the public key, as hex."""

    checkpoint: int
    at: datetime
    journal: End
    seals: End
    before: str
    key: str


class Checkpoint(Struct, frozen=True):
    """A signed statement: its text and the signature."""

    body: str
    signature: bytes

    @property
    def digest(self) -> str:
        """What the next checkpoint names this one by."""
        return sha256(self.body.encode() + self.signature).hexdigest()


_K, _C = AUDIT_KEY.c, AUDIT_CHECKPOINT.c
_LOCK = prepared(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
_KEYS = prepared(sa.select(AUDIT_KEY).order_by(_K.made_at.desc(), _K.public))
_ADD_KEY = prepared(sa.insert(AUDIT_KEY))
_LAST = prepared(sa.select(AUDIT_CHECKPOINT).order_by(_C.seq.desc()).limit(1))
_ADD = prepared(sa.insert(AUDIT_CHECKPOINT))
_EVERY = prepared(sa.select(AUDIT_CHECKPOINT).order_by(_C.seq))
_LINKS = prepared(
    sa.text(
        "SELECT link_seq AS seq, link_hash AS hash FROM journal_group WHERE link_seq = ANY(CAST(:seqs AS bigint[]))"
    ).bindparams(sa.bindparam("seqs", type_=sa.ARRAY(sa.BigInteger)))
)
_SEALS = prepared(
    sa.text("SELECT seq, hash FROM audit_seal WHERE seq = ANY(CAST(:seqs AS bigint[]))").bindparams(
        sa.bindparam("seqs", type_=sa.ARRAY(sa.BigInteger))
    )
)


async def signing_key(tx: Tx, vault: Vault, now: datetime) -> Ed25519PrivateKey:
    """The house's key, made at the first call. Raises Permanent ``vault.key.foreign`` under another master key."""
    row = await tx.one(_KEYS)
    if row is None:
        await tx.run(_LOCK)
        row = await tx.one(_KEYS)
    if row is not None:
        return Ed25519PrivateKey.from_private_bytes(vault.unwrap(row["wrapped_key"]))
    seed, wrapped = vault.new_key()
    made = Ed25519PrivateKey.from_private_bytes(seed)
    await tx.run(_ADD_KEY, public=made.public_key().public_bytes_raw().hex(), wrapped_key=wrapped, made_at=now)
    return made


async def public_keys(tx: Tx) -> list[str]:
    """Every key that checkpoints were signed with, the present one first, as hex."""
    return [row["public"] for row in await tx.all(_KEYS)]


async def last(tx: Tx) -> Checkpoint | None:
    """The last checkpoint."""
    row = await tx.one(_LAST)
    return Checkpoint(row["body"], row["signature"]) if row else None


async def write(tx: Tx, vault: Vault, now: datetime) -> Checkpoint | None:
    """Sign where the chains end now; None where that has been signed already."""
    await tx.run(_LOCK)
    key = await signing_key(tx, vault, now)
    before = await last(tx)
    stood = read(before.body) if before else None
    chain, sealed = await journal.tip(tx), await seals.tip(tx)
    ends = (
        End(chain.seq, chain.hash.hex()) if chain else End(0, _ZERO),
        End(sealed.seq, sealed.hash.hex()),
    )
    if stood is not None and (stood.journal, stood.seals) == ends:
        return None
    said = Statement(
        checkpoint=stood.checkpoint + 1 if stood else 1,
        at=now,
        journal=ends[0],
        seals=ends[1],
        before=before.digest if before else _ZERO,
        key=key.public_key().public_bytes_raw().hex(),
    )
    body = msgspec.json.encode(said).decode()
    made = Checkpoint(body, key.sign(body.encode()))
    await tx.run(_ADD, seq=said.checkpoint, at=now, body=body, signature=made.signature)
    return made


def read(body: str) -> Statement:
    """A checkpoint's text. Raises Permanent ``audit.checkpoint.malformed``."""
    try:
        return msgspec.json.decode(body, type=Statement)
    except msgspec.DecodeError as fault:
        raise Permanent("audit.checkpoint.malformed", "a checkpoint is not as it was written") from fault


def signed_by(public: str, text: str, signature: bytes) -> bool:
    """Whether the holder of a public key (hex) signed this text."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


async def every(tx: Tx) -> list[Checkpoint]:
    """All checkpoints, the oldest first."""
    return [Checkpoint(row["body"], row["signature"]) for row in await tx.all(_EVERY)]


async def check(tx: Tx, vault: Vault, witnessed: Iterable[Checkpoint] = ()) -> list[Finding]:
    """Whether every checkpoint is the house's own and stands in its chain, and whether the chains still hold what was
    signed. ``witnessed`` are checkpoints kept outside the database."""
    findings: list[Finding] = []
    own = {
        row["public"]
        for row in await tx.all(_KEYS)
        if _public_of(vault, row["wrapped_key"]) == row["public"]  # a key put in by somebody else opens to nothing
    }
    stored = await every(tx)
    sound: list[Statement] = []
    seq, before = 0, _ZERO
    for one in stored:
        said = _statement(one)
        if said is None or said.key not in own or not signed_by(said.key, one.body, one.signature):
            where = f"checkpoint {said.checkpoint if said else seq + 1}"
            findings.append(Finding("audit.checkpoint.altered", where, "this house's key did not sign it"))
        elif said.checkpoint != seq + 1 or said.before != before:
            where = f"checkpoint {said.checkpoint}"
            findings.append(Finding("audit.checkpoint.missing", where, f"it does not follow checkpoint {seq}"))
            sound.append(said)
        else:
            sound.append(said)
        seq, before = said.checkpoint if said else seq + 1, one.digest
    held = {one.body for one in stored}
    for one in witnessed:
        said = _statement(one)
        if one.body in held or said is None or not signed_by(said.key, one.body, one.signature):
            continue
        if said.key in own or not own:  # a home may have seen another database
            where = f"checkpoint {said.checkpoint}"
            findings.append(Finding("audit.checkpoint.missing", where, f"{WITNESS} has it, the database has not"))
            sound.append(said)
    chain, sealed = await journal.tip(tx), await seals.tip(tx)
    told = {said.journal: said for said in sound}, {said.seals: said for said in sound}
    findings += await _against(tx, _LINKS, "journal", "link", told[0], chain.seq if chain else 0)
    findings += await _against(tx, _SEALS, "seals", "seal", told[1], sealed.seq)
    return findings


async def _against(tx: Tx, stmt: Any, chain: str, what: str, told: dict[End, Statement], tip: int) -> Sequence[Finding]:
    stand = {row["seq"]: row["hash"].hex() for row in await tx.all(stmt, seqs=[end.seq for end in told])}
    found = []
    for end, said in sorted(told.items(), key=lambda item: item[0].seq):
        signed = f"checkpoint {said.checkpoint} of {said.at:%Y-%m-%d %H:%M:%S} UTC signed it"
        if end.seq == 0 or stand.get(end.seq) == end.hash:
            continue
        if end.seq > tip:
            where = f"{what} {tip + 1}" if end.seq == tip + 1 else f"{what}s {tip + 1} to {end.seq}"
            found.append(Finding("audit.tail.missing", f"{chain}, {where}", f"cut off: {signed}"))
        else:
            found.append(Finding("audit.tail.altered", f"{chain}, {what} {end.seq}", f"another hash: {signed}"))
    return found


def _public_of(vault: Vault, wrapped: bytes) -> str | None:
    try:
        return Ed25519PrivateKey.from_private_bytes(vault.unwrap(wrapped)).public_key().public_bytes_raw().hex()
    except Permanent:
        return None


def _statement(one: Checkpoint) -> Statement | None:
    try:
        return read(one.body)
    except Permanent:
        return None


def add_witness(home: Path, made: Checkpoint) -> None:
    """Add a checkpoint to the home's file, durably."""
    line = json.dumps({"body": made.body, "signature": made.signature.hex()}) + "\n"
    handle = os.open(home / WITNESS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def begin_witness(home: Path, stored: Iterable[Checkpoint]) -> None:
    """Begin the home's file anew with these."""
    (home / WITNESS).unlink(missing_ok=True)
    for one in stored:
        add_witness(home, one)


def read_witness(home: Path) -> list[Checkpoint]:
    """What the home's file holds; a line that was cut off by a crash is passed over."""
    try:
        lines = (home / WITNESS).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            raw = json.loads(line)
            found.append(Checkpoint(str(raw["body"]), bytes.fromhex(raw["signature"])))
        except (ValueError, KeyError, TypeError):
            continue
    return found

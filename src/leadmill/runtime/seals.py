"""Seals over rows that are written once: money, sales, deliveries, reports, rules.

The journal chains what happened to leads; this chains the rows beside it. Called by the worker, which seals what has
come to rest, and by ``leadmill verify``. A seal covers a range of one table's keys and holds a mark of each row in it,
so that a row that was changed, taken out or put in afterwards is found and named; seals hold the hash of the one before
them. Which columns count is said by a :class:`Cover`: those that never change once they are written.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.ids import make_id
from leadmill.runtime.db import Id, Tx, metadata, prepared
from leadmill.runtime.journal import Finding, micros

AUDIT_SEAL = sa.Table(
    "audit_seal",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name", Id, nullable=False),
    sa.Column("low", Id, nullable=False),
    sa.Column("high", Id, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("marks", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
"""One row a seal: the rows of the cover ``name`` whose keys lie above ``low``, up to ``high``; ``marks`` are theirs in
the order of the keys, sixteen bytes each."""

sa.Index("audit_seal_by_name", AUDIT_SEAL.c.name, AUDIT_SEAL.c.seq)

REST = timedelta(minutes=10)
"""How old an id must be before its range is closed. No transaction lives so long, so nothing honest comes later."""

_LOCK_KEY = 0x6C6D_7365
_AT_ONCE = 1000
_MARK = 16
_ZERO = bytes(32)


class Cover(Struct, frozen=True):
    """What is sealed of one table: ``columns`` that never change, the first of them the key. Keys are ids with the
    ``prefix`` and sort by time; without one, a row is at rest as soon as it can be seen. ``where`` narrows the rows.
    Another choice of columns is another ``name``: old seals stand."""

    name: str
    table: str
    columns: tuple[str, ...]
    prefix: str = ""
    where: str = "true"


class Seal(Struct, frozen=True):
    """A seal as it lies there."""

    seq: int
    at: datetime
    name: str
    low: str
    high: str
    rows: int
    marks: bytes
    hash: bytes


class Marked(Struct, frozen=True):
    """A row as it stands now: its key and its mark."""

    key: str
    mark: bytes


class Tip(Struct, frozen=True):
    """The last seal: its number and hash; zero before the first."""

    seq: int
    hash: bytes


def mark_of(name: str, values: Sequence[Any]) -> bytes:
    """Sixteen bytes of SHA-256 over a row: the cover's name and the values in their order, as JSON (times as RFC 3339,
    bytes in base 64)."""
    return sha256(msgspec.json.encode([name, *values])).digest()[:_MARK]


def seal_hash(prev: bytes, seq: int, at: datetime, name: str, low: str, high: str, marks: bytes) -> bytes:
    """SHA-256 over the seal before and what this one says."""
    made = sha256(prev + seq.to_bytes(8, "big") + micros(at).to_bytes(8, "big"))
    for text in (name, low, high):
        made.update(len(text.encode()).to_bytes(4, "big") + text.encode())
    made.update(sha256(marks).digest())
    return made.digest()


_LOCK = prepared(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
_S = AUDIT_SEAL.c
_TIP = prepared(sa.select(_S.seq, _S.hash).order_by(_S.seq.desc()).limit(1))
_LAST = prepared(
    sa.select(_S.high).where(_S.name == sa.bindparam("name", type_=sa.Text)).order_by(_S.seq.desc()).limit(1)
)
_ALL = prepared(sa.select(AUDIT_SEAL).where(_S.name == sa.bindparam("name", type_=sa.Text)).order_by(_S.seq))
_CHAIN = "SELECT seq, at, name, low, high, marks, hash FROM audit_seal ORDER BY seq"


def _range(cover: Cover, limit: bool) -> str:
    """The rows of a range in the order of their keys; the names are our own."""
    columns = ", ".join(f'"{column}"' if column.isidentifier() else column for column in cover.columns)
    key = cover.columns[0]
    most = " LIMIT $3" if limit else ""
    return (
        f"SELECT {columns} FROM {cover.table} WHERE {key} > $1 AND {key} <= $2 AND {cover.where}"  # noqa: S608
        f" ORDER BY {key}{most}"
    )


async def tip(tx: Tx) -> Tip:
    """The last seal."""
    row = await tx.one(_TIP)
    return Tip(row["seq"], row["hash"]) if row else Tip(0, _ZERO)


async def seal(tx: Tx, covers: Sequence[Cover], now: datetime) -> int:
    """Seal what has come to rest, a thousand rows of each table at most; how many rows. Call again while it is not
    zero."""
    await tx.run(_LOCK)
    end = await tip(tx)
    sealed = 0
    for cover in covers:
        last = await tx.one(_LAST, name=cover.name)
        low = last["high"] if last else ""
        upto = make_id(cover.prefix, now - REST, 0) if cover.prefix else "~"
        if upto <= low and cover.prefix:
            continue
        rows = await tx.conn.fetch(_range(cover, limit=True), low, upto, _AT_ONCE)
        if not rows:
            continue
        keys = [str(row[0]) for row in rows]
        high = keys[-1] if len(keys) == _AT_ONCE or not cover.prefix else upto
        marks = b"".join(mark_of(cover.name, tuple(row)) for row in rows)
        seq, at = end.seq + 1, now
        end = Tip(seq, seal_hash(end.hash, seq, at, cover.name, low, high, marks))
        tx.add(AUDIT_SEAL, seq, at, cover.name, low, high, len(rows), marks, end.hash)
        sealed += len(rows)
    return sealed


async def ranges(tx: Tx, cover: Cover) -> AsyncIterator[tuple[Seal | None, list[Marked]]]:
    """Each seal of a cover with the rows of its range as they stand now, in order; at last None with the rows that no
    seal covers yet."""
    high = ""
    for row in await tx.all(_ALL, name=cover.name):
        found = Seal(**dict(row.items()))
        high = found.high
        yield found, await _marked(tx, cover, found.low, found.high)
    loose = high
    while True:
        rest = await _marked(tx, cover, loose, "~", _AT_ONCE)
        yield None, rest
        if len(rest) < _AT_ONCE:
            return
        loose = rest[-1].key


async def _marked(tx: Tx, cover: Cover, low: str, high: str, most: int | None = None) -> list[Marked]:
    limits = () if most is None else (most,)
    rows = await tx.conn.fetch(_range(cover, limit=most is not None), low, high, *limits)
    return [Marked(str(row[0]), mark_of(cover.name, tuple(row))) for row in rows]


async def chain(tx: Tx) -> AsyncIterator[Any]:
    """Every seal's row in the order of the chain."""
    async for row in tx.conn.cursor(_CHAIN, prefetch=100):
        yield row


async def check(tx: Tx, covers: Sequence[Cover]) -> list[Finding]:
    """Everything that does not agree with the seals. Reads the whole of the covered tables, a range at a time."""
    findings: list[Finding] = []
    seq, prev = 0, _ZERO
    async for row in chain(tx):
        if row["seq"] != seq + 1:
            findings.append(Finding("audit.seal.missing", f"seal {row['seq']}", f"it follows seal {seq}"))
        elif seal_hash(prev, *(row[name] for name in ("seq", "at", "name", "low", "high", "marks"))) != row["hash"]:
            findings.append(Finding("audit.seal.altered", f"seal {row['seq']}", "it is not what was written"))
        seq, prev = row["seq"], row["hash"]
    for cover in covers:
        async for found, rows in ranges(tx, cover):
            if found is not None:
                findings += compare(cover, found, rows)
            else:
                findings += _foreign(cover, rows)
    return findings


def _foreign(cover: Cover, rows: Sequence[Marked]) -> Iterator[Finding]:
    """Rows whose key is none that Leadmill makes: no range would ever reach them."""
    for row in rows:
        if cover.prefix and not row.key.startswith(f"{cover.prefix}_"):
            yield Finding("audit.row.added", f"{cover.table} {row.key}", "its key is none that is given here")


def compare(cover: Cover, found: Seal, rows: Sequence[Marked]) -> Iterator[Finding]:
    """The rows of a range against the marks of its seal."""
    told = [found.marks[at : at + _MARK] for at in range(0, len(found.marks), _MARK)]
    known, stand = set(told), {row.mark for row in rows}
    strange = [place for place, row in enumerate(rows) if row.mark not in known]
    gone = [place for place, mark in enumerate(told) if mark not in stand]
    same = strange == gone  # each strange row stands where one is missing
    for place in strange:
        code = "audit.row.altered" if same else "audit.row.added"
        what = "is not what was sealed" if same else "was changed, or put in after what was sealed"
        text = f"it {what} on {found.at:%Y-%m-%d %H:%M:%S} UTC (seal {found.seq})"
        yield Finding(code, f"{cover.table} {rows[place].key}", text)
    if gone and not same:
        near = _before(told, rows, gone[0]) or found.low or "the beginning"
        text = f"{len(gone)} of {found.rows} rows of seal {found.seq} are not there; the first stood after {near}"
        yield Finding("audit.row.missing", f"{cover.table} after {near}", text)


def _before(told: Sequence[bytes], rows: Sequence[Marked], place: int) -> str | None:
    """The key of the last row before a gap."""
    keys = {row.mark: row.key for row in rows}
    return next((keys[mark] for mark in reversed(told[:place]) if mark in keys), None)

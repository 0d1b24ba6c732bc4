"""Configuration as versioned documents: which rules were in force at any moment, and who changed what.

Written by ``flow.configure`` and the console, read by whoever builds the rules in force, and by replay at an older
revision. A document is a JSON text under a kind and an id; this module knows nothing of what is in it. Versions are
only ever added. Every set of changes that changes something takes one number, the revision, which grows without a
gap; sets that change nothing take none."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import distinct_on

from leadmill.core.faults import BadInput, NotFound
from leadmill.runtime.db import Id, Row, Tx, metadata, prepared

RECORD_HEAD = sa.Table(
    "record_head",
    metadata,
    sa.Column("name", Id, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
"""One row: the last revision given out. Locking it is what puts sets of changes in a line."""

RECORD_VERSION = sa.Table(
    "record_version",
    metadata,
    sa.Column("kind", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Index("record_version_revision", "revision"),
)


class Change(Struct, frozen=True):
    """A document as it shall be from now on; a ``body`` of None deletes it."""

    kind: str
    id: str
    body: str | None


class Version(Struct, frozen=True):
    """A document as it was from ``revision`` on; ``body`` is None where it was deleted then."""

    kind: str
    id: str
    revision: int
    body: str | None
    at: datetime
    author: str


class Snapshot(Struct, frozen=True):
    """All documents that stood at ``revision``, by kind and id."""

    revision: int
    documents: dict[tuple[str, str], str]

    def of(self, kind: str) -> dict[str, str]:
        """The documents of one kind, by id."""
        return {ident: body for (of, ident), body in self.documents.items() if of == kind}


_v = RECORD_VERSION.c
_HEAD = "records"
_begin_head = prepared(
    sa.text("INSERT INTO record_head (name, revision) VALUES ('records', 0) ON CONFLICT (name) DO NOTHING")
)
_lock_head = prepared(sa.select(RECORD_HEAD.c.revision).where(RECORD_HEAD.c.name == _HEAD).with_for_update())
_hold_head = prepared(sa.select(RECORD_HEAD.c.revision).where(RECORD_HEAD.c.name == _HEAD).with_for_update(read=True))
_read_head = prepared(sa.select(RECORD_HEAD.c.revision).where(RECORD_HEAD.c.name == _HEAD))
_move_head = prepared(
    sa.update(RECORD_HEAD).where(RECORD_HEAD.c.name == _HEAD).values(revision=sa.bindparam("to", type_=sa.BigInteger))
)
_keep = prepared(sa.insert(RECORD_VERSION))
_at = sa.bindparam("upto", type_=sa.BigInteger)
_standing = prepared(
    sa.select(_v.kind, _v.id, _v.body, _v.deleted)
    .ext(distinct_on(_v.kind, _v.id))
    .where(_v.revision <= _at)
    .order_by(_v.kind, _v.id, _v.revision.desc())
)
_pairs = (
    sa.func.unnest(sa.bindparam("kinds", type_=sa.ARRAY(sa.Text)), sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))
    .table_valued("kind", "id")
    .render_derived("wanted")
)
_standing_among = prepared(
    sa.select(_v.kind, _v.id, _v.body, _v.deleted)
    .ext(distinct_on(_v.kind, _v.id))
    .select_from(RECORD_VERSION.join(_pairs, sa.and_(_v.kind == _pairs.c.kind, _v.id == _pairs.c.id)))
    .order_by(_v.kind, _v.id, _v.revision.desc())
)
_since = prepared(
    sa.select(RECORD_VERSION)
    .where(_v.revision > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(_v.revision, _v.kind, _v.id)
)
_of_one = prepared(
    sa.select(RECORD_VERSION)
    .where(_v.kind == sa.bindparam("kind"), _v.id == sa.bindparam("id"))
    .order_by(_v.revision.desc())
)


async def put(tx: Tx, changes: Iterable[Change], author: str, at: datetime) -> int:
    """Make the changes, all under one new revision, and return it; changes to what already stands are passed over,
    and where none is left the present revision is returned.

    Sets of changes wait for one another from here to the end of the transaction. Where a set names a document twice
    the later one holds. Raises :class:`BadInput` ``records.document.malformed`` where a body is no JSON."""
    wanted = {(change.kind, change.id): _canonical(change) for change in changes}
    present = await wait_in_line(tx)
    standing = await _among(tx, list(wanted))
    rows = [
        {"kind": kind, "id": ident, "body": body or "", "deleted": body is None}
        for (kind, ident), body in wanted.items()
        if standing.get((kind, ident)) != body
    ]
    if not rows:
        return present
    for row in rows:
        row |= {"revision": present + 1, "at": at, "author": author}
    await tx.many(_keep, rows)
    await tx.run(_move_head, to=present + 1)
    return present + 1


async def wait_in_line(tx: Tx) -> int:
    """Wait for whoever else is changing documents and keep others waiting until the transaction ends; the present
    revision. For whoever must read before :func:`put` what nobody may change in between."""
    await tx.run(_begin_head)
    head = await tx.one(_lock_head)
    return int(head["revision"]) if head else 0


def _canonical(change: Change) -> str | None:
    if change.body is None:
        return None
    try:
        return msgspec.json.encode(msgspec.json.decode(change.body), order="deterministic").decode()
    except msgspec.DecodeError as fault:
        raise BadInput("records.document.malformed", f"{change.kind} {change.id} is no JSON text") from fault


async def _among(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    rows = await tx.all(_standing_among, kinds=[kind for kind, _ in keys], ids=[ident for _, ident in keys])
    return _kept(rows)


def _kept(rows: list[Row]) -> dict[tuple[str, str], str]:
    return {(row["kind"], row["id"]): row["body"] for row in rows if not row["deleted"]}


async def latest(tx: Tx) -> int:
    """The present revision; 0 before the first change."""
    head = await tx.one(_read_head)
    return int(head["revision"]) if head else 0


async def hold(tx: Tx) -> int:
    """The latest revision, which nobody can move until the transaction ends: what is decided in it is decided under
    the configuration in force. Any number of transactions may hold it at once."""
    row = await tx.one(_hold_head)
    return int(row["revision"]) if row else 0


async def snapshot(tx: Tx, revision: int | None = None) -> Snapshot:
    """Every document as it stood at ``revision``, or now. Raises :class:`NotFound` ``records.revision.unknown`` for a
    revision that has not been."""
    present = await latest(tx)
    upto = present if revision is None else revision
    if not 0 <= upto <= present:
        raise NotFound("records.revision.unknown", f"the present revision is {present}")
    return Snapshot(upto, _kept(await tx.all(_standing, upto=upto)))


async def changed_since(tx: Tx, revision: int) -> list[Version]:
    """What came after ``revision``, oldest first: what a program that holds a snapshot needs to catch up."""
    return [_version(row) for row in await tx.all(_since, after=revision)]


async def follow(tx: Tx, held: Snapshot) -> Snapshot:
    """The snapshot of now, made from an earlier one by reading only what came after it."""
    present = await latest(tx)
    if present < held.revision:  # what it was made from was taken back
        return await snapshot(tx, present)
    documents = dict(held.documents)
    for version in await changed_since(tx, held.revision):
        # Others may have changed more since we asked how far it goes.
        if version.revision <= present:
            if version.body is None:
                documents.pop((version.kind, version.id), None)
            else:
                documents[version.kind, version.id] = version.body
    # In the order in which a snapshot is read, so that nothing can follow from how this one was made.
    return Snapshot(present, dict(sorted(documents.items())))


async def history(tx: Tx, kind: str, id: str) -> list[Version]:
    """Every version of a document, newest first."""
    return [_version(row) for row in await tx.all(_of_one, kind=kind, id=id)]


def _version(row: Row) -> Version:
    values: dict[str, Any] = dict(row)
    body = None if values.pop("deleted") else values["body"]
    return Version(**{**values, "body": body})

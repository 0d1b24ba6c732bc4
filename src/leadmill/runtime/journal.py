"""The journal: what happened to each subject, in pages that nobody can change unnoticed.

Called by ``flow``, which writes a page a lead and commit, and by ``leadmill verify``. A page carries encoded events,
readable for ever, and beside them what is personal, sealed with the person's key. It holds the hash of the subject's
page before it, so writers of different subjects never wait for one another; each transaction (a group) closes with
one Merkle root over its pages, and :func:`link` afterwards chains the groups. The hash covers the sealed bytes as
they lie there, so that pages still verify when the person's key is destroyed. Changing, adding or removing a page, a
group or a link in the middle shows in :func:`check`; cutting off the end shows to whoever kept an earlier
:func:`tip`.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import distinct_on

from leadmill.core.ids import Mint
from leadmill.runtime.db import Id, Row, Tx, metadata, prepared

JOURNAL_PAGE = sa.Table(
    "journal_page",
    metadata,
    sa.Column("subject", Id, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("group_id", Id, nullable=False),
    sa.Column("events", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

JOURNAL_GROUP = sa.Table(
    "journal_group",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("link_seq", sa.BigInteger),
    sa.Column("link_hash", sa.LargeBinary),
)
sa.Index("journal_group_link", JOURNAL_GROUP.c.link_seq, unique=True)
sa.Index("journal_group_loose", JOURNAL_GROUP.c.id, postgresql_where=JOURNAL_GROUP.c.link_seq.is_(None))

_LINK_LOCK = 0x6C6D_6A6C  # the advisory lock that lets one linker work at a time
_LINK_BATCH = 1000
_FETCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_IDS = sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))
_HEADS = prepared(
    sa.select(JOURNAL_PAGE.c.subject, JOURNAL_PAGE.c.seq, JOURNAL_PAGE.c.hash)
    .where(JOURNAL_PAGE.c.subject == _IDS)
    .ext(distinct_on(JOURNAL_PAGE.c.subject))
    .order_by(JOURNAL_PAGE.c.subject, JOURNAL_PAGE.c.seq.desc())
)
_PAGES = sa.select(JOURNAL_PAGE).where(JOURNAL_PAGE.c.subject == sa.bindparam("subject", type_=sa.Text))
_PAGES = prepared(_PAGES.order_by(JOURNAL_PAGE.c.seq))
_PAGES_OF = prepared(
    sa.select(JOURNAL_PAGE).where(JOURNAL_PAGE.c.subject == _IDS).order_by(JOURNAL_PAGE.c.subject, JOURNAL_PAGE.c.seq)
)
_LOCK = prepared(sa.text(f"SELECT pg_advisory_xact_lock({_LINK_LOCK})"))
_TIP = prepared(
    sa.select(JOURNAL_GROUP.c.id, JOURNAL_GROUP.c.link_seq, JOURNAL_GROUP.c.link_hash)
    .where(JOURNAL_GROUP.c.link_seq.is_not(None))
    .order_by(JOURNAL_GROUP.c.link_seq.desc())
    .limit(1)
)
_LOOSE = prepared(
    sa.select(JOURNAL_GROUP)
    .where(JOURNAL_GROUP.c.link_seq.is_(None))
    .order_by(JOURNAL_GROUP.c.id)
    .limit(sa.literal_column(str(_LINK_BATCH)))
)
_LINK = prepared(
    sa.update(JOURNAL_GROUP)
    .where(JOURNAL_GROUP.c.id == sa.bindparam("group", type_=sa.Text))
    .values(link_seq=sa.bindparam("seq", type_=sa.BigInteger), link_hash=sa.bindparam("new_hash", type_=sa.LargeBinary))
)
_ALL_PAGES = "SELECT subject, seq, at, group_id, events, sealed, hash FROM journal_page ORDER BY subject, seq"
_ALL_LEAVES = "SELECT group_id, hash FROM journal_page ORDER BY group_id, hash"
_ALL_GROUPS = "SELECT id, pages, root FROM journal_group ORDER BY id"
_EVERY_GROUP = "SELECT id, at, pages, root, link_seq, link_hash FROM journal_group ORDER BY link_seq NULLS LAST, id"
_ALL_LINKS = "SELECT id, at, root, link_seq, link_hash FROM journal_group WHERE link_seq IS NOT NULL ORDER BY link_seq"


class Head(Struct, frozen=True):
    """The last page of a subject: its number and hash. The next page is built on it."""

    seq: int
    hash: bytes


GENESIS = Head(0, bytes(32))
"""The head of a subject without a page."""


class Group:
    """The pages of one transaction, so far. ``id`` and ``at`` are its name and moment."""

    __slots__ = ("at", "hashes", "id")

    def __init__(self, id: str, at: datetime) -> None:
        self.id = id
        self.at = at
        self.hashes: list[bytes] = []


class Page(Struct, frozen=True):
    """What happened to ``subject`` at one moment: encoded ``events``, and ``sealed`` personal data."""

    subject: str
    seq: int
    at: datetime
    group_id: str
    events: bytes
    sealed: bytes | None
    hash: bytes


class Link(Struct, frozen=True):
    """The end of the chain of groups. Kept elsewhere, it proves later that nothing was cut off."""

    group_id: str
    seq: int
    hash: bytes


class Finding(Struct, frozen=True):
    """Something that does not verify: a stable ``code``, where (a subject or a group's id), and what."""

    code: str
    where: str
    detail: str


def page_hash(prev: bytes, subject: str, seq: int, at: datetime, events: bytes, sealed: bytes | None) -> bytes:
    """SHA-256 over the page before, the page's name and moment, and the hashes of its two bodies."""
    name = subject.encode()
    made = sha256(prev)
    made.update(len(name).to_bytes(4, "big") + name + seq.to_bytes(8, "big") + micros(at).to_bytes(8, "big"))
    made.update(sha256(events).digest())
    made.update(b"\x00" if sealed is None else b"\x01" + sha256(sealed).digest())
    return made.digest()


def merkle_root(hashes: Iterable[bytes]) -> bytes:
    """The root over a group's page hashes, which are put in order first (the tree of RFC 9162, section 2.1.1, with
    an odd node carried up)."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in sorted(hashes)]
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        pairs = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def link_hash(prev: bytes, seq: int, group_id: str, at: datetime, root: bytes) -> bytes:
    """SHA-256 over the link before and what the group's row says."""
    return sha256(prev + seq.to_bytes(8, "big") + micros(at).to_bytes(8, "big") + root + group_id.encode()).digest()


def micros(at: datetime) -> int:
    """A moment as hashes take it: microseconds since 1970."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


async def heads(tx: Tx, subjects: Sequence[str]) -> dict[str, Head]:
    """The head of each subject, :data:`GENESIS` for one without a page. The caller holds a lock on the subjects it is
    going to write about; two writers on one head fail at the second's commit."""
    found = dict.fromkeys(subjects, GENESIS)
    for row in await tx.all(_HEADS, ids=list(found)):
        found[row["subject"]] = Head(row["seq"], row["hash"])
    return found


def write(tx: Tx, group: Group, subject: str, at: datetime, events: bytes, sealed: bytes | None, head: Head) -> Head:
    """Add the page that follows ``head`` to the transaction; the new head."""
    seq = head.seq + 1
    made = page_hash(head.hash, subject, seq, at, events, sealed)
    tx.add(JOURNAL_PAGE, subject, seq, at, group.id, events, sealed, made)
    group.hashes.append(made)
    return Head(seq, made)


def group_of(tx: Tx, at: datetime, mint: Mint) -> Group:
    """The one group of this transaction, made at the first call and closed before the commit."""
    group = tx.scratch.get(Group)
    if group is None:
        group = tx.scratch[Group] = Group(mint("grp", at), at)
        tx.closing(_close)
    assert isinstance(group, Group)
    return group


async def _close(tx: Tx) -> None:
    close_group(tx, tx.scratch[Group])


def close_group(tx: Tx, group: Group) -> None:
    """Add the group's row to the transaction, once, after its last page; nothing for a group without pages."""
    if group.hashes:
        tx.add(JOURNAL_GROUP, group.id, group.at, len(group.hashes), merkle_root(group.hashes), None, None)


async def link(tx: Tx) -> int:
    """Chain the groups committed since the last call, by id; how many. Called in the background: a group that commits
    late is linked late, and writers wait for nothing."""
    await tx.run(_LOCK)
    last = await tx.one(_TIP)
    seq, prev = (last["link_seq"], last["link_hash"]) if last else (GENESIS.seq, GENESIS.hash)
    links = []
    for row in await tx.all(_LOOSE):
        seq += 1
        prev = link_hash(prev, seq, row["id"], row["at"], row["root"])
        links.append({"group": row["id"], "seq": seq, "new_hash": prev})
    await tx.many(_LINK, links)
    return len(links)


async def tip(tx: Tx) -> Link | None:
    """The end of the chain, None before the first link."""
    row = await tx.one(_TIP)
    return Link(row["id"], row["link_seq"], row["link_hash"]) if row else None


async def pages(tx: Tx, subject: str) -> list[Page]:
    """All pages of a subject in order."""
    return [_page(row) for row in await tx.all(_PAGES, subject=subject)]


async def pages_of(tx: Tx, subjects: Sequence[str]) -> dict[str, list[Page]]:
    """All pages of several subjects, each in order; a subject without a page is absent."""
    found: dict[str, list[Page]] = {}
    for row in await tx.all(_PAGES_OF, ids=list(subjects)):
        found.setdefault(row["subject"], []).append(_page(row))
    return found


def _page(row: Row) -> Page:
    return Page(
        row["subject"], row["seq"], row["at"], row["group_id"], row["events"], row["sealed"], row["hash"]
    )  # by name: fetching by position would tie this to the order of the columns


async def check(tx: Tx) -> list[Finding]:
    """Everything that does not verify, in the whole journal as it stands at one instant.

    Must come first in its transaction, which it turns into a snapshot. Memory stays small however long the journal.
    """
    await tx.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    return [*await _check_pages(tx), *await _check_groups(tx), *await _check_links(tx)]


async def _check_pages(tx: Tx) -> list[Finding]:
    findings: list[Finding] = []
    subject, head, sound = "", GENESIS, True
    async for row in _stream(tx, _ALL_PAGES):
        page = _page(row)
        if page.subject != subject:
            subject, head, sound = page.subject, GENESIS, True
        if page.seq != head.seq + 1:
            text = f"page {page.seq} follows page {head.seq}"
            findings.append(Finding("journal.page.missing", subject, text))
        elif sound and page_hash(head.hash, subject, page.seq, page.at, page.events, page.sealed) != page.hash:
            findings.append(Finding("journal.page.altered", subject, f"page {page.seq} is not what was written"))
        sound = page.seq == head.seq + 1  # after a gap there is nothing to compare one page with
        head = Head(page.seq, page.hash)
    return findings


async def _check_groups(tx: Tx) -> list[Finding]:
    """Walk the groups and, beside them, all page hashes in the groups' order."""
    findings: list[Finding] = []
    leaves = _stream(tx, _ALL_LEAVES)
    leaf = await anext(leaves, None)

    async def take(group_id: str | None) -> list[bytes]:
        """The hashes of this group's pages; pages of groups before it have no row and are reported."""
        nonlocal leaf
        taken: list[bytes] = []
        lost: set[str] = set()
        while leaf is not None and (group_id is None or leaf["group_id"] <= group_id):
            if leaf["group_id"] == group_id:
                taken.append(leaf["hash"])
            else:
                lost.add(leaf["group_id"])
            leaf = await anext(leaves, None)
        for name in sorted(lost):
            findings.append(Finding("journal.group.missing", name, "its pages are there, its row is not"))
        return taken

    async for row in _stream(tx, _ALL_GROUPS):
        hashes = await take(row["id"])
        if len(hashes) != row["pages"]:
            text = f"{len(hashes)} pages of {row['pages']}"
            findings.append(Finding("journal.group.altered", row["id"], text))
        elif merkle_root(hashes) != row["root"]:
            findings.append(Finding("journal.group.altered", row["id"], "the root is not that of its pages"))
    await take(None)
    return findings


async def _check_links(tx: Tx) -> list[Finding]:
    findings: list[Finding] = []
    seq, prev = GENESIS.seq, GENESIS.hash
    async for row in _stream(tx, _ALL_LINKS):
        if row["link_seq"] != seq + 1:
            findings.append(Finding("journal.link.missing", row["id"], f"link {row['link_seq']} follows link {seq}"))
        elif link_hash(prev, row["link_seq"], row["id"], row["at"], row["root"]) != row["link_hash"]:
            findings.append(Finding("journal.link.altered", row["id"], f"link {row['link_seq']} does not fit"))
        seq, prev = row["link_seq"], row["link_hash"]
    return findings


async def every_page(tx: Tx) -> AsyncIterator[Page]:
    """All pages, a subject's in their order; for the export."""
    async for row in _stream(tx, _ALL_PAGES):
        yield _page(row)


async def every_group(tx: Tx) -> AsyncIterator[Row]:
    """All rows of groups, the chained ones in the order of their links, then the loose ones; for the export."""
    async for row in _stream(tx, _EVERY_GROUP):
        yield row


async def _stream(tx: Tx, sql: str) -> AsyncIterator[Any]:
    async for row in tx.conn.cursor(sql, prefetch=_FETCH):
        yield row

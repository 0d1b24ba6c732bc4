"""The journal: writing, chaining, and what tampering looks like."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from leadmill.runtime import journal
from leadmill.runtime.db import Database
from leadmill.runtime.journal import GENESIS, Group, Head
from leadmill.runtime.vault import Vault

AT = datetime(2026, 3, 4, 15, 0, 0, 123456, tzinfo=UTC)


async def write_group(db: Database, name: str, subjects: list[str]) -> None:
    async with db.begin() as tx:
        heads = await journal.heads(tx, subjects)
        group = Group(name, AT)
        for subject in subjects:
            head = heads[subject]
            journal.write(tx, group, subject, AT, f"{subject} {head.seq}".encode(), b"sealed", head)
        journal.close_group(tx, group)


@pytest.fixture
async def filled(db: Database) -> Database:
    """Three groups over three subjects, linked but for the last."""
    await write_group(db, "grp_1", ["lead_a", "lead_b"])
    await write_group(db, "grp_2", ["lead_b", "lead_c", "lead_a"])
    async with db.begin() as tx:
        assert await journal.link(tx) == 2
    await write_group(db, "grp_3", ["lead_b"])
    return db


async def findings(db: Database) -> list[tuple[str, str]]:
    async with db.begin() as tx:
        return [(found.code, found.where) for found in await journal.check(tx)]


async def test_a_subjects_pages_come_back_in_order(filled: Database) -> None:
    async with filled.begin() as tx:
        pages = await journal.pages(tx, "lead_b")
        heads = await journal.heads(tx, ["lead_b", "lead_new"])
    assert [(p.seq, p.events, p.group_id) for p in pages] == [
        (1, b"lead_b 0", "grp_1"),
        (2, b"lead_b 1", "grp_2"),
        (3, b"lead_b 2", "grp_3"),
    ]
    assert pages[0].at == AT
    assert heads == {"lead_b": Head(3, pages[2].hash), "lead_new": GENESIS}


async def test_an_untouched_journal_verifies(filled: Database) -> None:
    assert await findings(filled) == []


async def test_an_empty_journal_verifies(db: Database) -> None:
    assert await findings(db) == []
    async with db.begin() as tx:
        assert await journal.link(tx) == 0
        assert await journal.tip(tx) is None


async def test_links_run_on_and_the_tip_moves(filled: Database) -> None:
    async with filled.begin() as tx:
        before = await journal.tip(tx)
        assert await journal.link(tx) == 1
        after = await journal.tip(tx)
    assert before is not None
    assert after is not None
    assert (before.group_id, before.seq, after.group_id, after.seq) == ("grp_2", 2, "grp_3", 3)
    assert await findings(filled) == []


async def test_linkers_at_the_same_time_make_one_chain(db: Database) -> None:
    for number in range(20):
        await write_group(db, f"grp_{number:02}", [f"lead_{number}"])

    async def one() -> int:
        async with db.begin() as tx:
            return await journal.link(tx)

    assert sum(await asyncio.gather(*(one() for _ in range(4)))) == 20
    assert await findings(db) == []


TAMPERING = [
    ("UPDATE journal_page SET events = 'x' WHERE subject = 'lead_b' AND seq = 1", [("journal.page.altered", "lead_b")]),
    ("UPDATE journal_page SET sealed = 'x' WHERE subject = 'lead_b' AND seq = 1", [("journal.page.altered", "lead_b")]),
    ("UPDATE journal_page SET sealed = NULL WHERE subject = 'lead_c'", [("journal.page.altered", "lead_c")]),
    (
        "UPDATE journal_page SET at = at + interval '1 microsecond' WHERE subject = 'lead_c'",
        [("journal.page.altered", "lead_c")],
    ),
    (
        "DELETE FROM journal_page WHERE subject = 'lead_b' AND seq = 2",
        [("journal.page.missing", "lead_b"), ("journal.group.altered", "grp_2")],
    ),
    ("DELETE FROM journal_page WHERE subject = 'lead_c'", [("journal.group.altered", "grp_2")]),
    ("DELETE FROM journal_page WHERE subject = 'lead_b' AND seq = 3", [("journal.group.altered", "grp_3")]),
    (
        "UPDATE journal_page SET group_id = 'grp_1' WHERE subject = 'lead_c'",
        [("journal.group.altered", "grp_1"), ("journal.group.altered", "grp_2")],
    ),
    ("DELETE FROM journal_group WHERE id = 'grp_3'", [("journal.group.missing", "grp_3")]),
    (
        "DELETE FROM journal_group WHERE id = 'grp_1'",
        [("journal.group.missing", "grp_1"), ("journal.link.missing", "grp_2")],
    ),
    (
        "UPDATE journal_group SET root = 'x' WHERE id = 'grp_2'",
        [("journal.group.altered", "grp_2"), ("journal.link.altered", "grp_2")],
    ),
    ("UPDATE journal_group SET at = now() WHERE id = 'grp_1'", [("journal.link.altered", "grp_1")]),
    (
        "INSERT INTO journal_page SELECT 'lead_d', seq, at, group_id, events, sealed, hash FROM journal_page"
        " WHERE subject = 'lead_c'",
        [("journal.page.altered", "lead_d"), ("journal.group.altered", "grp_2")],
    ),
]


@pytest.mark.parametrize(("sql", "expected"), TAMPERING)
async def test_tampering_shows(filled: Database, sql: str, expected: list[tuple[str, str]]) -> None:
    async with filled.begin() as tx:
        assert await tx.run(sa.text(sql)) == 1
    assert await findings(filled) == expected


async def test_a_rewritten_chain_of_one_subject_still_shows_in_the_group(filled: Database) -> None:
    """Whoever can compute hashes anew for a whole subject is caught by the groups' roots."""
    async with filled.begin() as tx:
        made = journal.page_hash(GENESIS.hash, "lead_c", 1, AT, b"forged", b"sealed")
        sql = sa.text("UPDATE journal_page SET events = 'forged', hash = :h WHERE subject = 'lead_c'")
        await tx.run(sql.bindparams(sa.bindparam("h", type_=sa.LargeBinary)), h=made)
    assert await findings(filled) == [("journal.group.altered", "grp_2")]


async def test_two_writers_on_one_head_cannot_both_commit(db: Database) -> None:
    await write_group(db, "grp_1", ["lead_a"])
    async with db.begin() as tx:
        stale = (await journal.heads(tx, ["lead_a"]))["lead_a"]
    await write_group(db, "grp_2", ["lead_a"])
    with pytest.raises(asyncpg.UniqueViolationError):
        async with db.begin() as tx:
            journal.write(tx, Group("grp_3", AT), "lead_a", AT, b"late", None, stale)
    assert await findings(db) == []


async def test_a_forgotten_persons_pages_still_verify(db: Database) -> None:
    vault = Vault(bytes(32))
    dek, _ = vault.new_key()
    async with db.begin() as tx:
        group = Group("grp_1", AT)
        journal.write(tx, group, "lead_a", AT, b"{}", vault.seal(dek, b"Ann", "lead_a"), GENESIS)
        journal.close_group(tx, group)
    del dek  # nothing can open the page any more
    assert await findings(db) == []


async def test_a_group_without_pages_leaves_no_row(db: Database) -> None:
    async with db.begin() as tx:
        journal.close_group(tx, Group("grp_1", AT))
        assert await journal.link(tx) == 0


def test_the_moment_counts_whatever_its_time_zone() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5)))
    args = ("lead_a", 1)
    assert journal.page_hash(b"", *args, AT, b"", None) == journal.page_hash(b"", *args, elsewhere, b"", None)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=9, unique=True), st.randoms())
def test_the_root_does_not_depend_on_order_but_on_every_leaf(hashes: list[bytes], source: object) -> None:
    shuffled = list(hashes)
    source.shuffle(shuffled)  # type: ignore[attr-defined]
    root = journal.merkle_root(hashes)
    assert journal.merkle_root(shuffled) == root
    for missing in range(len(hashes)):
        assert journal.merkle_root(hashes[:missing] + hashes[missing + 1 :]) != root

"""Columns of rows as one parameter each: what goes in comes out, whatever is in it."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from leadmill.runtime.db import Database
from leadmill.runtime.rows import Unpackable, pack_texts

_THINGS = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("name", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("many", sa.BigInteger),
    sa.Column("yes", sa.Boolean),
    sa.Column("part", sa.Double),
    sa.Column("body", sa.LargeBinary),
    sa.Column("day", sa.Date),
)
_NOW = datetime(2026, 3, 4, 15, 30, 1, 234567, tzinfo=UTC)
_ROWS: list[tuple[Any, ...]] = [
    ("", _NOW, -(1 << 62), True, 0.1, b"\x00\x1f", _NOW.date()),
    (None, None, None, None, None, None, None),
    ('a, "b" {c} \\ \u00fc\n', _NOW, 0, False, 1e300, b"", None),
]


@pytest.fixture
async def things(db: Database) -> Database:
    async with db.begin() as tx:
        await tx.run(sa.text(str(sa.schema.CreateTable(_THINGS).compile(dialect=postgresql.dialect()))))
    return db


@pytest.mark.parametrize(
    "rows",
    [_ROWS, _ROWS[:1], _ROWS[1:2], [("cut \x1f here", *_ROWS[0][1:])], [("null \x1e", *_ROWS[0][1:])], _ROWS * 200],
    ids=["all kinds", "one empty text", "nothing but nulls", "a cut in a text", "a null's sign in a text", "many"],
)
async def test_rows_come_back_as_they_were_added(things: Database, rows: list[tuple[Any, ...]]) -> None:
    async with things.begin() as tx:
        for row in rows:
            tx.add(_THINGS, *row)
    async with things.begin() as tx:
        kept = [tuple(row) for row in await tx.all(sa.select(_THINGS))]
    assert kept == rows


@given(st.lists(st.none() | st.text(), min_size=1))
def test_packed_texts_can_be_cut_apart_again_or_are_refused(texts: list[str | None]) -> None:
    try:
        whole = pack_texts(texts)
    except Unpackable:
        assert any("\x1f" in text or "\x1e" in text for text in texts if text)
        return
    assert [None if part == "\x1e" else part for part in whole.split("\x1f")[1:]] == texts

"""Configuration documents: one revision a set of changes, nothing lost, any moment readable."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.core.faults import BadInput, NotFound
from leadmill.runtime.db import Database
from leadmill.runtime.records import Change, Version, changed_since, follow, history, latest, put, snapshot

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
HELIO = Change("buyer", "helio", '{"name": "Helio"}')
ACME = Change("source", "acme", '{"name": "Acme"}')


async def keep(db: Database, *changes: Change, author: str = "ana") -> int:
    async with db.begin() as tx:
        return await put(tx, changes, author, NOW)


async def test_before_the_first_change_there_is_nothing(db: Database) -> None:
    async with db.begin() as tx:
        assert await latest(tx) == 0
        assert (await snapshot(tx)).documents == {}
        assert await history(tx, "buyer", "helio") == []


async def test_a_set_of_changes_takes_one_revision(db: Database) -> None:
    assert await keep(db, HELIO, ACME) == 1
    async with db.begin() as tx:
        now = await snapshot(tx)
    assert now.revision == 1
    assert now.documents == {("buyer", "helio"): '{"name":"Helio"}', ("source", "acme"): '{"name":"Acme"}'}
    assert now.of("source") == {"acme": '{"name":"Acme"}'}


async def test_the_same_documents_again_make_no_revision_however_they_are_spaced(db: Database) -> None:
    await keep(db, Change("order", "a", '{"x": 1, "y": 2}'))
    assert await keep(db, Change("order", "a", '{ "y":2,\n"x":1 }')) == 1
    assert await keep(db) == 1
    assert await keep(db, Change("order", "never-was", None)) == 1


async def test_a_snapshot_that_is_followed_is_the_snapshot_of_now(db: Database) -> None:
    await keep(db, HELIO, ACME)
    async with db.begin() as tx:
        held = await snapshot(tx)
    await keep(db, Change("buyer", "helio", None), Change("buyer", "aero", "{}"))
    await keep(db, Change("source", "acme", '{"name":"Acme Two"}'))
    async with db.begin() as tx:
        found, fresh = await follow(tx, held), await snapshot(tx)
        assert found == fresh
        assert list(found.documents) == list(fresh.documents) == [("buyer", "aero"), ("source", "acme")]
        assert (await follow(tx, found)) == fresh
        # One made from a change that was taken back afterwards is read anew.
        later = type(found)(found.revision + 1, {("buyer", "ghost"): "{}"})
        assert await follow(tx, later) == fresh


async def test_any_revision_reads_as_it_was(db: Database) -> None:
    await keep(db, HELIO, ACME)
    await keep(db, Change("buyer", "helio", '{"name":"Helio Solar"}'), ACME, author="ben")
    await keep(db, Change("buyer", "helio", None))
    await keep(db, HELIO)
    async with db.begin() as tx:
        seen = [(await snapshot(tx, revision)).of("buyer") for revision in range(5)]
        story = await history(tx, "buyer", "helio")
        news = await changed_since(tx, 2)
    first = {"helio": '{"name":"Helio"}'}
    assert seen == [{}, first, {"helio": '{"name":"Helio Solar"}'}, {}, first]
    assert [(version.revision, version.author, version.body is None) for version in story] == [
        (4, "ana", False),
        (3, "ana", True),
        (2, "ben", False),
        (1, "ana", False),
    ]
    assert news == [
        Version("buyer", "helio", 3, None, NOW, "ana"),
        Version("buyer", "helio", 4, '{"name":"Helio"}', NOW, "ana"),
    ]


async def test_a_revision_that_has_not_been_is_not_found(db: Database) -> None:
    await keep(db, HELIO)
    async with db.begin() as tx:
        for revision in (-1, 2):
            with pytest.raises(NotFound):
                await snapshot(tx, revision)


async def test_a_body_that_is_no_json_is_refused_and_nothing_stands(db: Database) -> None:
    with pytest.raises(BadInput, match="order a is no JSON"):
        await keep(db, HELIO, Change("order", "a", "{"))
    async with db.begin() as tx:
        assert await latest(tx) == 0


async def test_what_is_undone_leaves_no_gap(db: Database) -> None:
    async def break_off() -> None:
        async with db.begin() as tx:
            await put(tx, [HELIO], "ana", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await break_off()
    assert await keep(db, ACME) == 1


async def test_authors_at_the_same_time_get_revisions_of_their_own(db: Database) -> None:
    numbers = await asyncio.gather(*(keep(db, Change("order", f"o{n % 4}", f'{{"n": {n}}}')) for n in range(12)))
    assert sorted(numbers) == list(range(1, 13))
    async with db.begin() as tx:
        assert len((await snapshot(tx)).documents) == 4
        assert len(await changed_since(tx, 0)) == 12


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2", "3"])),
            st.none() | st.integers(0, 2),
            max_size=4,
        ),
        max_size=6,
    )
)
def test_snapshots_agree_with_a_dictionary_that_took_the_same_changes(sets: list[dict[Any, Any]]) -> None:
    model: dict[tuple[str, str], str] = {}
    expected = [dict(model)]
    for changes in sets:
        before = dict(model)
        for key, body in changes.items():
            if body is None:
                model.pop(key, None)
            else:
                model[key] = str(body)
        if model != before:
            expected.append(dict(model))
    asyncio.run(_compare(sets, expected))


async def _compare(sets: list[dict[Any, Any]], expected: list[dict[tuple[str, str], str]]) -> None:
    database = Database(_URL[0], size=1)
    await database.open()
    try:
        async with database.begin() as tx:
            base = await latest(tx)
            clear = [Change(kind, ident, None) for kind, ident in (await snapshot(tx)).documents]
            base = await put(tx, clear, "ana", NOW)
            for changes in sets:
                await put(
                    tx,
                    [Change(kind, ident, None if n is None else str(n)) for (kind, ident), n in changes.items()],
                    "ana",
                    NOW,
                )
            assert await latest(tx) == base + len(expected) - 1
            for step, documents in enumerate(expected):
                assert (await snapshot(tx, base + step)).documents == documents
    finally:
        await database.close()


_URL: list[str] = []


@pytest.fixture(autouse=True)
def _remember(request: pytest.FixtureRequest) -> None:
    if request.node.name.startswith("test_snapshots_agree"):
        _URL[:] = [request.getfixturevalue("database_url")]

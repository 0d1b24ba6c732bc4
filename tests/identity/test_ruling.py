"""What people rule about persons: leads of two who are one count together, nothing moves, and nothing is lost when a
ruling is taken back."""

import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.ids import Mint
from leadmill.core.verdicts import Pass, Stop
from leadmill.identity import Identity, Keys, Ruling, forget_person, list_suggestions, read_prospect, rule, unrule
from leadmill.identity.model import Suggestion
from leadmill.identity.ruling import together
from leadmill.identity.store.persons import add_suggestions
from leadmill.linkage import Part
from leadmill.runtime.db import Database
from tests.identity.walking import NOW, case_of, recognise


async def meet(db: Database, mint: Mint, lead_id: str, email: str, days: float = 0) -> tuple[Identity, bool]:
    """A lead of whoever has this address: its identity, and whether it was a duplicate."""
    case = case_of(lead_id, email, days=days)
    async with db.begin() as tx:
        [verdict] = await recognise(tx, [case], Keys(), mint)
    return case[Identity], isinstance(verdict, Stop)


async def ruled(db: Database, mint: Mint, one: str, other: str, says: Literal["one", "two"] = "one") -> Ruling:
    async with db.begin() as tx:
        return await rule(tx, mint, one, other, says, by="op_1", why="Same person, both told us so.", now=NOW)


async def test_leads_of_two_persons_who_are_one_are_duplicates_of_each_other(db: Database, mint: Mint) -> None:
    ann, _ = await meet(db, mint, "lead_1", "ann@example.com")
    lee, twice = await meet(db, mint, "lead_2", "lee@example.com", days=1)
    assert not twice
    await ruled(db, mint, ann.person_id, lee.person_id)
    again, twice = await meet(db, mint, "lead_3", "ann@example.com", days=2)
    assert twice and again.duplicate_of == "lead_2"
    assert again.person_id == ann.person_id, "the lead stays with the person whose address it bears"
    assert again.joined == [lee.person_id]
    assert f"Held to be one with {lee.person_id}." in list(again.tell())


async def test_taking_a_ruling_back_leaves_everything_as_if_it_had_never_been_made(db: Database, mint: Mint) -> None:
    ann, _ = await meet(db, mint, "lead_1", "ann@example.com")
    lee, _ = await meet(db, mint, "lead_2", "lee@example.com", days=1)
    ruling = await ruled(db, mint, ann.person_id, lee.person_id)
    await meet(db, mint, "lead_3", "lee@example.com", days=40)
    async with db.begin() as tx:
        await unrule(tx, ruling.id, by="op_2", why="Two sisters.", now=NOW)
    again, twice = await meet(db, mint, "lead_4", "ann@example.com", days=41)
    assert not twice and again.person_id == ann.person_id and again.joined == []
    other, twice = await meet(db, mint, "lead_5", "lee@example.com", days=42)
    assert twice and other.person_id == lee.person_id and other.duplicate_of == "lead_3"
    async with db.begin() as tx:
        [kept] = (await read_prospect(tx, ann.person_id)).rulings
    assert (kept.by, kept.ended_by, kept.ended_why) == ("op_1", "op_2", "Two sisters.")


async def test_two_leads_of_one_human_being_in_one_group_are_first_and_duplicate(db: Database, mint: Mint) -> None:
    ann, _ = await meet(db, mint, "lead_1", "ann@example.com")
    lee, _ = await meet(db, mint, "lead_2", "lee@example.com")
    await ruled(db, mint, ann.person_id, lee.person_id)
    cases = [case_of("lead_3", "ann@example.com", days=50), case_of("lead_4", "lee@example.com", days=50)]
    async with db.begin() as tx:
        first, second = await recognise(tx, cases, Keys(), mint)
    assert isinstance(first, Pass) and isinstance(second, Stop)


async def test_a_chain_of_rulings_is_one_human_being_and_falls_apart_where_it_is_cut(db: Database, mint: Mint) -> None:
    ids = [(await meet(db, mint, f"lead_{n}", f"p{n}@example.com"))[0].person_id for n in range(4)]
    made = [await ruled(db, mint, one, other) for one, other in itertools.pairwise(ids)]
    async with db.begin() as tx:
        assert list((await read_prospect(tx, ids[3])).persons) == sorted(ids)
        await unrule(tx, made[1].id, by="op_1", why="", now=NOW)
    async with db.begin() as tx:
        assert list((await read_prospect(tx, ids[0])).persons) == sorted(ids[:2])
        assert list((await read_prospect(tx, ids[3])).persons) == sorted(ids[2:])


async def test_what_was_suggested_is_the_rulings_evidence_and_is_not_suggested_again(db: Database, mint: Mint) -> None:
    ann, _ = await meet(db, mint, "lead_1", "ann@example.com")
    lee, _ = await meet(db, mint, "lead_2", "lee@example.com")
    low, high = sorted((ann.person_id, lee.person_id))
    parts = [Part("birth_date", "same", 14.1)]
    said = Suggestion(low=low, high=high, kind="possible", bits=4.2, parts=parts, lead_id="lead_2", at=NOW)
    async with db.begin() as tx:
        await add_suggestions(tx, [said], NOW)
    ruling = await ruled(db, mint, low, high, "two")
    assert (ruling.kind, ruling.bits, ruling.parts) == ("possible", 4.2, parts)
    async with db.begin() as tx:
        await add_suggestions(tx, [said], NOW)
        assert await list_suggestions(tx) == []
        await unrule(tx, ruling.id, by="op_1", why="", now=NOW)
        await add_suggestions(tx, [said], NOW)
        assert len(await list_suggestions(tx)) == 1


async def test_rulings_that_contradict_what_stands_are_refused(db: Database, mint: Mint) -> None:
    a, b, c = [(await meet(db, mint, f"lead_{n}", f"p{n}@example.com"))[0].person_id for n in range(3)]
    with pytest.raises(BadInput, match="name two persons"):
        await ruled(db, mint, a, a)
    with pytest.raises(NotFound, match="there is no person"):
        await ruled(db, mint, a, "person_nobody")
    await ruled(db, mint, a, b)
    with pytest.raises(Conflict, match="ruled before"):
        await ruled(db, mint, b, a)
    with pytest.raises(Conflict, match="take that ruling back first"):
        await ruled(db, mint, a, b, "two")
    two = await ruled(db, mint, a, c, "two")
    with pytest.raises(Conflict, match="were ruled to be two"):
        await ruled(db, mint, b, c)
    async with db.begin() as tx:
        await unrule(tx, two.id, by="op_1", why="", now=NOW)
    with pytest.raises(Conflict, match="taken back before"):
        async with db.begin() as tx:
            await unrule(tx, two.id, by="op_1", why="", now=NOW)
    await ruled(db, mint, b, c)


async def test_a_person_who_is_forgotten_leaves_no_ruling_behind(db: Database, mint: Mint) -> None:
    ann, _ = await meet(db, mint, "lead_1", "ann@example.com")
    lee, _ = await meet(db, mint, "lead_2", "lee@example.com")
    await ruled(db, mint, ann.person_id, lee.person_id)
    async with db.begin() as tx:
        assert await forget_person(tx, Keys(), ann.person_id, NOW + timedelta(days=1))
    async with db.begin() as tx:
        left = await read_prospect(tx, lee.person_id)
    assert (left.persons, left.rulings) == ((lee.person_id,), ())
    again, twice = await meet(db, mint, "lead_3", "lee@example.com", days=2)
    assert twice and again.joined == [], "the one who is left goes on alone"


PEOPLE = [f"person_{letter}" for letter in "abcdefgh"]


def standing(pairs: Sequence[tuple[str, str]], ended: frozenset[int] = frozenset()) -> list[Ruling]:
    return [
        Ruling(
            id=f"ruling_{number}", low=min(pair), high=max(pair), says="one", by="op", why="", at=NOW,
            ended_at=NOW if number in ended else None,
        )
        for number, pair in enumerate(pairs)
    ]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=12), st.data())
def test_who_is_one_depends_on_the_rulings_that_stand_and_not_on_their_order(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    ended = frozenset(data.draw(st.sets(st.integers(0, 11))))
    rulings = standing(pairs, ended)
    groups = together(PEOPLE, rulings)
    assert sorted(each for group in groups for each in group) == PEOPLE
    shuffled = [*rulings]
    random.Random(data.draw(st.integers(0, 99))).shuffle(shuffled)
    assert together(PEOPLE, shuffled) == groups
    place = {each: number for number, group in enumerate(groups) for each in group}
    assert all(place[one.low] == place[one.high] for one in rulings if one.ended_at is None)


def test_ended_rulings_join_nobody() -> None:
    pairs = [("person_a", "person_b"), ("person_b", "person_c")]
    assert together(PEOPLE[:3], standing(pairs, frozenset({1}))) == [["person_a", "person_b"], ["person_c"]]

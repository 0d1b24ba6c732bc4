"""Whoever is forgotten is gone from every table, or what stays has a reason."""

from collections.abc import Iterable

import msgspec
import pytest

from leadmill.capture import Lead, Matching
from leadmill.core.faults import NotFound, Transient
from leadmill.core.reasons import State
from leadmill.facts import Dossier
from leadmill.flow.aside import correct_lead
from leadmill.flow.biography import read_biography
from leadmill.flow.forgetting import Forgotten, forget
from leadmill.flow.memory import recall_one
from leadmill.flow.reactions import react
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.identity import Identity, Move, move_person, rule, traits_of
from leadmill.interfaces.house import House
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from leadmill.parties.store import note_reads
from leadmill.runtime.db import metadata
from tests.conftest import FixedClock, import_tables
from tests.enrich.conftest import Market, market
from tests.flow.stage import BUSINESS, apply, stored, submission

__all__ = ["market"]

CHAIN = {"id": "phones", "topic": "phone", "ask": ["numberly"], "where": [{"field": "phone.valid", "eq": True}]}
ANN = {"first_name": "Ann", "last_name": "Oakenshaw", "address": "12 Heron Lane", "date_of_birth": "1980-05-01"}

PERSONS_STAY = {
    "person": "the row of a key that is no more: nobody else gets the id",
    "lead": "under whose key its values were sealed",
    "submission": "the same",
}
"""Tables that may go on naming a person who was forgotten, by an id that leads to nobody, and why."""

LEADS_STAY = {
    "lead": "where it stands and what it brought",
    "submission": "sealed with a key that is no more",
    "journal_page": "what was decided, for the audit; what is personal is sealed",
    "sale": "money",
    "ledger_posting": "money",
    "posting": "money",
    "delivery": "who has it",
    "message": "that somebody was written to; the letter is not kept",
    "job": "what is still to be done about it, by its id",
    "outcome": "what a buyer said became of it",
    "lead_read": "who was shown it",
    "fraud_return": "that it came back, which counts once",
}
"""Tables that may go on naming their leads."""


async def holding(house: House, wanted: Iterable[str]) -> set[str]:
    """The tables with a row in which one of these stands, as text or as the bytes of one, whatever the column."""
    import_tables()
    texts = [text for text in wanted if text]
    pattern = "|".join([*texts, *(text.encode().hex() for text in texts)])
    found = set()
    async with house.db.begin() as tx:
        for table in metadata.sorted_tables:
            sql = f'SELECT EXISTS (SELECT FROM "{table.name}" AS t WHERE t::text ~* $1)'
            if await tx.conn.fetchval(sql, pattern):
                found.add(table.name)
    return found


async def live(house: House, market: Market, clock: FixedClock) -> tuple[str, str]:
    """Somebody whose lead was asked about, sold, corrected, looked at and returned for fraud, and a second lead of
    theirs under another address; both of them."""
    await apply(house, {**BUSINESS, "provider": [market.declared("numberly")], "chain": [CHAIN]})
    first = (await house.mill.take(submission(house, 1, **ANN))).lead_id
    await house.mill.take(submission(house, 2, first_name="Tom", last_name="Reed"))
    clock.advance(minutes=5)
    other = {**ANN, "email": "ann.else@example.com", "phone": "+19162000009"}
    second = (await house.mill.take(submission(house, 3, **other))).lead_id
    async with house.db.begin() as tx:
        await correct_lead(tx, house.kit, first, {"email": "ann.right@example.com"}, "op_ana", "told me", clock())
        note_reads(tx, "op_ana", [first], "list", clock())
    async with house.db.begin() as tx:
        row = await house.pen.lock(tx, first)
        events = await report_outcome(
            tx,
            house.mint,
            lead_id=first,
            reporter="helio",
            disposition=Disposition.WRONG_NUMBER,
            at=clock(),
            now=clock(),
        )
        await react(tx, house.kit, row, events, clock())
    return first, second


async def test_nothing_is_left_of_a_forgotten_person_that_has_no_reason(
    house: House, market: Market, clock: FixedClock
) -> None:
    first, second = await live(house, market, clock)
    async with house.db.begin() as tx:
        told = {each: await recall_one(tx, house.pen, each) for each in (first, second)}
    rows = {row.id: row for row in await stored(house)}
    persons = {rows[each].person_id for each in (first, second)}
    keys = {key for each in told.values() for key in each.case_before()[Identity].keys.values()}
    right = house.vault.keyed_hash("email", "ann.right@example.com").hex()
    assert await holding(house, [*keys, right]) >= {"person_key", "fraud_mark"}
    assert await holding(house, ["ann.1@example", "ann.right@", "Oakenshaw", "Heron Lane"]) == set(), "sealed all along"
    async with house.db.begin() as tx:
        if len(persons) > 1:
            low, high = sorted(persons)
            await rule(tx, house.mint, low, high, "one", by="op_ana", why="she said", now=clock())
    answers = await count(house, "enrich_answer")
    async with house.db.begin() as tx:
        gone = await forget(tx, house.kit, rows[first].person_id, "op_ana", clock())
    assert ({*gone.persons}, {*gone.leads}) == (persons, {first, second}) and gone.marks > 3 and gone.answers > 0
    assert await count(house, "enrich_answer") == answers - gone.answers > 0, "what was asked about others stays"

    assert await holding(house, [*keys, right]) == set(), "a hash of what they are reached by"
    assert await holding(house, [each[-8:].encode().hex() for each in persons]) <= {*PERSONS_STAY}, "a sighting of them"
    assert await holding(house, persons) <= {*PERSONS_STAY}
    assert await holding(house, [first, second]) <= {*LEADS_STAY}

    # The stories go on without them, and everything still adds up.
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, first)
        assert (await recall_one(tx, house.pen, first)).lead is None
        assert await forget(tx, house.kit, rows[first].person_id, "op_ana", clock()) == Forgotten((), (), 0, 0)
        with pytest.raises(NotFound):
            await forget(tx, house.kit, "person_nobody", "op_ana", clock())
    assert story.forgotten and story.passages[-1].learned == ["The person was forgotten; said op_ana."]
    assert (await verify(house.db, house.pen)).findings == []
    assert (await replay(house.db, house.pen, house.book)).differences == []
    settled = await house.mill.take(submission(house, 1, **ANN))
    assert settled.state is State.SOLD, "somebody new, whom nothing speaks against"


async def count(house: House, table: str) -> int:
    async with house.db.begin() as tx:
        found: int = await tx.conn.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_a_correction_of_somebody_who_was_forgotten_a_moment_ago_leaves_no_trace_of_them(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    lead_id = (await house.mill.take(submission(house, 1, **ANN))).lead_id
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, lead_id)
    case, person = recalled.case_before(), recalled.row.person_id
    before = traits_of(case[Lead], case[Dossier])
    after = msgspec.structs.replace(before, email="ann.right@example.com", phone="+19162000077", last="Elmwood")
    async with house.db.begin() as tx:
        await forget(tx, house.kit, person, "op_ana", clock())
    move = Move(person_id=person, lead_id=lead_id, before=before, after=after, others=(), matching=Matching())
    with pytest.raises(Transient, match=r"identity\.person\.changed"):
        async with house.db.begin() as tx:
            await move_person(tx, house.vault, house.keys, move, clock())
    assert await holding(house, [person]) <= PERSONS_STAY.keys()

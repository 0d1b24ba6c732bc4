"""What two people decide at once about one lead happens once."""

import asyncio

import pytest

from leadmill.core.faults import Conflict, NotFound
from leadmill.core.reasons import State
from leadmill.facts import Verify
from leadmill.flow.desk import approve, dismiss
from leadmill.flow.memory import recall_one
from leadmill.flow.model import Settled
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.identity import Identity, find_person, read_prospect
from leadmill.interfaces.house import House
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, count, stored, submission


async def test_of_two_who_approve_at_once_one_does_and_the_other_is_told(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    held = await house.mill.take(submission(house, 1, monthly_bill=4000))
    assert held.state is State.REVIEW

    async def decide(verb, who: str) -> Settled | None:
        async with house.db.begin() as tx:
            done: Settled | None = await verb(tx, house.kit, held.lead_id, who, "", clock())
            return done

    found = await asyncio.gather(decide(approve, "op_a"), decide(approve, "op_b"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Settled"]
    assert await count(house, "sale") == 1
    late = await asyncio.gather(decide(dismiss, "op_c"), return_exceptions=True)
    assert [one.code for one in late if isinstance(one, Conflict)] == ["flow.desk.not_waiting"]
    (row,) = await stored(house)
    assert (row.state, row.recipient) == (State.SOLD, "helio")
    assert (await verify(house.db, house.pen)).findings == []


async def test_an_unknown_lead_is_not_found(house: House, clock: FixedClock) -> None:
    with pytest.raises(NotFound) as caught:
        async with house.db.begin() as tx:
            await approve(tx, house.kit, "lead_01k00000000000000000000000", "op_a", "", clock())
    assert caught.value.code == "flow.lead.unknown"


async def broken(house: House, number: int, monkeypatch: pytest.MonkeyPatch) -> Settled:
    """Lead number N, on which a step broke before anybody knew whose it is."""

    def breaks(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(Verify, "judge", breaks)
        held = await house.mill.take(submission(house, number))
    assert held.state is State.REVIEW
    return held


async def released(house: House, held: Settled) -> Settled:
    async with house.db.begin() as tx:
        return await approve(tx, house.kit, held.lead_id, "op_a", "", house.clock())


async def test_a_lead_that_broke_before_its_person_was_known_keeps_one_person(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(house, BUSINESS)
    held = await broken(house, 1, monkeypatch)
    (before,) = await stored(house)
    settled = await released(house, held)
    assert settled.state is State.SOLD
    (row,) = await stored(house)
    assert (row.person_id, await count(house, "person")) == (before.person_id, 1)
    async with house.db.begin() as tx:
        identity = (await recall_one(tx, house.pen, held.lead_id)).case_before()[Identity]
        assert identity.person_id == row.person_id and identity.new_person
        assert await find_person(tx, house.vault.keyed_hash, "ann.1@example.com") == row.person_id
        house.keys.drop(row.person_id)
        assert (await recall_one(tx, house.pen, held.lead_id)).lead is not None, "what was sealed before can be read"
    again = await house.mill.take(submission(house, 1))
    assert again.state is State.DUPLICATE
    assert await count(house, "person") == 1
    assert (await replay(house.db, house.pen, house.book)).differences == []
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_lead_that_broke_and_turns_out_to_be_of_somebody_known_is_held_to_be_theirs(
    house: House, monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    known = await house.mill.take(submission(house, 1))
    held = await broken(house, 1, monkeypatch)
    settled = await released(house, held)
    assert (settled.state, settled.because[0].code) == (State.DUPLICATE, "identity.lead.duplicate")
    rows = {row.id: row for row in await stored(house)}
    ours, theirs = rows[held.lead_id].person_id, rows[known.lead_id].person_id
    async with house.db.begin() as tx:
        prospect = await read_prospect(tx, theirs)
        assert prospect.persons == tuple(sorted((ours, theirs)))
        (ruling,) = prospect.rulings
        assert (ruling.says, ruling.by) == ("one", "house") and held.lead_id in ruling.why
        assert (await recall_one(tx, house.pen, held.lead_id)).lead is not None
    assert (await replay(house.db, house.pen, house.book)).differences == []
    assert (await verify(house.db, house.pen)).findings == []

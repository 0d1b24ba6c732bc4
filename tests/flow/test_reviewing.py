"""Leads that wait come to the desk, one person at a time decides, and what is decided is carried out."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from leadmill.core.faults import Conflict, Forbidden
from leadmill.core.reasons import State
from leadmill.flow.desk import approve
from leadmill.flow.memory import recall_one
from leadmill.flow.overriding import override
from leadmill.flow.reminding import tell_overdue
from leadmill.flow.replay import replay
from leadmill.flow.reviewing import decide_case, gather_cases, terms_of
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.policy.model import Suppression
from leadmill.policy.store import suppress
from leadmill.review import CaseDecided, CaseFilter, LeadLabelled, ReviewCase
from leadmill.review.service import Reviewer, hand_over, renew, snooze, take, take_next, undo, unlock
from leadmill.review.store import (
    cases_of,
    decisions_of,
    figures,
    find_case,
    labels_between,
    list_cases,
    neighbours,
    pairs_since,
)
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, count, stored, submission

ANN, BOB, CORA = Reviewer("op_ann"), Reviewer("op_bob"), Reviewer("op_cora", supervises=True)


async def waiting(house: House, most: int, **terms: Any) -> list[ReviewCase]:
    """A business whose first ``most`` leads wait, and their cases in the order of the queue."""
    await apply(house, {**BUSINESS, "review": [{"id": "all", "minutes": 60, **terms}]})
    for number in range(most):
        held = await house.mill.take(submission(house, number, monthly_bill=4000))
        assert held.state is State.REVIEW
        house.clock.advance(minutes=1)  # type: ignore[attr-defined]  # the tests' clock
    async with house.db.begin() as tx:
        assert await gather_cases(tx, house.kit, house.clock()) == most
        assert await gather_cases(tx, house.kit, house.clock()) == 0
        return await list_cases(tx, CaseFilter(), house.clock())


def terms(house: House) -> Any:
    return lambda vertical: terms_of(house.kit, vertical)


async def taken(house: House, who: Reviewer) -> ReviewCase | None:
    async with house.db.begin() as tx:
        return await take_next(tx, who, terms(house), house.clock())


async def decided(
    house: House, one: ReviewCase, who: Reviewer, choice: str, ground: str = "", note: str = ""
) -> ReviewCase:
    async with house.db.begin() as tx:
        return await decide_case(tx, house.kit, one.id, one.turn, who, choice, ground, note, house.clock())


async def worked(house: House, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=30))
    for one in workers(house)[:1]:
        await one.drain()


async def now(house: House, one: ReviewCase) -> ReviewCase:
    async with house.db.begin() as tx:
        found = await find_case(tx, one.id)
    assert found is not None
    return found


async def sound(house: House) -> None:
    assert (await replay(house.db, house.pen, house.book)).differences == []
    assert (await verify(house.db, house.pen)).findings == []


async def test_what_waits_comes_to_the_desk_with_its_reason_and_two_who_ask_at_once_get_two_cases(
    house: House, clock: FixedClock
) -> None:
    one, two, three = await waiting(house, 3)
    assert (one.reason, one.rule, one.score is not None, one.worth) == (
        "scoring.points.review",
        "bill-implausible",
        True,
        5_750,
    )
    assert one.says.startswith("A person should look") and one.due_at == one.since + timedelta(minutes=60)
    async with house.db.begin() as tx:
        assert await neighbours(tx, two) == (one.id, three.id)
        assert await list_cases(tx, CaseFilter(), clock(), (one.due_at, one.worth, one.id)) == [two, three]
    got = await asyncio.gather(*(taken(house, Reviewer(f"op_{name}")) for name in "abcd"))
    assert sorted(each.id for each in got if each is not None) == sorted([one.id, two.id, three.id])
    held = next(each for each in got if each is not None)
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.case\.taken"):
            await take(tx, held.id, Reviewer("op_z"), terms(house), clock())
    clock.advance(timedelta(minutes=11))
    again = await taken(house, Reviewer("op_z"))
    assert again is not None and again.id == one.id, "a lock that ran out is anybody's"
    first = next(each for each in got if each is not None and each.id == one.id)
    with pytest.raises(Conflict, match=r"review\.case\.stale"):
        await decided(house, first, Reviewer(first.holder or ""), "approve")
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.case\.supervised"):
            await unlock(tx, one.id, ANN)
        await unlock(tx, one.id, CORA)
        assert (await tell_overdue(tx, clock() + timedelta(minutes=50)))[0] == 3


async def test_a_case_is_kept_handed_over_and_put_off_by_who_has_it(house: House, clock: FixedClock) -> None:
    (one,) = await waiting(house, 1)
    mine = await taken(house, ANN)
    assert mine is not None
    clock.advance(timedelta(minutes=5))
    async with house.db.begin() as tx:
        kept = await renew(tx, one.id, mine.turn, ANN, terms(house), clock())
        assert kept.held_until == clock() + timedelta(minutes=10)
        theirs = await hand_over(tx, one.id, kept.turn, ANN, BOB, terms(house), clock())
        assert theirs.holder == BOB.id
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.case\.stale"):
            await renew(tx, one.id, kept.turn, ANN, terms(house), clock())
        await snooze(tx, one.id, theirs.turn, BOB, clock() + timedelta(hours=1), clock())
    assert await taken(house, ANN) is None
    clock.advance(timedelta(hours=1))
    assert await taken(house, ANN) is not None


async def test_a_decision_can_be_taken_back_until_it_is_carried_out_and_then_happens_once(
    house: House, clock: FixedClock
) -> None:
    (one,) = await waiting(house, 1)
    mine = await taken(house, ANN)
    assert mine is not None
    await decided(house, mine, ANN, "reject", "made_up")
    assert (await stored(house))[0].state is State.REVIEW, "nothing has left yet"
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.decision\.kept"):
            await undo(tx, one.id, BOB, terms(house), clock())
        mine = await undo(tx, one.id, ANN, terms(house), clock())
    await decided(house, mine, ANN, "approve", note="Called: she has a heated pool.")
    await worked(house, clock)
    (row,) = await stored(house)
    assert (row.state, row.recipient) == (State.SOLD, "helio")
    done = await now(house, one)
    assert (done.stage, done.outcome, done.label) == ("closed", "sold", "good")
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.decision\.kept"):
            await undo(tx, one.id, ANN, terms(house), clock())
        recalled = await recall_one(tx, house.pen, row.id)
        said = [e for chapter in recalled.chapters for e in chapter.events if isinstance(e, CaseDecided | LeadLabelled)]
        numbers = await figures(tx, clock(), clock() - timedelta(hours=3))
        labels = await labels_between(tx, clock() - timedelta(hours=1), clock() + timedelta(hours=1))
        note = house.pen.open_sealed(row, (await decisions_of(tx, one.id))[1].note or b"", "review note")
    assert [" ".join(each.tell()) for each in said] == [
        "Rejected by op_ann: The person or the request is made up. Taken back.",
        "Approved by op_ann.",
        "Remembered as good, by review.",
    ]
    assert note == b"Called: she has a heated pool."
    assert (numbers.waiting, numbers.today) == (0, 1) and numbers.median_seconds is not None
    assert [(each.lead_id, each.label, each.source) for each in labels] == [(row.id, "good", "review")]
    assert await count(house, "sale") == 1
    await worked(house, clock)
    assert await count(house, "sale") == 1
    await sound(house)


async def test_a_lead_found_made_up_speaks_against_the_next_with_its_details(house: House, clock: FixedClock) -> None:
    await waiting(house, 1)
    mine = await taken(house, ANN)
    assert mine is not None
    await decided(house, mine, ANN, "reject", "made_up")
    await worked(house, clock)
    (row,) = await stored(house)
    assert (row.state, row.reason) == (State.REJECTED, "flow.desk.dismissed")
    async with house.db.begin() as tx:
        burnt = await tx.conn.fetchval("SELECT count(*) FROM fraud_burn")
    assert burnt >= 2
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.case\.supervised"):
            await override(tx, house.kit, row.id, ANN, "known_better", "", clock())
        settled = await override(tx, house.kit, row.id, CORA, "known_better", "She wrote to us.", clock())
    assert settled.state is State.SOLD
    async with house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM fraud_burn") == 0, "said to be good, nothing is burnt"
        (latest, _) = await cases_of(tx, row.id)
    assert (latest.override, latest.ground, latest.outcome) == (True, "known_better", "sold")
    await sound(house)


async def test_two_decide_some_cases_blindly_and_a_supervisor_where_they_disagree(
    house: House, clock: FixedClock
) -> None:
    (one,) = await waiting(house, 1, second_share="1")
    mine = await taken(house, ANN)
    assert mine is not None and mine.sampled
    assert (await decided(house, mine, ANN, "approve")).stage == "second"
    assert await taken(house, ANN) is None
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, one.lead_id)
    assert not [e for chapter in recalled.chapters for e in chapter.events if isinstance(e, CaseDecided)], "blind"
    theirs = await taken(house, BOB)
    assert theirs is not None
    assert (await decided(house, theirs, BOB, "nurture")).stage == "third"
    assert await taken(house, Reviewer("op_dan")) is None
    last = await taken(house, CORA)
    assert last is not None
    assert (await decided(house, last, CORA, "nurture")).stage == "decided"
    await worked(house, clock)
    (row,) = await stored(house)
    assert (row.state, row.reason) == (State.NURTURE, "flow.desk.nurtured")
    async with house.db.begin() as tx:
        (pair,) = await pairs_since(tx, clock() - timedelta(days=1))
    assert (pair.first_by, pair.first, pair.second_by, pair.second) == ("op_ann", "approve", "op_bob", "nurture")
    await sound(house)


async def test_the_law_is_asked_anew_when_a_person_lets_a_lead_go_on(house: House, clock: FixedClock) -> None:
    await waiting(house, 1)
    mine = await taken(house, ANN)
    assert mine is not None
    await decided(house, mine, ANN, "approve")
    async with house.db.begin() as tx:
        points = (("phone", "+19162000000"), ("email", "ann.0@example.com"))
        entries = [Suppression(house.vault.keyed_hash(kind, value), kind, clock(), "test") for kind, value in points]
        await suppress(tx, entries)
    await worked(house, clock)
    (row,) = await stored(house)
    assert (row.state, row.reason) == (State.REJECTED, "policy.person.suppressed")
    assert (await now(house, mine)).outcome == "rejected"
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.override\.barred"):
            await override(tx, house.kit, row.id, CORA, "rule_wrong", "", clock())
    await sound(house)


async def test_who_decides_on_the_leads_own_page_ends_its_case_unless_somebody_has_it(
    house: House, clock: FixedClock
) -> None:
    one, two = await waiting(house, 2)
    mine = await taken(house, ANN)
    assert mine is not None and mine.id == one.id
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.case\.taken"):
            await approve(tx, house.kit, one.lead_id, BOB.id, "", clock())
    async with house.db.begin() as tx:
        await approve(tx, house.kit, two.lead_id, BOB.id, "", clock())
    assert (await now(house, two)).stage == "closed"
    async with house.db.begin() as tx:
        await approve(tx, house.kit, one.lead_id, ANN.id, "", clock())
    await sound(house)

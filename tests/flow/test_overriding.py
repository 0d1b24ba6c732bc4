"""What the desk does unasked, what is learned of it, and who is told of cases that are overdue."""

from datetime import timedelta
from typing import Any

import pytest

from leadmill.core.faults import BadInput, Conflict, Forbidden
from leadmill.core.reasons import State
from leadmill.flow.memory import recall_one
from leadmill.flow.overriding import hold_lead, mark_lead, override
from leadmill.flow.reminding import BATCH, plan_reminders
from leadmill.flow.reviewing import gather_cases
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.review import CaseDecided, CaseFilter, LeadLabelled, ReviewCase
from leadmill.review.service import Reviewer, assign, take_next, undo
from leadmill.review.store import cases_of, labels_between, list_cases
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, count, stored, submission
from tests.flow.test_reviewing import ANN, BOB, CORA, decided, now, sound, taken, terms, waiting, worked
from tests.journeys.house import Mailbox


async def heard(house: House, lead_id: str, kind: type[Any]) -> list[Any]:
    """What the lead's journal tells of a kind."""
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, lead_id)
    return [event for chapter in recalled.chapters for event in chapter.events if isinstance(event, kind)]


async def test_an_approval_teaches_good_a_rejection_its_ground_and_the_later_takes_the_place_of_the_earlier(
    house: House, clock: FixedClock
) -> None:
    began = clock()
    one, two = await waiting(house, 2)
    mine = await taken(house, ANN)
    assert mine is not None and mine.id == one.id
    await decided(house, mine, ANN, "reject", "wrong_number")
    async with house.db.begin() as tx:
        mine = await undo(tx, one.id, ANN, terms(house), clock())
    await decided(house, mine, ANN, "reject", "disconnected")
    theirs = await taken(house, BOB)
    assert theirs is not None and theirs.id == two.id
    await decided(house, theirs, BOB, "approve")
    await worked(house, clock)
    labels = await heard(house, one.lead_id, LeadLabelled)
    assert [(each.label, each.ground, each.source) for each in labels] == [("bad", "disconnected", "review")]
    assert [(each.label, each.ground) for each in await heard(house, two.lead_id, LeadLabelled)] == [("good", "")]
    async with house.db.begin() as tx:
        kinds = [row["kind"] for row in await tx.conn.fetch("SELECT kind FROM hygiene_seen")]
        assert kinds == ["disconnected"], "what was taken back speaks against no number"
        clock.advance(timedelta(minutes=1))
        await override(tx, house.kit, one.lead_id, CORA, "known_better", "", clock())
    async with house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM hygiene_seen") == 0
        found = await labels_between(tx, began, clock() + timedelta(seconds=1))
        earlier = await labels_between(tx, began, clock())
    assert {(each.lead_id, each.label, each.ground) for each in found} == {
        (one.lead_id, "good", "known_better"),
        (two.lead_id, "good", ""),
    }
    assert {(each.lead_id, each.label) for each in earlier} == {(one.lead_id, "bad"), (two.lead_id, "good")}
    await sound(house)


async def test_a_later_decision_that_says_nothing_takes_back_what_an_earlier_one_said(
    house: House, clock: FixedClock
) -> None:
    await apply(house, {key: BUSINESS[key] for key in ("source", "buyer")})
    await house.mill.take(submission(house, 0))
    (row,) = await stored(house)
    assert row.state is State.UNSOLD
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.case\.supervised"):
            await hold_lead(tx, house.kit, row.id, ANN, "complaint", "", clock())
    async with house.db.begin() as tx:
        with pytest.raises(BadInput, match=r"review\.decision\.malformed"):
            await hold_lead(tx, house.kit, row.id, CORA, "made_up", "", clock())
    async with house.db.begin() as tx:
        await hold_lead(tx, house.kit, row.id, CORA, "complaint", "Her lawyer wrote.", clock())
    async with house.db.begin() as tx:
        assert await gather_cases(tx, house.kit, clock()) == 1
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.case\.taken"):
            await mark_lead(tx, house.kit, row.id, CORA, "made_up", "", clock())
    held = await taken(house, ANN)
    assert held is not None and (held.reason, held.says) == (
        "flow.desk.held",
        "A person held it before it was sold: Somebody complained",
    )
    await decided(house, held, ANN, "approve")
    await worked(house, clock)
    assert (await stored(house))[0].state is State.UNSOLD
    clock.advance(timedelta(seconds=1))
    async with house.db.begin() as tx:
        await hold_lead(tx, house.kit, row.id, CORA, "law_in_doubt", "", clock())
        await gather_cases(tx, house.kit, clock())
    held = await taken(house, BOB)
    assert held is not None
    await decided(house, held, BOB, "reject", "doubtful_consent")
    await worked(house, clock)
    labels = await heard(house, row.id, LeadLabelled)
    assert [(each.label, each.ground) for each in labels] == [("good", ""), ("", "doubtful_consent")]
    assert list(labels[1].tell()) == ["What was remembered of its quality is taken back, by review."]
    told = [sentence for each in await heard(house, row.id, CaseDecided) for sentence in each.tell()]
    assert told == [
        "Held by op_cora: Somebody complained.",
        "Approved by op_ann.",
        "Held by op_cora: It is in doubt whether the law lets it be sold.",
        "Rejected by op_bob: The consent does not hold.",
    ]
    async with house.db.begin() as tx:
        assert await labels_between(tx, clock() - timedelta(days=1), clock() + timedelta(days=1)) == []
    await sound(house)


async def test_a_lead_is_marked_as_what_it_was_found_to_be_and_stays_sold_to_who_has_it(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 0))
    (row,) = await stored(house)
    assert row.state is State.SOLD
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.hold\.barred"):
            await hold_lead(tx, house.kit, row.id, CORA, "complaint", "", clock())
    async with house.db.begin() as tx:
        assert await mark_lead(tx, house.kit, row.id, CORA, "made_up", "Nobody of the name.", clock()) is State.SOLD
    async with house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM fraud_burn") >= 2
        (case,) = await cases_of(tx, row.id)
    assert (case.override, case.decision, case.label, case.outcome) == (True, "reject", "bad", "sold")
    assert await count(house, "sale") == 1
    (told,) = await heard(house, row.id, CaseDecided)
    assert list(told.tell()) == ["Marked by op_cora: The person or the request is made up."]
    await sound(house)


async def test_what_was_decided_stands_in_the_journal_also_where_the_person_opted_out_meanwhile(
    house: House, clock: FixedClock
) -> None:
    (one,) = await waiting(house, 1, second_share="1")
    mine = await taken(house, ANN)
    assert mine is not None
    await decided(house, mine, ANN, "approve")
    async with house.db.begin() as tx:
        await tx.conn.execute("UPDATE lead SET state = 'rejected' WHERE id = $1", one.lead_id)
    async with house.db.begin() as tx:
        await gather_cases(tx, house.kit, clock())
    gone = await now(house, one)
    assert (gone.stage, gone.outcome, gone.decision, gone.label) == ("closed", "rejected", None, None)
    (told,) = await heard(house, one.lead_id, CaseDecided)
    assert (told.choice, told.by) == ("approve", "op_ann")
    assert await heard(house, one.lead_id, LeadLabelled) == []


async def test_the_second_of_two_who_disagree_cannot_take_it_back_and_what_is_assigned_comes_first(
    house: House, clock: FixedClock
) -> None:
    one, two, three = await waiting(house, 3, second_share="1")
    first = await taken(house, ANN)
    assert first is not None and first.id == one.id
    await decided(house, first, ANN, "approve")
    second = await taken(house, BOB)
    assert second is not None and second.id == one.id
    assert (await decided(house, second, BOB, "nurture")).stage == "third"
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match=r"review\.decision\.kept"):
            await undo(tx, one.id, BOB, terms(house), clock())
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.case\.supervised"):
            await assign(tx, three.id, ANN, BOB, terms(house), clock())
    async with house.db.begin() as tx:
        with pytest.raises(Forbidden, match=r"review\.case\.barred"):
            await assign(tx, one.id, CORA, BOB, terms(house), clock())
        given = await assign(tx, three.id, CORA, BOB, terms(house), clock())
        assert given.held_until == max(three.due_at, clock() + timedelta(minutes=10))
    mine = await taken(house, BOB)
    assert mine is not None and (mine.id, mine.turn, mine.held_until) == (three.id, given.turn, given.held_until)
    async with house.db.begin() as tx:
        other = await take_next(tx, Reviewer("op_eve"), terms(house), clock())
    assert other is not None and other.id == two.id


async def reminded(house: House, clock: FixedClock) -> None:
    async with house.db.begin() as tx:
        await plan_reminders(tx, house.kit, clock())
        await plan_reminders(tx, house.kit, clock())
    clock.advance(BATCH)
    await workers(house)[0].drain()


async def late(house: House) -> list[ReviewCase]:
    async with house.db.begin() as tx:
        return await list_cases(tx, CaseFilter(), house.clock())


async def test_who_wants_it_is_told_once_a_batch_that_cases_are_overdue_and_nothing_of_whose_they_are(
    house: House, clock: FixedClock, mailbox: Mailbox
) -> None:
    await waiting(house, 3, notify=["ops@example.com", "lea@example.com"])
    await reminded(house, clock)
    assert mailbox.messages == [], "nothing is due yet"
    clock.advance(timedelta(hours=1))
    await reminded(house, clock)
    (mail,) = mailbox.messages
    assert (mail["To"], mail["Subject"]) == ("ops@example.com, lea@example.com", "Review: 3 cases overdue")
    text = str(mail.get_payload())
    assert "solar  scoring.points.review" in text and "http://127.0.0.1:8080/review?show=overdue" in text
    assert "Ann" not in text and "example.com" not in text and "lead_" not in text and "rev_" not in text
    await reminded(house, clock)
    assert len(mailbox.messages) == 1, "what was told is not told again"
    assert all(one.told_at is not None for one in await late(house))
    clock.advance(timedelta(days=1))
    mailbox.refuse = {"ops@example.com", "lea@example.com"}
    await reminded(house, clock)
    mailbox.refuse = set()
    await reminded(house, clock)
    assert len(mailbox.messages) == 1, "what was refused for good fails once and is not tried until the next day"
    assert await count(house, "job") >= 1
    clock.advance(timedelta(days=1))
    await reminded(house, clock)
    assert len(mailbox.messages) == 2, "what is still overdue a day later is told again"

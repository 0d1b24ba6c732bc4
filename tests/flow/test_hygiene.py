"""What comes back from messages and calls on the whole walk: remembered, told, taken back, heard by the next lead."""

import hashlib
from datetime import timedelta

import msgspec

from leadmill.capture import Submission
from leadmill.core.reasons import State
from leadmill.facts import Dossier, Fact
from leadmill.flow.biography import read_biography
from leadmill.flow.memory import recall_one
from leadmill.flow.noticing import Told, take_notices
from leadmill.flow.reactions import react
from leadmill.flow.replay import replay
from leadmill.flow.whatif import replay_with
from leadmill.hygiene import Notice
from leadmill.hygiene.service import forget_points, tidy_hygiene
from leadmill.identity import Identity
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, body_of, count, order, submission
from tests.journeys.house import Mailbox

AGES = timedelta(days=100)
"""Longer than anybody is a duplicate."""


def writing(house: House, number: int) -> Submission:
    """Lead number N of somebody who agreed to be written to."""
    body = body_of(number).replace(b"call and text me", b"call, text and e-mail me")
    return msgspec.structs.replace(submission(house, number), body=body, digest=hashlib.sha256(body).hexdigest())


async def fact_of(house: House, lead_id: str, key: str) -> Fact | None:
    async with house.db.begin() as tx:
        case = (await recall_one(tx, house.pen, lead_id)).case_before()
    return case[Dossier].by_key.get(key)


async def tell(house: House, *notices: Notice, source: str = "post") -> Told:
    async with house.db.begin() as tx:
        return await take_notices(tx, house.kit, notices, source, house.clock())


async def report(house: House, lead_id: str, disposition: Disposition, at: object) -> None:
    async with house.db.begin() as tx:
        row = await house.pen.lock(tx, lead_id)
        events = await report_outcome(
            tx,
            house.mint,
            lead_id=lead_id,
            reporter="helio",
            disposition=disposition,
            at=at,  # type: ignore[arg-type]
            now=house.clock(),
        )
        await react(tx, house.kit, row, events, house.clock())


async def test_a_message_that_our_mail_server_refuses_speaks_against_the_next_lead_with_the_address(
    house: House, clock: FixedClock, mailbox: Mailbox
) -> None:
    await apply(house, BUSINESS)
    mailbox.refuse.add("ann.1@example.com")
    first = await house.mill.take(writing(house, 1))
    assert await fact_of(house, first.lead_id, "email.reachable") is None
    while sum([await one.drain() for one in workers(house)]):
        continue
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, first.lead_id)
    assert "contact.observed" in {passage.title for passage in story.passages}
    clock.advance(AGES)
    second = await house.mill.take(submission(house, 1))
    fact = await fact_of(house, second.lead_id, "email.reachable")
    assert second.state is State.SOLD and fact is not None, "packs decide what follows from it"
    assert (fact.value, fact.outcome, fact.source) == (False, "fail", "mail server")
    assert fact.confidence > 90 and fact.observed_at == clock() - AGES
    assert (await replay(house.db, house.pen, house.book)).differences == []
    trial = await replay_with(house.db, house.pen, house.book, lambda rules: rules)
    assert (trial.leads, trial.skipped, trial.changed) == (2, 0, 0)


async def test_what_a_service_tells_counts_once_and_only_of_persons_who_are_known(
    house: House, clock: FixedClock
) -> None:
    picky = order("helio-ca", "helio", "65.00", where=[{"not": {"field": "email.reachable", "eq": False}}])
    await apply(house, {**BUSINESS, "order": [picky, BUSINESS["order"][1]]})
    first = await house.mill.take(submission(house, 1))
    bounce = Notice(word="hard_bounce", contact="Ann.1@example.com", at=clock(), ref="ev-1")
    told = await tell(
        house,
        bounce,
        bounce,
        Notice(word="hard_bounce", contact="nobody@example.com", ref="ev-2"),
        Notice(word="processed", contact="ann.1@example.com", ref="ev-3"),
        Notice(word="disconnected", contact="ann.1@example.com", ref="ev-4"),  # an address has no line
        Notice(word="bounced", contact="ann.1@example.com", at=clock() + timedelta(days=1), ref="ev-5"),
    )
    assert (told.taken, told.repeated, told.unknown, told.ignored) == (1, 1, 1, 3)
    assert (await tell(house, bounce)).repeated == 1
    assert await count(house, "hygiene_seen") == 1
    clock.advance(AGES)
    second = await house.mill.take(submission(house, 1))
    fact = await fact_of(house, second.lead_id, "email.reachable")
    assert fact is not None and fact.value is False
    async with house.db.begin() as tx:
        row = (await recall_one(tx, house.pen, second.lead_id)).row
    assert row.recipient == "bright", "an order may refuse such leads"
    await tell(house, Notice(word="delivered", contact="ann.1@example.com", at=clock(), ref="ev-9"))
    clock.advance(AGES)
    third = await house.mill.take(submission(house, 1))
    fact = await fact_of(house, third.lead_id, "email.reachable")
    assert fact is not None and fact.value is True, "something arrived there since"
    assert first.lead_id != third.lead_id
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_a_buyers_word_on_the_number_is_remembered_and_what_it_corrects_is_taken_back(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    first = await house.mill.take(submission(house, 1))
    said = clock()
    await report(house, first.lead_id, Disposition.DISCONNECTED, said)
    assert await count(house, "hygiene_seen") == 1
    await report(house, first.lead_id, Disposition.QUOTED, said)
    assert await count(house, "hygiene_seen") == 1
    await report(house, first.lead_id, Disposition.LOST, said)
    assert await count(house, "hygiene_seen") == 0
    await report(house, first.lead_id, Disposition.WRONG_NUMBER, clock() + timedelta(minutes=1))
    async with house.db.begin() as tx:
        identity = (await recall_one(tx, house.pen, first.lead_id)).case_before()[Identity]
        assert await tidy_hygiene(tx, house.book.walk().rules.upkeeps.values(), clock() + timedelta(days=1_000)) == 0
        assert await forget_points(tx, [bytes.fromhex(key) for key in identity.keys.values()]) == 1

"""Suspicion on the whole walk: counted once, held and released, seen by orders, learned from what buyers return."""

import asyncio
import hashlib
import json
from typing import Any

import msgspec

from leadmill.capture import Submission
from leadmill.core.reasons import State
from leadmill.flow.desk import approve
from leadmill.flow.memory import recall_one
from leadmill.flow.reactions import react
from leadmill.flow.replay import replay
from leadmill.flow.whatif import replay_with
from leadmill.fraud import Raised, Suspicion, Tally
from leadmill.fraud.records import SIZE
from leadmill.fraud.service import fold, tallies_since
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, body_of, buyer, count, order, stored, submission

MACHINE: dict[str, Any] = {"webdriver": True, "key_count": 0, "paste_count": 0, "fill_count": 0}


def coming(house: House, number: int, *, test: bool = False, **context: Any) -> Submission:
    """Lead number N with this context, as a test where it is one."""
    body = json.dumps({**json.loads(body_of(number)), "context": context, "test": test}).encode()
    return msgspec.structs.replace(submission(house, number), body=body, digest=hashlib.sha256(body).hexdigest())


async def suspicion_of(house: House, lead_id: str) -> Suspicion:
    async with house.db.begin() as tx:
        return (await recall_one(tx, house.pen, lead_id)).case_before()[Suspicion]


async def raised_on(house: House, lead_id: str) -> dict[str, Raised]:
    return {item.code: item for item in (await suspicion_of(house, lead_id)).raised}


async def report(house: House, lead_id: str, disposition: Disposition, at: Any, reporter: str = "helio") -> None:
    async with house.db.begin() as tx:
        row = await house.pen.lock(tx, lead_id)
        events = await report_outcome(
            tx, house.mint, lead_id=lead_id, reporter=reporter, disposition=disposition, at=at, now=house.clock()
        )
        await react(tx, house.kit, row, events, house.clock())


async def tallies(house: House) -> dict[str, Tally]:
    async with house.db.begin() as tx:
        await fold(tx, house.clock())
        return {one.code: one for one in await tallies_since(tx, house.clock().date().replace(month=1))}


async def sightings(house: House) -> list[int]:
    async with house.db.begin() as tx:
        return sorted(len(row["seen"]) // SIZE for row in await tx.conn.fetch("SELECT seen FROM fraud_mark"))


async def test_an_ordinary_lead_raises_nothing_and_is_sold(house: House) -> None:
    await apply(house, BUSINESS)
    settled = await house.mill.take(submission(house, 1))
    assert settled.state is State.SOLD
    assert list((await suspicion_of(house, settled.lead_id)).tell()) == ["Nothing speaks against it."]
    assert await sightings(house) == [1, 1]  # its phone and its address


async def test_every_arrival_is_counted_once_be_it_a_duplicate_and_a_test_never(house: House) -> None:
    await apply(house, BUSINESS)
    await asyncio.gather(*(house.mill.take(submission(house, 1)) for _ in range(4)))
    assert {row.state for row in await stored(house)} == {State.SOLD, State.DUPLICATE}
    await house.mill.take(submission(house, 1))
    await house.mill.take(coming(house, 2, test=True))
    assert await sightings(house) == [5, 5]


async def test_a_lead_held_for_what_speaks_against_it_walks_on_once_it_is_released(house: House) -> None:
    await apply(house, BUSINESS)
    held = await house.mill.take(coming(house, 1, **MACHINE))
    assert (held.state, held.because[0].code) == (State.REVIEW, "fraud.lead.review")
    async with house.db.begin() as tx:
        settled = await approve(tx, house.kit, held.lead_id, "op_ana", "it was our own test", house.clock())
    assert settled.state is State.SOLD
    assert await sightings(house) == [1, 1], "it is not counted again"
    found = await tallies(house)
    assert (found[""].seen, found[""].held, found[""].sold) == (1, 1, 1)
    assert (found["form.webdriver"].held, found["form.webdriver"].sold) == (1, 1)
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_an_order_may_refuse_what_is_suspect(house: House) -> None:
    wary = order("helio-ca", "helio", "65.00", where=[{"field": "fraud.score", "lt": 50}])
    picky = order("bright-ca", "bright", "50.00", where=[{"field": "fraud.signals", "eq": "form.webdriver"}])
    await apply(house, {**BUSINESS, "order": [wary, picky]})
    settled = await house.mill.take(coming(house, 1, webdriver=True))
    assert settled.state is State.SOLD and (await stored(house))[0].recipient == "bright"
    await house.mill.take(submission(house, 2))
    assert (await stored(house))[1].recipient == "helio"


async def test_what_a_buyer_returns_speaks_against_the_next_lead_with_the_same_details(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    first = await house.mill.take(coming(house, 1, webdriver=True))
    said = clock()
    await report(house, first.lead_id, Disposition.WRONG_NUMBER, said)
    await report(house, first.lead_id, Disposition.WRONG_NUMBER, said)  # said twice
    await report(house, first.lead_id, Disposition.BAD_CONTACT, said, reporter="bright")
    found = await tallies(house)
    assert (found[""].returned, found["form.webdriver"].returned) == (1, 1)
    clock.advance(days=60)
    second = await house.mill.take(submission(house, 1))
    raised = await raised_on(house, second.lead_id)
    # 75 of 100, half of it forgotten in 60 days
    assert {code: item.weight for code, item in raised.items()} == {"burned.email": 38, "burned.phone": 38}
    assert raised["burned.phone"].says == "1 leads with the phone number were returned, 60 days ago the last."
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_a_return_that_is_taken_back_says_nothing(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    first = await house.mill.take(submission(house, 1))
    said = clock()
    await report(house, first.lead_id, Disposition.BAD_CONTACT, said)
    assert await count(house, "fraud_burn") == 2 and (await tallies(house))[""].returned == 1
    await report(house, first.lead_id, Disposition.QUOTED, said)
    assert await count(house, "fraud_burn") == 0 and (await tallies(house))[""].returned == 0


async def test_a_duplicate_comes_back_but_is_no_fraud(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    first = await house.mill.take(submission(house, 1))
    await report(house, first.lead_id, Disposition.DUPLICATE, clock())
    assert await count(house, "fraud_burn") == 0 and (await tallies(house))[""].returned == 1


async def test_of_somebody_who_was_forgotten_only_the_tally_learns(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    first = await house.mill.take(coming(house, 1, webdriver=True))
    (row,) = await stored(house)
    async with house.db.begin() as tx:
        assert await forget_person(tx, house.keys, row.person_id, clock())
    await report(house, first.lead_id, Disposition.BAD_CONTACT, clock())
    assert await count(house, "fraud_burn") == 0
    assert (await tallies(house))["form.webdriver"].returned == 1


async def test_a_lead_given_back_and_sold_on_was_sold_once(house: House) -> None:
    await apply(house, {**BUSINESS, "buyer": [buyer("helio"), buyer("bright")]})
    await house.mill.take(submission(house, 1))
    found = await tallies(house)
    assert (found[""].seen, found[""].sold) == (1, 1)


async def test_another_order_book_is_tried_on_leads_with_what_was_seen_of_them(house: House) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(coming(house, 1, webdriver=True))
    found = await replay_with(house.db, house.pen, house.book, lambda rules: rules)
    assert (found.leads, found.skipped, found.changed) == (1, 0, 0)

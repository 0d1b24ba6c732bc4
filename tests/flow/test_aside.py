"""Providers on the walk, and a lead aside of it: corrected by a person, looked at once more; all of it decided again
as it was."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from leadmill.capture import Lead
from leadmill.core.case import Case, Heard
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.reasons import State
from leadmill.core.verdicts import Verdict
from leadmill.enrich import Consulted, Corrections
from leadmill.enrich.service import read_quality
from leadmill.facts import Dossier, LookedUp, LookUp, Verify
from leadmill.facts.model import MailSeen
from leadmill.flow.aside import Looked, correct_lead, enrich_lead, look_up
from leadmill.flow.biography import read_biography
from leadmill.flow.desk import approve
from leadmill.flow.looking import start_run, work_run
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import LeadEnriched
from leadmill.flow.reactions import react
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.identity import find_persons, list_suggestions, read_links
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from tests.conftest import FixedClock
from tests.enrich.conftest import Market, market
from tests.flow.stage import BUSINESS, apply, hearing, stored, submission

__all__ = ["market"]

CHAIN = {"id": "phones", "topic": "phone", "ask": ["numberly"], "where": [{"field": "phone.valid", "eq": True}]}


async def open_business(house: House, market: Market, **more: Any) -> None:
    provider = market.declared("numberly")
    await apply(house, {**BUSINESS, "provider": [provider], "chain": [{**CHAIN, **more}]})


async def lead_of(house: House, lead_id: str) -> Recalled:
    async with house.db.begin() as tx:
        return await recall_one(tx, house.pen, lead_id)


async def correct(house: House, lead_id: str, **given: Any) -> None:
    async with house.db.begin() as tx:
        await correct_lead(tx, house.kit, lead_id, given, "op_ana", "she told me", house.clock())


async def correct_fact(house: House, lead_id: str, key: str, value: Any) -> None:
    async with house.db.begin() as tx:
        await correct_lead(tx, house.kit, lead_id, {key: value}, "op_ana", "she told me", house.clock())


async def check_all(house: House) -> None:
    """Everything comes out as it did, and the store holds what it promises."""
    found = await replay(house.db, house.pen, house.book)
    assert found.differences == []
    report = await verify(house.db, house.pen)
    assert report.findings == []


async def test_a_provider_is_asked_on_the_walk_and_the_lead_is_decided_again_as_it_was(
    house: House, market: Market
) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    assert settled.state is State.SOLD
    recalled = await lead_of(house, settled.lead_id)
    case = recalled.case_before()
    assert case[Dossier].by_key["phone.carrier"].source == "numberly"
    assert [(one.provider, one.kind, one.cost) for one in case[Consulted].items] == [("numberly", "known", 50_000)]
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, settled.lead_id)
    (passage,) = [each for each in story.passages if each.title == "enrich"]
    assert passage.heard[0].startswith("phone, numberly: 3 facts (")
    assert "The providers cost 0.0500." in passage.learned
    await check_all(house)


async def test_leads_that_no_chain_bears_on_have_no_such_passage(house: House, market: Market) -> None:
    await open_business(house, market, sources=[])
    settled = await house.mill.take(submission(house, 1, phone="nonsense"))
    recalled = await lead_of(house, settled.lead_id)
    assert "enrich" not in [station.event.step for chapter in recalled.chapters for station in chapter.stations]
    assert market["numberly"].counts == {}
    await check_all(house)


async def test_a_provider_in_an_outage_holds_nobody_up(house: House, market: Market) -> None:
    await open_business(house, market)
    market["numberly"].outage = True
    settled = await house.mill.take(submission(house, 1))
    assert settled.state is State.SOLD
    case = (await lead_of(house, settled.lead_id)).case_before()
    assert [one.code for one in case[Consulted].items] == ["http.server.failed"]
    await check_all(house)


async def test_a_correction_is_the_leads_from_then_on_and_stays_where_it_walks(house: House, market: Market) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1, monthly_bill=4000))
    assert settled.state is State.REVIEW
    await correct(house, settled.lead_id, first_name="Anna", monthly_bill="180", zip="95816")
    await correct_fact(house, settled.lead_id, "phone.carrier", "Copper & Post")
    recalled = await lead_of(house, settled.lead_id)
    assert recalled.lead is not None
    assert (recalled.lead.fields["first_name"], recalled.lead.fields["monthly_bill"]) == ("Anna", 180)
    assert recalled.row.state is State.REVIEW
    async with house.db.begin() as tx:
        after = await approve(tx, house.kit, settled.lead_id, "op_ana", "", house.clock())
    assert after.state is State.SOLD
    case = (await lead_of(house, settled.lead_id)).case_before()
    dossier = case[Dossier]
    assert (dossier.value("phone.carrier"), dossier.won("phone.carrier")) == ("Copper & Post", "correction")
    assert dossier.value("zip.code") == "95816"
    assert case[Lead].fields["zip"] == "95816"
    await check_all(house)


async def test_a_lead_that_walks_its_facts_again_keeps_what_was_put_right(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_business(house, market)

    def breaks(self: Verify, case: Case, heard: Heard, now: datetime) -> Verdict:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(Verify, "judge", breaks)
        settled = await house.mill.take(submission(house, 1))
    assert settled.because[0].code == "flow.step.failed"
    await correct(house, settled.lead_id, zip="95816")
    await correct_fact(house, settled.lead_id, "phone.type", "fixed")
    async with house.db.begin() as tx:
        await approve(tx, house.kit, settled.lead_id, "op_ana", "mended", house.clock())
    case = (await lead_of(house, settled.lead_id)).case_before()
    assert case[Lead].fields["zip"] == "95816"
    assert (case[Dossier].value("phone.type"), case[Dossier].value("zip.code")) == ("fixed", "95816")
    assert len(case[Corrections].items) == 2
    await check_all(house)


async def test_a_sold_lead_can_be_corrected_and_stays_sold(house: House, market: Market) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    before = await lead_of(house, settled.lead_id)
    await correct(house, settled.lead_id, state="NV")
    row = (await stored(house))[0]
    assert (row.state, row.price, row.recipient, row.region) == (State.SOLD, 6500, before.row.recipient, "NV")
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, settled.lead_id)
    assert [each.learned for each in story.passages if each.title == "lead.corrected"] == [["op_ana corrected state."]]
    await check_all(house)


async def test_what_was_corrected_is_sealed_and_goes_with_the_person(house: House, market: Market) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    await correct(house, settled.lead_id, first_name="Zebulon")
    async with house.db.begin() as tx:
        events = (await recall_one(tx, house.pen, settled.lead_id)).chapters[-1].events
    assert not [event for event in events if "Zebulon" in str(event) or "she told me" in str(event)]
    person = (await stored(house))[0].person_id
    async with house.db.begin() as tx:
        await forget_person(tx, house.keys, person, house.clock())
    recalled = await lead_of(house, settled.lead_id)
    assert (recalled.lead, recalled.corrections) == (None, None)
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, settled.lead_id)
    assert "lead.corrected" in [each.title for each in story.passages]


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"zipp": "1"}, "/fields/zipp", "flow.correction.unknown"),
        ({"monthly_bill": "much"}, "/fields/monthly_bill", "capture.field.type"),
        ({"phone.type": {"a": 1}}, "/fields/phone.type", "capture.field.type"),
        ({}, "/fields", "flow.correction.unknown"),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused_with_its_place(
    house: House, market: Market, given: dict[str, Any], pointer: str, code: str
) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    with pytest.raises(BadInput) as caught:
        async with house.db.begin() as tx:
            await correct_lead(tx, house.kit, settled.lead_id, given, "op_ana", "because", house.clock())
    assert caught.value.code == "flow.correction.malformed"
    assert [(fault.pointer, fault.code) for fault in caught.value.errors] == [(pointer, code)]
    with pytest.raises(BadInput):
        async with house.db.begin() as tx:
            await correct_lead(tx, house.kit, settled.lead_id, {"zip": "95816"}, "op_ana", " ", house.clock())
    assert len((await lead_of(house, settled.lead_id)).chapters) == 1


async def test_what_a_person_puts_right_tells_how_good_a_provider_is(
    house: House, market: Market, clock: FixedClock
) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    said = (await lead_of(house, settled.lead_id)).case_before()[Dossier].value("phone.carrier")
    assert isinstance(said, str)
    await correct_fact(house, settled.lead_id, "phone.carrier", said.upper())
    await correct_fact(house, settled.lead_id, "phone.type", "voip" if said else "")
    async with house.db.begin() as tx:
        (found,) = await read_quality(tx, clock().replace(hour=0))
    assert (found.right, found.wrong) in {(1, 1), (2, 0)}


async def test_a_lead_is_looked_at_once_more_and_stays_where_it_stands(
    house: House, market: Market, clock: FixedClock
) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    clock.advance(days=40)
    market["numberly"].next.append("wrong")
    told = await enrich_lead(house.kit, settled.lead_id, ["phone"], "op_ana", "it is old", run="run_1")
    assert told is not None
    assert [(one.kind, one.cached) for one in told.items] == [("known", False)]
    recalled = await lead_of(house, settled.lead_id)
    assert recalled.row.state is State.SOLD
    facts = [fact for fact in recalled.case_before()[Dossier].facts if fact.key == "phone.reachable"]
    assert [fact.observed_at for fact in facts if fact.source == "numberly"] == [clock()]
    # The same batch does not look twice, and a topic that no chain is about asks nobody.
    assert await enrich_lead(house.kit, settled.lead_id, ["phone"], "op_ana", "it is old", run="run_1") is None
    assert await enrich_lead(house.kit, settled.lead_id, ["company"], "op_ana", "it is old") is None
    await correct(house, settled.lead_id, zip="95816")
    await enrich_lead(house.kit, settled.lead_id, [], "op_ana", "once more")
    await check_all(house)


async def test_a_batch_goes_on_where_it_stopped_and_does_no_lead_twice(
    house: House, market: Market, clock: FixedClock
) -> None:
    await open_business(house, market)
    since = clock()
    ids = [(await house.mill.take(submission(house, number))).lead_id for number in range(3)]
    clock.advance(days=40)
    async with house.db.begin() as tx:
        run = await start_run(tx, house.kit, ["phone"], since, clock(), "op_ana")
    assert run.total == 3
    await enrich_lead(house.kit, ids[0], run.topics, "op_ana", "a batch", run.id)  # and here it was cut short
    async with house.db.begin() as tx:
        again = await start_run(tx, house.kit, ["phone"], since, clock(), "op_ana")
    assert again.id == run.id
    done = await work_run(house.kit, run.id)
    assert (done.state, done.leads, done.asked, done.cost) == ("done", 3, 2, 100_000)
    for lead_id in ids:
        events = [event for chapter in (await lead_of(house, lead_id)).chapters for event in chapter.events]
        assert len([event for event in events if isinstance(event, LeadEnriched)]) == 1
    assert (await work_run(house.kit, run.id)).leads == 3
    with pytest.raises(BadInput) as caught:
        async with house.db.begin() as tx:
            await start_run(tx, house.kit, ["nonsense"], since, clock(), "op_ana")
    assert caught.value.code == "flow.enrich.nothing"
    with pytest.raises(NotFound):
        await work_run(house.kit, "run_gone")
    await check_all(house)


async def test_buyers_reports_tell_how_good_a_provider_is(house: House, market: Market, clock: FixedClock) -> None:
    await open_business(house, market)
    for number, word in ((1, Disposition.QUOTED), (2, Disposition.WRONG_NUMBER), (3, Disposition.DUPLICATE)):
        settled = await house.mill.take(submission(house, number))
        said = (await lead_of(house, settled.lead_id)).case_before()[Dossier].value("phone.reachable")
        async with house.db.begin() as tx:
            row = await house.pen.lock(tx, settled.lead_id)
            events = await report_outcome(
                tx, house.mint, lead_id=row.id, reporter="helio", disposition=word, at=clock(), now=clock()
            )
            await react(tx, house.kit, row, events, clock())
        assert said is True
    async with house.db.begin() as tx:
        (found,) = await read_quality(tx, clock().replace(hour=0))
    assert (found.right, found.wrong) == (1, 1)


@pytest.fixture(autouse=True)
async def _patience(house: House) -> AsyncIterator[None]:
    yield
    await house.mill.close()


async def mail_of(house: House, lead_id: str) -> list[Any]:
    dossier = (await lead_of(house, lead_id)).case_before()[Dossier]
    return [dossier.outcome("email.mx"), dossier.value("email.domain")]


async def known_by(house: House, contact: str) -> list[str]:
    async with house.db.begin() as tx:
        return await find_persons(tx, house.vault.keyed_hash, contact)


async def put_right(house: House, lead_id: str, asked: list[LookUp] | None = None, **given: Any) -> None:
    """As the console does it: look up, then correct."""

    async def answer(ask: LookUp) -> LookedUp:
        if asked is not None:
            asked.append(ask)
        return LookedUp(mail=MailSeen(ask.domain == "brookpost.com", "test", house.clock()))

    kit = hearing(house, callers={LookUp: answer})
    looked = await look_up(kit, lead_id, given)
    async with house.db.begin() as tx:
        await correct_lead(tx, kit, lead_id, given, "op_ana", "she told me", house.clock(), looked)


async def test_a_corrected_address_is_looked_up_as_on_the_walk_and_decided_again_so(
    house: House, market: Market
) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    asked: list[LookUp] = []
    await put_right(house, settled.lead_id, asked, email="ann@brookpost.com")
    assert await mail_of(house, settled.lead_id) == ["pass", "brookpost.com"]
    await put_right(house, settled.lead_id, asked, zip="95816")
    assert await mail_of(house, settled.lead_id) == ["pass", "brookpost.com"], "it is looked up for any field"
    await put_right(house, settled.lead_id, asked, email="ann@ridgepost.com")
    assert await mail_of(house, settled.lead_id) == ["fail", "ridgepost.com"]
    assert [ask.domain for ask in asked] == ["brookpost.com", "brookpost.com", "ridgepost.com"]
    assert await look_up(house.kit, settled.lead_id, {"phone.type": "fixed"}) is None, "facts look up nothing"
    assert await look_up(house.kit, settled.lead_id, {"zipp": 1}) is None
    await check_all(house)


async def test_what_was_looked_up_of_another_address_counts_for_nothing(house: House, market: Market) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    stale = Looked(LookUp("elsewhere.com"), LookedUp(mail=MailSeen(False, "test")))
    async with house.db.begin() as tx:
        given = {"email": "ann@brookpost.com"}
        await correct_lead(tx, house.kit, settled.lead_id, given, "op_ana", "she told me", house.clock(), stale)
    assert await mail_of(house, settled.lead_id) == ["unknown", "brookpost.com"]


async def test_a_person_is_known_by_what_was_put_right_and_no_longer_by_what_was_wrong(
    house: House, market: Market
) -> None:
    await open_business(house, market)
    settled = await house.mill.take(submission(house, 1))
    row = (await stored(house))[0]
    await put_right(house, settled.lead_id, email="ann.right@example.com", phone="+19162000077")
    for contact, owners in (
        ("ann.1@example.com", []),
        ("+19162000001", []),
        ("ann.right@example.com", [row.person_id]),
        ("+19162000077", [row.person_id]),
    ):
        assert await known_by(house, contact) == owners, contact
    again = await house.mill.take(submission(house, 2, email="ann.right@example.com"))
    assert again.state is State.DUPLICATE, "the next lead is theirs"
    await put_right(house, settled.lead_id, email="ann.third@example.com")
    assert await known_by(house, "ann.right@example.com") == [row.person_id], "another lead of theirs says it"
    await check_all(house)


async def test_an_address_that_somebody_else_has_merges_nobody_and_is_suggested(house: House, market: Market) -> None:
    await open_business(house, market)
    mine = await house.mill.take(submission(house, 1))
    await house.mill.take(submission(house, 2))
    await house.mill.take(submission(house, 3, first_name="Zebulon", last_name="Quist", zip="94110"))
    me, other, stranger = (row.person_id for row in await stored(house))
    assert len({me, other, stranger}) == 3
    await put_right(house, mine.lead_id, email="ann.2@example.com")
    assert await known_by(house, "ann.2@example.com") == [other, me]
    async with house.db.begin() as tx:
        (found,) = [each for each in await list_suggestions(tx, me) if each.lead_id == mine.lead_id]
        assert [(one.low, one.high) for one in await read_links(tx, me)] == []
    assert (found.low, found.high, found.kind) == (*sorted((me, other)), "bridge")
    await put_right(house, mine.lead_id, phone="+19162000003")
    async with house.db.begin() as tx:
        (tie,) = await read_links(tx, me)
    assert ({tie.low, tie.high}, tie.shares) == ({me, stranger}, "phone"), "names object: they share it, no more"
    assert [row.person_id for row in await stored(house)] == [me, other, stranger]
    await check_all(house)

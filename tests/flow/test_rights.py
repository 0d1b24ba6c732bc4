"""What consumers ask, carried out on a whole business: told, deleted, corrected, refused, appealed, in time."""

import asyncio
import re
from datetime import timedelta
from email.message import Message

import msgspec
import pytest

from leadmill.core.faults import Conflict, Forbidden, NotFound
from leadmill.flow.memory import recall_one
from leadmill.flow.rights import (
    Plea,
    Taken,
    appeal_request,
    begin_request,
    carry_out,
    confirm_by_hand,
    confirm_by_link,
    decide_on_appeal,
    deny_request,
    extend_request,
    take_request,
)
from leadmill.flow.rights.parting import Shelved
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.optouts import list_notices
from leadmill.policy import find_suppressed, limit_key
from leadmill.privacy import (
    DeletionCertificate,
    PrivacyAnswer,
    PrivacyRequest,
    RequestCarriedOut,
    Statement,
    Ticket,
    find_request,
    holds,
    last_day,
    notes_of,
    open_answer,
    open_note,
    open_retained,
    open_ticket,
    retained_of,
)
from leadmill.runtime.jobs import Job, kept
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, buyer, count, stored, submission
from tests.journeys.house import Buyers, Mailbox

ANN = Statement(
    name="Ann Smith", email="ann.1@example.com", phone="+19162000001", facts={"last_name": "Smith"}, declared=True
)


async def worked(house: House) -> None:
    staff = workers(house)
    while sum([await one.drain() for one in staff]):
        continue


async def ask(house: House, kind: str, told: Statement = ANN, home: str = "CA") -> Taken:
    async with house.db.begin() as tx:
        plea = Plea(kind=kind, channel="web", by="test", home=home, told=told)
        return await take_request(tx, house.kit, plea, house.clock())


async def now_is(house: House, one: PrivacyRequest) -> PrivacyRequest:
    async with house.db.begin() as tx:
        found = await find_request(tx, one.id)
    assert found is not None
    return found


def link_in(letter: Message) -> str:
    text = letter.get_payload(decode=True)
    assert isinstance(text, bytes)
    found = re.search(rb"/privacy/r/([A-Za-z0-9_-]+)", text)
    assert found is not None
    return found[1].decode()


async def confirmed(
    house: House, mailbox: Mailbox, kind: str, told: Statement = ANN, home: str = "CA"
) -> PrivacyRequest:
    """A request whose person followed the link in our letter."""
    taken = await ask(house, kind, told, home)
    await worked(house)
    letter = next(one for one in mailbox.messages if str(one["Subject"]) == "Please confirm your request")
    vault = house.vault
    ticket = open_ticket(vault.keyed_hash, vault.open, link_in(letter))
    assert ticket == Ticket(taken.request.id, letter=True)
    async with house.db.begin() as tx:
        return await confirm_by_link(tx, house.kit, ticket.request_id, house.clock())


async def begun(house: House, one: PrivacyRequest) -> PrivacyRequest:
    async with house.db.begin() as tx:
        await begin_request(tx, house.kit, one.id, "operator op_ana", house.clock())
    await worked(house)
    return await now_is(house, one)


def answer_of(house: House, one: PrivacyRequest) -> PrivacyAnswer:
    plain = open_answer(house.vault, one)
    assert plain is not None
    return msgspec.json.decode(plain, type=PrivacyAnswer)


async def telling(house: House, buyers: Buyers) -> None:
    """A business in which Helio is told by message, and acknowledges at once."""
    hook = {"url": f"{buyers.url}/helio-told", "secret": {"env": "HOOK_SECRET"}}
    buyers.script("helio-told", [{"body": {"acknowledged": True}}])
    await apply(house, {**BUSINESS, "buyer": [buyer("helio", optouts=hook), buyer("bright")]})


async def test_who_asks_is_told_everything_that_is_held_and_who_got_it(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    await house.mill.take(submission(house, 2))  # somebody else
    one = await confirmed(house, mailbox, "know")
    assert (one.state, one.level, one.points) == ("open", "high", 4)
    done = await begun(house, one)
    assert (done.state, done.outcome) == ("answered", "fulfilled")
    answer = answer_of(house, done)
    assert [each.name for each in answer.recipients] == ["Helio Solar"]
    (enquiry,) = answer.enquiries
    said = {piece.name: piece.value for piece in enquiry.pieces}
    assert (said["email"], said["monthly_bill"], enquiry.source) == ("ann.1@example.com", 180, "Acme Media")
    assert enquiry.agreement is not None and "may call and text me" in enquiry.agreement.text
    assert "ann.2@example.com" not in str(msgspec.to_builtins(answer))
    assert [str(each["Subject"]) for each in mailbox.messages if "answered" in str(each["Subject"])] == [
        "Your request is answered"
    ]
    assert all("ann" not in str(each.get_payload()).lower().split("/privacy/r/")[0] for each in mailbox.messages[-1:])
    async with house.db.begin() as tx:
        assert [each.what for each in await notes_of(tx, one.id)] == [
            "received", "letter_confirm_sent", "confirmed_high", "begun", "fulfilled", "letter_answered_sent",
        ]  # fmt: skip
    assert (await verify(house.db, house.pen)).findings == []


async def test_who_is_known_to_a_reasonable_degree_sees_categories_alone(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    one = await confirmed(house, mailbox, "know", Statement(email="ann.1@example.com"))
    assert (one.level, one.points) == ("reasonable", 2)
    answer = answer_of(house, await begun(house, one))
    assert (answer.held, answer.enquiries) == (True, [])
    assert {"identifiers", "commercial"} <= {each.code for each in answer.categories}
    with pytest.raises(Conflict):  # it is answered: nobody carries it out again
        await begun(house, one)


async def test_a_stranger_who_proves_their_mailbox_learns_nothing_of_others(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    stranger = Statement(email="mallory@example.com", phone="+19162000001", facts={"last_name": "Smith"}, declared=True)
    one = await confirmed(house, mailbox, "know", stranger)
    assert (one.level, one.person_id) == ("reasonable", None)
    done = await begun(house, one)
    assert (done.outcome, answer_of(house, done).held) == ("nothing_held", False)


async def test_a_deletion_lets_go_of_everything_tells_recipients_and_is_certified(
    house: House, mailbox: Mailbox, buyers: Buyers
) -> None:
    await telling(house, buyers)
    await house.mill.take(submission(house, 1))
    one = await confirmed(house, mailbox, "delete")
    (lead,) = await stored(house)
    async with house.db.begin() as tx:
        await begin_request(tx, house.kit, one.id, "operator op_ana", house.clock())
    # Its worker may be killed and begun again at any place, and two may work at once.
    at, payload = house.clock(), msgspec.msgpack.encode({"request_id": one.id})
    job = Job("job_1", "privacy.fulfil", one.id, payload, 1, None, at, at)
    await asyncio.gather(*(carry_out(house.kit)(job) for _ in range(3)))
    await worked(house)
    done = await now_is(house, one)
    assert (done.state, done.outcome) == ("answered", "fulfilled")
    assert done.certificate is not None
    certificate = msgspec.json.decode(done.certificate, type=DeletionCertificate)
    assert holds(certificate)
    assert (certificate.persons, certificate.leads, certificate.told) == (1, (lead.id,), ("helio",))
    assert (certificate.suppressed, certificate.retained) == (2, {"legal_claims": 1})
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, lead.id)
        assert (recalled.lead, recalled.submission) == (None, None)
        carried = [
            each for chapter in recalled.chapters for each in chapter.events if isinstance(each, RequestCarriedOut)
        ]
        assert [each.digest for each in carried] == [certificate.digest]
        (proof,) = await retained_of(tx, one.id)
        notices = await list_notices(tx, opt_outs=[one.id])
    assert [(each.matter, each.state) for each in notices] == [("deleted", "acknowledged")]
    said = [each.json for each in buyers.of("helio-told")]
    assert [each["type"] for each in said] == ["person.deletion_requested"]  # once, and of the opt-out in it no word
    assert not any(word in each.body for word in (b"ann.1", b"Smith", b"2000001") for each in buyers.of("helio-told"))
    plain = open_retained(house.vault, proof)
    assert plain is not None
    shelved = msgspec.json.decode(plain, type=Shelved)
    assert (shelved.phone, shelved.proof.kind) == ("+19162000001", "written")
    assert (proof.basis, proof.until.year) == ("legal_claims", house.clock().year + 5)
    assert any("Proof that you agreed" in each for each in answer_of(house, done).kept)
    told = await house.mill.take(submission(house, 1))  # the next lead of hers is refused
    assert [each.code for each in told.because] == ["policy.person.suppressed"]
    async with house.db.begin() as tx:
        assert all(each.dead == 0 for each in await kept(tx))
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_deletion_of_somebody_unknown_closes_what_they_named(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    done = await begun(house, await confirmed(house, mailbox, "delete"))
    assert (done.outcome, done.certificate) == ("nothing_held", None)
    told = await house.mill.take(submission(house, 1))
    assert [each.code for each in told.because] == ["policy.person.suppressed"]


async def test_a_correction_is_made_on_every_lead_and_recipients_hear_which_field(
    house: House, mailbox: Mailbox, buyers: Buyers
) -> None:
    await telling(house, buyers)
    await house.mill.take(submission(house, 1))
    told = msgspec.structs.replace(ANN, changes={"last_name": "Oakenshaw", "monthly_bill": "much"})
    one = await confirmed(house, mailbox, "correct", told)
    done = await begun(house, one)
    answer = answer_of(house, done)
    (lead,) = await stored(house)
    assert (answer.corrected, list(answer.refused)) == ({lead.id: ["last_name"]}, ["monthly_bill"])
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, lead.id)
        assert recalled.lead is not None and recalled.lead.fields["last_name"] == "Oakenshaw"
    (said,) = [each.json for each in buyers.of("helio-told")]
    assert (said["type"], said["data"]["fields"]) == ("person.corrected", ["last_name"])
    assert "Oakenshaw" not in str(said)


async def test_a_correction_needs_more_than_a_mailbox(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    one = await confirmed(house, mailbox, "correct", Statement(email="ann.1@example.com", changes={"zip": "95816"}))
    with pytest.raises(Forbidden) as refused:
        await begun(house, one)
    assert refused.value.code == "privacy.level.insufficient"
    async with house.db.begin() as tx:
        sure = await confirm_by_hand(tx, house.kit, one.id, "high", "", "Called her back.", "op_ana", house.clock())
    assert (sure.level, sure.person_id) == ("high", one.person_id)
    assert (await begun(house, one)).outcome == "fulfilled"


async def test_opting_out_and_limiting_are_done_at_once_and_keep_nothing_but_hashes(house: House) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    limited = await ask(house, "limit", Statement(phone="+19162000001"), "")
    assert (limited.request.state, limited.request.sealed, limited.request.email) == ("answered", None, None)
    async with house.db.begin() as tx:
        hashed = house.vault.keyed_hash
        contacts = [hashed("phone", "+19162000001"), hashed("email", "ann.1@example.com")]
        found = await find_suppressed(tx, [limit_key(hashed, each) for each in contacts])
        assert {each.kind for each in found.values()} == {"limit"} and len(found) == 2
        assert await find_suppressed(tx, contacts) == {}  # she may still be contacted
        notices = await list_notices(tx, opt_outs=[limited.request.id])
    assert [(each.recipient, each.matter) for each in notices] == [("helio", "limited")]
    left = await ask(house, "opt_out", Statement(email="ann.1@example.com"), "")
    assert (left.request.state, len(left.opt_outs)) == ("answered", 1)
    await worked(house)
    assert await count(house, "privacy_request") == 2


async def test_a_request_is_extended_once_and_in_time(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    one = (await ask(house, "know", home="TX")).request
    first = one.answer_due_at
    async with house.db.begin() as tx:
        longer = await extend_request(tx, house.kit, one.id, "Old records.", "op_ana", clock())
    assert last_day(longer.answer_due_at) - last_day(first) == timedelta(days=45)
    with pytest.raises(Conflict) as again:
        async with house.db.begin() as tx:
            await extend_request(tx, house.kit, one.id, "Older ones.", "op_ana", clock())
    assert again.value.code == "privacy.request.extended"
    late = (await ask(house, "know", home="TX")).request
    clock.advance(days=50)
    with pytest.raises(Conflict) as over:
        async with house.db.begin() as tx:
            await extend_request(tx, house.kit, late.id, "Too late.", "op_ana", clock())
    assert over.value.code == "privacy.request.late"


async def test_a_refusal_is_appealed_once_where_the_state_gives_an_appeal(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    one = await confirmed(house, mailbox, "delete", home="OR")
    async with house.db.begin() as tx:
        now = house.clock()
        denied = await deny_request(tx, house.kit, one.id, "kept_by_law", "", "A dispute is open.", "op_ana", now)
        assert (denied.state, denied.citation) == ("denied", "Cal. Civ. Code 1798.105(d)")
        appealed = await appeal_request(tx, house.kit, one.id, "It is over.", "the person", now)
        assert appealed.appeal_due_at is not None
        assert last_day(appealed.appeal_due_at) == last_day(
            denied.answer_due_at
        )  # 45 days in Oregon, from the same day
        opened = await decide_on_appeal(tx, house.kit, one.id, True, "It is.", "op_mara", now)
        assert (opened.state, opened.appeal_granted) == ("open", True)
        words = [open_note(house.vault, opened, each.note) for each in await notes_of(tx, one.id)]
    assert [each for each in words if each] == ["A dispute is open.", "It is over.", "It is."]
    assert (await begun(house, one)).outcome == "fulfilled"
    other = (await ask(house, "delete", home="CA")).request
    async with house.db.begin() as tx:
        await deny_request(tx, house.kit, other.id, "unverified", "", "No letter came back.", "op_ana", house.clock())
    with pytest.raises(Forbidden) as none:
        async with house.db.begin() as tx:
            await appeal_request(tx, house.kit, other.id, "", "the person", house.clock())
    assert none.value.code == "privacy.appeal.none"


async def test_what_nobody_confirms_lapses_and_its_link_with_it(
    house: House, mailbox: Mailbox, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    one = (await ask(house, "delete")).request
    await worked(house)
    clock.advance(days=14, minutes=1)
    with pytest.raises(Conflict) as over:
        async with house.db.begin() as tx:
            await confirm_by_link(tx, house.kit, one.id, clock())
    assert over.value.code == "privacy.link.over"
    clock.advance(days=2)
    await worked(house)
    assert (await now_is(house, one)).state == "lapsed"
    with pytest.raises(NotFound):
        async with house.db.begin() as tx:
            await confirm_by_link(tx, house.kit, "prv_01k00000000000000000000000", clock())


async def test_a_letter_that_is_refused_stays_visible(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    mailbox.refuse.add("ann.1@example.com")
    one = (await ask(house, "know")).request
    await worked(house)
    async with house.db.begin() as tx:
        assert [each.what for each in await notes_of(tx, one.id)] == ["received", "letter_confirm_refused"]
        assert [(each.kind, each.dead) for each in await kept(tx) if each.dead] == [("privacy.write", 1)]

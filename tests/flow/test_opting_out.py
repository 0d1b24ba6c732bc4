"""Opting out while things are under way: two at once, a delivery in hand, a lead that waits, lists in and out."""

import asyncio
import hashlib
from datetime import timedelta

from leadmill.core.reasons import State
from leadmill.delivery import plan_attempt, receipts_of
from leadmill.flow.enforcing import enforce, enforce_now
from leadmill.flow.notices import acknowledge
from leadmill.flow.optingout import Wish, open_words, take_opt_outs
from leadmill.flow.suppressionlists import give_list, give_list_to, take_list
from leadmill.flow.verify import verify
from leadmill.followup import messages_of
from leadmill.identity.service import forget_person
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.optouts import Heard, list_opt_outs, notices_of
from leadmill.overlap.model import Kind
from leadmill.overlap.rules import digest_of
from leadmill.policy import Suppression, limit_key, suppress
from leadmill.runtime.jobs import kept
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, SOURCE, apply, buyer, count, order, stored, submission
from tests.journeys.house import Buyers, Mailbox

PHONE = "+19162000001"


def wish(**more: object) -> Wish:
    return Wish(channel="agent", by="test", **more)  # type: ignore[arg-type]


async def opt_out(house: House, *wishes: Wish) -> list[Heard]:
    """Hear them and carry them out, as a door does."""
    async with house.db.begin() as tx:
        heard = await take_opt_outs(tx, house.kit, wishes, house.clock())
    await enforce_now(house.kit, [one.id for one in heard if one.recorded and one.id], patience=20)
    return heard


async def worked(house: House) -> None:
    staff = workers(house)
    while sum([await one.drain() for one in staff]):
        continue


async def delivering(house: House, buyers: Buyers) -> None:
    """A business whose buyers have their leads sent."""
    named = [
        buyer(name, delivery={"courier": "http", "url": f"{buyers.url}/{name}", "format": "json"})
        for name in ("helio", "bright")
    ]
    await apply(house, {**BUSINESS, "buyer": named})


async def test_of_two_opt_outs_at_once_one_is_recorded_and_the_other_says_so(house: House) -> None:
    await apply(house, BUSINESS)
    one = wish(phone=PHONE, email="ann.1@example.com")
    answers = await asyncio.gather(*(opt_out(house, one) for _ in range(4)))
    heard = [each for (each,) in answers]
    assert sorted(each.recorded for each in heard) == [False, False, False, True]
    assert len({each.id for each in heard}) == 1
    assert (await count(house, "opt_out"), await count(house, "suppression")) == (1, 2)


async def test_many_opt_outs_in_opposite_order_do_not_stand_in_each_others_way(house: House) -> None:
    await apply(house, BUSINESS)
    wishes = [wish(phone=f"+1916200{number:04}", email=f"p{number}@example.com") for number in range(30)]
    await asyncio.gather(opt_out(house, *wishes), opt_out(house, *reversed(wishes)))
    assert (await count(house, "opt_out"), await count(house, "suppression")) == (30, 60)


async def test_a_delivery_in_hand_ends_before_the_opt_out_is_answered_and_nothing_more_goes_out(
    house: House, buyers: Buyers
) -> None:
    await delivering(house, buyers)
    buyers.script("helio", [{"status": 503, "body": "later"}])
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    async with house.db.begin() as tx:
        (receipt,) = await receipts_of(tx, lead.id)
        plan = await plan_attempt(tx, receipt.delivery_id, house.clock())  # claimed: about to be sent
        assert plan is not None
    async with house.db.begin() as tx:
        (heard,) = await take_opt_outs(tx, house.kit, [wish(phone=PHONE)], house.clock())
    assert await enforce(house.kit, heard.id or "") == [receipt.delivery_id]
    async with house.db.begin() as tx:
        (notice,) = await notices_of(tx, lead.id)
        assert notice.recipient == "helio"  # who may have it is told


async def test_whatever_comes_due_after_the_opt_out_is_not_sent(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await delivering(house, buyers)
    buyers.script("helio", [{"status": 503, "body": "later"}])
    await house.mill.take(submission(house, 1))
    await worked(house)
    assert len(buyers.of("helio")) == 1
    async with house.db.begin() as tx:  # durable, and nobody has carried it out yet
        await take_opt_outs(tx, house.kit, [wish(phone=PHONE)], clock())
    async with house.db.begin() as tx:
        await tx.conn.execute("DELETE FROM job WHERE kind = 'optout.enforce'")
    clock.advance(minutes=5)
    await worked(house)
    assert len(buyers.received) == 1
    (lead,) = await stored(house)
    assert (lead.state, lead.reason, lead.recipient) == (State.REJECTED, "policy.person.suppressed", None)
    assert (await verify(house.db, house.pen)).findings == []


async def test_leads_sold_while_an_opt_out_is_heard_reach_nobody_afterwards(house: House, buyers: Buyers) -> None:
    await delivering(house, buyers)
    leads = asyncio.gather(*(house.mill.take(submission(house, number, phone=PHONE)) for number in range(20)))
    await asyncio.sleep(0)
    await opt_out(house, wish(phone=PHONE))
    before = len(buyers.received)
    await leads
    await worked(house)
    assert len(buyers.received) == before == 0
    assert all(row.state is not State.SOLD for row in await stored(house))
    assert (await verify(house.db, house.pen)).findings == []


async def test_messages_stop_and_a_lead_that_waits_for_a_person_ends(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    async with house.db.begin() as tx:
        assert [one.state for one in await messages_of(tx, lead.id)] == ["queued"]
        await tx.conn.execute("UPDATE lead SET state = 'review' WHERE id = $1", lead.id)
    await opt_out(house, wish(email="ann.1@example.com", scope="email"))
    await worked(house)
    assert mailbox.messages == []
    async with house.db.begin() as tx:
        assert [one.state for one in await messages_of(tx, lead.id)] == ["failed"]
    (lead,) = await stored(house)
    assert (lead.state, lead.reason) == (State.REJECTED, "optouts.person.opted_out")


async def test_one_click_in_a_message_closes_the_address_it_was_sent_to(house: House, mailbox: Mailbox) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    await worked(house)
    (message,) = mailbox.messages
    link = str(message["List-Unsubscribe"])
    assert link.startswith("<http://127.0.0.1:8080/u/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "ann.1" not in link and "example.com" not in link  # nothing that sealed signs could hold by chance


async def test_a_known_person_is_closed_whole_and_a_shared_phone_closes_itself_alone(house: House) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    await opt_out(house, wish(email="ann.1@example.com"))
    await house.mill.take(submission(house, 1, email="new@example.org", vertical="solar"))
    assert await count(house, "suppression") == 2  # her phone as well
    await house.mill.take(submission(house, 7, first_name="Ann", email="a@example.com"))
    await house.mill.take(submission(house, 7, first_name="Bernard", last_name="Osei", email="b@example.com"))
    await opt_out(house, wish(phone="+19162000007"))
    assert await count(house, "suppression") == 3


async def test_words_are_read_until_the_person_is_forgotten_and_the_hash_stays(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    await opt_out(house, wish(lead_id=lead.id, words="pls take me off"))
    async with house.db.begin() as tx:
        (one,) = await list_opt_outs(tx)
        assert await open_words(tx, house.kit, one) == "pls take me off"
    async with house.db.begin() as tx:
        assert await forget_person(tx, house.keys, lead.person_id, clock())
    async with house.db.begin() as tx:
        assert await open_words(tx, house.kit, one) is None
    await house.mill.take(submission(house, 1))
    assert (await stored(house))[-1].reason == "policy.person.suppressed"


async def test_carrying_an_opt_out_out_twice_tells_and_takes_back_once(house: House) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    (heard,) = await opt_out(house, wish(phone=PHONE))
    await asyncio.gather(*(enforce(house.kit, heard.id or "") for _ in range(3)))
    await worked(house)
    assert await count(house, "opt_out_notice") == 1
    async with house.db.begin() as tx:
        (notice,) = await notices_of(tx, lead.id)
        assert notice.way == "portal"
        first = await acknowledge(tx, house.kit, notice.id, house.clock(), "helio")
        again = await acknowledge(tx, house.kit, notice.id, house.clock(), "helio")
    assert [len(list(events)) for _, events in (first, again)] == [1, 0]
    assert (await verify(house.db, house.pen)).findings == []


async def test_who_cannot_be_reached_is_tried_and_stays_visible(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    hook = {"url": f"{buyers.url}/hook", "secret": {"env": "HOOK_SECRET"}}
    await apply(house, {**BUSINESS, "buyer": [buyer("helio", optouts=hook), buyer("bright")]})
    buyers.script("hook", [{"status": 503, "body": ""}, {"status": 204, "body": ""}])
    await house.mill.take(submission(house, 1))
    (lead,) = await stored(house)
    await opt_out(house, wish(phone=PHONE))
    await worked(house)
    async with house.db.begin() as tx:
        (notice,) = await notices_of(tx, lead.id)
    assert (notice.state, notice.code, notice.tells) == ("owed", "http.server.failed", 0)
    for day in range(7):
        clock.advance(timedelta(hours=25) if day else timedelta(minutes=5))
        await worked(house)
    async with house.db.begin() as tx:
        (notice,) = await notices_of(tx, lead.id)
        owed = {each.kind: each for each in await kept(tx)}
    assert (notice.state, notice.code, notice.tells) == ("told", None, 5)
    assert len(buyers.of("hook")) == 6
    assert len({each.headers["webhook-id"] for each in buyers.of("hook")}) == 1
    assert "optout.tell" not in owed


async def test_a_list_goes_in_once_and_comes_out_as_hashes_alone(house: House) -> None:
    known = {"profile": "hmac-sha256", "key": {"env": "HELIO_MATCH"}}
    await apply(house, {**BUSINESS, "buyer": [buyer("helio", known=known), buyer("bright")]})
    await house.mill.take(submission(house, 1))
    lines = ["contact", "ann.1@example.com", "(916) 200-0002", "nonsense", "f" * 64]
    told = await take_list(house.kit, lines, "test")
    assert (told.read, told.fresh, told.hashes, told.unreadable, told.lines) == (4, 3, 1, 1, (4,))
    assert (await take_list(house.kit, lines, "test")).fresh == 0
    await house.mill.take(submission(house, 2))
    assert (await stored(house))[-1].reason == "policy.person.suppressed"
    given = [one async for one in give_list(house.kit)]
    assert sorted(one.kind for one in given) == ["email", "phone", "sha256"]
    helio = house.book.walk().rules.roster.buyers["helio"]
    theirs = [one async for one in give_list_to(house.kit, house.lists, helio)]
    assert helio.known is not None
    wanted: list[tuple[Kind, str]] = [("email", "ann.1@example.com"), ("phone", "+19162000002")]
    # The address is read from her lead, the number from the lead that it stopped; nobody here has what was hashed.
    assert {one.hash for one in theirs if one} == {
        digest_of(helio.known, b"match-key-of-helio", kind, value).hex() for kind, value in wanted
    }
    assert theirs.count(None) == 1


async def test_a_list_of_sha_256_stops_the_next_lead(house: House) -> None:
    await apply(house, {**BUSINESS, "order": [order("helio-ca", "helio", "65.00")], "source": [SOURCE]})
    digest = hashlib.sha256(b"9162000005").hexdigest()
    assert (await take_list(house.kit, ["5" * 64, digest.upper()], "test")).hashes == 2
    await house.mill.take(submission(house, 5))
    assert (await stored(house))[-1].reason == "policy.person.suppressed"


async def test_a_browsers_objection_is_kept_for_its_person_until_they_direct_otherwise(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    for _ in range(2):
        await house.mill.take(submission(house, 1, gpc=True))
        clock.advance(days=100)  # no duplicate of the next one
        await worked(house)
    async with house.db.begin() as tx:
        (kept,) = await list_opt_outs(tx)
    assert (kept.channel, kept.scope, kept.entries) == ("gpc", "sale", 2)
    await house.mill.take(submission(house, 1, gpc=False))  # another browser
    *_, lead = await stored(house)
    assert (lead.state, lead.reason) == (State.REJECTED, "policy.lead.denied")
    clock.advance(days=100)
    await house.mill.take(submission(house, 1, directed_to=["Bright Solar"]))
    *_, lead = await stored(house)
    assert (lead.state, lead.recipient) == (State.SOLD, "bright")
    async with house.db.begin() as tx:
        assert await list_opt_outs(tx) == [kept]


async def test_what_waits_to_be_handed_over_is_sold_no_more_once_a_browser_objects(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await delivering(house, buyers)
    buyers.script("helio", [{"status": 503, "body": "later"}])
    await house.mill.take(submission(house, 1))
    await worked(house)
    assert len(buyers.received) == 1
    await house.mill.take(submission(house, 1, gpc=True))
    await worked(house)
    clock.advance(minutes=10)
    await worked(house)
    assert len(buyers.received) == 1
    assert {row.reason for row in await stored(house)} == {"optouts.person.opted_out", "identity.lead.duplicate"}
    assert await count(house, "suppression") == 2  # and neither keeps anybody from being called
    assert (await verify(house.db, house.pen)).findings == []


async def test_our_own_people_are_told_nothing_sensitive_of_who_limited_it(house: House, buyers: Buyers) -> None:
    posts = {"courier": "http", "url": f"{buyers.url}/west", "format": "json"}
    team = {"id": "west", "name": "West", "delivery": posts, "reps": [{"id": "dan", "email": "dan@west.example"}]}
    await apply(house, {"source": [SOURCE], "team": [team]})
    hashed = house.vault.keyed_hash
    limited = limit_key(hashed, hashed("phone", PHONE))
    async with house.db.begin() as tx:
        await suppress(tx, [Suppression(limited, "limit", house.clock(), "web", "prv_1")])
    for number in (1, 2):
        await house.mill.take(submission(house, number, household_income="90000"))
    await worked(house)
    told = {PHONE.encode() in each.body: b"household_income" in each.body for each in buyers.of("west")}
    assert told == {True: False, False: True}

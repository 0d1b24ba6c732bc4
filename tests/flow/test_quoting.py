"""Pings and posts on the real house: what is offered, what is held for it, and that it is kept once."""

import asyncio
import hashlib
import json
from typing import Any

import msgspec
import pytest

from leadmill.capture import Submission, accept_submission
from leadmill.core.faults import BadInput, Conflict, Fault, Forbidden, NotFound
from leadmill.core.reasons import State
from leadmill.flow.biography import read_biography
from leadmill.flow.model import Settled
from leadmill.flow.posting import post_lead
from leadmill.flow.quoting import KEPT, Quoter
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.ledger import guards
from leadmill.market import PingQuote, RoomState, cap_use, forget_quotes, release_holds
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, body_of, buyer, count, order, submission
from tests.journeys.house import Buyers

FIELDS: dict[str, Any] = {"state": "CA", "zip": "95814", "monthly_bill": 180, "homeowner": True}


def ping(house: House, key: str | None = None, source: str = "acme", **more: Any) -> Submission:
    """A ping as it arrives; ``more`` changes its body, a name that is None is left out."""
    said = {"vertical": "solar", "fields": FIELDS} | more
    body = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
    now = house.clock()
    return Submission(
        id=house.mint("sub", now),
        source_id=source,
        channel="json",
        received_at=now,
        content_type="application/json",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        idempotency_key=key,
    )


async def quoted(house: House, **more: Any) -> PingQuote:
    return await Quoter(house.kit).quote(ping(house, **more))


async def posted(house: House, ping_id: str, number: int = 1, key: str | None = None, **more: Any) -> Settled:
    """Lead number N, posted against a ping."""
    source = more.pop("source", "acme")
    sent = msgspec.structs.replace(submission(house, number, key, **more), source_id=source)
    mapped = accept_submission(sent, house.book.walk().rules.lexicon, ["solar"])
    return await post_lead(house.kit, house.mill.take, sent, ping_id, mapped)


async def used(house: House, order_id: str) -> list[tuple[int, int]]:
    """Use and limit of an order's caps."""
    async with house.db.begin() as tx:
        found = await cap_use(tx, [house.book.walk().rules.orders[order_id]], house.clock())
    return [(each.used, each.limit) for each in found]


async def held(house: House) -> dict[str, str]:
    """Every hold and what became of it."""
    async with house.db.begin() as tx:
        rows = await tx.conn.fetch("SELECT order_id, state FROM market_hold")
    return {row["order_id"]: row["state"] for row in rows}


async def test_a_ping_is_told_the_price_the_source_will_get_and_whom_consent_must_name(house: House) -> None:
    await apply(house, BUSINESS)
    quote = await quoted(house)
    assert quote.price is not None and str(quote.price) == "$45.50"  # 70 % of 65.00
    assert quote.sellers == ("Helio Solar",)
    assert quote.standby == ("Bright Solar",)
    assert (quote.expires_at - quote.at).total_seconds() == 60
    assert await count(house, "lead") == 0 and await count(house, "sale") == 0 and await count(house, "person") == 0


async def test_nothing_of_a_ping_can_be_read_again(house: House) -> None:
    await apply(house, BUSINESS)
    quote = await quoted(house, fields={**FIELDS, "zip": "95818"}, context={"ip": "203.0.113.77"})
    async with house.db.begin() as tx:
        row = await tx.conn.fetchrow("SELECT * FROM market_quote WHERE id = $1", quote.id)
    text = repr(dict(row))
    assert "fields/zip" in text, "the name of what was said is kept"
    assert "95818" not in text and "203.0.113.77" not in text


async def test_a_post_gets_the_quoted_price_once_and_tells_of_its_ping(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    quote = await quoted(house)
    clock.advance(seconds=3)
    settled = await posted(house, quote.id)
    assert (settled.state, settled.price) == (State.SOLD, 4550)
    again = await posted(house, quote.id)
    assert again == settled, "the same body is the same post"
    with pytest.raises(Conflict) as caught:
        await posted(house, quote.id, number=2)
    assert caught.value.code == "market.quote.used"
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, settled.lead_id)
    told = next(passage for passage in story.passages if passage.title == "quote")
    assert told.learned == [
        f"Quoted $45.50 at 15:00:00 for Helio Solar at $65.00 (exclusive); posted 3.0 s later against {quote.id}."
    ]
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_lead_that_follows_no_ping_bears_no_trace_of_the_station(house: House) -> None:
    await apply(house, BUSINESS)
    settled = await house.mill.take(submission(house, 1))
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, settled.lead_id)
    assert "quote" not in [passage.title for passage in story.passages]


async def test_two_concurrent_posts_of_one_ping_are_one_sale(house: House) -> None:
    await apply(house, BUSINESS)
    quote = await quoted(house)
    answers = await asyncio.gather(
        *(posted(house, quote.id, number=number) for number in (1, 2, 3, 1)), return_exceptions=True
    )
    sold = [answer for answer in answers if isinstance(answer, Settled)]
    assert len({answer.lead_id for answer in sold}) == 1
    refused = [answer.code for answer in answers if isinstance(answer, Fault)]
    assert len(sold) + len(refused) == 4 and set(refused) == {"market.quote.used"}
    assert await count(house, "sale") == 1


async def test_the_room_of_a_quote_is_nobody_elses_until_it_ends(house: House, clock: FixedClock) -> None:
    tables = {
        **BUSINESS,
        "buyer": [buyer("helio", credit={"mode": "prepay", "balance": "65.00"}), buyer("bright")],
        "order": [order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 1}]), BUSINESS["order"][1]],
    }
    await apply(house, tables)
    quote = await quoted(house)
    assert quote.sellers == ("Helio Solar",)
    assert await used(house, "helio-ca") == [(1, 1)]
    other = await house.mill.take(submission(house, 7))
    assert other.price == 3500, "the next lead goes to the next best"
    second = await quoted(house)
    assert second.sellers == ("Bright Solar",)
    settled = await posted(house, quote.id)
    assert settled.price == 4550
    assert await held(house) == {"helio-ca": RoomState.USED, "bright-ca": RoomState.HELD}
    assert await used(house, "helio-ca") == [(1, 1)]
    async with house.db.begin() as tx:
        assert (await guards(tx))["buyer:helio"].available == 0
    assert (await verify(house.db, house.pen)).findings == []


async def test_room_comes_back_when_nobody_posts(house: House, clock: FixedClock) -> None:
    tables = {**BUSINESS, "order": [order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 1}])]}
    await apply(house, tables)
    quote = await quoted(house)
    assert quote.legs
    clock.advance(seconds=61)
    async with house.db.begin() as tx:
        assert await release_holds(tx, clock()) == 1
    assert await used(house, "helio-ca") == [(0, 1)]
    late = await posted(house, quote.id)
    assert (late.state, late.because[0].code) == (State.REJECTED, "market.quote.expired")
    assert await posted(house, quote.id) == late
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_quoted_order_that_is_gone_leaves_the_lead_to_whoever_still_covers_the_promise(house: House) -> None:
    await apply(house, BUSINESS)
    first, second = await quoted(house), await quoted(house)
    helio, bright = BUSINESS["order"]
    await apply(house, {**BUSINESS, "order": [{**helio, "retired": True}, bright]})
    settled = await posted(house, first.id)
    assert (settled.state, settled.price) == (State.SOLD, 4550), "50.00 covers what the source was promised"
    await apply(house, {**BUSINESS, "order": [{**helio, "retired": True}, {**bright, "price": "45.00"}]})
    unsold = await posted(house, second.id, number=2)
    assert (unsold.state, unsold.because[0].code) == (State.UNSOLD, "market.quote.not_honoured")
    assert "45.00" in unsold.because[0].message and "45.50" in unsold.because[0].message
    assert (await verify(house.db, house.pen)).findings == []


async def test_an_order_raised_meanwhile_pays_what_was_quoted_and_one_lowered_what_it_pays_now(house: House) -> None:
    await apply(house, BUSINESS)
    quote, other = await quoted(house), await quoted(house)
    helio, bright = BUSINESS["order"]
    await apply(house, {**BUSINESS, "order": [{**helio, "price": "80.00"}, bright]})
    assert (await posted(house, quote.id)).price == 4550
    await apply(house, {**BUSINESS, "order": [{**helio, "price": "60.00"}, bright]})
    assert (await posted(house, other.id, number=2)).price == 4550
    async with house.db.begin() as tx:
        prices = [row["price"] for row in await tx.conn.fetch("SELECT price FROM sale ORDER BY id")]
    assert prices == [6500, 6000]


async def test_consent_must_name_who_was_quoted(house: House) -> None:
    await apply(house, {**BUSINESS, "buyer": [{**buyer("helio"), "name": "Somebody Else Inc"}, buyer("bright")]})
    quote = await quoted(house)
    assert quote.sellers == ("Somebody Else Inc",)
    settled = await posted(house, quote.id)  # its consent names Helio Solar and Bright Solar
    assert (settled.state, settled.price) == (State.SOLD, 4550)
    async with house.db.begin() as tx:
        story = await read_biography(tx, house.pen, settled.lead_id)
    assert {each.recipient: each.code for each in story.candidates} == {
        "helio": "market.order.not_cleared",
        "bright": None,
    }


async def test_what_differs_from_the_ping_is_named(house: House) -> None:
    await apply(house, BUSINESS)
    quote = await quoted(house, fields={**FIELDS, "roof_type": "tile"})
    with pytest.raises(BadInput) as caught:
        await posted(house, quote.id, monthly_bill=900)
    assert caught.value.code == "market.quote.differs"
    assert {fault.pointer for fault in caught.value.errors} == {"/fields/monthly_bill", "/fields/roof_type"}
    settled = await posted(house, quote.id, roof_type="clay tile")
    assert settled.state is State.SOLD, "another word for the same is the same; a refused post uses nothing"


async def test_pings_of_others_unknown_ones_and_those_without_a_bid_are_told_apart(house: House) -> None:
    other = {"id": "other", "name": "Other Media", "verticals": ["solar"]}
    await apply(house, {**BUSINESS, "source": [BUSINESS["source"][0], other]})
    quote = await quoted(house)
    none = await quoted(house, fields={**FIELDS, "state": "AZ", "zip": "85004"})
    cases: list[tuple[type[Fault], str, dict[str, Any]]] = [
        (NotFound, "market.quote.unknown", {"ping_id": "ping_nothing"}),
        (NotFound, "market.quote.unknown", {"ping_id": house.mint("ping", house.clock())}),
        (Forbidden, "market.quote.foreign", {"ping_id": quote.id, "source": "other"}),
        (Conflict, "market.quote.no_bid", {"ping_id": none.id}),
    ]
    for kind, code, given in cases:
        with pytest.raises(kind) as caught:
            await posted(house, **given)
        assert caught.value.code == code


async def test_a_ping_nobody_wants_says_why(house: House) -> None:
    await apply(house, {**BUSINESS, "order": [order("helio-ca", "helio", "65.00", min_score=99)]})
    quote = await quoted(house)
    assert not quote.legs and quote.because is not None and quote.because.code == "market.lead.unsold"
    team = {"id": "west", "name": "West", "reps": [{"id": "ana", "email": "ana@example.com"}]}
    await apply(house, {"team": [team]})
    in_house = await quoted(house)
    assert in_house.because is not None and in_house.because.code == "market.quote.in_house"


async def test_a_recipient_that_no_consent_could_clear_is_not_quoted(house: House) -> None:
    await apply(house, {**BUSINESS, "buyer": [{**buyer("helio"), "licences": []}, buyer("bright")]})
    assert (await quoted(house)).sellers == ("Bright Solar",)


async def test_a_test_quotes_real_prices_and_holds_nothing(house: House) -> None:
    tables = {**BUSINESS, "order": [order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 1}])]}
    await apply(house, tables)
    quote = await quoted(house, test=True)
    assert str(quote.price) == "$45.50" and quote.test
    assert await used(house, "helio-ca") == [(0, 1)]
    with pytest.raises(BadInput) as caught:
        await posted(house, quote.id)
    assert [fault.pointer for fault in caught.value.errors] == ["/test"]


async def test_a_repeated_ping_gets_the_first_answer_and_holds_room_once(house: House) -> None:
    tables = {**BUSINESS, "order": [order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 5}])]}
    await apply(house, tables)
    quoter = Quoter(house.kit)
    first, second = await asyncio.gather(quoter.quote(ping(house, key="k")), quoter.quote(ping(house, key="k")))
    assert first == second == await quoter.quote(ping(house, key="k"))
    assert await used(house, "helio-ca") == [(1, 5)]
    with pytest.raises(Conflict) as caught:
        await quoter.quote(ping(house, key="k", test=True))
    assert caught.value.code == "flow.request.reused"
    await quoter.close()


async def test_a_key_of_one_post_is_no_key_of_another(house: House) -> None:
    await apply(house, BUSINESS)
    first, second = await quoted(house), await quoted(house)
    settled = await posted(house, first.id, key="k")
    assert await posted(house, first.id, key="k") == settled
    with pytest.raises(Conflict) as caught:
        await posted(house, second.id, number=2, key="k")
    assert caught.value.code == "flow.request.reused"


async def test_pings_that_come_together_never_promise_one_place_twice(house: House) -> None:
    tables = {**BUSINESS, "order": [order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 3}])]}
    await apply(house, tables)
    one, two = Quoter(house.kit), Quoter(house.kit)
    quotes = await asyncio.gather(*((one, two)[n % 2].quote(ping(house)) for n in range(10)))
    assert sum(bool(quote.legs) for quote in quotes) == 3
    settled = await asyncio.gather(
        *(posted(house, quote.id, number=n) for n, quote in enumerate(quotes) if quote.legs),
        *(house.mill.take(submission(house, 100 + n)) for n in range(10)),
    )
    assert [each.state for each in settled[:3]] == [State.SOLD] * 3
    assert [each.state for each in settled[3:]] == [State.UNSOLD] * 10
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_quote_that_was_let_go_is_unknown(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    quote = await quoted(house)
    clock.advance(seconds=61)
    async with house.db.begin() as tx:
        assert await forget_quotes(tx, clock() - KEPT) == 0
    clock.advance(KEPT)
    async with house.db.begin() as tx:
        assert await forget_quotes(tx, clock() - KEPT) == 1
    with pytest.raises(NotFound):
        await posted(house, quote.id)


async def test_contact_details_in_a_ping_are_refused_one_by_one(house: House) -> None:
    await apply(house, BUSINESS)
    with pytest.raises(BadInput) as caught:
        await Quoter(house.kit).quote(ping(house, fields=json.loads(body_of(1))["fields"], ssn="123-45-6789"))
    named = {fault.pointer for fault in caught.value.errors if fault.code == "capture.ping.contact"}
    assert named == {"/fields/first_name", "/fields/last_name", "/fields/email", "/fields/phone", "/ssn"}
    assert await count(house, "market_quote") == 0


async def test_a_ping_is_put_to_buyers_once_and_its_post_holds_them_to_their_bids(house: House, buyers: Buyers) -> None:
    target = {"url": f"{buyers.url}/helio"}
    bidding = {"id": "helio-ca", "buyer": "helio", "vertical": "solar", "ping": target}
    await apply(house, {**BUSINESS, "order": [bidding, BUSINESS["order"][1]]})
    buyers.script("helio", [{"body": {"status": "accepted", "price": "80.00", "ping_id": "bid-7"}}])
    quote = await house.quoter.quote(ping(house))
    assert str(quote.price) == "$56.00" and quote.sellers == ("Helio Solar",)
    [heard] = buyers.received
    assert quote.id in heard.body.decode() and "x-leadmill-path" in {name.lower() for name in heard.headers}
    settled = await posted(house, quote.id)
    assert (settled.state, settled.price) == (State.SOLD, 5600)
    assert sum(b"timeout_ms" in each.body for each in buyers.received) == 1, "nobody is asked twice"
    assert (await verify(house.db, house.pen)).findings == []

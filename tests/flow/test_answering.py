"""Sources that wait for no answer are told later, at the address they name, what became of their leads."""

import hashlib
from urllib.parse import parse_qs

import msgspec
import pytest

from leadmill.capture import AnswerOwed, Submission
from leadmill.core.faults import BadInput
from leadmill.core.reasons import State
from leadmill.flow.answering import TELL, SourceTold
from leadmill.flow.desk import approve, dismiss
from leadmill.flow.memory import recall_one
from leadmill.flow.model import Settled
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.parties import read_source
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, SOURCE, apply, body_of, count, submission
from tests.journeys.house import HOOK_SECRET, Buyers


def asking(house: House, url: str, number: int = 1, **fields: object) -> Submission:
    """Lead number N, whose sender wants to be told at an address."""
    table = msgspec.json.decode(body_of(number, **fields)) | {"context": {"response_url": url, "sub1": "FB1"}}
    body = msgspec.json.encode(table)
    return msgspec.structs.replace(submission(house, number), body=body, digest=hashlib.sha256(body).hexdigest())


async def told(house: House, clock: FixedClock) -> None:
    """All that is owed is told."""
    clock.advance(seconds=30)
    while await workers(house)[0].drain():
        continue


async def dead(house: House) -> list[tuple[str, str]]:
    """The tellings that were given up: of which lead, and why."""
    async with house.db.begin() as tx:
        rows = await tx.conn.fetch("SELECT subject, fault FROM job WHERE kind = $1 AND dead_at IS NOT NULL", TELL)
    return [(row["subject"], row["fault"]) for row in rows]


async def events_of(house: House, lead_id: str) -> list[SourceTold]:
    async with house.db.begin() as tx:
        chapters = (await recall_one(tx, house.pen, lead_id)).chapters
    return [event for chapter in chapters for event in chapter.events if isinstance(event, SourceTold)]


async def prove(house: House) -> None:
    assert (await replay(house.db, house.pen, house.book)).differences == []
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_sold_lead_is_told_in_our_own_words_with_what_it_earns(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    settled = await house.mill.take(asking(house, f"{buyers.url}/pages?token=t"))
    assert buyers.of("pages") == [], "not before the lead is durable"
    await told(house, clock)
    (got,) = buyers.of("pages")
    assert got.json == {
        "lead_id": settled.lead_id, "status": "sold", "price": "45.50", "currency": "USD", "reasons": [],
    }  # fmt: skip
    assert "webhook-signature" not in got.headers
    (event,) = await events_of(house, settled.lead_id)
    assert list(event.tell()) == [f"The source was told at {buyers.url.removeprefix('http://')}: sold (HTTP 200)."]
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, settled.lead_id)
    owed = [e for c in recalled.chapters for s in c.stations for e in s.learned if isinstance(e, AnswerOwed)]
    assert owed == [AnswerOwed("127.0.0.1")], "of the address only the host is written down"
    await prove(house)


async def test_a_lead_that_waits_is_told_only_once_it_is_decided(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    held: list[Settled] = [
        await house.mill.take(asking(house, f"{buyers.url}/pages", number, monthly_bill=4000)) for number in (1, 2)
    ]
    assert {one.state for one in held} == {State.REVIEW}
    await told(house, clock)
    assert buyers.of("pages") == []
    async with house.db.begin() as tx:
        await approve(tx, house.kit, held[0].lead_id, "op_a", "", clock())
        await dismiss(tx, house.kit, held[1].lead_id, "op_a", "", clock())
    await told(house, clock)
    assert {one.json["lead_id"]: one.json["status"] for one in buyers.of("pages")} == {
        held[0].lead_id: "sold",
        held[1].lead_id: "rejected",
    }
    await prove(house)


async def test_a_sender_of_another_system_is_told_in_its_own_words(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    table = msgspec.json.decode(body_of(1))
    fields = table["fields"]
    body = msgspec.json.encode(
        {
            "ApiToken": "t", "Vertical": "solar", "SubId": "FB1", "SellResponseURL": f"{buyers.url}/px",
            "TcpaText": table["consent"]["text"],
            "ContactData": {
                "FirstName": "Ann", "LastName": "Smith", "Email": fields["email"], "PhoneNumber": fields["phone"],
                "State": "CA", "ZipCode": "95814",
            },
            "monthly_bill": 180, "homeowner": True,
        }
    )  # fmt: skip
    sent = msgspec.structs.replace(
        submission(house, 1), channel="dialect", dialect="px", body=body, digest=hashlib.sha256(body).hexdigest()
    )
    settled = await house.mill.take(sent)
    assert settled.state is State.SOLD
    await told(house, clock)
    (got,) = buyers.of("px")
    assert got.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(got.body.decode()) == {
        "TransactionId": [settled.lead_id], "Payout": ["45.5"], "Result": ["Sold"], "SubID": ["FB1"],
    }  # fmt: skip
    await prove(house)


async def test_what_is_told_is_signed_where_the_source_has_a_secret(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await apply(house, {**BUSINESS, "source": [{**SOURCE, "answer_secret": {"env": "HOOK_SECRET"}}]})
    await house.mill.take(asking(house, f"{buyers.url}/pages"))
    await told(house, clock)
    (got,) = buyers.of("pages")
    assert got.headers["webhook-id"].startswith("job_") and got.headers["webhook-signature"].startswith("v1,")
    assert HOOK_SECRET not in got.body.decode()
    with pytest.raises(BadInput):
        read_source({**SOURCE, "answer_secret": "plain"})


async def test_an_address_that_fails_is_tried_again_and_one_that_refuses_is_not(
    house: House, buyers: Buyers, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    buyers.script("pages", [{"status": 503}, {"status": 200}])
    buyers.script("closed", [{"status": 410}])
    settled = await house.mill.take(asking(house, f"{buyers.url}/pages"))
    refused = await house.mill.take(asking(house, f"{buyers.url}/closed", 2))
    await told(house, clock)
    clock.advance(hours=1)
    await told(house, clock)
    assert (len(buyers.of("pages")), len(buyers.of("closed"))) == (2, 1)
    assert len(await events_of(house, settled.lead_id)) == 1
    assert await events_of(house, refused.lead_id) == []
    assert await dead(house) == [(refused.lead_id, "flow.answer.refused")]


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://10.0.0.7/x", "http://[fd00::1]/x"])
async def test_no_address_leads_into_the_house(house: House, buyers: Buyers, clock: FixedClock, url: str) -> None:
    await apply(house, BUSINESS)
    settled = await house.mill.take(asking(house, url))
    assert settled.state is State.SOLD, "the lead itself is as good as any"
    await told(house, clock)
    assert await dead(house) == [(settled.lead_id, "http.address.refused")]
    assert await events_of(house, settled.lead_id) == []


@pytest.mark.parametrize("url", ["", "pages", "javascript:alert(1)", "ftp://a.example/x", "http://a.example:99999/"])
async def test_what_is_no_address_owes_nothing(house: House, clock: FixedClock, url: str) -> None:
    await apply(house, BUSINESS)
    settled = await house.mill.take(asking(house, url))
    assert settled.state is State.SOLD
    assert await count(house, f"job WHERE kind = '{TELL}'") == 0

"""Test leads: judged and bid on like any other, posted to the buyers who take tests, and nothing else follows."""

from typing import Any

import pytest

from benchmarks.buyers import Stub
from leadmill.core.faults import BadInput
from leadmill.core.reasons import State
from leadmill.delivery import Dispatched, read_delivery, receipts_of
from leadmill.flow.memory import recall_one
from leadmill.flow.model import Settled
from leadmill.flow.replay import replay
from leadmill.flow.store import read_lead
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.ledger import guards
from leadmill.market import cap_use, sales_of
from leadmill.runtime.dialect import read_profiles
from leadmill.runtime.packs import load_packs
from tests.flow.stage import SOURCE, apply, buyer, count, order
from tests.flow.test_bidding import lead
from tests.flow.test_full_orders import asked, pings
from tests.journeys.house import Buyers

__all__ = ["pings"]

PROFILES = read_profiles(load_packs())


def at(buyers: Buyers, name: str, **more: Any) -> dict[str, Any]:
    """A delivery by HTTP to a buyer's address."""
    return {"courier": "http", "url": f"{buyers.url}/{name}", **more}


def spoken(buyers: Buyers, **more: Any) -> dict[str, Any]:
    """A delivery to a buyer that runs another system."""
    keys = {"lp_campaign_id": "7", "lp_campaign_key": "k"}
    return {"dialect": "leadspedia", "url": f"{buyers.url}/a", "keys": keys, **more}


async def business(house: House, delivery: dict[str, Any], **more: Any) -> None:
    await apply(
        house,
        {
            "source": [SOURCE],
            "buyer": [buyer("a", delivery=delivery), buyer("b")],
            "order": [order("a-ca", "a", "65.00", caps=[{"per": "day", "leads": 5}], **more)],
        },
    )


async def tried(house: House) -> Settled:
    """A test lead, walked and delivered as far as it goes."""
    settled = await house.mill.take(lead(house, test=True))
    assert settled.state is State.TEST
    await workers(house)[0].drain()
    return settled


async def dispatched(house: House, lead_id: str) -> Dispatched | None:
    async with house.db.begin() as tx:
        chapters = (await recall_one(tx, house.pen, lead_id)).chapters
    found = [item for chapter in chapters for station in chapter.stations for item in station.learned]
    return next((item for item in found if isinstance(item, Dispatched)), None)


async def nothing_followed(house: House, settled: Settled) -> None:
    """No sale, no money, no cap, and the lead stands as a test."""
    assert (await count(house, "sale"), await count(house, "posting"), await count(house, "interest")) == (0, 0, 0)
    async with house.db.begin() as tx:
        row = await read_lead(tx, settled.lead_id)
        use = await cap_use(tx, list(house.book.walk().rules.orders.values()), house.clock())
        assert all(account.balance == 0 and account.held == 0 for account in (await guards(tx)).values())
    assert row is not None and row.state is State.TEST
    assert [each.used for each in use] == [0]
    assert (await replay(house.db, house.pen, house.book)).differences == []
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_test_is_posted_with_the_buyer_s_own_flag_and_nothing_else_follows(
    house: House, buyers: Buyers
) -> None:
    fields = {"phone": "phone", "price": "sale.price"}
    await business(house, at(buyers, "a", fields=fields, test={"is_test": 1}))
    settled = await tried(house)
    (got,) = buyers.of("a")
    assert got.json == {"phone": "+19162000001", "is_test": 1}
    async with house.db.begin() as tx:
        (receipt,) = await receipts_of(tx, settled.lead_id)
    assert (receipt.state, receipt.attempts, receipt.sale_id[:5]) == ("accepted", 1, "test_")
    await nothing_followed(house, settled)


async def test_a_test_may_go_to_an_address_of_its_own(house: House, buyers: Buyers) -> None:
    await business(house, at(buyers, "a", test_url=f"{buyers.url}/sandbox"))
    settled = await tried(house)
    assert (len(buyers.of("a")), len(buyers.of("sandbox"))) == (0, 1)
    assert buyers.of("sandbox")[0].json["test"] is True
    await nothing_followed(house, settled)


async def test_the_flag_of_a_dialect_is_sent_to_who_asks_for_tests(house: House, buyers: Buyers) -> None:
    spoken = {
        "dialect": "leadspedia",
        "url": f"{buyers.url}/a",
        "keys": {"lp_campaign_id": "7", "lp_campaign_key": "k"},
    }
    await business(house, {**spoken, "test": True})
    settled = await tried(house)
    (got,) = buyers.of("a")
    assert b"lp_test=1" in got.body
    await nothing_followed(house, settled)


@pytest.mark.parametrize("more", [{}, {"kind": "call", "call_min_seconds": 30}])
async def test_who_takes_no_tests_is_sent_none_and_the_page_says_so(
    house: House, buyers: Buyers, more: dict[str, Any]
) -> None:
    await business(house, at(buyers, "a", **({"test": {"t": "1"}} if more else {})), **more)
    settled = await tried(house)
    assert buyers.received == []
    plan = await dispatched(house, settled.lead_id)
    assert plan is not None and list(plan.tell()) == ["A test, not delivered to a, which has no test mode."]
    await nothing_followed(house, settled)


async def test_a_test_that_a_buyer_refuses_or_fails_goes_to_nobody_else_and_is_not_tried_again(
    house: House, buyers: Buyers
) -> None:
    buyers.script("a", [{"body": {"status": "rejected", "reason": "A test"}}, {"status": 503}])
    await business(house, at(buyers, "a", test={"t": "1"}))
    for state in ("rejected", "dead"):
        settled = await tried(house)
        async with house.db.begin() as tx:
            (receipt,) = await receipts_of(tx, settled.lead_id)
            assert await sales_of(tx, settled.lead_id) == []
        assert (receipt.state, receipt.attempts) == (state, 1)
        await nothing_followed(house, settled)


async def test_a_test_brings_the_id_of_the_bid_it_was_answered_with(house: House, pings: str, buyers: Buyers) -> None:
    delivery = at(buyers, "a", fields={"ping_id": "sale.ping_id", "zip": "zip"}, test={"t": "1"})
    wants = asked("a-ca", "a", pings, "41.50", caps=[{"per": "day", "leads": 5}])
    wants["ping"] |= {"url": wants["ping"]["url"].replace("do=bid", "do=same"), "test": {"lp_test": "1"}}
    await apply(house, {"source": [SOURCE], "buyer": [buyer("a", delivery=delivery)], "order": [wants]})
    settled = await tried(house)
    (got,) = buyers.of("a")
    assert got.json == {"ping_id": "b0", "zip": "95814", "t": "1"}
    assert b'"lp_test":"1"' in Stub.bodies[0][1]
    await nothing_followed(house, settled)


async def test_a_buyer_that_is_spoken_to_in_a_dialect_is_handed_its_leads(house: House, buyers: Buyers) -> None:
    spoken = {
        "dialect": "leadspedia",
        "url": f"{buyers.url}/a",
        "keys": {"lp_campaign_id": "7", "lp_campaign_key": "k"},
    }
    await business(house, spoken)
    settled = await house.mill.take(lead(house))
    await workers(house)[0].drain()
    (got,) = buyers.of("a")
    assert b"lp_test" not in got.body and b"lp_campaign_id=7" in got.body
    async with house.db.begin() as tx:
        assert [one.courier for one in await receipts_of(tx, settled.lead_id)] == ["http"]


def test_a_dialect_without_a_flag_for_tests_says_what_to_write() -> None:
    table = {"dialect": "databowl", "url": "https://a.example", "keys": dict.fromkeys(PROFILES["databowl"].keys, "1")}
    with pytest.raises(BadInput, match="delivery, test: there is no flag for tests here"):
        read_delivery({**table, "test": True}, profiles=PROFILES)
    assert read_delivery({**table, "test": {"is_test": "1"}}, profiles=PROFILES).test == {"is_test": "1"}
    assert read_delivery(table, profiles=PROFILES).test is None

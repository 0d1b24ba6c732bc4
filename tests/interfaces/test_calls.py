"""Calls as leads, from the ping of a call network to the money: put through, reported, kept or taken back."""

import io
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from leadmill.capture import posting_of, read_dialects, read_verticals
from leadmill.interfaces.api.dialects import Doors
from leadmill.interfaces.api.openapi import describe
from leadmill.ledger import balances
from leadmill.market import BidHeard, Bids, Offer, Order
from leadmill.runtime import telemetry
from leadmill.runtime.packs import load_packs
from tests.interfaces.stage import BUYER_KEY, Stage, solar
from tests.interfaces.test_dialects import SHOWN, declare

CALLS = """
[[source]]
id = "ring-net"
name = "Ring Net"
key = "ring-key-0123456789abcdef"
verticals = ["solar"]
payout = { model = "share", rate = "0.70" }
[source.dialect]
name = "ringba"
credentials = { "path.1" = { env = "RTB_ID" } }

[[order]]
id = "helio-calls"
buyer = "helio"
vertical = "solar"
kind = "call"
call_min_seconds = 90
call_to = "+18005550111"
call_sip = "line-7@pbx.example.com"
where = [{ field = "state", eq = "CA" }]
price = "40.00"
caps = [{ per = "day", leads = 2 }]
"""
ASKED = """
[[order]]
id = "sunco-calls"
buyer = "sunco"
vertical = "solar"
kind = "call"
call_min_seconds = 120
[order.ping]
dialect = "ringba"
url = "https://rtb.sunco.example/v1/production/Zz99.json"
"""
RTB = {"RTB_ID": "Ab12cd34ef"}
RING_KEY = "ring-key-0123456789abcdef"


def asked(digits: str) -> str:
    said = {"CID": f"+1{digits}", "exposeCallerId": "yes", "zipcode": "94110", "State": "CA"}
    return f"/v1/production/Ab12cd34ef.json?{urlencode(said)}"


def posted(ping_id: str, number: int, digits: str) -> dict[str, Any]:
    body = solar(number, phone=f"+1{digits}")
    return {**body, "ping_id": ping_id}


async def test_a_call_is_bid_on_put_through_and_paid_for_where_it_lasts(stage: Stage, tmp_path: Path) -> None:
    await declare(stage, tmp_path, CALLS, RTB)
    client = stage.client()
    leads = []
    for number, digits in enumerate(("4156012300", "4156012301"), start=31):
        bid = await client.get(asked(digits))
        assert bid.json == {
            "bidId": bid.json["bidId"],
            "bidAmount": 28,
            "expireInSeconds": bid.json["expireInSeconds"],
            "phoneNumber": "+18005550111",
            "phoneNumberNoPlus": "18005550111",
            "sipAddress": "line-7@pbx.example.com",
            "bidTerms": [{"code": 100, "callMinDuration": 90}],
        }
        assert 0 < bid.json["expireInSeconds"] <= 60
        sold = await client.post_json(
            "/v1/post", posted(bid.json["bidId"], number, digits), authorization=f"Bearer {RING_KEY}"
        )
        assert (sold.status, sold.json["status"], sold.json["price"]) == (201, "sold", "28.00"), sold.text
        line = {"number": "+18005550111", "min_seconds": 90, "sip": "line-7@pbx.example.com"}
        assert sold.json["call"] == line
        leads.append(sold.json["lead_id"])
    full = await client.get(asked("4156012302"))
    assert (full.json["bidAmount"], "phoneNumber" in full.json) == (0, False), "the order's cap holds for calls as well"
    assert full.json["rejectReason"].endswith(")")
    for lead_id, seconds, reversed_ in ((leads[0], 95, False), (leads[1], 12, True)):
        report = {"lead_id": lead_id, "disposition": "contacted", "call_seconds": seconds}
        told = await client.post_json("/v1/outcomes", report, authorization=f"Bearer {BUYER_KEY}")
        assert told.status in (200, 201), told.text
        assert told.json.get("reversed", False) is reversed_
    states = []
    for lead_id in leads:
        lead = await client.get(f"/v1/leads/{lead_id}", authorization=f"Bearer {stage.operator_key}")
        states.append((lead.json["status"], lead.json.get("price")))
    assert [state for state, _ in states] == ["sold", "unsold"], states
    async with stage.house.db.begin() as tx:
        sums = await balances(tx)
    assert [money.amount for money in sums["payable:ring-net"]] == [2800], "one call of two is paid for"


async def test_a_call_goes_to_the_number_that_the_winning_buyer_bid(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declare(stage, tmp_path, CALLS + ASKED, RTB)
    shown: list[Offer] = []

    async def bid(offer: Offer, orders: Sequence[Order]) -> Bids:
        shown.append(offer)
        until = stage.house.clock() + timedelta(seconds=39)
        line = ("+18005550122", "RTB1@rtb.example.com")
        heard = [BidHeard(one.id, "sunco", 6000, None, 9, until, "RTB1", "USD", *line) for one in orders]
        return Bids(True, 500, tuple(heard), 9)

    monkeypatch.setattr(stage.house.quoter, "_hold_auction", bid)
    client = stage.client()
    won = await client.get(asked("4156012300"))
    assert (won.json["bidAmount"], won.json["phoneNumber"]) == (42, "+18005550122"), won.text
    assert (won.json["sipAddress"], won.json["bidTerms"][0]["callMinDuration"]) == ("RTB1@rtb.example.com", 120)
    assert won.json["expireInSeconds"] <= 39, "no longer than the buyer's bid"
    body = posted(won.json["bidId"], 41, "4156012300")
    sold = await client.post_json("/v1/post", body, authorization=f"Bearer {RING_KEY}")
    assert (sold.json["status"], sold.json["call"]["number"]) == ("sold", "+18005550122"), sold.text
    assert len(shown) == 1 and "4156012300" not in repr(shown), "buyers are not shown who calls"


async def test_whoever_is_not_on_the_line_is_no_call(stage: Stage, tmp_path: Path) -> None:
    dear = CALLS.replace('"40.00"', '"400.00"')
    await declare(stage, tmp_path, dear, RTB)
    sold = await stage.send(solar(51))
    assert (sold["status"], sold["price"], "call" in sold) == ("sold", "45.50", False)


async def test_the_instructions_for_a_call_network_say_where_the_number_is_and_where_the_lead_goes(
    stage: Stage, tmp_path: Path
) -> None:
    await declare(stage, tmp_path, CALLS, RTB)
    rules = stage.house.book.walk().rules
    source = rules.roster.sources["ring-net"]
    posting = posting_of(source, [rules.verticals["solar"]], rules.lexicon.dialects["ringba"])
    assert ("POST", "/v1/post") in [address[:2] for address in posting.addresses]
    assert posting.credentials == (("header.authorization", "Bearer YOUR-KEY"),)
    (sample,) = posting.samples
    assert "Ab12cd34ef" not in repr(posting), "what stands in the address is the secret"
    assert posting.addresses[0][1] == "/v1/production/YOUR-KEY.json"
    assert json.loads(sample.answers[0][1])["phoneNumber"] == "+18005550111"


def test_no_system_has_an_address_of_ours() -> None:
    packs = load_packs()
    verticals = read_verticals(packs)
    doors = Doors(read_dialects(packs, verticals))
    assert not [path for path in describe(verticals, "0")["paths"] if doors.find(path)]
    assert doors.find("/v1/production/Ab12.json") and not doors.find("/v1/production/Ab12/more.json")


TRACKDRIVE = """
[[source]]
id = "drive-net"
name = "Drive Net"
verticals = ["solar"]
[source.dialect]
name = "trackdrive"
credentials = { "path.1" = "solar_calls" }
"""


async def test_a_post_in_trackdrives_way_is_told_the_number_with_or_without_a_ping(
    stage: Stage, tmp_path: Path
) -> None:
    await declare(stage, tmp_path, CALLS + TRACKDRIVE, RTB)
    client = stage.client()
    hooks = "/api/v1/inbound_webhooks"
    home = {"zip": "94110", "state": "CA"}
    who = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana.t1@gmail.com", "caller_id": "14156012361"}
    ping = await client.post_json(f"{hooks}/ping/solar_calls", {**home, "caller_id": "14156012361"})
    (offer,) = ping.json["buyers"]
    assert (offer["name"], offer["bid"]) == ("Helio Solar LLC", 40)
    assert "18005550111" not in ping.text, "the number comes with the post, which is the sale"
    body = {**home, **who, **SHOWN, "ping_id": offer["ping_id"], "buyer_id": offer["buyer_id"]}
    for _ in range(2):
        told = await client.post_json(f"{hooks}/post/solar_calls", body)
        assert (told.json["success"], told.json["forwarding_number"]) == (True, "18005550111"), told.text
    other = {**home, **who, **SHOWN, "email": "ana.t2@gmail.com", "caller_id": "14156012362"}
    told = await client.post_json(f"{hooks}/full/solar_calls", other)
    assert (told.json["success"], told.json["forwarding_number"]) == (True, "18005550111"), told.text


async def test_a_callers_number_in_an_address_is_nowhere_to_be_read(stage: Stage, tmp_path: Path) -> None:
    await declare(stage, tmp_path, CALLS, RTB)
    written = io.StringIO()
    telemetry.configure("debug", written)
    try:
        client = stage.client()
        answers = [await client.get(asked("4156012377"))]
        answers.append(await client.get(asked("4156012377").replace("Ab12cd34ef", "nobody")))
        answers.append(await client.send("POST", asked("4156012377"), b"{", {"content-type": "application/json"}))
        pings = await client.get("/v1/pings", authorization=f"Bearer {stage.operator_key}")
    finally:
        telemetry.configure("info")
    assert [answer.json["bidAmount"] > 0 for answer in answers] == [True, False, False]
    _, metrics = telemetry.exposition()
    async with stage.house.db.begin() as tx:
        kept = await tx.conn.fetch("SELECT market_quote::text AS kept FROM market_quote")
    for text in (written.getvalue(), metrics.decode(), pings.text, *(row["kept"] for row in kept), *map(repr, answers)):
        assert "6012377" not in text

"""Reading leads through the API: masked by role, noted, paged, explained, and refused with a reason."""

import re

import pytest

from leadmill.parties import Role, reads_of
from tests.interfaces.stage import BUYER_KEY, SOURCE_KEY, Stage, solar


async def test_a_lead_that_was_sent_can_be_listed_read_and_explained(stage: Stage) -> None:
    taken = await stage.send(solar())
    assert taken["status"] == "sold", taken
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    listed = (await client.get("/v1/leads", authorization=key)).json
    assert [item["lead_id"] for item in listed["items"]] == [taken["lead_id"]]
    assert listed["items"][0]["fields"]["email"] == "ana.ruiz@gmail.com"
    assert listed["items"][0]["price"] == "65.00" and listed["items"][0]["recipients"] == ["helio"]
    one = (await client.get(f"/v1/leads/{taken['lead_id']}", authorization=key)).json
    assert one.pop("rating")["points"] == one["score"]
    assert one == listed["items"][0]
    events = (await client.get(f"/v1/leads/{taken['lead_id']}/events", authorization=key)).json
    assert events["items"][0]["event"] == "lead.received" and "lead.settled" in [e["event"] for e in events["items"]]
    story = (await client.get(f"/v1/leads/{taken['lead_id']}/explain", authorization=key)).json
    assert [order["order_id"] for order in story["orders"] if order["code"] is None] == ["helio-ca"]
    assert {order["code"] for order in story["orders"] if order["code"]} >= {
        "market.order.outbid",
        "market.order.closed",
    }
    assert [item["amount"] for item in story["money"] if item["kind"] == "sale"] == ["65.00"]


async def test_one_order_can_be_asked_after_by_the_rules_of_its_time(stage: Stage) -> None:
    taken = await stage.send(solar())
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    whole = (await client.get(f"/v1/leads/{taken['lead_id']}/explain", authorization=key)).json
    for order in whole["orders"]:
        asked = await client.get(f"/v1/leads/{taken['lead_id']}/explain?order={order['order_id']}", authorization=key)
        (told,) = asked.json["orders"]
        assert {**told, "name": order["name"]} == order and asked.json["steps"] == whole["steps"]
    unknown = await client.get(f"/v1/leads/{taken['lead_id']}/explain?order=nobodys", authorization=key)
    assert (unknown.status, unknown.json["code"]) == (404, "flow.order.unknown")
    refused = await stage.send({**solar(2), "fields": {}})
    none = await client.get(f"/v1/leads/{refused['lead_id']}/explain?order=helio-ca", authorization=key)
    assert (none.status, none.json["code"]) == (404, "flow.auction.none")


async def test_an_analysts_key_sees_masked_values_and_no_event_tells_a_personal_one(stage: Stage) -> None:
    taken = await stage.send(solar())
    client, key = stage.client(), f"Bearer {stage.analyst_key}"
    one = await client.get(f"/v1/leads/{taken['lead_id']}", authorization=key)
    assert one.json["masked"] is True and one.json["fields"]["monthly_bill"] == 240
    for path in ("", "/events", "/explain"):
        text = (await client.get(f"/v1/leads/{taken['lead_id']}{path}", authorization=key)).text
        for personal in ("ana.ruiz", "Ruiz", "4156012300", "601-2300", "203.0.113.7"):
            assert personal not in text, (path, personal)


async def test_each_read_is_noted_with_who_and_what(stage: Stage) -> None:
    taken = await stage.send(solar())
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    for path in ("", f"/{taken['lead_id']}", f"/{taken['lead_id']}/events", f"/{taken['lead_id']}/explain"):
        await client.get(f"/v1/leads{path}", authorization=key)
    async with stage.house.db.begin() as tx:
        reads = await reads_of(tx, taken["lead_id"])
    assert {read.what for read in reads} == {"api list", "api lead", "api events", "api explain"}
    assert len({read.reader for read in reads}) == 1 and reads[0].reader.startswith("key_")


async def test_a_list_is_paged_by_cursor_without_gap_or_repetition(stage: Stage) -> None:
    sent = [(await stage.send(solar(number)))["lead_id"] for number in range(1, 6)]
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    path, found = "/v1/leads?limit=2&vertical=solar", []
    while path:
        reply = await client.get(path, authorization=key)
        found += [item["lead_id"] for item in reply.json["items"]]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', reply.headers.get("link", ""))
        assert bool(link) == bool(reply.json["next_cursor"])
        path = link[1] if link else ""
    assert found == sorted(sent, reverse=True)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=x", "/limit"),
        ("status=gone", "/status"),
        ("min_score=high", "/min_score"),
        ("since=yesterday", "/since"),
        ("until=2026-03-04T15:00:00", "/until"),
        ("test=perhaps", "/test"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_named(stage: Stage, query: str, pointer: str) -> None:
    reply = await stage.client().get(f"/v1/leads?{query}", authorization=f"Bearer {stage.operator_key}")
    assert reply.status == 422 and reply.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


async def test_filters_narrow_the_list(stage: Stage) -> None:
    sold = (await stage.send(solar(1)))["lead_id"]
    refused = (await stage.send({**solar(2), "consent": {}}))["lead_id"]
    client, key = stage.client(), f"Bearer {stage.operator_key}"

    async def listed(query: str) -> list[str]:
        reply = await client.get(f"/v1/leads?{query}", authorization=key)
        assert reply.status == 200, reply.text
        return [item["lead_id"] for item in reply.json["items"]]

    assert await listed("status=sold") == [sold]
    assert await listed("recipient=helio") == [sold]
    assert refused in await listed("since=2020-01-01T00:00:00Z")
    assert await listed("min_score=101") == []
    assert await listed("until=2020-01-01T00:00:00Z") == []
    assert await listed("test=true") == []


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "api.key.missing"),
        ("nobody-has-this-key-0000", 401, "parties.key.unknown"),
        (SOURCE_KEY, 403, "api.right.missing"),
        (BUYER_KEY, 403, "api.right.missing"),
    ],
)
async def test_leads_are_read_by_operators_alone(stage: Stage, key: str | None, status: int, code: str) -> None:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    reply = await stage.client().get("/v1/leads", **headers)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert ("www-authenticate" in reply.headers) is (status == 401)
    assert reply.json["request_id"] == reply.headers["x-request-id"]


async def test_an_operators_browser_may_read_the_api_too(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    assert (await client.get("/v1/leads")).status == 200

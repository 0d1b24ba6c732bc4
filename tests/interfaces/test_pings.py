"""Pings and posts through the API, as a source sends them."""

import re
from typing import Any

import pytest

from leadmill.capture import mark_path
from tests.answers import Reply
from tests.interfaces.stage import BUYER_KEY, SOURCE_KEY, Stage, solar

FIELDS = {"zip": "94110", "state": "CA", "monthly_bill": 240, "homeowner": True}


async def call(stage: Stage, path: str, body: Any, key: str = SOURCE_KEY, **headers: str) -> Reply:
    return await stage.client().post_json(path, body, authorization=f"Bearer {key}", **headers)


async def ping(stage: Stage, **more: Any) -> dict[str, Any]:
    reply = await call(stage, "/v1/ping", {"vertical": "solar", "fields": FIELDS} | more)
    assert reply.status == 201, reply.text
    found: dict[str, Any] = reply.json
    return found


async def test_a_bid_names_price_mode_sellers_and_expiry(stage: Stage) -> None:
    told = await ping(stage)
    assert told["ping_id"].startswith("ping_") and told["status"] == "bid" and told["reasons"] == []
    assert re.fullmatch(r"\d+\.\d\d", told["price"]) and told["currency"] == "USD"
    assert told["mode"] in ("exclusive", "shared") and told["sellers"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told["expires_at"])


async def test_a_post_is_answered_like_a_lead_at_the_quoted_price(stage: Stage) -> None:
    told = await ping(stage)
    reply = await call(stage, "/v1/post", {"ping_id": told["ping_id"], **solar(1)})
    assert reply.status == 201 and reply.json["status"] == "sold", reply.text
    assert reply.json["price"] == told["price"]
    again = await call(stage, "/v1/post", {"ping_id": told["ping_id"], **solar(1)})
    assert again.json == reply.json
    other = await call(stage, "/v1/post", {"ping_id": told["ping_id"], **solar(2)})
    assert (other.status, other.json["code"]) == (409, "market.quote.used")


async def test_forms_ping_and_post_as_well(stage: Stage) -> None:
    headers = {"authorization": f"Bearer {SOURCE_KEY}"}
    asked = await stage.client().post(
        "/v1/ping", {"vertical": "solar", "zip_code": "94110", "monthly_bill": "240"}, **headers
    )
    assert asked.json["status"] == "bid", asked.text
    lead = {
        "ping_id": asked.json["ping_id"],
        "vertical": "solar",
        "zip_code": "94110",
        "electric_bill": "$240",
        "fname": "Ana",
        "lname": "Ruiz",
        "email": "ana.r@gmail.com",
        "phone": "415-601-2399",
        "tcpa_text": solar()["consent"]["text"],
    }
    reply = await stage.client().post("/v1/post", lead, **headers)
    assert (reply.status, reply.json["status"], reply.json["price"]) == (201, "sold", asked.json["price"]), reply.text


async def test_who_is_not_wanted_hears_no_bid_and_why(stage: Stage) -> None:
    told = await ping(stage, fields={**FIELDS, "state": "AK", "zip": "99501"})
    assert told["status"] == "no_bid" and "price" not in told and told["reasons"][0]["code"].startswith("market.")
    reply = await call(stage, "/v1/post", {"ping_id": told["ping_id"], **solar(1, state="AK", zip="99501")})
    assert (reply.status, reply.json["code"]) == (409, "market.quote.no_bid")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"fields": {**FIELDS, "email": "ana@example.com"}}, "/fields/email"),
        ({"fields": {**FIELDS, "comments": "call me at 415 601 2300"}}, "/fields/comments"),
        ({"fields": FIELDS, "PrimaryPhone": "4156012300"}, "/PrimaryPhone"),
        ({"fields": FIELDS, "contact": {"fname": "Ana"}}, "/contact/fname"),
        ({"fields": FIELDS, "social_security_number": "000"}, "/social_security_number"),
        ({"fields": FIELDS, "DOB": "1980-01-01"}, "/DOB"),
        ({"fields": FIELDS, "quiz": "write to ana@example.com"}, "/quiz"),
        ({"fields": {**FIELDS, "address": "12 Elm Street"}}, "/fields/address"),
    ],
)
async def test_whatever_leads_to_a_person_is_refused_where_it_stands(
    stage: Stage, given: dict[str, Any], pointer: str
) -> None:
    reply = await call(stage, "/v1/ping", {"vertical": "solar", **given})
    assert reply.status == 422
    assert [(each["pointer"], each["code"]) for each in reply.json["errors"]] == [(pointer, "capture.ping.contact")]
    assert "ana@example.com" not in reply.text and "4156012300" not in reply.text


async def test_an_address_object_may_hold_the_place(stage: Stage) -> None:
    told = await ping(stage, fields={"monthly_bill": 240, "address": {"zip": "94110", "state": "CA"}})
    assert told["status"] == "bid"


async def test_what_differs_at_the_post_is_named(stage: Stage) -> None:
    told = await ping(stage)
    reply = await call(stage, "/v1/post", {"ping_id": told["ping_id"], **solar(1, monthly_bill=90)})
    assert (reply.status, reply.json["code"]) == (422, "market.quote.differs")
    assert [each["pointer"] for each in reply.json["errors"]] == ["/fields/monthly_bill"]


async def test_a_post_without_a_ping_and_one_of_anothers_are_refused(stage: Stage) -> None:
    reply = await call(stage, "/v1/post", solar(1))
    assert (reply.status, reply.json["code"]) == (422, "intake.post.ping_id")
    reply = await call(stage, "/v1/post", {"ping_id": "ping_of_nobody", **solar(1)})
    assert (reply.status, reply.json["code"]) == (404, "market.quote.unknown")
    told = await ping(stage)
    reply = await call(
        stage, "/v1/post", {"ping_id": told["ping_id"], **solar(1)}, key="sunsearch-key-0123456789abcdef"
    )
    assert (reply.status, reply.json["code"]) == (403, "market.quote.foreign")
    reply = await call(stage, "/v1/ping", {"vertical": "solar", "fields": FIELDS}, key=BUYER_KEY)
    assert reply.status == 403


async def test_a_key_gives_one_answer(stage: Stage) -> None:
    body = {"vertical": "solar", "fields": FIELDS}
    first = await call(stage, "/v1/ping", body, idempotency_key="a")
    assert (await call(stage, "/v1/ping", body, idempotency_key="a")).json == first.json
    other = await call(stage, "/v1/ping", {**body, "test": True}, idempotency_key="a")
    assert (other.status, other.json["code"]) == (422, "flow.request.reused")


async def test_a_flood_is_told_when_to_come_back(stage: Stage) -> None:
    stage.house.quoter._per_minute = 6
    assert (await call(stage, "/v1/ping", {"vertical": "solar", "fields": FIELDS})).status == 201
    refused = await call(stage, "/v1/ping", {"vertical": "solar", "fields": FIELDS})
    assert (refused.status, refused.json["code"]) == (429, "intake.ping.throttled")
    assert 1 <= int(refused.headers["retry-after"]) <= 10


async def test_what_went_out_from_here_and_comes_back_is_refused(stage: Stage) -> None:
    hashed = stage.house.vault.keyed_hash
    path = mark_path(hashed, "lead_0123", "ping_of_another_house.00ff")
    assert path.startswith("ping_of_another_house.00ff,lead_0123.")
    reply = await call(stage, "/v1/ping", {"vertical": "solar", "fields": FIELDS}, x_leadmill_path=path)
    assert (reply.json["status"], reply.json["reasons"][0]["code"]) == ("no_bid", "capture.path.loop")
    reply = await call(stage, "/v1/leads", solar(3), x_leadmill_path=path)
    assert (reply.json["status"], reply.json["reasons"][0]["code"]) == ("rejected", "capture.path.loop")
    stranger = await call(stage, "/v1/leads", solar(4), x_leadmill_path="lead_0123.0000000000000000")
    assert stranger.json["status"] == "sold", "a mark of another house is none of ours"


async def test_a_ping_that_names_a_ping_of_ours_has_come_back(stage: Stage) -> None:
    told = await ping(stage)
    echoed = await ping(stage, ping_id=told["ping_id"])
    assert (echoed["status"], echoed["reasons"][0]["code"]) == ("no_bid", "capture.path.loop")
    lead = await stage.send(solar(5))
    asked = "ping" + lead["lead_id"].removeprefix("lead")
    echoed = await ping(stage, ping_id=asked)
    assert echoed["reasons"][0]["code"] == "capture.path.loop"
    assert (await ping(stage, ping_id="their-own-7"))["status"] == "bid"


async def test_an_operator_reads_what_pings_were_offered(stage: Stage) -> None:
    told = await ping(stage)
    await ping(stage, fields={**FIELDS, "state": "AK", "zip": "99501"})
    lead = (await call(stage, "/v1/post", {"ping_id": told["ping_id"], **solar(6)})).json["lead_id"]
    client, key = stage.client(), {"authorization": f"Bearer {stage.analyst_key}"}
    first = (await client.get("/v1/pings?limit=1&source=acme-media", **key)).json
    assert [item["status"] for item in first["items"]] == ["no_bid"] and first["items"][0]["reason"]
    second = (await client.get(f"/v1/pings?limit=1&cursor={first['next_cursor']}", **key)).json
    assert [(item["ping_id"], item["lead_id"]) for item in second["items"]] == [(told["ping_id"], lead)]
    assert second["items"][0]["price"] == told["price"] and second["next_cursor"] is None
    assert (await client.get("/v1/pings?source=nobody", **key)).json["items"] == []
    for query in ("limit=0", "limit=x", "cursor=lead_1"):
        assert (await client.get(f"/v1/pings?{query}", **key)).status in (400, 422)
    assert (await client.get("/v1/pings", authorization=f"Bearer {SOURCE_KEY}")).status == 403

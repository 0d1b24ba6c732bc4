"""People through the API: whole, masked by role, noted, found by an exact address or number and by nothing else."""

from typing import Any

import pytest

from leadmill.identity import forget_person, rule
from leadmill.parties import reads_of
from tests.interfaces.client import Client
from tests.interfaces.stage import BUYER_KEY, SOURCE_KEY, Stage, solar

OTHER: dict[str, Any] = {"email": "anita@example.org", "first_name": "Anita", "zip": "94107"}


async def found(client: Client, key: str, contact: str) -> list[dict[str, Any]]:
    reply = await client.post_json("/v1/people/search", {"contact": contact}, authorization=f"Bearer {key}")
    assert reply.status == 200, reply.text
    items: list[dict[str, Any]] = reply.json["items"]
    return items


async def test_one_human_being_is_read_over_all_that_they_sent(stage: Stage) -> None:
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    first = await stage.send(solar())
    second = await stage.send(solar(monthly_bill=260, roof_type="tile"))
    other = await stage.send(solar(**OTHER))
    (ana,) = await found(client, stage.operator_key, "Ana.Ruiz+offers@gmail.com")
    told = (await client.get(f"/v1/people/{ana['person_id']}", authorization=key)).json
    assert [each["lead_id"] for each in told["leads"]] == [second["lead_id"], first["lead_id"]]
    said = {each["field"]: each for each in told["known"]}
    assert (said["monthly_bill"]["value"], said["monthly_bill"]["others"]) == (260, 1)
    assert (said["zip"]["lead_id"], said["zip"]["others"]) == (second["lead_id"], 0)
    (tie,) = told["household"]
    (anita,) = await found(client, stage.operator_key, "anita@example.org")
    assert (tie["person_id"], tie["shares"]) == (anita["person_id"], "phone") or told["possible"]
    shared = await found(client, stage.operator_key, "(415) 601-2300")
    assert [each["person_id"] for each in shared] == [ana["person_id"], anita["person_id"]]
    async with stage.house.db.begin() as tx:
        house = stage.house
        await rule(tx, house.mint, ana["person_id"], anita["person_id"], "one", by="op", why="x", now=house.clock())
    told = (await client.get(f"/v1/people/{anita['person_id']}", authorization=key)).json
    assert told["persons"] == sorted((ana["person_id"], anita["person_id"])) and len(told["leads"]) == 3
    assert [each["says"] for each in told["rulings"]] == ["one"]
    async with stage.house.db.begin() as tx:
        assert "api person" in {each.what for each in await reads_of(tx, other["lead_id"])}


async def test_who_may_not_see_personal_values_reads_them_masked(stage: Stage) -> None:
    await stage.send(solar())
    client = stage.client()
    (ana,) = await found(client, stage.analyst_key, "ana.ruiz@gmail.com")
    reply = await client.get(f"/v1/people/{ana['person_id']}", authorization=f"Bearer {stage.analyst_key}")
    assert reply.json["masked"] is True
    assert {each["field"]: each["value"] for each in reply.json["known"]}["monthly_bill"] == 240
    for personal in ("ana.ruiz", "Ruiz", "4156012300", "601-2300"):
        assert personal not in reply.text, personal


@pytest.mark.parametrize("contact", ["ana.ruiz@gmail.co", "ruiz", "415-601", "ana.ruiz@", "%@gmail.com"])
async def test_a_part_of_an_address_finds_nobody(stage: Stage, contact: str) -> None:
    await stage.send(solar())
    assert await found(stage.client(), stage.operator_key, contact) == []


async def test_a_forgotten_person_is_found_by_nothing_and_says_nothing(stage: Stage) -> None:
    await stage.send(solar())
    client = stage.client()
    (ana,) = await found(client, stage.operator_key, "ana.ruiz@gmail.com")
    async with stage.house.db.begin() as tx:
        await forget_person(tx, stage.house.keys, ana["person_id"], stage.house.clock())
    assert await found(client, stage.operator_key, "ana.ruiz@gmail.com") == []
    told = (await client.get(f"/v1/people/{ana['person_id']}", authorization=f"Bearer {stage.operator_key}")).json
    assert told["known"] == [] and [each["fields"] for each in told["leads"]] == [None]


@pytest.mark.parametrize("key", [SOURCE_KEY, BUYER_KEY])
async def test_no_source_and_no_buyer_reads_people(stage: Stage, key: str) -> None:
    client = stage.client()
    reply = await client.get("/v1/people/person_1", authorization=f"Bearer {key}")
    assert (reply.status, reply.json["code"]) == (403, "api.right.missing")
    reply = await client.post_json("/v1/people/search", {"contact": "a@b.co"}, authorization=f"Bearer {key}")
    assert (reply.status, reply.json["code"]) == (403, "api.right.missing")
    reply = await client.get("/v1/people/person_1", authorization=f"Bearer {stage.operator_key}")
    assert (reply.status, reply.json["code"]) == (404, "identity.person.unknown")

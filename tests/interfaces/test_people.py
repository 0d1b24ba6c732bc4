"""The people's pages: one human being over many submissions, rulings made and taken back, nothing for who may not."""

from typing import Any

import pytest

from leadmill.parties import Role
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage, solar


async def secret(client: Client) -> str:
    return (await client.get("/leads")).text.partition('name="_csrf" value="')[2].partition('"')[0]


async def person_of(client: Client, lead_id: str) -> str:
    page = (await client.get(f"/leads/{lead_id}")).text
    return page.partition('href="/people/')[2].partition('"')[0]


ANOTHER: dict[str, Any] = {"email": "anita@example.org", "phone": "+14156012301", "first_name": "Anita", "zip": "94107"}


async def two(stage: Stage) -> tuple[Client, str, str]:
    """Two persons, each with a lead."""
    client = await stage.signed_in(Role.OPERATOR)
    first = await stage.send(solar())
    second = await stage.send(solar(**ANOTHER))
    return client, await person_of(client, first["lead_id"]), await person_of(client, second["lead_id"])


async def test_a_person_s_page_shows_all_they_sent_and_what_they_last_said(stage: Stage) -> None:
    client, one, other = await two(stage)
    assert one != other
    page = (await client.get(f"/people/{one}")).text
    assert "Ana Ruiz" in page and "What they last said" in page
    assert page.count("row-link") == 1


async def test_two_persons_ruled_to_be_one_share_a_page_until_the_ruling_is_taken_back(stage: Stage) -> None:
    client, one, other = await two(stage)
    form = {"_csrf": await secret(client), "one": one, "other": other, "says": "one", "from": "person", "why": "Called"}
    reply = await client.post("/people/rulings", form)
    assert (reply.status, reply.headers["location"]) == (303, f"/people/{one}?done=ruled")
    page = (await client.get(f"/people/{other}")).text
    assert page.count("row-link") == 2 and "Called" in page
    ruling = page.partition('action="/people/rulings/')[2].partition("/end")[0]
    while not ruling.startswith("ruling_"):
        page = page.partition('action="/people/rulings/')[2]
        ruling = page.partition('action="/people/rulings/')[2].partition("/end")[0]
    reply = await client.post(f"/people/rulings/{ruling}/end", {"_csrf": await secret(client), "why": "Sisters"})
    assert reply.status == 303
    page = (await client.get(f"/people/{one}")).text
    assert page.count("row-link") == 1 and "Sisters" in page
    assert "Taken back" in (await client.get("/people")).text


async def test_a_wrong_ruling_says_what_to_do(stage: Stage) -> None:
    client, one, _ = await two(stage)
    form = {"_csrf": await secret(client), "one": one, "other": one, "says": "one"}
    reply = await client.post("/people/rulings", form)
    assert reply.status == 400 and "name two persons" in reply.text
    reply = await client.post("/people/rulings", {**form, "other": "person_nobody"})
    assert reply.status == 404
    reply = await client.post("/people/rulings", {**form, "says": "three"})
    assert reply.status == 400
    assert (await client.get("/people/person_nobody")).status == 404


@pytest.mark.parametrize("role", [Role.ANALYST])
async def test_who_may_not_review_reads_masked_and_rules_nothing(stage: Stage, role: Role) -> None:
    _, one, other = await two(stage)
    client = await stage.signed_in(role)
    page = (await client.get(f"/people/{one}")).text
    assert "Ruiz" not in page and "They are one" not in page and "masked for your role" in page
    form = {"_csrf": await secret(client), "one": one, "other": other, "says": "one"}
    assert (await client.post("/people/rulings", form)).status == 403

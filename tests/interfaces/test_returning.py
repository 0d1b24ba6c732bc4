"""Whoever comes back to a hosted form: asked only what is missing, shown nothing, never told who anybody is."""

import re
from typing import Any

import pytest

from leadmill.capture import TakenOver
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadFilter
from leadmill.flow.returning import way_back
from leadmill.flow.store import list_leads
from leadmill.identity import Returning, forget_person, seal_token
from tests.answers import Reply
from tests.flow.stage import apply
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage

FIELDS: list[Any] = ["zip", "state", "monthly_bill", "homeowner", "roof_type", "first_name", "last_name", "email"]
FORM: dict[str, Any] = {
    "id": "solar-more",
    "vertical": "solar",
    "source": "own-site",
    "title": "What would solar save you?",
    "progressive": True,
    "steps": [{"title": "Your home", "fields": FIELDS[:5]}, {"title": "You", "fields": [*FIELDS[5:], "phone"]}],
    "consent": {"text": "I agree that Helio Solar LLC and SunCo Inc may call and e-mail me at the number I gave."},
}
GOOD = {
    "zip": "94110", "state": "CA", "monthly_bill": "240", "homeowner": "yes", "first_name": "Rosa", "last_name": "Berg",
    "email": "rosa.berg@gmail.com", "phone": "415-601-7788", "consent[granted]": "yes",
}  # fmt: skip
AGAIN = {"phone": "415-601-7788", "roof_type": "tile", "consent[granted]": "yes"}
AT = "/f/solar-more"


async def opened(stage: Stage, **change: Any) -> Client:
    await apply(stage.house, {"form": [FORM | change]})
    return stage.client()


def hidden(page: str) -> dict[str, str]:
    """What the page would send by itself."""
    return dict(re.findall(r'<input type="hidden" name="(_[a-z]+)" value="([^"]*)"', page))


def asked(page: str) -> list[str]:
    return [name for name in re.findall(r'id="in-([a-z_]+)"', page) if name != "fax_number"]


async def send(client: Client, fields: dict[str, str], path: str = AT, **headers: str) -> Reply:
    page = (await client.get(path)).text
    return await client.post(AT, {**hidden(page), **fields}, **headers)


async def leads(stage: Stage) -> list[Any]:
    async with stage.house.db.begin() as tx:
        rows, _ = await list_leads(tx, LeadFilter())
        return [await recall_one(tx, stage.house.pen, row.id) for row in reversed(rows)]


async def test_a_second_visit_asks_only_what_is_missing_and_the_lead_is_whole(stage: Stage) -> None:
    client = await opened(stage)
    reply = await send(client, GOOD)
    assert reply.status == 303
    (cookie,) = [value for name, value in reply.all_headers if name == "set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/f/" in cookie and "own-site" not in cookie
    page = (await client.get(AT)).text
    assert asked(page) == ["roof_type", "phone"], "a call needs the number in what is agreed to"
    assert "You have been here before" in page and 'name="consent[granted]" value="yes">' in page
    told = re.sub(r'name="_(?:visit|left)" value="[^"]*"', "", page)  # sealed texts hold any three signs now and then
    for value in ("Rosa", "Berg", "rosa", "94110", "240", "7788", "lead_", "person_"):
        assert value not in told, value
    assert (await send(client, AGAIN)).status == 303
    first, second = await leads(stage)
    assert second.lead.fields["email"] == "rosa.berg@gmail.com" and second.lead.fields["roof_type"] == "tile"
    assert second.row.person_id == first.row.person_id
    taken = second.case_before()[TakenOver].items
    assert {item.name for item in taken} == {*GOOD} - {"phone", "consent[granted]"}
    assert {(item.lead_id, item.at) for item in taken} == {(first.row.id, first.row.received_at)}
    assert asked((await client.get(AT)).text) == ["phone"]


async def test_consent_is_never_taken_over(stage: Stage) -> None:
    client = await opened(stage)
    await send(client, GOOD)
    assert (await send(client, {"phone": GOOD["phone"], "roof_type": "tile"})).status == 303
    _, second = await leads(stage)
    assert second.lead.consent.get("granted") is not True


async def test_another_browser_learns_nothing_by_an_address_that_is_known(stage: Stage) -> None:
    await send(await opened(stage), GOOD)
    stranger = stage.client()
    page = await stranger.post(AT, {**hidden((await stranger.get(AT)).text), "email": GOOD["email"], "zip": "94110"})
    assert page.status in (303, 422) and "been here before" not in page.text
    fresh = stage.client()
    assert asked((await fresh.get(AT)).text) == [*FIELDS, "phone"]


async def test_what_the_page_carries_completes_no_other_answer(stage: Stage) -> None:
    """A page opened before anybody was known is not completed by what was learned meanwhile; one that was changed or
    belongs to another form is worth nothing."""
    client = await opened(stage)
    before = hidden((await client.get(AT)).text)
    await send(client, GOOD)
    assert "_left" not in before
    reply = await client.post(AT, {**before, "email": "r@example.com", "zip": "94110"})
    assert reply.status == 303
    *_, last = await leads(stage)
    assert "first_name" not in last.lead.fields and "taken_over" not in last.lead.context
    page = hidden((await client.get(AT)).text)
    reply = await client.post(AT, {**page, **AGAIN, "_left": page["_left"][:-3] + "abc"})
    *_, last = await leads(stage)
    assert "taken_over" not in last.lead.context


async def test_somebody_else_at_the_same_browser_gets_the_whole_form(stage: Stage) -> None:
    client = await opened(stage, always=["first_name"])
    await send(client, GOOD)
    assert asked((await client.get(AT)).text) == ["roof_type", "first_name", "phone"]
    reply = await send(client, {**AGAIN, "first_name": "Tom"})
    assert reply.status == 200 and "so that we take you for nobody else" in reply.text
    assert asked(reply.text) == [*FIELDS, "phone"] and 'value="Tom"' in reply.text and "_left" not in hidden(reply.text)
    assert len(await leads(stage)) == 1
    assert asked((await client.get(AT)).text) == [*FIELDS, "phone"], "the cookie is gone"
    await send(client, GOOD)
    reply = await client.post(f"{AT}/anew")
    assert (reply.status, reply.headers["location"]) == (303, AT)
    assert asked((await client.get(AT)).text) == [*FIELDS, "phone"]


async def test_a_forgotten_person_is_asked_everything_also_on_an_open_page(stage: Stage) -> None:
    client = await opened(stage)
    await send(client, GOOD)
    page = hidden((await client.get(AT)).text)
    (first,) = await leads(stage)
    async with stage.house.db.begin() as tx:
        await forget_person(tx, stage.house.keys, first.row.person_id, stage.house.clock())
    assert asked((await client.get(AT)).text) == [*FIELDS, "phone"]
    reply = await client.post(AT, {**page, "roof_type": "tile", "consent[granted]": "yes"})
    assert reply.status == 422 and "a way to answer you" in reply.text and "email" in asked(reply.text)


async def test_a_link_that_we_mailed_is_taken_for_a_cookie_and_leaves_the_address(stage: Stage) -> None:
    client = await opened(stage)
    await send(client, GOOD)
    (first,) = await leads(stage)
    rules, vault, now = stage.house.book.walk().rules, stage.house.vault, stage.house.clock()
    link = way_back(vault, rules.forms, first.lead, "https://leadmill.test", now)
    other = stage.client()
    reply = await other.get(f"{link.removeprefix('https://leadmill.test')}&utm_source=mail")
    assert (reply.status, reply.headers["location"]) == (303, f"{AT}?utm_source=mail")
    assert asked((await other.get(AT)).text) == ["roof_type", "phone"]
    stranger = stage.client()
    foreign = seal_token(vault, Returning(first.row.id, "another", 2**33))
    for text in ("nonsense", foreign):
        assert (await stranger.get(f"{AT}?t={text}")).headers["location"] == AT
    assert asked((await stranger.get(AT)).text) == [*FIELDS, "phone"]


async def test_whoever_asks_not_to_be_followed_is_remembered_by_nothing(stage: Stage) -> None:
    client = await opened(stage)
    reply = await send(client, GOOD, **{"sec-gpc": "1"})
    assert reply.status == 303 and "set-cookie" not in reply.headers
    rejected = await send(stage.client(), {**GOOD, "fax_number": "1"})
    assert rejected.status == 303 and "set-cookie" not in rejected.headers


async def test_the_same_few_answers_of_two_people_are_two_enquiries_and_a_second_press_is_one(stage: Stage) -> None:
    one = await opened(stage)
    await send(one, GOOD)
    two = stage.client()
    await send(two, {**GOOD, "first_name": "Tom", "email": "tom.lee@gmail.com"})
    for client in (one, two):
        page = hidden((await client.get(AT)).text)
        for _ in range(2):
            assert (await client.post(AT, {**page, **AGAIN})).status == 303
    found = await leads(stage)
    assert [each.lead.fields["first_name"] for each in found] == ["Rosa", "Tom", "Rosa", "Tom"]


@pytest.mark.parametrize("wrong", [{"monthly_bill": "a lot"}, {"phone": "1" * 400}])
async def test_a_wrong_answer_keeps_what_was_left_out(stage: Stage, wrong: dict[str, str]) -> None:
    client = await opened(stage)
    await send(client, GOOD)
    reply = await send(client, {**AGAIN, **wrong})
    assert reply.status == 422 and asked(reply.text) == sorted({*asked(reply.text)}, key=[*FIELDS, "phone"].index)
    assert {*wrong} <= {*asked(reply.text)} and "email" not in asked(reply.text) and hidden(reply.text)["_left"]


async def test_a_long_form_goes_on_where_it_stopped(stage: Stage) -> None:
    client = await opened(stage, ask=2, consent={"text": "I agree.", "channels": ["email"]})
    assert asked((await client.get(AT)).text) == ["email", "phone"]
    await send(client, {"email": GOOD["email"], "phone": GOOD["phone"], "consent[granted]": "yes"})
    assert asked((await client.get(AT)).text) == ["zip", "state"]
    await send(client, {"zip": "94110", "state": "CA", "consent[granted]": "yes"})
    assert asked((await client.get(AT)).text) == ["monthly_bill", "homeowner"]

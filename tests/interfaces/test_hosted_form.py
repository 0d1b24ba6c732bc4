"""The hosted form: readable without a script, forgiving, exact about consent."""

from typing import Any

import pytest

from leadmill.consent import Proof
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.interfaces.portals.form import _origin, ink_on
from tests.answers import Reply
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage

GOOD = {
    "zip": "94110", "state": "CA", "monthly_bill": "240", "homeowner": "yes", "first_name": "Rosa", "last_name": "Berg",
    "email": "rosa.berg@gmail.com", "phone": "415-601-7788", "consent[granted]": "yes",
}  # fmt: skip


async def stamp(client: Client) -> str:
    page = await client.get("/f/solar-quote")
    assert page.status == 200
    return page.text.partition('name="_stamp" value="')[2].partition('"')[0]


async def send(client: Client, **fields: str) -> Reply:
    return await client.post(
        "/f/solar-quote", {"_stamp": await stamp(client), **GOOD, **fields}, **{"user-agent": "Browser 1"}
    )


async def leads(stage: Stage) -> list[Any]:
    async with stage.house.db.begin() as tx:
        rows, _ = await list_leads(tx, LeadFilter())
        return [await recall_one(tx, stage.house.pen, row.id) for row in rows]


async def test_an_answer_becomes_a_lead_with_the_proof_of_what_was_shown(stage: Stage) -> None:
    reply = await send(stage.client())
    assert (reply.status, reply.headers["location"]) == (303, "/f/solar-quote/thanks")
    [told] = await leads(stage)
    assert told.row.channel == "hosted" and told.row.source_id == "own-site" and told.row.state.value == "sold"
    [proof] = [
        item for chapter in told.chapters for s in chapter.stations for item in s.learned if isinstance(item, Proof)
    ]
    form = stage.house.book.walk().rules.forms["solar-quote"]
    assert proof.kind == "written" and form.consent and proof.text == form.consent.text
    assert proof.sellers == ["Helio Solar LLC", "SunCo Inc"] and proof.ip == "192.0.2.10" and proof.origin == "form"


async def test_pressing_the_button_twice_is_one_enquiry(stage: Stage) -> None:
    client = stage.client()
    fields = {"_stamp": await stamp(client), **GOOD}
    for _ in range(2):
        assert (await client.post("/f/solar-quote", fields)).status == 303
    assert len(await leads(stage)) == 1


async def test_a_form_tells_how_it_was_filled_in_and_nobody_is_held_up_by_what_its_script_wrote(stage: Stage) -> None:
    client = stage.client()
    page = (await client.get("/f/solar-quote?context[key_count]=7")).text
    assert 'name="context[key_count]" value=""' in page, "only the page's own script writes there"
    fields = {"_stamp": await stamp(client), **GOOD}
    told = {"context[key_count]": "61", "context[key_gap_ms]": "142.5", "context[webdriver]": "no"}
    wrong = {"context[paste_count]": "a lot", "context[key_gap_spread]": "1e9"}
    again = await client.post("/f/solar-quote", {**fields, **told, **wrong, "last_name": ""})
    assert again.status == 422 and 'name="context[key_count]" value="61"' in again.text
    assert f'name="_stamp" value="{fields["_stamp"]}"' in again.text, "the time since the first page counts"
    assert (await client.post("/f/solar-quote", {**fields, **told, **wrong})).status == 303
    assert (await client.post("/f/solar-quote", {**fields, **told, "context[key_count]": "62"})).status == 303
    [found] = await leads(stage)
    assert found.lead is not None
    context = found.lead.context
    assert {name: context.get(name) for name in ("key_count", "key_gap_ms", "webdriver", "paste_count")} == {
        "key_count": 61, "key_gap_ms": 142.5, "webdriver": False, "paste_count": None,
    }  # fmt: skip
    seconds = context["filled_seconds"]
    assert isinstance(seconds, float) and seconds >= 0 and "key_gap_spread" not in context


async def test_a_form_filled_in_by_a_program_waits_for_a_person(stage: Stage) -> None:
    script = {"context[key_count]": "0", "context[paste_count]": "0", "context[fill_count]": "0"}
    assert (await send(stage.client(), **script, **{"context[webdriver]": "yes"})).status == 303
    [found] = await leads(stage)
    assert (found.row.state.value, found.row.reason) == ("review", "fraud.lead.review")


async def test_the_box_is_never_ticked_for_one_and_nothing_is_sold_without_it(stage: Stage) -> None:
    page = (await stage.client().get("/f/solar-quote?consent[granted]=yes&consent%5Bgranted%5D=yes")).text
    box = page.partition('name="consent[granted]"')[2].partition(">")[0]
    assert "checked" not in box
    client = stage.client()
    fields = {"_stamp": await stamp(client), **GOOD}
    del fields["consent[granted]"]
    assert (await client.post("/f/solar-quote", fields)).status == 303
    [told] = await leads(stage)
    assert told.row.state.value != "sold"


async def test_what_is_missing_is_said_beside_the_question_and_the_rest_is_kept(stage: Stage) -> None:
    reply = await send(stage.client(), monthly_bill="a lot", last_name="", first_name="<Rosa>")
    assert reply.status == 422
    assert "<title>Please check:" in reply.text and "&lt;Rosa&gt;" in reply.text and "<Rosa>" not in reply.text
    for name in ("monthly_bill", "last_name"):
        field = reply.text.partition(f'id="in-{name}"')[2].partition(">")[0]
        assert 'aria-invalid="true"' in field and f"about-{name}" in field, name
    assert reply.text.count("autofocus") == 1
    assert await leads(stage) == []


async def test_a_program_that_fills_in_the_hidden_field_is_kept_and_rejected(stage: Stage) -> None:
    assert (await send(stage.client(), fax_number="555")).status == 303
    [told] = await leads(stage)
    assert (told.row.state.value, told.row.reason) == ("rejected", "capture.form.honeypot")


async def test_a_page_that_is_not_ours_or_too_old_is_shown_again_with_the_answers(stage: Stage) -> None:
    client = stage.client()
    for bad in ("", "solar-quote~x~1~00", "solar-quote~v~99999999999~" + "0" * 32):
        reply = await client.post("/f/solar-quote", {"_stamp": bad, **GOOD})
        assert reply.status == 200 and 'value="Rosa"' in reply.text and "send it again" in reply.text
    assert await leads(stage) == []


async def test_a_form_may_be_framed_by_the_pages_it_names_and_no_other(stage: Stage) -> None:
    client = stage.client()
    for path in ("/f/solar-seen", "/f/solar-seen/thanks"):
        page = await client.get(path)
        assert (
            "frame-ancestors https://www.acme.example http://localhost:8000;" in page.headers["content-security-policy"]
        )
        assert "x-frame-options" not in page.headers  # it knows no list, and would forbid what the policy allows
        assert "framed.js" in page.text
    script = await client.get("/embed.js")
    assert (script.status, script.headers["location"].partition("?")[0]) == (302, "/static/embed.js")
    alone = await client.get("/f/solar-quote")
    assert "frame-ancestors 'none'" in alone.headers["content-security-policy"]
    assert alone.headers["x-frame-options"] == "DENY"
    assert "framed.js" not in alone.text


async def test_an_unknown_form_is_a_plain_page(stage: Stage) -> None:
    reply = await stage.client().get("/f/nothing")
    assert reply.status == 404 and "This form is not here" in reply.text and "sign-in" not in reply.text


async def test_every_personal_question_names_its_autocomplete(stage: Stage) -> None:
    page = (await stage.client().get("/f/solar-quote")).text
    for name, token in (("first_name", "given-name"), ("email", "email"), ("phone", "tel"), ("zip", "postal-code")):
        assert f'autocomplete="{token}"' in page.partition(f'id="in-{name}"')[2].partition(">")[0], name


@pytest.mark.parametrize(("colour", "ink"), [("#3f4ec4", "#ffffff"), ("#ffd400", "#101214"), ("#000000", "#ffffff")])
def test_what_stands_on_a_forms_colour_can_be_read(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (None, ""),
        ("/thanks", ""),
        ("https://example.com/a?b", "https://example.com"),
        ("http://x.test:81", "http://x.test:81"),
    ],
)
def test_a_form_may_end_where_it_was_configured_to(url: str | None, origin: str) -> None:
    assert _origin(url) == origin


async def test_the_policy_of_a_forms_page_names_no_other_site(stage: Stage) -> None:
    headers = (await stage.client().get("/f/solar-quote")).headers
    assert "form-action 'self' ;" in headers["content-security-policy"]
    sheet = await stage.client().get("/f/solar-quote/accent.css")
    assert sheet.headers["content-type"].startswith("text/css") and "--on-accent:#ffffff" in sheet.text
